//! Logs of every awkward size that are in order, and what a report says about them.

use crate::sample::{ORIGIN, Sample, key, signing_key, trust};
use checkpoint::{Algorithm, Policy, SigningKey};
use merkle::{Frontier, leaf_hash};
use prove::{FindingKind, Level, NOT_PINNED, PublicLog, ReadError, Trust, Verdict, verify_log};
use std::collections::BTreeMap;

const SIZES: [usize; 12] = [0, 1, 2, 20, 255, 256, 257, 511, 512, 700, 65_536, 65_836];

#[test]
fn a_log_in_order_is_ok_at_every_size() {
    for size in SIZES {
        let sample = Sample::new(size);
        let report = sample.verify();
        assert_eq!(report.findings(), [], "{size}");
        assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Signed));
        assert_eq!((report.size, report.counts.present), (size as u64, size as u64));
        assert_eq!(report.root, sample.tree().root().to_string());
        assert_eq!((report.unpublished, report.exit_code()), (0, 0));
        assert!(report.notes.is_empty(), "{:?}", report.notes);
        let public = sample.verify_public();
        assert_eq!((public.findings(), public.verdict()), (&[][..], Verdict::Ok));
    }
}

#[test]
fn the_chain_state_is_what_the_writer_goes_on_from() {
    for (published, more) in [(0, 0), (5, 0), (256, 0), (250, 10), (700, 300)] {
        let sample = Sample::with_unpublished(published, more);
        let state = sample.verify().chain.unwrap();
        let mut frontier = Frontier::new();
        sample.entries.iter().for_each(|entry| frontier.push(leaf_hash(&entry.encode())));
        assert_eq!(state.frontier, frontier);
        let last = sample.entries.last();
        assert_eq!(state.time_ms, last.map_or(0, |entry| entry.time_ms));
        assert_eq!(state.last_leaf, last.map_or([0; 32], |entry| leaf_hash(&entry.encode()).0));
    }
}

#[test]
fn records_beyond_the_checkpoint_are_counted_and_are_no_fault() {
    for (published, more) in [(0, 3), (20, 1), (250, 5), (250, 6), (250, 7), (256, 600)] {
        let report = Sample::with_unpublished(published, more).verify();
        assert_eq!(report.findings(), []);
        assert_eq!((report.size, report.unpublished), (published as u64, more as u64));
        assert_eq!(report.counts.present, published as u64);
    }
}

#[test]
fn tiles_of_earlier_and_of_unpublished_checkpoints_are_no_fault() {
    for (published, more) in [(20, 5), (250, 6), (250, 20), (256, 3), (300, 300)] {
        let mut sample = Sample::with_unpublished(published, more);
        for size in [1, 7, published / 2, published - 1, published + more - 1, published + more] {
            sample.write_tiles(size);
        }
        let report = sample.verify();
        assert_eq!(report.findings(), []);
        assert!(report.notes.is_empty(), "{:?}", report.notes);
        let report = sample.verify_public();
        assert_eq!(report.findings(), []);
        assert_eq!(report.unpublished, more as u64);
    }
}

#[test]
fn a_partial_tile_may_be_tidied_away_once_the_full_one_exists() {
    let mut sample = Sample::with_unpublished(250, 10);
    sample.write_tiles(260);
    sample.files.remove("tile/0/000.p/250").unwrap();
    sample.files.remove("tile/entries/000.p/250").unwrap();
    assert_eq!(sample.verify().findings(), []);
    assert_eq!(sample.verify_public().findings(), []);
}

/// Files of which some that nothing needs go between being listed and being read.
struct Tidied(BTreeMap<String, Vec<u8>>);

impl PublicLog for Tidied {
    fn read(&mut self, path: &str, limit: usize, out: &mut Vec<u8>) -> Result<bool, ReadError> {
        self.0.read(path, limit, out)
    }

    fn list(&mut self, each: &mut dyn FnMut(&str)) -> Result<(), ReadError> {
        ["tile/0/000.p/7", "tile/entries/000.p/47", "tile/entries/001.p/200"]
            .into_iter()
            .for_each(&mut *each);
        self.0.list(each)
    }
}

#[test]
fn what_nothing_needs_may_go_after_it_was_listed() {
    let sample = Sample::with_unpublished(300, 10);
    let mut files = Tidied(sample.files.clone());
    let report = verify_log(&mut files, None, ORIGIN, &trust(), None, &mut |_| {});
    assert_eq!(report.findings(), []);
}

#[test]
fn without_a_pinned_key_the_report_says_so() {
    let sample = Sample::new(20);
    let trust = Trust { embedded: vec![key()], ..Trust::default() };
    let report = sample.verify_with(true, &trust, None);
    assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Local));
    assert_eq!(report.notes, [NOT_PINNED]);
}

#[test]
fn another_pinned_key_is_a_failure_even_though_the_log_is_consistent() {
    let sample = Sample::new(20);
    let pinned = vec![signing_key(2).verifier_key().clone()];
    for embedded in [vec![key()], vec![]] {
        let trust = Trust { pinned: pinned.clone(), embedded, ..Trust::default() };
        let report = sample.verify_with(true, &trust, None);
        assert_eq!((report.verdict(), report.level), (Verdict::Tampered, Level::Local));
        assert!(report.findings().iter().all(|finding| finding.file == "checkpoint"));
    }
}

#[test]
fn without_any_key_the_answer_is_incomplete() {
    let report = Sample::new(20).verify_with(true, &Trust::default(), None);
    assert_eq!((report.verdict(), report.exit_code()), (Verdict::Incomplete, 11));
    assert_eq!(report.findings()[0].kind, FindingKind::Unassessed);
    assert_eq!(report.counts.present, 20);
}

#[test]
fn a_policy_that_asks_for_a_witness_is_not_met_without_one() {
    let sample = Sample::new(20);
    let algorithm = Algorithm::Ed25519Cosignature;
    let witness = SigningKey::from_seed("witness.example", algorithm, &[3; 32]).unwrap();
    let witness = witness.verifier_key();
    let text = |quorum: &str| format!("log {}\nwitness w {witness}\nquorum {quorum}\n", key());
    for (quorum, verdict, level) in
        [("none", Verdict::Ok, Level::Signed), ("w", Verdict::Tampered, Level::Local)]
    {
        let policy = Some(Policy::parse(&text(quorum)).unwrap());
        let trust = Trust { policy, ..trust() };
        let report = sample.verify_with(true, &trust, None);
        assert_eq!((report.verdict(), report.level), (verdict, level), "{:?}", report.findings());
        // A receipt is never witnessed, and is none the worse for it.
        let since = sample.verify_with(true, &trust, Some(&sample.checkpoint(9)));
        assert_eq!(since.findings(), report.findings());
    }
}

#[test]
fn a_checkpoint_that_the_policy_is_met_by_is_witnessed() {
    let mut sample = Sample::new(20);
    let algorithm = Algorithm::Ed25519Cosignature;
    let witness = SigningKey::from_seed("witness.example", algorithm, &[3; 32]).unwrap();
    let policy = format!("log {}\nwitness w {}\nquorum w\n", key(), witness.verifier_key());
    let trust = Trust { policy: Some(Policy::parse(&policy).unwrap()), ..trust() };
    let opened =
        checkpoint::open_checkpoint(&sample.files["checkpoint"], ORIGIN, &[key()]).unwrap();
    let mut note = opened.note().clone();
    note.add(checkpoint::cosign(&opened, &witness, 1_767_225_600).unwrap()).unwrap();
    let bytes = note.to_string().into_bytes();
    sample.files.insert("checkpoint".into(), bytes.clone());
    let report = sample.verify_with(true, &trust, None);
    assert_eq!(report.findings(), []);
    assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Witnessed));
    for position in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[position] ^= 1;
        sample.files.insert("checkpoint".into(), bad);
        let report = sample.verify_with(false, &trust, None);
        assert_eq!(report.verdict(), Verdict::Tampered, "{position}");
    }
}

#[test]
fn every_key_of_the_log_must_sign_and_nobody_else() {
    let sample = Sample::new(5);
    let second = SigningKey::from_seed(ORIGIN, Algorithm::MlDsa44Cosignature, &[9; 32]).unwrap();
    let second = second.verifier_key().clone();
    let embedded = vec![key(), second];
    let trust = Trust { pinned: vec![key()], embedded, ..Trust::default() };
    let report = sample.verify_with(true, &trust, None);
    assert_eq!(report.findings()[0].kind, FindingKind::Corrupt);
    // A second line by a stranger: noted without the log's list of keys, refused with it.
    let mut sample = sample;
    let text = String::from_utf8(sample.files["checkpoint"].clone()).unwrap();
    let (text, _) = text.split_once("\n\n").unwrap();
    let stranger = SigningKey::from_seed("stranger.example", Algorithm::Ed25519, &[4; 32]).unwrap();
    let keys = [&crate::sample::signing_key(1), &stranger];
    let note = checkpoint::sign_note(&format!("{text}\n"), &keys, 0).unwrap();
    sample.files.insert("checkpoint".into(), note.to_string().into_bytes());
    let report = sample.verify_with(true, &Trust::pin(key()), None);
    assert_eq!((report.verdict(), report.notes.len()), (Verdict::Ok, 1));
    assert_eq!(sample.verify().verdict(), Verdict::Tampered);
}
