//! The list of logs, making one, and whether the server is well.

use crate::anchor::Standing;
use crate::app::App;
use crate::append::respond;
use crate::body;
use crate::gate::Granted;
use crate::open_log::OpenLog;
use crate::problem::Problem;
use crate::witness;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use event::Timestamp;
use schemars::JsonSchema;
use seal::Act;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What a new log is given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLog {
    /// 1 to 64 letters, digits, `-`, `_` or `.`; the first is a letter or digit.
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))]
    name: String,
}

/// How a log is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogHealth {
    /// Its name.
    name: String,
    /// The origin of its checkpoints.
    origin: String,
    /// The verifier keys of its checkpoints.
    keys: Vec<String>,
    /// Entries that the published checkpoint covers.
    size: u64,
    /// Events acknowledged since the server started.
    events_since_start: u64,
    /// Their bytes.
    bytes_written: u64,
    /// Ended journal files that wait to become segments.
    backlog_files: u64,
    /// `up` when it takes events, `down` when it takes none.
    status: &'static str,
    /// Why it takes none; absent when it takes events.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What witnesses say of it; absent when nobody watches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    witnesses: Option<WitnessHealth>,
    /// How far an authority has stamped it; absent when this server has it stamped by nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    stamps: Option<StampHealth>,
    /// What the caller may do there; absent when the log was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    may: Option<Vec<&'static str>>,
    /// Whether what serves it was built with SQL; told of one log.
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<bool>,
    /// The version of what serves it; told of one log.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    /// Bytes that its disk has left for it, beside the reserve; told of one log, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_free_bytes: Option<u64>,
}

/// How far witnesses have come with a log.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WitnessHealth {
    /// Entries that the quorum of the policy has cosigned.
    size: u64,
    /// For so many milliseconds something waits for the quorum; absent when nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_ms: Option<u64>,
    /// What a witness saw that the log does not have: it was rolled back, or has two histories.
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm: Option<String>,
    /// Each of them.
    each: Vec<OneWitness>,
}

/// One witness.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OneWitness {
    /// Its name in the policy.
    name: String,
    /// Entries that it cosigned last, since the server started.
    size: u64,
    /// Why it did not cosign when it was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

impl WitnessHealth {
    fn of(app: &App, log: &OpenLog) -> Option<Self> {
        let told = app.witnessing()?.told(log)?;
        let waits_ms = told.waits.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
        let one = |(name, one): (String, witness::One)| OneWitness {
            name,
            size: one.size,
            trouble: one.trouble,
        };
        let each = told.witnesses.into_iter().map(one).collect();
        Some(Self { size: told.size, waits_ms, alarm: told.alarm, each })
    }
}

/// How far a time-stamping authority has come with a log.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StampHealth {
    /// Entries under the newest checkpoint that it stamped.
    size: u64,
    /// When that was, by its clock; absent when it stamped nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    /// Why there was no stamp when it was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

impl StampHealth {
    fn of(app: &App, log: &OpenLog) -> Option<Self> {
        let Standing { size, time_ms, trouble } = app.anchoring()?.standing(log.name())?;
        let time = (time_ms > 0).then(|| Timestamp::from_milliseconds(time_ms).to_string());
        Some(Self { size, time, trouble })
    }
}

/// Logs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogList {
    logs: Vec<LogHealth>,
    /// What the caller may do to the server.
    may: Vec<&'static str>,
}

/// `GET /api/v1/logs`: those in which the caller may do anything.
pub(crate) async fn list(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    let Some(caller) = granted.caller() else { return Err(Problem::internal()) };
    let policy = &app.keeper().policy;
    let reached = app.logs().all().into_iter().filter_map(|log| {
        let may = policy.allowed(caller, Some(log.name()));
        (!may.is_empty()).then_some((log, Some(may)))
    });
    let (reached, may): (Vec<_>, _) = (reached.collect(), policy.allowed(caller, None));
    let describe = move || {
        let one = |(log, may): (Arc<OpenLog>, _)| LogHealth { may, ..describe(&app, &log) };
        reached.into_iter().map(one).collect()
    };
    let logs = aside(describe).await?;
    Ok(respond(StatusCode::OK, &LogList { logs, may }))
}

/// `POST /api/v1/logs`.
pub(crate) async fn create(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let body = body::receive_small(app.budget(), &headers, body).await?;
    let NewLog { name } = serde_json::from_slice(&body).map_err(|error| {
        Problem::malformed("not_json", format!("{error}; send {{\"name\": \"...\"}}"))
    })?;
    let make = {
        let app = app.clone();
        move || app.logs().create(&name)
    };
    let log = tokio::task::spawn_blocking(make).await.map_err(|_| Problem::internal())??;
    let details = json!({ "change": "log created", "log": log.name() });
    log.record(Act::Configuration(details), &granted.principal()).await?;
    let health = aside(move || describe(&app, &log)).await?;
    Ok(respond(StatusCode::CREATED, &health))
}

/// `GET /api/v1/logs/{log}`: health figures of a log; what the caller may do there, and what serves
/// it.
pub(crate) async fn health_of_log(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    let log = Arc::clone(granted.log()?);
    let Some(caller) = granted.caller() else { return Err(Problem::internal()) };
    let may = app.keeper().policy.allowed(caller, Some(log.name()));
    let describe = move || LogHealth {
        may: Some(may),
        sql: Some(cfg!(feature = "sql")),
        version: Some(env!("CARGO_PKG_VERSION")),
        disk_free_bytes: log.room(),
        ..describe(&app, &log)
    };
    let health = aside(describe).await?;
    Ok(respond(StatusCode::OK, &health))
}

/// Looks at files on a thread that may wait for the disk.
async fn aside<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(look).await.map_err(|_| Problem::internal())
}

fn describe(app: &App, log: &OpenLog) -> LogHealth {
    let identity = log.folder().identity.clone();
    let (events_since_start, bytes_written) = log.counts();
    let reason = log.trouble();
    LogHealth {
        name: identity.name,
        origin: identity.origin,
        keys: identity.keys,
        size: log.published_size(),
        events_since_start,
        bytes_written,
        backlog_files: log.backlog(),
        status: if reason.is_none() { "up" } else { "down" },
        reason,
        witnesses: WitnessHealth::of(app, log),
        stamps: StampHealth::of(app, log),
        may: None,
        sql: None,
        version: None,
        disk_free_bytes: None,
    }
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: every log takes events.
pub(crate) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    match app.logs().all().iter().find_map(|log| log.trouble()) {
        None => Ok("ready\n"),
        // Which log it is, and why, is for those who may know of it.
        Some(_) => Err(Problem::busy("not_ready", "a log takes no events at the moment")),
    }
}
