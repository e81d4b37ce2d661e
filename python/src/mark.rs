//! How far a producer came, in a file that outlives it: what a killed process had in memory is
//! counted by whoever opens the log next.
//!
//! Three numbers of 8 bytes, big-endian: the last number given to an event, the last that is
//! settled (sealed, or told as lost), and the size of the log then. They are written without a
//! sync, which a killed process survives and a power cut does not: there the count may be too low.
//! The file is locked while its process lives, and goes when that closes the log. It lies beside
//! the logs, in `<data>/producers/<log id>/<producer id>`, and of a log at a server in
//! `<spool>/<server and log>/producers/<producer id>`: it is no part of a log, and holds nothing of
//! an event.

use rustix::fs::FlockOperation;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// The folder of marks beside the logs of a data folder.
const FOLDER: &str = "producers";
const BYTES: usize = 24;
/// The extension of a mark that is being made.
const BEGUN: &str = "new";

/// The mark of this process.
pub(crate) struct Mark {
    file: File,
    path: PathBuf,
}

/// The mark of a process that ended without closing its log.
pub(crate) struct Left {
    pub(crate) producer: String,
    /// The last number given.
    pub(crate) given: u64,
    /// The last number settled.
    pub(crate) settled: u64,
    /// The size of the log then.
    pub(crate) size: u64,
    path: PathBuf,
    _locked: File,
}

impl Mark {
    /// A new mark for `producer` in `folder`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn create(folder: &Path, producer: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(producer);
        // Others take a mark without a process: it gets its name when it is locked.
        let begun = path.with_extension(BEGUN);
        let file = OpenOptions::new().write(true).create_new(true).open(&begun)?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        file.write_all_at(&[0; BYTES], 0)?;
        fs::rename(&begun, &path)?;
        Ok(Self { file, path })
    }

    /// Notes a number before its event is in memory only.
    pub(crate) fn give(&self, number: u64) {
        // What cannot be noted is not worth refusing the event for.
        let _ = self.file.write_all_at(&number.to_be_bytes(), 0);
    }

    /// Notes that everything up to a number is settled in a log of this size.
    pub(crate) fn settle(&self, number: u64, size: u64) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        bytes[8..].copy_from_slice(&size.to_be_bytes());
        let _ = self.file.write_all_at(&bytes, 8);
    }

    /// From here on whoever comes next may tell of it, though this process lives.
    pub(crate) fn release(&self) {
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }

    /// Everything is settled: nothing is to be found.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Left {
    /// What it said is in the log.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The marks of processes that are no more, in a folder.
pub(crate) fn left(folder: &Path) -> Vec<Left> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut left: Vec<Left> = listing.filter_map(|entry| read(&entry.ok()?.path())).collect();
    left.sort_by(|a, b| a.producer.cmp(&b.producer));
    left
}

fn read(path: &Path) -> Option<Left> {
    if path.extension().is_some_and(|extension| extension == BEGUN) {
        return None;
    }
    let file = File::open(path).ok()?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Somebody else may have told of it, and taken it away, while it was being opened.
    (fs::metadata(path).ok()?.ino() == file.metadata().ok()?.ino()).then_some(())?;
    let mut bytes = [0; BYTES];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let number = |at: usize| {
        let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
        eight.map(u64::from_be_bytes)
    };
    Some(Left {
        producer: path.file_name()?.to_str()?.to_owned(),
        given: number(0)?,
        settled: number(8)?,
        size: number(16)?,
        path: path.to_owned(),
        _locked: file,
    })
}

/// Where the marks of a log are that lies in a data folder.
pub(crate) fn beside(log: &Path) -> PathBuf {
    let data = log.parent().unwrap_or(log);
    data.join(FOLDER).join(log.file_name().unwrap_or_default())
}
