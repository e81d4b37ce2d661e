//! Schemas of documents that are not written from a structure of ours: records are spliced in as
//! they are stored (`query::row`), traces are written by `query`, evidence by `prove`.
//!
//! Nothing is ever read into these or written from them. The step `exporters` of `cargo xtask test`
//! compares what the server answers with them.

#![expect(dead_code, reason = "they are there for their schemas")]

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// Why a request was not answered (RFC 9457).
#[derive(JsonSchema)]
pub(crate) struct Problem {
    /// `urn:tachograph:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What programs tell it by; never changes.
    code: String,
    /// What happened, why, and what to do.
    detail: String,
}

/// Events: one, or a list of them.
#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum Events {
    /// One.
    One(Box<NewEvent>),
    /// Up to 10,000.
    Many(Vec<NewEvent>),
}

/// One audited act, as its producer tells it; at most 1 MiB. Members that are not named here are
/// kept as attributes. Members that are null count as absent.
#[derive(JsonSchema)]
pub(crate) struct NewEvent {
    /// The dotted name of its type, such as `agent.tool_call`; names that begin with `log.` are the
    /// log's own.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[^\s\x00-\x1f\x7f]+$"))]
    event_type: String,
    /// A UUID or any other text: the same event again is recognised by it. The log gives one if
    /// there is none.
    #[schemars(length(max = 128))]
    event_id: Option<String>,
    /// When it happened, by the producer's clock: RFC 3339, or Unix seconds.
    timestamp: Option<Moment>,
    #[serde(flatten)]
    names: Names,
    #[serde(flatten)]
    figures: Figures,
    /// What the act was given.
    params: Option<Value>,
    /// What came of it.
    result: Option<Value>,
    /// Why it was done.
    reasoning: Option<Value>,
    /// The error, in full.
    error: Option<Value>,
    /// Anything else.
    attributes: Option<Map<String, Value>>,
}

/// A moment.
#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum Moment {
    /// RFC 3339.
    Text(#[schemars(extend("format" = "date-time"))] String),
    /// Seconds since 1970.
    Seconds(f64),
}

#[derive(JsonSchema)]
pub(crate) struct Names {
    /// The acting agent's name.
    agent_name: Option<String>,
    /// The acting agent's id in its framework.
    agent_id: Option<String>,
    /// The acting agent's version.
    agent_version: Option<String>,
    /// The task worked on.
    task_id: Option<String>,
    /// The session.
    session_id: Option<String>,
    /// The trace.
    trace_id: Option<String>,
    /// The event that this one belongs under.
    parent_event_id: Option<String>,
    /// Events that led to this one, beside the parent.
    caused_by: Option<Vec<String>>,
    /// What was done, for people.
    action: Option<String>,
    /// The tool.
    tool: Option<String>,
    /// The version of what acted.
    version: Option<String>,
    /// The error's class.
    error_type: Option<String>,
    /// Who asked.
    source: Option<String>,
    /// For whom.
    on_behalf_of: Option<String>,
    /// Who approved it.
    approver: Option<String>,
    /// Free labels.
    tags: Option<Vec<String>>,
}

#[derive(JsonSchema)]
pub(crate) struct Figures {
    /// Written before the act, after it, or by somebody who saw it.
    phase: Option<Phase>,
    /// How it ended.
    outcome: Option<Outcome>,
    /// The agent's confidence.
    #[schemars(range(min = 0, max = 1))]
    confidence: Option<f64>,
    /// How long it took, in milliseconds.
    duration_ms: Option<f64>,
    /// Tokens used.
    tokens: Option<Tokens>,
    /// Money spent.
    cost: Option<Cost>,
}

/// Tokens; what came from a cache is part of the input, what was spent on reasoning part of the
/// output.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    reasoning: Option<u64>,
    total: Option<u64>,
}

/// Money.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cost {
    amount: f64,
    currency: Option<String>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Phase {
    Intent,
    Result,
    Observation,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Success,
    Failure,
    Timeout,
    Denied,
    Escalated,
    Cancelled,
    Unknown,
}

/// A signed tree head that an answer is as of.
#[derive(JsonSchema)]
pub(crate) struct Checkpoint {
    /// The log's origin.
    origin: String,
    /// Entries that it covers.
    size: u64,
    /// The root hash, in hex.
    root: String,
}

/// Records, and where the next page begins.
#[derive(JsonSchema)]
pub(crate) struct Page {
    checkpoint: Checkpoint,
    events: Vec<Record>,
    /// The next page's `cursor`; absent on the last page.
    next: Option<String>,
}

/// A record: the event as it was sealed, and what the log says of it. Members of the event that are
/// not named here are those that an event is sent with.
#[derive(JsonSchema)]
pub(crate) struct Record {
    /// Its place in the log, from 0.
    index: u64,
    /// When the log took it, RFC 3339.
    recorded_at: String,
    /// The hash of its leaf, in hex.
    leaf_hash: Option<String>,
    /// Its id; absent like all of the event when the record was erased or has expired.
    event_id: Option<String>,
    /// Its type.
    event_type: Option<String>,
    /// What may hold personal data; absent without the right to see it.
    content: Option<Map<String, Value>>,
    tier: Tier,
    kind: Kind,
    state: State,
    /// The stored bytes are not what they should be.
    unreadable: Option<bool>,
}

/// What decides how long a record stays.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tier {
    Debug,
    Info,
    Compliance,
    Critical,
}

/// Whose record it is.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// A producer's.
    Event,
    /// The log's own.
    Log,
}

/// What is left of a record.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    Present,
    ContentErased,
    Erased,
    Expired,
    Held,
}

/// What belongs together, in causal order. The id that was asked for stands beside it, as
/// `trace_id`, `task_id` or `session_id`.
#[derive(JsonSchema)]
pub(crate) struct Trace {
    checkpoint: Checkpoint,
    /// The records, each behind what it belongs under.
    events: Vec<Record>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// Events, times, tokens, costs, errors, agents and tools, added up.
    totals: Option<Map<String, Value>>,
    /// What does not fit together: orphans, circles, gaps, records that cannot be read.
    findings: Map<String, Value>,
}

/// A record in a graph.
#[derive(JsonSchema)]
struct Node {
    id: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    agent: String,
    index: u64,
    status: String,
    depth: u64,
    offset_ms: f64,
    reordered: bool,
}

/// What leads from one record to another.
#[derive(JsonSchema)]
struct Edge {
    from: String,
    to: String,
    /// `parent` or `cause`.
    kind: String,
}

/// Names of the documents in which a log says what it did to itself.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LedgerNames {
    pub(crate) ledger: Vec<String>,
}

/// Names of the files of a log's anchors: checkpoints that time-stamping authorities stamped, and
/// what they answered.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AnchorNames {
    pub(crate) anchors: Vec<String>,
}

/// A record of the log's own with its salts: `meta` and `content` are the bytes that the entry of
/// this index commits to (docs/internals/format.md).
#[derive(JsonSchema)]
pub(crate) struct Disclosed {
    /// The format and its version.
    format: String,
    /// The place in the log.
    index: u64,
    /// In hex.
    meta_salt: String,
    /// JSON text.
    meta: String,
    /// In hex; absent without content.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_salt: Option<String>,
    /// JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// Agents, and how active they were.
#[derive(JsonSchema)]
pub(crate) struct AgentActivity {
    checkpoint: Checkpoint,
    agents: Vec<ActiveAgent>,
    /// So many more than are kept apart; absent when none.
    #[serde(skip_serializing_if = "Option::is_none")]
    beyond: Option<u64>,
}

#[derive(JsonSchema)]
struct ActiveAgent {
    agent: String,
    #[serde(flatten)]
    activity: Activity,
}

/// Sessions, and what happened in them.
#[derive(JsonSchema)]
pub(crate) struct SessionActivity {
    checkpoint: Checkpoint,
    sessions: Vec<ActiveSession>,
    /// So many more than are kept apart; absent when none.
    #[serde(skip_serializing_if = "Option::is_none")]
    beyond: Option<u64>,
}

#[derive(JsonSchema)]
struct ActiveSession {
    session: String,
    #[serde(flatten)]
    activity: Activity,
}

#[derive(JsonSchema)]
struct Activity {
    events: u64,
    errors: u64,
    tokens: u64,
    /// RFC 3339.
    first_seen: String,
    /// RFC 3339.
    last_seen: String,
}

/// Everything that proves a record (docs/internals/format.md); `tacho verify` checks it anywhere.
#[derive(JsonSchema)]
pub(crate) struct Evidence {
    /// The format and its version.
    format: String,
    /// The log's origin.
    origin: String,
    /// The place in the log.
    index: u64,
    /// The entry, in hex.
    entry: String,
    /// The record with its salts.
    record: Map<String, Value>,
    /// The proof that the entry is in the log, as a C2SP tlog-proof.
    proof: String,
    /// The log's verifier keys, not to be trusted for being here.
    vkeys: Vec<String>,
}

/// A message of JSON-RPC 2.0, as MCP has them: a request, or without an `id` a notification.
#[derive(JsonSchema)]
pub(crate) struct Message {
    jsonrpc: Version,
    id: Option<u64>,
    /// Such as `tools/call`.
    method: String,
    params: Option<Map<String, Value>>,
}

#[derive(JsonSchema)]
enum Version {
    #[serde(rename = "2.0")]
    Two,
}

/// What OTLP answers in JSON.
#[derive(JsonSchema)]
pub(crate) struct OtlpAnswer {
    /// What was not taken, and why; absent when all was.
    #[serde(rename = "partialSuccess")]
    partial_success: Option<Map<String, Value>>,
}
