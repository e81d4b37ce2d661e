//! Checks of whole logs: they may take minutes, so a call starts one, waits a while, and whoever
//! calls again is told how far it is, or the outcome.

use super::envelope::{Answer, Rest};
use super::input::{self, Nothing};
use super::source::{Failure, Rights};
use super::tools::Call;
use prove::Verdict;
use reading::View;
use reading::verify::verify as verify_folder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long the call that starts a check waits for it; clients give up after a minute.
const WAIT: Duration = Duration::from_secs(30);
/// Checks at the same time, of different logs: each keeps two threads busy.
const RUNNING_MAX: usize = 2;

/// The checks of this process, by log.
#[derive(Default)]
pub struct Checks {
    logs: Mutex<BTreeMap<String, Arc<Check>>>,
    running: Mutex<usize>,
}

/// The check of one log.
#[derive(Default)]
struct Check {
    state: Mutex<State>,
    ended: Condvar,
    done: AtomicU64,
    total: AtomicU64,
}

#[derive(Default)]
struct State {
    is_running: bool,
    /// The newest outcome, and whether it was told.
    outcome: Option<(Outcome, bool)>,
}

/// What a check found.
#[derive(Clone)]
struct Outcome {
    verdict: Verdict,
    level: Value,
    size: u64,
    counts: Value,
    findings: Vec<Value>,
    at_ms: u64,
}

impl Checks {
    fn of(&self, view: &View) -> Arc<Check> {
        let log = view.reading().log();
        let key = format!("{}\n{}", log.identity.origin, log.path.display());
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(logs.entry(key).or_default())
    }

    /// What is known of the log from the last check in this process.
    pub(crate) fn last(&self, view: &View) -> Value {
        let check = self.of(view);
        let state = check.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.outcome {
            Some((outcome, _)) => outcome.told(),
            None => json!({ "state": "not_checked", "how": "call verify_log" }),
        }
    }
}

impl Outcome {
    fn told(&self) -> Value {
        json!({
            "state": "checked", "verdict": self.verdict, "level": self.level, "size": self.size,
            "records": self.counts, "findings": self.findings.len(),
            "checked_at": event::Timestamp::from_milliseconds(self.at_ms).to_string(),
        })
    }
}

pub(crate) fn verify(call: &Call<'_>) -> Result<Answer, Failure> {
    let Nothing {} = input::read(call.arguments)?;
    if !call.rights.verify {
        return Err(Failure::new("your credential does not allow checks of the log"));
    }
    let check = call.checks.of(call.view);
    let outcome = match check.untold() {
        Begin::Tell(outcome) => Some(outcome),
        Begin::Running => None,
        Begin::Start => {
            if let Err(failure) = start(call, &check) {
                check.end(None);
                return Err(failure);
            }
            check.wait()
        }
    };
    let Some(outcome) = outcome else {
        let done = check.done.load(Ordering::Relaxed);
        let total = check.total.load(Ordering::Relaxed);
        let verification = json!({
            "state": "running", "done": done, "total": total,
            "how": "call verify_log again for the outcome",
        });
        let summary = "The check is still running; call again.";
        let answer = Answer::new(call.as_of(), Rights::default(), summary);
        return Ok(answer.fact("verification", verification));
    };
    let summary = match outcome.verdict {
        Verdict::Ok => "Everything that was checked holds.",
        Verdict::Tampered => "The log was altered, or something of it is lost: see the findings.",
        Verdict::Incomplete => "Nothing wrong was found, but not everything could be checked.",
    };
    let mut answer = Answer::new(call.as_of(), Rights::default(), summary);
    answer.records = Some(0);
    Ok(answer.fact("verification", outcome.told()).list("findings", outcome.findings, Rest::Ends))
}

/// What a call has to do.
enum Begin {
    Tell(Outcome),
    Running,
    Start,
}

impl Check {
    /// The outcome that nobody was told; else the caller is to start a check, and it is marked so.
    fn untold(&self) -> Begin {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_running {
            return Begin::Running;
        }
        if let Some((outcome, is_told @ false)) = &mut state.outcome {
            *is_told = true;
            return Begin::Tell(outcome.clone());
        }
        state.is_running = true;
        Begin::Start
    }

    /// Waits a while for the outcome of a check that was started.
    fn wait(&self) -> Option<Outcome> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.wait_timeout_while(state, WAIT, |state| state.is_running);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &mut state.outcome {
            Some((outcome, is_told @ false)) => {
                *is_told = true;
                Some(outcome.clone())
            }
            _ => None,
        }
    }

    fn end(&self, outcome: Option<Outcome>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_running = false;
        if let Some(outcome) = outcome {
            state.outcome = Some((outcome, false));
        }
        self.ended.notify_all();
    }
}

/// Ends a check, whatever happens to its thread.
struct Ending {
    check: Arc<Check>,
    checks: Arc<Checks>,
    outcome: Option<Outcome>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let mut running = self.checks.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = running.saturating_sub(1);
        drop(running);
        self.check.end(self.outcome.take());
    }
}

fn start(call: &Call<'_>, check: &Arc<Check>) -> Result<(), Failure> {
    let mut running = call.checks.running.lock().unwrap_or_else(PoisonError::into_inner);
    if *running >= RUNNING_MAX {
        return Err(Failure::new("other logs are being checked; ask again in a minute"));
    }
    *running += 1;
    drop(running);
    let (kek, options) = (call.source.kek(), call.source.verify_options());
    let (folder, at_ms) = (Arc::clone(&call.view.reading().log().folder), call.source.now_ms());
    let mut ending =
        Ending { check: Arc::clone(check), checks: Arc::clone(call.checks), outcome: None };
    let work = move || {
        let progress = Arc::clone(&ending.check);
        let report = verify_folder(&folder, Some(&*kek), &options, &mut |it| {
            progress.done.store(it.done, Ordering::Relaxed);
            progress.total.store(it.total, Ordering::Relaxed);
        });
        let json = |value: serde_json::Result<Value>| value.unwrap_or(Value::Null);
        ending.outcome = Some(Outcome {
            verdict: report.verdict(),
            level: json(serde_json::to_value(report.level)),
            size: report.size,
            counts: json(serde_json::to_value(report.counts)),
            findings: report
                .findings()
                .iter()
                .map(|finding| json(serde_json::to_value(finding)))
                .collect(),
            at_ms,
        });
        drop(ending);
    };
    let thread = std::thread::Builder::new().name("mcp-verify".to_owned()).spawn(work);
    // If there is no thread, its `ending` is dropped here and now.
    thread.map(drop).map_err(|error| Failure::new(format!("the check cannot start: {error}")))
}
