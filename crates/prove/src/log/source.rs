//! Where a whole-log check reads from: the public files, and the records if the caller can decrypt
//! them.
//!
//! Not here: disks, buckets and keys; the caller has those and implements these two traits.

use crate::kept::Kept;
use event::Record;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A file that is there and could not be read; the text says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// The public files of one log. Paths are relative to its folder, with `/` between the parts:
/// `checkpoint`, `tile/0/000`, `tile/entries/x001/234.p/7`, `ledger/00000000000000000041.json`.
pub trait PublicLog {
    /// Appends the file's bytes to `out`, at most `limit` of them; `false` if there is no such
    /// file.
    ///
    /// # Errors
    /// When the file may be there and cannot be read.
    fn read(&mut self, path: &str, limit: usize, out: &mut Vec<u8>) -> Result<bool, ReadError>;

    /// Names every file below `tile/` and `ledger/`, in any order.
    ///
    /// # Errors
    /// When they cannot be listed, for example over a protocol that has no listing.
    fn list(&mut self, each: &mut dyn FnMut(&str)) -> Result<(), ReadError>;
}

/// A log held in memory: for browsers and tests.
impl PublicLog for BTreeMap<String, Vec<u8>> {
    fn read(&mut self, path: &str, limit: usize, out: &mut Vec<u8>) -> Result<bool, ReadError> {
        let Some(bytes) = self.get(path) else { return Ok(false) };
        out.extend_from_slice(bytes.get(..limit).unwrap_or(bytes));
        Ok(true)
    }

    fn list(&mut self, each: &mut dyn FnMut(&str)) -> Result<(), ReadError> {
        let public = |path: &&String| path.starts_with("tile/") || path.starts_with("ledger/");
        self.keys().filter(public).for_each(|path| each(path));
        Ok(())
    }
}

/// The records of one log in the order of their indexes, decrypted by whoever has the keys.
pub trait Records {
    /// What there is at `index`. Calls come with rising indexes and skip none, except that a find
    /// with a `count` answers for that many indexes at once and the next call is for the one after.
    /// After [`Found::End`] there are no more calls.
    fn at(&mut self, index: u64) -> Found<'_>;
}

/// What a source of records has at an index.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// The record.
    Record {
        /// The file that it lies in, relative to the log's folder.
        file: &'a str,
        /// The previous leaf hash that stands at the head of the record's journal frame; only for
        /// the first record of a frame.
        previous: Option<[u8; 32]>,
        /// Whether a legal hold keeps it.
        held: bool,
        /// The record itself.
        record: Record<'a>,
    },
    /// The record without its place in a stream, as segments hold it.
    Kept {
        /// The file that it lies in, relative to the log's folder.
        file: &'a str,
        /// Whether a legal hold keeps it.
        held: bool,
        /// The record itself.
        kept: Kept<'a>,
    },
    /// There, but it cannot be decrypted or decoded.
    Damaged {
        /// How many records, from the index asked for on; 0 is read as 1.
        count: u64,
        /// The damaged file, relative to the log's folder.
        file: &'a str,
        /// What is wrong with it.
        detail: Cow<'a, str>,
    },
    /// Not there, although a later record is. Whether the log allowed that is found out here, from
    /// its ledger.
    Missing {
        /// How many records, from the index asked for on; 0 is read as 1.
        count: u64,
        /// The file that should hold them, relative to the log's folder; empty when none is known.
        file: &'a str,
    },
    /// There is no record at this index nor at any later one.
    End,
}

/// How far a check has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Entries checked.
    pub done: u64,
    /// Entries under the checkpoint.
    pub total: u64,
}
