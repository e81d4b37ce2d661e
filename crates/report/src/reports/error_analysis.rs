//! Which errors there were in a period, at whom, whether they grow, and what to do.

use super::suggestions::{self, Before, Suggestion, suggest};
use super::summary::figure;
use super::{
    Head, NOT_NAMED, Name, Report, ReportError, Settings, Subject, by_hour, name_cell, percent,
    percent_cell, share,
};
use crate::document::chart::{Chart, Kind, Point};
use crate::document::{Cell, Column, Document, Evidence, Table, Text, Tone};
use query::figures::{Calls, Failures, HourCount, MessageLine, Overview, in_one_pass};
use query::render::{count, counted, date_and_clock};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Messages and pairs that are told.
const MESSAGES: usize = 10;
const PAIRS: usize = 50;

#[derive(Serialize)]
struct ErrorAnalysis {
    #[serde(flatten)]
    head: Head,
    total_errors: u64,
    total_events: u64,
    error_rate: f64,
    error_rate_text: String,
    error_types: Map<String, Value>,
    most_common_errors: Map<String, Value>,
    errors_by_agent: Map<String, Value>,
    errors_by_tool: Map<String, Value>,
    suggested_actions: Vec<String>,
    suggestions: Vec<Suggestion>,
    trend: Option<Trend>,
    breakdown: Vec<Pair>,
    messages_not_told_apart: u64,
}

/// The same numbers of the period before.
#[derive(Serialize)]
struct Trend {
    previous_from: String,
    previous_to: String,
    previous_events: u64,
    previous_errors: u64,
    previous_error_rate: f64,
    previous_error_types: Map<String, Value>,
}

#[derive(Serialize)]
struct Pair {
    error_type: Option<String>,
    agent: Option<String>,
    tool: Option<String>,
    errors: u64,
    first_seen: String,
    last_seen: String,
    first_index: u64,
}

/// Counts by name, most first.
pub(super) type Ranked = Vec<(Option<String>, u64)>;

pub(super) fn ranked<'l>(pairs: impl Iterator<Item = (Option<&'l str>, u64)>) -> Ranked {
    let mut sums: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for (name, errors) in pairs {
        *sums.entry(name).or_default() += errors;
    }
    let mut out: Ranked = sums.into_iter().map(|(it, n)| (it.map(str::to_owned), n)).collect();
    out.sort_by_key(|(_, errors)| std::cmp::Reverse(*errors));
    out
}

pub(super) fn by_type(failures: &Failures) -> Ranked {
    ranked(failures.lines.iter().map(|it| (it.error_type.as_deref(), it.errors)))
}

fn map(ranked: &Ranked) -> Map<String, Value> {
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| NOT_NAMED.to_owned());
    ranked.iter().map(|(it, n)| (name(it), (*n).into())).collect()
}

/// The period before, and what was in it.
struct Earlier {
    period: query::figures::Period,
    seen: Overview,
    failures: Failures,
}

pub(super) fn make(subject: &Subject<'_>, settings: &Settings) -> Result<Report, ReportError> {
    let (seen, failed, Calls(calls)): (Overview, Failures, _) =
        in_one_pass(subject.columns, &subject.period)?;
    let earlier = match subject.period.before() {
        None => None,
        Some(period) => {
            let (seen, failures) = in_one_pass(subject.columns, &period)?;
            Some(Earlier { period, seen, failures })
        }
    };
    let before = earlier.as_ref().map(|it| Before { errors: it.failures.errors });
    let suggestions = suggest(&failed, &calls, before.as_ref(), &settings.thresholds);
    let head = Head::of(Name::ErrorAnalysis, subject, &seen);
    let mut document = head.document("Error analysis", subject, &seen);
    let types = by_type(&failed);
    let agents = ranked(failed.lines.iter().map(|it| (it.agent.as_deref(), it.errors)));
    let tools = failed.lines.iter().filter_map(|it| Some((Some(it.tool.as_deref()?), it.errors)));
    let tools = ranked(tools);
    write_head(&mut document, &seen, &failed, earlier.as_ref());
    document.heading("Error types");
    document.chart(chart(&types));
    document.table(table("error_types", "error_type", "Type", &types, failed.errors));
    document.heading("Most common errors");
    write_messages(&mut document, &failed, subject.shows_content);
    document.heading("Errors by agent");
    document.table(table("errors_by_agent", "agent", "Agent", &agents, failed.errors));
    document.heading("Errors by tool");
    document.table(table("errors_by_tool", "tool", "Tool", &tools, failed.errors));
    document.heading("Suggested actions");
    suggestions::write(&mut document, &suggestions);
    let analysis = ErrorAnalysis {
        head,
        total_errors: failed.errors,
        total_events: seen.events,
        error_rate: share(failed.errors, seen.events),
        error_rate_text: percent(failed.errors, seen.events),
        error_types: map(&types),
        most_common_errors: if subject.shows_content { common(&failed) } else { Map::new() },
        errors_by_agent: map(&agents),
        errors_by_tool: map(&tools),
        suggested_actions: suggestions.iter().map(|it| it.action.clone()).collect(),
        suggestions,
        trend: earlier.as_ref().map(trend),
        breakdown: failed.lines.iter().take(PAIRS).map(pair).collect(),
        messages_not_told_apart: failed.messages_beyond,
    };
    Ok(Report::of(&analysis, document))
}

fn write_head(
    document: &mut Document,
    seen: &Overview,
    failed: &Failures,
    earlier: Option<&Earlier>,
) {
    let tone = if failed.errors > 0 { Tone::Bad } else { Tone::Good };
    let rate = percent(failed.errors, seen.events);
    let mut figures = vec![
        figure("Errors", count(failed.errors), &format!("{rate} of events"), tone),
        figure("Events", count(seen.events), "", Tone::Plain),
    ];
    if let Some(Earlier { seen, failures, .. }) = earlier {
        let rate = percent(failures.errors, seen.events);
        let grows = failed.errors > failures.errors;
        figures.push(figure(
            "Errors in the period before",
            count(failures.errors),
            &format!("{rate} of {}", counted(seen.events, "event")),
            Tone::Plain,
        ));
        figures.push(figure(
            "Change",
            change(failed.errors, failures.errors),
            "of the number of errors",
            if grows { Tone::Warning } else { Tone::Good },
        ));
    }
    document.figures(figures);
    let hours: Vec<HourCount> = seen.hours.clone();
    document.chart(by_hour(&hours, "Events and errors"));
}

fn change(now: u64, before: u64) -> String {
    match before {
        _ if now == before => "none".to_owned(),
        0 => format!("+{}", count(now)),
        _ => format!("{:+.1}%", (now as f64 / before as f64 - 1.0) * 100.0),
    }
}

fn chart(types: &Ranked) -> Chart {
    let point = |(name, errors): &(Option<String>, u64)| Point {
        label: name.clone().unwrap_or_else(|| NOT_NAMED.to_owned()),
        value: *errors as f64,
        bad: *errors as f64,
        shown: count(*errors),
    };
    Chart {
        title: "Errors by type".to_owned(),
        kind: Kind::Bars,
        points: types.iter().map(point).collect(),
        unit: "errors",
        bad: None,
    }
}

fn table(
    name: &'static str,
    key: &'static str,
    title: &'static str,
    ranked: &Ranked,
    all: u64,
) -> Table {
    let row = |(name, errors): &(Option<String>, u64)| {
        vec![
            name_cell(name.as_deref(), NOT_NAMED),
            Cell::count(*errors),
            percent_cell(*errors, all),
        ]
    };
    Table {
        name,
        columns: vec![
            Column::text(key, title),
            Column::number("errors", "Errors"),
            Column::number("share", "Share"),
        ],
        rows: ranked.iter().map(row).collect(),
        otherwise: "No errors.",
    }
}

fn write_messages(document: &mut Document, failed: &Failures, shows_content: bool) {
    if !shows_content {
        document.paragraph("Messages stand in content, which is hidden from whoever asked.");
        return;
    }
    let row = |it: &MessageLine| {
        let evidence = Evidence { index: it.first_index, event_id: None };
        vec![
            Cell::text(it.message.as_str()),
            name_cell(it.error_type.as_deref(), NOT_NAMED),
            Cell::count(it.errors),
            Cell::text(Text::default().evidence(&evidence)),
        ]
    };
    document.table(Table {
        name: "most_common_errors",
        columns: vec![
            Column::text("message", "Message"),
            Column::text("error_type", "Type"),
            Column::number("errors", "Errors"),
            Column::number("first_index", "First"),
        ],
        rows: failed.messages.iter().take(MESSAGES).map(row).collect(),
        otherwise: "No error has a message.",
    });
    if failed.messages_beyond > 0 {
        let more = format!(
            "The messages of {} more were too many different ones to be counted.",
            counted(failed.messages_beyond, "error")
        );
        document.paragraph(more);
    }
}

/// The ten most common messages, whatever their class.
fn common(failed: &Failures) -> Map<String, Value> {
    let all = failed.messages.iter().map(|it| (Some(it.message.as_str()), it.errors));
    let mut ranked = ranked(all);
    ranked.truncate(MESSAGES);
    map(&ranked)
}

fn trend(earlier: &Earlier) -> Trend {
    let time = |time: Option<event::Timestamp>| time.map(|it| it.to_string()).unwrap_or_default();
    let Earlier { period, seen, failures } = earlier;
    Trend {
        previous_from: time(period.from),
        previous_to: time(period.to),
        previous_events: seen.events,
        previous_errors: failures.errors,
        previous_error_rate: share(failures.errors, seen.events),
        previous_error_types: map(&by_type(failures)),
    }
}

fn pair(it: &query::figures::FailureLine) -> Pair {
    Pair {
        error_type: it.error_type.clone(),
        agent: it.agent.clone(),
        tool: it.tool.clone(),
        errors: it.errors,
        first_seen: it.first.to_string(),
        last_seen: it.last.to_string(),
        first_index: it.first_index,
    }
}

/// When something was seen first and last, for people.
pub(super) fn seen(first: event::Timestamp, last: event::Timestamp) -> String {
    if first == last {
        return date_and_clock(first);
    }
    format!("{} – {}", date_and_clock(first), date_and_clock(last))
}
