//! A file for the user that appears whole or not at all: written under a temporary name beside it,
//! synced, renamed.
//!
//! Not here: files of a log (`store`), which are nobody else's.

use crate::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file on its way. Dropped before [`WholeFile::place`], it leaves nothing.
pub(crate) struct WholeFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    placed: bool,
}

impl WholeFile {
    /// Begins a file that only its owner can read.
    pub(crate) fn begin(path: &Path) -> Result<Self, Failure> {
        // A device would be replaced by a file of its name.
        if std::fs::metadata(path).is_ok_and(|it| !it.is_file()) {
            return Err(Failure::new(format!("{} is not a file; name one", path.display())));
        }
        let Some(name) = path.file_name() else {
            return Err(Failure::usage(format!("{} names no file", path.display())));
        };
        let hidden = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
        let temporary = path.with_file_name(hidden);
        let open = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Of a process of the same number that died: nobody else has this name.
                std::fs::remove_file(&temporary).map_err(Failure::io("remove", &temporary))?;
                open()
            }
            other => other,
        };
        let file = file.map_err(Failure::io("create", &temporary))?;
        Ok(Self { path: path.to_owned(), temporary, file, placed: false })
    }

    /// Where its bytes go.
    pub(crate) fn writer(&self) -> Result<File, Failure> {
        self.file.try_clone().map_err(Failure::io("write", &self.temporary))
    }

    /// Makes its bytes durable.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        self.file.sync_all().map_err(Failure::io("sync", &self.temporary))
    }

    /// Where its bytes are until it has its name.
    pub(crate) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Writes everything at once.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(Failure::io("write", &self.temporary))
    }

    /// Gives it its name, in place of what had it before.
    pub(crate) fn place(mut self) -> Result<(), Failure> {
        std::fs::rename(&self.temporary, &self.path).map_err(Failure::io("write", &self.path))?;
        self.placed = true;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder).and_then(|it| it.sync_all()).map_err(Failure::io("sync", folder))
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be removed has a hidden name, and says what it is by it.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path(), Path::new("/dev/null"), Path::new("/")] {
            assert!(WholeFile::begin(path).is_err(), "{}", path.display());
        }
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        let mut file = WholeFile::begin(&path).unwrap();
        file.write(b"half").unwrap();
        drop(file);
        assert_eq!(names(), 0);
        std::fs::write(&path, "before").unwrap();
        let mut file = WholeFile::begin(&path).unwrap();
        file.write(b"whole").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        file.place().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(), 1);
    }
}
