//! What the committer has done beside it: rolling, compaction, removals.
//!
//! None of it is urgent, and all of it costs processor time and disk that appends want. So it waits
//! for a quiet moment, unless so much has gathered that reading the log would suffer.

use crate::build::Built;
use crate::error::SealError;
use crate::interruptible::GivenUp;
use crate::writer::Writer;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SendError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

/// How often a roll is asked whether it is done.
const POLL: Duration = Duration::from_millis(50);
/// A log to which nothing was appended for this long has time for it.
const QUIET: Duration = Duration::from_millis(500);
/// What waits is begun after this long, however busy the log is.
const DELAY_MAX: Duration = Duration::from_secs(60);
/// With this many times the backlog that is allowed, it no longer waits for time that nobody else
/// wants: there would be no end to what gathers.
const BACKLOG_URGENT: usize = 4;

/// What is to be done beside the writer.
type Job = Box<dyn FnOnce() -> Result<Vec<Built>, SealError> + Send>;

/// The same as a thread takes it.
type Work = Box<dyn FnOnce() + Send>;

/// A thread that does what it is given, one thing after the other, from the first on. It is kept:
/// the little that each roll leaves in memory for good then lies among what earlier ones left, and
/// not in pages of a thread that is gone, which nobody uses again.
struct Hand {
    /// What the thread does first.
    begins: fn(),
    work: Option<SyncSender<Work>>,
}

impl Hand {
    fn new(begins: fn()) -> Self {
        Self { begins, work: None }
    }

    /// Whether there is a thread that will do it. The one before must be done.
    fn give(&mut self, work: Work) -> bool {
        let work = match &self.work {
            None => work,
            Some(sender) => match sender.send(work) {
                Ok(()) => return true,
                // A thread that panicked is replaced.
                Err(SendError(work)) => work,
            },
        };
        let (sender, inbox) = sync_channel::<Work>(1);
        let begins = self.begins;
        let run = move || {
            begins();
            inbox.into_iter().for_each(|work| work());
        };
        let thread = std::thread::Builder::new().name("tacho-roll".to_owned()).spawn(run);
        self.work = thread.is_ok().then_some(sender);
        self.work.as_ref().is_some_and(|sender| sender.send(work).is_ok())
    }
}

/// One thing at a time, and who waits for all of it.
pub(crate) struct Background {
    /// Takes only time that nobody else wants.
    patient: Hand,
    /// For what waits no longer.
    urgent: Hand,
    running: Option<Receiver<Result<Vec<Built>, SealError>>>,
    /// What it gave, until it is announced.
    outcome: Option<Result<Vec<Built>, SealError>>,
    /// The state in which there was nothing to do, or it failed.
    nothing_to_do: Option<State>,
    /// The failure, when it is because of one that nothing is to be done.
    failure: Option<SealError>,
    /// Since when something waits to be begun.
    waits_since: Option<Instant>,
    /// Those who want to know when nothing is left.
    waiting: Vec<SyncSender<Result<(), SealError>>>,
    /// Tells what is running that nobody wants it any more.
    given_up: GivenUp,
}

/// Closed journal files, announced segments, the last removal: what there is to do changes only
/// with these.
type State = (usize, usize, Option<u64>);

impl Default for Background {
    fn default() -> Self {
        Self {
            patient: Hand::new(crate::priority::yield_to_others),
            urgent: Hand::new(|| ()),
            running: None,
            outcome: None,
            nothing_to_do: None,
            failure: None,
            waits_since: None,
            waiting: Vec::new(),
            given_up: GivenUp::default(),
        }
    }
}

impl Background {
    fn state(writer: &Writer) -> State {
        let catalogue = &writer.holdings.catalogue;
        let closed = writer.holdings.closed.len();
        (closed, catalogue.announced_count(), catalogue.last_removal())
    }

    /// Begins what is to be done next, in a thread of its own, when its time has come. `idle`: how
    /// long nothing was appended.
    pub(crate) fn begin_if_due(&mut self, writer: &Writer, idle: Duration) {
        self.give_up_if_poisoned(writer);
        let state = Self::state(writer);
        // What failed is tried again when another file has ended, or at the next start.
        if self.running.is_some() || self.nothing_to_do == Some(state) {
            return;
        }
        let backlog = writer.holdings.closed.len();
        let allowed = writer.options.roll_backlog;
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        let due = !self.waiting.is_empty()
            || backlog > allowed
            || idle >= QUIET
            || since.elapsed() >= DELAY_MAX;
        if !due {
            return;
        }
        self.waits_since = None;
        self.failure = None;
        let job = match next_job(writer, &self.given_up) {
            Ok(Some(job)) => job,
            Ok(None) => {
                self.nothing_to_do = Some(state);
                return;
            }
            Err(error) => {
                self.nothing_to_do = Some(state);
                self.failure = Some(unfinished(&error));
                return;
            }
        };
        let may_wait = self.waiting.is_empty() && backlog <= allowed.saturating_mul(BACKLOG_URGENT);
        let hand = if may_wait { &mut self.patient } else { &mut self.urgent };
        let (outbox, inbox) = sync_channel(1);
        // Nobody waits for it when the log was closed in a hurry.
        let work = move || {
            let _ = outbox.send(job());
        };
        if hand.give(Box::new(work)) {
            self.running = Some(inbox);
        }
    }

    /// How long the committer may sleep before it asks again.
    pub(crate) fn patience(&self, writer: &Writer) -> Option<Duration> {
        let waits = self.nothing_to_do != Some(Self::state(writer));
        match (self.running.is_some() || !self.waiting.is_empty(), waits) {
            (true, _) => Some(POLL),
            (false, true) => Some(QUIET),
            (false, false) => None,
        }
    }

    /// Whether what was running is done, and wants to be announced.
    pub(crate) fn is_done(&mut self) -> bool {
        if let Some(outcome) = self.running.as_ref().map(Receiver::try_recv) {
            match outcome {
                Ok(outcome) => self.outcome = Some(outcome),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.outcome = Some(Err(SealError::Closed)),
            }
        }
        self.outcome.is_some()
    }

    /// Announces what was done, when it is done.
    pub(crate) fn note(&mut self, writer: &mut Writer) {
        if let Some(outcome) = self.outcome.take() {
            self.end(writer, outcome);
        }
    }

    /// Waits for what is running, and announces it.
    pub(crate) fn complete(&mut self, writer: &mut Writer) {
        if let Some(outcome) = self.running.take().map(|running| running.recv()) {
            self.end(writer, outcome.unwrap_or(Err(SealError::Closed)));
        }
    }

    /// The same before the log is closed: it is nearly done; given up, it would have to be done
    /// again.
    pub(crate) fn finish(&mut self, writer: &mut Writer) {
        self.give_up_if_poisoned(writer);
        self.complete(writer);
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(Err(SealError::Closed));
        }
    }

    /// After a failure it could not be announced any more, and the log waits to be opened again.
    fn give_up_if_poisoned(&self, writer: &Writer) {
        if writer.poisoned.is_some() {
            self.given_up.give_up();
        }
    }

    fn end(&mut self, writer: &mut Writer, outcome: Result<Vec<Built>, SealError>) {
        self.running = None;
        match outcome {
            // A failure poisons the writer, and the next append says so.
            Ok(segments) => {
                let _ = writer.announce(segments);
            }
            // The journal file stays, and nothing is lost: the log says so, and goes on.
            Err(error) => {
                let _ = writer.note_failed_roll(&error);
                self.nothing_to_do = Some(Self::state(writer));
                self.failure = Some(unfinished(&error));
            }
        }
    }

    /// Answers `reply` when nothing is left to do; until then it is done at once, also what failed
    /// before.
    pub(crate) fn wait(&mut self, reply: SyncSender<Result<(), SealError>>) {
        if self.failure.take().is_some() {
            self.nothing_to_do = None;
        }
        self.waiting.push(reply);
    }

    /// Whether somebody waits for what was announced to be published.
    pub(crate) fn wants_publication(&self, writer: &Writer) -> bool {
        !self.waiting.is_empty() && !writer.holdings.undisclosed.is_empty()
    }

    /// Tells those who wait, when nothing is left or nothing more can be done.
    pub(crate) fn answer(&mut self, writer: &Writer) {
        let outcome = match &writer.poisoned {
            Some(reason) => Err(SealError::Poisoned { reason: reason.clone() }),
            None if self.is_settled(writer) => self.failure.clone().map_or(Ok(()), Err),
            None => return,
        };
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(outcome.clone());
        }
    }

    fn is_settled(&self, writer: &Writer) -> bool {
        self.running.is_none()
            && self.nothing_to_do == Some(Self::state(writer))
            && writer.holdings.undisclosed.is_empty()
    }
}

/// What is to be done next, if anything: removals come first, since somebody is owed them.
fn next_job(writer: &Writer, given_up: &GivenUp) -> Result<Option<Job>, SealError> {
    let removal = writer.next_removal()?;
    if removal.is_none()
        && let Some(mut job) = writer.next_roll()?
    {
        job.folder = given_up.guard(Arc::clone(&job.folder));
        return Ok(Some(Box::new(move || job.run())));
    }
    let rewrite = match removal {
        Some(rewrite) => Some(rewrite),
        None => writer.next_compaction()?,
    };
    Ok(rewrite.map(|mut rewrite| -> Job {
        rewrite.folder = given_up.guard(Arc::clone(&rewrite.folder));
        Box::new(move || rewrite.run())
    }))
}

fn unfinished(error: &SealError) -> SealError {
    SealError::Unfinished { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_does_it_all_and_one_that_panicked_is_replaced() {
        let mut hand = Hand::new(|| ());
        let mut who = || {
            let (outbox, inbox) = sync_channel(1);
            assert!(hand.give(Box::new(move || outbox.send(std::thread::current().id()).unwrap())));
            inbox.recv().unwrap()
        };
        let first = who();
        assert!(first == who() && first != std::thread::current().id());
        let (outbox, inbox) = sync_channel::<()>(1);
        let panics = move || {
            let _dropped_with_the_thread = outbox;
            panic!("on purpose")
        };
        assert!(hand.give(Box::new(panics)));
        assert!(inbox.recv().is_err());
        // The channel may outlive the panic by a moment.
        let other = loop {
            let (outbox, inbox) = sync_channel(1);
            hand.give(Box::new(move || outbox.send(std::thread::current().id()).unwrap()));
            if let Ok(other) = inbox.recv() {
                break other;
            }
        };
        assert_ne!(first, other);
    }
}
