//! The secret key of an agent in a file: written, read and guarded as a key-encryption key is, and
//! told apart by the word that its line begins with.
//!
//! Not here: signing (`checkpoint`), and which agent it is for (`event`).

use super::{KekError, file, text};
use crate::{Entropy, SecretKey};
use std::path::Path;

/// What the line begins with.
const PREFIX: &str = "tachograph-agent-key-v1:";

/// The seed of an agent's signing key (Ed25519).
#[derive(Debug)]
pub struct AgentSeed(SecretKey);

/// Why there is none. No message ever holds key bytes.
#[derive(Debug, thiserror::Error)]
pub enum AgentSeedError {
    /// There is no such file.
    #[error("there is no agent's key at {0}; make one with `tacho agent-key generate`")]
    Missing(String),
    /// The file exists and may not be overwritten.
    #[error("{0} exists already, and is left as it is; choose another path")]
    Exists(String),
    /// Others can read the key.
    #[error(
        "others than its owner can access the agent's key {path} (mode {mode:04o}), and could sign in \
         its name; run `chmod 600 {path}`, and revoke the key if someone may have read it"
    )]
    TooOpen {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// There was something, but not a key.
    #[error(
        "{place} does not hold an agent's key: {reason}; expected exactly one line, \
         `tachograph-agent-key-v1:` and 32 bytes in base64"
    )]
    Malformed {
        /// The file, or what else it was.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Anything else about the file.
    #[error("the agent's key: {0}")]
    File(KekError),
}

impl From<KekError> for AgentSeedError {
    fn from(error: KekError) -> Self {
        match error {
            KekError::FileMissing { path } => Self::Missing(path.display().to_string()),
            KekError::FileExists { path } => Self::Exists(path.display().to_string()),
            KekError::FileTooOpen { path, mode } => {
                Self::TooOpen { path: path.display().to_string(), mode }
            }
            KekError::Malformed { place, reason } => Self::Malformed { place, reason },
            other => Self::File(other),
        }
    }
}

impl AgentSeed {
    /// Reads the file at `path`, which nobody but its owner may access.
    ///
    /// # Errors
    /// [`AgentSeedError`].
    pub fn load(path: &Path) -> Result<Self, AgentSeedError> {
        Ok(Self(file::read_as(PREFIX, path)?))
    }

    /// Makes a fresh key at `path`, which must not exist.
    ///
    /// # Errors
    /// [`AgentSeedError`]; after an error there is no file that was not there before.
    pub fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self, AgentSeedError> {
        Ok(Self(file::create_as(PREFIX, path, entropy)?))
    }

    /// The key in bytes that are at hand: the line of a file. `place` is for the error.
    ///
    /// # Errors
    /// [`AgentSeedError::Malformed`].
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self, AgentSeedError> {
        Ok(Self(text::parse_as(PREFIX, bytes, place)?))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_reads_back_and_is_told_from_a_key_encryption_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/planner.key");
        let key = AgentSeed::create(&path, &SystemEntropy::new()).unwrap();
        assert_eq!(AgentSeed::load(&path).unwrap().expose(), key.expose());
        let line = fs::read(&path).unwrap();
        assert_eq!(AgentSeed::parse(&line, "x").unwrap().expose(), key.expose());
        assert!(matches!(
            AgentSeed::create(&path, &SystemEntropy::new()),
            Err(AgentSeedError::Exists(_))
        ));
        assert!(matches!(file::read(&path), Err(KekError::Malformed { .. })));
        let kek = folder.path().join("kek");
        file::create(&kek, &SystemEntropy::new()).unwrap();
        let error = AgentSeed::load(&kek).unwrap_err().to_string();
        assert!(error.contains("tachograph-agent-key-v1:"), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = AgentSeed::load(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600") && error.contains("0640"), "{error}");
        let error = AgentSeed::parse(b"hunter2", "agent_key").unwrap_err().to_string();
        assert!(error.contains("agent_key") && !error.contains("hunter2"), "{error}");
        assert_eq!(format!("{key:?}"), "AgentSeed(SecretKey(..))");
    }
}
