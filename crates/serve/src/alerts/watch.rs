//! One log, looked at as it grows.

use super::Detecting;
use super::alert::{self, Alert};
use super::deliver::{Courier, Parcel};
use super::place::Place;
use crate::open_log::OpenLog;
use ::detect::{Engine, Hit, Item};
use reading::{Follow, ReadError};
use seal::Outcome;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it is looked whether something came, while nothing comes.
const LOOK: Duration = Duration::from_millis(200);
/// And while something does.
const LOOK_BUSY: Duration = Duration::from_millis(50);
/// The journal is read at least so often while nothing comes: the log's own records come by no
/// other way.
const READ: Duration = Duration::from_secs(1);
const DAY_MS: u64 = 86_400_000;
/// Wait after a log could not be read or written.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);
/// Records that are looked at again at the start, so that what was half seen is seen whole. Nothing
/// in them is told again.
const AGAIN: u64 = 100_000;
/// The place is kept at least so often while the log grows.
const KEEP: Duration = Duration::from_secs(5);
/// Alerts that wait for a log which takes no records; then nothing more is looked at.
const WAITING_MAX: usize = 1_000;

pub(super) struct Watch<'w> {
    log: &'w Arc<OpenLog>,
    detecting: &'w Detecting,
    couriers: &'w [Courier],
    stop: &'w AtomicBool,
    engine: Engine,
    /// The index that is told from, and before which there is only a second look.
    from: u64,
    next: u64,
    /// Whether what is found is told.
    has_begun: bool,
    kept: Place,
    kept_at: Instant,
    hits: Vec<Hit>,
    newest_ms: u64,
    /// The day on which the log says last that rules look at it.
    said_day: Option<u64>,
    /// When the journal was read to its end.
    read_at: Option<Instant>,
    /// Whether the look before found that something was not given.
    has_gap: bool,
}

/// Ends a look at the records.
fn pause() -> ReadError {
    ReadError::new("detection pauses")
}

impl<'w> Watch<'w> {
    pub(super) fn new(
        log: &'w Arc<OpenLog>,
        detecting: &'w Detecting,
        couriers: &'w [Courier],
        stop: &'w AtomicBool,
    ) -> Self {
        let size = log.published_size();
        let kept = Place::read(log).unwrap_or_else(|| Place { next: size, ..Place::default() });
        // A log that was put back from a backup may be shorter than it was.
        let from = kept.next.min(size);
        for sink in &detecting.sinks {
            let told = kept.sinks.get(sink.name()).copied().unwrap_or(from);
            detecting.positions.set(log.name(), sink.name(), told);
        }
        let engine = Engine::new(Arc::clone(&detecting.rules), &log.folder().identity.origin);
        Self {
            log,
            detecting,
            couriers,
            stop,
            engine,
            from,
            next: from.saturating_sub(AGAIN),
            has_begun: false,
            kept,
            kept_at: Instant::now(),
            hits: Vec::new(),
            newest_ms: 0,
            said_day: None,
            read_at: None,
            has_gap: false,
        }
    }

    /// Looks until it is stopped.
    pub(super) fn run(mut self) {
        let (log, stop) = (self.log, self.stop);
        log.relay().open();
        while !stop.load(Ordering::Acquire) {
            let mut follow = Follow::new(log.folder(), log.kek(), self.next);
            loop {
                let was_given = self.look_at_given();
                let polled = match self.must_read(was_given) {
                    true => self.read(&mut follow),
                    false => Ok(()),
                };
                self.raise();
                self.say_that_it_runs();
                self.detecting.figures.has_come_to(log.name(), self.next);
                self.keep(false);
                if stop.load(Ordering::Acquire) {
                    break;
                }
                if polled.is_err() {
                    std::thread::sleep(AFTER_TROUBLE);
                    break;
                }
                std::thread::sleep(if was_given || self.has_gap { LOOK_BUSY } else { LOOK });
            }
        }
        log.relay().close();
        self.keep(true);
    }

    /// Looks at what was given since the last look, as far as it goes on without a gap. Whether
    /// anything was.
    fn look_at_given(&mut self) -> bool {
        let before = self.next;
        while let Some(receipt) = self.log.relay().take(self.next) {
            let next = self.next;
            for record in receipt.sealed().skip_while(|record| record.index < next) {
                let item = Item {
                    index: record.index,
                    recorded_at_ms: record.time_ms,
                    kind: record.kind,
                    meta: record.meta,
                    content: record.content,
                };
                // What is left of it is in the journal.
                if record.index != self.next || self.look(&item).is_err() {
                    self.read_at = None;
                    return self.next > before;
                }
            }
        }
        self.next > before
    }

    /// Whether the journal is to be read now: at first, when something was not given, and once in a
    /// while. What was sealed and not answered yet is given in a moment, so a gap is looked at
    /// twice.
    fn must_read(&mut self, was_given: bool) -> bool {
        let had_gap = std::mem::replace(&mut self.has_gap, self.log.relay().has_gap());
        let is_time = self.read_at.is_none_or(|at| !was_given && at.elapsed() >= READ);
        is_time || (had_gap && self.has_gap && !was_given)
    }

    /// Looks at what the journal has beyond what was looked at.
    fn read(&mut self, follow: &mut Follow<'_>) -> Result<(), ReadError> {
        follow.skip_to(self.next);
        follow.poll(&mut |index, record| {
            self.look(&Item {
                index,
                recorded_at_ms: record.time_ms,
                kind: record.kind,
                meta: record.meta,
                content: record.content.bytes(),
            })
        })?;
        self.read_at = Some(Instant::now());
        Ok(())
    }

    /// From here on what is found is told.
    fn begin(&mut self) {
        self.has_begun = true;
        self.hits.clear();
        self.engine.reopen(&self.kept.open);
    }

    fn look(&mut self, item: &Item<'_>) -> Result<(), ReadError> {
        if self.stop.load(Ordering::Relaxed) || self.hits.len() >= WAITING_MAX {
            return Err(pause());
        }
        if item.index >= self.from && !self.has_begun {
            self.begin();
        }
        let is_alert = self.engine.offer(item, &mut self.hits);
        self.newest_ms = self.newest_ms.max(item.recorded_at_ms);
        self.next = item.index + 1;
        if is_alert && let Some(alert) = Alert::read(item.meta, item.content) {
            // Told by its record, and not when it is found: so it is told once, whenever and by
            // whomever it was recorded.
            self.tell(item.index, &alert);
        }
        match self.has_begun {
            true => self.raise(),
            false => self.hits.clear(),
        }
        Ok(())
    }

    /// Says once a day in the log that rules look at it: evidence that somebody did
    /// (docs/compliance.md, C-ANOM-1).
    fn say_that_it_runs(&mut self) {
        let day = self.log.now_ms() / DAY_MS;
        if self.said_day == Some(day) || !self.has_begun {
            return;
        }
        let Ok(writer) = self.log.writer_for_acts() else { return };
        let event = alert::run(&self.log.folder().identity.origin, day);
        let event = writer.redactor().redact(event);
        match writer.encode([event]).and_then(|batch| writer.append(batch)) {
            Ok(receipt) => {
                self.said_day = Some(day);
                self.log.relay().give(receipt);
            }
            Err(error) => drop(self.log.failed(&writer, &error)),
        }
    }

    /// Records what was found. What cannot be recorded now stays, and is tried again.
    fn raise(&mut self) {
        if self.hits.is_empty() {
            return;
        }
        let Ok(writer) = self.log.writer_for_acts() else { return };
        let alerts: Vec<Alert> =
            self.hits.iter().map(|hit| Alert::of(hit, self.log.name())).collect();
        let events = alerts.iter().map(|alert| writer.redactor().redact(alert.event()));
        let sealed = writer.encode(events).and_then(|batch| writer.append(batch));
        let receipt = match sealed {
            Ok(receipt) => receipt,
            Err(error) => return drop(self.log.failed(&writer, &error)),
        };
        self.hits.clear();
        let is_new = |outcome: &&Outcome| matches!(outcome, Outcome::Sealed { .. });
        let count = receipt.outcomes.iter().filter(is_new).count() as u64;
        self.detecting.figures.alerts.fetch_add(count, Ordering::Relaxed);
        self.log.relay().give(receipt);
        self.keep(true);
    }

    /// Hands an alert to every sink that was not told yet.
    fn tell(&self, index: u64, alert: &Alert) {
        for courier in self.couriers {
            let sink = courier.sink();
            let told = self.detecting.positions.get(self.log.name(), sink.name());
            if index >= told && alert.level() >= sink.level() {
                courier.take(Parcel { log: Arc::clone(self.log), index, alert: alert.clone() });
            }
        }
    }

    /// Keeps the place, now or when it is time.
    fn keep(&mut self, now: bool) {
        let sinks = self.detecting.positions.of(self.log.name());
        let is_told = sinks != self.kept.sinks;
        let has_moved = self.next > self.kept.next && self.next >= self.from;
        let is_due = now || is_told || self.kept_at.elapsed() >= KEEP;
        if !is_due || !(has_moved || is_told) {
            return;
        }
        // What was found and not recorded is to be found again.
        let next = self.hits.first().map_or(self.next, |hit| hit.index).max(self.from);
        let open = match self.has_begun && self.hits.is_empty() {
            true => self.engine.open(self.newest_ms),
            false => self.kept.open.clone(),
        };
        let place = Place { next, open, sinks };
        // If it cannot be kept, more is looked at again the next time.
        let _ = place.keep(self.log);
        (self.kept, self.kept_at) = (place, Instant::now());
    }
}
