//! What the attributes of telemetry mean: one file per naming convention.
//!
//! All conventions are read on every record, because frameworks mix them; the first one that fills
//! a field wins, an equal second value is dropped, and a different one stays among the attributes.

mod ag2;
mod crewai;
mod gen_ai;
mod mcp;
pub(crate) mod messages;
mod names;
mod openinference;
mod openllmetry;

use crate::attributes::Attributes;
use crate::otlp::Span;
use event::{Event, Json, Model, Text, Tokens};
use serde_json::Value;

/// What a span was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// An agent, workflow, task or chain ran.
    Invocation,
    /// A model answered.
    Llm,
    /// A tool was called.
    Tool,
    /// A person was asked.
    Human,
    /// Documents or memory were read or written, or embeddings made for that.
    Retrieval,
    /// An output was scored.
    Evaluation,
    /// A branch was taken.
    Decision,
    /// A control checked something, and maybe stopped it.
    Guardrail,
    /// An agent thought or planned.
    Reasoning,
    /// Tokens were counted.
    Usage,
    /// Work moved from one agent to another.
    Handoff,
    /// The AG2 hub did something of this kind.
    Hub(String),
    /// A known thing that has no type of ours: this is its type.
    Other(String),
    /// Nobody says.
    Unmapped,
}

/// What the attributes say, before it is divided among events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Who, where and how: the fields that every event of the record shares.
    pub(crate) event: Event<'static>,
    /// The operation's name in its convention.
    pub(crate) operation: Option<Text<'static>>,
    pub(crate) model: Model<'static>,
    pub(crate) tokens: Tokens,
    pub(crate) params: Option<Json<'static>>,
    pub(crate) result: Option<Json<'static>>,
    pub(crate) input: Option<Json<'static>>,
    pub(crate) output: Option<Json<'static>>,
    pub(crate) context: Option<Json<'static>>,
    pub(crate) reasoning: Option<Json<'static>>,
    pub(crate) error_message: Option<Text<'static>>,
    pub(crate) error_stack: Option<Text<'static>>,
    /// True when the tokens were counted on another record already.
    pub(crate) tokens_repeated: bool,
}

/// The first answer in the order: a framework's own words, the operation's name, OpenInference,
/// OpenLLMetry, AG2, MCP, and at last the span's name.
pub(crate) fn act(span: &Span) -> Act {
    let attributes = &span.attributes;
    crewai::act(attributes)
        .or_else(|| gen_ai::act(attributes))
        .or_else(|| openinference::act(attributes))
        .or_else(|| openllmetry::act(attributes))
        .or_else(|| ag2::act(attributes, &span.name))
        .or_else(|| mcp::act(attributes))
        .or_else(|| names::act(&span.name))
        .unwrap_or(Act::Unmapped)
}

/// Takes everything that any convention names.
pub(crate) fn read(attributes: &mut Attributes, facts: &mut Facts) {
    gen_ai::read(attributes, facts);
    openinference::read(attributes, facts);
    openllmetry::read(attributes, facts);
    crewai::read(attributes, facts);
    mcp::read(attributes, facts);
    ag2::read(attributes, facts);
    facts.complete();
}

impl Facts {
    /// What follows from several fields together.
    pub(crate) fn complete(&mut self) {
        let tokens = &mut self.tokens;
        if tokens.total.is_none() && (tokens.input.is_some() || tokens.output.is_some()) {
            let sum =
                tokens.input.unwrap_or_default().checked_add(tokens.output.unwrap_or_default());
            tokens.total = sum;
        }
        if self.reasoning.is_none() {
            self.reasoning = self.output.as_ref().and_then(reasoning_of);
        }
    }

    /// The model, when anything is known of it.
    pub(crate) fn model(&self) -> Option<Model<'static>> {
        Some(self.model.clone()).filter(|model| *model != Model::default())
    }

    /// The error's message and stack as the content's `error`.
    pub(crate) fn error(&self) -> Option<Json<'static>> {
        let members = [("message", &self.error_message), ("stack", &self.error_stack)];
        let members = members.into_iter().filter_map(|(key, text)| {
            text.as_ref().map(|text| (key.to_owned(), Value::from(&**text)))
        });
        let error: serde_json::Map<_, _> = members.collect();
        (!error.is_empty()).then(|| Json::from_value(&Value::Object(error)))
    }
}

/// The contents of the parts of type `reasoning` in a list of messages.
fn reasoning_of(output: &Json<'_>) -> Option<Json<'static>> {
    // Parsing every answer again only to find nothing would double the work.
    if !output.as_str().contains("\"type\":\"reasoning\"") {
        return None;
    }
    let messages = output.to_value();
    let parts = messages.as_array()?.iter().filter_map(|message| message.get("parts")?.as_array());
    let texts: Vec<&str> = parts
        .flatten()
        .filter(|part| part.get("type").and_then(Value::as_str) == Some("reasoning"))
        .filter_map(|part| part.get("content")?.as_str())
        .collect();
    (!texts.is_empty()).then(|| Json::string(&texts.join("\n")))
}
