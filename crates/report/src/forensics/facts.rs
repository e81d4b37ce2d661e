//! What the rules need to know of each event, read once: codes, words, attempts, who decided.
//!
//! Foreign conventions meet here: whatever name a status code or a retry has, the rules see one.
//! Texts are lower case and cut; nothing here is shown to anybody.

use event::{Event, Part, Phase, types};
use query::{Found, Node, Trace};
use serde_json::Value;

/// Bytes of a text in which words are looked for.
const TEXT_BYTES_MAX: usize = 4_096;

/// Resources of one event that are followed.
const RESOURCES_MAX: usize = 8;

/// What a person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Human {
    Approved,
    Denied,
    Stopped,
    Asked,
    Other,
}

/// One event as the rules see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The status code of a protocol, HTTP's or gRPC's translated to HTTP's.
    pub(crate) code: Option<u64>,
    /// The class of the error, lower case.
    pub(crate) class: String,
    /// Its message, lower case.
    pub(crate) message: String,
    pub(crate) attempt: Option<u64>,
    pub(crate) call_id: Option<String>,
    /// The time limit of a call, in milliseconds.
    pub(crate) limit_ms: Option<f64>,
    /// What took the place of what failed.
    pub(crate) fallback: Option<String>,
    pub(crate) failures: Option<u64>,
    pub(crate) is_breaker: bool,
    pub(crate) is_fallback: bool,
    pub(crate) human: Option<Human>,
    /// Why the model stopped, lower case.
    pub(crate) finish: String,
    /// The model says that it will not.
    pub(crate) is_sorry: bool,
    /// A search that found nothing.
    pub(crate) is_empty_search: bool,
    pub(crate) phase: Option<Phase>,
    pub(crate) principal: Option<String>,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) approver: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) tool: Option<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) producer: Option<(String, u64)>,
    pub(crate) redactions: u64,
    pub(crate) is_lossy: bool,
    pub(crate) has_content: bool,
    pub(crate) recorded_at_ms: u64,
}

/// The facts of every node of a trace, in its order.
pub(crate) fn of_trace(trace: &Trace, found: &[Found<'_>]) -> Vec<Facts> {
    let of = |node: &Node| {
        let found = found.get(node.position)?;
        Some(Facts::of(found, &found.event().ok()?))
    };
    trace.nodes.iter().map(|node| of(node).unwrap_or_default()).collect()
}

impl Facts {
    pub(crate) fn of(found: &Found<'_>, event: &Event<'_>) -> Self {
        let values = Values::of(event);
        let action = format!("{} {}", event.action.as_deref().unwrap_or(""), event.event_type);
        let action = action.to_lowercase();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let fallback = values.text(&["fallback"]);
        let finish = values.finish();
        Self {
            code: values.code(),
            class: event.error_type.as_deref().unwrap_or_default().to_lowercase(),
            message: cut(&event.content.error_message().unwrap_or_default()).to_lowercase(),
            attempt: values.number(&["attempt", "retry.attempt", "retry_count"]),
            call_id: values.text(&["call_id", "gen_ai.tool.call.id", "tool_call_id"]),
            limit_ms: values.limit_ms(),
            failures: values.number(&["failures"]),
            is_breaker: has(&action, &["circuit_breaker", "circuit breaker", "breaker:"])
                && (has(&action, &["open"]) || values.text(&["state"]).as_deref() == Some("open")),
            is_fallback: fallback.is_some() || has(&action, &["fallback", "degrade"]),
            fallback,
            human: human(event, &action),
            is_sorry: is_sorry(event),
            is_empty_search: is_empty_search(event),
            finish,
            phase: event.phase,
            principal: owned(event.principal.as_ref().and_then(|p| p.subject.as_deref())),
            on_behalf_of: owned(event.on_behalf_of.as_deref()),
            approver: owned(event.approver.as_deref()),
            model: owned(event.model.as_ref().and_then(|model| model.display())),
            tool: owned(event.tool.as_deref()),
            resources: values.resources(),
            producer: event
                .producer
                .as_ref()
                .and_then(|it| Some((it.id.as_deref()?.to_owned(), it.seq?))),
            redactions: event.redactions.len() as u64,
            is_lossy: matches!(event.assurance, Some(event::Assurance::Observed)),
            has_content: !event.content.is_empty(),
            recorded_at_ms: found.recorded_at_ms,
        }
    }
}

/// Whether any of the words is in a text.
pub(crate) fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The beginning of a text, cut at a character.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// What a person did, when one was asked or stepped in.
fn human(event: &Event<'_>, action: &str) -> Option<Human> {
    use event::Outcome::{Cancelled, Denied, Escalated, Success};
    let is_human = event.event_type == types::HUMAN_INTERVENTION;
    let is_approval = has(action, &["approval", "human_feedback", "human_input"]);
    let is_decided = is_approval && event.event_type == types::DECISION;
    if !is_human && !is_decided {
        return (event.outcome == Some(Escalated)).then_some(Human::Asked);
    }
    let denying = ["deny", "denied", "reject", "declin", "refus"];
    let stopping = ["stop", "cancel", "override", "takeover", "take_over", "abort", "kill"];
    Some(match event.outcome {
        Some(Denied) => Human::Denied,
        Some(Cancelled) => Human::Stopped,
        Some(Escalated) => Human::Asked,
        _ if has(action, &denying) => Human::Denied,
        _ if has(action, &stopping) => Human::Stopped,
        _ if has(action, &["escalat"]) => Human::Asked,
        _ if has(action, &["approv", "grant", "confirm", "accept"]) => Human::Approved,
        Some(Success) => Human::Approved,
        _ => Human::Other,
    })
}

fn is_sorry(event: &Event<'_>) -> bool {
    const WORDS: &[&str] = &[
        "i can't help with",
        "i cannot help with",
        "i can't assist",
        "i cannot assist",
        "i'm unable to",
        "i am unable to",
        "i won't be able to",
        "i can't comply",
        "i cannot comply",
        "i can’t help with",
        "i can’t assist",
        "i must decline",
    ];
    event.event_type == types::LLM_RESPONSE
        && event
            .content
            .get(Part::Output)
            .is_some_and(|json| has(&cut(json.as_str()).to_lowercase(), WORDS))
}

/// A retrieval that says what it found, which is nothing.
fn is_empty_search(event: &Event<'_>) -> bool {
    event.event_type == types::RETRIEVAL
        && [Part::Context, Part::Result, Part::Output]
            .iter()
            .filter_map(|part| event.content.get(*part))
            .any(|json| matches!(json.as_str(), "[]" | "{}" | "\"\"" | "{\"documents\":[]}"))
}

/// A whole number, also one that was sent as text.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

/// The values beside the fields: attributes and members of the error, and parameters.
struct Values {
    beside: Vec<Value>,
    params: Option<Value>,
}

impl Values {
    fn of(event: &Event<'_>) -> Self {
        let wanted = event.content.attributes.iter().filter(|(_, json)| json.as_str().len() < 4096);
        let attributes = wanted.map(|(key, json)| (key.to_string(), json.to_value()));
        let mut beside = vec![Value::Object(attributes.collect())];
        beside.extend(event.content.get(Part::Error).map(|json| json.to_value()));
        let params = event.content.get(Part::Params).map(|json| json.to_value());
        Self { beside, params }
    }

    fn get<'v>(&'v self, names: &'v [&str]) -> impl Iterator<Item = (&'v str, &'v Value)> {
        let in_value = |value: &'v Value| {
            names.iter().filter_map(move |name| Some((*name, value.get(*name)?)))
        };
        self.beside.iter().chain(&self.params).flat_map(in_value)
    }

    fn number(&self, names: &[&str]) -> Option<u64> {
        self.get(names).find_map(|(_, value)| number(value))
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.get(names).find_map(|(_, value)| match value {
            Value::String(text) if !text.is_empty() => Some(cut(text).to_owned()),
            _ => None,
        })
    }

    fn code(&self) -> Option<u64> {
        const HTTP: &[&str] =
            &["http.response.status_code", "http.status_code", "status_code", "status", "code"];
        // Not in the parameters: what a tool was asked for is no answer.
        let in_value = |value: &Value| HTTP.iter().find_map(|name| number(value.get(*name)?));
        let http = self.beside.iter().filter_map(in_value).find(|code| (400..600).contains(code));
        http.or_else(|| {
            Some(match self.number(&["rpc.grpc.status_code"])? {
                3 => 400,
                4 => 504,
                5 => 404,
                7 => 403,
                8 => 429,
                14 => 503,
                16 => 401,
                _ => return None,
            })
        })
    }

    /// The time limit that a call was given, by the usual names.
    fn limit_ms(&self) -> Option<f64> {
        const NAMES: &[(&str, f64)] = &[
            ("timeout_ms", 1.0),
            ("timeout_s", 1_000.0),
            ("timeout_seconds", 1_000.0),
            ("timeout", 1_000.0),
        ];
        let found = NAMES.iter().find_map(|(name, factor)| {
            let names = [*name];
            let (_, value) = self.get(&names).next()?;
            Some(value.as_f64()? * factor)
        });
        found.filter(|ms| ms.is_finite() && *ms > 0.0)
    }

    fn finish(&self) -> String {
        const NAMES: &[&str] =
            &["finish_reason", "gen_ai.response.finish_reasons", "finish_reasons", "stop_reason"];
        let of = |value: &Value| match value {
            Value::String(text) => text.to_lowercase(),
            Value::Array(many) => {
                many.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ").to_lowercase()
            }
            _ => String::new(),
        };
        self.get(NAMES).map(|(_, value)| of(value)).next().unwrap_or_default()
    }

    /// What was acted on, as `name=value`.
    fn resources(&self) -> Vec<String> {
        const NAMES: &[&str] = &[
            "resource",
            "resource_id",
            "server.address",
            "url.full",
            "url",
            "db.namespace",
            "path",
            "file",
            "order_id",
            "account_id",
            "customer_id",
            "document_id",
            "table",
            "bucket",
        ];
        let one = |(name, value): (&str, &Value)| match value {
            Value::String(text) if !text.is_empty() => Some(format!("{name}={}", cut(text))),
            Value::Number(number) => Some(format!("{name}={number}")),
            _ => None,
        };
        let mut all: Vec<String> = self.get(NAMES).filter_map(one).collect();
        all.sort();
        all.dedup();
        all.truncate(RESOURCES_MAX);
        all
    }
}
