//! The records of a log as columns: what SQL and the fixed figures compute on.
//!
//! A log is a row of *chunks*: each row group of each segment, and the unsealed tail, cut into
//! pieces of the same size. A chunk's columns are decrypted and decoded when they are asked for,
//! and the ones that are asked for again stay in memory in a compact form (`column.rs`), up to a
//! budget (`cache.rs`). Which columns there are stands in `table.rs`.
//!
//! Not here: opening segments and reading the journal (the caller), and what is asked (`sql`,
//! `figures`).

mod cache;
mod column;
mod load;
mod table;

pub(crate) use column::{Column, NO_WORD};
pub(crate) use table::{Field, From, field, fields, schema};

use crate::library::Library;
use crate::tail::Tail;
use cache::Cache;
use segment::{Segment, SegmentError};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Rows of the tail in a chunk: as many as a row group has.
const TAIL_CHUNK_ROWS: usize = segment::ROW_GROUP_ROWS_MAX;

/// Columns of the metadata that one report or another asks for.
const TAIL_COMPANIONS: [&str; 19] = [
    "timestamp",
    "event_type",
    "outcome",
    "error_type",
    "agent_name",
    "agent_id",
    "duration_ms",
    "action",
    "tool",
    "approver",
    "tokens_input",
    "tokens_output",
    "tokens_cache_read",
    "tokens_cache_write",
    "tokens_reasoning",
    "tokens_total",
    "cost_amount",
    "cost_currency",
    "trace_id",
];

/// Bytes of decoded columns that stay in memory, unless told otherwise.
pub const CACHE_BYTES: usize = 192 << 20;

/// The same of the tail: it ends where a journal file begins to be made segments of.
const TAIL_CACHE_BYTES: usize = 64 << 20;

/// Part of the log's rows.
#[derive(Clone)]
struct Chunk {
    place: Place,
    /// Rows, the ones beyond the checkpoint left out.
    rows: usize,
    first_index: u64,
}

/// Where a chunk's columns come from.
#[derive(Clone)]
enum Place {
    /// A row group: positions of the segment and of the group in it.
    Group(usize, usize),
    /// Rows of no segment yet: positions in the tail.
    Tail(Range<usize>),
}

/// Told, by several threads, how many rows a pass has counted, and how many there are in all.
type Watch = Box<dyn Fn(u64, u64) + Send + Sync>;

/// The records of a log as of one checkpoint, as columns.
pub struct Columns {
    segments: Vec<Segment>,
    tail: Tail,
    chunks: Vec<Chunk>,
    /// Of the row groups' columns.
    cache: Cache,
    /// Of the tail's: each is looked for in the text of every row, so row groups must not leave
    /// them without room.
    tail_cache: Cache,
    threads: usize,
    watch: Option<Watch>,
}

impl Columns {
    /// The records with an index below `size`: those of the segments that count, and those of the
    /// tail, in ascending order of index, that are in none of these. `cache_bytes` of decoded
    /// columns stay in memory.
    ///
    /// # Errors
    /// [`SegmentError`] when a footer makes no sense.
    pub fn new(
        segments: Vec<Segment>,
        tail: impl Into<Tail>,
        size: u64,
        cache_bytes: usize,
    ) -> Result<Self, SegmentError> {
        let mut tail = tail.into();
        let mut chunks = Vec::new();
        let mut known = HashSet::new();
        for (place, segment) in segments.iter().enumerate() {
            for (group, told) in segment.row_groups()?.iter().enumerate() {
                let (first, last) = told.indexes;
                let mut rows = usize::try_from(told.rows).unwrap_or(usize::MAX);
                let meets_tail = tail.runs((first, last)).next().is_some();
                if last >= size || meets_tail {
                    let indexes = load::indexes(segment, group)?;
                    rows = indexes.partition_point(|index| *index < size);
                    known.extend(indexes);
                }
                if rows > 0 {
                    let place = Place::Group(place, group);
                    chunks.push(Chunk { place, rows, first_index: first });
                }
            }
        }
        if tail.iter().any(|row| known.contains(&row.index)) {
            let unknown = tail.iter().filter(|row| !known.contains(&row.index)).cloned();
            tail = Tail::default().and(unknown);
        }
        let covered = tail.covered_by(size);
        for from in (0..covered).step_by(TAIL_CHUNK_ROWS) {
            let positions = from..(from + TAIL_CHUNK_ROWS).min(covered);
            let (rows, first_index) = (positions.len(), tail.get(from).map_or(0, |row| row.index));
            chunks.push(Chunk { place: Place::Tail(positions), rows, first_index });
        }
        chunks.sort_by_key(|chunk| chunk.first_index);
        let (cache, tail_cache) = (Cache::new(cache_bytes), Cache::new(TAIL_CACHE_BYTES));
        let (threads, watch) = (threads(), None);
        Ok(Self { segments, tail, chunks, cache, tail_cache, threads, watch })
    }

    /// The records of a library.
    ///
    /// # Errors
    /// As [`new`](Self::new), and what opening a segment says.
    pub fn of(library: &Library, cache_bytes: usize) -> Result<Self, SegmentError> {
        // A footer tells of every column of every row group: of many segments that is some work.
        let volumes = library.volumes();
        let open = |at: usize| volumes.get(at).map(|volume| volume.segment().cloned()).transpose();
        let segments = on_threads(volumes.len(), threads(), open)?.into_iter().flatten().collect();
        Self::new(segments, library.whole_tail().clone(), library.as_of().size, cache_bytes)
    }

    /// The same; every figure tells `watch` how far it is: rows counted, and rows in all. A report
    /// of several figures begins at nothing again with each.
    #[must_use]
    pub fn watched(self, watch: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self { watch: Some(Box::new(watch)), ..self }
    }

    /// Chunks.
    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// Rows of a chunk.
    pub(crate) fn rows_in(&self, chunk: usize) -> usize {
        self.chunks.get(chunk).map_or(0, |chunk| chunk.rows)
    }

    /// Records in all.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.rows as u64).sum()
    }

    /// Threads that a question may use.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Begins a question: columns that it has used itself are not pushed out by others of its own.
    pub(crate) fn begin(&self) -> Question {
        Question(self.cache.begin())
    }

    /// Columns of a chunk, in the order of `wanted`.
    pub(crate) fn columns(
        &self,
        question: Question,
        chunk: usize,
        wanted: &[Field],
    ) -> Result<Vec<Arc<Column>>, SegmentError> {
        let Some(there) = self.chunks.get(chunk) else { return Ok(Vec::new()) };
        let (key, cache) = (|field: &Field| (chunk, field.position), self.cache_of(there));
        let mut found: Vec<Option<Arc<Column>>> =
            wanted.iter().map(|field| cache.get(question.0, key(field))).collect();
        let missing: Vec<Field> = wanted
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
            .map(|(field, _)| *field)
            .collect();
        if !missing.is_empty() {
            let missing = self.with_companions(question, chunk, there, missing);
            let loaded = load::load(&self.segments, &self.tail, there, &missing)?;
            for (field, column) in missing.iter().zip(loaded) {
                if field.is_cached() {
                    cache.put(question.0, key(field), &column);
                }
                for (slot, _) in
                    found.iter_mut().zip(wanted).filter(|(_, w)| w.position == field.position)
                {
                    *slot = Some(Arc::clone(&column));
                }
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn cache_of(&self, chunk: &Chunk) -> &Cache {
        match chunk.place {
            Place::Group(..) => &self.cache,
            Place::Tail(_) => &self.tail_cache,
        }
    }

    /// In the tail a column is looked for in the text of every row: whoever asks for one of those
    /// that reports ask for gets the others, too, for whoever asks next.
    fn with_companions(
        &self,
        question: Question,
        chunk: usize,
        there: &Chunk,
        mut missing: Vec<Field>,
    ) -> Vec<Field> {
        let is_tail = matches!(there.place, Place::Tail(_));
        if is_tail && missing.iter().any(|field| TAIL_COMPANIONS.contains(&field.name)) {
            let others = TAIL_COMPANIONS.iter().filter_map(|name| field(name));
            let held = |it: &Field| self.tail_cache.get(question.0, (chunk, it.position)).is_some();
            for other in others.filter(|it| it.is_cached() && !held(it)) {
                if missing.iter().all(|field| field.position != other.position) {
                    missing.push(other);
                }
            }
        }
        missing
    }

    /// Texts of some rows of a chunk, which are never kept: `mask` says which rows.
    pub(crate) fn texts(
        &self,
        chunk: usize,
        mask: Option<&arrow_array::BooleanArray>,
    ) -> Result<load::Texts, SegmentError> {
        let Some(there) = self.chunks.get(chunk) else { return Ok(load::Texts::default()) };
        load::texts(&self.segments, &self.tail, there, mask)
    }

    /// Does something for every chunk, on several threads, and hands the outcomes over in the order
    /// of the chunks, so that what is made of them does not depend on which thread was faster.
    pub(crate) fn each<T: Send>(
        &self,
        work: impl Fn(usize) -> Result<T, SegmentError> + Sync,
    ) -> Result<Vec<T>, SegmentError> {
        let (counted, total) = (AtomicU64::new(0), self.row_count());
        on_threads(self.chunks.len(), self.threads, |chunk| {
            let outcome = work(chunk);
            if let Some(watch) = &self.watch {
                let rows = self.rows_in(chunk) as u64;
                watch(counted.fetch_add(rows, Ordering::Relaxed) + rows, total);
            }
            outcome
        })
    }

    /// What the footers say about a stored column: for each chunk the least and the greatest value.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The row group that a chunk is: positions of the segment and of the group in it; `None` for
    /// the tail.
    pub(crate) fn group_of(&self, chunk: usize) -> Option<(usize, usize)> {
        match self.chunks.get(chunk)?.place {
            Place::Group(segment, group) => Some((segment, group)),
            Place::Tail(_) => None,
        }
    }

    /// Whether a chunk is part of the tail.
    pub(crate) fn is_tail(&self, chunk: usize) -> bool {
        self.group_of(chunk).is_none()
    }

    /// The earliest and the latest time of the events of a chunk, where its footer tells them and
    /// every one has a time: Unix nanoseconds.
    pub(crate) fn times_of(&self, chunk: usize) -> Option<(i64, i64)> {
        let (segment, group) = self.group_of(chunk)?;
        self.segments.get(segment)?.times_of(group)
    }
}

/// As many threads as there are cores.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does something for each of `count` things, on several threads, and puts the outcomes in their
/// order.
fn on_threads<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T, SegmentError> + Sync,
) -> Result<Vec<T>, SegmentError> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return done;
            }
            done.push((at, work(at)));
        }
    };
    let mut done: Vec<(usize, Result<T, SegmentError>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            // A thread that panicked leaves some out, which is found below.
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    if done.len() != count {
        return Err(SegmentError::Damaged("a reader gave up".to_owned()));
    }
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} segments, {} chunks", self.segments.len(), self.chunks.len())
    }
}

/// One question, as the cache sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question(u64);

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Kind, Tier};
    use segment::{ContentState, Row};

    #[test]
    fn columns_of_the_tail_are_made_once_though_row_groups_fill_the_cache() {
        let row = Row {
            index: 0,
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 0,
            meta: br#"{"event_id":"e","agent_name":"planner"}"#.to_vec(),
            meta_salt: [0; 16],
            content: ContentState::None,
        };
        let columns = Columns::new(Vec::new(), vec![row], 1, 0).unwrap();
        let ask = || columns.columns(columns.begin(), 0, &[field("agent_name").unwrap()]).unwrap();
        let (first, again) = (ask(), ask());
        assert_eq!(first[0].text(0), Some("planner"));
        assert!(Arc::ptr_eq(&first[0], &again[0]));
    }
}
