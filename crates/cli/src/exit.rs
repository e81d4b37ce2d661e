//! Exit codes: a contract with scripts (interfaces.md, "Commands").

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything asked was done.
    Fine = 0,
    /// Something asked was not done.
    Failed = 1,
    /// The command line does not make sense.
    Usage = 2,
    /// It is not allowed.
    Refused = 3,
    /// Verification found tampering or loss.
    Tampered = 10,
    /// Verification could not assess everything asked.
    Incomplete = 11,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
