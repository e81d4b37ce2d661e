//! `tacho bench soak`: a server for a long time at half of what it takes, then offered three times
//! as much, then left alone again.
//!
//! What must hold is judged here, so that a run of hours needs nobody who looks at it: answers stay
//! as quick as they were, memory does not grow, nothing is refused that there is room for; and who
//! is offered too much refuses in good order, goes on taking, and is itself again at once. What the
//! figures hold for is `ingest.rs`'s to say.

mod bars;

use super::client::{self, Load, Outcome};
use super::{ServerProcess, hold_to_account};
use crate::bench::Pool;
use crate::bench::measure::bytes_below;
pub(crate) use bars::Bar;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often it is looked at what was answered, and at the server's memory.
const LOOK: Duration = Duration::from_secs(1);
/// The same while it recovers.
const LOOK_CLOSELY: Duration = Duration::from_millis(250);
/// What is offered beside the peak.
const HALF: f64 = 0.5;
const TOO_MUCH: f64 = 3.0;
/// Part of the peak's phase that does not count: caches fill, buffers are made.
const WARM_UP: u32 = 5;
/// The longest and the shortest time that a row of the long phase is for.
const ROW_MAX: Duration = Duration::from_secs(60);
/// Rows of that phase at least.
const ROWS_MIN: u32 = 10;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Connections, and events in a request.
    pub(crate) case: (usize, usize),
    /// Connections when too much is offered.
    pub(crate) crowd: usize,
    /// How long as much is sent as is answered.
    pub(crate) peak: Duration,
    /// How long half of that.
    pub(crate) half: Duration,
    /// How long three times as much.
    pub(crate) overload: Duration,
    /// How long it is watched afterwards.
    pub(crate) recovery: Duration,
}

/// What one stretch gave; the names are part of the machine output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SoakRow {
    /// `peak`, `half`, `overload` or `recovery`.
    pub(crate) phase: &'static str,
    /// Seconds since the phase began, at the end of the row.
    pub(crate) until_s: f64,
    /// Events offered in a second; nothing when as many are sent as are answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offered_per_second: Option<f64>,
    /// Events that were sent in a second, whatever the answer.
    pub(crate) sent_per_second: f64,
    /// Events answered with 200 in a second.
    pub(crate) events_per_second: f64,
    /// Median time from when a request was sent, or was due, to its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ack_p50_us: Option<f64>,
    /// The time that 99 of 100 answers did not exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ack_p99_us: Option<f64>,
    /// Memory of the server that is resident at the end of the row.
    pub(crate) rss_mib: f64,
    /// Requests by their answer: a status, or `lost` for none.
    pub(crate) answers: BTreeMap<String, u64>,
}

/// What a run tells while it goes on.
pub(crate) enum Told<'t> {
    /// So many seconds of so many are over.
    Seconds(u64, u64),
    /// A row is done.
    Row(&'t SoakRow),
    /// What is worth knowing beside.
    Note(String),
}

/// Whom a run tells.
pub(crate) type Tell<'t> = dyn FnMut(Told<'_>) -> Result<(), String> + 't;

/// A moment of a phase.
pub(super) struct Look {
    pub(super) until_s: f64,
    pub(super) rss_mib: f64,
    pub(super) row: SoakRow,
}

/// What all phases are judged by.
#[derive(Default)]
pub(super) struct Seen {
    /// Events a second.
    pub(super) peak: f64,
    pub(super) half_rows: Vec<SoakRow>,
    pub(super) half_looks: Vec<Look>,
    pub(super) overload: Vec<SoakRow>,
    pub(super) recovery: Vec<Look>,
    /// From the end of the overload to the beginning of what came after.
    pub(super) drained: Duration,
}

/// Runs the plan; what must have held, and whether it did.
///
/// # Errors
/// A sentence with the first thing that could not be done. What does not hold is none.
pub(crate) fn run(
    server: &ServerProcess,
    plan: &Plan,
    tell: &mut Tell<'_>,
) -> Result<Vec<Bar>, String> {
    let mut run = Run {
        server,
        plan,
        pool: Pool::new(1),
        next: u64::from(std::process::id()) << 12,
        taken: 0,
        seconds: 0,
    };
    let seen = run.phases(tell)?;
    hold_to_account(server, run.taken)?;
    Ok(bars::judge(plan, &seen))
}

/// A run on its way.
struct Run<'r> {
    server: &'r ServerProcess,
    plan: &'r Plan,
    pool: Pool,
    /// The first number of the next phase's sources.
    next: u64,
    taken: u64,
    seconds: u64,
}

/// How one phase goes.
struct Phase {
    name: &'static str,
    connections: usize,
    rate: Option<f64>,
    length: Duration,
    look: Duration,
    row: Duration,
}

impl Run<'_> {
    fn phases(&mut self, tell: &mut Tell<'_>) -> Result<Seen, String> {
        let Plan { case: (connections, _), crowd, peak, half, overload, recovery } = *self.plan;
        let phase = |name, connections, rate, length| Phase {
            name,
            connections,
            rate,
            length,
            look: LOOK.min(length / WARM_UP),
            row: length,
        };
        let mut seen = Seen::default();
        let before = bytes_below(self.server.data());
        let (_, looks) = self.phase(&phase("peak", connections, None, peak), tell)?;
        seen.peak = settled_rate(&looks);
        if seen.peak <= 0.0 {
            return Err("the server took nothing at all; is the disk full?".to_owned());
        }
        self.check_room(before, seen.peak, tell)?;
        let row = (half / ROWS_MIN).min(ROW_MAX);
        let long = phase("half", connections, Some(seen.peak * HALF), half);
        (seen.half_rows, seen.half_looks) =
            self.phase(&Phase { row, look: LOOK.min(row), ..long }, tell)?;
        let crowded = phase("overload", crowd, Some(seen.peak * TOO_MUCH), overload);
        let begun = Instant::now();
        (seen.overload, _) = self.phase(&crowded, tell)?;
        seen.drained = begun.elapsed().saturating_sub(overload);
        let quiet = phase("recovery", connections, Some(seen.peak * HALF), recovery);
        (_, seen.recovery) = self.phase(&Phase { look: LOOK_CLOSELY, ..quiet }, tell)?;
        Ok(seen)
    }

    /// One phase: its rows, and every look at it.
    fn phase(
        &mut self,
        phase: &Phase,
        tell: &mut Tell<'_>,
    ) -> Result<(Vec<SoakRow>, Vec<Look>), String> {
        let (_, batch) = self.plan.case;
        let load = Load { connections: phase.connections, batch, rate: phase.rate, run: self.next };
        self.next += phase.connections as u64;
        let (mut rows, mut looks, mut open) = (Vec::new(), Vec::new(), None);
        let Plan { peak, half, overload, recovery, .. } = *self.plan;
        let all = peak + half + overload + recovery;
        let (before, server) = (self.seconds, self.server);
        let mut taken = 0;
        client::run(server, &self.pool, load, phase.length, phase.look, &mut |outcome| {
            taken += outcome.events;
            let rss_mib = server.figures()?.rss_mib;
            let row = row(phase, batch, &outcome, rss_mib);
            let until_s = row.until_s;
            looks.push(Look { until_s, rss_mib, row });
            let outcome = match open.take() {
                None => outcome,
                Some(earlier) => joined(earlier, outcome)?,
            };
            // The last one of a phase may be a little short.
            let is_last = outcome.until + phase.look / 2 >= phase.length;
            if is_last || outcome.length + phase.look / 2 >= phase.row {
                rows.push(self::row(phase, batch, &outcome, rss_mib));
                rows.last().map_or(Ok(()), |row| tell(Told::Row(row)))?;
            } else {
                open = Some(outcome);
            }
            tell(Told::Seconds(before + until_s as u64, all.as_secs()))
        })?;
        self.taken += taken;
        self.seconds += phase.length.as_secs();
        Ok((rows, looks))
    }

    /// Says how much the rest will write, and does not begin with what there is no room for.
    fn check_room(&self, before: u64, peak: f64, tell: &mut Tell<'_>) -> Result<(), String> {
        let folder = self.server.data();
        let grown = bytes_below(folder).saturating_sub(before) as f64;
        let Plan { half, overload, recovery, .. } = *self.plan;
        let events = peak * (HALF * (half + recovery).as_secs_f64() + overload.as_secs_f64());
        let gib = grown / self.taken.max(1) as f64 * events / f64::from(1 << 30);
        tell(Told::Note(format!("half of {peak:.0} events/s from here on: up to {gib:.1} GiB")))?;
        let disk = rustix::fs::statvfs(folder).map_err(|error| error.to_string())?;
        let free = disk.f_bavail as f64 * disk.f_frsize as f64 / f64::from(1 << 30);
        if gib > free {
            return Err(format!(
                "this takes up to {gib:.1} GiB, and {free:.1} are free beside {}; give --data on a larger \
                 disk, or fewer --minutes",
                folder.display()
            ));
        }
        Ok(())
    }
}

/// Events a second of a phase without its beginning.
fn settled_rate(looks: &[Look]) -> f64 {
    let settled = looks.get(looks.len() / WARM_UP as usize..).unwrap_or_default();
    let rates = settled.iter().map(|look| look.row.events_per_second);
    rates.sum::<f64>() / settled.len().max(1) as f64
}

/// Two stretches of a phase as one.
fn joined(mut earlier: Outcome, later: Outcome) -> Result<Outcome, String> {
    earlier.times.add(&later.times).map_err(|error| error.to_string())?;
    for (answer, count) in later.answers {
        *earlier.answers.entry(answer).or_default() += count;
    }
    earlier.events += later.events;
    earlier.length += later.length;
    earlier.until = later.until;
    Ok(earlier)
}

fn row(phase: &Phase, batch: usize, outcome: &Outcome, rss_mib: f64) -> SoakRow {
    let quantile = |times: &Histogram<u64>, share| times.value_at_quantile(share) as f64;
    let has_times = !outcome.times.is_empty();
    let seconds = outcome.length.as_secs_f64().max(1e-9);
    SoakRow {
        phase: phase.name,
        until_s: outcome.until.as_secs_f64(),
        offered_per_second: phase.rate,
        sent_per_second: (outcome.answers.values().sum::<u64>() * batch as u64) as f64 / seconds,
        events_per_second: outcome.events as f64 / seconds,
        ack_p50_us: has_times.then(|| quantile(&outcome.times, 0.5)),
        ack_p99_us: has_times.then(|| quantile(&outcome.times, 0.99)),
        rss_mib,
        answers: outcome.answers.clone(),
    }
}
