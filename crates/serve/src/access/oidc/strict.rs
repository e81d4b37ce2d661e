//! JSON in which no name stands twice, at any depth.
//!
//! Readers differ in which of two equal names they take. A token that two readers read differently
//! is one with which somebody shows a gateway one subject and us another.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::access::Refused;

/// What errors about a repeated name begin with.
const TWICE: &str = "duplicate name";

/// Reads one object, all of `bytes`. Nesting is bounded by `serde_json` (128 levels).
pub(super) fn object(bytes: &[u8], bad: Refused) -> Result<Map<String, Value>, Refused> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match read {
        Ok(Value::Object(object)) => Ok(object),
        Err(error) if error.to_string().starts_with(TWICE) => Err(Refused::DuplicateName),
        _ => Err(bad),
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Strict)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Map<String, Value>, Refused> {
        object(text.as_bytes(), Refused::BadClaims)
    }

    #[test]
    fn names_stand_once_at_any_depth() {
        assert!(read(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).is_ok());
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[1,{"a":1,"a":3}]}"#,
        ] {
            assert_eq!(read(twice), Err(Refused::DuplicateName), "{twice}");
        }
    }

    #[test]
    fn anything_but_one_object_is_refused() {
        for bad in ["", "1", "[]", "null", "{} {}", "{}x", "{", "{\"a\":}", "\u{feff}{}"] {
            assert_eq!(read(bad), Err(Refused::BadClaims), "{bad:?}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}", Refused::BadClaims), Err(Refused::BadClaims));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(read(&deep), Err(Refused::BadClaims));
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json_where_no_name_repeats(text in "[{}\\[\\]\":,ab01 ]{0,24}") {
            let (ours, theirs) = (read(&text), serde_json::from_str::<Map<String, Value>>(&text));
            match ours {
                Ok(object) => prop_assert_eq!(object, theirs.unwrap()),
                Err(Refused::DuplicateName) => {}
                Err(_) => prop_assert!(theirs.is_err()),
            }
        }
    }
}
