//! Events in.

use super::documents::{Events, NewEvent};
use super::{About, Group, Media, Parameter, Value};
use crate::answer::Answer;

const PARAMETERS: [Parameter; 6] = [
    Parameter::query(
        "ack",
        Value::Choice(&["durable", "published", "witnessed"]),
        "When to answer: when the events are synced to disk (the default), when a published checkpoint covers \
         them, or when witnesses have signed that one.",
    ),
    Parameter::query(
        "proof",
        Value::Flag,
        "Give each event that is in the log its tlog-proof, and wait for a published checkpoint; for at most 1,000 \
         events.",
    ),
    Parameter::query("atomic", Value::Flag, "Seal all of the events, or none."),
    Parameter::query(
        "imported",
        Value::Flag,
        "The events were read from another program's log, and are marked so (`assurance`).",
    ),
    Parameter::header(
        "Idempotency-Key",
        Value::Bytes(1, 255),
        "Gives events without an id one that follows from this key: the same request again adds nothing.",
    ),
    ON_BEHALF_OF,
];

/// Whoever appends may say for whom.
pub(crate) const ON_BEHALF_OF: Parameter = Parameter::header(
    "Tachograph-On-Behalf-Of",
    Value::Text,
    "The end user's token of a configured issuer; issuer and subject are recorded, the token is not.",
);

pub(crate) fn append() -> About {
    let answer = || [Media::json::<Answer<'static>>()];
    About::new(Group::Appending, "appendEvents", "Appends events")
        .detail(
            "One JSON object, an array, or one object a line, plain or packed once by gzip or zstd \
             (`Content-Encoding`): at most 10,000 events and 32 MiB, inflated. The answer has one result for each \
             event, in order.",
        )
        .reads(PARAMETERS)
        .takes([Media::json::<Events>(), Media::lines::<NewEvent>()])
        .answers(200, "Every event is in the log.", answer())
        .answers(207, "Some events are in the log; the results say which, and why the others are not.", answer())
        .answers(409, "No event is in the log; the first has an id under which another event was sealed.", answer())
        .answers(413, "No event is in the log; the first is too large.", answer())
        .answers(422, "No event is in the log; the results say why.", answer())
        .refuses_bodies()
        .refuses(400, &["bad_parameter", "bad_idempotency_key", "not_json"])
        .refuses(415, &["unsupported_media_type"])
        .refuses(422, &["no_witness"])
        .refuses(500, &["log_unreadable"])
        .refuses(503, &["not_witnessed", "agent_keys_changed"])
}
