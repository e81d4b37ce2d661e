//! A server, as a client of it sees it: reachable, trusted, let in, well, and of the same time.

use super::Check;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::remote::questions::Described;
use event::Timestamp;
use seal::{Clock as _, SystemClock};

/// Clocks may differ by this much before it is worth a word, in milliseconds: the server tells
/// whole seconds.
const SKEW_MS: u64 = 3_000;
/// Room below which something should be done, and below which events are about to be refused.
const ROOM_BYTES_LOW: u64 = 5 << 30;
const ROOM_BYTES_MIN: u64 = 256 << 20;

/// Every check of the server.
pub(super) fn checks(remote: &Remote) -> Vec<Check> {
    let before_ms = SystemClock.now_ms();
    let answer = match remote.get("/healthz") {
        Ok(answer) => answer,
        Err(trouble) => return vec![failed("server", remote.failure(&trouble))],
    };
    let after_ms = SystemClock.now_ms();
    let mut checks = vec![
        Check::ok("server", format!("{} answers", remote.address())),
        match (remote.way().is_tls(), remote.way().is_exposed()) {
            (true, _) => Check::ok("tls", "its certificate is trusted"),
            (false, false) => Check::ok("tls", "none, and nobody reads along on this machine"),
            (false, true) => Check::warn(
                "tls",
                "none: others can read along on the way there",
                "give the server a certificate ([tls] in its configuration) and use https",
            ),
        },
        clock(answer.header("date"), before_ms, after_ms),
    ];
    match remote.describe() {
        Ok(described) => checks.extend(of_log(remote, &described)),
        Err(failure) => checks.push(failed("token", failure)),
    }
    checks
}

fn of_log(remote: &Remote, described: &Described) -> Vec<Check> {
    let place = match remote.token_place() {
        Some(place) => format!("from {place}"),
        None => "no token".to_owned(),
    };
    let may = match described.may.as_slice() {
        [] => "an older server does not say what it allows".to_owned(),
        may => format!("allows {}", may.join(", ")),
    };
    let mut checks = vec![Check::ok("token", format!("{place}; {may}"))];
    let here = env!("CARGO_PKG_VERSION");
    checks.push(match described.version.as_deref() {
        Some(there) if there == here => Check::ok("same version", format!("{there} on both sides")),
        there => Check::warn(
            "same version",
            format!("{} there, {here} here", there.unwrap_or("an older one")),
            "use the same version on both sides when something is not known to one of them",
        ),
    });
    let log = format!("{} ({}), {} entries", remote.log(), described.origin, described.size);
    checks.push(match (described.status.as_str(), &described.reason) {
        ("up", _) => Check::ok("log", format!("{log}, takes events")),
        (_, reason) => {
            let reason = reason.as_deref().unwrap_or("it does not say why");
            Check::fail("log", format!("{log}, takes no events: {reason}"))
        }
    });
    if let Some(bytes) = described.disk_free_bytes {
        let detail = format!("{:.1} GiB free there", bytes as f64 / f64::from(1 << 30));
        checks.push(match bytes {
            ..ROOM_BYTES_MIN => {
                Check::fail("disk space", format!("{detail}: events are about to be refused"))
            }
            ROOM_BYTES_MIN..ROOM_BYTES_LOW => {
                Check::warn("disk space", detail, "make room before the log has to refuse events")
            }
            ROOM_BYTES_LOW.. => Check::ok("disk space", detail),
        });
    }
    checks
}

/// The server's clock beside ours, which was read before and after.
fn clock(date: Option<&str>, before_ms: u64, after_ms: u64) -> Check {
    let parsed = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let there_ms = parsed.and_then(|it| u64::try_from(it.timestamp().as_millisecond()).ok());
    let Some(there_ms) = there_ms else {
        return Check::warn("clock", "the server does not say its time", "compare it by hand");
    };
    let ahead = there_ms.saturating_sub(after_ms);
    // It is cut to whole seconds.
    let behind = before_ms.saturating_sub(there_ms + 1_000);
    let there = Timestamp::from_milliseconds(there_ms);
    match ahead.max(behind) {
        0..=SKEW_MS => Check::ok("clock", format!("{there} there, the same here")),
        apart => Check::warn(
            "clock",
            format!("{there} there, {} s apart from here", apart / 1_000),
            "check the time service on both sides: times of events and of the log will not fit",
        ),
    }
}

fn failed(name: &'static str, failure: Failure) -> Check {
    Check::fail(name, failure.to_string())
}
