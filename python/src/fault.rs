//! Why something failed, as the class of `tachograph.errors` that a caller tells apart.

use event::EventError;
use link::spool::SpoolError;
use pyo3::prelude::*;
use reading::{ErrorKind, ReadError};
use redact::without_secrets;
use seal::SealError;
use store::StoreError;

/// A failure on its way to Python. No sentence holds a value of an event or a key.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// The class, by its name in `tachograph.errors`.
    class: &'static str,
    sentence: String,
    /// Of an event that was refused: the stable code and the field.
    refusal: Option<(String, String)>,
}

impl Fault {
    fn new(class: &'static str, sentence: impl Into<String>) -> Self {
        Self { class, sentence: sentence.into(), refusal: None }
    }

    /// An event that no log takes. A name in it may be a secret, as a value may be.
    pub(crate) fn refused(code: &str, field: &str, reason: &str) -> Self {
        let field = without_secrets(field.to_owned()).into_owned();
        let reason = without_secrets(reason.to_owned());
        let refusal = Some((code.to_owned(), field));
        Self { refusal, ..Self::new("EventRefused", reason) }
    }

    /// What was asked makes no sense; the sentence repeats it, but for secrets.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::new("BadQuestion", without_secrets(sentence.into()))
    }

    pub(crate) fn key(sentence: impl Into<String>) -> Self {
        Self::new("KeyUnavailable", sentence)
    }

    pub(crate) fn not_found(sentence: impl Into<String>) -> Self {
        Self::new("LogNotFound", sentence)
    }

    pub(crate) fn unusable(sentence: impl Into<String>) -> Self {
        Self::new("LogUnusable", sentence)
    }

    /// Nothing of the event is in the log, unless the sentence says so.
    pub(crate) fn unavailable(sentence: impl Into<String>) -> Self {
        Self::new("LogUnavailable", sentence)
    }

    /// What was asked of a server has no answer.
    pub(crate) fn unread(sentence: impl Into<String>) -> Self {
        Self::new("ReadFailed", sentence)
    }

    pub(crate) fn closed() -> Self {
        Self::new("LogClosed", SealError::Closed.to_string())
    }

    pub(crate) fn forked() -> Self {
        Self::new(
            "Forked",
            "this log belongs to the process that opened it, and this one was forked from it; open \
             a log of another name here, or send the events to a server",
        )
    }

    pub(crate) fn full() -> Self {
        Self::new(
            "QueueFull",
            "too many events wait for the log, and the disk takes none; nothing of this one was \
             taken, record it again later",
        )
    }

    pub(crate) fn timeout() -> Self {
        Self::new(
            "Timeout",
            "the log did not answer in time; what was recorded may become durable yet",
        )
    }

    /// The same about a log that was to be opened.
    pub(crate) fn while_opening(self) -> Self {
        match self.class {
            "LogUnavailable" | "LogClosed" | "ReadFailed" => Self { class: "LogUnusable", ..self },
            _ => self,
        }
    }

    /// Whether there is no such log.
    pub(crate) fn is_not_found(&self) -> bool {
        self.class == "LogNotFound"
    }

    /// What is wrong, without the class.
    pub(crate) fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The stable code of a refusal, or the class.
    pub(crate) fn code(&self) -> &str {
        self.refusal.as_ref().map_or(self.class, |(code, _)| code)
    }
}

impl From<EventError> for Fault {
    fn from(error: EventError) -> Self {
        Self::refused(error.code.as_str(), &error.field, &error.reason)
    }
}

impl From<SealError> for Fault {
    fn from(error: SealError) -> Self {
        let class = match &error {
            SealError::Store(inner) if matches!(**inner, StoreError::Locked { .. }) => "LogLocked",
            SealError::Keyring(_) => "KeyUnavailable",
            SealError::Closed => "LogClosed",
            SealError::Corrupt { .. }
            | SealError::FutureVersion { .. }
            | SealError::Policy { .. }
            | SealError::RolledBack { .. }
            | SealError::Forked { .. }
            | SealError::Truncated { .. } => "LogUnusable",
            _ => "LogUnavailable",
        };
        Self::new(class, error.to_string())
    }
}

impl From<SpoolError> for Fault {
    fn from(error: SpoolError) -> Self {
        match &error {
            SpoolError::Keyring(_) => Self::key(error.to_string()),
            _ => Self::unavailable(error.to_string()),
        }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error.kind() {
            ErrorKind::Usage => Self::usage(error.to_string()),
            ErrorKind::Failed => Self::new("ReadFailed", error.to_string()),
        }
    }
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        Python::attach(|py| {
            let made = py.import("tachograph.errors").and_then(|errors| {
                let class = errors.getattr(fault.class)?;
                match &fault.refusal {
                    Some((code, field)) => class.call1((&fault.sentence, code, field)),
                    None => class.call1((&fault.sentence,)),
                }
            });
            made.map_or_else(|error| error, PyErr::from_value)
        })
    }
}
