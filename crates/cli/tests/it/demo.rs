//! `tacho demo`: what it tells is true, and what it prints can be pasted.

use crate::program::{Home, Ran, json_lines};
use crate::served::{PATIENCE, Served};
use serde_json::Value;

/// Runs the demo in a temporary folder of its own.
fn demo(home: &Home, arguments: &[&str]) -> Ran {
    std::fs::create_dir_all(home.path("tmp")).unwrap();
    let mut command = home.command(&[&["demo", "--headless"], arguments].concat());
    let output = command.env("TMPDIR", home.path("tmp")).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_story_names_the_record_that_was_tampered_with_and_no_secret() {
    let home = Home::new();
    let ran = demo(&home, &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let said = |part: &str| assert!(ran.out.contains(part), "{part:?} is not in\n{}", ran.out);
    for part in [
        "── 1  What was recorded",
        "key=[redacted:assignment]",
        "✗ timeout",
        "└╴↗ Billing  Human escalation",
        "├╴✓ fay  Task received",
        "5,276 tokens",
        "OK, and signed by the key",
        "wants record #9 to say 59.90 instead of 49.90 EUR",
        "record 9: the record was altered",
        "126 present, 0 missing, 1 corrupt",
        "21 times in the sources, none in the 127 decrypted records, none in the 12 files",
    ] {
        said(part);
    }
    for secret in ["sk-secret", "sk-billing", "tok_2b7e", "4111 1111", "maria.keller", "\u{1b}"] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{secret}");
    }
    for line in ran.out.lines().filter(|line| !line.starts_with("  ")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    // Nothing but the temporary folder was touched.
    assert!(!home.path("config").exists() && !home.path("tachograph-data").exists());
    let files = home.files("tmp");
    assert!(files.len() > 10);
    for (path, bytes) in files {
        assert_eq!(memchr::memmem::find(&bytes, b"sk-secret"), None, "{}", path.display());
    }
}

#[test]
fn the_commands_that_it_prints_do_what_it_says() {
    let home = Home::new();
    let ran = demo(&home, &[]);
    let export = ran.out.lines().find(|line| line.contains("export ")).unwrap();
    let variables: Vec<(&str, &str)> =
        export.split_whitespace().skip(1).map(|it| it.split_once('=').unwrap()).collect();
    assert_eq!(variables.len(), 2, "{export}");
    let commands: Vec<&str> = ran.out.lines().filter_map(|l| l.strip_prefix("  tacho ")).collect();
    assert_eq!(commands.len(), 4, "{}", ran.out);
    for (position, command) in commands.iter().enumerate() {
        let arguments: Vec<&str> =
            command.split_whitespace().map(|word| word.trim_matches('\'')).collect();
        let mut command = home.command(&arguments);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let expected = if position == 3 { 10 } else { 0 };
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {text}");
        match position {
            1 => assert!(text.contains("process_refund"), "{text}"),
            2 => assert!(text.contains("signed by a key that you trust"), "{text}"),
            3 => assert!(text.contains("record 9 "), "{text}"),
            _ => assert!(text.contains("Human escalation"), "{text}"),
        }
    }
}

#[test]
fn its_summary_for_programs_agrees_with_verify() {
    let home = Home::new();
    let ran = demo(&home, &["--format", "json", "--data", "d"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let summary: &Value = &json_lines(&ran.out)[0];
    assert_eq!((&summary["ok"], &summary["problems"]), (&true.into(), &Value::Array(vec![])));
    assert_eq!(summary["verification"]["verdict"], "ok");
    assert_eq!(summary["planted"]["in_records"], 0);
    assert_eq!(summary["sources"].as_array().unwrap().len(), 5);
    let tampered = &summary["tampered"];
    assert_eq!((&tampered["named"], &tampered["index"]), (&true.into(), &9.into()));
    assert_eq!(tampered["verification"]["findings"][0]["index"], 9);
    let clean = &json_lines(&home.fine(&["verify", "--data", "d", "--format", "json"]))[0];
    assert_eq!(clean["root"], summary["checkpoint"]["root"]);
    let ran = home.run(&["verify", "d-tampered", "--format", "json"]);
    assert_eq!(ran.code, 10);
    assert_eq!(json_lines(&ran.out)[0]["findings"], tampered["verification"]["findings"]);
}

#[test]
fn a_folder_that_is_in_use_is_left_alone() {
    let home = Home::new();
    std::fs::create_dir(home.path("mine")).unwrap();
    home.write("mine/letter", "dear");
    let ran = demo(&home, &["--data", "mine"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("mine is not empty"), "{}", ran.err);
    assert_eq!(home.files("mine").len(), 1);
}

#[test]
fn without_headless_it_serves_the_console_with_a_token_of_its_own() {
    let home = Home::new();
    let mut command = home.command(&["demo", "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", home.path(""));
    let (served, said) = Served::of(command, "The console: ");
    let url = served.url.trim_end_matches('/').to_owned();
    let line = said.recv_timeout(PATIENCE).unwrap();
    let token = line.strip_prefix("Sign in with ").unwrap();
    let get = |path: &str, token: &str| {
        let request = ureq::get(format!("{url}{path}")).header("accept", "text/html");
        let request = request.header("authorization", format!("Bearer {token}"));
        request.call().unwrap().body_mut().read_to_string().unwrap()
    };
    assert!(get("/", token).contains("<script type=\"module\""));
    let trace: Value = serde_json::from_str(&get("/api/v1/logs/main/events", token)).unwrap();
    assert!(!trace["events"].as_array().unwrap().is_empty());
    served.stop();
    // Nothing of the user's was made or changed.
    assert!(!home.path("config").exists());
}
