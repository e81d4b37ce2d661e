//! One log of a server: open for writing as long as its disk lets it, and opened again by itself.
//!
//! A failed write ends a writer for good (nothing is acknowledged after it); the log is then opened
//! anew from what is really on disk. Before the disk is full no more events are taken, so that the
//! log can still say that it is full. Not here: how it is opened again (`open_log/tending.rs`).

mod tending;

use crate::access::Caller;
use crate::ballast;
use crate::inflow::Inflow;
use crate::live::Feed;
use crate::problem::Problem;
use crate::rates::{Counted, Throttled};
use crate::relay::{Acknowledged, Relay};
use crate::schedule::Schedule;
use axum::http::StatusCode;
use event::Principal;
use keys::Kek;
use reading::{LogFolder, Lookout, Memory, View};
use retain::Policy;
use seal::{Act, Batch, Log, NotTaken, Options, Permit, Receipt, SealError, Writer};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// An acknowledgement takes at most this long; then the sender is told to send again.
const ACKNOWLEDGEMENT_MAX: Duration = Duration::from_secs(60);

/// How a server treats its logs.
#[derive(Clone)]
pub struct Settings {
    /// For the writers.
    pub options: Options,
    /// Bytes of the disk that are left free: below this no more events are taken.
    pub disk_reserve: u64,
    /// How long records stay, where somebody said so: the server then lets go itself what is due.
    /// Otherwise only who asks does that, by the days of the default profile.
    pub retention: Option<Policy>,
    /// Where it is remembered how far logs came, outside their folders.
    pub memory: Option<Memory>,
}

/// A log, open.
pub struct OpenLog {
    folder: LogFolder,
    kek: Arc<Kek>,
    settings: Settings,
    lookout: Lookout,
    state: RwLock<State>,
    /// The disk has less than the reserve left.
    full: AtomicBool,
    /// Witnesses have not cosigned it for longer than it may go on without them.
    unwitnessed: AtomicBool,
    inflow: Inflow,
    feed: Feed,
    /// What was sealed, for detection.
    relay: Arc<Relay>,
    /// What is done for it where nobody waits (`tend`).
    aside: Mutex<Option<JoinHandle<()>>>,
    /// When it was remembered last how far the log came.
    remembered: Mutex<Option<Instant>>,
    /// Held while what is durable is published for somebody who waits.
    publishing: tokio::sync::Mutex<()>,
    /// Held while records are held, erased or let go.
    life_cycle: Arc<tokio::sync::Mutex<()>>,
    /// What the server let go by itself.
    schedule: Schedule,
    /// Requests refused since the log could not take events, and when that began.
    gap: Mutex<Option<Gap>>,
    /// What callers sent too much of, since the last record of that.
    throttled: Mutex<Throttled>,
    /// Events that were acknowledged, and bytes of their requests.
    events: AtomicU64,
    bytes: AtomicU64,
}

enum State {
    Up(Arc<Log>),
    Down { old: Option<Arc<Log>>, reason: String, again: Instant },
    Closed,
}

struct Gap {
    reason: &'static str,
    since_ms: u64,
    requests: u64,
}

impl OpenLog {
    /// Opens a log for writing and for questions.
    ///
    /// # Errors
    /// As [`seal::open_continuing`].
    pub fn open(folder: LogFolder, kek: Arc<Kek>, settings: Settings) -> Result<Self, SealError> {
        let writer = open_writer(&folder, &kek, &settings)?;
        let lookout = Lookout::new(folder.clone(), Arc::clone(&kek));
        Ok(Self {
            state: RwLock::new(State::Up(Arc::new(Log::start(writer)))),
            full: AtomicBool::new(is_full(&folder, &settings)),
            unwitnessed: AtomicBool::new(false),
            folder,
            kek,
            settings,
            lookout,
            inflow: Inflow::default(),
            feed: Feed::default(),
            relay: Arc::default(),
            aside: Mutex::default(),
            remembered: Mutex::default(),
            publishing: tokio::sync::Mutex::default(),
            life_cycle: Arc::default(),
            schedule: Schedule::default(),
            gap: Mutex::default(),
            throttled: Mutex::default(),
            events: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// Its files and what it says about itself.
    #[must_use]
    pub fn folder(&self) -> &LogFolder {
        &self.folder
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.folder.identity.name
    }

    /// How it is treated.
    #[must_use]
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The time by the log's own clock, Unix milliseconds.
    #[must_use]
    pub(crate) fn now_ms(&self) -> u64 {
        self.settings.options.clock.now_ms()
    }

    /// To be held while records are held, erased or let go (`life_cycle.rs`).
    #[must_use]
    pub(crate) fn life_cycle(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.life_cycle
    }

    /// What the server let go by itself.
    #[must_use]
    pub(crate) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The writer, for events.
    ///
    /// # Errors
    /// 507 when the disk is full, 503 when the log is being opened again, or must not go on without
    /// its witnesses.
    pub fn writer(&self) -> Result<Arc<Log>, Problem> {
        if self.full.load(Ordering::Relaxed) {
            self.count_refusal("disk_full");
            return Err(disk_full());
        }
        if self.unwitnessed.load(Ordering::Relaxed) {
            self.count_refusal("not_witnessed");
            return Err(unwitnessed());
        }
        self.writer_for_acts()
    }

    /// The writer, for the log's own records: they have a part of the disk for themselves.
    ///
    /// # Errors
    /// 503 when the log is being opened again.
    pub fn writer_for_acts(&self) -> Result<Arc<Log>, Problem> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Up(log) => Ok(Arc::clone(log)),
            State::Down { .. } => {
                self.count_refusal("log_down");
                Err(down())
            }
            State::Closed => Err(stopping()),
        }
    }

    /// Seals a batch and waits until it is durable.
    ///
    /// # Errors
    /// 503, 507: nothing was acknowledged, and sending it again is safe.
    pub async fn seal(
        &self,
        log: &Arc<Log>,
        batch: Batch,
        permit: Permit,
    ) -> Result<Acknowledged, Problem> {
        let (count, bytes) = (batch.len() as u64, batch.bytes() as u64);
        let (answer, outcome) = oneshot::channel();
        let relay = Arc::clone(&self.relay);
        let done = Box::new(move |outcome: Result<Receipt, SealError>| {
            let outcome = outcome.map(|receipt| Acknowledged::new(receipt, &relay));
            drop(answer.send(outcome));
        });
        match log.try_submit(batch, permit, done) {
            Ok(()) => {}
            Err(error @ NotTaken::Busy) => {
                return Err(Problem::busy("overloaded", error.to_string()));
            }
            // Its thread is gone, which nothing but opening it again mends.
            Err(NotTaken::Closed) => return Err(self.failed(log, &SealError::Closed)),
        }
        match tokio::time::timeout(ACKNOWLEDGEMENT_MAX, outcome).await {
            Ok(Ok(Ok(receipt))) => {
                self.events.fetch_add(count, Ordering::Relaxed);
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
                Ok(receipt)
            }
            Ok(Ok(Err(error))) => Err(self.failed(log, &error)),
            Ok(Err(_)) => Err(self.failed(log, &SealError::Closed)),
            Err(_) => Err(Problem::busy(
                "too_slow",
                "the disk did not answer within a minute; send it again, it is sealed once",
            )),
        }
    }

    /// Records an act and waits until that is durable, but not until it is published.
    ///
    /// # Errors
    /// 503: then the act must not be done.
    pub async fn record(&self, act: Act, by: &Principal<'static>) -> Result<Acknowledged, Problem> {
        let log = self.writer_for_acts()?;
        let batch = log.encode_act(act, by).map_err(|error| self.failed(&log, &error))?;
        let permit = log.try_admit(batch.bytes()).ok_or_else(overloaded)?;
        self.seal(&log, batch, permit).await
    }

    /// The same from a thread that may wait.
    ///
    /// # Errors
    /// 503.
    pub fn record_blocking(&self, act: Act, by: &Principal<'static>) -> Result<Receipt, Problem> {
        let log = self.writer_for_acts()?;
        let sealed = log.encode_act(act, by).and_then(|batch| log.append(batch));
        sealed.map_err(|error| self.failed(&log, &error))
    }

    /// Waits until a published checkpoint covers the first `size` records, and returns it.
    ///
    /// # Errors
    /// 503.
    pub async fn published(&self, size: u64) -> Result<Arc<str>, Problem> {
        // Whoever waits here is often served by the publication before.
        let _turn = self.publishing.lock().await;
        let log = self.writer_for_acts()?;
        let publish = {
            let (log, folder) = (Arc::clone(&log), self.folder.clone());
            move || match published_size(&folder) {
                Some((published, note)) if published >= size => Ok(note),
                _ => log.publish(),
            }
        };
        let outcome = tokio::task::spawn_blocking(publish).await;
        outcome.map_err(|_| Problem::internal())?.map_err(|error| self.failed(&log, &error))
    }

    /// The log as of its newest published checkpoint.
    ///
    /// # Errors
    /// 500, with the reason.
    pub fn view(&self) -> Result<Arc<View>, Problem> {
        self.lookout.view().map_err(|error| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "log_unreadable", error.to_string())
        })
    }

    /// The way into it.
    #[must_use]
    pub(crate) fn inflow(&self) -> &Inflow {
        &self.inflow
    }

    /// What is added to it, as it is added.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// What was sealed just now, for detection.
    #[must_use]
    pub(crate) fn relay(&self) -> &Relay {
        &self.relay
    }

    /// Its key-encryption key, for who follows what is not published yet.
    #[must_use]
    pub fn kek(&self) -> &Arc<Kek> {
        &self.kek
    }

    /// Events acknowledged since the start, and their bytes.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.events.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Entries that the published checkpoint covers.
    #[must_use]
    pub fn published_size(&self) -> u64 {
        published_size(&self.folder).map_or(0, |(size, _)| size)
    }

    /// The same on a thread that may wait for the disk.
    pub(crate) async fn published_size_aside(self: &Arc<Self>) -> u64 {
        let log = Arc::clone(self);
        tokio::task::spawn_blocking(move || log.published_size()).await.unwrap_or_default()
    }

    /// Bytes that are free on its disk, if that can be told.
    #[must_use]
    pub fn room(&self) -> Option<u64> {
        ballast::room(&self.folder.path)
    }

    /// Ended journal files that wait to become segments.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Up(log) => log.backlog() as u64,
            _ => 0,
        }
    }

    /// Why the log takes no events at the moment, if it takes none.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        if self.full.load(Ordering::Relaxed) {
            return Some("the disk is full".to_owned());
        }
        if self.unwitnessed.load(Ordering::Relaxed) {
            return Some("its witnesses do not cosign it".to_owned());
        }
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Up(_) => None,
            State::Down { reason, .. } => Some(reason.clone()),
            State::Closed => Some("the server is stopping".to_owned()),
        }
    }

    /// Whether the log goes on without its witnesses.
    pub(crate) fn refuse_unwitnessed(&self, refuse: bool) {
        self.unwitnessed.store(refuse, Ordering::Relaxed);
    }

    /// Notes that a writer failed; what the sender is told.
    pub(crate) fn failed(&self, log: &Arc<Log>, error: &SealError) -> Problem {
        if matches!(error, SealError::AgentKeysChanged) {
            return Problem::busy("agent_keys_changed", error.to_string());
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Up(current) = &*state
            && Arc::ptr_eq(current, log)
            && matches!(error, SealError::Poisoned { .. } | SealError::Closed | SealError::Store(_))
        {
            let (old, again) = (Some(Arc::clone(current)), Instant::now());
            *state = State::Down { old, reason: error.to_string(), again };
        }
        drop(state);
        self.full.store(is_full(&self.folder, &self.settings), Ordering::Relaxed);
        match self.full.load(Ordering::Relaxed) {
            true => disk_full(),
            false => down(),
        }
    }

    fn count_refusal(&self, reason: &'static str) {
        let mut gap = self.gap.lock().unwrap_or_else(PoisonError::into_inner);
        let since_ms = || self.settings.options.clock.now_ms();
        gap.get_or_insert_with(|| Gap { reason, since_ms: since_ms(), requests: 0 }).requests += 1;
    }

    /// Notes that a caller sent too much.
    pub(crate) fn count_throttled(&self, caller: &Caller, counted: Counted, count: u64) {
        let now_ms = self.now_ms();
        let mut throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
        throttled.count(caller, counted, count, now_ms);
    }

    /// Closes it in good order.
    pub fn close(&self) {
        self.wait_for_aside();
        self.report_throttled(0);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Up(log) = std::mem::replace(&mut *state, State::Closed) {
            drop(state);
            self.wait_for_life_cycle();
            // The last one who holds it closes it; that is usually this one.
            drop(log);
            self.remember(Duration::ZERO);
        }
    }
}

/// The server itself, where nobody else did it.
#[must_use]
pub(crate) fn server() -> Principal<'static> {
    Principal {
        issuer: Some("tachograph".into()),
        subject: Some("server".into()),
        method: Some("process".into()),
    }
}

/// Opens a log that must continue what is remembered of it.
fn open_writer(
    folder: &LogFolder,
    kek: &Arc<Kek>,
    settings: &Settings,
) -> Result<Writer, SealError> {
    let memory = settings.memory.as_ref();
    let kept = memory.and_then(|memory| memory.of(&folder.path)).map(|it| it.head);
    let (kek, options) = (Arc::clone(kek), settings.options.clone());
    seal::open_continuing(&folder.folder, kek, options, kept.as_ref())
}

fn published_size(folder: &LogFolder) -> Option<(u64, Arc<str>)> {
    let note = String::from_utf8(folder.folder.read(seal::CHECKPOINT_PATH).ok()??).ok()?;
    let size = note.lines().nth(1)?.parse().ok()?;
    Some((size, note.into()))
}

fn is_full(folder: &LogFolder, settings: &Settings) -> bool {
    ballast::room(&folder.path).is_some_and(|bytes| bytes < settings.disk_reserve)
}

fn disk_full() -> Problem {
    let detail = "the disk of the log is full, and nothing was sealed; free some space, then send it \
                  again: an event with an id is sealed once";
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail).retry_after(5)
}

/// The log must not go on without its witnesses, and they do not cosign it.
fn unwitnessed() -> Problem {
    let detail = "the witnesses of the log do not cosign it, and nothing was sealed: its operator decided \
                  that it takes no events then; send it again when they do";
    Problem::busy("not_witnessed", detail).retry_after(5)
}

/// The log failed, and is opened again.
pub(crate) fn down() -> Problem {
    Problem::busy(
        "log_down",
        "the log is being opened again after a failed write, and nothing was acknowledged; send it \
         again: an event with an id is sealed once",
    )
}

fn stopping() -> Problem {
    Problem::busy("stopping", "the server is stopping; send it again in a moment").retry_after(5)
}

/// No room for a batch.
pub(crate) fn overloaded() -> Problem {
    Problem::busy("overloaded", "too many events are on their way; send it again in a moment")
}
