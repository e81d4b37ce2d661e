//! A registration as it is told to programs, and read back from what a server told.

use super::Registration;
use crate::signature::AgentKey;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Told {
    /// For people; follows from the key.
    id: String,
    key: String,
    agents: Vec<String>,
    required: bool,
    /// The record that announces it.
    record: u64,
    /// The record that says who wanted it, and why.
    authority: u64,
    /// The record that revokes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<u64>,
}

impl Registration {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let told = Told {
            id: self.key.id(),
            key: self.key.to_string(),
            agents: self.agents.clone(),
            required: self.required,
            record: self.from,
            authority: self.authority,
            revoked: self.until,
        };
        // Texts, numbers and a truth value: this cannot fail.
        serde_json::to_value(told).unwrap_or_default()
    }

    /// Reads that; `None` when it is something else.
    #[must_use]
    pub fn from_json(value: serde_json::Value) -> Option<Self> {
        let Told { key, agents, required, record: from, authority, revoked: until, .. } =
            serde_json::from_value(value).ok()?;
        Some(Self { key: AgentKey::parse(&key)?, agents, required, from, until, authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_reads_back_from_what_is_told_of_it() {
        let key = AgentKey::from_bytes([3; 32]);
        let agents = vec!["planner".to_owned()];
        for until in [None, Some(9)] {
            let agents = agents.clone();
            let all = Registration { key, agents, required: true, from: 7, until, authority: 6 };
            let told = all.to_json();
            assert_eq!(told["id"], key.id());
            assert_eq!(told.get("revoked").is_some(), until.is_some());
            assert_eq!(Registration::from_json(told), Some(all));
        }
        assert_eq!(Registration::from_json(serde_json::json!({ "key": "x" })), None);
    }
}
