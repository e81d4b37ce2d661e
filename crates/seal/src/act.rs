//! What somebody does to a log from outside its writer, as records of the log: exports, keys that
//! are handed out, another key-encryption key, another redaction secret.
//!
//! The record is durable, and published, before the act takes effect. Not here: what the log does
//! by itself (`life.rs`), and who may do what.

use crate::batch::Batch;
use crate::error::SealError;
use crate::life;
use crate::log::Log;
use crate::recover::redaction_policy;
use crate::writer::Writer;
use event::{Principal, types};
use keys::{Kek, KeyId, Purpose, SecretKey};
use redact::Redactor;
use std::sync::Arc;

/// An act, and what the log is to say about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Records are written to where the log does not protect them.
    Export(serde_json::Value),
    /// The key of a segment is handed out.
    KeyExport(serde_json::Value),
    /// The log was put back from a backup.
    Restore(serde_json::Value),
    /// Protected records are handed to somebody who may read them.
    Access(serde_json::Value),
    /// Somebody known asked for what they may not have.
    Denied(serde_json::Value),
    /// Credentials were refused; several refusals of one kind may be one record.
    LoginRefused(serde_json::Value),
    /// How the log is served, or who may do what with it, changes.
    Configuration(serde_json::Value),
    /// A time-stamping authority has stamped a checkpoint of the log.
    Anchor(serde_json::Value),
    /// Events were refused for a while: the disk was full, or the log stopped.
    Gap(serde_json::Value),
}

impl Act {
    fn parts(self) -> (&'static str, serde_json::Value) {
        match self {
            Self::Export(details) => (types::LOG_EXPORT, details),
            Self::KeyExport(details) => (types::LOG_KEY_EXPORTED, details),
            Self::Restore(details) => (types::LOG_RESTORED, details),
            Self::Access(details) => (types::LOG_ACCESS, details),
            Self::Denied(details) => (types::LOG_DENIED, details),
            Self::LoginRefused(details) => (types::LOG_LOGIN_REFUSED, details),
            Self::Configuration(details) => (types::LOG_CONFIGURATION, details),
            Self::Anchor(details) => (types::LOG_ANCHOR, details),
            Self::Gap(details) => (types::LOG_GAP, details),
        }
    }
}

impl Log {
    /// The record of an act as a batch of its own, which is sealed with whatever else waits: for
    /// acts that are many, and that wait until their record is durable but not until it is
    /// published.
    ///
    /// # Errors
    /// [`SealError::Entropy`].
    pub fn encode_act(&self, act: Act, by: &Principal<'static>) -> Result<Batch, SealError> {
        let (kind, details) = act.parts();
        let event = self.redactor().redact(life::act(kind, details, by));
        Ok(self.encode_life(event)?)
    }
}

impl Writer {
    /// Records an act and who does it, durably, and publishes the record. Returns the size of the
    /// log with it.
    ///
    /// # Errors
    /// As [`Writer::commit`] and [`Writer::publish`]: the act must not be done then.
    pub fn record(&mut self, act: Act, by: &Principal<'static>) -> Result<u64, SealError> {
        let (kind, details) = act.parts();
        self.commit_act(kind, details, by)?;
        self.publish()?;
        Ok(self.size())
    }

    /// Wraps the keyring by another key-encryption key; touches no data.
    ///
    /// First the log says so; then the keyring is replaced, which is atomic; then the log records
    /// the generation, so that the old keyring put back would show. A crash in between leaves a
    /// keyring that exactly one of the two keys opens.
    ///
    /// # Errors
    /// As [`Writer::commit`]. After a failed replacement either keyring may be there: the log must
    /// be reopened.
    pub fn rewrap(&mut self, kek: Arc<Kek>, by: &Principal<'static>) -> Result<(), SealError> {
        let details = serde_json::json!({
            "from": self.kek.id().to_string(), "to": kek.id().to_string(),
            "origin": kek.origin().to_string(),
        });
        self.commit_act(types::LOG_KEYS_REWRAPPED, details, by)?;
        self.publish()?;
        self.keyring.rewrap(&kek);
        self.kek = kek;
        if let Err(error) = self.store_keyring() {
            self.poison(error.to_string());
            return Err(error);
        }
        let generation = life::keys_generation(self.keyring.generation());
        self.announcements.push(generation);
        self.commit(Vec::new())?;
        self.publish()
    }

    /// Puts a fresh redaction secret in force: from here on the same value gets another pseudonym.
    /// With `destroy` every secret before it goes: nobody can try candidates against the pseudonyms
    /// that it made any more, not even who has the keyring. Returns the ids of those before.
    ///
    /// First the log says so; then the keyring is replaced, which is atomic; then the log records
    /// the generation, so that the old keyring put back would show. After a crash in between, the
    /// log was told of a change that may not have come: it is asked for again.
    ///
    /// # Errors
    /// As [`Writer::commit`]. After a failed replacement either keyring may be there: the log must
    /// be reopened.
    pub fn rotate_redaction(
        &mut self,
        destroy: bool,
        reason: Option<&str>,
        by: &Principal<'static>,
    ) -> Result<Vec<KeyId>, SealError> {
        let purpose = Purpose::RedactionSecret;
        let newest = self.keyring.newest(purpose).map_or(0, |(info, _)| info.created_ms);
        let before: Vec<KeyId> =
            self.keyring.by_purpose(purpose).map(|(info, _)| info.id).collect();
        let ids: Vec<String> = before.iter().map(ToString::to_string).collect();
        let mut details = serde_json::json!({ "before": ids, "destroys": destroy });
        if let (Some(reason), Some(details)) = (reason, details.as_object_mut()) {
            details.insert("reason".to_owned(), reason.into());
        }
        self.commit_act(types::LOG_REDACTION_ROTATION, details, by)?;
        self.publish()?;
        let outcome = self.take_redaction_secret(destroy, &before, newest);
        if let Err(error) = &outcome {
            self.poison(error.to_string());
        }
        outcome.map(|()| before)
    }

    fn take_redaction_secret(
        &mut self,
        destroy: bool,
        before: &[KeyId],
        newest_ms: u64,
    ) -> Result<(), SealError> {
        let purpose = Purpose::RedactionSecret;
        // The newest one is in force, also where the clock went back meanwhile.
        let now_ms = self.options.clock.now_ms().max(newest_ms);
        let secret = SecretKey::generate(&*self.options.entropy)?;
        let policy = redaction_policy(&*self.folder)?;
        let redactor = Redactor::new(&policy, *secret.expose())
            .map_err(|error| SealError::Policy { detail: error.to_string() })?;
        let id = self.keyring.add(purpose, secret, now_ms, &*self.options.entropy)?;
        if destroy {
            for old in before {
                self.keyring.destroy(*old)?;
            }
        }
        self.store_keyring()?;
        self.redactor = Arc::new(redactor);
        let added = life::keys_added(&[(purpose, id)], self.keyring.generation());
        self.announcements.push(added);
        self.commit(Vec::new())?;
        self.publish()
    }

    /// Seals the record of an act behind that of the start.
    fn commit_act(
        &mut self,
        kind: &'static str,
        details: serde_json::Value,
        by: &Principal<'static>,
    ) -> Result<(), SealError> {
        self.begin_life()?;
        self.announcements.push(life::act(kind, details, by));
        self.commit(Vec::new()).map(|_| ())
    }
}
