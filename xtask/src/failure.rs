//! Why a command did not succeed, and the exit code that follows. Messages say what to do.

use std::fmt;
use std::process::ExitCode;

/// The three ways in which a command ends badly.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked wrongly: exit code 2.
    Usage(String),
    /// It failed: exit code 1.
    Failed(String),
    /// A program that it ran failed; its exit code is passed on.
    Program {
        /// What was run and what came of it.
        message: String,
        /// Its exit code; 1 where a signal ended it.
        code: u8,
    },
}

impl Failure {
    /// The exit code of `cargo xtask`.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
            Self::Program { code, .. } => ExitCode::from(*code),
        }
    }

    /// A failure to read or write, with the path that the bare error lacks.
    pub(crate) fn file(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Failed(format!("cannot {what} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Failed(message) | Self::Program { message, .. } => {
                formatter.write_str(message)
            }
        }
    }
}
