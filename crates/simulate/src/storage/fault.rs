//! What can be made to go wrong, and when.

use std::io;

/// How one storage call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An input or output error, with no effect.
    Eio,
    /// No space is left; of a write, some bytes may have been written.
    Enospc,
    /// Some bytes of a write are written, then it fails.
    ShortWrite,
    /// A sync fails, and what it should have written counts as clean afterwards.
    FailedSync,
    /// The machine, or the process, stops just before the call.
    CrashBefore,
    /// The machine, or the process, stops just after the call.
    CrashAfter,
}

/// A fault at a call, counted from 0 over the life of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The call; when the kind does not apply to it, the next one that it applies to.
    pub at_call: u64,
    /// How it fails.
    pub kind: FaultKind,
}

/// What a system call does, as far as faults care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Looks and changes nothing.
    Read,
    /// Changes bytes.
    Write,
    /// Changes names.
    Name,
    /// Makes bytes durable.
    Sync,
    /// Makes names durable.
    SyncFolder,
}

impl FaultKind {
    /// Every kind that a process survives, that is, all but crashes.
    pub const ERRORS: [Self; 4] = [Self::Eio, Self::Enospc, Self::ShortWrite, Self::FailedSync];

    /// Its name in a trace.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eio => "EIO",
            Self::Enospc => "ENOSPC",
            Self::ShortWrite => "short write",
            Self::FailedSync => "failed sync",
            Self::CrashBefore => "stopped before",
            Self::CrashAfter => "stopped after",
        }
    }

    /// Its name on the command line.
    #[must_use]
    pub fn option(self) -> &'static str {
        match self {
            Self::Eio => "eio",
            Self::Enospc => "enospc",
            Self::ShortWrite => "short-write",
            Self::FailedSync => "failed-sync",
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
        }
    }

    /// The kind with this name on the command line.
    #[must_use]
    pub fn from_option(name: &str) -> Option<Self> {
        let crashes = [Self::CrashBefore, Self::CrashAfter];
        Self::ERRORS.into_iter().chain(crashes).find(|kind| kind.option() == name)
    }

    pub(super) fn applies_to(self, call: Call) -> bool {
        match self {
            Self::Eio | Self::CrashBefore | Self::CrashAfter => true,
            Self::Enospc => matches!(call, Call::Write | Call::Name),
            Self::ShortWrite => call == Call::Write,
            Self::FailedSync => matches!(call, Call::Sync | Call::SyncFolder),
        }
    }

    pub(super) fn error(self) -> io::Error {
        match self {
            Self::Eio | Self::FailedSync => io::Error::other("simulated input/output error"),
            Self::Enospc => io::Error::from(io::ErrorKind::StorageFull),
            Self::ShortWrite => io::Error::from(io::ErrorKind::WriteZero),
            Self::CrashBefore | Self::CrashAfter => power_is_off(),
        }
    }
}

pub(super) fn power_is_off() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "power is off")
}
