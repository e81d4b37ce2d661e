//! A folder in memory, for tests of what lies above; it never fails and never forgets.
//!
//! The one that does both on command is the simulator's.

use crate::error::StoreError;
use crate::folder::{Folder, Lock, WriteFile};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A folder in memory; clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryFolder {
    files: Files,
    locked: Arc<AtomicBool>,
}

fn lock_files(files: &Files) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryFolder {
    /// All files, to be changed at will by a test.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        lock_files(&self.files).clone()
    }

    /// A folder with these files.
    #[must_use]
    pub fn from_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files: Arc::new(Mutex::new(files)), locked: Arc::default() }
    }
}

impl Folder for MemoryFolder {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        Ok(lock_files(&self.files)
            .keys()
            .filter(|name| name.starts_with(&prefix))
            .cloned()
            .collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(lock_files(&self.files).get(path).cloned())
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let files = lock_files(&self.files);
        let bytes = files.get(path).ok_or_else(|| StoreError::Missing { path: path.to_owned() })?;
        let rest =
            usize::try_from(offset).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        Ok(lock_files(&self.files).get(path).map(|bytes| bytes.len() as u64))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        lock_files(&self.files).insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn sync(&self, _: &[String]) -> Result<(), StoreError> {
        Ok(())
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(path, bytes)
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        lock_files(&self.files).remove(path);
        Ok(())
    }

    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        lock_files(&self.files).entry(path.to_owned()).or_default();
        Ok(Box::new(MemoryFile { files: Arc::clone(&self.files), path: path.to_owned() }))
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        if self.locked.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Locked { path: path.to_owned() });
        }
        Ok(Box::new(MemoryLock(Arc::clone(&self.locked))))
    }
}

struct MemoryFile {
    files: Files,
    path: String,
}

impl WriteFile for MemoryFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let mut files = lock_files(&self.files);
        let file = files.entry(self.path.clone()).or_default();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(bytes.len());
        if file.len() < end {
            file.resize(end, 0);
        }
        file[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn set_size(&mut self, size: u64) -> Result<(), StoreError> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        lock_files(&self.files).entry(self.path.clone()).or_default().resize(size, 0);
        Ok(())
    }
}

struct MemoryLock(Arc<AtomicBool>);

impl Lock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
