//! The keys with which agents sign, at a server (docs/server.md). What comes back becomes what
//! `event` makes of a folder, so that the same code prints it.

use crate::failure::Failure;
use crate::remote::Remote;
use event::{AgentKey, Registration};
use link::segment;
use seal::NewAgentKey;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Keys {
    agent_keys: Vec<Value>,
}

impl Remote {
    /// Every key that was ever registered.
    pub(crate) fn agent_keys(&self) -> Result<Vec<Registration>, Failure> {
        let Keys { agent_keys } = self.told("/agent-keys")?;
        agent_keys.into_iter().map(|key| self.registration(key)).collect()
    }

    /// Registers a key.
    pub(crate) fn register_agent_key(
        &self,
        new: &NewAgentKey,
        reason: Option<&str>,
    ) -> Result<Registration, Failure> {
        let NewAgentKey { key, agents, required } = new;
        let body = json!({
            "key": key.to_string(), "agents": agents, "required": required, "reason": reason,
        });
        self.registration(self.done("/agent-keys", &body)?)
    }

    /// Revokes a key, which its id or the key itself names.
    pub(crate) fn revoke_agent_key(
        &self,
        name: &str,
        reason: Option<&str>,
    ) -> Result<Registration, Failure> {
        let id = AgentKey::parse(name).map_or_else(|| name.to_owned(), |key| key.id());
        let rest = format!("/agent-keys/{}/revoke", segment(&id));
        self.registration(self.done(&rest, &json!({ "reason": reason }))?)
    }

    fn registration(&self, told: Value) -> Result<Registration, Failure> {
        let read = Registration::from_json(told);
        read.ok_or_else(|| self.foreign(&"a key is not told as expected"))
    }
}
