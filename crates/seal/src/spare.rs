//! Buffers of batches that are done, for the next ones: fresh megabytes from the system cost more
//! than encoding into them, and every thread would keep its own.

use crate::batch::Batch;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Mutex;

/// A batch is worth keeping from this many bytes on, up to the size of a full batch of usual
/// events.
pub(crate) const KEPT_BYTES: Range<usize> = 64 << 10..16 << 20;
/// Bytes of records in spare buffers at most; beyond, those that nobody used for longest go. When
/// producers turn to larger batches, the buffers of the smaller ones would otherwise be kept for
/// nothing, and those of the larger ones never.
const BYTES_MAX: usize = 24 << 20;

static SPARE: Mutex<Spare> = Mutex::new(Spare(VecDeque::new()));

/// Keeps a batch's buffers.
pub(crate) fn keep(mut batch: Batch) {
    batch.bytes.clear();
    batch.texts.clear();
    batch.items.clear();
    let gone = SPARE.lock().map(|mut spare| spare.put(batch)).unwrap_or_default();
    // A batch without room for records is not kept again.
    gone.into_iter().for_each(|mut batch| batch.bytes = Vec::new());
}

/// A batch that is empty and has room for so many bytes of records, if one is kept.
pub(crate) fn take(room: usize) -> Option<Batch> {
    KEPT_BYTES.contains(&room).then(|| SPARE.lock().ok()?.take(room)).flatten()
}

/// Empty batches with room, the longest unused first.
struct Spare(VecDeque<Batch>);

impl Spare {
    /// Adds a batch; returns those that are too much.
    fn put(&mut self, batch: Batch) -> Vec<Batch> {
        self.0.push_back(batch);
        let mut bytes = self.0.iter().map(|batch| batch.bytes.capacity()).sum::<usize>();
        let mut gone = Vec::new();
        while bytes > BYTES_MAX
            && let Some(batch) = self.0.pop_front()
        {
            bytes -= batch.bytes.capacity();
            gone.push(batch);
        }
        gone
    }

    /// The smallest batch with this much room; of several the one that was used last, which the
    /// caches still hold.
    fn take(&mut self, room: usize) -> Option<Batch> {
        let fits = |(at, batch): (usize, &Batch)| {
            (batch.bytes.capacity() >= room).then_some((batch.bytes.capacity(), Reverse(at)))
        };
        let (_, Reverse(place)) = self.0.iter().enumerate().filter_map(fits).min()?;
        self.0.remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: usize) -> Batch {
        let (texts, items) = (String::new(), Vec::new());
        Batch { bytes: Vec::with_capacity(bytes), texts, items, key_changes: None }
    }

    fn rooms(batches: impl IntoIterator<Item = Batch>) -> Vec<usize> {
        // Without their room they do not become spare buffers of the whole process.
        batches.into_iter().map(|mut batch| std::mem::take(&mut batch.bytes).capacity()).collect()
    }

    #[test]
    fn the_smallest_that_fits_is_used_and_what_was_unused_longest_goes() {
        let mut spare = Spare(VecDeque::new());
        for _ in 0..24 {
            assert!(spare.put(of(1 << 20)).is_empty());
        }
        assert_eq!(rooms(spare.put(of(9 << 20))), [1 << 20; 9]);
        assert_eq!(rooms(spare.take(1 << 20)), [1 << 20]);
        assert_eq!(rooms(spare.take((1 << 20) + 1)), [9 << 20]);
        assert!(spare.take((1 << 20) + 1).is_none());
        assert_eq!(rooms(spare.put(of(11 << 20))), [1 << 20; 1]);
        assert_eq!(spare.0.len(), 14);
        rooms(spare.0);
    }
}
