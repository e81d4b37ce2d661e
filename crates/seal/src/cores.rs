//! A core for each batch that is being encoded: as many at once as the machine has cores.
//!
//! More threads would take turns on them, drive each other's batches out of the caches, and finish
//! all of them late; one after the other, the first go on to the disk while the others are encoded.

use std::sync::{Condvar, LazyLock, Mutex, PoisonError};

/// A batch of fewer bytes is encoded before another thread would have its turn.
const BYTES_MIN: usize = 64 << 10;

/// Free cores of the process, whatever the number of logs.
static CORES: LazyLock<Cores> = LazyLock::new(|| Cores {
    free: Mutex::new(std::thread::available_parallelism().map_or(1, usize::from)),
    freed: Condvar::new(),
});

struct Cores {
    free: Mutex<usize>,
    freed: Condvar,
}

/// One core, until it is dropped. Whoever has it must not wait for another.
pub(crate) struct Core(());

impl Core {
    /// Waits for a core to encode `bytes` on; `None` when that is too little to wait for.
    pub(crate) fn for_bytes(bytes: usize) -> Option<Self> {
        (bytes >= BYTES_MIN).then(|| {
            let free = CORES.free.lock().unwrap_or_else(PoisonError::into_inner);
            let mut free = CORES
                .freed
                .wait_while(free, |free| *free == 0)
                .unwrap_or_else(PoisonError::into_inner);
            *free -= 1;
            Self(())
        })
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        *CORES.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        CORES.freed.notify_one();
    }
}
