//! `tacho append`: events in, one JSON object a line; one answer a line out.

mod chunks;
mod output;

use crate::context::Context;
use crate::destination::{Destination, Flight, Wish};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::sending::Manner;
use capture::Format;
use chunks::{Chunk, Chunks};
use clap::Args;
use event::{Assurance, Code, EventError, limits};
use output::{Output, Tally};
use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

const AFTER_HELP: &str = "\
Every line of the input is one event; its answer is one line on standard output, in the same order:
  {\"line\":1,\"event_id\":\"...\",\"index\":41,\"leaf_hash\":\"<hex>\",\"duplicate\":false}
  {\"line\":2,\"error\":{\"code\":\"missing_field\",\"field\":\"event_type\",\"reason\":\"...\"}}
An answer with an index means that the event is durable. Sending the same lines again is safe: an event
with an event_id is sealed once. Exit code 1 when any line was refused; the others are sealed.

With --url, and by itself when a server holds the data folder, the events go to the server. While it takes
none (busy, full, away, being started again) they are sent again until it does; a batch that got there
before the connection broke is found there and not sealed a second time (\"duplicate\":true).

Examples:
  tacho append events.ndjson
  echo '{\"event_type\":\"agent.tool_call\",\"tool\":\"lookup\"}' | tacho append
  my-agent | tacho append - --receipts receipts.ndjson > answers.ndjson
  my-agent | tacho append --url https://log.example.org --token-file producer.token";

/// Lines on their way at the same time, in chunks: while one is synced, the next ones are read.
const CHUNKS_IN_FLIGHT: usize = 8;
/// A file from this size on is worth reserving space for, in bytes.
const LONG_INPUT_BYTES: u64 = 1 << 20;

/// Seal events, one JSON object a line
///
/// Creates the log when there is none yet.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// File to read; `-` or nothing for standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Append the full receipts, with the signed checkpoint, to this file: whoever keeps it can
    /// show a rollback (`tacho verify --since`)
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// Seal all lines or none: at most 10,000 events and 32 MiB
    #[arg(long)]
    atomic: bool,
    /// Most events in one batch
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch: u32,
    /// With a server: how long a batch is sent again before it is given up, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    patience: u64,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (input, bytes) = self.input(context)?;
        if self.atomic {
            return self.append_all_or_none(context, input);
        }
        let is_long = bytes.is_none_or(|bytes| bytes >= LONG_INPUT_BYTES);
        let mut destination = Destination::open(context, self.wish(is_long))?;
        let mut output = Output::open(context, self.receipts.as_deref(), bytes)?;
        let tally = self.append(&mut destination, input, &mut output);
        // Whatever went wrong, what was acknowledged is closed in good order.
        let closed = destination.close(context);
        let tally = tally?;
        closed?;
        Ok(report(context, tally))
    }

    /// The input, and how long it is if that is known.
    fn input(&self, context: &Context) -> Result<(Box<dyn Read + Send>, Option<u64>), Failure> {
        match self.file.as_deref() {
            Some(path) if path != Path::new("-") => {
                let file = File::open(path).map_err(Failure::io("read", path))?;
                let metadata = file.metadata().map_err(Failure::io("read", path))?;
                if metadata.is_dir() {
                    let sentence = format!("{} is a folder; name a file", path.display());
                    return Err(Failure::new(sentence));
                }
                Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
            }
            _ => {
                if std::io::stdin().is_terminal() {
                    context.terminal.note("Reading events from the terminal; end with Ctrl-D.");
                }
                Ok((Box::new(std::io::stdin()), None))
            }
        }
    }

    fn wish(&self, is_long: bool) -> Wish {
        let manner = Manner { atomic: self.atomic, imported: false };
        Wish { is_long, manner, patience: Duration::from_secs(self.patience) }
    }

    /// Reads, seals and answers at the same time.
    fn append(
        &self,
        destination: &mut Destination,
        input: Box<dyn Read + Send>,
        output: &mut Output,
    ) -> Result<Tally, Failure> {
        let mut chunks = Chunks::start(input, self.batch as usize);
        let (flights, landing) = sync_channel::<Flight>(CHUNKS_IN_FLIGHT);
        std::thread::scope(|scope| {
            let answering = scope.spawn(move || output.answer(&landing));
            let read = loop {
                match chunks.next() {
                    Ok(None) => break Ok(()),
                    Err(failure) => break Err(failure),
                    Ok(Some(chunk)) => match submit(destination, &chunk) {
                        Err(failure) => break Err(failure),
                        Ok(flight) => {
                            if flights.send(flight).is_err() {
                                // Nobody answers any more: why is the answer's to say.
                                break Ok(());
                            }
                        }
                    },
                }
            };
            drop(flights);
            let answered = answering.join().unwrap_or_else(|_| {
                Err(Failure::new("answering ended in a fault of this program; append again"))
            })?;
            read.map(|()| answered)
        })
    }

    /// Checks every line before the first is sealed, in one batch.
    fn append_all_or_none(
        &self,
        context: &Context,
        input: Box<dyn Read + Send>,
    ) -> Result<Exit, Failure> {
        let mut bytes = Vec::new();
        let most = limits::BATCH_BYTES_MAX as u64 + 1;
        let read = input.take(most).read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(format!("cannot read the events: {error}")))?;
        let mut captured = Vec::new();
        capture::capture(Format::Native, Assurance::Acknowledged, &bytes, &mut |it| {
            captured.push(it)
        })?;
        if bytes.len() as u64 >= most || captured.len() > limits::BATCH_EVENTS_MAX {
            return Err(Failure::new(
                "--atomic seals at most 10,000 events and 32 MiB at once; nothing was sealed: split the \
                 input, or leave --atomic out",
            ));
        }
        if captured.iter().any(|it| it.outcome.is_err()) {
            let mut output = Output::without_log(context);
            let tally = output.refuse_all(captured)?;
            return Ok(report(context, tally));
        }
        drop(captured);
        let mut destination = Destination::open(context, self.wish(false))?;
        let mut output = Output::open(context, self.receipts.as_deref(), None)?;
        let flight = destination.submit_lines(&bytes, 1);
        let tally = flight.and_then(|flight| output.answer_one(flight));
        let closed = destination.close(context);
        let tally = tally?;
        closed?;
        Ok(report(context, tally))
    }
}

/// Sends a chunk on its way.
fn submit(destination: &mut Destination, chunk: &Chunk) -> Result<Flight, Failure> {
    match chunk {
        Chunk::Lines { first, bytes } => destination.submit_lines(bytes, *first),
        Chunk::TooLong { line } => {
            let reason = format!(
                "the line is longer than the {} bytes that an event may have; store the large value \
                 elsewhere and log a reference",
                limits::EVENT_BYTES_MAX
            );
            Ok(Flight::refused(*line, EventError::new(Code::TooLarge, "", reason)))
        }
    }
}

/// Says how it went.
fn report(context: &Context, tally: Tally) -> Exit {
    context.terminal.note(tally.sentence(&context.global.log));
    if tally.refused > 0 { Exit::Failed } else { Exit::Fine }
}
