//! The groups of one correlation, by the hash of what they have in common: as many as may be, and
//! when there are more, those that were quiet longest are forgotten.
//!
//! Two halves: what is touched moves into the new one; when that is full the old one goes. It costs
//! no list of who was last.

use crate::window::Window;
use std::collections::HashMap;

/// Numbers that all groups of one correlation hold at most, of 8 bytes.
const UNITS_MAX: u64 = 1 << 20;
/// Groups of one correlation.
const GROUPS_MAX: u64 = 20_000;

/// One group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) window: Window,
    /// Until when what happens belongs to the incident that was told already.
    pub(crate) open_until_ms: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Groups {
    new: HashMap<u128, Group>,
    old: HashMap<u128, Group>,
    half: usize,
}

impl Groups {
    /// For groups that hold so many numbers each.
    pub(crate) fn new(units: u64) -> Self {
        let most = (UNITS_MAX / units.max(1)).clamp(2, GROUPS_MAX);
        let half = usize::try_from(most / 2).unwrap_or(1);
        Self { half, ..Self::default() }
    }

    /// The group of this hash; made when it is not there.
    pub(crate) fn touch(&mut self, key: u128, make: impl FnOnce() -> Window) -> &mut Group {
        if !self.new.contains_key(&key) && self.new.len() >= self.half {
            self.old = std::mem::take(&mut self.new);
        }
        let old = &mut self.old;
        self.new.entry(key).or_insert_with(|| {
            let make = || Group { window: make(), open_until_ms: None };
            old.remove(&key).unwrap_or_else(make)
        })
    }

    /// The group of this hash, if it is there.
    pub(crate) fn get(&mut self, key: u128) -> Option<&mut Group> {
        self.new.get_mut(&key).or_else(|| self.old.get_mut(&key))
    }

    /// Those with an incident that goes on.
    pub(crate) fn open(&self) -> impl Iterator<Item = (u128, u64)> + '_ {
        let all = self.new.iter().chain(&self.old);
        all.filter_map(|(key, group)| Some((*key, group.open_until_ms?)))
    }

    /// Forgets which incidents go on.
    pub(crate) fn close_all(&mut self) {
        self.new.values_mut().chain(self.old.values_mut()).for_each(|it| it.open_until_ms = None);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.new.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn groups_are_bounded_and_the_quiet_ones_go() {
        let mut groups = Groups::new(1 << 12);
        let make = || Window::Count(VecDeque::new());
        groups.touch(7, make).open_until_ms = Some(1);
        for key in 1_000..11_000 {
            groups.touch(key, make);
            groups.touch(7, make);
            assert!(groups.len() <= 256);
        }
        assert_eq!(groups.open().collect::<Vec<_>>(), [(7, 1)]);
        assert!(groups.get(1_000).is_none() && groups.get(10_999).is_some());
    }
}
