//! `tacho verify` from outside: verdicts, exit codes, and what it says.

use crate::program::{Home, events, json_lines, testdata};

fn filled() -> Home {
    let home = Home::new();
    home.feed(&["append"], events(0..300).as_bytes());
    home
}

#[test]
fn the_creator_of_a_log_is_known_and_others_must_name_a_key() {
    let home = filled();
    let report = &json_lines(&home.fine(&["verify", "--format", "json"]))[0];
    assert_eq!((&report["verdict"], &report["level"]), (&"ok".into(), &"signed".into()));
    assert_eq!(report["counts"]["present"], report["size"]);
    let keys = &json_lines(&home.fine(&["keys", "list", "--format", "json"]))[0];
    let vkey = keys["log"]["vkey"].as_str().unwrap();
    assert!(keys["keys"].as_array().unwrap().len() >= 5);
    std::fs::remove_dir_all(home.path("config/tachograph/known-logs")).unwrap();
    let report = &json_lines(&home.fine(&["verify", "--format", "json"]))[0];
    assert_eq!((&report["verdict"], &report["level"]), (&"ok".into(), &"local".into()));
    let report = &json_lines(&home.fine(&["verify", "--key", vkey, "--format", "json"]))[0];
    assert_eq!(report["level"], "signed");
    let other = Home::new();
    let made = &json_lines(&other.fine(&["init", "--format", "json"]))[0];
    let stranger = made["log"]["vkey"].as_str().unwrap();
    let ran = home.run(&["verify", "--key", stranger]);
    assert_eq!(ran.code, 10, "{}", ran.out);
    assert_eq!(home.run(&["verify", "--key", "nonsense"]).code, 2);
}

#[test]
fn one_flipped_byte_is_found_and_the_record_named() {
    let home = filled();
    let log = home.log();
    let journal = std::fs::read_dir(log.join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();
    let ran = home.run(&["verify"]);
    assert_eq!(ran.code, 10, "{}", ran.out);
    assert!(ran.out.contains("TAMPERED"), "{}", ran.out);
    assert!(
        ran.out.contains(" in journal/00000000000000000000.journal: the record was altered"),
        "{}",
        ran.out
    );
    let report = &json_lines(&home.run(&["verify", "--format", "json"]).out)[0];
    assert_eq!(report["counts"]["corrupt"], 1, "{report}");
    bytes[middle] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();
    home.fine(&["verify"]);
}

#[test]
fn without_the_key_only_the_public_part_is_checked() {
    let home = filled();
    std::fs::remove_file(home.path("config/tachograph/kek")).unwrap();
    let ran = home.run(&["verify"]);
    assert_eq!(ran.code, 11, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("INCOMPLETE"), "{}", ran.out);
}

#[test]
fn a_folder_is_verified_wherever_it_lies_and_whatever_its_log_json_says() {
    let home = filled();
    let log = home.log();
    home.fine(&["verify", log.to_str().unwrap()]);
    home.fine(&["verify", "tachograph-data"]);
    std::fs::write(log.join("log.json"), b"{}").unwrap();
    let ran = home.run(&["verify", "--format", "json"]);
    assert_eq!(ran.code, 10, "{}", ran.err);
    let report = &json_lines(&ran.out)[0];
    assert_eq!(report["findings"][0]["file"], "log.json", "{report}");
    assert_eq!(report["counts"]["corrupt"], 0, "the records are still checked: {report}");
    assert_eq!(home.run(&["verify", "config"]).code, 1);
    assert_eq!(home.run(&["verify", "nowhere"]).code, 1);
}

#[test]
fn evidence_is_checked_offline_and_alterations_are_found() {
    let home = filled();
    let keys = &json_lines(&home.fine(&["keys", "list", "--format", "json"]))[0];
    let vkey = keys["log"]["vkey"].as_str().unwrap();
    for extra in [&[][..], &["--metadata-only"]] {
        let arguments = [&["prove", "e-17", "--evidence", "-o", "evidence"], extra].concat();
        home.fine(&arguments);
        let ran = home.run(&["verify", "evidence", "--key", vkey, "--format", "json"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert_eq!(json_lines(&ran.out)[0]["level"], "signed");
        let text = std::fs::read_to_string(home.path("evidence")).unwrap();
        assert_eq!(text.contains("\\\"n\\\":17"), extra.is_empty(), "{text}");
        home.write("evidence", text.replace("e-17", "e-18"));
        assert_eq!(home.run(&["verify", "evidence", "--key", vkey]).code, 10);
    }
    let proof = home.fine(&["prove", "19"]);
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nindex 19\n"), "{proof}");
    assert_eq!(home.run(&["prove", "no-such-event"]).code, 1);
    assert_eq!(home.run(&["prove", "100000"]).code, 1);
}

#[test]
fn doctor_finds_a_healthy_log_healthy_and_a_missing_key_missing() {
    let home = filled();
    let ran = home.run(&["doctor", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let checks = json_lines(&ran.out)[0]["checks"].as_array().unwrap().clone();
    assert!(checks.iter().any(|check| check["name"] == "journal" && check["status"] == "ok"));
    std::fs::remove_file(home.path("config/tachograph/kek")).unwrap();
    let ran = home.run(&["doctor"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("fail"), "{}", ran.out);
}

/// A rule that finds every event.
const EVERYTHING: &str = "title: everything\nid: 6f3c2a2e-58a8-4a55-8f6b-0f6f4b6f2c11\nname: all\nlogsource: { product: tachograph, category: agent }\ndetection:\n  any: { event_type|exists: true }\n  condition: any\nlevel: low\n";

#[test]
fn the_verdict_stands_when_nobody_reads_it() {
    let home = Home::new();
    home.write("no.html", "<html>");
    let unread = |arguments: &[&str]| home.unread(arguments);
    assert_eq!(unread(&["verify", "no.html"]), Some(10));
    assert_eq!(unread(&["doctor", "--log", "none"]), Some(1));
    home.fine(&["append", testdata("incident/refund.ndjson").to_str().unwrap()]);
    for format in ["text", "json", "ndjson"] {
        let rule = home.write("all.yml", EVERYTHING);
        let detect = ["detect", "--only", "--rule", rule.to_str().unwrap(), "--format", format];
        assert_eq!(home.run(&detect).code, 1);
        assert_eq!(unread(&detect), Some(1), "{format}");
    }
    let journal = std::fs::read_dir(home.log().join("journal")).unwrap().next().unwrap();
    let journal = journal.unwrap().path();
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    assert_eq!(unread(&["report", "compliance-check"]), Some(1));
    let ran = home.run(&["verify", "no.html"]);
    assert_eq!(ran.code, 10);
    assert!(!ran.out.contains("agree with each other"), "{}", ran.out);
}

#[test]
fn a_log_that_is_being_written_to_is_no_tampering() {
    let home = filled();
    let mut command = home.command(&["append"]);
    let mut writer = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = writer.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        for round in 1..40 {
            let lines = events(round * 1000..round * 1000 + 300);
            std::io::Write::write_all(&mut stdin, lines.as_bytes()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        stdin
    });
    while !feeder.is_finished() {
        let ran = home.run(&["verify"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }
    // A writer that dies leaves reserved space and unpublished records.
    writer.kill().unwrap();
    writer.wait().unwrap();
    drop(feeder.join().unwrap());
    home.fine(&["verify"]);
    home.feed(&["append"], events(0..1).as_bytes());
    home.fine(&["verify"]);
}
