//! The list of logs, making one, and whether the server is well.

use crate::access::policy::{Action, Scope};
use crate::app::App;
use crate::append::respond;
use crate::ask;
use crate::gate::Granted;
use crate::open_log::OpenLog;
use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use seal::Act;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a new log is given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
}

/// `GET /api/v1/logs`: those in which the caller may do anything.
pub(crate) async fn list(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    let Some(caller) = granted.caller() else { return Err(Problem::internal()) };
    let may = |log: &OpenLog| {
        let policy = &app.keeper().policy;
        let of_logs = Action::ALL.iter().filter(|action| action.scope() == Scope::Log);
        of_logs.into_iter().any(|action| policy.decide(caller, *action, Some(log.name())).allowed)
    };
    let logs = app.logs().all();
    let logs: Vec<Value> = logs.iter().filter(|log| may(log)).map(|log| describe(log)).collect();
    Ok(respond(StatusCode::OK, &json!({ "logs": logs })))
}

/// `POST /api/v1/logs`.
pub(crate) async fn create(
    State(app): State<App>,
    granted: Granted,
    body: Bytes,
) -> Result<Response<Body>, Problem> {
    let New { name } = serde_json::from_slice(&body).map_err(|error| {
        Problem::malformed("not_json", format!("{error}; send {{\"name\": \"...\"}}"))
    })?;
    let make = {
        let app = app.clone();
        move || app.logs().create(&name)
    };
    let log = tokio::task::spawn_blocking(make).await.map_err(|_| Problem::internal())??;
    let details = json!({ "change": "log created", "log": log.name() });
    log.record(Act::Configuration(details), &granted.principal()).await?;
    Ok(respond(StatusCode::CREATED, &describe(&log)))
}

/// `GET /api/v1/logs/{log}`: health figures of a log; what the caller may do there, and what serves
/// it.
pub(crate) async fn health_of_log(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    let log = granted.log()?;
    let mut document = describe(log);
    let may = |action: &Action| {
        let of_log = action.scope() == Scope::Log;
        of_log && ask::may(&app, &granted, *action)
    };
    let may: Vec<&str> =
        Action::ALL.iter().filter(|it| may(it)).map(|action| action.as_str()).collect();
    if let Some(members) = document.as_object_mut() {
        members.insert("may".to_owned(), may.into());
        members.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
        members.extend(log.room().map(|bytes| ("disk_free_bytes".to_owned(), bytes.into())));
    }
    Ok(respond(StatusCode::OK, &document))
}

fn describe(log: &OpenLog) -> Value {
    let identity = &log.folder().identity;
    let (events, bytes) = log.counts();
    let mut document = json!({
        "name": identity.name, "origin": identity.origin, "keys": identity.keys,
        "size": log.published_size(), "events_since_start": events,
        "bytes_written": bytes, "backlog_files": log.backlog(),
        "status": if log.trouble().is_none() { "up" } else { "down" },
    });
    if let (Some(reason), Some(members)) = (log.trouble(), document.as_object_mut()) {
        members.insert("reason".to_owned(), reason.into());
    }
    document
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
