//! A run of entries as a hash chain: each holds the leaf hash of the one before it.
//!
//! This needs no tree and no signature, and so proves only that the run hangs together; `proof.rs`
//! ties an entry of it to a signed checkpoint.

use event::{Entry, EntryError};
use merkle::{Hash, leaf_hash};

/// The end of a run that hangs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The index after the last entry.
    pub next: u64,
    /// The leaf hash of the last entry.
    pub last_leaf: Hash,
}

/// The entry at which a run does not hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// The bytes are no entry.
    #[error("entry {index} is not one: {error}")]
    Entry {
        /// Where.
        index: u64,
        /// Why.
        error: EntryError,
    },
    /// Its previous hash is not the leaf hash of the entry before it.
    #[error("entry {index} does not continue the chain: the leaf before it is {previous}")]
    Previous {
        /// Where.
        index: u64,
        /// The leaf hash that it should hold.
        previous: Hash,
    },
    /// It is older than the entry before it.
    #[error("entry {index} is of {time_ms} ms, before the entry in front of it ({last_ms} ms)")]
    Time {
        /// Where.
        index: u64,
        /// Its time.
        time_ms: u64,
        /// The time of the entry before it.
        last_ms: u64,
    },
}

/// Checks a run of encoded entries from index `first` on. `previous` is the leaf hash before the
/// first; without it the first entry is taken at its word, except at index 0, where it is zeros.
///
/// # Errors
/// [`ChainBreak`] with the first entry that does not fit.
pub fn check_chain<'e>(
    first: u64,
    previous: Option<Hash>,
    entries: impl IntoIterator<Item = &'e [u8]>,
) -> Result<ChainEnd, ChainBreak> {
    let mut last = previous.or((first == 0).then_some(Hash([0; 32])));
    let (mut index, mut last_ms) = (first, 0);
    for bytes in entries {
        let entry = Entry::decode(bytes).map_err(|error| ChainBreak::Entry { index, error })?;
        if let Some(previous) = last.filter(|previous| previous.0 != entry.previous) {
            return Err(ChainBreak::Previous { index, previous });
        }
        if entry.time_ms < last_ms {
            return Err(ChainBreak::Time { index, time_ms: entry.time_ms, last_ms });
        }
        last_ms = entry.time_ms;
        last = Some(leaf_hash(bytes));
        index = index.saturating_add(1);
    }
    Ok(ChainEnd { next: index, last_leaf: last.unwrap_or_default() })
}
