//! A log whose older records lie in segments: every way to alter its folder a little is found, and
//! every command says what it said before.

use event::Event;
use keys::{Kek, KekOrigin, SecretKey};
use prove::{Finding, FindingKind, Report, Verdict};
use reading::verify::{Options, verify};
use seal::{Batch, NewLog, Writer};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Folder, MemoryFolder, Reservation};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) const DAY_MS: u64 = 86_400_000;

/// A clock that a test sets.
pub(crate) struct Hands(pub(crate) AtomicU64);

impl seal::Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

/// Events of two tiers.
pub(crate) fn append(writer: &mut Writer, numbers: std::ops::Range<u64>) {
    let kinds = ["agent.tool_call", "agent.decision"];
    let lines: Vec<String> = numbers
        .map(|n| {
            let kind = kinds[usize::try_from(n % 2).unwrap()];
            format!(r#"{{"event_id":"e-{n}","event_type":"{kind}","params":{{"n":{n}}}}}"#)
        })
        .collect();
    let events = lines
        .iter()
        .map(|line| writer.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    let batch =
        Batch::encode(events, writer.fingerprints(), &keys::SystemEntropy::new(), 0).unwrap();
    writer.commit(vec![batch]).unwrap();
}

/// A log in memory that was made on the day 20,000.
pub(crate) fn fresh(memory: &MemoryFolder) -> (Writer, Arc<Hands>) {
    let clock = Arc::new(Hands(AtomicU64::new(20_000 * DAY_MS)));
    let options = seal::Options {
        clock: Arc::clone(&clock) as _,
        reservation: Reservation::Off,
        ..seal::Options::system()
    };
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek(), [1; 16], &options).unwrap();
    (seal::open(&folder, kek(), options).unwrap(), clock)
}

/// Two days of three tiers in segments, a third in the journal.
pub(crate) fn files() -> Files {
    let memory = MemoryFolder::default();
    let (mut writer, clock) = fresh(&memory);
    for day in 0..3 {
        clock.0.store((20_000 + day) * DAY_MS, Ordering::Relaxed);
        append(&mut writer, day * 6..day * 6 + 6);
        // The second day's segments hold the announcements of the first day's.
        assert_eq!(writer.roll().unwrap(), usize::from(day > 0));
    }
    writer.close().unwrap();
    memory.snapshot()
}

pub(crate) fn check_with(files: &Files, kek: Option<&Kek>) -> Report {
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files.clone()));
    verify(&folder, kek, &Options::default(), &mut |_| {})
}

/// The files of a log but those that are rebuilt.
fn checked(files: &Files) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    files.iter().filter(|(path, _)| !path.starts_with("cache/"))
}

pub(crate) fn check(files: &Files) -> Report {
    check_with(files, Some(&kek()))
}

/// What whoever has only the public log and the files can tell.
fn check_public(files: &Files) -> Report {
    check_with(files, None)
}

fn is_public(path: &str) -> bool {
    !path.starts_with("journal/") && path != "keyring" && path != "log.json"
}

/// Tampering was found, and a finding names the file.
#[track_caller]
fn assert_file_named(report: &Report, path: &str, what: &str) {
    let names = |it: &Finding| it.kind.is_failure() && it.file == path;
    let is_named = report.findings().iter().any(names);
    let is_found = report.verdict() == Verdict::Tampered;
    assert!(is_found && is_named, "{what} of {path}: {}", report.to_json());
}

/// Tampering was found, and a finding names the file, or a record.
#[track_caller]
fn assert_named(report: &Report, path: &str, what: &str) {
    let names = |it: &Finding| it.kind.is_failure() && (it.file == path || it.index.is_some());
    let is_named = report.findings().iter().any(names);
    let is_found = report.verdict() == Verdict::Tampered;
    assert!(is_found && is_named, "{what} of {path}: {}", report.to_json());
}

fn altered(files: &Files, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Files {
    let mut files = files.clone();
    change(files.get_mut(path).unwrap());
    files
}

fn without(files: &Files, path: &str) -> Files {
    let mut files = files.clone();
    files.remove(path).unwrap();
    files
}

fn named<'f>(files: &'f Files, part: &str) -> Vec<&'f String> {
    files.keys().filter(|path| path.contains(part)).collect()
}

/// Runs on every core.
fn each<T: Sync>(work: &[T], run: impl Fn(&T) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in work.chunks(work.len().div_ceil(threads).max(1)) {
            let run = &run;
            scope.spawn(move || part.iter().for_each(run));
        }
    });
}

#[test]
fn an_untouched_log_is_ok() {
    let files = files();
    assert_eq!(named(&files, "segments/").len(), 6);
    assert_eq!(named(&files, "ledger/").len(), 6);
    assert_eq!(named(&files, "journal/").len(), 1);
    let report = check(&files);
    assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
    assert_eq!((report.counts.present, report.size), (29, 29));
    let report = check_public(&files);
    assert_eq!(report.verdict(), Verdict::Incomplete, "{}", report.to_json());
    assert_eq!(report.findings().len(), 1, "only that there is no key: {}", report.to_json());
}

/// The ends of a segment, where lengths and magic are, and a sample of what is between. Every byte
/// of it is under its SHA-256.
fn places(bytes: &[u8], step: usize) -> impl Iterator<Item = usize> {
    let (length, ends) = (bytes.len(), 64);
    (0..length).filter(move |at| *at < ends || *at + ends >= length || at % step == 0)
}

#[test]
fn every_flipped_bit_of_a_public_file_is_found_without_a_key() {
    let files = files();
    let mut chosen = Vec::new();
    let whole = named(&files, "segments/")[0];
    for (path, bytes) in checked(&files).filter(|(path, _)| is_public(path)) {
        let step = if path.starts_with("segments/") && path != whole { 97 } else { 1 };
        chosen.extend(places(bytes, step).map(|at| (path, at)));
    }
    each(&chosen, |(path, at)| {
        let bit = at % 8;
        let report = check_public(&altered(&files, path, |bytes| bytes[*at] ^= 1 << bit));
        assert_file_named(&report, path, &format!("bit {bit} of byte {at}"));
    });
}

#[test]
fn flipped_bits_are_found_with_the_key_and_their_files_named() {
    let files = files();
    let mut places = Vec::new();
    for (path, bytes) in checked(&files) {
        let step = if path.starts_with("segments/") { 397 } else { 17 };
        places.extend((0..bytes.len()).step_by(step).map(|at| (path, at)));
    }
    each(&places, |(path, at)| {
        let bit = (at * 5 + 3) % 8;
        let report = check(&altered(&files, path, |bytes| bytes[*at] ^= 1 << bit));
        assert_file_named(&report, path, &format!("bit {bit} of byte {at}"));
    });
}

#[test]
fn truncations_and_appended_bytes_are_found() {
    let files = files();
    let mut changes = Vec::new();
    for (path, bytes) in checked(&files) {
        let step = if path.starts_with("segments/") { 997 } else { 101 };
        changes.extend((0..bytes.len()).step_by(step).map(|length| (path, length, &b""[..])));
        changes.push((path, bytes.len() - 1, b""));
        for extra in [&b"\0"[..], b"\n", b"\xff", b"PARE", &[0; 600]] {
            changes.push((path, bytes.len(), extra));
        }
    }
    each(&changes, |(path, length, extra)| {
        let changed = altered(&files, path, |bytes| {
            bytes.truncate(*length);
            bytes.extend_from_slice(extra);
        });
        let what = format!("{length} bytes and {} more", extra.len());
        assert_named(&check(&changed), path, &what);
        if is_public(path) {
            assert_named(&check_public(&changed), path, &what);
        }
    });
}

#[test]
fn every_deleted_file_and_every_two_files_that_were_swapped_are_named() {
    let files = files();
    for (path, _) in checked(&files) {
        assert_named(&check(&without(&files, path)), path, "deletion");
        // Without a key nobody knows which announcements a ledger should show.
        if is_public(path) && !path.starts_with("ledger/") {
            assert_file_named(&check_public(&without(&files, path)), path, "deletion");
        }
    }
    let pairs: Vec<(&String, &String)> = checked(&files)
        .flat_map(|(a, _)| checked(&files).map(move |(b, _)| (a, b)))
        .filter(|(a, b)| a < b)
        .collect();
    each(&pairs, |(a, b)| {
        let mut swapped = files.clone();
        swapped.insert((*a).clone(), files[*b].clone());
        swapped.insert((*b).clone(), files[*a].clone());
        let report = check(&swapped);
        assert_named(&report, a, &format!("swapping with {b}"));
        assert_named(&report, b, &format!("swapping with {a}"));
    });
}

#[test]
fn files_that_do_not_belong_are_named() {
    let files = files();
    let announced = named(&files, "segments/")[0];
    let other_key = announced.replace(&announced[announced.len() - 16..], "00000000.parquet");
    for path in [
        "segments/x.parquet",
        "segments/tier=info/date=2024-10-04/readme",
        &other_key,
        "ledger/readme",
        "ledger/22.json",
        "ledger/00000000000000000022.json.bak",
        "journal/00000000000000000008.journal.bak",
    ] {
        let mut more = files.clone();
        assert_eq!(more.insert(path.to_owned(), files[announced].clone()), None);
        for report in [check(&more), check_public(&more)] {
            assert_file_named(&report, path, "adding");
        }
    }
}

#[test]
fn the_records_of_a_segment_that_is_gone_are_counted_and_named() {
    let files = files();
    for path in named(&files, "segments/") {
        let rows = match () {
            // `log.created`, `log.started`; `log.keys`, the announcements of the first day's.
            () if path.contains("critical/date=2024-10-04") => 2,
            () if path.contains("critical/") => 4,
            () => 3,
        };
        let report = check(&without(&files, path));
        assert_eq!(report.counts.missing, rows, "{path}: {}", report.to_json());
        assert_eq!(report.counts.present, 29 - rows);
        let of_records = || report.findings().iter().filter(|it| it.index.is_some());
        assert_eq!(of_records().map(|it| it.count).sum::<u64>(), rows, "{}", report.to_json());
        assert!(of_records().all(|it| it.file == *path && it.kind == FindingKind::Missing));
        let report = check_public(&without(&files, path));
        let records = report.findings().iter().find(|it| it.index.is_some()).unwrap();
        assert_eq!((records.count, &records.file), (rows, path), "{}", report.to_json());
    }
}

#[test]
fn a_segment_that_was_altered_keeps_the_records_that_can_still_be_read() {
    let files = files();
    let path = named(&files, "tier=info/date=2024-10-05")[0];
    for at in (4..files[path].len()).step_by(701) {
        let report = check(&altered(&files, path, |bytes| bytes[at] ^= 4));
        assert_file_named(&report, path, "flip");
        assert!(report.counts.corrupt == 3 || report.counts.present == 29, "{}", report.to_json());
        assert_eq!(report.counts.corrupt + report.counts.present, 29, "{}", report.to_json());
        let foreign = |it: &&Finding| it.file != *path;
        assert_eq!(report.findings().iter().find(foreign), None, "{at}");
    }
}

#[test]
fn a_ledger_that_lacks_a_document_is_found_and_costs_no_record() {
    let files = files();
    for path in named(&files, "ledger/") {
        let report = check(&without(&files, path));
        assert_file_named(&report, path, "deletion");
        assert_eq!(report.counts.present, 29, "{}", report.to_json());
        // Whoever has no key sees records that nobody announced a segment for.
        let report = check_public(&without(&files, path));
        let is_missing = |it: &Finding| it.kind == FindingKind::Missing && it.index.is_some();
        assert!(report.findings().iter().any(is_missing), "{}", report.to_json());
        assert_eq!(report.verdict(), Verdict::Tampered);
    }
}

#[test]
fn an_altered_entry_accuses_no_segment() {
    let files = files();
    let path = named(&files, "tile/entries/")[0];
    // Of the entry 3, in a segment: kind, tier, time, previous leaf, commitment; stream; version.
    for (at, costs) in [(1, 0), (2, 0), (9, 0), (41, 0), (73, 0), (17, 1), (0, 1)] {
        let report = check(&altered(&files, path, |bytes| bytes[3 * 106 + 2 + at] ^= 1));
        assert_file_named(&report, path, "flip");
        assert_eq!(report.counts.corrupt, costs, "{at}: {}", report.to_json());
        assert_eq!(report.counts.present, 29 - costs, "{at}: {}", report.to_json());
        assert!(report.findings().iter().all(|it| it.file == *path), "{}", report.to_json());
    }
}

#[test]
fn an_older_checkpoint_alone_is_found() {
    let memory = MemoryFolder::default();
    let (mut writer, clock) = fresh(&memory);
    append(&mut writer, 0..6);
    writer.publish().unwrap();
    let before = memory.snapshot();
    clock.0.fetch_add(DAY_MS, Ordering::Relaxed);
    append(&mut writer, 6..12);
    writer.roll().unwrap();
    writer.close().unwrap();
    let mut files = memory.snapshot();
    assert_eq!(check(&files).verdict(), Verdict::Ok);
    for (path, bytes) in before {
        if path == "checkpoint" || path.starts_with("tile/") {
            files.insert(path, bytes);
        }
    }
    for report in [check(&files), check_public(&files)] {
        assert_eq!(report.verdict(), Verdict::Tampered, "{}", report.to_json());
        assert!(report.findings().iter().any(|it| it.file.starts_with("ledger/")));
    }
}

fn memory_of(files: &Files) -> MemoryFolder {
    MemoryFolder::from_files(files.clone())
}

/// A keyring with the keys of the journal that an earlier one had.
fn with_key(keyring: &[u8], earlier: &[u8]) -> Vec<u8> {
    let mut ring = keys::Keyring::open(keyring, &kek()).unwrap();
    let earlier = keys::Keyring::open(earlier, &kek()).unwrap();
    for (info, key) in earlier.by_purpose(keys::Purpose::Journal) {
        if ring.get(info.id).is_none() {
            ring.insert(info.id, info.purpose, key.duplicate(), info.created_ms).unwrap();
        }
    }
    ring.to_bytes(&kek(), &keys::SystemEntropy::new()).unwrap()
}

/// What a crash may leave of a roll: after each change that it makes to the folder.
#[test]
fn a_roll_that_is_not_finished_is_no_tampering() {
    let memory = MemoryFolder::default();
    let (mut writer, clock) = fresh(&memory);
    append(&mut writer, 0..6);
    clock.0.fetch_add(DAY_MS, Ordering::Relaxed);
    append(&mut writer, 6..12);
    writer.publish().unwrap();
    let before = memory.snapshot();
    writer.roll().unwrap();
    let after = memory.snapshot();
    let ok = |files: &Files, what: &str| {
        let report = check(files);
        assert_eq!(report.verdict(), Verdict::Ok, "{what}: {}", report.to_json());
        assert_eq!(report.counts.present, report.size, "{what}");
        let report = check_public(files);
        assert_eq!(report.verdict(), Verdict::Incomplete, "{what}: {}", report.to_json());
    };
    let with = |base: &Files, from: &Files, part: &str| {
        let mut files = base.clone();
        let more = from.iter().filter(|(path, _)| path.starts_with(part));
        files.extend(more.map(|(path, bytes)| (path.clone(), bytes.clone())));
        files
    };
    ok(&before, "nothing yet");
    ok(&with(&before, &after, "segments/"), "segments that were not announced");
    let mut shown = with(&after, &before, "journal/00000000000000000000");
    ok(&shown, "a file that came back without its key");
    for path in named(&after, "ledger/") {
        let report = check(&without(&shown, path));
        assert_eq!(report.counts.present, report.size, "{}", report.to_json());
    }
    // Announced, and the documents that say so lost or torn; the file and its key are there.
    let mut undisclosed = with(&after, &before, "journal/00000000000000000000");
    let keyring = memory_of(&after).read("keyring").unwrap().unwrap();
    undisclosed.insert("keyring".to_owned(), with_key(&keyring, &before["keyring"]));
    ok(&undisclosed, "shown, and the file is not removed yet");
    for path in named(&after, "ledger/") {
        ok(&without(&undisclosed, path), "a document that was not written");
        for length in [0, 1, 300] {
            ok(&altered(&undisclosed, path, |bytes| bytes.truncate(length)), "a torn document");
            let torn = altered(&after, path, |bytes| bytes.truncate(length));
            assert_file_named(&check(&torn), path, "a document torn when the file is gone");
            assert_file_named(&check_public(&torn), path, "a document torn when the file is gone");
        }
        ok(&altered(&undisclosed, path, |bytes| bytes.fill(0)), "a document of zeros");
    }
    shown.retain(|path, _| !path.starts_with("segments/tier=info"));
    let report = check(&shown);
    assert_eq!(report.verdict(), Verdict::Tampered, "{}", report.to_json());
    drop(writer);
}

/// Eight files of one day in segments, which then become one for each tier.
#[test]
fn small_segments_that_become_one_are_no_tampering() {
    let memory = MemoryFolder::default();
    let (mut writer, _) = fresh(&memory);
    for round in 0..9 {
        append(&mut writer, round * 4..round * 4 + 4);
        writer.end_journal_file();
    }
    writer.roll().unwrap();
    let before = memory.snapshot();
    let report = check(&before);
    assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
    assert!(writer.compact().unwrap() > 0);
    let after = memory.snapshot();
    let is_new = |path: &&String| path.starts_with("segments/") && !before.contains_key(*path);
    let made: Vec<&String> = after.keys().filter(is_new).collect();
    assert!(
        !made.is_empty() && named(&after, "segments/").len() < named(&before, "segments/").len()
    );
    let report = check(&after);
    assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
    assert_eq!(report.counts.present, report.size);
    let report = check_public(&after);
    assert_eq!(report.findings().len(), 1, "{}", report.to_json());
    // Made and not announced; announced, and those that it took the place of still there.
    let mut begun = before.clone();
    begun.insert(made[0].clone(), after[made[0]].clone());
    let mut both = after.clone();
    both.extend(
        before
            .iter()
            .filter(|(path, _)| path.starts_with("segments/"))
            .map(|(path, bytes)| (path.clone(), bytes.clone())),
    );
    for files in [&begun, &both] {
        let report = check(files);
        assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
        assert_eq!(check_public(files).findings().len(), 1);
    }
    let old = named(&before, "segments/").into_iter().find(|path| !after.contains_key(*path));
    let old = old.unwrap();
    assert_file_named(&check(&altered(&both, old, |bytes| bytes[99] ^= 1)), old, "flip");
    let gone = check(&without(&after, made[0]));
    assert_file_named(&gone, made[0], "deletion");
    drop(writer);
}

#[test]
fn a_log_that_is_being_rolled_meanwhile_is_no_tampering() {
    let memory = MemoryFolder::default();
    let (mut writer, _) = fresh(&memory);
    let rolling = std::thread::spawn(move || {
        for round in 0..12 {
            append(&mut writer, round * 40..round * 40 + 40);
            writer.end_journal_file();
            append(&mut writer, round * 40 + 2000..round * 40 + 2010);
            writer.roll().unwrap();
            writer.compact().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(150));
        }
    });
    let folder: Arc<dyn Folder> = Arc::new(memory);
    while !rolling.is_finished() {
        let report = verify(&folder, Some(&kek()), &Options::default(), &mut |_| {});
        assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
    }
    rolling.join().unwrap();
}
