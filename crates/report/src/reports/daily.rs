//! A day on one page, by the template of document 002.

use super::checks::{self, Check, Verdict};
use super::error_analysis::by_type;
use super::summary::{Hour, TopAgent, active, agents_table, figure, hours, top};
use super::{
    Head, NOT_NAMED, Name, Prices, Report, ReportError, Settings, Subject, by_hour, percent, share,
};
use crate::document::chart::{Chart, Kind, Point};
use crate::document::{Document, KeyFigure, Text, Tone};
use event::Timestamp;
use query::figures::{Calls, Failures, Overview, Period, Spending, Usage, in_one_pass, last_event};
use query::render::count;
use serde::Serialize;
use serde_json::{Map, Value};

const TOP: usize = 10;
const DAY_NS: u64 = 86_400_000_000_000;

#[derive(Serialize)]
struct Daily {
    #[serde(flatten)]
    head: Head,
    date: Option<String>,
    total_invocations: u64,
    successful: u64,
    success_rate: f64,
    failed: u64,
    failure_rate: f64,
    total_handoffs: u64,
    human_escalations: u64,
    total_events: u64,
    total_errors: u64,
    error_rate: f64,
    error_rate_text: String,
    agents_active: usize,
    top_agents: Vec<TopAgent>,
    error_types: Map<String, Value>,
    total_tool_calls: u64,
    total_tokens: u64,
    total_cost: String,
    /// Nothing where a check is not assessable and none failed.
    all_checks_passed: Option<bool>,
    checks: Map<String, Value>,
    recommendations: Vec<String>,
    activity: Vec<Hour>,
}

/// The UTC day of a time.
#[must_use]
pub(super) fn day_of(time: Timestamp) -> Period {
    let begin = time.0 / DAY_NS * DAY_NS;
    Period { from: Some(Timestamp(begin)), to: Some(Timestamp(begin.saturating_add(DAY_NS))) }
}

/// The day that is meant: of the beginning that was asked for, else of the last event.
fn period(subject: &Subject<'_>) -> Result<Period, ReportError> {
    Ok(match subject.period {
        Period { from: Some(_), to: Some(_) } => subject.period,
        Period { from: Some(from), to: None } => day_of(from),
        Period { from: None, .. } => {
            let last = last_event(subject.columns, &subject.period)?;
            last.map_or(subject.period, day_of)
        }
    })
}

/// All that is counted of a day. What tokens come to at a price depends on whose they are; without
/// prices nobody needs to be told apart.
fn counted(
    subject: &Subject<'_>,
    prices: &Prices,
) -> Result<(Overview, Failures, Calls, Usage), ReportError> {
    if !prices.models.is_empty() {
        return Ok(in_one_pass(subject.columns, &subject.period)?);
    }
    let (seen, failed, calls, Spending(spent)) = in_one_pass(subject.columns, &subject.period)?;
    Ok((seen, failed, calls, spent))
}

pub(super) fn make(subject: &Subject<'_>, settings: &Settings) -> Result<Report, ReportError> {
    let subject = &Subject { period: period(subject)?, ..*subject };
    let period = &subject.period;
    let (seen, failed, Calls(calls), spent) = counted(subject, &settings.prices)?;
    let (money, tokens) = super::cost::in_short(&spent, &settings.prices);
    let checks = checks::checks(&seen, &calls, (tokens.total, days(period)), settings);
    let head = Head::of(Name::Daily, subject, &seen);
    let date = date(period);
    let title = match &date {
        Some(date) => format!("Agent Audit Summary — {date}"),
        None => "Agent Audit Summary".to_owned(),
    };
    let mut document = head.document(&title, subject, &seen);
    document.heading("Overview");
    document.figures(figures(&seen));
    document.chart(by_hour(&seen.hours, "Activity"));
    document.heading("Top Agents by Activity");
    document.table(agents_table(&seen, TOP));
    write_errors(&mut document, &failed);
    document.heading("Tools and Cost");
    let tool_calls = calls.iter().map(|it| it.calls).sum();
    document.figures(vec![
        figure("Tool calls", count(tool_calls), &most_used(&calls), Tone::Plain),
        figure("Tokens", count(tokens.total), "", Tone::Plain),
        figure(
            "Cost",
            if money.is_empty() { "not told".into() } else { money.clone() },
            "",
            Tone::Plain,
        ),
    ]);
    document.heading("Compliance Checks");
    checks::write(&mut document, &checks);
    document
        .paragraph("Figures held against thresholds: evidence toward an audit, not a judgement.");
    let daily = Daily {
        head,
        date,
        total_invocations: seen.invocations,
        successful: seen.invocations - seen.failed_invocations,
        success_rate: share(seen.invocations - seen.failed_invocations, seen.invocations),
        failed: seen.failed_invocations,
        failure_rate: share(seen.failed_invocations, seen.invocations),
        total_handoffs: seen.handoffs,
        human_escalations: seen.escalations,
        total_events: seen.events,
        total_errors: seen.errors,
        error_rate: share(seen.errors, seen.events),
        error_rate_text: percent(seen.errors, seen.events),
        agents_active: active(&seen),
        top_agents: top(&seen, TOP),
        error_types: types(&failed),
        total_tool_calls: tool_calls,
        total_tokens: tokens.total,
        total_cost: money,
        all_checks_passed: all_passed(&checks),
        recommendations: checks.iter().filter_map(|it| it.recommendation.clone()).collect(),
        checks: map(&checks),
        activity: hours(&seen),
    };
    Ok(Report::of(&daily, document))
}

/// The date of a period that is one day.
fn date(period: &Period) -> Option<String> {
    let from = period.from.filter(|from| day_of(*from) == *period)?;
    from.to_string().get(..10).map(str::to_owned)
}

/// Whole days of a period, at least one.
fn days(period: &Period) -> u64 {
    match (period.from, period.to) {
        (Some(from), Some(to)) => to.0.saturating_sub(from.0).div_ceil(DAY_NS).max(1),
        _ => 1,
    }
}

fn figures(seen: &Overview) -> Vec<KeyFigure> {
    let (all, failed) = (seen.invocations, seen.failed_invocations);
    let successful = all - failed;
    vec![
        figure("Total Invocations", count(all), "", Tone::Plain),
        figure("Successful", count(successful), &percent(successful, all), Tone::Good),
        figure(
            "Failed",
            count(failed),
            &percent(failed, all),
            if failed > 0 { Tone::Bad } else { Tone::Plain },
        ),
        figure(
            "Errors",
            count(seen.errors),
            &format!("{} of {} events", percent(seen.errors, seen.events), count(seen.events)),
            if seen.errors > 0 { Tone::Bad } else { Tone::Good },
        ),
        figure("Handoffs", count(seen.handoffs), "", Tone::Plain),
        figure("Human Escalations", count(seen.escalations), "", Tone::Plain),
    ]
}

fn write_errors(document: &mut Document, failed: &Failures) {
    let types = by_type(failed);
    document.heading("Error Summary");
    let point = |(name, errors): &(Option<String>, u64)| Point {
        label: name.clone().unwrap_or_else(|| NOT_NAMED.to_owned()),
        value: *errors as f64,
        bad: *errors as f64,
        shown: format!("{} ({})", count(*errors), percent(*errors, failed.errors)),
    };
    document.chart(Chart {
        title: "Errors by type".to_owned(),
        kind: Kind::Bars,
        points: types.iter().map(point).collect(),
        unit: "errors",
        bad: None,
    });
    if types.is_empty() {
        document.paragraph("No errors.");
        return;
    }
    let item = |(name, errors): &(Option<String>, u64)| {
        let share = percent(*errors, failed.errors);
        Text::default()
            .strong(name.as_deref().unwrap_or(NOT_NAMED))
            .plain(format!(": {} ({share})", count(*errors)))
    };
    document.list(false, types.iter().map(item).collect());
}

fn types(failed: &Failures) -> Map<String, Value> {
    let name = |name: Option<String>| name.unwrap_or_else(|| NOT_NAMED.to_owned());
    by_type(failed).into_iter().map(|(it, errors)| (name(it), errors.into())).collect()
}

fn most_used(calls: &[query::figures::CallLine]) -> String {
    let first = calls.first().and_then(|it| Some((it.tool.as_deref()?, it)));
    first.map_or_else(String::new, |(tool, it)| {
        format!("most of them {tool}: {}", super::tool_usage::words(it))
    })
}

fn map(checks: &[Check]) -> Map<String, Value> {
    let value = |it: &Check| serde_json::to_value(it).unwrap_or_default();
    checks.iter().map(|it| (it.name.to_owned(), value(it))).collect()
}

/// Whether no check failed: nothing where that is not known of all of them.
fn all_passed(checks: &[Check]) -> Option<bool> {
    if checks.iter().any(|it| it.verdict == Verdict::Fail) {
        return Some(false);
    }
    checks.iter().all(|it| it.passed == Some(true)).then_some(true)
}
