//! One JSON object of a foreign format: its members as raw text, taken one by one, so that what
//! nobody takes can be kept exactly as it was.

use crate::sink::Sink;
use event::{Code, Event, EventError, Json};
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// The members of an object in their order; `null` members are dropped, they say nothing.
#[derive(Debug, Default)]
pub(crate) struct Object<'a> {
    members: Vec<(String, &'a str)>,
}

/// Members of one object: no known format has a tenth of it.
const MEMBERS_MAX: usize = 4_096;

impl<'a> Object<'a> {
    /// Reads one object, without duplicate keys at its own level.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, EventError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let reason = format!("invalid UTF-8 at byte {}; encode as UTF-8", error.valid_up_to());
            EventError::new(Code::BadUtf8, "", reason)
        })?;
        Self::parse_text(text, "")
    }

    /// The same for text that is the value of `field`.
    pub(crate) fn parse_text(text: &'a str, field: &str) -> Result<Self, EventError> {
        if text.len() > event::limits::EVENT_BYTES_MAX {
            let max = event::limits::EVENT_BYTES_MAX;
            let reason =
                format!("{} bytes, at most {max} are allowed; cut large values", text.len());
            return Err(EventError::new(Code::TooLarge, field, reason));
        }
        let mut duplicate = None;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let members = deserializer
            .deserialize_map(Members { duplicate: &mut duplicate })
            .and_then(|members| deserializer.end().map(|()| members));
        match (members, duplicate) {
            (_, Some(key)) => {
                let path = if field.is_empty() { key } else { format!("{field}.{key}") };
                let reason = "the object holds this key twice; send it once";
                Err(EventError::new(Code::DuplicateKey, path, reason))
            }
            (Ok(members), None) => Ok(Self { members }),
            (Err(_), None)
                if serde_json::from_str::<&RawValue>(text)
                    .is_ok_and(|value| !value.get().starts_with('{')) =>
            {
                Err(EventError::new(Code::NotAnObject, field, "expected a JSON object"))
            }
            (Err(error), None) => {
                Err(EventError::new(Code::NotJson, field, format!("not valid JSON: {error}")))
            }
        }
    }

    /// Removes a member and returns its raw text.
    pub(crate) fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.members.iter().position(|(name, _)| name == key)?;
        Some(self.members.remove(at).1)
    }

    /// The raw text of a member.
    pub(crate) fn peek(&self, key: &str) -> Option<&'a str> {
        self.members.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// The text of a string member, without removing it.
    pub(crate) fn peek_text(&self, key: &str) -> Option<String> {
        self.peek(key).and_then(string)
    }

    /// Removes a member that is a string or a plain scalar and returns its text; anything else
    /// stays, and so does the empty string.
    pub(crate) fn take_text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        let raw = self.peek(key)?;
        let text = if raw.starts_with('"') {
            Cow::Owned(string(raw)?)
        } else if raw.starts_with(['{', '[']) {
            return None;
        } else {
            Cow::Borrowed(raw)
        };
        if text.is_empty() {
            return None;
        }
        self.take(key);
        Some(text)
    }

    /// Removes a member and returns it checked.
    pub(crate) fn take_json(&mut self, key: &str) -> Result<Option<Json<'a>>, EventError> {
        self.take(key).map(|raw| Json::parse(raw, key)).transpose()
    }

    /// True when every member was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Gives a member another name, unless that is taken.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if self.peek(to).is_none()
            && let Some((name, _)) = self.members.iter_mut().find(|(name, _)| name == from)
        {
            to.clone_into(name);
        }
    }

    /// What is left, as one object again.
    pub(crate) fn into_json(self, field: &str) -> Result<Json<'static>, EventError> {
        let mut text = String::from("{");
        for (key, raw) in self.members {
            text.push_str(if text.len() > 1 { "," } else { "" });
            text.push_str(Json::string(&key).as_str());
            text.push(':');
            text.push_str(raw);
        }
        text.push('}');
        Ok(Json::parse(&text, field)?.into_owned())
    }

    /// What is left, in its order.
    pub(crate) fn into_members(self) -> Vec<(String, &'a str)> {
        self.members
    }

    /// Puts every member that is left into the attributes, and counts it.
    pub(crate) fn keep_rest(
        self,
        event: &mut Event<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), EventError> {
        for (key, raw) in self.members {
            sink.unmapped(&key);
            let json = Json::parse(raw, &key)?;
            event.content.set_attribute(key, json);
        }
        Ok(())
    }
}

fn string(raw: &str) -> Option<String> {
    serde_json::from_str::<String>(raw).ok()
}

struct Members<'f> {
    duplicate: &'f mut Option<String>,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<(String, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value::<&'de RawValue>()?.get();
            if !seen.insert(key.clone()) {
                *self.duplicate = Some(key);
                return Err(A::Error::custom("duplicate key"));
            }
            if seen.len() > MEMBERS_MAX {
                return Err(A::Error::custom(format!("more than {MEMBERS_MAX} members")));
            }
            if value != "null" {
                members.push((key, value));
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named() {
        let code =
            |text: &str| Object::parse(text.as_bytes()).map(|_| ()).map_err(|e| (e.code, e.field));
        assert_eq!(code("{\"a\":1,\"b\":null}"), Ok(()));
        assert_eq!(code("{\"a\":1,\"a\":2}"), Err((Code::DuplicateKey, "a".into())));
        assert_eq!(code("[1]"), Err((Code::NotAnObject, String::new())));
        assert_eq!(code("{\"a\":"), Err((Code::NotJson, String::new())));
        assert_eq!(code("{} x"), Err((Code::NotJson, String::new())));
        assert_eq!(Object::parse(b"{\"\xFF\":1}").unwrap_err().code, Code::BadUtf8);
    }

    #[test]
    fn what_is_not_a_plain_text_stays() {
        let mut object = Object::parse(br#"{"a":"x\ny","b":7,"c":{"d":1},"e":""}"#).unwrap();
        assert_eq!(object.take_text("a").as_deref(), Some("x\ny"));
        assert_eq!(object.take_text("b").as_deref(), Some("7"));
        assert_eq!(object.take_text("c"), None);
        assert_eq!(object.take_text("e"), None);
        assert_eq!(object.take("c"), Some("{\"d\":1}"));
        assert_eq!(object.members.len(), 1);
    }
}
