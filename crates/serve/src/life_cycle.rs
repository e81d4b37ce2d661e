//! What is held, erased and expires in a log that takes events meanwhile.
//!
//! Whatever takes long (moving the journal's records into segments, looking at these, writing them
//! anew) is done beside the writer; it is lent only for the moment in which something is announced.
//! One such act at a time in a log. What goes, and why not, is `retain`'s to say.

use crate::open_log::{OpenLog, down};
use crate::problem::Problem;
use axum::http::StatusCode;
use event::{Principal, Tier};
use retain::{
    Erased, Erasing, Erasure, Expired, Expiring, Hold, Plan, Policy, RetainError, Selector,
};
use seal::{Log, SealError, Settled, Writer};
use segment::Row;
use std::sync::Arc;
use std::time::Duration;

/// How often segments are looked at again, when one of them was replaced meanwhile.
const LOOKS_MAX: usize = 5;
/// And how long to wait before it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A hold, an erasure, an expiry or a change of agents' keys is under way in the log: only who has
/// this may do another.
pub(crate) type Turn = tokio::sync::OwnedMutexGuard<()>;

impl OpenLog {
    /// The holds in force, as the published checkpoint shows them.
    ///
    /// # Errors
    /// 500 when the log does not say what they hold.
    pub(crate) fn holds(&self) -> Result<Vec<Hold>, Problem> {
        let view = self.view()?;
        let holds = view.reading().catalogue().holds().map(|(name, authority)| {
            let found = reading::answer::at(view.reading(), authority);
            let found = found.map_err(|error| unreadable(&error))?;
            let lost = || unreadable(&format!("record {authority}, which says what {name} holds"));
            let found = found.ok_or_else(lost)?;
            let time_ms = found.recorded_at_ms;
            Hold::read(name.to_owned(), authority, time_ms, &found.meta, &found.content)
                .map_err(|error| unreadable(&error))
        });
        holds.collect()
    }

    /// Puts a hold on records; its name.
    ///
    /// # Errors
    /// 422, 503.
    pub(crate) fn hold(
        &self,
        _turn: &Turn,
        selector: Selector,
        reason: String,
        by: Principal<'static>,
    ) -> Result<String, Problem> {
        let log = self.writer_for_acts()?;
        self.lend(&log, move |writer| retain::hold(writer, &selector, &reason, &by))
    }

    /// Releases a hold.
    ///
    /// # Errors
    /// 404, 503.
    pub(crate) fn release(
        &self,
        _turn: &Turn,
        name: String,
        reason: String,
        by: Principal<'static>,
    ) -> Result<(), Problem> {
        let log = self.writer_for_acts()?;
        self.lend(&log, move |writer| retain::release(writer, &name, &reason, &by))
    }

    /// Erases, and waits until what goes is gone.
    ///
    /// # Errors
    /// 409 under a hold or a statutory minimum, which the log then has a record of; 404, 422, 503.
    pub(crate) fn erase(&self, _turn: &Turn, erasure: Erasure) -> Result<Erased, Problem> {
        let (policy, now_ms) = (self.policy(), self.now_ms());
        self.wait(Log::settle_tail)?;
        let erasing = self.look(|settled| Erasing::find(settled, &erasure, &policy, now_ms))?;
        let log = self.writer_for_acts()?;
        let erased = self.lend(&log, move |writer| erasing.announce(writer, &erasure))?;
        drop(log);
        self.wait(Log::settle)?;
        Ok(erased)
    }

    /// What would expire: of what lies in segments, and of the records that no segment has yet, as
    /// the published checkpoint shows them. Nothing is written, and the writer is not asked.
    ///
    /// # Errors
    /// 500.
    pub(crate) fn plan(&self) -> Result<Plan, Problem> {
        let (policy, now_ms) = (self.policy(), self.now_ms());
        let mut looks = 1;
        loop {
            let view = self.view()?;
            let library = view.library().map_err(|error| unreadable(&error))?;
            let planned = library.map_or_else(
                || Err(unreadable(&"records are missing or damaged; `tacho verify` names them")),
                |library| {
                    let tail: Vec<&Row> = library.tail().collect();
                    let planned = retain::plan(&view.settled(), &tail, &policy, now_ms);
                    planned.map_err(|error| unreadable(&error))
                },
            );
            match planned {
                // What was there may have been replaced before it was opened.
                Err(_) if looks < LOOKS_MAX => looks += 1,
                planned => return planned,
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// The same of what lies in segments alone.
    fn plan_of_segments(&self) -> Result<Plan, Problem> {
        let (holds, policy, now_ms) = (self.holds()?, self.policy(), self.now_ms());
        let find = |settled: &Settled| Expiring::find_under(settled, &holds, &policy, now_ms);
        Ok(self.look(find)?.plan().clone())
    }

    /// Whether records that no segment has yet may be due: in a log that nothing was added to for
    /// long. Only then it is worth having all of them in memory.
    fn has_old_tail(&self) -> Result<bool, Problem> {
        let (view, policy, now_ms) = (self.view()?, self.policy(), self.now_ms());
        let first = view.reading().catalogue().covered();
        if first >= view.as_of().size {
            return Ok(false);
        }
        let oldest = reading::answer::at(view.reading(), first);
        let oldest = oldest.map_err(|error| unreadable(&error))?;
        let is_due = |time_ms| Tier::ALL.iter().any(|it| policy.due_ms(*it, time_ms) <= now_ms);
        Ok(oldest.is_none_or(|oldest| is_due(oldest.recorded_at_ms)))
    }

    /// Lets go what is due, and waits until it is gone. Writes nothing when nothing is due.
    ///
    /// # Errors
    /// 500, 503.
    pub(crate) fn expire(&self, _turn: &Turn, by: &Principal<'static>) -> Result<Expired, Problem> {
        let plan = match self.has_old_tail()? {
            true => self.plan()?,
            false => self.plan_of_segments()?,
        };
        if plan.going() == 0 {
            let held = plan.classes.iter().map(|class| class.held).sum();
            return Ok(Expired { held, ..Expired::default() });
        }
        let (policy, now_ms) = (self.policy(), self.now_ms());
        // What is due may still lie in the journal, and records about holds.
        self.wait(Log::settle_tail)?;
        let mut expiring = self.look(|settled| Expiring::find(settled, &policy, now_ms))?;
        loop {
            let by = by.clone();
            let announce = move |writer: &mut Writer| {
                let more = expiring.announce(writer, &by)?;
                Ok((expiring, more))
            };
            let (rest, more) = self.lend(&self.writer_for_acts()?, announce)?;
            if !more {
                return Ok(rest.expired());
            }
            expiring = rest;
            self.wait(Log::settle)?;
        }
    }

    /// How long records stay.
    pub(crate) fn policy(&self) -> Policy {
        self.settings().retention.unwrap_or_default()
    }

    /// Looks at segments; again when one of them was replaced before it was opened.
    ///
    /// That takes long, and a log that failed is opened again only when nobody has it any more: so
    /// it is held no longer than it takes to say where the segments are.
    fn look<T>(&self, find: impl Fn(&Settled) -> Result<T, RetainError>) -> Result<T, Problem> {
        let mut looks = 1;
        loop {
            let log = self.writer_for_acts()?;
            let (settled, failed) = (log.settled(), Arc::downgrade(&log));
            drop(log);
            match settled.map_err(RetainError::from).and_then(|settled| find(&settled)) {
                Ok(found) => return Ok(found),
                Err(RetainError::Seal(SealError::Store(_))) if looks < LOOKS_MAX => looks += 1,
                Err(error) => {
                    let log = failed.upgrade().ok_or_else(down)?;
                    return Err(self.not_done(&log, &error));
                }
            }
        }
    }

    /// Waits for what a log does in the background.
    fn wait(&self, settle: impl Fn(&Log) -> Result<(), SealError>) -> Result<(), Problem> {
        let log = self.writer_for_acts()?;
        settle(&log).map_err(|error| self.not_finished(&log, &error))
    }

    /// Lends the writer for an announcement.
    fn lend<T: Send + 'static>(
        &self,
        log: &Arc<Log>,
        act: impl FnOnce(&mut Writer) -> Result<T, RetainError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.lent(log, act)?.map_err(|error| self.not_done(log, &error))
    }

    /// The same for who says what an error of the act means.
    pub(crate) fn lent<T: Send + 'static>(
        &self,
        log: &Arc<Log>,
        act: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        // What is under way in the background is waited for here, and not by those who append.
        let lent = log.settle().and_then(|()| log.with_writer(act));
        lent.map_err(|error| self.not_finished(log, &error))
    }

    /// Why what was announced is not gone, or nothing could be announced.
    fn not_finished(&self, log: &Arc<Log>, error: &SealError) -> Problem {
        match error {
            SealError::Unfinished { .. } => Problem::busy("not_finished", error.to_string()),
            error => self.failed(log, error),
        }
    }

    /// Why something was not held, erased or let go.
    pub(crate) fn not_done(&self, log: &Arc<Log>, error: &RetainError) -> Problem {
        let detail = error.to_string();
        let problem = |status, code| Problem::new(status, code, detail.clone());
        match error {
            RetainError::Seal(
                error @ (SealError::Poisoned { .. } | SealError::Closed | SealError::Store(_)),
            ) => self.failed(log, error),
            RetainError::Seal(SealError::Refused { .. }) => {
                problem(StatusCode::CONFLICT, "refused")
            }
            RetainError::Seal(_) | RetainError::Ledger(_) => unreadable(&detail),
            RetainError::HoldsChanged => Problem::busy("holds_changed", detail),
            RetainError::Held { .. } => problem(StatusCode::CONFLICT, "held"),
            RetainError::Minimum { .. } => problem(StatusCode::CONFLICT, "kept_by_profile"),
            RetainError::EmptySelection => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "empty_selection")
            }
            RetainError::Nothing => problem(StatusCode::NOT_FOUND, "nothing_matches"),
            RetainError::UnknownHold(_) => problem(StatusCode::NOT_FOUND, "unknown_hold"),
        }
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "log_unreadable", error.to_string())
}
