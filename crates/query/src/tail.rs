//! The records that no segment has yet, in pieces that do not change: a library of a later
//! checkpoint shares them, and adds what is new.
//!
//! Not here: which rows of it a question looks at (`find`).

use crate::find::{Sketches, Wanted};
use segment::Row;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Most rows of a piece: as many as are judged together.
const PIECE_ROWS: usize = 2048;

/// Records in ascending order of their indexes. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tail {
    pieces: Vec<Piece>,
    /// Whether somebody asked for something that sketches tell. Who asks first goes without.
    was_asked: Arc<AtomicBool>,
}

/// Rows of a tail that belong to one piece.
pub(crate) struct TailRun {
    piece: usize,
    rows: Range<usize>,
}

#[derive(Clone)]
struct Piece {
    chunk: Arc<Chunk>,
    /// Where in the chunk those begin that count.
    from: usize,
    /// The position in the tail of the first of them.
    at: usize,
}

struct Chunk {
    rows: Vec<Row>,
    sketches: OnceLock<Sketches>,
}

impl Tail {
    /// How many records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.at + piece.rows().len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The indexes of the first record and of the last.
    #[must_use]
    pub fn span(&self) -> Option<(u64, u64)> {
        let first = self.pieces.first()?.rows().first()?.index;
        Some((first, self.pieces.last()?.rows().last()?.index))
    }

    /// The record at a position.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&Row> {
        let behind = self.pieces.partition_point(|piece| piece.at <= at);
        let piece = self.pieces.get(behind.checked_sub(1)?)?;
        piece.rows().get(at - piece.at)
    }

    /// The records, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.pieces().flatten()
    }

    /// The same in the pieces that they lie in; tails share them.
    pub fn pieces(&self) -> impl Iterator<Item = &[Row]> {
        self.pieces.iter().map(Piece::rows)
    }

    /// The records at these positions, in order.
    pub(crate) fn rows_at(&self, positions: Range<usize>) -> impl Iterator<Item = &Row> {
        let first = self.pieces.partition_point(|piece| piece.at <= positions.start);
        let pieces = self.pieces.get(first.saturating_sub(1)..).unwrap_or_default();
        let begun = pieces.first().map_or(0, |piece| positions.start.saturating_sub(piece.at));
        pieces.iter().flat_map(Piece::rows).skip(begun).take(positions.len())
    }

    /// How many of the records, all at its beginning, have an index below `size`.
    pub(crate) fn covered_by(&self, size: u64) -> usize {
        let covered = |piece: &Piece| piece.rows().partition_point(|row| row.index < size);
        self.pieces.iter().map(covered).sum()
    }

    /// The records from `index` on.
    #[must_use]
    pub fn from_index(&self, index: u64) -> Self {
        let mut tail = Self { pieces: Vec::new(), was_asked: Arc::clone(&self.was_asked) };
        for piece in &self.pieces {
            let gone = piece.rows().partition_point(|row| row.index < index);
            if gone < piece.rows().len() {
                let (chunk, from) = (Arc::clone(&piece.chunk), piece.from + gone);
                tail.pieces.push(Piece { chunk, from, at: tail.len() });
            }
        }
        tail
    }

    /// These records, and behind them others. Small pieces become one: each record is copied a few
    /// times at most, however few come at a time, and pieces stay few.
    #[must_use]
    pub fn and(&self, rows: impl IntoIterator<Item = Row>) -> Self {
        let mut tail = self.clone();
        let mut rows = rows.into_iter();
        loop {
            let rows: Vec<Row> = rows.by_ref().take(PIECE_ROWS).collect();
            if rows.is_empty() {
                return tail;
            }
            let chunk = Arc::new(Chunk { rows, sketches: OnceLock::new() });
            tail.pieces.push(Piece { chunk, from: 0, at: tail.len() });
            while let [.., before, last] = tail.pieces.as_slice()
                && before.is_to_be_one_with(last)
            {
                let both = before.and(last);
                tail.pieces.truncate(tail.pieces.len() - 2);
                tail.pieces.push(both);
            }
        }
    }

    /// The runs of records in a range of indexes, both ends included, each with the indexes of its
    /// first record and its last.
    pub(crate) fn runs(
        &self,
        (first, last): (u64, u64),
    ) -> impl Iterator<Item = (TailRun, (u64, u64))> {
        self.pieces.iter().enumerate().filter_map(move |(at, piece)| {
            let from = piece.rows().partition_point(|row| row.index < first);
            let to = piece.rows().partition_point(|row| row.index <= last);
            let rows = piece.rows().get(from..to)?;
            let indexes = (rows.first()?.index, rows.last()?.index);
            Some((TailRun { piece: at, rows: from..to }, indexes))
        })
    }

    /// The rows of a run, each with its position in the tail.
    pub(crate) fn rows_of(&self, run: &TailRun) -> impl Iterator<Item = (usize, &Row)> {
        let piece = self.pieces.get(run.piece);
        let at = piece.map_or(0, |piece| piece.at) + run.rows.start;
        let rows = piece.and_then(|piece| piece.rows().get(run.rows.clone()));
        rows.unwrap_or_default().iter().enumerate().map(move |(place, row)| (at + place, row))
    }

    /// False only when it is known that no row of a run can hold what is wanted.
    pub(crate) fn may_hold(&self, run: &TailRun, wanted: &Wanted) -> bool {
        let sketches = self.pieces.get(run.piece).and_then(|piece| piece.chunk.sketches.get());
        sketches.is_none_or(|sketches| sketches.may_hold(wanted))
    }

    /// The rows of a run that may hold what is wanted, each with its position in the tail.
    pub(crate) fn rows_that_may_hold<'t>(
        &'t self,
        run: &TailRun,
        wanted: &Wanted,
    ) -> Vec<(usize, &'t Row)> {
        let Some(Piece { chunk, from, .. }) = self.pieces.get(run.piece) else { return Vec::new() };
        let sketches = chunk.sketches.get_or_init(|| Sketches::of(&chunk.rows));
        if !sketches.may_hold(wanted) {
            return Vec::new();
        }
        let rows = from + run.rows.start..from + run.rows.end;
        let may_hold = sketches.rows(rows, wanted);
        self.rows_of(run)
            .zip(may_hold)
            .filter_map(|(row, may_hold)| may_hold.then_some(row))
            .collect()
    }

    /// Whether sketches are worth their making: whoever asks for the first time goes without.
    pub(crate) fn is_asked_again(&self) -> bool {
        self.was_asked.swap(true, Ordering::Relaxed)
    }
}

impl From<Vec<Row>> for Tail {
    fn from(rows: Vec<Row>) -> Self {
        Self::default().and(rows)
    }
}

impl Piece {
    fn rows(&self) -> &[Row] {
        self.chunk.rows.get(self.from..).unwrap_or_default()
    }

    fn is_to_be_one_with(&self, next: &Self) -> bool {
        let (this, next) = (self.rows().len(), next.rows().len());
        this < 2 * next && this + next <= PIECE_ROWS
    }

    fn and(&self, next: &Self) -> Self {
        let rows = [self.rows(), next.rows()].concat();
        let sketches = match [self, next].map(|it| it.chunk.sketches.get()) {
            [Some(these), Some(others)] => OnceLock::from(these.and(self.from, others, next.from)),
            _ => OnceLock::new(),
        };
        Self { chunk: Arc::new(Chunk { rows, sketches }), from: 0, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use event::{Kind, Tier};
    use segment::ContentState;

    fn row(index: u64) -> Row {
        Row {
            index,
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 0,
            meta: format!("{{\"event_id\":\"e-{index}\"}}").into_bytes(),
            meta_salt: [0; 16],
            content: ContentState::None,
        }
    }

    fn indexes(tail: &Tail) -> Vec<u64> {
        tail.iter().map(|row| row.index).collect()
    }

    #[test]
    fn a_tail_that_grows_and_loses_its_beginning_holds_what_a_list_would() {
        let (mut tail, mut first, mut end) = (Tail::default(), 0, 0);
        for step in 0..600_u64 {
            let more = [1, 7, 0, 300, 2][(step % 5) as usize];
            tail = tail.and((end..end + more).map(row));
            end += more;
            if step % 7 == 0 {
                first = (first + 5 * step).min(end);
                tail = tail.from_index(first);
            }
            assert_eq!(indexes(&tail), (first..end).collect::<Vec<_>>(), "{step}");
            assert_eq!(tail.len() as u64, end - first);
            assert_eq!(tail.span(), (first < end).then(|| (first, end - 1)));
            assert!(tail.pieces().count() <= 12 + 2 * tail.len() / PIECE_ROWS, "{step}");
            for at in [0, tail.len() / 2, tail.len().saturating_sub(1)] {
                assert_eq!(tail.get(at).map(|row| row.index), tail.iter().nth(at).map(|r| r.index));
                let rows = tail.rows_at(at..tail.len().min(at + 3_000)).map(|row| row.index);
                assert!(rows.eq(tail.iter().skip(at).take(3_000).map(|row| row.index)), "{at}");
            }
            let middle = first.midpoint(end);
            assert_eq!(tail.covered_by(middle) as u64, middle - first);
        }
        assert!(tail.get(tail.len()).is_none());
    }

    #[test]
    fn what_a_tail_is_made_of_is_shared_with_the_tail_that_follows() {
        let tail = Tail::from((0..10_000).map(row).collect::<Vec<_>>());
        let next = tail.and([row(10_000)]).from_index(3_000);
        let begins = |tail: &Tail| tail.pieces().map(<[Row]>::as_ptr_range).collect::<Vec<_>>();
        let (before, after) = (begins(&tail), begins(&next));
        assert_eq!(before[2..4], after[1..3]);
        assert_eq!(before[1].end, after[0].end);
        assert_eq!(next.iter().count(), 7_001);
    }

    #[test]
    fn sketches_stay_beside_their_rows() {
        let event = |id: &str| Filter { events: vec![id.to_owned()], ..Filter::default() };
        let found = |tail: &Tail, id: &str| {
            let wanted = Wanted::of(&event(id)).unwrap();
            let runs: Vec<TailRun> = tail.runs((300, 599)).map(|(run, _)| run).collect();
            let rows = runs.iter().flat_map(|run| tail.rows_that_may_hold(run, &wanted));
            rows.map(|(at, row)| (at, row.index)).collect::<Vec<_>>()
        };
        let tail = Tail::from((0..500).map(row).collect::<Vec<_>>()).from_index(100);
        let (run, _) = tail.runs((300, 599)).next().unwrap();
        let may_hold = |id: &str| tail.may_hold(&run, &Wanted::of(&event(id)).unwrap());
        assert!(may_hold("e-1000"), "nothing is known of a piece that nobody asked");
        assert!(found(&tail, "e-400").contains(&(300, 400)));
        assert!(may_hold("e-400"));
        assert!((1000..1100).filter(|n| may_hold(&format!("e-{n}"))).count() < 10);
        let next = tail.and((500..600).map(row));
        for index in 300..600_u64 {
            let rows = found(&next, &format!("e-{index}"));
            assert!(rows.contains(&(index as usize - 100, index)), "{index}: {rows:?}");
            assert!(rows.len() < 20, "{index}: {}", rows.len());
        }
    }
}
