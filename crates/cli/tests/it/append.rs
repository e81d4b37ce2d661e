//! `tacho append`: one answer a line, in order, whatever the lines are.

use crate::program::{Home, events, json_lines, testdata};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn events_are_sealed_and_a_second_time_only_found_again() {
    let home = Home::new();
    home.fine(&["init"]);
    let file = home.write("events.ndjson", events(0..2500));
    let first = home.run(&["append", file.to_str().unwrap()]);
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.err.contains("Sealed 2500 events"), "{}", first.err);
    let answers = json_lines(&first.out);
    assert_eq!(answers.len(), 2500);
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer["line"], number + 1);
        assert_eq!(answer["event_id"], format!("e-{number}"));
        assert_eq!(answer["index"], number + 2, "after log.created and log.started");
        assert_eq!(answer["duplicate"], false);
        assert_eq!(answer["leaf_hash"].as_str().unwrap().len(), 64);
    }
    let second = home.run(&["append", file.to_str().unwrap()]);
    assert_eq!(second.code, 0);
    for (again, answer) in json_lines(&second.out).iter().zip(&answers) {
        assert_eq!(again["duplicate"], true);
        assert_eq!(again["index"], answer["index"]);
        assert_eq!(again["leaf_hash"], answer["leaf_hash"]);
    }
    assert!(second.err.contains("2500 were there already"), "{}", second.err);
    home.fine(&["verify"]);
}

#[test]
fn a_missing_log_is_created_by_the_first_append() {
    let home = Home::new();
    let ran = home.feed(&["append"], events(0..1).as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("Created the log main"), "{}", ran.err);
    assert!(ran.err.contains("back it up"), "{}", ran.err);
    assert!(home.path("config/tachograph/kek").exists());
    home.fine(&["verify"]);
}

#[test]
fn bad_lines_are_refused_each_with_its_reason_and_the_good_ones_are_kept() {
    let home = Home::new();
    let mut input = std::fs::read(testdata("bad/one-of-each-small.ndjson")).unwrap();
    let good_lines = input.iter().filter(|byte| **byte == b'\n').count();
    let long = "x".repeat(3 << 20);
    input
        .extend(format!("{{\"event_type\":\"a.b\",\"params\":{{\"x\":\"{long}\"}}}}\n").as_bytes());
    input.extend(events(900..901).as_bytes());
    let ran = home.feed(&["append", "-"], &input);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let answers = json_lines(&ran.out);
    let expected = std::fs::read(testdata("bad/one-of-each-small.expected.json")).unwrap();
    let expected: Vec<serde_json::Value> = serde_json::from_slice(&expected).unwrap();
    let mut refused = 0;
    for answer in &answers {
        let line = answer["line"].as_u64().unwrap();
        if line == good_lines as u64 + 1 {
            assert_eq!(answer["error"]["code"], "too_large");
            refused += 1;
            continue;
        }
        match expected.iter().find(|expected| expected["line"] == line) {
            Some(expected) => {
                assert_eq!(answer["error"]["code"], expected["code"], "line {line}: {answer}");
                let field = answer["error"]["field"].as_str().unwrap();
                assert!(
                    field.starts_with(expected["field"].as_str().unwrap()),
                    "line {line}: {answer}"
                );
                assert!(!answer["error"]["reason"].as_str().unwrap().is_empty());
                refused += 1;
            }
            None => assert!(answer["index"].is_u64(), "line {line}: {answer}"),
        }
    }
    assert_eq!(refused, expected.len() + 1);
    assert!(answers.iter().any(|answer| answer["event_id"] == "e-900"), "the line after it");
    assert!(answers.windows(2).all(|pair| pair[0]["line"].as_u64() < pair[1]["line"].as_u64()));
    home.fine(&["verify"]);
}

#[test]
fn another_event_under_a_used_id_is_refused() {
    let home = Home::new();
    home.feed(&["append"], events(0..2).as_bytes());
    let ran = home.feed(&["append"], b"{\"event_id\":\"e-1\",\"event_type\":\"agent.other\"}\n");
    assert_eq!(ran.code, 1);
    let answer = &json_lines(&ran.out)[0];
    assert_eq!(answer["error"]["code"], "id_conflict", "{answer}");
}

#[test]
fn all_or_none_seals_nothing_when_one_line_is_bad() {
    let home = Home::new();
    home.fine(&["init"]);
    let before = home.files("tachograph-data");
    let input = format!("{}{{\"event_type\":7}}\n", events(0..3));
    let ran = home.feed(&["append", "--atomic"], input.as_bytes());
    assert_eq!(ran.code, 1);
    let answers = json_lines(&ran.out);
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0]["error"]["code"], "not_sealed");
    assert_eq!(answers[3]["error"]["code"], "wrong_type");
    assert_eq!(home.files("tachograph-data"), before);
    let ran = home.feed(&["append", "--atomic"], events(0..3).as_bytes());
    assert_eq!((ran.code, json_lines(&ran.out).len()), (0, 3));
}

#[test]
fn receipts_hold_a_signed_checkpoint_and_expose_a_rollback() {
    let home = Home::new();
    home.feed(&["append", "--receipts", "receipts"], events(0..3).as_bytes());
    let old = home.files("tachograph-data");
    home.feed(&["append", "--receipts", "receipts"], events(3..6).as_bytes());
    let receipts = std::fs::read_to_string(home.path("receipts")).unwrap();
    let lines = json_lines(&receipts);
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| line["checkpoint"].as_str().unwrap().contains("\n\u{2014} ")));
    home.fine(&["verify", "--since", "receipts"]);
    let mut other = lines.clone();
    other[4]["leaf_hash"] = "00".repeat(32).into();
    let text: Vec<String> = other.iter().map(ToString::to_string).collect();
    home.write("altered", text.join("\n"));
    let ran = home.run(&["verify", "--since", "altered", "--format", "json"]);
    let report = &json_lines(&ran.out)[0];
    assert_eq!((ran.code, &report["findings"][0]["index"]), (10, &lines[4]["index"]), "{report}");
    assert_eq!(report["findings"][0]["kind"], "forked");
    // The whole data folder as it was before: consistent in itself, where nothing is remembered.
    std::fs::remove_dir_all(home.path("tachograph-data")).unwrap();
    for (path, bytes) in old {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::remove_dir_all(home.path("config/tachograph/known-heads")).unwrap();
    home.fine(&["verify"]);
    let ran = home.run(&["verify", "--since", "receipts", "--format", "json"]);
    assert_eq!(ran.code, 10, "{}", ran.out);
    assert_eq!(json_lines(&ran.out)[0]["findings"][0]["kind"], "truncated", "{}", ran.out);
}

#[test]
fn a_slow_pipe_is_answered_while_it_is_open() {
    let home = Home::new();
    home.fine(&["init"]);
    let mut command = home.command(&["append"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = BufReader::new(stdout).lines();
    for number in 0..3 {
        let begun = Instant::now();
        stdin.write_all(events(number..number + 1).as_bytes()).unwrap();
        let answer = answers.next().unwrap().unwrap();
        assert!(answer.contains(&format!("e-{number}")), "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let home = Home::new();
    home.write("events", events(0..20_000));
    let mut command = home.command(&["append", "events"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!err.contains("error") && !err.contains("panic"), "{err}");
    assert_eq!(output.status.code(), Some(0), "{err}");
    home.fine(&["verify"]);
}
