//! Why an event was refused: a stable code, the field and a sentence.
//!
//! The position in the batch or file is the caller's to add: only it knows it.

use std::borrow::Cow;
use std::fmt;

/// What kind of mistake an event holds; the text of [`Code::as_str`] is part of the machine output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The bytes are not one JSON value.
    NotJson,
    /// The JSON value is not an object.
    NotAnObject,
    /// An object holds the same key twice.
    DuplicateKey,
    /// Arrays and objects nest deeper than [`crate::limits::NESTING_MAX`].
    TooDeep,
    /// The event is larger than [`crate::limits::EVENT_BYTES_MAX`].
    TooLarge,
    /// A field is longer, or holds more items, than its limit.
    TooLong,
    /// A field has another JSON type than the schema says.
    WrongType,
    /// A field has the right type but a value that the schema does not allow.
    BadValue,
    /// The bytes are not valid UTF-8.
    BadUtf8,
    /// A required field is absent.
    MissingField,
    /// The timestamp is neither RFC 3339 nor seconds since the epoch.
    BadTimestamp,
    /// The event type belongs to the log itself (`log.*`).
    ReservedType,
    /// The agent's signature does not hold, or is not that key's to make.
    BadSignature,
    /// The log takes events of this agent only when they are signed.
    Unsigned,
}

impl Code {
    /// The stable name of the code, as printed in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::DuplicateKey => "duplicate_key",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::TooLong => "too_long",
            Self::WrongType => "wrong_type",
            Self::BadValue => "bad_value",
            Self::BadUtf8 => "bad_utf8",
            Self::MissingField => "missing_field",
            Self::BadTimestamp => "bad_timestamp",
            Self::ReservedType => "reserved_type",
            Self::BadSignature => "bad_signature",
            Self::Unsigned => "unsigned",
        }
    }
}

/// One refused event: the caller must correct the event and send it again; the others of its batch
/// are not affected. The reason never quotes the value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError {
    /// The stable code.
    pub code: Code,
    /// The field, as a dotted path (`params.query`); empty when the event as a whole is meant.
    pub field: String,
    /// What is wrong and what to do, as a lower-case sentence.
    pub reason: Cow<'static, str>,
}

impl EventError {
    /// An error about `field`.
    pub fn new(code: Code, field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, field: field.into(), reason: reason.into() }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            write!(f, "{}: {}", self.code.as_str(), self.reason)
        } else {
            write!(f, "{}: field `{}`: {}", self.code.as_str(), self.field, self.reason)
        }
    }
}

impl std::error::Error for EventError {}
