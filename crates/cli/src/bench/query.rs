//! `tacho bench query`: how fast a log of a size answers, warm, beside DuckDB over plain Parquet of
//! the same events in the same run.

mod duckdb;

use super::median;
use duckdb::DuckDb;
use query::figures::{activity_by_hour, error_analysis, tool_usage};
use query::sql::{Limits, Sql};
use query::{CACHE_BYTES, Columns, Filter, Library, figures};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One row of the result; the names are part of the machine output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct QueryRow {
    /// What was asked.
    pub case: String,
    /// Events in the log.
    pub events: u64,
    /// Times that it was asked, warm.
    pub runs: usize,
    /// The first time, when nothing is in memory.
    pub cold_ms: f64,
    /// The median of the others.
    pub median_ms: f64,
    /// The fastest.
    pub min_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// The median of the baseline, DuckDB, if it ran.
    pub baseline_median_ms: Option<f64>,
    /// Its fastest.
    pub baseline_min_ms: Option<f64>,
    /// Its slowest.
    pub baseline_max_ms: Option<f64>,
    /// Our median divided by its.
    pub ratio: Option<f64>,
    /// Resident memory after the case.
    pub rss_mib: f64,
}

/// A question, and the same for DuckDB.
struct Case<'q> {
    name: &'static str,
    ask: Box<dyn Fn() -> Result<usize, String> + 'q>,
    duckdb: Option<String>,
}

/// How one side took it.
struct Times {
    first: f64,
    rest: Vec<f64>,
}

fn measure(runs: usize, mut ask: impl FnMut() -> Result<usize, String>) -> Result<Times, String> {
    let mut time = || {
        let begun = Instant::now();
        ask().map(|_| begun.elapsed().as_secs_f64() * 1e3)
    };
    let first = time()?;
    let rest = (0..runs).map(|_| time()).collect::<Result<_, _>>()?;
    Ok(Times { first, rest })
}

/// Asks everything of a log `runs` times; with `python` beside DuckDB, which gets the same events
/// as plain Parquet below `scratch`.
///
/// # Errors
/// A sentence with the first failure.
pub(crate) fn run(
    library: &Library,
    scratch: &Path,
    runs: usize,
    python: Option<&Path>,
    row_done: &mut dyn FnMut(&QueryRow),
) -> Result<Vec<QueryRow>, String> {
    let columns = Columns::of(library, CACHE_BYTES).map_err(|error| error.to_string())?;
    let columns = Arc::new(columns);
    let events = columns.row_count();
    let sql = Sql::new(Arc::clone(&columns)).map_err(|error| error.to_string())?;
    let mut duckdb = match python {
        Some(python) => Some(DuckDb::load(python, scratch, &sql)?),
        None => None,
    };
    let mut rows = Vec::new();
    for case in cases(library, &columns, &sql)? {
        let ours = measure(runs, &case.ask).map_err(|error| format!("{}: {error}", case.name))?;
        let theirs = match (&mut duckdb, &case.duckdb) {
            (Some(duckdb), Some(text)) => Some(duckdb.measure(text, runs)?),
            _ => None,
        };
        let row = row(case.name, events, runs, &ours, theirs.as_deref());
        row_done(&row);
        rows.push(row);
    }
    Ok(rows)
}

fn row(case: &str, events: u64, runs: usize, ours: &Times, theirs: Option<&[f64]>) -> QueryRow {
    let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
    let middle = |times: &[f64]| median(times.iter().copied());
    let median_ms = middle(&ours.rest);
    QueryRow {
        case: case.to_owned(),
        events,
        runs,
        cold_ms: ours.first,
        median_ms,
        min_ms: least(&ours.rest),
        max_ms: most(&ours.rest),
        baseline_median_ms: theirs.map(middle),
        baseline_min_ms: theirs.map(least),
        baseline_max_ms: theirs.map(most),
        ratio: theirs.map(|times| median_ms / middle(times)),
        rss_mib: super::measure::resident_mib(),
    }
}

/// The questions. Those of `figures` are the fixed kernels; those named `sql` run through the SQL
/// engine.
fn cases<'q>(
    library: &'q Library,
    columns: &'q Columns,
    sql: &'q Sql,
) -> Result<Vec<Case<'q>>, String> {
    let figure = |outcome: Result<usize, segment::SegmentError>| outcome.map_err(|e| e.to_string());
    let limits = Limits { time: Duration::from_secs(600), ..Limits::default() };
    let ask = move |text: &str| {
        sql.ask(text, &limits).map(|answer| answer.row_count()).map_err(|e| e.to_string())
    };
    let some = sql
        .ask("SELECT trace_id FROM events WHERE trace_id IS NOT NULL LIMIT 1", &limits)
        .and_then(|answer| answer.texts().map_err(|e| query::sql::SqlError::Failed(e.to_string())))
        .map_err(|error| error.to_string())?;
    let trace = some.into_iter().flatten().flatten().next().unwrap_or_default();
    let by_trace = Filter { traces: vec![trace.clone()], ..Filter::default() };
    let trace = format!("SELECT index, timestamp, action FROM events WHERE trace_id = '{trace}'");
    let word = "SELECT count(*) FROM events WHERE content LIKE '%R000042%'";
    let mut cases = vec![
        Case {
            name: "tool usage",
            ask: Box::new(move || figure(tool_usage(columns).map(|lines| lines.len()))),
            duckdb: Some(figures::TOOL_USAGE_SQL.to_owned()),
        },
        Case {
            name: "error analysis",
            ask: Box::new(move || figure(error_analysis(columns).map(|lines| lines.len()))),
            duckdb: Some(figures::ERROR_ANALYSIS_SQL.to_owned()),
        },
        Case {
            name: "agent by hour",
            ask: Box::new(move || figure(activity_by_hour(columns).map(|lines| lines.len()))),
            duckdb: Some(figures::ACTIVITY_BY_HOUR_SQL.to_owned()),
        },
    ];
    let newest = Filter {
        agents: vec![AGENT.to_owned()],
        limit: Some(100),
        newest_first: true,
        ..Filter::default()
    };
    let words = Filter { text: Some("R000042".to_owned()), ..Filter::default() };
    for (name, filter, duckdb) in [
        ("trace by id", by_trace, Some(trace.clone())),
        ("newest 100 of an agent", newest, Some(NEWEST.to_owned())),
        ("rare word", words, None),
    ] {
        query::prepare(library, &filter, &|_, _| {}).map_err(|error| error.to_string())?;
        let ask = move || {
            let page = query::find(library, &filter, None).map_err(|error| error.to_string())?;
            Ok(page.found.len())
        };
        cases.push(Case { name, ask: Box::new(ask), duckdb });
    }
    // The same in SQL, which has no guides.
    for (name, text) in [
        ("sql: tool usage", figures::TOOL_USAGE_SQL.to_owned()),
        ("sql: error analysis", figures::ERROR_ANALYSIS_SQL.to_owned()),
        ("sql: agent by hour", figures::ACTIVITY_BY_HOUR_SQL.to_owned()),
        ("sql: trace by id", trace),
        ("sql: newest 100 of an agent", NEWEST.to_owned()),
        ("sql: rare word", word.to_owned()),
    ] {
        let ours = text.clone();
        let duckdb = (name != "sql: rare word").then_some(text);
        cases.push(Case { name, ask: Box::new(move || ask(&ours)), duckdb });
    }
    Ok(cases)
}

const AGENT: &str = "coder-02";

const NEWEST: &str = "SELECT index, timestamp, event_type, action FROM events \
                      WHERE agent_name = 'coder-02' ORDER BY index DESC LIMIT 100";
