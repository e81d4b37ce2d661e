//! Foreign formats become events: one file per format, and this registry of them.
//!
//! Pure: bytes in, [`Event`]s out, one at a time through a function, so that a large file needs no
//! large memory. A bad record is refused with its place, field and reason; the good ones around it
//! are never lost. Ids are derived from what the foreign record says of itself, so that a second
//! capture of the same bytes makes the same events. What has no field in an event goes to its
//! attributes, under its own name and with its own value, and is counted
//! ([`Summary::unmapped_fields`]).
//!
//! Not here: what an event is (`event`), the removal of secrets (`redact`), files and sockets.
//!
//! ```
//! use capture::{Format, capture};
//! use event::Assurance;
//! let line =
//!     br#"{"agent_id":"7","at":"2026-11-20T16:06:56Z","kind":"agent_registered","name":"alice"}"#;
//! let mut types = Vec::new();
//! let summary = capture(Format::Ag2Audit, Assurance::Imported, line, &mut |captured| {
//!     types.extend(captured.outcome.map(|event| event.event_type.into_owned()));
//! })?;
//! assert_eq!(types, ["hub.agent_registered"]);
//! assert_eq!((summary.records, summary.events, summary.refused), (1, 1, 0));
//! # Ok::<(), capture::CaptureError>(())
//! ```

mod ag2_audit;
mod ag2_spans;
mod ag2_wal;
mod attributes;
mod conventions;
mod fit;
mod forensic_log;
mod format;
mod line_id;
mod lines;
mod native;
mod object;
mod otlp;
mod sink;

pub use format::Format;
pub use otlp::span_event_id;
pub use sink::{Captured, Summary};

use event::Assurance;
#[cfg(doc)]
use event::Event;
use sink::Sink;

/// Why nothing at all could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// The body as a whole is not JSON.
    #[error(
        "the body is not valid JSON: {reason}; send one object, an array of objects, or one object a line"
    )]
    NotJson {
        /// Where and why the parser stopped.
        reason: String,
    },
    /// The JSON is not an OTLP request.
    #[error(
        "the JSON is not an OTLP request: it has neither `resourceSpans` nor `resourceLogs`; choose the format that the file is in"
    )]
    NotOtlp,
    /// The protobuf frame around the records is broken; what stood before the break was captured.
    #[error("the OTLP request is broken at byte {position}: {reason}; send it again")]
    BrokenProtobuf {
        /// Byte offset in the enclosing message.
        position: usize,
        /// What is wrong there.
        reason: &'static str,
    },
}

/// Reads `bytes` in `format` and hands every record to `each`, in order; `assurance` is set on
/// every event, because only the caller knows how the bytes came.
///
/// # Errors
/// [`CaptureError`] when the bytes as a whole are not in the format. Bad records are not errors:
/// they come through `each`.
pub fn capture<'a>(
    format: Format,
    assurance: Assurance,
    bytes: &'a [u8],
    each: &mut dyn FnMut(Captured<'a>),
) -> Result<Summary, CaptureError> {
    let mut sink = Sink::new(assurance, each);
    match format {
        Format::Native => native::capture(bytes, &mut sink),
        Format::Ag2Audit => ag2_audit::capture(bytes, &mut sink),
        Format::Ag2Wal => ag2_wal::capture(bytes, &mut sink),
        Format::Ag2Spans => ag2_spans::capture(bytes, &mut sink),
        Format::OtlpJson => otlp::json::capture(bytes, &mut sink)?,
        Format::OtlpTracesProtobuf => otlp::protobuf::capture_traces(bytes, &mut sink)?,
        Format::OtlpLogsProtobuf => otlp::protobuf::capture_logs(bytes, &mut sink)?,
        Format::ForensicLog => forensic_log::capture(bytes, &mut sink),
    }
    Ok(sink.finish())
}

/// Reads a request body of our own events: one object, an array of objects, or one object a line.
///
/// # Errors
/// [`CaptureError::NotJson`] when an array is broken as JSON or holds more than
/// [`event::limits::BATCH_EVENTS_MAX`] events; nothing of it was captured then.
pub fn capture_body<'a>(
    assurance: Assurance,
    body: &'a [u8],
    each: &mut dyn FnMut(Captured<'a>),
) -> Result<Summary, CaptureError> {
    let mut sink = Sink::new(assurance, each);
    native::capture_body(body, &mut sink)?;
    Ok(sink.finish())
}

/// Whether more than `max` lines hold something, which can be told before any of them is read.
#[must_use]
pub fn has_more_lines_than(max: usize, bytes: &[u8]) -> bool {
    lines::lines(bytes).nth(max).is_some()
}
