//! How tools were used.

use super::names::{Codes, Register};
use super::quantile::quantiles;
use crate::columns::{Columns, NO_WORD, Question, field};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use event::types::TOOL_CALL;
use segment::SegmentError;
use serde::Serialize;

/// What [`tool_usage`] means.
pub const TOOL_USAGE_SQL: &str = "\
SELECT tool, count(*) AS calls, \
       count(*) FILTER (WHERE outcome IN ('failure', 'timeout') OR error_type IS NOT NULL) AS errors, \
       avg(duration_ms) AS mean_ms, \
       percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS p50_ms, \
       percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms, \
       percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99_ms \
FROM events WHERE event_type = 'agent.tool_call' AND tool IS NOT NULL \
GROUP BY tool ORDER BY calls DESC, tool";

/// One tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolLine {
    /// Its name.
    pub tool: String,
    /// Calls.
    pub calls: u64,
    /// Calls that failed or took too long, by their outcome, or that name a class of error.
    pub errors: u64,
    /// Errors divided by calls.
    pub error_rate: f64,
    /// The mean duration of the calls that have one, in milliseconds.
    pub mean_ms: Option<f64>,
    /// The median duration.
    pub p50_ms: Option<f64>,
    /// The duration that 95 of 100 calls did not exceed.
    pub p95_ms: Option<f64>,
    /// The duration that 99 of 100 calls did not exceed.
    pub p99_ms: Option<f64>,
}

/// The calls of a chunk, by the chunk's number of the tool.
#[derive(Default)]
struct Part {
    names: Vec<String>,
    tools: Vec<Counts>,
}

#[derive(Clone, Default)]
struct Counts {
    calls: u64,
    errors: u64,
    durations: Vec<f64>,
}

/// Calls, errors and durations of each tool, most calls first.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn tool_usage(columns: &Columns) -> Result<Vec<ToolLine>, SegmentError> {
    let question = columns.begin();
    let parts = columns.each(|chunk| part(columns, question, chunk))?;
    let mut register = Register::default();
    let mut tools: Vec<(u64, u64, Vec<Vec<f64>>)> = Vec::new();
    for Part { names, tools: counts } in parts {
        for (name, counts) in names.iter().zip(counts).filter(|(_, counts)| counts.calls > 0) {
            let number = register.number(name);
            if number == tools.len() {
                tools.push((0, 0, Vec::new()));
            }
            if let Some((calls, errors, durations)) = tools.get_mut(number) {
                *calls += counts.calls;
                *errors += counts.errors;
                durations.push(counts.durations);
            }
        }
    }
    let names = register.into_names();
    let mut lines: Vec<ToolLine> = on_two(names.into_iter().zip(tools).collect(), line);
    lines.sort_by(|one, other| (other.calls, &one.tool).cmp(&(one.calls, &other.tool)));
    Ok(lines)
}

/// Does something for each item, on two threads.
fn on_two<T: Send, U: Send>(mut items: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let others = items.split_off(items.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| others.into_iter().map(&work).collect::<Vec<U>>());
        let mut done: Vec<U> = items.into_iter().map(&work).collect();
        done.extend(other.join().unwrap_or_default());
        done
    })
}

fn line((tool, (calls, errors, durations)): (String, (u64, u64, Vec<Vec<f64>>))) -> ToolLine {
    let count: usize = durations.iter().map(Vec::len).sum();
    let sum: f64 = durations.iter().flatten().sum();
    let [p50_ms, p95_ms, p99_ms] = quantiles(&durations, [0.5, 0.95, 0.99]);
    ToolLine {
        tool,
        calls,
        errors,
        error_rate: errors as f64 / calls.max(1) as f64,
        mean_ms: (count > 0).then(|| sum / count as f64),
        p50_ms,
        p95_ms,
        p99_ms,
    }
}

const FIELDS: [&str; 5] = ["tool", "event_type", "outcome", "error_type", "duration_ms"];

fn part(columns: &Columns, question: Question, chunk: usize) -> Result<Part, SegmentError> {
    let wanted: Vec<_> = FIELDS.iter().filter_map(|name| field(name)).collect();
    let loaded = columns.columns(question, chunk, &wanted)?;
    let [tool, kind, outcome, error, duration] = loaded.as_slice() else {
        return Ok(Part::default());
    };
    let rows = columns.rows_in(chunk);
    let (tool, kind) = (Codes::of(tool, rows), Codes::of(kind, rows));
    let (outcome, error) = (Codes::of(outcome, rows), Codes::of(error, rows));
    let Some(call) = kind.find(TOOL_CALL) else { return Ok(Part::default()) };
    // A number that no row has, where no row has the name.
    let failed = ["failure", "timeout"].map(|name| outcome.find(name).unwrap_or(NO_WORD - 1));
    let duration = duration.array(rows, &arrow_schema::DataType::Float64);
    let duration = duration.as_primitive::<Float64Type>();
    let mut tools = vec![Counts::default(); tool.count()];
    let rows = tool.codes().iter().zip(kind.codes()).take(rows).enumerate();
    for (row, (tool, _)) in rows.filter(|(_, (_, kind))| **kind == call) {
        let Some(counts) = tools.get_mut(usize::from(*tool)) else { continue };
        counts.calls += 1;
        let outcome = outcome.codes().get(row).copied().unwrap_or(NO_WORD);
        let has_class = error.codes().get(row).is_some_and(|code| *code != NO_WORD);
        counts.errors += u64::from(has_class || failed.contains(&outcome));
        if duration.is_valid(row) {
            counts.durations.push(duration.value(row));
        }
    }
    let name = |code| tool.name(code).unwrap_or_default().to_owned();
    Ok(Part { names: (0..tool.count()).map(name).collect(), tools })
}
