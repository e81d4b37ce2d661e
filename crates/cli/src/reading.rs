//! A log opened for reading only: its records in the order of their indexes, with damage told as it
//! is met instead of ending the reading.
//!
//! `reading/journal.rs` walks the journal's frames for everybody who reads; this file is for those
//! who answer questions. They see authenticated records only, and none beyond the signed checkpoint
//! that their answer names.

mod follow;
mod journal;

pub(crate) use follow::Follow;
pub(crate) use journal::{Bound, End, PREVIOUS_BYTES, Step, Walk};

use crate::data_folder::LogFolder;
use crate::failure::Failure;
use checkpoint::{Checkpoint, VerifierKey};
use event::Record;
use keys::{Kek, Keyring};

/// A log opened for reading.
pub(crate) struct Reading {
    log: LogFolder,
    keyring: Keyring,
    checkpoint: Checkpoint,
    note: String,
    keys: Vec<VerifierKey>,
}

/// What there is at an index, or at several.
#[derive(Clone, Debug)]
pub(crate) enum Item<'r> {
    /// A record.
    Record {
        /// Its index.
        index: u64,
        /// Itself; its bytes are authenticated.
        record: Record<'r>,
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
    /// Opens a log: its keyring must open, and its checkpoint must be signed by its own key.
    pub(crate) fn open(log: LogFolder, kek: &Kek) -> Result<Self, Failure> {
        let folder = &*log.folder;
        let required = |path: &str| {
            let missing = || store::StoreError::Missing { path: path.to_owned() };
            Ok::<_, Failure>(folder.read(path)?.ok_or_else(missing)?)
        };
        // First, so that the keyring, read after it, has the key of every file with a record it
        // covers.
        let note = required(seal::CHECKPOINT_PATH)?;
        let keyring = Keyring::open(&required(seal::KEYRING_PATH)?, kek)?;
        if keyring.log_id() != log.identity.id()? {
            return Err(Failure::new("the keyring belongs to another log; run `tacho verify`"));
        }
        let keys =
            log.identity.keys.iter().map(|key| key.parse()).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<VerifierKey> = keys;
        let verified = checkpoint::open_checkpoint(&note, &log.identity.origin, &keys)?;
        let note = verified.note().to_string();
        Ok(Self { log, keyring, checkpoint: verified.checkpoint, note, keys })
    }

    /// The log.
    pub(crate) fn log(&self) -> &LogFolder {
        &self.log
    }

    /// The keys' names; secrets do not leave.
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The signed checkpoint that answers are as of: records beyond it are not read.
    pub(crate) fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint with its signatures, as published.
    pub(crate) fn note(&self) -> &str {
        &self.note
    }

    /// The log's own verifier keys.
    pub(crate) fn verifier_keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// The records from `first` on, up to the checkpoint. Frames before it are not decrypted.
    pub(crate) fn records(&self, first: u64) -> Result<Records<'_>, Failure> {
        let bound = Bound { size: self.checkpoint.size, suspects: false };
        let log_id = self.log.identity.id()?;
        let walk = Walk::new(&*self.log.folder, log_id, Some(&self.keyring), bound, first)?;
        Ok(Records {
            walk,
            first,
            size: self.checkpoint.size,
            payload: Vec::new(),
            offset: 0,
            index: 0,
        })
    }
}

/// The records of a log, one at a time.
pub(crate) struct Records<'r> {
    walk: Walk<'r>,
    /// The first index wanted.
    first: u64,
    /// The first index not wanted.
    size: u64,
    payload: Vec<u8>,
    /// Where the next record begins in the payload.
    offset: usize,
    /// Its index.
    index: u64,
}

impl Records<'_> {
    /// The next record, or what is there instead of it; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Item<'_>> {
        // Where the next wanted record begins is found first, so that the borrow begins only then.
        loop {
            while self.offset < self.payload.len() && self.index < self.first {
                let rest = self.payload.get(self.offset..)?;
                match Record::decode(rest) {
                    Ok((_, after)) => self.offset = self.payload.len() - after.len(),
                    Err(_) => self.offset = self.payload.len(),
                }
                self.index += 1;
            }
            if self.offset < self.payload.len() {
                break;
            }
            match self.walk.next(&mut self.payload) {
                Step::Frame { first_index, .. } => {
                    self.index = first_index;
                    self.offset = PREVIOUS_BYTES.min(self.payload.len());
                }
                Step::Suspect { first_index, count, .. } | Step::Missing { first_index, count } => {
                    let detail = "the records are missing or damaged".to_owned();
                    return self.unreadable(first_index, count, detail);
                }
                Step::Damaged { first_index, count, detail, .. } => {
                    return self.unreadable(first_index, count, detail);
                }
                Step::End => return None,
            }
        }
        if self.index >= self.size {
            return None;
        }
        let index = self.index;
        let rest = self.payload.get(self.offset..)?;
        match Record::decode(rest) {
            Ok((record, after)) => {
                self.offset = self.payload.len() - after.len();
                self.index += 1;
                Some(Item::Record { index, record })
            }
            Err(error) => {
                self.offset = self.payload.len();
                Some(Item::Unreadable { index, count: 1, detail: error.to_string() })
            }
        }
    }

    /// Damage, if any of it is wanted.
    fn unreadable(&mut self, index: u64, count: u64, detail: String) -> Option<Item<'_>> {
        self.payload.clear();
        self.offset = 0;
        let end = index.saturating_add(count).min(self.size);
        let index = index.max(self.first);
        if index >= end {
            return self.next();
        }
        Some(Item::Unreadable { index, count: end - index, detail })
    }
}
