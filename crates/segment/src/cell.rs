//! One value of one column: read from the text of a member, and written as text again.
//!
//! The text that a value writes is the text that its placeholder stands for, so every rule here is
//! part of the format. Where a member's own text differs (`1.50`, `1e3`, `"\u0041"`), the member
//! stays in the shape and the column still holds its value.

use std::borrow::Cow;
use std::io::Write as _;

use event::Timestamp;

use crate::column::Form;
use crate::quote;

/// A value, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Cell<'a> {
    /// The row has no such member, or one of another type.
    #[default]
    Null,
    /// Of a [`Form::Text`] or [`Form::Json`] column.
    Text(Cow<'a, str>),
    /// Of a [`Form::Number`] column.
    Number(f64),
    /// Of a [`Form::Count`] or [`Form::Time`] column.
    Integer(i64),
}

/// All values of one row, in the order of [`COLUMNS`](crate::column::COLUMNS).
pub(crate) type Cells<'a> = [Cell<'a>; crate::column::COLUMNS.len()];

/// A row without values.
pub(crate) fn no_cells<'a>() -> Cells<'a> {
    [const { Cell::Null }; crate::column::COLUMNS.len()]
}

impl<'a> Cell<'a> {
    /// The value in the text of a member; null when it is of another type or does not fit.
    pub(crate) fn parse(form: Form, text: &'a str) -> Self {
        let value = match form {
            Form::Text => decode_string(text).map(Self::Text),
            Form::Json => Some(Self::Text(Cow::Borrowed(text))),
            Form::Number => number(text).map(Self::Number),
            Form::Count => text.parse().ok().map(Self::Integer),
            Form::Time => decode_string(text).and_then(|text| time(&text)).map(Self::Integer),
        };
        value.unwrap_or_default()
    }

    /// Appends the text that a placeholder for this value stands for; false when there is none.
    pub(crate) fn write(&self, form: Form, out: &mut Vec<u8>) -> bool {
        match (form, self) {
            (Form::Text, Self::Text(text)) => quote::write_string(text, out),
            (Form::Json, Self::Text(text)) => out.extend_from_slice(text.as_bytes()),
            (Form::Number, Self::Number(number)) => write_number(*number, out),
            // Writing to a vector cannot fail.
            (Form::Count, Self::Integer(count)) => drop(write!(out, "{count}")),
            (Form::Time, Self::Integer(nanoseconds)) => {
                let Ok(nanoseconds) = u64::try_from(*nanoseconds) else { return false };
                out.push(b'"');
                Timestamp(nanoseconds).write_rfc3339(out);
                out.push(b'"');
            }
            _ => return false,
        }
        true
    }

    /// True when the placeholder stands for exactly `text`. `scratch` is overwritten.
    pub(crate) fn stands_for(&self, form: Form, text: &str, scratch: &mut Vec<u8>) -> bool {
        match (form, self) {
            // Decoded without a change, and nothing in it would be escaped.
            (Form::Text, Self::Text(Cow::Borrowed(inner))) if quote::is_plain(inner) => true,
            (Form::Json, Self::Text(_)) => true,
            _ => {
                scratch.clear();
                self.write(form, scratch) && scratch.as_slice() == text.as_bytes()
            }
        }
    }

    /// The same with a text of its own.
    pub(crate) fn to_owned(&self) -> Cell<'static> {
        match self {
            Self::Null => Cell::Null,
            Self::Text(text) => Cell::Text(Cow::Owned(text.clone().into_owned())),
            Self::Number(number) => Cell::Number(*number),
            Self::Integer(number) => Cell::Integer(*number),
        }
    }

    /// Like `==`, but a number equals only itself, bit by bit.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.to_bits() == other.to_bits(),
            _ => self == other,
        }
    }
}

fn decode_string(text: &str) -> Option<Cow<'_, str>> {
    let [b'"', .., b'"'] = text.as_bytes() else { return None };
    let inner = text.get(1..text.len() - 1)?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(text).ok().map(Cow::Owned)
}

fn number(text: &str) -> Option<f64> {
    // Rust also reads "inf", "nan" and "+1"; JSON does not.
    text.strip_prefix('-').unwrap_or(text).bytes().next().filter(u8::is_ascii_digit)?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn time(text: &str) -> Option<i64> {
    i64::try_from(Timestamp::parse(text)?.0).ok()
}

/// The shortest digits that read back to the same double, never with an exponent.
fn write_number(number: f64, out: &mut Vec<u8>) {
    let from = out.len();
    // Writing to a vector cannot fail.
    let _ = write!(out, "{number}");
    if !out.iter().skip(from).any(|byte| *byte == b'.') {
        out.extend_from_slice(b".0");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stands(form: Form, text: &str) -> bool {
        Cell::parse(form, text).stands_for(form, text, &mut Vec::new())
    }

    #[test]
    fn canonical_texts_are_cut_and_others_stay() {
        for (form, text) in [
            (Form::Text, r#""plain""#),
            (Form::Text, r#""a\"b\n\u001aé""#),
            (Form::Json, r#"{"a":[1.50]}"#),
            (Form::Number, "0.0"),
            (Form::Number, "-0.0"),
            (Form::Number, "0.1"),
            (Form::Number, "10000000000000000000000.0"),
            (Form::Count, "12"),
            (Form::Count, "-1"),
            (Form::Count, "9223372036854775807"),
            (Form::Time, r#""1970-01-01T00:00:00.000000000Z""#),
            (Form::Time, r#""2262-04-11T23:47:16.854775807Z""#),
        ] {
            assert!(stands(form, text), "{text}");
        }
        for (form, text) in [
            (Form::Text, r#""\u0041""#),
            (Form::Text, r#""a\/b""#),
            (Form::Text, "\"line\nbreak\""),
            (Form::Text, "12"),
            (Form::Text, "\""),
            (Form::Number, "1"),
            (Form::Number, "1.50"),
            (Form::Number, "1e3"),
            (Form::Number, "01.5"),
            (Form::Number, "nan"),
            (Form::Number, "1e999"),
            (Form::Count, "007"),
            (Form::Count, "9223372036854775808"),
            (Form::Count, "+1"),
            (Form::Time, r#""2026-11-20T16:06:56Z""#),
            (Form::Time, r#""2262-04-11T23:47:16.854775808Z""#),
            (Form::Time, r#""1969-12-31T23:59:59.000000000Z""#),
        ] {
            assert!(!stands(form, text), "{text}");
        }
    }

    #[test]
    fn odd_texts_still_fill_their_columns() {
        assert_eq!(Cell::parse(Form::Number, "1.50"), Cell::Number(1.5));
        assert_eq!(Cell::parse(Form::Text, r#""\u0041""#), Cell::Text("A".into()));
        let time = Cell::parse(Form::Time, r#""1970-01-01T01:00:01+01:00""#);
        assert_eq!(time, Cell::Integer(1_000_000_000));
    }

    #[test]
    fn a_value_of_another_form_writes_nothing() {
        let mut out = Vec::new();
        assert!(!Cell::Null.write(Form::Text, &mut out));
        assert!(!Cell::Number(1.0).write(Form::Text, &mut out));
        assert!(!Cell::Integer(-1).write(Form::Time, &mut out));
        assert!(out.is_empty());
    }

    proptest! {
        #[test]
        fn every_double_writes_a_text_that_reads_back(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let mut out = Vec::new();
            write_number(number, &mut out);
            let text = String::from_utf8(out).unwrap();
            prop_assert!(text.contains('.') && !text.contains(['e', 'E']));
            prop_assert!(Cell::parse(Form::Number, &text).same(&Cell::Number(number)), "{}", text);
        }

        #[test]
        fn every_text_is_cut_from_its_canonical_string(text: String) {
            let mut out = Vec::new();
            quote::write_string(&text, &mut out);
            let quoted = String::from_utf8(out).unwrap();
            prop_assert!(stands(Form::Text, &quoted));
            prop_assert_eq!(Cell::parse(Form::Text, &quoted), Cell::Text(text.into()));
        }
    }
}
