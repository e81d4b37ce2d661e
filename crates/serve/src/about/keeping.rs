//! What is held, erased and let go.

use super::documents::Checkpoint;
use super::{About, Group, Media, Parameter, Value};
use crate::life_cycle_api::{Apply, NewErasure, NewHold, Release};
use schemars::JsonSchema;
use serde_json::{Map, Value as Json};

const HOLD: &str = "The hold's name.";

pub(crate) fn holds() -> About {
    reads("listHolds", "The legal holds in force")
        .answers(200, "As of the published checkpoint.", [Media::json::<Holds>()])
        .refuses(500, &["log_unreadable"])
}

pub(crate) fn hold() -> About {
    changes("addHold", "Puts records under a legal hold")
        .detail(
            "It keeps what is there and what comes later: no erasure and no expiry takes it. Who put it on and why is \
             recorded in the log first.",
        )
        .takes([Media::json::<NewHold>()])
        .answers(201, "They are held.", [Media::json::<Held>()])
        .refuses(422, &["empty_selection", "bad_reason"])
}

pub(crate) fn release() -> About {
    changes("releaseHold", "Releases a legal hold")
        .names(HOLD)
        .takes([Media::json::<Release>()])
        .answers(200, "It is released.", [Media::json::<Released>()])
        .refuses(404, &["unknown_hold"])
        .refuses(422, &["bad_reason"])
}

pub(crate) fn erasures() -> About {
    reads("listErasures", "What was erased, for whom and why, and what was refused")
        .reads([
            Parameter::query(
                "limit",
                Value::Number(1, 10_000),
                "Erasures in one page at most; 100 if nothing is said.",
            ),
            Parameter::query(
                "cursor",
                Value::Text,
                "Where the page begins: `next` of the one before.",
            ),
        ])
        .answers(200, "The newest first.", [Media::json::<Erasures>()])
        .refuses(400, &["bad_parameter", "unknown_parameter", "bad_cursor", "bad_question"])
        .refuses(500, &["log_unreadable"])
}

pub(crate) fn erase() -> About {
    changes("erase", "Erases the content of records, or whole records, for good")
        .detail(
            "It answers when they are gone from every file. Every proof stays valid. Under a hold, or before a \
             statutory minimum is over, it is refused, and the log says so.",
        )
        .takes([Media::json::<NewErasure>()])
        .answers(200, "They are gone.", [Media::json::<Erased>()])
        .refuses(404, &["nothing_matches"])
        .refuses(409, &["held", "kept_by_profile", "refused"])
        .refuses(422, &["empty_selection", "bad_reason"])
}

pub(crate) fn plan() -> About {
    reads("planRetention", "What would expire, and when")
        .detail("Of what lies in segments; what is in the journal is younger than a day.")
        .answers(200, "Tiers and days, the next to go first.", [Media::json::<Plan>()])
        .refuses(500, &["log_unreadable"])
}

pub(crate) fn apply() -> About {
    changes("applyRetention", "Lets go what is due")
        .detail(
            "By the days of the server's configuration. Nothing is written when nothing is due.",
        )
        .takes([Media::json::<Apply>()])
        .answers(200, "It is gone.", [Media::json::<Expired>()])
        .refuses(409, &["refused"])
}

fn reads(name: &'static str, summary: &'static str) -> About {
    About::new(Group::Keeping, name, summary)
}

fn changes(name: &'static str, summary: &'static str) -> About {
    reads(name, summary)
        .refuses_bodies()
        .refuses(400, &["not_json", "bad_parameter"])
        .refuses(500, &["log_unreadable"])
        .refuses(503, &["holds_changed", "not_finished"])
}

// What is answered; `retain` writes it.

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Holds {
    holds: Vec<Hold>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Hold {
    /// Its name.
    hold: String,
    /// RFC 3339.
    since: String,
    /// What it holds; times are `from_ms` and `to_ms`.
    select: Map<String, Json>,
    /// Why.
    reason: String,
    /// Who wanted it, as far as that is known.
    by: Option<String>,
    /// The index of the record that says so.
    record: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Held {
    /// The hold's name, which the log gave it.
    hold: String,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Released {
    /// The hold's name.
    released: String,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Erasures {
    checkpoint: Checkpoint,
    erasures: Vec<Erasure>,
    /// The next page's `cursor`; absent on the last page.
    next: Option<String>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Erasure {
    /// What was selected; times are `from_ms` and `to_ms`.
    select: Map<String, Json>,
    /// `content` or `record`.
    scope: String,
    reason: String,
    ground: Option<String>,
    /// How many records it concerned; absent when it was refused.
    records: Option<u64>,
    /// Why it was refused, if it was.
    refused: Option<String>,
    by: Option<String>,
    /// RFC 3339.
    at: String,
    /// The index of the record that says so.
    record: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Erased {
    /// How many records it concerned.
    records: u64,
    /// `content` or `record`.
    scope: String,
    /// The index of the record that authorised it.
    record: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Plan {
    /// When the plan was made, RFC 3339.
    clock: String,
    /// The record time of the newest record in segments, RFC 3339.
    newest_record: String,
    /// The profile, and the days of each tier.
    policy: Map<String, Json>,
    /// What there is of each tier and day, when it is due, and what of it goes or stays.
    classes: Vec<Map<String, Json>>,
    schedule: Schedule,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Expired {
    /// How many records went.
    records: u64,
    /// How many stayed because of a hold.
    held: u64,
    /// The index of the first record that authorised it.
    record: Option<u64>,
}

/// What the server lets go by itself.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Schedule {
    /// Whether a policy was configured.
    on: bool,
    /// How often it is looked whether something is due, in seconds.
    every_s: u64,
    /// What was done last: as of posting here, with `at`; or `failed`, with why.
    last: Option<Map<String, Json>>,
}
