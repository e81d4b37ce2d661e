//! `tacho bench query`: how fast a log of a size answers, warm, beside DuckDB over plain Parquet of
//! the same events in the same run.

#[cfg(feature = "sql")]
mod duckdb;
mod samples;
#[cfg(feature = "sql")]
mod tables;

use super::median;
use query::{Filter, Library};
use samples::Sample;
use serde::Serialize;
use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

/// One row of the result; the names are part of the machine output.
#[derive(Clone, Debug, Default, Serialize)]
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
    #[cfg(feature = "sql")]
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

/// What to ask, and whom.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'p> {
    /// Events in the log.
    pub(crate) events: u64,
    /// Times that each question is asked, after one that does not count.
    pub(crate) runs: usize,
    /// Where files for DuckDB may be put.
    #[cfg_attr(not(feature = "sql"), expect(dead_code, reason = "DuckDB is told what SQL finds"))]
    pub(crate) scratch: &'p Path,
    /// A Python with DuckDB, which gets the same events as plain Parquet.
    #[cfg_attr(not(feature = "sql"), expect(dead_code, reason = "DuckDB is told what SQL finds"))]
    pub(crate) python: Option<&'p Path>,
}

/// Asks everything of a log; without SQL only what is found by guides.
///
/// # Errors
/// A sentence with the first failure.
pub(crate) fn run(
    library: &Library,
    plan: Plan<'_>,
    row_done: &mut dyn FnMut(&QueryRow),
) -> Result<Vec<QueryRow>, String> {
    let samples = samples::of(library)?;
    #[cfg(feature = "sql")]
    let (tables, mut duckdb) = tables::Tables::of(library, plan)?;
    let cases = finds(library, &samples)?;
    #[cfg(feature = "sql")]
    let cases = tables.added_to(cases, &samples);
    let mut rows = Vec::new();
    for case in cases {
        let ours = measure(plan.runs, &case.ask);
        let ours = ours.map_err(|error| format!("{}: {error}", case.name))?;
        #[cfg(feature = "sql")]
        let theirs = match (&mut duckdb, &case.duckdb) {
            (Some(duckdb), Some(text)) => Some(duckdb.measure(text, plan.runs)?),
            _ => None,
        };
        #[cfg(not(feature = "sql"))]
        let theirs: Option<Vec<f64>> = None;
        let row = row(case.name, plan.events, plan.runs, &ours, theirs.as_deref());
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

/// The questions that guides answer. What is looked for by its id is another one each time, from
/// all over the log.
fn finds<'q>(library: &'q Library, samples: &'q [Sample]) -> Result<Vec<Case<'q>>, String> {
    type Ask<'a> = Box<dyn Fn(&Sample) -> Filter + 'a>;
    let one = |it: &str| vec![it.to_owned()];
    let newest = |_: &Sample| Filter {
        agents: vec![AGENT.to_owned()],
        limit: Some(100),
        newest_first: true,
        ..Filter::default()
    };
    let word = |_: &Sample| Filter { text: Some(WORD.to_owned()), ..Filter::default() };
    let asked: [(&'static str, Ask<'q>); 4] = [
        ("event by id", Box::new(move |it| Filter { events: one(&it.event), ..Filter::default() })),
        ("trace by id", Box::new(move |it| Filter { traces: one(&it.trace), ..Filter::default() })),
        ("newest 100 of an agent", Box::new(newest)),
        ("rare word", Box::new(word)),
    ];
    let mut cases = Vec::new();
    for (name, filter) in asked {
        let first = samples.first().map(&filter).unwrap_or_default();
        query::prepare(library, &first, &|_, _| {}).map_err(|error| error.to_string())?;
        let next = Cell::new(0);
        let ask = move || {
            let sample = samples.get(next.get() % samples.len().max(1)).ok_or("no sample")?;
            next.set(next.get() + 1);
            let page = query::find(library, &filter(sample), None);
            Ok(page.map_err(|error| error.to_string())?.found.len())
        };
        cases.push(Case {
            name,
            ask: Box::new(ask),
            #[cfg(feature = "sql")]
            duckdb: tables::same(name, samples),
        });
    }
    Ok(cases)
}

const AGENT: &str = "coder-02";

/// One of a million references, of which two of five events name one.
const WORD: &str = "R000042";
