//! A record of the log's own that is shown to everybody: its bytes and salts as a JSON document, so
//! that whoever holds the public log can check what the log said about its files.
//!
//! Only for `log.*` records, which hold no personal data: a salt that is public no longer hides
//! anything. Where these documents lie is `seal`'s; what they mean is `segment`'s.

use crate::record::{SALT_BYTES, commitment, content_commitment, meta_commitment};
use serde::{Deserialize, Serialize};

/// The name of the document's format.
pub const DISCLOSED_FORMAT: &str = "tachograph.disclosed/1";

/// The longest document that is read, in bytes; a usual one has a thousand.
pub const DISCLOSED_BYTES_MAX: usize = 4 << 20;

/// A record, disclosed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// Its index in the log.
    pub index: u64,
    /// The salt of the metadata.
    pub meta_salt: [u8; SALT_BYTES],
    /// The metadata's bytes.
    pub meta: String,
    /// The salt of the content.
    pub content_salt: [u8; SALT_BYTES],
    /// The content's bytes.
    pub content: String,
}

/// Why a document is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisclosedError {
    /// It is too long to be read.
    #[error("a disclosed record of {0} bytes is not read; at most {DISCLOSED_BYTES_MAX} are")]
    TooLong(usize),
    /// It is not the JSON that it should be.
    #[error("not a disclosed record: {0}")]
    Json(String),
    /// It is of another format or version.
    #[error("a disclosed record of format {0:?} is not known here; use a newer program")]
    Format(String),
    /// A salt is not 16 bytes in lower-case hexadecimal.
    #[error("a salt of the disclosed record is not 16 bytes in lower-case hexadecimal")]
    Salt,
    /// It reads, but is not written as this program writes it.
    #[error("the disclosed record is not written as it should be: it was altered")]
    Spelling,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    index: u64,
    meta_salt: String,
    meta: String,
    content_salt: String,
    content: String,
}

impl Disclosed {
    /// The document: JSON with a newline at the end. There is one spelling of each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let document = Document {
            format: DISCLOSED_FORMAT.to_owned(),
            index: self.index,
            meta_salt: hex::encode(self.meta_salt),
            meta: self.meta.clone(),
            content_salt: hex::encode(self.content_salt),
            content: self.content.clone(),
        };
        // Texts and a number: this cannot fail.
        let mut bytes = serde_json::to_vec(&document).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`DisclosedError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DisclosedError> {
        if bytes.len() > DISCLOSED_BYTES_MAX {
            return Err(DisclosedError::TooLong(bytes.len()));
        }
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| DisclosedError::Json(format!("line {}", error.line())))?;
        if document.format != DISCLOSED_FORMAT {
            return Err(DisclosedError::Format(document.format));
        }
        let salt = |text: &str| {
            let mut salt = [0; SALT_BYTES];
            hex::decode_to_slice(text, &mut salt).map_err(|_| DisclosedError::Salt).map(|()| salt)
        };
        let disclosed = Self {
            index: document.index,
            meta_salt: salt(&document.meta_salt)?,
            content_salt: salt(&document.content_salt)?,
            meta: document.meta,
            content: document.content,
        };
        if disclosed.to_bytes() != bytes {
            return Err(DisclosedError::Spelling);
        }
        Ok(disclosed)
    }

    /// The commitment that the entry at this index must hold.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        commitment(
            &meta_commitment(&self.meta_salt, self.meta.as_bytes()),
            &content_commitment(&self.content_salt, self.content.as_bytes()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disclosed() -> Disclosed {
        Disclosed {
            index: 7,
            meta_salt: [1; 16],
            meta: r#"{"event_type":"log.segment"}"#.to_owned(),
            content_salt: [2; 16],
            content: r#"{"params":{"a":"é\n"}}"#.to_owned(),
        }
    }

    #[test]
    fn a_document_reads_back_and_has_one_spelling() {
        let bytes = disclosed().to_bytes();
        assert_eq!(Disclosed::parse(&bytes), Ok(disclosed()));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            if let Ok(read) = Disclosed::parse(&other) {
                assert_ne!((read.index, read.commitment()), (7, disclosed().commitment()), "{at}");
            }
            assert!(Disclosed::parse(&bytes[..at]).is_err(), "{at}");
        }
        assert!(Disclosed::parse(&[&bytes[..], b" "].concat()).is_err());
    }
}
