//! From the queue into the spool: capture, redact, and onto the disk, in the order of the numbers.
//!
//! One thread, which never touches Python and never waits for the server. What the spool does not
//! take is lost; who waits for it is told, and the spool is told as soon as it takes something.

use crate::delivery::event_of;
use crate::fault::Fault;
use crate::losses::{self, Loss};
use crate::outbox::Outbox;
use crate::queue::{Item, TAKE_MAX};
use event::Event;
use link::spool::{Numbered, SpoolError, Writer};
use std::sync::Arc;
use std::time::Duration;

/// How often a spool that took nothing is tried again, so that it learns what was lost.
const RETRY: Duration = Duration::from_millis(250);
/// While the server takes events a full spool has room in a moment: so often that is waited for.
const ROOM_ATTEMPTS: u32 = 40;

/// What empties the queue.
pub(crate) struct Spooling {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) writer: Writer,
    /// Numbers that are not in the spool, which does not know of them yet.
    pub(crate) owed: Vec<Loss>,
}

impl Spooling {
    /// Until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let outbox = Arc::clone(&self.outbox);
        loop {
            let patience = if self.owed.is_empty() { TAKE_MAX } else { RETRY };
            match outbox.queue.take_within(patience) {
                Some(group) => self.store(&group),
                None => break,
            }
        }
        if !self.owed.is_empty() {
            self.store(&[]);
        }
        // What was appended is there all the same.
        let _ = self.writer.close();
        outbox.store_no_more();
    }

    fn store(&mut self, group: &[Item]) {
        let (mut entries, mut lost) = (Vec::with_capacity(group.len()), Vec::new());
        for item in group {
            let Outbox { producer, redactor, signers, .. } = &*self.outbox;
            // Whether the log takes it is its server's to say.
            let admit = |_: &Event<'_>| Ok(());
            let event = event_of(item, producer);
            match event.and_then(|event| signers.redact(redactor, event, &admit)) {
                Ok(redacted) => entries.push(Numbered::event(item.seq, redacted)),
                Err(error) => {
                    let fault = Fault::from(error);
                    let reason = format!("refused: {}", fault.code());
                    self.outbox.queue.give_up(item, fault, true);
                    losses::add(&mut lost, item.seq, &reason);
                }
            }
        }
        let told = |loss: &Loss| Numbered::lost(loss.first, loss.last, loss.reason.clone());
        entries.extend(self.owed.iter().chain(&lost).map(told));
        entries.sort_by_key(|entry| entry.first);
        let Some(last) = entries.last().map(|entry| entry.last) else { return };
        match self.append(&entries) {
            Ok(()) => {
                self.owed.clear();
                self.outbox.store(group, last);
            }
            Err(error) => self.lose(group, &lost, &error),
        }
    }

    /// Appends, and waits for room as long as there is hope that some comes.
    fn append(&mut self, entries: &[Numbered]) -> Result<(), SpoolError> {
        let mut attempts = 0;
        loop {
            let error = match self.writer.append(entries) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            attempts += 1;
            match &error {
                SpoolError::Full { .. }
                    if self.outbox.trouble().is_none() && attempts < ROOM_ATTEMPTS =>
                {
                    self.outbox.rest(RETRY);
                }
                // After a failed write another file may do.
                SpoolError::Store(_) if attempts == 1 => {}
                _ => return Err(error),
            }
        }
    }

    /// Gives up what no disk took.
    fn lose(&mut self, group: &[Item], refused: &[Loss], error: &SpoolError) {
        let reason = format!("the spool took nothing: {error}");
        for item in group {
            let refusal = refused.iter().find(|it| (it.first..=it.last).contains(&item.seq));
            if let Some(refusal) = refusal {
                losses::add(&mut self.owed, item.seq, &refusal.reason);
                continue;
            }
            self.outbox.queue.give_up(item, Fault::unavailable(&reason), false);
            losses::add(&mut self.owed, item.seq, &reason);
        }
    }
}
