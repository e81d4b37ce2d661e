//! Every record of a log in the order of their indexes, wherever they lie: in the journal, and
//! before it in segments.
//!
//! While a roll is being finished the same records lie in both. Then the journal is read: it is
//! whole until its file is removed. Not here: what lies in a journal file (`journal.rs`) or
//! in segments (`merge.rs`).

use crate::faults::Faults;
use crate::journal::{Bound, End, JournalWalk, Mark};
use crate::merge::{Access, Merge};
use crate::shelf::Shelf;
use keys::Keyring;
use segment::Row;
use std::sync::Arc;
use store::{Folder, StoreError};

/// What there is for a run of indexes.
#[derive(Clone, Debug)]
pub enum Step {
    /// A journal frame; the payload is filled and authenticated (empty in a walk without keys).
    Frame {
        /// The journal file.
        file: Arc<str>,
        /// The index of its first record.
        first_index: u64,
        /// How many records it says it has.
        count: u64,
    },
    /// Records of segments, one after the other without a gap; authenticated, each by the key of
    /// its segment.
    Rows {
        /// The records; there is one at least.
        rows: Vec<Placed>,
    },
    /// A journal frame that was altered; the payload is filled and **not** authenticated: good only
    /// to be compared, record by record, with what the tree commits to.
    Suspect {
        /// The journal file.
        file: Arc<str>,
        /// The index of its first record.
        first_index: u64,
        /// How many records it has.
        count: u64,
        /// What is wrong with it.
        detail: String,
    },
    /// Records that cannot be read.
    Damaged {
        /// The file.
        file: Arc<str>,
        /// The index of the first.
        first_index: u64,
        /// How many.
        count: u64,
        /// What is wrong.
        detail: String,
    },
    /// Records that are in no file.
    Missing {
        /// The file that held them, if that is known.
        file: Option<Arc<str>>,
        /// The index of the first.
        first_index: u64,
        /// How many.
        count: u64,
    },
    /// There is nothing more.
    End,
}

/// A record in a segment.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The segment's file.
    pub file: Arc<str>,
    /// The record.
    pub row: Row,
}

/// Reads keyring and ledger again, when files were gone that a walk wanted to read.
pub(crate) type Renew<'w> = Box<dyn Fn() -> Option<(Keyring, Shelf)> + Send + 'w>;

/// Where a walk reads.
#[derive(Clone, Copy)]
pub struct Place<'w> {
    /// The log's folder.
    pub folder: &'w Arc<dyn Folder>,
    /// The log's id.
    pub log_id: [u8; 16],
    /// Its keys.
    pub keyring: &'w Keyring,
    /// Its segments.
    pub shelf: &'w Shelf,
}

/// How often a walk looks for announcements in vain when no file is gone that had been there: in a
/// log that lacks records in many places, it would read the ledger for each of them.
const VAIN_LOOKS_MAX: u32 = 8;

/// A walk over all records from some index on.
pub struct Walk<'w> {
    place: Place<'w>,
    journal: JournalWalk<'w>,
    merge: Option<Merge>,
    /// Whether to compare the columns of every row with its bytes.
    columns: bool,
    renew: Option<Renew<'w>>,
    renewed: Option<(Keyring, Shelf)>,
    /// The index at which keyring and ledger were read again last.
    renewed_at: Option<u64>,
    /// How often that showed nothing new.
    vain_looks: u32,
    faults: Faults,
}

impl<'w> Walk<'w> {
    /// A walk over the records from `from` on.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the journal's folder cannot be listed.
    pub fn new(place: Place<'w>, bound: Bound, from: u64) -> Result<Self, StoreError> {
        let Place { folder, log_id, keyring, shelf } = place;
        let journal = JournalWalk::new(&**folder, log_id, Some(keyring), shelf, bound, from)?;
        Ok(Self {
            place,
            journal,
            merge: None,
            columns: false,
            renew: None,
            renewed: None,
            renewed_at: None,
            vain_looks: 0,
            faults: Faults::default(),
        })
    }

    /// The same walk, which also compares the columns of every row with its bytes.
    pub(crate) fn with_columns(self) -> Self {
        Self { columns: true, ..self }
    }

    /// The same walk, which begins in the journal where another one was.
    pub(crate) fn resumed_at(mut self, mark: Option<Mark>) -> Self {
        self.journal = self.journal.resumed_at(mark);
        self
    }

    /// Where it is in the journal.
    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.journal.mark()
    }

    /// The same walk, which looks again for files that were gone: a writer may have put others in
    /// their place.
    pub(crate) fn renewed_by(self, renew: Renew<'w>) -> Self {
        Self { renew: Some(renew), ..self }
    }

    /// What comes next; fills `payload` for frames.
    pub fn next(&mut self, payload: &mut Vec<u8>) -> Step {
        loop {
            match self.next_of_segments() {
                Some(step) => return step,
                None => self.merge = None,
            }
            match self.journal.next(payload) {
                Step::Missing { first_index, count, .. } => {
                    let end = first_index.saturating_add(count);
                    self.merge = Some(Merge::new(self.shelf(), first_index, end));
                    if !self.shelf().covers(first_index, end) {
                        self.look_again();
                    }
                }
                step => return step,
            }
        }
    }

    fn next_of_segments(&mut self) -> Option<Step> {
        loop {
            let keyring = self.renewed.as_ref().map_or(self.place.keyring, |(keyring, _)| keyring);
            let access = Access { folder: self.place.folder, keyring, columns: self.columns };
            let merge = self.merge.as_mut()?;
            let (before, _) = merge.place();
            let step = merge.next(&access, &mut self.faults)?;
            let is_stale = merge.is_stale();
            let is_lost = match &step {
                Step::Missing { first_index, count, .. } => {
                    is_stale || self.unexplained(*first_index, *count).is_some()
                }
                Step::Damaged { .. } => true,
                _ => false,
            };
            // A ledger that was read while segments were being announced shows some of them.
            let may_be_there = is_stale || self.vain_looks < VAIN_LOOKS_MAX;
            if is_lost && may_be_there && self.look_again_from(before) {
                continue;
            }
            return Some(step);
        }
    }

    /// What of a run of missing records no removal explains: from the first such record on to the
    /// end of the run. `None` when all were removed.
    pub(crate) fn unexplained(&self, first: u64, count: u64) -> Option<(u64, u64)> {
        let (mut index, end) = (first, first.saturating_add(count));
        while index < end {
            match self.shelf().catalogue.explained(index) {
                Some(after) => index = after,
                None => return Some((index, end - index)),
            }
        }
        None
    }

    /// What was found beside the records; call it after [`Step::End`].
    #[must_use]
    pub fn into_end(self) -> End {
        let mut end = self.journal.into_end();
        end.faults.append(self.faults);
        end
    }

    fn shelf(&self) -> &Shelf {
        self.renewed.as_ref().map_or(self.place.shelf, |(_, shelf)| shelf)
    }

    fn look_again(&mut self) {
        if let Some((first, _)) = self.merge.as_ref().map(Merge::place) {
            self.look_again_from(first);
        }
    }

    /// Reads keyring and ledger again and goes on at an index; `false` when that cannot be done, or
    /// was done there before and nothing has changed since.
    fn look_again_from(&mut self, index: u64) -> bool {
        let (Some(renew), Some(merge)) = (&self.renew, &self.merge) else { return false };
        let (_, end) = merge.place();
        let Some(renewed) = renew() else { return false };
        let was_here = self.renewed_at.is_some_and(|at| at >= index);
        if renewed.1.shown == self.shelf().shown {
            self.vain_looks += 1;
            if was_here {
                return false;
            }
        }
        self.renewed_at = Some(index);
        self.merge = Some(Merge::new(&renewed.1, index, end));
        self.renewed = Some(renewed);
        true
    }
}
