//! The one thread that seals: it takes whatever waits as one group, and sees to publishing and to
//! the background beside it.

use crate::admission::Permit;
use crate::aside::{self, Aside};
use crate::background::Background;
use crate::batch::Batch;
use crate::error::SealError;
use crate::log::WhenDone;
use crate::publish::{Head, Publisher};
use crate::sequence::PublicFile;
use crate::writer::{GROUP_BYTES_LIMIT, Writer};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::StoreError;

/// A group stops growing at this many bytes of records: a frame of 4 MiB is written at full disk
/// speed, and one of 10 times that would only make everybody wait longer.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// One part in this many of the time may go into publishing.
const PUBLICATION_SHARE: u32 = 50;
/// A checkpoint is published at least this often while there is something to publish.
const PUBLICATION_INTERVAL_MAX: Duration = Duration::from_secs(10);
/// Full tiles and bundles gathered before they go to the publisher, and at most while it is busy.
const FILES_EAGER: usize = 64;
const FILES_MAX: usize = 256;

/// What the committer is asked.
pub(crate) enum Message {
    Append(Request),
    Publish(SyncSender<Result<Arc<str>, SealError>>),
    Settle(SyncSender<Result<(), SealError>>),
    /// Something that takes the writer itself, between two groups.
    Do(Box<dyn FnOnce(&mut Writer) + Send>),
    /// The same for what publishes nothing and touches no segment: nothing is waited for.
    Brief(Box<dyn FnOnce(&mut Writer) + Send>),
    Close(SyncSender<Result<(), SealError>>),
}

/// A batch to be sealed.
pub(crate) struct Request {
    pub(crate) batch: Batch,
    pub(crate) reply: WhenDone,
    pub(crate) permit: Permit,
}

/// The thread and what it knows.
pub(crate) struct Committer {
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
    pub(crate) fn new(writer: Writer, backlog: Arc<AtomicUsize>) -> Self {
        let now = Instant::now();
        let mut committer = Self {
            writer,
            works: None,
            published: sync_channel(0).1,
            publisher: None,
            publishing: false,
            last_publication: now,
            publication_took: Duration::ZERO,
            last_commit: now,
            last_append: now,
            aside: Aside::start(),
            durable_files: 0,
            background: Background::default(),
            backlog,
        };
        committer.start_publisher();
        committer
    }

    /// Gives the publisher a thread of its own.
    fn start_publisher(&mut self) {
        let (works, inbox) = sync_channel::<Work>(2);
        let (outbox, published) = sync_channel(16);
        self.publisher = self.writer.publisher.take().and_then(|publisher| {
            let name = "tacho-publish".to_owned();
            let run = move || run_publisher(publisher, &inbox, &outbox);
            std::thread::Builder::new().name(name).spawn(run).ok()
        });
        (self.works, self.published) = (Some(works), published);
    }

    /// Takes the publisher back when it has done what it was given.
    fn stop_publisher(&mut self) {
        self.works = None;
        while let Ok((size, outcome)) = self.published.recv() {
            self.note(size, outcome);
        }
        self.publishing = false;
        self.writer.publisher = self.publisher.take().and_then(|thread| thread.join().ok());
    }

    pub(crate) fn run(mut self, inbox: &Receiver<Message>) {
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
        let keys = self.writer.agent_keys();
        let (outdated, requests): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(|request| request.batch.is_outdated(keys));
        for Request { reply, .. } in outdated {
            reply(Err(SealError::AgentKeysChanged));
        }
        if requests.is_empty() {
            return other;
        }
        let (batches, replies): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|r| (r.batch, (r.reply, r.permit))).unzip();
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
                (request.reply)(Err(SealError::Closed));
                false
            }
            Message::Publish(reply) => {
                let _ = reply.send(self.publish_now());
                false
            }
            Message::Do(act) => {
                self.lend(act);
                false
            }
            Message::Brief(act) => {
                act(&mut self.writer);
                self.durable_files = self.writer.sequence.full.len();
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

    /// Lends the writer as it is without threads: with its publisher, and with nothing under way in
    /// the background that would change files which the act reads or replaces.
    fn lend(&mut self, act: Box<dyn FnOnce(&mut Writer) + Send>) {
        self.background.complete(&mut self.writer);
        self.stop_publisher();
        act(&mut self.writer);
        self.durable_files = self.writer.sequence.full.len();
        self.start_publisher();
        self.last_commit = Instant::now();
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
            let files = self.writer.sequence.hand_over(self.durable_files);
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
                self.writer.sequence.take_back(work.files);
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
        self.stop_publisher();
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
