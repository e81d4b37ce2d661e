//! `tacho bench ingest`.

use super::{Scratch, conditions};
use crate::arguments::Format;
use crate::bench::ingest::{IngestRow, Plan, ServerProcess, run};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{STRONG, styled};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

const AFTER_HELP: &str = "\
Examples:
  tacho bench ingest
  tacho bench ingest --case 8x1000 --seconds 1800 --window 60 --rate 100000
  tacho bench ingest --case 512x1000 --rate 600000 --format json
  tacho bench ingest --case 8x1000 --detect
  tacho bench ingest --postgres 'host=/var/run/postgresql dbname=bench'
  cargo xtask bench ingest --peers";

/// Events over HTTP into a server of its own, beside a bare group commit and others
///
/// The server runs with the usual settings in a folder of its own; the clients share its cores.
/// Only events that were answered with 200, and so are durable, are counted.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Ingest {
    /// Connections and events in each request
    #[arg(
        long,
        value_name = "CONNECTIONSxEVENTS,...",
        value_delimiter = ',',
        default_value = "8x1000,64x1"
    )]
    case: Vec<String>,
    /// Seconds for each case
    #[arg(long, value_name = "N", default_value_t = 20)]
    seconds: u64,
    /// Seconds for each row [default: all of a case]
    #[arg(long, value_name = "N")]
    window: Option<u64>,
    /// Events offered in a second, whatever the answers are; the time of a request that had to wait
    /// for the answer before it then counts from when it was due
    #[arg(long, value_name = "N")]
    rate: Option<u64>,
    /// Also insert the same events into this database; a connection string as `psql -d` takes it.
    /// Makes and drops a table `tacho_bench` there
    #[arg(long, value_name = "CONNECTION")]
    postgres: Option<String>,
    /// Also append the same events to the tamper-evident logs that this Python has from PyPI
    /// (pymerkle, arcaeon-audit, agent-airlock, merkle-audit); `cargo xtask bench ingest --peers`
    /// installs them
    #[arg(long, value_name = "PYTHON")]
    peers: Option<PathBuf>,
    /// The server looks for what the shipped rules find meanwhile
    #[arg(long)]
    detect: bool,
}

impl Ingest {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let cases = self.case.iter().map(|case| parse(case)).collect::<Result<_, _>>()?;
        if self.seconds == 0 || self.window == Some(0) || self.rate == Some(0) {
            return Err(Failure::usage("seconds, window and rate are numbers from 1 up"));
        }
        let plan = Plan {
            cases,
            length: Duration::from_secs(self.seconds),
            window: Duration::from_secs(self.window.unwrap_or(self.seconds)),
            rate: self.rate.map(|rate| rate as f64),
            postgres: self.postgres.clone(),
            peers: self.peers.clone(),
        };
        let scratch = Scratch::new(&context.global.data, 0)?;
        let server = ServerProcess::start(&scratch.0, self.detect).map_err(Failure::new)?;
        context.terminal.note(conditions());
        let mut out = context.terminal.people();
        if format == Format::Text {
            writeln!(out, "{}", styled(STRONG, HEADER))?;
        }
        let mut rows = Vec::new();
        run(&server, &scratch.0, &plan, &mut |row| {
            let printed = match format {
                Format::Text => writeln!(out, "{}", line(&row)),
                Format::Ndjson => {
                    writeln!(out, "{}", serde_json::to_string(&row).unwrap_or_default())
                }
                _ => Ok(()),
            };
            rows.push(row);
            printed.and_then(|()| out.flush()).map_err(|error| error.to_string())
        })
        .map_err(Failure::new)?;
        if format == Format::Json {
            writeln!(out, "{}", serde_json::to_string(&rows).unwrap_or_default())?;
        }
        Ok(Exit::Fine)
    }
}

/// Reads `8x1000`.
pub(super) fn parse(case: &str) -> Result<(usize, usize), Failure> {
    let max = event::limits::BATCH_EVENTS_MAX;
    let numbers = case.split_once('x').and_then(|(connections, batch)| {
        Some((connections.parse::<usize>().ok()?, batch.parse::<usize>().ok()?))
    });
    match numbers {
        Some((connections, batch)) if connections > 0 && (1..=max).contains(&batch) => {
            Ok((connections, batch))
        }
        _ => Err(Failure::usage(format!(
            "`{case}` is no case: write connections x events in a request, such as 8x1000, with \
             1 to {max} events"
        ))),
    }
}

const HEADER: &str = "case                  connections  batch   until   events/s  bare group commit  ratio   \
                      ack p50      p99  bare p99  CPU/event  disk/event    RSS    peak  answers";

fn line(row: &IngestRow) -> String {
    let number = |value: Option<f64>, scale: f64, decimals: usize, unit: &str| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{:.decimals$}{unit}", value / scale))
    };
    let answers: Vec<String> =
        row.answers.iter().map(|(answer, count)| format!("{answer}: {count}")).collect();
    format!(
        "{:<21} {:>11} {:>6} {:>5.0} s {:>10.0} {:>18} {:>6} {:>9} {:>8} {:>9} {:>10} {:>11} {:>6} {:>7}  {}",
        row.case,
        row.producers,
        row.batch,
        row.until_s,
        row.events_per_second,
        number(row.baseline_events_per_second, 1.0, 0, ""),
        number(row.ratio, 0.01, 0, " %"),
        number(row.ack_p50_us, 1e3, 2, " ms"),
        number(row.ack_p99_us, 1e3, 1, " ms"),
        number(row.baseline_ack_p99_us, 1e3, 1, " ms"),
        number(row.cpu_us_per_event, 1.0, 2, " us"),
        number(row.disk_bytes_per_event, 1.0, 0, " B"),
        number(row.rss_mib, 1.0, 0, " M"),
        number(row.peak_rss_mib, 1.0, 0, " M"),
        answers.join(", "),
    )
}
