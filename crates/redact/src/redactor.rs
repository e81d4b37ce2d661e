//! The redactor: one policy, compiled, applied to whole events.
//!
//! Not here: JSON inside an event (`json`) and single texts (`text`). A secret that is split over
//! two strings cannot be found by looking at either.

use crate::gathered::is_clean_meta;
use crate::json::{Forced, Walk, looks_like_json};
use crate::marker::Hasher;
use crate::notes::Notes;
use crate::policy::{Action, Policy, PolicyError, Setting};
use crate::redacted::Redacted;
use crate::rule::Rule;
use crate::rules::{Rules, names};
use crate::ruling::{Compiled, Ruling};
use crate::scan;
use crate::text::{Redone, Spot, Use};
use event::{Content, Event, Json, Redaction, Signature, Text};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// Takes secrets out of events by one policy. Compiled once; share one between all threads.
pub struct Redactor {
    pub(crate) rules: Rules,
    pub(crate) policy: Compiled,
    pub(crate) hasher: Hasher,
}

impl fmt::Debug for Redactor {
    /// The policy's id alone: the key stays out of every log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("policy", &self.policy.id).finish_non_exhaustive()
    }
}

impl Redactor {
    /// Compiles `policy`; `hash_key` keys the hashes that stand in for values: equal values get
    /// equal hashes as long as it stays the same.
    ///
    /// # Errors
    /// [`PolicyError`] when the policy names what does not exist, one rule twice, or would keep a
    /// secret.
    pub fn new(policy: &Policy, hash_key: [u8; 32]) -> Result<Self, PolicyError> {
        let hasher = Hasher::new(&hash_key).ok_or(PolicyError::Key)?;
        Ok(Self { rules: Rules::compile()?, policy: policy.compile()?, hasher })
    }

    /// Which policy this redactor applies, as in the notes of what it removes.
    #[must_use]
    pub fn policy_id(&self) -> &str {
        &self.policy.id
    }

    /// Takes everything that the policy's rules recognise and its paths name out of `event`: out of
    /// every text of the metadata, every string and key of the content at any depth, JSON inside
    /// strings, and one layer of base64 or percent signs. Each removal is noted in `redactions`.
    /// Redacting again changes nothing.
    ///
    /// Ids are replaced as a whole by a keyed hash or token, whatever the policy's action, so that
    /// equal ids stay equal. A secret that is split over two strings cannot be found.
    #[must_use]
    pub fn redact<'a>(&self, mut event: Event<'a>) -> Redacted<Event<'a>> {
        self.redact_in_place(&mut event);
        Redacted::new(event)
    }

    /// The same where the event lies: it is large, and every move copies it.
    pub fn redact_in_place<'e, 'a>(&self, event: &'e mut Event<'a>) -> Redacted<&'e Event<'a>> {
        let ruling = self.policy.ruling(event);
        let mut notes = Notes::default();
        if ruling.has_fields() || !is_clean_meta(event, self.policy.searched) {
            self.redact_meta(&ruling, event, &mut notes);
        }
        self.redact_content(&ruling, &mut event.content, &mut notes);
        self.redact_notes(&ruling, &mut event.redactions, &mut notes);
        notes.append_to(&mut event.redactions, &self.policy.id);
        Redacted::new(event)
    }

    fn redact_meta(&self, ruling: &Ruling<'_>, event: &mut Event<'_>, notes: &mut Notes) {
        let mut fields = Fields { redactor: self, ruling, notes };
        if let Some(id) = &mut event.event_id {
            fields.text("event_id", id, Use::Id);
        }
        fields.text("event_type", &mut event.event_type, Use::Id);
        let mut emptied = false;
        for (name, text) in event.texts_mut() {
            // A signature is as good as random, and is none any more when a digit of it is taken
            // for a part of something. Only a policy that names the field touches it.
            let is_signature = name == "signature" && Signature::parse(text).is_some();
            if is_signature && ruling.field(name).is_none() {
                continue;
            }
            let usage = match name {
                "session_id" | "trace_id" | "parent_event_id" | "task_id" => Use::Id,
                _ => Use::Meta,
            };
            fields.text(name, text, usage);
            emptied |= text.is_empty();
        }
        if emptied {
            event.remove_empty_texts();
        }
        for id in &mut event.caused_by {
            fields.text("caused_by", id, Use::Id);
        }
        if !event.tags.is_empty() {
            for tag in &mut event.tags {
                fields.text("tags", tag, Use::Meta);
            }
            event.tags.retain(|tag| !tag.is_empty());
        }
        if let Some(model) = &mut event.model {
            fields.member("model.name", &mut model.name);
            fields.member("model.provider", &mut model.provider);
            fields.member("model.requested", &mut model.requested);
            fields.member("model.responded", &mut model.responded);
        }
        if let Some(producer) = &mut event.producer {
            fields.member("producer.id", &mut producer.id);
            fields.member("producer.sdk", &mut producer.sdk);
        }
        if let Some(principal) = &mut event.principal {
            fields.member("principal.issuer", &mut principal.issuer);
            fields.member("principal.subject", &mut principal.subject);
            fields.member("principal.method", &mut principal.method);
        }
        self.redact_cost(ruling, event, notes);
    }

    /// An amount is digits, which may be those of a card; it cannot hold a marker, so the cost
    /// goes.
    fn redact_cost(&self, ruling: &Ruling<'_>, event: &mut Event<'_>, notes: &mut Notes) {
        let Some(cost) = &mut event.cost else { return };
        let mut fields = Fields { redactor: self, ruling, notes };
        fields.member("cost.currency", &mut cost.currency);
        let spot = Spot { usage: Use::Value, path: "cost.amount", name: "" };
        if let Some(redone) = self.redact_text(ruling, &cost.amount, spot) {
            for (rule, _) in redone.by {
                notes.add("cost.amount", rule, Action::Drop.as_str());
            }
            event.cost = None;
        }
    }

    fn redact_content(&self, ruling: &Ruling<'_>, content: &mut Content<'_>, notes: &mut Notes) {
        let mut parts = std::mem::take(&mut content.parts);
        parts.retain_mut(|(part, json)| self.redact_part(ruling, part.as_str(), json, notes));
        content.parts = parts;
        let originals = notes.take_originals();
        let clean = |key: &str, json: &Json<'_>| self.is_clean_attribute(ruling, key, json);
        if originals.is_empty() && content.attributes.iter().all(|(key, json)| clean(key, json)) {
            return;
        }
        let attributes = std::mem::take(&mut content.attributes);
        let mut kept = Map::new();
        for (key, json) in attributes {
            if key == ORIGINALS
                && let Some(own) = self.originals(&json)
            {
                kept = own;
            } else if key != ORIGINALS && self.is_clean_attribute(ruling, &key, &json) {
                content.attributes.push((key, json));
            } else {
                self.redact_attribute(ruling, key, json, content, notes);
            }
        }
        kept.extend(originals.into_iter().map(|(token, original)| (token, original.into())));
        if !kept.is_empty() {
            let json = Json::from_value(&Value::Object(kept));
            content.attributes.push((ORIGINALS.into(), json));
        }
    }

    /// The originals of tokens as this redactor left them: every token is that of its value, which
    /// nobody can claim without the key. `None` for anything else under that name.
    fn originals(&self, json: &Json<'_>) -> Option<Map<String, Value>> {
        let Value::Object(all) = json.to_value() else { return None };
        let is_own = |(token, original): (&String, &Value)| {
            original.as_str().is_some_and(|original| self.hasher.is_token_of(token, original))
        };
        all.iter().all(is_own).then_some(all)
    }

    /// One attribute: wrapped as the object that it is a member of, so that `json` has the only
    /// copy of the rules for members.
    fn redact_attribute<'a>(
        &self,
        ruling: &Ruling<'_>,
        key: Text<'a>,
        json: Json<'a>,
        content: &mut Content<'a>,
        notes: &mut Notes,
    ) {
        let name = Value::from(&*key).to_string();
        let object = format!("{{{name}:{}}}", json.as_str());
        let walk = Walk::new(self, ruling, notes, "attributes".to_owned());
        let redone = match walk.run(&object, None) {
            Ok(None) => Some(Some((key.into_owned(), json.into_owned()))),
            Ok(Some(redone)) => read_member(&redone),
            Err(_) => None,
        };
        match redone {
            Some(Some((mut key, json))) => {
                // Under that name stands only what this redactor put there.
                while key == ORIGINALS || content.attribute(&key).is_some() {
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

    /// Redacts a part in place; `false` when it is to go. What cannot be read back after it was
    /// rewritten is masked as a whole: it cannot happen with checked JSON unless two keys became
    /// equal.
    fn redact_part(
        &self,
        ruling: &Ruling<'_>,
        path: &str,
        json: &mut Json<'_>,
        notes: &mut Notes,
    ) -> bool {
        let forced = match ruling.field(path) {
            None if !ruling.has_fields() && self.is_clean(json.as_str()) => return true,
            None => None,
            Some(setting) => match setting.action {
                Action::Allow | Action::Tokenise => return true,
                Action::Drop => {
                    self.note(ruling, notes, path, Rule::Field, Action::Drop);
                    return false;
                }
                Action::Mask | Action::Hash => Some(Forced(Rule::Field, setting)),
            },
        };
        let walk = Walk::new(self, ruling, notes, path.to_owned());
        let redone = match walk.run(json.as_str(), forced) {
            Ok(None) => return true,
            Ok(Some(redone)) => Json::parse(&redone, path).ok().map(Json::into_owned),
            Err(_) => None,
        };
        *json = redone.unwrap_or_else(|| {
            notes.add(path, Rule::SensitiveMember, Action::Mask.as_str());
            Json::string(Rule::SensitiveMember.mask())
        });
        true
    }

    /// What a producer noted about its own redactions is text like any other.
    fn redact_notes(
        &self,
        ruling: &Ruling<'_>,
        redactions: &mut [Redaction<'_>],
        notes: &mut Notes,
    ) {
        let mut fields = Fields { redactor: self, ruling, notes };
        for redaction in redactions {
            for text in [&mut redaction.path, &mut redaction.rule, &mut redaction.action] {
                fields.text("redactions", text, Use::Value);
            }
        }
    }

    /// Notes a removal. The path is made of keys, and joined keys can look like an address.
    pub(crate) fn note(
        &self,
        ruling: &Ruling<'_>,
        notes: &mut Notes,
        path: &str,
        rule: Rule,
        action: Action,
    ) {
        let mut path = crate::notes::shorten(path);
        let spot = Spot { usage: Use::Value, path: "redactions", name: "" };
        if let Some(redone) = self.redact_text(ruling, &path, spot) {
            path = redone.text.into();
        }
        notes.add(&path, rule, action.as_str());
    }

    /// Whether neither the name nor the value of an attribute needs a closer look.
    fn is_clean_attribute(&self, ruling: &Ruling<'_>, key: &str, json: &Json<'_>) -> bool {
        key != ORIGINALS
            && !ruling.has_fields()
            && !names::may_end_secret_name(key.as_bytes(), key.len())
            && self.is_clean(key)
            && self.is_clean(json.as_str())
    }
}

/// The attribute that holds the originals of the metadata's tokens.
const ORIGINALS: &str = "tachograph.tokens";

/// The texts of one event's metadata, on their way.
struct Fields<'r> {
    redactor: &'r Redactor,
    ruling: &'r Ruling<'r>,
    notes: &'r mut Notes,
}

impl Fields<'_> {
    fn text(&mut self, path: &str, text: &mut Text<'_>, usage: Use) {
        let (redactor, ruling) = (self.redactor, self.ruling);
        let redone = match ruling.field(path) {
            Some(setting) => self.by_field(setting, text, usage),
            None if scan::is_plain_id(text.as_bytes()) => None,
            None => self.searched(path, text, usage),
        };
        let Some(redone) = redone else { return };
        for (rule, action) in redone.by {
            redactor.note(ruling, self.notes, path, rule, action);
        }
        for (token, original) in redone.originals {
            self.notes.keep(token, &original);
        }
        *text = Cow::Owned(redone.text);
    }

    /// What the rules make of a text: by its structure when it is JSON, then by its letters.
    fn searched(&mut self, path: &str, text: &str, usage: Use) -> Option<Redone> {
        let (redactor, ruling) = (self.redactor, self.ruling);
        let by_letters =
            |text| redactor.redact_text(ruling, text, Spot { usage, path, name: path });
        let is_clean = || !ruling.has_fields() && redactor.is_clean(text);
        if !looks_like_json(text) || is_clean() {
            return by_letters(text);
        }
        // An id goes whole, and by one note.
        let mut unused = Notes::default();
        let notes = if usage == Use::Id { &mut unused } else { &mut *self.notes };
        let walk = Walk::new(redactor, ruling, notes, path.to_owned());
        let Ok(Some(walked)) = walk.run(text, None) else { return by_letters(text) };
        if usage == Use::Id {
            let hashed = Setting::of(Action::Hash);
            return Some(redactor.redact_id(Rule::SensitiveMember, hashed, text));
        }
        // Tokens are for metadata alone, which the walk does not know that it is in.
        let redone = by_letters(&walked);
        Some(redone.unwrap_or(Redone { text: walked, by: Vec::new(), originals: Vec::new() }))
    }

    /// What a path of the policy makes of a text.
    fn by_field(&self, setting: Setting, text: &str, usage: Use) -> Option<Redone> {
        if setting.action == Action::Allow || crate::marker::is_marker(text) {
            return None;
        }
        let whole = self.redactor.redact_id(Rule::Field, setting, text);
        if usage == Use::Id || setting.action == Action::Tokenise {
            return Some(whole);
        }
        let stand_in = self.redactor.stand_in(Rule::Field, setting, text);
        Some(Redone::whole(stand_in.into_owned(), Rule::Field, setting.action))
    }

    fn member(&mut self, path: &str, text: &mut Option<Text<'_>>) {
        if let Some(present) = text {
            self.text(path, present, Use::Meta);
            if present.is_empty() {
                *text = None;
            }
        }
    }
}

/// The single member of an object, or none when it has none; `None` when it is not readable.
fn read_member(object: &str) -> Option<Option<(String, Json<'static>)>> {
    type Members = std::collections::BTreeMap<String, Box<serde_json::value::RawValue>>;
    let members: Members = serde_json::from_str(object).ok()?;
    let Some((key, raw)) = members.into_iter().next() else { return Some(None) };
    Some(Some((key, Json::parse(raw.get(), "attributes").ok()?.into_owned())))
}

#[cfg(test)]
mod tests;
