//! The keys of a log in the order in which they took over from each other, and which of them must
//! have signed a checkpoint of a given size.
//!
//! The first keys stand in the log's description; each later ones in a succession that the log
//! carries as a record (`succession.rs`). With the succession in record `r`, checkpoints of up to
//! `r` entries are the old keys', the one of `r + 1` entries is both keys', and all larger ones are
//! the new keys' alone. So a key that was stolen after its time signs nothing that counts.

use crate::succession::{Succession, SuccessionError};
use crate::verifier::{KeyError, VerifierKey};

/// Keys and the time in which they sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The serial number: 0 for the first keys.
    pub number: u64,
    /// The keys, all of which must sign.
    pub keys: Vec<VerifierKey>,
    /// The index of the record with which they took over; `None` for the first ones.
    pub record: Option<u64>,
}

/// All epochs of a log that are known, none missing in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epochs {
    origin: String,
    first: Epoch,
    later: Vec<Epoch>,
}

/// Why a succession does not follow from those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    /// A key of the first epoch does not read.
    #[error("a first key of the log is not one: {0}")]
    Key(#[from] KeyError),
    /// The statement does not hold by itself.
    #[error("record {at} holds no valid key succession: {error}")]
    Succession {
        /// The record.
        at: u64,
        /// Why.
        error: SuccessionError,
    },
    /// It is of another log.
    #[error(
        "the key succession in record {at} is of log {got:?}, not of {wanted:?}; it was mixed up"
    )]
    Origin {
        /// The record.
        at: u64,
        /// The log.
        wanted: String,
        /// The log that it names.
        got: String,
    },
    /// It stands in another record than it says.
    #[error("the key succession of record {record} stands in record {at}; it was moved or copied")]
    Place {
        /// The record.
        at: u64,
        /// The record that it names.
        record: u64,
    },
    /// One before it is missing.
    #[error(
        "the key succession in record {at} begins epoch {epoch}, and that of epoch {missing} is \
         missing: the chain of keys has a gap"
    )]
    Gap {
        /// The record.
        at: u64,
        /// The epoch that it begins.
        epoch: u64,
        /// The epoch that nothing begins.
        missing: u64,
    },
    /// The same keys have another successor already.
    #[error(
        "the key succession in record {at} begins epoch {epoch} a second time: one key has two \
         successors, so one of them was made by somebody else"
    )]
    Fork {
        /// The record.
        at: u64,
        /// The epoch that begins twice.
        epoch: u64,
    },
    /// It comes before the one that it follows.
    #[error(
        "epoch {epoch} begins in record {at}, before the epoch that it follows, which begins in \
         record {before}: their order was swapped"
    )]
    Order {
        /// The record.
        at: u64,
        /// The epoch that it begins.
        epoch: u64,
        /// The record with which the epoch before it begins.
        before: u64,
    },
    /// Its old keys are not those that were in force.
    #[error(
        "the key succession in record {at} is by other keys than those of epoch {epoch}: whoever \
         made it was not entitled to"
    )]
    NotEntitled {
        /// The record.
        at: u64,
        /// The epoch whose keys it should be by.
        epoch: u64,
    },
    /// A new key was one of the log's before.
    #[error("the key succession in record {at} brings back a key whose time was over")]
    Reused {
        /// The record.
        at: u64,
    },
}

impl EpochError {
    /// The record that is to blame, if one is.
    #[must_use]
    pub fn at(&self) -> Option<u64> {
        match self {
            Self::Key(_) => None,
            Self::Succession { at, .. }
            | Self::Origin { at, .. }
            | Self::Place { at, .. }
            | Self::Gap { at, .. }
            | Self::Fork { at, .. }
            | Self::Order { at, .. }
            | Self::NotEntitled { at, .. }
            | Self::Reused { at } => Some(*at),
        }
    }
}

impl Epochs {
    /// A log whose first keys are these.
    #[must_use]
    pub fn new(origin: impl Into<String>, keys: Vec<VerifierKey>) -> Self {
        let first = Epoch { number: 0, keys, record: None };
        Self { origin: origin.into(), first, later: Vec::new() }
    }

    /// The epochs of a log whose first keys are `first`, from the successions in its records: the
    /// index of each record, and the signed note in it, in any order.
    ///
    /// # Errors
    /// [`EpochError`], with the first thing that does not hold.
    pub fn read<'n>(
        origin: &str,
        first: &[String],
        notes: impl IntoIterator<Item = (u64, &'n str)>,
    ) -> Result<Self, EpochError> {
        let keys = first.iter().map(|key| key.parse()).collect::<Result<_, _>>()?;
        let mut epochs = Self::new(origin, keys);
        let parse = |(at, note)| match Succession::parse(note) {
            Ok(succession) => Ok((at, succession)),
            Err(error) => Err(EpochError::Succession { at, error }),
        };
        epochs.follow(notes.into_iter().map(parse).collect::<Result<_, _>>()?)?;
        Ok(epochs)
    }

    /// Takes successions into account, each with the index of the record that it stands in, in any
    /// order.
    ///
    /// # Errors
    /// [`EpochError`]; those before the first that does not follow count.
    pub fn follow(&mut self, mut successions: Vec<(u64, Succession)>) -> Result<(), EpochError> {
        successions.sort_by_key(|(at, succession)| (succession.epoch(), *at));
        successions.iter().try_for_each(|(at, succession)| self.succeed(*at, succession))
    }

    /// Takes the succession in the record at `at` into account.
    ///
    /// # Errors
    /// [`EpochError`] when it does not follow from the last one.
    pub fn succeed(&mut self, at: u64, succession: &Succession) -> Result<(), EpochError> {
        let (epoch, last) = (succession.epoch(), self.last());
        let next = last.number.saturating_add(1);
        if succession.origin() != self.origin {
            let (wanted, got) = (self.origin.clone(), succession.origin().to_owned());
            return Err(EpochError::Origin { at, wanted, got });
        }
        if succession.record() != at {
            return Err(EpochError::Place { at, record: succession.record() });
        }
        if epoch > next {
            return Err(EpochError::Gap { at, epoch, missing: next });
        }
        if epoch < next {
            return Err(EpochError::Fork { at, epoch });
        }
        if let Some(before) = last.record.filter(|before| *before >= at) {
            return Err(EpochError::Order { at, epoch, before });
        }
        if succession.old() != last.keys {
            return Err(EpochError::NotEntitled { at, epoch: last.number });
        }
        let keys = succession.new_keys().to_vec();
        if keys.iter().any(|key| self.number_of(key).is_some()) {
            return Err(EpochError::Reused { at });
        }
        self.later.push(Epoch { number: epoch, keys, record: Some(at) });
        Ok(())
    }

    /// The log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The epochs, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Epoch> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// The newest one.
    #[must_use]
    pub fn last(&self) -> &Epoch {
        self.later.last().unwrap_or(&self.first)
    }

    /// The epoch that a checkpoint of this size belongs to.
    #[must_use]
    pub fn in_force(&self, size: u64) -> &Epoch {
        let begun = |epoch: &&Epoch| epoch.record.is_none_or(|record| record < size);
        self.iter().rfind(begun).unwrap_or(&self.first)
    }

    /// The keys that must have signed a checkpoint of this size, each once: those in force, and
    /// before them those that they take over from when it is the first that covers their
    /// succession.
    #[must_use]
    pub fn due(&self, size: u64) -> Vec<VerifierKey> {
        let now = self.in_force(size);
        let takes_over = now.record.is_some_and(|record| record.checked_add(1) == Some(size));
        let before =
            self.iter().find(|it| takes_over && it.number.checked_add(1) == Some(now.number));
        before.into_iter().chain([now]).flat_map(|epoch| epoch.keys.iter().cloned()).collect()
    }

    /// The epoch of a key; `None` when it never was the log's.
    #[must_use]
    pub fn number_of(&self, key: &VerifierKey) -> Option<u64> {
        self.iter().find(|epoch| epoch.keys.contains(key)).map(|epoch| epoch.number)
    }
}

#[cfg(test)]
#[path = "epochs/tests.rs"]
mod tests;
