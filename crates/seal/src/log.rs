//! Threads around the writer: many producers, one committer, one publisher.
//!
//! The committer takes whatever waits, seals it as one group and acknowledges it; while it syncs,
//! the next group gathers. The publisher writes tiles and checkpoints behind it. Bounded
//! everywhere: a producer that is faster than the disk waits.

use crate::aside::{self, Aside};
use crate::background::Background;
use crate::batch::{Batch, Encoder, Fingerprints};
use crate::error::SealError;
use crate::identity::Identity;
use crate::publish::{Head, Publisher};
use crate::receipt::Receipt;
use crate::sequence::PublicFile;
use crate::writer::{GROUP_BYTES_LIMIT, Options, Writer};
use event::Event;
use redact::{Redacted, Redactor};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::StoreError;

/// A group stops growing at this many bytes of records: a frame of 4 MiB is written at full disk
/// speed, and one of 10 times that would only make everybody wait longer.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// Batches waiting for the committer at most.
const QUEUE_BATCHES_MAX: usize = 1024;
/// Bytes of batches being encoded or waiting at most; see [`Log::admit`].
const IN_FLIGHT_BYTES_MAX: usize = 40 << 20;
/// From this many bytes on a few batches suffice: two being encoded, a group being synced and the
/// next one. More would only push each other out of the processor's caches.
const IN_FLIGHT_BYTES_USUAL: usize = 16 << 20;
/// Batches in flight at least, however large, while they fit.
const IN_FLIGHT_BATCHES_MIN: usize = 4;
/// One part in this many of the time may go into publishing.
const PUBLICATION_SHARE: u32 = 50;
/// A checkpoint is published at least this often while there is something to publish.
const PUBLICATION_INTERVAL_MAX: Duration = Duration::from_secs(10);
/// Full tiles and bundles gathered before they go to the publisher, and at most while it is busy.
const FILES_EAGER: usize = 64;
const FILES_MAX: usize = 256;

/// A log open for writing, shared by any number of threads.
pub struct Log {
    inbox: SyncSender<Message>,
    committer: Option<JoinHandle<()>>,
    admission: Arc<Admission>,
    identity: Identity,
    fingerprints: Fingerprints,
    backlog: Arc<AtomicUsize>,
    redactor: Arc<Redactor>,
    options: Options,
}

enum Message {
    Append(Request),
    Publish(SyncSender<Result<Arc<str>, SealError>>),
    Settle(SyncSender<Result<(), SealError>>),
    Close(SyncSender<Result<(), SealError>>),
}

struct Request {
    batch: Batch,
    reply: SyncSender<Result<Receipt, SealError>>,
    _permit: Permit,
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

/// Room for a batch in memory; given back when it is dropped.
pub struct Permit {
    admission: Arc<Admission>,
    bytes: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut used = self.admission.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used -= self.bytes;
        self.admission.holders.fetch_sub(1, Ordering::Relaxed);
        self.admission.freed.notify_all();
    }
}

#[derive(Default)]
struct Admission {
    used: Mutex<usize>,
    freed: Condvar,
    holders: AtomicUsize,
}

impl Log {
    /// Starts the threads of a writer.
    #[must_use]
    pub fn start(writer: Writer) -> Self {
        let (inbox, messages) = sync_channel(QUEUE_BATCHES_MAX);
        let (identity, fingerprints) = (writer.identity().clone(), writer.fingerprints().clone());
        let (redactor, options) = (Arc::clone(writer.redactor()), writer.options.clone());
        let backlog = Arc::new(AtomicUsize::new(writer.holdings.closed.len()));
        let counted = Arc::clone(&backlog);
        let committer = std::thread::Builder::new()
            .name("tacho-commit".to_owned())
            .spawn(move || Committer::new(writer, counted).run(&messages))
            .ok();
        let admission = Arc::default();
        Self { inbox, committer, admission, identity, fingerprints, backlog, redactor, options }
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

    /// Waits for room for about `bytes` of events. Take it before reading them into memory.
    #[must_use]
    pub fn admit(&self, bytes: usize) -> Permit {
        let bytes = bytes.min(IN_FLIGHT_BYTES_MAX);
        let mut used = self.admission.used.lock().unwrap_or_else(PoisonError::into_inner);
        let holders = || self.admission.holders.load(Ordering::Relaxed);
        while *used + bytes > IN_FLIGHT_BYTES_MAX
            || *used + bytes > IN_FLIGHT_BYTES_USUAL && holders() >= IN_FLIGHT_BATCHES_MIN
        {
            used = self.admission.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used += bytes;
        self.admission.holders.fetch_add(1, Ordering::Relaxed);
        Permit { admission: Arc::clone(&self.admission), bytes }
    }

    /// True when nobody but the caller, who holds one permit, has a batch under way: then a second
    /// core is idle, and a large batch may be encoded in halves.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.admission.holders.load(Ordering::Relaxed) <= 1
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

    /// An encoder for this log, with room for about `bytes` of events.
    #[must_use]
    pub fn encoder(&self, bytes: usize) -> Encoder<'_> {
        let now_ms = self.options.clock.now_ms();
        Encoder::new(&self.fingerprints, &*self.options.entropy, now_ms, bytes)
    }

    /// Hands a batch to the committer without waiting for its acknowledgement.
    ///
    /// # Errors
    /// [`SealError::Closed`].
    pub fn submit(&self, batch: Batch, permit: Permit) -> Result<Ticket, SealError> {
        let (reply, ticket) = sync_channel(1);
        let request = Request { batch, reply, _permit: permit };
        self.inbox.send(Message::Append(request)).map_err(|_| SealError::Closed)?;
        Ok(Ticket(ticket))
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

/// The one thread that seals.
struct Committer {
    writer: Writer,
    works: Option<SyncSender<Work>>,
    published: Receiver<(u64, Result<(), StoreError>)>,
    publisher: Option<JoinHandle<Publisher>>,
    publishing: bool,
    last_publication: Instant,
    /// How long the last publication took.
    publication_took: Duration,
    last_commit: Instant,
    last_append: Instant,
    aside: Aside,
    /// So many of the full files at hand stand in the journal, and may be published.
    durable_files: usize,
    background: Background,
    /// Ended journal files, for whoever asks.
    backlog: Arc<AtomicUsize>,
}

/// For the publisher: full files, and a head to publish after them.
struct Work {
    files: Vec<PublicFile>,
    head: Option<(u64, Head)>,
}

impl Committer {
    fn new(mut writer: Writer, backlog: Arc<AtomicUsize>) -> Self {
        let (works, inbox) = sync_channel::<Work>(2);
        let (outbox, published) = sync_channel(16);
        let publisher = writer.publisher.take().and_then(|publisher| {
            let name = "tacho-publish".to_owned();
            let run = move || run_publisher(publisher, &inbox, &outbox);
            std::thread::Builder::new().name(name).spawn(run).ok()
        });
        let now = Instant::now();
        Self {
            writer,
            works: Some(works),
            published,
            publisher,
            publishing: false,
            last_publication: now,
            publication_took: Duration::ZERO,
            last_commit: now,
            last_append: now,
            aside: Aside::start(),
            durable_files: 0,
            background: Background::default(),
            backlog,
        }
    }

    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            let message = inbox.recv_timeout(self.patience());
            self.note_publications();
            if self.background.is_done() {
                self.join();
                self.background.note(&mut self.writer);
            }
            match message {
                Ok(Message::Append(request)) => {
                    if let Some(message) = self.commit(request, inbox)
                        && self.answer(message)
                    {
                        return;
                    }
                }
                Ok(message) => {
                    if self.answer(message) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.join();
                    self.heartbeat_if_due();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = self.close();
                    return;
                }
            }
            self.hand_over();
            self.see_to_background();
        }
    }

    /// Commits a request with everything else that waits; returns the first message of another
    /// kind.
    fn commit(&mut self, first: Request, inbox: &Receiver<Message>) -> Option<Message> {
        let mut bytes = first.batch.bytes();
        let mut requests = vec![first];
        let mut other = None;
        while bytes < GROUP_BYTES_MAX && other.is_none() {
            match inbox.try_recv() {
                Ok(Message::Append(request)) => {
                    bytes += request.batch.bytes();
                    requests.push(request);
                }
                Ok(message) => other = Some(message),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let (batches, replies): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|r| (r.batch, (r.reply, r._permit))).unzip();
        self.seal(batches, bytes, replies);
        self.last_commit = Instant::now();
        self.last_append = self.last_commit;
        other
    }

    /// Seals a group: here, or, when it is large, ordered here and written aside.
    fn seal(&mut self, batches: Vec<Batch>, bytes: usize, replies: Vec<aside::Reply>) {
        let is_small = bytes <= self.writer.options.aside_bytes && !self.aside.is_busy();
        if is_small || bytes > GROUP_BYTES_LIMIT {
            self.join();
            match self.writer.commit(batches) {
                Ok(receipts) => aside::give(replies, receipts),
                Err(error) => aside::refuse(replies, &error),
            }
            return self.join();
        }
        if self.aside.is_busy() && self.writer.file_is_due() {
            self.join();
        }
        let files = self.writer.sequence.full.len();
        // What is prepared on top of a group that then fails is refused like that group.
        let prepared = match &self.writer.poisoned {
            Some(reason) => Err(SealError::Poisoned { reason: reason.clone() }),
            None => self.writer.prepare(batches),
        };
        self.aside.join(&mut self.writer);
        self.durable_files = files;
        match (prepared, &self.writer.poisoned) {
            (Err(error), poisoned) => {
                if poisoned.is_none() {
                    self.writer.poison(error.to_string());
                }
                aside::refuse(replies, &error);
            }
            (Ok(_), Some(reason)) => {
                aside::refuse(replies, &SealError::Poisoned { reason: reason.clone() });
            }
            (Ok(prepared), None) if prepared.count == 0 => aside::give(replies, prepared.receipts),
            (Ok(prepared), None) => self.aside.append(&mut self.writer, prepared, replies),
        }
    }

    /// Waits for the group that is being written; whatever needs the journal, or what was sealed,
    /// comes after this.
    fn join(&mut self) {
        self.aside.join(&mut self.writer);
        self.durable_files = self.writer.sequence.full.len();
    }

    /// Answers a message that is no append; true when the thread must end.
    fn answer(&mut self, message: Message) -> bool {
        self.join();
        match message {
            Message::Append(request) => {
                let _ = request.reply.send(Err(SealError::Closed));
                false
            }
            Message::Publish(reply) => {
                let _ = reply.send(self.publish_now());
                false
            }
            Message::Settle(reply) => {
                self.background.wait(reply);
                false
            }
            Message::Close(reply) => {
                let _ = reply.send(self.close());
                true
            }
        }
    }

    /// How long to wait for a message before something else is due.
    fn patience(&self) -> Duration {
        let poisoned = self.writer.poisoned.is_some();
        let behind = !poisoned && self.writer.published() != self.writer.size();
        let publish = self.publication_interval();
        let heartbeat = match self.writer.options.heartbeat_ms {
            0 => Duration::from_secs(3600),
            milliseconds => Duration::from_millis(milliseconds),
        };
        let until = |last: Instant, interval: Duration| interval.saturating_sub(last.elapsed());
        let next = until(self.last_commit, heartbeat);
        let next = if behind { next.min(until(self.last_publication, publish)) } else { next };
        let next = self.background.patience(&self.writer).map_or(next, |own| next.min(own));
        next.max(Duration::from_millis(1))
    }

    /// Says what is left to say of removals, and begins what is to be done beside the writer.
    fn see_to_background(&mut self) {
        if self.writer.owes_report() {
            self.join();
            // A failure poisons the writer, and the next append says so.
            let _ = self.writer.report_removals();
        }
        self.background.begin_if_due(&self.writer, self.last_append.elapsed());
        self.background.answer(&self.writer);
        self.backlog.store(self.writer.holdings.closed.len(), Ordering::Relaxed);
    }

    fn heartbeat_if_due(&mut self) {
        let interval = self.writer.options.heartbeat_ms;
        if interval > 0 && self.last_commit.elapsed() >= Duration::from_millis(interval) {
            // A failure poisons the writer, and the next append says so.
            let _ = self.writer.heartbeat();
            self.last_commit = Instant::now();
        }
    }

    /// Gives full files to the publisher, and a head when one is due.
    fn hand_over(&mut self) {
        let interval = self.publication_interval();
        let wanted = self.background.wants_publication(&self.writer);
        let due = !self.publishing && (wanted || self.last_publication.elapsed() >= interval);
        if due && self.writer.published() != self.writer.size() {
            self.send_head(false);
        } else if self.durable_files >= FILES_EAGER {
            let wait = self.durable_files >= FILES_MAX;
            let files = self.writer.sequence.full.drain(..self.durable_files).collect();
            self.durable_files = 0;
            self.send(Work { files, head: None }, wait);
        }
    }

    /// Publishing syncs hundreds of files when the log is busy, and the journal waits meanwhile: it
    /// may take a fiftieth of the time, so a busy log publishes less often, but every few seconds.
    fn publication_interval(&self) -> Duration {
        let wanted = Duration::from_millis(self.writer.options.publish_ms);
        wanted.max((self.publication_took * PUBLICATION_SHARE).min(PUBLICATION_INTERVAL_MAX))
    }

    fn send_head(&mut self, wait: bool) {
        self.join();
        let size = self.writer.size();
        self.durable_files = 0;
        match self.writer.publication() {
            Ok(Some((files, head))) => {
                self.last_publication = Instant::now();
                self.publishing = true;
                self.send(Work { files, head: Some((size, head)) }, wait);
            }
            Ok(None) => {}
            Err(error) => self.writer.poison(error.to_string()),
        }
    }

    fn send(&mut self, work: Work, wait: bool) {
        let Some(works) = &self.works else { return };
        let outcome = if wait {
            works.send(work).map_err(|_| None)
        } else {
            works.try_send(work).map_err(|error| match error {
                TrySendError::Full(work) => Some(work),
                TrySendError::Disconnected(_) => None,
            })
        };
        match outcome {
            Ok(()) => {}
            // The publisher is behind: the files wait here, and a head is made again next time.
            Err(Some(work)) => {
                self.publishing &= work.head.is_none();
                self.durable_files += work.files.len();
                self.writer.sequence.full.splice(..0, work.files);
            }
            Err(None) => self.writer.poison("the publisher stopped".to_owned()),
        }
    }

    fn note_publications(&mut self) {
        while let Ok((size, outcome)) = self.published.try_recv() {
            self.note(size, outcome);
        }
    }

    fn note(&mut self, size: u64, outcome: Result<(), StoreError>) {
        self.publishing = false;
        self.publication_took = self.last_publication.elapsed();
        // A failure poisons the writer, and the next append says so.
        let _ = self.writer.published_up_to(size, outcome);
    }

    fn publish_now(&mut self) -> Result<Arc<str>, SealError> {
        while self.writer.published() < self.writer.size() && self.writer.poisoned.is_none() {
            if !self.publishing {
                self.send_head(true);
            }
            match self.published.recv() {
                Ok((size, outcome)) => self.note(size, outcome),
                Err(_) => self.writer.poison("the publisher stopped".to_owned()),
            }
        }
        match &self.writer.poisoned {
            Some(reason) => Err(SealError::Poisoned { reason: reason.clone() }),
            None => Ok(self.writer.checkpoint()),
        }
    }

    /// Takes the publisher back from its thread and closes the writer.
    fn close(&mut self) -> Result<(), SealError> {
        self.join();
        self.background.finish(&mut self.writer);
        self.works = None;
        while let Ok((size, outcome)) = self.published.recv() {
            self.note(size, outcome);
        }
        self.writer.publisher = self.publisher.take().and_then(|thread| thread.join().ok());
        self.writer.finish()
    }
}

fn run_publisher(
    mut publisher: Publisher,
    inbox: &Receiver<Work>,
    outbox: &SyncSender<(u64, Result<(), StoreError>)>,
) -> Publisher {
    for work in inbox {
        let mut outcome = publisher.write_full(work.files);
        let size = work.head.as_ref().map_or(0, |(size, _)| *size);
        if let (Ok(()), Some((_, head))) = (&outcome, work.head) {
            outcome = publisher.publish(head);
        } else if outcome.is_ok() {
            continue;
        }
        let failed = outcome.is_err();
        if outbox.send((size, outcome)).is_err() || failed {
            break;
        }
    }
    publisher
}
