//! What is done for a log when nobody asks: it is opened again after a failure, and records what
//! it did not take.
//!
//! Other logs are tended meanwhile: whatever may take long is done on a thread of its own.

use super::{OpenLog, State, is_full, open_writer, server};
use seal::{Act, Log};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long to wait before a log is opened again after it could not be.
const REOPEN_INTERVAL: Duration = Duration::from_secs(1);
/// What callers sent too much of is added up for so long before the log records it.
const THROTTLED_AFTER_MS: u64 = 10_000;
/// How often it is remembered how far a log came: seldom, because that is one more sync.
const REMEMBER_INTERVAL: Duration = Duration::from_secs(10);
/// How long what is under way, as an erasure, is waited for when the server stops.
const UNDER_WAY_MAX: Duration = Duration::from_secs(10);

impl OpenLog {
    /// Looks at the disk, opens the log again if it is down, and records what waits for that.
    ///
    /// Whatever may take long is done aside, one thing at a time: other logs are tended meanwhile,
    /// as opening one takes as long as its disk takes.
    pub fn tend(self: &Arc<Self>) {
        self.full.store(is_full(&self.folder, &self.settings), Ordering::Relaxed);
        let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        if aside.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        if self.has_work() {
            let log = Arc::clone(self);
            let thread = std::thread::Builder::new().name("tacho-tend".to_owned());
            // Where there is no thread to be had, it is tried again in a moment.
            *aside = thread.spawn(move || log.catch_up()).ok();
        } else if self.trouble().is_none() {
            self.remember(REMEMBER_INTERVAL);
        }
    }

    /// Whether there is something to be done aside.
    fn has_work(&self) -> bool {
        if let State::Down { again, .. } =
            &*self.state.read().unwrap_or_else(PoisonError::into_inner)
        {
            return *again <= Instant::now();
        }
        let has_gap = || self.gap.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let is_throttled = || {
            let throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_old(throttled.since_ms(), THROTTLED_AFTER_MS)
        };
        self.trouble().is_none() && (has_gap() || is_throttled())
    }

    /// Does it.
    fn catch_up(&self) {
        let due = match &mut *self.state.write().unwrap_or_else(PoisonError::into_inner) {
            State::Down { old, again, .. } if *again <= Instant::now() => {
                *again = Instant::now() + REOPEN_INTERVAL;
                // Those who wait for it let go soon; its lock goes with it.
                match old.take().map(Arc::try_unwrap) {
                    Some(Err(shared)) => {
                        *old = Some(shared);
                        None
                    }
                    Some(Ok(log)) => Some(Some(log)),
                    None => Some(None),
                }
            }
            _ => None,
        };
        if let Some(old) = due {
            drop(old);
            self.reopen();
        }
        if self.trouble().is_none() {
            self.report_gap();
            self.report_throttled(THROTTLED_AFTER_MS);
        }
    }

    /// Remembers outside the folder how far the log came, when that was done so long ago. What
    /// fails is tried again: the log goes on without it.
    pub(super) fn remember(&self, after: Duration) {
        let Some(memory) = &self.settings.memory else { return };
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.is_none_or(|at| at.elapsed() >= after) {
            *remembered = Some(Instant::now());
            let _ = memory.keep(&self.folder);
        }
    }

    fn reopen(&self) {
        let opened = open_writer(&self.folder, &self.kek, &self.settings);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match (&mut *state, opened) {
            (State::Down { .. }, Ok(writer)) => *state = State::Up(Arc::new(Log::start(writer))),
            (State::Down { reason, .. }, Err(error)) => *reason = error.to_string(),
            _ => {}
        }
    }

    /// Says in the log that it took no events for a while, and how many requests came.
    fn report_gap(&self) {
        let gap = self.gap.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(gap), Ok(log)) = (gap, self.writer_for_acts()) else { return };
        let until_ms = self.settings.options.clock.now_ms();
        let details = json!({
            "reason": gap.reason, "requests_refused": gap.requests,
            "since_ms": gap.since_ms, "until_ms": until_ms,
        });
        let recorded = log.encode_act(Act::Gap(details), &server());
        // If this fails the writer is down again, and what happened then is told by its recovery.
        let _ = recorded.and_then(|batch| log.append(batch));
    }

    /// Says in the log what was refused of callers that sent too much, when that began so long ago.
    pub(super) fn report_throttled(&self, after_ms: u64) {
        let throttled = {
            let mut throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.is_old(throttled.since_ms(), after_ms) {
                return;
            }
            std::mem::take(&mut *throttled)
        };
        // If this fails the log is down, and its next record of a gap says since when.
        let _ = self.record_blocking(Act::Gap(throttled.details(self.now_ms())), &server());
    }

    /// Whether something began so long ago, if it did.
    fn is_old(&self, since_ms: Option<u64>, after_ms: u64) -> bool {
        since_ms.is_some_and(|since_ms| self.now_ms().saturating_sub(since_ms) >= after_ms)
    }

    /// Waits a while for what is being held, erased or let go. What takes longer is carried out
    /// when the log is opened again: it was announced first.
    pub(super) fn wait_for_life_cycle(&self) {
        wait_while(|| self.life_cycle.try_lock().is_err());
    }

    /// Waits a while for what is done aside. An opening that takes longer breaks off, and is begun
    /// again by the next start.
    pub(super) fn wait_for_aside(&self) {
        let thread = self.aside.lock().unwrap_or_else(PoisonError::into_inner).take();
        wait_while(|| thread.as_ref().is_some_and(|thread| !thread.is_finished()));
    }
}

/// Waits until something is over, but not for ever.
fn wait_while(is_under_way: impl Fn() -> bool) {
    let until = Instant::now() + UNDER_WAY_MAX;
    while is_under_way() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
}
