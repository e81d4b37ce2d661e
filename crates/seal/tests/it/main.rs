//! The writer against a real folder: what it promises, restart after restart.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod act;
mod agents;
mod continuity;
mod dying;
mod held;
mod log;
mod policy;
mod removal;
mod report;
mod restart;
mod roll;
mod rotation;
mod streams;

use event::Event;
use keys::{Kek, KekOrigin, SecretKey};
use seal::{Batch, NewLog, Options, Outcome, Receipt, Writer};
use std::sync::Arc;
use store::{Folder, MemoryFolder, Reservation};

pub(crate) fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

pub(crate) fn options() -> Options {
    Options { reservation: Reservation::Off, ..Options::system() }
}

pub(crate) fn new_log() -> NewLog {
    NewLog { name: "main".to_owned(), origin: None, post_quantum: false }
}

/// A fresh log in memory.
pub(crate) fn fresh() -> (MemoryFolder, Arc<dyn Folder>) {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    seal::create(&folder, &new_log(), &kek(), [1; 16], &options()).unwrap();
    (memory, folder)
}

pub(crate) fn open(folder: &Arc<dyn Folder>) -> Writer {
    seal::open(folder, kek(), options()).unwrap()
}

/// A batch of events `from..to`; the same numbers give the same events.
pub(crate) fn batch(writer: &Writer, numbers: std::ops::Range<u64>) -> Batch {
    encode(writer, &numbers.map(numbered).collect::<Vec<_>>())
}

/// The event of a number.
pub(crate) fn numbered(n: u64) -> String {
    let (kind, session) = ("agent.tool_call", n % 3);
    format!(
        r#"{{"event_id":"e-{n}","event_type":"{kind}","session_id":"s-{session}","params":{{"n":{n}}}}}"#
    )
}

pub(crate) fn encode(writer: &Writer, lines: &[String]) -> Batch {
    let events = lines
        .iter()
        .map(|line| writer.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    Batch::encode(events, writer.fingerprints(), &keys::SystemEntropy::new(), 0).unwrap()
}

pub(crate) fn append(writer: &mut Writer, numbers: std::ops::Range<u64>) -> Receipt {
    let batch = batch(writer, numbers);
    writer.commit(vec![batch]).unwrap().remove(0)
}

pub(crate) fn indexes(receipt: &Receipt) -> Vec<u64> {
    let index = |outcome: &Outcome| match outcome {
        Outcome::Sealed { index, .. }
        | Outcome::Duplicate { index, .. }
        | Outcome::Conflict { index } => *index,
    };
    receipt.outcomes.iter().map(index).collect()
}
