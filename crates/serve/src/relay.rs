//! What was sealed just now, on its way to detection: the batches themselves, once nobody else
//! needs them, so that nothing is read and decrypted a second time.
//!
//! Nobody waits here. What finds no room is dropped, and whoever looks reads it from the journal,
//! as they do after a start (`alerts/watch.rs`; docs/decisions/0054).

use seal::Receipt;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of records that wait: more than comes between two looks.
const WAITING_BYTES_MAX: usize = 16 << 20;
/// A larger batch may have been sealed in pieces, whose times differ from its own.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// What waits to be looked at.
#[derive(Default)]
pub(crate) struct Relay {
    /// Whether anybody looks.
    is_on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the index of the first record.
    waiting: BTreeMap<u64, Receipt>,
    bytes: usize,
}

/// A receipt whose batch goes to detection as soon as it was answered.
pub struct Acknowledged {
    receipt: Receipt,
    relay: Arc<Relay>,
}

impl Relay {
    /// From now on somebody looks.
    pub(crate) fn open(&self) {
        self.is_on.store(true, Ordering::Relaxed);
    }

    /// Nobody looks any more.
    pub(crate) fn close(&self) {
        self.is_on.store(false, Ordering::Relaxed);
        *self.state() = State::default();
    }

    /// Takes what was sealed, if there is room for it.
    pub(crate) fn give(&self, receipt: Receipt) {
        let Some(first) = self.wants(&receipt) else { return };
        let bytes = receipt.batch.bytes();
        let mut state = self.state();
        if state.bytes + bytes <= WAITING_BYTES_MAX {
            state.bytes += bytes;
            let before = state.waiting.insert(first, receipt);
            state.bytes -= before.map_or(0, |before| before.batch.bytes());
        }
    }

    /// The index that it begins with, if it is worth taking.
    fn wants(&self, receipt: &Receipt) -> Option<u64> {
        let is_wanted = self.is_on.load(Ordering::Relaxed);
        let fits = receipt.batch.bytes() <= BATCH_BYTES_MAX;
        receipt.first_index().filter(|_| is_wanted && fits)
    }

    /// What goes on at this index, or begins before it.
    pub(crate) fn take(&self, next: u64) -> Option<Receipt> {
        let mut state = self.state();
        let first = state.waiting.first_entry().filter(|entry| *entry.key() <= next)?;
        let receipt = first.remove();
        state.bytes = state.bytes.saturating_sub(receipt.batch.bytes());
        Some(receipt)
    }

    /// Whether something waits behind what comes next: that one was not given, or is on its way.
    pub(crate) fn has_gap(&self) -> bool {
        !self.state().waiting.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Acknowledged {
    pub(crate) fn new(receipt: Receipt, relay: &Arc<Relay>) -> Self {
        Self { receipt, relay: Arc::clone(relay) }
    }
}

impl Deref for Acknowledged {
    type Target = Receipt;

    fn deref(&self) -> &Receipt {
        &self.receipt
    }
}

impl Drop for Acknowledged {
    fn drop(&mut self) {
        if self.relay.wants(&self.receipt).is_some() {
            let Receipt { batch, outcomes, recorded_ms, checkpoint } = &mut self.receipt;
            let (batch, outcomes) = (std::mem::take(batch), std::mem::take(outcomes));
            let (recorded_ms, checkpoint) = (*recorded_ms, Arc::clone(checkpoint));
            self.relay.give(Receipt { batch, outcomes, recorded_ms, checkpoint });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Event;
    use keys::SystemEntropy;
    use redact::{Policy, Redactor};
    use seal::{Batch, Fingerprints, Outcome};

    /// What was sealed from an index on, with events of so many bytes.
    fn receipt(first: u64, count: u64, bytes: usize) -> Receipt {
        let redactor = Redactor::new(&Policy::default(), [0; 32]).unwrap();
        let events = (0..count).map(|_| {
            let mut event = Event::new("agent.action");
            event.action = Some("x".repeat(bytes).into());
            redactor.redact(event)
        });
        let names = Fingerprints::new(&[0; 32]);
        let batch = Batch::encode(events, &names, &SystemEntropy::new(), 0).unwrap();
        let sealed = |index| Outcome::Sealed { index, leaf_hash: [0; 32] };
        let outcomes = (first..first + count).map(sealed).collect();
        Receipt { batch, outcomes, recorded_ms: 7, checkpoint: "".into() }
    }

    fn firsts(relay: &Relay, next: u64) -> Vec<u64> {
        std::iter::from_fn(|| relay.take(next)).filter_map(|it| it.first_index()).collect()
    }

    #[test]
    fn what_was_sealed_comes_in_the_order_of_the_log_however_it_was_answered() {
        let relay = Arc::new(Relay::default());
        relay.give(receipt(0, 1, 1));
        assert!(relay.take(0).is_none(), "nobody looked");
        relay.open();
        for first in [6, 3, 9] {
            drop(Acknowledged::new(receipt(first, 3, 1), &relay));
        }
        assert!(relay.take(2).is_none() && relay.has_gap());
        let taken = relay.take(3).unwrap();
        let records: Vec<_> = taken.sealed().map(|it| (it.index, it.time_ms)).collect();
        assert_eq!(records, [(3, 7), (4, 7), (5, 7)]);
        assert!(taken.sealed().all(|it| it.meta.starts_with(b"{\"schema\"")));
        assert_eq!(firsts(&relay, 9), [6, 9]);
        assert!(!relay.has_gap());
        relay.give(receipt(12, 1, 1));
        relay.close();
        assert!(!relay.has_gap());
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_what_is_taken_makes_room() {
        let relay = Relay::default();
        relay.open();
        for first in 0..20 {
            relay.give(receipt(first, 1, 1 << 20));
        }
        assert_eq!(firsts(&relay, 100), (0..15).collect::<Vec<_>>());
        relay.give(receipt(20, 1, 1 << 20));
        assert_eq!(firsts(&relay, 100), [20]);
        relay.give(receipt(21, 9, 1 << 20));
        assert!(!relay.has_gap(), "it may have been sealed in pieces");
    }
}
