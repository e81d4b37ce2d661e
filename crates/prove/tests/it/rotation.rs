//! Keys that took over from each other: what a verifier accepts who knows one of them, and every
//! way to lead it astray.

use crate::sample::{ORIGIN, Sample, disclosed, key, signing_key, trust};
use checkpoint::{Epochs, Policy, Succession, VerifierKey};
use merkle::TileReader;
use prove::{Evidence, FindingKind, Kept, Level, Report, Trust, Verdict, prove_entry};
use std::collections::BTreeMap;

const TOTAL: usize = 40;
const META: &str = r#"{"schema":"tachograph.event/1","event_type":"log.key_rotated"}"#;

fn public(seed: u8) -> VerifierKey {
    signing_key(seed).verifier_key().clone()
}

/// The key of seed `old` hands over to that of seed `new`, in this record.
fn succession(epoch: u64, at: u64, old: u8, new: u8) -> String {
    let keys = (signing_key(old), signing_key(new));
    Succession::sign(ORIGIN, epoch, at, &[&keys.0], &[&keys.1]).unwrap().to_string()
}

fn content(note: &str) -> String {
    let params = serde_json::json!({ "succession": note, "authority": 0 });
    format!("{{\"params\":{params}}}")
}

/// Successions with the indexes of the records that announce them.
type Chain = Vec<(usize, String)>;

/// A log whose records at these indexes announce these successions.
fn log_with(successions: &[(usize, String)]) -> Sample {
    let own: BTreeMap<usize, (String, String)> =
        successions.iter().map(|(at, note)| (*at, (META.to_owned(), content(note)))).collect();
    Sample::with_own(TOTAL, 0, &own)
}

/// Key 1 hands over to key 2 in record 10, and that to key 3 in record 20.
fn rotated() -> Sample {
    let mut sample = log_with(&[(10, succession(1, 10, 1, 2)), (20, succession(2, 20, 2, 3))]);
    sample.sign(TOTAL, &[3]);
    sample
}

fn check(sample: &Sample, trust: &Trust) -> Report {
    let report = sample.verify_with(false, trust, None);
    let with_records = sample.verify_with(true, trust, None);
    assert_eq!(report.verdict(), with_records.verdict());
    report
}

#[track_caller]
fn assert_found(report: &Report, kind: FindingKind, words: &str) {
    let found = |finding: &prove::Finding| finding.kind == kind && finding.detail.contains(words);
    assert!(
        report.verdict() == Verdict::Tampered && report.findings().iter().any(found),
        "{words}: {}",
        report.to_json()
    );
}

#[test]
fn whoever_knows_any_key_is_led_to_the_one_that_signed() {
    let sample = rotated();
    for known in [1, 2, 3] {
        let report = check(&sample, &Trust { pinned: vec![public(known)], ..trust() });
        assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
        assert_eq!(report.level, Level::Signed);
        let records: Vec<Option<u64>> = report.epochs.iter().map(|it| it.record).collect();
        assert_eq!(records, [None, Some(10), Some(20)]);
        assert!(report.epochs[2].since.as_ref().unwrap().starts_with("2026-01-01T23:59:"));
        assert_eq!(report.epochs[1].vkeys, [public(2).to_string()]);
    }
    let nobody = Trust { pinned: Vec::new(), ..trust() };
    assert_eq!(check(&sample, &nobody).level, Level::Local);
    // Without the log's description the chain says itself where it begins.
    let report = check(&sample, &Trust::pin(key()));
    assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Signed));
    let stranger = check(&sample, &Trust { pinned: vec![public(9)], ..trust() });
    assert_found(&stranger, FindingKind::Signature, "no pinned key signed");
}

#[test]
fn a_policy_that_names_the_first_key_is_met() {
    let policy = format!("log {}\nquorum none\n", key());
    let policy = Some(Policy::parse(&policy).unwrap());
    let report = check(&rotated(), &Trust { pinned: Vec::new(), policy, ..trust() });
    assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Signed));
    let policy = format!("log {}\nquorum none\n", public(9));
    let policy = Some(Policy::parse(&policy).unwrap());
    let report = check(&rotated(), &Trust { pinned: Vec::new(), policy, ..trust() });
    assert_found(&report, FindingKind::Signature, "the policy is not met");
}

#[test]
fn each_size_must_be_signed_by_the_keys_that_are_due_and_by_nobody_else() {
    let all: [&[u8]; 8] = [&[1], &[2], &[3], &[1, 2], &[2, 1], &[1, 3], &[2, 3], &[1, 2, 3]];
    for size in 1..=TOTAL {
        let due: &[u8] = match size {
            ..=10 => &[1],
            11 => &[1, 2],
            12..=20 => &[2],
            21 => &[2, 3],
            _ => &[3],
        };
        for signers in all {
            let mut sample = rotated();
            sample.files.retain(|path, _| !path.starts_with("tile/"));
            // What the checkpoint does not cover is not there yet.
            for at in [10, 20].into_iter().filter(|at| *at >= size) {
                sample.files.remove(&format!("ledger/{at:020}.json"));
            }
            sample.sign(size, signers);
            let is_right = signers.iter().all(|it| due.contains(it)) && signers.len() == due.len();
            let report = sample.verify_with(false, &trust(), None);
            let ok = report.verdict() == Verdict::Ok;
            assert_eq!(ok, is_right, "{size} by {signers:?}: {}", report.to_json());
        }
    }
}

#[test]
fn a_stolen_old_key_is_worthless_for_new_history() {
    let mut sample = rotated();
    sample.sign(TOTAL, &[1]);
    let words = "whose time ended with record 20";
    assert_found(&check(&sample, &trust()), FindingKind::Signature, words);
    assert_found(&check(&sample, &Trust::pin(key())), FindingKind::Signature, words);
    sample.files.remove(&format!("ledger/{:020}.json", 20));
    sample.files.retain(|path, _| !path.starts_with("tile/"));
    sample.sign(11, &[1]);
    assert_found(&check(&sample, &trust()), FindingKind::Signature, "ended with record 10");
}

#[test]
fn a_new_key_counts_for_nothing_before_its_time() {
    let mut sample = log_with(&[(30, succession(1, 30, 1, 2))]);
    // A checkpoint from before, as somebody signs it who has the new key alone.
    sample.sign(20, &[2]);
    let words = "takes over only with record 30";
    let report = sample.verify_with(false, &trust(), None);
    assert_found(&report, FindingKind::Signature, words);
}

#[test]
fn a_chain_that_does_not_hold_is_told_apart() {
    let first = || (10, succession(1, 10, 1, 2));
    let by_hand = |note: String, from: &str, to: &str| note.replace(from, to);
    let cases: Vec<(Chain, &[u8], &str)> = vec![
        (vec![(20, succession(2, 20, 2, 3))], &[3], "has a gap"),
        (vec![first(), (20, succession(1, 20, 1, 3))], &[3], "two successors"),
        (vec![(20, succession(1, 20, 1, 2)), (10, succession(2, 10, 2, 3))], &[3], "swapped"),
        (vec![(10, succession(1, 10, 8, 9))], &[9], "not entitled"),
        (vec![first(), (20, succession(2, 20, 2, 1))], &[1], "brings back"),
        (vec![(12, succession(1, 10, 1, 2))], &[2], "moved or copied"),
        (vec![(10, by_hand(first().1, "record 10", "record 11"))], &[2], "did not sign"),
        (vec![(10, "nothing".to_owned())], &[2], "not a signed note"),
    ];
    for (successions, signers, words) in cases {
        let mut sample = log_with(&successions);
        sample.sign(TOTAL, signers);
        let report = check(&sample, &trust());
        assert_found(&report, FindingKind::Signature, words);
        assert_ne!(report.level, Level::Signed, "{words}");
    }
}

#[test]
fn a_succession_that_the_log_did_not_announce_is_found() {
    // The old key's thief makes one in private, and puts it beside a log that he signs on.
    let mut sample = Sample::new(TOTAL);
    let note = content(&succession(1, 10, 1, 9));
    let document = disclosed(10, META, &note).to_bytes();
    sample.files.insert(format!("ledger/{:020}.json", 10), document);
    sample.sign(TOTAL, &[9]);
    let report = check(&sample, &trust());
    assert_found(&report, FindingKind::Corrupt, "it is not what the log committed to");
    // And a log whose ledger hides one.
    let mut sample = rotated();
    sample.files.remove(&format!("ledger/{:020}.json", 20));
    let report = check(&sample, &trust());
    assert_eq!(report.verdict(), Verdict::Tampered, "{}", report.to_json());
}

#[test]
fn a_rotation_that_was_interrupted_is_no_tampering() {
    let mut sample = log_with(&[(10, succession(1, 10, 1, 2))]);
    sample.files.retain(|path, _| !path.starts_with("tile/"));
    sample.sign(11, &[1, 2]);
    sample.files.remove(&format!("ledger/{:020}.json", 10));
    let report = sample.verify_with(false, &trust(), None);
    assert_eq!(report.verdict(), Verdict::Incomplete, "{}", report.to_json());
    let known = Trust { pending: vec![public(2)], ..trust() };
    let report = sample.verify_with(false, &known, None);
    assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
    assert!(report.notes.iter().any(|note| note.contains("about to take over")));
    let other = Trust { pending: vec![public(3)], ..trust() };
    assert_eq!(sample.verify_with(false, &other, None).verdict(), Verdict::Tampered);
}

#[test]
fn receipts_from_before_a_rotation_still_count() {
    let mut sample = rotated();
    let old = sample.sign(9, &[1]);
    sample.sign(TOTAL, &[3]);
    sample.files.retain(|path, _| !path.ends_with(".p/9"));
    for known in [1, 3] {
        let trust = Trust { pinned: vec![public(known)], ..trust() };
        let report = sample.verify_with(true, &trust, Some(&old));
        assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
    }
}

fn evidence(sample: &Sample, index: usize, shown: &[usize], signers: &[u8]) -> Evidence {
    let mut sample = sample.clone();
    let note = String::from_utf8(sample.sign(TOTAL, signers)).unwrap();
    let read = |tile: merkle::TileCoordinate| {
        Ok::<_, std::convert::Infallible>(sample.files.get(&tile.path()).cloned())
    };
    let prove = |index: usize| {
        prove_entry(&TileReader::new(read, TOTAL as u64), index as u64, &note).unwrap()
    };
    let mut frames = sample.frames.clone();
    let mut record = None;
    for at in 0..=index {
        if let prove::Found::Record { record: found, .. } =
            prove::Records::at(&mut frames, at as u64)
            && at == index
        {
            let entry = &sample.entries[index];
            let kept = Kept::from(&found);
            record = Some(Evidence::new(ORIGIN, entry, kept, &prove(index), &[key()]).unwrap());
        }
    }
    let mut evidence = record.unwrap();
    for at in shown {
        let path = format!("ledger/{at:020}.json");
        let document = event::Disclosed::parse(&sample.files[&path]).unwrap();
        evidence = evidence.with_succession(&sample.entries[*at], &document, &prove(*at));
    }
    evidence
}

#[test]
fn evidence_from_after_rotations_holds_for_whoever_knows_a_key_from_before() {
    let sample = rotated();
    let good = evidence(&sample, 30, &[10, 20], &[3]);
    let read = Evidence::from_json(good.to_json().as_bytes()).unwrap();
    assert_eq!(read, good);
    for known in [1, 2, 3] {
        let proven = good.check(&Trust::pin(public(known))).unwrap();
        assert_eq!((proven.level, proven.epochs.len()), (Level::Signed, 3));
    }
    assert_eq!(good.check(&Trust::default()).unwrap().level, Level::Local);
    good.check(&Trust::pin(public(9))).unwrap_err();
    // Whoever knows the newest key needs no chain; whoever knows the first does.
    let bare = evidence(&sample, 30, &[], &[3]);
    bare.check(&Trust::pin(public(3))).unwrap();
    bare.check(&Trust::pin(public(1))).unwrap_err();
    let error = evidence(&sample, 30, &[20], &[3]).check(&Trust::pin(public(2))).unwrap_err();
    assert!(error.to_string().contains("gap"), "{error}");
}

#[test]
fn evidence_that_an_old_key_signed_after_its_time_is_refused() {
    let sample = rotated();
    let forged = evidence(&sample, 30, &[10, 20], &[1]);
    let error = forged.check(&Trust::pin(public(1))).unwrap_err().to_string();
    assert!(error.contains("whose time ended with record 20"), "{error}");
}

#[test]
fn the_trust_in_a_key_is_never_handed_back_to_those_before_it() {
    let mut sample = rotated();
    let note = String::from_utf8(sample.sign(9, &[1])).unwrap();
    let read = |tile: merkle::TileCoordinate| {
        Ok::<_, std::convert::Infallible>(sample.files.get(&tile.path()).cloned())
    };
    let proof = prove_entry(&TileReader::new(read, 9), 5, &note).unwrap();
    let notes = [(10, succession(1, 10, 1, 2))];
    let notes = notes.iter().map(|(at, note)| (*at, note.as_str()));
    let epochs = Some(Epochs::read(ORIGIN, &[key().to_string()], notes).unwrap());
    let entry = sample.entries[5].encode();
    let check = |pinned: &[u8]| {
        let pinned = pinned.iter().map(|seed| public(*seed)).collect();
        let trust = Trust { pinned, epochs: epochs.clone(), ..Trust::default() };
        prove::check_entry(&entry, &proof, ORIGIN, &trust)
    };
    assert_eq!(check(&[1]).unwrap().level, Level::Signed);
    assert!(check(&[2]).unwrap_err().to_string().contains("older than the pinned key"));
    check(&[1, 2]).unwrap();
}

#[test]
fn every_flipped_bit_of_a_chain_in_evidence_is_refused() {
    let mut sample = log_with(&[(10, succession(1, 10, 1, 2))]);
    sample.sign(TOTAL, &[2]);
    let good = evidence(&sample, 30, &[10], &[2]);
    good.check(&Trust::pin(key())).unwrap();
    let text = good.to_json().into_bytes();
    for at in 0..text.len() {
        let mut bytes = text.clone();
        bytes[at] ^= 1 << (at % 7);
        let report = prove::verify_evidence(&bytes, &Trust::pin(key()));
        // A flip inside the white space between members changes nothing that is read.
        if report.verdict() == Verdict::Ok {
            assert_eq!(Evidence::from_json(&bytes).unwrap(), good, "byte {at}");
        }
    }
    let moved = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = good.clone();
        change(&mut evidence);
        evidence.check(&Trust::pin(key())).unwrap_err().to_string()
    };
    let own = hex::encode(sample.entries[11].encode());
    assert!(moved(&|it| it.successions[0].entry = own.clone()).contains("not the log's own"));
    assert!(moved(&|it| it.successions[0].proof.clear()).contains("is not in the log"));
    assert!(moved(&|it| it.successions[0].record.content = None).contains("content"));
    assert!(moved(&|it| it.vkeys = vec![public(7).to_string()]).contains("not entitled"));
}
