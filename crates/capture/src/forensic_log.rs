//! The lines that the `ForensicCallbackHandler` logging recipe for AutoGen writes:
//! `asctime - logger - {"timestamp": ..., "agent": ..., "event": ..., "data": {...}}`.

use crate::line_id::LineIds;
use crate::lines::lines;
use crate::object::Object;
use crate::sink::Sink;
use event::{Code, Event, EventError, Json, Outcome, Part, Phase, Timestamp, types};

pub(crate) fn capture<'a>(bytes: &'a [u8], sink: &mut Sink<'_, 'a>) {
    let mut ids = LineIds::new("forensic-log");
    for (number, line) in lines(bytes) {
        sink.begin(number);
        let id = ids.next(line);
        match read(line, sink) {
            Ok(mut event) => {
                event.event_id = Some(id.into());
                sink.mapped(event);
            }
            Err(error) => sink.refuse(error),
        }
    }
}

fn read<'a>(line: &'a [u8], sink: &mut Sink<'_, 'a>) -> Result<Event<'a>, EventError> {
    let text = std::str::from_utf8(line)
        .map_err(|_| EventError::new(Code::BadUtf8, "", "invalid UTF-8; encode as UTF-8"))?;
    let (head, json) = split(text).ok_or_else(|| {
        let reason = "not a line of the forensic handler (`time - logger - {json}`); a continuation \
                      of the line above, or another logger's";
        EventError::new(Code::NotJson, "", reason)
    })?;
    let mut entry = Object::parse_text(json, "")?;
    let name = entry.take_text("event").ok_or_else(|| {
        let reason =
            "every entry of the forensic handler names its event, for example \"chain_start\"";
        EventError::new(Code::MissingField, "event", reason)
    })?;
    let mut event = Event::new("");
    event.agent_name = entry.take_text("agent");
    // The time in front is local and without its zone: it is kept, but not believed.
    if let Some(at) = entry.peek_text("timestamp").as_deref().and_then(Timestamp::parse) {
        event.timestamp = Some(at);
        entry.take("timestamp");
    }
    event.content.set_attribute("asctime", Json::string(head.time));
    if Some(head.logger) != event.agent_name.as_deref().map(|a| format!("forensics.{a}")).as_deref()
    {
        event.content.set_attribute("logger", Json::string(head.logger));
    }
    event.action = Some(name.clone());
    read_data(&mut event, &name, entry.take("data"))?;
    entry.keep_rest(&mut event, sink)?;
    Ok(event)
}

struct Head<'a> {
    time: &'a str,
    logger: &'a str,
}

/// The time, the logger's name (which may hold ` - ` itself) and the JSON.
fn split(line: &str) -> Option<(Head<'_>, &str)> {
    let (head, _) = line.split_once(" - {")?;
    let json = line.get(head.len() + 3..)?;
    let (time, logger) = head.split_once(" - ")?;
    Some((Head { time, logger }, json))
}

/// The type by the event's name, and `data` in the parts of the content where it belongs.
fn read_data<'a>(
    event: &mut Event<'a>,
    name: &str,
    data: Option<&'a str>,
) -> Result<(), EventError> {
    let mut part = Part::Params;
    let mut wanted = None;
    event.event_type = match name {
        "code_execution" => {
            event.phase = Some(Phase::Observation);
            return read_code(event, data);
        }
        "chat_init" => {
            (part, wanted) = (Part::Input, Some("message"));
            types::INVOCATION.into()
        }
        "chain_start" => {
            (part, wanted) = (Part::Input, Some("inputs"));
            event.phase = Some(Phase::Intent);
            types::INVOCATION.into()
        }
        "chain_end" => {
            (part, wanted) = (Part::Output, Some("outputs"));
            event.phase = Some(Phase::Result);
            types::INVOCATION.into()
        }
        _ => format!("agent.{name}").into(),
    };
    let Some(data) = data else { return Ok(()) };
    let object = wanted.and_then(|key| Some((key, Object::parse_text(data, "data").ok()?)));
    if let Some((key, mut object)) = object
        && let Some(json) = object.take_json(key)?
    {
        event.content.set(part, json);
        if !object.is_empty() {
            event.content.set(Part::Params, object.into_json("data")?);
        }
        return Ok(());
    }
    event.content.set(part, Json::parse(data, "data")?);
    Ok(())
}

fn read_code<'a>(event: &mut Event<'a>, data: Option<&'a str>) -> Result<(), EventError> {
    event.event_type = types::CODE_EXECUTION.into();
    let Some(data) = data else { return Ok(()) };
    let Ok(mut object) = Object::parse_text(data, "data") else {
        event.content.set(Part::Params, Json::parse(data, "data")?);
        return Ok(());
    };
    event.outcome = object.peek_text("execution_result").as_deref().and_then(exit_outcome);
    if let Some(result) = object.take_json("execution_result")? {
        event.content.set(Part::Result, result);
    }
    object.rename("code_snippet", "code");
    if !object.is_empty() {
        event.content.set(Part::Params, object.into_json("data")?);
    }
    Ok(())
}

/// AutoGen's executors begin a result with `exitcode: N`; without it nobody knows how it ended.
fn exit_outcome(result: &str) -> Option<Outcome> {
    let code = result.strip_prefix("exitcode:")?.trim_start();
    let digits = code.split(|c: char| !c.is_ascii_digit() && c != '-').next()?;
    Some(if digits.parse::<i64>().ok()? == 0 { Outcome::Success } else { Outcome::Failure })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logger_name_may_hold_the_separator() {
        let (head, json) = split("2026-01-01 00:00:00,000 - forensics.A - B - {\"a\": 1}").unwrap();
        assert_eq!((head.time, head.logger), ("2026-01-01 00:00:00,000", "forensics.A - B"));
        assert_eq!(json, "{\"a\": 1}");
        assert!(split("Traceback (most recent call last):").is_none());
        assert!(split("a - {}").is_none());
    }

    #[test]
    fn the_exit_code_decides() {
        assert_eq!(exit_outcome("exitcode: 0 (execution succeeded)\n17"), Some(Outcome::Success));
        assert_eq!(exit_outcome("exitcode: 1 (execution failed)"), Some(Outcome::Failure));
        assert_eq!(exit_outcome("exitcode: -9"), Some(Outcome::Failure));
        assert_eq!(exit_outcome("17"), None);
    }
}
