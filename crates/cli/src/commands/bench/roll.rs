//! `tacho bench roll`.

use super::{Scratch, conditions};
use crate::arguments::Format;
use crate::bench::roll::{Plan, RollRow, run};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{STRONG, styled};
use clap::Args;
use seal::{Log, Options};
use std::io::Write as _;

const AFTER_HELP: &str = "\
Examples:
  tacho bench roll
  tacho bench roll --count 5000000 --format json";

/// What making segments costs a log that is never quiet, and what is left on disk
///
/// The same events go into two new logs: one makes no segments while it is written to, the other
/// does as every log does. Then each is given time to finish.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Roll {
    /// Events of each log
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    count: usize,
    /// Events in a batch
    #[arg(long, value_name = "N", default_value_t = 1000)]
    batch: usize,
    /// Threads that append, each waiting for its acknowledgement
    #[arg(long, value_name = "N", default_value_t = 32)]
    producers: usize,
}

/// The two ways, and the journal files that may wait in each.
const CASES: [(&str, Option<usize>); 2] =
    [("no segments meanwhile", Some(usize::MAX)), ("as usual", None)];

impl Roll {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let max = event::limits::BATCH_EVENTS_MAX;
        if self.count == 0 || self.producers == 0 || !(1..=max).contains(&self.batch) {
            return Err(Failure::usage(format!(
                "count and producers are numbers from 1 up, a batch has 1 to {max} events"
            )));
        }
        context.terminal.note(conditions());
        let mut out = context.terminal.people();
        if format == Format::Text {
            writeln!(out, "{}", styled(STRONG, HEADER))?;
        }
        // Both logs stay until the end: some file systems are slow for minutes after many files
        // were removed.
        let (mut rows, mut scratches) = (Vec::new(), Vec::new());
        for (case, backlog) in CASES {
            let scratch = Scratch::new(&context.global.data, scratches.len())?;
            let row = self.case(context, &scratch, case, backlog)?;
            scratches.push(scratch);
            match format {
                Format::Text => writeln!(out, "{}", line(&row))?,
                Format::Ndjson => {
                    writeln!(out, "{}", serde_json::to_string(&row).unwrap_or_default())?;
                }
                _ => {}
            }
            out.flush()?;
            rows.push(row);
        }
        if format == Format::Json {
            writeln!(out, "{}", serde_json::to_string(&rows).unwrap_or_default())?;
        }
        Ok(Exit::Fine)
    }

    /// One log, in a folder of its own.
    fn case(
        &self,
        context: &Context,
        scratch: &Scratch,
        case: &'static str,
        backlog: Option<usize>,
    ) -> Result<RollRow, Failure> {
        let (made, kek) = scratch.log()?;
        let usual = Options::system();
        let roll_backlog = backlog.unwrap_or(usual.roll_backlog);
        let log = Log::start(seal::open(&made.folder, kek, Options { roll_backlog, ..usual })?);
        let plan = Plan { count: self.count, batch: self.batch, producers: self.producers };
        let mut progress = context.terminal.progress("events");
        let row = run(case, log, &made.path, plan, &mut |done, all| progress.at(done, all));
        progress.finish();
        row.map_err(Failure::new)
    }
}

const HEADER: &str = "case                     events   events/s  waiting    settle  peak RSS  \
                      segments/event  tree/event  journal/event  all of NDJSON";

fn line(row: &RollRow) -> String {
    let each = |bytes: u64| bytes as f64 / row.events.max(1) as f64;
    format!(
        "{:<21} {:>9} {:>10.0} {:>8} {:>7.1} s {:>7.0} M {:>13.1} B {:>9.1} B {:>12.1} B {:>12.1} %",
        row.case,
        row.events,
        row.events_per_second,
        row.backlog,
        row.settle_seconds,
        row.peak_rss_mib,
        each(row.disk.segments),
        each(row.disk.tree),
        each(row.disk.journal),
        row.share * 100.0,
    )
}
