//! What the formats promise, on recorded data.

mod golden;
mod hostile;
mod otlp_conventions;
mod promises;

use capture::{Captured, Format, Summary, capture};
use event::{Assurance, Event, EventError};
use std::path::{Path, PathBuf};

/// One file of every format.
const FORMATS_OF_FILES: &[(Format, &str)] = &[
    (Format::Native, "incident/refund.ndjson"),
    (Format::Ag2Audit, "ag2/hub/audit.jsonl"),
    (Format::Ag2Wal, "ag2/hub/wal-2.jsonl"),
    (Format::Ag2Spans, "ag2/hub/spans.jsonl"),
    (Format::OtlpJson, "otlp/traces.json"),
    (Format::OtlpJson, "otlp/logs.json"),
    (Format::OtlpTracesProtobuf, "otlp/traces.pb"),
    (Format::OtlpLogsProtobuf, "otlp/logs.pb"),
    (Format::ForensicLog, "forensic/forensics_SeniorCoder.log"),
];

/// A file under the repository's `testdata`.
fn testdata(path: &str) -> Vec<u8> {
    let path = testdata_folder().join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn testdata_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// Everything that a capture hands out.
fn all(format: Format, bytes: &[u8]) -> (Vec<Captured<'_>>, Summary) {
    let mut captured = Vec::new();
    let summary = capture(format, Assurance::Imported, bytes, &mut |one| captured.push(one));
    (captured, summary.expect("the file is in its format"))
}

/// The events alone, in order.
fn events(format: Format, bytes: &[u8]) -> Vec<Event<'_>> {
    all(format, bytes).0.into_iter().filter_map(|captured| captured.outcome.ok()).collect()
}

/// The refusals alone, with their lines.
fn refusals(format: Format, bytes: &[u8]) -> Vec<(u64, EventError)> {
    let captured = all(format, bytes).0.into_iter();
    captured.filter_map(|one| one.outcome.err().map(|error| (one.line, error))).collect()
}

/// The events as the log would store them.
fn stored(events: &[Event<'_>]) -> Vec<String> {
    events.iter().map(|event| format!("{}\n{}", meta(event), content(event))).collect()
}

fn meta(event: &Event<'_>) -> String {
    let mut bytes = Vec::new();
    event.write_meta(&mut bytes);
    String::from_utf8(bytes).expect("metadata is UTF-8")
}

fn content(event: &Event<'_>) -> String {
    let mut bytes = Vec::new();
    event.write_content(&mut bytes);
    String::from_utf8(bytes).expect("content is UTF-8")
}
