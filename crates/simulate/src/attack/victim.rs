//! Logs to be attacked, made by the real binary and the real writer, and what people outside kept
//! of them: receipts, checkpoints, what a witness saw.

use super::forge::{Altered, history};
use super::program::{Tacho, files_of, write_files};
use super::stamper::Stamper;
use super::watch::Watch;
use super::{COSIGNED, Files};
use crate::kill::{kek, options};
use seal::CHECKPOINT_PATH;
use serde::Deserialize;
use serde_json::json;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{DiskFolder, Folder, Reservation};
use witness::Seen;

/// Events of each of the three times that the log was written to.
const EVENTS: u64 = 100;

/// A log, and what is known of it outside.
pub(super) struct Victim {
    /// The name of its folder: the log's id.
    pub(super) id: String,
    /// Its verifier keys.
    pub(super) vkeys: Vec<String>,
    /// As it was after the first time.
    pub(super) early: Moment,
    /// As it is.
    pub(super) now: Moment,
    /// All its records.
    pub(super) history: Vec<Altered>,
    /// What its producer was told, in order.
    pub(super) receipts: Vec<Receipt>,
    /// Its witness.
    pub(super) watch: Watch,
}

/// A log at some time.
#[derive(Clone)]
pub(super) struct Moment {
    pub(super) files: Files,
    /// How many entries it has.
    pub(super) size: u64,
    /// What its witness saw, and the checkpoint that it cosigned.
    pub(super) seen: Seen,
    pub(super) cosigned: String,
    /// What an authority stamped of it, if one did.
    pub(super) stamped: Files,
}

/// What a producer was told.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Receipt {
    pub(super) index: u64,
    pub(super) leaf_hash: String,
    pub(super) checkpoint: String,
    #[serde(skip)]
    pub(super) line: String,
}

impl Receipt {
    /// The size of the tree that it was signed for.
    pub(super) fn size(&self) -> u64 {
        crate::reading::head_of(&self.checkpoint).map_or(0, |head| head.size)
    }
}

impl Victim {
    /// Makes a log in three runs of a writer; with `rolls` its records lie in segments.
    pub(super) fn make(
        tacho: &Tacho,
        at: &Path,
        rolls: bool,
        stamper: Option<&Stamper>,
    ) -> Result<Self, String> {
        let mut making = Making { tacho, at, rolls, stamper, watch: None, seen: None };
        std::fs::create_dir_all(at).map_err(text)?;
        let data = making.data();
        tacho.fine(&[Path::new("init"), Path::new("--data"), data.as_path()])?;
        let log = log_in(&making.data())?;
        let vkeys = crate::reading::identity(&DiskFolder::new(&log))?.keys;
        making.watch = Some(Watch::new("w.example.org", 5, &vkeys)?);
        let early = making.write(0..EVENTS)?;
        making.write(EVENTS..2 * EVENTS)?;
        let now = making.write(2 * EVENTS..3 * EVENTS)?;
        let receipts = receipts_in(&at.join("receipts.ndjson"))?;
        let id = log.file_name().map(|name| name.to_string_lossy().into_owned());
        let history = history(&now.files)?;
        let (id, watch) = (id.ok_or("the log has no name")?, making.watch.take());
        let watch = watch.ok_or("nobody watches the log")?;
        Ok(Self { id, vkeys, early, now, history, receipts, watch })
    }

    /// The index of an event.
    pub(super) fn index_of(&self, event: u64) -> Result<usize, String> {
        let id = format!("\"event_id\":\"e-{event}\"");
        let found = self.history.iter().position(|record| record.meta.contains(&id));
        found.ok_or_else(|| format!("event {event} is not in the log"))
    }
}

/// A victim that is being made.
struct Making<'m> {
    tacho: &'m Tacho,
    at: &'m Path,
    rolls: bool,
    stamper: Option<&'m Stamper>,
    watch: Option<Watch>,
    seen: Option<Seen>,
}

impl Making<'_> {
    fn data(&self) -> PathBuf {
        self.at.join("data")
    }

    /// Appends events, has the log witnessed, and looks at it.
    fn write(&mut self, numbers: Range<u64>) -> Result<Moment, String> {
        append(self.tacho, &self.data(), self.at, &events(numbers))?;
        let log = log_in(&self.data())?;
        if self.rolls {
            settle(&log)?;
        }
        let files = files_of(&log)?;
        let watch = self.watch.as_ref().ok_or("nobody watches the log")?;
        let (seen, cosigned) = watch.see(&files, self.seen)?;
        self.seen = Some(seen);
        std::fs::write(log.join(COSIGNED), &cosigned).map_err(text)?;
        let stamped = match self.stamper {
            Some(stamper) => stamper.stamp(checkpoint_of(&files)?.as_bytes())?,
            None => Files::new(),
        };
        Ok(Moment { files: files_of(&log)?, size: seen.size, seen, cosigned, stamped })
    }
}

/// Appends lines with the binary; the receipts go where those before are.
pub(super) fn append(tacho: &Tacho, data: &Path, at: &Path, lines: &str) -> Result<(), String> {
    let (events, receipts) = (at.join("events.ndjson"), at.join("receipts.ndjson"));
    std::fs::write(&events, lines).map_err(text)?;
    let words = [
        Path::new("append"),
        events.as_path(),
        Path::new("--data"),
        data,
        Path::new("--receipts"),
        receipts.as_path(),
        Path::new("--batch"),
        Path::new("10"),
    ];
    tacho.fine(&words).map(|_| ())
}

/// What `append` was told, in order.
pub(super) fn receipts_in(path: &Path) -> Result<Vec<Receipt>, String> {
    let lines = std::fs::read_to_string(path).map_err(text)?;
    let read = |line: &str| {
        let receipt: Receipt = serde_json::from_str(line).map_err(text)?;
        Ok(Receipt { line: line.to_owned(), ..receipt })
    };
    lines.lines().map(read).collect()
}

/// Moves everything into segments.
fn settle(log: &Path) -> Result<(), String> {
    let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(log));
    let mut writer =
        seal::open(&folder, Arc::new(kek()), options(Reservation::Off)).map_err(text)?;
    writer.settle_tail().map_err(text)?;
    writer.close().map_err(text)
}

/// The only log in a data folder.
pub(super) fn log_in(data: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(data).map_err(text)?.flatten().map(|entry| entry.path());
    let mut logs = entries.filter(|path| path.join(seal::IDENTITY_PATH).is_file());
    logs.next().ok_or_else(|| format!("no log is in {}", data.display()))
}

/// Puts a state of the log into a data folder of its own.
pub(super) fn place(victim: &Victim, files: &Files, at: &Path) -> Result<PathBuf, String> {
    let log = at.join(&victim.id);
    write_files(&log, files)?;
    Ok(log)
}

/// The checkpoint that is published.
pub(super) fn checkpoint_of(files: &Files) -> Result<String, String> {
    let bytes = files.get(CHECKPOINT_PATH).ok_or("there is no checkpoint")?;
    String::from_utf8(bytes.clone()).map_err(text)
}

/// Events as an agent sends them: refunds, some approved, some failed; numbered by their producer.
pub(super) fn events(numbers: Range<u64>) -> String {
    numbers.map(|number| event(number) + "\n").collect()
}

fn event(number: u64) -> String {
    let (kind, outcome) = match number % 5 {
        0 => ("agent.tool_call", "failure"),
        1 => ("agent.decision", "success"),
        2 => ("agent.reasoning", "success"),
        _ => ("agent.tool_call", "success"),
    };
    json!({
        "event_id": format!("e-{number}"),
        "event_type": kind,
        "agent_name": format!("refund-agent-{}", number % 3),
        "session_id": format!("session {}", number % 7),
        "tool": "refund",
        "outcome": outcome,
        "approver": "alice",
        "producer": { "id": "producer-1", "seq": number + 1 },
        "params": { "order": format!("order {number}"), "units": number },
        "result": "done",
    })
    .to_string()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
