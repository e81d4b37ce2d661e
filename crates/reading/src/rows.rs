//! Rows made of records that are in no segment yet. Where there are many, they are made in a thread
//! of their own, beside the one that reads and decrypts: both take about as long.
//!
//! Not here: which records those are (`library.rs`).

use crate::reading::{Records, Run, kept};
use event::{Kind, Record};
use prove::{Kept, KeptContent};
use query::Tail;
use segment::{ContentState, Manifest, Row};
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::thread::{Builder, scope};

/// Records from which on a thread is worth its making. Logs of tests are short.
const THREAD_RECORDS_MIN: u64 = if cfg!(test) { 3 } else { 16_384 };

/// Bytes of frames that are handed over together: a thread that waits for each small one takes
/// longer than it works.
const HANDFUL_BYTES: usize = 256 << 10;

/// Handfuls that wait to be taken.
const HANDFULS_AHEAD: usize = 2;

/// Records that announce segments: index, and what each takes the place of.
pub(crate) type Announced = Vec<(u64, Vec<String>)>;

/// Rows on their way.
pub(crate) struct Rows {
    /// The indexes that are wanted.
    wanted: Range<u64>,
    /// How many there are.
    made: u64,
    announced: Announced,
    is_broken: bool,
}

impl Rows {
    /// Adds the records of some indexes to a tail, and says which of them announce segments; `None`
    /// when not all of them can be read.
    pub(crate) fn add(
        tail: &Tail,
        records: &mut Records<'_>,
        wanted: Range<u64>,
    ) -> Option<(Tail, Announced)> {
        let count = wanted.end.saturating_sub(wanted.start);
        let rows =
            || Self { wanted: wanted.clone(), made: 0, announced: Vec::new(), is_broken: false };
        let beside = match count {
            THREAD_RECORDS_MIN.. => rows().make_beside(tail, records),
            _ => None,
        };
        let (tail, rows) = beside.unwrap_or_else(|| {
            let runs = std::iter::from_fn(|| records.next_run(Vec::new));
            rows().make(tail, runs, drop)
        });
        (!rows.is_broken && rows.made == count).then_some((tail, rows.announced))
    }

    /// Makes rows of what another thread reads; `None` when there is no thread to be had, and
    /// nothing was read.
    fn make_beside(self, tail: &Tail, records: &mut Records<'_>) -> Option<(Tail, Self)> {
        scope(|scope| {
            // They belong to this closure: if it panics they are gone, and the thread ends.
            let (outbox, inbox) = sync_channel::<Vec<Run>>(HANDFULS_AHEAD);
            let (give_back, spare) = channel();
            let make = move || {
                let give_back = |payload| drop(give_back.send(payload));
                self.make(tail, inbox.into_iter().flatten(), give_back)
            };
            let thread = Builder::new().name("tacho-rows".to_owned());
            let thread = thread.spawn_scoped(scope, make).ok()?;
            while let Some(handful) = handful(records, &spare) {
                if outbox.send(handful).is_err() {
                    break;
                }
            }
            drop(outbox);
            match thread.join() {
                Ok(made) => Some(made),
                Err(panic) => resume_unwind(panic),
            }
        })
    }

    /// Adds rows to a tail; payloads of frames go back to where they came from.
    fn make(
        mut self,
        tail: &Tail,
        runs: impl Iterator<Item = Run>,
        give_back: impl Fn(Vec<u8>),
    ) -> (Tail, Self) {
        let tail = tail.and(runs.flat_map(|run| self.take(run, &give_back)));
        (tail, self)
    }

    fn take(&mut self, run: Run, give_back: &impl Fn(Vec<u8>)) -> Vec<Row> {
        match run {
            Run::Frame { payload, offset, index } => {
                let rows = self.of_frame(&payload, offset, index);
                give_back(payload);
                rows
            }
            Run::Row(row) if self.wanted.contains(&row.index) => {
                self.note(row.index, &kept(&row));
                vec![row]
            }
            Run::Row(_) => Vec::new(),
            Run::Unreadable => {
                self.is_broken = true;
                Vec::new()
            }
        }
    }

    fn of_frame(&mut self, payload: &[u8], offset: usize, index: u64) -> Vec<Row> {
        let (mut rest, mut rows) = (payload.get(offset..).unwrap_or_default(), Vec::new());
        for index in index..self.wanted.end {
            if rest.is_empty() {
                break;
            }
            let Ok((record, after)) = Record::decode(rest) else {
                self.is_broken = true;
                break;
            };
            rest = after;
            if self.wanted.contains(&index) {
                let record = Kept::from(&record);
                self.note(index, &record);
                rows.push(row(index, &record));
            }
        }
        rows
    }

    fn note(&mut self, index: u64, record: &Kept<'_>) {
        self.made += 1;
        self.announced.extend(replaced(record).map(|replaced| (index, replaced)));
    }
}

/// What there is to read next, some of it together; `None` at the end.
fn handful(records: &mut Records<'_>, spare: &Receiver<Vec<u8>>) -> Option<Vec<Run>> {
    let (mut runs, mut bytes) = (Vec::new(), 0);
    while bytes < HANDFUL_BYTES {
        let Some(run) = records.next_run(|| spare.try_recv().unwrap_or_default()) else { break };
        bytes += match &run {
            Run::Frame { payload, .. } => payload.len(),
            Run::Row(row) => row.meta.len() + row.content.bytes().len(),
            Run::Unreadable => HANDFUL_BYTES,
        };
        runs.push(run);
    }
    (!runs.is_empty()).then_some(runs)
}

/// What a segment takes the place of, if the record announces one.
fn replaced(record: &Kept<'_>) -> Option<Vec<String>> {
    if record.kind != Kind::Log || !segment::announces_segment(record.meta) {
        return None;
    }
    Some(Manifest::from_content(record.content.bytes()).ok()?.replaces)
}

fn row(index: u64, record: &Kept<'_>) -> Row {
    let content = match record.content {
        KeptContent::None => ContentState::None,
        KeptContent::Present { salt, bytes } => {
            ContentState::Present { salt, bytes: bytes.to_vec() }
        }
        KeptContent::Erased { commitment } => ContentState::Erased { commitment },
    };
    let Kept { kind, tier, time_ms, meta_salt, .. } = *record;
    Row { index, kind, tier, time_ms, meta: record.meta.to_vec(), meta_salt, content }
}
