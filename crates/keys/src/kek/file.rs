//! A KEK in a file: 0600, made only when asked, refused when others can get at it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{KekError, text};
use crate::{Entropy, SecretKey};

/// Permission bits that let the group or others in.
const OTHERS: u32 = 0o077;

/// Permission bits that let the group or others write.
const OTHERS_WRITE: u32 = 0o022;

/// Reads the key at `path`. A symbolic link is followed: secret mounts are made of them.
pub(super) fn read(path: &Path) -> Result<SecretKey, KekError> {
    read_as(text::PREFIX, path)
}

/// The same of a file whose line begins with another word.
pub(super) fn read_as(prefix: &str, path: &Path) -> Result<SecretKey, KekError> {
    let failed = |action| {
        move |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => KekError::FileMissing { path: path.to_owned() },
            _ => KekError::Io { action, path: path.to_owned(), source },
        }
    };
    // Looked at before opening, because opening a named pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(failed("inspect"))?.is_file() {
        return Err(KekError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(failed("open"))?;
    // The mode of what was opened, not of what the path may mean by now.
    let metadata = file.metadata().map_err(failed("inspect"))?;
    if !metadata.is_file() {
        return Err(KekError::NotAFile { path: path.to_owned() });
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(KekError::FileTooOpen { path: path.to_owned(), mode });
    }
    let bytes = text::read_bounded(file).map_err(failed("read"))?;
    text::parse_as(prefix, &bytes, &path.display().to_string())
}

/// Makes a fresh key at `path`, which must not exist, and makes it durable.
pub(super) fn create(path: &Path, entropy: &dyn Entropy) -> Result<SecretKey, KekError> {
    create_as(text::PREFIX, path, entropy)
}

/// The same for a file whose line begins with another word.
pub(super) fn create_as(
    prefix: &str,
    path: &Path,
    entropy: &dyn Entropy,
) -> Result<SecretKey, KekError> {
    let folder = make_folder(path)?;
    let key = SecretKey::generate(entropy)?;
    let failed = |action| {
        move |source: std::io::Error| match source.kind() {
            ErrorKind::AlreadyExists => KekError::FileExists { path: path.to_owned() },
            _ => KekError::Io { action, path: path.to_owned(), source },
        }
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed("create"))?;
    let written = file
        .write_all(text::render_as(prefix, &key).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| File::open(&folder)?.sync_all());
    if let Err(error) = written {
        // Half a key helps nobody, and would refuse the next attempt; this one made the file.
        let _ = std::fs::remove_file(path);
        return Err(failed("write")(error));
    }
    Ok(key)
}

/// The folder of `path`: made 0700 when missing, refused when others could replace the key in it.
fn make_folder(path: &Path) -> Result<PathBuf, KekError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let failed = |action| {
        let folder = folder.clone();
        move |source| KekError::Io { action, path: folder, source }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed("create"))?;
    let metadata = std::fs::metadata(&folder).map_err(failed("inspect"))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OTHERS_WRITE != 0 {
        return Err(KekError::FolderTooOpen { path: folder, mode });
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;
    use std::fs::{self, Permissions};

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn created_key_is_private_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/deep/kek");
        let key = create(&path, &SystemEntropy::new()).unwrap();
        assert_eq!(mode_of(&path), 0o600);
        assert_eq!(mode_of(path.parent().unwrap()), 0o700);
        assert_eq!(read(&path).unwrap(), key);
        let line = fs::read_to_string(&path).unwrap();
        assert!(line.starts_with("tachograph-kek-v1:") && line.ends_with('\n'), "{line}");
    }

    #[test]
    fn existing_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kek");
        let key = create(&path, &SystemEntropy::new()).unwrap();
        let again = create(&path, &SystemEntropy::new());
        assert!(matches!(again, Err(KekError::FileExists { .. })), "{again:?}");
        assert_eq!(read(&path).unwrap(), key);
    }

    #[test]
    fn reading_creates_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/kek");
        assert!(matches!(read(&path), Err(KekError::FileMissing { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn every_permission_for_others_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kek");
        create(&path, &SystemEntropy::new()).unwrap();
        for bit in [0o001, 0o002, 0o004, 0o010, 0o020, 0o040] {
            fs::set_permissions(&path, Permissions::from_mode(0o600 | bit)).unwrap();
            let error = read(&path).unwrap_err();
            assert!(matches!(error, KekError::FileTooOpen { .. }), "{error}");
            let remedy = format!("chmod 600 {}", path.display());
            assert!(error.to_string().contains(&remedy), "{error}");
        }
        for mode in [0o600, 0o400, 0o700] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(read(&path).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn folder_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        let error = create(&open.join("kek"), &SystemEntropy::new()).unwrap_err();
        assert!(matches!(error, KekError::FolderTooOpen { mode: 0o777, .. }), "{error}");
        assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
    }

    #[test]
    fn folder_is_not_a_key_and_garbage_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(KekError::NotAFile { .. })));
        let path = folder.path().join("kek");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(b"hunter2").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("tachograph-kek-v1:") && !error.contains("hunter2"), "{error}");
    }
}
