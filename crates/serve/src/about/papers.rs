//! Questions that are answered by whole documents: reports, examinations, evidence.

use super::asking::{CONTENT, HEADERS, TRACE};
use super::documents::Checkpoint;
use super::{About, Group, Media, Parameter, Value};
use crate::{paper, reports};
use report::bundle::Form;
use schemars::JsonSchema;
use serde_json::{Map, Value as Json};

const TEXT: Media = Media::text("text/plain; charset=utf-8");
const MARKDOWN: Media = Media::text("text/markdown; charset=utf-8");
const PAGE: Media = Media::text("text/html; charset=utf-8");
const PDF: Media = Media::bytes("application/pdf");
const TABLE: Media = Media::text("text/csv; charset=utf-8");

fn about(name: &'static str, summary: &'static str) -> About {
    About::new(Group::Asking, name, summary)
        .refuses(400, &["bad_parameter", "unknown_parameter", "bad_question"])
        .refuses(500, &["log_unreadable"])
}

fn format(known: &'static [&'static str]) -> Parameter {
    let text = "How it is written; `json` if nothing is said.";
    Parameter::query("format", Value::Choice(known), text)
}

pub(crate) fn report() -> About {
    let period = "Events from this time on.";
    about("getReport", "A report over a period")
        .names(reports::NAMES)
        .detail(
            "Counted anew for every request, as `tacho report` counts. Its JSON has a member for each number, and \
             begins with `report`, `checkpoint`, `period` and `records`. `compliance-check` holds a pack of controls \
             against the log: evidence toward them, and no statement that anybody complies. It looks into content, so it \
             needs the right to see that. `incident` is the examination of a trace as a report to hand over, with \
             impact, people, lines to sign, and the proofs of what it rests on for those who may read proofs.",
        )
        .reads([
            Parameter::query("from", Value::Time, period),
            Parameter::query("to", Value::Time, "Events before this time."),
            format(reports::FORMATS),
            Parameter::query("table", Value::Text, "Which of its tables, as csv; the first if nothing is said."),
            Parameter::query(
                "pack",
                Value::Text,
                "Of `compliance-check` alone: which shipped pack; `governance` if nothing is said.",
            ),
            Parameter::query(
                "trace",
                Value::Text,
                "Of `incident` alone: the id of the trace, or else of a task or a session.",
            ),
            CONTENT,
        ])
        .answers_with(
            200,
            "The report.",
            [Media::json::<AnyReport>(), MARKDOWN, PAGE, TABLE, TEXT, PDF],
            HEADERS,
        )
        .refuses(413, &["too_large"])
}

pub(crate) fn forensics() -> About {
    let alone = "Whether only the trace itself is looked at, and not what else happened around it.";
    about("getForensics", "What failed first in a trace, why, what followed, and what to do")
        .names(TRACE)
        .detail(
            "By documented rules (docs/forensics.md), as `tacho forensics` examines it. Without content the rules have \
             metadata alone.",
        )
        .reads([format(paper::FORMATS), Parameter::query("alone", Value::Flag, alone), CONTENT])
        .answers_with(
            200,
            "The examination.",
            [Media::json::<Examination>(), MARKDOWN, PAGE, TEXT, PDF],
            HEADERS,
        )
        .refuses(413, &["too_large"])
}

pub(crate) fn bundle() -> About {
    about("getBundle", "Evidence as one file that checks itself")
        .detail(
            "The records of a session, a trace (or else task) or an event, a proof for each, the signed checkpoint, \
             figures, and what shows that none was left out; as `tacho bundle` makes it. Name one of the three. As \
             `html` it is one page that checks itself in a browser, offline; as `zip` that page, the same as JSON, and \
             tlog-proofs; `tacho verify` checks each. It is not encrypted, and the log records who took it.",
        )
        .reads([
            Parameter::query("session", Value::Text, "The session's id."),
            Parameter::query("trace", Value::Text, "The id of a trace or a task."),
            Parameter::query("event", Value::Text, "The event's id, or its index."),
            format(Form::NAMES),
            CONTENT,
        ])
        .answers_with(
            200,
            "The bundle.",
            [Media::json::<Bundle>(), PAGE, Media::bytes("application/zip")],
            FILE_HEADERS,
        )
        .refuses(413, &["too_large"])
}

const FILE_HEADERS: &[(&str, &str)] = &[
    (
        "Tachograph-Checkpoint",
        "The checkpoint that the answer is as of: origin, size, root in hex.",
    ),
    ("Content-Disposition", "A name for the file."),
];

/// A report that counts, a pack that was held against the log, or an incident.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
#[serde(untagged)]
enum AnyReport {
    Counted(Report),
    Controls(PackAnswers),
    Incident(Box<IncidentReport>),
}

/// An examination, and what people ask of it who were not there (docs/forensics.md).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct IncidentReport {
    /// `incident`.
    report: String,
    #[serde(flatten)]
    examination: Examination,
    /// What it cost, and whom it hit.
    impact: Map<String, Json>,
    /// Who was involved, and how the log knows.
    people: Vec<Map<String, Json>>,
    /// What people decided.
    decisions: Vec<Map<String, Json>>,
    /// `index` and `tlog_proof` of the events that it rests on.
    proofs: Vec<Map<String, Json>>,
}

/// What every report begins with; docs/reports.md names the numbers that follow.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Report {
    report: String,
    checkpoint: Checkpoint,
    period: ReportPeriod,
    records: ReportRecords,
}

/// What was asked, and when the first and the last event in it happened.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct ReportPeriod {
    from: Option<String>,
    to: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

/// Which records the numbers are about.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct ReportRecords {
    /// Entries of the log.
    in_log: u64,
    /// Those of which nothing is left.
    expired_or_erased: u64,
    /// Events of the period whose content was erased.
    content_erased: u64,
    /// Records of the log itself in the period that the caller may know of; they count nowhere.
    of_the_log_itself: u64,
    /// Whether what stands in content was left out.
    content_hidden: bool,
}

/// The answers to the controls of a pack (docs/compliance.md).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct PackAnswers {
    pack: String,
    version: String,
    title: String,
    /// What is always to be said beside them.
    limits: String,
    checkpoint: Checkpoint,
    /// Records that were looked at.
    records: u64,
    /// Those that could not be read.
    unreadable: u64,
    /// Controls by verdict: `pass`, `fail`, `not_assessable`, `manual`.
    counts: Map<String, Json>,
    controls: Vec<ControlAnswer>,
    recommendations: Vec<String>,
}

/// The answer to one control.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct ControlAnswer {
    id: String,
    clause: String,
    predicate: String,
    /// `pass`, `fail`, `not_assessable` or `manual`.
    verdict: String,
    /// What was found, in a sentence.
    found: String,
    /// Events that are not as asked for.
    offending: u64,
    /// The first of them.
    events: Vec<Named>,
}

/// An event that an answer rests on.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Named {
    index: u64,
    event_id: Option<String>,
}

/// What became of a trace (docs/forensics.md).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Examination {
    checkpoint: Checkpoint,
    /// The version of the rules.
    rules: String,
    /// What was looked at.
    subject: Map<String, Json>,
    /// `failed`, `escalated`, `stopped`, `recovered` or `nothing_failed`.
    verdict: String,
    summary: String,
    /// What happened, causes before effects.
    timeline: Vec<Map<String, Json>>,
    timeline_left_out: u64,
    /// Why, as far as the log shows; null when nothing failed.
    root_cause: Option<Map<String, Json>>,
    other_failures: Vec<Map<String, Json>>,
    consequences: Vec<Map<String, Json>>,
    /// What else touched the same things: an object, or null when it was not asked for.
    blast_radius: Json,
    blind_spots: Vec<Map<String, Json>>,
    recommendations: Vec<Map<String, Json>>,
    /// What all of this rests on.
    evidence: Vec<Named>,
}

/// A bundle of evidence (docs/internals/format.md, section 18).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Bundle {
    /// `tachograph.bundle/1`.
    format: String,
    origin: String,
    /// What it is about: `kind` and `id`.
    subject: Map<String, Json>,
    /// The log's verifier keys, not to be trusted for being here.
    vkeys: Vec<String>,
    /// The signed checkpoint.
    checkpoint: String,
    figures: Map<String, Json>,
    records: Vec<Map<String, Json>>,
    /// The streams of which these are all records.
    streams: Vec<String>,
    /// Public entries after their last records.
    rest: Vec<Map<String, Json>>,
}
