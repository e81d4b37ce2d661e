//! The Event: what a producer says happened, in two parts that live and die separately.
//!
//! Not here: how it is read (`parse`) and written (`encode`), and what the log adds (`record`).

use crate::json::Json;
use crate::time::Timestamp;
use crate::types;
use std::borrow::Cow;

/// Text that borrows from the input where it can.
pub type Text<'a> = Cow<'a, str>;

/// One audited act (format.md, "Event"). Metadata stands in fields; what may hold personal data and
/// can be erased alone stands in [`Event::content`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'a> {
    /// A UUID or any string up to 128 bytes; the writer makes a UUIDv7 when absent.
    pub event_id: Option<Text<'a>>,
    /// The dotted type name (see [`crate::types`]); never empty in a valid event.
    pub event_type: Text<'a>,
    /// When the producer says it happened; the record time stands beside it in the record.
    pub timestamp: Option<Timestamp>,
    /// The acting agent's name.
    pub agent_name: Option<Text<'a>>,
    /// The acting agent's id in its framework.
    pub agent_id: Option<Text<'a>>,
    /// The acting agent's version.
    pub agent_version: Option<Text<'a>>,
    /// The task worked on.
    pub task_id: Option<Text<'a>>,
    /// The session (conversation, channel): the stream of the record.
    pub session_id: Option<Text<'a>>,
    /// The trace: the stream of the record when there is no session.
    pub trace_id: Option<Text<'a>>,
    /// The event that this one belongs under.
    pub parent_event_id: Option<Text<'a>>,
    /// Events that led to this one, beside the parent.
    pub caused_by: Vec<Text<'a>>,
    /// What was done, for people (`tool_call:lookup`).
    pub action: Option<Text<'a>>,
    /// The tool, in a field of its own because tool names contain colons.
    pub tool: Option<Text<'a>>,
    /// Intent before, result after, or plain observation.
    pub phase: Option<Phase>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The agent's confidence, 0 to 1; never invented.
    pub confidence: Option<f64>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// Tokens used.
    pub tokens: Option<Tokens>,
    /// Money spent.
    pub cost: Option<Cost<'a>>,
    /// The model asked and the model that answered.
    pub model: Option<Model<'a>>,
    /// The version of what acted (prompt, policy, program).
    pub version: Option<Text<'a>>,
    /// The error's class (`TimeoutError`).
    pub error_type: Option<Text<'a>>,
    /// Who asked: `user`, `system` or the parent agent's name.
    pub source: Option<Text<'a>>,
    /// The authenticated caller; set from the credential, never by the producer.
    pub principal: Option<Principal<'a>>,
    /// For whom the principal acted.
    pub on_behalf_of: Option<Text<'a>>,
    /// Who approved it.
    pub approver: Option<Text<'a>>,
    /// The process that emitted it, with its own sequence.
    pub producer: Option<Producer<'a>>,
    /// How sure we are that nothing before it was lost.
    pub assurance: Option<Assurance>,
    /// The producer's own signature.
    pub signature: Option<Text<'a>>,
    /// What was taken out before sealing, by whom and how.
    pub redactions: Vec<Redaction<'a>>,
    /// Free labels.
    pub tags: Vec<Text<'a>>,
    /// What may hold personal data.
    pub content: Content<'a>,
}

/// Calls `$visit!(name, field)` for every plain text field of the metadata, in the stored order.
macro_rules! for_each_text {
    ($visit:ident) => {
        $visit!(
            agent_name,
            agent_id,
            agent_version,
            task_id,
            session_id,
            trace_id,
            parent_event_id,
            action,
            tool,
            version,
            error_type,
            source,
            on_behalf_of,
            approver,
            signature
        )
    };
}
pub(crate) use for_each_text;

impl<'a> Event<'a> {
    /// An event of this type with nothing else known yet.
    #[must_use]
    pub fn new(event_type: impl Into<Text<'a>>) -> Self {
        Self { event_type: event_type.into(), ..Self::default() }
    }

    /// The plain text fields that are present, by name; lists and structures are not among them.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Text<'a>)> {
        macro_rules! list {
            ($($name:ident),*) => { [$((stringify!($name), self.$name.as_mut())),*] };
        }
        for_each_text!(list).into_iter().filter_map(|(name, text)| text.map(|text| (name, text)))
    }

    /// The same to read, without their names.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        macro_rules! list {
            ($($name:ident),*) => { [$(self.$name.as_deref()),*] };
        }
        for_each_text!(list).into_iter().flatten()
    }

    /// The plain text field of this name, by which filters select; `event_id` and `event_type` too.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        macro_rules! pick {
            ($($name:ident),*) => {
                match field {
                    "event_id" => self.event_id.as_deref(),
                    "event_type" => Some(&*self.event_type),
                    $(stringify!($name) => self.$name.as_deref(),)*
                    _ => None,
                }
            };
        }
        for_each_text!(pick)
    }

    /// Takes out every metadata text that is empty: stored, it would read back as absent.
    pub fn remove_empty_texts(&mut self) {
        fn clear(text: &mut Option<Text<'_>>) {
            text.take_if(|text| text.is_empty());
        }
        macro_rules! clear_all {
            ($($name:ident),*) => { $(clear(&mut self.$name);)* };
        }
        for_each_text!(clear_all);
        clear(&mut self.event_id);
        if let Some(model) = &mut self.model {
            let Model { name, provider, requested, responded } = model;
            [name, provider, requested, responded].into_iter().for_each(clear);
        }
        if let Some(producer) = &mut self.producer {
            clear(&mut producer.id);
            clear(&mut producer.sdk);
        }
        if let Some(cost) = &mut self.cost {
            clear(&mut cost.currency);
        }
        self.caused_by.retain(|text| !text.is_empty());
        self.tags.retain(|text| !text.is_empty());
    }

    /// The tool of this event: its own field, else what stands after the first colon of the action
    /// of a tool event (a tool's name may hold colons itself).
    #[must_use]
    pub fn tool_name(&self) -> Option<&str> {
        self.tool.as_deref().or_else(|| match &*self.event_type {
            types::TOOL_CALL | types::TOOL_RESULT => {
                let (_, object) = self.action.as_deref()?.split_once(':')?;
                Some(object).filter(|object| !object.is_empty())
            }
            _ => None,
        })
    }

    /// The text that names this event's stream: the session, else the trace.
    #[must_use]
    pub fn stream_key(&self) -> Option<&str> {
        self.session_id.as_deref().or(self.trace_id.as_deref())
    }
}

/// Whether the event was written before, after or beside the act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the side effect.
    Intent,
    /// After it.
    Result,
    /// Seen from outside.
    Observation,
}

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As wanted.
    Success,
    /// With an error.
    Failure,
    /// Too late.
    Timeout,
    /// Refused by a policy or a person.
    Denied,
    /// Handed to someone else to decide.
    Escalated,
    /// Stopped on request.
    Cancelled,
    /// Nobody knows: no result was ever seen.
    Unknown,
}

/// How an event reached the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assurance {
    /// The producer waited for the acknowledgement.
    Acknowledged,
    /// Through a channel that may lose (OTLP export).
    Observed,
    /// Read from a file afterwards.
    Imported,
}

/// Gives an enum of plain names its two-way text form.
macro_rules! named {
    ($type:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl $type {
            /// Every name, in the order of the format.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// The name as stored.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The value with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

named!(Phase { Intent = "intent", Result = "result", Observation = "observation" });
named!(Outcome {
    Success = "success",
    Failure = "failure",
    Timeout = "timeout",
    Denied = "denied",
    Escalated = "escalated",
    Cancelled = "cancelled",
    Unknown = "unknown",
});
named!(Assurance { Acknowledged = "acknowledged", Observed = "observed", Imported = "imported" });

/// Token counts; `cache_read` is part of `input`, `reasoning` part of `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Tokens read by the model.
    pub input: Option<u64>,
    /// Tokens written by the model.
    pub output: Option<u64>,
    /// Of the input, those read from a cache.
    pub cache_read: Option<u64>,
    /// Of the input, those written to a cache.
    pub cache_write: Option<u64>,
    /// Of the output, those spent on reasoning.
    pub reasoning: Option<u64>,
    /// Input plus output.
    pub total: Option<u64>,
}

impl Tokens {
    /// All of them: as the producer says, else input and output.
    #[must_use]
    pub fn all(&self) -> Option<u64> {
        match (self.total, self.input, self.output) {
            (Some(total), _, _) => Some(total),
            (None, None, None) => None,
            (None, input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        }
    }
}

/// Money: the amount in the producer's own digits, so that no cent is lost to binary fractions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost<'a> {
    /// A JSON number.
    pub amount: Text<'a>,
    /// ISO 4217, for example `USD`.
    pub currency: Option<Text<'a>>,
}

/// A model: a bare name, or provider with the requested and the responding model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model<'a> {
    /// The bare name, when the producer sent a string.
    pub name: Option<Text<'a>>,
    /// Who runs it.
    pub provider: Option<Text<'a>>,
    /// The model asked for.
    pub requested: Option<Text<'a>>,
    /// The model that answered.
    pub responded: Option<Text<'a>>,
}

impl Model<'_> {
    /// The best single name: what responded, else what was requested, else the bare name.
    #[must_use]
    pub fn display(&self) -> Option<&str> {
        self.responded.as_deref().or(self.requested.as_deref()).or(self.name.as_deref())
    }
}

/// An authenticated caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal<'a> {
    /// Who vouches for it.
    pub issuer: Option<Text<'a>>,
    /// Who it is there.
    pub subject: Option<Text<'a>>,
    /// How it proved that.
    pub method: Option<Text<'a>>,
}

/// The emitting process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Producer<'a> {
    /// Its id.
    pub id: Option<Text<'a>>,
    /// Its own sequence number, without gaps.
    pub seq: Option<u64>,
    /// Name and version of the SDK or instrumentation.
    pub sdk: Option<Text<'a>>,
}

/// One removal: where, by which rule, and what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction<'a> {
    /// Dotted path to the value (`params.headers.authorization`).
    pub path: Text<'a>,
    /// The rule's name.
    pub rule: Text<'a>,
    /// `drop`, `mask` or `hash`.
    pub action: Text<'a>,
}

/// The named parts of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// What was passed in.
    Params,
    /// What came back.
    Result,
    /// Why, in the agent's words.
    Reasoning,
    /// Retrieved documents, the initial request.
    Context,
    /// Message and stack of an error.
    Error,
    /// What the model or agent was given.
    Input,
    /// What it produced.
    Output,
}

named!(Part {
    Params = "params",
    Result = "result",
    Reasoning = "reasoning",
    Context = "context",
    Error = "error",
    Input = "input",
    Output = "output",
});

/// What may hold personal data, in the order the producer sent it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content<'a> {
    /// The named parts; none twice.
    pub parts: Vec<(Part, Json<'a>)>,
    /// Everything else that the producer sent, by key; none twice.
    pub attributes: Vec<(Text<'a>, Json<'a>)>,
}

impl<'a> Content<'a> {
    /// True when there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.attributes.is_empty()
    }

    /// The value of a part.
    #[must_use]
    pub fn get(&self, part: Part) -> Option<&Json<'a>> {
        self.parts.iter().find(|(p, _)| *p == part).map(|(_, json)| json)
    }

    /// Sets a part, replacing an earlier value.
    pub fn set(&mut self, part: Part, json: Json<'a>) {
        match self.parts.iter_mut().find(|(p, _)| *p == part) {
            Some((_, old)) => *old = json,
            None => self.parts.push((part, json)),
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&Json<'a>> {
        self.attributes.iter().find(|(k, _)| k == key).map(|(_, json)| json)
    }

    /// Sets an attribute, replacing an earlier value.
    pub fn set_attribute(&mut self, key: impl Into<Text<'a>>, json: Json<'a>) {
        let key = key.into();
        match self.attributes.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = json,
            None => self.attributes.push((key, json)),
        }
    }

    /// True when an error part is there and is not an empty string.
    #[must_use]
    pub fn error_is_present(&self) -> bool {
        self.get(Part::Error).is_some_and(|json| !matches!(json.as_str(), "\"\"" | "{}" | "false"))
    }

    /// The error's message: the text itself, or its `message` member.
    #[must_use]
    pub fn error_message(&self) -> Option<String> {
        let json = self.get(Part::Error)?;
        json.to_text()
            .map(Cow::into_owned)
            .or_else(|| json.to_value().get("message").and_then(|m| m.as_str().map(str::to_owned)))
    }
}
