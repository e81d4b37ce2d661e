//! Makes a log whose records lie in segments, for tests with other people's readers:
//!
//!     cargo run -p seal --example rolled_log -- DATA_FOLDER KEK_FILE
//!
//! A segment appears when a day or 256 MiB have passed; nobody wants to wait for either.

use event::Event;
use keys::{KekSource, SystemEntropy};
use seal::{Batch, NewLog, Options};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use store::{DiskFolder, Folder, Reservation};

/// Enough for several row groups in one segment.
const EVENTS: u64 = 60_000;

/// Events in one batch.
const BATCH: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(data), Some(kek)) = (words.next(), words.next()) else {
        return Err("give a data folder and a file for the key-encryption key".into());
    };
    let kek = Arc::new(KekSource::File(kek).create(&SystemEntropy::new())?);
    let id = [0xab; 16];
    let path = data.join(hex::encode(id));
    std::fs::create_dir_all(&path)?;
    let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(path));
    let options = Options { reservation: Reservation::Off, ..Options::system() };
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek, id, &options)?;
    let mut writer = seal::open(&folder, kek, options)?;
    for first in (0..EVENTS + 1).step_by(BATCH as usize) {
        if first == EVENTS {
            // The last event lies in a journal file of its own: what is before it can be rolled.
            writer.end_journal_file();
        }
        let lines: Vec<String> = (first..EVENTS.min(first + BATCH)).map(line).collect();
        let lines = if first == EVENTS { vec![line(EVENTS)] } else { lines };
        let mut events = Vec::with_capacity(lines.len());
        for line in &lines {
            events.push(writer.redactor().redact(Event::from_json(line.as_bytes())?));
        }
        let batch = Batch::encode(events, writer.fingerprints(), &SystemEntropy::new(), 0)?;
        writer.commit(vec![batch])?;
    }
    writer.roll()?;
    Ok(writer.close()?)
}

/// An event of one of three tiers, with values of every type.
fn line(n: u64) -> String {
    let kind = ["agent.tool_call", "agent.tool_call", "agent.decision", "agent.reasoning"]
        [usize::try_from(n % 4).unwrap_or(0)];
    let event = serde_json::json!({
        "event_id": format!("e-{n}"), "event_type": kind, "agent_name": format!("Agént {}", n % 7),
        "session_id": format!("s-{}", n / 50), "timestamp": 1_767_225_600.25 + n as f64,
        "duration_ms": (n % 900) as f64 / 8.0, "tokens": { "input": n % 1000, "output": n % 13 },
        "cost": { "amount": (n % 100) as f64 / 1000.0, "currency": "USD" }, "tags": ["reader"],
        "params": { "query": format!("«{n}»"), "deep": { "list": [n, null, true] } },
    });
    event.to_string()
}
