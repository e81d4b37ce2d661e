//! Keys that change, and keys that are handed out.

use crate::answers::{end_journal_file, roll};
use crate::program::{Home, json_lines};
use crate::read::recorded;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

const NEW: [&str; 2] = ["--kek-file", "new-kek"];

fn rewrap(home: &Home) {
    let ran = home.run(&["keys", "rewrap", "--new-kek-file", "new-kek"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("Rewrapped") && ran.err.contains("Back up"), "{}", ran.err);
    assert!(!ran.err.contains("tachograph-kek-v1") && ran.out.is_empty());
}

#[test]
fn after_a_rewrap_only_the_new_key_opens_the_log() {
    let home = recorded();
    let all = ["events", "--limit", "0", "--oldest-first", "--format", "ndjson"];
    let before = home.fine(&all);
    rewrap(&home);
    for command in [&["events"][..], &["verify"], &["append", "/dev/null"], &["keys", "list"]] {
        let ran = home.run(command);
        assert_ne!(ran.code, 0, "{command:?}");
        assert!(ran.err.contains("does not open the keyring") || ran.code == 11, "{}", ran.err);
    }
    let after = home.fine(&[&all[..], &NEW].concat());
    assert_eq!(&after[..before.len()], before);
    let own = json_lines(&after[before.len()..]);
    let types: Vec<&str> = own.iter().map(|it| it["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["log.started", "log.keys_rewrapped", "log.keys", "log.stopped"]);
    let params = &own[1]["content"]["params"];
    assert_ne!(params["from"], params["to"]);
    assert_eq!(params["origin"], "file");
    home.fine(&[&["verify"][..], &NEW].concat());
    home.feed(&[&["append"][..], &NEW].concat(), b"{\"event_type\":\"x\"}\n");
    home.fine(&[&["verify"][..], &NEW].concat());
}

#[test]
fn the_old_keyring_put_back_is_found() {
    let home = recorded();
    let keyring = home.log().join("keyring");
    let old = std::fs::read(&keyring).unwrap();
    rewrap(&home);
    std::fs::write(&keyring, old).unwrap();
    let ran = home.run(&["verify"]);
    assert_eq!(ran.code, 10, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("an older keyring was put in its place"), "{}", ran.out);
}

#[test]
fn a_rewrap_needs_another_key_and_leaves_everything_when_there_is_none() {
    let home = recorded();
    let before = home.files("tachograph-data");
    assert_eq!(home.run(&["keys", "rewrap"]).code, 2);
    let same = home.run(&["keys", "rewrap", "--new-kek-file", "config/tachograph/kek"]);
    assert_eq!(same.code, 1);
    assert!(same.err.contains("already"), "{}", same.err);
    let secret = std::fs::read_to_string(home.path("config/tachograph/kek")).unwrap();
    let mut other = home.command(&["keys", "rewrap", "--new-kek-command", "echo nothing"]);
    let output = other.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!told.contains(secret.trim()), "{told}");
    // What the writer tidied on opening is no change that anyone relies on.
    let after = home.files("tachograph-data");
    let same = |name: &str| {
        let of = |files: &std::collections::BTreeMap<PathBuf, Vec<u8>>| {
            files.iter().find(|(path, _)| path.ends_with(name)).map(|(_, bytes)| bytes.clone())
        };
        assert!(of(&before) == of(&after), "{name}");
    };
    same("keyring");
    same("checkpoint");
}

#[test]
fn the_logs_that_the_old_key_still_opens_are_named() {
    let home = recorded();
    home.fine(&["init", "--log", "payments"]);
    let ran = home.run(&["keys", "rewrap", "--new-kek-file", "new-kek"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("still wrapped by") && ran.err.contains("\"payments\""),
        "{}",
        ran.err
    );
    home.fine(&["verify", "--log", "payments"]);
    let payments = ["keys", "rewrap", "--log", "payments", "--new-kek-file", "new-kek"];
    let ran = home.run(&payments);
    assert!(ran.code == 0 && !ran.err.contains("still wrapped"), "{}", ran.err);
    assert!(!ran.err.contains("Back up"), "it was there already: {}", ran.err);
}

#[test]
fn a_passphrase_can_take_the_place_of_a_file() {
    let home = recorded();
    let mut command = home.command(&["keys", "rewrap"]);
    let output = command.env("TACHO_NEW_KEK_PASSPHRASE", "seven wet dogs").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut verify = home.command(&["verify"]);
    let output = verify.env("TACHO_KEK_PASSPHRASE", "seven wet dogs").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

fn segment(home: &Home) -> PathBuf {
    let files = home.files("tachograph-data").into_keys();
    files.into_iter().find(|path| path.extension().is_some_and(|it| it == "parquet")).unwrap()
}

#[test]
fn the_key_of_a_segment_goes_to_a_private_file_and_on_record() {
    let home = recorded();
    end_journal_file(&home);
    roll(&home);
    let segment = segment(&home);
    let path = segment.to_str().unwrap();
    let ran = home.run(&["keys", "export-segment", path, "--output", "segment.key"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let key = std::fs::read_to_string(home.path("segment.key")).unwrap();
    assert_eq!((key.len(), key.lines().count()), (45, 1));
    assert!(!ran.out.contains(key.trim()) && !ran.err.contains(key.trim()));
    let mode = std::fs::metadata(home.path("segment.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let rows = home.fine(&["events", "--type", "log.key_exported", "--format", "ndjson"]);
    let [row] = json_lines(&rows).try_into().unwrap();
    assert!(path.ends_with(row["content"]["params"]["path"].as_str().unwrap()), "{row}");
    assert!(!rows.contains(key.trim()));
    home.fine(&["verify"]);
}

#[test]
fn a_key_is_not_handed_out_off_the_record_or_beside_its_data() {
    let home = recorded();
    end_journal_file(&home);
    roll(&home);
    let segment = segment(&home);
    let path = segment.to_str().unwrap();
    let locked = crate::answers::open(&home);
    let ran = home.run(&["keys", "export-segment", path, "--output", "segment.key"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    drop(locked);
    home.write("there", "before");
    let inside = home.log().join("segment.key");
    for output in ["there", inside.to_str().unwrap(), "/dev/stdout"] {
        let ran = home.run(&["keys", "export-segment", path, "--output", output]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{output}: {}", ran.err);
    }
    let ran = home.run(&["keys", "export-segment", "nothing.parquet", "--output", "segment.key"]);
    assert!(ran.err.contains("has no segment"), "{}", ran.err);
    assert!(!home.path("segment.key").exists() && !inside.exists());
    assert_eq!(std::fs::read_to_string(home.path("there")).unwrap(), "before");
}

#[test]
fn another_redaction_secret_is_told_recorded_and_leaves_a_log_that_verifies() {
    let home = recorded();
    let secrets = |home: &Home| home.fine(&["keys", "list"]).matches("redaction-secret").count();
    assert_eq!(home.run(&["keys", "rotate-redaction", "--reason", " "]).code, 2);
    let ran = home.run(&["keys", "rotate-redaction", "--reason", "yearly"]);
    assert!(ran.code == 0 && ran.out.is_empty() && ran.err.contains("Rotated"), "{}", ran.err);
    assert_eq!(secrets(&home), 2);
    let json = home.fine(&["keys", "rotate-redaction", "--destroy-old", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["before"].as_array().unwrap().len(), 2);
    assert_eq!(json["destroyed"], true);
    assert_eq!(secrets(&home), 1);
    let all = ["events", "--limit", "0", "--oldest-first", "--format", "ndjson"];
    let events = json_lines(&home.fine(&all));
    let acts: Vec<_> =
        events.iter().filter(|it| it["event_type"] == "log.redaction_rotation").collect();
    assert_eq!(acts.len(), 2);
    assert_eq!(acts[0]["content"]["params"]["reason"], "yearly");
    assert_eq!(acts[0]["content"]["params"]["destroys"], false);
    assert_eq!(acts[1]["content"]["params"]["destroys"], true);
    assert_eq!(acts[1]["content"]["params"]["before"].as_array().unwrap().len(), 2);
    home.fine(&["verify"]);
}
