//! What is remembered of logs on a disk.

use super::*;
use keys::{Kek, KekOrigin, SecretKey};
use seal::{NewLog, Options};
use std::fs;
use std::sync::Arc;
use store::{Folder, Reservation};

struct Ground {
    at: tempfile::TempDir,
    memory: Memory,
}

fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

fn options() -> Options {
    Options { reservation: Reservation::Off, ..Options::system() }
}

impl Ground {
    fn new() -> Self {
        let at = tempfile::tempdir().unwrap();
        let memory = Memory::new(at.path().join("memory"));
        Self { at, memory }
    }

    fn make(&self, name: &str) -> LogFolder {
        let path = self.at.path().join(name);
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(&path));
        let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
        seal::create(&folder, &new, &kek(), [3; 16], &options()).unwrap();
        LogFolder::at(&path).unwrap()
    }

    fn size(&self, log: &LogFolder) -> Option<u64> {
        self.memory.of(&log.path).map(|it| it.head.size)
    }
}

/// Makes the log longer by some records of its own.
fn grow(log: &LogFolder) {
    let mut writer = seal::open(&log.folder, kek(), options()).unwrap();
    let act = seal::Act::Configuration(serde_json::json!({ "change": "grown" }));
    writer.record(act, &event::Principal::default()).unwrap();
    writer.close().unwrap();
}

fn published(log: &LogFolder) -> Remembered {
    remembered(log.folder.read(seal::CHECKPOINT_PATH).unwrap()).unwrap()
}

#[test]
fn the_newest_published_checkpoint_is_remembered_and_an_older_one_changes_nothing() {
    let ground = Ground::new();
    let log = ground.make("a");
    assert_eq!(ground.size(&log), None);
    ground.memory.keep(&log).unwrap();
    let early = published(&log);
    assert_eq!(ground.size(&log), Some(early.head.size));
    grow(&log);
    ground.memory.keep(&log).unwrap();
    let newest = published(&log);
    assert!(newest.head.size > early.head.size);
    log.folder.replace(seal::CHECKPOINT_PATH, early.note.as_bytes()).unwrap();
    ground.memory.keep(&log).unwrap();
    assert_eq!(ground.memory.of(&log.path), Some(newest));
}

#[test]
fn the_same_log_somewhere_else_is_another_copy() {
    let ground = Ground::new();
    let (log, other) = (ground.make("a"), ground.make("b"));
    ground.memory.keep(&log).unwrap();
    assert_eq!(ground.size(&other), None);
    // However the place is spelled.
    let spelled = log.path.join("..").join("a");
    assert!(ground.memory.of(&spelled).is_some());
    // Also when nothing lies there any more.
    fs::remove_dir_all(&log.path).unwrap();
    assert!(ground.memory.of(&log.path).is_some());
}

#[test]
fn what_is_set_aside_is_forgotten_and_kept_as_evidence() {
    let ground = Ground::new();
    let log = ground.make("a");
    ground.memory.set_aside(&log.path).unwrap();
    grow(&log);
    ground.memory.keep(&log).unwrap();
    let before = published(&log);
    ground.memory.set_aside(&log.path).unwrap();
    assert_eq!(ground.size(&log), None);
    let aside = || {
        let paths = fs::read_dir(ground.memory.path()).unwrap().map(|it| it.unwrap().path());
        let paths = paths.filter(|path| path.is_file());
        let mut notes: Vec<_> = paths.map(|path| fs::read_to_string(path).unwrap()).collect();
        notes.sort();
        notes
    };
    assert_eq!(aside(), std::slice::from_ref(&before.note));
    // Another one of the same size is lost later.
    let root = before.note.lines().nth(2).unwrap();
    let other = before.note.replacen(root, &format!("{}=", "A".repeat(43)), 1);
    log.folder.replace(seal::CHECKPOINT_PATH, other.as_bytes()).unwrap();
    ground.memory.keep(&log).unwrap();
    assert_eq!(ground.size(&log), Some(before.head.size));
    ground.memory.set_aside(&log.path).unwrap();
    let mut both = [before.note, other];
    both.sort();
    assert_eq!(aside(), both);
}

#[test]
fn a_memory_that_does_not_read_counts_as_none_and_is_written_anew() {
    let ground = Ground::new();
    let log = ground.make("a");
    ground.memory.keep(&log).unwrap();
    let path = ground.memory.path().join(file_of(&log.path));
    let whole = fs::read_to_string(&path).unwrap();
    for broken in ["", "{}", &whole[..whole.len() / 2]] {
        fs::write(&path, broken).unwrap();
        assert_eq!(ground.size(&log), None, "{broken:?}");
        ground.memory.keep(&log).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    }
}
