//! What the server lets go by itself: records whose days are over, in every log that a policy was
//! configured for, at the start and then every hour.
//!
//! It does what somebody does who posts to `.../retention`, and the log has the same records of it,
//! by the server. One log after the other, so that it is never more than one thread and one disk's
//! work.

use crate::app::App;
use crate::logs::Logs;
use crate::open_log::{OpenLog, server};
use event::Timestamp;
use retain::Expired;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// How often it is looked whether something is due: records go by days.
pub(crate) const EVERY: Duration = Duration::from_secs(3600);

/// What the schedule did in one log.
#[derive(Default)]
pub(crate) struct Schedule(Mutex<State>);

#[derive(Clone, Default)]
struct State {
    last: Option<(u64, Result<Expired, String>)>,
    expired: u64,
}

impl Schedule {
    fn note(&self, at_ms: u64, outcome: Result<Expired, String>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.expired += outcome.as_ref().map_or(0, |expired| expired.records);
        state.last = Some((at_ms, outcome));
    }

    /// Records that went since the start, and whether the last attempt failed.
    pub(crate) fn figures(&self) -> (u64, bool) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.expired, matches!(state.last, Some((_, Err(_)))))
    }

    /// What it did last, as programs are told; nothing before the first time.
    pub(crate) fn last(&self) -> Value {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).last.clone();
        let time = |at_ms: u64| Timestamp::from_milliseconds(at_ms).to_string();
        match last {
            None => Value::Null,
            Some((at_ms, Err(reason))) => json!({ "at": time(at_ms), "failed": reason }),
            Some((at_ms, Ok(expired))) => {
                let mut told = expired.to_json();
                if let Some(members) = told.as_object_mut() {
                    members.insert("at".to_owned(), time(at_ms).into());
                }
                told
            }
        }
    }
}

impl OpenLog {
    /// Lets go what is due, when a policy was configured. Waits for whoever does such a thing.
    fn expire_on_schedule(&self) {
        if self.settings().retention.is_none() {
            return;
        }
        let turn = Arc::clone(self.life_cycle()).blocking_lock_owned();
        let outcome = guarded(|| {
            self.expire(&turn, &server()).map_err(|problem| problem.detail.into_owned())
        });
        self.schedule().note(self.now_ms(), outcome);
    }
}

/// A fault in one log must not keep the others' records for ever.
fn guarded(expire: impl FnOnce() -> Result<Expired, String>) -> Result<Expired, String> {
    catch_unwind(AssertUnwindSafe(expire)).unwrap_or_else(|_| {
        Err("the server failed at this; its own log says why, and the next hour tries again"
            .to_owned())
    })
}

impl Logs {
    /// Lets go what is due in every log that a policy was configured for. To be called every hour,
    /// from a thread that may wait.
    pub fn expire(&self) {
        for log in self.all() {
            log.expire_on_schedule();
        }
    }
}

/// The schedule, while the server runs.
pub(crate) async fn run(app: App) {
    loop {
        let logs = Arc::clone(app.logs());
        let _ = tokio::task::spawn_blocking(move || logs.expire()).await;
        sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_one_log_is_its_last_attempt_and_not_the_end_of_the_others() {
        let schedule = Schedule::default();
        schedule.note(1_000, guarded(|| panic!("of a test")));
        assert!(schedule.figures().1);
        assert!(schedule.last()["failed"].as_str().unwrap().contains("failed at this"));
        schedule.note(2_000, guarded(|| Ok(Expired::default())));
        assert!(!schedule.figures().1);
    }
}
