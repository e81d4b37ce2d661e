//! OpenInference (openinference-semantic-conventions 0.1.42): `openinference.span.kind`, `llm.*`,
//! `input.value`, `output.value`, and messages flattened into indexed keys.

use super::{Act, Facts};
use crate::attributes::{Attributes, json};
use event::{Cost, Json};
use serde_json::Value;

pub(super) fn act(attributes: &Attributes) -> Option<Act> {
    Some(match attributes.peek_text("openinference.span.kind")? {
        "LLM" => Act::Llm,
        "TOOL" => Act::Tool,
        "AGENT" | "CHAIN" | "PROMPT" => Act::Invocation,
        "RETRIEVER" | "RERANKER" | "EMBEDDING" => Act::Retrieval,
        "GUARDRAIL" => Act::Guardrail,
        "EVALUATOR" => Act::Evaluation,
        "DECISION" => Act::Decision,
        _ => return None,
    })
}

pub(super) fn read(attributes: &mut Attributes, facts: &mut Facts) {
    let event = &mut facts.event;
    let kind = attributes.peek_text("openinference.span.kind").map(str::to_owned);
    attributes.fill_text(&mut facts.operation, "openinference.span.kind");
    attributes.fill_text(&mut event.agent_name, "agent.name");
    attributes.fill_text(&mut event.agent_name, "graph.node.name");
    attributes.fill_text(&mut event.task_id, "graph.node.id");
    attributes.fill_text(&mut event.tool, "tool.name");
    attributes.fill_text(&mut facts.model.provider, "llm.provider");
    attributes.fill_text(&mut facts.model.provider, "llm.system");
    attributes.fill_text(&mut facts.model.provider, "decision.provider");
    attributes.fill_text(&mut facts.model.requested, "llm.request.model_name");
    attributes.fill_text(&mut facts.model.responded, "llm.response.model_name");
    attributes.fill_text(&mut facts.model.responded, "llm.model_name");
    attributes.fill_text(&mut facts.model.responded, "decision.model_name");
    read_tokens(attributes, facts);
    read_messages(attributes, facts);
    // A tool's input is what it was called with.
    if kind.as_deref() == Some("TOOL") {
        attributes.fill_json(&mut facts.params, "input.value");
        attributes.fill_json(&mut facts.params, "tool.parameters");
        attributes.fill_json(&mut facts.result, "output.value");
    }
    attributes.fill_json(&mut facts.input, "input.value");
    attributes.fill_json(&mut facts.output, "output.value");
    read_tags(attributes, facts);
}

fn read_tokens(attributes: &mut Attributes, facts: &mut Facts) {
    let tokens = &mut facts.tokens;
    attributes.fill_count(&mut tokens.input, "llm.token_count.prompt");
    attributes.fill_count(&mut tokens.input, "decision.token_count.input");
    attributes.fill_count(&mut tokens.output, "llm.token_count.completion");
    attributes.fill_count(&mut tokens.output, "decision.token_count.output");
    attributes.fill_count(&mut tokens.total, "llm.token_count.total");
    attributes.fill_count(&mut tokens.cache_read, "llm.token_count.prompt_details.cache_read");
    attributes.fill_count(&mut tokens.cache_read, "llm.token_count.prompt_details.cache_input");
    attributes.fill_count(&mut tokens.cache_write, "llm.token_count.prompt_details.cache_write");
    attributes.fill_count(&mut tokens.reasoning, "llm.token_count.completion_details.reasoning");
    if facts.event.cost.is_none() && attributes.peek("llm.cost.total").is_some_and(Value::is_number)
    {
        // The convention counts cost in US dollars.
        facts.event.cost = attributes
            .take_text("llm.cost.total")
            .map(|amount| Cost { amount: amount.into(), currency: Some("USD".into()) });
    }
}

fn read_messages(attributes: &mut Attributes, facts: &mut Facts) {
    for (prefix, slot) in [
        ("llm.input_messages", &mut facts.input),
        ("llm.output_messages", &mut facts.output),
        ("retrieval.documents", &mut facts.context),
    ] {
        // An unflattened list comes whole, under the bare name.
        attributes.fill_json(slot, prefix);
        if slot.is_none() {
            *slot = attributes.take_flattened(prefix).map(|list| json(&unwrapped(list)));
        }
    }
}

/// `[{"message": {...}}]` and `[{"document": {...}}]` without the wrapper that only names the item.
fn unwrapped(list: Value) -> Value {
    let Value::Array(items) = list else { return list };
    let unwrap = |item: Value| match item {
        Value::Object(mut map) if map.len() == 1 => {
            let inner = ["message", "document"].iter().find_map(|key| map.remove(*key));
            inner.unwrap_or(Value::Object(map))
        }
        other => other,
    };
    Value::Array(items.into_iter().map(unwrap).collect())
}

fn read_tags(attributes: &mut Attributes, facts: &mut Facts) {
    let texts = |value: &Value| {
        let items = value.as_array()?.iter();
        items.map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    let Some(value) = attributes.peek("tag.tags") else { return };
    let tags = texts(value).or_else(|| {
        let parsed = Json::parse(value.as_str()?, "").ok()?;
        texts(&parsed.to_value())
    });
    if let Some(tags) = tags {
        facts.event.tags.extend(tags.into_iter().map(Into::into));
        attributes.take("tag.tags");
    }
}
