//! `tacho redact`: trying a policy shows kinds and places and never values; a log keeps to its own.

use crate::program::{Home, json_lines};

const LINES: &str = concat!(
    r#"{"event_type":"agent.tool_call","params":{"password":"hunter2","to":"ada@example.com"}}"#,
    "\n",
    r#"{"event_type":"agent.tool_call","params":{"ip":"203.0.113.7","n":1}}"#,
    "\n",
);

#[test]
fn a_trial_shows_kinds_and_places_and_no_values() {
    let home = Home::new();
    std::fs::write(home.path("events"), LINES).unwrap();
    let file = home.path("events").to_str().unwrap().to_owned();
    let shown = home.fine(&["redact", "test", &file]);
    assert!(shown.contains("params.password") && shown.contains("sensitive_member"), "{shown}");
    assert!(shown.contains("1 of 2 events"), "{shown}");
    for value in ["hunter2", "ada@", "203.0"] {
        assert!(!shown.contains(value), "{shown}");
    }
    let arguments = ["redact", "test", &file, "--preset", "strict", "--format", "json"];
    let answer = &json_lines(&home.fine(&arguments))[0];
    assert_eq!((&answer["events"], &answer["changed"]), (&2.into(), &2.into()));
    assert_eq!(answer["rules"]["ip_address"], 1);
    assert!(answer["policy"].as_str().unwrap().starts_with("strict#"));
    assert_eq!(home.run(&["redact", "test", &file, "--preset", "strickt"]).code, 2);
}

#[test]
fn a_log_keeps_to_the_policy_that_it_was_given() {
    let home = Home::new();
    home.fine(&["init"]);
    let policy = home.path("policy").to_str().unwrap().to_owned();
    std::fs::write(&policy, "preset = 'strict'\nversion = '7'\n").unwrap();
    home.fine(&["redact", "use", &policy]);
    home.feed(&["append"], LINES.as_bytes());
    let shown = home.fine(&["events", "--format", "json"]);
    assert!(!shown.contains("203.0.113.7") && shown.contains("[redacted:ip_address]"), "{shown}");
    assert!(shown.contains("strict/7#"), "{shown}");
    assert_eq!(home.run(&["verify"]).code, 0);
    // One that cannot be used is refused before it is the log's.
    std::fs::write(&policy, "off = ['emial']").unwrap();
    let ran = home.run(&["redact", "use", &policy]);
    assert!(ran.code == 2 && ran.err.contains("did you mean \"email\""), "{}", ran.err);
    let rules = home.fine(&["redact", "rules"]);
    assert!(rules.contains("card_number") && rules.contains("strict/7#"), "{rules}");
}
