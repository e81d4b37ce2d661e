//! Room in memory for batches on their way, given in the order in which it was asked for.
//!
//! Whoever waits is woken when its room is there and not before: 32 producers that all woke for
//! each room that is given back would spend more time on waking than on sealing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of batches being encoded or waiting at most; see [`crate::Log::admit`].
const IN_FLIGHT_BYTES_MAX: usize = 40 << 20;
/// From this many bytes on a few batches suffice: a group being written and synced, the next one
/// being ordered, and enough being encoded that no core waits for them. More would only push each
/// other out of the processor's caches, and be acknowledged later.
const IN_FLIGHT_BYTES_USUAL: usize = 24 << 20;
/// Batches in flight at least, however large, while they fit.
const IN_FLIGHT_BATCHES_MIN: usize = 4;

/// Room for a batch in memory; given back when it is dropped.
pub struct Permit {
    admission: Arc<Admission>,
    bytes: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.give_back(self.bytes, 1);
    }
}

impl Permit {
    /// Keeps as much room as `bytes` need, which are fewer than was asked for: what was only needed
    /// while they were encoded goes to whoever waits.
    pub(crate) fn keep(&mut self, bytes: usize) {
        let spare = self.bytes.saturating_sub(bytes);
        self.bytes -= spare;
        self.admission.give_back(spare, 0);
    }
}

/// The room of one log.
#[derive(Default)]
pub(crate) struct Admission {
    room: Mutex<Room>,
    /// Permits that are out.
    holders: AtomicUsize,
}

#[derive(Default)]
struct Room {
    used: usize,
    waiting: VecDeque<Arc<Turn>>,
}

/// One who waits.
struct Turn {
    bytes: usize,
    has_come: Condvar,
    /// Changed under the lock of the room only.
    granted: AtomicBool,
}

impl Admission {
    /// Waits for room for `bytes`, behind those who wait already.
    pub(crate) fn admit(self: &Arc<Self>, bytes: usize) -> Permit {
        let bytes = bytes.min(IN_FLIGHT_BYTES_MAX);
        let mut room = self.lock();
        if !room.waiting.is_empty() || !self.fits(&room, bytes) {
            let turn =
                Arc::new(Turn { bytes, has_come: Condvar::new(), granted: AtomicBool::new(false) });
            room.waiting.push_back(Arc::clone(&turn));
            let waits = |_: &mut Room| !turn.granted.load(Ordering::Relaxed);
            drop(turn.has_come.wait_while(room, waits).unwrap_or_else(PoisonError::into_inner));
        } else {
            self.take(&mut room, bytes);
        }
        Permit { admission: Arc::clone(self), bytes }
    }

    /// Room for `bytes`, unless one would have to wait for it. Those who wait already wait for a
    /// smaller limit than this one, and lose nothing by it.
    pub(crate) fn try_admit(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let bytes = bytes.min(IN_FLIGHT_BYTES_MAX);
        let mut room = self.lock();
        if room.used + bytes > IN_FLIGHT_BYTES_MAX {
            return None;
        }
        self.take(&mut room, bytes);
        Some(Permit { admission: Arc::clone(self), bytes })
    }

    /// How many permits are out.
    pub(crate) fn holders(&self) -> usize {
        self.holders.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(&self, room: &Room, bytes: usize) -> bool {
        let used = room.used + bytes;
        let few = self.holders() < IN_FLIGHT_BATCHES_MIN;
        used <= IN_FLIGHT_BYTES_USUAL || few && used <= IN_FLIGHT_BYTES_MAX
    }

    fn take(&self, room: &mut Room, bytes: usize) {
        room.used += bytes;
        self.holders.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives room back, and at once on to those who wait longest; so many permits end with it.
    fn give_back(&self, bytes: usize, holders: usize) {
        let mut room = self.lock();
        room.used -= bytes;
        self.holders.fetch_sub(holders, Ordering::Relaxed);
        while let Some(next) = room.waiting.front().map(Arc::clone)
            && self.fits(&room, next.bytes)
        {
            room.waiting.pop_front();
            self.take(&mut room, next.bytes);
            next.granted.store(true, Ordering::Relaxed);
            next.has_come.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    /// Asks for room that is not there, in a thread; returns when it waits.
    fn ask(admission: &Arc<Admission>, bytes: usize) -> Receiver<Permit> {
        let (sender, receiver) = channel();
        let (asking, waiting) = (Arc::clone(admission), admission.lock().waiting.len());
        std::thread::spawn(move || sender.send(asking.admit(bytes)));
        while admission.lock().waiting.len() == waiting {
            assert!(receiver.try_recv().is_err(), "there was room, or others were passed by");
            std::thread::sleep(Duration::from_millis(1));
        }
        receiver
    }

    fn soon(receiver: &Receiver<Permit>) -> Permit {
        receiver.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    #[test]
    fn room_is_given_in_the_order_in_which_it_was_asked_for() {
        let admission = Arc::new(Admission::default());
        let held: Vec<Permit> = (0..4).map(|_| admission.admit(6 << 20)).collect();
        // A large one first, and a small one that would fit sooner.
        let (large, small) = (ask(&admission, 30 << 20), ask(&admission, 1 << 20));
        let mut held = held.into_iter();
        for _ in 0..2 {
            drop(held.next());
            assert!(large.try_recv().is_err() && small.try_recv().is_err());
        }
        // One that comes later, and would fit as well, waits behind them.
        let late = ask(&admission, 1 << 20);
        drop(held.next());
        let _given = [&large, &small, &late].map(soon);
        assert_eq!((admission.lock().used, admission.holders()), ((6 + 30 + 1 + 1) << 20, 4));
    }

    #[test]
    fn room_that_a_batch_does_not_need_any_more_goes_to_whoever_waits() {
        let admission = Arc::new(Admission::default());
        let mut held: Vec<Permit> = (0..4).map(|_| admission.admit(6 << 20)).collect();
        let waiting = ask(&admission, 5 << 20);
        held[0].keep(4 << 20);
        assert!(waiting.try_recv().is_err());
        held[1].keep(3 << 20);
        let given = soon(&waiting);
        held[2].keep(usize::MAX);
        assert_eq!((admission.lock().used, admission.holders()), ((4 + 3 + 6 + 6 + 5) << 20, 5));
        drop((held, given));
        assert_eq!((admission.lock().used, admission.holders()), (0, 0));
    }

    #[test]
    fn all_that_fit_into_what_is_given_back_are_woken() {
        let admission = Arc::new(Admission::default());
        let all = admission.admit(usize::MAX);
        assert!(admission.try_admit(1).is_none());
        let waiting: Vec<_> = (0..24).map(|_| ask(&admission, 1 << 20)).collect();
        drop(all);
        let given: Vec<Permit> = waiting.iter().map(soon).collect();
        assert_eq!(admission.lock().used, 24 << 20);
        assert!(admission.lock().waiting.is_empty());
        drop(given);
        assert_eq!((admission.lock().used, admission.holders()), (0, 0));
    }
}
