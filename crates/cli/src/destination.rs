//! Where a command's events go: into a log's folder, or to the server that has the log. What
//! becomes of them is told the same way.
//!
//! Not here: how a folder is written to (`writing.rs`), how events get to a server
//! (`remote/sending.rs`).

use crate::context::Context;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::remote::sending::{Manner, Sending};
use crate::writing::{self, Accepted, Answer, Writing};
use capture::Captured;
use event::EventError;
use link::{Landed, LandedError, LandedLine, write_line};
use serve::Refusal;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Bytes of one request, about: a server takes 32 MiB, and one event has at most one.
const PART_BYTES: usize = 8 << 20;

/// How a command wants to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Whether much is about to be written.
    pub(crate) is_long: bool,
    /// How a server is to take it.
    pub(crate) manner: Manner,
    /// How long a server may be away.
    pub(crate) patience: Duration,
}

/// A log that events go to.
pub(crate) enum Destination {
    /// In a folder that nobody else writes to.
    Folder(Box<Writing>),
    /// At a server; with the path that takes events.
    Server(Sending, String),
}

/// Lines on their way.
pub(crate) struct Flight {
    kind: Kind,
    bytes: u64,
}

enum Kind {
    Folder(writing::Flight),
    Server {
        /// What was sent.
        parts: Vec<Part>,
        /// Lines that were not.
        refused: Vec<(u64, Box<EventError>)>,
    },
}

/// One request.
struct Part {
    answer: Receiver<Result<Landed, Failure>>,
    /// The line in the input of each line that was sent.
    lines: Lines,
    /// So many of them hold something, and are answered for.
    count: usize,
}

/// Which line of the input a line of a batch was.
enum Lines {
    /// They follow each other from this one on.
    From(u64),
    /// Each has its own number.
    Each(Vec<u64>),
}

impl Lines {
    /// The line of the input that was the line `number` of the request, from 1.
    fn in_input(&self, number: u64) -> u64 {
        match self {
            Self::From(first) => first.saturating_add(number).saturating_sub(1),
            Self::Each(numbers) => {
                let at = usize::try_from(number).unwrap_or(0).wrapping_sub(1);
                numbers.get(at).copied().unwrap_or(number)
            }
        }
    }
}

impl Destination {
    /// The server that is named, or that holds the folder; otherwise the folder, where the log is
    /// made when there is none.
    pub(crate) fn open(context: &Context, wish: Wish) -> Result<Self, Failure> {
        if let Some(remote) = Remote::in_charge(context, "the events go to")? {
            return Self::server(context, remote, wish);
        }
        Writing::open(context, wish.is_long).map(|writing| Self::Folder(Box::new(writing)))
    }

    fn server(context: &Context, remote: Remote, wish: Wish) -> Result<Self, Failure> {
        let path = remote.in_log("/events");
        let sending = Sending::start(remote, context.terminal, wish.patience, wish.manner)?;
        Ok(Self::Server(sending, path))
    }

    /// Sends lines of our own events on their way; `first` is the number of the first line.
    pub(crate) fn submit_lines(&mut self, bytes: &[u8], first: u64) -> Result<Flight, Failure> {
        let kind = match self {
            Self::Folder(writing) => Kind::Folder(writing.submit_lines(bytes, first)?),
            Self::Server(sending, path) => {
                let answer = sending.send(path, bytes)?;
                let holds = |line: &&[u8]| !line.trim_ascii().is_empty();
                let count = bytes.split(|byte| *byte == b'\n').filter(holds).count();
                let part = Part { answer, lines: Lines::From(first), count };
                Kind::Server { parts: vec![part], refused: Vec::new() }
            }
        };
        Ok(Flight { kind, bytes: bytes.len() as u64 })
    }

    /// The same for what was captured from another program's log.
    pub(crate) fn submit(&mut self, captured: Vec<Captured<'_>>) -> Result<Flight, Failure> {
        let (sending, path) = match self {
            Self::Folder(writing) => {
                let kind = Kind::Folder(writing.submit(captured)?);
                return Ok(Flight { kind, bytes: 0 });
            }
            Self::Server(sending, path) => (sending, path),
        };
        let (mut bytes, mut numbers, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let mut parts = Vec::new();
        let mut send = |bytes: &mut Vec<u8>, numbers: &mut Vec<u64>| {
            let answer = sending.send(path, bytes)?;
            bytes.clear();
            let count = numbers.len();
            parts.push(Part { answer, lines: Lines::Each(std::mem::take(numbers)), count });
            Ok::<_, Failure>(())
        };
        for Captured { line, outcome } in captured {
            match outcome {
                Ok(event) => {
                    write_line(event, &mut bytes);
                    numbers.push(line);
                    if bytes.len() >= PART_BYTES {
                        send(&mut bytes, &mut numbers)?;
                    }
                }
                Err(error) => refused.push((line, Box::new(error))),
            }
        }
        if !numbers.is_empty() {
            send(&mut bytes, &mut numbers)?;
        }
        Ok(Flight { kind: Kind::Server { parts, refused }, bytes: 0 })
    }

    /// Ends in good order.
    pub(crate) fn close(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Folder(writing) => writing.close(context),
            Self::Server(..) => Ok(()),
        }
    }
}

impl Flight {
    /// A line that never left.
    pub(crate) fn refused(line: u64, error: EventError) -> Self {
        Self { kind: Kind::Folder(writing::Flight::refused(line, error)), bytes: 0 }
    }

    /// Bytes of the input.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Waits until the lines are durable, and answers for each in order.
    pub(crate) fn land(
        self,
        each: &mut dyn FnMut(Answer<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (parts, refused) = match self.kind {
            Kind::Folder(flight) => return flight.land(each),
            Kind::Server { parts, refused } => (parts, refused),
        };
        let mut refused = refused.into_iter().peekable();
        for Part { answer, lines, count } in parts {
            let landed = answer.recv().unwrap_or_else(|_| {
                Err(Failure::new("nothing is sent after what failed before; append again"))
            })?;
            let checkpoint = landed.checkpoint.as_deref().unwrap_or_default();
            let in_order = landed.results.is_sorted_by(|one, next| one.line < next.line);
            if landed.results.len() < count || !in_order {
                return Err(misunderstood());
            }
            for result in &landed.results {
                let line = lines.in_input(result.line);
                while let Some((line, error)) = refused.next_if(|(number, _)| *number < line) {
                    each(Answer { line, result: Err((*error).into()) })?;
                }
                let result = match &result.error {
                    Some(error) => Err(refusal(error)),
                    None => Ok(accepted(result, landed.recorded_ms, checkpoint)?),
                };
                each(Answer { line, result })?;
            }
        }
        for (line, error) in refused {
            each(Answer { line, result: Err((*error).into()) })?;
        }
        Ok(())
    }
}

fn refusal(error: &LandedError) -> Refusal {
    let LandedError { code, field, reason } = error.clone();
    Refusal { code: code.into(), field, reason: reason.into() }
}

fn misunderstood() -> Failure {
    Failure::new(
        "the server did not say where each event stands; it may be of another version: compare \
         `tacho --version` on both sides, and append again: what is there already is not added twice",
    )
}

fn accepted<'a>(
    line: &'a LandedLine,
    recorded_ms: Option<u64>,
    checkpoint: &'a str,
) -> Result<Accepted<'a>, Failure> {
    // A receipt without a checkpoint would prove nothing.
    let index = line.index.filter(|_| !checkpoint.is_empty()).ok_or_else(misunderstood)?;
    Ok(Accepted {
        event_id: &line.event_id,
        index,
        leaf_hash: line.leaf_hash.as_str().into(),
        duplicate: line.duplicate,
        recorded_ms,
        checkpoint,
    })
}
