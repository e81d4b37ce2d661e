//! How a question is asked: on a thread of its own, a few at a time, as of one checkpoint; and what
//! was protected is recorded before the answer leaves.

use crate::access::policy::Action;
use crate::app::App;
use crate::gate::Granted;
use crate::problem::Problem;
use axum::http::StatusCode;
use reading::{ErrorKind, ReadError, View};
use seal::Act;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a question waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(5);
/// And one that reads much, among statements of SQL.
const LONG_TURN_MAX: Duration = Duration::from_secs(10);

/// Asks a log.
///
/// # Errors
/// 503 when too many ask, and whatever the question says.
pub(crate) async fn ask<T: Send + 'static>(
    app: &App,
    granted: &Granted,
    question: impl FnOnce(&View) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let log = Arc::clone(granted.log()?);
    let turn = timeout(TURN_MAX, Arc::clone(app.questions()).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(Problem::busy(
            "overloaded",
            "too many questions are being answered; ask again",
        ));
    };
    let work = move || {
        // Held by the thread, not by who waits for it: whoever goes away leaves the work behind.
        let _turn = turn;
        question(&*log.view()?)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())?
}

/// Asks what reads more than a page or needs memory of its own: one of a few at the same time.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn ask_much<T: Send + 'static>(
    app: &App,
    granted: &Granted,
    question: impl FnOnce(&View) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let turn = timeout(LONG_TURN_MAX, Arc::clone(app.statements()).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(Problem::busy("overloaded", "others are being answered; ask again"));
    };
    let question = move |view: &View| {
        let _turn = turn;
        question(view)
    };
    ask(app, granted, question).await
}

/// Whether the caller may do something in the log that was asked.
pub(crate) fn may(app: &App, granted: &Granted, action: Action) -> bool {
    let (Some(caller), Ok(log)) = (granted.caller(), granted.log()) else { return false };
    app.keeper().policy.decide(caller, action, Some(log.name())).allowed
}

/// Whether the log's own records of who read what, and who was refused, are left out of an answer:
/// for those who may not read them they are not there, whatever is asked.
pub(crate) fn hides_access_records(app: &App, granted: &Granted) -> bool {
    !may(app, granted, Action::ReadAccessRecords)
}

/// Whether content goes into an answer: what was asked for, as far as the caller may have it.
///
/// # Errors
/// 403 when it was asked for and may not be had.
pub(crate) fn content(app: &App, granted: &Granted, wanted: Option<bool>) -> Result<bool, Problem> {
    let may = may(app, granted, Action::ReadContent);
    match wanted {
        Some(true) if !may => {
            Err(no_content("your credential shows metadata only; leave content=1 out"))
        }
        Some(wanted) => Ok(wanted),
        None => Ok(may),
    }
}

/// 403: content, or what would tell of it.
pub(crate) fn no_content(detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

/// Records that protected records are handed out, durably, before they are.
///
/// # Errors
/// 503: then they are not.
pub(crate) async fn record(
    granted: &Granted,
    route: &'static str,
    question: Value,
    records: u64,
    size: u64,
) -> Result<(), Problem> {
    let details = json!({
        "route": route, "question": question, "records": records, "as_of": { "size": size },
    });
    granted.log()?.record(Act::Access(details), &granted.principal()).await.map(drop)
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        problem(&error)
    }
}

/// What a reading says, as a problem.
pub(crate) fn problem(error: &ReadError) -> Problem {
    match error.kind() {
        ErrorKind::Usage => Problem::malformed("bad_question", error.to_string()),
        ErrorKind::Failed => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "log_unreadable", error.to_string())
        }
    }
}
