//! Every command answers the same when the records have moved from the journal into segments.

use crate::program::{Home, json_lines};
use crate::read::{REFUND, recorded};
use event::Event;
use keys::KekSource;
use seal::{Batch, Options, SealError, Writer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::{DiskFolder, Folder, Reservation, StoreError};

fn open(home: &Home) -> Writer {
    let kek = KekSource::File(home.path("config/tachograph/kek")).load().unwrap();
    let (kek, folder) = (Arc::new(kek), DiskFolder::new(home.log()));
    let folder: Arc<dyn Folder> = Arc::new(folder);
    let options = Options { reservation: Reservation::Off, ..Options::system() };
    for _ in 0..1000 {
        // A process that another test is just starting has this one's lock until it runs.
        match seal::open(&folder, Arc::clone(&kek), options.clone()) {
            Err(SealError::Store(error)) if matches!(*error, StoreError::Locked { .. }) => {
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("the log stays locked")
}

/// Ends the journal file, so that a roll takes all that is in it.
fn end_journal_file(home: &Home) {
    let mut writer = open(home);
    writer.end_journal_file();
    let event = Event::from_json(br#"{"event_id":"last","event_type":"agent.decision"}"#).unwrap();
    let event = writer.redactor().redact(event);
    let entropy = keys::SystemEntropy::new();
    let batch = Batch::encode([event], writer.fingerprints(), &entropy, 0).unwrap();
    writer.commit(vec![batch]).unwrap();
    writer.close().unwrap();
}

fn roll(home: &Home) {
    let mut writer = open(home);
    assert_eq!(writer.roll().unwrap(), 1);
    writer.close().unwrap();
    assert!(home.log().join("segments").is_dir());
}

/// The answers of every command that reads.
fn answers(home: &Home) -> Vec<(Vec<&'static str>, Vec<Value>)> {
    let commands: [&[&str]; 13] = [
        &["events", "--agent", "Billing"],
        &["events", "--trace", REFUND, "--outcome", "timeout"],
        &["events", "--session", "session-refund-7731", "--oldest-first", "--limit", "4"],
        &["events", "--text", "\"manual queue\""],
        &["events", "--type", "agent.*", "--limit", "0", "--oldest-first"],
        &["events", "--type", "hub.*", "--limit", "0"],
        &["tail", "--type", "agent.*", "-n", "7"],
        &["trace", REFUND],
        &["trace", "task-refund-order-1042"],
        &["session"],
        &["session", "session-refund-7731"],
        &["agent"],
        &["agent", "Billing"],
    ];
    let answer = |command: &&[&'static str]| {
        let text = home.fine(&[*command, &["--format", "json"]].concat());
        (command.to_vec(), json_lines(&text))
    };
    commands.iter().map(answer).collect()
}

/// An answer without the checkpoint that it is as of.
fn without_checkpoint(mut answer: Vec<Value>) -> Vec<Value> {
    for value in &mut answer {
        let answer = value.as_object_mut().unwrap();
        answer.remove("checkpoint").unwrap();
        // It names the checkpoint, too.
        answer.remove("next");
    }
    answer
}

fn is_own(event: &Value) -> bool {
    event["event_type"].as_str().unwrap().starts_with("log.")
}

#[test]
fn every_answer_is_the_same_after_records_were_rolled() {
    let home = recorded();
    end_journal_file(&home);
    let before = answers(&home);
    let all = ["events", "--limit", "0", "--oldest-first", "--format", "ndjson"];
    let rows = home.fine(&all);
    roll(&home);
    for ((command, before), (_, after)) in before.into_iter().zip(answers(&home)) {
        let mut pair = [without_checkpoint(before), without_checkpoint(after)];
        // Of itself the log has said more by now.
        for answer in pair.iter_mut().flatten() {
            if let Some(events) = answer.get_mut("events").and_then(Value::as_array_mut) {
                events.retain(|event| !is_own(event));
            }
        }
        let [before, after] = pair;
        assert!(before == after, "{command:?}: {before:?}\n{after:?}");
    }
    let after = home.fine(&all);
    assert_eq!(&after[..rows.len()], rows, "byte for byte");
    assert!(json_lines(&after[rows.len()..]).iter().all(is_own));
    home.fine(&["verify"]);
    let doctor = &json_lines(&home.fine(&["doctor", "--format", "json"]))[0];
    let checks = doctor["checks"].as_array().unwrap();
    assert!(checks.iter().any(|it| it["name"] == "journal" && it["status"] == "ok"), "{doctor}");
}

#[test]
fn proofs_and_evidence_are_of_the_same_record() {
    let home = recorded();
    end_journal_file(&home);
    let rows = json_lines(&home.fine(&["events", "--trace", REFUND, "--format", "ndjson"]));
    let keys = &json_lines(&home.fine(&["keys", "list", "--format", "json"]))[0];
    let vkey = keys["log"]["vkey"].as_str().unwrap().to_owned();
    let evidence = |id: &str, extra: &[&str]| -> Value {
        let arguments = [&["prove", id, "--evidence", "-o", "evidence"], extra].concat();
        home.fine(&arguments);
        home.fine(&["verify", "evidence", "--key", &vkey]);
        serde_json::from_slice(&std::fs::read(home.path("evidence")).unwrap()).unwrap()
    };
    let proofs = || -> Vec<(Value, Value)> {
        let of = |row: &Value| {
            let id = row["event_id"].as_str().unwrap();
            let index = row["index"].to_string();
            let whole = evidence(id, &[]);
            assert_eq!(whole["record"], evidence(&index, &[])["record"]);
            let meta = evidence(id, &["--metadata-only"]);
            assert_eq!(meta["record"]["meta"], whole["record"]["meta"]);
            (whole["record"].clone(), whole["entry"].clone())
        };
        rows.iter().map(of).collect()
    };
    let before = proofs();
    roll(&home);
    assert_eq!(before, proofs());
    assert!(home.fine(&["prove", "0"]).starts_with("c2sp.org/tlog-proof@v1\nindex 0\n"));
}

#[test]
fn an_answer_that_lacks_the_records_of_a_segment_says_so_and_fails() {
    let home = recorded();
    end_journal_file(&home);
    roll(&home);
    let segments = home.files("tachograph-data").into_keys().filter(|path| {
        path.extension().is_some_and(|it| it == "parquet")
            && path.to_string_lossy().contains("info")
    });
    segments.for_each(|path| std::fs::remove_file(path).unwrap());
    for command in [&["events", "--limit", "0"][..], &["agent"], &["trace", REFUND]] {
        let ran = home.run(command);
        assert_eq!(ran.code, 1, "{command:?}");
        assert!(ran.err.contains("the answer may lack "), "{command:?}: {}", ran.err);
        assert!(!ran.out.is_empty());
    }
    assert_eq!(home.run(&["verify"]).code, 10);
}

/// The files of all logs but those of caches, which readers may write.
fn files(home: &Home) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = home.files("tachograph-data");
    files.retain(|path, _| !path.components().any(|part| part.as_os_str() == "cache"));
    files
}

#[test]
fn reading_a_rolled_log_changes_no_byte() {
    let home = recorded();
    end_journal_file(&home);
    roll(&home);
    let before = files(&home);
    answers(&home);
    home.fine(&["verify"]);
    assert!(before == files(&home));
}

#[test]
fn answers_are_the_same_without_a_cache_and_with_a_damaged_one() {
    let home = recorded();
    end_journal_file(&home);
    roll(&home);
    let before = answers(&home);
    let cache = home.log().join("cache");
    let guides = || -> Vec<PathBuf> {
        let all = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        all.filter(|it| name(it).starts_with("filters-") || name(it).starts_with("words-"))
            .collect()
    };
    assert!(guides().len() > 2, "{:?}", guides());
    assert_eq!(before, answers(&home));
    for (number, path) in guides().into_iter().enumerate() {
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes.truncate(if number % 2 == 0 { middle + 1 } else { bytes.len() });
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(before, answers(&home));
    // Where nothing can be written, nothing is kept, and answers are given all the same.
    std::fs::remove_dir_all(&cache).unwrap();
    std::fs::write(&cache, b"in the way").unwrap();
    assert_eq!(before, answers(&home));
}

#[test]
fn pages_follow_each_other_although_the_log_grows() {
    let home = recorded();
    end_journal_file(&home);
    let size = |page: &Value| page["checkpoint"]["size"].as_u64().unwrap();
    for order in [&["--oldest-first"][..], &[]] {
        let question =
            [&["events", "--type", "agent.*", "--limit", "7", "--format", "json"], order].concat();
        let all =
            [&["events", "--type", "agent.*", "--limit", "0", "--format", "json"], order].concat();
        let all = json_lines(&home.fine(&all)).remove(0);
        let mut page = json_lines(&home.fine(&question)).remove(0);
        let (checkpoint, mut events) = (page["checkpoint"].clone(), Vec::new());
        loop {
            events.extend(page["events"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            end_journal_file(&home);
            page = json_lines(&home.fine(&[&question[..], &["--cursor", next]].concat())).remove(0);
            assert_eq!(page["checkpoint"], checkpoint, "root and size of then");
            if events.len() == 14 {
                open(&home).roll().unwrap();
            }
        }
        assert_eq!(&Value::Array(events), &all["events"]);
        let now = json_lines(&home.fine(&question)).remove(0);
        assert!(size(&now) > checkpoint["size"].as_u64().unwrap());
    }
    let next = json_lines(&home.fine(&["events", "--limit", "1", "--format", "json"])).remove(0);
    let next = next["next"].as_str().unwrap();
    for (arguments, why) in [
        (&["events", "--tool", "x", "--cursor", next][..], "another question"),
        (&["events", "--cursor", &next[1..]], "not a cursor"),
    ] {
        let ran = home.run(arguments);
        assert!(ran.code == 2 && ran.err.contains(why), "{} {}", ran.code, ran.err);
    }
}

#[test]
fn an_event_is_found_by_its_id() {
    let home = recorded();
    let rows = json_lines(&home.fine(&["events", "--trace", REFUND, "--format", "ndjson"]));
    end_journal_file(&home);
    roll(&home);
    for row in &rows {
        let id = row["event_id"].as_str().unwrap();
        let found = json_lines(&home.fine(&["events", "--event", id, "--format", "ndjson"]));
        assert_eq!(&found, std::slice::from_ref(row));
    }
}
