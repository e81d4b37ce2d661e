//! Questions that are answered by records, rows and drawings.

use super::documents::{AgentActivity, Evidence, Page, Record, SessionActivity, Trace};
use super::{About, Group, Media, Parameter, Value};
use crate::sql::Asked;

pub(super) const CONTENT: Parameter = Parameter::query(
    "content",
    Value::Flag,
    "Whether content is answered; without the right to see it, asking for it is refused. Without this: as the \
     credential allows.",
);

const EVENT: &str = "The event's id, or its index.";
pub(super) const TRACE: &str = "The id of a trace, a task or a session.";

const OUTCOMES: Value = Value::Choice(event::Outcome::NAMES);
const TIERS: Value = Value::Choice(&["debug", "info", "compliance", "critical"]);

/// The filters that the commands have too.
const FILTERS: [Parameter; 16] = [
    Parameter::query("event", Value::Text, "The event's id.").repeats(),
    Parameter::query("agent", Value::Text, "The agent's name or id.").repeats(),
    Parameter::query("type", Value::Text, "The event's type; `tool.*` for all that begin so.")
        .repeats(),
    Parameter::query("session", Value::Text, "The session.").repeats(),
    Parameter::query("trace", Value::Text, "The trace.").repeats(),
    Parameter::query("task", Value::Text, "The task.").repeats(),
    Parameter::query("tool", Value::Text, "The tool.").repeats(),
    Parameter::query("principal", Value::Text, "Who sent it, as authenticated.").repeats(),
    Parameter::query("error_type", Value::Text, "The error's class.").repeats(),
    Parameter::query("outcome", OUTCOMES, "How it ended.").repeats(),
    Parameter::query("tier", TIERS, "The tier.").repeats(),
    Parameter::query(
        "kind",
        Value::Choice(&["event", "log"]),
        "`event` leaves out the log's own records, `log` leaves out everybody else's.",
    ),
    Parameter::query("from", Value::Time, "From this time on."),
    Parameter::query("to", Value::Time, "Before this time."),
    Parameter::query(
        "text",
        Value::Text,
        "Words and \"quoted phrases\" that all occur in the record. It looks into content, so it needs the right to \
         see that.",
    ),
    CONTENT,
];

const PAGING: [Parameter; 4] = [
    Parameter::query(
        "limit",
        Value::Number(1, 10_000),
        "Records in one page at most; 100 if nothing is said.",
    ),
    Parameter::query(
        "order",
        Value::Choice(&["newest", "oldest"]),
        "Which come first; the newest if nothing is said.",
    ),
    Parameter::query(
        "cursor",
        Value::Text,
        "Where the page begins: `next` of the page before, with the same filters.",
    ),
    Parameter::query(
        "format",
        Value::Choice(&["json", "ndjson"]),
        "One document, or one record a line.",
    ),
];

/// Headers of an answer out of a log.
pub(super) const HEADERS: &[(&str, &str)] = &[
    (
        "Tachograph-Checkpoint",
        "The checkpoint that the answer is as of: origin, size, root in hex.",
    ),
    (
        "Tachograph-Unreadable",
        "So many of the records that the answer covers cannot be read; absent when all can.",
    ),
    ("Tachograph-Unreadable-From", "The index of the first of them."),
    ("Tachograph-Unreadable-Why", "Why it cannot be read."),
];
const PAGE_HEADERS: &[(&str, &str)] = &[
    (
        "Tachograph-Checkpoint",
        "The checkpoint that the answer is as of: origin, size, root in hex.",
    ),
    (
        "Tachograph-Unreadable",
        "So many of the records that the answer covers cannot be read; absent when all can.",
    ),
    ("Tachograph-Unreadable-From", "The index of the first of them."),
    ("Tachograph-Unreadable-Why", "Why it cannot be read."),
    (
        "Tachograph-Next",
        "Where the next page begins when this one ended early; a document also says it as `next`.",
    ),
];

const PROOF_HEADERS: &[(&str, &str)] = &[
    (
        "Tachograph-Checkpoint",
        "The checkpoint that the answer is as of: origin, size, root in hex.",
    ),
    ("Tachograph-Index", "The index that is proved."),
    ("Tachograph-Key", "The verifier key that is in force there."),
];

/// What every question may be told.
fn question(name: &'static str, summary: &'static str) -> About {
    About::new(Group::Asking, name, summary)
        .refuses(400, &["bad_parameter", "unknown_parameter", "bad_cursor", "bad_question"])
        .refuses(500, &["log_unreadable"])
}

fn page(name: &'static str, summary: &'static str) -> About {
    question(name, summary).reads(FILTERS).reads(PAGING).answers_with(
        200,
        "A page of records.",
        [Media::json::<Page>(), Media::lines::<Record>()],
        PAGE_HEADERS,
    )
}

pub(crate) fn events() -> About {
    page("listEvents", "Records that fit all filters")
}

pub(crate) fn agent() -> About {
    page("getAgent", "An agent's records")
        .names("The agent's name or id.")
        .detail("The filter `agent` has no effect here.")
}

pub(crate) fn event() -> About {
    question("getEvent", "The record of an id or index").names(EVENT).reads([CONTENT]).answers_with(
        200,
        "A document with one record.",
        [Media::json::<Page>()],
        HEADERS,
    )
}

pub(crate) fn proof() -> About {
    let evidence = "Everything that proves it: the record, its salts, the proof and the keys.";
    question("getProof", "The proof that an event is in the log")
        .names(EVENT)
        .reads([Parameter::query("evidence", Value::Flag, evidence), CONTENT])
        .answers_with(
            200,
            "A C2SP tlog-proof (https://c2sp.org/tlog-proof), or an evidence document, which `tacho verify` checks \
             anywhere.",
            [Media::text("text/plain; charset=utf-8"), Media::json::<Evidence>()],
            PROOF_HEADERS,
        )
}

fn whole(name: &'static str, summary: &'static str) -> About {
    question(name, summary)
        .reads([CONTENT])
        .answers_with(
            200,
            "All of it, in causal order, with nodes and edges.",
            [Media::json::<Trace>()],
            HEADERS,
        )
        .refuses(413, &["too_large"])
}

pub(crate) fn trace() -> About {
    whole("getTrace", "A trace, or else the task or session of this id").names(TRACE)
}

pub(crate) fn session() -> About {
    whole("getSession", "A session").names("The session's id.")
}

pub(crate) fn graph() -> About {
    let formats = Value::Choice(&["json", "dot", "mermaid", "svg"]);
    question("getGraph", "A trace drawn as a graph, without content")
        .names(TRACE)
        .reads([Parameter::query("format", formats, "How it is drawn; `json` if nothing is said.")])
        .answers_with(
            200,
            "The graph.",
            [
                Media::json::<Trace>(),
                Media::text("text/vnd.graphviz"),
                Media::text("text/plain; charset=utf-8"),
                Media::text("image/svg+xml"),
            ],
            HEADERS,
        )
        .refuses(413, &["too_large"])
}

pub(crate) fn sessions() -> About {
    question("listSessions", "Which sessions there are, and what happened in them").answers_with(
        200,
        "One line for each.",
        [Media::json::<SessionActivity>()],
        HEADERS,
    )
}

pub(crate) fn agents() -> About {
    question("listAgents", "Which agents there are, and how active they were").answers_with(
        200,
        "One line for each.",
        [Media::json::<AgentActivity>()],
        HEADERS,
    )
}

pub(crate) fn dashboard() -> About {
    About::new(Group::Asking, "getDashboard", "What agents did lately")
        .detail("Errors are looked for among the newest 20,000 events of the period. Their messages are content: whoever may not see it gets none, and a look at them is recorded.")
        .reads([
            Parameter::query(
                "minutes",
                Value::Number(1, crate::dashboard::MINUTES_MAX),
                "Minutes up to now; 60 if nothing is said.",
            ),
            Parameter::query(
                "steps",
                Value::Number(1, crate::dashboard::STEPS_MAX),
                "Steps of the timeline at most; 60 if nothing is said, and none shorter than a minute.",
            ),
            CONTENT,
        ])
        .answers(200, "Figures as of one checkpoint.", [Media::json::<crate::dashboard::Dashboard>()])
        .refuses(400, &["bad_parameter", "unknown_parameter", "bad_question"])
        .refuses(500, &["log_unreadable"])
}

pub(crate) fn live() -> About {
    let place = Value::Number(0, u64::MAX);
    About::new(Group::Asking, "follow", "What is added, as it is added")
        .detail(
            "Server-sent events: `record` with one record and its index as the id, `missed` with how many records \
             were left out because the listener was too slow. What is shown is acknowledged and not always published \
             yet. It never ends by itself.",
        )
        .reads(FILTERS)
        .reads([
            Parameter::query("from_index", place, "Begin at this index."),
            Parameter::header("Last-Event-ID", place, "Go on behind this index; browsers send it when they reconnect."),
        ])
        .answers(200, "The feed.", [Media::text("text/event-stream")])
        .refuses(400, &["bad_parameter", "unknown_parameter", "bad_cursor"])
        .refuses(500, &["log_unreadable"])
}

pub(crate) fn sql() -> About {
    let formats = Value::Choice(&["json", "ndjson", "csv"]);
    About::new(Group::Asking, "askSql", "One SELECT over the table `events`")
        .detail(
            "Read-only, of this log alone, with limits of time, memory and rows. Without the right to see content its \
             columns are not there. The log keeps every statement.",
        )
        .reads([Parameter::query("format", formats, "How rows are written; `json` if nothing is said.")])
        .takes([Media::json::<Asked>()])
        .answers_with(
            200,
            "The rows; `truncated` says whether there are more.",
            [Media::json::<Rows>(), SQL_LINES, Media::text("text/csv; charset=utf-8")],
            HEADERS,
        )
        .refuses_bodies()
        .refuses(400, &["bad_parameter", "not_json"])
        .refuses(403, &["sql_not_read_only"])
        .refuses(422, SQL_REFUSALS)
        .refuses(500, &["log_unreadable", "sql_damaged"])
        .refuses(501, &["no_sql"])
}

const SQL_LINES: Media = Media::text("application/x-ndjson");

const SQL_REFUSALS: &[&str] = &[
    "sql_syntax",
    "sql_plan",
    "sql_not_one_statement",
    "sql_unknown_table",
    "sql_unknown_function",
    "sql_not_supported",
    "sql_too_long",
    "sql_too_complex",
    "sql_timeout",
    "sql_memory",
    "sql_failed",
];

/// Rows of values.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Rows {
    checkpoint: super::documents::Checkpoint,
    columns: Vec<String>,
    rows: Vec<Vec<serde_json::Value>>,
    /// Whether there are more rows than were answered.
    truncated: bool,
}
