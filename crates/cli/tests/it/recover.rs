//! A log whose folder was put back is not opened for writing, until somebody says so in it; and
//! what only looks like that is opened.

use crate::program::{Home, Ran, events, json_lines};
use crate::served::{PATIENCE, Served};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LOG: &str = "tachograph-data";
const ACCEPTED: [&str; 4] = ["recover", "--accept-loss", "--reason", "the disk is gone"];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|it| (it.path(), it.file_name())).unwrap();
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(std::fs::copy(path, to.join(name)).unwrap()),
        }
    }
}

/// Puts a copy of the data folder in its place.
fn put_back(home: &Home, kept: &str) {
    std::fs::remove_dir_all(home.path(LOG)).unwrap();
    copy(&home.path(kept), &home.path(LOG));
}

#[track_caller]
fn append(home: &Home, numbers: std::ops::Range<u64>) {
    home.write("events.ndjson", events(numbers));
    home.fine(&["append", "events.ndjson"]);
}

/// A log that was written to twice, and a copy of its folder from in between.
fn written() -> Home {
    let home = Home::new();
    append(&home, 0..5);
    copy(&home.path(LOG), &home.path("kept"));
    append(&home, 5..12);
    home
}

fn memory(home: &Home) -> PathBuf {
    home.path("config/tachograph/known-heads")
}

/// The signed checkpoints of what was lost.
fn set_aside(home: &Home) -> Vec<String> {
    let paths = std::fs::read_dir(memory(home)).unwrap().map(|it| it.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|it| it == "aside"));
    paths.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The parameters of every record that says that the log was put back.
fn restored(home: &Home) -> Vec<serde_json::Value> {
    let listed = home.fine(&["events", "--type", "log.restored", "--format", "ndjson"]);
    json_lines(&listed).iter().map(|row| row["content"]["params"].clone()).collect()
}

#[track_caller]
fn assert_refused(ran: &Ran, why: &str) {
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(why) && ran.err.contains("tacho recover"), "{}", ran.err);
    assert!(ran.err.contains("nothing was written"), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
}

#[test]
fn a_folder_that_was_put_back_is_refused_by_whoever_writes_and_named_by_verify() {
    let home = written();
    copy(&home.path(LOG), &home.path("newest"));
    put_back(&home, "kept");
    // A server keeps room beside it.
    let name = format!("{LOG}/{}", home.log().file_name().unwrap().to_str().unwrap());
    let before = home.files(&name);
    for command in [
        &["append", "events.ndjson"][..],
        &["keys", "rotate"],
        &["hold", "add", "--session", "s", "--reason", "r"],
        &["serve", "--listen", "127.0.0.1:0"],
        &["export", "--output", "exported.ndjson"],
    ] {
        let ran = home.run(command);
        assert_refused(&ran, "its folder was put back");
        assert!(!ran.err.contains("the other writer"), "{}", ran.err);
    }
    assert!(home.files(&name) == before, "something was written to it");
    let doctor = home.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.out.contains("was put back"), "{}", doctor.out);
    let ran = home.run(&["verify", "--format", "json"]);
    assert!(ran.code == 10 && ran.out.contains("\"truncated\""), "{}", ran.out);
    // And says what it was compared with.
    assert!(ran.out.contains(memory(&home).to_str().unwrap()), "{}", ran.out);
    put_back(&home, "newest");
    assert!(!home.fine(&["verify", "--format", "json"]).contains("known-heads"));
}

#[test]
fn another_copy_that_went_on_by_itself_is_refused_and_recovers_too() {
    let home = written();
    // As on another machine, where nothing is remembered.
    std::fs::rename(memory(&home), home.path("aside")).unwrap();
    put_back(&home, "kept");
    append(&home, 50..90);
    std::fs::remove_dir_all(memory(&home)).unwrap();
    std::fs::rename(home.path("aside"), memory(&home)).unwrap();
    assert_refused(&home.run(&["append", "events.ndjson"]), "another copy of it was written to");
    let ran = home.run(&["verify", "--format", "json"]);
    assert!(ran.code == 10 && ran.out.contains("\"forked\""), "{}", ran.out);
    home.fine(&ACCEPTED);
    append(&home, 100..103);
    home.fine(&["verify"]);
}

#[test]
fn recovering_needs_a_reason_and_is_told_in_the_log() {
    let home = written();
    home.write("last.ndjson", events(12..13));
    home.fine(&["append", "last.ndjson", "--receipts", "receipts.ndjson"]);
    let newest = std::fs::read_to_string(home.log().join("checkpoint")).unwrap();
    put_back(&home, "kept");
    let before = home.files(LOG);
    let ran = home.run(&["recover"]);
    assert!(ran.code == 3 && ran.err.contains("nothing was changed"), "{}", ran.err);
    assert_eq!(home.run(&["recover", "--accept-loss"]).code, 2);
    assert_eq!(home.run(&["recover", "--accept-loss", "--reason", " "]).code, 2);
    assert!(home.files(LOG) == before, "something was written to it");
    let server = ["recover", "--url", "http://127.0.0.1:9"];
    assert_eq!(home.run(&server).code, 2);
    home.fine(&ACCEPTED);
    let rows = restored(&home);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["reason"], "the disk is gone");
    assert!(rows[0]["lost"]["size"].as_u64() > rows[0]["as_of"]["size"].as_u64(), "{rows:?}");
    // The signed checkpoint of what is lost is kept.
    assert_eq!(set_aside(&home), [newest]);
    // It goes on as any log does, and whoever has a receipt of the lost part sees that.
    append(&home, 100..103);
    Served::start(&home).stop();
    home.fine(&["verify"]);
    home.fine(&ACCEPTED);
    assert_eq!(restored(&home).len(), 1, "nothing was lost again");
    assert_eq!(home.run(&["verify", "--since", "receipts.ndjson"]).code, 10);
    // Put back behind the ceremony, it is refused again.
    put_back(&home, "kept");
    assert_eq!(home.run(&["append", "events.ndjson"]).code, 3);
}

#[test]
fn a_restore_in_the_same_place_is_a_recovery_and_says_what_is_lost() {
    let home = Home::new();
    append(&home, 0..5);
    home.fine(&["backup", "main.tar"]);
    append(&home, 5..12);
    std::fs::rename(home.path(LOG), home.path("lost")).unwrap();
    // A drill in another place says nothing about this one.
    home.fine(&["restore", "main.tar", "--data", "drill"]);
    let ran = home.run(&["restore", "main.tar"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("what only they had is lost"), "{}", ran.err);
    let rows = restored(&home);
    assert!(rows[0]["lost"]["size"].as_u64() > rows[0]["as_of"]["size"].as_u64(), "{rows:?}");
    append(&home, 20..22);
    Served::start(&home).stop();
    home.fine(&["verify"]);
    // Nothing was lost between the newest backup and this.
    home.fine(&["backup", "newest.tar"]);
    std::fs::remove_dir_all(home.path(LOG)).unwrap();
    let ran = home.run(&["restore", "newest.tar"]);
    assert!(ran.code == 0 && !ran.err.contains("is lost"), "{}", ran.err);
    append(&home, 30..31);
    home.fine(&["verify"]);
    assert_eq!(set_aside(&home).len(), 1);
}

#[test]
fn a_restored_copy_that_went_on_by_itself_says_what_it_does_not_continue() {
    let home = written();
    let lost = std::fs::read_to_string(home.log().join("checkpoint")).unwrap();
    // As on another machine, where nothing is remembered: more entries than are remembered here.
    std::fs::rename(memory(&home), home.path("aside")).unwrap();
    put_back(&home, "kept");
    append(&home, 50..90);
    home.fine(&["backup", "other.tar"]);
    std::fs::remove_dir_all(memory(&home)).unwrap();
    std::fs::rename(home.path("aside"), memory(&home)).unwrap();
    std::fs::remove_dir_all(home.path(LOG)).unwrap();
    let ran = home.run(&["restore", "other.tar"]);
    assert!(ran.code == 0 && ran.err.contains("what only they had is lost"), "{}", ran.err);
    let rows = restored(&home);
    assert!(rows[0]["lost"]["size"].as_u64() < rows[0]["as_of"]["size"].as_u64(), "{rows:?}");
    assert_eq!(set_aside(&home), [lost]);
    append(&home, 90..91);
    home.fine(&["verify"]);
}

#[test]
fn doctor_says_what_is_remembered_and_where_nothing_can_be() {
    let home = written();
    let said = |home: &Home| {
        let checks = &json_lines(&home.fine(&["doctor", "--format", "json"]))[0]["checks"];
        let checks = checks.as_array().unwrap();
        checks.iter().find(|check| check["name"] == "memory").unwrap()["detail"].to_string()
    };
    assert!(said(&home).contains("remembered outside its folder"), "{}", said(&home));
    std::fs::remove_dir_all(memory(&home)).unwrap();
    assert!(said(&home).contains("nothing is remembered of it in this place yet"));
    let mut command = home.command(&["doctor", "--format", "ndjson"]);
    command.env_remove("HOME").env_remove("XDG_CONFIG_HOME");
    let output = command.env("TACHO_KEK_FILE", home.path("config/tachograph/kek")).output();
    let checks = json_lines(&String::from_utf8(output.unwrap().stdout).unwrap());
    let check = checks.iter().find(|check| check["name"] == "memory").unwrap();
    assert_eq!((&check["status"], check["advice"].is_string()), (&"warn".into(), true), "{check}");
}

#[test]
fn restarts_kills_copies_and_moves_are_not_refused() {
    let home = written();
    // Elsewhere on this machine it is another copy.
    copy(&home.path("kept"), &home.path("elsewhere"));
    home.fine(&["append", "events.ndjson", "--data", "elsewhere"]);
    home.fine(&["verify", "--data", "elsewhere"]);
    home.fine(&["hold", "add", "--session", "s", "--reason", "r"]);
    home.fine(&["keys", "rotate"]);
    append(&home, 12..13);
    for round in 0..3 {
        let served = Served::start(&home);
        let number = 100 * (round + 1);
        // Beside a running server it goes there.
        append(&home, number..number + 50);
        served.kill();
        home.fine(&["recover"]);
        home.fine(&["verify"]);
    }
    append(&home, 13..20);
    // On a new machine nothing is remembered.
    std::fs::rename(memory(&home), home.path("aside")).unwrap();
    home.fine(&["recover"]);
    std::fs::rename(home.path(LOG), home.path("moved")).unwrap();
    copy(&home.path("moved"), &home.path(LOG));
    append(&home, 21..22);
    Served::start(&home).stop();
    home.fine(&["doctor"]);
    // A memory that was damaged is none.
    for path in std::fs::read_dir(memory(&home)).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_file() {
            std::fs::write(path, "?").unwrap();
        }
    }
    append(&home, 22..23);
    home.fine(&["verify"]);
}

#[test]
fn what_a_server_took_is_remembered_and_its_newest_state_put_there_again_goes_on() {
    let home = written();
    let served = Served::start(&home);
    append(&home, 200..250);
    served.stop();
    copy(&home.path(LOG), &home.path("newest"));
    put_back(&home, "kept");
    assert_eq!(home.run(&["append", "events.ndjson"]).code, 3);
    put_back(&home, "newest");
    append(&home, 250..251);
    home.fine(&["verify"]);
}

#[test]
fn a_server_that_must_not_go_on_without_its_witnesses_asks_them_before_it_opens_a_log() {
    let home = written();
    let identity = std::fs::read(home.log().join("log.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
    std::fs::create_dir(home.path("beside")).unwrap();
    let keys = [identity["keys"][0].as_str().unwrap().to_owned()];
    let witness = crate::witness::start(&home.path("beside"), &keys);
    let (key, address) = (&witness.key, &witness.address);
    let policy = home.write("policy", format!("witness w {key} http://{address}\nquorum w\n"));
    let configured = |fail: &str| {
        let (policy, fail) = (policy.display(), format!("fail = \"{fail}\""));
        let text = format!("[witness]\npolicy = \"{policy}\"\nallow_private = true\n{fail}\n");
        home.write("server.toml", text)
    };
    let path = configured("closed");
    let words = ["serve", "--config", path.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let size = |file: &str| -> Option<u64> {
        let note = std::fs::read_to_string(home.log().join(file)).ok()?;
        note.lines().nth(1)?.parse().ok()
    };
    let early = size("checkpoint").unwrap();
    copy(&home.path(LOG), &home.path("early"));
    let served = Served::with(&home, &words[1..]);
    append(&home, 200..230);
    let until = Instant::now() + PATIENCE;
    while size("cosigned").is_none_or(|cosigned| cosigned < early + 30) {
        assert!(Instant::now() < until, "{:?}", size("cosigned"));
        std::thread::sleep(Duration::from_millis(50));
    }
    served.kill();
    Served::with(&home, &words[1..]).stop();
    put_back(&home, "early");
    // The configuration folder was put back, too.
    std::fs::remove_dir_all(memory(&home)).unwrap();
    let name = format!("{LOG}/{}", home.log().file_name().unwrap().to_str().unwrap());
    let before = home.files(&name);
    let ran = home.run(&words);
    assert!(ran.code == 3 && ran.err.contains("the witness w contradicts"), "{}", ran.err);
    assert!(ran.err.contains("nothing was written to it"), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(home.files(&name) == before, "something was written to it");
    configured("open");
    Served::with(&home, &words[1..]).stop();
}
