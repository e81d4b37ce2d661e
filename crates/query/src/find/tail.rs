//! Which rows of the tail cannot hold an id that a filter names, without looking at them.
//!
//! The tail has no guides: it changes with every event. But who asks a library more than once is
//! answered faster by 16 bytes a row than by the rows: a small Bloom filter of the texts of its
//! metadata, made at the second question and kept beside the rows (`tail.rs` of this crate).

use crate::filter::Filter;
use crate::find::plan::named;
use std::hash::Hasher as _;

/// A Bloom filter of 128 bits, three for each text.
pub(crate) type Sketch = u128;

/// A row of which nothing is known may hold everything.
const ANYTHING: Sketch = Sketch::MAX;

/// What a filter asks of a row: one of each list must be there.
pub(crate) struct Wanted(Vec<Vec<Sketch>>);

impl Wanted {
    /// What a filter names; `None` when that is nothing.
    pub(crate) fn of(filter: &Filter) -> Option<Self> {
        let lists: Vec<Vec<Sketch>> = named(filter)
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(_, values)| values.iter().map(|value| text(value.as_bytes())).collect())
            .collect();
        (!lists.is_empty()).then_some(Self(lists))
    }

    /// False only when the row cannot hold it.
    pub(crate) fn may_be_in(&self, row: Sketch) -> bool {
        self.0.iter().all(|any| any.iter().any(|wanted| row & wanted == *wanted))
    }
}

/// The string values of stored metadata, at any level. An escape may spell any of them in another
/// way.
pub(crate) fn sketch(meta: &[u8]) -> Sketch {
    if meta.first() != Some(&b'{') || memchr::memchr(b'\\', meta).is_some() {
        return ANYTHING;
    }
    let mut sketch = 0;
    let mut quotes = memchr::memchr_iter(b'"', meta);
    while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
        // A key is no value.
        if meta.get(close + 1) != Some(&b':') {
            sketch |= text(meta.get(open + 1..close).unwrap_or_default());
        }
    }
    sketch
}

/// The bits of one text.
fn text(bytes: &[u8]) -> Sketch {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    let hash = hasher.finish();
    (0..3).fold(0, |bits, at| bits | 1 << (hash >> (7 * at) & 127))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(filter: &Filter) -> Wanted {
        Wanted::of(filter).unwrap()
    }

    #[test]
    fn a_row_is_passed_over_only_when_it_cannot_hold_what_is_named() {
        let filter = |trace: &str| Filter { traces: vec![trace.to_owned()], ..Filter::default() };
        let row = sketch(br#"{"event_id":"e-1","trace_id":"t-1","principal":{"subject":"ann"}}"#);
        assert!(wanted(&filter("t-1")).may_be_in(row));
        let others =
            (0..1000).filter(|n| wanted(&filter(&format!("x-{n}"))).may_be_in(row)).count();
        assert!(others < 50, "{others} of 1000 others");
        let by = Filter { principals: vec!["bob".into(), "ann".into()], ..filter("t-1") };
        assert!(wanted(&by).may_be_in(row));
        assert!(Wanted::of(&Filter::default()).is_none());
    }

    #[test]
    fn a_row_with_an_escape_or_that_is_no_object_may_hold_anything() {
        for meta in [&br#"{"trace_id":"t\u002d1"}"#[..], b"", b"\"t-1\""] {
            assert_eq!(sketch(meta), ANYTHING);
        }
    }

    #[test]
    fn a_value_that_is_written_with_an_escape_is_found_in_rows_with_escapes() {
        let filter = Filter { sessions: vec!["a \"b\"".to_owned()], ..Filter::default() };
        assert!(wanted(&filter).may_be_in(sketch(br#"{"session_id":"a \"b\""}"#)));
    }
}
