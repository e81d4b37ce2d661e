//! How tools were used in a period.

use super::summary::figure;
use super::{
    Head, NOT_NAMED, Name, Report, ReportError, Settings, Subject, duration_cell, name_cell,
    percent, percent_cell, share,
};
use crate::document::chart::{Chart, Kind, Point};
use crate::document::{Cell, Column, Table, Tone};
use query::figures::{CallLine, Calls, Overview, in_one_pass};
use query::render::{count, counted, duration};
use serde::Serialize;

#[derive(Serialize)]
struct ToolUsage {
    #[serde(flatten)]
    head: Head,
    total_tool_calls: u64,
    total_tool_errors: u64,
    error_rate: f64,
    error_rate_text: String,
    tool_breakdown: Vec<Tool>,
}

#[derive(Serialize)]
struct Tool {
    tool: Option<String>,
    calls: u64,
    errors: u64,
    error_rate: f64,
    error_rate_text: String,
    timeouts: u64,
    denied: u64,
    approved: u64,
    without_end: u64,
    avg_latency_ms: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
}

pub(super) fn make(subject: &Subject<'_>, _: &Settings) -> Result<Report, ReportError> {
    let (seen, Calls(lines)): (Overview, _) = in_one_pass(subject.columns, &subject.period)?;
    let head = Head::of(Name::ToolUsage, subject, &seen);
    let mut document = head.document("Tool usage", subject, &seen);
    let calls = lines.iter().map(|it| it.calls).sum();
    let errors = lines.iter().map(|it| it.errors).sum();
    let denied: u64 = lines.iter().map(|it| it.denied).sum();
    let open: u64 = lines.iter().map(|it| it.without_end).sum();
    document.figures(vec![
        figure("Calls", count(calls), "", Tone::Plain),
        figure(
            "Errors",
            count(errors),
            &format!("{} of calls", percent(errors, calls)),
            if errors > 0 { Tone::Bad } else { Tone::Good },
        ),
        figure("Tools", count(lines.len() as u64), "", Tone::Plain),
        figure("Refused", count(denied), "", tone_of(denied)),
        figure("Without an end", count(open), "neither result nor outcome", tone_of(open)),
    ]);
    document.chart(calls_chart(&lines));
    document.chart(times_chart(&lines));
    document.heading("Tools");
    document.table(table(&lines));
    document.paragraph(
        "A call is an event of type agent.tool_call. Where results (agent.tool_result) say more of \
         a tool than its calls do, they are counted instead. Durations are those that events name; \
         between two neighbours a percentile lies in proportion.",
    );
    let tool = |it: CallLine| Tool {
        tool: it.tool,
        calls: it.calls,
        errors: it.errors,
        error_rate: share(it.errors, it.calls),
        error_rate_text: percent(it.errors, it.calls),
        timeouts: it.timeouts,
        denied: it.denied,
        approved: it.approved,
        without_end: it.without_end,
        avg_latency_ms: it.mean_ms,
        p50_ms: it.p50_ms,
        p95_ms: it.p95_ms,
        p99_ms: it.p99_ms,
    };
    let usage = ToolUsage {
        head,
        total_tool_calls: calls,
        total_tool_errors: errors,
        error_rate: share(errors, calls),
        error_rate_text: percent(errors, calls),
        tool_breakdown: lines.into_iter().map(tool).collect(),
    };
    Ok(Report::of(&usage, document))
}

fn tone_of(count: u64) -> Tone {
    if count > 0 { Tone::Warning } else { Tone::Plain }
}

fn label(it: &CallLine) -> String {
    it.tool.clone().unwrap_or_else(|| NOT_NAMED.to_owned())
}

fn calls_chart(lines: &[CallLine]) -> Chart {
    let point = |it: &CallLine| Point {
        label: label(it),
        value: it.calls as f64,
        bad: it.errors as f64,
        shown: match it.errors {
            0 => count(it.calls),
            errors => format!("{}, {} ✗", count(it.calls), count(errors)),
        },
    };
    Chart {
        title: "Calls by tool".to_owned(),
        kind: Kind::Bars,
        points: lines.iter().map(point).collect(),
        unit: "calls",
        bad: Some("errors"),
    }
}

fn times_chart(lines: &[CallLine]) -> Chart {
    let mut timed: Vec<(f64, &CallLine)> =
        lines.iter().filter_map(|it| Some((it.p95_ms?, it))).collect();
    timed.sort_by(|one, other| other.0.total_cmp(&one.0));
    let point = |(p95, it): (f64, &CallLine)| Point {
        label: label(it),
        value: p95,
        bad: 0.0,
        shown: duration(p95),
    };
    Chart {
        title: "Slowest tools".to_owned(),
        kind: Kind::Bars,
        points: timed.into_iter().map(point).collect(),
        unit: "95 of 100 calls took no longer",
        bad: None,
    }
}

fn table(lines: &[CallLine]) -> Table {
    let row = |it: &CallLine| {
        let errors = if it.errors > 0 { Tone::Bad } else { Tone::Plain };
        vec![
            name_cell(it.tool.as_deref(), NOT_NAMED),
            Cell::count(it.calls),
            Cell::count(it.errors).in_tone(errors),
            percent_cell(it.errors, it.calls),
            duration_cell(it.mean_ms),
            duration_cell(it.p50_ms),
            duration_cell(it.p95_ms),
            duration_cell(it.p99_ms),
        ]
    };
    Table {
        name: "tool_breakdown",
        columns: vec![
            Column::text("tool", "Tool"),
            Column::number("calls", "Calls"),
            Column::number("errors", "Errors"),
            Column::number("error_rate", "Error rate"),
            Column::number("avg_latency_ms", "Mean"),
            Column::number("p50_ms", "p50"),
            Column::number("p95_ms", "p95"),
            Column::number("p99_ms", "p99"),
        ],
        rows: lines.iter().map(row).collect(),
        otherwise: "No tool was called.",
    }
}

/// Calls in words: `12 calls, 3 errors`.
pub(super) fn words(it: &CallLine) -> String {
    format!("{}, {}", counted(it.calls, "call"), counted(it.errors, "error"))
}
