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
    /// Records, or lines of a figure, of the first answer.
    pub rows: usize,
    /// The same of the baseline.
    pub baseline_rows: Option<usize>,
    /// What it may take with 5,000,000 events: milliseconds, or times what the baseline takes.
    pub bar: Option<Bar>,
    /// Whether it took no more; `None` where there is no bar, or no baseline to compare with.
    pub is_met: Option<bool>,
    /// Resident memory after the case.
    pub rss_mib: f64,
}

/// What a question may take with 5,000,000 events on two cores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// Milliseconds, in the median.
    Ms(f64),
    /// Times what the baseline takes, median to median.
    Times(f64),
}

impl Bar {
    /// The bar of a question, if it has one.
    fn of(case: &str) -> Option<Self> {
        Some(match case {
            "trace by id" => Self::Ms(10.0),
            "newest 100 of an agent" => Self::Ms(15.0),
            "rare word" => Self::Ms(300.0),
            "tool usage" | "error analysis" | "agent by hour" => Self::Times(1.0),
            "report: summary" | "report: tool-usage" | "report: error-analysis" => Self::Ms(1000.0),
            "report: daily" => Self::Ms(2000.0),
            _ => return None,
        })
    }

    fn is_met(self, median_ms: f64, ratio: Option<f64>) -> Option<bool> {
        match self {
            Self::Ms(most) => Some(median_ms <= most),
            Self::Times(most) => Some(ratio? <= most),
        }
    }
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
    /// Rows of the first answer.
    rows: usize,
}

fn measure(runs: usize, mut ask: impl FnMut() -> Result<usize, String>) -> Result<Times, String> {
    let mut time = || {
        let begun = Instant::now();
        ask().map(|rows| (begun.elapsed().as_secs_f64() * 1e3, rows))
    };
    let (first, rows) = time()?;
    let rest = (0..runs).map(|_| time().map(|(ms, _)| ms)).collect::<Result<_, _>>()?;
    Ok(Times { first, rest, rows })
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
    let cases = tables.added_to(cases, library, &samples);
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
        let theirs: Option<Times> = None;
        let row = row(case.name, plan, &ours, theirs.as_ref());
        row_done(&row);
        rows.push(row);
    }
    Ok(rows)
}

fn row(case: &str, plan: Plan<'_>, ours: &Times, theirs: Option<&Times>) -> QueryRow {
    let least = |times: &Times| times.rest.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |times: &Times| times.rest.iter().copied().fold(0.0, f64::max);
    let middle = |times: &Times| median(times.rest.iter().copied());
    let median_ms = middle(ours);
    let (ratio, bar) = (theirs.map(|times| median_ms / middle(times)), Bar::of(case));
    QueryRow {
        case: case.to_owned(),
        events: plan.events,
        runs: plan.runs,
        cold_ms: ours.first,
        median_ms,
        min_ms: least(ours),
        max_ms: most(ours),
        baseline_median_ms: theirs.map(middle),
        baseline_min_ms: theirs.map(least),
        baseline_max_ms: theirs.map(most),
        ratio,
        rows: ours.rows,
        baseline_rows: theirs.map(|times| times.rows),
        bar,
        is_met: bar.and_then(|bar| bar.is_met(median_ms, ratio)),
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
