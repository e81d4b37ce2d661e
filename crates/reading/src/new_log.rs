//! A new log in a data folder: it appears by rename, whole or not at all, and under a name that no
//! other log there has.
//!
//! Not here: which files a log begins with (`seal`), and finding one (`data_folder.rs`).

use crate::data_folder::{DataFolder, LogFolder};
use crate::error::ReadError;
use keys::Kek;
use rustix::fs::FlockOperation;
use seal::{NewLog, Options};
use std::fs::{self, File};
use std::sync::Arc;
use store::{DiskFolder, Folder, Reservation};

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// What a name may be, for whoever chose another one.
pub const NAME_RULE: &str =
    "a log's name has 1 to 64 letters, digits, '-', '_' or '.', and begins with a letter or digit";

/// Whether a log may be called so. Names are for people and for addresses; on disk a log has an id
/// instead.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    begins && name.len() <= NAME_BYTES_MAX && name.bytes().all(fits)
}

/// Creates a log whose name is not taken; `None` when another process has just created it.
///
/// # Errors
/// When the name breaks [`NAME_RULE`], the folder cannot be written to, or a log there does not say
/// its name.
pub fn create(data: &DataFolder, new: &NewLog, kek: &Kek) -> Result<Option<LogFolder>, ReadError> {
    if !is_name(&new.name) {
        return Err(ReadError::new(NAME_RULE));
    }
    let root_path = data.path();
    fs::create_dir_all(root_path).map_err(ReadError::io("create", root_path))?;
    let root = File::open(root_path).map_err(ReadError::io("open", root_path))?;
    rustix::fs::flock(&root, FlockOperation::LockExclusive)
        .map_err(|error| ReadError::io("lock", root_path)(error.into()))?;
    if data.find_if_any(&new.name)?.is_some() {
        return Ok(None);
    }
    let options = Options { reservation: Reservation::Off, ..Options::system() };
    let mut id = [0; 16];
    options.entropy.fill(&mut id).map_err(|error| ReadError::new(error.to_string()))?;
    let name = hex::encode(id);
    let hidden = root_path.join(format!(".creating-{name}"));
    fs::create_dir(&hidden).map_err(ReadError::io("create", &hidden))?;
    let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(&hidden));
    let path = root_path.join(&name);
    let made = seal::create(&folder, new, kek, id, &options).map_err(ReadError::from);
    let made = made.and_then(|_| {
        fs::rename(&hidden, &path).map_err(ReadError::io("rename", &hidden))?;
        root.sync_all().map_err(ReadError::io("sync", root_path))
    });
    if let Err(failure) = made {
        // Half a log is of no use to anybody; one that cannot be removed is never looked at.
        let _ = fs::remove_dir_all(&hidden);
        return Err(failure);
    }
    Ok(Some(LogFolder::at(&path)?))
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_fits_an_address_and_nothing_else() {
        for good in ["main", "team-a", "a.b_c", "0"] {
            assert!(is_name(good), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", ".", "..", "../x", "a/b", "a b", "é", "-a", "a\0", &long] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
