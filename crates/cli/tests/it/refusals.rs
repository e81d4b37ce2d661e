//! What goes wrong is said in one sentence, and nothing is written.

use crate::program::{Home, Ran, events, json_lines};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

#[track_caller]
fn one_sentence(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "no {word:?} in: {}", ran.err);
    }
}

#[test]
fn init_twice_changes_nothing() {
    let home = Home::new();
    let first = home.fine(&["init"]);
    assert!(first.contains("Created") && first.contains("Back up"), "{first}");
    let before = (home.files("tachograph-data"), home.files("config"));
    let second = home.fine(&["init"]);
    assert!(second.contains("exists already"), "{second}");
    assert_eq!((home.files("tachograph-data"), home.files("config")), before);
    let made =
        &json_lines(&home.fine(&["init", "--log", "other", "--post-quantum", "--format", "json"]))
            [0];
    assert_eq!(made["log"]["vkeys"].as_array().unwrap().len(), 2);
    assert_eq!(made["kek"]["new"], false, "one key-encryption key for all logs of a user");
    home.fine(&["verify", "--log", "other"]);
}

#[test]
fn a_second_writer_is_refused() {
    let home = Home::new();
    home.fine(&["init"]);
    let mut command = home.command(&["append"]);
    let mut first =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // Its first answer shows that it holds the log.
    let mut stdin = first.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, events(0..1).as_bytes()).unwrap();
    let mut answer = String::new();
    let mut answers = std::io::BufReader::new(first.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut answers, &mut answer).unwrap();
    let before = at_rest(&home);
    let ran = home.feed(&["append"], events(1..2).as_bytes());
    one_sentence(&ran, 1, &["another process is writing", "stop it"]);
    assert_eq!(home.files("tachograph-data"), before, "nothing was written");
    drop(stdin);
    assert!(first.wait().unwrap().success());
}

/// The files of a log whose writer has nothing left to do.
fn at_rest(home: &Home) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = home.files("tachograph-data");
    for _ in 0..30 {
        std::thread::sleep(Duration::from_millis(1_500));
        let before = std::mem::replace(&mut files, home.files("tachograph-data"));
        if files == before {
            break;
        }
    }
    files
}

#[test]
fn a_file_of_the_log_that_is_missing_is_named_and_nothing_is_written() {
    let home = Home::new();
    home.feed(&["append"], events(0..300).as_bytes());
    let log = home.log();
    for (name, words) in [
        ("keyring", &["keyring"][..]),
        ("log.json", &["main"]),
        ("checkpoint", &["checkpoint"]),
        ("tile/entries/000", &["tile/entries/000"]),
    ] {
        let path = log.join(name);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let before = home.files("tachograph-data");
        let ran = home.feed(&["append"], events(300..301).as_bytes());
        one_sentence(&ran, 1, words);
        assert_eq!(home.files("tachograph-data"), before, "{name}");
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(home.feed(&["append"], events(300..301).as_bytes()).code, 0);
    home.fine(&["verify"]);
}

#[test]
fn a_wrong_key_is_one_clear_sentence_and_nothing_is_written() {
    let home = Home::new();
    home.feed(&["append"], events(0..3).as_bytes());
    let before = home.files("tachograph-data");
    let other = Home::new();
    other.fine(&["init"]);
    let wrong = other.path("config/tachograph/kek");
    let ran = ran_with_key(&home, &["append", "-"], wrong.to_str().unwrap());
    one_sentence(&ran, 1, &["does not open the keyring"]);
    let ran = ran_with_key(&home, &["keys", "list"], wrong.to_str().unwrap());
    one_sentence(&ran, 1, &["does not open the keyring"]);
    let ran = ran_with_key(&home, &["verify"], wrong.to_str().unwrap());
    assert_eq!(ran.code, 11, "{}", ran.out);
    let ran = ran_with_key(&home, &["append"], "/nowhere/kek");
    one_sentence(&ran, 1, &["/nowhere/kek"]);
    assert_eq!(home.files("tachograph-data"), before);
}

fn ran_with_key(home: &Home, arguments: &[&str], kek: &str) -> Ran {
    home.run(&[arguments, &["--kek-file", kek]].concat())
}

#[test]
fn a_key_from_the_environment_or_a_passphrase_opens_what_it_made() {
    for (name, value, wrong) in [
        ("TACHO_KEK", format!("tachograph-kek-v1:{}=", "A".repeat(43)), "tachograph-kek-v1:"),
        ("TACHO_KEK_PASSPHRASE", "four words are enough".to_owned(), "another"),
    ] {
        let home = Home::new();
        let run = |value: &str, arguments: &[&str]| {
            let output = home.command(arguments).env(name, value).output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        assert_eq!(run(&value, &["init"]).0, Some(0));
        assert!(!home.path("config/tachograph/kek").exists());
        assert_eq!(run(&value, &["keys", "list"]).0, Some(0));
        let (code, err) = run(wrong, &["keys", "list"]);
        assert_eq!(code, Some(1), "{err}");
        assert!(!err.contains("four words"), "{err}");
    }
}

#[test]
fn missing_files_and_logs_are_named() {
    let home = Home::new();
    one_sentence(&home.run(&["keys", "list"]), 1, &["no log \"main\"", "tacho init"]);
    one_sentence(&home.run(&["append", "nowhere.ndjson"]), 1, &["nowhere.ndjson"]);
    one_sentence(&home.run(&["import", "--from", "ndjson", "nowhere"]), 1, &["nowhere"]);
    assert!(!home.path("tachograph-data").exists(), "nothing was created for it");
    home.fine(&["init"]);
    let ran = home.run(&["keys", "list", "--log", "payments"]);
    one_sentence(&ran, 1, &["no log \"payments\"", "there are: \"main\""]);
    assert_eq!(home.run(&["nonsense"]).code, 2);
    assert_eq!(home.run(&["verify", "--format", "svg"]).code, 2);
}

#[test]
fn a_log_of_a_newer_version_is_left_alone() {
    let home = Home::new();
    home.fine(&["init"]);
    let path = home.log().join("log.json");
    let json = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, json.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let before = home.files("tachograph-data");
    let ran = home.feed(&["append"], events(0..1).as_bytes());
    one_sentence(&ran, 1, &["format version 2", "newer program"]);
    assert_eq!(home.files("tachograph-data"), before);
}

#[test]
fn two_logs_of_one_name_are_an_error() {
    let home = Home::new();
    home.fine(&["init"]);
    let log = home.log();
    let copy = log.with_file_name("0".repeat(32));
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(log.join("log.json"), copy.join("log.json")).unwrap();
    one_sentence(&home.run(&["keys", "list"]), 1, &["two logs are named \"main\""]);
}
