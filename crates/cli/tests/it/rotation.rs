//! A signing key that takes over, and everybody who has to follow it.

use crate::program::{Home, events, json_lines};
use serde_json::Value;

/// A log with three events, and its first vkey.
fn logged() -> (Home, String) {
    let home = Home::new();
    home.feed(&["append"], events(0..3).as_bytes());
    let vkey = list(&home)["log"]["vkey"].as_str().unwrap().to_owned();
    (home, vkey)
}

fn list(home: &Home) -> Value {
    serde_json::from_str(&home.fine(&["keys", "list", "--format", "json"])).unwrap()
}

fn rotate(home: &Home) -> Value {
    let text = home.fine(&["keys", "rotate", "--reason", "yearly", "--format", "json"]);
    serde_json::from_str(&text).unwrap()
}

fn known(home: &Home) -> Value {
    let files = home.files("config/tachograph/known-logs");
    serde_json::from_slice(files.values().next().unwrap()).unwrap()
}

#[test]
fn whoever_has_the_first_vkey_is_led_to_the_newest() {
    let (home, first) = logged();
    let rotated = rotate(&home);
    let newest = rotated["vkey"].as_str().unwrap();
    assert_eq!((&rotated["epoch"], known(&home)["vkeys"][0].as_str()), (&1.into(), Some(newest)));
    home.feed(&["append"], events(3..6).as_bytes());
    let second = rotate(&home);
    for vkey in [&first, newest, second["vkey"].as_str().unwrap()] {
        let text = home.fine(&["verify", "--key", vkey, "--format", "json"]);
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["level"], "signed");
        assert_eq!(report["epochs"].as_array().unwrap().len(), 3);
        assert_eq!(report["epochs"][1]["record"], rotated["record"]);
        assert_eq!(report["epochs"][2]["vkeys"], second["vkeys"]);
        assert!(report["epochs"][2]["since"].as_str().unwrap().starts_with("20"));
    }
    let text = home.fine(&["verify"]);
    let since = format!("epoch 1, since record {}", rotated["record"]);
    assert!(text.contains("3, each certified by the one before it"), "{text}");
    assert!(text.contains(&since) && text.contains("signed by a key that you trust"), "{text}");
    let listed = list(&home);
    assert_eq!(listed["epochs"].as_array().unwrap().len(), 3);
    assert_eq!(listed["log"]["vkey"], first, "log.json never changes");
    let signing = listed["keys"].as_array().unwrap().iter();
    assert_eq!(signing.filter(|key| key["purpose"] == "log-signing").count(), 1);
    let own = home.fine(&["events", "--type", "log.key_rotation", "--format", "ndjson"]);
    let [newest, _] = json_lines(&own).try_into().unwrap();
    assert_eq!(newest["content"]["params"]["reason"], "yearly");
    assert!(newest["principal"]["subject"].as_str().unwrap().starts_with("uid:"));
    let doctor = home.fine(&["doctor"]);
    assert!(doctor.contains("signed by the key that took over with record"), "{doctor}");
}

#[test]
fn evidence_and_receipts_follow_the_keys() {
    let (home, first) = logged();
    home.fine(&["prove", "2", "--evidence", "-o", "before.json"]);
    let append = ["append", "--receipts", "receipts.ndjson"];
    let ran = home.feed(&append, events(3..5).as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let rotated = rotate(&home);
    home.fine(&["prove", "2", "--evidence", "-o", "after.json"]);
    for file in ["before.json", "after.json"] {
        home.fine(&["verify", file, "--key", &first]);
    }
    let newest = rotated["vkey"].as_str().unwrap();
    home.fine(&["verify", "after.json", "--key", newest]);
    let ran = home.run(&["verify", "before.json", "--key", newest]);
    assert_eq!(ran.code, 10, "{}", ran.out);
    home.fine(&["verify", "before.json", "--key", newest, "--key", &first]);
    home.fine(&["verify", "--since", "receipts.ndjson"]);
    home.fine(&["verify", "--since", "receipts.ndjson", "--key", &first]);
    let ran = home.run(&["prove", "2"]);
    assert!(ran.code == 0 && ran.err.contains(newest), "{}", ran.err);
}

#[test]
fn known_logs_follow_the_keys_and_another_key_stays_an_alarm() {
    let (home, first) = logged();
    let path = home.files("config/tachograph/known-logs").into_keys().next().unwrap();
    let before = std::fs::read(&path).unwrap();
    let rotated = rotate(&home);
    // As on another machine, which knows the first key: verify follows, and remembers.
    std::fs::write(&path, &before).unwrap();
    home.fine(&["verify"]);
    assert_eq!(known(&home)["vkeys"], rotated["vkeys"]);
    // A log of the same id that was made anew.
    let stranger = Home::new();
    stranger.fine(&["init"]);
    let other = list(&stranger)["log"]["vkey"].as_str().unwrap().to_owned();
    let text = String::from_utf8(before).unwrap().replace(&first, &other);
    std::fs::write(&path, &text).unwrap();
    let ran = home.run(&["verify"]);
    assert_eq!(ran.code, 10, "{}", ran.out);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "an alarm is not learned");
    rotate(&home);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "nor by a rotation");
}

#[test]
fn a_rotated_log_is_backed_up_and_restored_and_an_older_backup_needs_its_key() {
    let (home, first) = logged();
    home.fine(&["backup", "old.tar"]);
    rotate(&home);
    home.fine(&["backup", "new.tar"]);
    let ran = home.run(&["restore", "new.tar", "--data", "new"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    home.fine(&["verify", "--data", "new"]);
    home.feed(&["append", "--data", "new"], events(3..5).as_bytes());
    home.fine(&["verify", "--data", "new", "--key", &first]);
    let ran = home.run(&["restore", "old.tar", "--data", "old"]);
    assert_eq!(ran.code, 10, "{}", ran.err);
    let ran = home.run(&["restore", "old.tar", "--data", "old", "--key", &first]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_wrong_use_changes_nothing_and_says_so_in_one_sentence() {
    let (home, _) = logged();
    let locked = crate::answers::open(&home);
    let ran = home.run(&["keys", "rotate"]);
    assert_eq!((ran.code, ran.err.lines().count()), (1, 1), "{}", ran.err);
    drop(locked);
    for wrong in [&["keys", "rotate", "--reason", " "][..], &["keys", "rotate", "--format", "csv"]]
    {
        let ran = home.run(wrong);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    }
    let ran = home.run(&["keys", "rotate", "--log", "none"]);
    assert_eq!((ran.code, ran.err.lines().count()), (1, 1), "{}", ran.err);
    assert_eq!(list(&home)["epochs"].as_array().unwrap().len(), 1);
    let ran = home.run(&["keys", "rotate"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("The new vkey: ") && ran.err.contains("your backups"), "{}", ran.err);
}

#[test]
fn the_keyring_from_before_a_rotation_put_back_is_found() {
    let (home, _) = logged();
    let keyring = home.log().join("keyring");
    let old = std::fs::read(&keyring).unwrap();
    rotate(&home);
    std::fs::write(&keyring, old).unwrap();
    let ran = home.run(&["verify"]);
    assert_eq!(ran.code, 10, "{}", ran.out);
    assert!(ran.out.contains("an older keyring was put in its place"), "{}", ran.out);
    assert!(ran.out.contains("is not in it"), "{}", ran.out);
}
