//! AG2's channel log (`/channels/{id}/wal.jsonl`): one `Envelope` a line, the messages between
//! agents.

use crate::line_id::LineIds;
use crate::lines::lines;
use crate::object::Object;
use crate::otlp::span_event_id;
use crate::sink::Sink;
use event::{Code, Event, EventError, Outcome, Part, Timestamp, types};

pub(crate) fn capture<'a>(bytes: &'a [u8], sink: &mut Sink<'_, 'a>) {
    let mut ids = LineIds::new("ag2-wal");
    for (number, line) in lines(bytes) {
        sink.begin(number);
        match read(line, &mut ids, sink) {
            Ok(event) => sink.mapped(event),
            Err(error) => sink.refuse(error),
        }
    }
}

fn read<'a>(
    line: &'a [u8],
    ids: &mut LineIds,
    sink: &mut Sink<'_, 'a>,
) -> Result<Event<'a>, EventError> {
    let mut envelope = Object::parse(line)?;
    let name = envelope.take_text("event_type").ok_or_else(|| {
        let reason = "every AG2 envelope has an event type, for example \"ag2.msg.text\"";
        EventError::new(Code::MissingField, "event_type", reason)
    })?;
    let mut event = Event::new("");
    // The hub's own id: audit records and replies name their envelope by it.
    event.event_id = envelope.take_text("envelope_id").or_else(|| Some(ids.next(line).into()));
    event.parent_event_id = envelope.take_text("causation_id");
    event.agent_id = envelope.take_text("sender_id");
    event.session_id = envelope.take_text("channel_id");
    event.task_id = envelope.take_text("task_id");
    if let Some(at) = envelope.peek_text("created_at").as_deref().and_then(Timestamp::parse) {
        event.timestamp = Some(at);
        envelope.take("created_at");
    }
    if let Some((trace, span)) = envelope.peek_text("trace_id").as_deref().and_then(traceparent) {
        event.caused_by.push(span_event_id(&trace, &span, "start").into());
        event.trace_id = Some(trace.into());
        // Its sampling flags stand nowhere else.
        if let Some(json) = envelope.take_json("trace_id")? {
            event.content.set_attribute("traceparent", json);
        }
    }
    let data = envelope.take("event_data");
    read_message(&mut event, &name, data)?;
    envelope.keep_rest(&mut event, sink)?;
    Ok(event)
}

/// The trace id and span id of a W3C `traceparent` (Trace Context, section 3.2).
fn traceparent(text: &str) -> Option<(String, String)> {
    let mut fields = text.split('-').skip(1);
    let (trace, span) = (fields.next()?, fields.next()?);
    let hex =
        |field: &str, digits| field.len() == digits && field.bytes().all(|b| b.is_ascii_hexdigit());
    (hex(trace, 32) && hex(span, 16)).then(|| (trace.to_lowercase(), span.to_lowercase()))
}

/// The type, and the data in the part of the content where it belongs.
fn read_message<'a>(
    event: &mut Event<'a>,
    name: &str,
    data: Option<&'a str>,
) -> Result<(), EventError> {
    let mut whole = Part::Params;
    event.action = Some(name.to_owned().into());
    event.event_type = match name {
        "ag2.msg.text" => {
            whole = Part::Input;
            types::INVOCATION.into()
        }
        "ag2.packet" => read_packet(event, data),
        "ag2.task.cancelled" => {
            event.outcome = Some(Outcome::Cancelled);
            "hub.task_cancelled".into()
        }
        "ag2.expectation.violated" => {
            event.outcome = Some(Outcome::Failure);
            "hub.expectation_violated".into()
        }
        "ag2.channel.expired" => {
            event.outcome = Some(Outcome::Timeout);
            "hub.channel_expired".into()
        }
        // One name for one thing: the audit log says `channel_closed`.
        _ => match name.strip_prefix("ag2.") {
            Some(own) => format!("hub.{}", own.replace('.', "_")).into(),
            None => format!("hub.{name}").into(),
        },
    };
    let Some(data) = data else { return Ok(()) };
    if whole == Part::Input {
        let mut object = Object::parse_text(data, "event_data").unwrap_or_default();
        if let Some(text) = object.take_json("text")? {
            event.content.set(Part::Input, text);
            if !object.is_empty() {
                event.content.set(Part::Params, object.into_json("event_data")?);
            }
            return Ok(());
        }
    }
    event.content.set(whole, event::Json::parse(data, "event_data")?);
    Ok(())
}

/// A packet carries who acts next: a handoff, the end, or plain text.
fn read_packet(event: &mut Event<'_>, data: Option<&str>) -> event::Text<'static> {
    let data =
        data.and_then(|data| Object::parse_text(data, "event_data").ok()).unwrap_or_default();
    let routing = data.peek("routing").and_then(|text| Object::parse_text(text, "routing").ok());
    let mut routing = routing.unwrap_or_default();
    let kind = routing.take_text("kind").unwrap_or_default();
    let target = routing.take_text("target");
    event.tool = routing.take_text("tool").map(|tool| tool.into_owned().into());
    let mut action = format!("packet:{kind}");
    if let Some(target) = target {
        action = format!("{kind}:{target}");
    }
    event.action = Some(action.into());
    match &*kind {
        "handoff" => types::HANDOFF.into(),
        "finish" => types::DECISION.into(),
        _ => types::INVOCATION.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::traceparent;

    #[test]
    fn only_a_whole_traceparent_is_believed() {
        let (trace, span) = ("dceeb97bf23d758771b59c4ca7992aa5", "38da97f3eeb96f30");
        let good = format!("00-{trace}-{span}-03");
        assert_eq!(traceparent(&good), Some((trace.into(), span.into())));
        for bad in ["", "00", trace, &good[..50], "00-xyz-abc-01"] {
            assert_eq!(traceparent(bad), None, "{bad}");
        }
    }
}
