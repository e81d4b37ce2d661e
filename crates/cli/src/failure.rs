//! Why a command ended early: one sentence for a person (what, why, what to do) and an exit code.

use crate::exit::Exit;
use crate::terminal::plain;
use reading::{ErrorKind, ReadError};
use std::io;
use std::path::Path;

/// A command that ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It failed; the sentence goes to standard error.
    Sentence {
        /// The exit code.
        exit: Exit,
        /// What happened, why, and what to do.
        sentence: String,
    },
    /// Whoever read the output went away: nothing is wrong, and nobody is there to be told.
    NobodyReads,
}

impl Failure {
    /// Something asked was not done.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self::Sentence { exit: Exit::Failed, sentence: sentence.into() }
    }

    /// The command line does not make sense.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::Sentence { exit: Exit::Usage, sentence: sentence.into() }
    }

    /// A rule of the log forbids it.
    pub(crate) fn refused(sentence: impl Into<String>) -> Self {
        Self::Sentence { exit: Exit::Refused, sentence: sentence.into() }
    }

    /// Tampering or loss was found.
    pub(crate) fn tampered(sentence: impl Into<String>) -> Self {
        Self::Sentence { exit: Exit::Tampered, sentence: sentence.into() }
    }

    /// Not everything could be assessed.
    pub(crate) fn incomplete(sentence: impl Into<String>) -> Self {
        Self::Sentence { exit: Exit::Incomplete, sentence: sentence.into() }
    }

    /// What was printed before a verdict: that stands, also when nobody reads it to its end (`tacho
    /// verify | head -1`).
    pub(crate) fn unless_nobody_reads(printed: Result<(), Self>) -> Result<(), Self> {
        match printed {
            Err(Self::NobodyReads) => Ok(()),
            other => other,
        }
    }

    /// The operating system refused something about a path.
    pub(crate) fn io<'p>(action: &'p str, path: &'p Path) -> impl FnOnce(io::Error) -> Self + 'p {
        move |error| {
            let advice = advice(&error);
            Self::new(format!("cannot {action} {}: {error}{advice}", path.display()))
        }
    }

    /// The operating system refused standard output.
    pub(crate) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::new(format!("cannot write to standard output: {error}")),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Sentence { sentence, .. } => sentence,
            Self::NobodyReads => "nobody reads the output",
        })
    }
}

/// What to do about an error of the operating system, where that can be said.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FREE_SPACE,
        _ => reading::advice(error),
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error.kind() {
            ErrorKind::Failed => Self::new(error.to_string()),
            ErrorKind::Usage => Self::usage(error.to_string()),
        }
    }
}

/// Only output is written without naming a path.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::output(error)
    }
}

macro_rules! from_display {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.to_string())
            }
        })*
    };
}

/// What to do when the disk is full.
const FREE_SPACE: &str = "; free some space and run it again: what was acknowledged is safe, and an event with an id is \
     sealed once";

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Self {
        let advice = if error.is_out_of_space() { FREE_SPACE } else { "" };
        Self::new(format!("{error}{advice}"))
    }
}

impl From<seal::SealError> for Failure {
    fn from(error: seal::SealError) -> Self {
        if error.is_put_back() {
            return Self::refused(error.to_string());
        }
        let full = matches!(&error, seal::SealError::Store(store) if store.is_out_of_space());
        Self::new(format!("{error}{}", if full { FREE_SPACE } else { "" }))
    }
}

impl From<serve::OpenError> for Failure {
    fn from(error: serve::OpenError) -> Self {
        match error {
            serve::OpenError::PutBack { .. } => Self::refused(error.to_string()),
            // It has words of somebody else's machine.
            serve::OpenError::Contradicted { .. } => Self::refused(plain(&error.to_string())),
            serve::OpenError::Read(_) | serve::OpenError::Log { .. } => {
                Self::new(error.to_string())
            }
        }
    }
}

from_display!(
    keys::KekError,
    keys::KeyringError,
    keys::EntropyError,
    capture::CaptureError,
    link::TlsError,
    link::TokenError,
    segment::SegmentError,
    checkpoint::OpenError,
    checkpoint::KeyError,
    checkpoint::EpochError,
);
