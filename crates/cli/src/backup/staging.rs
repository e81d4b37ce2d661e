//! A folder that appears whole or not at all: filled under a hidden name beside it, synced,
//! renamed.

use crate::failure::Failure;
use crate::terminal::{DOUBTFUL, Progress, Terminal, styled};
use rustix::fs::FlockOperation;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use store::{DiskFolder, Folder, StoreError};

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// What a hidden name ends with, behind the number of the process that has it.
const ENDING: &str = ".folder.tmp";

/// A folder on its way. Dropped before [`Staging::place`], it leaves nothing.
///
/// As long as it lives its folder is locked, however the process ends: one that nobody has locked
/// was left by a process that was killed, whatever number that had.
pub(crate) struct Staging {
    path: PathBuf,
    target: PathBuf,
    is_placed: bool,
    /// What was left of earlier ones and has been removed, or why it could not be.
    swept: Vec<(PathBuf, std::io::Result<()>)>,
    _lock: Option<File>,
}

impl Staging {
    /// Begins the folder `target`, which must not be there, or be empty. What processes that were
    /// killed left of the same folder is removed first.
    pub(crate) fn begin(target: &Path) -> Result<Self, Failure> {
        let is_empty = || std::fs::read_dir(target).is_ok_and(|mut it| it.next().is_none());
        if target.symlink_metadata().is_ok() && !is_empty() {
            let sentence = format!("{} is there already; name what is not", target.display());
            return Err(Failure::new(sentence));
        }
        let Some(name) = target.file_name() else {
            return Err(Failure::usage(format!("{} names no folder", target.display())));
        };
        let hidden = format!(".{}.{}{ENDING}", name.to_string_lossy(), std::process::id());
        let path = target.with_file_name(hidden);
        let parent = parent_of(target);
        std::fs::create_dir_all(parent).map_err(Failure::io("create", parent))?;
        // Nobody sweeps between the making of a folder and its locking.
        let parent = File::open(parent).map_err(Failure::io("open", parent))?;
        let _ = rustix::fs::flock(&parent, FlockOperation::LockExclusive);
        let remove = |(path, lock): (PathBuf, File)| {
            let outcome = std::fs::remove_dir_all(&path);
            drop(lock);
            (path, outcome)
        };
        let swept = left_over(target).into_iter().map(remove).collect();
        std::fs::create_dir(&path).map_err(Failure::io("create", &path))?;
        private(&path)?;
        let lock = try_lock(&path);
        Ok(Self { path, target: target.to_owned(), is_placed: false, swept, _lock: lock })
    }

    /// Says what was left of earlier ones, if there was something.
    pub(crate) fn tell(&self, terminal: Terminal) {
        let note = styled(DOUBTFUL, "note");
        for (path, outcome) in &self.swept {
            let path = path.display();
            terminal.note(match outcome {
                Ok(()) => format!("{note}: removed {path}, which a process that was killed left"),
                Err(error) => format!(
                    "{note}: a process that was killed left {path}, which cannot be removed: {error}"
                ),
            });
        }
    }

    /// A folder that was filled elsewhere on the same disk.
    pub(crate) fn adopt(path: &Path, target: &Path) -> Self {
        let (path, target) = (path.to_owned(), target.to_owned());
        Self { path, target, is_placed: false, swept: Vec::new(), _lock: None }
    }

    /// Where it is being filled.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes everything in it durable and gives it its name.
    pub(crate) fn place(mut self) -> Result<(), Failure> {
        sync_all(&self.path)?;
        std::fs::rename(&self.path, &self.target).map_err(Failure::io("write", &self.target))?;
        self.is_placed = true;
        let parent = parent_of(&self.target);
        File::open(parent).and_then(|it| it.sync_all()).map_err(Failure::io("sync", parent))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.is_placed {
            // What cannot be removed has a hidden name, and is of no use to anybody.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// What processes that were killed left of a folder that they were filling: hidden folders beside
/// it that nobody has locked. As long as the file is open it stays so.
pub(crate) fn left_over(target: &Path) -> Vec<(PathBuf, File)> {
    let Some(name) = target.file_name() else { return Vec::new() };
    let Ok(listing) = std::fs::read_dir(parent_of(target)) else { return Vec::new() };
    let begins = format!(".{}.", name.to_string_lossy());
    let is_one = |name: &str| {
        let number = name.strip_prefix(&begins).and_then(|rest| rest.strip_suffix(ENDING));
        number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let named = listing.flatten().filter(|entry| {
        is_one(&entry.file_name().to_string_lossy())
            && entry.file_type().is_ok_and(|it| it.is_dir())
    });
    let mut found: Vec<(PathBuf, File)> =
        named.filter_map(|entry| Some((entry.path(), try_lock(&entry.path())?))).collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// The folder, locked; `None` when another process has it, or the file system has no locks.
fn try_lock(path: &Path) -> Option<File> {
    let folder = File::open(path).ok()?;
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(folder)
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A folder for its owner alone.
fn private(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(path, mode).map_err(Failure::io("protect", path))
}

/// Makes a folder and everything below it durable.
fn sync_all(path: &Path) -> Result<(), Failure> {
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Failure::io("read", &folder))? {
            let path = entry.map_err(Failure::io("read", &folder))?.path();
            match path.is_dir() {
                true => folders.push(path),
                false => File::open(&path)
                    .and_then(|file| file.sync_all())
                    .map_err(Failure::io("sync", &path))?,
            }
        }
        File::open(&folder).and_then(|it| it.sync_all()).map_err(Failure::io("sync", &folder))?;
    }
    Ok(())
}

/// Copies the first `bytes` of a file into the folder `to`, under the same path.
///
/// # Errors
/// [`StoreError::Missing`] when there are not as many, or the file is gone.
pub(crate) fn copy_file(
    from: &dyn Folder,
    path: &str,
    bytes: u64,
    to: &Path,
) -> Result<(), StoreError> {
    let target = to.join(path);
    let failed = |action| move |source| StoreError::Io { action, path: path.to_owned(), source };
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(failed("create the folder of"))?;
    }
    let mut out = File::create(&target).map_err(failed("create"))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut offset = 0;
    while offset < bytes {
        let left = usize::try_from(bytes - offset).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let room = chunk.get_mut(..left).unwrap_or_default();
        let count = from.read_at(path, offset, room)?;
        if count == 0 {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        out.write_all(room.get(..count).unwrap_or_default()).map_err(failed("write"))?;
        offset += count as u64;
    }
    Ok(())
}

/// Copies every file of a folder but those that can be rebuilt.
pub(crate) fn copy_all(from: &Path, to: &Path, progress: &mut Progress) -> Result<(), Failure> {
    let folder = DiskFolder::new(from);
    let paths = folder.list("")?;
    for (done, path) in paths.iter().enumerate() {
        progress.at(done as u64, paths.len() as u64);
        if path.split('/').next() != Some(store::CACHE_FOLDER) {
            let bytes = folder.size(path)?.unwrap_or_default();
            copy_file(&folder, path, bytes, to)?;
        }
    }
    Ok(())
}
