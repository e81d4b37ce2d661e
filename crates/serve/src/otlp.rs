//! OpenTelemetry's own doors: OTLP over HTTP (protobuf and JSON) and over gRPC, for traces and
//! logs.
//!
//! OTLP 1.x, "OTLP/HTTP" and "OTLP/gRPC" (opentelemetry.io/docs/specs/otlp); gRPC over HTTP/2
//! (github.com/grpc/grpc, `doc/PROTOCOL-HTTP2.md`). Both calls are unary, and a unary message is
//! five bytes and a body: it goes through the same inflating with the same cap as every other body.

use crate::answer::Refusal;
use crate::app::App;
use crate::append::{seal, take_in};
use crate::body::{self, Coding, Received};
use crate::gate::Granted;
use crate::intake::{self, Intake};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use bytes::{BufMut as _, Bytes, BytesMut};
use capture::Format;
use event::Assurance;
use http_body_util::{BodyExt as _, Full};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use serde_json::json;

/// Bytes before a gRPC message: whether it is packed, and its length.
const PREFIX_BYTES: usize = 5;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Traces,
    Logs,
}

/// What was not taken.
struct Rejected {
    count: i64,
    message: String,
}

/// `POST /v1/traces`.
pub(crate) async fn traces(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    http(&app, &granted, Signal::Traces, &headers, body).await
}

/// `POST /v1/logs`.
pub(crate) async fn logs(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    http(&app, &granted, Signal::Logs, &headers, body).await
}

/// `opentelemetry.proto.collector.trace.v1.TraceService/Export`.
pub(crate) async fn grpc_traces(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    grpc(&app, &granted, Signal::Traces, &headers, body).await
}

/// `opentelemetry.proto.collector.logs.v1.LogsService/Export`.
pub(crate) async fn grpc_logs(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    grpc(&app, &granted, Signal::Logs, &headers, body).await
}

async fn http(
    app: &App,
    granted: &Granted,
    signal: Signal,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_json = match kind.to_ascii_lowercase().as_str() {
        "application/x-protobuf" => false,
        "application/json" => true,
        _ => {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "OTLP is application/x-protobuf or application/json",
            ));
        }
    };
    let received = body::receive(app.budget(), headers, body).await?;
    let format = if is_json { Format::OtlpJson } else { signal.format() };
    let rejected = export(app, granted, format, received).await?;
    let (bytes, kind) = match is_json {
        true => (signal.json(rejected), "application/json"),
        false => (signal.message(rejected), "application/x-protobuf"),
    };
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

async fn grpc(
    app: &App,
    granted: &Granted,
    signal: Signal,
    headers: &HeaderMap,
    body: Body,
) -> Response<Body> {
    let outcome = async {
        let received = unpack(app, headers, body).await?;
        export(app, granted, signal.format(), received).await
    };
    match outcome.await {
        Ok(rejected) => answer(&signal.message(rejected)),
        Err(problem) => refusal(&problem),
    }
}

/// The one message of a unary call.
async fn unpack(app: &App, headers: &HeaderMap, body: Body) -> Result<Received, Problem> {
    let framed = body::receive(app.budget(), &HeaderMap::new(), body).await?;
    let broken =
        || Problem::malformed("broken_body", "the gRPC message is not framed as it must be");
    let (prefix, message) = framed.split_at_checked(PREFIX_BYTES).ok_or_else(broken)?;
    let length = prefix.get(1..).and_then(<[u8]>::first_chunk).map(|it| u32::from_be_bytes(*it));
    if length.map(|length| length as usize) != Some(message.len()) {
        return Err(broken());
    }
    let packed = headers.get("grpc-encoding").map_or(&b""[..], |value| value.as_bytes());
    let coding = match (prefix.first(), packed) {
        (Some(0), _) => Coding::Identity,
        (Some(1), b"gzip") => Coding::Gzip,
        (Some(1), b"zstd") => Coding::Zstd,
        _ => {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_encoding",
                "messages may be packed by gzip or zstd (grpc-encoding)",
            ));
        }
    };
    let message = framed.part(PREFIX_BYTES);
    body::unpack(app.budget(), coding, message).await
}

/// Seals what was exported, durably.
async fn export(
    app: &App,
    granted: &Granted,
    format: Format,
    received: Received,
) -> Result<Rejected, Problem> {
    let log = granted.log()?;
    let writer = log.writer()?;
    let origin = granted.origin(Assurance::Observed);
    let take =
        move |writer: &seal::Log, bytes: &[u8]| intake::foreign(writer, format, bytes, &origin);
    let (Intake { lines, mut batch, .. }, way) = take_in(log, &writer, received, take).await?;
    granted.take_events(app, batch.len())?;
    let receipt = seal(log, &writer, &mut batch, way).await?;
    let mut rejected = Rejected { count: 0, message: String::new() };
    let mut reject = |reason: String| {
        rejected.count += 1;
        if rejected.message.is_empty() {
            rejected.message = reason;
        }
    };
    for (line, error) in lines {
        if let Some(error) = error {
            let Refusal { field, reason, .. } = (*error).into();
            reject(format!("record {line}: {field}: {reason}"));
        }
    }
    for outcome in receipt.iter().flat_map(|receipt| &receipt.outcomes) {
        if let seal::Outcome::Conflict { index } = outcome {
            reject(format!("another event was sealed under the same id at index {index}"));
        }
    }
    Ok(rejected)
}

impl Signal {
    fn format(self) -> Format {
        match self {
            Self::Traces => Format::OtlpTracesProtobuf,
            Self::Logs => Format::OtlpLogsProtobuf,
        }
    }

    fn message(self, rejected: Rejected) -> Vec<u8> {
        let Rejected { count, message: error_message } = rejected;
        let some = count > 0;
        match self {
            Self::Traces => {
                let rejected = ExportTracePartialSuccess { rejected_spans: count, error_message };
                ExportTraceServiceResponse { partial_success: some.then_some(rejected) }
                    .encode_to_vec()
            }
            Self::Logs => {
                let rejected =
                    ExportLogsPartialSuccess { rejected_log_records: count, error_message };
                ExportLogsServiceResponse { partial_success: some.then_some(rejected) }
                    .encode_to_vec()
            }
        }
    }

    fn json(self, rejected: Rejected) -> Vec<u8> {
        let Rejected { count, message } = rejected;
        if count == 0 {
            return b"{}".to_vec();
        }
        let name = match self {
            Self::Traces => "rejectedSpans",
            Self::Logs => "rejectedLogRecords",
        };
        // Protobuf's JSON writes 64-bit numbers as text.
        let partial = json!({ name: count.to_string(), "errorMessage": message });
        json!({ "partialSuccess": partial }).to_string().into_bytes()
    }
}

/// Whether a request expects gRPC's way of saying no.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes());
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// A problem as whoever asked reads it.
pub(crate) fn told(problem: Problem, grpc: bool) -> Response<Body> {
    match grpc {
        true => refusal(&problem),
        false => problem.into_response(),
    }
}

fn answer(message: &[u8]) -> Response<Body> {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    let trailers = async { Some(Ok(HeaderMap::from_iter([status("0")]))) };
    let body = Full::<Bytes>::new(framed.freeze()).with_trailers(trailers);
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, GRPC);
    response
}

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

fn status(code: &'static str) -> (header::HeaderName, HeaderValue) {
    (header::HeaderName::from_static("grpc-status"), HeaderValue::from_static(code))
}

/// A `google.rpc.Status` that says when to try again, as a header carries it
/// (github.com/googleapis/googleapis, `google/rpc/{status,error_details}.proto`).
fn retry_info(message: &str, seconds: u32) -> String {
    use prost::encoding::{bytes, int32, int64, string};
    let (mut delay, mut info, mut any, mut status) = (vec![], vec![], vec![], vec![]);
    int64::encode(1, &i64::from(seconds), &mut delay);
    bytes::encode(1, &delay, &mut info);
    string::encode(1, &"type.googleapis.com/google.rpc.RetryInfo".to_owned(), &mut any);
    bytes::encode(2, &info, &mut any);
    int32::encode(1, &8, &mut status);
    string::encode(2, &message.to_owned(), &mut status);
    bytes::encode(3, &any, &mut status);
    base64::prelude::BASE64_STANDARD_NO_PAD.encode(status)
}

/// A refusal in gRPC's terms, in the headers alone.
fn refusal(problem: &Problem) -> Response<Body> {
    let code = match problem.status.as_u16() {
        400 | 422 => "3",
        401 => "16",
        403 => "7",
        404 => "5",
        413 => "8",
        415 => "12",
        // Exhausted, which exporters try again only when they are told when.
        429 => "8",
        // Unavailable is what exporters try again after.
        408 | 503 | 507 => "14",
        _ => "13",
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, GRPC);
    headers.extend([status(code)]);
    if problem.status == StatusCode::TOO_MANY_REQUESTS
        && let Some(seconds) = problem.retry_after
        && let Ok(details) = HeaderValue::try_from(retry_info(&problem.detail, seconds))
    {
        headers.insert(header::HeaderName::from_static("grpc-status-details-bin"), details);
    }
    let text: String =
        problem.detail.chars().filter(|it| it.is_ascii_graphic() || *it == ' ').collect();
    // Percent signs are the escape character there.
    if let Ok(text) = HeaderValue::try_from(text.replace('%', "%25")) {
        headers.insert(header::HeaderName::from_static("grpc-message"), text);
    }
    response
}
