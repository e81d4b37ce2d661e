//! OpenTelemetry's doors.

use super::*;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

const GRPC: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

pub(crate) fn export(spans: u8) -> Vec<u8> {
    let span = |number: u8| Span {
        trace_id: vec![9; 16],
        span_id: vec![number + 1; 8],
        name: "call lookup".to_owned(),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_001_000_000_000,
        attributes: vec![KeyValue {
            key: "gen_ai.tool.name".to_owned(),
            value: Some(AnyValue {
                value: Some(any_value::Value::StringValue("lookup".to_owned())),
            }),
            ..Default::default()
        }],
        ..Default::default()
    };
    let scope_spans =
        vec![ScopeSpans { spans: (0..spans).map(span).collect(), ..Default::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }],
    }
    .encode_to_vec()
}

pub(crate) fn framed(message: &[u8], packed: bool) -> Vec<u8> {
    let mut bytes = vec![u8::from(packed)];
    bytes.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(message);
    bytes
}

pub(crate) async fn grpc(rig: &Rig, token: &str, body: Vec<u8>, coding: &str) -> Answer {
    let builder = request("POST", GRPC, token)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header("grpc-encoding", coding)
        .header("te", "trailers");
    rig.send(builder.body(Body::from(body)).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_come_in_by_protobuf_and_by_grpc_and_are_the_same_events() {
    let rig = Rig::new();
    let token = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    let builder = request("POST", "/v1/traces", &token)
        .header(header::CONTENT_TYPE, "application/x-protobuf");
    let answer = rig.send(builder.body(Body::from(export(3))).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let response = ExportTraceServiceResponse::decode(&*answer.bytes).unwrap();
    assert!(response.partial_success.is_none());
    let before = rig.types("main").await.len();
    // The same spans by the other door: found to be there already.
    let packed = zstd::encode_all(&*export(3), 1).unwrap();
    for (body, coding) in [(framed(&export(3), false), "identity"), (framed(&packed, true), "zstd")]
    {
        let answer = grpc(&rig, &token, body, coding).await;
        assert_eq!(answer.headers["grpc-status"], "0", "{answer:?}");
        assert_eq!(answer.bytes, [0, 0, 0, 0, 0]);
    }
    let types = rig.types("main").await;
    let events = |types: &[String]| types.iter().filter(|it| !it.starts_with("log.")).count();
    assert_eq!(types.len() - before, 1, "only the look of before");
    assert!(events(&types) >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_is_told_in_its_own_terms_what_is_wrong() {
    let rig = Rig::new();
    let producer = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    let reader = rig.token(Role::READER, LogNames::All);
    let zeros = vec![0; serve::body::BODY_BYTES_MAX + 1];
    let bomb = zstd::encode_all(&*zeros, 1).unwrap();
    for (token, body, coding, status) in [
        ("", framed(&export(1), false), "identity", "16"),
        (&*reader, framed(&export(1), false), "identity", "7"),
        (&*producer, framed(&bomb, true), "zstd", "8"),
        (&*producer, framed(&export(1), true), "snappy", "12"),
        (&*producer, framed(&export(1), true), "gzip", "3"),
        (&*producer, vec![0, 0, 0], "identity", "3"),
        (&*producer, framed(&[0xff; 40], false), "identity", "3"),
    ] {
        let answer = grpc(&rig, token, body, coding).await;
        assert_eq!(answer.headers["grpc-status"], status, "{answer:?}");
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_is_named_by_the_address_or_by_a_header() {
    let rig = Rig::new();
    let token = rig.token(Role::PRODUCER, LogNames::All);
    let send = async |path: &str, log: Option<&str>| {
        let mut builder =
            request("POST", path, &token).header(header::CONTENT_TYPE, "application/x-protobuf");
        if let Some(log) = log {
            builder = builder.header("tachograph-log", log);
        }
        rig.send(builder.body(Body::from(export(1))).unwrap()).await.status
    };
    assert_eq!(send("/api/v1/logs/other/otlp/v1/traces", None).await, StatusCode::OK);
    let events = |types: Vec<String>| types.iter().filter(|it| !it.starts_with("log.")).count();
    assert_eq!((events(rig.types("main").await), events(rig.types("other").await) > 0), (0, true));
    assert_eq!(send("/v1/traces", Some("none")).await, StatusCode::NOT_FOUND);
    assert_eq!(send("/v1/traces", Some("main")).await, StatusCode::OK);
}
