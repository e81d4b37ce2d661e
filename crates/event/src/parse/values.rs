//! The values of the metadata: what a member may hold, read by its meaning.
//!
//! Which member a value belongs to is `parse`'s; every refusal names its field.

use super::MEMBER_LEVEL;
use crate::cursor::{Shape, Value};
use crate::error::{Code, EventError};
use crate::event::{Cost, Model, Principal, Producer, Redaction, Text, Tokens};
use crate::limits;
use crate::members::{members, not_json};
use crate::plain;
use crate::time::Timestamp;
use serde_json::value::RawValue;
use std::borrow::Cow;

fn wrong_type(field: &str, wanted: &'static str) -> EventError {
    EventError::new(Code::WrongType, field, format!("expected {wanted}"))
}

/// A JSON string; the empty string counts as absent.
#[inline]
pub(super) fn text<'a>(value: Value<'a>, field: &str) -> Result<Option<Text<'a>>, EventError> {
    if value.shape != Shape::PlainText {
        return unusual_text(value.text, field);
    }
    let inner = value.text.get(1..value.text.len() - 1).unwrap_or_default();
    Ok((!inner.is_empty()).then_some(Cow::Borrowed(inner)))
}

/// The same for a value of which nothing is known.
fn unusual_text<'a>(value: &'a str, field: &str) -> Result<Option<Text<'a>>, EventError> {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or_else(|| wrong_type(field, "a string"))?;
    let text = if plain::is_plain(inner.as_bytes()) {
        Cow::Borrowed(inner)
    } else {
        let decoded = serde_json::from_str::<String>(value)
            .map_err(|error| EventError::new(Code::NotJson, field, not_json(&error)))?;
        Cow::Owned(decoded)
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

pub(super) fn number(value: &str, field: &str) -> Result<f64, EventError> {
    let first = value.as_bytes().first();
    let number = first
        .filter(|b| b.is_ascii_digit() || **b == b'-')
        .and_then(|_| value.parse::<f64>().ok())
        .ok_or_else(|| wrong_type(field, "a number"))?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err(EventError::new(Code::BadValue, field, "too large"))
    }
}

/// A whole number of something; frameworks that count in floats (`11.0`) are understood.
pub(super) fn count(value: &str, field: &str) -> Result<u64, EventError> {
    if let Ok(count) = value.parse::<u64>() {
        return Ok(count);
    }
    let number = number(value, field)?;
    if number < 0.0 || number.fract() != 0.0 || number > 9_007_199_254_740_992.0 {
        return Err(EventError::new(Code::BadValue, field, "must be a whole number, 0 or more"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Ok(number as u64)
}

pub(super) fn timestamp(value: Value<'_>) -> Result<Timestamp, EventError> {
    let read = if value.text.starts_with('"') {
        text(value, "timestamp").ok().flatten().and_then(|text| Timestamp::parse(&text))
    } else {
        Timestamp::parse_seconds(value.text)
    };
    read.ok_or_else(|| {
        let reason =
            "expected RFC 3339 (\"2026-11-20T16:06:56Z\") or seconds since 1970 as a number";
        EventError::new(Code::BadTimestamp, "timestamp", reason)
    })
}

pub(super) fn name<T>(
    value: Value<'_>,
    field: &str,
    from_name: fn(&str) -> Option<T>,
    names: &[&str],
) -> Result<Option<T>, EventError> {
    let Some(text) = text(value, field)? else { return Ok(None) };
    from_name(&text).map(Some).ok_or_else(|| {
        EventError::new(Code::BadValue, field, format!("expected one of {}", names.join(", ")))
    })
}

pub(super) fn texts<'a>(value: &'a str, field: &str) -> Result<Vec<Text<'a>>, EventError> {
    let items: Vec<&RawValue> =
        serde_json::from_str(value).map_err(|_| wrong_type(field, "an array of strings"))?;
    let mut list = Vec::with_capacity(items.len().min(limits::LIST_ITEMS_MAX));
    for item in items {
        list.extend(unusual_text(item.get(), field)?);
    }
    Ok(list)
}

pub(super) fn check_schema(value: Value<'_>) -> Result<(), EventError> {
    match text(value, "schema")?.as_deref() {
        None | Some(crate::SCHEMA) => Ok(()),
        Some(_) => {
            let reason = format!(
                "this version reads only \"{}\"; upgrade to read newer events",
                crate::SCHEMA
            );
            Err(EventError::new(Code::BadValue, "schema", reason))
        }
    }
}

/// Reads an object whose members are all known; others are refused, because they would be lost.
fn object<'a>(
    value: &'a str,
    field: &str,
    mut each: impl FnMut(&str, Value<'a>, &str) -> Result<bool, EventError>,
) -> Result<(), EventError> {
    if !value.starts_with('{') {
        return Err(wrong_type(field, "an object"));
    }
    members(value, field, MEMBER_LEVEL + 1, &mut |key, value| {
        let path = format!("{field}.{key}");
        if value.text == "null" || each(&key, value, &path)? {
            return Ok(());
        }
        let reason = "no such member here; put it into `attributes`";
        Err(EventError::new(Code::BadValue, path, reason))
    })
}

pub(super) fn read_tokens(value: &str, tokens: &mut Tokens) -> Result<(), EventError> {
    object(value, "tokens", |key, value, path| {
        let slot = match key {
            "input" => &mut tokens.input,
            "output" => &mut tokens.output,
            "cache_read" => &mut tokens.cache_read,
            "cache_write" => &mut tokens.cache_write,
            "reasoning" => &mut tokens.reasoning,
            "total" => &mut tokens.total,
            _ => return Ok(false),
        };
        *slot = Some(count(value.text, path)?);
        Ok(true)
    })
}

pub(super) fn cost(value: &str) -> Result<Cost<'_>, EventError> {
    let (mut amount, mut currency) = (None, None);
    object(value, "cost", |key, value, path| {
        match key {
            "amount" => {
                amount = number(value.text, path).map(|_| Some(Cow::Borrowed(value.text)))?
            }
            "currency" => currency = text(value, path)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let amount = amount.ok_or_else(|| {
        EventError::new(Code::MissingField, "cost.amount", "a cost needs an amount")
    })?;
    Ok(Cost { amount, currency })
}

pub(super) fn model(value: Value<'_>) -> Result<Option<Model<'_>>, EventError> {
    let mut model = Model::default();
    if value.text.starts_with('"') {
        model.name = text(value, "model")?;
    } else {
        object(value.text, "model", |key, value, path| {
            match key {
                "provider" => model.provider = text(value, path)?,
                "requested" => model.requested = text(value, path)?,
                "responded" => model.responded = text(value, path)?,
                "name" => model.name = text(value, path)?,
                _ => return Ok(false),
            }
            Ok(true)
        })
        .map_err(|error| match error.code {
            Code::WrongType if error.field == "model" => {
                wrong_type("model", "a string or an object")
            }
            _ => error,
        })?;
    }
    Ok(Some(model).filter(|model| *model != Model::default()))
}

pub(super) fn producer(value: &str) -> Result<Producer<'_>, EventError> {
    let mut producer = Producer::default();
    object(value, "producer", |key, value, path| {
        match key {
            "id" => producer.id = text(value, path)?,
            "seq" => producer.seq = Some(count(value.text, path)?),
            "sdk" => producer.sdk = text(value, path)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(producer)
}

pub(super) fn principal(value: &str) -> Result<Principal<'_>, EventError> {
    let mut principal = Principal::default();
    object(value, "principal", |key, value, path| {
        match key {
            "issuer" => principal.issuer = text(value, path)?,
            "subject" => principal.subject = text(value, path)?,
            "method" => principal.method = text(value, path)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(principal)
}

pub(super) fn redactions(value: &str) -> Result<Vec<Redaction<'_>>, EventError> {
    let items: Vec<&RawValue> =
        serde_json::from_str(value).map_err(|_| wrong_type("redactions", "an array of objects"))?;
    let mut list = Vec::with_capacity(items.len().min(limits::LIST_ITEMS_MAX));
    for item in items {
        let (mut path, mut rule, mut action) = (None, None, None);
        object(item.get(), "redactions", |key, value, at| {
            match key {
                "path" => path = text(value, at)?,
                "rule" => rule = text(value, at)?,
                "action" => action = text(value, at)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        list.push(Redaction {
            path: path.unwrap_or_default(),
            rule: rule.unwrap_or_default(),
            action: action.unwrap_or_default(),
        });
    }
    Ok(list)
}
