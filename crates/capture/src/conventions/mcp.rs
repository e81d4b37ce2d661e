//! The Model Context Protocol's attributes (`mcp.*`): which method of the protocol was called.

use super::{Act, Facts};
use crate::attributes::Attributes;

pub(super) fn act(attributes: &Attributes) -> Option<Act> {
    Some(match attributes.peek_text("mcp.method.name")? {
        "tools/call" => Act::Tool,
        "resources/read" => Act::Retrieval,
        "elicitation/create" => Act::Human,
        "sampling/createMessage" => Act::Llm,
        method => Act::Other(format!("mcp.{}", method.replace('/', "."))),
    })
}

pub(super) fn read(attributes: &mut Attributes, facts: &mut Facts) {
    attributes.fill_text(&mut facts.event.session_id, "mcp.session.id");
    attributes.fill_json(&mut facts.params, "mcp.request.argument");
    attributes.fill_json(&mut facts.result, "mcp.response.value");
    if facts.operation.is_none() {
        attributes.fill_text(&mut facts.operation, "mcp.method.name");
    }
}
