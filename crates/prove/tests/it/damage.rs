//! Every way to damage a log is found, and the finding names the record and the file.

use crate::sample::{FRAME_RECORDS, Frame, JOURNAL, Sample, bundle_bytes, rechain, trust};
use event::{ENTRY_BYTES, Record};
use merkle::leaf_hash;
use proptest::prelude::*;
use prove::{Finding, FindingKind, Report, Trust, Verdict, verify_evidence};

const FRAMED: usize = 2 + ENTRY_BYTES;

/// The first index under the byte at `position` of a public file.
fn index_under(path: &str, position: usize) -> Option<u64> {
    match path.parse().ok()? {
        merkle::TilePath::Bundle(bundle) => {
            Some(bundle.number() * 256 + (position / FRAMED) as u64)
        }
        merkle::TilePath::Tile(tile) => {
            Some((tile.number() * 256 + position as u64 / 32) << (8 * tile.level()))
        }
    }
}

fn flipped(sample: &Sample, path: &str, position: usize, mask: u8) -> Sample {
    let mut sample = sample.clone();
    sample.files.get_mut(path).unwrap()[position] ^= mask;
    sample
}

fn assert_names(report: &Report, kind: FindingKind, file: &str, index: Option<u64>, what: &str) {
    assert_eq!(report.verdict(), Verdict::Tampered, "{what}");
    let found = report.findings();
    assert!(found.iter().all(|finding| finding.file == file), "{what}: {found:?}");
    assert!(found.iter().all(|finding| finding.kind == kind), "{what}: {found:?}");
    assert_eq!(found.first().and_then(|finding| finding.index), index, "{what}: {found:?}");
}

#[test]
fn every_flipped_bit_of_every_public_file_is_found_and_named() {
    let sample = Sample::new(20);
    for (path, bytes) in &sample.files {
        for position in 0..bytes.len() {
            let what = format!("{path} {position}");
            let mask = 1 << (position % 8);
            let damaged = flipped(&sample, path, position, mask);
            let index = index_under(path, position);
            for with_records in [true, false] {
                let report = damaged.verify_with(with_records, &trust(), None);
                assert_names(&report, FindingKind::Corrupt, path, index, &what);
                assert_eq!(report.findings().len(), 1, "{what}");
                let is_bundle = path.starts_with("tile/entries");
                // A length that is wrong leaves the entry itself whole, and so does its record.
                let lost = u64::from(is_bundle && position % FRAMED >= 2 && !with_records);
                assert_eq!(report.counts.present, 20 - lost, "{what}");
                assert_eq!(report.counts.corrupt, lost, "{what}");
            }
        }
    }
}

#[test]
fn every_mask_on_the_checkpoint_and_on_one_entry_is_found() {
    let sample = Sample::new(5);
    let trusts =
        [trust(), Trust { pinned: vec![], ..trust() }, Trust::pin(trust().pinned.remove(0))];
    for position in 0..sample.files["checkpoint"].len() {
        for mask in 1..=255 {
            let damaged = flipped(&sample, "checkpoint", position, mask);
            let report = damaged.verify_with(false, &trusts[position % 3], None);
            assert_names(&report, FindingKind::Corrupt, "checkpoint", None, &position.to_string());
        }
    }
    for position in 2 * FRAMED..3 * FRAMED {
        for mask in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let path = "tile/entries/000.p/5";
            let report = flipped(&sample, path, position, mask).verify();
            assert_names(&report, FindingKind::Corrupt, path, Some(2), &position.to_string());
        }
    }
}

#[test]
fn every_flipped_byte_of_every_record_is_found_and_named() {
    let sample = Sample::new(20);
    for number in 0..sample.frames.frames.len() {
        for (position, index) in indexes_of(&sample.frames.frames[number]).into_iter().enumerate() {
            let what = format!("frame {number} byte {position} record {index}");
            let mut damaged = sample.clone();
            damaged.frames.frames[number].payload[position] ^= 1 << (position % 8);
            let report = damaged.verify();
            if is_salt_of_nothing(&sample.frames.frames[number], index, position) {
                assert_eq!(report.verdict(), Verdict::Ok, "{what}");
                continue;
            }
            assert_names(&report, FindingKind::Corrupt, JOURNAL, Some(index), &what);
            // The head of a frame is no part of a record.
            assert_eq!(report.counts.corrupt == 0, position < 32, "{what}");
            assert_eq!(report.counts.corrupt + report.counts.present, 20, "{what}");
        }
    }
}

/// Whether a byte is of the content salt of a record without content: it goes into no commitment.
fn is_salt_of_nothing(frame: &Frame, index: u64, position: usize) -> bool {
    let start = indexes_of(frame).iter().skip(32).position(|at| *at == index).unwrap() + 32;
    let (record, _) = Record::decode(&frame.payload[start..]).unwrap();
    record.content.is_empty() && (52..68).contains(&position.wrapping_sub(start))
}

/// The index of the record that each byte of a frame belongs to; its head counts for the first.
fn indexes_of(frame: &Frame) -> Vec<u64> {
    let mut indexes = vec![frame.first; 32];
    let mut rest = &frame.payload[32..];
    for index in frame.first..frame.first + frame.count {
        let (_, after) = Record::decode(rest).unwrap();
        indexes.extend(std::iter::repeat_n(index, rest.len() - after.len()));
        rest = after;
    }
    indexes
}

#[test]
fn flips_in_larger_logs_are_found_and_named() {
    for (size, step) in [(255, 997), (256, 997), (257, 997), (700, 3_001), (65_836, 1_000_003)] {
        let sample = Sample::new(size);
        let mut position = 17;
        let mut count = 0;
        for (path, bytes) in &sample.files {
            while position < bytes.len() {
                let what = format!("{size}: {path} {position}");
                let report = flipped(&sample, path, position, 0x10).verify_public();
                let index = index_under(path, position);
                assert_names(&report, FindingKind::Corrupt, path, index, &what);
                assert_eq!(report.findings().len(), 1, "{what}");
                position += step;
                count += 1;
            }
            position -= bytes.len();
        }
        assert!(count >= 10, "{size}: {count}");
    }
}

#[test]
fn the_last_entry_of_a_full_bundle_is_judged_by_the_tile_above() {
    let sample = Sample::new(300);
    for (path, unit) in [("tile/0/000", 32), ("tile/entries/000", FRAMED)] {
        for position in 255 * unit..256 * unit {
            for report in [
                flipped(&sample, path, position, 1).verify(),
                flipped(&sample, path, position, 1).verify_public(),
            ] {
                assert_names(&report, FindingKind::Corrupt, path, Some(255), path);
            }
        }
    }
}

#[test]
fn flips_in_the_tiles_above_the_leaves_are_found_and_named() {
    let sample = Sample::new(65_836);
    for path in ["tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"] {
        let length = sample.files[path].len();
        for position in [0, length / 2, length - 1] {
            let report = flipped(&sample, path, position, 4).verify_public();
            let index = index_under(path, position);
            assert_names(&report, FindingKind::Corrupt, path, index, path);
        }
    }
}

#[test]
fn a_file_that_is_gone_is_named_and_its_records_are_still_checked() {
    for size in [20, 600] {
        let sample = Sample::new(size);
        for path in sample.files.keys() {
            let mut damaged = sample.clone();
            damaged.files.remove(path);
            let index = index_under(path, 0);
            let report = damaged.verify();
            assert_names(&report, FindingKind::Missing, path, index, path);
            assert_eq!((report.findings().len(), report.counts.present), (1, size as u64));
            let report = damaged.verify_public();
            assert_names(&report, FindingKind::Missing, path, index, path);
            let lost = report.counts.missing;
            assert_eq!(report.counts.present + lost, size as u64);
            assert_eq!(lost > 0, path.starts_with("tile/entries"));
        }
    }
}

#[test]
fn bundle_and_tile_gone_together_are_made_up_for_by_the_records() {
    let mut sample = Sample::new(600);
    sample.files.remove("tile/entries/001");
    sample.files.remove("tile/0/001");
    let report = sample.verify();
    let files: Vec<&str> = report.findings().iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["tile/entries/001", "tile/0/001"]);
    assert_eq!((report.counts.present, report.verdict()), (600, Verdict::Tampered));
    assert_eq!(report.root, sample.tree().root().to_string());
    assert_eq!(sample.verify_public().findings().len(), 2);
    sample.frames.frames[40].payload[50] ^= 1;
    let report = sample.verify();
    let last = report.findings().last().unwrap();
    assert_eq!((last.file.as_str(), last.index), (JOURNAL, Some(287)), "the frame after");
}

#[test]
fn a_file_of_another_length_is_named_with_the_first_record_that_is_cut() {
    let sample = Sample::new(20);
    for (path, unit) in [("tile/entries/000.p/20", FRAMED), ("tile/0/000.p/20", 32)] {
        for length in 0..sample.files[path].len() {
            let mut damaged = sample.clone();
            damaged.files.get_mut(path).unwrap().truncate(length);
            let index = Some((length / unit) as u64);
            let report = damaged.verify();
            assert_names(&report, FindingKind::Corrupt, path, index, &length.to_string());
            assert_eq!(report.findings().len(), 1);
            assert_names(&damaged.verify_public(), FindingKind::Corrupt, path, index, path);
        }
        let mut damaged = sample.clone();
        damaged.files.get_mut(path).unwrap().push(0);
        assert_names(&damaged.verify(), FindingKind::Corrupt, path, None, path);
    }
}

#[test]
fn a_file_that_does_not_belong_is_named() {
    let sample = Sample::new(20);
    for path in [
        "tile/0/001",
        "tile/0/x001/000",
        "tile/1/000.p/1",
        "tile/1/000",
        "tile/7/000.p/3",
        "tile/63/000",
        "tile/0/000.p/21",
        "tile/entries/000.p/21",
        "tile/entries/001.p/1",
        "tile/readme",
        "tile/0/000.p/20.old",
        "tile/0/0",
        "tile/entries/x999/x999/x999/x999/x999/999",
    ] {
        for bytes in [vec![0; 32], sample.files["tile/0/000.p/20"].repeat(2)] {
            let mut damaged = sample.clone();
            damaged.files.insert(path.into(), bytes);
            for report in [damaged.verify(), damaged.verify_public()] {
                assert_eq!(report.verdict(), Verdict::Tampered, "{path}");
                assert_eq!(report.findings().len(), 1, "{path}: {:?}", report.findings());
                assert_eq!(report.findings()[0].file, path);
            }
        }
    }
}

#[test]
fn a_well_formed_file_beyond_the_last_record_does_not_belong() {
    let mut sample = Sample::with_unpublished(20, 5);
    sample.write_tiles(25);
    assert_eq!(sample.verify().verdict(), Verdict::Ok);
    sample.frames.frames.pop();
    let report = sample.verify();
    let files: Vec<&str> = report.findings().iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["tile/entries/000.p/25", "tile/0/000.p/25"]);
    assert!(report.findings().iter().all(|it| it.kind == FindingKind::Unannounced));
}

#[test]
fn an_older_partial_file_must_agree_with_the_log() {
    let mut sample = Sample::with_unpublished(20, 9);
    for size in [3, 11, 24] {
        sample.write_tiles(size);
    }
    assert_eq!(sample.verify().verdict(), Verdict::Ok);
    for path in sample.files.keys().filter(|path| !path.ends_with("/20") && path.contains('/')) {
        for position in (0..sample.files[path].len()).step_by(13) {
            let report = flipped(&sample, path, position, 2).verify();
            assert_names(&report, FindingKind::Corrupt, path, None, path);
        }
    }
}

#[test]
fn two_entries_swapped_are_found_in_the_bundle() {
    let sample = Sample::new(300);
    for at in [0, 7, 254, 255, 298] {
        let mut entries = sample.entries.clone();
        entries.swap(at, at + 1);
        let mut damaged = sample.clone();
        damaged.files.insert("tile/entries/000".into(), bundle_bytes(&entries[..256]));
        damaged.files.insert("tile/entries/001.p/44".into(), bundle_bytes(&entries[256..]));
        let report = damaged.verify();
        let first = &report.findings()[0];
        assert_eq!((first.kind, first.index), (FindingKind::Corrupt, Some(at as u64)));
        let touched: u64 = report.findings().iter().map(|finding| finding.count).sum();
        assert_eq!((touched, report.counts.present), (2, 300));
    }
}

#[test]
fn a_log_rewritten_with_all_its_tiles_breaks_the_checkpoint_and_names_the_record() {
    let sample = Sample::new(300);
    for swap in [false, true] {
        let mut damaged = sample.clone();
        if swap {
            damaged.entries.swap(17, 18);
        } else {
            damaged.entries[17].commitment[0] ^= 1;
        }
        rechain(&mut damaged.entries);
        damaged.write_tiles(300);
        let report = damaged.verify_public();
        let roots = |finding: &&Finding| finding.file == "checkpoint" && finding.index.is_none();
        assert_eq!(report.findings().iter().filter(roots).count(), 1);
        let report = damaged.verify();
        let first = &report.findings()[0];
        assert_eq!((first.index, first.file.as_str()), (Some(17), JOURNAL));
        assert_eq!(report.counts.corrupt, 1 + u64::from(swap));
        // Signed anew, the public log is consistent, and only the records show what was done.
        damaged.publish(300);
        assert_eq!(damaged.verify().findings()[0].index, Some(17));
        let public = damaged.verify_public();
        assert_eq!(public.verdict() == Verdict::Ok, !swap);
    }
}

#[test]
fn a_break_in_chain_time_or_stream_that_was_signed_is_found() {
    let sample = Sample::new(300);
    for index in [1, 30, 256, 299] {
        for fault in ["chain", "time", "stream"] {
            let mut bad = sample.clone();
            match fault {
                "chain" => bad.entries[index].previous[3] ^= 1,
                "time" => bad.entries[index].time_ms = bad.entries[index - 1].time_ms - 1,
                _ => bad.entries[index].sequence += 1,
            }
            let (before, after) = bad.entries.split_at_mut(index + 1);
            let mut previous = leaf_hash(&before[index].encode()).0;
            if fault != "chain" {
                rechain(before);
                previous = leaf_hash(&before[index].encode()).0;
            }
            for entry in after {
                entry.previous = previous;
                previous = leaf_hash(&entry.encode()).0;
            }
            bad.publish(300);
            let report = bad.verify_public();
            let first = &report.findings()[0];
            assert_eq!((first.kind, first.index), (FindingKind::Corrupt, Some(index as u64)));
            assert!(first.detail.contains(fault), "{fault}: {}", first.detail);
        }
    }
}

#[test]
fn records_that_are_gone_are_named() {
    let sample = Sample::new(20);
    for number in 0..3 {
        let mut damaged = sample.clone();
        let gone = damaged.frames.frames.remove(number);
        let report = damaged.verify();
        assert_names(&report, FindingKind::Missing, "", Some(gone.first), "");
        assert_eq!((report.findings().len(), report.findings()[0].count), (1, gone.count));
        assert_eq!(report.counts.missing, gone.count);
        assert_eq!(report.counts.present, 20 - gone.count);
    }
    let mut empty = sample.clone();
    empty.frames.frames.clear();
    assert_eq!(empty.verify().counts.missing, 20);
}

#[test]
fn one_record_cut_out_of_a_frame_is_named() {
    let sample = Sample::new(20);
    for index in 0..20_u64 {
        let number = index as usize / FRAME_RECORDS;
        let belongs = indexes_of(&sample.frames.frames[number]);
        // The record is cut out, and the frame is made to fit: two frames with a hole between.
        let mut damaged = sample.clone();
        let frame = damaged.frames.frames.remove(number);
        let part = |keep: &dyn Fn(u64) -> bool| -> Vec<u8> {
            let bytes = frame.payload.iter().zip(&belongs).skip(32);
            bytes.filter(|(_, index)| keep(**index)).map(|(byte, _)| *byte).collect()
        };
        let head = frame.payload[..32].to_vec();
        let first = [head.clone(), part(&|at| at < index)].concat();
        let before = Frame { first: frame.first, count: index - frame.first, payload: first };
        let previous = leaf_hash(&sample.entries[index as usize].encode()).0.to_vec();
        let second = [previous, part(&|at| at > index)].concat();
        let count = frame.first + frame.count - index - 1;
        let after = Frame { first: index + 1, count, payload: second };
        let parts = [before, after].into_iter().filter(|frame| frame.count > 0);
        damaged.frames.frames.splice(number..number, parts);
        let report = damaged.verify();
        assert_names(&report, FindingKind::Missing, "", Some(index), "");
        assert_eq!((report.counts.missing, report.counts.present), (1, 19));
        // The record is cut out, and the frame says that it has as many as before.
        let mut damaged = sample.clone();
        let payload = [head, part(&|at| at != index)].concat();
        damaged.frames.frames[number].payload = payload;
        let report = damaged.verify();
        assert_names(&report, FindingKind::Corrupt, JOURNAL, Some(index), "");
    }
}

#[test]
fn a_hole_in_the_unpublished_records_is_named_and_leaves_no_chain_state() {
    let mut sample = Sample::with_unpublished(7, 21);
    sample.frames.frames.remove(2);
    let report = sample.verify();
    assert_names(&report, FindingKind::Missing, "", Some(14), "");
    assert_eq!((report.unpublished, report.counts.missing), (14, 7));
    assert!(report.chain.is_none());
    let mut sample = Sample::with_unpublished(7, 21);
    sample.frames.frames[1].payload[120] ^= 1;
    assert_names(&sample.verify(), FindingKind::Corrupt, JOURNAL, Some(14), "the next frame");
}

#[test]
fn a_false_size_does_not_keep_the_check_busy() {
    let mut sample = Sample::new(20);
    let note = crate::sample::checkpoint_of(u64::MAX, merkle::Hash([1; 32]), 1);
    sample.files.insert("checkpoint".into(), note);
    let report = sample.verify();
    assert_eq!(report.verdict(), Verdict::Tampered);
    assert!(report.findings().iter().any(|finding| finding.file == "tile"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_files_and_frames_never_panic_and_are_never_ok(
        which: prop::sample::Index,
        bytes in prop::collection::vec(any::<u8>(), 0..9000),
        start: prop::sample::Index,
        keep: bool,
    ) {
        let mut sample = Sample::with_unpublished(257, 4);
        let mut paths: Vec<String> = sample.files.keys().cloned().collect();
        paths.extend(["tile/0/000.p/9", "tile/entries/001.p/4", "tile/x"].map(String::from));
        let path = which.get(&paths);
        let old = sample.files.get(path).cloned().unwrap_or_default();
        let mut new = bytes.clone();
        if keep && !old.is_empty() {
            new = old.clone();
            let at = start.index(old.len());
            new.splice(at..(at + bytes.len()).min(old.len()), bytes.iter().copied());
        }
        let as_before = sample.files.insert(path.clone(), new.clone()) == Some(new);
        prop_assert_eq!(sample.verify().verdict() == Verdict::Ok, as_before);
        let _ = sample.verify_public();
        let number = which.index(sample.frames.frames.len());
        sample.frames.frames[number].payload = bytes.clone();
        let _ = sample.verify();
        let _ = verify_evidence(&bytes, &trust());
    }
}
