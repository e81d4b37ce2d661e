//! A folder in which some files take their time: whoever writes them waits until they are let go.
//! Or they are refused until then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use store::{Folder, Lock, MemoryFolder, StoreError, WriteFile};

/// The files that wait, and whether they still do.
pub(crate) struct Hold {
    path: &'static str,
    /// They are refused, and nothing waits.
    refuses: bool,
    is_reached: AtomicBool,
    is_free: Mutex<bool>,
    freed: Condvar,
}

impl Hold {
    /// Holds the writing of the file `path`, or of all in that folder.
    pub(crate) fn of(path: &'static str) -> Arc<Self> {
        Self::new(path, false)
    }

    /// Refuses the writing of whatever begins with `path`.
    pub(crate) fn refusing(path: &'static str) -> Arc<Self> {
        Self::new(path, true)
    }

    fn new(path: &'static str, refuses: bool) -> Arc<Self> {
        let (is_reached, is_free) = (AtomicBool::new(false), Mutex::new(false));
        Arc::new(Self { path, refuses, is_reached, is_free, freed: Condvar::new() })
    }

    /// Whether somebody waits to write it.
    pub(crate) fn is_reached(&self) -> bool {
        self.is_reached.load(Ordering::Acquire)
    }

    /// Lets it be written once the value that is given goes, also when the test has failed.
    pub(crate) fn until_dropped(self: &Arc<Self>) -> Freeing {
        Freeing(Arc::clone(self))
    }

    fn free(&self) {
        *self.is_free.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.freed.notify_all();
    }

    /// Waits, or refuses, if it is about this path.
    fn meet(&self, path: &str) -> Result<(), StoreError> {
        let is_free = *self.is_free.lock().unwrap_or_else(PoisonError::into_inner);
        if self.refuses && !is_free && path.starts_with(self.path) {
            let source = std::io::Error::other("refused");
            return Err(StoreError::Io { action: "write", path: path.to_owned(), source });
        }
        let rest = path.strip_prefix(self.path);
        if !self.refuses && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            self.wait();
        }
        Ok(())
    }

    fn wait(&self) {
        self.is_reached.store(true, Ordering::Release);
        let is_free = self.is_free.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.freed.wait_while(is_free, |is_free| !*is_free));
    }
}

/// Frees a hold when it goes.
pub(crate) struct Freeing(Arc<Hold>);

impl Drop for Freeing {
    fn drop(&mut self) {
        self.0.free();
    }
}

struct Held {
    inner: MemoryFolder,
    hold: Arc<Hold>,
}

/// The folder in which `hold` holds its file.
pub(crate) fn holding(memory: &MemoryFolder, hold: &Arc<Hold>) -> Arc<dyn Folder> {
    Arc::new(Held { inner: memory.clone(), hold: Arc::clone(hold) })
}

impl Folder for Held {
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
        self.hold.meet(path)?;
        self.inner.write(path, bytes)
    }
    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        self.inner.sync(paths)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.hold.meet(path)?;
        self.inner.replace(path, bytes)
    }
    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.inner.remove(path)
    }
    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        self.hold.meet(path)?;
        self.inner.open(path)
    }
    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        self.inner.lock(path)
    }
}
