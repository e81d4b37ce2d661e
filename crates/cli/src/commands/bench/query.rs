//! `tacho bench query`: how fast logs of given sizes answer, beside DuckDB if there is one.

use super::{AFTER_HELP, Scratch, conditions, open};
use crate::arguments::Format;
use crate::bench;
use crate::bench::query::{Bar, Plan, QueryRow};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{DIM, STRONG, styled};
use clap::Args;
use keys::Kek;
use reading::LogFolder;
use reading::Reading;
use reading::answer;
use std::io::Write as _;
#[cfg(feature = "sql")]
use std::path::PathBuf;
use std::sync::Arc;

/// Questions to a generated log, warm, in process
///
/// Makes a log, rolls it into segments, and asks. With --duckdb DuckDB gets the same records as the
/// Parquet that `tacho export` writes, and is asked the same in the same run. Beside each question
/// stands its bar, which is meant for 5,000,000 events on two cores. A `tacho` that was built
/// without SQL asks only what guides answer.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Query {
    /// Events in the log; several sizes show how it grows
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1000000")]
    events: Vec<usize>,
    /// Times that each question is asked, after one that does not count
    #[arg(long, value_name = "N", default_value_t = 20)]
    runs: usize,
    /// A Python with the package `duckdb`, to compare with
    #[cfg(feature = "sql")]
    #[arg(long, value_name = "PYTHON")]
    duckdb: Option<PathBuf>,
}

impl Query {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        if self.events.is_empty() || self.events.contains(&0) || self.runs == 0 {
            return Err(Failure::usage("events and runs are numbers from 1 up"));
        }
        context.terminal.note(conditions());
        let mut out = context.terminal.people();
        if format == Format::Text {
            writeln!(out, "{}", styled(STRONG, HEADER))?;
        }
        let mut all: Vec<QueryRow> = Vec::new();
        for events in &self.events {
            let rows = self.measure(context, *events, &mut |row| {
                // A reader who went away is found when the rest is written.
                let _ = match format {
                    Format::Text => writeln!(out, "{}", line(row)),
                    Format::Ndjson => {
                        writeln!(out, "{}", serde_json::to_string(row).unwrap_or_default())
                    }
                    _ => Ok(()),
                };
                let _ = out.flush();
            })?;
            all.extend(rows);
        }
        if format == Format::Text && self.events.len() > 1 {
            writeln!(out, "\n{}", styled(STRONG, "median in ms, and times the smallest"))?;
            growth(&all).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        if format == Format::Json {
            writeln!(out, "{}", serde_json::to_string(&all).unwrap_or_default())?;
        }
        Ok(Exit::Fine)
    }

    /// One size, in a folder of its own.
    fn measure(
        &self,
        context: &Context,
        events: usize,
        row_done: &mut dyn FnMut(&QueryRow),
    ) -> Result<Vec<QueryRow>, Failure> {
        let scratch = Scratch::new(&context.global.data, 0)?;
        let (made, kek) = scratch.log()?;
        fill(&made, &kek, events)?;
        context.terminal.note(styled(DIM, format!("{events} events are sealed and rolled")));
        let reading = Reading::open(made, &kek)?;
        let as_of = answer::as_of(&reading);
        let library = reading::library(&reading, as_of)?
            .ok_or_else(|| Failure::new("the log that was just made is not whole"))?;
        #[cfg(feature = "sql")]
        let python = self.duckdb.as_deref();
        #[cfg(not(feature = "sql"))]
        let python = None;
        let (events, runs) = (events as u64, self.runs);
        let plan = Plan { events, runs, scratch: &scratch.0, python };
        bench::query::run(&library, plan, row_done).map_err(Failure::new)
    }
}

/// Seals events, and rolls what can be rolled.
fn fill(made: &LogFolder, kek: &Arc<Kek>, events: usize) -> Result<(), Failure> {
    let log = open(made, Arc::clone(kek))?;
    bench::fill(&log, events, 5_000, 2, &mut |_, _| {})?;
    log.settle()?;
    log.close()?;
    Ok(())
}

const HEADER: &str = "   events  question                         median     min      max     cold  \
                      DuckDB median     min      max  ratio   RSS  bar";

fn line(row: &QueryRow) -> String {
    let known = |number: Option<f64>| number.map_or("-".to_owned(), |n| format!("{n:.1}"));
    format!(
        "{:>9}  {:<28} {:>7.1} ms {:>7.1} {:>8.1} {:>8.1} {:>14} {:>7} {:>8} {:>6} {:>3.0} M  {}",
        row.events,
        row.case,
        row.median_ms,
        row.min_ms,
        row.max_ms,
        row.cold_ms,
        known(row.baseline_median_ms),
        known(row.baseline_min_ms),
        known(row.baseline_max_ms),
        row.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
        row.rss_mib,
        notes(row),
    )
}

/// The bar and whether it is met; and when the two sides did not find the same.
fn notes(row: &QueryRow) -> String {
    let bar = match row.bar {
        Some(Bar::Ms(most)) => format!("{most:.0} ms"),
        Some(Bar::Times(most)) => format!("{most:.0}x"),
        None => String::new(),
    };
    let verdict = match row.is_met {
        Some(true) => " met",
        Some(false) => " MISSED",
        None => "",
    };
    match row.baseline_rows.filter(|rows| *rows != row.rows) {
        Some(theirs) => format!("{bar}{verdict}; {} rows, DuckDB {theirs}", row.rows),
        None => bar + verdict,
    }
}

/// Each question at every size, and how many times what it takes at the smallest; DuckDB likewise.
fn growth(rows: &[QueryRow]) -> Vec<String> {
    let Some(least) = rows.iter().map(|row| row.events).min() else { return Vec::new() };
    let of = |case: &str, row: &QueryRow| row.case == case;
    let smallest = rows.iter().filter(|row| row.events == least);
    let line = |first: &QueryRow, side: Side, name: &str| {
        let first_ms = side(first)?;
        let sizes = rows.iter().filter(|row| of(&first.case, row)).filter_map(|row| {
            let (events, ms) = (row.events, side(row)?);
            Some(format!("{events:>10}: {ms:>7.1} ({:.1})", ms / first_ms))
        });
        Some(format!("{name:<28}{}", sizes.collect::<String>()))
    };
    let lines = |first| {
        let ours = line(first, |row| Some(row.median_ms), &first.case);
        let theirs = line(first, |row| row.baseline_median_ms, "  DuckDB");
        ours.into_iter().chain(theirs)
    };
    smallest.flat_map(lines).collect()
}

/// What one side took, in milliseconds.
type Side = fn(&QueryRow) -> Option<f64>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_names_every_size_beside_the_smallest() {
        let row = |case: &str, events, median_ms| QueryRow {
            case: case.to_owned(),
            events,
            median_ms,
            ..QueryRow::default()
        };
        let rows = [
            row("trace by id", 5000, 3.0),
            row("rare word", 5000, 9.0),
            row("trace by id", 1000, 2.0),
            row("rare word", 1000, 3.0),
        ];
        let lines = growth(&rows);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("trace by id") && lines[0].contains("3.0 (1.5)"), "{lines:?}");
        assert!(lines[1].contains("1000:     3.0 (1.0)"), "{lines:?}");
    }

    #[test]
    fn the_baseline_grows_beside_us_and_other_answers_are_named() {
        let row = |events, median_ms, theirs| QueryRow {
            case: "tool usage".to_owned(),
            events,
            median_ms,
            baseline_median_ms: Some(theirs),
            ratio: Some(median_ms / theirs),
            bar: Some(Bar::Times(1.0)),
            is_met: Some(median_ms <= theirs),
            rows: 6,
            baseline_rows: Some(6),
            ..QueryRow::default()
        };
        let lines = growth(&[row(1000, 2.0, 4.0), row(5000, 6.0, 5.0)]);
        assert!(lines[1].starts_with("  DuckDB") && lines[1].contains("5.0 (1.2)"), "{lines:?}");
        assert!(line(&row(1000, 2.0, 4.0)).ends_with("1x met"));
        let other = QueryRow { baseline_rows: Some(7), ..row(5000, 6.0, 5.0) };
        assert!(line(&other).ends_with("1x MISSED; 6 rows, DuckDB 7"), "{}", line(&other));
    }
}
