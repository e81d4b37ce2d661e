//! The numbering within streams: from 1, without gaps, one day at a time.
//!
//! A stream id includes the day (format.md, "Entry"), so the ids of a day can be forgotten when its
//! last entry has passed: that bounds the memory of a check, however long the log is.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The last sequence number of every stream of the current day.
#[derive(Debug, Default)]
pub(super) struct Streams {
    day: u64,
    last: HashMap<[u8; 16], u64>,
    /// Entries so far whose stream is not known; each may be the one that a gap is missing.
    lost: u64,
}

impl Streams {
    /// Takes the next entry; `Err` with the sequence number that it should have had.
    #[inline]
    pub(super) fn follow(
        &mut self,
        time_ms: u64,
        stream: [u8; 16],
        sequence: u64,
    ) -> Result<(), u64> {
        let day = time_ms / DAY_MS;
        if day != self.day {
            self.last.clear();
            self.day = day;
        }
        let (wanted, slot) = match self.last.entry(stream) {
            Slot::Occupied(slot) => (slot.get().saturating_add(1), slot.into_mut()),
            Slot::Vacant(slot) => (1, slot.insert(0)),
        };
        *slot = sequence.max(*slot);
        let in_order = sequence == wanted
            || sequence > wanted && sequence.abs_diff(wanted) <= self.lost && self.lost > 0;
        if in_order { Ok(()) } else { Err(wanted) }
    }

    /// Takes note of an entry whose stream cannot be known.
    pub(super) fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_count_from_one_each_day() {
        let mut streams = Streams::default();
        assert_eq!(streams.follow(5, [1; 16], 1), Ok(()));
        assert_eq!(streams.follow(5, [2; 16], 1), Ok(()));
        assert_eq!(streams.follow(6, [1; 16], 2), Ok(()));
        assert_eq!(streams.follow(6, [1; 16], 4), Err(3));
        assert_eq!(streams.follow(6, [1; 16], 5), Ok(()));
        assert_eq!(streams.follow(6, [2; 16], 1), Err(2));
        assert_eq!(streams.follow(6, [3; 16], 2), Err(1));
        assert_eq!(streams.follow(6, [4; 16], 0), Err(1));
        assert_eq!(streams.follow(DAY_MS, [1; 16], 1), Ok(()));
        assert_eq!(streams.last.len(), 1);
    }

    #[test]
    fn a_gap_is_forgiven_only_for_entries_that_could_not_be_read() {
        let mut streams = Streams::default();
        assert_eq!(streams.follow(5, [1; 16], 1), Ok(()));
        streams.lose();
        assert_eq!(streams.follow(5, [1; 16], 3), Ok(()));
        assert_eq!(streams.follow(5, [1; 16], 6), Err(4));
    }
}
