//! The names of event types: an open set of dotted names, of which these have a meaning here.

/// A task was received by an agent.
pub const INVOCATION: &str = "agent.invocation";
/// An agent's reasoning.
pub const REASONING: &str = "agent.reasoning";
/// A tool was called.
pub const TOOL_CALL: &str = "agent.tool_call";
/// A tool answered.
pub const TOOL_RESULT: &str = "agent.tool_result";
/// A branch was taken.
pub const DECISION: &str = "agent.decision";
/// A model answered.
pub const LLM_RESPONSE: &str = "agent.llm_response";
/// Something failed.
pub const ERROR: &str = "agent.error";
/// Work moved from one agent to another.
pub const HANDOFF: &str = "agent.handoff";
/// A person confirmed, overrode or was asked.
pub const HUMAN_INTERVENTION: &str = "agent.human_intervention";
/// Tokens were counted.
pub const TOKEN_USAGE: &str = "agent.token_usage";
/// Code ran.
pub const CODE_EXECUTION: &str = "agent.code_execution";
/// Documents were retrieved, or memory was read or written.
pub const RETRIEVAL: &str = "agent.retrieval";
/// A user rated or corrected.
pub const USER_FEEDBACK: &str = "agent.user_feedback";
/// An output was scored.
pub const EVALUATION: &str = "agent.evaluation";
/// A security control fired.
pub const SECURITY: &str = "agent.security";
/// A compliance control fired.
pub const COMPLIANCE: &str = "agent.compliance";
/// Prefix of every AG2 hub record kind.
pub const HUB_PREFIX: &str = "hub.";
/// Prefix of the log's own life; producers may not use it.
pub const LOG_PREFIX: &str = "log.";
/// The log announces one of its segments.
pub const LOG_SEGMENT: &str = "log.segment";
/// The log announces that records, or their content, were erased.
pub const LOG_ERASED: &str = "log.erased";
/// The log announces that records outlived their retention.
pub const LOG_EXPIRY: &str = "log.expiry";
/// The log announces that a legal hold is in force.
pub const LOG_HELD: &str = "log.held";
/// The log announces that a legal hold is in force no longer.
pub const LOG_RELEASED: &str = "log.released";
/// Records were exported from the log.
pub const LOG_EXPORT: &str = "log.export";
/// The key of a segment was handed out.
pub const LOG_KEY_EXPORTED: &str = "log.key_exported";
/// The keyring is about to be wrapped by another key-encryption key.
pub const LOG_KEYS_REWRAPPED: &str = "log.keys_rewrapped";
/// Another redaction secret is about to be in force.
pub const LOG_REDACTION_ROTATION: &str = "log.redaction_rotation";
/// Somebody wants the log's signing keys to be followed by others.
pub const LOG_KEY_ROTATION: &str = "log.key_rotation";
/// The log announces that its signing keys are followed by others.
pub const LOG_KEY_ROTATED: &str = "log.key_rotated";
/// Somebody registers the key of an agent, or revokes it.
pub const LOG_AGENT_KEY: &str = "log.agent_key";
/// The log announces that a key signs for agents.
pub const LOG_AGENT_KEY_REGISTERED: &str = "log.agent_key_registered";
/// The log announces that a key of agents signs for nobody any more.
pub const LOG_AGENT_KEY_REVOKED: &str = "log.agent_key_revoked";
/// The log was put back from a backup.
pub const LOG_RESTORED: &str = "log.restored";
/// Somebody read what is protected: content, or through SQL.
pub const LOG_ACCESS: &str = "log.access";
/// Somebody who was let in asked for what they may not have.
pub const LOG_DENIED: &str = "log.denied";
/// Credentials were refused.
pub const LOG_LOGIN_REFUSED: &str = "log.login_refused";
/// How the log is served, or who may do what with it, was changed.
pub const LOG_CONFIGURATION: &str = "log.configuration";
/// A time-stamping authority has stamped a checkpoint of the log.
pub const LOG_ANCHOR: &str = "log.anchor";
/// Events were not taken, or could not be.
pub const LOG_GAP: &str = "log.gap";

/// Records of these types are shown to everybody.
const DISCLOSED: [&str; 8] = [
    LOG_SEGMENT,
    LOG_ERASED,
    LOG_EXPIRY,
    LOG_HELD,
    LOG_RELEASED,
    LOG_KEY_ROTATED,
    LOG_AGENT_KEY_REGISTERED,
    LOG_AGENT_KEY_REVOKED,
];

/// Whether records of this type are shown to everybody (`ledger/`): they say what became of files,
/// records and keys, and hold nothing that anybody brought in but agents' names and public keys.
#[must_use]
pub fn is_disclosed(event_type: &str) -> bool {
    DISCLOSED.contains(&event_type)
}
