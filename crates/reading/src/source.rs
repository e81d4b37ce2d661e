//! A file of the log's folder as the bytes of a segment.
//!
//! Not here: what the bytes mean (`segment`), and which files are read (`shelf.rs`).

use segment::Source;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use store::{Folder, StoreError};

/// A file that does not change while it is read.
pub(crate) struct FileSource {
    folder: Arc<dyn Folder>,
    path: Arc<str>,
    bytes: u64,
}

impl FileSource {
    /// The file at `path`; `None` when there is none.
    pub(crate) fn open(folder: &Arc<dyn Folder>, path: &Arc<str>) -> Option<Self> {
        let bytes = folder.size(path).ok()??;
        Some(Self { folder: Arc::clone(folder), path: Arc::clone(path), bytes })
    }
}

impl Source for FileSource {
    fn size(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.folder.read_at(&self.path, offset, buffer).map_err(|error| match error {
            StoreError::Io { source, .. } => source,
            StoreError::Missing { .. } => Error::from(ErrorKind::NotFound),
            other => Error::other(other.to_string()),
        })
    }
}
