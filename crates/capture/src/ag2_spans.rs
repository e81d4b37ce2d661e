//! AG2's telemetry file (`/telemetry/spans.jsonl`): one finished span a line, in the hub's own
//! JSON.
//!
//! What the spans mean is `otlp::spans`'s: the same span sent over OTLP makes the same events.

use crate::attributes::Attributes;
use crate::lines::lines;
use crate::object::Object;
use crate::otlp::lineage::Lineage;
use crate::otlp::source::{Scope, Source};
use crate::otlp::{Link, Span, SpanEvent, SpanKind, Status, id_or_none, spans};
use crate::sink::Sink;
use event::{Code, EventError, Json, Timestamp};
use serde_json::{Map, Value};

pub(crate) fn capture(bytes: &[u8], sink: &mut Sink<'_, '_>) {
    let scope = Scope { name: "ag2".to_owned(), ..Scope::default() };
    let source = Source::new(Vec::new(), scope);
    let mut lineage = Lineage::default();
    lines(bytes).filter_map(|(_, line)| read(line).ok()).for_each(|span| lineage.add(span));
    for (number, line) in lines(bytes) {
        sink.begin(number);
        match read(line) {
            Ok(span) => spans::map(span, &source, &lineage, sink),
            Err(error) => sink.refuse(error),
        }
    }
}

fn read(line: &[u8]) -> Result<Span, EventError> {
    let mut record = Object::parse(line)?;
    let attributes = attributes(value(&mut record, "attributes")?);
    let events = value(&mut record, "events")?;
    let links = value(&mut record, "links")?;
    let mut text = |key: &str| record.take_text(key).unwrap_or_default().into_owned();
    let span = Span {
        trace_id: id(text("trace_id")),
        span_id: id(text("span_id")),
        parent_span_id: id(text("parent_span_id")),
        trace_state: String::new(),
        name: text("name"),
        kind: SpanKind::from_name(&text("kind")),
        start_ns: time(&text("start"), "start")?,
        end_ns: time(&text("end"), "end")?,
        attributes,
        events: objects(events).map(span_event).collect(),
        links: objects(links).map(link).collect(),
        status: Status::from_name(&text("status")),
        status_message: text("status_message"),
        dropped: [0; 3],
    };
    with_rest(span, record)
}

/// What a later version of AG2 adds is kept with the attributes.
fn with_rest(mut span: Span, rest: Object<'_>) -> Result<Span, EventError> {
    let mut more = Vec::new();
    for (key, raw) in rest.into_members() {
        more.push((key.clone(), Json::parse(raw, &key)?.to_value()));
    }
    span.attributes.append(Attributes::new(more));
    Ok(span)
}

fn value(record: &mut Object<'_>, key: &str) -> Result<Value, EventError> {
    Ok(record.take_json(key)?.map(|json| json.to_value()).unwrap_or_default())
}

fn id(text: String) -> String {
    id_or_none(text.strip_prefix("0x").unwrap_or(&text).to_lowercase())
}

fn time(text: &str, field: &str) -> Result<u64, EventError> {
    if text.is_empty() {
        return Ok(0);
    }
    Timestamp::parse(text).map(|time| time.0).ok_or_else(|| {
        let reason = "expected RFC 3339, for example \"2026-11-20T16:06:56.764935Z\"";
        EventError::new(Code::BadTimestamp, field, reason)
    })
}

fn objects(list: Value) -> impl Iterator<Item = Map<String, Value>> {
    let items = match list {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    items.into_iter().filter_map(|item| match item {
        Value::Object(map) => Some(map),
        _ => None,
    })
}

fn attributes(value: Value) -> Attributes {
    match value {
        Value::Object(map) => Attributes::new(map.into_iter().collect()),
        Value::Null => Attributes::default(),
        other => Attributes::new(vec![("attributes".to_owned(), other)]),
    }
}

fn text_of(map: &Map<String, Value>, key: &str) -> String {
    map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn span_event(mut map: Map<String, Value>) -> SpanEvent {
    SpanEvent {
        time_ns: Timestamp::parse(&text_of(&map, "at")).map_or(0, |time| time.0),
        name: text_of(&map, "name"),
        attributes: attributes(map.remove("attributes").unwrap_or_default()),
    }
}

fn link(mut map: Map<String, Value>) -> Link {
    Link {
        trace_id: id(text_of(&map, "trace_id")),
        span_id: id(text_of(&map, "span_id")),
        attributes: attributes(map.remove("attributes").unwrap_or_default()),
    }
}
