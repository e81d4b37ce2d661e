//! What an acknowledgement carries.

use crate::batch::Batch;
use std::sync::Arc;

/// What became of one event of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was sealed now, at this index.
    Sealed {
        /// The index of its entry.
        index: u64,
        /// The hash of its leaf.
        leaf_hash: [u8; 32],
    },
    /// The same event was sealed before, at this index: nothing was added.
    Duplicate {
        /// The index of the earlier entry.
        index: u64,
        /// The hash of its leaf.
        leaf_hash: [u8; 32],
    },
    /// Another event was sealed under the same id before: refused.
    Conflict {
        /// The index of the earlier entry.
        index: u64,
    },
}

/// The acknowledgement of a batch: everything in it is durable, and a signed tree head covers it.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The batch itself, with the ids that events without one were given.
    pub batch: Batch,
    /// What became of each event, in order.
    pub outcomes: Vec<Outcome>,
    /// Record time of what was sealed, Unix milliseconds.
    pub recorded_ms: u64,
    /// The signed checkpoint (a C2SP signed note) that covers it.
    pub checkpoint: Arc<str>,
}
