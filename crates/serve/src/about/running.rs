//! The server itself, and its logs.

use super::documents::Problem;
use super::{About, Group, Media, Parameter, Value};
use crate::console::session::Session;
use crate::console::sign_in::SignInIssuers;
use crate::logs_api::{LogHealth, LogList, NewLog};

const TEXT: Media = Media::text("text/plain; charset=utf-8");

pub(crate) fn healthz() -> About {
    About::new(Group::Running, "health", "Says that the process answers").answers(
        200,
        "It does.",
        [TEXT],
    )
}

pub(crate) fn readyz() -> About {
    About::new(Group::Running, "readiness", "Says whether every log takes events")
        .answers(200, "Every log takes events.", [TEXT])
        .refuses(503, &["not_ready"])
}

pub(crate) fn metrics() -> About {
    About::new(Group::Running, "metrics", "Figures about the server, for Prometheus").answers(
        200,
        "Prometheus' text format.",
        [Media::text("text/plain; version=0.0.4; charset=utf-8")],
    )
}

pub(crate) fn description() -> About {
    About::new(Group::Running, "description", "This description")
        .detail("Made from the table that requests are routed by, so it names every address and nothing else.")
        .answers(200, "OpenAPI 3.1.", [Media::json::<serde_json::Map<String, serde_json::Value>>()])
}

pub(crate) fn docs() -> About {
    About::new(Group::Running, "docs", "This description, for people").answers(
        200,
        "One page without scripts, and without anything from elsewhere.",
        [Media::text("text/html; charset=utf-8")],
    )
}

pub(crate) fn console() -> About {
    About::new(Group::Console, "console", "The console")
        .detail("A page for people. Every address that belongs to nothing else answers with it, too, when a browser goes there.")
        .answers(200, "The page.", [Media::text("text/html; charset=utf-8")])
        .answers(304, "The caller has it.", [])
}

pub(crate) fn asset() -> About {
    About::new(Group::Console, "asset", "A file of the console")
        .names("A file; its name changes with its bytes, so it may be kept for ever.")
        .answers(
            200,
            "The file.",
            [
                Media::text("text/javascript; charset=utf-8"),
                Media::text("text/css; charset=utf-8"),
                Media::text("image/svg+xml"),
                Media::bytes("application/wasm"),
                Media::bytes("application/gzip"),
            ],
        )
        .answers(304, "The caller has it.", [])
        .refuses(404, &["not_found"])
}

pub(crate) fn sign_in() -> About {
    About::new(Group::Console, "signIn", "Signs in to the console")
        .detail("Sets a cookie that stands for the token for twelve hours, or until the token ends, one signs out, or the server stops. It counts only with `Sec-Fetch-Site: same-origin` or `X-Tacho-Console: 1`, which no other site can send.")
        .answers_with(204, "Signed in.", [], &[("Set-Cookie", "The session.")])
        .refuses(400, &["no_token"])
}

pub(crate) fn session() -> About {
    About::new(Group::Console, "session", "Who the caller is").answers(
        200,
        "Of the session, or of the credential that came along.",
        [Media::json::<Session>()],
    )
}

pub(crate) fn sign_out() -> About {
    About::new(Group::Console, "signOut", "Signs out of the console").answers_with(
        204,
        "The session has ended.",
        [],
        &[("Set-Cookie", "An empty one.")],
    )
}

pub(crate) fn sign_in_issuers() -> About {
    About::new(Group::Console, "signInIssuers", "The issuers with which people sign in").answers(
        200,
        "In the order of the configuration.",
        [Media::json::<SignInIssuers>()],
    )
}

/// Where a browser is sent.
const LEADS: &[(&str, &str)] = &[
    ("Location", "Where the browser goes on."),
    ("Set-Cookie", "What ties the two ways together."),
];

pub(crate) fn sign_in_begins() -> About {
    let to = "Where on this server the person wants to be, as a path; `/` if nothing is said.";
    About::new(Group::Console, "signInBegins", "Sends a browser to an issuer, so that a person signs in")
        .detail("The authorization code flow of OpenID Connect with PKCE. Of an issuer that cannot be reached a browser is sent to `/?sign_in=unavailable`.")
        .names("The number of an issuer, as `/sign-in` lists it.")
        .reads([Parameter::query("to", Value::Text, to)])
        .answers_with(303, "To the issuer, or to the console, which says why not.", [], LEADS)
        .refuses(400, &["bad_parameter", "unknown_parameter"])
        .refuses(404, &["not_found"])
}

pub(crate) fn sign_in_returns() -> About {
    About::new(Group::Console, "signInReturns", "Takes a browser back from an issuer")
        .detail("Sets the cookie of a session that lasts as long as the issuer's token, twelve hours at most. Where that fails, the browser is sent to `/?sign_in=` and `unknown`, `denied`, `failed`, `unavailable`, `refused` or `busy`; refused tokens are recorded as refused logins.")
        .reads([
            Parameter::query("code", Value::Text, "What becomes the token."),
            Parameter::query("state", Value::Text, "What the browser was sent with."),
            Parameter::query("error", Value::Text, "Why there is no code."),
            Parameter::query("iss", Value::Text, "Whose answer it is (RFC 9207)."),
        ])
        .answers_with(303, "To where the person wanted to be, or to the console, which says why not.", [], LEADS)
}

pub(crate) fn list() -> About {
    About::new(Group::Logs, "listLogs", "The logs in which the caller may do anything").answers(
        200,
        "By name.",
        [Media::json::<LogList>()],
    )
}

pub(crate) fn create() -> About {
    About::new(Group::Logs, "createLog", "Makes a log")
        .detail("That it was made is its first record but one.")
        .takes([Media::json::<NewLog>()])
        .answers(201, "It takes events.", [Media::json::<LogHealth>()])
        .refuses_bodies()
        .refuses(400, &["not_json"])
        .refuses(409, &["log_exists"])
        .refuses(422, &["bad_name"])
        .refuses(500, &["not_created"])
        .refuses(503, &["too_many_logs"])
}

pub(crate) fn health_of_log() -> About {
    About::new(Group::Logs, "getLog", "A log's origin, keys, size, and whether it takes events")
        .answers(200, "As of now.", [Media::json::<LogHealth>()])
}

/// The document of every problem, whoever has it.
pub(crate) fn problem() -> Media {
    Media { kind: "application/problem+json", ..Media::json::<Problem>() }
}
