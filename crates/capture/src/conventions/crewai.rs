//! CrewAI's own attributes (`crewai.telemetry`, 1.15): guardrails, policy decisions, human
//! feedback, memory, knowledge, MCP tools and the principal for whom the crew works.

use super::{Act, Facts};
use crate::attributes::Attributes;
use event::Outcome;
use serde_json::Value;

/// CrewAI gives these spans the operation of what they stand in, so its own words come first.
pub(super) fn act(attributes: &Attributes) -> Option<Act> {
    if !attributes.has_prefix("crewai.") {
        return None;
    }
    for (prefix, act) in [
        ("crewai.human_feedback.", Act::Human),
        ("crewai.guardrail.", Act::Guardrail),
        ("crewai.mcp.tool_name", Act::Tool),
        ("crewai.memory.", Act::Retrieval),
        ("crewai.knowledge.", Act::Retrieval),
    ] {
        if attributes.has_prefix(prefix) {
            return Some(act);
        }
    }
    None
}

pub(super) fn read(attributes: &mut Attributes, facts: &mut Facts) {
    if !attributes.has_prefix("crewai.") {
        return;
    }
    let event = &mut facts.event;
    attributes.fill_text(&mut event.on_behalf_of, "crewai.principal.id");
    attributes.fill_text(&mut event.tool, "crewai.mcp.tool_name");
    attributes.fill_text(&mut event.error_type, "crewai.mcp.error_type");
    attributes.fill_text(&mut facts.error_message, "crewai.tool.failure.reason");
    attributes.fill_text(&mut facts.error_message, "crewai.guardrail.error");
    attributes.fill_json(&mut facts.params, "crewai.mcp.tool_args");
    attributes.fill_json(&mut facts.result, "crewai.mcp.tool_result");
    attributes.fill_json(&mut facts.result, "crewai.guardrail.result");
    attributes.fill_json(&mut facts.input, "crewai.human_feedback.message");
    attributes.fill_json(&mut facts.output, "crewai.human_feedback.feedback");
    if event.outcome.is_none() {
        event.outcome = outcome(attributes);
    }
}

/// The attributes stay: they also say which policy, and in whose words.
fn outcome(attributes: &Attributes) -> Option<Outcome> {
    let denied = attributes.peek_text("crewai.policy.decision") == Some("deny")
        && attributes.peek("crewai.policy.blocking") == Some(&Value::Bool(true));
    if denied || attributes.peek("crewai.guardrail.success") == Some(&Value::Bool(false)) {
        return Some(Outcome::Denied);
    }
    match attributes.peek_text("crewai.human_feedback.outcome")? {
        "approved" => Some(Outcome::Success),
        "rejected" => Some(Outcome::Denied),
        _ => None,
    }
}
