//! Room on the disk that the server keeps for its logs' own records: a file in the data folder that
//! goes when others have taken all the rest.
//!
//! Events are refused while less than the reserve is left, but the reserve is everybody's: another
//! program can fill the disk to its last block. Then the logs could not even record who reads them,
//! and reading would have to stop. Not here: when events are refused (`open_log.rs`).

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Bytes that are kept: the own records of hours, their tiles, and what opening a log again takes.
const BALLAST_BYTES: u64 = 64 << 20;
/// It goes when less than this is left beside it.
const GIVEN_BACK_BELOW: u64 = 16 << 20;

/// The file, which may be there or not.
pub(crate) struct Ballast {
    path: PathBuf,
    /// Bytes that are to be left free in any case; 0 is a server that keeps nothing free.
    reserve: u64,
}

impl Ballast {
    /// The one of a data folder.
    pub(crate) fn of(folder: &Path, reserve: u64) -> Self {
        Self { path: folder.join(".ballast"), reserve }
    }

    /// Gives the room back when nothing else is left, and takes it again when there is plenty. To
    /// be called a few times a second.
    pub(crate) fn tend(&self) {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let Some(room) = room(folder) else { return };
        // What does not work now is tried again in a moment, and is no worse than no ballast.
        let _ = match self.path.symlink_metadata().is_ok() {
            true if room < GIVEN_BACK_BELOW => std::fs::remove_file(&self.path),
            false if room >= self.reserve.saturating_add(BALLAST_BYTES) && self.reserve > 0 => {
                self.take()
            }
            _ => Ok(()),
        };
    }

    fn take(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path)?;
        let taken = allocate(&file, BALLAST_BYTES);
        if taken.is_err() {
            let _ = std::fs::remove_file(&self.path);
        }
        taken
    }
}

/// Takes blocks of the disk without writing to them; where the system cannot, there is no ballast.
fn allocate(file: &std::fs::File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let flags = rustix::fs::FallocateFlags::empty();
        Ok(rustix::fs::fallocate(file, flags, 0, bytes)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, bytes);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Bytes that are free on the disk of a folder, if that can be told.
pub(crate) fn room(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_taken_only_where_more_than_the_reserve_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".ballast");
        for reserve in [0, u64::MAX] {
            Ballast::of(folder.path(), reserve).tend();
            assert!(!file.exists(), "{reserve}");
        }
        let ballast = Ballast::of(folder.path(), 1);
        ballast.tend();
        // A disk with less than 64 MiB left has no room for tests either.
        let metadata = file.metadata().unwrap();
        assert_eq!(metadata.len(), BALLAST_BYTES);
        ballast.tend();
        assert!(file.exists());
    }
}
