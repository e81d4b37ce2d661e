//! What holds for every capture, whatever the format and however broken the bytes.
//!
//! Not here: what a good file becomes; that is `capture`'s own tests.

use crate::stored::assert_reads_back;
use capture::{CaptureError, Captured, Format, Summary, capture, capture_body};
use event::{Assurance, Event, EventError};

type Outcome<'a> = (u64, Result<Event<'a>, EventError>);

/// Captures twice: both times the same events, each within the limits, marked with the assurance,
/// readable after it was stored, and counted.
pub fn assert_capture_holds(format: Format, bytes: &[u8]) {
    let first = run(|each| capture(format, Assurance::Imported, bytes, each));
    let second = run(|each| capture(format, Assurance::Imported, bytes, each));
    assert_eq!(first, second, "a second capture gives the same events");
    assert_outcomes(&first.0, &first.1, format != Format::Native);
}

/// The same for a request body of our own events.
pub fn assert_body_holds(bytes: &[u8]) {
    let first = run(|each| capture_body(Assurance::Acknowledged, bytes, each));
    let second = run(|each| capture_body(Assurance::Acknowledged, bytes, each));
    assert_eq!(first, second, "a second capture gives the same events");
    assert_outcomes(&first.0, &first.1, false);
    if first.1.is_err() {
        assert!(first.0.is_empty(), "a body that is refused as a whole gives no event");
    }
}

/// What one capture handed out, and what it came to.
fn run<'a>(
    capture: impl FnOnce(&mut dyn FnMut(Captured<'a>)) -> Result<Summary, CaptureError>,
) -> (Vec<Outcome<'a>>, Result<Summary, CaptureError>) {
    let mut outcomes = Vec::new();
    let summary = capture(&mut |captured| outcomes.push((captured.line, captured.outcome)));
    (outcomes, summary)
}

fn assert_outcomes(
    outcomes: &[Outcome<'_>],
    summary: &Result<Summary, CaptureError>,
    ids_are_made: bool,
) {
    let mut last = 0;
    for (line, outcome) in outcomes {
        assert!(*line >= 1 && *line >= last, "records come in order");
        last = *line;
        let Ok(event) = outcome else { continue };
        event.check().expect("every event is within the limits");
        assert!(event.assurance.is_some(), "the receiver's assurance is set");
        assert!(event.event_id.is_some() || !ids_are_made, "every foreign record gets an id");
        assert_reads_back(event);
    }
    if let Ok(summary) = summary {
        let events = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count();
        assert_eq!(summary.events, events as u64);
        assert_eq!(summary.refused, (outcomes.len() - events) as u64);
        assert!(summary.unmapped_fields.len() <= Summary::UNMAPPED_NAMES_MAX + 1);
    }
}
