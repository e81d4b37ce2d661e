//! The keys with which agents sign their events.

use super::{About, Group, Media};
use crate::agent_keys::{Register, Revoke};
use schemars::JsonSchema;

pub(crate) fn list() -> About {
    About::new(Group::Logs, "listAgentKeys", "The keys with which agents sign their events")
        .detail(
            "Every key that the log ever registered, the oldest first. Of a key that was registered again the last \
             registration counts.",
        )
        .answers(200, "As of the published checkpoint.", [Media::json::<Keys>()])
        .refuses(500, &["log_unreadable"])
}

pub(crate) fn register() -> About {
    changes("registerAgentKey", "Registers the key of an agent")
        .detail(
            "From its record on the log refuses events that bear a signature by this key and do not hold or name \
             another agent; if it is required, also events that name these agents and bear none.",
        )
        .takes([Media::json::<Register>()])
        .answers(201, "It is registered.", [Media::json::<Key>()])
        .refuses(422, &["bad_agent_key", "bad_reason"])
}

pub(crate) fn revoke() -> About {
    changes("revokeAgentKey", "Revokes the key of an agent, for ever")
        .names("The key's id.")
        .takes([Media::json::<Revoke>()])
        .answers(200, "It signs for nobody any more.", [Media::json::<Key>()])
        .refuses(404, &["unknown_key"])
        .refuses(422, &["bad_reason"])
}

fn changes(name: &'static str, summary: &'static str) -> About {
    About::new(Group::Logs, name, summary)
        .refuses_bodies()
        .refuses(400, &["not_json", "bad_parameter"])
        .refuses(409, &["refused"])
        .refuses(500, &["log_unreadable"])
        .refuses(503, &["not_finished"])
}

// What is answered; `event` writes it.

#[derive(JsonSchema)]
#[schemars(rename = "AgentKeys")]
#[expect(dead_code, reason = "it is there for its schema")]
struct Keys {
    agent_keys: Vec<Key>,
}

#[derive(JsonSchema)]
#[schemars(rename = "AgentKey")]
#[expect(dead_code, reason = "it is there for its schema")]
struct Key {
    /// Its id, for people.
    id: String,
    /// The public key: `ed25519:` and 32 bytes in base64.
    key: String,
    /// For whom it signs: names of agents, or `*` for all.
    agents: Vec<String>,
    /// Whether events that name these agents are refused without a signature.
    required: bool,
    /// The index of the record that announces it.
    record: u64,
    /// The index of the record that says who registered it, and why.
    authority: u64,
    /// The index of the record that revokes it, if one does.
    revoked: Option<u64>,
}
