//! `tacho report` and `tacho ask`: every format, the numbers computed again by another program, and
//! refusals.

use crate::program::{Home, testdata};
use crate::read::recorded;
use serde_json::Value;
use std::process::{Command, Stdio};

const NAMES: [&str; 6] = ["summary", "tool-usage", "error-analysis", "cost", "agents", "daily"];

fn json(home: &Home, arguments: &[&str]) -> Value {
    let text = home.fine(&[&["report"], arguments, &["--format", "json"]].concat());
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_report_has_every_format_and_names_its_checkpoint() {
    let home = recorded();
    let size = json(&home, &["summary"])["checkpoint"]["size"].to_string();
    for name in NAMES {
        let value = json(&home, &[name]);
        assert_eq!(value["report"], name);
        assert_eq!(value["checkpoint"]["size"].to_string(), size);
        let root = value["checkpoint"]["root"].as_str().unwrap().to_owned();
        for format in ["text", "md", "html"] {
            let out = home.fine(&["report", name, "--format", format]);
            assert!(out.contains(&root), "{name} {format}: {out}");
            assert!(!out.contains('\u{1b}'), "{name} {format}");
        }
        let ran = home.run(&["report", name, "--format", "csv"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains(&root) && ran.err.contains("--table"), "{}", ran.err);
        let again = home.fine(&["report", name, "--format", "html"]);
        assert_eq!(again, home.fine(&["report", name, "--format", "html"]), "{name}");
    }
}

#[test]
fn the_incident_is_in_the_numbers() {
    let home = Home::new();
    home.fine(&["append", testdata("incident/refund.ndjson").to_str().unwrap()]);
    let tools = json(&home, &["tool-usage"]);
    let refund = tools["tool_breakdown"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["tool"] == "process_refund")
        .unwrap();
    assert_eq!((&refund["calls"], &refund["errors"]), (&2.into(), &2.into()));
    assert_eq!(refund["p50_ms"], 12_200.0);
    let cost = json(&home, &["cost"]);
    assert_eq!(cost["total_cost"][0]["amount"], "0.0143");
    assert_eq!(cost["total_cost"][0]["currency"], "USD");
    let day = home.fine(&["report", "daily", "--format", "md"]);
    assert!(day.starts_with("# Agent Audit Summary — 2026-11-02\n"), "{day}");
    assert!(day.contains("- **TimeoutError**: 2 (100.0%)"), "{day}");
    let none = json(&home, &["summary", "--from", "2026-11-03"]);
    assert_eq!(none["total_events"], 0);
}

#[test]
fn settings_say_prices_thresholds_and_budgets_and_are_checked() {
    let home = Home::new();
    home.fine(&["append", testdata("incident/refund.ndjson").to_str().unwrap()]);
    home.write("report.toml", "[thresholds]\ntimeouts = 1\n[budget]\ntokens_per_day = 6000\n");
    let with = ["--settings", "report.toml"];
    let errors = json(&home, &[&["error-analysis"][..], &with].concat());
    let action = errors["suggested_actions"][0].as_str().unwrap();
    assert!(action.starts_with("Increase timeouts"), "{action}");
    let day = json(&home, &[&["daily"][..], &with].concat());
    assert_eq!(day["checks"]["token_budget_compliance"]["verdict"], "warning");
    for (text, part) in [
        ("[thresholds]\ntimeout = 1\n", "timeout"),
        ("[thresholds]\nrecorded_rate = 7\n", "between 0 and 1"),
        ("[[prices.models]]\nmodel = \"m\"\ninput = 1\noutput = \"2\"\n", "a string"),
        ("x", "docs/reports.md"),
    ] {
        home.write("report.toml", text);
        let ran = home.run(&["report", "cost", "--settings", "report.toml"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(part), "{text}: {}", ran.err);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let home = recorded();
    for (arguments, part) in [
        (&["summary", "--from", "2026-01-02", "--to", "2026-01-01"][..], "not before"),
        (&["summary", "--table", "x"], "--format csv"),
        (&["summary", "--format", "csv", "--table", "x"], "top_agents"),
        (&["summary", "--format", "dot"], "choose one of"),
        (&["nothing"], "tool-usage"),
    ] {
        let ran = home.run(&[&["report"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(part), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_report_can_be_written_to_a_file() {
    let home = recorded();
    home.fine(&["report", "daily", "--format", "html", "--output", "day.html"]);
    let page = std::fs::read_to_string(home.path("day.html")).unwrap();
    assert_eq!(page, home.fine(&["report", "daily", "--format", "html"]));
}

fn python(home: &Home, script: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new("python3");
    let path = testdata("reports").join(script);
    command.arg("-I").arg(path).args(arguments).current_dir(home.path("."));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// A log of generated events, and its export.
fn generated(seed: &str, count: &str) -> Home {
    let home = Home::new();
    let (code, events) = python(&home, "generate.py", &[seed, count]);
    assert_eq!(code, 0, "{events}");
    home.write("events.ndjson", events);
    match count {
        "0" => drop(home.fine(&["init"])),
        _ => drop(home.fine(&["append", "events.ndjson"])),
    }
    home
}

/// Makes the reports that the other program knows, and lets it compare.
fn compare(home: &Home, period: &[&str]) -> (i32, String) {
    for name in ["summary", "tool-usage", "error-analysis", "cost"] {
        let options = match period {
            [from, to] => vec!["--from", from, "--to", to],
            _ => Vec::new(),
        };
        let report = home.fine(&[&["report", name, "--format", "json"], &options[..]].concat());
        home.write(&format!("{name}.json"), report);
    }
    home.fine(&["export", "--format", "ndjson", "--output", "all.ndjson"]);
    python(home, "check.py", &[&["all.ndjson", "."], period].concat())
}

#[test]
fn every_number_is_what_another_program_counts() {
    for (seed, count) in [("1", "400"), ("2", "700"), ("3", "1000"), ("4", "0")] {
        let home = generated(seed, count);
        let (code, said) = compare(&home, &[]);
        assert_eq!(code, 0, "seed {seed}:\n{said}");
        assert!(said.contains(&format!("{count} events, 0 differences")), "{said}");
    }
}

#[test]
fn every_number_of_a_period_is_too_and_of_recordings() {
    let home = generated("5", "600");
    let (code, said) = compare(&home, &["2026-03-01T12:00:00Z", "2026-03-02T18:30:00Z"]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = compare(&recorded(), &[]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_other_program_finds_a_wrong_number() {
    let home = generated("6", "100");
    assert_eq!(compare(&home, &[]).0, 0);
    for (name, from, to) in [
        ("summary", "\"total_errors\": ", "\"total_errors\": 9"),
        ("tool-usage", "\"calls\": ", "\"calls\": 9"),
        ("cost", "\"amount\": \"", "\"amount\": \"9"),
    ] {
        let file = format!("{name}.json");
        let text = std::fs::read_to_string(home.path(&file)).unwrap();
        home.write(&file, text.replacen(from, to, 1));
        let (code, said) = python(&home, "check.py", &["all.ndjson", "."]);
        assert_eq!(code, 1, "{name}: {said}");
        assert!(said.contains(name), "{said}");
        home.write(&file, text);
    }
}

#[test]
fn a_question_in_words_is_answered_by_the_command_that_it_names() {
    let home = recorded();
    for (phrase, command) in [
        ("Show me the audit log", &["events"][..]),
        ("Trace task task-refund-order-1042", &["trace", "task-refund-order-1042"]),
        ("Generate compliance report", &["report", "compliance-check"]),
        ("Show error summary", &["report", "error-analysis"]),
        ("Audit agent Billing", &["agent", "Billing"]),
        ("tool usage", &["report", "tool-usage"]),
    ] {
        let ran = home.run(&["ask", phrase]);
        assert_eq!(ran.code, 0, "{phrase}: {}", ran.err);
        assert!(ran.err.contains(&format!("tacho {}", command.join(" "))), "{}", ran.err);
        assert_eq!(ran.out, home.fine(command), "{phrase}");
    }
    let ran = home.run(&["ask", "What", "did", "the", "agent", "do?"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("tacho session "), "{}", ran.err);
    let exported = home.fine(&["ask", "Export audit data"]);
    assert!(exported.contains("\"tool\":\"process_refund\""), "{exported}");
    let ran = home.run(&["ask", "make me a sandwich"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("is not understood"), "{}", ran.err);
    let json = home.fine(&["ask", "Show error summary", "--format", "json"]);
    assert!(json.contains("\"total_errors\""));
}
