//! Some rows of a segment, picked by some of their values.

use crate::records::{Owned, of_bytes, opened, written};
use proptest::prelude::*;
use segment::{Projection, RowSet, Segment, SegmentError, Value};
use std::sync::OnceLock;

/// 20,000 records with every third index: two row groups, and texts that fill many pages.
fn records() -> Vec<Owned> {
    let text = |n: u64| format!("{:016x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).repeat(4);
    let record = |n: u64| {
        let meta = format!(
            r#"{{"event_id":"{}","agent_name":"agent-{}","duration_ms":{}.5}}"#,
            text(n),
            n % 10,
            n % 7
        );
        let content = format!(r#"{{"params":{{"q":"{}"}},"result":"{n}"}}"#, text(n + 1));
        of_bytes(n * 3, meta.as_bytes(), if n.is_multiple_of(5) { b"" } else { content.as_bytes() })
    };
    (0..20_000).map(record).collect()
}

fn shared() -> &'static (Vec<Owned>, Segment) {
    static SHARED: OnceLock<(Vec<Owned>, Segment)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let records = records();
        let segment = opened(written(&records));
        (records, segment)
    })
}

fn from_group(records: &[Owned], group: usize, position: u32) -> &Owned {
    &records[group * segment::ROW_GROUP_ROWS_MAX + position as usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn rows_come_from_wherever_they_stand(
        group in 0_usize..2,
        seeds in proptest::collection::vec((any::<u32>(), 1_u32..700), 1..12),
        only_meta: bool,
    ) {
        let (records, segment) = shared();
        let count = segment.rows_of(group);
        let positions = seeds.iter().flat_map(|(at, length)| {
            let first = at % count;
            first..(first + length).min(count)
        });
        let rows = RowSet::new(positions.collect());
        let projection = if only_meta { Projection::MetaOnly } else { Projection::All };
        let read = segment.rows_at(group, &rows, projection).unwrap();
        prop_assert_eq!(read.len(), rows.len());
        for (row, position) in read.iter().zip(rows.positions()) {
            let owned = from_group(records, group, *position);
            prop_assert_eq!((row.index, &row.meta), (owned.index, &owned.meta));
            prop_assert!(only_meta || row.content.bytes() == owned.content);
        }
    }
}

#[test]
fn conditions_see_the_values_of_their_row() {
    let (records, segment) = shared();
    let wanted = |values: &[Value<'_>]| {
        values[0] == Value::Text("agent-3") && values[1] == Value::Number(2.5)
    };
    let columns = ["agent_name", "duration_ms", "session_id"];
    let mut found = Vec::new();
    for group in 0..2 {
        let all = segment.pick(group, None, (0, u64::MAX), &columns, &wanted).unwrap();
        for (position, index) in &all {
            assert_eq!(from_group(records, group, *position).index, *index);
        }
        found.extend(all.iter().map(|(_, index)| *index));
        // Among a few the same, if they are in it, and never another.
        let among = RowSet::new((0..segment.rows_of(group)).filter(|n| n % 11 == 0).collect());
        let few = segment.pick(group, Some(&among), (0, u64::MAX), &columns, &wanted).unwrap();
        let expected: Vec<_> = all.iter().filter(|(position, _)| position % 11 == 0).collect();
        assert!(!expected.is_empty() && few.iter().eq(expected));
    }
    let expected = (0..20_000).filter(|n| n % 10 == 3 && n % 7 == 2).map(|n| n * 3);
    assert!(found.iter().copied().eq(expected));
    let range = segment.pick(0, None, (30, 36), &["session_id"], &|it| it[0] == Value::Null);
    assert_eq!(range.unwrap(), [(10, 30), (11, 33), (12, 36)]);
}

#[test]
fn what_is_not_there_is_an_error() {
    let (_, segment) = shared();
    let any = |_: &[Value<'_>]| true;
    for (group, column) in [(2, "agent_name"), (0, "no_such_column"), (0, "kind")] {
        let picked = segment.pick(group, None, (0, 1), &[column], &any);
        assert!(matches!(picked, Err(SegmentError::Damaged(_))), "{group} {column}");
    }
    let beyond = RowSet::new(vec![1, segment.rows_of(1)]);
    assert!(segment.rows_at(1, &beyond, Projection::All).is_err());
}
