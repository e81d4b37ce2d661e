//! Reading an Event from JSON: what producers send, and what the log stored.
//!
//! `members` finds the members; each is then read here by its meaning, so that every refusal names
//! its field. Strictness inside values is `json`'s.

mod values;

use crate::cursor::{Cursor, Shape, Value};
use crate::error::{Code, EventError};
use crate::event::{Assurance, Event, Outcome, Part, Phase, Text, for_each_text};
use crate::field::Field;
use crate::json::Json;
use crate::limits;
use crate::members::{members, walk, walk_by};
use crate::order::Order;
use crate::types;
use std::borrow::Cow;
use values::{
    check_schema, cost, count, model, name, number, principal, producer, read_tokens, redactions,
    text, texts, timestamp,
};

/// The nesting level of a member's value in its event, whose own object is level 1 (see `json`).
const MEMBER_LEVEL: usize = 2;

/// Keys of one object on the fast road that the schema does not name, at most.
const FOREIGN_KEYS_MAX: usize = 24;

/// Who wrote the JSON: some fields are only believed from the log itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    Producer,
    Log,
}

impl<'a> Event<'a> {
    /// Reads one event that a producer sent. Members that the schema does not name are kept as
    /// attributes; `null` and empty metadata strings count as absent. `principal` and `assurance`
    /// are the receiver's to set: what a producer claims there becomes an attribute.
    ///
    /// # Errors
    /// [`EventError`] with the first fault found.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, EventError> {
        Self::from_json_after(bytes, &mut Order::default())
    }

    /// The same for one of several events, of which those before were read with the same `order`:
    /// faster, with the same outcome.
    ///
    /// # Errors
    /// As [`Event::from_json`].
    pub fn from_json_after(bytes: &'a [u8], order: &mut Order) -> Result<Self, EventError> {
        // Read where it is returned: an event is large.
        let mut read = Ok(Self::default());
        if let Ok(event) = &mut read
            && let Err(error) = event.read_json(bytes, order)
        {
            return Err(error);
        }
        read
    }

    fn read_json(&mut self, bytes: &'a [u8], order: &mut Order) -> Result<(), EventError> {
        if bytes.len() > limits::EVENT_BYTES_MAX {
            let reason = format!(
                "{} bytes, at most {} are allowed; store the large value elsewhere and log a reference",
                bytes.len(),
                limits::EVENT_BYTES_MAX
            );
            return Err(EventError::new(Code::TooLarge, "", reason));
        }
        // The fast check does not say where it failed.
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| {
            let place = std::str::from_utf8(bytes).map_or_else(|it| it.valid_up_to(), str::len);
            let reason = format!("invalid UTF-8 at byte {place}; encode as UTF-8");
            EventError::new(Code::BadUtf8, "", reason)
        })?;
        if !self.read_usual(text, order)? {
            *self = Self::default();
            members(text, "", MEMBER_LEVEL, &mut |key, value| {
                self.read(key, value, Writer::Producer)
            })?;
        }
        self.check_what(bytes.len())
    }

    /// Reads an event in which nothing is unusual; says `false` when something is, and the event
    /// must be read from the beginning by `members`.
    fn read_usual(&mut self, text: &'a str, order: &mut Order) -> Result<bool, EventError> {
        let (mut seen, mut foreign, mut foreign_count) = (0_u64, [""; FOREIGN_KEYS_MAX], 0);
        let (mut outcome, mut before) = (Ok(()), None);
        order.begin();
        let key = |cursor: &mut Cursor<'a>| {
            cursor.skip_blanks();
            let key = match order.guess(before, cursor.bytes()) {
                Some((field, length)) => {
                    cursor.set_place(cursor.place() + length);
                    Ok(field)
                }
                None => {
                    let key = cursor.key()?;
                    let field = Field::of(key).ok_or(key);
                    field.inspect(|field| order.learn(before, *field))
                }
            };
            before = key.ok().or(before);
            Some(key)
        };
        let usual = walk_by(text, MEMBER_LEVEL, key, |key, value| {
            match key {
                Ok(field) if seen & field.bit() == 0 => seen |= field.bit(),
                Err(key) if !foreign.iter().take(foreign_count).any(|earlier| *earlier == key) => {
                    *foreign.get_mut(foreign_count)? = key;
                    foreign_count += 1;
                }
                _ => return None,
            }
            if value.text == "null" {
                return Some(());
            }
            outcome = match key {
                Ok(field) => self.read_field(field, value, Writer::Producer),
                Err(key) => self.read_attribute(Cow::Borrowed(key), value, Writer::Producer),
            };
            outcome.is_ok().then_some(())
        });
        outcome.map(|()| usual.is_some())
    }

    /// Reads an event back from the two parts that the log stored (see `encode`); `content` is
    /// empty when there was none or it was erased.
    ///
    /// # Errors
    /// [`EventError`] when the bytes are not what `encode` writes.
    pub fn from_stored(meta: &'a [u8], content: &'a [u8]) -> Result<Self, EventError> {
        let mut event = Event::default();
        for bytes in [meta, content].into_iter().filter(|bytes| !bytes.is_empty()) {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| EventError::new(Code::BadUtf8, "", "stored bytes are not UTF-8"))?;
            members(text, "", MEMBER_LEVEL, &mut |key, value| event.read(key, value, Writer::Log))?;
        }
        Ok(event)
    }

    /// Checks what no single member can tell: required fields, limits, reserved names.
    ///
    /// # Errors
    /// [`EventError`] naming the field.
    pub fn check(&self) -> Result<(), EventError> {
        self.check_what(usize::MAX)
    }

    /// The same for an event that was read from `bytes` bytes: no text in it is longer.
    fn check_what(&self, bytes: usize) -> Result<(), EventError> {
        let event_type: &str = &self.event_type;
        if event_type.is_empty() {
            let reason = "every event needs a type, for example \"agent.tool_call\"";
            return Err(EventError::new(Code::MissingField, "event_type", reason));
        }
        if event_type.starts_with(types::LOG_PREFIX) {
            let reason = "`log.*` belongs to the log itself; choose another name";
            return Err(EventError::new(Code::ReservedType, "event_type", reason));
        }
        // All control characters and the space, without a branch for each byte.
        if event_type.bytes().fold(false, |any, b| any | (b <= b' ') | (b == 0x7F)) {
            let reason = "a type holds no white space or control characters";
            return Err(EventError::new(Code::BadValue, "event_type", reason));
        }
        if self.confidence.is_some_and(|c| !(0.0..=1.0).contains(&c)) {
            return Err(EventError::new(Code::BadValue, "confidence", "must lie between 0 and 1"));
        }
        if self.event_id.as_ref().is_some_and(|id| id.len() > limits::EVENT_ID_BYTES_MAX) {
            return too_long("event_id", limits::EVENT_ID_BYTES_MAX, "bytes");
        }
        if event_type.len() > limits::EVENT_TYPE_BYTES_MAX {
            return too_long("event_type", limits::EVENT_TYPE_BYTES_MAX, "bytes");
        }
        if bytes > limits::TEXT_BYTES_MAX {
            self.check_texts()?;
        }
        let lists = [("caused_by", self.caused_by.len()), ("tags", self.tags.len())];
        for (name, count) in lists.into_iter().chain([("redactions", self.redactions.len())]) {
            if count > limits::LIST_ITEMS_MAX {
                return too_long(name, limits::LIST_ITEMS_MAX, "items");
            }
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), EventError> {
        macro_rules! texts {
            ($($name:ident),*) => { [$((stringify!($name), self.$name.as_deref())),*] };
        }
        for (name, text) in for_each_text!(texts) {
            if text.is_some_and(|text| text.len() > limits::TEXT_BYTES_MAX) {
                return too_long(name, limits::TEXT_BYTES_MAX, "bytes");
            }
        }
        let model =
            self.model.iter().flat_map(|m| [&m.name, &m.provider, &m.requested, &m.responded]);
        let producer = self.producer.iter().flat_map(|p| [&p.id, &p.sdk]);
        let currency = self.cost.iter().map(|cost| &cost.currency);
        let items =
            |list: &'_ [Text<'_>]| list.iter().any(|text| text.len() > limits::TEXT_BYTES_MAX);
        for (name, long) in [
            ("model", any_long(model)),
            ("producer", any_long(producer)),
            ("cost.currency", any_long(currency)),
            ("caused_by", items(&self.caused_by)),
            ("tags", items(&self.tags)),
        ] {
            if long {
                return too_long(name, limits::TEXT_BYTES_MAX, "bytes");
            }
        }
        Ok(())
    }

    fn read(&mut self, key: Text<'a>, value: Value<'a>, writer: Writer) -> Result<(), EventError> {
        if value.text == "null" {
            return Ok(());
        }
        match Field::of(&key) {
            Some(field) => self.read_field(field, value, writer),
            None => self.read_attribute(key, value, writer),
        }
    }

    fn read_field(
        &mut self,
        field: Field,
        value: Value<'a>,
        writer: Writer,
    ) -> Result<(), EventError> {
        let slot = match field {
            Field::EventId => &mut self.event_id,
            Field::EventType => {
                self.event_type = text(value, field.name())?.unwrap_or_default();
                return Ok(());
            }
            Field::AgentName => &mut self.agent_name,
            Field::AgentId => &mut self.agent_id,
            Field::AgentVersion => &mut self.agent_version,
            Field::TaskId => &mut self.task_id,
            Field::SessionId => &mut self.session_id,
            Field::TraceId => &mut self.trace_id,
            Field::ParentEventId => &mut self.parent_event_id,
            Field::Action => &mut self.action,
            Field::Tool => &mut self.tool,
            Field::Version => &mut self.version,
            Field::ErrorType => &mut self.error_type,
            Field::Source => &mut self.source,
            Field::OnBehalfOf => &mut self.on_behalf_of,
            Field::Approver => &mut self.approver,
            Field::Signature => &mut self.signature,
            Field::Params => return self.read_part(Part::Params, value, writer),
            Field::Result => return self.read_part(Part::Result, value, writer),
            Field::Reasoning => return self.read_part(Part::Reasoning, value, writer),
            Field::Context => return self.read_part(Part::Context, value, writer),
            Field::Error => return self.read_part(Part::Error, value, writer),
            Field::Input => return self.read_part(Part::Input, value, writer),
            Field::Output => return self.read_part(Part::Output, value, writer),
            _ => return self.read_structured(field, value, writer),
        };
        *slot = text(value, field.name())?;
        Ok(())
    }

    fn read_structured(
        &mut self,
        field: Field,
        value: Value<'a>,
        writer: Writer,
    ) -> Result<(), EventError> {
        match field {
            Field::Timestamp => self.timestamp = Some(timestamp(value)?),
            Field::Phase => self.phase = name(value, "phase", Phase::from_name, Phase::NAMES)?,
            Field::Outcome => {
                self.outcome = name(value, "outcome", Outcome::from_name, Outcome::NAMES)?;
            }
            Field::Confidence => self.confidence = Some(number(value.text, "confidence")?),
            Field::DurationMs => self.duration_ms = Some(number(value.text, "duration_ms")?),
            Field::Tokens => read_tokens(value.text, self.tokens.get_or_insert_default())?,
            Field::TokenCount => {
                let total = count(value.text, "token_count")?;
                self.tokens.get_or_insert_default().total.get_or_insert(total);
            }
            Field::Cost => self.cost = Some(cost(value.text)?),
            Field::Model => self.model = model(value)?,
            Field::Producer => self.producer = Some(producer(value.text)?),
            Field::CausedBy => self.caused_by = texts(value.text, "caused_by")?,
            Field::Tags => self.tags = texts(value.text, "tags")?,
            Field::Redactions => self.redactions = redactions(value.text)?,
            Field::Schema => check_schema(value)?,
            Field::Principal if writer == Writer::Log => {
                self.principal = Some(principal(value.text)?);
            }
            Field::Assurance if writer == Writer::Log => {
                self.assurance = name(value, "assurance", Assurance::from_name, Assurance::NAMES)?;
            }
            Field::Attributes => self.read_attributes(value, writer)?,
            _ => return self.read_attribute(Cow::Borrowed(field.name()), value, writer),
        }
        Ok(())
    }

    fn read_part(
        &mut self,
        part: Part,
        value: Value<'a>,
        writer: Writer,
    ) -> Result<(), EventError> {
        let json = content(value, part.as_str(), MEMBER_LEVEL, writer)?;
        if self.content.get(part).is_some() {
            let reason = "the stored metadata and content both hold this part";
            return Err(EventError::new(Code::DuplicateKey, part.as_str(), reason));
        }
        self.content.parts.push((part, json));
        Ok(())
    }

    fn read_attribute(
        &mut self,
        key: Text<'a>,
        value: Value<'a>,
        writer: Writer,
    ) -> Result<(), EventError> {
        let json = content(value, &key, MEMBER_LEVEL, writer)?;
        self.add_attribute(key, json)
    }

    fn read_attributes(&mut self, value: Value<'a>, writer: Writer) -> Result<(), EventError> {
        if !value.text.starts_with('{') {
            let json = Json::of_value(value, "attributes", MEMBER_LEVEL)?;
            return self.add_attribute(Cow::Borrowed("attributes"), json);
        }
        // Two levels down: the event's object and this one.
        let level = MEMBER_LEVEL + 1;
        let before = self.content.attributes.len();
        let mut outcome = Ok(());
        let usual = walk(value.text, level, |key, value| {
            let inside = self.content.attributes.get(before..)?;
            let is_new = inside.iter().all(|(earlier, _)| *earlier != key);
            if !is_new || inside.len() == FOREIGN_KEYS_MAX || value.shape == Shape::Unknown {
                return None;
            }
            outcome = content(value, "attributes", level, writer)
                .and_then(|json| self.add_attribute(Cow::Borrowed(key), json));
            outcome.is_ok().then_some(())
        });
        if usual.is_some() || outcome.is_err() {
            return outcome;
        }
        self.content.attributes.truncate(before);
        members(value.text, "attributes", level, &mut |key, value| {
            let json = content(value, &format!("attributes.{key}"), level, writer)?;
            self.add_attribute(key, json)
        })
    }

    fn add_attribute(&mut self, key: Text<'a>, json: Json<'a>) -> Result<(), EventError> {
        if self.content.attribute(&key).is_some() {
            let reason = "the event holds this attribute both inside and outside `attributes`";
            return Err(EventError::new(Code::DuplicateKey, key, reason));
        }
        self.content.attributes.push((key, json));
        Ok(())
    }
}

/// True when one of the texts is longer than metadata may be.
fn any_long<'t, 'a: 't>(mut texts: impl Iterator<Item = &'t Option<Text<'a>>>) -> bool {
    texts.any(|text| text.as_ref().is_some_and(|text| text.len() > limits::TEXT_BYTES_MAX))
}

fn too_long(field: &str, max: usize, unit: &str) -> Result<(), EventError> {
    let reason = format!("longer than {max} {unit}; shorten it");
    Err(EventError::new(Code::TooLong, field, reason))
}

/// A value of the content: a producer's is checked, the log's own was.
#[inline]
fn content<'a>(
    value: Value<'a>,
    field: &str,
    level: usize,
    writer: Writer,
) -> Result<Json<'a>, EventError> {
    match writer {
        Writer::Producer => Json::of_value(value, field, level),
        Writer::Log => Ok(Json::trusted(value.text)),
    }
}

#[cfg(test)]
mod tests;
