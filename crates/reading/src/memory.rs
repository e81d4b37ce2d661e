//! What is remembered of logs outside their folders: of each the newest checkpoint that was
//! published in its place, so that a folder which was put back is noticed before anything in it is
//! signed.
//!
//! A log is remembered by its place, whose name is the log's id: the same log restored somewhere
//! else is another copy, and says nothing about this one. Whoever can write to the memory can make
//! it forget; so what does not read counts as forgotten, and stops no log.

use crate::{LogFolder, ReadError};
use checkpoint::{Checkpoint, CheckpointText, Note};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use store::{DiskFolder, Folder as _};

/// Digits of a hash in the name of a file.
const HASH_DIGITS: usize = 16;

/// A folder in which logs are remembered; it need not exist.
#[derive(Clone, Debug)]
pub struct Memory {
    root: PathBuf,
}

/// What is remembered of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The newest checkpoint that was published here.
    pub head: Checkpoint,
    /// The same as it was signed.
    pub note: String,
}

impl Memory {
    /// The memory in a folder. Nothing is read.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// What is remembered of the log at this place, if anything that reads is.
    #[must_use]
    pub fn of(&self, log: &Path) -> Option<Remembered> {
        remembered(self.folder().read(&file_of(log)).ok()?)
    }

    /// Remembers the checkpoint that is published now, unless a newer one is remembered.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn keep(&self, log: &LogFolder) -> Result<(), ReadError> {
        let published = log.folder.read(seal::CHECKPOINT_PATH)?;
        let Some(Remembered { head, note }) = remembered(published) else { return Ok(()) };
        if self.of(&log.path).is_some_and(|before| before.head.size >= head.size) {
            return Ok(());
        }
        Ok(self.folder().replace(&file_of(&log.path), note.as_bytes())?)
    }

    /// Forgets the log at this place, since somebody decided that another state of it goes on
    /// there. The checkpoint that was remembered is kept aside: it is evidence.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_aside(&self, log: &Path) -> Result<(), ReadError> {
        let Some(before) = self.of(log) else { return Ok(()) };
        let (folder, file) = (self.folder(), file_of(log));
        // Of the same size another one may have been lost before.
        let aside = format!("{file}.{}-{}.aside", before.head.size, digits(before.note.as_bytes()));
        folder.replace(&aside, before.note.as_bytes())?;
        folder.remove(&file)?;
        // Only then the name is gone for good, too.
        Ok(folder.sync(&[aside])?)
    }

    fn folder(&self) -> DiskFolder {
        DiskFolder::new(&self.root)
    }
}

/// What a published checkpoint says, whoever signed it.
fn remembered(bytes: Option<Vec<u8>>) -> Option<Remembered> {
    let note = String::from_utf8(bytes?).ok()?;
    let head = CheckpointText::parse(Note::parse(&note).ok()?.text()).ok()?.checkpoint;
    Some(Remembered { head, note })
}

/// The name under which a place is remembered, whichever way the place is spelled, and also before
/// a log is there.
fn file_of(log: &Path) -> String {
    let known = |path: &Path| path.canonicalize().ok();
    let by_parent = || Some(known(log.parent()?)?.join(log.file_name()?));
    let place = known(log).or_else(by_parent).unwrap_or_else(|| log.to_owned());
    let id = place.file_name().map(|name| name.to_string_lossy().into_owned());
    format!("{}-{}", id.unwrap_or_default(), digits(place.as_os_str().as_encoded_bytes()))
}

/// The beginning of a hash, for a name.
fn digits(bytes: &[u8]) -> String {
    let mut hash = hex::encode(Sha256::digest(bytes));
    hash.truncate(HASH_DIGITS);
    hash
}

#[cfg(test)]
mod tests;
