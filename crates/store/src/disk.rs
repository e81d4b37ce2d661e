//! A log's folder on a local file system.
//!
//! New files appear by rename, so that a process that dies in the middle leaves no half file under
//! a real name. Names become durable by syncing the folder that holds them, up to the log's own
//! folder.

use crate::direct::DirectFile;
use crate::error::StoreError;
use crate::folder::{Folder, Lock, SCRATCH, Scratch, WriteFile};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Above this many files one `syncfs` is cheaper than a sync each (measured: about 0.2 ms a small
/// file); below it, syncing each leaves other programs' dirty pages alone.
const SYNC_EACH_FILES_MAX: usize = 48;

/// Suffix of files that are being written; left-overs of a crash are ignored and removed.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// The folder whose files are no part of the log: temporaries, and what can be rebuilt.
pub const CACHE_FOLDER: &str = "cache";

/// Temporaries are made in a folder of their own, a new one for every so many. A file system places
/// a file near the folder that it was made in, and looks for room there from the front: ext4
/// without a journal passes over everything that was deleted in the last minutes, one by one
/// (`recently_deleted` in fs/ext4/ialloc.c), which made a file cost up to 0.6 ms.
const NEST_FILES: u64 = 512;

/// How the names of these folders begin.
const NEST_PREFIX: &str = "new-";

/// A folder on disk.
#[derive(Debug)]
pub struct DiskFolder {
    root: PathBuf,
}

/// Temporaries of this process so far: their names must differ, whoever makes them.
static TEMPORARIES: AtomicU64 = AtomicU64::new(0);

/// Freeing the blocks of a file of 256 MiB takes some 50 ms (ext4), and whoever removes one has
/// appends waiting. From this size on another thread does it.
const SLOW_TO_FREE_BYTES: u64 = 16 << 20;

/// How often a nest that another removed is made again before that is an error.
const NEST_ATTEMPTS: u32 = 16;

impl DiskFolder {
    /// The folder at `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it lies.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn parents(&self, path: &str) -> io::Result<()> {
        match self.at(path).parent() {
            Some(parent) => fs::create_dir_all(parent),
            None => Ok(()),
        }
    }

    /// Writes a temporary file, away from everything that is accounted for, and hands it out open.
    fn temporary(&self, bytes: &[u8]) -> io::Result<(PathBuf, File)> {
        let number = TEMPORARIES.fetch_add(1, Ordering::Relaxed);
        let nest = self.at(CACHE_FOLDER).join(nest_name(number / NEST_FILES));
        let name = nest.join(format!("{number}{TEMPORARY_SUFFIX}"));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        let open = || options.open(&name);
        let mut opened = open();
        // Others tidy up as well, and may take an empty nest away before anything lies in it.
        for _ in 0..NEST_ATTEMPTS {
            if !opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                break;
            }
            self.make_nest(&nest, number / NEST_FILES)?;
            opened = open();
        }
        let file = opened?;
        let written = file.write_all_at(bytes, 0);
        if let Err(error) = written {
            let _ = fs::remove_file(&name);
            return Err(error);
        }
        Ok((name, file))
    }

    /// Makes a folder for the next temporaries, and removes those that nothing lies in any more.
    fn make_nest(&self, nest: &Path, number: u64) -> io::Result<()> {
        let cache = self.at(CACHE_FOLDER);
        fs::create_dir_all(&cache)?;
        spread(&cache);
        fs::create_dir_all(nest)?;
        // Other threads of this process are in this one, in the one before, or in the next.
        let in_use = [number.saturating_sub(1), number, number + 1].map(nest_name);
        for entry in fs::read_dir(&cache)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(NEST_PREFIX) && !in_use.contains(&name) {
                // One that something lies in stays; whoever loses one makes it again.
                let _ = fs::remove_dir(entry.path());
            }
        }
        Ok(())
    }

    /// Gives a temporary file its real name, making the folders that lead to it.
    fn rename(&self, temporary: &Path, path: &str) -> io::Result<()> {
        match fs::rename(temporary, self.at(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.parents(path)?;
                fs::rename(temporary, self.at(path))
            }
            other => other,
        }
    }

    /// Syncs every folder from the one holding `path` up to the root, each once.
    fn sync_names<'p>(&self, paths: impl Iterator<Item = &'p str>) -> io::Result<()> {
        let mut folders = BTreeSet::new();
        for path in paths {
            let mut rest = path;
            while let Some((parent, _)) = rest.rsplit_once('/') {
                folders.insert(parent);
                rest = parent;
            }
        }
        folders.insert("");
        folders.into_iter().rev().try_for_each(|folder| File::open(self.at(folder))?.sync_all())
    }
}

/// The name of a nest of this process.
fn nest_name(number: u64) -> String {
    format!("{NEST_PREFIX}{}-{number}", std::process::id())
}

/// Has the folders that are made in this one placed apart from each other, where the file system
/// knows how (chattr(1), attribute T).
fn spread(folder: &Path) {
    #[cfg(target_os = "linux")]
    if let Ok(file) = File::open(folder)
        && let Ok(flags) = rustix::fs::ioctl_getflags(&file)
    {
        // A wish: other file systems refuse it, and work without.
        let _ = rustix::fs::ioctl_setflags(&file, flags | rustix::fs::IFlags::TOPDIR);
    }
}

impl Folder for DiskFolder {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        let mut files = Vec::new();
        let mut folders = vec![path.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(self.at(&folder)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(StoreError::io("list", &folder)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(StoreError::io("list", &folder))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                let kind = entry.file_type().map_err(StoreError::io("list", &path))?;
                if kind.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        Ok(files)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match fs::read(self.at(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(StoreError::io("read", path)(error)),
        }
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let file = match File::open(self.at(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StoreError::Missing { path: path.to_owned() });
            }
            Err(error) => return Err(StoreError::io("open", path)(error)),
        };
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(StoreError::io("read", path)(error)),
            }
        }
        Ok(filled)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match fs::metadata(self.at(path)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("look at", path)(error)),
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (temporary, _) = self.temporary(bytes).map_err(StoreError::io("write", path))?;
        self.rename(&temporary, path).map_err(|error| {
            let _ = fs::remove_file(&temporary);
            StoreError::io("rename", path)(error)
        })
    }

    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        let Some(first) = paths.first() else { return Ok(()) };
        if cfg!(target_os = "linux") && paths.len() > SYNC_EACH_FILES_MAX {
            let root = File::open(&self.root).map_err(StoreError::io("open", ""))?;
            return rustix::fs::syncfs(&root)
                .map_err(|error| StoreError::io("sync", first)(error.into()));
        }
        for path in paths {
            let file = File::open(self.at(path)).map_err(StoreError::io("open", path))?;
            file.sync_all().map_err(StoreError::io("sync", path))?;
        }
        self.sync_names(paths.iter().map(String::as_str))
            .map_err(StoreError::io("sync the folder of", first))
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (temporary, file) = self.temporary(bytes).map_err(StoreError::io("write", path))?;
        let synced = file
            .sync_all()
            .map_err(StoreError::io("sync", path))
            .and_then(|()| self.rename(&temporary, path).map_err(StoreError::io("rename", path)));
        if let Err(error) = synced {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        self.sync_names(std::iter::once(path)).map_err(StoreError::io("sync the folder of", path))
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        let at = self.at(path);
        let is_large = fs::symlink_metadata(&at).is_ok_and(|it| it.len() >= SLOW_TO_FREE_BYTES);
        let open = is_large.then(|| File::open(&at).ok()).flatten();
        let removed = fs::remove_file(&at);
        if let Some(file) = open {
            // Whoever closes it last frees its blocks. Without a thread that is this one.
            let _ = std::thread::Builder::new().name("free".to_owned()).spawn(|| drop(file));
        }
        match removed {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::io("remove", path)(error)),
        }
    }

    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        let new = self.size(path)?.is_none();
        if new {
            self.parents(path).map_err(StoreError::io("create the folder of", path))?;
            let created =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.at(path));
            created.and_then(|file| file.sync_all()).map_err(StoreError::io("create", path))?;
            self.sync_names(std::iter::once(path))
                .map_err(StoreError::io("sync the folder of", path))?;
        }
        DirectFile::open(&self.at(path), path)
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        let file = match File::open(self.at(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StoreError::Missing { path: path.to_owned() });
            }
            Err(error) => return Err(StoreError::io("open", path)(error)),
        };
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Box::new(DiskLock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked { path: path.to_owned() }),
            Err(error) => Err(StoreError::io("lock", path)(error.into())),
        }
    }

    fn scratch(&self) -> Result<Box<dyn Scratch>, StoreError> {
        let unnamed = self.temporary(&[]).and_then(|(name, file)| {
            fs::remove_file(name)?;
            Ok(Unnamed(file))
        });
        Ok(Box::new(unnamed.map_err(StoreError::io("create", SCRATCH))?))
    }
}

struct Unnamed(File);

impl Scratch for Unnamed {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        self.0.read_exact_at(buffer, offset).map_err(StoreError::io("read", SCRATCH))
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write_all_at(bytes, offset).map_err(StoreError::io("write", SCRATCH))
    }
}

struct DiskLock {
    _file: File,
}

impl Lock for DiskLock {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_scratch_file_keeps_what_was_written_and_has_no_name() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DiskFolder::new(temporary.path().join("log"));
        let memory = crate::MemoryFolder::default();
        for folder in [&folder as &dyn Folder, &memory] {
            let mut scratch = folder.scratch().unwrap();
            scratch.write_at(4, b"cd").unwrap();
            scratch.write_at(1, b"a").unwrap();
            let mut bytes = [9; 6];
            scratch.read_at(0, &mut bytes).unwrap();
            assert_eq!(&bytes, b"\0a\0\0cd");
            assert!(scratch.read_at(1, &mut bytes).is_err(), "it ends before");
            assert!(folder.list("").unwrap().is_empty());
        }
    }

    /// The name of the last temporary of a nest is given out while others begin the next one, and
    /// several processes tidy up at once.
    #[test]
    fn whoever_writes_at_once_never_loses_a_nest_to_another() {
        let temporary = tempfile::tempdir().unwrap();
        let writers: Vec<_> =
            (0..3).map(|_| Arc::new(DiskFolder::new(temporary.path().join("log")))).collect();
        std::thread::scope(|scope| {
            for thread in 0..9 {
                let folder = Arc::clone(&writers[thread % writers.len()]);
                scope.spawn(move || {
                    for number in 0..1200 {
                        folder.write(&format!("tile/{thread}/{number}"), b"x").unwrap();
                    }
                });
            }
        });
        assert_eq!(writers[0].list("tile").unwrap().len(), 9 * 1200);
        let nests = fs::read_dir(temporary.path().join("log/cache")).unwrap().count();
        assert!(nests <= 12, "{nests} nests are left");
    }
}
