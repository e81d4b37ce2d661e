//! A log opened for reading only: its records in the order of their indexes, with damage told as it
//! is met instead of ending the reading.
//!
//! This file is for those who answer questions. They see authenticated records only, and none
//! beyond the signed checkpoint that their answer names.

use crate::data_folder::LogFolder;
use crate::entries::Entries;
use crate::error::ReadError;
use crate::journal::{Bound, Mark, PREVIOUS_BYTES};
use crate::shelf::Shelf;
use crate::walk::{Place, Placed, Step, Walk};
use checkpoint::{Checkpoint, CheckpointText, Epochs, Note, OpenError};
use event::Record;
use keys::{Kek, Keyring};
use prove::{Kept, KeptContent};
use segment::{Catalogue, ContentState, Row};
use std::sync::Arc;

/// A log opened for reading.
pub struct Reading {
    log: LogFolder,
    kek: Arc<Kek>,
    keyring: Keyring,
    pub(crate) shelf: Shelf,
    checkpoint: Checkpoint,
    note: String,
    epochs: Epochs,
}

/// What there is at an index, or at several.
#[derive(Clone, Debug)]
pub enum Item<'r> {
    /// A record.
    Record {
        /// Its index.
        index: u64,
        /// Itself; its bytes are authenticated.
        record: Kept<'r>,
    },
    /// Records that cannot be read; `tacho verify` says more.
    Unreadable {
        /// The index of the first.
        index: u64,
        /// How many.
        count: u64,
        /// What is wrong.
        detail: String,
    },
}

impl Reading {
    /// Opens a log: its keyring must open, and its checkpoint must be signed by the log's key that
    /// is due at its size.
    ///
    /// # Errors
    /// When that is not so, or files are missing that every log has.
    pub fn open(log: LogFolder, kek: &Arc<Kek>) -> Result<Self, ReadError> {
        Self::open_after(&Shelf::default(), log, kek)
    }

    /// The same log, opened again. Of the ledger, only what was added is read.
    ///
    /// # Errors
    /// As [`Reading::open`].
    pub fn again(&self) -> Result<Self, ReadError> {
        Self::open_after(&self.shelf, self.log.clone(), &self.kek)
    }

    fn open_after(before: &Shelf, log: LogFolder, kek: &Arc<Kek>) -> Result<Self, ReadError> {
        let folder = &*log.folder;
        let required = |path: &str| {
            let missing = || store::StoreError::Missing { path: path.to_owned() };
            Ok::<_, ReadError>(folder.read(path)?.ok_or_else(missing)?)
        };
        // In this order, so that the keyring has the key of every file that the ledger announces
        // and of every one with a record that the checkpoint covers.
        let mut note = required(seal::CHECKPOINT_PATH)?;
        let mut shelf = before.again(folder)?;
        for _ in 0..REREADS_MAX {
            // What the ledger shows, a checkpoint covered before.
            let size = claimed_size(&note)?;
            if shelf.shown.last().is_none_or(|last| *last < size) {
                break;
            }
            note = required(seal::CHECKPOINT_PATH)?;
            shelf = before.again(folder)?;
        }
        let keyring = Keyring::open(&required(seal::KEYRING_PATH)?, kek)?;
        if keyring.log_id() != log.identity.id()? {
            return Err(ReadError::new("the keyring belongs to another log; run `tacho verify`"));
        }
        let epochs = shelf.epochs(&log.identity)?;
        let size = claimed_size(&note)?;
        let verified = checkpoint::open_checkpoint(&note, &log.identity.origin, &epochs.due(size))?;
        let note = verified.note().to_string();
        let (kek, checkpoint) = (Arc::clone(kek), verified.checkpoint);
        Ok(Self { log, kek, keyring, shelf, checkpoint, note, epochs })
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &LogFolder {
        &self.log
    }

    /// The keys' names; secrets do not leave.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The signed checkpoint that answers are as of: records beyond it are not read.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint with its signatures, as published.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The log's own keys, and since which record each of them signs.
    #[must_use]
    pub fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// What the ledger shows: segments, removals, holds.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.shelf.catalogue
    }

    /// Where its records are read.
    pub fn place(&self) -> Result<Place<'_>, ReadError> {
        let Self { log, keyring, shelf, .. } = self;
        Ok(Place { folder: &log.folder, log_id: log.identity.id()?, keyring, shelf })
    }

    /// The public entries.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        Entries::new(&*self.log.folder, self.checkpoint.size)
    }

    /// The records from `first` on, up to the checkpoint. Frames and pages before it are not
    /// decrypted.
    ///
    /// # Errors
    /// When the log's files cannot be listed.
    pub fn records(&self, first: u64) -> Result<Records<'_>, ReadError> {
        self.records_after(None, first)
    }

    /// The same. Frames of the journal before `mark` are not read.
    pub(crate) fn records_after(
        &self,
        mark: Option<Mark>,
        first: u64,
    ) -> Result<Records<'_>, ReadError> {
        let size = self.checkpoint.size;
        let bound = Bound { size, suspects: false };
        let renew = || {
            let folder = &*self.log.folder;
            // The ledger first: the keys of what it announces are in the keyring by then.
            let shelf = Shelf::read(folder).ok()?;
            let bytes = folder.read(seal::KEYRING_PATH).ok()??;
            Some((Keyring::open(&bytes, &self.kek).ok()?, shelf))
        };
        let walk = Walk::new(self.place()?, bound, first)?;
        let walk = walk.resumed_at(mark).renewed_by(Box::new(renew));
        let (payload, row) = (Vec::new(), None);
        Ok(Records { walk, first, size, payload, row, now: Now::Nothing })
    }
}

/// How often checkpoint and ledger are read again when a writer came in between.
const REREADS_MAX: usize = 3;

/// The size that a checkpoint claims: it says whose signature to ask for.
fn claimed_size(note: &[u8]) -> Result<u64, OpenError> {
    Ok(CheckpointText::parse(Note::parse(note)?.text())?.checkpoint.size)
}

/// The records of a log, one at a time.
pub struct Records<'r> {
    walk: Walk<'r>,
    /// The first index wanted.
    first: u64,
    /// The first index not wanted.
    size: u64,
    payload: Vec<u8>,
    /// The record that was handed out last, when it is one of a segment.
    row: Option<Row>,
    now: Now,
}

/// Records as they lie together.
pub(crate) enum Run {
    /// A frame: its payload, where in it the first record begins, and the index of that.
    Frame { payload: Vec<u8>, offset: usize, index: u64 },
    /// One record of a segment.
    Row(Row),
    /// Records that cannot be read.
    Unreadable,
}

/// Why a record is not handed out.
const LOST: &str = "the records are missing or damaged";

/// What is being handed out.
enum Now {
    /// The next step is to be taken.
    Nothing,
    /// A frame: where the next record begins in the payload, its index, and the index behind the
    /// frame.
    Frame { offset: usize, index: u64, end: u64 },
    /// Records of segments.
    Rows(std::vec::IntoIter<Placed>),
    /// Nothing more is wanted.
    End,
}

/// What stands at the next index.
enum Ready {
    /// A record in the payload: where, and its index.
    Frame {
        offset: usize,
        index: u64,
    },
    /// The row.
    Row,
    Unreadable {
        index: u64,
        count: u64,
        detail: String,
    },
    End,
}

impl Records<'_> {
    /// Where it is in the journal.
    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.walk.mark()
    }

    /// The next record, or what is there instead of it; `None` at the end.
    #[expect(clippy::should_implement_trait, reason = "an item borrows what it is read into")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        // What comes is found first, so that the borrow begins only then.
        match self.ready() {
            Ready::Frame { offset, index } => self.of_frame(offset, index),
            Ready::Row => {
                let row = self.row.as_ref()?;
                Some(Item::Record { index: row.index, record: kept(row) })
            }
            Ready::Unreadable { index, count, detail } => {
                Some(Item::Unreadable { index, count, detail })
            }
            Ready::End => None,
        }
    }

    /// What comes next, whole, for whoever takes it apart in another thread; `None` at the end, and
    /// behind records that cannot be read. In the first frame and in the last there may be records
    /// that nobody wants. `spare` makes a buffer for the next frame.
    pub(crate) fn next_run(&mut self, spare: impl FnOnce() -> Vec<u8>) -> Option<Run> {
        loop {
            match std::mem::replace(&mut self.now, Now::Nothing) {
                Now::Frame { offset, index, end } => {
                    if end >= self.size {
                        self.now = Now::End;
                    }
                    let payload = std::mem::replace(&mut self.payload, spare());
                    return (index < self.size).then_some(Run::Frame { payload, offset, index });
                }
                Now::Rows(mut rows) => {
                    if let Some(Placed { row, .. }) = rows.next() {
                        self.now = Now::Rows(rows);
                        return (row.index < self.size).then_some(Run::Row(row));
                    }
                }
                Now::End => {
                    self.now = Now::End;
                    return None;
                }
                Now::Nothing => {}
            }
            match self.advance() {
                None => {}
                Some(Ready::Unreadable { .. }) => {
                    self.now = Now::End;
                    return Some(Run::Unreadable);
                }
                Some(_) => return None,
            }
        }
    }

    /// Goes on to the next index that is wanted.
    fn ready(&mut self) -> Ready {
        loop {
            match &mut self.now {
                Now::Frame { offset, index, .. } if *offset < self.payload.len() => {
                    if *index >= self.size {
                        return Ready::End;
                    }
                    if *index >= self.first {
                        return Ready::Frame { offset: *offset, index: *index };
                    }
                    let rest = self.payload.get(*offset..).unwrap_or_default();
                    *offset = match Record::decode(rest) {
                        Ok((_, after)) => self.payload.len() - after.len(),
                        Err(_) => self.payload.len(),
                    };
                    *index += 1;
                    continue;
                }
                Now::Rows(rows) => match rows.next() {
                    Some(Placed { row, .. }) if row.index >= self.size => return Ready::End,
                    Some(Placed { row, .. }) if row.index < self.first => continue,
                    Some(Placed { row, .. }) => {
                        self.row = Some(row);
                        return Ready::Row;
                    }
                    None => {}
                },
                Now::End => return Ready::End,
                Now::Frame { .. } | Now::Nothing => {}
            }
            if let Some(ready) = self.advance() {
                return ready;
            }
        }
    }

    /// Takes the next step of the walk.
    fn advance(&mut self) -> Option<Ready> {
        self.now = Now::Nothing;
        match self.walk.next(&mut self.payload) {
            Step::Frame { first_index: index, count, .. } => {
                let offset = PREVIOUS_BYTES.min(self.payload.len());
                self.now = Now::Frame { offset, index, end: index.saturating_add(count) };
                None
            }
            Step::Rows { rows } => {
                self.now = Now::Rows(rows.into_iter());
                None
            }
            Step::Missing { first_index, count, .. } => {
                let (first_index, count) = self.walk.unexplained(first_index, count)?;
                self.unreadable(first_index, count, LOST.to_owned())
            }
            Step::Suspect { first_index, count, .. } => {
                self.unreadable(first_index, count, LOST.to_owned())
            }
            Step::Damaged { first_index, count, detail, .. } => {
                self.unreadable(first_index, count, detail)
            }
            Step::End => Some(Ready::End),
        }
    }

    /// The record at a place of the payload.
    fn of_frame(&mut self, offset: usize, index: u64) -> Option<Item<'_>> {
        let rest = self.payload.get(offset..)?;
        match Record::decode(rest) {
            Ok((record, after)) => {
                if let Now::Frame { offset, index, .. } = &mut self.now {
                    *offset = self.payload.len() - after.len();
                    *index += 1;
                }
                Some(Item::Record { index, record: Kept::from(&record) })
            }
            Err(error) => {
                self.now = Now::Nothing;
                Some(Item::Unreadable { index, count: 1, detail: error.to_string() })
            }
        }
    }

    /// Damage, if any of it is wanted.
    fn unreadable(&self, index: u64, count: u64, detail: String) -> Option<Ready> {
        let end = index.saturating_add(count).min(self.size);
        let index = index.max(self.first);
        (index < end).then(|| Ready::Unreadable { index, count: end - index, detail })
    }
}

/// A row of a segment as a record.
pub(crate) fn kept(row: &Row) -> Kept<'_> {
    let content = match &row.content {
        // Rows are read with their content.
        ContentState::None | ContentState::NotRead => KeptContent::None,
        ContentState::Present { salt, bytes } => KeptContent::Present { salt: *salt, bytes },
        ContentState::Erased { commitment } => KeptContent::Erased { commitment: *commitment },
    };
    let Row { kind, tier, time_ms, meta_salt, .. } = *row;
    Kept { kind, tier, time_ms, meta_salt, meta: &row.meta, content }
}

#[cfg(test)]
mod tests;
