//! Stamps of a log of four entries (`testdata/vectors`) by authorities that OpenSSL played
//! (`testdata/anchor`).

use super::*;
use prove::{KeyEpoch, Verdict};
use std::path::PathBuf;
use store::{DiskFolder, MemoryFolder};

const STAMPED: &str = "rsa-sha256.tsr";

fn testdata(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(path)
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(testdata(&format!("anchor/{path}"))).unwrap()
}

fn authorities(name: &str) -> Authorities {
    Authorities::from_pem(&read(name)).unwrap()
}

/// The log's folder.
fn log() -> DiskFolder {
    DiskFolder::new(testdata("vectors/example/c4e598a0a2f48988916e0ba73021fb13"))
}

fn anchor(stamps: &[&str]) -> Anchor {
    let stamps = stamps
        .iter()
        .enumerate()
        .map(|(number, file)| (format!("a{number}").parse().unwrap(), read(file)));
    Anchor { size: 4, note: Some(read("checkpoint")), stamps: stamps.collect() }
}

/// The report of the log that was checked and found in order, at this size and with this root.
fn found(size: u64, root: Option<&str>) -> Report {
    let stamped = claimed(&read("checkpoint")).unwrap();
    let mut report = Report::new(&stamped.origin);
    let identity = log().read(seal::IDENTITY_PATH).unwrap().unwrap();
    let vkeys = seal::Identity::parse(&identity).unwrap().keys;
    report.epochs.push(KeyEpoch { epoch: 0, vkeys, record: None, since: None });
    report.size = size;
    report.root = root.map_or_else(|| stamped.root.to_string(), str::to_owned);
    report.level = Level::Signed;
    report
}

fn check(anchors: &[Anchor], within_ms: Option<u64>, mut report: Report) -> Report {
    let authorities = authorities("authority.pem");
    let folder = log();
    let read = |path: &str| folder.read(path).ok().flatten();
    check_anchors(anchors, &Anchored { authorities: &authorities, within_ms }, &read, &mut report);
    report
}

fn kinds(report: &Report) -> Vec<FindingKind> {
    report.findings().iter().map(|finding| finding.kind).collect()
}

#[test]
fn a_stamp_that_holds_raises_the_level_and_says_by_when_what_existed() {
    let report = check(&[anchor(&[STAMPED, "p256-sha256.tsr"])], None, found(4, None));
    assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Anchored));
    let note = report.notes.join("\n");
    assert!(note.starts_with("4 of 4 entries existed by 20"), "{note}");
    assert!(note.ends_with("(CN=rsa stamping,O=Example)"), "{note}");
    let mut local = found(4, None);
    local.level = Level::Local;
    assert_eq!(check(&[anchor(&[STAMPED])], None, local).level, Level::Local);
}

#[test]
fn a_log_that_is_shorter_or_another_than_what_was_stamped_is_found_out() {
    let shorter = check(&[anchor(&[STAMPED])], None, found(3, None));
    assert_eq!(kinds(&shorter), [FindingKind::Truncated]);
    assert_eq!(shorter.findings()[0].index, Some(3));
    let other = "00".repeat(32);
    let forked = check(&[anchor(&[STAMPED])], None, found(4, Some(&other)));
    assert_eq!(kinds(&forked), [FindingKind::Forked]);
    assert_eq!((forked.verdict(), forked.level), (Verdict::Tampered, Level::Signed));
}

#[test]
fn what_no_key_of_the_log_signed_says_nothing_of_its_history() {
    let mut report = found(4, Some(&"00".repeat(32)));
    report.epochs.clear();
    let report = check(&[anchor(&[STAMPED])], None, report);
    let detail = &report.findings()[0].detail;
    assert!(detail.contains("no key of the log signed"), "{detail}");
    let mut elsewhere = found(4, None);
    elsewhere.origin = "log.example/other".to_owned();
    let report = check(&[anchor(&[STAMPED])], None, elsewhere);
    assert_eq!(kinds(&report)[0], FindingKind::Unannounced);
}

#[test]
fn a_stamp_that_was_altered_is_named_and_one_by_a_stranger_does_not_count() {
    let mut altered = anchor(&[STAMPED]);
    *altered.stamps[0].1.last_mut().unwrap() ^= 1;
    let report = check(&[altered], None, found(4, None));
    assert_eq!(kinds(&report), [FindingKind::Corrupt]);
    assert_eq!(report.findings()[0].file, "anchors/00000000000000000004.a0.tsr");
    let stranger = check(&[anchor(&["stranger.tsr"])], None, found(4, None));
    assert_eq!(kinds(&stranger), [FindingKind::Signature]);
    assert!(stranger.notes[0].contains("does not count"), "{:?}", stranger.notes);
    let both = check(&[anchor(&["stranger.tsr", STAMPED])], None, found(4, None));
    assert_eq!(both.verdict(), Verdict::Ok);
    let mut without = anchor(&[STAMPED]);
    without.note = None;
    assert_eq!(kinds(&check(&[without], None, found(4, None)))[0], FindingKind::Missing);
    let mut renamed = anchor(&[STAMPED]);
    renamed.size = 3;
    assert_eq!(kinds(&check(&[renamed], None, found(4, None)))[0], FindingKind::Corrupt);
}

#[test]
fn a_stamp_that_cannot_be_checked_here_was_not_altered() {
    const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let mut odd = anchor(&[STAMPED]);
    let bytes = &mut odd.stamps[0].1;
    for at in 0..bytes.len() - SHA256.len() {
        if bytes[at..].starts_with(&SHA256) {
            // SHA-224.
            bytes[at + SHA256.len() - 1] = 4;
        }
    }
    let report = check(std::slice::from_ref(&odd), None, found(4, None));
    assert_eq!(kinds(&report), [FindingKind::Signature]);
    assert!(report.notes[0].contains("algorithm is not known here"), "{:?}", report.notes);
    let other = Anchor { stamps: vec![anchor(&["p256-sha256.tsr"]).stamps.remove(0)], ..odd };
    assert_eq!(check(&[other], None, found(4, None)).verdict(), Verdict::Ok);
}

#[test]
fn that_nobody_stamped_a_log_is_a_finding_when_it_was_asked() {
    let report = check(&[], None, found(4, None));
    assert_eq!(kinds(&report), [FindingKind::Signature]);
    assert_eq!(report.level, Level::Signed);
}

#[test]
fn records_that_waited_too_long_for_an_authority_are_named() {
    // The log is of some day, and was stamped long after it.
    let times: Vec<u64> = {
        let folder = log();
        let read = |path: &str| folder.read(path).ok().flatten();
        let mut entries = Entries { read: &read, size: 4, bundle: None };
        (0..4).map(|index| entries.time_ms(index).unwrap()).collect()
    };
    let stamped = anchor(&[STAMPED]).judged(&authorities("authority.pem")).remove(0).1.unwrap();
    let waited = stamped.latest_ms() - times[0];
    let late = check(&[anchor(&[STAMPED])], Some(3_600_000), found(4, None));
    assert_eq!(kinds(&late), [FindingKind::Signature]);
    assert_eq!((late.findings()[0].index, late.findings()[0].count), (Some(0), 4));
    let fine = check(&[anchor(&[STAMPED])], Some(waited), found(4, None));
    assert_eq!(fine.verdict(), Verdict::Ok);
    // Of the first ones only, where they are older.
    if times[0] < times[3] {
        let some = check(&[anchor(&[STAMPED])], Some(waited - 1), found(4, None));
        assert_eq!(some.findings()[0].index, Some(0));
        assert!(some.findings()[0].count < 4);
    }
}

#[test]
fn anchors_are_read_by_their_names_and_other_files_passed_over() {
    let folder = MemoryFolder::default();
    let label: Label = "one".parse().unwrap();
    for (path, bytes) in [
        (AnchorName::Checkpoint(9).path(), "nine"),
        (AnchorName::Stamp(9, label.clone()).path(), "stamp"),
        (AnchorName::Stamp(10, label.clone()).path(), "ten"),
        ("anchors/note.txt".to_owned(), "x"),
        (format!("anchors/copy/{}", AnchorName::Checkpoint(9)), "another"),
        ("checkpoint".to_owned(), "x"),
    ] {
        folder.write(&path, bytes.as_bytes()).unwrap();
    }
    let found = Anchor::read_all(&folder, "anchors").unwrap();
    let nine = Anchor {
        size: 9,
        note: Some(b"nine".to_vec()),
        stamps: vec![(label.clone(), b"stamp".to_vec())],
    };
    let ten = Anchor { size: 10, note: None, stamps: vec![(label, b"ten".to_vec())] };
    let another = Anchor { size: 9, note: Some(b"another".to_vec()), stamps: Vec::new() };
    assert_eq!(found, [nine, another, ten]);
}

#[test]
fn the_place_where_something_ends_is_found_without_looking_at_all() {
    for end in 0..=20 {
        assert_eq!(partition(0, 20, |index| Some(index < end)), Some(end));
    }
    assert_eq!(partition(5, 5, |_| None), Some(5));
    assert_eq!(partition(0, 5, |_| None), None);
}
