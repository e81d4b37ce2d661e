//! Keys that took over from each other: read from records that the log shows, and followed from the
//! first to the last.
//!
//! Each succession carries the signatures of both sides, so a chain of them is as good as its first
//! key. Which key is due at which size is `checkpoint`'s; who is trusted is `trust.rs`.

use crate::report::KeyEpoch;
use checkpoint::{EpochError, Epochs, Succession, SuccessionError, VerifierKey};
use event::{KeyRotation, KeyRotationError};

/// Why a record that should announce a succession does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnnouncedError {
    #[error(transparent)]
    Record(#[from] KeyRotationError),
    #[error(transparent)]
    Succession(#[from] SuccessionError),
}

/// The succession that a record announces; `None` when it is of another type.
pub(crate) fn announced(meta: &[u8], content: &[u8]) -> Result<Option<Succession>, AnnouncedError> {
    let rotation = KeyRotation::from_stored(meta, content)?;
    Ok(rotation.map(|rotation| Succession::parse(&rotation.succession)).transpose()?)
}

/// Follows successions from the keys `first`, or when nobody says which those are, from the keys
/// that the first succession follows. What was good before a fault counts.
pub(crate) fn follow(
    origin: &str,
    first: &[VerifierKey],
    successions: Vec<(u64, Succession)>,
) -> (Epochs, Option<EpochError>) {
    let earliest = successions.iter().min_by_key(|(_, succession)| succession.epoch());
    let keys = match earliest {
        Some((_, earliest)) if first.is_empty() => earliest.old().to_vec(),
        _ => first.to_vec(),
    };
    let mut epochs = Epochs::new(origin, keys);
    let error = epochs.follow(successions).err();
    (epochs, error)
}

/// The epochs as a report names them.
pub(crate) fn told(epochs: &Epochs) -> Vec<KeyEpoch> {
    let told = |epoch: &checkpoint::Epoch| KeyEpoch {
        epoch: epoch.number,
        vkeys: epoch.keys.iter().map(VerifierKey::to_string).collect(),
        record: epoch.record,
        since: None,
    };
    epochs.iter().map(told).collect()
}
