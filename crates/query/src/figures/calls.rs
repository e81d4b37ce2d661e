//! How tools were used in a period.

use super::pass::{Figure, in_one_pass};
use super::period::{ENDS, Period, Sheet};
use super::quantile::quantiles;
use crate::columns::{Columns, NO_WORD};
use arrow_array::Array;
use event::Status;
use event::types;
use segment::SegmentError;
use std::collections::BTreeMap;

/// One tool.
///
/// Frameworks tell a call in one event or in two, the call and its result, and the end of it may
/// stand in either. So calls and results are counted apart, and of each number the greater counts.
#[derive(Clone, Debug, PartialEq)]
pub struct CallLine {
    /// Its name; none where events do not tell.
    pub tool: Option<String>,
    /// Calls.
    pub calls: u64,
    /// Calls that failed or took too long.
    pub errors: u64,
    /// Those of them that took too long.
    pub timeouts: u64,
    /// Calls that were refused.
    pub denied: u64,
    /// Calls that name who approved them.
    pub approved: u64,
    /// Calls whose end is not known: neither they nor a result say one.
    pub without_end: u64,
    /// The mean duration of those that have one, in milliseconds.
    pub mean_ms: Option<f64>,
    /// The median duration.
    pub p50_ms: Option<f64>,
    /// The duration that 95 of 100 did not exceed.
    pub p95_ms: Option<f64>,
    /// The duration that 99 of 100 did not exceed.
    pub p99_ms: Option<f64>,
}

/// What events of one kind say of a tool.
#[derive(Clone, Default)]
pub struct Counts {
    events: u64,
    errors: u64,
    timeouts: u64,
    denied: u64,
    approved: u64,
    ended: u64,
    durations: Vec<f64>,
}

/// The same of calls and results, the durations in pieces.
#[derive(Default)]
struct Sums {
    counts: [Counts; 2],
    durations: [Vec<Vec<f64>>; 2],
}

/// A tool, and what its calls and its results say.
type Found = (Option<String>, [Counts; 2]);

/// Calls, errors and durations of each tool in a period, most calls first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls(pub Vec<CallLine>);

/// Calls, errors and durations of each tool in a period, most calls first.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn tool_calls(columns: &Columns, period: &Period) -> Result<Vec<CallLine>, SegmentError> {
    in_one_pass(columns, period).map(|Calls(lines)| lines)
}

impl Figure for Calls {
    type Part = Vec<Found>;

    fn columns() -> Vec<&'static str> {
        [ENDS.as_slice(), &["tool", "duration_ms", "approver"]].concat()
    }

    fn part(sheet: &mut Sheet<'_>) -> Result<Vec<Found>, SegmentError> {
        if sheet.is_empty() {
            return Ok(Vec::new());
        }
        let statuses = sheet.statuses()?;
        let (tools, kinds, durations) =
            (sheet.codes("tool")?, sheet.codes("event_type")?, sheet.floats("duration_ms")?);
        let (outcomes, approvers) = (sheet.codes("outcome")?, sheet.codes("approver")?);
        let is = [types::TOOL_CALL, types::TOOL_RESULT].map(|name| kinds.find(name));
        // One place more for those without a name.
        let mut found = vec![<[Counts; 2]>::default(); tools.count() + 1];
        for (picked, status) in sheet.picked.iter().zip(statuses.iter()) {
            let row = picked.row;
            let kind = Some(kinds.code(row));
            let Some(which) = is.iter().position(|name| *name == kind) else { continue };
            let tool = usize::from(tools.code(row)).min(tools.count());
            let Some(counts) = found.get_mut(tool).and_then(|it| it.get_mut(which)) else {
                continue;
            };
            counts.events += 1;
            counts.errors += u64::from(status.is_error());
            counts.timeouts += u64::from(*status == Status::Timeout);
            counts.denied += u64::from(*status == Status::Denied);
            counts.approved += u64::from(approvers.code(row) != NO_WORD);
            let is_said = outcomes.code(row) != NO_WORD && *status != Status::Unknown;
            // That there is a result is an end.
            counts.ended += u64::from(is_said || status.is_error() || which == 1);
            if durations.is_valid(row) {
                counts.durations.push(durations.value(row).max(0.0));
            }
        }
        let named = found.into_iter().enumerate();
        let named = named.filter(|(_, it)| it.iter().any(|counts| counts.events > 0));
        Ok(named.map(|(code, it)| (tools.name(code).map(str::to_owned), it)).collect())
    }

    fn sum(parts: Vec<Vec<Found>>) -> Self {
        let mut tools: BTreeMap<Option<String>, Sums> = BTreeMap::new();
        for (tool, counts) in parts.into_iter().flatten() {
            let sums = tools.entry(tool).or_default();
            for ((sum, pieces), more) in sums.counts.iter_mut().zip(&mut sums.durations).zip(counts)
            {
                sum.events += more.events;
                sum.errors += more.errors;
                sum.timeouts += more.timeouts;
                sum.denied += more.denied;
                sum.approved += more.approved;
                sum.ended += more.ended;
                pieces.push(more.durations);
            }
        }
        let mut lines: Vec<CallLine> =
            tools.into_iter().map(|(tool, sums)| line(tool, sums)).collect();
        lines.sort_by(|one, other| (other.calls, &one.tool).cmp(&(one.calls, &other.tool)));
        Self(lines)
    }
}

fn line(tool: Option<String>, Sums { counts: [calls, results], durations }: Sums) -> CallLine {
    let [of_calls, of_results] = durations;
    let count = |parts: &[Vec<f64>]| parts.iter().map(Vec::len).sum::<usize>();
    let durations = if count(&of_calls) >= count(&of_results) { of_calls } else { of_results };
    let count = count(&durations);
    let sum: f64 = durations.iter().flatten().sum();
    let [p50_ms, p95_ms, p99_ms] = quantiles(&durations, [0.5, 0.95, 0.99]);
    let all = calls.events.max(results.events);
    CallLine {
        tool,
        calls: all,
        errors: calls.errors.max(results.errors),
        timeouts: calls.timeouts.max(results.timeouts),
        denied: calls.denied.max(results.denied),
        approved: calls.approved.max(results.approved),
        without_end: all - calls.ended.max(results.ended),
        mean_ms: (count > 0).then(|| sum / count as f64),
        p50_ms,
        p95_ms,
        p99_ms,
    }
}
