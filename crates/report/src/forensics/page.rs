//! Forensics as a document: timeline, root cause, what followed, recommendations, limits, evidence.

use super::{Basis, BlastRadius, Cause, Confidence, Forensics, Verdict};
use crate::document::{Cell, Column, Document, Evidence, Table, Text, Tone};
use event::Timestamp;
use query::AsOf;
use query::render::{clock, duration};

/// Consequences, failures and events that a page lists; programs get all.
pub(crate) const ROWS_MAX: usize = 50;

/// The answer as a document.
#[must_use]
pub fn document(answer: &Forensics) -> Document {
    let mut page = begun("Incident Forensics", answer);
    course(answer, &mut page);
    limits(answer, &mut page);
    evidence(answer, &mut page);
    page
}

/// A document about what was examined, with all of it in short.
pub(crate) fn begun(title: &str, answer: &Forensics) -> Document {
    let subject = &answer.subject;
    let noun = subject.kind.strip_suffix("_id").unwrap_or(subject.kind);
    let capital = match noun {
        "task" => "Task",
        "session" => "Session",
        _ => "Trace",
    };
    let checkpoint = answer.checkpoint.clone();
    let super::Checkpoint { origin, size, root } = checkpoint;
    let as_of = AsOf { origin, size, root_hex: root };
    let mut page = Document::new(format!("{title} — {capital} {}", subject.id), &as_of);
    if let Some((from, to)) = subject.started_at.as_ref().zip(subject.ended_at.as_ref()) {
        page.fact("Time", format!("{} to {} (UTC)", short(from), short(to)));
    }
    page.fact("Events", format!("{}, by {}", subject.events, subject.agents.join(", ")));
    page.fact("Rules", Text::default().code(answer.rules));
    page.callout(tone(answer.verdict), marked(&in_short(answer)));
    page
}

/// What happened: the timeline, the cause, what followed, what else was touched.
pub(crate) fn course(answer: &Forensics, page: &mut Document) {
    page.heading("Timeline");
    page.table(timeline(answer));
    if answer.timeline_left_out > 0 {
        page.paragraph(format!("{} more events.", answer.timeline_left_out));
    }
    page.heading("Root Cause");
    root_cause(answer, page);
    if !answer.consequences.is_empty() {
        page.heading("What Followed");
        page.table(consequences(answer));
    }
    if let Some(around) = &answer.blast_radius {
        page.heading("Blast Radius");
        blast_radius(around, page);
    }
}

/// What to do, and what nobody can see.
pub(crate) fn limits(answer: &Forensics, page: &mut Document) {
    page.heading("Recommendations");
    recommendations(answer, page);
    page.heading("What Cannot Be Seen");
    let spot = |spot: &super::BlindSpot| {
        let text = marked(&capital_first(&spot.sentence));
        let events = spot.events.get(..3).unwrap_or(&spot.events);
        if events.is_empty() { text } else { named(text.plain(": "), events) }
    };
    page.list(false, answer.blind_spots.iter().map(spot).collect());
}

/// The events that all of it rests on, if there are any.
pub(crate) fn evidence(answer: &Forensics, page: &mut Document) {
    if answer.evidence.is_empty() {
        return;
    }
    page.heading("Evidence");
    page.paragraph(marked(
        "Each of these is proved by `tacho prove INDEX`, under the checkpoint above.",
    ));
    page.table(evidence_table(answer));
}

/// The summary without what the root cause tells in full below.
fn in_short(answer: &Forensics) -> String {
    let sentence = answer.root_cause.as_ref().map(|root| root.sentence.as_str());
    let rest = sentence.and_then(|sentence| answer.summary.strip_prefix(sentence));
    match (sentence.and_then(|sentence| sentence.split(". ").next()), rest) {
        (Some(first), Some(rest)) => format!("{}.{rest}", first.trim_end_matches('.')),
        _ => answer.summary.clone(),
    }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Failed => Tone::Bad,
        Verdict::Escalated | Verdict::Stopped | Verdict::Recovered => Tone::Warning,
        Verdict::NothingFailed => Tone::Good,
    }
}

/// A reference to an event by its index.
pub(crate) fn at(index: u64) -> Evidence {
    Evidence { index, event_id: None }
}

/// Text with references to events behind it.
fn named(text: Text, events: &[u64]) -> Text {
    let events = events.iter().take(ROWS_MAX).enumerate();
    events.fold(text, |text, (number, index)| {
        let text = if number == 0 { text } else { text.plain(", ") };
        text.evidence(&at(*index))
    })
}

/// Text with what stands between back quotes as code.
fn marked(text: &str) -> Text {
    let parts = text.split('`').enumerate();
    parts.fold(Text::default(), |all, (number, part)| match number % 2 {
        0 if part.is_empty() => all,
        0 => all.plain(part),
        _ => all.code(part),
    })
}

fn capital_first(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

/// `2026-11-02 14:23:01` of a stored time.
pub(crate) fn short(time: &str) -> String {
    Timestamp::parse(time).map_or_else(|| time.to_owned(), query::render::date_and_clock)
}

fn time_of_day(time: &str) -> String {
    Timestamp::parse(time).map_or_else(|| time.to_owned(), clock)
}

/// How something ended; where there are no colours, the writer of the format puts a sign before it.
fn status(status: &'static str) -> Cell {
    Cell::text(status).in_tone(match status {
        "success" => Tone::Good,
        "error" | "timeout" => Tone::Bad,
        _ => Tone::Warning,
    })
}

fn timeline(answer: &Forensics) -> Table {
    let row = |step: &super::Step| {
        let error = step.error.as_ref().map(|error| format!(" — {error}")).unwrap_or_default();
        let took = step
            .duration_ms
            .map_or(Cell::default(), |ms| Cell::number(duration(ms), ms.to_string()));
        vec![
            Cell::text(time_of_day(&step.time)),
            Cell::text(step.agent.clone().unwrap_or_default()),
            Cell::text(format!("{}{error}", step.action)),
            took,
            status(step.status),
            Cell::text(Text::default().evidence(&at(step.index))),
        ]
    };
    Table {
        name: "timeline",
        columns: vec![
            Column::text("time", "Time"),
            Column::text("agent", "Agent"),
            Column::text("action", "Action"),
            Column::number("duration_ms", "Duration"),
            Column::text("status", "Status"),
            Column::text("event", "Event"),
        ],
        rows: answer.timeline.iter().map(row).collect(),
        otherwise: "no events",
    }
}

/// The name of a cause, and of the rule that says so.
fn key(cause: Cause) -> String {
    let name = serde_json::to_value(cause).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

/// The same for people.
fn name(cause: Cause) -> String {
    key(cause).replace('_', " ")
}

fn root_cause(answer: &Forensics, page: &mut Document) {
    let Some(root) = &answer.root_cause else {
        return page.paragraph("No event reports a failure, a refusal or a stop.");
    };
    page.paragraph(marked(&root.sentence));
    let confidence = match root.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    let basis = match root.basis {
        Basis::Code => "a status code",
        Basis::Field => "the class of the error, or a field",
        Basis::Words => "words of a message",
        Basis::Outcome => "how it ended, and nothing else",
        Basis::Absence => "something that is missing",
    };
    let text = Text::default()
        .plain("Cause: ")
        .strong(name(root.cause))
        .plain(", by the rule ")
        .code(key(root.cause))
        .plain(" of ")
        .code(answer.rules)
        .plain(format!(". Confidence: {confidence}; it rests on {basis}. Shown by "));
    page.paragraph(named(text, &root.events));
    let others: Vec<Text> = answer
        .other_failures
        .iter()
        .filter(|it| it.relation != "same_again")
        .take(ROWS_MAX)
        .map(|it| {
            let who = it.agent.clone().unwrap_or_default();
            let relation = it.relation.replace('_', " ");
            let text = format!("{}: {who} {} ", relation, name(it.cause));
            Text::from(text).evidence(&at(it.index))
        })
        .collect();
    if !others.is_empty() {
        page.subheading("Other failures");
        page.list(false, others);
    }
}

fn consequences(answer: &Forensics) -> Table {
    let row = |it: &super::Consequence| {
        vec![
            Cell::text(it.kind.as_str().replace('_', " ")),
            Cell::text(it.agent.clone().unwrap_or_default()),
            Cell::text(it.detail.clone().unwrap_or_default()),
            status(it.status),
            Cell::text(if it.is_linked { "by a link" } else { "by time" }),
            Cell::text(Text::default().evidence(&at(it.index))),
        ]
    };
    Table {
        name: "consequences",
        columns: vec![
            Column::text("kind", "What"),
            Column::text("agent", "Agent"),
            Column::text("detail", "Detail"),
            Column::text("status", "Status"),
            Column::text("is_linked", "Told"),
            Column::text("event", "Event"),
        ],
        rows: answer.consequences.iter().take(ROWS_MAX).map(row).collect(),
        otherwise: "nothing",
    }
}

fn blast_radius(around: &BlastRadius, page: &mut Document) {
    page.paragraph(format!(
        "From {} to {} (UTC), {} events of other traces.",
        short(&around.from),
        short(&around.to),
        around.events_seen
    ));
    let row = |it: &super::Shared| {
        let failed = it
            .failed
            .iter()
            .fold(Text::default(), |text, index| text.evidence(&at(*index)).plain(" "));
        vec![
            Cell::text(it.kind.replace('_', " ")),
            Cell::code(it.name.clone()),
            Cell::count(it.events),
            Cell::count(it.failures).in_tone(match it.failures {
                0 => Tone::Plain,
                _ => Tone::Bad,
            }),
            Cell::count(it.traces),
            Cell::text(it.agents.join(", ")),
            Cell::text(failed),
        ]
    };
    page.table(Table {
        name: "blast_radius",
        columns: vec![
            Column::text("kind", "Same"),
            Column::text("name", "Name"),
            Column::number("events", "Events"),
            Column::number("failures", "Failed"),
            Column::number("traces", "Traces"),
            Column::text("agents", "Agents"),
            Column::text("failed", "First failed"),
        ],
        rows: around.shared.iter().map(row).collect(),
        otherwise: "of what failed, no tool, resource, model or caller is known",
    });
}

fn recommendations(answer: &Forensics, page: &mut Document) {
    if answer.recommendations.is_empty() {
        return page.paragraph("None.");
    }
    let item = |it: &super::Recommendation| {
        let Text(action) = marked(&it.action);
        let Text(because) = marked(&format!(": {}.", it.because));
        Text(action.into_iter().chain(because).collect())
    };
    page.list(true, answer.recommendations.iter().map(item).collect());
}

fn evidence_table(answer: &Forensics) -> Table {
    let row = |it: &super::EventReference| {
        vec![
            Cell::text(Text::default().evidence(&at(it.index))),
            Cell::code(it.event_id.clone().unwrap_or_default()),
            Cell::code(it.leaf_hash.clone().unwrap_or_default()),
        ]
    };
    Table {
        name: "evidence",
        columns: vec![
            Column::text("index", "Event"),
            Column::text("event_id", "Event id"),
            Column::text("leaf_hash", "Leaf hash"),
        ],
        rows: answer.evidence.iter().take(ROWS_MAX).map(row).collect(),
        otherwise: "none",
    }
}
