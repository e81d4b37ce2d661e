//! Written and read again: records, rows with erased content, ranges, and what the footer says.
//!
//! Not here: damage (`damage`), arbitrary bytes (`arbitrary`).

use crate::records::{KEY_ID, Owned, key, of_bytes, opened, records, written};
use segment::{
    ContentState, IdFilters, IdKind, Projection, Row, SegmentError, SegmentWriter, key_id,
};
use std::collections::HashSet;
use std::sync::Arc;

fn rows(records: &[Owned]) -> Vec<Row> {
    records.iter().map(Owned::row).collect()
}

#[test]
fn records_of_every_kind_come_back_byte_for_byte() {
    let records = records(5_000);
    let segment = opened(written(&records));
    let read: Vec<Row> = segment.rows(.., Projection::All).unwrap().map(Result::unwrap).collect();
    assert_eq!(read.len(), records.len());
    for (row, owned) in read.iter().zip(&records) {
        assert_eq!(row, &owned.row(), "{owned:?}");
        assert_eq!(row.commitment(), Some(owned.record().commitment()));
    }
}

#[test]
fn metadata_alone_comes_without_content() {
    let records = records(100);
    let segment = opened(written(&records));
    for (row, owned) in segment.rows(.., Projection::MetaOnly).unwrap().zip(&records) {
        assert_eq!(row.unwrap(), Row { content: ContentState::NotRead, ..owned.row() });
    }
}

#[test]
fn ranges_give_their_rows_and_no_others() {
    // Three row groups, with indexes 10, 13, 16 and so on.
    let records: Vec<Owned> =
        (0..40_000).map(|n| of_bytes(n * 3 + 10, b"{\"event_type\":\"x\"}", b"")).collect();
    let segment = opened(written(&records));
    let groups = segment.row_groups().unwrap();
    assert_eq!(groups.len(), 3);
    assert_eq!(groups[0].indexes, (10, 16_383 * 3 + 10));
    assert_eq!(groups[1].indexes, (16_384 * 3 + 10, 32_767 * 3 + 10));
    assert_eq!(groups[2].indexes, (32_768 * 3 + 10, 39_999 * 3 + 10));
    assert_eq!(groups.iter().map(|group| group.rows).sum::<u64>(), 40_000);
    assert_eq!(segment.row_count(), 40_000);

    let first = |group: usize| groups[group].indexes.0;
    for (from, to) in [
        (0, 0),
        (0, 11),
        (10, 10),
        (11, 12),
        (24_000, 24_700),
        (first(1) - 5, first(1) + 5),
        (119_990, u64::MAX),
        (5_000_000, 6_000_000),
    ] {
        let read = segment.rows(from..=to, Projection::All).unwrap().map(|row| row.unwrap().index);
        let wanted = records.iter().map(|owned| owned.index).filter(|i| (from..=to).contains(i));
        assert!(read.eq(wanted), "{from}..={to}");
    }
    assert_eq!(segment.rows(7..7, Projection::All).unwrap().count(), 0);
    assert_eq!(segment.rows(..13, Projection::All).unwrap().count(), 1);
    assert_eq!(segment.row(13, Projection::All).unwrap(), Some(records[1].row()));
    assert_eq!(segment.row(14, Projection::All).unwrap(), None);
}

#[test]
fn erased_content_is_gone_and_still_proves() {
    let records = records(64);
    let (mut file, mut rows) = (Vec::new(), rows(&records));
    let mut writer = SegmentWriter::new(&mut file, &key(), KEY_ID).unwrap();
    for (number, row) in rows.iter_mut().enumerate() {
        if number % 2 == 0 {
            row.erase_content();
        }
        writer.push_row(row).unwrap();
    }
    writer.finish().unwrap();
    let segment = opened(file);
    let read: Vec<Row> = segment.rows(.., Projection::All).unwrap().map(Result::unwrap).collect();
    assert_eq!(read, rows);
    assert!(read.iter().any(|row| matches!(row.content, ContentState::Erased { .. })));
    for (row, owned) in read.iter().zip(&records) {
        assert_eq!(row.commitment(), Some(owned.record().commitment()));
    }
}

#[test]
fn rewriting_what_was_read_changes_nothing() {
    let records = records(300);
    let segment = opened(written(&records));
    let mut file = Vec::new();
    let mut writer = SegmentWriter::new(&mut file, &key(), KEY_ID).unwrap();
    for row in segment.rows(.., Projection::All).unwrap() {
        writer.push_row(&row.unwrap()).unwrap();
    }
    writer.finish().unwrap();
    let again: Vec<Row> =
        opened(file).rows(.., Projection::All).unwrap().map(Result::unwrap).collect();
    assert_eq!(again, rows(&records));

    let unread = segment.rows(.., Projection::MetaOnly).unwrap().next().unwrap().unwrap();
    let mut writer = SegmentWriter::new(Vec::new(), &key(), KEY_ID).unwrap();
    let refused = writer.push_row(&unread);
    assert!(matches!(refused, Err(SegmentError::WithoutContent { index: 10 })), "{refused:?}");
}

#[test]
fn the_summary_says_what_was_written() {
    let records = records(100);
    let mut file = Vec::new();
    let mut writer = SegmentWriter::new(&mut file, &key(), KEY_ID).unwrap();
    for owned in &records {
        writer.push(owned.index, &owned.record()).unwrap();
    }
    let summary = writer.finish().unwrap();
    let times = records.iter().map(|owned| owned.time_ms);
    assert_eq!(summary.rows, 100);
    assert_eq!(summary.row_groups, 1);
    assert_eq!(summary.bytes, file.len() as u64);
    assert_eq!(summary.indexes, Some((10, 99 * 3 + 10)));
    assert_eq!(summary.times_ms, times.clone().min().zip(times.max()));
}

#[test]
fn a_segment_without_rows_is_a_segment() {
    let segment = opened(written(&[]));
    assert_eq!(segment.row_count(), 0);
    assert_eq!(segment.rows(.., Projection::All).unwrap().count(), 0);
}

#[test]
fn records_out_of_order_and_beyond_the_columns_are_refused() {
    let mut writer = SegmentWriter::new(Vec::new(), &key(), KEY_ID).unwrap();
    let push = |writer: &mut SegmentWriter<Vec<u8>>, index, time_ms| {
        let owned = Owned { time_ms, ..of_bytes(index, b"{}", b"") };
        writer.push(index, &owned.record())
    };
    push(&mut writer, 5, 1).unwrap();
    for index in [5, 4] {
        let refused = push(&mut writer, index, 1);
        assert!(matches!(refused, Err(SegmentError::Order { previous: 5, .. })), "{refused:?}");
    }
    let refused = push(&mut writer, 1 << 63, 1);
    assert!(matches!(refused, Err(SegmentError::TooLarge { .. })), "{refused:?}");
    let refused = push(&mut writer, 6, u64::MAX);
    assert!(matches!(refused, Err(SegmentError::TooLarge { .. })), "{refused:?}");
    push(&mut writer, 6, 1).unwrap();
    assert_eq!(writer.finish().unwrap().rows, 2);
}

#[test]
fn row_groups_end_before_they_grow_too_large() {
    // 40 records of 1 MiB: the limit is 32 MiB.
    let content = format!("{{\"result\":\"{}\"}}", "z".repeat(1 << 20));
    let mut file = Vec::new();
    let mut writer = SegmentWriter::new(&mut file, &key(), KEY_ID).unwrap();
    for index in 0..40 {
        let owned = of_bytes(index, b"{}", content.as_bytes());
        writer.push(index, &owned.record()).unwrap();
    }
    assert_eq!(writer.finish().unwrap().row_groups, 2);
    let segment = opened(file);
    let read = segment.rows(.., Projection::All).unwrap();
    assert!(read.map(Result::unwrap).all(|row| row.content.bytes() == content.as_bytes()));
}

#[test]
fn the_key_id_is_told_without_the_key() {
    let file: Arc<dyn segment::Source> = Arc::new(written(&records(3)));
    assert_eq!(key_id(&file).unwrap(), KEY_ID);
}

#[test]
fn id_filters_lead_to_the_row_groups() {
    let records: Vec<Owned> = (0..40_000)
        .map(|n| {
            let meta = format!("{{\"event_id\":\"e{n}\",\"session_id\":\"s{}\"}}", n / 20_000);
            of_bytes(n, meta.as_bytes(), b"")
        })
        .collect();
    let segment = opened(written(&records));
    let hash = |kind: IdKind, id: &str| {
        let start = 0xcbf2_9ce4_8422_2325 ^ kind as u64;
        id.bytes().fold(start, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
    };
    let filters = IdFilters::from_segment(&segment, hash).unwrap();
    let filters = IdFilters::from_bytes(&filters.to_bytes()).unwrap();
    let groups =
        |kind, id: &str| -> HashSet<usize> { filters.may_hold(kind, hash(kind, id)).collect() };
    for n in 0..40_000_usize {
        assert!(groups(IdKind::Event, &format!("e{n}")).contains(&(n / 16_384)));
    }
    assert_eq!(groups(IdKind::Session, "s0"), HashSet::from([0, 1]));
    assert_eq!(groups(IdKind::Session, "s1"), HashSet::from([1, 2]));
    assert!(groups(IdKind::Trace, "s1").is_empty());
}
