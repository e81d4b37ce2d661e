//! Backups of a log that is being written to, and what is put back from them.

use crate::answers::{end_journal_file, open, roll};
use crate::program::{Home, events, json_lines};
use crate::read::recorded;
use event::Event;
use seal::Batch;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

const ALL: [&str; 6] = ["events", "--limit", "0", "--oldest-first", "--format", "ndjson"];

/// The folder of the only log below a folder.
fn log_in(folder: &Path) -> PathBuf {
    let mut logs: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    logs.remove(0)
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn is_own(row: &serde_json::Value) -> bool {
    row["kind"] == "log"
}

#[test]
fn a_backup_is_a_log_and_restores_to_one_with_the_same_records() {
    let home = recorded();
    end_journal_file(&home);
    roll(&home);
    let before = home.fine(&ALL);
    for backup in ["backup", "backup.tar"] {
        home.fine(&["backup", backup]);
        assert_eq!(home.run(&["backup", backup]).code, 1, "never over another");
        let data = format!("{backup}-restored");
        let ran = home.run(&["restore", backup, "--data", &data]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains("Restored") && ran.err.contains("erase it again"), "{}", ran.err);
        let after = home.fine(&[&ALL[..], &["--data", &data]].concat());
        assert_eq!(&after[..before.len()], before);
        let own = json_lines(&after[before.len()..]);
        let restored = own.iter().find(|row| row["event_type"] == "log.restored").unwrap();
        assert_eq!(restored["content"]["params"]["as_of"]["size"], before.lines().count());
        home.fine(&["verify", "--data", &data]);
        home.feed(&["append", "--data", &data], events(0..3).as_bytes());
        home.fine(&["verify", "--data", &data]);
    }
    home.fine(&["verify", "backup"]);
    let kek = std::fs::read_to_string(home.path("config/tachograph/kek")).unwrap();
    for path in files(&home.path("backup")).iter().chain([&home.path("backup.tar")]) {
        let bytes = std::fs::read(path).unwrap();
        assert!(!bytes.windows(20).any(|it| it == &kek.as_bytes()[..20]), "{}", path.display());
    }
    // Hidden folders of a restore that did not come to its end would stay.
    assert_eq!(std::fs::read_dir(home.path("backup-restored")).unwrap().count(), 1);
}

#[test]
fn a_backup_while_a_process_appends_is_whole() {
    let home = Home::new();
    home.feed(&["append"], events(0..10).as_bytes());
    let mut child = home
        .command(&["append", "-", "--batch", "50"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stop = AtomicBool::new(false);
    let sizes = std::thread::scope(|scope| {
        let stop = &stop;
        scope.spawn(move || {
            for round in 0.. {
                let lines = events(1000 + round * 50..1050 + round * 50);
                if stop.load(Ordering::Relaxed) || stdin.write_all(lines.as_bytes()).is_err() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(40));
            }
        });
        let backup = |n: usize| -> u64 {
            let name = format!("backup-{n}");
            let checkpoint = || std::fs::read(home.log().join("checkpoint")).unwrap();
            let before = checkpoint();
            let begun = std::time::Instant::now();
            while checkpoint() == before && begun.elapsed().as_secs() < 30 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            let answer = home.fine(&["backup", &name, "--format", "json"]);
            home.fine(&["verify", &name]);
            json_lines(&answer)[0]["checkpoint"]["size"].as_u64().unwrap()
        };
        let sizes: Vec<u64> = (0..3).map(backup).collect();
        stop.store(true, Ordering::Relaxed);
        sizes
    });
    assert!(child.wait().unwrap().success());
    assert!(sizes.is_sorted() && sizes[0] >= 10 && sizes[2] > sizes[0], "{sizes:?}");
    let all = home.fine(&ALL);
    home.fine(&["restore", "backup-2", "--data", "again"]);
    let restored = home.fine(&[&ALL[..], &["--data", "again"]].concat());
    let size = usize::try_from(sizes[2]).unwrap();
    let first = |text: &str| text.lines().take(size).map(str::to_owned).collect::<Vec<_>>();
    assert!(first(&all) == first(&restored));
    // Nothing beyond the checkpoint came along.
    assert!(json_lines(&restored).iter().skip(size).all(is_own));
}

#[test]
fn a_backup_while_files_become_segments_is_whole() {
    let home = Home::new();
    home.feed(&["append"], events(0..10).as_bytes());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (home, stop) = (&home, &stop);
        let writing = scope.spawn(move || {
            let mut writer = open(home);
            for round in 0_u64.. {
                let line = format!(r#"{{"event_id":"r-{round}","event_type":"agent.decision"}}"#);
                let event = Event::from_json(line.as_bytes()).unwrap();
                let event = writer.redactor().redact(event);
                let entropy = keys::SystemEntropy::new();
                let batch = Batch::encode([event], writer.fingerprints(), &entropy, 0).unwrap();
                writer.commit(vec![batch]).unwrap();
                writer.publish().unwrap();
                writer.end_journal_file();
                writer.roll().unwrap();
                if round % 8 == 7 {
                    writer.compact().unwrap();
                }
                if stop.load(Ordering::Relaxed) {
                    return writer.close().unwrap();
                }
                std::thread::sleep(std::time::Duration::from_millis(25));
            }
        });
        for n in 0..6 {
            let name = format!("backup-{n}");
            let ran = home.run(&["backup", &name]);
            assert_eq!(ran.code, 0, "{}", ran.err);
            home.fine(&["verify", &name]);
            let data = format!("data-{n}");
            home.fine(&["restore", &name, "--data", &data]);
            home.fine(&["verify", "--data", &data]);
        }
        stop.store(true, Ordering::Relaxed);
        writing.join().unwrap();
    });
}

#[test]
fn a_backup_that_was_altered_or_is_torn_is_refused() {
    let home = recorded();
    end_journal_file(&home);
    roll(&home);
    home.fine(&["backup", "good"]);
    home.fine(&["backup", "good.tar"]);
    let refused = |backup: &str, what: &str| {
        let ran = home.run(&["restore", backup, "--data", "again"]);
        assert!([1, 10].contains(&ran.code), "{what}: {} {}", ran.code, ran.err);
        assert!(ran.err.contains("error"), "{what}: {}", ran.err);
        let left = std::fs::read_dir(home.path("again")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{what}");
    };
    for path in files(&log_in(&home.path("good"))) {
        let bytes = std::fs::read(&path).unwrap();
        let what = path.display().to_string();
        let mut altered = bytes.clone();
        altered[bytes.len() / 2] ^= 1;
        std::fs::write(&path, altered).unwrap();
        refused("good", &what);
        std::fs::remove_file(&path).unwrap();
        refused("good", &what);
        std::fs::write(&path, bytes).unwrap();
    }
    let bytes = std::fs::read(home.path("good.tar")).unwrap();
    for part in [3, 2] {
        home.write("torn.tar", &bytes[..bytes.len() / part]);
        refused("torn.tar", "torn");
    }
    for part in [7, 5, 3, 2] {
        let mut altered = bytes.clone();
        let at = (bytes.len() / part..).find(|at| altered[*at] != 0).unwrap();
        altered[at] ^= 1;
        home.write("altered.tar", altered);
        let ran = home.run(&["restore", "altered.tar", "--data", "again"]);
        assert!([1, 10].contains(&ran.code), "byte {at}: {} {}", ran.code, ran.err);
    }
    home.fine(&["restore", "good", "--data", "again"]);
}

#[test]
fn a_damaged_log_makes_no_backup() {
    let home = recorded();
    let journal = files(&home.log().join("journal")).remove(0);
    let mut bytes = std::fs::read(&journal).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    for backup in ["backup", "backup.tar"] {
        let ran = home.run(&["backup", backup]);
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(!home.path(backup).exists());
    }
    let names = std::fs::read_dir(home.path("")).unwrap();
    assert!(
        names.map(|it| it.unwrap().file_name()).all(|it| !it.to_string_lossy().ends_with("tmp"))
    );
}

#[test]
fn a_rollback_that_contradicts_receipts_is_refused() {
    let home = recorded();
    home.fine(&["backup", "old"]);
    let line = b"{\"event_id\":\"new\",\"event_type\":\"agent.decision\"}\n";
    home.feed(&["append", "--receipts", "receipts.ndjson"], line);
    let checkpoint = std::fs::read(home.log().join("checkpoint")).unwrap();
    home.write("checkpoint", checkpoint);
    for since in ["receipts.ndjson", "checkpoint"] {
        let ran = home.run(&["restore", "old", "--data", "again", "--since", since]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains("contradicts what was kept"), "{}", ran.err);
        assert_eq!(std::fs::read_dir(home.path("again")).unwrap().count(), 0);
    }
    home.fine(&["backup", "new"]);
    home.fine(&["restore", "new", "--data", "again", "--since", "receipts.ndjson"]);
    home.fine(&["restore", "old", "--data", "back"]);
    let ran = home.run(&["verify", "--data", "back", "--since", "receipts.ndjson"]);
    assert_eq!(ran.code, 10, "{}", ran.out);
}

/// A limit on the size of files is what a full disk is: a write in the middle fails.
#[test]
fn a_restore_that_cannot_write_says_so_and_leaves_no_log_behind() {
    let home = recorded();
    end_journal_file(&home);
    roll(&home);
    home.fine(&["backup", "backup"]);
    let before = home.files("backup");
    // In blocks of 512 bytes.
    for blocks in [0, 1, 2, 8, 16] {
        let plain = home.command(&["restore", "backup", "--data", "again"]);
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut limited = Command::new("/bin/sh");
        limited.arg("-c").arg(script).arg(plain.get_program()).args(plain.get_args());
        limited.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = limited.current_dir(home.path("")).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{blocks} blocks: {said}");
        assert_eq!(said.lines().filter(|it| it.starts_with("error: ")).count(), 1, "{said}");
        let listed = home.run(&["events", "--data", "again"]);
        assert_eq!(listed.code, 1, "no log has its name: {}{}", listed.out, listed.err);
    }
    home.fine(&["restore", "backup", "--data", "again"]);
    home.fine(&["verify", "--data", "again"]);
    assert_eq!(home.files("backup"), before);
}

#[test]
fn nothing_is_restored_over_a_log_or_without_its_key() {
    let home = recorded();
    home.fine(&["backup", "backup"]);
    let before = home.files("tachograph-data");
    let ran = home.run(&["restore", "backup"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("already"), "{}", ran.err);
    assert!(before == home.files("tachograph-data"));
    std::fs::rename(home.path("config/tachograph/kek"), home.path("kek")).unwrap();
    let ran = home.run(&["restore", "backup", "--data", "again"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("there is no key-encryption key"), "{}", ran.err);
    // Without the key a copy can be made, and its public part checked.
    let ran = home.run(&["backup", "keyless"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("only the public part"), "{}", ran.err);
    let kek = home.path("kek");
    home.fine(&["restore", "keyless", "--data", "again", "--kek-file", kek.to_str().unwrap()]);
}

#[test]
fn what_was_erased_stays_so_in_backups_that_are_newer_and_comes_back_in_older_ones() {
    let home = recorded();
    home.fine(&["backup", "before"]);
    let erase = ["erase", "--session", "session-refund-7731", "--scope", "content"];
    home.fine(&[&erase[..], &["--reason", "a request"]].concat());
    home.fine(&["backup", "after.tar"]);
    let states = |data: &str| -> Vec<String> {
        let session = ["export", "--session", "session-refund-7731", "--data", data];
        let rows = json_lines(&home.fine(&session));
        rows.iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
    };
    home.fine(&["restore", "after.tar", "--data", "newer"]);
    home.fine(&["verify", "--data", "newer"]);
    assert!(states("newer").iter().all(|state| state == "content-erased"));
    home.fine(&["restore", "before", "--data", "older"]);
    home.fine(&["verify", "--data", "older"]);
    assert!(states("older").iter().all(|state| state == "present"));
    assert_eq!(states("older").len(), states("newer").len());
    // With a later ledger, a mirror of the public folder will do, it goes again at once.
    let mirror = home.path("mirror");
    std::fs::create_dir(&mirror).unwrap();
    for document in std::fs::read_dir(home.log().join("ledger")).unwrap() {
        let document = document.unwrap();
        std::fs::copy(document.path(), mirror.join(document.file_name())).unwrap();
    }
    home.fine(&["restore", "before", "--data", "again", "--ledger", "mirror"]);
    home.fine(&["verify", "--data", "again"]);
    assert!(states("again").iter().all(|state| state == "content-erased"));
}

/// Begins a restore that waits for its key, once the copy is there.
fn waiting_restore(home: &Home) -> (std::process::Child, PathBuf) {
    let mut child = home
        .command(&["restore", "backup", "--data", "again", "--kek-command", "sleep 600"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    let hidden = home.path(&format!("again/..restoring.{}.folder.tmp", child.id()));
    while !hidden.join("log/keyring").exists() {
        assert!(begun.elapsed().as_secs() < 60, "{:?}", child.try_wait());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    (child, hidden)
}

#[test]
fn what_a_killed_restore_left_is_named_and_the_next_one_removes_it() {
    let home = recorded();
    home.fine(&["backup", "backup"]);
    let check = |home: &Home| {
        let told = home.fine(&["doctor", "--data", "again", "--log", "main", "--format", "ndjson"]);
        json_lines(&told).into_iter().find(|it| it["name"] == "restore")
    };
    let (mut child, killed) = waiting_restore(&home);
    let (mut other, living) = waiting_restore(&home);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(killed.is_dir() && living.is_dir());
    let ran = home.run(&["restore", "backup", "--data", "again"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(ran.err.contains("killed left") && ran.err.contains(&name(&killed)), "{}", ran.err);
    assert!(!ran.err.contains(&name(&living)), "{}", ran.err);
    assert!(!killed.exists(), "nobody will finish it");
    assert!(living.join("log/keyring").exists(), "a restore that goes on keeps its copy");
    assert_eq!(check(&home), None, "what somebody works on is not left over");
    other.kill().unwrap();
    other.wait().unwrap();
    let found = check(&home).unwrap();
    assert_eq!(found["status"], "warn", "{found}");
    assert!(found["detail"].as_str().unwrap().contains(&name(&living)), "{found}");
    assert!(living.exists(), "doctor changes nothing");
    home.fine(&["verify", "--data", "again"]);
}
