//! Spans on their way: some hundred at a time, as OTLP over HTTP (protobuf).

use super::{Span, Telemetry};
use axum::http::{Method, Version};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as SpanSent, Status, span, status,
};
use prost::Message as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Spans of one request.
const SPANS_MAX: usize = 512;
/// A span waits no longer for others.
const GATHER: Duration = Duration::from_secs(2);
/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Waits between attempts, in looks: a receiver that is started again is back by then.
const WAITS: [u32; 3] = [10, 30, 60];

/// Sends until it is told to stop, and then what waits.
pub(super) fn run(telemetry: &Telemetry, waiting: &Receiver<Span>, stop: &AtomicBool) {
    let mut spans = Vec::new();
    let mut since = Instant::now();
    loop {
        match waiting.recv_timeout(LOOK) {
            Ok(span) => {
                if spans.is_empty() {
                    since = Instant::now();
                }
                spans.push(span);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if stop.load(Ordering::Acquire) {
            break;
        }
        if spans.len() >= SPANS_MAX || (!spans.is_empty() && since.elapsed() >= GATHER) {
            let spans = std::mem::take(&mut spans);
            if !deliver(telemetry, &spans, stop) {
                lose(telemetry, &spans);
            }
        }
    }
    spans.extend(waiting.try_iter());
    let mut is_there = true;
    for spans in spans.chunks(SPANS_MAX) {
        // The end of a server waits for a receiver that is not there once.
        is_there = is_there && deliver(telemetry, spans, stop);
        if !is_there {
            lose(telemetry, spans);
        }
    }
}

/// Sends spans until they are taken or refused; whether they were.
fn deliver(telemetry: &Telemetry, spans: &[Span], stop: &AtomicBool) -> bool {
    let body = message(&telemetry.receiving.service, spans);
    let mut waits = WAITS.into_iter();
    loop {
        match attempt(telemetry, &body) {
            Outcome::Taken => {
                let sent = &telemetry.figures().sent;
                sent.fetch_add(spans.len() as u64, Ordering::Relaxed);
            }
            Outcome::Refused => lose(telemetry, spans),
            Outcome::Failed if wait(waits.next().unwrap_or(0), stop) => continue,
            Outcome::Failed => return false,
        }
        return true;
    }
}

fn lose(telemetry: &Telemetry, spans: &[Span]) {
    telemetry.figures().lost.fetch_add(spans.len() as u64, Ordering::Relaxed);
}

/// Waits for so many looks; whether to go on after that.
fn wait(looks: u32, stop: &AtomicBool) -> bool {
    for _ in 0..looks {
        if stop.load(Ordering::Acquire) {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    looks > 0
}

enum Outcome {
    Taken,
    /// Sending it again helps nobody.
    Refused,
    Failed,
}

fn attempt(telemetry: &Telemetry, body: &[u8]) -> Outcome {
    let mut request = telemetry
        .agent
        .post(&telemetry.receiving.url)
        .header("content-type", "application/x-protobuf")
        // A receiver that tells of its requests need not tell of this one; it may be this server.
        .header("traceparent", "00-00000000000000000000000000000001-0000000000000001-00");
    if let Some(authorization) = &telemetry.receiving.authorization {
        request = request.header("authorization", authorization.as_str());
    }
    match request.send(body) {
        Ok(answer) => match answer.status().as_u16() {
            200..=299 => Outcome::Taken,
            // OTLP 1.x, "Retryable Response Codes".
            429 | 502..=504 => Outcome::Failed,
            _ => Outcome::Refused,
        },
        Err(_) => Outcome::Failed,
    }
}

/// Spans as they are sent.
fn message(service: &str, spans: &[Span]) -> Vec<u8> {
    let attributes =
        vec![text("service.name", service), text("service.version", env!("CARGO_PKG_VERSION"))];
    let scope = InstrumentationScope { name: "tachograph".to_owned(), ..Default::default() };
    let spans = ScopeSpans {
        scope: Some(scope),
        spans: spans.iter().map(Span::sent).collect(),
        ..Default::default()
    };
    let spans = ResourceSpans {
        resource: Some(Resource { attributes, ..Default::default() }),
        scope_spans: vec![spans],
        ..Default::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![spans] }.encode_to_vec()
}

impl Span {
    /// As OpenTelemetry's conventions for servers of HTTP name it.
    fn sent(&self) -> SpanSent {
        let start_ns = self.start_ms.saturating_mul(1_000_000);
        let took_ns = u64::try_from(self.took.as_nanos()).unwrap_or(u64::MAX);
        let (method, status) = (method(&self.method), self.status.as_u16());
        let mut attributes = vec![
            text("http.request.method", method),
            number("http.response.status_code", status.into()),
            text("network.protocol.version", protocol(self.version)),
        ];
        attributes.extend(self.route.as_deref().map(|route| text("http.route", route)));
        let code =
            if status >= 500 { status::StatusCode::Error } else { status::StatusCode::Unset };
        let name = match &self.route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        };
        SpanSent {
            trace_id: self.trace_id.to_vec(),
            span_id: self.span_id.to_vec(),
            parent_span_id: self.parent_id.map(|id| id.to_vec()).unwrap_or_default(),
            name,
            kind: span::SpanKind::Server as i32,
            start_time_unix_nano: start_ns,
            end_time_unix_nano: start_ns.saturating_add(took_ns),
            attributes,
            status: Some(Status { code: code as i32, ..Default::default() }),
            ..Default::default()
        }
    }
}

/// A method that is none is a stranger's text.
fn method(method: &Method) -> &'static str {
    let known = [Method::GET, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS];
    let names = ["GET", "POST", "DELETE", "HEAD", "OPTIONS"];
    let known = known.iter().zip(names).find(|(known, _)| *known == method);
    known.map_or("_OTHER", |(_, name)| name)
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..Default::default() }
}
