//! OpenLLMetry (opentelemetry-semantic-conventions-ai 0.5.1): `traceloop.*`, `llm.request.type`,
//! and prompts and completions flattened into indexed keys.

use super::{Act, Facts};
use crate::attributes::{Attributes, json};

pub(super) fn act(attributes: &Attributes) -> Option<Act> {
    match attributes.peek_text("traceloop.span.kind") {
        Some("tool") => return Some(Act::Tool),
        Some("agent" | "workflow" | "task") => return Some(Act::Invocation),
        _ => {}
    }
    Some(match attributes.peek_text("llm.request.type")? {
        "chat" | "completion" => Act::Llm,
        "rerank" | "embedding" => Act::Retrieval,
        _ => return None,
    })
}

pub(super) fn read(attributes: &mut Attributes, facts: &mut Facts) {
    let event = &mut facts.event;
    let kind = attributes.peek_text("traceloop.span.kind").map(str::to_owned);
    attributes.fill_text(&mut facts.operation, "traceloop.span.kind");
    attributes.fill_text(&mut facts.operation, "llm.request.type");
    attributes.fill_text(&mut event.session_id, "traceloop.association.properties.session_id");
    attributes.fill_text(&mut event.on_behalf_of, "traceloop.association.properties.user_id");
    attributes.fill_text(&mut event.task_id, "traceloop.workflow.name");
    attributes.fill_text(&mut event.version, "traceloop.entity.version");
    attributes.fill_count(&mut facts.tokens.total, "llm.usage.total_tokens");
    match kind.as_deref() {
        Some("tool") => {
            attributes.fill_text(&mut event.tool, "traceloop.entity.name");
            attributes.fill_json(&mut facts.params, "traceloop.entity.input");
            attributes.fill_json(&mut facts.result, "traceloop.entity.output");
        }
        Some("agent") => attributes.fill_text(&mut event.agent_name, "traceloop.entity.name"),
        _ => {}
    }
    attributes.fill_json(&mut facts.input, "traceloop.entity.input");
    attributes.fill_json(&mut facts.output, "traceloop.entity.output");
    for (prefix, slot) in
        [("gen_ai.prompt", &mut facts.input), ("gen_ai.completion", &mut facts.output)]
    {
        if slot.is_none() {
            *slot = attributes.take_flattened(prefix).map(|list| json(&list));
        }
    }
}
