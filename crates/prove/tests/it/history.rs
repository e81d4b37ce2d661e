//! A log against a checkpoint that somebody kept: continued, rolled back, or rewritten.

use crate::sample::{Sample, checkpoint_of, rechain, trust};
use merkle::{Hash, consistency_proof};
use prove::{FindingKind, GrowthError, Level, Trust, Verdict, check_growth};

fn kinds(report: &prove::Report) -> Vec<FindingKind> {
    report.findings().iter().map(|finding| finding.kind).collect()
}

#[test]
fn every_earlier_checkpoint_is_continued() {
    for size in [0, 1, 20, 256, 300, 513] {
        let sample = Sample::new(size);
        for earlier in (0..=size).step_by(size.div_ceil(40).max(1)).chain([size]) {
            let note = sample.checkpoint(earlier);
            for report in
                [sample.verify_since(&note), sample.verify_with(false, &trust(), Some(&note))]
            {
                assert_eq!(report.findings(), [], "{earlier} of {size}");
            }
        }
    }
    let sample = Sample::new(65_836);
    for earlier in [255, 256, 257, 65_535, 65_536, 65_537, 65_835] {
        let note = sample.checkpoint(earlier);
        assert_eq!(sample.verify_since(&note).findings(), [], "{earlier}");
    }
}

#[test]
fn a_receipt_newer_than_the_published_checkpoint_is_compared_with_the_records() {
    let sample = Sample::with_unpublished(250, 30);
    for kept in 250..=280 {
        assert_eq!(sample.verify_since(&sample.checkpoint(kept)).findings(), [], "{kept}");
        let note = checkpoint_of(kept as u64, Hash([3; 32]), 1);
        assert_eq!(kinds(&sample.verify_since(&note)), [FindingKind::Forked]);
    }
    let mut more = Sample::with_unpublished(250, 31);
    more.write_tiles(281);
    let note = more.checkpoint(281);
    assert_eq!(kinds(&sample.verify_since(&note)), [FindingKind::Truncated]);
    // Without records the tiles that were written ahead are all there is.
    assert_eq!(more.verify_with(false, &trust(), Some(&note)).findings(), []);
}

#[test]
fn a_log_rolled_back_is_truncated_and_the_first_lost_record_is_named() {
    for (size, kept) in [(0, 1), (20, 21), (20, 300), (256, 257), (300, 700)] {
        let note = Sample::new(kept).checkpoint(kept);
        let sample = Sample::new(size);
        assert_eq!(sample.verify().verdict(), Verdict::Ok);
        let report = sample.verify_since(&note);
        assert_eq!(kinds(&report), [FindingKind::Truncated]);
        let finding = &report.findings()[0];
        assert_eq!((finding.index, finding.count), (Some(size as u64), (kept - size) as u64));
        assert_eq!(report.exit_code(), 10);
    }
}

#[test]
fn a_log_rewritten_and_signed_with_its_own_key_is_a_fork() {
    for (size, at, kept) in [(20, 5, 6), (20, 5, 20), (300, 256, 257), (300, 3, 256), (700, 0, 512)]
    {
        let honest = Sample::new(size);
        let mut forged = honest.clone();
        forged.entries[at].commitment[9] ^= 1;
        rechain(&mut forged.entries);
        forged.publish(size);
        assert_eq!(forged.verify_public().verdict(), Verdict::Ok);
        let report = forged.verify_with(false, &trust(), Some(&honest.checkpoint(kept)));
        assert_eq!(kinds(&report), [FindingKind::Forked]);
        // What was signed before the rewritten entry is the same history.
        let report = forged.verify_with(false, &trust(), Some(&honest.checkpoint(at)));
        assert_eq!(report.findings(), []);
    }
}

#[test]
fn a_kept_checkpoint_that_nobody_vouches_for_leaves_the_answer_incomplete_at_best() {
    let sample = Sample::new(20);
    let root = merkle::tree_root(&sample.tree(), 9).unwrap();
    let report = sample.verify_since(&checkpoint_of(9, root, 2));
    assert_eq!(
        (report.verdict(), kinds(&report)),
        (Verdict::Incomplete, vec![FindingKind::Unassessed])
    );
    let report = sample.verify_since(&checkpoint_of(9, Hash([1; 32]), 2));
    assert_eq!(report.verdict(), Verdict::Tampered);
    for bytes in [&b""[..], b"nothing", b"\xff\n\n"] {
        assert_eq!(sample.verify_since(bytes).verdict(), Verdict::Incomplete);
    }
}

#[test]
fn growth_is_proved_between_signed_checkpoints_and_every_flip_is_refused() {
    let sample = Sample::new(300);
    let origin = crate::sample::ORIGIN;
    let (old, new) = (sample.checkpoint(77), sample.checkpoint(300));
    let proof = consistency_proof(&sample.tree(), 77, 300).unwrap();
    let grown = check_growth(&old, &new, &proof, origin, &trust()).unwrap();
    assert_eq!((grown.old.size, grown.new.size, grown.level), (77, 300, Level::Signed));
    let check =
        |old: &[u8], new: &[u8], proof: &[Hash]| check_growth(old, new, proof, origin, &trust());
    for position in 0..old.len() {
        let mut bad = old.clone();
        bad[position] ^= 1;
        assert!(matches!(check(&bad, &new, &proof), Err(GrowthError::Old(_))), "{position}");
    }
    for position in 0..new.len() {
        let mut bad = new.clone();
        bad[position] ^= 1;
        assert!(matches!(check(&old, &bad, &proof), Err(GrowthError::New(_))), "{position}");
    }
    for position in 0..proof.len() * 32 {
        let mut bad = proof.clone();
        bad[position / 32].0[position % 32] ^= 1;
        assert!(matches!(check(&old, &new, &bad), Err(GrowthError::Consistency(_))), "{position}");
    }
    assert!(check(&new, &old, &proof).is_err());
    assert!(check(&old, &new, &proof[1..]).is_err());
    assert!(check_growth(&old, &new, &proof, origin, &Trust::default()).is_err());
}
