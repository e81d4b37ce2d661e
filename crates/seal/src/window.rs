//! The idempotency window: which event ids were sealed lately, so that a retry adds nothing.

use hashbrown::{HashMap, HashTable};
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;

/// Event ids remembered at least. A producer's retries come within seconds; a million ids are
/// minutes at full speed and days at usual speed, and cost about 50 MiB.
pub const WINDOW_EVENTS: usize = 1_000_000;

/// What is known about a sealed event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) index: u64,
    pub(crate) fingerprint: u64,
}

/// Names are already keyed hashes: their low half is as good a hash as any.
#[derive(Default)]
pub(crate) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u128(&mut self, name: u128) {
        self.0 = low_half(name);
    }
}

pub(crate) type NameMap<T> = HashMap<u128, T, BuildHasherDefault<NameHasher>>;

#[expect(clippy::cast_possible_truncation, reason = "half of a keyed hash is a hash")]
pub(crate) fn low_half(name: u128) -> u64 {
    name as u64
}

/// One remembered event id.
struct Slot {
    name: u128,
    seen: Seen,
}

/// The last [`WINDOW_EVENTS`] event ids, by their keyed names: a ring in the order of their
/// arrival, and a table of places in it. A table of the slots themselves would be twice as large,
/// and its memory is what a look-up waits for.
pub(crate) struct Window {
    /// Slots at most.
    most: usize,
    ring: Vec<Slot>,
    /// The place of the oldest slot, once the ring is full.
    oldest: usize,
    places: HashTable<u32>,
}

impl Default for Window {
    fn default() -> Self {
        Self::of(WINDOW_EVENTS)
    }
}

impl Window {
    fn of(most: usize) -> Self {
        Self { most, ring: Vec::new(), oldest: 0, places: HashTable::new() }
    }

    fn get(&self, name: u128) -> Option<Seen> {
        let is_it = |place: &u32| self.slot(*place).is_some_and(|slot| slot.name == name);
        let place = self.places.find(low_half(name), is_it)?;
        self.slot(*place).map(|slot| slot.seen)
    }

    fn slot(&self, place: u32) -> Option<&Slot> {
        self.ring.get(place as usize)
    }

    /// True when a record of this name was sealed lately.
    pub(crate) fn knows(&self, name: u128) -> bool {
        self.get(name).is_some()
    }

    /// Looks up names that are about to be inserted, and those that will make room for them. The
    /// look-ups wait for memory, not for each other; one after the other between hashes they would.
    pub(crate) fn warm(&self, names: impl ExactSizeIterator<Item = u128>) {
        let leaving = self.ring.iter().skip(self.oldest).take(names.len());
        let leaving = leaving.filter(|_| self.ring.len() >= self.most).map(|slot| slot.name);
        let touch = |name: u128| self.places.find(low_half(name), |_| true).is_some();
        black_box(names.chain(leaving).filter(|name| touch(*name)).count());
    }

    /// The earlier record of this name; otherwise remembers the new one and returns `None`.
    pub(crate) fn check_or_insert(&mut self, name: u128, new: Seen) -> Option<Seen> {
        if let Some(seen) = self.get(name) {
            return Some(seen);
        }
        let place = if self.ring.len() < self.most {
            self.ring.push(Slot { name, seen: new });
            self.ring.len() - 1
        } else {
            let place = self.oldest;
            self.forget(place);
            self.oldest = (place + 1) % self.most;
            self.ring[place] = Slot { name, seen: new };
            if self.places.capacity() == self.places.len() {
                self.sort_in_anew();
                return None;
            }
            place
        };
        let Self { ring, places, .. } = self;
        // The ring has a million places at most.
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let hash_at = |place: &u32| ring.get(*place as usize).map_or(0, |slot| low_half(slot.name));
        places.insert_unique(low_half(name), place, hash_at);
        None
    }

    /// Fills the table again. Places that were taken out leave marks in it, and where there is no
    /// room between them it would take twice the memory, for good.
    fn sort_in_anew(&mut self) {
        let Self { ring, places, .. } = self;
        places.clear();
        let hash_at = |place: &u32| ring.get(*place as usize).map_or(0, |slot| low_half(slot.name));
        for (place, slot) in (0_u32..).zip(ring.iter()) {
            places.insert_unique(low_half(slot.name), place, hash_at);
        }
    }

    /// Takes the slot at `place` out of the table.
    fn forget(&mut self, place: usize) {
        let Some(name) = self.ring.get(place).map(|slot| slot.name) else { return };
        let is_it = |candidate: &u32| *candidate as usize == place;
        if let Ok(entry) = self.places.find_entry(low_half(name), is_it) {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_million_ids_are_known_and_older_ones_are_forgotten() {
        let mut window = Window::default();
        let seen = |index: u64| Seen { index, fingerprint: 0 };
        let name = |index: u64| u128::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for index in 0..WINDOW_EVENTS as u64 + 2 {
            assert_eq!(window.check_or_insert(name(index), seen(index)), None);
        }
        assert_eq!(window.check_or_insert(name(2), seen(9)), Some(seen(2)));
        assert_eq!(window.check_or_insert(name(0), seen(9)), None, "forgotten");
    }

    #[test]
    fn a_full_window_takes_no_more_memory_however_many_ids_pass_through_it() {
        let mut window = Window::of(1_000);
        let seen = |index: u64| Seen { index, fingerprint: 0 };
        // Keyed hashes are as random.
        let name = |index: u64| {
            let mixed = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            u128::from((mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93))
        };
        let mut most = 0;
        for index in 0..200_000 {
            assert_eq!(window.check_or_insert(name(index), seen(index)), None);
            most = most.max(window.places.capacity());
        }
        assert_eq!(most, 1_792, "as much as 1,000 places take first");
        for index in 199_000..200_000 {
            assert_eq!(window.get(name(index)), Some(seen(index)));
        }
        assert_eq!(window.places.len(), 1_000);
        assert_eq!(window.get(name(198_999)), None);
    }
}
