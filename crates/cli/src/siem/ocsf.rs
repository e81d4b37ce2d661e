//! OCSF: one object a line, of the class API Activity with the profile for operations of AI.
//!
//! Not the profile for the integrity of records: its attestation is computed over the line
//! (decision 0051).

use super::{Ended, PRODUCT, Seen, Severity, VENDOR, VERSION};
use event::types;
use query::Status;
use serde_json::{Value, json};

/// The version of the schema.
const OCSF: &str = "1.9.0";
/// API Activity, of the category Application Activity.
const CLASS: u64 = 6_003;
const CATEGORY: u64 = 6;
/// What the schema asks for and nobody said.
const UNKNOWN: &str = "Unknown";

/// The object.
pub(super) fn object(seen: &Seen<'_>) -> Value {
    let (event, found) = (&seen.event, seen.found);
    let (activity, activity_name) = activity(&event.event_type);
    let (severity, severity_name) = severity(seen.severity());
    let (status, status_name) = status(seen);
    let agent = agent(seen);
    let model_alone = if agent.is_null() { model(seen) } else { Value::Null };
    json!({
        "class_uid": CLASS, "class_name": "API Activity", "category_uid": CATEGORY,
        "category_name": "Application Activity", "type_uid": CLASS * 100 + activity,
        "activity_id": activity, "activity_name": activity_name,
        "severity_id": severity, "severity": severity_name,
        "status_id": status, "status": status_name, "status_code": event.error_type.as_deref(),
        "status_detail": seen.message,
        "time": seen.happened_at().milliseconds(),
        "duration": seen.duration_ms().map(|ms| ms.round() as u64),
        "message": seen.sentence(),
        "metadata": metadata(seen),
        "actor": actor(seen),
        "api": { "operation": event.tool_name().unwrap_or(seen.name()) },
        "src_endpoint": { "name": application(seen) },
        "ai_agent": agent,
        "ai_model": model_alone,
        "message_context": tokens(seen),
        "raw_data": seen.row(),
        "unmapped": {
            "tier": found.tier.as_str(), "state": found.state.as_str(),
            "session_id": event.session_id.as_deref(), "task_id": event.task_id.as_deref(),
            "parent_event_id": event.parent_event_id.as_deref(),
            "approver": event.approver.as_deref(), "on_behalf_of": event.on_behalf_of.as_deref(),
            "leaf_hash": seen.leaf_hash(),
        },
    })
}

fn metadata(seen: &Seen<'_>) -> Value {
    let (event, index) = (&seen.event, seen.found.index);
    json!({
        "version": OCSF, "profiles": ["ai_operation"],
        "product": { "vendor_name": VENDOR, "name": PRODUCT, "version": VERSION },
        "uid": format!("{}#{index}", seen.origin), "original_event_uid": event.event_id.as_deref(),
        "event_code": event.event_type.as_ref(), "correlation_uid": event.trace_id.as_deref(),
        "log_provider": VENDOR, "log_source": seen.origin, "sequence": index,
        "logged_time": seen.found.recorded_at_ms,
        "original_time": event.timestamp.map(|time| time.to_string()),
        "labels": event.tags.iter().map(|tag| tag.as_ref()).collect::<Vec<&str>>(),
    })
}

fn actor(seen: &Seen<'_>) -> Value {
    let issuer = seen.event.principal.as_ref().and_then(|principal| principal.issuer.as_deref());
    json!({
        "user": { "name": seen.caller() }, "idp": { "name": seen.caller().and(issuer) },
        "application": { "name": application(seen) },
    })
}

/// The program that sent it, which the class asks for: nobody saw from where.
fn application<'s>(seen: &'s Seen<'_>) -> &'s str {
    seen.producer().unwrap_or(UNKNOWN)
}

fn agent(seen: &Seen<'_>) -> Value {
    let event = &seen.event;
    let Some(name) = seen.agent() else { return Value::Null };
    json!({
        "uid": event.agent_id.as_deref().unwrap_or(name), "name": name, "type_id": 0,
        "instance_uid": event.session_id.as_deref(), "version": event.agent_version.as_deref(),
        "ai_model": model(seen),
    })
}

fn model(seen: &Seen<'_>) -> Value {
    let Some(name) = seen.model() else { return Value::Null };
    let provider = seen.event.model.as_ref().and_then(|model| model.provider.as_deref());
    json!({ "model_name": name, "ai_provider": provider.unwrap_or(UNKNOWN) })
}

fn tokens(seen: &Seen<'_>) -> Value {
    let Some(tokens) = seen.event.tokens.as_ref() else { return Value::Null };
    json!({
        "application": { "name": application(seen) }, "uid": seen.event.session_id.as_deref(),
        "prompt_tokens": tokens.input, "completion_tokens": tokens.output,
        "total_tokens": tokens.all(),
    })
}

/// What the class has no number for keeps its own name.
fn activity(event_type: &str) -> (u64, &str) {
    match event_type {
        types::LOG_ACCESS | types::LOG_EXPORT => (2, "Read"),
        types::LOG_ERASED | types::LOG_EXPIRY => (4, "Delete"),
        other => (99, other),
    }
}

fn severity(severity: Severity) -> (u64, &'static str) {
    match severity {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

fn status(seen: &Seen<'_>) -> (u64, &'static str) {
    match (seen.ended(), seen.status) {
        (Ended::Well, _) => (1, "Success"),
        (Ended::Badly, _) => (2, "Failure"),
        (Ended::Otherwise, Status::Unknown) => (0, UNKNOWN),
        (Ended::Otherwise, other) => (99, other.as_str()),
    }
}
