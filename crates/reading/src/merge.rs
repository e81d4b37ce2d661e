//! The records of a range of indexes out of the segments that hold them: one after the other,
//! although each segment has only those of one tier and day.
//!
//! Batches of rows are in memory, never whole segments; a segment is opened when its first record
//! may come next. Damage is told where the records would have come. Not here: which segments there
//! are (`shelf.rs`), the journal (`journal.rs`).

mod ahead;

use crate::faults::Faults;
use crate::shelf::{Shelf, Volume};
use crate::source::FileSource;
use crate::walk::{Placed, Step};
use ahead::{Ahead, Found};
use keys::Keyring;
use prove::FindingKind;
use segment::{Examined, Fault, Row, Segment, SegmentError};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use store::Folder;

/// Records handed out at a time, and their bytes: enough to make handing over cheap.
const BATCH_ROWS: usize = 1024;
const BATCH_BYTES: usize = 4 << 20;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Where segments are opened.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    /// The log's folder.
    pub(crate) folder: &'a Arc<dyn Folder>,
    /// Its keys.
    pub(crate) keyring: &'a Keyring,
    /// Whether to compare the columns of every row with its bytes.
    pub(crate) columns: bool,
}

/// A range of indexes that is read from segments.
pub(crate) struct Merge {
    /// The index that comes next.
    next: u64,
    /// The index after the range.
    end: u64,
    /// Segments with records of the range that were not opened yet.
    waiting: VecDeque<Volume>,
    heads: Vec<Head>,
    broken: Vec<Broken>,
    /// Whether a file was gone that had been there.
    is_stale: bool,
}

/// The rows of a segment, one after the other.
type FoundRows = Box<dyn Iterator<Item = Found> + Send>;

/// An opened segment and the row that it has next.
struct Head {
    volume: Volume,
    rows: FoundRows,
    row: Row,
}

/// Records of one segment that cannot be read: those of the range that nobody else hands out.
struct Broken {
    indexes: (u64, u64),
    file: Arc<str>,
    detail: String,
    /// Whether the file is not there.
    is_gone: bool,
}

impl Merge {
    /// The records from `first` to before `end`.
    pub(crate) fn new(shelf: &Shelf, first: u64, end: u64) -> Self {
        let overlaps =
            |it: &&Volume| first <= it.manifest.last && it.manifest.first < end && first < end;
        let waiting = shelf.volumes.iter().filter(overlaps).cloned().collect();
        let (heads, broken) = (Vec::new(), Vec::new());
        Self { next: first, end, waiting, heads, broken, is_stale: false }
    }

    /// Where it stands: the index that comes next, and the one after the last.
    pub(crate) fn place(&self) -> (u64, u64) {
        (self.next, self.end)
    }

    /// Whether a file was gone that should be there: the segments may have changed meanwhile.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// What comes next; `None` at the end of the range.
    pub(crate) fn next(&mut self, access: &Access<'_>, faults: &mut Faults) -> Option<Step> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            self.open_due(access, faults);
            let Some(at) = self.nearest() else { break };
            let Some(head) = self.heads.get_mut(at) else { break };
            if head.row.index > self.next {
                break;
            }
            let following = self.next.max(head.row.index.saturating_add(1));
            let range = (following, self.end);
            let following = pull(&head.volume, &mut *head.rows, range, faults);
            let is_announced = head.volume.is_announced;
            let Some((row, file)) = self.follow(at, following) else { break };
            if row.index == self.next {
                self.next += 1;
                bytes += row.meta.len() + row.content.bytes().len();
                rows.push(Placed { file, row });
            } else if is_announced {
                let detail = "its record is in another segment too";
                faults.of_record(FindingKind::Unannounced, row.index, &file, detail);
            }
        }
        if !rows.is_empty() {
            return Some(Step::Rows { rows });
        }
        let known = self.nearest().and_then(|at| self.heads.get(at)).map(|head| head.row.index);
        self.gap(known.unwrap_or(self.end).min(self.end))
    }

    /// Opens the segments whose first record may come next.
    fn open_due(&mut self, access: &Access<'_>, faults: &mut Faults) {
        while let Some(volume) = self.waiting.front() {
            let nearest = self.nearest().and_then(|at| self.heads.get(at));
            if nearest.is_some_and(|head| head.row.index < volume.manifest.first) {
                return;
            }
            let Some(volume) = self.waiting.pop_front() else { return };
            match open(access, &volume, self.next, faults) {
                Ok(Some(rows)) => self.begin(volume, rows, faults),
                Ok(None) => {}
                Err((detail, is_gone)) => {
                    let indexes = (volume.manifest.first, volume.manifest.last);
                    self.broken.push(Broken { indexes, file: volume.path, detail, is_gone });
                    self.is_stale |= is_gone;
                }
            }
        }
    }

    /// Takes an opened segment up, with the first row that it has for the range.
    fn begin(&mut self, volume: Volume, mut rows: FoundRows, faults: &mut Faults) {
        let range = (self.next, self.end);
        let following = pull(&volume, &mut *rows, range, faults);
        self.remember(following.broken, following.is_stale);
        if let Some(row) = following.row {
            self.heads.push(Head { volume, rows, row });
        }
    }

    /// Puts a head's following row in the place of the one that it has, which is returned.
    fn follow(&mut self, at: usize, following: Following) -> Option<(Row, Arc<str>)> {
        self.remember(following.broken, following.is_stale);
        let Some(next) = following.row else {
            let head = self.heads.swap_remove(at);
            return Some((head.row, head.volume.path));
        };
        let head = self.heads.get_mut(at)?;
        Some((std::mem::replace(&mut head.row, next), Arc::clone(&head.volume.path)))
    }

    fn remember(&mut self, broken: Vec<Broken>, is_stale: bool) {
        self.broken.extend(broken);
        self.is_stale |= is_stale;
    }

    /// The head with the lowest index; of several one that was announced.
    fn nearest(&self) -> Option<usize> {
        let order = |head: &Head| (head.row.index, !head.volume.is_announced);
        (0..self.heads.len()).min_by_key(|at| self.heads.get(*at).map(order))
    }

    /// The records up to `known`, which no segment hands out; as many as have the same reason.
    fn gap(&mut self, known: u64) -> Option<Step> {
        let first_index = self.next;
        if first_index >= known {
            return None;
        }
        self.broken.retain(|broken| broken.indexes.1 >= first_index);
        let covers = |broken: &&Broken| broken.indexes.0 <= first_index;
        let covering = self.broken.iter().filter(covers).max_by_key(|broken| broken.is_gone);
        let ends = match covering {
            Some(broken) => broken.indexes.1.saturating_add(1),
            None => self.broken.iter().map(|broken| broken.indexes.0).min().unwrap_or(known),
        };
        self.next = ends.min(known);
        let count = self.next - first_index;
        Some(match covering {
            Some(Broken { file, detail, is_gone: false, .. }) => {
                let (file, detail) = (Arc::clone(file), detail.clone());
                Step::Damaged { file, first_index, count, detail }
            }
            Some(Broken { file, .. }) => {
                Step::Missing { file: Some(Arc::clone(file)), first_index, count }
            }
            None => Step::Missing { file: None, first_index, count },
        })
    }
}

/// What a segment has after a row.
#[derive(Default)]
struct Following {
    row: Option<Row>,
    broken: Vec<Broken>,
    is_stale: bool,
}

/// The next row of a segment with an index in a range, and what was broken before it.
fn pull(
    volume: &Volume,
    rows: &mut dyn Iterator<Item = Found>,
    (first, end): (u64, u64),
    faults: &mut Faults,
) -> Following {
    let mut following = Following::default();
    for examined in rows {
        match examined {
            Ok(Examined::Row { row, columns_agree }) => {
                if row.index >= end {
                    return following;
                }
                if !judge(volume, &row, columns_agree, faults) || row.index < first {
                    continue;
                }
                following.row = Some(row);
                return following;
            }
            Ok(Examined::Fault(finding)) => {
                let (index, _) = finding.indexes;
                let detail = match finding.fault {
                    Fault::Unreadable(why) => why,
                    _ => {
                        let detail = "its row is not in the order of the indexes";
                        faults.of_record(FindingKind::Corrupt, index, &volume.path, detail);
                        continue;
                    }
                };
                following.add(volume, finding.indexes, detail, false);
            }
            Err(error) => {
                let is_gone = is_gone(&error);
                following.is_stale = is_gone;
                let last = volume.manifest.last;
                following.add(volume, (first, last), error.to_string(), is_gone);
                return following;
            }
        }
    }
    following
}

impl Following {
    /// Adds records that cannot be read. Those before them that cannot be read either are in one
    /// range with them: no row was read in between.
    fn add(&mut self, volume: &Volume, indexes: (u64, u64), detail: String, is_gone: bool) {
        if let Some(broken) = self.broken.last_mut().filter(|broken| broken.is_gone == is_gone) {
            broken.indexes.1 = broken.indexes.1.max(indexes.1);
            return;
        }
        let file = Arc::clone(&volume.path);
        self.broken.push(Broken { indexes, file, detail, is_gone });
    }
}

/// Whether a row is one of the segment's span; says what else is wrong with it.
fn judge(volume: &Volume, row: &Row, columns_agree: bool, faults: &mut Faults) -> bool {
    let manifest = &volume.manifest;
    let mut fault = |kind, detail| faults.of_record(kind, row.index, &volume.path, detail);
    if !(manifest.first..=manifest.last).contains(&row.index) {
        fault(FindingKind::Unannounced, "its record lies outside what the segment may hold");
        return false;
    }
    if row.tier != manifest.tier || row.time_ms / DAY_MS != manifest.day {
        fault(FindingKind::Corrupt, "its record is of another tier or day than the segment");
    }
    if !columns_agree {
        fault(FindingKind::Corrupt, "the columns of its row say something else than the record");
    }
    true
}

/// Opens a segment and begins to read; `None` for one that nobody announced and that does not open.
/// Otherwise says why not, and whether it is gone.
fn open(
    access: &Access<'_>,
    volume: &Volume,
    first: u64,
    faults: &mut Faults,
) -> Result<Option<FoundRows>, (String, bool)> {
    let key_id = volume.manifest.key_id;
    let Some(key) = access.keyring.get(key_id) else {
        if !volume.is_announced {
            return Ok(None);
        }
        let file = &volume.path;
        let detail = format!(
            "it lacks the key {key_id} of {file}: an older keyring was put in its place, or the \
             key was destroyed"
        );
        faults.of_file(FindingKind::Corrupt, seal::KEYRING_PATH, detail);
        return Err((format!("its key {key_id} is not in the keyring"), false));
    };
    let opened = match FileSource::open(access.folder, &volume.path) {
        Some(source) => Segment::open(source, key),
        None => return Err(("the file is gone".to_owned(), true)),
    };
    let examined = opened.and_then(|segment| {
        let rows = segment.row_count();
        Ok((rows, segment.examine(first, access.columns)?))
    });
    match examined {
        Ok((rows, examination)) => {
            if volume.is_announced && rows != volume.manifest.rows {
                let announced = volume.manifest.rows;
                let detail = format!("it holds {rows} records, and the log announced {announced}");
                faults.of_file(FindingKind::Corrupt, &volume.path, detail);
            }
            // Whoever compares columns checks the whole log; others may stop at a few rows.
            Ok(Some(if access.columns { Ahead::of(examination) } else { Box::new(examination) }))
        }
        Err(_) if !volume.is_announced => Ok(None),
        Err(error) => Err((error.to_string(), is_gone(&error))),
    }
}

fn is_gone(error: &SegmentError) -> bool {
    matches!(error, SegmentError::Read(source) if source.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests;
