//! A segment's file: written from the front to the back, and read at any offset. The only place
//! where `segment` meets `store`.

use segment::Source;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Folder, StoreError, WriteFile};

/// Bytes gathered before they are written: a write past the page cache is best when it is large.
const CHUNK_BYTES: usize = 1 << 20;

/// A file that grows at its end. Clones share it, because the Parquet writer keeps what it writes
/// into.
#[derive(Clone)]
pub(crate) struct Output(Arc<Mutex<Growing>>);

struct Growing {
    file: Box<dyn WriteFile>,
    /// Bytes that the file has; what is in `waiting` comes behind them.
    written: u64,
    waiting: Vec<u8>,
}

impl Output {
    pub(crate) fn create(folder: &dyn Folder, path: &str) -> Result<Self, StoreError> {
        let file = folder.open(path)?;
        Ok(Self(Arc::new(Mutex::new(Growing { file, written: 0, waiting: Vec::new() }))))
    }

    /// Writes what waits and makes all of it durable; returns how long the file is.
    pub(crate) fn finish(&self) -> Result<u64, StoreError> {
        let mut growing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        growing.write_waiting()?;
        let length = growing.written;
        growing.file.set_size(length)?;
        growing.file.sync()?;
        Ok(length)
    }
}

impl Growing {
    fn write_waiting(&mut self) -> Result<(), StoreError> {
        self.file.write_at(self.written, &self.waiting)?;
        self.written += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut growing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        growing.waiting.extend_from_slice(bytes);
        if growing.waiting.len() >= CHUNK_BYTES {
            growing.write_waiting().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    /// Nothing: [`Output::finish`] says when bytes must be in the file.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A segment's file, to read.
pub(crate) struct Input {
    folder: Arc<dyn Folder>,
    path: String,
    size: u64,
}

impl Input {
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Io`].
    pub(crate) fn open(folder: &Arc<dyn Folder>, path: &str) -> Result<Self, StoreError> {
        let missing = || StoreError::Missing { path: path.to_owned() };
        let size = folder.size(path)?.ok_or_else(missing)?;
        Ok(Self { folder: Arc::clone(folder), path: path.to_owned(), size })
    }
}

impl Source for Input {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.folder.read_at(&self.path, offset, buffer).map_err(io::Error::other)
    }
}
