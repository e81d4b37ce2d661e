//! A folder on a machine that dies after so many calls: nothing changes any more from there on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Folder, Lock, MemoryFolder, StoreError, WriteFile};

/// A folder whose calls that change something fail after so many.
struct Dying {
    inner: MemoryFolder,
    left: Arc<AtomicUsize>,
}

/// The folder on a machine that dies after so many calls.
pub(crate) fn dying_after(memory: &MemoryFolder, calls: usize) -> Arc<dyn Folder> {
    Arc::new(Dying { inner: memory.clone(), left: Arc::new(AtomicUsize::new(calls)) })
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
