//! The forms in which a bundle is handed over, and what the log is told of one that is.

use super::{ArchiveError, page, zip};
use prove::Bundle;
use query::AsOf;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The form of a file with a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text alone.
    Json,
    /// One page that checks itself.
    Page,
    /// A zip file with both, and a proof for every record.
    Zip,
}

/// Why a bundle is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Its text is too long.
    #[error("the evidence has {bytes} bytes; here it may have {bytes_max}")]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// What it may have.
        bytes_max: usize,
    },
    /// It does not fit into a zip file.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// A bundle that leaves the log's protection.
#[derive(Clone, Copy, Debug)]
pub struct Exported {
    /// In which form.
    pub form: Form,
    /// With its content.
    pub with_content: bool,
    /// By which way: `file`, `http`.
    pub to: &'static str,
}

impl Form {
    /// The names of all, which are the endings of their files.
    pub const NAMES: &'static [&'static str] = &["json", "html", "zip"];

    /// The form of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Json, Self::Page, Self::Zip].into_iter().find(|form| form.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Page => "html",
            Self::Zip => "zip",
        }
    }

    /// Writes a bundle whose text has at most `bytes_max` bytes.
    ///
    /// # Errors
    /// When it has more, or does not fit into a zip file.
    pub fn write(self, bundle: &Bundle, bytes_max: usize) -> Result<Vec<u8>, WriteError> {
        let json = bundle.to_json();
        if json.len() > bytes_max {
            return Err(WriteError::TooLarge { bytes: json.len(), bytes_max });
        }
        Ok(match self {
            Self::Json => json.into_bytes(),
            Self::Page => page(bundle, &json).into_bytes(),
            Self::Zip => zip(bundle)?,
        })
    }
}

impl Exported {
    /// What the log is told: which records, as of which checkpoint, and the hash of what was handed
    /// over.
    #[must_use]
    pub fn told(self, bundle: &Bundle, bytes: &[u8], as_of: &AsOf) -> Value {
        json!({
            "format": format!("bundle-{}", self.form.name()),
            "filter": { bundle.subject.kind.as_str(): bundle.subject.id },
            "metadata_only": !self.with_content, "to": self.to, "records": bundle.records.len(),
            "bytes": bytes.len(), "sha256": hex::encode(Sha256::digest(bytes)),
            "as_of": { "size": as_of.size, "root": as_of.root_hex },
        })
    }
}
