//! What verification finds, and that it goes on behind what it found.
//!
//! Not here: that damage never panics (`damage`).

use crate::records::{Owned, of_bytes, opened, records, written};
use segment::{Fault, Finding, Segment, Verified};
use std::collections::HashMap;

fn commitments(records: &[Owned]) -> HashMap<u64, [u8; 32]> {
    records.iter().map(|owned| (owned.index, owned.record().commitment())).collect()
}

fn verify(segment: &Segment, expected: &HashMap<u64, [u8; 32]>) -> (Verified, Vec<Finding>) {
    let mut findings = Vec::new();
    let verified = segment
        .verify(|index| expected.get(&index).copied(), |finding| findings.push(finding))
        .unwrap();
    (verified, findings)
}

#[test]
fn a_sound_segment_has_no_findings() {
    let records = records(500);
    let (verified, findings) = verify(&opened(written(&records)), &commitments(&records));
    assert_eq!((verified, findings), (Verified { rows: 500, sound: 500 }, vec![]));
}

#[test]
fn other_commitments_and_unknown_records_are_named() {
    let records = records(100);
    let mut expected = commitments(&records);
    expected.insert(records[7].index, [0; 32]);
    expected.remove(&records[9].index);
    let (verified, findings) = verify(&opened(written(&records)), &expected);
    assert_eq!(verified.sound, 98);
    let at = |number: usize, fault| {
        let index = records[number].index;
        Finding { indexes: (index, index), fault }
    };
    assert_eq!(findings, [at(7, Fault::Commitment), at(9, Fault::Unexpected)]);
}

/// 40,000 records with every second index: three row groups of 16,384 rows and the rest.
fn many() -> Vec<Owned> {
    let meta = |n: u64| format!("{{\"event_id\":\"event-{n}\"}}");
    (0..40_000).map(|n| of_bytes(n * 2, meta(n).as_bytes(), b"")).collect()
}

/// The offset of the first page of a column in the second row group.
fn page(segment: &Segment, column: &str) -> usize {
    let columns = segment.footer().row_group(1).columns();
    let chunk = columns.iter().find(|chunk| chunk.column_path().string() == column).unwrap();
    usize::try_from(chunk.byte_range().0).unwrap()
}

#[test]
fn damage_takes_one_row_group_and_no_more() {
    let records = many();
    let mut file = written(&records);
    let at = page(&opened(file.clone()), "event_id");
    file[at + 60] ^= 1;
    let (verified, findings) = verify(&opened(file), &commitments(&records));
    assert_eq!(verified, Verified { rows: 40_000, sound: 40_000 - 16_384 });
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].indexes, (16_384 * 2, 32_767 * 2));
    assert!(matches!(findings[0].fault, Fault::Unreadable(_)));
}

#[test]
fn damaged_indexes_are_told_by_what_the_footer_says() {
    let records = many();
    let mut file = written(&records);
    let at = page(&opened(file.clone()), "index");
    file[at + 20] ^= 1;
    let (verified, findings) = verify(&opened(file), &commitments(&records));
    assert_eq!(verified.sound, 40_000 - 16_384);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].indexes, (16_384 * 2, 32_767 * 2));
}

#[test]
fn damage_in_the_middle_of_a_row_group_spares_the_rows_before_it() {
    // So many different names that the dictionary is given up: the column has a second page.
    let meta = |n: u64| format!("{{\"agent_name\":\"{n:0120}\"}}");
    let records: Vec<Owned> =
        (0..16_384).map(|n| of_bytes(n * 2, meta(n).as_bytes(), b"")).collect();
    let mut file = written(&records);
    let segment = opened(file.clone());
    let columns = segment.footer().row_group(0).columns();
    let chunk = columns.iter().find(|c| c.column_path().string() == "agent_name").unwrap();
    let (start, length) = chunk.byte_range();
    file[usize::try_from(start + length).unwrap() - 40] ^= 1;
    let (verified, findings) = verify(&opened(file), &commitments(&records));
    assert!(verified.sound > 0 && verified.sound < 16_384, "{verified:?}");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].indexes, (verified.sound * 2, 16_383 * 2));
}
