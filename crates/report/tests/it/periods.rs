//! What a period is, and what a reader is told about the records that the numbers are of.

use crate::recordings::{log, row, rows};
use capture::Format;
use event::{Kind, Tier, Timestamp};
use query::figures::Period;
use report::document;
use report::reports::{Name, Report, Settings, Subject, make};
use segment::Row;
use serde_json::Value;

fn event(index: u64, time: &str, rest: &str) -> Row {
    let meta = format!(
        r#"{{"schema":"tachograph.event/1","event_type":"agent.tool_call","timestamp":"{time}"{rest}}}"#
    );
    let (tier, content) = match rest.contains("error_type") {
        true => (Tier::Critical, r#"{"error":"secret words"}"#),
        false => (Tier::Info, r#"{"result":"secret words"}"#),
    };
    row(index, Kind::Event, tier, meta.as_bytes(), content.as_bytes())
}

fn made(rows: Vec<Row>, name: Name, period: Period, shows_content: bool) -> (Report, Value) {
    let (columns, as_of) = log(rows);
    let subject = Subject {
        columns: &columns,
        as_of: &as_of,
        period,
        shows_content,
        shows_access_records: shows_content,
    };
    let report = make(name, &subject, &Settings::default()).unwrap();
    let value = serde_json::from_str(&report.json).unwrap();
    (report, value)
}

fn period(from: &str, to: &str) -> Period {
    Period { from: Timestamp::parse(from), to: Timestamp::parse(to) }
}

const FAILED: &str = r#","error_type":"TimeoutError""#;

#[test]
fn a_period_has_its_beginning_and_not_its_end() {
    let rows = vec![
        event(0, "2026-03-01T23:59:59.999999999Z", ""),
        event(1, "2026-03-02T00:00:00.000000000Z", ""),
        event(2, "2026-03-02T23:59:59.999999999Z", ""),
        event(3, "2026-03-03T00:00:00.000000000Z", ""),
    ];
    let day = period("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    let (_, value) = made(rows.clone(), Name::Summary, day, true);
    assert_eq!(value["total_events"], 2);
    assert_eq!(value["period"]["start"], "2026-03-02T00:00:00.000000000Z");
    assert_eq!(value["period"]["end"], "2026-03-02T23:59:59.999999999Z");
    let open = Period { from: day.from, to: None };
    assert_eq!(made(rows, Name::Summary, open, true).1["total_events"], 3);
}

#[test]
fn a_day_is_the_one_asked_for_or_that_of_the_last_event() {
    let rows = vec![
        event(0, "2026-03-01T10:00:00Z", ""),
        event(1, "2026-03-02T10:00:00Z", ""),
        event(2, "2026-03-02T11:00:00Z", ""),
    ];
    let (report, value) = made(rows.clone(), Name::Daily, Period::default(), true);
    assert_eq!((&value["date"], &value["total_events"]), (&"2026-03-02".into(), &2.into()));
    assert_eq!(report.document.title, "Agent Audit Summary — 2026-03-02");
    let from = Period { from: Timestamp::parse("2026-03-01T09:00:00Z"), to: None };
    let (_, value) = made(rows.clone(), Name::Daily, from, true);
    assert_eq!((&value["date"], &value["total_events"]), (&"2026-03-01".into(), &1.into()));
    let both = period("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z");
    let (_, value) = made(rows, Name::Daily, both, true);
    assert_eq!((&value["date"], &value["total_events"]), (&Value::Null, &3.into()));
}

#[test]
fn the_trend_is_against_the_period_before() {
    let rows = vec![
        event(0, "2026-02-28T10:00:00Z", FAILED),
        event(1, "2026-03-01T10:00:00Z", FAILED),
        event(2, "2026-03-01T11:00:00Z", ""),
        event(3, "2026-03-02T10:00:00Z", FAILED),
        event(4, "2026-03-02T11:00:00Z", FAILED),
    ];
    let day = period("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    let (_, value) = made(rows.clone(), Name::ErrorAnalysis, day, true);
    assert_eq!(value["total_errors"], 2);
    assert_eq!(value["trend"]["previous_errors"], 1);
    assert_eq!(value["trend"]["previous_events"], 2);
    assert_eq!(value["trend"]["previous_error_types"]["TimeoutError"], 1);
    let (_, value) = made(rows, Name::ErrorAnalysis, Period::default(), true);
    assert_eq!(value["trend"], Value::Null);
}

#[test]
fn whoever_may_not_see_content_sees_no_message() {
    let rows = vec![event(0, "2026-03-01T10:00:00Z", FAILED)];
    let (report, value) = made(rows.clone(), Name::ErrorAnalysis, Period::default(), true);
    assert_eq!(value["most_common_errors"]["secret words"], 1);
    assert!(document::markdown(&report.document).contains("secret words"));
    for name in Name::ALL {
        let (report, value) = made(rows.clone(), name, Period::default(), false);
        assert!(!report.json.contains("secret words"));
        assert!(!document::html(&report.document).contains("secret words"));
        assert_eq!(value["records"]["content_hidden"], true);
    }
}

#[test]
fn whoever_may_not_know_who_read_is_not_told_how_often() {
    let own = |index, name| {
        let meta = format!(r#"{{"schema":"tachograph.event/1","event_type":"{name}"}}"#);
        row(index, Kind::Log, Tier::Critical, meta.as_bytes(), b"")
    };
    let rows = vec![own(0, "log.created"), own(1, "log.access"), own(2, "log.denied")];
    let of_log = |shows| {
        let (_, value) = made(rows.clone(), Name::Summary, Period::default(), shows);
        value["records"]["of_the_log_itself"].clone()
    };
    assert_eq!((of_log(true), of_log(false)), (3.into(), 1.into()));
}

#[test]
fn what_is_gone_is_counted_and_said() {
    let mut rows = vec![
        event(0, "2026-03-01T10:00:00Z", FAILED),
        event(1, "2026-03-01T11:00:00Z", FAILED),
        event(2, "2026-03-01T12:00:00Z", ""),
    ];
    assert!(rows[1].erase_content());
    rows.remove(0);
    // The first record is in the tree and nowhere else.
    let (report, value) = made(rows, Name::Summary, Period::default(), true);
    assert_eq!(value["records"]["in_log"], 3);
    assert_eq!(value["records"]["expired_or_erased"], 1);
    assert_eq!(value["records"]["content_erased"], 1);
    assert_eq!(value["total_events"], 2);
    let text = document::markdown(&report.document);
    assert!(text.contains("3 in the log, of which 1 expired or erased"), "{text}");
    assert!(text.contains("the content of 1 event in the period erased"), "{text}");
}

#[test]
fn the_same_checkpoint_gives_the_same_bytes() {
    let sources = [(Format::Native, "incident/refund.ndjson")];
    for name in Name::ALL {
        let one = made(rows(&sources), name, Period::default(), true).0;
        let other = made(rows(&sources), name, Period::default(), true).0;
        assert_eq!(one, other);
        assert_eq!(document::html(&one.document), document::html(&other.document));
    }
}

#[test]
fn no_secret_of_a_recording_is_in_a_report() {
    let sources =
        [(Format::Native, "incident/refund.ndjson"), (Format::Ag2Audit, "ag2/hub/audit.jsonl")];
    for name in Name::ALL {
        let (report, _) = made(rows(&sources), name, Period::default(), true);
        for secret in ["maria.keller@example.com", "4111 1111 1111 1111", "sk-secret"] {
            assert!(!report.json.contains(secret), "{}", name.as_str());
        }
    }
}
