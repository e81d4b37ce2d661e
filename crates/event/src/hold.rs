//! What the log shows of legal holds: that one is in force, or no longer, and where the record
//! stands that says what it holds, by whom and why. That record is not shown.

use crate::{Event, types};
use serde::{Deserialize, Serialize};

/// A hold begins or ends: the content of a `log.held` or `log.released` record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldMark {
    /// It is in force from here on.
    Held {
        /// Its name, which the log gave it.
        hold: String,
        /// The index of the record that says what it holds.
        authority: u64,
    },
    /// It is not in force any more.
    Released {
        /// Its name.
        hold: String,
        /// The index of the record that says who released it, and why.
        authority: u64,
    },
}

/// Why the content of a record is no such thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hold that the log announces: {0}")]
pub struct HoldMarkError(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    hold: String,
    authority: u64,
}

#[derive(Deserialize)]
struct Stored {
    params: Params,
}

impl HoldMark {
    /// The type of the record that announces it.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Held { .. } => types::LOG_HELD,
            Self::Released { .. } => types::LOG_RELEASED,
        }
    }

    /// The `params` of that record.
    #[must_use]
    pub fn to_params(&self) -> serde_json::Value {
        let (Self::Held { hold, authority } | Self::Released { hold, authority }) = self;
        serde_json::json!({ "hold": hold, "authority": authority })
    }

    /// Reads the stored bytes of a record; `None` when it is of another type.
    ///
    /// # Errors
    /// [`HoldMarkError`] when it should announce one and does not read.
    pub fn from_stored(meta: &[u8], content: &[u8]) -> Result<Option<Self>, HoldMarkError> {
        let Ok(event) = Event::from_stored(meta, &[]) else { return Ok(None) };
        let begins = match &*event.event_type {
            types::LOG_HELD => true,
            types::LOG_RELEASED => false,
            _ => return Ok(None),
        };
        let Stored { params: Params { hold, authority } } = serde_json::from_slice(content)
            .map_err(|error| HoldMarkError(format!("column {}", error.column())))?;
        Ok(Some(match begins {
            true => Self::Held { hold, authority },
            false => Self::Released { hold, authority },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_from_the_record_that_announces_it() {
        let held = HoldMark::Held { hold: "h-1".to_owned(), authority: 4 };
        let released = HoldMark::Released { hold: "h-1".to_owned(), authority: 9 };
        for mark in [held, released] {
            let kind = mark.event_type();
            let meta = format!("{{\"schema\":\"tachograph.event/1\",\"event_type\":\"{kind}\"}}");
            let content = format!("{{\"params\":{}}}", mark.to_params());
            let read = |content: &str| HoldMark::from_stored(meta.as_bytes(), content.as_bytes());
            assert_eq!(read(&content), Ok(Some(mark)));
            assert!(read(&content.replace("hold", "holt")).is_err());
            let other = meta.replace(kind, "log.heartbeat");
            assert_eq!(HoldMark::from_stored(other.as_bytes(), content.as_bytes()), Ok(None));
        }
    }
}
