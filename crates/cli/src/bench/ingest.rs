//! `tacho bench ingest`: how fast a real server takes events over HTTP, beside a bare group commit
//! and, when they are there, PostgreSQL and tamper-evident logs from PyPI, in the same run.
//!
//! The server is a process of its own with the settings that everybody gets; whoever sends the
//! events shares its cores, as an agent beside its log does. An answer of 200 says that the events
//! are durable; nothing else counts as taken.

mod client;
mod peers;
mod postgres;
mod server;
pub(crate) mod soak;

use super::measure::{Case, bytes_below};
use super::{Pool, baseline};
use client::{Load, Outcome};
use hdrhistogram::Histogram;
use serde::Serialize;
pub(crate) use server::ServerProcess;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A checkpoint over everything is published within this time once it is quiet.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(60);

/// Longest time for a contender from PyPI: there are several, and they are steady.
const PEER_LENGTH: Duration = Duration::from_secs(5);

/// What to send.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Connections and events in a request, a case each.
    pub(crate) cases: Vec<(usize, usize)>,
    /// How long each case runs.
    pub(crate) length: Duration,
    /// A row is made for each of these.
    pub(crate) window: Duration,
    /// Events offered in a second, whatever the answers say; `None` for as many as are answered.
    pub(crate) rate: Option<f64>,
    /// A database to insert the same events into, as `psql -d` takes it.
    pub(crate) postgres: Option<String>,
    /// A Python that has tamper-evident logs from PyPI, which take the same events.
    pub(crate) peers: Option<PathBuf>,
}

/// One row; the names are part of the machine output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct IngestRow {
    /// `ingest`, `postgres`, `postgres chained`, or a package and its version.
    pub(crate) case: String,
    /// Events in a request.
    pub(crate) batch: usize,
    /// Connections.
    pub(crate) producers: usize,
    /// Seconds since the case began, at the end of the row's window.
    pub(crate) until_s: f64,
    /// Events answered with 200 in a second.
    pub(crate) events_per_second: f64,
    /// Events that a bare group commit made durable in a second, by as many threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline_events_per_second: Option<f64>,
    /// The first divided by the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// Median time from request to answer; when there is a rate, and the answer before came too
    /// late, from when the request was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ack_p50_us: Option<f64>,
    /// The time that 99 of 100 answers did not exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ack_p99_us: Option<f64>,
    /// The same of the bare group commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline_ack_p99_us: Option<f64>,
    /// CPU time of the server for each event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_us_per_event: Option<f64>,
    /// Bytes that the data folder grew by for each event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_bytes_per_event: Option<f64>,
    /// Memory of the server that is resident now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rss_mib: Option<f64>,
    /// The most that ever was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peak_rss_mib: Option<f64>,
    /// Requests by their answer: a status, or `lost` for none.
    pub(crate) answers: BTreeMap<String, u64>,
}

/// Runs the plan against a server; `scratch` is a folder on the disk to measure.
///
/// # Errors
/// A sentence with the first thing that could not be done. A request that was refused is none.
pub(crate) fn run(
    server: &ServerProcess,
    scratch: &Path,
    plan: &Plan,
    row_done: &mut dyn FnMut(IngestRow) -> Result<(), String>,
) -> Result<(), String> {
    let pool = Pool::new(1);
    let mut run = u64::from(std::process::id()) << 12;
    let mut taken = 0;
    for (connections, batch) in &plan.cases {
        let (connections, batch) = (*connections, *batch);
        let bare = bare(&pool, connections, batch, run, scratch)?;
        run += connections as u64;
        let load = Load { connections, batch, rate: plan.rate, run };
        let mut before = (server.figures()?, bytes_below(server.data()));
        client::run(server, &pool, load, plan.length, plan.window, &mut |mut outcome| {
            let after = (server.figures()?, bytes_below(server.data()));
            taken += outcome.events;
            let mut row = row(&mut outcome, connections, batch);
            let each = |grown: f64| grown / outcome.events.max(1) as f64;
            row.baseline_events_per_second = Some(bare.0);
            row.ratio = Some(row.events_per_second / bare.0);
            row.baseline_ack_p99_us = Some(bare.1);
            row.cpu_us_per_event = Some(each((after.0.cpu - before.0.cpu).as_secs_f64() * 1e6));
            row.disk_bytes_per_event = Some(each(after.1.saturating_sub(before.1) as f64));
            (row.rss_mib, row.peak_rss_mib) = (Some(after.0.rss_mib), Some(after.0.peak_rss_mib));
            before = after;
            row_done(row)
        })?;
        run += connections as u64;
        if let Some(connection) = &plan.postgres {
            for chained in [false, true] {
                let load = Load { connections, batch, rate: None, run };
                row_done(postgres::run(connection, chained, &pool, load, plan.length)?)?;
                run += connections as u64;
            }
        }
        if let Some(python) = &plan.peers {
            let load = Load { connections, batch, rate: None, run };
            peers::run(python, scratch, &pool, load, plan.length.min(PEER_LENGTH), row_done)?;
            run += 1;
        }
    }
    hold_to_account(server, taken)
}

/// Whether the log soon publishes as many records as were acknowledged.
fn hold_to_account(server: &ServerProcess, taken: u64) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let size = client::size(server)?;
        if size >= taken {
            return Ok(());
        }
        if begun.elapsed() > PUBLISHED_WITHIN {
            return Err(format!("{taken} events were acknowledged, and the log holds only {size}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A row of what clients saw.
fn row(outcome: &mut Outcome, producers: usize, batch: usize) -> IngestRow {
    let quantile = |times: &Histogram<u64>, share| times.value_at_quantile(share) as f64;
    let has_times = !outcome.times.is_empty();
    IngestRow {
        case: "ingest".to_owned(),
        until_s: outcome.until.as_secs_f64(),
        events_per_second: outcome.events as f64 / outcome.length.as_secs_f64().max(1e-9),
        ack_p50_us: has_times.then(|| quantile(&outcome.times, 0.5)),
        ack_p99_us: has_times.then(|| quantile(&outcome.times, 0.99)),
        answers: std::mem::take(&mut outcome.answers),
        ..IngestRow::of_others(batch, producers)
    }
}

impl IngestRow {
    /// A row of a contender of which little is known.
    fn of_others(batch: usize, producers: usize) -> Self {
        Self {
            case: String::new(),
            batch,
            producers,
            until_s: 0.0,
            events_per_second: 0.0,
            baseline_events_per_second: None,
            ratio: None,
            ack_p50_us: None,
            ack_p99_us: None,
            baseline_ack_p99_us: None,
            cpu_us_per_event: None,
            disk_bytes_per_event: None,
            rss_mib: None,
            peak_rss_mib: None,
            answers: BTreeMap::new(),
        }
    }
}

/// Rounds of the bare group commit, whose medians count.
const BARE_ROUNDS: usize = 3;

/// What a bare group commit does with as many threads: events in a second, and the 99th percentile
/// of its acknowledgements in microseconds.
fn bare(
    pool: &Pool,
    producers: usize,
    batch: usize,
    run: u64,
    scratch: &Path,
) -> Result<(f64, f64), String> {
    let events = super::usual_events(batch, producers);
    let case = Case { batch, producers, events, run };
    let path = scratch.join("baseline");
    let mut rounds = Vec::new();
    for _ in 0..BARE_ROUNDS {
        let measured = super::measure(|| {
            baseline::run(pool, case, &path).map_err(|error| format!("{}: {error}", path.display()))
        });
        let _ = std::fs::remove_file(&path);
        rounds.push(measured?.0);
    }
    let pick = |of: fn(&super::Measured) -> f64| super::median(rounds.iter().map(of));
    Ok((pick(|it| it.rate), pick(|it| it.p99_us)))
}
