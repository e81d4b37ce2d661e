//! Documents of a server: reports, examinations and evidence are those of its folder.

use crate::program::{Home, json_lines};
use crate::read::recorded;
use crate::remote_answers::same;
use crate::served::{PATIENCE, Served};
use serde_json::Value;
use std::time::Instant;

const TASK: &str = "task-refund-order-1042";
const SESSION: &str = "session-refund-7731";

#[test]
fn a_server_writes_the_documents_of_its_folder_letter_by_letter() {
    let home = recorded();
    let served = Served::start(&home);
    for arguments in [
        &["report", "summary"][..],
        &["report", "tool-usage", "--format", "json"],
        &["report", "error-analysis", "--format", "md"],
        &["report", "daily", "--format", "html"],
        &["report", "cost", "--from", "2020-01-01", "--to", "2030-01-01", "--format", "json"],
        &["report", "compliance-check"],
        &["report", "compliance-check", "--pack", "eu-ai-act", "--format", "json"],
        &["forensics", TASK],
        &["forensics", TASK, "--format", "json"],
        &["forensics", TASK, "--format", "md", "--alone"],
        &["forensics", TASK, "--format", "html"],
        &["forensics", "nothing"],
        &["report", "incident", TASK],
        &["report", "incident", TASK, "--format", "json"],
        &["report", "incident", TASK, "--format", "html"],
    ] {
        let (local, remote) = same(&home, &served, arguments);
        assert_eq!(local.out, remote.out, "{arguments:?}");
        assert_eq!((local.code, local.err), (remote.code, remote.err), "{arguments:?}");
    }
    let ran = home.run(&["report", "incident", "nothing", "--url", &served.url]);
    assert!(ran.code == 1 && ran.err.contains("has this id"), "{} {}", ran.code, ran.err);
    let csv = ["report", "tool-usage", "--format", "csv"];
    let (local, remote) = same(&home, &served, &csv);
    assert_eq!(local.out, remote.out);
    let settings = home.write("settings.toml", "[budget]\ntokens_per_day = 1\n");
    let settings = settings.to_str().unwrap();
    let ran = home.run(&["report", "daily", "--settings", settings, "--url", &served.url]);
    assert!(ran.code == 2 && ran.err.contains("default settings"), "{}", ran.err);
}

#[test]
fn a_server_hands_over_evidence_that_holds_and_records_who_took_it() {
    let home = recorded();
    let served = Served::start(&home);
    for form in ["html", "zip", "json"] {
        let file = format!("it.{form}");
        let words = ["bundle", "--session", SESSION, "-o", &file, "--url", &served.url];
        let ran = home.run(&words);
        assert!(ran.code == 0 && ran.err.contains("Complete: "), "{}", ran.err);
        let ran = home.run(&["verify", &file, "--format", "json"]);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, &report["completeness"]["extent"]), (0, &"complete".into()));
    }
    let exports = ["events", "--type", "log.export", "--format", "json", "--url", &served.url];
    let begun = Instant::now();
    loop {
        let told = &json_lines(&home.fine(&exports))[0];
        let count = told["events"].as_array().unwrap().len();
        // Durable before the file was there, and published once a second.
        if count == 3 {
            break;
        }
        assert!(count < 3 && begun.elapsed() < PATIENCE, "{told}");
    }
    let none = ["bundle", "--session", "none", "-o", "none.html", "--url", &served.url];
    let ran = home.run(&none);
    assert!(ran.code == 1 && ran.err.contains("no event"), "{}", ran.err);
    assert!(!home.path("none.html").exists());
    let silent = ["bundle", "--session", SESSION, "-o", "a.zip", "--unrecorded"];
    assert_eq!(home.run(&[&silent[..], &["--url", &served.url]].concat()).code, 2);
}

#[test]
fn who_may_not_see_content_gets_evidence_without_it_and_only_by_saying_so() {
    let home: Home = recorded();
    let served = Served::start(&home);
    let token = home.fine(&["token", "create", "looks", "--role", "reader", "--logs", "main"]);
    let file = home.write("token", token.trim());
    let file = file.to_str().unwrap();
    let words = ["--session", SESSION, "-o", "it.json", "--url", &served.url, "--token-file", file];
    let ran = home.run(&[&["bundle"][..], &words].concat());
    assert!(ran.code == 3 && ran.err.contains("--metadata-only"), "{} {}", ran.code, ran.err);
    home.fine(&[&["bundle", "--metadata-only"][..], &words].concat());
    let text = std::fs::read_to_string(home.path("it.json")).unwrap();
    assert!(!text.contains("charged twice"));
}
