//! Whose signature on a checkpoint means something, and how much.
//!
//! A key that was found inside the log or beside the evidence proves nothing about who signed: only
//! pinned keys and a policy's keys do. Signatures themselves are checked in `checkpoint`.

use crate::report::{Finding, FindingKind, Level};
use checkpoint::{
    Checkpoint, Note, OpenError, Policy, Verified, VerifierKey, open_checkpoint,
    open_checkpoint_exact,
};

/// The name of the file with the published checkpoint.
pub(crate) const CHECKPOINT_FILE: &str = "checkpoint";

/// The note of a report whose signer nobody vouches for.
pub const NOT_PINNED: &str =
    "consistent, signer not pinned: give the log's key to know that it is the right log";

/// The keys that a check goes by.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Keys that the caller has from elsewhere; any of them vouches for a checkpoint.
    pub pinned: Vec<VerifierKey>,
    /// Keys that came with the log or the evidence. They only show that the checkpoint is whole.
    pub embedded: Vec<VerifierKey>,
    /// A policy that the checkpoint must meet; its log keys count as pinned.
    pub policy: Option<Policy>,
}

/// Why a signed checkpoint is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// There is no key at all to check with.
    #[error("there is no key to check the signature with; give the log's verifier key")]
    NoKey,
    /// It does not open with any of the keys.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Only keys that came with the log signed it.
    #[error(
        "no pinned key signed the checkpoint, only {signers}; it is another log, or it was signed \
         anew by somebody else"
    )]
    NotPinned {
        /// Who did sign.
        signers: String,
    },
    /// The policy asks for more.
    #[error(
        "the policy is not met: {} and {witnesses} of its witnesses signed the checkpoint",
        if *log_signed { "a log of it" } else { "no log of it" }
    )]
    Policy {
        /// Whether a log of the policy signed.
        log_signed: bool,
        /// How many witnesses did.
        witnesses: usize,
    },
}

impl Trust {
    /// Trusts one key.
    #[must_use]
    pub fn pin(key: VerifierKey) -> Self {
        Self { pinned: vec![key], ..Self::default() }
    }

    /// Whether the caller vouches for any key.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        !self.pinned.is_empty() || self.policy.is_some()
    }

    /// Opens a signed checkpoint of the log `origin` and says how far it is vouched for:
    /// [`Level::Local`] when only embedded keys signed and none is pinned.
    ///
    /// # Errors
    /// [`TrustError`] when no key fits, a signature is false, or pinned keys or the policy are not
    /// satisfied.
    pub fn open(
        &self,
        note: impl AsRef<[u8]>,
        origin: &str,
    ) -> Result<(Verified, Level), TrustError> {
        let keys = self.keys();
        if keys.is_empty() {
            return Err(TrustError::NoKey);
        }
        let verified = open_checkpoint(note, origin, &keys)?;
        let level = self.level(&verified)?;
        Ok((verified, level))
    }

    /// Opens an earlier checkpoint of the same log, as a receipt carries it: signed as it must be,
    /// but no witness has seen it yet.
    pub(crate) fn open_receipt(&self, note: &[u8], origin: &str) -> Result<Verified, TrustError> {
        let keys = self.keys();
        if keys.is_empty() {
            return Err(TrustError::NoKey);
        }
        let verified = open_checkpoint(note, origin, &keys)?;
        match self.level(&verified) {
            Err(TrustError::Policy { log_signed: true, .. }) | Ok(_) => Ok(verified),
            Err(error) => Err(error),
        }
    }

    /// Every key, each once.
    fn keys(&self) -> Vec<VerifierKey> {
        let mut keys: Vec<VerifierKey> = Vec::new();
        let policy = self.policy.iter().flat_map(Policy::keys);
        for key in self.pinned.iter().chain(&self.embedded).cloned().chain(policy) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// How far a checkpoint that opened is vouched for.
    fn level(&self, verified: &Verified) -> Result<Level, TrustError> {
        let signed = |key: &VerifierKey| {
            verified.signatures.iter().any(|made| {
                made.key_id == key.key_id()
                    && made.name == key.name()
                    && made.algorithm == key.algorithm()
            })
        };
        if !self.pinned.is_empty() && !self.pinned.iter().any(signed) {
            let names: Vec<&str> = verified.signatures.iter().map(|it| it.name.as_str()).collect();
            return Err(TrustError::NotPinned { signers: names.join(", ") });
        }
        let Some(policy) = &self.policy else {
            return Ok(if self.pinned.is_empty() { Level::Local } else { Level::Signed });
        };
        let verdict = policy.evaluate(verified);
        if !verdict.is_met() {
            let (log_signed, witnesses) = (verdict.log_signed, verdict.witnesses.len());
            return Err(TrustError::Policy { log_signed, witnesses });
        }
        Ok(if policy.needs_witnesses() { Level::Witnessed } else { Level::Signed })
    }

    /// Opens the published checkpoint of a log, of which no byte may differ: every embedded key
    /// signed once, and no line is by a key that is not known. What is wrong goes to `findings`.
    pub(crate) fn open_published(&self, note: &[u8], origin: &str) -> Published {
        let mut published = Published::default();
        let keys = self.keys();
        let exact = match self.exact_keys(note, &keys) {
            Ok(exact) => open_checkpoint_exact(note, origin, &exact),
            Err(error) => Err(error),
        };
        let opened = match exact {
            Ok(verified) => Ok(verified),
            Err(_) if keys.is_empty() => return published.without_key(note, origin),
            // Without the log's own list of keys a line by a stranger says nothing.
            Err(error @ OpenError::UnknownSigner { .. }) if self.embedded.is_empty() => {
                published.notes.push(format!("not checked: {error}"));
                open_checkpoint(note, origin, &keys)
            }
            Err(error) => {
                published.fault(FindingKind::Corrupt, error.to_string());
                open_checkpoint(note, origin, &keys)
            }
        };
        let Ok(verified) = opened else { return published };
        match self.level(&verified) {
            Ok(level) => published.level = level,
            Err(error) => published.fault(FindingKind::Signature, error.to_string()),
        }
        if !self.is_pinned() {
            published.notes.push(NOT_PINNED.to_owned());
        }
        published.checkpoint = Some(verified.checkpoint);
        published
    }

    /// The keys that must sign exactly once: the embedded ones, and every other one that claims a
    /// line.
    fn exact_keys(&self, note: &[u8], keys: &[VerifierKey]) -> Result<Vec<VerifierKey>, OpenError> {
        let note = Note::parse(note)?;
        let claimed = |key: &&VerifierKey| {
            let mut lines = note.signatures().iter();
            self.embedded.contains(key)
                || lines.any(|line| line.name() == key.name() && line.key_id() == key.key_id())
        };
        Ok(keys.iter().filter(claimed).cloned().collect())
    }
}

/// What a published checkpoint turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The tree head, if a known key signed it.
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) level: Level,
    pub(crate) findings: Vec<Finding>,
    pub(crate) notes: Vec<String>,
}

impl Published {
    fn fault(&mut self, kind: FindingKind, detail: String) {
        self.findings.push(Finding::of_file(kind, CHECKPOINT_FILE, detail));
    }

    /// Reads the checkpoint without checking its signature, and says so.
    fn without_key(mut self, note: &[u8], origin: &str) -> Self {
        let parsed = Note::parse(note)
            .map_err(|error| error.to_string())
            .and_then(|note| Checkpoint::parse(note.text()).map_err(|error| error.to_string()));
        match parsed {
            Ok(checkpoint) if checkpoint.origin == origin => {
                self.fault(FindingKind::Unassessed, TrustError::NoKey.to_string());
                self.checkpoint = Some(checkpoint);
            }
            Ok(checkpoint) => {
                let (wanted, got) = (origin.to_owned(), checkpoint.origin);
                let detail = OpenError::Origin { wanted, got }.to_string();
                self.fault(FindingKind::Corrupt, detail);
            }
            Err(detail) => self.fault(FindingKind::Corrupt, detail),
        }
        self
    }
}
