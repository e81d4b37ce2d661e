//! What waits for the log: a bounded queue in the order of its numbers, which one thread empties.
//!
//! Whoever records holds the lock for about a microsecond and wakes nobody who is awake already.

use crate::fault::Fault;
use crate::json::Draft;
use crate::mark::Mark;
use crate::receipt::Slot;
use capture::Format;
use keys::{Entropy, SystemEntropy};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of events that wait at most: some 50,000 usual ones.
const BYTES_MAX: usize = 32 << 20;
/// Events that wait at most.
const EVENTS_MAX: usize = 100_000;
/// One group for the log: as many as a batch may have, and about as many bytes as a group of it.
const GROUP_EVENTS: usize = event::limits::BATCH_EVENTS_MAX;
const GROUP_BYTES: usize = 4 << 20;
/// How long events that nobody waits for gather before they are sealed.
const LINGER: Duration = Duration::from_millis(5);
/// How long the thread sleeps at most when there is nothing to do.
pub(crate) const TAKE_MAX: Duration = Duration::from_secs(3600);
/// Ids are made of random bytes drawn so many ids at a time.
const IDS_AHEAD: usize = 64;
const ID_BYTES: usize = 10;

/// An event on its way.
pub(crate) struct Item {
    /// Its number.
    pub(crate) seq: u64,
    pub(crate) event_id: Box<str>,
    /// When it was recorded, Unix nanoseconds.
    pub(crate) at_ns: u128,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
    /// Who waits for it.
    pub(crate) slot: Option<Arc<Slot>>,
}

/// What became of events so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) given: u64,
    pub(crate) sealed: u64,
    pub(crate) refused: u64,
    pub(crate) lost: u64,
}

/// The queue. Share it by [`Arc`].
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    /// For the thread that empties it.
    arrived: Condvar,
    /// For whoever waits for room, or until something is settled.
    settled: Condvar,
    pub(crate) mark: Option<Mark>,
}

struct Inner {
    items: VecDeque<Item>,
    bytes: usize,
    counts: Counts,
    /// Everything up to this number is settled.
    settled: u64,
    /// The thread waits until something arrives.
    is_asleep: bool,
    /// Somebody waits for what is here.
    is_urgent: bool,
    is_closing: bool,
    random: [u8; ID_BYTES * IDS_AHEAD],
    used: usize,
    /// What went wrong last with events that nobody waited for.
    last_fault: Option<(u64, String)>,
}

/// Why an event was not taken.
pub(crate) enum NotTaken {
    /// There is no room just now.
    Full(Draft),
    Fault(Fault),
}

impl Queue {
    pub(crate) fn new(mark: Option<Mark>) -> Self {
        let inner = Inner {
            items: VecDeque::new(),
            bytes: 0,
            counts: Counts::default(),
            settled: 0,
            is_asleep: false,
            is_urgent: false,
            is_closing: false,
            random: [0; ID_BYTES * IDS_AHEAD],
            used: ID_BYTES * IDS_AHEAD,
            last_fault: None,
        };
        Self { inner: Mutex::new(inner), arrived: Condvar::new(), settled: Condvar::new(), mark }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event in and numbers it. Returns its id and its number.
    pub(crate) fn push(
        &self,
        draft: Draft,
        format: Format,
        at_ns: u128,
        slot: Option<Arc<Slot>>,
    ) -> Result<(Box<str>, u64), NotTaken> {
        let mut inner = self.lock();
        if inner.is_closing {
            return Err(NotTaken::Fault(Fault::closed()));
        }
        if inner.bytes + draft.bytes.len() > BYTES_MAX || inner.items.len() >= EVENTS_MAX {
            inner.is_urgent = true;
            self.arrived.notify_one();
            return Err(NotTaken::Full(draft));
        }
        let event_id = match draft.event_id {
            Some(id) => id.into_boxed_str(),
            None => inner.new_id(at_ns).map_err(NotTaken::Fault)?,
        };
        inner.counts.given += 1;
        let seq = inner.counts.given;
        if let Some(mark) = &self.mark {
            mark.give(seq);
        }
        inner.bytes += draft.bytes.len();
        inner.is_urgent |= slot.is_some();
        let is_awaited = inner.is_asleep || slot.is_some() || inner.bytes >= GROUP_BYTES;
        let item =
            Item { seq, event_id: event_id.clone(), at_ns, format, bytes: draft.bytes, slot };
        inner.items.push_back(item);
        inner.is_asleep = false;
        drop(inner);
        if is_awaited {
            self.arrived.notify_one();
        }
        Ok((event_id, seq))
    }

    /// The next group, when there is one; nothing when the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Vec<Item>> {
        loop {
            let group = self.take_within(TAKE_MAX)?;
            if !group.is_empty() {
                return Some(group);
            }
        }
    }

    /// The same, but an empty group when none comes in time.
    pub(crate) fn take_within(&self, patience: Duration) -> Option<Vec<Item>> {
        let mut inner = self.lock();
        let end = Instant::now() + patience;
        while inner.items.is_empty() {
            if inner.is_closing {
                return None;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(Vec::new());
            }
            inner.is_asleep = true;
            let waited = self.arrived.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.is_asleep = false;
        let may_gather = |it: &mut Inner| !it.is_urgent && !it.is_closing && it.bytes < GROUP_BYTES;
        let gathered = self.arrived.wait_timeout_while(inner, LINGER, may_gather);
        inner = gathered.unwrap_or_else(PoisonError::into_inner).0;
        let (mut group, mut bytes) = (Vec::new(), 0);
        while let Some(item) = inner.items.front()
            && group.len() < GROUP_EVENTS
            && (group.is_empty() || bytes + item.bytes.len() <= GROUP_BYTES)
        {
            bytes += item.bytes.len();
            group.extend(inner.items.pop_front());
        }
        inner.bytes -= bytes;
        if inner.items.is_empty() {
            inner.is_urgent = false;
        }
        drop(inner);
        self.settled.notify_all();
        Some(group)
    }

    /// Everything that was taken is in the log, or given up.
    pub(crate) fn settle(&self, sealed: u64, size: Option<u64>) {
        let mut inner = self.lock();
        inner.settled = inner.items.front().map_or(inner.counts.given, |item| item.seq - 1);
        inner.counts.sealed += sealed;
        if let (Some(mark), Some(size)) = (&self.mark, size) {
            mark.settle(inner.settled, size);
        }
        drop(inner);
        self.settled.notify_all();
    }

    /// Everything up to a number is in the log of a server, or told there as lost.
    pub(crate) fn settle_to(&self, number: u64) {
        let mut inner = self.lock();
        inner.settled = inner.settled.max(number);
        if let Some(mark) = &self.mark {
            mark.settle(number, 0);
        }
        drop(inner);
        self.settled.notify_all();
    }

    /// Counts events that a server has.
    pub(crate) fn count_sealed(&self, count: u64) {
        self.lock().counts.sealed += count;
    }

    /// How many events were given a number and are neither in the log nor told as lost.
    pub(crate) fn unsettled(&self) -> u64 {
        let inner = self.lock();
        inner.counts.given.saturating_sub(inner.settled)
    }

    /// Takes out what somebody waits for, wherever it stands.
    pub(crate) fn take_awaited(&self) -> Vec<Item> {
        let mut inner = self.lock();
        let (awaited, others) =
            std::mem::take(&mut inner.items).into_iter().partition(|item| item.slot.is_some());
        inner.items = others;
        inner.bytes = inner.items.iter().map(|item| item.bytes.len()).sum();
        drop(inner);
        self.settled.notify_all();
        awaited.into()
    }

    /// Notes an event that will never be in the log.
    pub(crate) fn give_up(&self, item: &Item, fault: Fault, is_refusal: bool) {
        self.give_up_number(item.seq, item.slot.as_deref(), fault, is_refusal);
    }

    /// The same by its number, and who waits for it.
    pub(crate) fn give_up_number(
        &self,
        seq: u64,
        slot: Option<&Slot>,
        fault: Fault,
        is_refusal: bool,
    ) {
        let mut inner = self.lock();
        let counts = &mut inner.counts;
        if is_refusal {
            counts.refused += 1;
        } else {
            counts.lost += 1;
        }
        match slot {
            Some(slot) => slot.set(Err(fault)),
            None => {
                let text = format!("event {seq}: {}: {}", fault.code(), fault.sentence());
                inner.last_fault = Some((seq, text));
            }
        }
    }

    /// Notes what nobody is told otherwise.
    pub(crate) fn note_fault(&self, text: String) {
        self.lock().last_fault = Some((0, text));
    }

    /// Waits a while, or until the queue is being closed. Returns whether that is so.
    pub(crate) fn rest(&self, patience: Duration) -> bool {
        let inner = self.lock();
        let waited = self.arrived.wait_timeout_while(inner, patience, |it| !it.is_closing);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_closing
    }

    /// Waits for room until then; whether there is some.
    pub(crate) fn wait_for_room(&self, patience: Duration, bytes: usize) -> bool {
        let inner = self.lock();
        let is_full = |it: &mut Inner| it.bytes + bytes > BYTES_MAX || it.items.len() >= EVENTS_MAX;
        let waited = self.settled.wait_timeout_while(inner, patience, is_full);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// The last number given.
    pub(crate) fn last(&self) -> u64 {
        self.lock().counts.given
    }

    /// Waits until everything up to a number is settled; whether it is.
    pub(crate) fn wait_until_settled(&self, number: u64, patience: Duration) -> bool {
        let mut inner = self.lock();
        let end = Instant::now() + patience;
        while inner.settled < number {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            inner.is_urgent = true;
            self.arrived.notify_one();
            let waited = self.settled.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// No more is taken; what is here is still sealed.
    pub(crate) fn close(&self) {
        self.lock().is_closing = true;
        self.arrived.notify_all();
        self.settled.notify_all();
    }

    /// Nothing will be settled any more: nobody is to wait.
    pub(crate) fn finish(&self) {
        self.lock().settled = u64::MAX;
        self.settled.notify_all();
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// What went wrong last with an event that nobody waited for: its number, and a sentence.
    pub(crate) fn last_fault(&self) -> Option<(u64, String)> {
        self.lock().last_fault.clone()
    }
}

impl Inner {
    /// A UUIDv7.
    fn new_id(&mut self, at_ns: u128) -> Result<Box<str>, Fault> {
        if self.used >= self.random.len() {
            SystemEntropy::new().fill(&mut self.random).map_err(seal::SealError::from)?;
            self.used = 0;
        }
        let mut random = [0; ID_BYTES];
        if let Some(drawn) = self.random.get(self.used..self.used + ID_BYTES) {
            random.copy_from_slice(drawn);
        }
        self.used += ID_BYTES;
        let ms = u64::try_from(at_ns / 1_000_000).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid();
        Ok(id.to_string().into_boxed_str())
    }
}
