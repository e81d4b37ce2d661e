//! What the log shows when its signing keys are followed by others: the statement that both sign,
//! and where the record stands that says who wanted it and why. That record is not shown.
//!
//! The statement is a text here; `checkpoint` reads it.

use crate::{Event, types};
use serde::{Deserialize, Serialize};

/// Signing keys are followed by others: the content of a `log.key_rotated` record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// The statement, a note that the old keys and the new ones sign.
    pub succession: String,
    /// The index of the record that says who wanted it, and why.
    pub authority: u64,
}

/// Why the content of a record is no such thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key rotation that the log announces: {0}")]
pub struct KeyRotationError(String);

#[derive(Deserialize)]
struct Stored {
    params: KeyRotation,
}

impl KeyRotation {
    /// The `params` of the record.
    #[must_use]
    pub fn to_params(&self) -> serde_json::Value {
        // A text and a number: this cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Reads the stored bytes of a record; `None` when it is of another type.
    ///
    /// # Errors
    /// [`KeyRotationError`] when it should announce one and does not read.
    pub fn from_stored(meta: &[u8], content: &[u8]) -> Result<Option<Self>, KeyRotationError> {
        let Ok(event) = Event::from_stored(meta, &[]) else { return Ok(None) };
        if event.event_type != types::LOG_KEY_ROTATED {
            return Ok(None);
        }
        let Stored { params } = serde_json::from_slice(content)
            .map_err(|error| KeyRotationError(format!("column {}", error.column())))?;
        Ok(Some(params))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_reads_back_from_the_record_that_announces_it() {
        let rotation = KeyRotation { succession: "a\n\n\u{2014} b\n".to_owned(), authority: 4 };
        let meta = r#"{"schema":"tachograph.event/1","event_type":"log.key_rotated"}"#;
        let content = format!("{{\"params\":{}}}", rotation.to_params());
        let read = |content: &str| KeyRotation::from_stored(meta.as_bytes(), content.as_bytes());
        assert_eq!(read(&content), Ok(Some(rotation)));
        assert!(read(&content.replace("authority", "author")).is_err());
        assert!(read(&content.replace("4}", "4,\"more\":1}")).is_err());
        let other = meta.replace("rotated", "exported");
        assert_eq!(KeyRotation::from_stored(other.as_bytes(), content.as_bytes()), Ok(None));
    }
}
