//! What is recorded of acts from outside, and a change of the key-encryption key that dies
//! anywhere.

use super::*;
use event::Principal;
use keys::Keyring;
use seal::Act;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Lock, StoreError, WriteFile};

fn other_kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([8; 32]), KekOrigin::File))
}

fn me() -> Principal<'static> {
    Principal { issuer: Some("os".into()), subject: Some("uid:1".into()), method: None }
}

/// A folder whose calls that change something fail after so many.
struct Dying {
    inner: MemoryFolder,
    left: Arc<AtomicUsize>,
}

/// The error of a machine that is gone.
fn gone() -> StoreError {
    let source = std::io::Error::other("the machine is gone");
    StoreError::Io { action: "write", path: String::new(), source }
}

/// Counts a call down.
fn spend(left: &AtomicUsize) -> Result<(), StoreError> {
    let spent = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    spent.map(|_| ()).map_err(|_| gone())
}

impl Folder for Dying {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.inner.list(path)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.read(path)
    }
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.inner.read_at(path, offset, buffer)
    }
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.inner.size(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        spend(&self.left)?;
        self.inner.write(path, bytes)
    }
    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        spend(&self.left)?;
        self.inner.sync(paths)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        spend(&self.left)?;
        self.inner.replace(path, bytes)
    }
    fn remove(&self, path: &str) -> Result<(), StoreError> {
        spend(&self.left)?;
        self.inner.remove(path)
    }
    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        spend(&self.left)?;
        let file = self.inner.open(path)?;
        Ok(Box::new(DyingFile { file, left: Arc::clone(&self.left) }))
    }
    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        self.inner.lock(path)
    }
}

struct DyingFile {
    file: Box<dyn WriteFile>,
    left: Arc<AtomicUsize>,
}

impl WriteFile for DyingFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        spend(&self.left)?;
        self.file.write_at(offset, bytes)
    }
    fn sync(&mut self) -> Result<(), StoreError> {
        spend(&self.left)?;
        self.file.sync()
    }
    fn set_size(&mut self, size: u64) -> Result<(), StoreError> {
        spend(&self.left)?;
        self.file.set_size(size)
    }
}

/// A rewrap that dies after so many calls: whether it got to its end, and what it left.
fn rewrap_dying_after(calls: usize) -> (bool, MemoryFolder) {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    append(&mut writer, 0..20);
    writer.close().unwrap();
    let left = Arc::new(AtomicUsize::new(calls));
    let dying: Arc<dyn Folder> = Arc::new(Dying { inner: memory.clone(), left });
    let outcome = seal::open(&dying, kek(), options()).and_then(|mut writer| {
        writer.rewrap(other_kek(), &me())?;
        writer.close()
    });
    (outcome.is_ok(), MemoryFolder::from_files(memory.snapshot()))
}

#[test]
fn a_rewrap_that_dies_anywhere_leaves_a_log_that_exactly_one_key_opens() {
    let (mut by_old, mut by_new, mut calls) = (0, 0, 0);
    loop {
        let (ended, memory) = rewrap_dying_after(calls);
        let keyring = memory.snapshot()["keyring"].clone();
        let opens = [kek(), other_kek()].map(|kek| Keyring::open(&keyring, &kek).is_ok());
        assert_ne!(opens[0], opens[1], "{calls}");
        let right = if opens[0] { kek() } else { other_kek() };
        if opens[0] {
            by_old += 1
        } else {
            by_new += 1
        }
        let folder: Arc<dyn Folder> = Arc::new(memory);
        let mut writer = seal::open(&folder, right, options()).unwrap();
        assert_eq!(indexes(&append(&mut writer, 0..20)).len(), 20);
        writer.close().unwrap();
        if ended {
            assert!(opens[1]);
            break;
        }
        calls += 1;
    }
    assert!(by_old > 2 && by_new > 2, "{by_old} {by_new}");
}

#[test]
fn the_old_key_is_refused_after_a_rewrap_and_the_new_one_writes_on() {
    let (_, folder) = fresh();
    let mut writer = open(&folder);
    writer.rewrap(other_kek(), &me()).unwrap();
    append(&mut writer, 0..3);
    // A new journal file stores the keyring again, by the new key.
    writer.end_journal_file();
    append(&mut writer, 3..6);
    writer.close().unwrap();
    assert!(seal::open(&folder, kek(), options()).is_err());
    let writer = seal::open(&folder, other_kek(), options()).unwrap();
    assert!(writer.size() > 9);
}

#[test]
fn an_act_is_published_when_it_was_recorded() {
    let (_, folder) = fresh();
    let mut writer = open(&folder);
    let before = writer.size();
    let size = writer.record(Act::Export(serde_json::json!({ "format": "csv" })), &me()).unwrap();
    assert_eq!((size, writer.published()), (before + 2, before + 2), "start and export");
    let size = writer.record(Act::Export(serde_json::json!({ "format": "csv" })), &me()).unwrap();
    assert_eq!((size, writer.published()), (before + 3, before + 3));
}
