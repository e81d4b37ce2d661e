//! Records as segments hold them, without their place in a stream, and the records that the log
//! shows to everybody.

use crate::sample::{Frames, JOURNAL, ORIGIN, Sample, trust};
use event::{Disclosed, Record};
use prove::{Finding, FindingKind, Found, Kept, KeptContent, Records, Report, Verdict, verify_log};

const SEGMENT: &str = "segments/x";

/// What the records before some index come as: kept, after a change.
struct Segments<'c> {
    frames: Frames,
    end: u64,
    change: &'c dyn Fn(u64, &mut Kept<'_>),
}

impl Records for Segments<'_> {
    fn at(&mut self, index: u64) -> Found<'_> {
        match self.frames.at(index) {
            Found::Record { held, record, .. } if index < self.end => {
                let mut kept = Kept::from(&record);
                (self.change)(index, &mut kept);
                // The metadata lives as long as the frames; what was changed is put together anew.
                Found::Kept { file: SEGMENT, held, kept }
            }
            other => other,
        }
    }
}

fn check(sample: &Sample, end: u64, change: &dyn Fn(u64, &mut Kept<'_>)) -> Report {
    let mut files = sample.files.clone();
    let mut records = Segments { frames: sample.frames.clone(), end, change };
    verify_log(&mut files, Some(&mut records), ORIGIN, &trust(), None, &mut |_| {})
}

fn unchanged(_: u64, _: &mut Kept<'_>) {}

#[test]
fn kept_records_are_as_good_as_whole_ones() {
    let sample = Sample::new(300);
    for end in [1, 7, 100, 300] {
        let report = check(&sample, end, &unchanged);
        assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
        assert_eq!(report.counts.present, 300);
    }
}

#[test]
fn an_altered_kept_record_is_named() {
    let sample = Sample::new(20);
    let changes: [&dyn Fn(&mut Kept<'_>); 5] = [
        &|kept| kept.meta = b"{}",
        &|kept| kept.meta_salt[3] ^= 1,
        &|kept| kept.content = KeptContent::Present { salt: [0; 16], bytes: b"{}" },
        &|kept| kept.time_ms += 1,
        &|kept| kept.content = KeptContent::Erased { commitment: [9; 32] },
    ];
    for change in changes {
        let report = check(&sample, 20, &|index, kept| {
            if index == 5 {
                change(kept);
            }
        });
        assert_eq!((report.counts.present, report.counts.corrupt), (19, 1));
        let [finding] = report.findings() else { panic!("{}", report.to_json()) };
        assert_eq!((finding.index, &*finding.file), (Some(5), SEGMENT));
        assert_eq!(finding.kind, FindingKind::Corrupt);
    }
}

#[test]
fn content_that_is_gone_without_a_word_of_the_log_is_missing() {
    let sample = Sample::new(20);
    let report = check(&sample, 20, &|index, kept| {
        if index == 5 {
            kept.content = KeptContent::Erased { commitment: kept.content.commitment() };
        }
    });
    assert_eq!((report.counts.present, report.counts.missing), (19, 1));
    assert_eq!(report.verdict(), Verdict::Tampered, "{}", report.to_json());
    let finding = &report.findings()[0];
    assert_eq!((finding.kind, finding.index), (FindingKind::Missing, Some(5)));
}

#[test]
fn an_entry_that_is_altered_or_lost_accuses_no_kept_record() {
    let sample = Sample::new(20);
    let path = sample.files.keys().find(|path| path.starts_with("tile/entries")).unwrap();
    // What the record says again, and what it does not: version, and the place in the stream.
    for (at, lost) in [(1, 0), (2, 0), (10, 0), (50, 0), (90, 0), (0, 1), (20, 1), (39, 1)] {
        let mut sample = sample.clone();
        sample.files.get_mut(path).unwrap()[5 * 106 + 2 + at] ^= 1;
        let report = check(&sample, 20, &unchanged);
        assert_eq!((report.counts.present, report.counts.corrupt), (20 - lost, lost), "{at}");
        let [finding] = report.findings() else { panic!("{}", report.to_json()) };
        assert_eq!((finding.index, &finding.file), (Some(5), path));
    }
    let mut gone = sample.clone();
    gone.files.remove(path).unwrap();
    let report = check(&gone, 20, &unchanged);
    assert_eq!(report.verdict(), Verdict::Tampered);
    assert!(report.findings().iter().all(|it| it.file == *path), "{}", report.to_json());
    assert_eq!(report.counts.corrupt, 20);
}

#[test]
fn a_kept_record_beyond_the_checkpoint_is_found() {
    let sample = Sample::with_unpublished(20, 5);
    assert_eq!(check(&sample, 20, &unchanged).verdict(), Verdict::Ok);
    let report = check(&sample, 22, &unchanged);
    let beyond = Finding { count: 2, ..report.findings()[0].clone() };
    assert_eq!(report.findings(), std::slice::from_ref(&beyond), "{}", report.to_json());
    assert_eq!((beyond.index, &*beyond.file), (Some(20), SEGMENT));
    assert_ne!(SEGMENT, JOURNAL);
}

/// The document that shows a record.
fn shown(sample: &Sample, index: u64) -> Disclosed {
    let frame = sample.frames.frames.iter().find(|it| it.first + it.count > index).unwrap();
    let mut rest = &frame.payload[32..];
    for _ in frame.first..index {
        rest = Record::decode(rest).unwrap().1;
    }
    let (record, _) = Record::decode(rest).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Disclosed {
        index,
        meta_salt: record.meta_salt,
        meta: text(record.meta),
        content_salt: record.content_salt,
        content: text(record.content),
    }
}

fn path(index: u64) -> String {
    format!("ledger/{index:020}.json")
}

#[test]
fn a_document_that_is_what_the_log_committed_to_is_fine_and_any_other_is_named() {
    let mut sample = Sample::new(20);
    let bytes = shown(&sample, 0).to_bytes();
    sample.files.insert(path(0), bytes.clone());
    for with_records in [true, false] {
        let check = |sample: &Sample| sample.verify_with(with_records, &trust(), None);
        assert_eq!(check(&sample).verdict(), Verdict::Ok, "{}", check(&sample).to_json());
        let is_named = |sample: &Sample, what: &str| {
            let report = check(sample);
            let named = report.findings().iter().all(|it| it.file == path(0));
            assert!(named && report.verdict() == Verdict::Tampered, "{what}: {}", report.to_json());
            assert_eq!(report.counts.present, 20);
        };
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = sample.clone();
                altered.files.get_mut(&path(0)).unwrap()[at] ^= 1 << bit;
                is_named(&altered, &format!("bit {bit} of byte {at}"));
            }
            let mut cut = sample.clone();
            cut.files.get_mut(&path(0)).unwrap().truncate(at);
            is_named(&cut, "cut");
        }
    }
}

#[test]
fn documents_of_other_records_and_other_files_are_named() {
    let sample = Sample::with_unpublished(20, 5);
    let producers = shown(&sample, 3).to_bytes();
    let moved = shown(&sample, 0).to_bytes();
    for (path, bytes, kind) in [
        (path(3), producers, FindingKind::Corrupt),
        (path(1), moved.clone(), FindingKind::Corrupt),
        (path(2), shown(&sample, 2).to_bytes(), FindingKind::Corrupt),
        (path(22), shown(&sample, 22).to_bytes(), FindingKind::Unannounced),
        ("ledger/0.json".to_owned(), moved.clone(), FindingKind::Unannounced),
        ("ledger/readme".to_owned(), moved, FindingKind::Unannounced),
    ] {
        let mut sample = sample.clone();
        sample.files.insert(path.clone(), bytes);
        for report in [sample.verify(), sample.verify_public()] {
            let [finding] = report.findings() else { panic!("{}", report.to_json()) };
            assert_eq!((&finding.file, finding.kind), (&path, kind));
        }
    }
}
