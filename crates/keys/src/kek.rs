//! The key-encryption key: what it is called, where it may come from, and why it was not had.
//!
//! Next door: `file`, `command` and `passphrase` know one source each; `text` knows the one line
//! that a key is written as. Not here: reading the environment or asking for a passphrase, which
//! only `cli` does.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::{Entropy, EntropyError, SecretKey, SecretString, hmac_sha256};

mod agent;
mod command;
mod file;
mod passphrase;
mod text;

pub use agent::{AgentSeed, AgentSeedError};
pub use passphrase::PassphraseKdf;

/// How long a KEK command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// What the id of a KEK is computed over.
const ID_LABEL: &[u8] = b"tachograph/kek/id/v1";

/// A key-encryption key: it wraps the keys of a keyring and encrypts nothing else.
#[derive(Debug)]
pub struct Kek {
    secret: SecretKey,
    id: KekId,
    origin: KekOrigin,
}

/// Names a KEK without revealing it: the first 8 bytes of
/// HMAC-SHA-256(KEK, "tachograph/kek/id/v1"), written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KekId([u8; 8]);

/// Where a KEK came from, as recorded in the keyring. A hint for people, except for the
/// passphrase, whose parameters are needed to derive the KEK again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KekOrigin {
    /// A file.
    File,
    /// An environment variable.
    Environment,
    /// A passphrase, through Argon2id with these parameters.
    Passphrase(PassphraseKdf),
    /// The output of a command.
    Command,
}

/// Where to get a KEK.
#[derive(Debug)]
#[non_exhaustive]
pub enum KekSource {
    /// A file that only its owner can read. [`KekSource::create`] makes it.
    File(PathBuf),
    /// An environment variable that the caller has read already.
    Environment {
        /// Its name, for error messages.
        variable: String,
        /// Its value: the same line as a KEK file.
        value: SecretString,
    },
    /// A passphrase. For an existing keyring the parameters are in
    /// [`KeyringHeader::origin`](crate::KeyringHeader); for a new one use
    /// [`PassphraseKdf::generate`].
    Passphrase {
        /// What the operator typed, without the line end.
        passphrase: SecretString,
        /// Salt and cost.
        kdf: PassphraseKdf,
    },
    /// A program that prints the line of a KEK file; run directly, never through a shell. Its
    /// arguments can be read by every user of the host: no secret may stand in them.
    Command {
        /// Program to run, looked up in `PATH` when it has no slash.
        program: PathBuf,
        /// Its arguments.
        args: Vec<String>,
    },
}

/// Why there is no KEK. No message ever holds key bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KekError {
    /// There is no such file.
    #[error(
        "there is no key-encryption key at {path}: without it the log can neither be read nor \
         written; correct the path or restore the file from where a copy is kept"
    )]
    FileMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file exists and may not be overwritten.
    #[error(
        "{path} exists already: overwriting a key-encryption key would make everything that it \
         wrapped unreadable; use the existing key or choose another path"
    )]
    FileExists {
        /// The file found.
        path: PathBuf,
    },
    /// Not a regular file.
    #[error(
        "{path} is not a regular file: a key-encryption key is read from a file only; correct \
         the path"
    )]
    NotAFile {
        /// What was given.
        path: PathBuf,
    },
    /// Others can read the key.
    #[error(
        "others than its owner can access the key-encryption key (mode {mode:04o}): whoever \
         reads it can read the whole log; run `chmod 600 {path}`, and rotate the key if someone may \
         have read it"
    )]
    FileTooOpen {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others can replace the key.
    #[error(
        "others than its owner can write to the folder of the key-encryption key (mode \
         {mode:04o}): they could replace the key; run `chmod 700 {path}`"
    )]
    FolderTooOpen {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The operating system refused.
    #[error("could not {action} {path}: {source}; check the path and its permissions")]
    Io {
        /// What was being done: "open", "write", ...
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// There was something, but not a key.
    #[error(
        "{place} does not hold a key-encryption key: {reason}; expected exactly one line, \
         `tachograph-kek-v1:` and 32 bytes in base64"
    )]
    Malformed {
        /// The file, variable or command.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The command could not be run.
    #[error(
        "could not run the key command {program}: {source}; check the path and its permissions"
    )]
    CommandNotRun {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The command ran and failed.
    #[error(
        "the key command {program} failed ({status}), saying: {stderr:?}; run it by hand to see why"
    )]
    CommandFailed {
        /// The program.
        program: PathBuf,
        /// Exit status or signal.
        status: String,
        /// The beginning of its standard error, on one line, without anything that looks like a
        /// key.
        stderr: String,
    },
    /// The command did not finish.
    #[error(
        "the key command {program} did not finish within {timeout_ms} ms and was stopped: it must \
         print the key and exit without asking anything; run it by hand to see what it waits for"
    )]
    CommandTimedOut {
        /// The program.
        program: PathBuf,
        /// How long it was given.
        timeout_ms: u64,
    },
    /// An empty passphrase.
    #[error("the passphrase is empty: it would protect nothing; give one of several words")]
    PassphraseEmpty,
    /// Argon2id parameters outside what is sane.
    #[error(
        "Argon2id {parameter} {value} is not between {least} and {most}: it would protect \
         nothing or exhaust this host; if it was read from a keyring, the keyring was tampered with"
    )]
    PassphraseCost {
        /// Which parameter, with its unit.
        parameter: &'static str,
        /// The value found.
        value: u32,
        /// Least accepted.
        least: u32,
        /// Most accepted.
        most: u32,
    },
    /// Not enough memory to derive the key.
    #[error(
        "could not get the {memory_kib} KiB of memory that the passphrase needs: free some, or \
         raise this process's limit"
    )]
    PassphraseMemory {
        /// Memory wanted.
        memory_kib: u32,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Kek {
    /// A KEK from bytes in hand: tests, simulations, providers outside this crate.
    #[must_use]
    pub fn from_secret(secret: SecretKey, origin: KekOrigin) -> Self {
        let code = hmac_sha256(secret.expose(), &[ID_LABEL]);
        let mut id = [0; 8];
        id.copy_from_slice(&code[..8]);
        Self { secret, id: KekId(id), origin }
    }

    /// Its public name.
    #[must_use]
    pub fn id(&self) -> KekId {
        self.id
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> KekOrigin {
        self.origin
    }

    /// A key derived from this one for one use: HMAC-SHA-256(KEK, parts).
    pub(crate) fn derive(&self, parts: &[&[u8]]) -> SecretKey {
        let mut code = hmac_sha256(self.secret.expose(), parts);
        SecretKey::take(&mut code)
    }
}

impl KekSource {
    /// Gets the KEK. Reads a file, runs a command (at most 10 s) or spends a good fraction of a
    /// second on Argon2id, so call it once and keep the result.
    ///
    /// # Errors
    ///
    /// [`KekError`]; nothing is ever created here.
    pub fn load(&self) -> Result<Kek, KekError> {
        match self {
            Self::File(path) => {
                file::read(path).map(|secret| Kek::from_secret(secret, KekOrigin::File))
            }
            Self::Environment { variable, value } => {
                let place = format!("the environment variable {variable}");
                text::parse(value.expose().as_bytes(), &place)
                    .map(|secret| Kek::from_secret(secret, KekOrigin::Environment))
            }
            Self::Passphrase { passphrase, kdf } => kdf
                .derive(passphrase)
                .map(|secret| Kek::from_secret(secret, KekOrigin::Passphrase(*kdf))),
            Self::Command { program, args } => command::run(program, args, COMMAND_TIMEOUT)
                .map(|secret| Kek::from_secret(secret, KekOrigin::Command)),
        }
    }

    /// Makes a fresh KEK file, and its folder when that is missing. A file that exists is left
    /// alone. For the other sources there is nothing to make: they are loaded.
    ///
    /// # Errors
    ///
    /// [`KekError`]; after an error there is no file that was not there before.
    pub fn create(&self, entropy: &dyn Entropy) -> Result<Kek, KekError> {
        match self {
            Self::File(path) => {
                file::create(path, entropy).map(|secret| Kek::from_secret(secret, KekOrigin::File))
            }
            Self::Environment { .. } | Self::Passphrase { .. } | Self::Command { .. } => {
                self.load()
            }
        }
    }
}

impl KekId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The 8 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl KekOrigin {
    /// The persisted code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::File => 1,
            Self::Environment => 2,
            Self::Passphrase(_) => 3,
            Self::Command => 4,
        }
    }
}

impl fmt::Display for KekOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::File => "file",
            Self::Environment => "environment",
            Self::Passphrase(_) => "passphrase",
            Self::Command => "command",
        })
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KekId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KekId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_the_documented_hmac_and_names_the_key_not_its_origin() {
        let kek = Kek::from_secret(SecretKey::new([5; 32]), KekOrigin::File);
        let code = hmac_sha256(&[5; 32], &[b"tachograph/kek/id/v1"]);
        assert_eq!(kek.id().as_bytes(), &code[..8]);
        assert_eq!(kek.id(), Kek::from_secret(SecretKey::new([5; 32]), KekOrigin::Command).id());
        assert_ne!(kek.id(), Kek::from_secret(SecretKey::new([6; 32]), KekOrigin::File).id());
    }

    #[test]
    fn environment_value_is_the_line_of_a_key_file() {
        let line = text::render(&SecretKey::new([5; 32]));
        let source = |value: &str| KekSource::Environment {
            variable: "TACHO_KEK".into(),
            value: SecretString::new(value.to_owned()),
        };
        let kek = source(line.as_str()).load().unwrap();
        assert_eq!(kek.id(), Kek::from_secret(SecretKey::new([5; 32]), KekOrigin::File).id());
        assert_eq!(kek.origin(), KekOrigin::Environment);
        let error = source("hunter2").load().unwrap_err().to_string();
        assert!(error.contains("TACHO_KEK") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn debug_shows_no_key() {
        let kek = Kek::from_secret(SecretKey::new([0xab; 32]), KekOrigin::File);
        let shown = format!("{kek:?}");
        assert!(shown.contains("SecretKey(..)") && !shown.contains("171"), "{shown}");
        let source = KekSource::Environment {
            variable: "TACHO_KEK".into(),
            value: SecretString::new("hunter2".into()),
        };
        assert!(!format!("{source:?}").contains("hunter2"));
    }
}
