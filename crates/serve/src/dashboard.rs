//! `GET .../dashboard`: what agents did lately, in the figures of document 002's dashboard and
//! those beside it, as of one checkpoint.
//!
//! Not here: periods that lie back, charts, prices (`reports.rs`); what happens now (`live.rs`).

use crate::app::App;
use crate::append::respond;
use crate::ask;
use crate::gate::Granted;
use crate::parameters::{Parameters, bad};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Response, StatusCode};
use event::{Kind, Timestamp};
use query::figures::{
    Calls, Overview, Period, Spending, TimelineStep, in_one_pass, overview, timeline,
};
use query::{Columns, Filter, Library, Summary};
use reading::View;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

/// Minutes that are looked at if nothing is said, and at most: a week.
const MINUTES: u64 = 60;
pub(crate) const MINUTES_MAX: u64 = 7 * 24 * 60;
/// Steps of the timeline if nothing is said, none shorter than a minute; and at most.
const STEPS: u64 = 60;
pub(crate) const STEPS_MAX: u64 = 720;
/// Names, errors and events that are told.
const TOP: usize = 10;
const ERRORS: usize = 10;
const NEWEST: usize = 20;
/// Errors are looked for among so many of the newest events.
const LOOKED_AT_MAX: usize = 20_000;
/// Memory of decoded columns.
const COLUMN_BYTES: usize = 64 << 20;
const MINUTE_NS: u64 = 60_000_000_000;

/// What agents did lately.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Dashboard {
    /// Minutes up to now that the figures are of.
    period_minutes: u64,
    /// When they began.
    from: String,
    /// When they end.
    to: String,
    /// Events of agents.
    total_events: u64,
    /// The same for each second of the period.
    events_per_second: f64,
    /// Agents that acted.
    agents_active: u64,
    /// Events that ended in an error or too late.
    total_errors: u64,
    /// Their share of the events, 0 to 1.
    error_rate: f64,
    /// Errors of the last 60 minutes, whatever the period.
    errors_last_hour: u64,
    /// Tokens that count (none twice).
    total_tokens: u64,
    /// Money that agents told, by currency.
    costs: BTreeMap<String, String>,
    /// The period in steps of equal length.
    timeline: Vec<Step>,
    /// The busiest agents.
    top_agents: Vec<TopAgent>,
    /// The tools that were called most.
    top_tools: Vec<TopTool>,
    /// The newest errors.
    recent_errors: Vec<RecentError>,
    /// The newest events.
    live_feed: Vec<Newest>,
    /// The checkpoint that all of this is as of.
    checkpoint: Checkpoint,
}

/// One step.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Step {
    begins: String,
    events: u64,
    errors: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TopAgent {
    /// Absent for events that name no agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    events: u64,
    errors: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TopTool {
    /// Absent for calls that name no tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    calls: u64,
    errors: u64,
    /// The duration that 95 of 100 calls did not exceed; absent where none is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    p95_ms: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RecentError {
    index: u64,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<String>,
    /// Its message; absent for callers who may not see content.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Newest {
    index: u64,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// What happened, in a line.
    event: String,
    /// The end of its type: `tool_call` of `agent.tool_call`.
    #[serde(rename = "type")]
    kind: String,
    has_error: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Checkpoint {
    origin: String,
    size: u64,
    root: String,
}

/// `GET .../dashboard?minutes=60&steps=60`. With `content=0` nothing is recorded, so that a page
/// may ask again and again.
pub(crate) async fn dashboard(
    State(app): State<App>,
    granted: Granted,
    RawQuery(text): RawQuery,
) -> Result<Response<Body>, Problem> {
    let given = Parameters::parse(text.as_deref(), &["minutes", "steps", "content"])?;
    let minutes = number(&given, "minutes", MINUTES_MAX)?.unwrap_or(MINUTES);
    let steps = number(&given, "steps", STEPS_MAX)?.unwrap_or(STEPS.min(minutes));
    let content = ask::content(&app, &granted, given.flag("content")?)?;
    let to = Timestamp(app.logs().now_ms().saturating_mul(1_000_000));
    let made =
        ask::ask(&app, &granted, move |view| make(view, to, (minutes, steps), content)).await?;
    if content {
        let (question, size) = (json!({ "minutes": minutes }), made.checkpoint.size);
        let shown = made.recent_errors.len() as u64;
        ask::record(&granted, "dashboard", question, shown, size).await?;
    }
    Ok(respond(StatusCode::OK, &made))
}

fn number(given: &Parameters, name: &'static str, max: u64) -> Result<Option<u64>, Problem> {
    let Some(text) = given.get(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (1..=max).contains(number));
    number.map(Some).ok_or_else(|| bad(name, &format!("a number from 1 to {max}")))
}

/// `length`: minutes, and steps of the timeline.
fn make(
    view: &View,
    to: Timestamp,
    length: (u64, u64),
    content: bool,
) -> Result<Dashboard, Problem> {
    let (minutes, steps) = length;
    let failed = |error: &dyn std::fmt::Display| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "log_unreadable", error.to_string())
    };
    let library = view.library().map_err(|error| ask::problem(&error))?.ok_or_else(|| {
        failed(&"figures need a log that is whole; `tacho verify` names what is missing or damaged")
    })?;
    let columns = Columns::of(&library, COLUMN_BYTES).map_err(|error| failed(&error))?;
    let ago = |minutes: u64| Timestamp(to.0.saturating_sub(minutes * MINUTE_NS));
    let period = |minutes: u64| Period { from: Some(ago(minutes)), to: Some(to) };
    let (from, period, last_hour) = (ago(minutes), period(minutes), period(60));
    let counted = in_one_pass(&columns, &period).map_err(|error| failed(&error))?;
    let (seen, Calls(calls), Spending(spent)): (Overview, _, _) = counted;
    let hour = match minutes {
        60 => seen.errors,
        _ => overview(&columns, &last_hour).map_err(|error| failed(&error))?.errors,
    };
    let steps = u32::try_from(steps).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    let line = timeline(&columns, from, to, steps).map_err(|error| failed(&error))?;
    let (recent_errors, live_feed) = newest(&library, &period, content).map_err(|e| failed(&e))?;
    let agents = seen.agents.iter().take(TOP).map(|it| TopAgent {
        agent: it.agent.clone(),
        events: it.events,
        errors: it.errors,
    });
    let tools = calls.iter().take(TOP).map(|it| TopTool {
        tool: it.tool.clone(),
        calls: it.calls,
        errors: it.errors,
        p95_ms: it.p95_ms,
    });
    let as_of = view.as_of();
    Ok(Dashboard {
        period_minutes: minutes,
        from: from.to_string(),
        to: to.to_string(),
        total_events: seen.events,
        events_per_second: seen.events as f64 / (minutes * 60) as f64,
        agents_active: seen.agents.iter().filter(|it| it.agent.is_some()).count() as u64,
        total_errors: seen.errors,
        error_rate: seen.errors as f64 / seen.events.max(1) as f64,
        errors_last_hour: hour,
        total_tokens: spent.lines.iter().map(|line| line.tokens.total).sum(),
        costs: costs(&spent),
        timeline: line.iter().map(step).collect(),
        top_agents: agents.collect(),
        top_tools: tools.collect(),
        recent_errors,
        live_feed,
        checkpoint: Checkpoint {
            origin: as_of.origin.clone(),
            size: as_of.size,
            root: as_of.root_hex.clone(),
        },
    })
}

fn step(step: &TimelineStep) -> Step {
    Step { begins: step.begins.to_string(), events: step.events, errors: step.errors }
}

/// Sums by currency; what cannot be added exactly is left out of them.
fn costs(spent: &query::figures::Usage) -> BTreeMap<String, String> {
    let mut sums: BTreeMap<String, query::Amount> = BTreeMap::new();
    for (currency, amount) in spent.lines.iter().flat_map(|line| &line.costs) {
        let sum = sums.entry(currency.clone()).or_default();
        *sum = sum.checked_add(*amount).unwrap_or(*sum);
    }
    sums.into_iter().map(|(currency, sum)| (currency, sum.trimmed().to_string())).collect()
}

/// The newest errors of a period, and its newest events.
fn newest(
    library: &Library,
    period: &Period,
    content: bool,
) -> Result<(Vec<RecentError>, Vec<Newest>), query::FindError> {
    let filter = Filter {
        from: period.from,
        to: period.to,
        limit: Some(LOOKED_AT_MAX),
        newest_first: true,
        without_access_records: true,
        ..Filter::default()
    };
    let (mut errors, mut events) = (Vec::new(), Vec::new());
    query::find_each(library, &filter, &mut |found| {
        let Some(event) = found.event().ok().filter(|_| found.kind == Kind::Event) else {
            return ControlFlow::Continue(());
        };
        let told = Summary::of(found, &event);
        let has_error = told.status.is_error();
        if events.len() < NEWEST {
            events.push(Newest {
                index: told.index,
                timestamp: told.time.to_string(),
                agent: told.agent.clone(),
                event: event.action.as_deref().unwrap_or(&told.event_type).to_owned(),
                kind: told.event_type.rsplit('.').next().unwrap_or_default().to_owned(),
                has_error,
            });
        }
        if has_error && errors.len() < ERRORS {
            errors.push(RecentError {
                index: told.index,
                time: told.time.to_string(),
                agent: told.agent,
                trace_id: event.trace_id.as_deref().map(str::to_owned),
                error_type: told.error_type,
                error: told.error.filter(|_| content),
            });
        }
        match errors.len() == ERRORS && events.len() == NEWEST {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok((errors, events))
}
