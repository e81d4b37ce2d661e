//! `tacho bundle`, and `tacho verify` of what it makes: whole in every form, altered, and refused.

use crate::program::{Home, json_lines, testdata};
use serde_json::Value;

const SESSION: &str = "session-refund-7731";

/// A log with an incident between other events, and the log's key.
fn filled() -> (Home, String) {
    let home = Home::new();
    let other =
        |n: u64| format!("{{\"event_type\":\"agent.error\",\"session_id\":\"other-{n}\"}}\n");
    home.feed(&["append"], other(1).as_bytes());
    home.fine(&["append", testdata("incident/refund.ndjson").to_str().unwrap()]);
    home.feed(&["append"], other(2).as_bytes());
    let keys = &json_lines(&home.fine(&["keys", "list", "--format", "json"]))[0];
    let vkey = keys["log"]["vkey"].as_str().unwrap().to_owned();
    (home, vkey)
}

/// The exit code and the report on a file.
fn verify(home: &Home, file: &str, key: Option<&str>) -> (i32, Value) {
    let key: Vec<&str> = key.map_or_else(Vec::new, |key| vec!["--key", key]);
    let ran = home.run(&[&["verify", file, "--format", "json"], key.as_slice()].concat());
    assert!(!ran.out.is_empty(), "{}", ran.err);
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

#[test]
fn a_session_is_handed_over_in_every_form_with_and_without_content() {
    let (home, vkey) = filled();
    for form in ["html", "zip", "json"] {
        for content in [true, false] {
            let file = format!("it-{content}.{form}");
            let words = ["bundle", "--session", SESSION, "-o", &file, "--metadata-only"];
            let ran = home.run(if content { &words[..5] } else { &words });
            assert_eq!(ran.code, 0, "{}", ran.err);
            assert!(
                ran.err.contains("Complete: these are all 11 records of session"),
                "{}",
                ran.err
            );
            let (code, report) = verify(&home, &file, None);
            assert_eq!((code, &report["level"]), (0, &"local".into()), "{report}");
            let (code, report) = verify(&home, &file, Some(&vkey));
            assert_eq!((code, &report["level"]), (0, &"signed".into()), "{report}");
            assert_eq!(report["completeness"]["extent"], "complete");
            assert_eq!(report["counts"]["present"], 11);
            let bytes = std::fs::read(home.path(&file)).unwrap();
            let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
            assert_eq!(holds(b"charged twice"), content, "{file}");
        }
    }
    let text = home.fine(&["verify", "it-true.html", "--key", &vkey]);
    assert!(text.contains("complete    Complete: these are all 11 records"), "{text}");
    assert_eq!(home.fine(&["verify"]).matches("TAMPERED").count(), 0);
    let told = home.fine(&["events", "--type", "log.export", "--format", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["events"].as_array().unwrap().len(), 6, "each is on record");
}

#[test]
fn the_figures_are_those_of_the_trace() {
    let (home, _) = filled();
    home.fine(&["bundle", "--trace", "task-refund-order-1042", "-o", "it.json"]);
    let bundle: Value =
        serde_json::from_slice(&std::fs::read(home.path("it.json")).unwrap()).unwrap();
    let trace = home.fine(&["trace", "task-refund-order-1042", "--format", "json"]);
    let trace: Value = serde_json::from_str(&trace).unwrap();
    let (figures, totals) = (&bundle["figures"], &trace["totals"]);
    assert_eq!((&bundle["subject"]["kind"], &figures["events"]), (&"task".into(), &11.into()));
    assert_eq!(figures["errors"], totals["errors"], "{totals}");
    assert_eq!(figures["tokens"]["total"], totals["tokens"]["total"], "{totals}");
}

#[test]
fn one_event_is_handed_over_by_its_id_or_its_index() {
    let (home, vkey) = filled();
    for event in ["684ce501-7644-591e-a2a5-63dc3157fc3c", "2"] {
        home.fine(&["bundle", "--event", event, "-o", "one.html"]);
        let (code, report) = verify(&home, "one.html", Some(&vkey));
        assert_eq!((code, &report["completeness"]), (0, &Value::Null), "{report}");
        assert_eq!(report["counts"]["present"], 1);
    }
}

#[test]
fn whatever_is_altered_is_named() {
    let (home, vkey) = filled();
    for form in ["html", "zip", "json"] {
        home.fine(&["bundle", "--session", SESSION, "-o", &format!("it.{form}")]);
    }
    let cases: [(&str, &[u8], &str); 8] = [
        ("html", b"agent_name\\\":\\\"Router", "record"),
        ("html", b"\"checkpoint\":\"tachograph.local/", "checkpoint"),
        ("html", b"\"figures\":{\"events\":1", "figures"),
        ("html", b"<script>'use strict", "page"),
        ("json", b"\"proof\":[\"", "proof"),
        ("zip", b"Evidence from a tamper-evident log", "README.txt"),
        ("zip", b"c2sp.org/tlog-proof@v", "proofs/"),
        ("zip", b"agent_name\\\":\\\"Router", "bundle"),
    ];
    for (form, mark, part) in cases {
        let mut bytes = std::fs::read(home.path(&format!("it.{form}"))).unwrap();
        let at = bytes.windows(mark.len()).position(|window| window == mark).unwrap();
        let place = at + mark.len() - usize::from(!matches!(part, "proof" | "proofs/"));
        bytes[place] ^= 1;
        home.write(&format!("altered.{form}"), &bytes);
        let (code, report) = verify(&home, &format!("altered.{form}"), Some(&vkey));
        assert_eq!((code, &report["verdict"]), (10, &"tampered".into()), "{part}: {report}");
        let told = report["findings"].to_string();
        assert!(told.contains(part), "{form}: {part} is not in {told}");
    }
    let text = home.run(&["verify", "altered.json"]).out;
    assert!(text.contains("TAMPERED") && text.contains("the evidence does not hold"), "{text}");
}

#[test]
fn an_event_left_out_breaks_completeness() {
    let (home, vkey) = filled();
    home.fine(&["bundle", "--session", SESSION, "-o", "it.json"]);
    let text = std::fs::read_to_string(home.path("it.json")).unwrap();
    for position in [0, 4, 10] {
        let mut bundle: Value = serde_json::from_str(&text).unwrap();
        bundle["records"].as_array_mut().unwrap().remove(position);
        home.write("less.json", bundle.to_string());
        let (code, report) = verify(&home, "less.json", Some(&vkey));
        assert_eq!((code, &report["completeness"]["extent"]), (10, &"broken".into()), "{report}");
    }
}

#[test]
fn what_cannot_be_made_is_refused_and_leaves_no_file() {
    let (home, _) = filled();
    for (words, code, told) in [
        (vec!["--session", "nobody", "-o", "x.html"], 1, "nobody"),
        (vec!["--event", "99999", "-o", "x.html"], 1, "no record 99999"),
        (vec!["--event", "nobody", "-o", "x.html"], 1, "nobody"),
        (vec!["--session", SESSION, "-o", "x.pdf"], 2, ".html"),
        (vec!["-o", "x.html"], 2, "--session"),
        (
            vec!["--session", SESSION, "--url", "http://127.0.0.1:1", "-o", "x.html"],
            1,
            "nobody answers",
        ),
    ] {
        let ran = home.run(&[vec!["bundle"], words.clone()].concat());
        assert_eq!(ran.code, code, "{words:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{words:?}: {}", ran.err);
        assert!(!home.path("x.html").exists());
    }
}
