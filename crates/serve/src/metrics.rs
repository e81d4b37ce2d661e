//! Figures about the server itself, in Prometheus' text format.
//!
//! Few and fixed, so that no producer can make them grow: by log and by class of answer.

use crate::alerts::Detecting;
use crate::anchor::Anchoring;
use crate::app::App;
use crate::problem::Problem;
use crate::rates::Counted;
use crate::witness::Witnessing;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper ends of the classes of durations, in milliseconds.
const BOUNDS_MS: [u64; 10] = [1, 2, 5, 10, 25, 50, 100, 250, 1_000, 5_000];

/// Requests by class of answer, and how long they took.
#[derive(Default)]
pub(crate) struct Metrics {
    answers: [AtomicU64; 6],
    durations: [AtomicU64; BOUNDS_MS.len() + 1],
    duration_us: AtomicU64,
    live: AtomicU64,
}

impl Metrics {
    /// A request was answered.
    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).min(5);
        if let Some(count) = self.answers.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let place = BOUNDS_MS.iter().position(|bound| milliseconds < *bound);
        if let Some(count) = self.durations.get(place.unwrap_or(BOUNDS_MS.len())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.duration_us.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// Live feeds: one more, or one fewer.
    pub(crate) fn feed(&self, begins: bool) {
        match begins {
            true => self.live.fetch_add(1, Ordering::Relaxed),
            false => self.live.fetch_sub(1, Ordering::Relaxed),
        };
    }

    fn write(&self, out: &mut String) {
        let _ = writeln!(out, "# HELP tacho_http_requests_total Requests by class of answer.");
        let _ = writeln!(out, "# TYPE tacho_http_requests_total counter");
        for (class, count) in self.answers.iter().enumerate().skip(1) {
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(out, "tacho_http_requests_total{{class=\"{class}xx\"}} {count}");
        }
        let _ = writeln!(out, "# HELP tacho_http_request_seconds Until the answer began.");
        let _ = writeln!(out, "# TYPE tacho_http_request_seconds histogram");
        let mut all = 0;
        for (place, count) in self.durations.iter().enumerate() {
            all += count.load(Ordering::Relaxed);
            let bound = BOUNDS_MS.get(place);
            let bound = bound.map_or("+Inf".to_owned(), |it| format!("{}", *it as f64 / 1e3));
            let _ = writeln!(out, "tacho_http_request_seconds_bucket{{le=\"{bound}\"}} {all}");
        }
        let sum = self.duration_us.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "tacho_http_request_seconds_sum {sum}");
        let _ = writeln!(out, "tacho_http_request_seconds_count {all}");
        let _ = writeln!(out, "# HELP tacho_live_feeds Live feeds now.");
        let _ = writeln!(out, "# TYPE tacho_live_feeds gauge");
        let _ = writeln!(out, "tacho_live_feeds {}", self.live.load(Ordering::Relaxed));
    }
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response<Body>, Problem> {
    // Each log's size is read from its disk.
    let out = tokio::task::spawn_blocking(move || all(&app)).await;
    let mut response = Response::new(Body::from(out.map_err(|_| Problem::internal())?));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn all(app: &App) -> String {
    let mut out = String::new();
    app.metrics().write(&mut out);
    let (held, ended) = app.outstanding().figures();
    for (name, kind, help, value) in [
        ("held_bytes", "gauge", "Bytes of answers that were not taken yet.", held),
        ("given_up_total", "counter", "Streams and connections that took nothing.", ended),
    ] {
        let _ = writeln!(out, "# HELP tacho_answers_{name} {help}");
        let _ = writeln!(out, "# TYPE tacho_answers_{name} {kind}");
        let _ = writeln!(out, "tacho_answers_{name} {value}");
    }
    if let Some(limits) = app.counters() {
        let name = "tacho_rate_limited_total";
        let _ = writeln!(out, "# HELP {name} Refused because their sender sent too many.");
        let _ = writeln!(out, "# TYPE {name} counter");
        for (what, counted) in [("requests", Counted::Requests), ("events", Counted::Events)] {
            let _ = writeln!(out, "{name}{{of=\"{what}\"}} {}", limits.refused(counted));
        }
    }
    if let Some(telemetry) = app.telemetry() {
        let figures = telemetry.figures();
        for (name, help, count) in [
            ("sent_total", "Spans that the receiver took.", &figures.sent),
            ("lost_total", "Spans that found no room, or no receiver.", &figures.lost),
        ] {
            let _ = writeln!(out, "# HELP tacho_spans_{name} {help}");
            let _ = writeln!(out, "# TYPE tacho_spans_{name} counter");
            let _ = writeln!(out, "tacho_spans_{name} {}", count.load(Ordering::Relaxed));
        }
    }
    if let Some(witnessing) = app.witnessing() {
        witnesses(&mut out, app, witnessing);
    }
    if let Some(anchoring) = app.anchoring() {
        anchors(&mut out, app, anchoring);
    }
    if let Some(detecting) = app.detecting() {
        alerts(&mut out, app, detecting);
    }
    for (name, kind, help) in [
        ("events_total", "counter", "Events acknowledged since the start."),
        ("bytes_total", "counter", "Bytes of acknowledged records since the start."),
        ("size", "gauge", "Entries that the published checkpoint covers."),
        ("backlog_files", "gauge", "Ended journal files that wait to become segments."),
        ("expired_total", "counter", "Records that the server let go since the start."),
        ("retention_failed", "gauge", "Whether the last attempt to let records go failed."),
        ("up", "gauge", "Whether the log takes events."),
    ] {
        let _ = writeln!(out, "# HELP tacho_log_{name} {help}");
        let _ = writeln!(out, "# TYPE tacho_log_{name} {kind}");
        for log in app.logs().all() {
            let (events, bytes) = log.counts();
            let value = match name {
                "events_total" => events,
                "bytes_total" => bytes,
                "size" => log.published_size(),
                "backlog_files" => log.backlog(),
                "expired_total" => log.schedule().figures().0,
                "retention_failed" => u64::from(log.schedule().figures().1),
                _ => u64::from(log.trouble().is_none()),
            };
            let label = label(log.name());
            let _ = writeln!(out, "tacho_log_{name}{{log=\"{label}\"}} {value}");
        }
    }
    out
}

/// How far witnesses have come, and whether they contradict a log.
fn witnesses(out: &mut String, app: &App, witnessing: &Witnessing) {
    let logs = app.logs().all();
    let told: Vec<_> =
        logs.iter().filter_map(|log| Some((label(log.name()), witnessing.told(log)?))).collect();
    for (name, help) in [
        ("size", "Entries that the quorum of witnesses has cosigned."),
        ("waiting_seconds", "For how long something waits for the quorum; 0 when nothing does."),
        ("alarm", "Whether a witness saw what the log does not have: a rollback, or a fork."),
    ] {
        let _ = writeln!(out, "# HELP tacho_witness_{name} {help}");
        let _ = writeln!(out, "# TYPE tacho_witness_{name} gauge");
        for (log, told) in &told {
            let value = match name {
                "size" => told.size,
                "alarm" => u64::from(told.alarm.is_some()),
                _ => told.waits.unwrap_or_default().as_secs(),
            };
            let _ = writeln!(out, "tacho_witness_{name}{{log=\"{log}\"}} {value}");
        }
    }
    let name = "tacho_witness_failing";
    let _ = writeln!(out, "# HELP {name} Whether a witness did not cosign when asked last.");
    let _ = writeln!(out, "# TYPE {name} gauge");
    for (log, told) in &told {
        for (witness, one) in &told.witnesses {
            let (witness, failing) = (label(witness), u64::from(one.trouble.is_some()));
            let _ = writeln!(out, "{name}{{log=\"{log}\",witness=\"{witness}\"}} {failing}");
        }
    }
}

/// How far an authority has stamped the logs.
fn anchors(out: &mut String, app: &App, anchoring: &Anchoring) {
    let logs = app.logs().all();
    let standing: Vec<_> = logs
        .iter()
        .filter_map(|log| Some((label(log.name()), anchoring.standing(log.name())?)))
        .collect();
    for (name, help) in [
        ("size", "Entries that a time-stamping authority has stamped."),
        ("timestamp_seconds", "When the newest stamp was made, by the authority; 0 without one."),
        ("failing", "Whether the authority did not stamp when asked last."),
    ] {
        let _ = writeln!(out, "# HELP tacho_anchor_{name} {help}");
        let _ = writeln!(out, "# TYPE tacho_anchor_{name} gauge");
        for (log, standing) in &standing {
            let value = match name {
                "size" => standing.size,
                "failing" => u64::from(standing.trouble.is_some()),
                _ => standing.time_ms / 1_000,
            };
            let _ = writeln!(out, "tacho_anchor_{name}{{log=\"{log}\"}} {value}");
        }
    }
}

/// What detection found, and whom it told.
fn alerts(out: &mut String, app: &App, detecting: &Detecting) {
    let figures = detecting.figures();
    for (name, help, count) in [
        ("total", "Alerts recorded since the start.", &figures.alerts),
        ("delivered_total", "Alerts that a sink took.", &figures.delivered),
        ("failed_total", "Attempts at a sink that failed.", &figures.failed),
        ("given_up_total", "Alerts that a sink was not told.", &figures.given_up),
    ] {
        let _ = writeln!(out, "# HELP tacho_alerts_{name} {help}");
        let _ = writeln!(out, "# TYPE tacho_alerts_{name} counter");
        let _ = writeln!(out, "tacho_alerts_{name} {}", count.load(Ordering::Relaxed));
    }
    let name = "tacho_detect_next_index";
    let _ = writeln!(out, "# HELP {name} The record that rules look at next.");
    let _ = writeln!(out, "# TYPE {name} gauge");
    for log in app.logs().all() {
        if let Some(next) = figures.next(log.name()) {
            let _ = writeln!(out, "{name}{{log=\"{}\"}} {next}", label(log.name()));
        }
    }
}

/// A log's name as a label: whoever edits `log.json` by hand may call a log anything.
fn label(name: &str) -> String {
    query::escape::escape(name).replace('\\', "\\\\").replace('"', "\\\"")
}
