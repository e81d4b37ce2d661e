//! Alerts on their way: one after the other to each sink, again and again until it takes them, and
//! recorded as undelivered when it does not.

use super::Detecting;
use super::alert::Alert;
use super::sink::{Sink, Told};
use crate::open_log::OpenLog;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Alerts that wait for one sink.
const WAITING_MAX: usize = 10_000;
/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Waits between attempts, in seconds: five minutes in all.
const WAITS_S: [u64; 9] = [1, 2, 4, 8, 15, 30, 60, 90, 90];

/// An alert and where it stands.
pub(super) struct Parcel {
    pub(super) log: Arc<OpenLog>,
    pub(super) index: u64,
    pub(super) alert: Alert,
}

/// What each sink was told of each log: the index behind the newest alert.
#[derive(Default)]
pub(super) struct Positions(Mutex<BTreeMap<(String, String), u64>>);

impl Positions {
    pub(super) fn get(&self, log: &str, sink: &str) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(log.to_owned(), sink.to_owned())).copied().unwrap_or_default()
    }

    pub(super) fn set(&self, log: &str, sink: &str, next: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry((log.to_owned(), sink.to_owned())).or_default();
        *known = next.max(*known);
    }

    /// Those of one log, by sink.
    pub(super) fn of(&self, log: &str) -> BTreeMap<String, u64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.iter().filter(|((name, _), _)| name == log);
        own.map(|((_, sink), next)| (sink.clone(), *next)).collect()
    }
}

/// Who delivers to one sink.
pub(super) struct Courier {
    sink: Arc<Sink>,
    detecting: Arc<Detecting>,
    inbox: SyncSender<Parcel>,
    thread: Option<JoinHandle<()>>,
}

impl Courier {
    pub(super) fn start(sink: Arc<Sink>, detecting: Arc<Detecting>, stop: Arc<AtomicBool>) -> Self {
        let (inbox, parcels) = sync_channel(WAITING_MAX);
        let (to, by) = (Arc::clone(&sink), Arc::clone(&detecting));
        let run = move || run(&to, &by, &stop, &parcels);
        let thread = std::thread::Builder::new().name("tacho-alerts".to_owned()).spawn(run).ok();
        Self { sink, detecting, inbox, thread }
    }

    pub(super) fn sink(&self) -> &Sink {
        &self.sink
    }

    /// Takes one over, without waiting.
    pub(super) fn take(&self, parcel: Parcel) {
        if let Err(error) = self.inbox.try_send(parcel) {
            use std::sync::mpsc::TrySendError::{Disconnected, Full};
            let (Full(parcel) | Disconnected(parcel)) = error;
            give_up(&self.sink, &self.detecting, &parcel, 0, "too many alerts wait for it");
        }
    }

    pub(super) fn join(self) {
        drop(self.inbox);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}

fn run(sink: &Sink, detecting: &Detecting, stop: &AtomicBool, parcels: &Receiver<Parcel>) {
    while !stop.load(Ordering::Acquire) {
        match parcels.recv_timeout(LOOK) {
            Ok(parcel) => deliver(sink, detecting, stop, &parcel),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn deliver(sink: &Sink, detecting: &Detecting, stop: &AtomicBool, parcel: &Parcel) {
    let mut attempts = 0;
    let why = loop {
        let told = sink.tell(&parcel.alert, parcel.log.now_ms());
        attempts += 1;
        let wait_s = match told {
            Told::Taken => {
                detecting.figures().delivered.fetch_add(1, Ordering::Relaxed);
                let (log, sink) = (parcel.log.name(), sink.name());
                return detecting.positions.set(log, sink, parcel.index + 1);
            }
            Told::Refused(trouble) => break trouble.to_string(),
            Told::Failed(trouble) => {
                detecting.figures().failed.fetch_add(1, Ordering::Relaxed);
                match WAITS_S.get(attempts as usize - 1) {
                    Some(wait_s) => *wait_s,
                    None => break trouble.to_string(),
                }
            }
        };
        let looks = wait_s * 1_000 / LOOK.as_millis() as u64;
        for _ in 0..looks {
            if stop.load(Ordering::Acquire) {
                // It is told after the next start.
                return;
            }
            std::thread::sleep(LOOK);
        }
    };
    give_up(sink, detecting, parcel, attempts, &why);
}

/// Says in the log that a sink was not told.
fn give_up(sink: &Sink, detecting: &Detecting, parcel: &Parcel, attempts: u32, why: &str) {
    detecting.figures().given_up.fetch_add(1, Ordering::Relaxed);
    detecting.positions.set(parcel.log.name(), sink.name(), parcel.index + 1);
    let Ok(writer) = parcel.log.writer_for_acts() else { return };
    let event = parcel.alert.undelivered(sink.name(), attempts, why);
    let event = writer.redactor().redact(event);
    let sealed = writer.encode([event]).and_then(|batch| writer.append(batch));
    if let Err(error) = sealed {
        drop(parcel.log.failed(&writer, &error));
    }
}
