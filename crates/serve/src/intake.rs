//! Foreign bytes on their way into a batch: capture, redact, encode, on as many cores as are idle.
//!
//! The one place where these three meet. Not here: where the bytes come from, and who waits for the
//! batch.

use capture::{CaptureError, Captured, Format, Summary};
use event::limits::BATCH_EVENTS_MAX;
use event::{Assurance, Code, EventError, Principal, Signature};
use rayon_core::{ThreadPool, ThreadPoolBuilder};
use seal::{Batch, Encoder, Log, SealError};
use std::sync::LazyLock;

/// Lines from this many bytes on are worth a second core: waking a thread costs what 20 events
/// cost.
const SPLIT_BYTES_MIN: usize = 128 << 10;

/// Most threads that wait for second halves: they are taken only while nobody else is busy.
const SECOND_HANDS_MAX: usize = 4;

/// Longer lines are given to a new thread, which takes its memory with it when it ends; beside what
/// they take, a slow start is nothing.
const SECOND_HANDS_BYTES_MAX: usize = 2 << 20;

/// Values in one request of OTLP in JSON, which is built in memory before it is read: each takes
/// some hundred bytes, and two on the wire. An exporter's batch of 512 spans has some 60,000.
const JSON_VALUES_MAX: usize = 250_000;

/// How bytes came to the log, which only their receiver knows.
#[derive(Clone, Debug)]
pub struct Origin {
    /// How far the receiver vouches for them.
    pub assurance: Assurance,
    /// Who sent them, as authenticated.
    pub principal: Option<Principal<'static>>,
    /// For whom, when that was proven too; otherwise what the event claims stays.
    pub on_behalf_of: Option<String>,
}

/// What became of records so far: those that were refused, and the batch of the others.
#[derive(Default)]
pub struct Intake {
    /// Every record that held something, in order: its number from 1, and why it was refused.
    pub lines: Vec<(u64, Option<Box<EventError>>)>,
    /// The events of the records that were not refused, in order.
    pub batch: Batch,
    /// What the capture counted.
    pub summary: Summary,
}

/// Why nothing could be taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The bytes as a whole are not in the format.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The log cannot go on.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// More events than a request may have.
    #[error("a request holds at most 10,000 events, and nothing was sealed; split it into several")]
    TooManyEvents,
    /// JSON that would take many times its bytes in memory.
    #[error(
        "more than {JSON_VALUES_MAX} values in one request; send protobuf, or split it into several"
    )]
    TooManyValues,
}

impl Origin {
    /// From a process on this machine, about which nothing is known but that it could write here.
    #[must_use]
    pub fn local() -> Self {
        Self { assurance: Assurance::Acknowledged, principal: None, on_behalf_of: None }
    }
}

/// Captures, redacts and encodes newline-separated events of our own; `first` is the number of the
/// first line. The caller holds one permit of the log.
///
/// # Errors
/// [`SealError::Entropy`].
pub fn lines(log: &Log, bytes: &[u8], first: u64, origin: &Origin) -> Result<Intake, SealError> {
    let middle = bytes.len() / 2;
    let split =
        memchr::memchr(b'\n', bytes.get(middle..).unwrap_or_default()).map(|at| middle + at + 1);
    let Some(split) = split.filter(|_| bytes.len() >= SPLIT_BYTES_MIN && log.is_quiet()) else {
        return some_lines(log, bytes, first, origin);
    };
    let (head, rest) = bytes.split_at(split);
    let rest_first = first + memchr::memchr_iter(b'\n', head).count() as u64;
    let (intake, second) = at_once(
        bytes.len(),
        || some_lines(log, head, first, origin),
        || some_lines(log, rest, rest_first, origin),
    );
    let (mut intake, second) = (intake?, second?);
    intake.lines.extend(second.lines);
    intake.batch.extend(second.batch);
    Ok(intake)
}

/// Does one thing here, and another on a second core.
fn at_once(
    bytes: usize,
    here: impl FnOnce() -> Result<Intake, SealError>,
    there: impl FnOnce() -> Result<Intake, SealError> + Send,
) -> (Result<Intake, SealError>, Result<Intake, SealError>) {
    let hands = SECOND_HANDS.as_ref().filter(|_| bytes <= SECOND_HANDS_BYTES_MAX);
    let Some(hands) = hands else {
        return std::thread::scope(|scope| {
            let there = scope.spawn(there);
            (here(), there.join().unwrap_or(Err(SealError::Closed)))
        });
    };
    let mut second = Err(SealError::Closed);
    let first = hands.in_place_scope(|scope| {
        scope.spawn(|_| second = there());
        here()
    });
    (first, second)
}

/// Threads that take the second halves: as many as there are cores beside the caller's. They wait
/// for work, because a new thread begins on the core of whoever starts it, and stays there for a
/// while although another is idle.
static SECOND_HANDS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let others = std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
    let threads = ThreadPoolBuilder::new().num_threads(others.clamp(1, SECOND_HANDS_MAX));
    threads.thread_name(|number| format!("tacho-intake-{number}")).build().ok()
});

fn some_lines(log: &Log, bytes: &[u8], first: u64, origin: &Origin) -> Result<Intake, SealError> {
    let taken = take(usize::MAX, log, bytes.len(), first, origin, |each| {
        capture::capture(Format::Native, origin.assurance, bytes, each)
    });
    taken.or_else(|error| match error {
        IntakeError::Seal(error) => Err(error),
        // Native lines have no envelope that could be broken as a whole.
        IntakeError::Capture(_) | IntakeError::TooManyEvents | IntakeError::TooManyValues => {
            Ok(Intake::default())
        }
    })
}

/// What a request body of our own events holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One object a line, whatever the first line looks like: lines are numbered as in a file.
    Lines,
    /// One object, an array, or one object a line, told apart by the bytes.
    Any,
}

/// The same for a request body of our own events.
///
/// With a `key`, events that have no id are given one that follows from it, from who sends them and
/// from their place in the body: the same request sent again is then found to be there already.
///
/// # Errors
/// [`IntakeError`].
pub fn body(
    log: &Log,
    bytes: &[u8],
    origin: &Origin,
    key: Option<&str>,
    shape: Shape,
) -> Result<Intake, IntakeError> {
    let looks_like_lines = || {
        bytes.trim_ascii_start().first() == Some(&b'{')
            && bytes.len() >= SPLIT_BYTES_MIN
            && are_lines(bytes)
    };
    let by_line = shape == Shape::Lines || looks_like_lines();
    // Told before any is read: ten thousand events and their refusals take more than they did.
    if by_line && capture::has_more_lines_than(BATCH_EVENTS_MAX, bytes) {
        return Err(IntakeError::TooManyEvents);
    }
    // Lines are by far the most, and may be halved.
    if key.is_none() && by_line {
        return Ok(lines(log, bytes, 1, origin)?);
    }
    take(BATCH_EVENTS_MAX, log, bytes.len(), 1, origin, |each| match shape {
        Shape::Lines => {
            capture::capture(Format::Native, origin.assurance, bytes, &mut |mut captured| {
                identify(&mut captured, key, origin);
                each(captured);
            })
        }
        Shape::Any => capture::capture_body(origin.assurance, bytes, &mut |mut captured| {
            identify(&mut captured, key, origin);
            each(captured);
        }),
    })
}

/// Gives an event without an id one that follows from the key of its request, if that has one.
fn identify(captured: &mut Captured<'_>, key: Option<&str>, origin: &Origin) {
    if let (Some(key), Ok(event)) = (key, &mut captured.outcome) {
        event.event_id.get_or_insert_with(|| derived(key, captured.line, origin).into());
    }
}

/// The id of an event without one, by the key of its request.
fn derived(key: &str, line: u64, origin: &Origin) -> String {
    let principal = origin.principal.as_ref();
    let part = |text: Option<&str>| text.unwrap_or_default().as_bytes().to_vec();
    let issuer = part(principal.and_then(|it| it.issuer.as_deref()));
    let subject = part(principal.and_then(|it| it.subject.as_deref()));
    event::id::derive("idempotency-key", &[&issuer, &subject, key.as_bytes(), &line.to_be_bytes()])
}

/// Whether the second line begins another object: then these are lines, and not one object that is
/// laid out over several.
fn are_lines(bytes: &[u8]) -> bool {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    line.trim_ascii().len() > 1 && rest.trim_ascii_start().first() == Some(&b'{')
}

/// The same for another format.
///
/// # Errors
/// [`IntakeError`].
pub fn foreign(
    log: &Log,
    format: Format,
    bytes: &[u8],
    origin: &Origin,
) -> Result<Intake, IntakeError> {
    if format == Format::OtlpJson && json_values(bytes) > JSON_VALUES_MAX {
        return Err(IntakeError::TooManyValues);
    }
    take(BATCH_EVENTS_MAX, log, bytes.len(), 1, origin, |each| {
        capture::capture(format, origin.assurance, bytes, each)
    })
}

/// How many values JSON has, whether or not it is well formed: one behind every comma, one in every
/// array and object.
fn json_values(bytes: &[u8]) -> usize {
    let (mut count, mut in_text, mut is_escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_text,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

/// Gives what `capture` captures to an encoder, redacted: `max` events, and one more.
fn take<'a>(
    max: usize,
    log: &Log,
    bytes: usize,
    first: u64,
    origin: &Origin,
    capture: impl FnOnce(&mut dyn FnMut(Captured<'a>)) -> Result<Summary, CaptureError>,
) -> Result<Intake, IntakeError> {
    let mut lines = Vec::with_capacity((bytes / 512).min(BATCH_EVENTS_MAX));
    let mut encoder = log.encoder(bytes);
    let mut encoded = Ok(());
    let summary = capture(&mut |mut captured| {
        if lines.len() > max {
            return;
        }
        let number = first + captured.line - 1;
        // An event is large, and stays where it is.
        match &mut captured.outcome {
            Ok(event) => {
                if let Err(error) = admit(&encoder, event, origin) {
                    lines.push((number, Some(Box::new(error))));
                    return;
                }
                lines.push((number, None));
                if encoded.is_ok() {
                    encoded = seal_in(log, &mut encoder, event, origin);
                }
            }
            Err(_) => lines.push((number, captured.outcome.err().map(Box::new))),
        }
    })?;
    encoded?;
    Ok(Intake { lines, batch: encoder.finish(), summary })
}

/// Whether an event may be taken in, by its signature and by what its sender proved.
fn admit(
    encoder: &Encoder<'_>,
    event: &event::Event<'_>,
    origin: &Origin,
) -> Result<(), EventError> {
    encoder.admit(event)?;
    let is_signed = || event.signature.as_deref().is_some_and(|it| Signature::parse(it).is_some());
    match (&event.on_behalf_of, &origin.on_behalf_of) {
        (Some(signed), Some(proven)) if signed != proven && is_signed() => Err(EventError::new(
            Code::BadSignature,
            "on_behalf_of",
            "the agent signed another name than the one that its credential acts for; leave the \
             field out, or sign the same",
        )),
        _ => Ok(()),
    }
}

fn seal_in(
    log: &Log,
    encoder: &mut Encoder<'_>,
    event: &mut event::Event<'_>,
    origin: &Origin,
) -> Result<(), SealError> {
    if let Some(principal) = &origin.principal {
        event.principal = Some(principal.clone());
    }
    if let Some(subject) = &origin.on_behalf_of {
        event.on_behalf_of = Some(subject.clone().into());
    }
    Ok(encoder.push(log.redactor().redact_in_place(event))?)
}

#[cfg(test)]
mod tests {
    use super::json_values;

    #[test]
    fn values_are_counted_and_what_stands_in_texts_is_not() {
        for (json, count) in [
            (r#"{}"#, 1),
            (r#"{"a":1,"b":[1,2,{}]}"#, 6),
            (r#"{"a,[{":",,,[[[{{{"}"#, 1),
            (r#"["\",",","\",","]"#, 3),
            (r#"["\\",","]"#, 2),
            ("[[[[", 4),
        ] {
            assert_eq!(json_values(json.as_bytes()), count, "{json}");
        }
    }
}
