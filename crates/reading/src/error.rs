//! Why a log could not be read, or a question not be answered: one sentence for a person (what,
//! why, what to do), and whose fault it is.
//!
//! Not here: exit codes and status codes, which each door has of its own.

use std::io;
use std::path::Path;

/// Why something was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct ReadError {
    kind: ErrorKind,
    sentence: String,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The log's, the disk's or the key's: the question was fine.
    Failed,
    /// The question does not make sense.
    Usage,
}

impl ReadError {
    /// The log could not be read.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Failed, sentence: sentence.into() }
    }

    /// The question does not make sense.
    #[must_use]
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Usage, sentence: sentence.into() }
    }

    /// The operating system refused something about a path.
    pub fn io<'p>(action: &'p str, path: &'p Path) -> impl FnOnce(io::Error) -> Self + 'p {
        move |error| {
            let advice = advice(&error);
            Self::new(format!("cannot {action} {}: {error}{advice}", path.display()))
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// What to do about an error of the operating system, where that can be said: the end of a
/// sentence, or nothing.
#[must_use]
pub fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::PermissionDenied => {
            "; change its permissions, or run as the user that it belongs to"
        }
        io::ErrorKind::ReadOnlyFilesystem => "; choose a folder on a disk that can be written to",
        _ => "",
    }
}

macro_rules! from_display {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for ReadError {
            fn from(error: $error) -> Self {
                Self::new(error.to_string())
            }
        })*
    };
}

from_display!(
    keys::KeyringError,
    store::StoreError,
    seal::SealError,
    checkpoint::OpenError,
    checkpoint::EpochError,
);
