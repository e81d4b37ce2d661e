//! What a server says of events that were sent to it (docs/server.md, "Appending").

use serde::Deserialize;

/// What became of a batch.
#[derive(Debug, Deserialize)]
pub struct Landed {
    /// When it was sealed, Unix milliseconds.
    pub recorded_ms: Option<u64>,
    /// What covers it.
    pub checkpoint: Option<String>,
    /// One for each event, in order.
    pub results: Vec<LandedLine>,
}

/// What became of one event.
#[derive(Debug, Deserialize)]
pub struct LandedLine {
    /// Its line in the batch, from 1.
    pub line: u64,
    /// What it is called, if it is in the log.
    #[serde(default)]
    pub event_id: String,
    /// Where it stands.
    pub index: Option<u64>,
    /// The hash of its leaf, in hex.
    #[serde(default)]
    pub leaf_hash: String,
    /// Whether it was there before.
    #[serde(default)]
    pub duplicate: bool,
    /// Why it is not in the log, if it is not.
    pub error: Option<LandedError>,
}

/// Why an event is not in the log.
#[derive(Clone, Debug, Deserialize)]
pub struct LandedError {
    /// The stable code.
    pub code: String,
    /// The field; empty for the event as a whole.
    #[serde(default)]
    pub field: String,
    /// What is wrong, and what to do.
    #[serde(default)]
    pub reason: String,
}
