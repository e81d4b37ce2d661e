//! From the queue into the log: capture, redact, seal, and an answer for each event, in the order
//! of their numbers.
//!
//! One thread, which never touches Python. While the log is down, events that somebody waits for
//! fail at once; the others stay here until it is up again, and when it is, the log says what was
//! lost.

use crate::fault::Fault;
use crate::keeper::Keeper;
use crate::losses::{self, Loss};
use crate::queue::{Item, Queue};
use crate::receipt::Sealed;
use crate::signing::Signers;
use capture::Format;
use event::{Assurance, Event, EventError, Json, Producer, Timestamp};
use seal::{Outcome, Receipt, SealError};
use std::sync::Arc;
use std::time::Duration;

/// What every event says of its maker.
const SDK: &str = concat!("tachograph-python/", env!("CARGO_PKG_VERSION"));
/// A record of AG2 as it was appended, for those who read it back.
pub(crate) const AG2_RECORD: &str = "ag2.record";
/// How long to wait before a log that is down is tried again.
const RETRY: Duration = Duration::from_millis(250);
/// How often a log that is down is tried before it is closed all the same.
const CLOSING_ATTEMPTS: u32 = 4;

/// What empties the queue.
pub(crate) struct Delivery {
    pub(crate) queue: Arc<Queue>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) producer: Arc<str>,
    /// The keys of agents.
    pub(crate) signers: Signers,
    /// Numbers that are not in the log, and of which it does not say so yet.
    pub(crate) losses: Vec<Loss>,
    /// The size of the log when something was sealed last.
    pub(crate) size: u64,
}

impl Delivery {
    /// Until the queue is closed and empty; then closes the log.
    pub(crate) fn run(mut self) -> Result<(), SealError> {
        while let Some(group) = self.queue.take() {
            self.deliver(group);
        }
        let is_settled = self.losses.is_empty();
        let closed = self.keeper.close();
        self.queue.finish();
        if let Some(mark) = self.queue.mark.as_ref().filter(|_| is_settled) {
            mark.remove();
        }
        closed
    }

    fn deliver(&mut self, mut group: Vec<Item>) {
        let (mut attempts, mut sealed) = (0, 0);
        while !group.is_empty() || !self.losses.is_empty() {
            let error = match self.seal(&group) {
                Ok(count) => {
                    group.clear();
                    sealed += count;
                    attempts = 0;
                    continue;
                }
                Err(error) => error,
            };
            self.keeper.failed();
            attempts += 1;
            if attempts == 1 {
                continue;
            }
            // Whoever waits may act, or not; the log must not hold them.
            let (mut awaited, others): (Vec<_>, Vec<_>) =
                group.into_iter().partition(|item| item.slot.is_some());
            awaited.extend(self.queue.take_awaited());
            group = others;
            let reason = format!("the log took nothing: {error}");
            for item in awaited {
                self.queue.give_up(&item, error.clone().into(), false);
                losses::add(&mut self.losses, item.seq, &reason);
            }
            if group.is_empty() && attempts > 2 {
                break;
            }
            if self.queue.rest(RETRY) && attempts > CLOSING_ATTEMPTS {
                for item in group {
                    self.queue.give_up(&item, error.clone().into(), false);
                    losses::add(&mut self.losses, item.seq, &reason);
                }
                return;
            }
        }
        // Until the log says so itself, what is lost is still to be found by its number.
        let size = self.losses.is_empty().then_some(self.size);
        self.queue.settle(sealed, size);
    }

    /// Seals a group, and what is to be said of losses; how many events that were. After an error
    /// nothing was answered for.
    fn seal(&mut self, group: &[Item]) -> Result<u64, SealError> {
        let log = self.keeper.writer()?;
        let bytes = group.iter().map(|item| item.bytes.len()).sum();
        let mut encoder = log.encoder(bytes);
        let (mut taken, mut refused) = (Vec::with_capacity(group.len()), Vec::new());
        for item in group {
            let event = event_of(item, &self.producer);
            let admit = |event: &Event<'_>| encoder.admit(event);
            match event.and_then(|it| self.signers.redact(log.redactor(), it, &admit)) {
                Ok(redacted) => {
                    encoder.push(redacted.borrowed())?;
                    taken.push(item);
                }
                Err(error) => refused.push((item, error)),
            }
        }
        for loss in &self.losses {
            encoder.push(log.redactor().redact(losses::event(&self.producer, loss)).borrowed())?;
        }
        let batch = encoder.finish();
        let receipt = if batch.is_empty() { None } else { Some(log.append(batch)?) };
        self.losses.clear();
        for (item, error) in refused {
            self.refuse(item, error.into());
        }
        Ok(receipt.map_or(0, |receipt| self.answer(&taken, &receipt)))
    }

    fn refuse(&mut self, item: &Item, fault: Fault) {
        let reason = format!("refused: {}", fault.code());
        self.queue.give_up(item, fault, true);
        losses::add(&mut self.losses, item.seq, &reason);
    }

    /// Tells whoever waits, and counts what is in the log.
    fn answer(&mut self, taken: &[&Item], receipt: &Receipt) -> u64 {
        let mut sealed = 0;
        for (item, outcome) in taken.iter().zip(&receipt.outcomes) {
            let (index, leaf_hash, is_duplicate) = match *outcome {
                Outcome::Sealed { index, leaf_hash } => (index, leaf_hash, false),
                Outcome::Duplicate { index, leaf_hash } => (index, leaf_hash, true),
                Outcome::Conflict { index } => {
                    let reason = format!(
                        "another event was sealed under this id at index {index}; give a new event \
                         an id of its own"
                    );
                    self.refuse(item, Fault::refused("id_conflict", "event_id", &reason));
                    continue;
                }
            };
            sealed += 1;
            self.size = self.size.max(index + 1);
            if let Some(slot) = &item.slot {
                let (recorded_ms, checkpoint) =
                    (Some(receipt.recorded_ms), receipt.checkpoint.clone());
                slot.set(Ok(Sealed { index, leaf_hash, recorded_ms, checkpoint, is_duplicate }));
            }
        }
        sealed
    }
}

/// What was recorded, as an event with everything that this process knows of it.
pub(crate) fn event_of<'a>(item: &'a Item, producer: &'a str) -> Result<Event<'a>, EventError> {
    let assurance = match item.slot {
        Some(_) => Assurance::Acknowledged,
        None => Assurance::Observed,
    };
    let mut outcome = None;
    // Only whole requests of OTLP are refused as such.
    let _ = capture::capture(item.format, assurance, &item.bytes, &mut |captured| {
        outcome.get_or_insert(captured.outcome);
    });
    let mut event = outcome.unwrap_or_else(|| {
        Err(EventError::new(event::Code::NotJson, "", "there is nothing in it"))
    })?;
    if item.format == Format::Ag2Audit
        && let Ok(record) = serde_json::from_slice(&item.bytes)
    {
        event.content.set_attribute(AG2_RECORD, Json::from_value(&record));
    }
    event.event_id = Some((&*item.event_id).into());
    if event.timestamp.is_none() {
        let (seconds, rest) = (item.at_ns / 1_000_000_000, item.at_ns % 1_000_000_000);
        event.timestamp = Timestamp::parse_seconds(&format!("{seconds}.{rest:09}"));
    }
    event.producer =
        Some(Producer { id: Some(producer.into()), seq: Some(item.seq), sdk: Some(SDK.into()) });
    Ok(event)
}
