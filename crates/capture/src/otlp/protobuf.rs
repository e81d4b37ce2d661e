//! OTLP in protobuf, decoded record by record into the shape of the parent module.

use super::items::{self, Kind};
use super::lineage::Lineage;
use super::source::{Scope, Source};
use super::wire::Fields;
use super::{
    Link, LogRecord, Span, SpanEvent, SpanKind, Status, double, id_or_none, key_values, logs, spans,
};
use crate::CaptureError;
use crate::attributes::Attributes;
use crate::sink::Sink;
use base64::Engine as _;
use event::{Code, EventError, limits};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord as ProtoLogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span as ProtoSpan;
use prost::Message;
use serde_json::Value;

/// One record in bytes: a span may make two events (call and result).
const RECORD_BYTES_MAX: usize = 2 * limits::EVENT_BYTES_MAX;

/// Attributes, events, links and values in lists of one record, together: a vector of a large model
/// has some 4,000 numbers. Decoded, each takes up to two hundred bytes, and two on the wire.
const RECORD_ITEMS_MAX: usize = 16_384;

/// Bytes of one resource or scope description.
const SOURCE_BYTES_MAX: usize = 1 << 18;

/// The first two tags of `ResourceSpans`, `ResourceLogs`, `ScopeSpans` and `ScopeLogs` mean the
/// same.
const DESCRIPTION: u32 = 1;
const CHILDREN: u32 = 2;
/// The tag of the groups in a request.
const GROUPS: u32 = 1;

/// Reads an `ExportTraceServiceRequest`: once for who belongs to whom, once for the events, so that
/// the decoded spans need not all stand in memory.
pub(crate) fn capture_traces(bytes: &[u8], sink: &mut Sink<'_, '_>) -> Result<(), CaptureError> {
    let mut lineage = Lineage::default();
    // A break is reported by the second walk, after the events of what stands before it.
    let _ = walk(bytes, &mut |record, _| {
        if check(record, Kind::Span).is_ok()
            && let Ok(record) = ProtoSpan::decode(record)
        {
            lineage.add(span(record));
        }
    });
    walk(bytes, &mut |record, source| {
        if let Some(record) = decoded::<ProtoSpan>("span", Kind::Span, record, sink) {
            spans::map(span(record), source, &lineage, sink);
        }
    })
}

/// Reads an `ExportLogsServiceRequest`.
pub(crate) fn capture_logs(bytes: &[u8], sink: &mut Sink<'_, '_>) -> Result<(), CaptureError> {
    walk(bytes, &mut |record, source| {
        if let Some(record) = decoded::<ProtoLogRecord>("log record", Kind::Log, record, sink) {
            logs::map(log_record(record), source, sink);
        }
    })
}

/// One record, or its refusal.
fn decoded<M: Message + Default>(
    what: &str,
    kind: Kind,
    record: &[u8],
    sink: &mut Sink<'_, '_>,
) -> Option<M> {
    sink.begin_next();
    if let Err(error) = check(record, kind) {
        sink.refuse(error);
        return None;
    }
    M::decode(record).map_err(|error| sink.refuse(undecodable(what, &error))).ok()
}

/// Hands the bytes of every record to `each`, with who sent them.
fn walk(bytes: &[u8], each: &mut dyn FnMut(&[u8], &Source)) -> Result<(), CaptureError> {
    for group in Fields::new(bytes) {
        let (tag, group) = group?;
        if tag != GROUPS {
            continue;
        }
        let resource = description::<Resource>(group)?.unwrap_or_default();
        for scopes in Fields::new(group) {
            let (tag, scopes) = scopes?;
            if tag != CHILDREN {
                continue;
            }
            let scope = description::<InstrumentationScope>(scopes)?.unwrap_or_default();
            let source = Source::new(attributes(resource.attributes.clone()), scope_of(scope));
            for record in Fields::new(scopes) {
                let (tag, record) = record?;
                if tag == CHILDREN {
                    each(record, &source);
                }
            }
        }
    }
    Ok(())
}

/// The resource or scope that stands at the head of a group, wherever it stands there.
fn description<M: Message + Default>(group: &[u8]) -> Result<Option<M>, CaptureError> {
    for field in Fields::new(group) {
        let (tag, field) = field?;
        if tag == DESCRIPTION {
            let broken = |reason| CaptureError::BrokenProtobuf { position: 0, reason };
            if field.len() > SOURCE_BYTES_MAX {
                return Err(broken("a resource or scope of more than 256 KiB"));
            }
            return M::decode(field).map(Some).map_err(|_| broken("not a resource or scope"));
        }
    }
    Ok(None)
}

fn undecodable(what: &str, error: &prost::DecodeError) -> EventError {
    EventError::new(Code::BadValue, "", format!("not a protobuf {what}: {error}; send it again"))
}

/// Whether a record may be decoded.
fn check(record: &[u8], kind: Kind) -> Result<(), EventError> {
    let bytes = record.len();
    let reason = if bytes > RECORD_BYTES_MAX {
        format!(
            "{bytes} bytes, at most {RECORD_BYTES_MAX} are allowed; have the exporter cut large attributes"
        )
    } else if items::are_more_than(RECORD_ITEMS_MAX, record, kind) {
        format!(
            "more than {RECORD_ITEMS_MAX} attributes, events, links and values; have the exporter limit them"
        )
    } else {
        return Ok(());
    };
    Err(EventError::new(Code::TooLarge, "", reason))
}

fn scope_of(scope: InstrumentationScope) -> Scope {
    Scope { name: scope.name, version: scope.version, attributes: attributes(scope.attributes) }
}

fn id(bytes: &[u8]) -> String {
    id_or_none(hex::encode(bytes))
}

fn span(span: ProtoSpan) -> Span {
    let status = span.status.unwrap_or_default();
    Span {
        trace_id: id(&span.trace_id),
        span_id: id(&span.span_id),
        parent_span_id: id(&span.parent_span_id),
        trace_state: span.trace_state,
        name: span.name,
        kind: SpanKind::from_number(span.kind.into()),
        start_ns: span.start_time_unix_nano,
        end_ns: span.end_time_unix_nano,
        attributes: Attributes::new(attributes(span.attributes)),
        events: span
            .events
            .into_iter()
            .map(|event| SpanEvent {
                time_ns: event.time_unix_nano,
                name: event.name,
                attributes: Attributes::new(attributes(event.attributes)),
            })
            .collect(),
        links: span
            .links
            .into_iter()
            .map(|link| Link {
                trace_id: id(&link.trace_id),
                span_id: id(&link.span_id),
                attributes: Attributes::new(attributes(link.attributes)),
            })
            .collect(),
        status: Status::from_number(status.code.into()),
        status_message: status.message,
        dropped: [
            span.dropped_attributes_count,
            span.dropped_events_count,
            span.dropped_links_count,
        ],
    }
}

fn log_record(record: ProtoLogRecord) -> LogRecord {
    LogRecord {
        time_ns: record.time_unix_nano,
        observed_ns: record.observed_time_unix_nano,
        severity: u8::try_from(record.severity_number).unwrap_or_default(),
        severity_text: record.severity_text,
        event_name: record.event_name,
        body: record.body.map(value).unwrap_or_default(),
        attributes: Attributes::new(attributes(record.attributes)),
        trace_id: id(&record.trace_id),
        span_id: id(&record.span_id),
        dropped: record.dropped_attributes_count,
    }
}

fn attributes(list: Vec<KeyValue>) -> Vec<(String, Value)> {
    list.into_iter().map(|pair| (pair.key, pair.value.map(value).unwrap_or_default())).collect()
}

/// prost stops at 100 nested messages, and every level here is two or three of them.
fn value(any: AnyValue) -> Value {
    match any.value {
        None => Value::Null,
        Some(Any::StringValue(text)) => Value::String(text),
        Some(Any::BoolValue(truth)) => Value::Bool(truth),
        Some(Any::IntValue(number)) => Value::from(number),
        Some(Any::DoubleValue(number)) => double(number),
        Some(Any::ArrayValue(list)) => Value::Array(list.values.into_iter().map(value).collect()),
        Some(Any::KvlistValue(list)) => key_values(attributes(list.values)),
        Some(Any::BytesValue(bytes)) => {
            Value::String(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        Some(other) => Value::String(format!("{other:?}")),
    }
}
