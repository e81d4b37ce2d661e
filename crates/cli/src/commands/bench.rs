//! `tacho bench`: how fast this machine seals events and answers questions, beside a baseline in
//! the same run.

mod events;
mod ingest;
mod query;
mod roll;
mod soak;

use super::init;
use crate::arguments::Format;
use crate::bench::{self, Plan, Row};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{DIM, STRONG, styled};
use crate::writing::settle;
use clap::{Args, Subcommand};
use keys::Kek;
use reading::{DataFolder, LogFolder, new_log};
use seal::{Log, NewLog, Options};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const AFTER_HELP: &str = "\
Examples:
  tacho bench append
  tacho bench append --batch 1000 --producers 1,32 --rounds 7 --format json
  tacho bench ingest --postgres 'host=/var/run/postgresql dbname=bench'
  tacho bench soak --minutes 30
  tacho bench roll --count 5000000
  tacho bench query --events 1000000,5000000 --duckdb python3
  tacho bench events --count 100000 > events.ndjson
  tacho bench append --keep --count 70000 --batch 1000 --producers 1";

/// Measure this machine
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Append(Append),
    Events(events::Events),
    Ingest(ingest::Ingest),
    Roll(roll::Roll),
    Soak(soak::Soak),
    Query(query::Query),
}

/// Durable, encrypted, chained and signed appends, in process
///
/// Every case runs against a bare baseline of the same bytes: parse, SHA-256, AES-256-GCM, write
/// and fdatasync, with none of the product's code. The two alternate; each figure is a median.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
struct Append {
    /// Events in a batch
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1,100,1000,10000")]
    batch: Vec<usize>,
    /// Threads that append, each waiting for its acknowledgement
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1,32")]
    producers: Vec<usize>,
    /// Events of each case [default: enough for about a second]
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Rounds of each case
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Append the events to the log itself, once, without the baseline, and leave them there
    #[arg(long)]
    keep: bool,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let append = match &self.what {
            What::Append(append) => append,
            What::Events(events) => return events.run(context),
            What::Ingest(ingest) => return ingest.run(context),
            What::Roll(roll) => return roll.run(context),
            What::Soak(soak) => return soak.run(context),
            What::Query(query) => return query.run(context),
        };
        let none = |list: &[usize]| list.is_empty() || list.contains(&0);
        if none(&append.batch) || none(&append.producers) || append.rounds == 0 {
            return Err(Failure::usage("batches, producers and rounds are numbers from 1 up"));
        }
        if let Some(batch) = append.batch.iter().find(|n| **n > event::limits::BATCH_EVENTS_MAX) {
            let max = event::limits::BATCH_EVENTS_MAX;
            return Err(Failure::usage(format!(
                "a batch of {batch} events is too large; at most {max}"
            )));
        }
        if append.keep { append.fill(context) } else { append.measure(context) }
    }
}

impl Append {
    /// Appends events and leaves them.
    fn fill(&self, context: &Context) -> Result<Exit, Failure> {
        let new = NewLog { name: context.global.log.clone(), origin: None, post_quantum: false };
        let made = init::make(context, &new)?;
        let kek = match made.kek {
            Some(new) => Arc::new(new.kek),
            None => context.kek(&made.log)?,
        };
        let log = open(&made.log, kek)?;
        let count = self.count.unwrap_or(100_000);
        let (batch, producers) = (self.batch.first().copied(), self.producers.first().copied());
        let (batch, producers) = (batch.unwrap_or(1000), producers.unwrap_or(1));
        let mut progress = context.terminal.progress("events");
        let filled =
            bench::fill(&log, count, batch, producers, &mut |done, all| progress.at(done, all))?;
        progress.finish();
        settle(&log, context)?;
        log.close()?;
        let appended = filled.events;
        context.terminal.note(format!("appended {appended} events to {}", made.log.path.display()));
        Ok(Exit::Fine)
    }

    /// Measures in a folder of its own, on the same disk as the data folder.
    fn measure(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let scratch = Scratch::new(&context.global.data, 0)?;
        let (made, kek) = scratch.log()?;
        let log = open(&made, kek)?;
        context.terminal.note(conditions());
        let plan = Plan {
            batches: self.batch.clone(),
            producers: self.producers.clone(),
            events: self.count,
            rounds: self.rounds,
        };
        let mut out = context.terminal.people();
        if format == Format::Text {
            writeln!(out, "{}", styled(STRONG, HEADER))?;
        }
        let mut failed = None;
        let rows = bench::run(&log, &made.path, &scratch.0, &plan, &mut |row| {
            let printed = match format {
                Format::Text => writeln!(out, "{}", line(row)),
                Format::Ndjson => {
                    writeln!(out, "{}", serde_json::to_string(row).unwrap_or_default())
                }
                _ => Ok(()),
            };
            failed = failed.take().or(printed.and_then(|()| out.flush()).err());
        })
        .map_err(Failure::new)?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        if format == Format::Json {
            writeln!(out, "{}", serde_json::to_string(&rows).unwrap_or_default())?;
        }
        log.close()?;
        Ok(Exit::Fine)
    }
}

fn open(log: &LogFolder, kek: Arc<Kek>) -> Result<Log, Failure> {
    Ok(Log::start(seal::open(&log.folder, kek, Options::system())?))
}

const HEADER: &str = " batch producers   events/s  baseline  ratio   ack p50     p99  base p50     p99  \
                      CPU/event  base  settle/event  disk/event   RSS";

fn line(row: &Row) -> String {
    format!(
        "{:>6} {:>9} {:>10.0} {:>9.0} {:>5.0} % {:>6.2} ms {:>4.1} ms {:>6.2} ms {:>4.1} ms {:>7.2} us {:>5.2} {:>10.2} us {:>9.0} B {:>3.0} M",
        row.batch,
        row.producers,
        row.events_per_second,
        row.baseline_events_per_second,
        row.ratio * 100.0,
        row.ack_p50_us / 1e3,
        row.ack_p99_us / 1e3,
        row.baseline_ack_p50_us / 1e3,
        row.baseline_ack_p99_us / 1e3,
        row.cpu_us_per_event,
        row.baseline_cpu_us_per_event,
        row.settle_us_per_event,
        row.disk_bytes_per_event,
        row.rss_mib,
    )
}

/// What the figures hold for: machine, version, durability.
fn conditions() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let text = format!(
        "tacho {} on {cores} cores of {}, Linux {}; acknowledged = AES-256-GCM frame written and \
         fdatasynced, tree head signed (Ed25519)",
        env!("CARGO_PKG_VERSION"),
        model.map_or("an unknown processor", |(_, model)| model),
        read("/proc/sys/kernel/osrelease").trim(),
    );
    styled(DIM, text)
}

/// A folder that goes when the run ends.
struct Scratch(PathBuf);

impl Scratch {
    /// The folder `number` of this run.
    fn new(data: &Path, number: usize) -> Result<Self, Failure> {
        let parent = data.parent().filter(|parent| !parent.as_os_str().is_empty());
        let path = parent
            .unwrap_or(Path::new("."))
            .join(format!(".tacho-bench-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(Failure::io("create", &path))?;
        Ok(Self(path))
    }

    /// A new log in it, and its key.
    fn log(&self) -> Result<(LogFolder, Arc<Kek>), Failure> {
        let secret = keys::SecretKey::new([7; 32]);
        let kek = Arc::new(Kek::from_secret(secret, keys::KekOrigin::Environment));
        let new = NewLog { name: "bench".to_owned(), origin: None, post_quantum: false };
        let made = new_log::create(&DataFolder::new(&self.0), &new, &kek)?;
        let made = made.ok_or_else(|| {
            Failure::new("another run has just made the same folder; run it again")
        })?;
        Ok((made, kek))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
