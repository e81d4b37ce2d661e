//! `.../holds`, `.../erasures`, `.../retention`: what is held, what was erased, what expires, and
//! those who may change that.

use crate::app::App;
use crate::append::respond;
use crate::ask::{self, ask};
use crate::body;
use crate::gate::Granted;
use crate::life_cycle::Turn;
use crate::open_log::OpenLog;
use crate::problem::Problem;
use crate::question::Question;
use crate::schedule;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode};
use event::{Kind, Scope};
use query::{Filter, Found, written};
use retain::{Erasure, Hold, Selector};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long an act waits for another one in the same log.
const TURN_MAX: Duration = Duration::from_secs(10);
/// Bytes of a reason, and of a legal ground: some sentences.
const REASON_BYTES_MAX: usize = 4 << 10;
/// The log's own records that tell of erasures.
const ERASURES: [&str; 2] = ["log.erasure", "log.refused"];

/// Which records: every condition that is given must hold, and one must be given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Select {
    /// An event, by its id.
    event: Option<String>,
    /// A session.
    session: Option<String>,
    /// A trace.
    trace: Option<String>,
    /// An agent, by name or id.
    agent: Option<String>,
    /// A principal, by subject, or the one on whose behalf it happened.
    principal: Option<String>,
    /// Recorded not before: RFC 3339, a date (UTC), or how long ago.
    from: Option<String>,
    /// Recorded before.
    to: Option<String>,
}

/// A hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHold {
    select: Select,
    /// Why; it is recorded.
    reason: String,
}

/// The end of a hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Release {
    /// Why; it is recorded.
    reason: String,
}

/// An erasure.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewErasure {
    select: Select,
    /// `content`: the metadata stays and still counts; `record`: all but the public entry goes.
    scope: String,
    /// Why; it is recorded.
    reason: String,
    /// On which legal ground; it is recorded.
    #[serde(default)]
    ground: Option<String>,
}

/// There is nothing to say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Apply {}

/// `GET .../holds`.
pub(crate) async fn holds(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    let log = Arc::clone(granted.log()?);
    let look = move |_: &_| Ok((log.holds()?, log.published_size()));
    let (holds, size) = ask(&app, &granted, look).await?;
    let holds: Vec<Value> = holds.iter().map(Hold::to_json).collect();
    ask::record(&granted, "holds", json!({}), holds.len() as u64, size).await?;
    Ok(answered(StatusCode::OK, json!({ "holds": holds })))
}

/// `POST .../holds`.
pub(crate) async fn hold(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let NewHold { select, reason } = read(&app, &headers, body).await?;
    let (selector, by) = (select.selector(app.logs().now_ms())?, granted.principal());
    let reason = checked(reason)?;
    let name = in_turn(&granted, move |log, turn| log.hold(turn, selector, reason, by)).await?;
    Ok(answered(StatusCode::CREATED, json!({ "hold": name })))
}

/// `POST .../holds/{id}/release`.
pub(crate) async fn release(
    State(app): State<App>,
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let Release { reason } = read(&app, &headers, body).await?;
    let (reason, by, released) = (checked(reason)?, granted.principal(), name.clone());
    in_turn(&granted, move |log, turn| log.release(turn, name, reason, by)).await?;
    Ok(answered(StatusCode::OK, json!({ "released": released })))
}

/// `GET .../erasures`: what was asked for, and what became of it, the newest first.
pub(crate) async fn erasures(
    State(app): State<App>,
    granted: Granted,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let question = Question::parse(text.as_deref(), app.logs().now_ms(), &[])?;
    if question.described().as_object().is_some_and(|asked| !asked.is_empty()) {
        return Err(Problem::malformed("bad_parameter", "only limit and cursor may be given here"));
    }
    let types = ERASURES.map(str::to_owned).to_vec();
    let filter = Filter { types, newest_first: true, ..question.filter };
    let (page, as_of) = ask(&app, &granted, move |view| {
        let page = view.page(&filter, question.cursor.as_ref(), &());
        let page = page.map_err(|error| ask::problem(&error))?;
        let told: Vec<Value> = page.found.iter().filter_map(erasure_of).collect();
        let next = page.next.map(|next| next.to_string());
        Ok(((told, next), page.as_of))
    })
    .await?;
    let (told, next) = page;
    ask::record(&granted, "erasures", json!({}), told.len() as u64, as_of.size).await?;
    let mut document =
        json!({ "checkpoint": crate::answers::checkpoint(&as_of), "erasures": told });
    if let (Some(next), Some(members)) = (next, document.as_object_mut()) {
        members.insert("next".to_owned(), next.into());
    }
    Ok(answered(StatusCode::OK, document))
}

/// `POST .../erasures`.
pub(crate) async fn erase(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let NewErasure { select, scope, reason, ground } = read(&app, &headers, body).await?;
    let scope = Scope::from_name(&scope).ok_or_else(|| {
        let detail = "scope: choose content (the metadata stays) or record (all of it goes)";
        Problem::malformed("bad_parameter", detail)
    })?;
    let selector = select.selector(app.logs().now_ms())?;
    let (reason, ground) = (checked(reason)?, ground.map(checked).transpose()?);
    let erasure = Erasure { selector, scope, reason, ground, by: granted.principal() };
    let erased = in_turn(&granted, move |log, turn| log.erase(turn, erasure)).await?;
    Ok(answered(StatusCode::OK, erased.to_json(scope)))
}

/// `GET .../retention`: what would go, and when.
pub(crate) async fn plan(
    State(app): State<App>,
    granted: Granted,
) -> Result<Response<Body>, Problem> {
    let log = Arc::clone(granted.log()?);
    let plan = ask(&app, &granted, move |_| log.plan()).await?;
    let log = granted.log()?;
    let mut document = plan.to_json(&log.policy());
    if let Some(members) = document.as_object_mut() {
        let schedule = json!({
            "on": log.settings().retention.is_some(), "every_s": schedule::EVERY.as_secs(),
            "last": log.schedule().last(),
        });
        members.insert("schedule".to_owned(), schedule);
    }
    Ok(answered(StatusCode::OK, document))
}

/// `POST .../retention`: what is due goes.
pub(crate) async fn apply(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let body = body::receive_small(app.budget(), &headers, body).await?;
    let Apply {} = if body.is_empty() { Apply::default() } else { parse(&body)? };
    let by = granted.principal();
    let expired = in_turn(&granted, move |log, turn| log.expire(turn, &by)).await?;
    Ok(answered(StatusCode::OK, expired.to_json()))
}

/// What a record tells of an erasure: that it was asked for, or refused.
fn erasure_of(found: &Found<'_>) -> Option<Value> {
    let event = found.event().ok().filter(|_| found.kind == Kind::Log)?;
    let content: Value = serde_json::from_slice(&found.content).ok()?;
    let mut told = content.get("params")?.as_object()?.clone();
    if told.get("act").is_some_and(|act| act != "erase") {
        return None;
    }
    told.remove("act");
    let by = event.principal.and_then(|it| it.subject).map(|subject| subject.to_string());
    told.insert("by".to_owned(), by.into());
    told.insert("at".to_owned(), found.recorded_at().to_string().into());
    told.insert("record".to_owned(), found.index.into());
    Some(Value::Object(told))
}

/// Does something in a log on a thread that may wait, when nobody else does such a thing there.
pub(crate) async fn in_turn<T: Send + 'static>(
    granted: &Granted,
    act: impl FnOnce(&OpenLog, &Turn) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let log = Arc::clone(granted.log()?);
    let turn = timeout(TURN_MAX, Arc::clone(log.life_cycle()).lock_owned()).await;
    let turn = turn.map_err(|_| {
        let detail =
            "records of this log are being held, erased or let go at the moment, or keys of agents \
             changed; try again";
        Problem::busy("overloaded", detail).retry_after(10)
    })?;
    // It goes on when whoever asked goes away.
    let work = move || act(&log, &turn);
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())?
}

/// Reads a small body.
pub(crate) async fn read<T: DeserializeOwned>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    parse(&body::receive_small(app.budget(), headers, body).await?)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let wrong = |error: serde_json::Error| {
        Problem::malformed("not_json", format!("{error}; docs/server.md says what is sent here"))
    };
    serde_json::from_slice(body).map_err(wrong)
}

/// A reason, which is recorded.
pub(crate) fn checked(reason: String) -> Result<String, Problem> {
    if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX {
        let detail = "a reason, or a ground, is a text of at most 4 KiB, and says something";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_reason", detail));
    }
    Ok(reason)
}

/// An answer in which what is not there is absent, as everywhere in the API.
pub(crate) fn answered(status: StatusCode, mut document: Value) -> Response<Body> {
    without_nulls(&mut document);
    respond(status, &document)
}

/// Takes out members that are null; these documents are at most four deep.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        _ => {}
    }
}

impl Select {
    fn selector(self, now_ms: u64) -> Result<Selector, Problem> {
        let time = |name: &str, text: Option<String>| {
            let read = |text: String| {
                written::time(&text, now_ms).map(event::Timestamp::milliseconds).ok_or_else(|| {
                    let detail =
                        format!("{name}: write RFC 3339, a date, or how long ago (24h, 7d)");
                    Problem::malformed("bad_parameter", detail)
                })
            };
            text.map(read).transpose()
        };
        let Self { event, session, trace, agent, principal, from, to } = self;
        let (from_ms, to_ms) = (time("from", from)?, time("to", to)?);
        Ok(Selector { event, session, trace, agent, principal, from_ms, to_ms })
    }
}
