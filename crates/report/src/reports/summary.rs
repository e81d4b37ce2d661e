//! What happened in a period, in a few numbers.

use super::{
    Head, NOT_NAMED, Name, Report, ReportError, Settings, Subject, by_hour, duration_cell,
    name_cell, percent, percent_cell, share,
};
use crate::document::chart::{Chart, Kind, Point};
use crate::document::{Cell, Column, KeyFigure, Table, Tone};
use query::figures::{AgentCount, Overview, overview};
use query::render::count;
use serde::Serialize;
use serde_json::{Map, Value};

/// Agents that are named.
const TOP: usize = 5;

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    head: Head,
    total_events: u64,
    total_errors: u64,
    error_rate: f64,
    error_rate_text: String,
    total_invocations: u64,
    total_handoffs: u64,
    total_human_interventions: u64,
    total_escalations: u64,
    agents_active: usize,
    top_agents: Vec<TopAgent>,
    event_types: Map<String, Value>,
    outcomes: Map<String, Value>,
    activity: Vec<Hour>,
}

#[derive(Serialize)]
pub(super) struct TopAgent {
    agent: Option<String>,
    events: u64,
    invocations: u64,
    errors: u64,
    avg_duration_ms: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct Hour {
    hour: String,
    events: u64,
    errors: u64,
}

pub(super) fn make(subject: &Subject<'_>, _: &Settings) -> Result<Report, ReportError> {
    let seen = overview(subject.columns, &subject.period)?;
    let head = Head::of(Name::Summary, subject, &seen);
    let mut document = head.document("Summary of agent activity", subject, &seen);
    let active = active(&seen);
    document.figures(vec![
        figure("Events", count(seen.events), "", Tone::Plain),
        figure(
            "Errors",
            count(seen.errors),
            &format!("{} of events", percent(seen.errors, seen.events)),
            if seen.errors > 0 { Tone::Bad } else { Tone::Good },
        ),
        figure("Agents active", count(active as u64), "", Tone::Plain),
        figure("Invocations", count(seen.invocations), "", Tone::Plain),
        figure("Hand-offs", count(seen.handoffs), "", Tone::Plain),
        figure("Escalations", count(seen.escalations), "", Tone::Plain),
    ]);
    document.chart(by_hour(&seen.hours, "Activity"));
    document.heading("Most active agents");
    document.table(agents_table(&seen, TOP));
    document.heading("Kinds of events");
    document.chart(types_chart(&seen));
    document.table(types_table(&seen));
    let summary = Summary {
        head,
        total_events: seen.events,
        total_errors: seen.errors,
        error_rate: share(seen.errors, seen.events),
        error_rate_text: percent(seen.errors, seen.events),
        total_invocations: seen.invocations,
        total_handoffs: seen.handoffs,
        total_human_interventions: seen.human_interventions,
        total_escalations: seen.escalations,
        agents_active: active,
        top_agents: top(&seen, TOP),
        event_types: seen.types.iter().map(|(it, n)| (it.clone(), (*n).into())).collect(),
        outcomes: seen.statuses.iter().map(|(it, n)| (it.as_str().into(), (*n).into())).collect(),
        activity: hours(&seen),
    };
    Ok(Report::of(&summary, document))
}

pub(super) fn figure(label: &str, value: String, note: &str, tone: Tone) -> KeyFigure {
    KeyFigure { label: label.to_owned(), value, note: note.to_owned(), tone }
}

/// How many agents there are that have a name.
pub(super) fn active(seen: &Overview) -> usize {
    seen.agents.iter().filter(|it| it.agent.is_some()).count()
}

pub(super) fn top(seen: &Overview, most: usize) -> Vec<TopAgent> {
    let agent = |it: &AgentCount| TopAgent {
        agent: it.agent.clone(),
        events: it.events,
        invocations: it.invocations,
        errors: it.errors,
        avg_duration_ms: average(it),
    };
    seen.agents.iter().take(most).map(agent).collect()
}

fn average(it: &AgentCount) -> Option<f64> {
    (it.timed > 0).then(|| it.duration_ms / it.timed as f64)
}

pub(super) fn hours(seen: &Overview) -> Vec<Hour> {
    let hour = |it: &query::figures::HourCount| Hour {
        hour: it.begins.to_string(),
        events: it.events,
        errors: it.errors,
    };
    seen.hours.iter().map(hour).collect()
}

pub(super) fn agents_table(seen: &Overview, most: usize) -> Table {
    let row = |it: &AgentCount| {
        let errors = Cell::count(it.errors);
        vec![
            name_cell(it.agent.as_deref(), NOT_NAMED),
            Cell::count(it.events),
            Cell::count(it.invocations),
            if it.errors > 0 { errors.in_tone(Tone::Bad) } else { errors },
            duration_cell(average(it)),
        ]
    };
    Table {
        name: "top_agents",
        columns: vec![
            Column::text("agent", "Agent"),
            Column::number("events", "Events"),
            Column::number("invocations", "Invocations"),
            Column::number("errors", "Errors"),
            Column::number("avg_duration_ms", "Avg Duration"),
        ],
        rows: seen.agents.iter().take(most).map(row).collect(),
        otherwise: "No agent was active.",
    }
}

fn types_chart(seen: &Overview) -> Chart {
    let point = |(name, n): &(String, u64)| Point {
        label: name.clone(),
        value: *n as f64,
        bad: 0.0,
        shown: count(*n),
    };
    Chart {
        title: "Events by type".to_owned(),
        kind: Kind::Bars,
        points: seen.types.iter().map(point).collect(),
        unit: "events",
        bad: None,
    }
}

fn types_table(seen: &Overview) -> Table {
    let row = |(status, n): &(query::Status, u64)| {
        let tone = match status {
            query::Status::Error | query::Status::Timeout => Tone::Bad,
            query::Status::Denied | query::Status::Escalated => Tone::Warning,
            _ => Tone::Plain,
        };
        vec![
            Cell::text(status.as_str()).in_tone(tone),
            Cell::count(*n),
            percent_cell(*n, seen.events),
        ]
    };
    Table {
        name: "outcomes",
        columns: vec![
            Column::text("outcome", "How they ended"),
            Column::number("events", "Events"),
            Column::number("share", "Share"),
        ],
        rows: seen.statuses.iter().map(row).collect(),
        otherwise: "No events.",
    }
}
