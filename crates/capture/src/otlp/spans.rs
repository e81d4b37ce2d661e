//! A span becomes events: one for most, two for a tool (the call and its result), and one more for
//! every span event that means something by itself.

mod children;

use super::lineage::Lineage;
use super::source::Source;
use super::{Link, Span, SpanKind, Status, span_event_id};
use crate::attributes::{Attributes, json};
use crate::conventions::{self, Act, Facts, messages};
use crate::sink::Sink;
use children::Child;
use event::{Code, Event, EventError, Json, Outcome, Part, Phase, Timestamp, Tokens, types};
use serde_json::{Value, json as value};

/// Tools that run code, by name or by `gen_ai.tool.type`.
const CODE_TOOLS: &[&str] =
    &["run_code", "run_shell_command", "code_execution", "code_interpreter", "shell"];

/// Makes the events of one span.
pub(crate) fn map<'a>(mut span: Span, source: &Source, lineage: &Lineage, sink: &mut Sink<'_, 'a>) {
    for (field, id) in [("trace_id", &span.trace_id), ("span_id", &span.span_id)] {
        if id.is_empty() {
            let reason = "a span without its ids cannot be told from another; check the exporter";
            sink.refuse(EventError::new(Code::MissingField, field, reason));
            return;
        }
    }
    let act = conventions::act(&span);
    let is_code = is_code(&span.attributes);
    let mut facts = Facts::default();
    conventions::read(&mut span.attributes, &mut facts);
    let children = read_events(&mut span, &act, &mut facts);
    name_from_span(&span, &act, &mut facts);
    lineage.inherit(&span, &mut facts.event);
    let outcome = outcome(&span, &facts);
    if facts.error_message.is_none()
        && !span.status_message.is_empty()
        && span.status == Status::Error
    {
        facts.error_message = Some(std::mem::take(&mut span.status_message).into());
    } else if facts.error_message.as_deref() == Some(&*span.status_message) {
        span.status_message.clear();
    }
    let base = base(&span, &facts, source);
    let mut whole = Whole { span, facts, outcome, base };
    let events = match act {
        Act::Tool if is_code => whole.tool(types::CODE_EXECUTION, source, sink),
        Act::Tool => whole.tool(types::TOOL_CALL, source, sink),
        _ => vec![whole.single(&act, source, sink)],
    };
    for event in events {
        sink.mapped(event);
    }
    for child in children {
        let event = child.event(&whole.span, &whole.base, &act, sink);
        sink.mapped(event);
    }
}

/// The fields that every event of the span shares.
fn base(span: &Span, facts: &Facts, source: &Source) -> Event<'static> {
    let mut base = facts.event.clone();
    base.outcome = None;
    base.error_type = None;
    base.cost = None;
    base.trace_id = Some(span.trace_id.clone().into());
    base.caused_by = Vec::new();
    base.content = event::Content::default();
    source.sign(&mut base);
    base
}

/// A span with everything read from it.
struct Whole {
    span: Span,
    facts: Facts,
    outcome: Option<Outcome>,
    base: Event<'static>,
}

impl Whole {
    /// The first event of the span: children name their parent by its id.
    fn first<'a>(&mut self, source: &Source) -> Event<'a> {
        let span = &mut self.span;
        let mut event: Event<'a> = self.base.clone();
        event.content = std::mem::take(&mut self.facts.event.content);
        event.event_id = Some(span_event_id(&span.trace_id, &span.span_id, "start").into());
        if !span.parent_span_id.is_empty() {
            let parent = span_event_id(&span.trace_id, &span.parent_span_id, "start");
            event.parent_event_id = Some(parent.into());
        }
        event.caused_by = std::mem::take(&mut self.facts.event.caused_by);
        let links = std::mem::take(&mut span.links);
        event.caused_by.extend(
            links
                .iter()
                .filter(|link| !link.span_id.is_empty())
                .map(|link| span_event_id(&link.trace_id, &link.span_id, "start").into()),
        );
        describe(&mut event, span, links);
        source.describe(&mut event);
        event
    }

    /// One event for the whole span.
    fn single<'a>(&mut self, act: &Act, source: &Source, sink: &mut Sink<'_, 'a>) -> Event<'a> {
        let mut event = self.first(source);
        event.event_type = event_type(act, self.outcome).into();
        event.phase = Some(Phase::Observation);
        let at = if begins(act) || self.span.end_ns == 0 {
            self.span.start_ns
        } else {
            self.span.end_ns
        };
        event.timestamp = moment(at);
        if *act == Act::Unmapped {
            event.content.set_attribute("source.kind", Json::string("unmapped"));
        }
        self.put_content(&mut event);
        self.finish(&mut event, act, sink);
        event
    }

    /// The call at the start, and the result at the end when the span has one.
    fn tool<'a>(
        &mut self,
        call: &'static str,
        source: &Source,
        sink: &mut Sink<'_, 'a>,
    ) -> Vec<Event<'a>> {
        let mut intent = self.first(source);
        intent.event_type = call.into();
        intent.phase = Some(Phase::Intent);
        intent.timestamp = moment(self.span.start_ns);
        let facts = &mut self.facts;
        if let Some(params) = facts.params.take().or_else(|| facts.input.take()) {
            intent.content.set(Part::Params, params);
        }
        if self.span.end_ns == 0 {
            self.put_content(&mut intent);
            self.finish(&mut intent, &Act::Tool, sink);
            intent.outcome = None;
            return vec![intent];
        }
        intent.action = action(&self.span, &self.facts, &Act::Tool);
        let facts = &mut self.facts;
        if facts.result.is_none() {
            facts.result = facts.output.take();
        }
        let mut result: Event<'a> = self.base.clone();
        result.event_type = types::TOOL_RESULT.into();
        result.phase = Some(Phase::Result);
        let (trace, span) = (&self.span.trace_id, &self.span.span_id);
        result.event_id = Some(span_event_id(trace, span, "end").into());
        result.parent_event_id.clone_from(&intent.event_id);
        result.timestamp = moment(self.span.end_ns);
        self.put_content(&mut result);
        self.finish(&mut result, &Act::Tool, sink);
        vec![intent, result]
    }

    fn put_content(&mut self, event: &mut Event<'_>) {
        let error = self.facts.error();
        let facts = &mut self.facts;
        for (part, json) in [
            (Part::Params, facts.params.take()),
            (Part::Input, facts.input.take()),
            (Part::Context, facts.context.take()),
            (Part::Reasoning, facts.reasoning.take()),
            (Part::Result, facts.result.take()),
            (Part::Output, facts.output.take()),
            (Part::Error, error),
        ] {
            if let Some(json) = json {
                event.content.set(part, json);
            }
        }
    }

    /// How it ended, what it used, and everything that no field took.
    fn finish<'a>(&mut self, event: &mut Event<'a>, act: &Act, sink: &mut Sink<'_, 'a>) {
        event.action = action(&self.span, &self.facts, act);
        event.outcome = self.outcome;
        event.error_type.clone_from(&self.facts.event.error_type);
        event.duration_ms = duration_ms(&self.span);
        event.model = self.facts.model();
        // An agent's span sums up what the spans of its model calls count themselves; one on the
        // client's side of a remote agent has no such spans under it.
        let sums_up = *act == Act::Invocation && self.span.kind != SpanKind::Client;
        if self.facts.tokens_repeated || sums_up {
            repeat_usage(event, &self.facts);
        } else {
            event.tokens = Some(self.facts.tokens).filter(|tokens| *tokens != Tokens::default());
            event.cost.clone_from(&self.facts.event.cost);
        }
        if !self.span.status_message.is_empty() {
            event
                .content
                .set_attribute("otel.status_message", Json::string(&self.span.status_message));
        }
        std::mem::take(&mut self.span.attributes).keep(event, sink);
    }
}

/// Tokens that another event counts: told, but not where sums look.
pub(super) fn repeat_usage(event: &mut Event<'_>, facts: &Facts) {
    let tokens = &facts.tokens;
    let counts = [
        ("input", tokens.input),
        ("output", tokens.output),
        ("cache_read", tokens.cache_read),
        ("cache_write", tokens.cache_write),
        ("reasoning", tokens.reasoning),
        ("total", tokens.total),
    ];
    let counts =
        counts.into_iter().filter_map(|(key, count)| Some((key.to_owned(), Value::from(count?))));
    let mut usage: serde_json::Map<_, _> = counts.collect();
    if let Some(cost) = &facts.event.cost {
        usage.insert(
            "cost".to_owned(),
            value!({ "amount": cost.amount, "currency": cost.currency }),
        );
    }
    if !usage.is_empty() {
        event.content.set_attribute("repeated_usage", Json::from_value(&Value::Object(usage)));
    }
}

/// What the span says of itself that events have no field for.
fn describe(event: &mut Event<'_>, span: &Span, links: Vec<Link>) {
    let mut put = |key: &'static str, json: Json<'static>| event.content.set_attribute(key, json);
    put("otel.span_id", Json::string(&span.span_id));
    if !span.parent_span_id.is_empty() {
        put("otel.parent_span_id", Json::string(&span.parent_span_id));
    }
    put("otel.span_name", Json::string(&span.name));
    if !matches!(span.kind, SpanKind::Unspecified | SpanKind::Internal) {
        put("otel.span_kind", Json::string(span.kind.as_str()));
    }
    if !span.trace_state.is_empty() {
        put("otel.trace_state", Json::string(&span.trace_state));
    }
    for (key, count) in [
        ("otel.dropped_attributes_count", span.dropped[0]),
        ("otel.dropped_events_count", span.dropped[1]),
        ("otel.dropped_links_count", span.dropped[2]),
    ] {
        if count > 0 {
            put(key, Json::from_value(&count.into()));
        }
    }
    if links.iter().any(|link| !link.attributes.is_empty()) {
        let list = links.into_iter().map(|link| {
            let attributes = super::key_values(link.attributes.into_list());
            value!({ "trace_id": link.trace_id, "span_id": link.span_id, "attributes": attributes })
        });
        put("otel.links", json(&list.collect()));
    }
}

/// Divides the span's events: what belongs to the span itself goes into the facts, the others come
/// back.
fn read_events(span: &mut Span, act: &Act, facts: &mut Facts) -> Vec<Child> {
    let mut children = Vec::new();
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let mut has_exception = false;
    for (number, mut event) in std::mem::take(&mut span.events).into_iter().enumerate() {
        let exception = matches!(&*event.name, "exception" | "gen_ai.client.operation.exception");
        let details = event.name == "gen_ai.client.inference.operation.details";
        if let Some(way) = messages::way(&event.name) {
            let list = if way == messages::Way::In { &mut input } else { &mut output };
            list.extend(messages::take(&event.name, Value::Null, &mut event.attributes));
        } else if !(details || (exception && !has_exception && span.status != Status::Ok)) {
            children.push(Child { number, event });
            continue;
        }
        has_exception |= exception;
        conventions::read(&mut event.attributes, facts);
        // Of a message only the provider is left, and that was said.
        span.attributes.append(event.attributes);
    }
    let tool = *act == Act::Tool;
    for (list, slot, name) in [
        (input, if tool { &mut facts.params } else { &mut facts.input }, "gen_ai.input_events"),
        (output, if tool { &mut facts.result } else { &mut facts.output }, "gen_ai.output_events"),
    ] {
        if list.is_empty() {
            continue;
        }
        if slot.is_none() {
            *slot = Some(json(&Value::Array(list)));
        } else {
            span.attributes.append(Attributes::new(vec![(name.to_owned(), Value::Array(list))]));
        }
    }
    children
}

/// Span names repeat the agent or tool; some instrumentations say it nowhere else.
pub(super) fn name_from_span(span: &Span, act: &Act, facts: &mut Facts) {
    let after = |starts: &[&str]| {
        starts
            .iter()
            .find_map(|start| span.name.strip_prefix(start))
            .map(|name| name.to_owned().into())
    };
    match act {
        Act::Tool if facts.event.tool.is_none() => {
            facts.event.tool = after(&["execute_tool ", "tools/call "]).or_else(|| {
                let bare = !span.name.is_empty() && !span.name.contains(' ');
                bare.then(|| span.name.clone().into())
            });
        }
        Act::Invocation if facts.event.agent_name.is_none() => {
            facts.event.agent_name = after(&["invoke_agent ", "create_agent "]);
        }
        _ => {}
    }
}

fn is_code(attributes: &Attributes) -> bool {
    let named = |key| attributes.peek_text(key).is_some_and(|text| CODE_TOOLS.contains(&text));
    named("gen_ai.tool.name")
        || named("gen_ai.tool.type")
        || named("tool.name")
        || attributes.peek_text("ag2.span.type") == Some("code_execution")
}

fn event_type(act: &Act, outcome: Option<Outcome>) -> String {
    let failed = matches!(outcome, Some(Outcome::Denied | Outcome::Failure));
    let name = match act {
        Act::Invocation | Act::Unmapped => types::INVOCATION,
        Act::Llm => types::LLM_RESPONSE,
        Act::Tool => types::TOOL_CALL,
        Act::Human => types::HUMAN_INTERVENTION,
        Act::Retrieval => types::RETRIEVAL,
        Act::Evaluation => types::EVALUATION,
        // A guardrail that let something pass took a decision; one that did not is a security
        // event.
        Act::Guardrail if failed => types::SECURITY,
        Act::Guardrail | Act::Decision => types::DECISION,
        Act::Reasoning => types::REASONING,
        Act::Usage => types::TOKEN_USAGE,
        Act::Handoff => types::HANDOFF,
        Act::Hub(kind) => return format!("{}{kind}", types::HUB_PREFIX),
        Act::Other(name) => return name.clone(),
    };
    name.to_owned()
}

/// Whether the act is told by its beginning; an answer is told by its end.
fn begins(act: &Act) -> bool {
    match act {
        Act::Invocation | Act::Unmapped | Act::Handoff | Act::Other(_) => true,
        Act::Hub(kind) => kind != "task",
        _ => false,
    }
}

fn action(span: &Span, facts: &Facts, act: &Act) -> Option<event::Text<'static>> {
    let Some(operation) = &facts.operation else {
        return Some(span.name.clone().into()).filter(|name: &event::Text<'_>| !name.is_empty());
    };
    let event = &facts.event;
    let target = match act {
        Act::Tool => event.tool.as_deref(),
        Act::Llm | Act::Retrieval => {
            facts.model.requested.as_deref().or(facts.model.responded.as_deref())
        }
        _ => event.agent_name.as_deref().or(event.task_id.as_deref()),
    };
    Some(target.map_or_else(|| operation.clone(), |target| format!("{operation}:{target}").into()))
}

/// The span's own word beats a framework's; a framework's is finer than plain success or failure.
fn outcome(span: &Span, facts: &Facts) -> Option<Outcome> {
    let told = facts.event.outcome;
    let failed = span.status == Status::Error
        || (span.status == Status::Unset
            && (facts.error_message.is_some() || facts.error_stack.is_some()));
    if failed {
        return told.filter(|outcome| *outcome != Outcome::Success).or_else(|| {
            let kind = facts.event.error_type.as_deref().unwrap_or(&span.status_message);
            Some(failure(kind))
        });
    }
    if let Some(code) = span.attributes.peek("ag2.code_execution.exit_code").and_then(Value::as_i64)
        && code != 0
    {
        return Some(Outcome::Failure);
    }
    told.or_else(|| (span.end_ns != 0).then_some(Outcome::Success))
}

/// Timeouts and cancellations go by many names.
pub(super) fn failure(kind: &str) -> Outcome {
    let kind = kind.to_ascii_lowercase();
    if ["timeout", "timed out", "deadline", "expired"].iter().any(|word| kind.contains(word)) {
        Outcome::Timeout
    } else if kind.contains("cancel") {
        Outcome::Cancelled
    } else {
        Outcome::Failure
    }
}

fn moment(ns: u64) -> Option<Timestamp> {
    (ns != 0).then_some(Timestamp(ns))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds are told to six digits, not to 2^53 ns"
)]
fn duration_ms(span: &Span) -> Option<f64> {
    let known = span.start_ns != 0 && span.end_ns != 0;
    let ns = span.end_ns.checked_sub(span.start_ns)?;
    known.then_some(ns as f64 / 1e6)
}
