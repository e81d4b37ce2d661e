//! What each tool takes. The comments are what a model is told of them.
//!
//! Names and meanings of filters are those of the commands and of the HTTP API (`question.rs`),
//! which also reads them.

use super::source::Failure;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The JSON schema of what a tool takes.
pub(crate) fn schema_of<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|it| it.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(mut members) => {
            // The name and the comment of a type are for us.
            for ours in ["title", "description"] {
                members.remove(ours);
            }
            members
        }
        _ => Map::new(),
    }
}

/// Reads arguments.
pub(crate) fn read<T: DeserializeOwned>(arguments: &Value) -> Result<T, Failure> {
    if !arguments.is_object() {
        return Err(Failure::new("the arguments are no object; give them by name"));
    }
    T::deserialize(arguments)
        .map_err(|error| Failure::new(format!("the arguments cannot be read: {}", told(&error))))
}

/// What is wrong, without the value or the name that was given: either may be a secret.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Names of fields that are missing are ours.
    if text.starts_with("missing field") {
        return text;
    }
    let Some((given, expected)) = text.rsplit_once(", expected ") else {
        return "they do not fit the tool's schema".to_owned();
    };
    let what = given.split(['`', '"']).next().unwrap_or_default().trim_end();
    format!("{what}, expected {expected}")
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Recent {
    /// How many events, 1 to 200; 20 if nothing is said.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u64>,
    /// Where the next page begins: `next.cursor` of the page before, as it was.
    pub cursor: Option<String>,
    /// Leave out content (parameters, results, messages). Reading content is recorded in the log.
    pub metadata_only: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Search {
    /// Words and "quoted phrases" that all occur in the event, whatever their case. It looks into
    /// content, so it needs the right to see content.
    pub text: Option<String>,
    /// The agent's name or id, exactly.
    pub agent: Option<String>,
    /// The event type, such as `agent.tool_call` or `tool_call`; `agent.*` for all that begin so.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The session id.
    pub session: Option<String>,
    /// The trace id.
    pub trace: Option<String>,
    /// The task id.
    pub task: Option<String>,
    /// The tool's name.
    pub tool: Option<String>,
    /// The subject of the authenticated caller.
    pub principal: Option<String>,
    /// The error's class, such as `TimeoutError`.
    pub error_type: Option<String>,
    /// How it ended: success, failure, timeout, denied, escalated, cancelled or unknown.
    pub outcome: Option<String>,
    /// The retention tier: debug, info, compliance or critical.
    pub tier: Option<String>,
    /// Not before: RFC 3339, a date, or how long ago (`15m`, `24h`, `7d`).
    pub from: Option<String>,
    /// Before: the same forms.
    pub to: Option<String>,
    /// `newest` (if nothing is said) or `oldest` first.
    pub order: Option<String>,
    /// How many events, 1 to 200; 20 if nothing is said.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u64>,
    /// Where the next page begins: `next.cursor` of the page before, with the same filters.
    pub cursor: Option<String>,
    /// Leave out content (parameters, results, messages). Reading content is recorded in the log.
    pub metadata_only: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Export {
    /// The agent's name or id, exactly.
    pub agent: Option<String>,
    /// The event type, such as `agent.tool_call`; `agent.*` for all that begin so.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The session id.
    pub session: Option<String>,
    /// The trace id.
    pub trace: Option<String>,
    /// Not before: RFC 3339, a date, or how long ago (`15m`, `24h`, `7d`).
    pub from: Option<String>,
    /// Before: the same forms.
    pub to: Option<String>,
    /// How many events, 1 to 200; 50 if nothing is said. A page also ends where it is full.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u64>,
    /// Where the next page begins: `next.cursor` of the page before, with the same filters.
    pub cursor: Option<String>,
    /// Leave out content (parameters, results, messages).
    pub metadata_only: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct One {
    /// The event's id, or its index in the log.
    pub event: String,
    /// Also give what proves that the log holds it: the entry and its tlog-proof.
    #[serde(default)]
    pub proof: bool,
    /// Leave out content (parameters, results, messages). Reading content is recorded in the log.
    #[serde(default)]
    pub metadata_only: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Agent {
    /// The agent's name or id, exactly; without it, all agents are listed.
    pub agent: Option<String>,
    /// How many of its newest events, 1 to 200; 20 if nothing is said.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u64>,
    /// Where the next page begins: `next.cursor` of the page before.
    pub cursor: Option<String>,
    /// Leave out content (parameters, results, messages). Reading content is recorded in the log.
    pub metadata_only: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traced {
    /// The id of the task, trace or session.
    pub id: String,
    /// Begin at this position, to go on where the answer before ended: its `next.first`.
    #[serde(default)]
    pub first: u64,
    /// Leave out content (parameters, results, messages). Reading content is recorded in the log.
    #[serde(default)]
    pub metadata_only: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Session {
    /// The session's id; without it, the sessions are listed.
    pub session: Option<String>,
    /// Begin at this position, to go on where the answer before ended: its `next.first`.
    pub first: u64,
    /// Leave out content (parameters, results, messages). Reading content is recorded in the log.
    pub metadata_only: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Period {
    /// Not before: RFC 3339, a date, or how long ago (`15m`, `24h`, `7d`).
    pub from: Option<String>,
    /// Before: the same forms.
    pub to: Option<String>,
    /// Leave out content (error messages). Reading content is recorded in the log.
    pub metadata_only: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Nothing {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_given_is_not_repeated_and_what_is_wanted_is_told() {
        let told = |arguments| read::<Recent>(&arguments).unwrap_err().to_string();
        let wrong = told(json!({ "limit": "s3cret\", expected \"x" }));
        assert!(wrong.contains("invalid type: string, expected u64"), "{wrong}");
        let unknown = told(json!({ "s3cret": 1 }));
        assert!(unknown.contains("unknown field, expected one of `limit`, `cursor`"), "{unknown}");
        for text in [wrong, unknown] {
            assert!(!text.contains("s3cret"), "{text}");
        }
        let missing = read::<One>(&json!({})).unwrap_err().to_string();
        assert!(missing.contains("missing field `event`"), "{missing}");
    }
}
