//! Signing what is recorded with the keys of agents, in this process, after redaction.
//!
//! Not here: what exactly is signed (`event`), and whether the log takes it.

use crate::fault::Fault;
use checkpoint::AgentSigner;
use event::{AgentKey, Code, Event, EventError, Json, SIGNATURE_SALT};
use keys::{AgentSeed, AgentSeedError, HmacKey, SecretKey, SystemEntropy};
use pyo3::prelude::*;
use redact::{Redacted, Redactor};
use seal::SealError;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// How often another salt is taken when redaction takes a part of what was signed for a secret.
const DRAWS_MAX: u8 = 8;
const SALT_BYTES: usize = 16;
const SALT_LABEL: &[u8] = b"tachograph/signature-salt\0";

/// Where a key is, and whose: the agent's name, `None` for all; `file` with a path, or `line` with
/// the line of such a file.
pub(crate) type KeyAt = (Option<String>, String, Vec<u8>);

/// The keys of the agents in this process.
pub(crate) struct Signers {
    all: Vec<Signer>,
    /// What salts are made of: known to nobody, and gone with the process. Drawn once and not for
    /// each event, so that one which is given to the log again after a failure is the same one.
    salts: HmacKey,
}

struct Signer {
    agent: Option<String>,
    public: AgentKey,
    key: AgentSigner,
}

impl Signers {
    /// Reads the keys.
    ///
    /// # Errors
    /// Why one cannot be had.
    pub(crate) fn load(keys: Vec<KeyAt>) -> Result<Self, Fault> {
        let load = |(agent, kind, value): KeyAt| {
            let seed = match kind.as_str() {
                "file" => AgentSeed::load(Path::new(OsStr::from_bytes(&value))),
                _ => AgentSeed::parse(&value, "agent_key"),
            };
            let key = AgentSigner::from_seed(seed.map_err(unavailable)?.expose());
            Ok(Signer { agent, public: AgentKey::from_bytes(key.public()), key })
        };
        let all = keys.into_iter().map(load).collect::<Result<_, Fault>>()?;
        let secret = SecretKey::generate(&SystemEntropy::new()).map_err(SealError::from)?;
        Ok(Self { all, salts: HmacKey::new(secret.expose()) })
    }

    /// The public keys, each with the agent that it is for.
    pub(crate) fn public(&self) -> Vec<(Option<String>, String)> {
        self.all.iter().map(|it| (it.agent.clone(), it.public.to_string())).collect()
    }

    /// The key for an event: that of the agent which it names, else the one for all.
    fn signer(&self, event: &Event<'_>) -> Option<&Signer> {
        let agent = event.agent_name.as_deref();
        let own = self.all.iter().find(|it| agent.is_some() && it.agent.as_deref() == agent);
        own.or_else(|| self.all.iter().find(|it| it.agent.is_none()))
    }

    /// Redacts an event, and signs what is left if there is a key for it; otherwise `admit` looks
    /// at it as it came.
    ///
    /// # Errors
    /// [`EventError`]: what `admit` says, or that no signature survives redaction.
    pub(crate) fn redact<'a>(
        &self,
        redactor: &Redactor,
        event: Event<'a>,
        admit: &dyn Fn(&Event<'_>) -> Result<(), EventError>,
    ) -> Result<Redacted<Event<'a>>, EventError> {
        let Some(signer) = self.signer(&event) else {
            admit(&event)?;
            return Ok(redactor.redact(event));
        };
        let event = redactor.redact(event).into_inner();
        for draw in 0..DRAWS_MAX {
            let mut signed = event.clone();
            if !signed.content.is_empty() {
                let salt = self.salt(event.event_id.as_deref().unwrap_or_default(), draw);
                signed.content.set_attribute(SIGNATURE_SALT, Json::string(&salt));
            }
            signed.sign(signer.public, &|statement| signer.key.sign(statement));
            // Only what went through the redactor is sealed; that it changes nothing any more is
            // what was signed for.
            let redacted = redactor.redact(signed.clone());
            if *redacted.get() == signed {
                admit(redacted.get())?;
                return Ok(redacted);
            }
        }
        Err(EventError::new(
            Code::BadSignature,
            "signature",
            "redaction changes what was to be signed, so it cannot be; let the policy leave \
             `attributes.tachograph.signature_salt` and `signature` as they are",
        ))
    }

    /// The letters that go into the content of an event: nothing in them looks like a number, or
    /// like a key of anybody.
    fn salt(&self, event_id: &str, draw: u8) -> String {
        let code = self.salts.sign(&[SALT_LABEL, &[draw], event_id.as_bytes()]);
        let letter = |digit: u8| char::from(b'a' + (digit & 0x0f));
        code.iter().take(SALT_BYTES).flat_map(|it| [letter(it >> 4), letter(*it)]).collect()
    }
}

fn unavailable(error: AgentSeedError) -> Fault {
    Fault::key(error.to_string())
}

/// Makes a key for an agent at a path that nothing is at; the public key.
#[pyfunction]
pub(crate) fn create_agent_key(path: PathBuf) -> PyResult<String> {
    let seed = AgentSeed::create(&path, &SystemEntropy::new()).map_err(unavailable)?;
    Ok(AgentKey::from_bytes(AgentSigner::from_seed(seed.expose()).public()).to_string())
}

/// The public key of a key: `file` and a path, or `line` and the line.
#[pyfunction]
pub(crate) fn agent_key(kind: String, value: Vec<u8>) -> PyResult<String> {
    let signers = Signers::load(vec![(None, kind, value)])?;
    Ok(signers.public().pop().map(|(_, public)| public).unwrap_or_default())
}
