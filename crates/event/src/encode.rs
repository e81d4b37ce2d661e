//! Writing an Event as the two byte strings that are hashed and stored: metadata in the fixed field
//! order of the format, content in the producer's order.
//!
//! What is written here is never re-serialised: these very bytes are committed to, stored, and
//! shown.

use crate::event::{
    Assurance, Cost, Event, Model, Outcome, Phase, Principal, Producer, Redaction, Text, Tokens,
};
use crate::plain;

/// How all metadata begins; the schema is [`crate::SCHEMA`].
const OPENING: &str = r#"{"schema":"tachograph.event/1""#;

/// Appends the members of one JSON object.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// An object of which some members were written already.
    fn resume(out: &'o mut Vec<u8>) -> Self {
        Self { out, empty: false }
    }

    /// Writes one of our own keys, which hold nothing to escape, and hands out the place of the
    /// value.
    fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        let opening: &[u8] = if self.empty { b"\"" } else { b",\"" };
        self.empty = false;
        self.out.extend_from_slice(opening);
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Writes a producer's key and hands out the place of the value.
    fn foreign_key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        string(self.out, key);
        self.out.push(b':');
        self.out
    }

    fn text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            string(self.key(key), text);
        }
    }

    fn count(&mut self, key: &'static str, count: Option<u64>) {
        if let Some(count) = count {
            // Writing to a vector cannot fail.
            let _ = serde_json::to_writer(self.key(key), &count);
        }
    }

    fn number(&mut self, key: &'static str, number: Option<f64>) {
        if let Some(number) = number.filter(|n| n.is_finite()) {
            // The shortest text that reads back to the same double. Writing to a vector cannot
            // fail.
            let _ = serde_json::to_writer(self.key(key), &number);
        }
    }

    fn texts(&mut self, key: &'static str, texts: &[Text<'_>]) {
        if texts.is_empty() {
            return;
        }
        let out = self.key(key);
        for (position, text) in texts.iter().enumerate() {
            out.push(if position == 0 { b'[' } else { b',' });
            string(out, text);
        }
        out.push(b']');
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

/// Writes a JSON string; most hold nothing to escape and are copied whole.
fn string(out: &mut Vec<u8>, text: &str) {
    if !plain::is_plain(text.as_bytes()) {
        // Writing to a vector cannot fail.
        let _ = serde_json::to_writer(&mut *out, text);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Writes a text member of the metadata; `key` is `,"name":"`.
#[inline]
fn text(out: &mut Vec<u8>, key: &'static str, text: Option<&str>) {
    let Some(text) = text else { return };
    if plain::is_plain(text.as_bytes()) {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        escaped(out, key, text);
    }
}

#[cold]
fn escaped(out: &mut Vec<u8>, key: &'static str, text: &str) {
    out.extend_from_slice(key.strip_suffix('"').unwrap_or(key).as_bytes());
    string(out, text);
}

impl Event<'_> {
    /// Appends the metadata as compact JSON, in the field order of format.md, "Event".
    pub fn write_meta(&self, out: &mut Vec<u8>) {
        self.write_meta_as(self.event_id.as_deref(), out);
    }

    /// The same under an id that its own does not have to be: an event is large, and one without an
    /// id is not copied to be given one.
    pub fn write_meta_as(&self, event_id: Option<&str>, out: &mut Vec<u8>) {
        // The key with all that stands around it is one constant: most of an event is texts.
        macro_rules! texts {
            ($($name:literal: $text:expr),* $(,)?) => {
                $(text(out, concat!(",\"", $name, "\":\""), $text);)*
            };
        }
        out.extend_from_slice(OPENING.as_bytes());
        texts! {
            "event_id": event_id,
            "event_type": Some(&*self.event_type),
        }
        if let Some(timestamp) = self.timestamp {
            out.extend_from_slice(b",\"timestamp\":\"");
            timestamp.write_rfc3339(out);
            out.push(b'"');
        }
        texts! {
            "agent_name": self.agent_name.as_deref(),
            "agent_id": self.agent_id.as_deref(),
            "agent_version": self.agent_version.as_deref(),
            "task_id": self.task_id.as_deref(),
            "session_id": self.session_id.as_deref(),
            "trace_id": self.trace_id.as_deref(),
            "parent_event_id": self.parent_event_id.as_deref(),
        }
        Object::resume(out).texts("caused_by", &self.caused_by);
        texts! {
            "action": self.action.as_deref(),
            "tool": self.tool.as_deref(),
            "phase": self.phase.map(Phase::as_str),
            "outcome": self.outcome.map(Outcome::as_str),
        }
        let mut o = Object::resume(out);
        o.number("confidence", self.confidence);
        o.number("duration_ms", self.duration_ms);
        write_tokens(&mut o, self.tokens.as_ref());
        write_cost(&mut o, self.cost.as_ref());
        write_model(&mut o, self.model.as_ref());
        texts! {
            "version": self.version.as_deref(),
            "error_type": self.error_type.as_deref(),
            "source": self.source.as_deref(),
        }
        write_principal(&mut Object::resume(out), self.principal.as_ref());
        texts! {
            "on_behalf_of": self.on_behalf_of.as_deref(),
            "approver": self.approver.as_deref(),
        }
        write_producer(&mut Object::resume(out), self.producer.as_ref());
        texts! {
            "assurance": self.assurance.map(Assurance::as_str),
            "signature": self.signature.as_deref(),
        }
        let mut o = Object::resume(out);
        write_redactions(&mut o, &self.redactions);
        o.texts("tags", &self.tags);
        o.close();
    }

    /// Appends the content as compact JSON: the named parts in the producer's order, then
    /// `attributes`; nothing at all when there is none.
    pub fn write_content(&self, out: &mut Vec<u8>) {
        if self.content.is_empty() {
            return;
        }
        let mut o = Object::open(out);
        for (part, json) in &self.content.parts {
            o.key(part.as_str()).extend_from_slice(json.as_str().as_bytes());
        }
        if !self.content.attributes.is_empty() {
            let mut inner = Object::open(o.key("attributes"));
            for (key, json) in &self.content.attributes {
                inner.foreign_key(key).extend_from_slice(json.as_str().as_bytes());
            }
            inner.close();
        }
        o.close();
    }
}

fn write_tokens(o: &mut Object<'_>, tokens: Option<&Tokens>) {
    let Some(tokens) = tokens else { return };
    let mut o = Object::open(o.key("tokens"));
    o.count("input", tokens.input);
    o.count("output", tokens.output);
    o.count("cache_read", tokens.cache_read);
    o.count("cache_write", tokens.cache_write);
    o.count("reasoning", tokens.reasoning);
    o.count("total", tokens.total);
    o.close();
}

fn write_cost(o: &mut Object<'_>, cost: Option<&Cost<'_>>) {
    let Some(cost) = cost else { return };
    let mut o = Object::open(o.key("cost"));
    o.key("amount").extend_from_slice(cost.amount.as_bytes());
    o.text("currency", cost.currency.as_deref());
    o.close();
}

fn write_model(o: &mut Object<'_>, model: Option<&Model<'_>>) {
    let Some(model) = model else { return };
    if model.provider.is_none() && model.requested.is_none() && model.responded.is_none() {
        o.text("model", model.name.as_deref());
        return;
    }
    let mut o = Object::open(o.key("model"));
    o.text("provider", model.provider.as_deref());
    o.text("requested", model.requested.as_deref());
    o.text("responded", model.responded.as_deref());
    o.text("name", model.name.as_deref());
    o.close();
}

fn write_principal(o: &mut Object<'_>, principal: Option<&Principal<'_>>) {
    let Some(principal) = principal else { return };
    let mut o = Object::open(o.key("principal"));
    o.text("issuer", principal.issuer.as_deref());
    o.text("subject", principal.subject.as_deref());
    o.text("method", principal.method.as_deref());
    o.close();
}

fn write_producer(o: &mut Object<'_>, producer: Option<&Producer<'_>>) {
    let Some(producer) = producer else { return };
    let mut o = Object::open(o.key("producer"));
    o.text("id", producer.id.as_deref());
    o.count("seq", producer.seq);
    o.text("sdk", producer.sdk.as_deref());
    o.close();
}

fn write_redactions(o: &mut Object<'_>, redactions: &[Redaction<'_>]) {
    if redactions.is_empty() {
        return;
    }
    let out = o.key("redactions");
    for (position, redaction) in redactions.iter().enumerate() {
        out.push(if position == 0 { b'[' } else { b',' });
        let mut o = Object::open(out);
        o.text("path", Some(&redaction.path));
        o.text("rule", Some(&redaction.rule));
        o.text("action", Some(&redaction.action));
        o.close();
    }
    out.push(b']');
}
