//! AG2's own attributes (`ag2.*`): the agent's middleware and the hub's spans.

use super::{Act, Facts};
use crate::ag2_audit::task_outcome;
use crate::attributes::Attributes;

pub(super) fn act(attributes: &Attributes, name: &str) -> Option<Act> {
    Some(match attributes.peek_text("ag2.span.type")? {
        "agent" | "conversation" | "multi_conversation" => Act::Invocation,
        "llm" => Act::Llm,
        "tool" | "code_execution" => Act::Tool,
        "human_input" => Act::Human,
        "usage" => Act::Usage,
        "handoff" => Act::Handoff,
        "speaker_selection" => Act::Decision,
        // `agent.resume_set <id>`: the kind of the audit log after the first dot.
        "agent_event" => {
            let kind = name.strip_prefix("agent.").and_then(|rest| rest.split(' ').next());
            Act::Hub(kind.unwrap_or("agent_event").to_owned())
        }
        hub @ ("envelope" | "channel" | "task" | "agent_lifetime") => Act::Hub(hub.to_owned()),
        _ => return None,
    })
}

pub(super) fn read(attributes: &mut Attributes, facts: &mut Facts) {
    if !attributes.has_prefix("ag2.") {
        return;
    }
    let event = &mut facts.event;
    for key in
        ["ag2.agent.id", "ag2.network.sender_id", "ag2.network.owner_id", "ag2.network.creator_id"]
    {
        attributes.fill_text(&mut event.agent_id, key);
    }
    attributes.fill_text(&mut event.session_id, "ag2.network.channel_id");
    attributes.fill_text(&mut event.task_id, "ag2.network.task_id");
    attributes.fill_text(&mut event.error_type, "ag2.error.type");
    attributes.fill_text(&mut facts.error_message, "ag2.error.message");
    attributes.fill_json(&mut facts.input, "ag2.human_input.prompt");
    attributes.fill_json(&mut facts.output, "ag2.human_input.response");
    attributes.fill_json(&mut facts.result, "ag2.code_execution.output");
    attributes.fill_count(&mut facts.tokens.total, "ag2.usage.total_tokens");
    // The channel log's event of this envelope has the envelope's id.
    for key in ["ag2.network.envelope_id", "ag2.network.causation_id"] {
        event.caused_by.extend(attributes.take_text(key).map(Into::into));
    }
    for key in ["ag2.agent.outcome", "ag2.network.outcome"] {
        if let Some(outcome) = attributes.peek_text(key).and_then(task_outcome) {
            event.outcome = Some(outcome);
            attributes.take(key);
        }
    }
    // `record_usage model_call` repeats what the chat span counted.
    facts.tokens_repeated |= attributes.peek_text("ag2.usage.kind") == Some("model_call");
}
