//! The redactor: one policy, compiled, applied to whole events.
//!
//! Not here: JSON inside an event (`json`) and single texts (`text`). A secret that is split over
//! two strings cannot be found by looking at either.

use crate::json::Walk;
use crate::marker::Hasher;
use crate::notes::Notes;
use crate::policy::{Action, Actions, Policy, PolicyError};
use crate::redacted::Redacted;
use crate::rule::Rule;
use crate::rules::{Rules, names};
use crate::scan;
use crate::text::Use;
use event::{Content, Event, Json, Redaction, Text};
use std::borrow::Cow;
use std::fmt;

/// Takes secrets out of events by one policy. Compiled once; share one between all threads.
pub struct Redactor {
    pub(crate) rules: Rules,
    pub(crate) actions: Actions,
    pub(crate) hasher: Hasher,
}

impl fmt::Debug for Redactor {
    /// The actions alone: the key stays out of every log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("actions", &self.actions).finish_non_exhaustive()
    }
}

impl Redactor {
    /// Compiles `policy`; `hash_key` keys the hashes that stand in for values: equal values get
    /// equal hashes as long as it stays the same.
    ///
    /// # Errors
    /// [`PolicyError`] when the policy names a rule that does not exist, or one twice.
    pub fn new(policy: &Policy, hash_key: [u8; 32]) -> Result<Self, PolicyError> {
        let hasher = Hasher::new(&hash_key).ok_or(PolicyError::Key)?;
        Ok(Self { rules: Rules::compile()?, actions: policy.actions()?, hasher })
    }

    /// Takes every secret that the policy's rules recognise out of `event`: out of every text of
    /// the metadata, every string and key of the content at any depth, and JSON inside strings.
    /// Each removal is noted in `redactions`. Redacting again changes nothing.
    ///
    /// Ids are replaced as a whole by a keyed hash, whatever the policy's action, so that equal ids
    /// stay equal. A secret that is split over two strings cannot be found.
    #[must_use]
    pub fn redact<'a>(&self, mut event: Event<'a>) -> Redacted<Event<'a>> {
        let mut notes = Notes::default();
        self.redact_meta(&mut event, &mut notes);
        self.redact_content(&mut event.content, &mut notes);
        self.redact_notes(&mut event.redactions, &mut notes);
        notes.append_to(&mut event.redactions);
        Redacted::new(event)
    }

    fn redact_meta(&self, event: &mut Event<'_>, notes: &mut Notes) {
        if let Some(id) = &mut event.event_id {
            self.redact_field("event_id", id, Use::Id, notes);
        }
        self.redact_field("event_type", &mut event.event_type, Use::Id, notes);
        let mut emptied = false;
        for (name, text) in event.texts_mut() {
            let usage = match name {
                "session_id" | "trace_id" | "parent_event_id" | "task_id" => Use::Id,
                _ => Use::Value,
            };
            self.redact_field(name, text, usage, notes);
            emptied |= text.is_empty();
        }
        if emptied {
            remove_empty(event);
        }
        for id in &mut event.caused_by {
            self.redact_field("caused_by", id, Use::Id, notes);
        }
        if !event.tags.is_empty() {
            for tag in &mut event.tags {
                self.redact_field("tags", tag, Use::Value, notes);
            }
            event.tags.retain(|tag| !tag.is_empty());
        }
        if let Some(model) = &mut event.model {
            self.redact_member("model.name", &mut model.name, notes);
            self.redact_member("model.provider", &mut model.provider, notes);
            self.redact_member("model.requested", &mut model.requested, notes);
            self.redact_member("model.responded", &mut model.responded, notes);
        }
        if let Some(producer) = &mut event.producer {
            self.redact_member("producer.id", &mut producer.id, notes);
            self.redact_member("producer.sdk", &mut producer.sdk, notes);
        }
        if let Some(principal) = &mut event.principal {
            self.redact_member("principal.issuer", &mut principal.issuer, notes);
            self.redact_member("principal.subject", &mut principal.subject, notes);
            self.redact_member("principal.method", &mut principal.method, notes);
        }
        self.redact_cost(event, notes);
    }

    /// An amount is digits, which may be those of a card; it cannot hold a marker, so the cost
    /// goes.
    fn redact_cost(&self, event: &mut Event<'_>, notes: &mut Notes) {
        let Some(cost) = &mut event.cost else { return };
        self.redact_member("cost.currency", &mut cost.currency, notes);
        if let Some(redone) = self.redact_text(&cost.amount, Use::Value) {
            for (rule, _) in redone.by {
                notes.add("cost.amount", rule, Action::Drop.as_str());
            }
            event.cost = None;
        }
    }

    fn redact_member(&self, path: &str, text: &mut Option<Text<'_>>, notes: &mut Notes) {
        if let Some(present) = text {
            self.redact_field(path, present, Use::Value, notes);
            if present.is_empty() {
                *text = None;
            }
        }
    }

    fn redact_field(&self, path: &str, text: &mut Text<'_>, usage: Use, notes: &mut Notes) {
        if scan::is_uuid(text.as_bytes()) {
            return;
        }
        if let Some(redone) = self.redact_text(text, usage) {
            for (rule, action) in redone.by {
                self.note(notes, path, rule, action);
            }
            *text = Cow::Owned(redone.text);
        }
    }

    fn redact_content(&self, content: &mut Content<'_>, notes: &mut Notes) {
        for (part, json) in &mut content.parts {
            if !Self::is_clean(json.as_str()) {
                self.redact_json(part.as_str(), json, false, notes);
            }
        }
        if content.attributes.iter().all(|(key, json)| is_clean_attribute(key, json)) {
            return;
        }
        let attributes = std::mem::take(&mut content.attributes);
        for (key, json) in attributes {
            if is_clean_attribute(&key, &json) {
                content.attributes.push((key, json));
            } else {
                self.redact_attribute(key, json, content, notes);
            }
        }
    }

    /// One attribute: wrapped as the object that it is a member of, so that `json` has the only
    /// copy of the rules for members.
    fn redact_attribute<'a>(
        &self,
        key: Text<'a>,
        json: Json<'a>,
        content: &mut Content<'a>,
        notes: &mut Notes,
    ) {
        let name = serde_json::Value::from(&*key).to_string();
        let object = format!("{{{name}:{}}}", json.as_str());
        let outcome = Walk::new(self, notes, "attributes".to_owned()).run(&object, false);
        let redone = match outcome {
            Ok(None) => return content.attributes.push((key, json)),
            Ok(Some(redone)) => read_member(&redone),
            Err(_) => None,
        };
        match redone {
            Some(Some((mut key, json))) => {
                while content.attribute(&key).is_some() {
                    key.push('~');
                }
                content.attributes.push((key.into(), json));
            }
            // The member was dropped.
            Some(None) => {}
            None => {
                notes.add("attributes", Rule::SensitiveMember, Action::Drop.as_str());
            }
        }
    }

    /// Redacts a value in place. What cannot be read back after it was rewritten is masked as a
    /// whole: it cannot happen with checked JSON unless two keys became equal.
    fn redact_json(&self, path: &str, json: &mut Json<'_>, secret: bool, notes: &mut Notes) {
        let outcome = Walk::new(self, notes, path.to_owned()).run(json.as_str(), secret);
        let redone = match outcome {
            Ok(None) => return,
            Ok(Some(redone)) => Json::parse(&redone, path).ok().map(Json::into_owned),
            Err(_) => None,
        };
        *json = redone.unwrap_or_else(|| {
            notes.add(path, Rule::SensitiveMember, Action::Mask.as_str());
            Json::string(&crate::marker::mask(Rule::SensitiveMember))
        });
    }

    /// What a producer noted about its own redactions is text like any other.
    fn redact_notes(&self, redactions: &mut [Redaction<'_>], notes: &mut Notes) {
        for redaction in redactions {
            for text in [&mut redaction.path, &mut redaction.rule, &mut redaction.action] {
                self.redact_field("redactions", text, Use::Value, notes);
            }
        }
    }

    /// Notes a removal. The path is made of keys, and joined keys can look like an address.
    pub(crate) fn note(&self, notes: &mut Notes, path: &str, rule: Rule, action: Action) {
        let mut path = crate::notes::shorten(path);
        if let Some(redone) = self.redact_text(&path, Use::Value) {
            path = redone.text.into();
        }
        notes.add(&path, rule, action.as_str());
    }
}

/// The single member of an object, or none when it has none; `None` when it is not readable.
fn read_member(object: &str) -> Option<Option<(String, Json<'static>)>> {
    type Members = std::collections::BTreeMap<String, Box<serde_json::value::RawValue>>;
    let members: Members = serde_json::from_str(object).ok()?;
    let Some((key, raw)) = members.into_iter().next() else { return Some(None) };
    Some(Some((key, Json::parse(raw.get(), "attributes").ok()?.into_owned())))
}

/// Whether neither the name nor the value of an attribute needs a closer look.
fn is_clean_attribute(key: &str, json: &Json<'_>) -> bool {
    !names::may_end_secret_name(key.as_bytes(), key.len())
        && scan::families(key.as_bytes()).is_empty()
        && Redactor::is_clean(json.as_str())
}

/// An empty text counts as absent.
fn remove_empty(event: &mut Event<'_>) {
    for text in [
        &mut event.agent_name,
        &mut event.agent_id,
        &mut event.agent_version,
        &mut event.action,
        &mut event.tool,
        &mut event.version,
        &mut event.error_type,
        &mut event.source,
        &mut event.on_behalf_of,
        &mut event.approver,
        &mut event.signature,
    ] {
        if text.as_deref() == Some("") {
            *text = None;
        }
    }
}

#[cfg(test)]
mod tests;
