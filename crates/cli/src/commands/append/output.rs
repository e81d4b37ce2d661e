//! The answers of `tacho append`: a contract (interfaces.md, "Machine output").

use crate::context::Context;
use crate::destination::Flight;
use crate::failure::Failure;
use crate::terminal::Progress;
use crate::writing::{Accepted, Answer};
use capture::Captured;
use event::Timestamp;
use serde::Serialize;
use serve::Refusal;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Stdout, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError};

/// How many lines came to what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) sealed: u64,
    pub(super) duplicates: u64,
    pub(super) refused: u64,
}

impl Tally {
    /// For people.
    pub(super) fn sentence(self, log: &str) -> String {
        let Self { sealed, duplicates, refused } = self;
        let events = if sealed == 1 { "event" } else { "events" };
        let mut sentence = format!("Sealed {sealed} {events} in the log {log}");
        if duplicates > 0 {
            sentence.push_str(&format!("; {duplicates} were there already"));
        }
        if refused > 0 {
            sentence.push_str(&format!("; {refused} refused, see their lines"));
        }
        sentence
    }
}

#[derive(Serialize)]
struct Line<'a> {
    line: u64,
    #[serde(flatten)]
    result: LineResult<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum LineResult<'a> {
    Accepted { event_id: &'a str, index: u64, leaf_hash: &'a str, duplicate: bool },
    Refused { error: LineError<'a> },
}

#[derive(Serialize)]
struct LineError<'a> {
    code: &'a str,
    field: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct ReceiptLine<'a> {
    origin: &'a str,
    line: u64,
    event_id: &'a str,
    index: u64,
    leaf_hash: &'a str,
    duplicate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
    checkpoint: &'a str,
}

/// Where answers and receipts go.
pub(super) struct Output {
    answers: BufWriter<Stdout>,
    receipts: Option<BufWriter<File>>,
    tally: Tally,
    /// Bytes of the input that were answered for, and a bar for whoever knows how many there are.
    done: u64,
    bar: Option<(Progress, u64)>,
}

impl Output {
    /// Answers to standard output, receipts behind those that the file holds already.
    pub(super) fn open(
        context: &Context,
        receipts: Option<&Path>,
        bytes: Option<u64>,
    ) -> Result<Self, Failure> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.map(BufWriter::new).map_err(Failure::io("write the receipts to", path))
        };
        let receipts = receipts.map(open).transpose()?;
        let bar = bytes.map(|bytes| (context.terminal.progress("bytes"), bytes));
        Ok(Self { receipts, bar, ..Self::without_log(context) })
    }

    /// Answers only.
    pub(super) fn without_log(_: &Context) -> Self {
        let answers = BufWriter::with_capacity(1 << 16, std::io::stdout());
        Self { answers, receipts: None, tally: Tally::default(), done: 0, bar: None }
    }

    /// Answers for everything that lands, in order, and lets nothing wait while nothing more lands.
    pub(super) fn answer(&mut self, landing: &Receiver<Flight>) -> Result<Tally, Failure> {
        while let Ok(flight) = landing.recv() {
            self.land(flight)?;
            let mut next = landing.try_recv();
            while let Ok(flight) = next {
                self.land(flight)?;
                next = landing.try_recv();
            }
            self.flush()?;
            if next.err() == Some(TryRecvError::Disconnected) {
                break;
            }
        }
        if let Some((bar, _)) = self.bar.take() {
            bar.finish();
        }
        Ok(self.tally)
    }

    /// Answers for one flight.
    pub(super) fn answer_one(&mut self, flight: Flight) -> Result<Tally, Failure> {
        self.land(flight)?;
        self.flush()?;
        Ok(self.tally)
    }

    /// Answers for an all-or-nothing batch of which nothing was sealed.
    pub(super) fn refuse_all(&mut self, captured: Vec<Captured<'_>>) -> Result<Tally, Failure> {
        for Captured { line, outcome } in captured {
            let refusal = match outcome {
                Err(error) => error.into(),
                Ok(_) => Refusal {
                    code: "not_sealed".into(),
                    field: String::new(),
                    reason: "another line of this all-or-nothing batch was refused".into(),
                },
            };
            self.write(Answer { line, result: Err(refusal) })?;
        }
        self.flush()?;
        Ok(self.tally)
    }

    fn land(&mut self, flight: Flight) -> Result<(), Failure> {
        self.done += flight.bytes();
        flight.land(&mut |answer| self.write(answer))?;
        if let Some((bar, total)) = &mut self.bar {
            bar.at(self.done, *total);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if let Some(receipts) = &mut self.receipts {
            receipts.flush().map_err(receipts_failed)?;
        }
        Ok(self.answers.flush()?)
    }

    fn write(&mut self, answer: Answer<'_>) -> Result<(), Failure> {
        let result = match &answer.result {
            Ok(accepted) => {
                let count = match accepted.duplicate {
                    true => &mut self.tally.duplicates,
                    false => &mut self.tally.sealed,
                };
                *count += 1;
                self.write_receipt(answer.line, accepted)?;
                LineResult::Accepted {
                    event_id: accepted.event_id,
                    index: accepted.index,
                    leaf_hash: &accepted.leaf_hash,
                    duplicate: accepted.duplicate,
                }
            }
            Err(Refusal { code, field, reason }) => {
                self.tally.refused += 1;
                LineResult::Refused { error: LineError { code, field, reason } }
            }
        };
        let line = Line { line: answer.line, result };
        self.answers.write_all(&query::escape::to_json(&line))?;
        Ok(self.answers.write_all(b"\n")?)
    }

    fn write_receipt(&mut self, line: u64, accepted: &Accepted<'_>) -> Result<(), Failure> {
        let Some(receipts) = &mut self.receipts else { return Ok(()) };
        let recorded = |ms: u64| Timestamp::from_milliseconds(ms).to_string();
        let receipt = ReceiptLine {
            // A checkpoint begins with the origin of its log.
            origin: accepted.checkpoint.lines().next().unwrap_or_default(),
            line,
            event_id: accepted.event_id,
            index: accepted.index,
            leaf_hash: &accepted.leaf_hash,
            duplicate: accepted.duplicate,
            recorded_at: accepted.recorded_ms.filter(|_| !accepted.duplicate).map(recorded),
            checkpoint: accepted.checkpoint,
        };
        receipts
            .write_all(&query::escape::to_json(&receipt))
            .and_then(|()| receipts.write_all(b"\n"))
            .map_err(receipts_failed)
    }
}

fn receipts_failed(error: std::io::Error) -> Failure {
    Failure::new(format!(
        "cannot write the receipts: {error}; the events up to here are sealed, append again to get their \
         receipts"
    ))
}
