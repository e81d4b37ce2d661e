//! What a receipt is about, as it was sealed: for whoever looks at records right behind the writer,
//! without reading and decrypting them again.
//!
//! Not here: what became of each event (`receipt.rs`), and how batches are encoded (`batch.rs`).

use crate::receipt::{Outcome, Receipt};
use event::{Kind, Record};

/// A record that was sealed just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedRecord<'r> {
    /// Its index.
    pub index: u64,
    /// Its record time, Unix milliseconds.
    pub time_ms: u64,
    /// Who made it.
    pub kind: Kind,
    /// The stored metadata.
    pub meta: &'r [u8],
    /// The stored content; empty when there is none.
    pub content: &'r [u8],
}

impl Receipt {
    /// The records that were sealed now, in the order of the log: none of those that were there
    /// before, and none that the log made itself. A batch so large that it was sealed in pieces has
    /// the time of its last piece here.
    pub fn sealed(&self) -> impl Iterator<Item = SealedRecord<'_>> {
        let records = self.batch.items.iter().zip(&self.outcomes);
        records.filter_map(|(item, outcome)| {
            let Outcome::Sealed { index, .. } = *outcome else { return None };
            // Its own bytes, which were encoded and committed to on the way here.
            let bytes = self.batch.bytes.get(item.record.clone())?;
            let (Record { kind, meta, content, .. }, _) = Record::decode(bytes).ok()?;
            Some(SealedRecord { index, time_ms: self.recorded_ms, kind, meta, content })
        })
    }

    /// The index of the first record that was sealed now; `None` when all were there before.
    #[must_use]
    pub fn first_index(&self) -> Option<u64> {
        self.outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Sealed { index, .. } => Some(*index),
            Outcome::Duplicate { .. } | Outcome::Conflict { .. } => None,
        })
    }
}
