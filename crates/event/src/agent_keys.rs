//! Which keys of agents a log knows, since when and for whom; and what that makes of a signature.
//!
//! The log shows each registration and each revocation, and whoever reads them in order knows at
//! every index what its receiver had to refuse. Not here: what is signed (`signature.rs`), and the
//! arithmetic, which the caller brings (`checkpoint`). `agent_keys/told.rs` tells programs of them.

use crate::error::{Code, EventError};
use crate::event::Event;
use crate::limits::LIST_ITEMS_MAX;
use crate::signature::{AgentKey, Signature};
use crate::types;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

mod told;

/// The name that stands for every agent.
pub const ANY_AGENT: &str = "*";
/// Agents of one key at most, and bytes of a name: a registration is shown as a document of its
/// own.
pub const AGENTS_MAX: usize = 64;
/// See [`AGENTS_MAX`].
pub const AGENT_NAME_BYTES_MAX: usize = 256;

/// What the log shows of agents' keys: the content of a `log.agent_key_registered` or
/// `log.agent_key_revoked` record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentKeyMark {
    /// From here on the key signs for these agents.
    Registered {
        /// The key.
        key: AgentKey,
        /// Names of agents, or [`ANY_AGENT`].
        agents: Vec<String>,
        /// Whether events that name these agents are refused without a signature.
        required: bool,
        /// The index of the record that says who registered it, and why.
        authority: u64,
    },
    /// From here on it signs for nobody, ever.
    Revoked {
        /// The key.
        key: AgentKey,
        /// The index of the record that says who revoked it, and why.
        authority: u64,
    },
}

/// Why the content of a record is no such thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key of an agent that the log announces: {0}")]
pub struct AgentKeyMarkError(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The key. A member of that name would be taken for a secret, in records of the log's own
    /// too.
    signer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agents: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    required: Option<bool>,
    authority: u64,
}

#[derive(Deserialize)]
struct Stored {
    params: Params,
}

impl AgentKeyMark {
    /// The type of the record that announces it.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Registered { .. } => types::LOG_AGENT_KEY_REGISTERED,
            Self::Revoked { .. } => types::LOG_AGENT_KEY_REVOKED,
        }
    }

    /// The `params` of that record.
    #[must_use]
    pub fn to_params(&self) -> serde_json::Value {
        let params = match self.clone() {
            Self::Registered { key, agents, required, authority } => Params {
                signer: key.to_string(),
                agents: Some(agents),
                required: Some(required),
                authority,
            },
            Self::Revoked { key, authority } => {
                Params { signer: key.to_string(), agents: None, required: None, authority }
            }
        };
        // Texts, a number and a truth value: this cannot fail.
        serde_json::to_value(params).unwrap_or_default()
    }

    /// The same by the authority of another record.
    #[must_use]
    pub fn under(mut self, index: u64) -> Self {
        let (Self::Registered { authority, .. } | Self::Revoked { authority, .. }) = &mut self;
        *authority = index;
        self
    }

    /// Reads the stored bytes of a record; `None` when it is of another type.
    ///
    /// # Errors
    /// [`AgentKeyMarkError`] when it should announce one and does not read.
    pub fn from_stored(meta: &[u8], content: &[u8]) -> Result<Option<Self>, AgentKeyMarkError> {
        let Ok(event) = Event::from_stored(meta, &[]) else { return Ok(None) };
        let begins = match &*event.event_type {
            types::LOG_AGENT_KEY_REGISTERED => true,
            types::LOG_AGENT_KEY_REVOKED => false,
            _ => return Ok(None),
        };
        let wrong = |what: &str| AgentKeyMarkError(what.to_owned());
        let Stored { params } = serde_json::from_slice(content)
            .map_err(|error| AgentKeyMarkError(format!("column {}", error.column())))?;
        let key = AgentKey::parse(&params.signer).ok_or_else(|| wrong("`signer` is no key"))?;
        let authority = params.authority;
        match (begins, params.agents, params.required) {
            (true, Some(agents), Some(required)) => {
                Ok(Some(Self::Registered { key, agents, required, authority }))
            }
            (false, None, None) => Ok(Some(Self::Revoked { key, authority })),
            _ => Err(wrong("`agents` and `required` belong to a registration")),
        }
    }
}

/// A key, and for whom it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The key.
    pub key: AgentKey,
    /// Names of agents, or [`ANY_AGENT`].
    pub agents: Vec<String>,
    /// Whether events that name these agents are refused without a signature.
    pub required: bool,
    /// The index of the record that announces it.
    pub from: u64,
    /// The index of the record that revokes it.
    pub until: Option<u64>,
    /// The index of the record that says who registered it, and why.
    pub authority: u64,
}

impl Registration {
    /// Whether it is for an agent of this name.
    #[must_use]
    pub fn is_for(&self, agent: &str) -> bool {
        self.agents.iter().any(|it| it == ANY_AGENT || it == agent)
    }
}

/// The keys that a log ever knew, in the order of their registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentKeys {
    registrations: Vec<Registration>,
    /// Keys that were revoked, each with the index of the record that did it first.
    revoked: BTreeMap<AgentKey, u64>,
    changes: u64,
}

/// How a signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'k> {
    /// There is none, or one of a form that is not ours.
    Unsigned,
    /// By a key that the log did not know then.
    Unknown,
    /// It holds over metadata and content, as far as these are there.
    Valid(&'k Registration),
    /// It holds over the metadata; of the content something was redacted afterwards.
    ContentRedacted(&'k Registration),
    /// The metadata was redacted after it was signed: it cannot be checked any more.
    Redacted(&'k Registration),
    /// It holds, but the key was revoked before.
    Revoked(&'k Registration),
    /// It holds, but the key is not that of the agent which the event names.
    OtherAgent(&'k Registration),
    /// It does not hold.
    False(&'k Registration),
}

impl fmt::Display for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (said, key) = match self {
            Self::Unsigned => return f.write_str("none"),
            Self::Unknown => return f.write_str("by a key that is not registered here"),
            Self::Valid(key) => ("valid", key),
            Self::ContentRedacted(key) => {
                ("valid of the metadata, and the log redacted the content afterwards,", key)
            }
            Self::Redacted(key) => ("of what the log redacted afterwards,", key),
            Self::Revoked(key) => ("revoked before,", key),
            Self::OtherAgent(key) => ("of another agent,", key),
            Self::False(key) => ("FALSE", key),
        };
        write!(f, "{said} by the key {} of {}", key.key.id(), key.agents.join(", "))
    }
}

/// Whether a signature over a message holds by a key.
pub type Holds<'h> = &'h dyn Fn(&AgentKey, &[u8], &[u8; 64]) -> bool;

impl AgentKeys {
    /// Takes what the record at an index announces into account; in whatever order they come.
    pub fn note(&mut self, index: u64, mark: AgentKeyMark) {
        self.changes += 1;
        match mark {
            AgentKeyMark::Registered { key, agents, required, authority } => {
                // No log lets a key come back that was revoked; who wrote this one anyway gains
                // nothing by it.
                let (from, until) = (index, self.revoked.get(&key).copied());
                let all = Registration { key, agents, required, from, until, authority };
                let place = self.registrations.partition_point(|it| it.from < from);
                if self.registrations.get(place).is_none_or(|it| it.from != from) {
                    self.registrations.insert(place, all);
                }
            }
            AgentKeyMark::Revoked { key, .. } => {
                let first = self.revoked.entry(key).or_insert(index);
                *first = index.min(*first);
                for it in self.registrations.iter_mut().filter(|it| it.key == key) {
                    it.until = Some(*first);
                }
            }
        }
    }

    /// How often anything changed: who asks twice and gets the same number has seen all.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// True when no key was ever registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.registrations.is_empty()
    }

    /// Every registration, the oldest first; of a key that was registered again the last counts.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Registration> {
        self.registrations.iter()
    }

    /// The registration of a key that counts for a record at an index.
    #[must_use]
    pub fn find(&self, key: &AgentKey, at: u64) -> Option<&Registration> {
        self.before(at).find(|it| it.key == *key)
    }

    fn before(&self, at: u64) -> impl Iterator<Item = &Registration> {
        self.registrations.iter().rev().filter(move |it| it.from < at)
    }

    /// Whether a record at an index that names this agent must be signed: as the newest
    /// registration says that is for it. A revocation changes nothing about that. Whatever names no
    /// agent claims to be nobody's.
    #[must_use]
    pub fn requires(&self, agent: Option<&str>, at: u64) -> bool {
        let newest = |agent| self.before(at).find(|it| it.is_for(agent));
        agent.and_then(newest).is_some_and(|it| it.required)
    }

    /// How the signature of a record at an index stands. `content` is `None` when it is withheld or
    /// erased, and has no bytes when there never was any.
    #[must_use]
    pub fn judge(
        &self,
        at: u64,
        meta: &[u8],
        content: Option<&[u8]>,
        holds: Holds<'_>,
    ) -> Standing<'_> {
        let Ok(event) = Event::from_stored(meta, &[]) else { return Standing::Unsigned };
        let Some(signature) = event.signature.as_deref().and_then(Signature::parse) else {
            return Standing::Unsigned;
        };
        let Some(known) = self.find(&signature.key, at) else { return Standing::Unknown };
        // What a receiver redacts it adds to the list, which is cut short when it is full.
        let noted = event.redactions.len();
        let is_redacted = noted > signature.redactions || noted >= LIST_ITEMS_MAX;
        let good = |it: Vec<u8>| holds(&signature.key, &it, &signature.bytes);
        if !signature.statements(meta).any(good) {
            return if is_redacted { Standing::Redacted(known) } else { Standing::False(known) };
        }
        let is_whole = content.is_none_or(|content| signature.is_of_content(content));
        if !is_whole && !is_redacted {
            return Standing::False(known);
        }
        if known.until.is_some_and(|until| until < at) {
            return Standing::Revoked(known);
        }
        if event.agent_name.as_deref().is_some_and(|agent| !known.is_for(agent)) {
            return Standing::OtherAgent(known);
        }
        if is_whole { Standing::Valid(known) } else { Standing::ContentRedacted(known) }
    }

    /// Whether an event may be taken in now, as it was received: before anything is redacted, and
    /// before its receiver sets what is the receiver's to set.
    ///
    /// # Errors
    /// [`Code::BadSignature`] when it bears a signature by a known key that does not hold, is not
    /// that key's to make, or is of an event without an id; [`Code::Unsigned`] when it must bear
    /// one and bears none.
    pub fn admit(&self, event: &Event<'_>, holds: Holds<'_>) -> Result<(), EventError> {
        if self.is_empty() {
            return Ok(());
        }
        let now = u64::MAX;
        let standing = match &event.signature {
            None => Standing::Unsigned,
            Some(_) => {
                let (mut meta, mut content) = (Vec::new(), Vec::new());
                event.write_meta(&mut meta);
                event.write_content(&mut content);
                self.judge(now, &meta, Some(&content), holds)
            }
        };
        let bad =
            |field: &str, reason: String| Err(EventError::new(Code::BadSignature, field, reason));
        match standing {
            // The log would give it one, which nobody signed.
            Standing::Valid(_) if event.event_id.is_none() => bad(
                "event_id",
                "a signed event bears its id, which is signed too; give it one before it is signed"
                    .to_owned(),
            ),
            Standing::Valid(_) => Ok(()),
            Standing::Unsigned | Standing::Unknown => {
                if !self.requires(event.agent_name.as_deref(), now) {
                    return Ok(());
                }
                Err(EventError::new(
                    Code::Unsigned,
                    "signature",
                    "this log takes events of this agent only with a signature by a key that is \
                     registered for it; sign it, or register the key",
                ))
            }
            Standing::Revoked(key) => bad(
                "signature",
                format!("the key {} was revoked; sign with one that is in force", key.key.id()),
            ),
            Standing::OtherAgent(key) => bad(
                "agent_name",
                format!(
                    "the key {} is not registered for the agent that this event names; sign with \
                     that agent's key",
                    key.key.id()
                ),
            ),
            Standing::False(key) | Standing::Redacted(key) | Standing::ContentRedacted(key) => bad(
                "signature",
                format!(
                    "it does not hold by the key {}: the event was changed after it was signed, or \
                     is not what that key signed; sign what is sent, after redaction",
                    key.key.id()
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
