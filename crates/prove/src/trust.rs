//! Whose signature on a checkpoint means something, and how much.
//!
//! A key that was found inside the log or beside the evidence proves nothing about who signed: only
//! pinned keys and a policy's keys do. Signatures themselves are checked in `checkpoint`.

use crate::report::{Finding, FindingKind, Level};
use checkpoint::{
    Checkpoint, CheckpointText, Epoch, Epochs, Note, OpenError, Policy, Verified, VerifierKey,
    open_checkpoint, open_checkpoint_exact,
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
    /// The log's keys as they took over from each other, if they ever did. The successions came
    /// with the log or the evidence; they hand on the trust in a pinned key, and never back. A
    /// check of a log or of evidence that shows successions puts them here itself.
    pub epochs: Option<Epochs>,
    /// Keys that are about to take over: only whoever has the log's keyring knows of them.
    pub pending: Vec<VerifierKey>,
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
    /// Only a key signed whose time was over.
    #[error(
        "the checkpoint of {size} entries is signed by a key whose time ended with record {record}, and \
         not by the key that took over there: whoever has the old key may have forged it"
    )]
    Expired {
        /// The size of the checkpoint.
        size: u64,
        /// The record with which the keys that are due took over.
        record: u64,
    },
    /// Only a key signed whose time had not begun.
    #[error(
        "the checkpoint of {size} entries is signed by a key that takes over only with record {record}, \
         and not by the key before it: it was not made when it says"
    )]
    Early {
        /// The size of the checkpoint.
        size: u64,
        /// The record with which the key that signed takes over.
        record: u64,
    },
    /// A key that is due did not sign.
    #[error("the checkpoint of {size} entries is not signed by {key}, which is due there")]
    NotDue {
        /// The size of the checkpoint.
        size: u64,
        /// The key that did not.
        key: String,
    },
    /// The pinned key is of a later time than the checkpoint.
    #[error(
        "the checkpoint of {size} entries is older than the pinned key, which vouches for no key before \
         it; pin the key that was in force then as well"
    )]
    BeforePinned {
        /// The size of the checkpoint.
        size: u64,
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
        let level = self.level(&verified, Reach::Onward)?;
        Ok((verified, level))
    }

    /// Opens an earlier checkpoint of the same log, as a receipt carries it: signed as it must be,
    /// but no witness has seen it yet. Keys before the pinned one count too: what the receipt says
    /// is compared with the log itself.
    pub(crate) fn open_receipt(&self, note: &[u8], origin: &str) -> Result<Verified, TrustError> {
        let keys = self.keys();
        if keys.is_empty() {
            return Err(TrustError::NoKey);
        }
        let verified = open_checkpoint(note, origin, &keys)?;
        match self.level(&verified, Reach::Both) {
            Err(TrustError::Policy { log_signed: true, .. }) | Ok(_) => Ok(verified),
            Err(error) => Err(error),
        }
    }

    /// Every key, each once.
    fn keys(&self) -> Vec<VerifierKey> {
        let mut keys: Vec<VerifierKey> = Vec::new();
        let policy = self.policy.iter().flat_map(Policy::keys);
        let epochs = self.epochs.iter().flat_map(Epochs::iter).flat_map(|it| it.keys.clone());
        for key in self.pinned.iter().chain(&self.embedded).cloned().chain(policy).chain(epochs) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// How far a checkpoint that opened is vouched for.
    fn level(&self, verified: &Verified, reach: Reach) -> Result<Level, TrustError> {
        self.check_epoch(verified)?;
        let size = verified.checkpoint.size;
        let number = |key: &VerifierKey| self.epochs.as_ref().and_then(|it| it.number_of(key));
        let in_force = self.epochs.as_ref().map(|it| it.in_force(size).number);
        let vouches = |key: &VerifierKey| match number(key) {
            // The keys that are due signed, and they follow from this one.
            Some(number) => reach == Reach::Both || Some(number) <= in_force,
            None => has_signed(verified, key),
        };
        if !self.pinned.is_empty() && !self.pinned.iter().any(vouches) {
            if self.pinned.iter().any(|key| number(key).is_some()) {
                return Err(TrustError::BeforePinned { size });
            }
            let names: Vec<&str> = verified.signatures.iter().map(|it| it.name.as_str()).collect();
            return Err(TrustError::NotPinned { signers: names.join(", ") });
        }
        let Some(policy) = &self.policy else {
            return Ok(if self.pinned.is_empty() { Level::Local } else { Level::Signed });
        };
        let mut verdict = policy.evaluate(verified);
        verdict.log_signed |=
            policy.logs().iter().any(|log| number(&log.key).is_some() && vouches(&log.key));
        if !verdict.is_met() {
            let (log_signed, witnesses) = (verdict.log_signed, verdict.witnesses.len());
            return Err(TrustError::Policy { log_signed, witnesses });
        }
        Ok(if policy.needs_witnesses() { Level::Witnessed } else { Level::Signed })
    }

    /// Whether the keys signed that are due at the size of a checkpoint. Without this a key that
    /// was stolen after its time could sign another continuation of the log.
    fn check_epoch(&self, verified: &Verified) -> Result<(), TrustError> {
        let Some(epochs) = &self.epochs else { return Ok(()) };
        let size = verified.checkpoint.size;
        let due = epochs.due(size);
        let Some(missing) = due.iter().find(|key| !has_signed(verified, key)) else {
            return Ok(());
        };
        let in_force = epochs.in_force(size);
        let signed = epochs.iter().filter(|it| it.keys.iter().any(|key| has_signed(verified, key)));
        let signed: Vec<&Epoch> = signed.collect();
        if let (Some(record), true) =
            (in_force.record, signed.iter().any(|epoch| epoch.number < in_force.number))
        {
            return Err(TrustError::Expired { size, record });
        }
        let later = signed.iter().find(|epoch| epoch.number > in_force.number);
        if let Some(record) = later.and_then(|epoch| epoch.record) {
            return Err(TrustError::Early { size, record });
        }
        Err(TrustError::NotDue { size, key: missing.to_string() })
    }

    /// Opens the published checkpoint of a log, of which no byte may differ: every key that is due
    /// signed once (the embedded ones, when none ever took over), and no line is by a key that is
    /// not known. What is wrong goes to `findings`.
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
                let opened = open_checkpoint(note, origin, &keys);
                let in_time = opened.as_ref().is_ok_and(|it| self.check_epoch(it).is_ok());
                match self.interrupted(note, origin, &error) {
                    Some(Interrupted::Known) => published.notes.push(TAKING_OVER.to_owned()),
                    Some(Interrupted::Unknown) => {
                        let detail = format!("{error}, unless it is about to become one");
                        published.fault(FindingKind::Unassessed, detail);
                    }
                    // Where the wrong keys signed, that is what is told below.
                    None if opened.is_err() || in_time => {
                        published.fault(FindingKind::Corrupt, error.to_string());
                    }
                    None => {}
                }
                opened
            }
        };
        let Ok(verified) = opened else { return published };
        match self.level(&verified, Reach::Onward) {
            Ok(level) => published.level = level,
            Err(error) => published.fault(FindingKind::Signature, error.to_string()),
        }
        if !self.is_pinned() {
            published.notes.push(NOT_PINNED.to_owned());
        }
        published.checkpoint = Some(verified.checkpoint);
        published
    }

    /// The keys that must sign exactly once: those that are due, and every other one that claims a
    /// line and is not the log's at another time.
    fn exact_keys(&self, note: &[u8], keys: &[VerifierKey]) -> Result<Vec<VerifierKey>, OpenError> {
        let note = Note::parse(note)?;
        let size = CheckpointText::parse(note.text())?.checkpoint.size;
        let due = match &self.epochs {
            Some(epochs) => epochs.due(size),
            None => self.embedded.clone(),
        };
        let is_ours =
            |key: &VerifierKey| self.epochs.as_ref().is_some_and(|it| it.number_of(key).is_some());
        let claims = |key: &&VerifierKey| {
            let mut lines = note.signatures().iter();
            !due.contains(key)
                && !is_ours(key)
                && lines.any(|line| line.name() == key.name() && line.key_id() == key.key_id())
        };
        Ok(due.iter().chain(keys.iter().filter(claims)).cloned().collect())
    }

    /// Whether a line by a key that is not known is what a rotation leaves that was interrupted
    /// after its checkpoint and before the ledger shows the succession: all keys that are due
    /// signed, and as many others of the log's name.
    fn interrupted(&self, note: &[u8], origin: &str, error: &OpenError) -> Option<Interrupted> {
        if self.embedded.is_empty() || !matches!(error, OpenError::UnknownSigner { .. }) {
            return None;
        }
        let parsed = Note::parse(note).ok()?;
        let size = CheckpointText::parse(parsed.text()).ok()?.checkpoint.size;
        let due = self.epochs.as_ref().map_or_else(|| self.embedded.clone(), |it| it.due(size));
        if !self.pending.is_empty() {
            let both: Vec<VerifierKey> = due.iter().chain(&self.pending).cloned().collect();
            return open_checkpoint_exact(note, origin, &both).ok().map(|_| Interrupted::Known);
        }
        let (by_due, others): (Vec<_>, Vec<_>) =
            parsed.signatures().iter().cloned().partition(|line| {
                due.iter().any(|key| key.name() == line.name() && key.key_id() == line.key_id())
            });
        let is_takeover =
            others.len() == due.len() && others.iter().all(|line| line.name() == origin);
        let mut without = Note::new(parsed.text()).ok()?;
        by_due.into_iter().try_for_each(|line| without.add(line)).ok()?;
        let opens = open_checkpoint_exact(without.to_string(), origin, &due).is_ok();
        (is_takeover && opens).then_some(Interrupted::Unknown)
    }
}

/// Which keys of a chain a pinned one vouches for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Itself and those after it.
    Onward,
    /// Those before it as well.
    Both,
}

/// A rotation that was interrupted.
enum Interrupted {
    /// To the keys that are about to take over.
    Known,
    /// As it seems, to keys that nobody here knows.
    Unknown,
}

/// The note of a report on a log whose rotation was interrupted.
const TAKING_OVER: &str = "another key was about to take over when the writer ended; the next start \
                           finishes it";

fn has_signed(verified: &Verified, key: &VerifierKey) -> bool {
    verified.signatures.iter().any(|made| {
        made.key_id == key.key_id() && made.name == key.name() && made.algorithm == key.algorithm()
    })
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
