//! OpenTelemetry: the one shape of spans and log records that protobuf, JSON and AG2's telemetry
//! file are decoded into, before [`spans`] and [`logs`] make events of it.
//!
//! OTLP 1.x (opentelemetry.io/docs/specs/otlp). What attributes mean is next door in `conventions`.

mod items;
pub(crate) mod json;
pub(crate) mod lineage;
pub(crate) mod logs;
pub(crate) mod protobuf;
pub(crate) mod source;
pub(crate) mod spans;
mod wire;

use crate::attributes::Attributes;
use serde_json::Value;
use std::collections::HashSet;

/// The event id of a span's event: `start` for the first (every span has it, so children can name
/// their parent by it), `end` for the result of a tool, `event:<n>` for what happened in between.
///
/// `trace_id` and `span_id` are lower-case hex.
#[must_use]
pub fn span_event_id(trace_id: &str, span_id: &str, phase: &str) -> String {
    event::id::derive("otel-span", &[trace_id.as_bytes(), span_id.as_bytes(), phase.as_bytes()])
}

/// One span; ids in lower-case hex, empty when absent; times in nanoseconds since 1970, 0 when
/// absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent_span_id: String,
    pub(crate) trace_state: String,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) attributes: Attributes,
    pub(crate) events: Vec<SpanEvent>,
    pub(crate) links: Vec<Link>,
    pub(crate) status: Status,
    pub(crate) status_message: String,
    /// What the exporter says it dropped: attributes, events, links.
    pub(crate) dropped: [u32; 3],
}

/// Something that happened at one moment of a span.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanEvent {
    pub(crate) time_ns: u64,
    pub(crate) name: String,
    pub(crate) attributes: Attributes,
}

/// Another span that led to this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) attributes: Attributes,
}

/// One log record.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogRecord {
    pub(crate) time_ns: u64,
    pub(crate) observed_ns: u64,
    pub(crate) severity: u8,
    pub(crate) severity_text: String,
    pub(crate) event_name: String,
    pub(crate) body: Value,
    pub(crate) attributes: Attributes,
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) dropped: u32,
}

/// Which side of a call a span stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SpanKind {
    #[default]
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl SpanKind {
    const ALL: [Self; 6] = [
        Self::Unspecified,
        Self::Internal,
        Self::Server,
        Self::Client,
        Self::Producer,
        Self::Consumer,
    ];

    pub(crate) fn from_number(number: i64) -> Self {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at)).copied().unwrap_or_default()
    }

    pub(crate) fn from_name(name: &str) -> Self {
        let name = name.rsplit(['.', '_']).next().unwrap_or(name);
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).unwrap_or_default()
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Internal => "INTERNAL",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Producer => "PRODUCER",
            Self::Consumer => "CONSUMER",
        }
    }
}

/// How a span ended, by its own word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Status {
    #[default]
    Unset,
    Ok,
    Error,
}

impl Status {
    pub(crate) fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }

    pub(crate) fn from_name(name: &str) -> Self {
        match name.rsplit(['.', '_']).next().unwrap_or(name) {
            "OK" => Self::Ok,
            "ERROR" => Self::Error,
            _ => Self::Unset,
        }
    }
}

/// An id as OTLP gives it; all zeros means none.
pub(crate) fn id_or_none(hex: String) -> String {
    if hex.bytes().all(|digit| digit == b'0') { String::new() } else { hex }
}

/// An OTLP `double`, which may be what JSON has no number for.
pub(crate) fn double(number: f64) -> Value {
    serde_json::Number::from_f64(number)
        .map_or_else(|| Value::from(not_finite(number)), Value::Number)
}

fn not_finite(number: f64) -> &'static str {
    match number {
        n if n.is_nan() => "NaN",
        n if n > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// An OTLP `kvlist`: an object, or a list of pairs when a key stands there twice, so that neither
/// is lost.
pub(crate) fn key_values(pairs: Vec<(String, Value)>) -> Value {
    let distinct: HashSet<&str> = pairs.iter().map(|(key, _)| &**key).collect();
    if distinct.len() == pairs.len() {
        return Value::Object(pairs.into_iter().collect());
    }
    let pair = |(key, value)| serde_json::json!({ "key": key, "value": value });
    Value::Array(pairs.into_iter().map(pair).collect())
}
