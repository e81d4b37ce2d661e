//! A folder that appears whole or not at all: filled under a hidden name beside it, synced,
//! renamed.

use crate::failure::Failure;
use crate::terminal::Progress;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use store::{DiskFolder, Folder, StoreError};

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// A folder on its way. Dropped before [`Staging::place`], it leaves nothing.
pub(crate) struct Staging {
    path: PathBuf,
    target: PathBuf,
    is_placed: bool,
}

impl Staging {
    /// Begins the folder `target`, which must not be there, or be empty.
    pub(crate) fn begin(target: &Path) -> Result<Self, Failure> {
        let is_empty = || std::fs::read_dir(target).is_ok_and(|mut it| it.next().is_none());
        if target.symlink_metadata().is_ok() && !is_empty() {
            let sentence = format!("{} is there already; name what is not", target.display());
            return Err(Failure::new(sentence));
        }
        let Some(name) = target.file_name() else {
            return Err(Failure::usage(format!("{} names no folder", target.display())));
        };
        let hidden = format!(".{}.{}.folder.tmp", name.to_string_lossy(), std::process::id());
        let path = target.with_file_name(hidden);
        if path.exists() {
            // Of a process of the same number that died: nobody else has this name.
            std::fs::remove_dir_all(&path).map_err(Failure::io("remove", &path))?;
        }
        std::fs::create_dir_all(&path).map_err(Failure::io("create", &path))?;
        private(&path)?;
        Ok(Self { path, target: target.to_owned(), is_placed: false })
    }

    /// A folder that was filled elsewhere on the same disk.
    pub(crate) fn adopt(path: &Path, target: &Path) -> Self {
        Self { path: path.to_owned(), target: target.to_owned(), is_placed: false }
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
        let parent = match self.target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
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
