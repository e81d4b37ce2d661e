//! The idempotency window: which event ids were sealed lately, so that a retry adds nothing.

use hashbrown::HashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};

/// Event ids remembered at least. A producer's retries come within seconds; a million ids are
/// minutes at full speed and days at usual speed, and cost about 80 MiB.
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
    #[expect(clippy::cast_possible_truncation, reason = "half of a keyed hash is a hash")]
    fn write_u128(&mut self, name: u128) {
        self.0 = name as u64;
    }
}

pub(crate) type NameMap<T> = HashMap<u128, T, BuildHasherDefault<NameHasher>>;

/// The last [`WINDOW_EVENTS`] event ids, by their keyed names.
#[derive(Default)]
pub(crate) struct Window {
    seen: NameMap<Seen>,
    order: VecDeque<u128>,
}

impl Window {
    /// True when a record of this name was sealed lately.
    pub(crate) fn knows(&self, name: u128) -> bool {
        self.seen.contains_key(&name)
    }

    /// Makes room for names that are about to be inserted, and looks each up. The look-ups wait for
    /// memory, not for each other; one after the other between hashes they would.
    pub(crate) fn warm(&mut self, names: impl ExactSizeIterator<Item = u128>) {
        let count = names.len();
        let known = names.filter(|name| self.seen.contains_key(name)).count();
        self.seen.reserve(count - known);
    }

    /// The earlier record of this name; otherwise remembers the new one and returns `None`.
    pub(crate) fn check_or_insert(&mut self, name: u128, new: Seen) -> Option<Seen> {
        match self.seen.entry(name) {
            hashbrown::hash_map::Entry::Occupied(entry) => return Some(*entry.get()),
            hashbrown::hash_map::Entry::Vacant(entry) => entry.insert(new),
        };
        self.order.push_back(name);
        if self.order.len() > WINDOW_EVENTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        None
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
}
