//! Requests on their way into one log: who waits until there is room behind them, and whose turn it
//! is to be parsed.
//!
//! A body that was read is not refused any more because the log is busy: it waits here, in order,
//! while its room (`body.rs`) keeps further ones from being read. So a server that is offered more
//! than it can take refuses requests of which it has read nothing yet, and what it has begun it
//! ends. Not here: what the log itself has room for (`seal`).

use crate::open_log::overloaded;
use crate::problem::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Bytes of requests that are being parsed, ordered, written and synced: enough for a group of
/// each, and below what the log has room for.
const ROOM_BYTES: usize = 24 << 20;
/// Room is counted in pieces of this many bytes.
const UNIT_BYTES: usize = 16 << 10;
/// A request from this many bytes on is parsed alone: two of the largest would hold twice what one
/// takes, and it is split among the cores anyway (`intake.rs`). Ten thousand usual events are
/// fewer.
const ALONE_BYTES_MIN: usize = 8 << 20;
/// How long a request waits. Much longer than all before it take on a disk that works.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The way into one log.
pub(crate) struct Inflow {
    room: Arc<Semaphore>,
    /// As many as there are cores: more at once would only take each other's, and each thread's
    /// memory.
    turns: Arc<Semaphore>,
    cores: u32,
    wait_max: Duration,
}

/// Room, or a turn, until it is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

impl Default for Inflow {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let room = Arc::new(Semaphore::new(ROOM_BYTES / UNIT_BYTES));
        let turns = Arc::new(Semaphore::new(cores));
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        Self { room, turns, cores, wait_max: WAIT_MAX }
    }
}

impl Inflow {
    /// Waits for room for a request of so many bytes, until it is acknowledged.
    ///
    /// # Errors
    /// 503 when there is none for long.
    pub(crate) async fn place(&self, bytes: usize) -> Result<Place, Problem> {
        let units = bytes.clamp(1, ROOM_BYTES).div_ceil(UNIT_BYTES);
        self.wait(&self.room, u32::try_from(units).unwrap_or(u32::MAX)).await
    }

    /// Waits for the turn of a request of so many bytes to be parsed.
    ///
    /// # Errors
    /// 503 when it does not come for long.
    pub(crate) async fn turn(&self, bytes: usize) -> Result<Place, Problem> {
        let turns = if bytes < ALONE_BYTES_MIN { 1 } else { self.cores };
        self.wait(&self.turns, turns).await
    }

    async fn wait(&self, all: &Arc<Semaphore>, count: u32) -> Result<Place, Problem> {
        if let Ok(place) = Arc::clone(all).try_acquire_many_owned(count) {
            return Ok(place);
        }
        match timeout(self.wait_max, Arc::clone(all).acquire_many_owned(count)).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(overloaded()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn who_came_first_gets_in_first_however_small_the_next_one_is() {
        let inflow = Inflow::default();
        let held = inflow.place(ROOM_BYTES - UNIT_BYTES).await.unwrap();
        let mut large = Box::pin(inflow.place(10 * UNIT_BYTES));
        assert!((&mut large).now_or_never().is_none());
        let mut small = Box::pin(inflow.place(1));
        assert!((&mut small).now_or_never().is_none(), "it overtakes");
        drop(held);
        assert!(large.now_or_never().unwrap().is_ok());
        assert!(small.now_or_never().unwrap().is_ok());
    }

    #[tokio::test]
    async fn what_is_larger_than_all_room_gets_in_alone() {
        let inflow = Inflow::default();
        let all = inflow.place(ROOM_BYTES * 2).await.unwrap();
        assert!(inflow.place(1).now_or_never().is_none());
        drop(all);
        assert!(inflow.place(0).now_or_never().unwrap().is_ok());
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_to_come_again() {
        let inflow = Inflow { wait_max: Duration::from_millis(1), ..Inflow::default() };
        let mut turns = Vec::new();
        while let Some(turn) = inflow.turn(1).now_or_never() {
            turns.push(turn.unwrap());
        }
        let refused = inflow.turn(1).await.unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.retry_after), (503, Some(1)));
    }

    #[tokio::test]
    async fn the_largest_are_parsed_one_at_a_time() {
        let inflow = Inflow::default();
        let small = inflow.turn(ALONE_BYTES_MIN - 1).await.unwrap();
        let mut large = Box::pin(inflow.turn(ALONE_BYTES_MIN));
        assert!((&mut large).now_or_never().is_none(), "it is not alone");
        drop(small);
        let large = large.now_or_never().unwrap().unwrap();
        assert!(inflow.turn(1).now_or_never().is_none(), "nobody beside it");
        drop(large);
        assert!(inflow.turn(1).now_or_never().unwrap().is_ok());
    }
}
