//! `tacho bench query`: how fast logs of given sizes answer, beside DuckDB if there is one.

use super::{AFTER_HELP, Scratch, conditions, open};
use crate::answer;
use crate::arguments::Format;
use crate::bench;
use crate::bench::query::QueryRow;
use crate::context::Context;
use crate::data_folder::{DataFolder, LogFolder};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::reading::{self, Reading};
use crate::terminal::{DIM, STRONG, styled};
use clap::Args;
use keys::Kek;
use seal::{NewLog, Options};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Questions to a generated log, warm, in process
///
/// Makes a log, rolls it into segments, and asks. With --duckdb the same events are handed to
/// DuckDB as plain Parquet, and it is asked the same in the same run.
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
        let scratch = Scratch::new(&context.global.data)?;
        let secret = keys::SecretKey::new([7; 32]);
        let kek = Arc::new(Kek::from_secret(secret, keys::KekOrigin::Environment));
        let new = NewLog { name: "bench".to_owned(), origin: None, post_quantum: false };
        let made = DataFolder::new(&scratch.0).create(&new, &kek)?;
        let made = made.ok_or_else(|| {
            Failure::new("another run has just made the same folder; run it again")
        })?;
        fill(&made, &kek, events)?;
        context.terminal.note(styled(DIM, format!("{events} events are sealed and rolled")));
        let reading = Reading::open(made, &kek)?;
        let as_of = answer::as_of(&reading);
        let library = reading::library(&reading, as_of)?
            .ok_or_else(|| Failure::new("the log that was just made is not whole"))?;
        let python = self.duckdb.as_deref();
        bench::query::run(&library, &scratch.0, self.runs, python, row_done).map_err(Failure::new)
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
                      DuckDB median     min      max  ratio   RSS";

fn line(row: &QueryRow) -> String {
    let known = |number: Option<f64>| number.map_or("-".to_owned(), |n| format!("{n:.1}"));
    format!(
        "{:>9}  {:<28} {:>7.1} ms {:>7.1} {:>8.1} {:>8.1} {:>14} {:>7} {:>8} {:>6} {:>3.0} M",
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
    )
}
