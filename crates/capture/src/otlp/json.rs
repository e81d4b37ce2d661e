//! OTLP in JSON (OTLP specification, "JSON Protobuf Encoding"), decoded into the shape of the
//! parent module: hex ids, 64-bit numbers as texts or numbers, enums as numbers or names,
//! snake_case tolerated.

use super::lineage::Lineage;
use super::source::{Scope, Source};
use super::{
    Link, LogRecord, Span, SpanEvent, SpanKind, Status, double, id_or_none, key_values, logs, spans,
};
use crate::CaptureError;
use crate::attributes::Attributes;
use crate::lines::{lines, without_byte_order_mark};
use crate::sink::Sink;
use base64::Engine as _;
use event::{Code, EventError};
use serde_json::{Map, Value};

/// Reads one request, or one request a line.
pub(crate) fn capture(bytes: &[u8], sink: &mut Sink<'_, '_>) -> Result<(), CaptureError> {
    let body = without_byte_order_mark(bytes);
    match serde_json::from_slice::<Value>(body) {
        Ok(request) => request_of(&request, sink),
        Err(whole) => {
            let mut lines = lines(body).peekable();
            let first =
                lines.peek().and_then(|(_, line)| serde_json::from_slice::<Value>(line).ok());
            if first.is_none() {
                return Err(CaptureError::NotJson { reason: whole.to_string() });
            }
            for (_, line) in lines {
                capture_line(line, sink);
            }
            Ok(())
        }
    }
}

fn capture_line(line: &[u8], sink: &mut Sink<'_, '_>) {
    let error = match serde_json::from_slice::<Value>(line) {
        Ok(request) => match request_of(&request, sink) {
            Ok(()) => return,
            Err(error) => EventError::new(Code::BadValue, "", error.to_string()),
        },
        Err(error) => EventError::new(Code::NotJson, "", format!("not valid JSON: {error}")),
    };
    sink.begin_next();
    sink.refuse(error);
}

fn request_of(request: &Value, sink: &mut Sink<'_, '_>) -> Result<(), CaptureError> {
    let request = Message::of(request).ok_or(CaptureError::NotOtlp)?;
    if request.get("resourceSpans").is_none() && request.get("resourceLogs").is_none() {
        // An exporter with nothing to say sends `{}`.
        return if request.map.is_empty() { Ok(()) } else { Err(CaptureError::NotOtlp) };
    }
    request.count_unknown("request", &["resourceSpans", "resourceLogs"], sink);
    let mut lineage = Lineage::default();
    for record in request.list("resourceSpans").flat_map(|group| group.list("scopeSpans")) {
        record.list("spans").for_each(|record| lineage.add(span(&record)));
    }
    records(
        &request,
        ["resourceSpans", "scopeSpans", "spans"],
        sink,
        &mut |record, source, sink| {
            record.count_unknown("span", SPAN_FIELDS, sink);
            spans::map(span(record), source, &lineage, sink);
        },
    );
    records(
        &request,
        ["resourceLogs", "scopeLogs", "logRecords"],
        sink,
        &mut |record, source, sink| {
            record.count_unknown("logRecord", LOG_FIELDS, sink);
            logs::map(log_record(record), source, sink);
        },
    );
    Ok(())
}

/// Makes the events of one record.
type Record<'r, 'a> = dyn FnMut(&Message<'_>, &Source, &mut Sink<'_, 'a>) + 'r;

/// Hands every record under these names to `each`, with who sent it.
fn records<'a>(
    request: &Message<'_>,
    [groups, scopes, records]: [&str; 3],
    sink: &mut Sink<'_, 'a>,
    each: &mut Record<'_, 'a>,
) {
    for group in request.list(groups) {
        let resource = group.message("resource").map(|r| r.attributes()).unwrap_or_default();
        for scoped in group.list(scopes) {
            let scope = scoped.message("scope").map(|scope| Scope {
                name: scope.text("name"),
                version: scope.text("version"),
                attributes: scope.attributes(),
            });
            let source = Source::new(resource.clone(), scope.unwrap_or_default());
            for record in scoped.values(records) {
                sink.begin_next();
                match Message::of(record) {
                    Some(record) => each(&record, &source, sink),
                    None => {
                        let reason = "expected a JSON object";
                        sink.refuse(EventError::new(Code::NotAnObject, "", reason));
                    }
                }
            }
        }
    }
}

/// The fields of a span; flags only say what the ids say already.
const SPAN_FIELDS: &[&str] = &[
    "traceId",
    "spanId",
    "parentSpanId",
    "traceState",
    "name",
    "kind",
    "startTimeUnixNano",
    "endTimeUnixNano",
    "attributes",
    "events",
    "links",
    "status",
    "flags",
    "droppedAttributesCount",
    "droppedEventsCount",
    "droppedLinksCount",
];

fn span(span: &Message<'_>) -> Span {
    let status = span.message("status");
    Span {
        trace_id: span.id("traceId", 16),
        span_id: span.id("spanId", 8),
        parent_span_id: span.id("parentSpanId", 8),
        trace_state: span.text("traceState"),
        name: span.text("name"),
        kind: span.named("kind", SpanKind::from_number, SpanKind::from_name),
        start_ns: span.number("startTimeUnixNano"),
        end_ns: span.number("endTimeUnixNano"),
        attributes: Attributes::new(span.attributes()),
        events: span
            .list("events")
            .map(|event| SpanEvent {
                time_ns: event.number("timeUnixNano"),
                name: event.text("name"),
                attributes: Attributes::new(event.attributes()),
            })
            .collect(),
        links: span
            .list("links")
            .map(|link| Link {
                trace_id: link.id("traceId", 16),
                span_id: link.id("spanId", 8),
                attributes: Attributes::new(link.attributes()),
            })
            .collect(),
        status: status
            .as_ref()
            .map(|status| status.named("code", Status::from_number, Status::from_name))
            .unwrap_or_default(),
        status_message: status.map(|status| status.text("message")).unwrap_or_default(),
        dropped: ["droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"]
            .map(|key| u32::try_from(span.number(key)).unwrap_or(u32::MAX)),
    }
}

/// The fields of a log record.
const LOG_FIELDS: &[&str] = &[
    "timeUnixNano",
    "observedTimeUnixNano",
    "severityNumber",
    "severityText",
    "body",
    "attributes",
    "droppedAttributesCount",
    "flags",
    "traceId",
    "spanId",
    "eventName",
];

fn log_record(record: &Message<'_>) -> LogRecord {
    LogRecord {
        time_ns: record.number("timeUnixNano"),
        observed_ns: record.number("observedTimeUnixNano"),
        severity: record.named(
            "severityNumber",
            |number| u8::try_from(number).unwrap_or_default(),
            logs::severity_of_name,
        ),
        severity_text: record.text("severityText"),
        event_name: record.text("eventName"),
        body: record.get("body").map(any_value).unwrap_or_default(),
        attributes: Attributes::new(record.attributes()),
        trace_id: record.id("traceId", 16),
        span_id: record.id("spanId", 8),
        dropped: u32::try_from(record.number("droppedAttributesCount")).unwrap_or(u32::MAX),
    }
}

/// One protobuf message as JSON.
struct Message<'v> {
    map: &'v Map<String, Value>,
    /// Some writers keep the names of the .proto files; looked for only where there is one.
    snake_case: bool,
}

impl<'v> Message<'v> {
    fn of(value: &'v Value) -> Option<Self> {
        let map = value.as_object()?;
        Some(Self { map, snake_case: map.keys().any(|key| key.contains('_')) })
    }

    fn get(&self, key: &str) -> Option<&'v Value> {
        let value = self.map.get(key);
        let value =
            value.or_else(|| if self.snake_case { self.map.get(&snake_case(key)) } else { None });
        value.filter(|value| !value.is_null())
    }

    fn message(&self, key: &str) -> Option<Message<'v>> {
        self.get(key).and_then(Message::of)
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
        self.get(key).and_then(Value::as_array).into_iter().flatten()
    }

    fn list(&self, key: &str) -> impl Iterator<Item = Message<'v>> + use<'v> {
        self.values(key).filter_map(Message::of)
    }

    fn text(&self, key: &str) -> String {
        self.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn number(&self, key: &str) -> u64 {
        match self.get(key) {
            Some(Value::String(text)) => text.parse().unwrap_or_default(),
            Some(number) => number.as_u64().unwrap_or_default(),
            None => 0,
        }
    }

    fn named<T: Default>(&self, key: &str, number: fn(i64) -> T, name: fn(&str) -> T) -> T {
        match self.get(key) {
            Some(Value::Number(n)) => n.as_i64().map(number).unwrap_or_default(),
            Some(Value::String(text)) => text.parse().map_or_else(|_| name(text), number),
            _ => T::default(),
        }
    }

    /// Hex as OTLP has it, or base64 as plain protobuf JSON has it.
    fn id(&self, key: &str, bytes: usize) -> String {
        let text = self.get(key).and_then(Value::as_str).unwrap_or_default();
        let text = text.strip_prefix("0x").unwrap_or(text);
        let hex = if text.len() == 2 * bytes {
            text.to_lowercase()
        } else {
            match base64::engine::general_purpose::STANDARD.decode(text) {
                Ok(decoded) if decoded.len() == bytes => hex::encode(decoded),
                _ => text.to_lowercase(),
            }
        };
        id_or_none(hex)
    }

    fn attributes(&self) -> Vec<(String, Value)> {
        pairs(self.values("attributes"))
    }

    fn count_unknown(&self, message: &str, known: &[&str], sink: &mut Sink<'_, '_>) {
        for key in self.map.keys() {
            let named = |name: &&str| *name == key || (self.snake_case && snake_case(name) == *key);
            if !known.iter().any(named) {
                sink.unmapped(&format!("{message}.{key}"));
            }
        }
    }
}

fn snake_case(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn pairs<'v>(list: impl Iterator<Item = &'v Value>) -> Vec<(String, Value)> {
    list.filter_map(Message::of)
        .map(|pair| (pair.text("key"), pair.get("value").map(any_value).unwrap_or_default()))
        .collect()
}

/// The parser stops at 128 levels of JSON, and every level here is three or four of them.
fn any_value(value: &Value) -> Value {
    let Some(any) = Message::of(value) else { return Value::Null };
    if let Some(text) = any.get("stringValue") {
        return text.clone();
    }
    if let Some(truth) = any.get("boolValue") {
        return truth.clone();
    }
    if let Some(number) = any.get("intValue") {
        return match number.as_str().and_then(|text| text.parse::<i64>().ok()) {
            Some(number) => Value::from(number),
            None => number.clone(),
        };
    }
    if let Some(number) = any.get("doubleValue") {
        let text = number.as_str().and_then(|text| text.parse::<f64>().ok());
        return number.as_f64().or(text).map_or_else(|| number.clone(), double);
    }
    if let Some(list) = any.message("arrayValue") {
        return Value::Array(list.values("values").map(any_value).collect());
    }
    if let Some(list) = any.message("kvlistValue") {
        return key_values(pairs(list.values("values")));
    }
    any.get("bytesValue").cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_every_type_are_read() {
        let read = |value: Value| any_value(&value);
        assert_eq!(read(json!({"intValue": "-7"})), json!(-7));
        assert_eq!(read(json!({"intValue": 7})), json!(7));
        assert_eq!(read(json!({"doubleValue": 1})), json!(1.0));
        assert_eq!(read(json!({"doubleValue": "NaN"})), json!("NaN"));
        assert_eq!(read(json!({"array_value": {"values": [{"bool_value": true}]}})), json!([true]));
        let twice = json!({"kvlistValue": {"values": [{"key": "a"}, {"key": "a", "value": {"intValue": 1}}]}});
        assert_eq!(read(twice), json!([{"key": "a", "value": null}, {"key": "a", "value": 1}]));
        assert_eq!(read(json!({})), Value::Null);
    }

    #[test]
    fn ids_are_hex_in_either_case_or_base64() {
        let id = |text: &str| Message::of(&json!({ "spanId": text })).unwrap().id("spanId", 8);
        assert_eq!(id("00F067AA0BA902B7"), "00f067aa0ba902b7");
        assert_eq!(id("APBnqgupArc="), "00f067aa0ba902b7");
        assert_eq!(id("0000000000000000"), "");
    }
}
