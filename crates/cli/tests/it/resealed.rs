//! Whoever has the key of a segment: a record that was changed in it, or taken out, is told from
//! what went by authority, and is named.

use crate::retention::removed;
use crate::rolled::{Files, check, kek};
use keys::Keyring;
use prove::{Finding, FindingKind, Verdict};
use segment::{Catalogue, Projection, Row, Segment, SegmentWriter};

/// The files with the largest segment made anew of what `change` leaves of its rows, under its name
/// and key; and that name.
fn resealed(files: &Files, change: impl FnOnce(&mut Vec<Row>)) -> (Files, String) {
    let mut catalogue = Catalogue::default();
    for (_, bytes) in files.iter().filter(|(path, _)| path.starts_with("ledger/")) {
        catalogue.add(&event::Disclosed::parse(bytes).unwrap()).unwrap();
    }
    let current = catalogue.current();
    let manifest = current.iter().max_by_key(|it| it.rows).unwrap();
    let keyring = Keyring::open(&files["keyring"], &kek()).unwrap();
    let key = keyring.get(manifest.key_id).unwrap();
    let segment = Segment::open(files[&manifest.path()].clone(), key).unwrap();
    let rows = segment.rows(.., Projection::All).unwrap();
    let mut rows: Vec<Row> = rows.collect::<Result<_, _>>().unwrap();
    change(&mut rows);
    let mut made = Vec::new();
    let mut writer = SegmentWriter::new(&mut made, key, manifest.key_id).unwrap();
    rows.iter().for_each(|row| writer.push_row(row).unwrap());
    writer.finish().unwrap();
    let mut files = files.clone();
    files.insert(manifest.path(), made);
    (files, manifest.path())
}

#[test]
fn a_record_that_was_changed_in_a_segment_with_its_key_is_corrupt_and_no_erasure() {
    let (files, _) = removed();
    let (mut index, sound) = (0, check(&files));
    let (files, path) = resealed(&files, |rows| {
        let row = rows.last_mut().unwrap();
        index = row.index;
        let meta = String::from_utf8(row.meta.clone()).unwrap();
        row.meta = meta.replacen("\"event_type\":\"", "\"event_type\":\"x", 1).into_bytes();
    });
    let report = check(&files);
    assert_eq!(report.verdict(), Verdict::Tampered, "{}", report.to_json());
    let is_it = |it: &Finding| {
        it.kind == FindingKind::Corrupt
            && (it.index, it.count) == (Some(index), 1)
            && it.file == path
    };
    assert!(report.findings().iter().any(is_it), "record {index}: {}", report.to_json());
    let (now, then) = (report.counts, sound.counts);
    assert_eq!((now.corrupt, now.missing, now.present), (1, 0, then.present - 1));
    let gone = |it: prove::Counts| (it.content_erased, it.erased, it.expired);
    assert_eq!((gone(now), gone(then)), ((1, 1, 5), (1, 1, 5)));
}

#[test]
fn a_record_that_was_taken_out_of_a_segment_with_its_key_is_missing_and_no_erasure() {
    let (files, _) = removed();
    let (mut index, sound) = (0, check(&files));
    let (files, path) = resealed(&files, |rows| {
        let at = rows.len() / 2;
        index = rows.remove(at).index;
    });
    let report = check(&files);
    assert_eq!(report.verdict(), Verdict::Tampered, "{}", report.to_json());
    let is_it =
        |it: &Finding| it.kind == FindingKind::Missing && (it.index, it.count) == (Some(index), 1);
    assert!(report.findings().iter().any(is_it), "record {index}: {}", report.to_json());
    assert!(report.findings().iter().any(|it| it.file == path), "{}", report.to_json());
    let (now, then) = (report.counts, sound.counts);
    assert_eq!((now.corrupt, now.missing, now.present), (0, 1, then.present - 1));
    let gone = |it: prove::Counts| (it.content_erased, it.erased, it.expired);
    assert_eq!((gone(now), gone(then)), ((1, 1, 5), (1, 1, 5)));
}
