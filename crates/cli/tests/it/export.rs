//! Exports: the same records in every format, recorded in the log before anybody has them.

use crate::program::{Home, json_lines};
use crate::read::{REFUND, recorded};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

/// The records of exports that the log has.
fn exports(home: &Home) -> Vec<Value> {
    let rows = ["events", "--type", "log.export", "--oldest-first", "--format", "ndjson"];
    json_lines(&home.fine(&rows))
}

fn read(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.path(name)).unwrap()
}

fn names(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.path("")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn ndjson_has_the_rows_of_events() {
    let home = recorded();
    let rows = home.fine(&["events", "--limit", "0", "--oldest-first", "--format", "ndjson"]);
    home.fine(&["export", "--output", "all.ndjson"]);
    assert_eq!(read(&home, "all.ndjson"), rows);
    let mode = std::fs::metadata(home.path("all.ndjson")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = home.fine(&["export", "--trace", REFUND]);
    let rows = home.fine(&["events", "--trace", REFUND, "--oldest-first", "--format", "ndjson"]);
    assert_eq!(again, rows);
    home.fine(&["verify"]);
}

#[test]
fn an_export_is_recorded_with_who_and_what() {
    let home = recorded();
    let meta = ["export", "--format", "csv", "--metadata-only", "--agent", "Billing"];
    home.fine(&[&meta[..], &["--from", "2020-01-01", "-o", "b.csv"]].concat());
    let [row] = exports(&home).try_into().unwrap();
    let params = &row["content"]["params"];
    assert_eq!(params["format"], "csv");
    assert_eq!(params["metadata_only"], true);
    assert_eq!(params["filter"]["agents"], serde_json::json!(["Billing"]));
    assert_eq!(params["filter"]["from"], "2020-01-01T00:00:00.000000000Z");
    assert_eq!(params["records"], read(&home, "b.csv").lines().count() as u64 - 1);
    assert_eq!(params["bytes"], read(&home, "b.csv").len() as u64);
    assert_eq!(params["to"], "file");
    let subject = row["principal"]["subject"].as_str().unwrap();
    assert!(subject.starts_with("uid:"), "{row}");
    assert_eq!(row["tier"], "critical");
    let before = row["index"].as_u64().unwrap() - 1;
    let started = home.fine(&["events", "--type", "log.started", "--format", "ndjson"]);
    assert!(json_lines(&started).iter().any(|it| it["index"] == before), "{started}");
}

#[test]
fn csv_has_a_column_for_each_field_and_begins_no_formula() {
    let home = Home::new();
    let event = r#"{"event_id":"e-1","event_type":"agent.tool_call","agent_name":"=cmd|' /C calc'!A0",
        "tool":"a,\"b\"\n;@x","token_count":7,"confidence":0.5,"params":{"q":"x;=1"}}"#;
    home.feed(&["append"], event.replace("\n        ", "").as_bytes());
    home.fine(&["export", "--format", "csv", "--type", "tool_call", "-o", "t.csv"]);
    let text = read(&home, "t.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    let of = |name: &str| &row[heads.iter().position(|head| head == name).unwrap()];
    assert_eq!(of("agent_name"), "'=cmd|' /C calc'!A0");
    assert_eq!(of("tool"), "a,\"b\"\\n;'@x");
    assert_eq!((of("tokens_total"), of("confidence"), of("agent_id")), ("7", "0.5", ""));
    let content: Value = serde_json::from_str(of("content")).unwrap();
    assert_eq!(content["params"]["q"], "x;=1");
    assert!(!of("content").contains(";="));
    let meta = home.fine(&["export", "--format", "csv", "--metadata-only", "--type", "tool_call"]);
    assert!(!meta.contains("content") && !meta.contains("params"), "{meta}");
}

#[test]
fn parquet_is_a_parquet_file_and_the_same_every_time() {
    let home = recorded();
    let export = |name| {
        home.fine(&["export", "--format", "parquet", "--agent", "Billing", "-o", name]);
        std::fs::read(home.path(name)).unwrap()
    };
    let (one, other) = (export("1.parquet"), export("2.parquet"));
    assert_eq!(&one[..4], b"PAR1");
    assert_eq!(&one[one.len() - 4..], b"PAR1");
    // The second names a later checkpoint in its footer: of a few bytes more or less.
    assert!(one.len().abs_diff(other.len()) < 8, "{} {}", one.len(), other.len());
}

#[test]
fn lines_for_siems_name_the_leaves_that_the_log_has() {
    let home = recorded();
    let rows = json_lines(&home.fine(&["events", "--trace", REFUND, "--format", "ndjson"]));
    let ocsf = json_lines(&home.fine(&["export", "--format", "ocsf", "--trace", REFUND]));
    assert_eq!(ocsf.len(), rows.len());
    for line in &ocsf {
        let index = line["metadata"]["sequence"].to_string();
        let evidence = home.fine(&["prove", &index, "--evidence"]);
        let evidence: Value = serde_json::from_str(&evidence).unwrap();
        // Evidence has the entry; its leaf is the hash that the tree is made of.
        let entry = hex::decode(evidence["entry"].as_str().unwrap()).unwrap();
        let leaf = hex::encode(merkle::leaf_hash(&entry).0);
        assert_eq!(line["unmapped"]["leaf_hash"], leaf, "{evidence}");
    }
    let cef = home.fine(&["export", "--format", "cef", "--trace", REFUND]);
    assert_eq!(cef.lines().count(), rows.len());
    assert!(cef.lines().all(|line| line.starts_with("CEF:0|Tachograph|tacho|")), "{cef}");
    let ecs = json_lines(&home.fine(&["export", "--format", "ecs", "--trace", REFUND]));
    let late: Vec<&Value> = ecs.iter().filter(|it| it["error"]["type"] == "TimeoutError").collect();
    assert_eq!(late.len(), 2);
    assert_eq!(exports(&home).len(), 3);
}

#[test]
fn what_the_log_cannot_record_is_refused_and_leaves_nothing() {
    let home = recorded();
    std::fs::write(home.path("old.ndjson"), "before").unwrap();
    let before = names(&home);
    let locked = crate::answers::open(&home);
    for output in [&["-o", "old.ndjson"][..], &[]] {
        let ran = home.run(&[&["export"], output].concat());
        assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("another process is writing") && ran.err.contains("--unrecorded"));
        assert_eq!(ran.out, "");
    }
    assert_eq!(read(&home, "old.ndjson"), "before");
    assert_eq!(names(&home), before);
    let ran = home.run(&["export", "-o", "old.ndjson", "--unrecorded"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("the log has no record of this"), "{}", ran.err);
    assert!(read(&home, "old.ndjson").lines().count() > 10);
    drop(locked);
    assert!(exports(&home).is_empty());
    // Recorded although nobody asks for it: the option permits, it does not hide.
    home.fine(&["export", "-o", "new.ndjson", "--unrecorded"]);
    assert_eq!(exports(&home).len(), 1);
}
