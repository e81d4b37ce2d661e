//! `tacho sql`: questions about a log with segments and a tail, in every format, and refusals.

use crate::program::{Home, events};
use crate::read::recorded;
use serde_json::Value;

fn json(home: &Home, statement: &str) -> Value {
    let text = home.fine(&["sql", statement, "--format", "json"]);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn an_answer_names_its_checkpoint_and_agrees_with_the_other_commands() {
    let home = recorded();
    let value = json(&home, "SELECT count(*) AS n FROM events");
    assert!(value["checkpoint"]["origin"].as_str().unwrap().starts_with("tachograph.local/"));
    assert_eq!(value["checkpoint"]["size"], value["rows"][0][0]);
    assert_eq!(value["checkpoint"]["root"].as_str().unwrap().len(), 64);
    assert_eq!(value["columns"][0], "n");
    assert_eq!(value["truncated"], false);
    let all =
        home.fine(&["events", "--tool", "process_refund", "--limit", "0", "--format", "ndjson"]);
    let asked =
        json(&home, "SELECT index FROM events WHERE tool = 'process_refund' ORDER BY index DESC");
    assert_eq!(asked["rows"].as_array().unwrap().len(), all.lines().count());
}

#[test]
fn every_format_shows_the_same_rows() {
    let home = recorded();
    let text = "SELECT event_type, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3";
    let rows = json(&home, text);
    let first = rows["rows"][0][0].as_str().unwrap();
    for format in ["table", "text", "csv", "ndjson"] {
        let out = home.fine(&["sql", text, "--format", format]);
        assert!(out.contains(first), "{format}: {out}");
    }
    let table = home.run(&["sql", text]);
    assert_eq!(table.out.lines().count(), 5, "{}", table.out);
    assert!(table.err.contains("3 rows, as of tachograph.local/"), "{}", table.err);
    assert!(home.fine(&["sql", text, "--format", "csv"]).starts_with("event_type,n\r\n"));
    let fed = home.feed(&["sql", "-", "--format", "csv"], b"SELECT 1 AS one");
    assert_eq!(fed.out, "one\r\n1\r\n");
}

#[test]
fn what_is_not_a_question_is_refused_with_a_reason_and_an_exit_code() {
    let home = Home::new();
    home.write("events.ndjson", events(0..3));
    home.fine(&["append", "events.ndjson"]);
    let before = home.fine(&["sql", "SELECT max(index) FROM events", "--format", "csv"]);
    for (statement, code, part) in [
        ("DROP TABLE events", 3, "DROP is not allowed: SQL here only reads"),
        ("COPY events TO 'x.csv'", 3, "sql_not_read_only"),
        ("SELECT 1; SELECT 2", 2, "exactly one statement"),
        ("SELECT * FROM 'events.ndjson'", 2, "there is no table"),
        ("SELECT * FROM other", 2, "--log"),
        ("SELECT nothing FROM events", 2, "nothing"),
        ("SELECT repeat('x', 10)", 2, "docs/sql.md"),
        ("SELECT 1 / 0", 1, "sql_failed"),
    ] {
        let ran = home.run(&["sql", statement]);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{statement}: {}", ran.err);
        assert!(ran.err.contains(part), "{statement}: {}", ran.err);
    }
    assert!(!home.path("x.csv").exists());
    assert_eq!(home.fine(&["sql", "SELECT max(index) FROM events", "--format", "csv"]), before);
}

#[test]
fn limits_are_kept_and_told() {
    let home = Home::new();
    home.write("events.ndjson", events(0..40));
    home.fine(&["append", "events.ndjson"]);
    let ran = home.run(&["sql", "SELECT index FROM events", "--limit", "5"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 7));
    assert!(ran.err.contains("only the first 5 rows"), "{}", ran.err);
    // Both sides fit into memory; what takes an age is each of one against each of the other.
    let cross = "WITH side AS (SELECT a.index + b.index + c.index + d.index AS n \
                 FROM events a, events b, events c, events d) \
                 SELECT count(*) FROM side x, side y WHERE x.n * y.n % 7 = 3";
    let ran = home.run(&["sql", cross, "--timeout", "1"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("no answer within 1 s"), "{}", ran.err);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let home = Home::new();
    let line =
        r#"{"event_type":"agent.reasoning","agent_name":"\u001b[2Jevil\u0007","reasoning":"a\nb"}"#;
    home.write("events.ndjson", line);
    home.fine(&["append", "events.ndjson"]);
    for format in ["table", "json", "csv", "ndjson"] {
        let text = "SELECT agent_name, content, meta FROM events WHERE agent_name IS NOT NULL";
        let out = home.fine(&["sql", text, "--format", format]);
        assert!(out.contains("evil"), "{format}: {out}");
        assert!(
            !out.chars().any(|c| c.is_control() && c != '\n' && c != '\r'),
            "{format}: {out:?}"
        );
    }
}

#[test]
fn a_rolled_log_answers_from_segments_and_tail_together() {
    let home = Home::new();
    let folder = home.path("tachograph-data").join("01".repeat(16));
    for (path, bytes) in crate::rolled::files() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let ask = |text: &str| {
        // The key of `rolled.rs`: 32 times the byte 7.
        let kek = format!("tachograph-kek-v1:{}Bwc=", "BwcH".repeat(10));
        let mut command = home.command(&["sql", text, "--format", "csv", "--quiet"]);
        let output = command.env("TACHO_KEK", kek).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}: {error}");
        String::from_utf8(output.stdout).unwrap()
    };
    let counted = ask("SELECT count(*), count(DISTINCT index), max(index) + 1 FROM events");
    let size = counted.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    assert_eq!(counted.lines().nth(1).unwrap(), format!("{size},{size},{size}"));
    // Three days of six events, two of which are in segments.
    let events = ask(
        "SELECT count(*), min(event_id), count(DISTINCT tier) FROM events WHERE kind = 'event'",
    );
    assert_eq!(events.lines().nth(1).unwrap(), "18,e-0,2");
    let params = ask(
        "SELECT json_get_int(params, 'n') AS n FROM events WHERE event_id IN ('e-1', 'e-17') ORDER BY 1",
    );
    assert_eq!(params, "n\r\n1\r\n17\r\n");
    let segments = ask("SELECT count(*) FROM events WHERE event_type = 'log.segment'");
    assert_ne!(segments.lines().nth(1).unwrap(), "0");
}
