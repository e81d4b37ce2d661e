//! Functions that look into JSON text: `meta`, `content`, `params` and their like.
//!
//! Nothing is built and nothing recurses: a value is found by skipping over what stands before it.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, PrimitiveArray, StringViewArray,
};
use arrow_schema::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;

/// What a function makes of the value that it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    /// Its JSON text.
    Get,
    /// A string without its quotes, else the JSON text; null for null.
    AsText,
    /// A string; null for anything else.
    Str,
    Int,
    Float,
    Bool,
    Contains,
    Length,
}

const ACTS: [Act; 7] =
    [Act::Get, Act::Str, Act::Int, Act::Float, Act::Bool, Act::Contains, Act::Length];

/// The functions.
pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    ACTS.into_iter().map(function)
}

/// `->`.
pub(super) fn get() -> Arc<ScalarUDF> {
    function(Act::Get)
}

/// `->>`.
pub(super) fn get_text() -> Arc<ScalarUDF> {
    function(Act::AsText)
}

fn function(act: Act) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(Json { act, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Json {
    act: Act,
    signature: Signature,
}

impl ScalarUDFImpl for Json {
    fn name(&self) -> &str {
        match self.act {
            Act::Get => "json_get",
            Act::AsText => "->>",
            Act::Str => "json_get_str",
            Act::Int => "json_get_int",
            Act::Float => "json_get_float",
            Act::Bool => "json_get_bool",
            Act::Contains => "json_contains",
            Act::Length => "json_length",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let Some((_, path)) = given.split_first() else {
            return exec_err!(
                "{} needs a JSON text, and the names or places below it",
                self.name()
            );
        };
        let mut types = vec![DataType::Utf8View];
        types.extend(
            path.iter().map(
                |one| {
                    if one.is_integer() { DataType::Int64 } else { DataType::Utf8View }
                },
            ),
        );
        Ok(types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.act {
            Act::Get | Act::AsText | Act::Str => DataType::Utf8View,
            Act::Int | Act::Length => DataType::Int64,
            Act::Float => DataType::Float64,
            Act::Bool | Act::Contains => DataType::Boolean,
        })
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = call.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { call.number_rows };
        let arrays: Vec<ArrayRef> =
            call.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<_>>()?;
        let Some((json, path)) = arrays.split_first() else { return exec_err!("no arguments") };
        let Some(json) = json.as_string_view_opt() else { return exec_err!("no text") };
        let path: Vec<Step<'_>> = path.iter().filter_map(Step::of).collect();
        if path.len() + 1 != arrays.len() {
            return exec_err!("names are texts and places are whole numbers");
        }
        let found = (0..rows).map(|row| {
            let mut value = json.is_valid(row).then(|| json.value(row))?;
            for step in &path {
                value = step.take(value, row)?;
            }
            Some(value.trim())
        });
        constant_or_array(self.act.array(found), is_constant)
    }
}

/// One value where every argument was one, so that it can be worked out beforehand.
pub(super) fn constant_or_array(array: ArrayRef, is_constant: bool) -> Result<ColumnarValue> {
    if is_constant {
        return ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar);
    }
    Ok(ColumnarValue::Array(array))
}

impl Act {
    fn array<'j>(self, found: impl Iterator<Item = Option<&'j str>>) -> ArrayRef {
        let string = |text: &str| serde_json::from_str::<String>(text).ok();
        match self {
            Self::Get => Arc::new(found.collect::<StringViewArray>()),
            Self::AsText => {
                let text = found.map(|value| {
                    let value = value.filter(|value| *value != "null")?;
                    string(value).or_else(|| Some(value.to_owned()))
                });
                Arc::new(text.collect::<StringViewArray>())
            }
            Self::Str => {
                Arc::new(found.map(|value| value.and_then(string)).collect::<StringViewArray>())
            }
            Self::Int => Arc::new(found.map(|value| value?.parse().ok()).collect::<Int64Array>()),
            Self::Float => {
                let number = |value: &str| serde_json::from_str(value).ok();
                Arc::new(found.map(|value| value.and_then(number)).collect::<Float64Array>())
            }
            Self::Bool => {
                let truth = |value: &str| value.parse::<bool>().ok();
                Arc::new(found.map(|value| value.and_then(truth)).collect::<BooleanArray>())
            }
            Self::Contains => {
                Arc::new(found.map(|value| Some(value.is_some())).collect::<BooleanArray>())
            }
            Self::Length => Arc::new(found.map(|value| length(value?)).collect::<Int64Array>()),
        }
    }
}

/// A name or a place, for each row.
enum Step<'a> {
    Name(&'a StringViewArray),
    Place(&'a PrimitiveArray<Int64Type>),
}

impl<'a> Step<'a> {
    fn of(array: &'a ArrayRef) -> Option<Self> {
        let name = array.as_string_view_opt().map(Self::Name);
        name.or_else(|| array.as_primitive_opt().map(Self::Place))
    }

    fn take<'j>(&self, json: &'j str, row: usize) -> Option<&'j str> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let found = match self {
            Self::Name(names) => {
                let name = names.is_valid(row).then(|| names.value(row))?;
                if !json.trim_start().starts_with('{') {
                    return None;
                }
                reader.deserialize_map(Member(name))
            }
            Self::Place(places) => {
                let place = places.is_valid(row).then(|| places.value(row))?;
                if !json.trim_start().starts_with('[') {
                    return None;
                }
                reader.deserialize_seq(Element(usize::try_from(place).ok()?))
            }
        };
        found.ok().flatten().map(RawValue::get)
    }
}

/// Members or elements.
fn length(json: &str) -> Option<i64> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let count = match json.as_bytes().first()? {
        b'{' => reader.deserialize_map(Counter),
        b'[' => reader.deserialize_seq(Counter),
        _ => return None,
    };
    i64::try_from(count.ok()?).ok()
}

struct Member<'n>(&'n str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if name == self.0 && found.is_none() {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

struct Element(usize);

impl<'de> Visitor<'de> for Element {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut seq: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let (mut found, mut place) = (None, 0);
        loop {
            if place == self.0 {
                found = seq.next_element()?;
                if found.is_none() {
                    return Ok(None);
                }
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            place += 1;
        }
    }
}

struct Counter;

impl<'de> Visitor<'de> for Counter {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<usize, A::Error> {
        let mut count = 0;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<usize, A::Error> {
        let mut count = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name<'j>(json: &'j str, name: &str) -> Option<&'j str> {
        Step::Name(&[Some(name)].into_iter().collect()).take(json, 0)
    }

    fn place(json: &str, place: i64) -> Option<&str> {
        Step::Place(&Int64Array::from(vec![place])).take(json, 0)
    }

    #[test]
    fn values_are_found_by_name_and_by_place() {
        let json = r#" {"a":{"b":[1,"x",{"c":null}]},"\u0061b":2} "#;
        assert_eq!(name(json, "a"), Some(r#"{"b":[1,"x",{"c":null}]}"#));
        assert_eq!(name(json, "ab"), Some("2"));
        assert_eq!(name(json, "b"), None);
        assert_eq!(place(r#"[1,"x"]"#, 1), Some("\"x\""));
        assert_eq!(place("[1]", 1), None);
        assert_eq!(place("[1]", -1), None);
        assert_eq!(place("{}", 0), None);
        assert_eq!(name("[]", "a"), None);
        assert_eq!(name("{", "a"), None);
    }

    #[test]
    fn each_function_makes_its_type_of_it_or_null() {
        let found = ["1", "1.5", "true", "\"a\\n\"", "null", "[1,2]", "{\"a\":1}"];
        let of = |act: Act| act.array(found.iter().map(|text| Some(*text)));
        let ints: Vec<_> = of(Act::Int).as_primitive::<Int64Type>().iter().collect();
        assert_eq!(ints, [Some(1), None, None, None, None, None, None]);
        let texts = of(Act::AsText);
        let texts: Vec<_> = texts.as_string_view().iter().collect();
        assert_eq!(texts[3..6], [Some("a\n"), None, Some("[1,2]")]);
        let lengths: Vec<_> = of(Act::Length).as_primitive::<Int64Type>().iter().collect();
        assert_eq!(lengths[5..], [Some(2), Some(1)]);
        let truths: Vec<_> = of(Act::Bool).as_boolean().iter().collect();
        assert_eq!(truths[..4], [None, None, Some(true), None]);
    }

    #[test]
    fn deep_nesting_ends_without_a_stack_overflow() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert!(name(&deep, "b").is_none());
        let _ = name(&deep, "a");
    }
}
