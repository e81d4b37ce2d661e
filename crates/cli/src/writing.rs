//! A log's folder opened for writing by a command: events in, one answer for each line out, in
//! order. Not here: a log that a server has (`destination.rs`, `remote/sending.rs`).
//!
//! The wiring capture -> redact -> seal stands here for captured events, and in `serve`
//! (`intake.rs`) for lines of our own, which is the path that `bench` measures.

use crate::commands::init;
use crate::context::Context;
use crate::failure::Failure;
use crate::key_source;
use crate::recording;
use crate::terminal::{DOUBTFUL, STRONG, styled};
use capture::Captured;
use event::EventError;
use keys::Kek;
use reading::{LogFolder, Memory};
use seal::{Log, NewLog, Options, Receipt, SealError, Ticket};
use serve::Refusal;
use serve::intake::{self, Intake, Origin};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use store::Reservation;

/// How often to look how far the background is.
const SETTLE_POLL: Duration = Duration::from_millis(5);

/// A log that is being written to.
pub(crate) struct Writing {
    /// The log.
    pub(crate) log: Log,
    folder: LogFolder,
    /// Whom it asked when it was opened, and tells when it is closed.
    memory: Option<Memory>,
}

/// Lines on their way into the log.
pub(crate) struct Flight {
    lines: Vec<(u64, Option<Box<EventError>>)>,
    ticket: Option<Ticket>,
}

/// What became of one line.
pub(crate) struct Answer<'a> {
    /// The line, from 1.
    pub(crate) line: u64,
    /// Where it stands, or why it was refused.
    pub(crate) result: Result<Accepted<'a>, Refusal>,
}

/// A line that is in the log.
pub(crate) struct Accepted<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) index: u64,
    /// In hex.
    pub(crate) leaf_hash: Cow<'a, str>,
    /// Whether it was there before.
    pub(crate) duplicate: bool,
    /// When its batch was sealed, Unix milliseconds; `None` when all of it was there before.
    pub(crate) recorded_ms: Option<u64>,
    /// The signed checkpoint that covers it.
    pub(crate) checkpoint: &'a str,
}

impl Writing {
    /// Opens the log that is meant, creating it when there is none. `is_long`: whether much is
    /// about to be written, so that reserving space ahead pays.
    pub(crate) fn open(context: &Context, is_long: bool) -> Result<Self, Failure> {
        let (folder, kek) = make_log(context, &context.global.log)?;
        let reservation = if is_long { Reservation::Background } else { Reservation::Off };
        let options = Options { reservation, ..Options::system() };
        let memory = context.memory.clone();
        let writer = recording::open_with(memory.as_ref(), &folder, Arc::new(kek), options)?;
        Ok(Self { log: Log::start(writer), folder, memory })
    }

    /// Redacts, encodes and submits what was captured, without waiting for it to be durable.
    pub(crate) fn submit<'a>(
        &self,
        captured: impl IntoIterator<Item = Captured<'a>>,
    ) -> Result<Flight, Failure> {
        let mut lines = Vec::new();
        let mut encoder = self.log.encoder(0);
        for Captured { line, outcome } in captured {
            let admitted = outcome.and_then(|event| encoder.admit(&event).map(|()| event));
            let refusal = match admitted {
                Ok(mut event) => {
                    encoder
                        .push(self.log.redactor().redact_in_place(&mut event))
                        .map_err(SealError::from)?;
                    None
                }
                Err(error) => Some(Box::new(error)),
            };
            lines.push((line, refusal));
        }
        let batch = encoder.finish();
        if batch.is_empty() {
            return Ok(Flight { lines, ticket: None });
        }
        let permit = self.log.admit(batch.bytes());
        let ticket = Some(self.log.submit(batch, permit)?);
        Ok(Flight { lines, ticket })
    }

    /// The same for lines of our own events; `first` is the number of the first line.
    pub(crate) fn submit_lines(&self, bytes: &[u8], first: u64) -> Result<Flight, Failure> {
        let permit = self.log.admit(bytes.len());
        let Intake { lines, batch, .. } = intake::lines(&self.log, bytes, first, &Origin::local())?;
        let ticket = match batch.is_empty() {
            true => None,
            false => Some(self.log.submit(batch, permit)?),
        };
        Ok(Flight { lines, ticket })
    }

    /// Ends writing in good order: what was written is in segments as far as its journal files have
    /// ended, since nobody may open this log for writing for long.
    pub(crate) fn close(self, context: &Context) -> Result<(), Failure> {
        settle(&self.log, context)?;
        self.log.close()?;
        recording::remember(self.memory.as_ref(), &self.folder);
        Ok(())
    }
}

/// The log of this name, made when there is none, and its key-encryption key.
pub(crate) fn make_log(context: &Context, name: &str) -> Result<(LogFolder, Kek), Failure> {
    let new = NewLog { name: name.to_owned(), origin: None, post_quantum: false };
    let made = init::make(context, &new)?;
    let folder = made.log;
    let kek = match made.kek {
        Some(new) => {
            context.terminal.note(format!(
                "Created the log {} in {}; its key-encryption key is in {}: back it up.",
                styled(STRONG, &folder.identity.name),
                folder.path.display(),
                new.place
            ));
            new.kek
        }
        None => key_source::kek_of(&context.global.key, &*folder.folder)?
            .ok_or_else(key_source::none)?,
    };
    Ok((folder, kek))
}

/// Waits for everything that a log does in the background, and shows how far that is.
pub(crate) fn settle(log: &Log, context: &Context) -> Result<(), Failure> {
    let files = log.backlog();
    let mut progress = context.terminal.progress("journal files into segments");
    let settled = std::thread::scope(|scope| {
        let settling = scope.spawn(|| log.settle());
        while !settling.is_finished() {
            std::thread::park_timeout(SETTLE_POLL);
            let left = log.backlog().min(files);
            progress.at((files - left) as u64, files as u64);
        }
        settling.join().unwrap_or(Err(SealError::Closed))
    });
    progress.finish();
    match settled {
        // Everything that was answered for is sealed all the same.
        Err(error @ SealError::Unfinished { .. }) => {
            context.terminal.note(format!("{}: {error}", styled(DOUBTFUL, "warning")));
            Ok(())
        }
        settled => Ok(settled?),
    }
}

impl Flight {
    /// Lines that never reached the log.
    pub(crate) fn refused(line: u64, error: EventError) -> Self {
        Self { lines: vec![(line, Some(Box::new(error)))], ticket: None }
    }

    /// Waits until the lines are durable, and answers for each in order.
    pub(crate) fn land(
        self,
        each: &mut dyn FnMut(Answer<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let receipt = self.ticket.map(Ticket::wait).transpose()?;
        let mut position = 0;
        for (line, error) in self.lines {
            let result = match (error, &receipt) {
                (Some(error), _) => Err((*error).into()),
                (None, Some(receipt)) => {
                    position += 1;
                    accepted(receipt, position - 1, line)?
                }
                (None, None) => return Err(SealError::Closed.into()),
            };
            each(Answer { line, result })?;
        }
        Ok(())
    }
}

/// What a receipt says about the event at a position of its batch.
fn accepted(
    receipt: &Receipt,
    position: usize,
    line: u64,
) -> Result<Result<Accepted<'_>, Refusal>, Failure> {
    let told = serve::outcome(Some(receipt), position, line).ok_or(SealError::Closed)?;
    Ok(told.map(|it| Accepted {
        event_id: it.event_id,
        index: it.index,
        leaf_hash: it.leaf_hash.into(),
        duplicate: it.duplicate,
        recorded_ms: Some(receipt.recorded_ms),
        checkpoint: &receipt.checkpoint,
    }))
}
