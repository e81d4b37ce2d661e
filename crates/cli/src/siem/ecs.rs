//! ECS: one object a line, with the fields of Elastic's common schema, and ours below
//! `tachograph`.

use super::{PRODUCT, Seen, VENDOR, VERSION};
use event::{Kind, Phase, types};
use query::Status;
use serde_json::{Value, json};

/// The version of the schema.
const ECS: &str = "9.1.0";

/// The object.
pub(super) fn object(seen: &Seen<'_>) -> Value {
    let (event, found) = (&seen.event, seen.found);
    let tokens = event.tokens.as_ref();
    let model = event.model.as_ref();
    let issuer = event.principal.as_ref().and_then(|principal| principal.issuer.as_deref());
    let (category, kind_of_act) = categories(seen);
    let users: Vec<&str> =
        [seen.caller(), event.on_behalf_of.as_deref(), event.approver.as_deref()]
            .into_iter()
            .flatten()
            .collect();
    json!({
        "@timestamp": seen.happened_at().to_string(),
        "ecs": { "version": ECS },
        "message": seen.sentence(),
        "event": {
            "id": event.event_id.as_deref(), "code": event.event_type.as_ref(),
            "kind": if seen.is_alert() { "alert" } else { "event" },
            "category": [category], "type": [kind_of_act], "action": seen.name(),
            "outcome": seen.outcome(), "reason": event.error_type.as_deref(),
            "duration": seen.duration_ms().map(|ms| (ms * 1e6) as u64),
            "severity": seen.severity().of_ten(), "sequence": found.index,
            "created": found.recorded_at().to_string(), "provider": seen.producer(),
            "dataset": "tachograph.audit", "module": "tachograph", "original": seen.row(),
        },
        "error": { "type": event.error_type.as_deref(), "message": seen.message },
        "user": { "name": seen.caller(), "domain": seen.caller().and(issuer) },
        "related": { "user": users },
        "trace": { "id": event.trace_id.as_deref() },
        "tags": event.tags.iter().map(|tag| tag.as_ref()).collect::<Vec<&str>>(),
        "gen_ai": {
            "agent": { "id": event.agent_id.as_deref(), "name": event.agent_name.as_deref() },
            "system": model.and_then(|it| it.provider.as_deref()),
            "request": {
                "model": model.and_then(|it| it.requested.as_deref().or(it.name.as_deref())),
            },
            "response": { "model": model.and_then(|it| it.responded.as_deref()) },
            "tool": { "name": event.tool_name() },
            "usage": {
                "input_tokens": tokens.and_then(|it| it.input),
                "output_tokens": tokens.and_then(|it| it.output),
            },
        },
        "observer": { "vendor": VENDOR, "product": PRODUCT, "version": VERSION },
        "tachograph": {
            "origin": seen.origin, "tier": found.tier.as_str(), "state": found.state.as_str(),
            "status": seen.status.as_str(), "session_id": event.session_id.as_deref(),
            "task_id": event.task_id.as_deref(),
            "parent_event_id": event.parent_event_id.as_deref(),
            "on_behalf_of": event.on_behalf_of.as_deref(),
            "approver": event.approver.as_deref(),
            "agent_version": event.agent_version.as_deref(), "leaf_hash": seen.leaf_hash(),
        },
    })
}

/// The category, and one of the types that the schema expects in it. The log is a store of data:
/// what happens to it is of the category for those.
fn categories(seen: &Seen<'_>) -> (&'static str, &'static str) {
    match &*seen.event.event_type {
        types::SECURITY => ("intrusion_detection", "info"),
        types::LOG_LOGIN_REFUSED => ("authentication", "start"),
        types::LOG_CONFIGURATION => ("configuration", "change"),
        types::LOG_DENIED => ("api", "denied"),
        types::LOG_ACCESS | types::LOG_EXPORT | types::LOG_KEY_EXPORTED => ("database", "access"),
        types::LOG_ERASED | types::LOG_EXPIRY => ("database", "change"),
        _ if seen.found.kind == Kind::Log => ("database", "info"),
        types::CODE_EXECUTION => ("process", begun_or_ended(seen).unwrap_or("info")),
        _ if seen.status == Status::Denied => ("api", "denied"),
        types::TOOL_CALL | types::RETRIEVAL => ("api", begun_or_ended(seen).unwrap_or("access")),
        types::INVOCATION => ("api", "start"),
        types::TOOL_RESULT | types::LLM_RESPONSE => ("api", "end"),
        _ => ("api", begun_or_ended(seen).unwrap_or("info")),
    }
}

fn begun_or_ended(seen: &Seen<'_>) -> Option<&'static str> {
    match seen.event.phase? {
        Phase::Intent => Some("start"),
        Phase::Result => Some("end"),
        Phase::Observation => None,
    }
}
