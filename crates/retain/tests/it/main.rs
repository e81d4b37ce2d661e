//! Retention against a real writer on a clock that the tests set: what goes, what stays, and what
//! the log says about it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::panic, reason = "a test that sees something else has failed")]

mod erasure;
mod expiry;

use event::{Event, Principal, Tier};
use keys::{Kek, KekOrigin, SecretKey};
use retain::Selector;
use seal::{Batch, NewLog, Options, Writer};
use segment::{Projection, Row};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Folder, MemoryFolder, Reservation};

pub(crate) const DAY_MS: u64 = 86_400_000;
/// 2026-01-01, a little after noon.
pub(crate) const BEGIN_MS: u64 = 20_454 * DAY_MS + 45_000_000;

pub(crate) struct Hands(AtomicU64);

impl seal::Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A log with a clock.
pub(crate) struct World {
    pub(crate) memory: MemoryFolder,
    pub(crate) folder: Arc<dyn Folder>,
    clock: Arc<Hands>,
    options: Options,
    pub(crate) writer: Writer,
}

pub(crate) fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(Hands(AtomicU64::new(BEGIN_MS)));
        let options = Options {
            clock: Arc::clone(&clock) as _,
            reservation: Reservation::Off,
            ..Options::system()
        };
        let memory = MemoryFolder::default();
        let folder: Arc<dyn Folder> = Arc::new(memory.clone());
        let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
        seal::create(&folder, &new, &kek(), [1; 16], &options).unwrap();
        let writer = seal::open(&folder, kek(), options.clone()).unwrap();
        Self { memory, folder, clock, options, writer }
    }

    pub(crate) fn set(&self, now_ms: u64) {
        self.clock.0.store(now_ms, Ordering::Relaxed);
    }

    /// Closes the log and opens it again.
    pub(crate) fn reopened(self) -> Self {
        let Self { memory, folder, clock, options, writer } = self;
        writer.close().unwrap();
        let writer = seal::open(&folder, kek(), options.clone()).unwrap();
        Self { memory, folder, clock, options, writer }
    }

    /// Seals one event of each tier for a session; their texts hold the session's name.
    pub(crate) fn append(&mut self, session: &str) {
        let types = ["agent.reasoning", "agent.tool_call", "agent.decision", "agent.security"];
        let lines = types.map(|kind| {
            format!(
                r#"{{"event_type":"{kind}","event_id":"{session}-{kind}","session_id":"{session}","agent_name":"a-{session}","params":{{"note":"canary-{session}"}}}}"#
            )
        });
        let events = lines.iter().map(|line| Event::from_json(line.as_bytes()).unwrap());
        self.seal(events.collect());
    }

    pub(crate) fn seal(&mut self, events: Vec<Event<'_>>) {
        let events = events.into_iter().map(|event| self.writer.redactor().redact(event));
        let batch =
            Batch::encode(events, self.writer.fingerprints(), &keys::SystemEntropy::new(), 0);
        self.writer.commit(vec![batch.unwrap()]).unwrap();
    }

    /// Every row in segments, by index.
    pub(crate) fn rows(&self) -> BTreeMap<u64, Row> {
        let mut rows = BTreeMap::new();
        for manifest in self.writer.catalogue().current() {
            let segment = self.writer.open_segment(manifest).unwrap();
            for row in segment.rows(.., Projection::All).unwrap() {
                let row = row.unwrap();
                rows.insert(row.index, row);
            }
        }
        rows
    }

    /// The events of producers that are left, per tier, in the order of [`Tier::ALL`].
    pub(crate) fn left(&self) -> [usize; 4] {
        let rows = self.rows();
        let events = || rows.values().filter(|row| row.kind == event::Kind::Event);
        Tier::ALL.map(|tier| events().filter(|row| row.tier == tier).count())
    }

    /// How many of the log's own records have this type, segments only.
    pub(crate) fn said(&self, event_type: &str) -> usize {
        let needle = format!("\"event_type\":\"{event_type}\"");
        let has = |row: &&Row| String::from_utf8_lossy(&row.meta).contains(&needle);
        self.rows().values().filter(has).count()
    }
}

pub(crate) fn session(name: &str) -> Selector {
    Selector { session: Some(name.to_owned()), ..Selector::default() }
}

pub(crate) fn by(subject: &'static str) -> Principal<'static> {
    Principal { subject: Some(subject.into()), ..Principal::default() }
}
