//! The folder of what is done beside the writer (`background.rs`): it can be told that nobody wants
//! the outcome any more, and ends with the next look at a file.
//!
//! After a failed write the log is opened again, for which everybody must have let go of it. What
//! runs at the lowest priority would take as long as others leave it, and what it makes could not
//! be announced.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::{Folder, Lock, Scratch, StoreError, WriteFile};

/// Whether something was given up; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct GivenUp(Arc<AtomicBool>);

/// A folder until then.
struct Interruptible {
    folder: Arc<dyn Folder>,
    given_up: GivenUp,
}

impl GivenUp {
    /// Nobody wants it any more.
    pub(crate) fn give_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// The same folder, until it is given up.
    pub(crate) fn guard(&self, folder: Arc<dyn Folder>) -> Arc<dyn Folder> {
        Arc::new(Interruptible { folder, given_up: self.clone() })
    }
}

impl Interruptible {
    fn go_on(&self, path: &str) -> Result<&dyn Folder, StoreError> {
        if !self.given_up.0.load(Ordering::Relaxed) {
            return Ok(&*self.folder);
        }
        let source = io::Error::other("the log is being closed after a failed write");
        Err(StoreError::Io { action: "go on with", path: path.to_owned(), source })
    }
}

impl Folder for Interruptible {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.go_on(path)?.list(path)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.go_on(path)?.read(path)
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.go_on(path)?.read_at(path, offset, buffer)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.go_on(path)?.size(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.go_on(path)?.write(path, bytes)
    }

    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        let first = paths.first().map(String::as_str).unwrap_or_default();
        self.go_on(first)?.sync(paths)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.go_on(path)?.replace(path, bytes)
    }

    /// Whatever was begun is cleared away.
    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.folder.remove(path)
    }

    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        self.go_on(path)?.open(path)
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        self.go_on(path)?.lock(path)
    }

    fn scratch(&self) -> Result<Box<dyn Scratch>, StoreError> {
        self.go_on("cache")?.scratch()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::MemoryFolder;

    #[test]
    fn what_was_given_up_reads_and_writes_no_more_and_clears_away_what_it_began() {
        let memory = MemoryFolder::default();
        let given_up = GivenUp::default();
        let folder = given_up.guard(Arc::new(memory.clone()));
        folder.write("a", b"1").unwrap();
        assert_eq!(folder.read("a").unwrap(), Some(b"1".to_vec()));
        given_up.give_up();
        assert!(folder.read("a").is_err() && folder.read_at("a", 0, &mut [0]).is_err());
        assert!(folder.size("a").is_err() && folder.list("").is_err());
        assert!(folder.write("b", b"2").is_err() && folder.replace("b", b"2").is_err());
        assert!(folder.open("b").is_err() && folder.lock("b").is_err());
        assert!(folder.scratch().is_err());
        assert!(folder.sync(&["a".to_owned()]).is_err());
        folder.remove("a").unwrap();
        assert!(memory.list("").unwrap().is_empty());
    }
}
