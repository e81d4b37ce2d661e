//! AG2's hub audit log (`ag2.network.hub.audit.AuditLog`, `/audit/audit.jsonl`): one `hub.<kind>` a
//! line.
//!
//! The set of kinds is open (tenants append their own) and lines carry no id. The channel log with
//! the messages themselves is `ag2_wal`.

use crate::line_id::LineIds;
use crate::lines::lines;
use crate::object::Object;
use crate::sink::Sink;
use event::{Code, Event, EventError, Json, Outcome, Part, Text, Timestamp, types};
use std::collections::HashMap;

/// Agents remembered by name at most; a hub holds hundreds.
const NAMES_MAX: usize = 100_000;

pub(crate) fn capture<'a>(bytes: &'a [u8], sink: &mut Sink<'_, 'a>) {
    let mut ids = LineIds::new("ag2-audit");
    let mut names = HashMap::new();
    for (number, line) in lines(bytes) {
        sink.begin(number);
        let id = ids.next(line);
        match read(line, &mut names, sink) {
            Ok(mut event) => {
                event.event_id = Some(id.into());
                sink.mapped(event);
            }
            Err(error) => sink.refuse(error),
        }
    }
}

fn read<'a>(
    line: &'a [u8],
    names: &mut HashMap<String, String>,
    sink: &mut Sink<'_, 'a>,
) -> Result<Event<'a>, EventError> {
    let mut record = Object::parse(line)?;
    let kind = record.take_text("kind").ok_or_else(|| {
        let reason =
            "every record of an AG2 audit log has a kind, for example \"agent_registered\"";
        EventError::new(Code::MissingField, "kind", reason)
    })?;
    let mut event = Event::new(format!("{}{kind}", types::HUB_PREFIX));
    if let Some(at) = record.peek_text("at").as_deref().and_then(Timestamp::parse) {
        event.timestamp = Some(at);
        record.take("at");
    }
    for key in ["agent_id", "owner_id", "creator_id"] {
        if event.agent_id.is_none() {
            event.agent_id = record.take_text(key);
        }
    }
    name_agent(&mut event, &mut record, names);
    event.session_id = record.take_text("channel_id");
    event.task_id = record.take_text("task_id");
    event.version = record.take_text("version");
    event.trace_id = record.take_text("trace_id");
    event.approver = record.take_text("approver");
    event.caused_by.extend(record.take_text("envelope_id"));
    event.action = Some(action(&kind, &mut record));
    event.error_type = record.take_text("exc_type");
    event.outcome = outcome(&kind, &mut record);
    read_content(&mut event, &mut record)?;
    record.keep_rest(&mut event, sink)?;
    Ok(event)
}

/// Only registrations carry the name; later lines of the same agent get it from there.
fn name_agent<'a>(
    event: &mut Event<'a>,
    record: &mut Object<'a>,
    names: &mut HashMap<String, String>,
) {
    event.agent_name = record.take_text("name");
    let Some(id) = event.agent_id.as_deref() else { return };
    if let Some(name) = &event.agent_name {
        if names.len() < NAMES_MAX || names.contains_key(id) {
            names.insert(id.to_owned(), name.clone().into_owned());
        }
    } else {
        event.agent_name = names.get(id).map(|name| name.clone().into());
    }
}

/// The kind, with what it was about.
fn action<'a>(kind: &str, record: &mut Object<'a>) -> Text<'a> {
    let about = ["capability", "expectation", "manifest_type"]
        .into_iter()
        .find_map(|key| record.take_text(key));
    match about {
        Some(about) => format!("{kind}:{about}").into(),
        None => kind.to_owned().into(),
    }
}

fn outcome(kind: &str, record: &mut Object<'_>) -> Option<Outcome> {
    if let Some(outcome) = record.peek_text("outcome").as_deref().and_then(task_outcome) {
        record.take("outcome");
        return Some(outcome);
    }
    match kind {
        "turn_failed" | "expectation_violated" => Some(Outcome::Failure),
        "channel_expired" => Some(Outcome::Timeout),
        _ => None,
    }
}

/// The outcome of an AG2 task, by its name there.
pub(crate) fn task_outcome(name: &str) -> Option<Outcome> {
    match name {
        "completed" => Some(Outcome::Success),
        "failed" => Some(Outcome::Failure),
        "expired" => Some(Outcome::Timeout),
        "cancelled" => Some(Outcome::Cancelled),
        _ => Outcome::from_name(name),
    }
}

/// The text of an error goes to the content: it may quote anything.
fn read_content<'a>(event: &mut Event<'a>, record: &mut Object<'a>) -> Result<(), EventError> {
    if let Some(params) = record.take_json("params")? {
        event.content.set(Part::Params, params);
    }
    let failed = matches!(event.outcome, Some(Outcome::Failure | Outcome::Timeout));
    let message = record
        .take_text("exc_message")
        .or_else(|| failed.then(|| record.take_text("reason")).flatten());
    if let Some(message) = message {
        let error = serde_json::json!({ "message": message });
        event.content.set(Part::Error, Json::from_value(&error));
    }
    Ok(())
}
