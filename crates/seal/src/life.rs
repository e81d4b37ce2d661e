//! The log's own life as events: what it did, when, and why.

use event::{Content, Event, Json, Part, Principal};
use std::borrow::Cow;

fn event(kind: &'static str, details: serde_json::Value) -> Event<'static> {
    let mut content = Content::default();
    content.set(Part::Params, Json::from_value(&details));
    Event {
        event_type: Cow::Borrowed(kind),
        source: Some("system".into()),
        content,
        ..Event::default()
    }
}

/// Entry 0: binds `log.json` by its SHA-256.
pub(crate) fn created(origin: &str, identity_sha256: &[u8; 32]) -> Event<'static> {
    let sha256 = hex::encode(identity_sha256);
    event("log.created", serde_json::json!({ "origin": origin, "log_json_sha256": sha256 }))
}

/// A writer began; `size` entries were there. The keyring's generation makes an older copy of it
/// show; the policy is what events are redacted by from here on.
pub(crate) fn started(size: u64, keyring_generation: u64, policy: &str) -> Event<'static> {
    let version = env!("CARGO_PKG_VERSION");
    let details = serde_json::json!({
        "size": size, "version": version, "keyring_generation": keyring_generation,
        "redaction_policy": policy,
    });
    event("log.started", details)
}

/// Recovery cut off an incomplete write that nobody had been told about.
pub(crate) fn recovered(file: &str, offset: u64, bytes: u64) -> Event<'static> {
    let details = serde_json::json!({
        "file": file, "offset": offset, "bytes_cut": bytes,
        "reason": "a write was cut short before it was acknowledged",
    });
    event("log.recovered", details)
}

/// Nothing happened for a while, and the log is still there.
pub(crate) fn heartbeat(size: u64) -> Event<'static> {
    event("log.heartbeat", serde_json::json!({ "size": size }))
}

/// Keys were added: that of another journal file, or signing keys that took over.
pub(crate) fn keys_added(
    added: &[(keys::Purpose, keys::KeyId)],
    keyring_generation: u64,
) -> Event<'static> {
    let key = |(purpose, id): &(keys::Purpose, keys::KeyId)| serde_json::json!({ "purpose": purpose.name(), "key_id": id.to_string() });
    let added: Vec<serde_json::Value> = added.iter().map(key).collect();
    let details = serde_json::json!({ "added": added, "keyring_generation": keyring_generation });
    event("log.keys", details)
}

/// Records that lay in the journal, or in other segments, lie in this one now.
pub(crate) fn segment(manifest: &segment::Manifest) -> Event<'static> {
    event(event::types::LOG_SEGMENT, manifest.to_params())
}

/// The records of a journal file could not be moved into segments; they are where they were.
pub(crate) fn roll_failed(file: &str, reason: &str) -> Event<'static> {
    event("log.segment_failed", serde_json::json!({ "file": file, "reason": reason }))
}

/// Records, or their content, go for good.
pub(crate) fn removal(removal: &event::Removal) -> Event<'static> {
    event(removal.event_type(), removal.to_params())
}

/// A legal hold begins or ends.
pub(crate) fn hold(mark: &event::HoldMark) -> Event<'static> {
    event(mark.event_type(), mark.to_params())
}

/// A key of agents is registered or revoked.
pub(crate) fn agent_key(mark: &event::AgentKeyMark) -> Event<'static> {
    event(mark.event_type(), mark.to_params())
}

/// The signing keys are followed by others.
pub(crate) fn key_rotated(rotation: &event::KeyRotation) -> Event<'static> {
    event(event::types::LOG_KEY_ROTATED, rotation.to_params())
}

const REMOVED: &str = "log.removed";

/// What a removal was to take is gone: files, copies and keys.
pub(crate) fn removed(authority: u64) -> Event<'static> {
    event(REMOVED, serde_json::json!({ "authority": authority }))
}

/// True when stored metadata is that of such a report.
pub(crate) fn is_removed(meta: &[u8]) -> bool {
    Event::from_stored(meta, &[]).is_ok_and(|event| event.event_type == REMOVED)
}

/// The writer ended in good order.
pub(crate) fn stopped(size: u64) -> Event<'static> {
    event("log.stopped", serde_json::json!({ "size": size }))
}

/// The keyring was written, and no key was added.
pub(crate) fn keys_generation(keyring_generation: u64) -> Event<'static> {
    let details = serde_json::json!({ "added": [], "keyring_generation": keyring_generation });
    event("log.keys", details)
}

/// Somebody does something to the log.
pub(crate) fn act(
    kind: &'static str,
    details: serde_json::Value,
    by: &Principal<'static>,
) -> Event<'static> {
    Event { principal: Some(by.clone()), ..event(kind, details) }
}
