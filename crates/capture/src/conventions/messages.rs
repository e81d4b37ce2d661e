//! Messages that came as events instead of attributes: `gen_ai.*.message` and `gen_ai.choice` (1.28
//! to 1.36), `gen_ai.content.prompt` and `gen_ai.content.completion` (up to 1.27); on spans and in
//! log records.

use crate::attributes::Attributes;
use event::Json;
use serde_json::Value;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the model.
    In,
    /// From the model.
    Out,
}

/// The way of a message event; `None` for events that are no messages.
pub(crate) fn way(event_name: &str) -> Option<Way> {
    match event_name {
        "gen_ai.system.message"
        | "gen_ai.user.message"
        | "gen_ai.assistant.message"
        | "gen_ai.tool.message"
        | "gen_ai.content.prompt" => Some(Way::In),
        "gen_ai.choice" | "gen_ai.content.completion" => Some(Way::Out),
        _ => None,
    }
}

/// The messages of one such event, taken from its body or attributes; with the role that its name
/// says when it does not say one itself. Attributes that are no part of the message are left.
pub(crate) fn take(event_name: &str, body: Value, attributes: &mut Attributes) -> Vec<Value> {
    for key in ["gen_ai.prompt", "gen_ai.completion"] {
        if event_name.starts_with("gen_ai.content.")
            && let Some(value) = attributes.take(key)
        {
            return match parsed(value) {
                Value::Array(messages) => messages,
                message => vec![message],
            };
        }
    }
    let mut message = if body.is_null() {
        attributes.take("gen_ai.event.content").map(parsed).unwrap_or_default()
    } else {
        body
    };
    if message.is_null() {
        const MEMBERS: [&str; 7] =
            ["role", "content", "id", "tool_calls", "index", "finish_reason", "message"];
        let members = MEMBERS
            .into_iter()
            .filter_map(|key| attributes.take(key).map(|value| (key.to_owned(), parsed(value))));
        message = Value::Object(members.collect());
    }
    let role = event_name.strip_prefix("gen_ai.").and_then(|rest| rest.strip_suffix(".message"));
    if let (Some(role), Value::Object(map)) = (role, &mut message) {
        map.entry("role").or_insert_with(|| role.into());
    }
    vec![message]
}

/// Text that holds a JSON object or array becomes that; values nested too deep stay text.
fn parsed(value: Value) -> Value {
    match value.as_str() {
        Some(text) if text.trim_start().starts_with(['{', '[']) => {
            Json::parse(text, "").map(|json| json.to_value()).unwrap_or(value)
        }
        _ => value,
    }
}
