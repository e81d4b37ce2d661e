//! Which rows of the tail cannot hold an id that a filter names, without looking at them.
//!
//! The tail has no guides: it changes with every event. But who asks a library more than once is
//! answered faster by a few bytes a row than by the rows: a Bloom filter of the texts of the
//! metadata of each piece, and a small one for each of its rows, made at the second question and
//! kept beside the rows (`tail.rs` of this crate).

use crate::filter::Filter;
use crate::find::plan::named;
use segment::Row;
use std::hash::Hasher as _;
use std::ops::Range;

/// A Bloom filter of 128 bits for one row, three for each text.
type Sketch = u128;

/// A row of which nothing is known may hold everything.
const ANYTHING: Sketch = Sketch::MAX;

/// Bits of the Bloom filter of a piece: of its 2,048 rows' texts, some ten thousand different ones,
/// one in a few hundred is taken for another.
const PIECE_BITS: u64 = 1 << 17;

/// What a filter asks of a row: one of each list must be there.
pub(crate) struct Wanted(Vec<Vec<Text>>);

/// One text, as both filters know it.
#[derive(Clone, Copy)]
struct Text {
    hash: u64,
    sketch: Sketch,
}

impl Text {
    fn of(bytes: &[u8]) -> Self {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write(bytes);
        let hash = hasher.finish();
        Self { hash, sketch: (0..3).fold(0, |bits, at| bits | 1 << (hash >> (7 * at) & 127)) }
    }

    /// Its bits in the filter of a piece: words, and the bit of each.
    fn bits(self) -> impl Iterator<Item = (usize, u64)> {
        (0..3).map(move |at| {
            let bit = (self.hash >> (21 * at)) % PIECE_BITS;
            (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
        })
    }
}

impl Wanted {
    /// What a filter names; `None` when that is nothing.
    pub(crate) fn of(filter: &Filter) -> Option<Self> {
        let lists: Vec<Vec<Text>> = named(filter)
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(_, values)| values.iter().map(|value| Text::of(value.as_bytes())).collect())
            .collect();
        (!lists.is_empty()).then_some(Self(lists))
    }

    fn is_met(&self, may_hold: impl Fn(&Text) -> bool) -> bool {
        self.0.iter().all(|any| any.iter().any(&may_hold))
    }
}

/// What is known of the texts of a piece of the tail.
#[derive(Clone)]
pub(crate) struct Sketches {
    rows: Vec<Sketch>,
    all: Box<[u64]>,
    /// Some row may hold everything.
    has_unknown: bool,
}

impl Sketches {
    /// Those of these rows.
    pub(crate) fn of(rows: &[Row]) -> Self {
        let all = vec![0; usize::try_from(PIECE_BITS / 64).unwrap_or(0)].into_boxed_slice();
        let mut sketches = Self { rows: Vec::with_capacity(rows.len()), all, has_unknown: false };
        rows.iter().for_each(|row| sketches.push(&row.meta));
        sketches
    }

    /// The string values of stored metadata, at any level. An escape may spell any of them in
    /// another way.
    fn push(&mut self, meta: &[u8]) {
        if meta.first() != Some(&b'{') || memchr::memchr(b'\\', meta).is_some() {
            self.rows.push(ANYTHING);
            self.has_unknown = true;
            return;
        }
        let mut sketch = 0;
        let mut quotes = memchr::memchr_iter(b'"', meta);
        while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
            // A key is no value.
            if meta.get(close + 1) != Some(&b':') {
                let text = Text::of(meta.get(open + 1..close).unwrap_or_default());
                sketch |= text.sketch;
                for (word, bit) in text.bits() {
                    if let Some(word) = self.all.get_mut(word) {
                        *word |= bit;
                    }
                }
            }
        }
        self.rows.push(sketch);
    }

    /// Those of these rows from `from` on, and behind them those of others.
    pub(crate) fn and(&self, from: usize, next: &Self, next_from: usize) -> Self {
        let rows = [(self, from), (next, next_from)];
        let rows = rows.map(|(it, from)| it.rows.get(from..).unwrap_or_default()).concat();
        let all = self.all.iter().zip(&next.all).map(|(one, other)| one | other).collect();
        Self { rows, all, has_unknown: self.has_unknown || next.has_unknown }
    }

    /// False only when no row can hold it.
    pub(crate) fn may_hold(&self, wanted: &Wanted) -> bool {
        let has = |(word, bit)| self.all.get(word).is_some_and(|word: &u64| word & bit != 0);
        self.has_unknown || wanted.is_met(|text| text.bits().all(has))
    }

    /// For each of these rows: false only when it cannot hold it.
    pub(crate) fn rows(&self, rows: Range<usize>, wanted: &Wanted) -> impl Iterator<Item = bool> {
        let rows = self.rows.get(rows).unwrap_or_default().iter();
        rows.map(|row| wanted.is_met(|text| row & text.sketch == text.sketch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(filter: &Filter) -> Wanted {
        Wanted::of(filter).unwrap()
    }

    fn row(meta: &[u8]) -> Row {
        Row {
            index: 0,
            kind: event::Kind::Event,
            tier: event::Tier::Info,
            time_ms: 0,
            meta: meta.to_vec(),
            meta_salt: [0; 16],
            content: segment::ContentState::None,
        }
    }

    fn trace(trace: &str) -> Filter {
        Filter { traces: vec![trace.to_owned()], ..Filter::default() }
    }

    fn may_hold(sketches: &Sketches, filter: &Filter) -> Vec<bool> {
        sketches.rows(0..sketches.rows.len(), &wanted(filter)).collect()
    }

    #[test]
    fn a_row_is_passed_over_only_when_it_cannot_hold_what_is_named() {
        let meta = br#"{"event_id":"e-1","trace_id":"t-1","principal":{"subject":"ann"}}"#;
        let sketches = Sketches::of(&[row(meta), row(br#"{"trace_id":"t-2"}"#)]);
        assert_eq!(may_hold(&sketches, &trace("t-1")), [true, false]);
        let others = (0..1000).filter(|n| may_hold(&sketches, &trace(&format!("x-{n}")))[0]);
        assert!(others.count() < 50);
        let by = Filter { principals: vec!["bob".into(), "ann".into()], ..trace("t-1") };
        assert_eq!(may_hold(&sketches, &by), [true, false]);
        assert!(Wanted::of(&Filter::default()).is_none());
    }

    #[test]
    fn a_piece_is_passed_over_only_when_no_row_can_hold_what_is_named() {
        let meta = |n: usize| format!("{{\"event_id\":\"e-{n}\",\"trace_id\":\"t-{}\"}}", n / 10);
        let rows: Vec<Row> = (0..2048).map(|n| row(meta(n).as_bytes())).collect();
        let (first, second) = rows.split_at(700);
        let both = Sketches::of(first).and(0, &Sketches::of(second), 0);
        for sketches in [Sketches::of(&rows), both] {
            for n in 0..2048 {
                assert!(sketches.may_hold(&wanted(&trace(&format!("t-{}", n / 10)))), "{n}");
            }
            let others =
                (0..1000).filter(|n| sketches.may_hold(&wanted(&trace(&format!("x-{n}")))));
            assert!(others.count() < 20);
        }
    }

    #[test]
    fn a_row_with_an_escape_or_that_is_no_object_may_hold_anything() {
        for meta in [&br#"{"trace_id":"t\u002d1"}"#[..], b"", b"\"t-1\""] {
            let sketches = Sketches::of(&[row(meta), row(b"{}")]);
            assert_eq!(may_hold(&sketches, &trace("t-1")), [true, false]);
            assert!(sketches.may_hold(&wanted(&trace("t-1"))));
            let behind = Sketches::of(&[row(b"{}")]).and(0, &sketches, 0);
            assert!(behind.may_hold(&wanted(&trace("t-1"))));
        }
    }

    #[test]
    fn a_value_that_is_written_with_an_escape_is_found_in_rows_with_escapes() {
        let filter = Filter { sessions: vec!["a \"b\"".to_owned()], ..Filter::default() };
        let sketches = Sketches::of(&[row(br#"{"session_id":"a \"b\""}"#)]);
        assert_eq!(may_hold(&sketches, &filter), [true]);
    }
}
