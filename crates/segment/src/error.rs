//! What can go wrong with a segment, for whoever must decide what to do next.
//!
//! Not here: findings about single records, which are not errors of the call (`verify`).

use std::any::Any;
use std::io;

use keys::KeyId;
use thiserror::Error;

/// Why a segment was not written, opened or read.
#[derive(Debug, Error)]
pub enum SegmentError {
    /// Records must come in the order of their indexes.
    #[error(
        "record {index} came after record {previous}: a segment holds records in ascending order \
         of index; sort them first"
    )]
    Order {
        /// The index that was pushed.
        index: u64,
        /// The index before it.
        previous: u64,
    },
    /// A value beyond what a segment holds.
    #[error("{what} {value} is more than a segment holds, which is {most}; leave the record out")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// Its value.
        value: u64,
        /// The largest that fits.
        most: u64,
    },
    /// A row that was read without its content cannot be written again.
    #[error("row {index} was read without its content; read it with `Projection::All` to rewrite")]
    WithoutContent {
        /// The index of the row.
        index: u64,
    },
    /// The bytes could not be written.
    #[error("the segment could not be written: {0}; discard the file and write it again")]
    Write(String),
    /// Whatever holds the bytes failed to hand them out.
    #[error("the segment could not be read: {0}; check the disk or the object store")]
    Read(#[source] io::Error),
    /// These are not the bytes of a segment at all.
    #[error("not a segment: {0}; check that the path names a segment of this log")]
    NotASegment(&'static str),
    /// The footer does not authenticate.
    #[error(
        "the footer does not authenticate: the file was changed, or this is not its key \
         (it names key {key_id}); check the keyring, or restore the file from a backup"
    )]
    WrongKey {
        /// The key id that the file itself names, unauthenticated.
        key_id: KeyId,
    },
    /// A version of the format that this program does not know.
    #[error("segment version {found} is not known here; use a newer program to read it")]
    Version {
        /// What the file says.
        found: String,
    },
    /// The bytes changed, or were never a sound segment.
    #[error("the segment is damaged: {0}; restore it from a backup")]
    Damaged(String),
}

impl SegmentError {
    pub(crate) fn reading(error: &dyn std::error::Error) -> Self {
        Self::Damaged(error.to_string())
    }

    pub(crate) fn writing(error: &dyn std::error::Error) -> Self {
        Self::Write(error.to_string())
    }

    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::Damaged(format!("the reader gave up: {}", text.unwrap_or("no reason given")))
    }
}
