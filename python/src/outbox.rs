//! What is on its way to a server: who waits for which number, how far it got, and who gave up.
//!
//! Two threads work on it: one stores what was recorded (`spooling.rs`), one sends what is stored
//! (`forwarding.rs`). Whoever recorded an event waits at its slot.

use crate::fault::Fault;
use crate::queue::{Item, Queue};
use crate::receipt::{Sealed, Slot, Until};
use crate::signing::Signers;
use link::spool::Spool;
use redact::Redactor;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What two threads and everybody who waits share.
pub(crate) struct Outbox {
    pub(crate) queue: Arc<Queue>,
    pub(crate) producer: Arc<str>,
    pub(crate) redactor: Redactor,
    pub(crate) signers: Signers,
    pub(crate) spool: Arc<Spool>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What is stored, and whose place in the log somebody may wait for.
    awaited: BTreeMap<u64, Arc<Slot>>,
    /// Stored up to this number.
    stored: u64,
    /// Something up to this number is being sent just now.
    under_way: u64,
    /// Something up to this number was sent, and nobody knows whether it got there.
    doubtful: u64,
    /// The size that the log must have by now.
    size: u64,
    /// Why the server took nothing when it was asked last.
    trouble: Option<String>,
    /// Nothing more will be stored.
    is_stored: bool,
    /// Nobody waits for the server any longer than until then.
    ends: Option<Instant>,
    /// Nothing more is sent.
    is_over: bool,
}

impl Outbox {
    pub(crate) fn new(
        queue: Arc<Queue>,
        producer: Arc<str>,
        (redactor, signers): (Redactor, Signers),
        spool: Arc<Spool>,
    ) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { queue, producer, redactor, signers, spool, state, changed }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A group is on disk.
    pub(crate) fn store(&self, group: &[Item], last: u64) {
        let mut state = self.lock();
        for item in group {
            let Some(slot) = &item.slot else { continue };
            slot.store();
            // Who gave up meanwhile, or was refused, has an answer.
            if !slot.is_settled() {
                state.awaited.insert(item.seq, Arc::clone(slot));
            }
        }
        state.stored = state.stored.max(last);
        drop(state);
        self.changed.notify_all();
    }

    /// Nothing more will be stored.
    pub(crate) fn store_no_more(&self) {
        self.lock().is_stored = true;
        self.changed.notify_all();
    }

    /// Something up to this number is about to be sent: from here on nobody can take it back.
    pub(crate) fn begin(&self, last: u64) {
        self.lock().under_way = last;
    }

    /// It was sent, and this is how it went.
    pub(crate) fn end(&self, sent: Sent) {
        let mut state = self.lock();
        let last = std::mem::take(&mut state.under_way);
        match sent {
            Sent::Arrived { size } => {
                state.size = state.size.max(size);
                state.trouble = None;
            }
            Sent::Doubtful(why) => {
                state.doubtful = state.doubtful.max(last);
                state.trouble = Some(why);
            }
            Sent::Refused(why) => state.trouble = Some(why),
        }
        drop(state);
        self.changed.notify_all();
    }

    /// What became of one event.
    pub(crate) fn answer(&self, number: u64, outcome: Result<Sealed, Fault>) {
        let slot = self.lock().awaited.remove(&number);
        match (outcome, slot) {
            (Ok(sealed), Some(slot)) => slot.set(Ok(sealed)),
            (Ok(_), None) => {}
            (Err(fault), slot) => {
                self.queue.give_up_number(number, slot.as_deref(), fault, true);
            }
        }
    }

    /// Somebody waits for this number no longer. What was surely not sent never will be.
    pub(crate) fn give_up(&self, number: u64, slot: &Slot) {
        let mut state = self.lock();
        if slot.is_settled() {
            return;
        }
        state.awaited.remove(&number);
        let why = state.trouble.clone().unwrap_or_else(|| "it did not answer in time".to_owned());
        let may_be_there = number <= state.doubtful.max(state.under_way);
        // The lock is held until it is noted, or it might be sent in between.
        let withdrawn = if may_be_there { Ok(()) } else { self.spool.withdraw(number) };
        let sentence = match (may_be_there, withdrawn) {
            (true, _) => format!(
                "the server did not acknowledge the event in time ({why}), though it may have it \
                 already; what it announces must not be done, and is recorded as a call without an \
                 outcome"
            ),
            (false, Ok(())) => format!(
                "the server did not acknowledge the event in time ({why}); it is not recorded, and \
                 that it is not will be told as a gap"
            ),
            (false, Err(error)) => format!(
                "the server did not acknowledge the event in time ({why}); it is not sent by this \
                 process any more, but a later one may: {error}"
            ),
        };
        let fault = Fault::unavailable(sentence);
        if may_be_there {
            slot.set(Err(fault));
        } else {
            self.queue.give_up_number(number, Some(slot), fault, false);
        }
    }

    /// The server says that it takes nothing from us: who needs it in the log is told at once.
    pub(crate) fn fail_required(&self, why: &str) {
        self.lock().trouble = Some(why.to_owned());
        let required: Vec<(u64, Arc<Slot>)> = {
            let state = self.lock();
            let required = state.awaited.iter().filter(|it| it.1.until == Until::Sealed);
            required.map(|(number, slot)| (*number, Arc::clone(slot))).collect()
        };
        for (number, slot) in required {
            self.give_up(number, &slot);
        }
    }

    /// Why the server took nothing when it was asked last.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// The size that the log must have by now.
    pub(crate) fn size(&self) -> u64 {
        self.lock().size
    }

    /// Waits until something from this number on is stored, or for a while. Returns whether it goes
    /// on: not when nothing more comes, and not when nobody waits any longer.
    pub(crate) fn wait_for(&self, number: u64, patience: Duration) -> bool {
        let is_quiet = |it: &mut State| it.stored < number && !it.is_stored && it.ends.is_none();
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, patience, is_quiet);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let is_done = state.is_stored && state.stored < number;
        !is_done && !is_past(&state)
    }

    /// Waits before the server is asked again. Returns whether anybody still waits for it.
    pub(crate) fn rest(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        let mut state = self.lock();
        loop {
            let until = state.ends.map_or(end, |ends| ends.min(end));
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return !is_past(&state);
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nobody waits for the server any longer than until then.
    pub(crate) fn end_at(&self, ends: Instant) {
        self.lock().ends = Some(ends);
        self.changed.notify_all();
    }

    /// Nothing more is sent.
    pub(crate) fn finish(&self) {
        if let Some(mark) = &self.queue.mark {
            mark.release();
        }
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Waits until nothing more is sent; whether that is so.
    pub(crate) fn wait_until_over(&self, patience: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, patience, |it| !it.is_over);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_over
    }

    /// Whether whoever closes has waited long enough.
    pub(crate) fn is_past_end(&self) -> bool {
        is_past(&self.lock())
    }
}

fn is_past(state: &State) -> bool {
    state.ends.is_some_and(|ends| Instant::now() >= ends)
}

/// How sending went.
pub(crate) enum Sent {
    /// The server answered for each event; the log has at least this size.
    Arrived { size: u64 },
    /// Nobody knows.
    Doubtful(String),
    /// Nothing of it got there.
    Refused(String),
}
