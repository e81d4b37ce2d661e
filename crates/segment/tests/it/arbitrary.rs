//! Arbitrary metadata and content, not only JSON, come back byte for byte.
//!
//! Not here: arbitrary bytes in the place of a segment (`damage`).

use crate::records::{Owned, of_bytes, opened, written};
use proptest::prelude::*;
use segment::Projection;

/// Bytes with a bias to what the format treats specially.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..8),
        proptest::sample::select(vec![
            "{",
            "}",
            ",",
            "\"event_id\":",
            "\"x\"",
            "\"params\":",
            "\u{1a}",
            "\u{1a}a",
            "\u{1a}S",
            "\"cost\":{\"amount\":",
            "0.25",
            "1.50",
            "\"timestamp\":",
            "null",
            "\\",
            "\"",
            "\"1970-01-01T00:00:00.000000000Z\"",
            "\"tokens\":{\"input\":",
            "7",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_come_back(parts in proptest::collection::vec((bytes(), bytes()), 1..40)) {
        let records: Vec<Owned> = parts
            .iter()
            .zip(0..)
            .map(|((meta, content), index)| of_bytes(index, meta, content))
            .collect();
        let segment = opened(written(&records));
        let read = segment.rows(.., Projection::All).unwrap();
        let mut count = 0;
        for (row, owned) in read.zip(&records) {
            let row = row.unwrap();
            prop_assert_eq!(&row, &owned.row());
            prop_assert_eq!(row.commitment(), Some(owned.record().commitment()));
            count += 1;
        }
        prop_assert_eq!(count, records.len());
        let expected = |index| records.get(index as usize).map(|owned| owned.record().commitment());
        let mut findings = Vec::new();
        let verified = segment.verify(expected, |finding| findings.push(finding)).unwrap();
        prop_assert_eq!((verified.sound, findings), (count as u64, vec![]));
    }
}
