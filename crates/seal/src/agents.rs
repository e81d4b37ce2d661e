//! The keys of agents: who registers them, and what the log then takes in.
//!
//! One group says who wanted it and why, and what follows, which the ledger shows. From then on
//! every batch must have been held to that: one that was encoded before is refused as a whole, and
//! sent again. So the log itself says at every record which signatures it had to demand.

use crate::error::SealError;
use crate::life;
use crate::removal::Consequence;
use crate::writer::Writer;
use event::{
    AGENT_NAME_BYTES_MAX, AGENTS_MAX, AgentKey, AgentKeyMark, AgentKeys, Event, EventError,
    Principal, Registration, types,
};
use std::sync::{Arc, PoisonError, RwLock};

/// A key that is to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAgentKey {
    /// The key.
    pub key: AgentKey,
    /// The names of the agents that sign with it, or [`event::ANY_AGENT`].
    pub agents: Vec<String>,
    /// Whether events that name these agents are refused without a signature from here on.
    pub required: bool,
}

/// Why a key was not registered or revoked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AgentKeyError {
    /// What was asked for cannot be; nothing was recorded.
    #[error("{0}; nothing was changed")]
    Refused(String),
    /// No such key is in force.
    #[error("no key {0} is registered here; `tacho agent-key list` shows those that are")]
    Unknown(String),
    /// The log cannot go on.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What is in force, for all who encode batches.
#[derive(Clone, Default)]
pub(crate) struct InForce(Arc<RwLock<Arc<AgentKeys>>>);

impl InForce {
    pub(crate) fn get(&self) -> Arc<AgentKeys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, keys: &AgentKeys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys.clone());
    }
}

/// Whether an event may be taken in, as it was received.
pub(crate) fn admit(keys: &AgentKeys, event: &Event<'_>) -> Result<(), EventError> {
    keys.admit(event, &|key, statement, signature| {
        checkpoint::verify_agent(key.as_bytes(), statement, signature)
    })
}

impl Writer {
    /// The keys of agents that the log knows.
    #[must_use]
    pub fn agent_keys(&self) -> &AgentKeys {
        self.catalogue().agent_keys()
    }

    /// Registers a key for agents, or registers it anew for others: records who wants it and why,
    /// and publishes that. Events that are sealed from then on were held to it.
    ///
    /// # Errors
    /// [`AgentKeyError::Refused`] when it is no key, was revoked before, or the names cannot be
    /// shown. Else as [`Writer::resolve`].
    pub fn register_agent_key(
        &mut self,
        new: NewAgentKey,
        reason: Option<&str>,
        by: &Principal<'static>,
    ) -> Result<Registration, AgentKeyError> {
        let NewAgentKey { key, agents, required } = new;
        check_names(&agents)?;
        if !checkpoint::is_agent_key(key.as_bytes()) {
            return Err(refused("these 32 bytes are no public key of Ed25519"));
        }
        if self.agent_keys().find(&key, u64::MAX).is_some_and(|it| it.until.is_some()) {
            return Err(refused("this key was revoked, and does not come back; make another one"));
        }
        let mut details = serde_json::json!({
            "act": "register", "signer": key.to_string(), "agents": agents, "required": required,
        });
        add_reason(&mut details, reason);
        let mark = AgentKeyMark::Registered { key, agents, required, authority: 0 };
        self.decide_key(details, mark, by)?;
        let registered = self.agent_keys().find(&key, u64::MAX).cloned();
        registered.ok_or_else(|| SealError::Closed.into())
    }

    /// Revokes a key, named by its id or its text, for ever. Whether its agents must sign stays as
    /// it was.
    ///
    /// # Errors
    /// [`AgentKeyError::Unknown`] when no such key is in force. Else as [`Writer::resolve`].
    pub fn revoke_agent_key(
        &mut self,
        name: &str,
        reason: Option<&str>,
        by: &Principal<'static>,
    ) -> Result<Registration, AgentKeyError> {
        let is_meant = |it: &&Registration| {
            it.until.is_none() && (it.key.id() == name || it.key.to_string() == name)
        };
        let known = self.agent_keys().iter().rev().find(is_meant);
        let key = known.ok_or_else(|| AgentKeyError::Unknown(name.to_owned()))?.key;
        let mut details = serde_json::json!({ "act": "revoke", "signer": key.to_string() });
        add_reason(&mut details, reason);
        self.decide_key(details, AgentKeyMark::Revoked { key, authority: 0 }, by)?;
        let revoked = self.agent_keys().find(&key, u64::MAX).cloned();
        revoked.ok_or_else(|| SealError::Closed.into())
    }

    fn decide_key(
        &mut self,
        details: serde_json::Value,
        mark: AgentKeyMark,
        by: &Principal<'static>,
    ) -> Result<(), AgentKeyError> {
        // A key is as good as random, and a name may be anything: what the log is to show must be
        // what was meant.
        let shown = life::agent_key(&mark);
        if self.redactor().redact(shown.clone()).get() != &shown {
            return Err(refused(
                "the redaction takes a part of the key or of a name for a secret; choose another \
                 name, or make another key",
            ));
        }
        let intent = life::act(types::LOG_AGENT_KEY, details, by);
        self.resolve(intent, vec![Consequence::AgentKey(mark)])?;
        self.in_force.set(self.catalogue().agent_keys());
        Ok(())
    }
}

fn check_names(agents: &[String]) -> Result<(), AgentKeyError> {
    let fits = |name: &String| {
        !name.is_empty()
            && name.len() <= AGENT_NAME_BYTES_MAX
            && !name.chars().any(char::is_control)
    };
    if agents.is_empty() || agents.len() > AGENTS_MAX {
        return Err(refused(&format!(
            "a key is registered for 1 to {AGENTS_MAX} agents; name them, or `*` for all"
        )));
    }
    if !agents.iter().all(fits) {
        return Err(refused(&format!(
            "the name of an agent has 1 to {AGENT_NAME_BYTES_MAX} bytes, and no control characters"
        )));
    }
    Ok(())
}

fn add_reason(details: &mut serde_json::Value, reason: Option<&str>) {
    if let (Some(reason), Some(details)) = (reason, details.as_object_mut()) {
        details.insert("reason".to_owned(), reason.into());
    }
}

fn refused(why: &str) -> AgentKeyError {
    AgentKeyError::Refused(why.to_owned())
}
