//! A log record becomes one event: GenAI's events, Claude Code's, exceptions, and whatever else is
//! logged.

use super::source::Source;
use super::spans::{failure, repeat_usage};
use super::{LogRecord, span_event_id};
use crate::attributes::{Attributes, json, structured};
use crate::conventions::{self, Facts, messages};
use crate::sink::Sink;
use event::{Cost, Event, Json, Outcome, Part, Phase, Timestamp, Tokens, types};
use serde_json::Value;

/// The type of records that nobody knows.
const UNKNOWN: &str = "otel.log";

/// Severity numbers from here on are errors (OpenTelemetry logs data model, "SeverityNumber").
const SEVERITY_ERROR: u8 = 17;

/// Makes the event of one log record.
pub(crate) fn map<'a>(mut record: LogRecord, source: &Source, sink: &mut Sink<'_, 'a>) {
    let id = id_of(&record, source);
    let name = event_name(&mut record);
    let mut facts = Facts::default();
    conventions::read(&mut record.attributes, &mut facts);
    let event_type = match name.strip_prefix("claude_code.") {
        Some(own) => claude_code(own, &mut record.attributes, &mut facts),
        None => event_type(&name, &record, &facts),
    };
    read_body(&name, &mut record, &mut facts);
    facts.complete();
    let mut event: Event<'a> = facts.event.clone();
    event.event_type = event_type.into();
    event.event_id = Some(id.into());
    let ns = if record.time_ns == 0 { record.observed_ns } else { record.time_ns };
    event.timestamp = (ns != 0).then_some(Timestamp(ns));
    event.phase = Some(Phase::Observation);
    event.action = Some(name).filter(|name| !name.is_empty()).map(Into::into);
    if !record.trace_id.is_empty() {
        if !record.span_id.is_empty() {
            let parent = span_event_id(&record.trace_id, &record.span_id, "start");
            event.parent_event_id = Some(parent.into());
            event.content.set_attribute("otel.span_id", Json::string(&record.span_id));
        }
        event.trace_id = Some(std::mem::take(&mut record.trace_id).into());
    }
    source.sign(&mut event);
    if let Some(own) = facts.event.producer.take() {
        event.producer.get_or_insert_default().seq = own.seq;
    }
    event.model = facts.model();
    put_usage(&mut event, &record, &facts);
    put_outcome(&mut event, &record, &mut facts);
    put_content(&mut event, &mut facts);
    describe(&mut event, &record);
    source.describe(&mut event);
    record.attributes.keep(&mut event, sink);
    sink.mapped(event);
}

/// Log records have no id: everything that tells one from another is hashed, so that a redelivered
/// record is the same event. The observed time counts only when there is no other.
fn id_of(record: &LogRecord, source: &Source) -> String {
    let time = if record.time_ns == 0 { record.observed_ns } else { record.time_ns };
    let text = format!(
        "{:?}",
        (&record.severity, &record.severity_text, &record.body, &record.attributes)
    );
    event::id::derive(
        "otel-log",
        &[
            source.fingerprint().as_bytes(),
            record.trace_id.as_bytes(),
            record.span_id.as_bytes(),
            &time.to_be_bytes(),
            record.event_name.as_bytes(),
            text.as_bytes(),
        ],
    )
}

/// The field, or the attribute that came before it; Claude Code's attribute leaves its own prefix
/// out.
fn event_name(record: &mut LogRecord) -> String {
    let mut name = std::mem::take(&mut record.event_name);
    if name.is_empty() {
        name = record.attributes.take_text("event.name").unwrap_or_default();
    } else if record.attributes.peek_text("event.name") == Some(&name) {
        record.attributes.take("event.name");
    }
    let own = record.body.as_str().and_then(|body| body.strip_prefix("claude_code."));
    let named_by_body =
        own.is_some_and(|own| own == name || (name.is_empty() && !own.contains(' ')));
    if let Some(body) = record.body.as_str()
        && (body == name || named_by_body)
    {
        name = body.to_owned();
        record.body = Value::Null;
    }
    name
}

fn event_type(name: &str, record: &LogRecord, facts: &Facts) -> String {
    let known = match name {
        "gen_ai.choice"
        | "gen_ai.content.completion"
        | "gen_ai.client.inference.operation.details" => types::LLM_RESPONSE,
        "gen_ai.tool.message" => types::TOOL_RESULT,
        "gen_ai.system.message"
        | "gen_ai.user.message"
        | "gen_ai.assistant.message"
        | "gen_ai.content.prompt" => types::INVOCATION,
        "gen_ai.evaluation.result" => types::EVALUATION,
        "gen_ai.client.operation.exception" | "exception" => types::ERROR,
        "" if facts.error_message.is_some() || facts.error_stack.is_some() => types::ERROR,
        "" if record.severity >= SEVERITY_ERROR => types::ERROR,
        "" => UNKNOWN,
        other => other,
    };
    known.to_owned()
}

/// Claude Code's events (its monitoring documentation, "Events"): plain attribute names.
fn claude_code(own: &str, attributes: &mut Attributes, facts: &mut Facts) -> String {
    let event = &mut facts.event;
    attributes.fill_text(&mut event.tool, "tool_name");
    attributes.fill_text(&mut facts.model.responded, "model");
    attributes.fill_json(&mut facts.input, "prompt");
    attributes.fill_json(&mut facts.params, "tool_parameters");
    attributes.fill_json(&mut facts.params, "tool_input");
    attributes.fill_text(&mut facts.error_message, "error");
    if event.duration_ms.is_none() {
        event.duration_ms = attributes.take_number("duration_ms");
    }
    if let Some(seq) = attributes.take_count("event.sequence") {
        event.producer.get_or_insert_default().seq = Some(seq);
    }
    if event.cost.is_none() {
        let amount = attributes.take_number("cost_usd").map(|amount| amount.to_string());
        event.cost =
            amount.map(|amount| Cost { amount: amount.into(), currency: Some("USD".into()) });
    }
    event.outcome = match (attributes.peek_text("success"), attributes.peek_text("decision")) {
        (Some("true"), _) | (_, Some("accept")) => Some(Outcome::Success),
        (Some("false"), _) => Some(Outcome::Failure),
        (_, Some("reject")) => Some(Outcome::Denied),
        _ => None,
    };
    read_claude_tokens(attributes, &mut facts.tokens);
    match own {
        "user_prompt" => types::INVOCATION.to_owned(),
        "tool_result" => types::TOOL_RESULT.to_owned(),
        "tool_decision" => types::DECISION.to_owned(),
        "api_request" => types::LLM_RESPONSE.to_owned(),
        "api_error" => types::ERROR.to_owned(),
        _ => format!("claude_code.{own}"),
    }
}

/// Claude counts cached input beside the input, not inside it; here it is inside. The original
/// input count stays among the attributes, so that the sum can be checked.
fn read_claude_tokens(attributes: &mut Attributes, tokens: &mut Tokens) {
    attributes.fill_count(&mut tokens.output, "output_tokens");
    attributes.fill_count(&mut tokens.cache_read, "cache_read_tokens");
    attributes.fill_count(&mut tokens.cache_write, "cache_creation_tokens");
    let original = attributes.peek("input_tokens").cloned();
    attributes.fill_count(&mut tokens.input, "input_tokens");
    let cached = tokens
        .cache_read
        .unwrap_or_default()
        .saturating_add(tokens.cache_write.unwrap_or_default());
    if cached > 0
        && let (Some(input), Some(original)) = (&mut tokens.input, original)
    {
        *input = input.saturating_add(cached);
        attributes.append(Attributes::new(vec![("input_tokens".to_owned(), original)]));
    }
}

/// The body: a message, the text of an error, or content of its own.
fn read_body(name: &str, record: &mut LogRecord, facts: &mut Facts) {
    let body = std::mem::take(&mut record.body);
    if let Some(way) = messages::way(name) {
        let list = messages::take(name, body, &mut record.attributes);
        let slot = match (name, way) {
            ("gen_ai.tool.message", _) => &mut facts.result,
            (_, messages::Way::In) => &mut facts.input,
            (_, messages::Way::Out) => &mut facts.output,
        };
        *slot = Some(match <[Value; 1]>::try_from(list) {
            Ok([message]) => json(&message),
            Err(list) => json(&Value::Array(list)),
        });
        return;
    }
    if body.is_null() {
        return;
    }
    let failed = record.severity >= SEVERITY_ERROR;
    match body {
        Value::String(text) if failed && facts.error_message.is_none() => {
            facts.error_message = Some(text.into());
        }
        body => facts.output = facts.output.take().or_else(|| Some(structured(body))),
    }
}

/// A record inside a span repeats what the span counts; alone, it is the only one to count.
fn put_usage(event: &mut Event<'_>, record: &LogRecord, facts: &Facts) {
    if record.span_id.is_empty() {
        event.tokens = Some(facts.tokens).filter(|tokens| *tokens != Tokens::default());
    } else {
        event.cost = None;
        repeat_usage(event, facts);
    }
}

fn put_outcome(event: &mut Event<'_>, record: &LogRecord, facts: &mut Facts) {
    let failed = record.severity >= SEVERITY_ERROR
        || facts.error_message.is_some()
        || facts.error_stack.is_some()
        || event.event_type == types::ERROR;
    if failed && event.outcome.is_none_or(|outcome| outcome == Outcome::Success) {
        event.outcome = Some(failure(event.error_type.as_deref().unwrap_or_default()));
    }
    if record.severity >= SEVERITY_ERROR && facts.error().is_none() {
        let message = if record.severity_text.is_empty() { "error" } else { &record.severity_text };
        facts.error_message = Some(message.to_owned().into());
    }
}

fn put_content(event: &mut Event<'_>, facts: &mut Facts) {
    let error = facts.error();
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

fn describe(event: &mut Event<'_>, record: &LogRecord) {
    if record.severity > 0 {
        event.content.set_attribute("severity_number", Json::from_value(&record.severity.into()));
    }
    if !record.severity_text.is_empty() {
        event.content.set_attribute("severity_text", Json::string(&record.severity_text));
    }
    if record.dropped > 0 {
        event.content.set_attribute(
            "otel.dropped_attributes_count",
            Json::from_value(&record.dropped.into()),
        );
    }
}

/// The number of `SEVERITY_NUMBER_WARN2` and the like: six names of four numbers each.
pub(super) fn severity_of_name(name: &str) -> u8 {
    let name = name.strip_prefix("SEVERITY_NUMBER_").unwrap_or(name);
    let level = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let step = name.get(level.len()..).and_then(|digits| digits.parse::<u8>().ok()).unwrap_or(1);
    let first = match level {
        "TRACE" => 1,
        "DEBUG" => 5,
        "INFO" => 9,
        "WARN" => 13,
        "ERROR" => 17,
        "FATAL" => 21,
        _ => return 0,
    };
    if (1..=4).contains(&step) { first + step - 1 } else { first }
}

#[cfg(test)]
mod tests {
    use super::severity_of_name;

    #[test]
    fn severities_are_known_by_name() {
        assert_eq!(severity_of_name("SEVERITY_NUMBER_ERROR"), 17);
        assert_eq!(severity_of_name("WARN3"), 15);
        assert_eq!(severity_of_name("INFO99"), 9);
        assert_eq!(severity_of_name("loud"), 0);
    }
}
