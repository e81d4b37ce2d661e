//! A writer that does something at the worst moment of a copy, whichever that is.

use super::*;
use crate::terminal::Terminal;
use event::Event;
use keys::{Kek, KekOrigin, SecretKey, SystemEntropy};
use prove::Verdict;
use reading::verify::{Options as Check, verify};
use seal::{Batch, Identity, NewLog, Options, Writer};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use store::{DiskFolder, Folder, Lock, MemoryFolder, Reservation, WriteFile};

fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

/// Appends to a journal file of its own, and publishes.
fn append(writer: &mut Writer, name: &str) {
    writer.end_journal_file();
    let line = format!(r#"{{"event_id":"{name}","event_type":"agent.decision"}}"#);
    let event = writer.redactor().redact(Event::from_json(line.as_bytes()).unwrap());
    let batch = Batch::encode([event], writer.fingerprints(), &SystemEntropy::new(), 0).unwrap();
    writer.commit(vec![batch]).unwrap();
    writer.publish().unwrap();
}

fn roll(writer: &mut Writer) {
    writer.roll().unwrap();
}

fn append_one(writer: &mut Writer) {
    append(writer, "meanwhile");
}

fn append_and_roll(writer: &mut Writer) {
    append(writer, "meanwhile");
    writer.roll().unwrap();
}

/// A folder in which the writer does something just before the call with this number.
struct Watched {
    inner: MemoryFolder,
    writer: Arc<Mutex<Writer>>,
    act: fn(&mut Writer),
    left: Mutex<usize>,
}

impl Watched {
    fn step(&self) {
        let mut left = self.left.lock().unwrap();
        let is_now = *left == 1;
        *left = left.saturating_sub(1);
        drop(left);
        if is_now {
            (self.act)(&mut self.writer.lock().unwrap());
        }
    }
}

impl Folder for Watched {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.step();
        self.inner.list(path)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.step();
        self.inner.read(path)
    }
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.step();
        self.inner.read_at(path, offset, buffer)
    }
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.step();
        self.inner.size(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.inner.write(path, bytes)
    }
    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        self.inner.sync(paths)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.inner.replace(path, bytes)
    }
    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.inner.remove(path)
    }
    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        self.inner.open(path)
    }
    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        self.inner.lock(path)
    }
}

/// A log whose first records lie in segments; two journal files wait to be rolled.
fn log(act: fn(&mut Writer), call: usize) -> (LogFolder, Arc<Watched>) {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let options = Options { reservation: Reservation::Off, ..Options::system() };
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek(), [1; 16], &options).unwrap();
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    append(&mut writer, "a");
    append(&mut writer, "b");
    writer.roll().unwrap();
    append(&mut writer, "c");
    append(&mut writer, "d");
    let writer = Arc::new(Mutex::new(writer));
    let watched = Arc::new(Watched { inner: memory, writer, act, left: Mutex::new(call) });
    let bytes = folder.read(seal::IDENTITY_PATH).unwrap().unwrap();
    let identity = Identity::parse(&bytes).unwrap();
    let folder = Arc::clone(&watched) as Arc<dyn Folder>;
    (LogFolder { path: PathBuf::new(), identity, folder }, watched)
}

/// The same files where nothing waits for a disk.
fn in_memory(path: &Path) -> Arc<dyn Folder> {
    let disk = DiskFolder::new(path);
    let paths = disk.list("").unwrap();
    let read = |path: String| (path.clone(), disk.read(&path).unwrap().unwrap());
    Arc::new(MemoryFolder::from_files(paths.into_iter().map(read).collect()))
}

#[test]
fn a_copy_is_whole_whatever_the_writer_does_in_between() {
    for act in [roll, append_one, append_and_roll] {
        // Until the copy takes fewer calls than that.
        for call in 1.. {
            let (log, watched) = log(act, call);
            let to = tempfile::tempdir().unwrap();
            let mut progress = Terminal::new(true).progress("files");
            let checkpoint = take(&log, to.path(), &mut progress).map_err(|it| it.to_string());
            let checkpoint = checkpoint.unwrap_or_else(|failure| panic!("{call}: {failure}"));
            let copy = in_memory(to.path());
            let report = verify(&copy, Some(&kek()), &Check::default(), &mut |_| {});
            assert_eq!(report.verdict(), Verdict::Ok, "{call}: {}", report.to_json());
            assert_eq!((report.size, report.unpublished), (checkpoint.size, 0), "{call}");
            let options = Options { reservation: Reservation::Off, ..Options::system() };
            let mut restored = seal::open(&copy, kek(), options).unwrap();
            append(&mut restored, "again");
            restored.close().unwrap();
            if *watched.left.lock().unwrap() > 0 {
                assert!(call > 20);
                break;
            }
        }
    }
}

#[test]
fn what_witnesses_saw_is_copied_unless_the_copy_ends_before_it() {
    let (log, watched) = log(append_one, 0);
    let copied = |size| cosigned(&watched.inner, size).unwrap();
    assert_eq!(copied(100), None);
    let note = log.folder.read(seal::CHECKPOINT_PATH).unwrap().unwrap();
    watched.inner.write(reading::COSIGNED_PATH, &note).unwrap();
    let seen = claimed(&note).map_err(|it| it.to_string()).unwrap().size;
    assert_eq!(copied(seen).map(|(_, bytes)| bytes), Some(note));
    assert_eq!(copied(seen - 1), None);
    watched.inner.replace(reading::COSIGNED_PATH, b"nothing that reads").unwrap();
    assert_eq!(copied(seen), None);
}

#[test]
fn a_copy_has_the_anchors_of_what_it_holds_and_no_other_file_there() {
    for (path, is_copied) in [
        ("anchors/00000000000000000009.checkpoint", true),
        ("anchors/00000000000000000008.tsa.tsr", true),
        ("anchors/00000000000000000010.tsa.tsr", false),
        ("anchors/note", false),
        ("00000000000000000009.checkpoint", false),
    ] {
        assert_eq!(is_covered(path, 9), is_copied, "{path}");
    }
}
