//! Why the writer refused, by what the caller can do.

use std::sync::Arc;
use store::StoreError;

/// A log that cannot be created, opened or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SealError {
    /// Storage failed. After a failed append the log must be reopened.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The keyring does not open or lacks a key.
    #[error(transparent)]
    Keyring(Arc<keys::KeyringError>),
    /// Randomness is not to be had.
    #[error(transparent)]
    Entropy(#[from] keys::EntropyError),
    /// A file of the log says something that cannot be.
    #[error(
        "{file}: {detail}; run `tacho verify` to see what is wrong, then restore from a backup"
    )]
    Corrupt {
        /// The path inside the log's folder.
        file: String,
        /// What does not fit.
        detail: String,
    },
    /// Written by a newer program.
    #[error(
        "{file} has format version {version}, this program reads version {known}; use a newer program"
    )]
    FutureVersion {
        /// The path inside the log's folder.
        file: String,
        /// The version found.
        version: u64,
        /// The newest version known here.
        known: u64,
    },
    /// The log's redaction policy cannot be used.
    #[error(
        "redaction.toml: {detail}; correct it (`tacho redact test` tries a policy) or take it away, \
         nothing was changed"
    )]
    Policy {
        /// What is wrong with it.
        detail: String,
    },
    /// Records that a signed checkpoint covers are gone.
    #[error(
        "the journal ends at record {journal}, but the signed checkpoint covers {checkpoint}: records are \
         missing; restore the journal from a backup, nothing was changed"
    )]
    Truncated {
        /// The index after the last record that is there.
        journal: u64,
        /// The size that was signed.
        checkpoint: u64,
    },
    /// The log signed more than is there, as somebody else remembers.
    #[error(
        "this log has {size} entries, and it signed a checkpoint of {kept} before: its folder was put back, \
         or records are lost, so nothing was written; put its newest state there, or let it go on from \
         here with `tacho recover`"
    )]
    RolledBack {
        /// The entries that are there.
        size: u64,
        /// The entries that were signed.
        kept: u64,
    },
    /// The log signed other entries, as somebody else remembers.
    #[error(
        "this log has other entries than those of which it signed a checkpoint of {kept} before: another \
         copy of it was written to, so nothing was written; put the one that was signed there, or let \
         this one go on with `tacho recover`"
    )]
    Forked {
        /// The entries that are there.
        size: u64,
        /// The entries that were signed.
        kept: u64,
    },
    /// A write or sync failed earlier: nothing more is acknowledged until the log is reopened.
    #[error(
        "the log stopped accepting events: {reason}; nothing acknowledged is lost, reopen the log to go on"
    )]
    Poisoned {
        /// The first failure.
        reason: String,
    },
    /// What was asked for would remove what must stay; nothing was done.
    #[error("{detail}; nothing was removed")]
    Refused {
        /// Why.
        detail: String,
    },
    /// What is done beside the appends (segments, removals) failed.
    #[error(
        "the log goes on, but what is done beside it failed: {reason}; it is tried again when it is asked for, \
         and at the next start"
    )]
    Unfinished {
        /// The failure.
        reason: String,
    },
    /// A key of an agent was registered or revoked since the batch was held to those in force.
    #[error("the keys of agents changed while the events were on their way; send them again")]
    AgentKeysChanged,
    /// The log was closed.
    #[error("the log is closed; open it again to append")]
    Closed,
}

impl From<StoreError> for SealError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<keys::KeyringError> for SealError {
    fn from(error: keys::KeyringError) -> Self {
        Self::Keyring(Arc::new(error))
    }
}

impl SealError {
    /// Whether the log is not the one that went on in its place before: somebody has to decide.
    #[must_use]
    pub fn is_put_back(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::Forked { .. })
    }

    pub(crate) fn corrupt(file: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Corrupt { file: file.into(), detail: detail.into() }
    }
}
