//! Detection while a server runs: rules look at what is added to each log, behind its writer; what
//! they find becomes an alert in the same log, and goes to whoever is to be told.
//!
//! Nothing here slows the writer: a thread for each log reads the journal, as the live feed does.
//! It keeps the place that it has come to, so a restart goes on there, and an incident has one name
//! whenever it is looked at, so the log has one alert of it (docs/decisions/0044).
//!
//! Not here: the rules (`detect`), and reading configuration and secrets (`cli`).

mod addresses;
mod alert;
mod deliver;
mod email;
pub(crate) mod http;
mod peer;
mod place;
mod sink;
mod syslog;
mod watch;

pub use alert::Alert;
pub use email::{Login, Mail, Security};
pub use sink::{Sink, SinkError, Told, Trouble};

use crate::app::App;
use crate::open_log::OpenLog;
use ::detect::RuleSet;
use deliver::{Courier, Positions};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked whether there is a new log.
const LOOK: Duration = Duration::from_millis(250);

/// What a server looks for, and whom it tells.
pub struct Detecting {
    rules: Arc<RuleSet>,
    sinks: Vec<Arc<Sink>>,
    positions: Arc<Positions>,
    figures: Figures,
}

/// What was found and told since the start.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) alerts: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) given_up: AtomicU64,
    /// The index that each log is looked at next.
    next: Mutex<BTreeMap<String, u64>>,
}

impl Figures {
    fn has_come_to(&self, log: &str, next: u64) {
        let mut all = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(log) {
            Some(known) => *known = next,
            None => drop(all.insert(log.to_owned(), next)),
        }
    }

    /// The index that a log is looked at next; nothing before it is looked at.
    pub(crate) fn next(&self, log: &str) -> Option<u64> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).get(log).copied()
    }
}

impl Detecting {
    /// With these rules and sinks.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, sinks: Vec<Sink>) -> Self {
        let sinks = sinks.into_iter().map(Arc::new).collect();
        Self { rules, sinks, positions: Arc::default(), figures: Figures::default() }
    }

    pub(crate) fn figures(&self) -> &Figures {
        &self.figures
    }
}

/// The threads of detection; to be stopped before the logs are closed.
pub(crate) struct Watching {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watching {
    /// Starts them, when something is to be detected.
    pub(crate) fn start(app: &App) -> Self {
        let (stop, mut threads) = (Arc::new(AtomicBool::new(false)), Vec::new());
        if let Some(detecting) = app.detecting() {
            let (app, detecting, ended) = (app.clone(), Arc::clone(detecting), Arc::clone(&stop));
            let watch = move || watch_all(&app, &detecting, &ended);
            threads
                .extend(std::thread::Builder::new().name("tacho-detect".to_owned()).spawn(watch));
        }
        Self { stop, threads }
    }

    /// Ends them, and waits for that: at most as long as one delivery may take.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Release);
        self.threads.into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// Watches every log there is, and those that are made later.
fn watch_all(app: &App, detecting: &Arc<Detecting>, stop: &Arc<AtomicBool>) {
    let couriers: Vec<Courier> = detecting
        .sinks
        .iter()
        .map(|sink| Courier::start(Arc::clone(sink), Arc::clone(detecting), Arc::clone(stop)))
        .collect();
    let couriers = Arc::new(couriers);
    let mut watched: BTreeMap<String, JoinHandle<()>> = BTreeMap::new();
    while !stop.load(Ordering::Acquire) {
        for log in app.logs().all() {
            if watched.contains_key(log.name()) {
                continue;
            }
            let name = log.name().to_owned();
            let thread = watcher(log, Arc::clone(detecting), Arc::clone(&couriers), stop);
            watched.extend(thread.map(|thread| (name, thread)));
        }
        std::thread::sleep(LOOK);
    }
    watched.into_values().for_each(|thread| drop(thread.join()));
    if let Ok(couriers) = Arc::try_unwrap(couriers).map_err(drop) {
        couriers.into_iter().for_each(Courier::join);
    }
    for log in app.logs().all() {
        // What was delivered meanwhile.
        let _ = place::keep_positions(&log, &detecting.positions);
    }
}

fn watcher(
    log: Arc<OpenLog>,
    detecting: Arc<Detecting>,
    couriers: Arc<Vec<Courier>>,
    stop: &Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let stop = Arc::clone(stop);
    let run = move || watch::Watch::new(&log, &detecting, &couriers, &stop).run();
    std::thread::Builder::new().name("tacho-detect-log".to_owned()).spawn(run)
}
