//! The contract of a folder that holds one log, as few operations as the log needs.
//!
//! Consistency: after an operation returns, every later operation of this process sees its effect.
//! Durability: only [`WriteFile::sync`], [`Folder::sync`] and [`Folder::replace`] make anything
//! survive a power cut; everything else may be lost, in any order and in part, until one of them
//! returned. Paths are relative, with `/`, made by this program and never by a user.
//!
//! The real one is `disk`; the simulator brings one that lies, tears and fails on command.

use crate::error::StoreError;
use std::io::ErrorKind;

/// The unit in which a file open for appending may grow.
pub const BLOCK_BYTES: u64 = 4096;

/// One log's folder.
pub trait Folder: Send + Sync {
    /// All files below `path` (`""` for all), as paths relative to the log's folder, sorted. A
    /// folder that does not exist is empty.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError>;

    /// A whole file, or `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Fills `buffer` from `offset` on and returns how many bytes there were (less only at the
    /// end).
    ///
    /// # Errors
    /// [`StoreError::Io`]; [`StoreError::Missing`].
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError>;

    /// Bytes of a file, or `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError>;

    /// Writes a whole file, with its parent folders; whoever reads meanwhile sees all of it or
    /// none. Not durable until [`Folder::sync`].
    ///
    /// # Errors
    /// [`StoreError::Io`]; nothing of the file is visible then.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Makes these files, and the names that lead to them, durable.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the caller must treat all of them as lost.
    fn sync(&self, paths: &[String]) -> Result<(), StoreError>;

    /// Replaces a file durably and atomically: after a crash it holds the old bytes or the new
    /// ones.
    ///
    /// # Errors
    /// [`StoreError::Io`]: either of the two may be there.
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Removes a file; one that is not there is no error. Not durable by itself.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn remove(&self, path: &str) -> Result<(), StoreError>;

    /// Opens a file for appending, creating it (with its parent folders, durably) when it is not
    /// there.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError>;

    /// Takes the log for writing until the lock is dropped, or the process dies.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when somebody else has it; [`StoreError::Io`].
    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError>;

    /// A new file without a name, for what need not outlive whoever writes it: beside the log where
    /// that lies on a disk, otherwise in memory.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn scratch(&self) -> Result<Box<dyn Scratch>, StoreError> {
        Ok(Box::new(Vec::new()))
    }
}

/// A file open for appending. After any error it must be dropped: what it holds is then unknown.
pub trait WriteFile: Send {
    /// Writes all bytes at `offset`, extending the file as needed. Up to [`BLOCK_BYTES`] behind
    /// them may be overwritten by zeros: whoever appends writes from the front to the back.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// [`StoreError::Io`]: final for this file; syncing again may succeed without the data being
    /// there.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// Cuts or extends the file to this many bytes.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn set_size(&mut self, size: u64) -> Result<(), StoreError>;
}

/// A file that nobody else can open and that is gone when it is dropped, or the process dies. What
/// lies between written bytes reads as zeros.
pub trait Scratch: Send {
    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// [`StoreError::Io`], also where the file ends before.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError>;

    /// Writes all bytes at `offset`, extending the file as needed.
    ///
    /// # Errors
    /// [`StoreError::Io`]: what these bytes replaced may be there in parts.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError>;
}

/// What messages call a file without a name.
pub(crate) const SCRATCH: &str = "cache/(a file without a name)";

impl Scratch for Vec<u8> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        match self.get(start..).and_then(|rest| rest.get(..buffer.len())) {
            Some(bytes) => buffer.copy_from_slice(bytes),
            None => return Err(StoreError::io("read", SCRATCH)(ErrorKind::UnexpectedEof.into())),
        }
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(bytes.len());
        if self.len() < end {
            self.resize(end, 0);
        }
        self[start..end].copy_from_slice(bytes);
        Ok(())
    }
}

/// A held lock; dropping it lets others write.
pub trait Lock: Send {}
