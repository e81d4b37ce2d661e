//! `tacho forensics`, `tacho provenance` and `tacho trace --diff` on recorded systems.

use crate::program::{Home, json_lines, testdata};
use crate::read::{REFUND, recorded};
use serde_json::Value;

const OTLP: &str = "e245bb6bb91295b97d43276ff7aafcc0";

fn json(home: &Home, arguments: &[&str]) -> Value {
    let text = home.fine(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&text).unwrap()
}

#[test]
fn an_incident_is_examined_in_every_format() {
    let home = recorded();
    let it = json(&home, &["forensics", REFUND]);
    assert_eq!(it["root_cause"]["cause"], "tool_outage");
    assert_eq!(it["root_cause"]["tool"], "process_refund");
    assert_eq!(it["verdict"], "escalated");
    for format in ["text", "md", "html"] {
        let text = home.fine(&["forensics", REFUND, "--format", format]);
        for part in ["process_refund", "from 10 s to 30 s", "Circuit breaker open", "Timeline"] {
            assert!(text.contains(part), "{format} lacks {part}:\n{text}");
        }
    }
    let otlp = json(&home, &["forensics", OTLP, "--alone"]);
    assert_eq!(otlp["root_cause"]["cause"], "tool_outage");
    assert_eq!(otlp["blast_radius"], Value::Null);
}

#[test]
fn the_leaves_that_an_answer_names_are_those_that_the_receipts_promised() {
    let home = Home::new();
    let file = testdata("incident/refund.ndjson");
    let receipts = json_lines(&home.fine(&["append", file.to_str().unwrap()]));
    let it = json(&home, &["forensics", REFUND]);
    let events = it["evidence"].as_array().unwrap();
    assert_eq!(events.len(), 5);
    for event in events {
        let receipt = receipts.iter().find(|it| it["event_id"] == event["event_id"]).unwrap();
        assert_eq!(receipt["leaf_hash"], event["leaf_hash"]);
        assert_eq!(receipt["index"], event["index"]);
    }
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    let home = recorded();
    let once = home.fine(&["forensics", REFUND, "--format", "html"]);
    assert_eq!(once, home.fine(&["forensics", REFUND, "--format", "html"]));
}

#[test]
fn an_incident_is_reported_with_the_proofs_that_prove_gives() {
    let home = recorded();
    let it = json(&home, &["report", "incident", REFUND]);
    let examined = json(&home, &["forensics", REFUND]);
    assert_eq!(it["root_cause"], examined["root_cause"]);
    assert_eq!(it["evidence"], examined["evidence"]);
    let proofs = it["proofs"].as_array().unwrap();
    assert_eq!(proofs.len(), 5);
    for proof in proofs {
        let made = home.fine(&["prove", &proof["index"].to_string()]);
        assert_eq!(proof["tlog_proof"], made);
    }
    for format in ["text", "md", "html", "csv"] {
        let text = home.fine(&["report", "incident", REFUND, "--format", format]);
        assert!(text.contains("process_refund"), "{format}: {text}");
    }
    home.fine(&["report", "incident", REFUND, "--format", "pdf", "-o", "it.pdf"]);
    assert!(std::fs::read(home.path("it.pdf")).unwrap().starts_with(b"%PDF-"));
    for (words, code, said) in [
        (&["report", "incident"][..], 2, "which incident?"),
        (&["report", "daily", REFUND], 2, "only `incident`"),
        (&["report", "incident", REFUND, "--from", "1d"], 2, "leave --from and --to out"),
        (&["report", "incident", "nobody"], 1, "no event"),
    ] {
        let ran = home.run(words);
        assert!(ran.code == code && ran.err.contains(said), "{words:?}: {} {}", ran.code, ran.err);
    }
}

#[test]
fn an_act_is_led_back_to_whoever_wanted_it() {
    let home = recorded();
    let event = "853a2f87-d49e-5564-841e-4a94379fccb4";
    let it = json(&home, &["provenance", event]);
    assert_eq!(it["origin"], "user");
    let steps = it["steps"].as_array().unwrap();
    assert_eq!(steps[0]["event_type"], "agent.invocation");
    assert_eq!(steps.last().unwrap()["event_id"], event);
    assert!(steps.iter().any(|step| step["is_handed_over"] == true));
    let index = it["act"]["index"].to_string();
    assert_eq!(json(&home, &["provenance", &index])["steps"], it["steps"]);
    let text = home.fine(&["provenance", event]);
    assert!(text.contains("An agent did this for a user; no person approved this act."), "{text}");
    let missing = home.run(&["provenance", "nobody"]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("no event"), "{}", missing.err);
}

#[test]
fn two_traces_are_laid_beside_each_other() {
    let home = recorded();
    let same = json(&home, &["trace", REFUND, "--diff", REFUND]);
    assert_eq!((&same["common"], &same["changed"]), (&Value::from(11), &Value::from(0)));
    let it = json(&home, &["trace", REFUND, "--diff", OTLP]);
    assert_eq!(it["common"].as_u64().unwrap() + it["only_left"].as_u64().unwrap(), 11);
    let text = home.fine(&["trace", REFUND, "--diff", OTLP]);
    assert!(text.contains("steps in both"), "{text}");
}
