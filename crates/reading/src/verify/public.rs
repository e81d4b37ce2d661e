//! The public files of a folder, as `prove` wants them.

use super::files::{Files, LEDGER_FOLDER, TILE_FOLDER};
use prove::{PublicLog, ReadError};
use std::io::ErrorKind;
use store::{Folder, StoreError};

/// Room for a file from this size on is not made before it is known to be needed, in bytes.
const LARGE_BYTES: usize = 32 << 10;

/// The public files of a log, but for documents of the ledger that a crash may have torn: those are
/// judged in `verify/segments.rs`.
pub(super) struct PublicFiles<'f> {
    folder: &'f dyn Folder,
    files: &'f Files,
}

impl<'f> PublicFiles<'f> {
    pub(super) fn new(folder: &'f dyn Folder, files: &'f Files) -> Self {
        Self { folder, files }
    }

    /// Bytes of a file; 0 when there is none.
    fn size(&self, path: &str) -> Result<usize, ReadError> {
        let size = self.folder.size(path).map_err(|error| ReadError(error.to_string()))?;
        Ok(size.map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX)))
    }
}

impl PublicLog for PublicFiles<'_> {
    fn read(&mut self, path: &str, limit: usize, out: &mut Vec<u8>) -> Result<bool, ReadError> {
        let start = out.len();
        let limit = match limit {
            LARGE_BYTES.. => self.size(path)?.min(limit),
            _ => limit,
        };
        out.resize(start.saturating_add(limit), 0);
        let buffer = out.get_mut(start..).unwrap_or_default();
        match self.folder.read_at(path, 0, buffer) {
            Ok(count) => {
                out.truncate(start.saturating_add(count));
                Ok(true)
            }
            Err(error) => {
                out.truncate(start);
                if is_no_file(&error) { Ok(false) } else { Err(ReadError(error.to_string())) }
            }
        }
    }

    fn list(&mut self, each: &mut dyn FnMut(&str)) -> Result<(), ReadError> {
        let torn = &self.files.shelf.torn;
        let is_public = |path: &&String| {
            path.starts_with(TILE_FOLDER)
                || path.starts_with(LEDGER_FOLDER) && !torn.iter().any(|torn| torn.path == **path)
        };
        self.files.listing.iter().filter(is_public).for_each(|path| each(path));
        Ok(())
    }
}

/// Whether there is no file of that name: nothing, or a folder.
fn is_no_file(error: &StoreError) -> bool {
    match error {
        StoreError::Missing { .. } => true,
        StoreError::Io { source, .. } => {
            matches!(source.kind(), ErrorKind::IsADirectory | ErrorKind::NotADirectory)
        }
        _ => false,
    }
}
