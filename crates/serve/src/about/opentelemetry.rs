//! OpenTelemetry's doors.

use super::appending::ON_BEHALF_OF;
use super::documents::OtlpAnswer;
use super::{About, Group, Media, Parameter, Value};

const PROTOBUF: Media = Media::bytes("application/x-protobuf");
const GRPC: Media = Media::bytes("application/grpc");

fn http(name: &'static str, summary: &'static str) -> About {
    About::new(Group::OpenTelemetry, name, summary)
        .detail(
            "OTLP 1.x, plain or packed by gzip or zstd; at most 10,000 records and 32 MiB, inflated. Answered when \
             it is durable; what could not be taken is told as partial success.",
        )
        .reads([ON_BEHALF_OF])
        .takes([PROTOBUF, Media::json::<serde_json::Map<String, serde_json::Value>>()])
        .answers(200, "What was taken is durable.", [PROTOBUF, Media::json::<OtlpAnswer>()])
        .refuses_bodies()
        .refuses(400, &["not_json"])
        .refuses(415, &["unsupported_media_type"])
        .refuses(503, &["not_witnessed", "agent_keys_changed"])
}

fn grpc(name: &'static str, summary: &'static str) -> About {
    About::new(Group::OpenTelemetry, name, summary)
        .detail("One unary call over HTTP/2; messages may be packed by gzip or zstd (`grpc-encoding`).")
        .reads([
            Parameter::header("Grpc-Encoding", Value::Choice(&["identity", "gzip", "zstd"]), "How the message is packed."),
            ON_BEHALF_OF,
        ])
        .takes([GRPC])
        .answers_with(
            200,
            "Whatever became of it: gRPC says so in `grpc-status`, in the trailers or, for a refusal, in the headers.",
            [GRPC],
            &[("grpc-status", "The status of a refusal; otherwise it stands in the trailers.")],
        )
}

pub(crate) fn traces() -> About {
    http("exportTraces", "Takes spans")
}

pub(crate) fn logs() -> About {
    http("exportLogs", "Takes log records")
}

pub(crate) fn traces_of_log() -> About {
    http("exportTracesTo", "Takes spans into the log that the address names")
}

pub(crate) fn logs_of_log() -> About {
    http("exportLogsTo", "Takes log records into the log that the address names")
}

pub(crate) fn grpc_traces() -> About {
    grpc("grpcTraces", "Takes spans over gRPC")
}

pub(crate) fn grpc_logs() -> About {
    grpc("grpcLogs", "Takes log records over gRPC")
}
