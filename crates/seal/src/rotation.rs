//! The keys that sign a log's checkpoints, and how others take over from them.
//!
//! 1. New keys are put into the keyring, durably. 2. One group says who wanted it and why, and
//!    holds the statement that old and new keys sign. 3. The checkpoint of exactly that size is
//!    signed by both and published, and the ledger shows the statement. 4. The old keys are
//!    destroyed, and from the next group on the new ones sign alone. The next start goes on
//!    wherever that stopped: keys that no record names are dropped (`ledger.rs`, `settle`).

use crate::error::SealError;
use crate::identity::{IDENTITY_PATH, Identity};
use crate::life;
use crate::writer::{KEYRING_PATH, Writer};
use checkpoint::{Algorithm, Epochs, SigningKey, Succession};
use event::{Disclosed, Event, KeyRotation, Principal, types};
use keys::{KeyId, Keyring, Purpose, SecretKey};

/// Which keys sign, in the order of their lines.
const SIGNING: [(Purpose, Algorithm); 2] = [
    (Purpose::LogSigning, Algorithm::Ed25519),
    (Purpose::LogSigningMlDsa, Algorithm::MlDsa44Cosignature),
];

/// How often new keys are drawn until their statement holds nothing that looks like a secret: the
/// redactor would alter it, and text that is as good as random matches a rule once in a blue moon.
const DRAWS_MAX: usize = 8;

/// A signing key that is in the keyring.
pub(crate) struct Signer {
    pub(crate) id: KeyId,
    pub(crate) purpose: Purpose,
    pub(crate) key: SigningKey,
}

/// Signing keys that took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The serial number of the epoch that began: 1 for the first rotation.
    pub epoch: u64,
    /// The index of the record that announces it.
    pub record: u64,
    /// The index of the record that says who wanted it, and why.
    pub authority: u64,
    /// The new verifier keys (vkeys).
    pub keys: Vec<String>,
}

/// Every signing key of a keyring, which must have one of Ed25519.
pub(crate) fn signers(keyring: &Keyring, origin: &str) -> Result<Vec<Signer>, SealError> {
    let mut signers = Vec::new();
    for (purpose, algorithm) in SIGNING {
        for (info, seed) in keyring.by_purpose(purpose) {
            signers.push(signer(info.id, (purpose, algorithm), seed, origin)?);
        }
    }
    if !signers.iter().any(|signer| signer.purpose == Purpose::LogSigning) {
        let detail = format!("there is no {} key", Purpose::LogSigning);
        return Err(SealError::corrupt(KEYRING_PATH, detail));
    }
    Ok(signers)
}

fn signer(
    id: KeyId,
    (purpose, algorithm): (Purpose, Algorithm),
    seed: &SecretKey,
    origin: &str,
) -> Result<Signer, SealError> {
    let key = SigningKey::from_seed(origin, algorithm, seed.expose())
        .map_err(|error| SealError::corrupt(KEYRING_PATH, error.to_string()))?;
    Ok(Signer { id, purpose, key })
}

/// The epochs of a log, as its description and the ledger have them.
pub(crate) fn epochs<'n>(
    identity: &Identity,
    successions: impl Iterator<Item = (u64, &'n str)>,
) -> Result<Epochs, SealError> {
    Epochs::read(&identity.origin, &identity.keys, successions).map_err(|error| {
        let file = match &error {
            checkpoint::EpochError::Key(_) => IDENTITY_PATH,
            _ => segment::LEDGER_FOLDER,
        };
        SealError::corrupt(file, error.to_string())
    })
}

/// Takes successions into account that the ledger does not show yet.
pub(crate) fn follow(epochs: &mut Epochs, undisclosed: &[Disclosed]) -> Result<(), SealError> {
    for Disclosed { index, meta, content, .. } in undisclosed {
        let corrupt = |detail: String| {
            SealError::corrupt(store::JOURNAL_FOLDER, format!("record {index}: {detail}"))
        };
        let rotation = KeyRotation::from_stored(meta.as_bytes(), content.as_bytes());
        let Some(rotation) = rotation.map_err(|error| corrupt(error.to_string()))? else {
            continue;
        };
        let succession = Succession::parse(&rotation.succession);
        let succession = succession.map_err(|error| corrupt(error.to_string()))?;
        epochs.succeed(*index, &succession).map_err(|error| corrupt(error.to_string()))?;
    }
    Ok(())
}

impl Writer {
    /// The log's keys, and since which record each is in force.
    #[must_use]
    pub fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// Puts fresh signing keys in place of those in force: records who wants it and why, has the
    /// old keys certify the new ones, publishes that, and destroys the old ones.
    ///
    /// # Errors
    /// As [`Writer::commit`] and [`Writer::publish`]. After a failure the log must be reopened:
    /// that finishes the rotation when it was recorded, and undoes it otherwise.
    pub fn rotate_keys(
        &mut self,
        reason: Option<&str>,
        by: &Principal<'static>,
    ) -> Result<Rotated, SealError> {
        if let Some(reason) = &self.poisoned {
            return Err(SealError::Poisoned { reason: reason.clone() });
        }
        // All that waits is sealed and settled first: the two records are a group of their own.
        self.begin_life()?;
        if !self.announcements.is_empty() {
            self.commit(Vec::new())?;
        }
        self.publish()?;
        let outcome = self.take_over(reason, by);
        if let Err(error) = &outcome {
            self.poison(error.to_string());
        }
        outcome
    }

    fn take_over(
        &mut self,
        reason: Option<&str>,
        by: &Principal<'static>,
    ) -> Result<Rotated, SealError> {
        let (authority, record) = (self.size(), self.size().saturating_add(1));
        let (succession, announcement) = self.add_signers(authority, record)?;
        // The new keys are durable before anything names them; a crash leaves keys that nothing
        // uses, which the next start drops.
        self.store_keyring()?;
        let epoch = succession.epoch();
        let mut details = serde_json::json!({ "epoch": epoch });
        if let (Some(reason), Some(details)) = (reason, details.as_object_mut()) {
            details.insert("reason".to_owned(), reason.into());
        }
        self.announcements.push(life::act(types::LOG_KEY_ROTATION, details, by));
        self.announcements.push(announcement);
        self.epochs
            .succeed(record, &succession)
            .map_err(|error| SealError::corrupt(KEYRING_PATH, error.to_string()))?;
        // Into the file that is there: with a new one its key would be announced in the same
        // group, behind the succession, and the checkpoint would not be the one of both keys.
        self.commit_into_file(self.options.clock.now_ms())?;
        // INVARIANT: what publishes this shows the statement, and only then destroys the old keys.
        self.publish()?;
        let keys = self.epochs.last().keys.iter().map(ToString::to_string).collect();
        // The generation, so that the old keyring put back would show, and with it the old keys.
        let added: Vec<(Purpose, KeyId)> =
            self.signers.iter().map(|signer| (signer.purpose, signer.id)).collect();
        let added = life::keys_added(&added, self.keyring.generation());
        self.announcements.push(added);
        self.commit(Vec::new())?;
        self.publish()?;
        Ok(Rotated { epoch, record, authority, keys })
    }

    /// Draws new keys, and has old and new ones sign the statement about them.
    fn add_signers(
        &mut self,
        authority: u64,
        record: u64,
    ) -> Result<(Succession, Event<'static>), SealError> {
        let epoch = self.epochs.last().number.saturating_add(1);
        let origin = self.identity.origin.clone();
        for _ in 0..DRAWS_MAX {
            let (mut drawn, mut seeds) = (Vec::new(), Vec::new());
            for old in &self.signers {
                let id = KeyId::generate(&*self.options.entropy)?;
                let seed = SecretKey::generate(&*self.options.entropy)?;
                let kind = (old.purpose, old.key.algorithm());
                drawn.push(signer(id, kind, &seed, &origin)?);
                seeds.push(seed);
            }
            let old: Vec<&SigningKey> = self.signers.iter().map(|signer| &signer.key).collect();
            let new: Vec<&SigningKey> = drawn.iter().map(|signer| &signer.key).collect();
            let succession = Succession::sign(&origin, epoch, record, &old, &new)
                .map_err(|error| SealError::corrupt(KEYRING_PATH, error.to_string()))?;
            let rotation = KeyRotation { succession: succession.to_string(), authority };
            let announcement = life::key_rotated(&rotation);
            if self.redactor.redact(announcement.clone()).get() != &announcement {
                continue;
            }
            let now_ms = self.options.clock.now_ms();
            for (signer, seed) in drawn.iter().zip(seeds) {
                self.keyring.insert(signer.id, signer.purpose, seed, now_ms)?;
            }
            self.signers.extend(drawn);
            return Ok((succession, announcement));
        }
        Err(SealError::Entropy(keys::EntropyError))
    }

    /// Forgets signing keys that are not in force, in memory: those whose time is over, and those
    /// whose time never began because a crash came first. Returns whether there were any.
    pub(crate) fn drop_signers(&mut self) -> bool {
        let in_force = &self.epochs.last().keys;
        let is_over = |signer: &Signer| !in_force.contains(signer.key.verifier_key());
        let over: Vec<KeyId> =
            self.signers.iter().filter(|signer| is_over(signer)).map(|signer| signer.id).collect();
        self.signers.retain(|signer| !over.contains(&signer.id));
        for id in &over {
            // What is not in the keyring is gone already.
            let _ = self.keyring.destroy(*id);
        }
        !over.is_empty()
    }
}
