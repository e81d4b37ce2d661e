//! The batches that the killed process sends: a function of thread and number, so that the process
//! after it sends the unanswered ones again without being told what was in them.

use crate::random::Random;
use crate::workload::Planned;
use std::sync::Arc;

/// Threads that append at the same time.
pub(crate) const THREADS: u64 = 8;

/// Batch `number` of a thread: 1 to 20 events.
pub(crate) fn batch(thread: u64, number: u64) -> Vec<Arc<Planned>> {
    let mut random = Random::new(thread << 48 | number);
    (0..random.between(1, 20))
        .map(|place| format!("thread-{thread}-batch-{number}-event-{place}"))
        .map(|id| Arc::new(Planned::draw(id, &mut random)))
        .collect()
}
