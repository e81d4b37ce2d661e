//! `log.json`: what a log says about itself in public. Its SHA-256 stands in entry 0.

use crate::error::SealError;
use serde::{Deserialize, Serialize};

/// The path of the file.
pub const IDENTITY_PATH: &str = "log.json";

/// The format version that this program writes and reads.
pub const FORMAT_VERSION: u64 = 1;

/// The public description of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The version of the folder's format.
    pub format: u64,
    /// The opaque id, 32 hex digits; also the name of the folder.
    pub log_id: String,
    /// The name that people use.
    pub name: String,
    /// The origin of its checkpoints: unique, for ever.
    pub origin: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// The verifier keys (vkeys) of its checkpoints.
    pub keys: Vec<String>,
}

impl Identity {
    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`SealError::FutureVersion`], or [`SealError::Corrupt`] when it is not what this program
    /// writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        #[derive(Deserialize)]
        struct Version {
            format: u64,
        }
        let version: Version = serde_json::from_slice(bytes)
            .map_err(|error| SealError::corrupt(IDENTITY_PATH, error.to_string()))?;
        if version.format != FORMAT_VERSION {
            let (file, version) = (IDENTITY_PATH.to_owned(), version.format);
            return Err(SealError::FutureVersion { file, version, known: FORMAT_VERSION });
        }
        serde_json::from_slice(bytes)
            .map_err(|error| SealError::corrupt(IDENTITY_PATH, error.to_string()))
    }

    /// The id as bytes.
    ///
    /// # Errors
    /// [`SealError::Corrupt`] when it is not 32 hex digits.
    pub fn id(&self) -> Result<[u8; 16], SealError> {
        let mut id = [0; 16];
        hex::decode_to_slice(&self.log_id, &mut id)
            .map_err(|error| SealError::corrupt(IDENTITY_PATH, format!("log_id: {error}")))?;
        Ok(id)
    }
}
