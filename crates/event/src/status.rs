//! How an event ended, as everything that counts or shows it understands it.

use crate::event::{Event, Outcome};

/// How an event ended, as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// As wanted, or nothing else is known.
    Success,
    /// With an error.
    Error,
    /// Too late.
    Timeout,
    /// Refused by a policy or a person.
    Denied,
    /// Handed to someone else to decide.
    Escalated,
    /// Stopped on request.
    Cancelled,
    /// Nobody knows.
    Unknown,
}

impl Status {
    /// The status of an event: a failure is never shown as success, whatever `outcome` says.
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        Self::told_by(event.outcome, event.is_error(), event.error_type.as_deref())
    }

    /// The status that these parts of an event tell; `is_error` says whether anything in it names
    /// an error.
    #[must_use]
    pub fn told_by(outcome: Option<Outcome>, is_error: bool, error_type: Option<&str>) -> Self {
        match outcome {
            Some(Outcome::Timeout) => Self::Timeout,
            Some(Outcome::Denied) => Self::Denied,
            Some(Outcome::Escalated) => Self::Escalated,
            Some(Outcome::Cancelled) => Self::Cancelled,
            Some(Outcome::Failure) => Self::Error,
            _ if is_error => match error_type {
                Some("TimeoutError" | "Timeout") => Self::Timeout,
                _ => Self::Error,
            },
            Some(Outcome::Unknown) => Self::Unknown,
            Some(Outcome::Success) | None => Self::Success,
        }
    }

    /// True for what counts as an error in totals.
    #[must_use]
    pub fn is_error(self) -> bool {
        matches!(self, Self::Error | Self::Timeout)
    }

    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Denied => "denied",
            Self::Escalated => "escalated",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}
