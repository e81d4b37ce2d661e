//! `tacho bench append`: how fast events become durable here, beside a bare baseline in the same
//! run.
//!
//! Product and baseline alternate, round by round, so that a noisy minute hits both; each figure is
//! the median of its rounds. Both begin at rest: what the product does in the background, segments
//! above all, is done between the rounds and has a figure of its own. Durability is the same on
//! both sides: an acknowledgement follows an fdatasync of the bytes that hold the event.

mod append;
mod baseline;
pub(crate) mod ingest;
mod measure;
pub(crate) mod query;
pub(crate) mod roll;
mod source;

use measure::{Acknowledgements, Case, bytes_below, cpu_time, resident_mib};
use seal::{Log, SealError};
use serde::Serialize;
pub(crate) use source::Pool;
use std::path::Path;
use std::time::{Duration, Instant};

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Batch sizes.
    pub batches: Vec<usize>,
    /// Numbers of producers.
    pub producers: Vec<usize>,
    /// Events for each case; `None` for a number that takes about a second.
    pub events: Option<usize>,
    /// Rounds of each case.
    pub rounds: usize,
}

/// One row of the result; the names are part of the machine output.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was run, `append`.
    pub case: String,
    /// Events in a batch.
    pub batch: usize,
    /// Threads appending.
    pub producers: usize,
    /// Events durably acknowledged in a second.
    pub events_per_second: f64,
    /// The same for the bare baseline.
    pub baseline_events_per_second: f64,
    /// The first divided by the second.
    pub ratio: f64,
    /// Median time from lines to acknowledgement.
    pub ack_p50_us: f64,
    /// The time that 99 of 100 acknowledgements did not exceed.
    pub ack_p99_us: f64,
    /// The same of the baseline.
    pub baseline_ack_p50_us: f64,
    /// The same of the baseline.
    pub baseline_ack_p99_us: f64,
    /// CPU time of the whole process for each event.
    pub cpu_us_per_event: f64,
    /// The same of the baseline.
    pub baseline_cpu_us_per_event: f64,
    /// Time for each event until the background was done as well, after the last acknowledgement.
    pub settle_us_per_event: f64,
    /// Bytes that the log's folder grew by for each event.
    pub disk_bytes_per_event: f64,
    /// Resident memory after the case.
    pub rss_mib: f64,
}

/// What one run of one side gave.
struct Measured {
    rate: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
}

/// Runs the plan on an open log whose folder is `folder`; the baseline writes into `scratch`.
///
/// # Errors
/// A sentence with the first failure.
pub fn run(
    log: &Log,
    folder: &Path,
    scratch: &Path,
    plan: &Plan,
    row_done: &mut dyn FnMut(&Row),
) -> Result<Vec<Row>, String> {
    let pool = Pool::new(1);
    // Runs of different processes on one log must not repeat each other's ids.
    let mut run = u64::from(std::process::id()) << 12;
    let mut rows = Vec::new();
    for producers in &plan.producers {
        for batch in &plan.batches {
            let events = plan.events.unwrap_or_else(|| usual_events(*batch, *producers));
            let case = Case { batch: *batch, producers: *producers, events, run };
            let row = run_case(log, folder, scratch, &pool, case, plan.rounds)?;
            run += (plan.rounds * producers) as u64;
            row_done(&row);
            rows.push(row);
        }
    }
    Ok(rows)
}

/// What was appended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filled {
    /// Events.
    pub events: u64,
    /// Bytes of their lines, as NDJSON.
    pub bytes: u64,
}

/// Batches of each producer between two looks at how far it is.
const STEP_BATCHES: usize = 32;

/// Appends events without measuring, for those who want a log of a size.
///
/// # Errors
/// The log's first refusal.
pub fn fill(
    log: &Log,
    count: usize,
    batch: usize,
    producers: usize,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Filled, SealError> {
    let pool = Pool::new(1);
    let batch = batch.min(count).max(1);
    let mut run = u64::from(std::process::id()) << 12;
    let (mut filled, mut producers) = (Filled::default(), producers);
    // A progress bar moves once a step.
    let step = (batch * producers * STEP_BATCHES).min(count);
    // What does not divide evenly among the producers is one producer's, and the last batch is
    // short.
    loop {
        let rest = count.saturating_sub(usize::try_from(filled.events).unwrap_or(count));
        if rest == 0 {
            return Ok(filled);
        }
        if rest < batch * producers {
            producers = 1;
        }
        let case = Case { batch: batch.min(rest), producers, events: rest.min(step), run };
        let acknowledged = append::run(log, &pool, case)?;
        filled.events += acknowledged.events;
        filled.bytes += acknowledged.bytes;
        progress(filled.events, count as u64);
        run += producers as u64;
    }
}

/// Enough events for a second or so of each case.
fn usual_events(batch: usize, producers: usize) -> usize {
    match (batch, producers) {
        (1, 1) => 3_000,
        (1, _) => 40_000,
        (2..=99, 1) | (100..=999, 1) => 100_000,
        (1_000.., 1) => 400_000,
        _ => 640_000,
    }
}

fn run_case(
    log: &Log,
    folder: &Path,
    scratch: &Path,
    pool: &Pool,
    case: Case,
    rounds: usize,
) -> Result<Row, String> {
    let bytes_before = bytes_below(folder);
    let (mut ours, mut bare, mut settling, mut events) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..rounds {
        let case = Case { run: case.run + (round * case.producers) as u64, ..case };
        let ours_first = round % 2 == 0;
        for turn in [ours_first, !ours_first] {
            if turn {
                let (measured, count) =
                    measure(|| append::run(log, pool, case).map_err(|error| error.to_string()))?;
                ours.push(measured);
                events += count;
                settling.push(settle(log)? / count.max(1) as f64);
            } else {
                let path =
                    scratch.join(format!("baseline-{}-{}-{round}", case.batch, case.producers));
                let outcome = measure(|| {
                    baseline::run(pool, case, &path)
                        .map_err(|error| format!("{}: {error}", path.display()))
                });
                let _ = std::fs::remove_file(&path);
                bare.push(outcome?.0);
            }
        }
    }
    let grown = bytes_below(folder).saturating_sub(bytes_before);
    let ratio = median(ours.iter().zip(&bare).map(|(ours, bare)| ours.rate / bare.rate));
    let pick = |list: &[Measured], of: fn(&Measured) -> f64| median(list.iter().map(of));
    Ok(Row {
        case: "append".to_owned(),
        batch: case.batch,
        producers: case.producers,
        events_per_second: pick(&ours, |m| m.rate),
        baseline_events_per_second: pick(&bare, |m| m.rate),
        ratio,
        ack_p50_us: pick(&ours, |m| m.p50_us),
        ack_p99_us: pick(&ours, |m| m.p99_us),
        baseline_ack_p50_us: pick(&bare, |m| m.p50_us),
        baseline_ack_p99_us: pick(&bare, |m| m.p99_us),
        cpu_us_per_event: pick(&ours, |m| m.cpu_us),
        baseline_cpu_us_per_event: pick(&bare, |m| m.cpu_us),
        settle_us_per_event: median(settling.into_iter()),
        disk_bytes_per_event: grown as f64 / (events.max(1)) as f64,
        rss_mib: resident_mib(),
    })
}

/// Waits until a log is at rest; returns how long that took, in microseconds.
fn settle(log: &Log) -> Result<f64, String> {
    let begun = Instant::now();
    log.settle().and_then(|()| log.publish()).map_err(|error| error.to_string())?;
    Ok(begun.elapsed().as_secs_f64() * 1e6)
}

fn measure(
    side: impl FnOnce() -> Result<Acknowledgements, String>,
) -> Result<(Measured, u64), String> {
    let (begun, cpu) = (Instant::now(), cpu_time());
    let mut acknowledgements = side()?;
    let (took, cpu) = (begun.elapsed(), cpu_time().saturating_sub(cpu));
    let events = acknowledgements.events;
    let each = |time: Duration| time.as_secs_f64() * 1e6 / events.max(1) as f64;
    let measured = Measured {
        rate: events as f64 / took.as_secs_f64(),
        p50_us: acknowledgements.quantile_us(0.5),
        p99_us: acknowledgements.quantile_us(0.99),
        cpu_us: each(cpu),
    };
    Ok((measured, events))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
