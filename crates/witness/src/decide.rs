//! Whether a witness cosigns: from what it saw and what it is asked, and from nothing else.
//!
//! Whoever calls this holds what was seen still until the new head is durable: two requests that
//! are judged by the same old head must not both be cosigned.

use crate::request::{AddCheckpoint, RequestError};
use checkpoint::open_checkpoint;
use checkpoint::{Checkpoint, CheckpointText, Note, OpenError, Verified, VerifierKey};
use merkle::{Hash, verify_consistency};

/// The largest tree of a log that a witness cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 400: the request is not one.
    #[error("{0}")]
    Malformed(String),
    /// 403: no key that the witness trusts for the log signed it, or one's line does not hold.
    #[error("{0}")]
    Unsigned(String),
    /// 404: the witness knows no log of this origin.
    #[error("this witness knows no log of this origin; its operator has to add the log's key")]
    UnknownLog,
    /// 409: what the log takes for the last size is not.
    #[error("the last tree that was cosigned has {size} entries")]
    Behind {
        /// The size that the witness cosigned last.
        size: u64,
    },
    /// 422: the tree does not continue the one that was cosigned.
    #[error("it does not continue what was cosigned: {0}")]
    Inconsistent(String),
}

impl Seen {
    /// What was seen when a tree was cosigned.
    #[must_use]
    pub fn of(checkpoint: &Checkpoint) -> Self {
        Self { size: checkpoint.size, root: checkpoint.root }
    }
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unsigned(_) => 403,
            Self::UnknownLog => 404,
            Self::Behind { .. } => 409,
            Self::Inconsistent(_) => 422,
        }
    }

    /// The body of the answer: a size for 409, and words that nothing depends on for the others.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Self::Behind { size } => format!("{size}\n"),
            other => format!("{other}\n"),
        }
    }

    /// What kind of body that is.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Behind { .. } => crate::SIZE_TYPE,
            _ => "text/plain; charset=utf-8",
        }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl AddCheckpoint {
    /// The origin that the checkpoint names, which nothing vouches for yet.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn origin(&self) -> Result<String, Refusal> {
        let malformed = |error: &dyn core::fmt::Display| Refusal::Malformed(error.to_string());
        let note = Note::parse(&self.note).map_err(|error| malformed(&error))?;
        let text = CheckpointText::parse(note.text()).map_err(|error| malformed(&error))?;
        Ok(text.checkpoint.origin)
    }

    /// Judges the request for the log `origin`, whose keys these are, by the tree that was cosigned
    /// last; `None` when none was. What comes out may be cosigned once it is kept as seen.
    ///
    /// # Errors
    /// [`Refusal`], in the order in which the specification lists them.
    pub fn check(
        &self,
        origin: &str,
        keys: &[VerifierKey],
        seen: Option<Seen>,
    ) -> Result<Verified, Refusal> {
        let verified = open_checkpoint(&self.note, origin, keys).map_err(|error| match error {
            OpenError::BadSignature { .. } | OpenError::NoKnownSignature { .. } => {
                Refusal::Unsigned(error.to_string())
            }
            _ => Refusal::Malformed(error.to_string()),
        })?;
        let Checkpoint { size, root, .. } = &verified.checkpoint;
        if self.old_size > *size {
            let old = self.old_size;
            let detail = format!("the old size is {old}, and the checkpoint's only {size}");
            return Err(Refusal::Malformed(detail));
        }
        let seen = seen.unwrap_or(Seen { size: 0, root: Hash::EMPTY_ROOT });
        if self.old_size != seen.size {
            return Err(Refusal::Behind { size: seen.size });
        }
        verify_consistency(seen.size, &seen.root, *size, root, &self.proof)
            .map_err(|error| Refusal::Inconsistent(error.to_string()))?;
        Ok(verified)
    }
}
