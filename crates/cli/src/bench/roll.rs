//! `tacho bench roll`: what making segments costs a log that is written to without a pause, and how
//! much of it is on the disk in the end.
//!
//! The same events go into two new logs one after the other: one makes no segments while it is
//! written to, the other does as every log does.

use super::measure::{bytes_below, peak_resident_mib};
use super::{Filled, fill, settle};
use seal::Log;
use serde::Serialize;
use std::path::Path;
use std::time::Instant;

/// One way of writing the events; the names are part of the machine output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RollRow {
    /// `no segments meanwhile` or `as usual`.
    pub case: &'static str,
    /// Events appended.
    pub events: u64,
    /// Bytes of them as NDJSON.
    pub ndjson_bytes: u64,
    /// Seconds until the last was acknowledged.
    pub append_seconds: f64,
    /// Events durably acknowledged in a second.
    pub events_per_second: f64,
    /// Ended journal files that waited then.
    pub backlog: usize,
    /// Seconds from there until everything was in segments.
    pub settle_seconds: f64,
    /// The most memory that the process had resident so far.
    pub peak_rss_mib: f64,
    /// Bytes below each folder of the log when it was closed, and in files of its own.
    pub disk: Disk,
    /// All of it as a share of the NDJSON.
    pub share: f64,
}

/// Bytes on disk.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Disk {
    /// Records that are in no segment yet.
    pub journal: u64,
    /// Records.
    pub segments: u64,
    /// The public log: entries and hashes.
    pub tree: u64,
    /// What is made again when it is missing.
    pub cache: u64,
    /// Everything, also what has no name here.
    pub total: u64,
}

/// How to append.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Events.
    pub count: usize,
    /// Events in a batch.
    pub batch: usize,
    /// Threads.
    pub producers: usize,
}

/// Fills one log, waits until it is at rest, and closes it.
///
/// # Errors
/// A sentence with the log's first refusal.
pub(crate) fn run(
    case: &'static str,
    log: Log,
    folder: &Path,
    plan: Plan,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<RollRow, String> {
    let begun = Instant::now();
    let Filled { events, bytes } = fill(&log, plan.count, plan.batch, plan.producers, progress)
        .map_err(|error| error.to_string())?;
    let append_seconds = begun.elapsed().as_secs_f64();
    let backlog = log.backlog();
    let settle_seconds = settle(&log)? / 1e6;
    log.close().map_err(|error| error.to_string())?;
    let below = |name: &str| bytes_below(&folder.join(name));
    let disk = Disk {
        journal: below(store::JOURNAL_FOLDER),
        segments: below(segment::SEGMENT_FOLDER),
        tree: below("tile"),
        cache: below("cache"),
        total: bytes_below(folder),
    };
    Ok(RollRow {
        case,
        events,
        ndjson_bytes: bytes,
        append_seconds,
        events_per_second: events as f64 / append_seconds,
        backlog,
        settle_seconds,
        peak_rss_mib: peak_resident_mib(),
        share: disk.total as f64 / bytes.max(1) as f64,
        disk,
    })
}
