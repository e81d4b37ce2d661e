//! A log that any number of threads append to: what waits where, and how much of it.
//!
//! The committer (`committer.rs`) takes whatever waits, seals it as one group and acknowledges it;
//! while it syncs, the next group gathers. The publisher writes tiles and checkpoints behind it.
//! Bounded everywhere: a producer that is faster than the disk waits.

use crate::admission::{Admission, Permit};
use crate::agents::InForce;
use crate::batch::{Batch, Encoder, Fingerprints, Salts};
use crate::committer::{Committer, Message, Request};
use crate::error::SealError;
use crate::identity::Identity;
use crate::receipt::Receipt;
use crate::settled::Settled;
use crate::writer::{Options, Writer};
use event::{AgentKeys, Event, Kind};
use keys::EntropyError;
use redact::{Redacted, Redactor};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Batches waiting for the committer at most.
const QUEUE_BATCHES_MAX: usize = 1024;
/// A log open for writing, shared by any number of threads.
pub struct Log {
    inbox: SyncSender<Message>,
    committer: Option<JoinHandle<()>>,
    admission: Arc<Admission>,
    identity: Identity,
    fingerprints: Fingerprints,
    backlog: Arc<AtomicUsize>,
    redactor: Arc<Redactor>,
    in_force: InForce,
    options: Options,
}

/// A batch on its way; [`Ticket::wait`] gives its acknowledgement.
pub struct Ticket(Receiver<Result<Receipt, SealError>>);

impl Ticket {
    /// Waits until the batch is durable, or refused.
    ///
    /// # Errors
    /// [`SealError::Poisoned`] or [`SealError::Closed`]: nothing was acknowledged; send it again
    /// later.
    pub fn wait(self) -> Result<Receipt, SealError> {
        self.0.recv().unwrap_or(Err(SealError::Closed))
    }
}

/// Told once what became of a batch, on the thread that made it durable: it must not wait.
pub type WhenDone = Box<dyn FnOnce(Result<Receipt, SealError>) + Send>;

/// Why a batch was not taken just now; nothing of it was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// As many batches wait as may.
    #[error("too many batches wait for the log; send it again in a moment")]
    Busy,
    /// The log was closed.
    #[error("the log is closed; open it again to append")]
    Closed,
}

impl Log {
    /// Starts the threads of a writer.
    #[must_use]
    pub fn start(writer: Writer) -> Self {
        let (inbox, messages) = sync_channel(QUEUE_BATCHES_MAX);
        let (identity, fingerprints) = (writer.identity().clone(), writer.fingerprints().clone());
        let (redactor, options) = (Arc::clone(writer.redactor()), writer.options.clone());
        let in_force = writer.in_force.clone();
        let backlog = Arc::new(AtomicUsize::new(writer.holdings.closed.len()));
        let counted = Arc::clone(&backlog);
        let committer = std::thread::Builder::new()
            .name("tacho-commit".to_owned())
            .spawn(move || Committer::new(writer, counted).run(&messages))
            .ok();
        let admission = Arc::default();
        Self {
            inbox,
            committer,
            admission,
            identity,
            fingerprints,
            backlog,
            redactor,
            in_force,
            options,
        }
    }

    /// The log's public description.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The log's redactor.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Waits for room for about `bytes` of events, behind those who wait already. Take it before
    /// reading them into memory.
    #[must_use]
    pub fn admit(&self, bytes: usize) -> Permit {
        self.admission.admit(bytes)
    }

    /// Room for about `bytes` of events, unless one would have to wait for it.
    #[must_use]
    pub fn try_admit(&self, bytes: usize) -> Option<Permit> {
        self.admission.try_admit(bytes)
    }

    /// True when nobody but the caller, who holds one permit, has a batch under way: then a second
    /// core is idle, and a large batch may be encoded in halves.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.admission.holders() <= 1
    }

    /// Encodes redacted events on the calling thread.
    ///
    /// # Errors
    /// [`SealError::Entropy`].
    pub fn encode<'a>(
        &self,
        events: impl IntoIterator<Item = Redacted<Event<'a>>>,
    ) -> Result<Batch, SealError> {
        let now_ms = self.options.clock.now_ms();
        Ok(Batch::encode(events, &self.fingerprints, &*self.options.entropy, now_ms)?)
    }

    /// One record of the log's own life.
    pub(crate) fn encode_life(&self, event: Redacted<Event<'_>>) -> Result<Batch, EntropyError> {
        let mut batch = Batch::default();
        let mut salts = Salts::new(&*self.options.entropy);
        let now_ms = self.options.clock.now_ms();
        batch.push(event.borrowed(), Kind::Log, &self.fingerprints, &mut salts, now_ms)?;
        Ok(batch)
    }

    /// The keys of agents that are in force.
    #[must_use]
    pub fn agent_keys(&self) -> Arc<AgentKeys> {
        self.in_force.get()
    }

    /// An encoder for this log, with room for about `bytes` of events.
    #[must_use]
    pub fn encoder(&self, bytes: usize) -> Encoder<'_> {
        let now_ms = self.options.clock.now_ms();
        Encoder::new(&self.fingerprints, &*self.options.entropy, now_ms, bytes)
            .held_to(self.in_force.get())
    }

    /// Hands a batch to the committer without waiting for its acknowledgement.
    ///
    /// # Errors
    /// [`SealError::Closed`].
    pub fn submit(&self, batch: Batch, mut permit: Permit) -> Result<Ticket, SealError> {
        permit.keep(batch.bytes());
        let (outbox, ticket) = sync_channel(1);
        // A receiver that is gone no longer wants to know: its batch is sealed all the same.
        let reply: WhenDone = Box::new(move |outcome| drop(outbox.send(outcome)));
        let request = Request { batch, reply, permit };
        self.inbox.send(Message::Append(request)).map_err(|_| SealError::Closed)?;
        Ok(Ticket(ticket))
    }

    /// Hands a batch to the committer without ever waiting, for callers whose threads must not.
    ///
    /// # Errors
    /// [`NotTaken`]: then `done` is dropped uncalled, as it is when the committer dies.
    pub fn try_submit(&self, batch: Batch, permit: Permit, done: WhenDone) -> Result<(), NotTaken> {
        let request = Request { batch, reply: done, permit };
        self.inbox.try_send(Message::Append(request)).map_err(|error| match error {
            TrySendError::Full(_) => NotTaken::Busy,
            TrySendError::Disconnected(_) => NotTaken::Closed,
        })
    }

    /// Lends the writer between two groups, for acts that are no appends (holds, erasures, keys).
    /// Appends wait meanwhile, and before it for what is under way in the background; after
    /// [`Log::settle`] that is nothing.
    ///
    /// # Errors
    /// [`SealError::Closed`].
    pub fn with_writer<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, SealError> {
        let (reply, answer) = sync_channel(1);
        let act = Box::new(move |writer: &mut Writer| drop(reply.send(act(writer))));
        self.inbox.send(Message::Do(act)).map_err(|_| SealError::Closed)?;
        answer.recv().map_err(|_| SealError::Closed)
    }

    /// What lies in segments now, to be looked at while the log goes on.
    ///
    /// # Errors
    /// [`SealError::Closed`].
    pub fn settled(&self) -> Result<Settled, SealError> {
        self.briefly(|writer| writer.settled())
    }

    /// Moves every record that is there now into segments, beside the appends; see
    /// [`Writer::settle_tail`].
    ///
    /// # Errors
    /// [`SealError::Poisoned`], [`SealError::Closed`].
    pub fn settle_tail(&self) -> Result<(), SealError> {
        self.briefly(Writer::end_tail)??;
        self.settle()
    }

    fn briefly<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, SealError> {
        let (reply, answer) = sync_channel(1);
        let act = Box::new(move |writer: &mut Writer| drop(reply.send(act(writer))));
        self.inbox.send(Message::Brief(act)).map_err(|_| SealError::Closed)?;
        answer.recv().map_err(|_| SealError::Closed)
    }

    /// Seals a batch and waits until it is durable.
    ///
    /// # Errors
    /// As [`Ticket::wait`].
    pub fn append(&self, batch: Batch) -> Result<Receipt, SealError> {
        let permit = self.admit(batch.bytes());
        self.submit(batch, permit)?.wait()
    }

    /// Publishes the current head now and returns its signed checkpoint.
    ///
    /// # Errors
    /// [`SealError::Poisoned`], [`SealError::Closed`].
    pub fn publish(&self) -> Result<Arc<str>, SealError> {
        let (reply, answer) = sync_channel(1);
        self.inbox.send(Message::Publish(reply)).map_err(|_| SealError::Closed)?;
        answer.recv().unwrap_or(Err(SealError::Closed))
    }

    /// How many ended journal files wait to become segments.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.backlog.load(Ordering::Relaxed)
    }

    /// Waits until all that is done beside the appends is done: ended journal files are segments,
    /// small segments are one, removals are carried out, and a published checkpoint covers it. What
    /// failed is said in the log, and tried again at the next start.
    ///
    /// # Errors
    /// [`SealError::Poisoned`], [`SealError::Closed`].
    pub fn settle(&self) -> Result<(), SealError> {
        let (reply, answer) = sync_channel(1);
        self.inbox.send(Message::Settle(reply)).map_err(|_| SealError::Closed)?;
        answer.recv().unwrap_or(Err(SealError::Closed))
    }

    /// Seals what waits, says in the log that it stops, publishes and closes.
    ///
    /// # Errors
    /// [`SealError::Poisoned`] when something failed before; storage.
    pub fn close(mut self) -> Result<(), SealError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), SealError> {
        let Some(committer) = self.committer.take() else { return Ok(()) };
        let (reply, answer) = sync_channel(1);
        let asked = self.inbox.send(Message::Close(reply));
        let outcome = match asked {
            Ok(()) => answer.recv().unwrap_or(Err(SealError::Closed)),
            Err(_) => Err(SealError::Closed),
        };
        let _ = committer.join();
        outcome
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
