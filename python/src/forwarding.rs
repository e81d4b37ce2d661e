//! From spools to the server, in the order of their numbers: what this process stores, and what
//! processes before it left.
//!
//! One thread, which never touches Python. A batch is sent until the server has said what became of
//! each event; only then the next one goes, and only then the spool lets go of it. What is sent
//! again is recognised by the ids of its events.

use crate::fault::Fault;
use crate::losses::{self, Loss};
use crate::mark::Left;
use crate::outbox::{Outbox, Sent};
use crate::receipt::Sealed;
use link::spool::{Numbered, Reader, Spool, Waiting};
use link::{Landed, LandedLine, Link, Pace, Parcel, Trouble, pack, write_line};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of lines in a request, about.
const BATCH_BYTES: usize = 1 << 20;
/// Lines in a request at most: a server takes 10,000.
const BATCH_LINES: usize = 5_000;
/// No pause before something is sent again is longer, unless the server wants it.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// The pause after an answer that will hardly change by itself.
const PAUSE_REFUSED: Duration = Duration::from_secs(15);
/// How long the thread sleeps at most when there is nothing to do.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// The code of an event whose id another event has.
const ID_CONFLICT: &str = "id_conflict";
const WITHDRAWN: &str =
    "the server did not acknowledge the event in time, and whoever recorded it was told so";

/// What empties spools.
pub(crate) struct Forwarding {
    pub(crate) sender: Sender,
    pub(crate) own: Source,
    /// What processes that are no more left.
    pub(crate) left: VecDeque<Source>,
}

/// What sends a batch.
pub(crate) struct Sender {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) link: Link,
    /// The path that takes events.
    pub(crate) path: String,
    pub(crate) pace: Pace,
}

/// A spool that is emptied.
pub(crate) struct Source {
    producer: Arc<str>,
    spool: Arc<Spool>,
    reader: Reader,
    /// What was read and is not sent yet.
    waiting: VecDeque<Numbered>,
    /// What the server refused, and is not told of yet.
    untold: Vec<Loss>,
    /// Everything up to this number is answered for.
    answered: u64,
    /// So many entries are sent at once at most: fewer when the server finds them too many.
    most: usize,
    left: Option<(Left, PathBuf)>,
    /// All of what a process left was read, and what it lost was counted.
    is_counted: bool,
}

/// How a turn went.
enum Turn {
    /// There was nothing to send.
    Idle,
    Sent,
    /// Nothing was taken; the same again after this time.
    Later(Duration),
    /// What waits cannot be read.
    Unreadable,
}

/// What a line of a request is about.
struct Sending {
    number: u64,
    is_event: bool,
}

impl Source {
    /// What this process stores.
    pub(crate) fn own(producer: Arc<str>, spool: Arc<Spool>) -> Self {
        Self::new(producer, spool, None)
    }

    /// What a process left in a folder.
    pub(crate) fn left(left: Left, spool: Arc<Spool>, folder: PathBuf) -> Self {
        Self::new(left.producer.as_str().into(), spool, Some((left, folder)))
    }

    fn new(producer: Arc<str>, spool: Arc<Spool>, left: Option<(Left, PathBuf)>) -> Self {
        let reader = Reader::new(Arc::clone(&spool));
        let answered = reader.next_number() - 1;
        Self {
            producer,
            spool,
            reader,
            waiting: VecDeque::new(),
            untold: Vec::new(),
            answered,
            most: BATCH_LINES,
            left,
            is_counted: false,
        }
    }

    /// Reads on when nothing waits; counts what a process lost when it is through.
    fn read(&mut self) -> Result<(), Fault> {
        if self.waiting.is_empty() {
            self.waiting.extend(self.reader.read(BATCH_BYTES)?);
        }
        if let Some((left, _)) = &self.left
            && self.waiting.is_empty()
            && !self.is_counted
        {
            self.is_counted = true;
            let first = self.reader.next_number().max(left.settled + 1);
            if first <= left.given {
                let reason = losses::KILLED.to_owned();
                self.untold.push(Loss { first, last: left.given, reason });
            }
        }
        Ok(())
    }

    /// How many of the entries that wait go into one request.
    fn count(&self) -> usize {
        let mut bytes = 0;
        let fits = |entry: &&Numbered| {
            bytes += entry.bytes();
            bytes <= BATCH_BYTES
        };
        let count = self.waiting.iter().take(self.most).take_while(fits).count();
        count.max(1).min(self.waiting.len())
    }

    /// The end of what a process left.
    fn remove(&self) {
        if let Some((left, folder)) = &self.left {
            let _ = self.spool.remove();
            let _ = std::fs::remove_dir_all(folder);
            left.remove();
        }
    }
}

impl Forwarding {
    /// Until everything is sent and nothing more comes, or nobody waits any longer.
    pub(crate) fn run(mut self) {
        let outbox = Arc::clone(&self.sender.outbox);
        while !outbox.is_past_end() {
            let goes_on = match self.turn() {
                Turn::Sent => true,
                Turn::Later(pause) => outbox.rest(Pace::spread(pause)),
                Turn::Unreadable => outbox.rest(PAUSE_MAX),
                Turn::Idle => outbox.wait_for(self.own.reader.next_number(), SLEEP_MAX),
            };
            if !goes_on {
                break;
            }
        }
        // Nothing is left behind when nothing waits.
        if self.own.untold.is_empty() && self.own.answered >= outbox.queue.last() {
            let _ = self.own.spool.remove();
            if let Some(mark) = &outbox.queue.mark {
                mark.remove();
            }
        }
        // What is left to others is theirs from here on.
        drop(self);
        outbox.finish();
    }

    /// A batch of our own, then one of what others left.
    fn turn(&mut self) -> Turn {
        let own = self.sender.turn(&mut self.own);
        if matches!(own, Turn::Later(_) | Turn::Unreadable) {
            return own;
        }
        let Some(source) = self.left.front_mut() else { return own };
        match self.sender.turn(source) {
            Turn::Idle => {
                source.remove();
                self.left.pop_front();
                Turn::Sent
            }
            // It stays where it is, for whoever comes next.
            Turn::Unreadable => {
                self.left.pop_front();
                Turn::Sent
            }
            other => other,
        }
    }
}

impl Sender {
    /// Sends the next batch of a source.
    fn turn(&mut self, source: &mut Source) -> Turn {
        if let Err(fault) = source.read() {
            self.outbox.queue.note_fault(format!("the spool: {}", fault.sentence()));
            return Turn::Unreadable;
        }
        let count = source.count();
        let (lines, sendings) = self.batch(source, count);
        if sendings.is_empty() {
            return Turn::Idle;
        }
        match self.post(&lines, sendings.len()) {
            Ok(landed) => {
                self.land(source, count, &sendings, &landed);
                Turn::Sent
            }
            Err(Trouble::Answered { status: 413, .. }) if count > 0 => {
                self.outbox.end(Sent::Refused("the batch was too large".to_owned()));
                self.split(source, count);
                Turn::Sent
            }
            Err(trouble) => self.not_taken(&trouble),
        }
    }

    /// The lines of the next `count` entries, and before them what was refused.
    fn batch(&self, source: &Source, count: usize) -> (Vec<u8>, Vec<Sending>) {
        let entries = || source.waiting.iter().take(count);
        if source.left.is_none()
            && let Some(entry) = entries().next_back()
        {
            // From here on nobody can take it back.
            self.outbox.begin(entry.last);
        }
        let (mut lines, mut sendings) = (Vec::new(), Vec::new());
        for loss in &source.untold {
            sendings.push(self.tell(source, loss.clone(), &mut lines));
        }
        for entry in entries() {
            let (first, last) = (entry.first, entry.last);
            let reason = match &entry.waiting {
                Waiting::Line(_) if source.spool.is_withdrawn(first) => WITHDRAWN.to_owned(),
                Waiting::Lost(reason) => reason.clone(),
                Waiting::Line(line) => {
                    lines.extend_from_slice(line);
                    sendings.push(Sending { number: first, is_event: true });
                    continue;
                }
            };
            sendings.push(self.tell(source, Loss { first, last, reason }, &mut lines));
        }
        (lines, sendings)
    }

    /// Writes that numbers are lost.
    fn tell(&self, source: &Source, loss: Loss, lines: &mut Vec<u8>) -> Sending {
        let event = losses::event(&source.producer, &loss);
        write_line(self.outbox.redactor.redact(event).into_inner(), lines);
        Sending { number: loss.first, is_event: false }
    }

    /// Sends lines, and reads what became of each.
    fn post(&self, lines: &[u8], count: usize) -> Result<Landed, Trouble> {
        let foreign = |what: &str| Trouble::Foreign(format!("its answer to events {what}"));
        let packed = pack(lines).map_err(|error| Trouble::Foreign(error.to_string()))?;
        let answer = self.link.post(&self.path, &Parcel { packed: &packed, key: None })?;
        let landed: Landed = serde_json::from_slice(&answer.bytes)
            .map_err(|error| foreign(&format!("does not read: {error}")))?;
        let is_whole = landed.results.len() == count
            && landed.results.iter().zip(1..).all(|(result, line)| {
                result.line == line && (result.error.is_some() || sealed(result, &landed).is_some())
            });
        if is_whole { Ok(landed) } else { Err(foreign("does not say where each stands")) }
    }

    /// Hands on what became of each event, and lets go of what is settled.
    fn land(&mut self, source: &mut Source, count: usize, sendings: &[Sending], landed: &Landed) {
        let (mut size, mut in_log) = (0, 0);
        let is_own = source.left.is_none();
        source.untold.clear();
        for (sending, result) in sendings.iter().zip(&landed.results) {
            let number = sending.number;
            if let Some(sealed) = sealed(result, landed) {
                size = size.max(sealed.index + 1);
                if is_own && sending.is_event {
                    in_log += 1;
                    self.outbox.answer(number, Ok(sealed));
                }
                continue;
            }
            let Some(error) = &result.error else { continue };
            let fault = Fault::refused(&error.code, &error.field, &error.reason);
            if !sending.is_event {
                self.outbox.queue.note_fault(format!("a gap was refused: {}", fault.sentence()));
            } else if is_own {
                let reason = format!("refused: {}", error.code);
                source.untold.push(Loss { first: number, last: number, reason });
                self.outbox.answer(number, Err(fault));
            } else if error.code != ID_CONFLICT {
                let reason = format!("refused: {}", error.code);
                source.untold.push(Loss { first: number, last: number, reason });
            }
            // Otherwise a process before this one sent it, as somebody else.
        }
        self.outbox.end(Sent::Arrived { size });
        self.outbox.queue.count_sealed(in_log);
        self.pace = Pace::new(PAUSE_MAX);
        source.most = BATCH_LINES;
        if let Some(last) = source.waiting.drain(..count).next_back() {
            source.answered = last.last;
        }
        if source.untold.is_empty() {
            self.settle(source);
        }
    }

    /// First it is noted that it is done, then what holds it goes: the other way round a crash
    /// would leave a hole that looks like a loss.
    fn settle(&self, source: &Source) {
        if source.left.is_none() {
            self.outbox.queue.settle_to(source.answered);
        }
        if let Err(error) = source.spool.settle(source.answered) {
            self.outbox.queue.note_fault(format!("the spool: {error}"));
        }
    }

    /// A batch was too large: half of it goes next, and one event that is too large never will.
    fn split(&self, source: &mut Source, count: usize) {
        source.most = (count / 2).max(1);
        let Some(entry) = source.waiting.front_mut().filter(|_| count == 1) else { return };
        let fault = Fault::refused("too_large", "", "the server takes no event of this size");
        if source.left.is_none() {
            self.outbox.answer(entry.first, Err(fault));
        }
        *entry = Numbered::lost(entry.first, entry.last, "refused: too_large".to_owned());
    }

    fn not_taken(&mut self, trouble: &Trouble) -> Turn {
        let why = trouble.brief();
        // A server that answers so has sealed nothing; of all others nobody knows.
        let is_refusal = matches!(trouble, Trouble::Unreachable(_) | Trouble::Certificate(_))
            || trouble.status().is_some_and(|it| (400..500).contains(&it) || it == 507);
        let sent = if is_refusal { Sent::Refused } else { Sent::Doubtful };
        self.outbox.end(sent(why.clone()));
        if trouble.may_pass() {
            return Turn::Later(self.pace.next(trouble));
        }
        self.outbox.fail_required(&why);
        Turn::Later(PAUSE_REFUSED)
    }
}

/// Where an event stands; `None` when it is not in the log, or that is not said whole.
fn sealed(result: &LandedLine, landed: &Landed) -> Option<Sealed> {
    let mut leaf_hash = [0; 32];
    hex::decode_to_slice(&result.leaf_hash, &mut leaf_hash).ok()?;
    Some(Sealed {
        index: result.index?,
        leaf_hash,
        recorded_ms: landed.recorded_ms.filter(|_| !result.duplicate),
        // A receipt without a checkpoint would prove nothing.
        checkpoint: landed.checkpoint.as_deref().filter(|note| !note.is_empty())?.into(),
        is_duplicate: result.duplicate,
    })
}
