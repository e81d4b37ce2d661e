//! What every answer about a log shares: the checkpoint that it is true for, one pass over the
//! records, and which of them could not be read.
//!
//! Which records belong to an answer is `query`'s to say; how they are found on disk is
//! `reading`'s.

use crate::error::ReadError;
use crate::reading::{Item, Reading};
use prove::Kept;
use query::{AsOf, Found, State};
use std::ops::ControlFlow;

/// The checkpoint that an answer names.
#[must_use]
pub fn as_of(reading: &Reading) -> AsOf {
    let checkpoint = reading.checkpoint();
    AsOf {
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root_hex: hex::encode(checkpoint.root.as_bytes()),
    }
}

/// The checkpoint in one line, for where the answer itself cannot name it.
#[must_use]
pub fn sentence(as_of: &AsOf) -> String {
    format!(
        "as of {}, {} entries, root {}",
        query::escape::escape(&as_of.origin),
        as_of.size,
        as_of.root_hex
    )
}

/// A record as a question sees it.
#[must_use]
pub fn found<'r>(index: u64, record: &Kept<'r>) -> Found<'r> {
    let state = match record.is_content_erased() {
        true => State::ContentErased,
        false => State::Present,
    };
    Found {
        index,
        recorded_at_ms: record.time_ms,
        tier: record.tier,
        kind: record.kind,
        leaf_hash: None,
        state,
        meta: record.meta.into(),
        content: record.content.bytes().into(),
    }
}

/// Takes records one by one until it has enough.
pub type Each<'e, E> = &'e mut dyn FnMut(&Found<'_>) -> Result<ControlFlow<()>, E>;

/// The record at an index; `None` beyond the checkpoint, and for one that cannot be read.
///
/// # Errors
/// When the log's files cannot be listed.
pub fn at(reading: &Reading, index: u64) -> Result<Option<Found<'static>>, ReadError> {
    if index >= reading.checkpoint().size {
        return Ok(None);
    }
    Ok(match reading.records(index)?.next() {
        Some(Item::Record { index: at, record }) if at == index => {
            Some(found(index, &record).to_owned())
        }
        _ => None,
    })
}

/// Records that belong to a pass and could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    count: u64,
    /// The index of the first, and what is wrong with it.
    first: Option<(u64, String)>,
}

/// Hands every record from `first` on to `each`, until it says that it has enough.
///
/// # Errors
/// What `each` says, or when the log's files cannot be listed.
pub fn scan<E: From<ReadError>>(
    reading: &Reading,
    first: u64,
    each: Each<'_, E>,
) -> Result<Unreadable, E> {
    let mut unreadable = Unreadable::default();
    let mut records = reading.records(first)?;
    while let Some(item) = records.next() {
        match item {
            Item::Record { index, record } => {
                if each(&found(index, &record))?.is_break() {
                    break;
                }
            }
            Item::Unreadable { index, count, detail } => unreadable.add(index, count, &detail),
        }
    }
    Ok(unreadable)
}

impl Unreadable {
    /// Notes records whose stored bytes are not what the log writes.
    pub fn add(&mut self, index: u64, count: u64, detail: &str) {
        self.count = self.count.saturating_add(count);
        self.first.get_or_insert_with(|| (index, detail.to_owned()));
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The index of the first, and what is wrong with it.
    #[must_use]
    pub fn first(&self) -> Option<(u64, &str)> {
        self.first.as_ref().map(|(index, detail)| (*index, detail.as_str()))
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.into_iter().chain(other.first).min();
        self
    }
}
