//! What can go wrong with bytes at rest, by what the caller can do about it.

use std::io;

/// A storage operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused; after a failed write or sync the file must not be used again.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The path inside the log's folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file that must be there is not.
    #[error(
        "{path} is missing; restore it from a backup, or run `tacho verify` to see what else is gone"
    )]
    Missing {
        /// The path inside the log's folder.
        path: String,
    },
    /// Another writer holds the log.
    #[error(
        "another process is writing to this log ({path} is locked); stop it, or send the events to it"
    )]
    Locked {
        /// The locked path.
        path: String,
    },
    /// Bytes on disk are not what was written there.
    #[error(
        "{path} is damaged at byte {offset}: {detail}; run `tacho verify` and restore from a backup"
    )]
    Damaged {
        /// The path inside the log's folder.
        path: String,
        /// Where the damage begins.
        offset: u64,
        /// What does not fit.
        detail: String,
    },
    /// Written by a newer program.
    #[error(
        "{path} has format version {version}, this program reads version {known}; use a newer program"
    )]
    FutureVersion {
        /// The path inside the log's folder.
        path: String,
        /// The version found.
        version: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Somebody else appended first (two writers on one journal).
    #[error(
        "the journal is at record {actual}, not {expected}: another writer is ahead; reopen the log"
    )]
    Ahead {
        /// The index that this writer wanted to write.
        expected: u64,
        /// The next index of the journal.
        actual: u64,
    },
    /// Encryption or decryption failed.
    #[error("{path}: {detail}")]
    Crypto {
        /// The path inside the log's folder.
        path: String,
        /// What failed.
        detail: String,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// True when the disk is full or a quota is reached: nothing is wrong with the log itself.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        let Self::Io { source, .. } = self else { return false };
        matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        )
    }
}
