//! When an authority is asked: once in an interval, of each log that has grown. Nothing waits for
//! it; when it does not answer, the log goes on, and it is asked again.

use super::asking::Authority;
use super::keeping::{Beside, Head, Stamped, stamped};
use crate::app::App;
use crate::open_log::{OpenLog, server};
use ::anchor::{ANCHOR_FOLDER, Stamp};
use aws_lc_rs::digest::{SHA256, digest};
use event::Timestamp;
use keys::{Entropy as _, SystemEntropy};
use reading::verify::Anchor;
use seal::{Act, Outcome};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked whether a log is due.
const LOOK: Duration = Duration::from_millis(500);
/// How long to wait after the first attempt that failed; doubled each time, up to the interval.
const AFTER_TROUBLE: Duration = Duration::from_secs(30);

/// How a server's logs are stamped.
pub struct Rules {
    /// Who is asked.
    pub authority: Authority,
    /// How long after a stamp the next one is asked for.
    pub interval: Duration,
    /// The names of the logs that are stamped; all of them when empty.
    pub logs: Vec<String>,
    /// Is told in words when there is no stamp, and when there is one again.
    pub tell: Box<dyn Fn(&str) + Send + Sync>,
}

/// Whoever has the logs of a server stamped.
pub struct Anchoring {
    rules: Rules,
    logs: Mutex<BTreeMap<String, Standing>>,
}

/// How far a log is stamped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Entries under the newest checkpoint that was stamped.
    pub(crate) size: u64,
    /// When that was, by the authority; 0 when nothing was.
    pub(crate) time_ms: u64,
    /// Why the last attempt failed.
    pub(crate) trouble: Option<String>,
}

impl Anchoring {
    /// By these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, logs: Mutex::default() }
    }

    /// How far a log is stamped, if it is to be stamped.
    pub(crate) fn standing(&self, log: &str) -> Option<Standing> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).get(log).cloned()
    }

    fn stand(&self, log: &str, change: impl FnOnce(&mut Standing)) {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        change(logs.entry(log.to_owned()).or_default());
    }

    fn is_meant(&self, log: &str) -> bool {
        self.rules.logs.is_empty() || self.rules.logs.iter().any(|name| name == log)
    }
}

/// The thread; to be stopped before the logs are closed.
pub(crate) struct Stamping {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stamping {
    /// Starts it, when logs are to be stamped.
    pub(crate) fn start(app: &App) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = app.anchoring().and_then(|anchoring| {
            let (app, anchoring, stop) = (app.clone(), Arc::clone(anchoring), Arc::clone(&stop));
            let run = move || run(&app, &anchoring, &stop);
            std::thread::Builder::new().name("tacho-anchor".to_owned()).spawn(run).ok()
        });
        Self { stop, thread }
    }

    /// Ends it, and waits for that: at most as long as one answer may take.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.into_iter().for_each(|thread| drop(thread.join()));
    }
}

fn run(app: &App, anchoring: &Anchoring, stop: &AtomicBool) {
    let mut turns: BTreeMap<String, Turn> = BTreeMap::new();
    while !stop.load(Ordering::Acquire) {
        for log in app.logs().all() {
            if stop.load(Ordering::Acquire) || !anchoring.is_meant(log.name()) {
                continue;
            }
            let turn =
                turns.entry(log.name().to_owned()).or_insert_with(|| Turn::begin(anchoring, &log));
            turn.look(anchoring, &log);
        }
        std::thread::sleep(LOOK);
    }
}

/// One log's.
struct Turn {
    /// Not before.
    next: Instant,
    /// Entries that need no stamp: they had one, or say that there is one.
    seen: u64,
    /// Attempts that failed one after the other.
    failed: u32,
}

impl Turn {
    /// With what lies in the folder already.
    fn begin(anchoring: &Anchoring, log: &OpenLog) -> Self {
        let newest = newest(anchoring, log);
        let mut turn = Self { next: Instant::now(), seen: 0, failed: 0 };
        if let Some((size, stamp)) = newest {
            let age = Duration::from_millis(log.now_ms().saturating_sub(stamp.time_ms));
            turn.next += anchoring.rules.interval.saturating_sub(age);
            turn.seen = size;
            anchoring.stand(log.name(), |it| (it.size, it.time_ms) = (size, stamp.time_ms));
        } else {
            anchoring.stand(log.name(), |_| {});
        }
        turn
    }

    /// Has the log stamped, if it is due and has grown.
    fn look(&mut self, anchoring: &Anchoring, log: &OpenLog) {
        if Instant::now() < self.next || log.published_size() <= self.seen {
            return;
        }
        let (rules, name) = (&anchoring.rules, log.name());
        match stamp(&rules.authority, log) {
            Ok(Some(stamped)) => {
                self.next = Instant::now() + rules.interval;
                let (size, time_ms) = (stamped.head.checkpoint.size, stamped.stamp.time_ms);
                let recorded = record(rules, log, &stamped);
                // That record alone is no reason to ask again.
                self.seen = if recorded == Some(size) { size + 1 } else { size };
                if self.failed > 0 {
                    (rules.tell)(&format!("log {name:?} is stamped again"));
                }
                self.failed = 0;
                anchoring.stand(name, |it| *it = Standing { size, time_ms, trouble: None });
            }
            Ok(None) => self.next = Instant::now() + LOOK,
            Err(trouble) => {
                let wait = AFTER_TROUBLE.saturating_mul(1 << self.failed.min(10));
                self.next = Instant::now() + wait.min(rules.interval);
                let told = format!("log {name:?} is not stamped, and goes on: {trouble}");
                anchoring.stand(name, |it| it.trouble = Some(trouble));
                if self.failed == 0 {
                    (rules.tell)(&told);
                }
                self.failed = self.failed.saturating_add(1);
            }
        }
    }
}

/// The newest stamp by this authority that lies with the log and holds. Of a tree that the log has
/// no longer, or not yet again, it says nothing.
fn newest(anchoring: &Anchoring, log: &OpenLog) -> Option<(u64, Stamp)> {
    let authority = &anchoring.rules.authority;
    let kept = Anchor::read_all(&*log.folder().folder, ANCHOR_FOLDER).ok()?;
    let is_here = |anchor: &&Anchor| anchor.size <= log.published_size();
    kept.iter().rev().filter(is_here).find_map(|anchor| {
        let judged = anchor.judged(authority.authorities());
        let mine = judged.into_iter().find(|(label, _)| *label == authority.label());
        mine.and_then(|(_, stamp)| Some((anchor.size, stamp.ok()?)))
    })
}

/// Asks, and keeps the answer.
fn stamp(authority: &Authority, log: &OpenLog) -> Result<Option<Stamped>, String> {
    let folder = &*log.folder().folder;
    let Some(head) = Head::published(folder).map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let mut random = [0; 8];
    SystemEntropy::new().fill(&mut random).map_err(|error| error.to_string())?;
    let stamped = stamped(authority, &Beside(folder), head, u64::from_be_bytes(random));
    stamped.map(Some).map_err(|error| error.to_string())
}

/// Says in the log that there is a stamp: what comes after this record is newer than the stamp. The
/// index of the record, if there is one: a log that takes none is in trouble, and says so
/// elsewhere.
fn record(rules: &Rules, log: &OpenLog, stamped: &Stamped) -> Option<u64> {
    let Stamped { head, stamp, answer, path, .. } = stamped;
    let details = json!({
        "path": path,
        "sha256": hex::encode(digest(&SHA256, answer)),
        "as_of": { "size": head.checkpoint.size, "root": head.checkpoint.root.to_string() },
        "time": Timestamp::from_milliseconds(stamp.time_ms).to_string(),
        "authority": stamp.authority,
        "name": rules.authority.label().to_string(),
    });
    let receipt = log.record_blocking(Act::Anchor(details), &server()).ok()?;
    match receipt.outcomes.first()? {
        Outcome::Sealed { index, .. } => Some(*index),
        _ => None,
    }
}
