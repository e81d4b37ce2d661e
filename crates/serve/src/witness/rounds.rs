//! Having one's own logs witnessed: every checkpoint that is published is shown to the witnesses of
//! a policy, and what the quorum cosigned is published beside it.
//!
//! Nothing here slows the writer, which knows nothing of it: one thread for each log looks at the
//! checkpoint that is published, and asks each witness in a thread of its own. Who waits for
//! witnesses (`ack=witnessed`) waits here.

use super::asking::{Asked, Head, Trouble};
use super::standing::{Gathered, Standing, Told, is_met};
use crate::alerts::SinkError;
use crate::app::App;
use crate::open_log::{OpenLog, server};
use crate::problem::Problem;
use axum::http::StatusCode;
use checkpoint::{Checkpoint, CheckpointText, Note, NoteSignature, Policy};
use reading::{COSIGNED_PATH, LogFolder};
use seal::Act;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked whether there is a new checkpoint, or a new log.
const LOOK: Duration = Duration::from_millis(200);
/// How long to wait after a round in which the quorum was not met.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);
/// How long a log that does not grow goes without asking.
const AGAIN: Duration = Duration::from_secs(600);
/// How long further witnesses are waited for once the quorum is met.
const MORE: Duration = Duration::from_millis(100);

/// How a log's checkpoints are witnessed.
pub struct Rules {
    /// Which witnesses, where they are, and how many of them are enough.
    pub policy: Policy,
    /// No events are taken when something waited longer than this for the quorum, or a witness
    /// contradicts the log. `None`: events are taken whatever witnesses say.
    pub closed_after: Option<Duration>,
    /// How long one answer may take.
    pub timeout: Duration,
    /// Whether witnesses may be at addresses that not everybody reaches.
    pub allow_private: bool,
    /// The names of the logs that are witnessed; all of them when empty.
    pub logs: Vec<String>,
    /// Is told in words what a witness saw that a log does not have.
    pub tell: Box<dyn Fn(&str) + Send + Sync>,
}

/// Whoever watches the logs of a server.
pub struct Witnessing {
    pub(super) rules: Rules,
    pub(super) witnesses: Vec<Arc<Asked>>,
    logs: Mutex<BTreeMap<String, Arc<Standing>>>,
}

impl Witnessing {
    /// By these rules.
    ///
    /// # Errors
    /// In words, when no witness is asked for, or one has no address that may be used.
    pub fn new(rules: Rules) -> Result<Self, SinkError> {
        if !rules.policy.needs_witnesses() {
            let what = "its quorum is none, so no witness is needed; say which are enough";
            return Err(SinkError(what.to_owned()));
        }
        let mut witnesses = Vec::new();
        for witness in rules.policy.witnesses() {
            let missing = || SinkError(format!("the witness {:?} has no address", witness.name));
            let url = witness.key.url.as_deref().ok_or_else(missing)?;
            let key = witness.key.key.clone();
            let asked = Asked::new(&witness.name, key, url, rules.timeout, rules.allow_private)?;
            witnesses.push(Arc::new(asked));
        }
        Ok(Self { rules, witnesses, logs: Mutex::default() })
    }

    pub(super) fn is_watched(&self, log: &str) -> bool {
        self.rules.logs.is_empty() || self.rules.logs.iter().any(|name| name == log)
    }

    /// How far witnesses have come with a log.
    fn standing(&self, log: &OpenLog) -> Option<Arc<Standing>> {
        if !self.is_watched(log.name()) {
            return None;
        }
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = logs.entry(log.name().to_owned()).or_insert_with(|| {
            let names = self.witnesses.iter().map(|witness| witness.name().to_owned());
            Arc::new(Standing::new(names, self.kept(log)))
        });
        Some(Arc::clone(standing))
    }

    /// What was kept of the log before this process began.
    fn kept(&self, log: &OpenLog) -> Option<(Checkpoint, Arc<str>)> {
        let bytes = log.folder().folder.read(COSIGNED_PATH).ok()??;
        let note = String::from_utf8(bytes).ok()?;
        let checkpoint = is_met(&self.rules.policy, &note, &log.folder().identity.origin)?;
        // Of a log that was rolled back it says nothing; the witnesses will.
        (checkpoint.size <= log.published_size()).then(|| (checkpoint, note.into()))
    }

    /// What can be told of a log, if it is witnessed.
    pub(crate) fn told(&self, log: &OpenLog) -> Option<Told> {
        self.standing(log).map(|standing| standing.told())
    }

    /// Waits until the quorum has cosigned a checkpoint of at least `size` entries.
    ///
    /// # Errors
    /// 422 when nobody watches the log, 503 when the quorum is not met in time.
    pub(crate) async fn witnessed(&self, log: &OpenLog, size: u64) -> Result<Arc<str>, Problem> {
        let standing = self.standing(log).ok_or_else(no_witness)?;
        let mut sizes = standing.sizes();
        standing.awake();
        let wait = self.rules.timeout.saturating_mul(2).min(Duration::from_secs(60));
        let reached = tokio::time::timeout(wait, sizes.wait_for(|now| *now >= size)).await;
        match (reached, standing.cosigned()) {
            (Ok(Ok(_)), Some((_, note))) => Ok(note),
            _ => Err(not_witnessed()),
        }
    }
}

/// Whoever watches a log.
///
/// # Errors
/// 422 when nobody does.
pub(crate) fn witnesses<'a>(app: &'a App, log: &OpenLog) -> Result<&'a Arc<Witnessing>, Problem> {
    let watching = app.witnessing().filter(|witnessing| witnessing.is_watched(log.name()));
    watching.ok_or_else(no_witness)
}

/// Nobody watches the log.
fn no_witness() -> Problem {
    let detail = "this log has no witnesses; ask with ack=published or ack=durable, or name witnesses in \
                  the server's configuration";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no_witness", detail)
}

/// Not enough witnesses cosigned.
fn not_witnessed() -> Problem {
    let detail = "not enough witnesses have cosigned the log in time; send it again: what was sealed is \
                  durable, and an event with an id is sealed once";
    Problem::busy("not_witnessed", detail)
}

/// The threads; to be stopped before the logs are closed.
pub(crate) struct Watching {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watching {
    /// Starts them, when logs are to be witnessed.
    pub(crate) fn start(app: &App) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = app.witnessing().and_then(|witnessing| {
            let (app, witnessing, stop) = (app.clone(), Arc::clone(witnessing), Arc::clone(&stop));
            let run = move || watch_all(&app, &witnessing, &stop);
            std::thread::Builder::new().name("tacho-witness".to_owned()).spawn(run).ok()
        });
        Self { stop, thread }
    }

    /// Ends them, and waits for that: at most as long as one answer may take.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// Has every log watched that there is, and those that are made later.
fn watch_all(app: &App, witnessing: &Arc<Witnessing>, stop: &Arc<AtomicBool>) {
    let mut watched: BTreeMap<String, JoinHandle<()>> = BTreeMap::new();
    while !stop.load(Ordering::Acquire) {
        for log in app.logs().all() {
            let Some(standing) = witnessing.standing(&log) else { continue };
            if watched.contains_key(log.name()) {
                continue;
            }
            let (name, stop) = (log.name().to_owned(), Arc::clone(stop));
            let rounds = Rounds { log, witnessing: Arc::clone(witnessing), standing };
            let run = move || rounds.run(&stop);
            let thread =
                std::thread::Builder::new().name("tacho-witness-log".to_owned()).spawn(run);
            watched.extend(thread.map(|thread| (name, thread)));
        }
        std::thread::sleep(LOOK);
    }
    watched.into_values().for_each(|thread| drop(thread.join()));
}

/// One log, shown to its witnesses as it grows.
struct Rounds {
    log: Arc<OpenLog>,
    witnessing: Arc<Witnessing>,
    standing: Arc<Standing>,
}

/// What became of asking one witness.
pub(super) type Outcome = Result<NoteSignature, Trouble>;

impl Rounds {
    fn run(&self, stop: &AtomicBool) {
        let mut asked: Option<Instant> = None;
        while !stop.load(Ordering::Acquire) {
            // Also when nothing is new: at the start, because the folder may have been put back,
            // and now and then, because somebody else may sign with the log's key.
            let is_due = asked.is_none_or(|asked| asked.elapsed() > AGAIN);
            let is_new = |head: &Head| {
                let cosigned = self.standing.cosigned();
                is_due || cosigned.is_none_or(|(before, _)| before != head.checkpoint)
            };
            let is_met = match head(self.log.folder()).filter(is_new) {
                Some(head) => {
                    asked = Some(Instant::now());
                    self.round(&head)
                }
                None => true,
            };
            self.decide_refusing();
            self.standing.rest(if is_met { LOOK } else { AFTER_TROUBLE });
        }
    }

    /// Shows one checkpoint to every witness that is not being asked still; whether enough of them
    /// cosigned.
    fn round(&self, head: &Head) -> bool {
        self.standing.begins();
        let (tell, outcomes) = channel();
        for witness in &self.witnessing.witnesses {
            self.ask(witness, head, &tell);
        }
        drop(tell);
        self.gather(head, &outcomes)
    }

    fn ask(&self, witness: &Arc<Asked>, head: &Head, tell: &Sender<NoteSignature>) {
        let Some(known) = self.standing.begin(witness.name()) else { return };
        let (log, standing) = (Arc::clone(&self.log), Arc::clone(&self.standing));
        let (witnessing, witness) = (Arc::clone(&self.witnessing), Arc::clone(witness));
        let (asked, tell) = (head.clone(), tell.clone());
        let name = witness.name().to_owned();
        let run = move || {
            let folder = &*log.folder().folder;
            let published = || self::head(log.folder()).map(|head| head.checkpoint);
            let outcome: Outcome = witness.ask(folder, &asked, known, &published);
            let kept = outcome.as_ref().map(drop).map_err(Clone::clone);
            let alarm = standing.end(witness.name(), &asked.checkpoint, kept);
            // Whoever gathered may have had enough.
            let _ = outcome.map(|line| tell.send(line));
            if let Some(alarm) = alarm {
                raise(&log, &witnessing, &alarm);
            }
        };
        let thread = std::thread::Builder::new().name("tacho-witness-ask".to_owned()).spawn(run);
        if let Err(error) = thread {
            let trouble = Trouble::Other(format!("no thread could be started: {error}"));
            let _ = self.standing.end(&name, &head.checkpoint, Err(trouble));
        }
    }

    fn gather(&self, head: &Head, outcomes: &Receiver<NoteSignature>) -> bool {
        let origin = &self.log.folder().identity.origin;
        let mut gathered = Gathered::new(head);
        let mut until = Instant::now() + self.witnessing.rules.timeout.saturating_mul(3);
        let (mut is_met, mut kept) = (false, 0);
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        // It ends when all have answered as well.
        while let Ok(line) = outcomes.recv_timeout(left(until)) {
            gathered.add(line);
            if !is_met && let Some(note) = gathered.met(&self.witnessing.rules.policy, origin) {
                is_met = self.keep(head, note);
                kept = gathered.lines();
                until = until.min(Instant::now() + MORE);
            }
        }
        // Those that came a little later are worth keeping as well.
        if is_met && gathered.lines() > kept {
            let note = gathered.met(&self.witnessing.rules.policy, origin);
            return note.is_none_or(|note| self.keep(head, note));
        }
        is_met
    }

    /// Keeps what the quorum cosigned, and only then tells of it.
    fn keep(&self, head: &Head, note: Arc<str>) -> bool {
        let kept = self.log.folder().folder.replace(COSIGNED_PATH, note.as_bytes());
        if kept.is_ok() {
            self.standing.reached(&head.checkpoint, note);
        }
        kept.is_ok()
    }

    /// Whether the log takes no more events.
    fn decide_refusing(&self) {
        let Some(after) = self.witnessing.rules.closed_after else { return };
        let told = self.standing.told();
        let is_late = told.waits.is_some_and(|waits| waits > after);
        // One witness that lies must not stop a log whose quorum is met.
        let is_contradicted = told.waits.is_some() && told.alarm.is_some();
        self.log.refuse_unwitnessed(is_contradicted || is_late);
    }
}

/// Says loudly that a witness saw what the log does not have: to the operator, and in the log.
fn raise(log: &Arc<OpenLog>, witnessing: &Witnessing, alarm: &str) {
    (witnessing.rules.tell)(&format!("log {:?}: {alarm}", log.name()));
    let details = json!({ "change": "witness alarm", "reason": alarm });
    // A log that takes no records is in trouble already, and says so elsewhere.
    let _ = log.record_blocking(Act::Configuration(details), &server());
}

/// The checkpoint that is published.
pub(super) fn head(log: &LogFolder) -> Option<Head> {
    let bytes = log.folder.read(seal::CHECKPOINT_PATH).ok()??;
    let note = Note::parse(bytes).ok()?;
    let checkpoint = CheckpointText::parse(note.text()).ok()?.checkpoint;
    Some(Head { checkpoint, note })
}
