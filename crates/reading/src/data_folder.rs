//! The data folder: one folder a log, named by the log's opaque id.
//!
//! A log's name stands in its own `log.json` and nowhere else: there is no list of logs that could
//! be altered unnoticed. Not here: how one is made (`cli`).

use crate::error::ReadError;
use seal::Identity;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{DiskFolder, Folder};

/// A folder of logs; it need not exist.
#[derive(Clone, Debug)]
pub struct DataFolder {
    root: PathBuf,
}

/// One log's folder.
#[derive(Clone)]
pub struct LogFolder {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says about itself; not authenticated.
    pub identity: Identity,
    /// Its files.
    pub folder: Arc<dyn Folder>,
}

/// The logs of a data folder.
#[derive(Default)]
pub struct Logs {
    /// Those whose `log.json` reads.
    pub found: Vec<LogFolder>,
    /// Folders whose `log.json` does not, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl DataFolder {
    /// The folder at `root`. Nothing is read.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Every log in it; none when it does not exist.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn logs(&self) -> Result<Logs, ReadError> {
        let mut logs = Logs::default();
        let listing = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(logs),
            other => other.map_err(ReadError::io("read the data folder", &self.root))?,
        };
        for entry in listing {
            let entry = entry.map_err(ReadError::io("read the data folder", &self.root))?;
            let path = entry.path();
            if !is_log_id(&entry.file_name().to_string_lossy()) || !path.is_dir() {
                continue;
            }
            match LogFolder::at(&path) {
                Ok(log) => logs.found.push(log),
                Err(error) => logs.unreadable.push((path, error.to_string())),
            }
        }
        logs.found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(logs)
    }

    /// The log of this name, if there is one.
    ///
    /// # Errors
    /// When it cannot be listed, or does not tell which log is meant.
    pub fn find_if_any(&self, name: &str) -> Result<Option<LogFolder>, ReadError> {
        let logs = self.logs()?;
        let mut named: Vec<LogFolder> =
            logs.found.into_iter().filter(|log| log.identity.name == name).collect();
        if let [first, second, ..] = named.as_slice() {
            return Err(ReadError::new(format!(
                "two logs are named {name:?}: {} and {}; move one of them out of {}",
                first.path.display(),
                second.path.display(),
                self.root.display()
            )));
        }
        if named.is_empty()
            && let Some((path, sentence)) = logs.unreadable.first()
        {
            return Err(ReadError::new(format!(
                "the log {name:?} was not found, and the one in {} does not say its name: {sentence}",
                path.display()
            )));
        }
        Ok(named.pop())
    }

    /// The log of this name.
    ///
    /// # Errors
    /// As [`DataFolder::find_if_any`], and when there is none.
    pub fn find(&self, name: &str) -> Result<LogFolder, ReadError> {
        if let Some(log) = self.find_if_any(name)? {
            return Ok(log);
        }
        let names: Vec<String> =
            self.logs()?.found.iter().map(|log| format!("{:?}", log.identity.name)).collect();
        let there = match names.as_slice() {
            [] => {
                "there is none there yet; create it with `tacho init`, or name another folder with \
                   --data"
                    .to_owned()
            }
            names => format!("there are: {}; choose one with --log", names.join(", ")),
        };
        Err(ReadError::new(format!("no log {name:?} in {}: {there}", self.root.display())))
    }
}

impl LogFolder {
    /// The log in the folder at `path`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn at(path: &Path) -> Result<Self, ReadError> {
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(path));
        let missing = || ReadError::new(format!("{} is missing", seal::IDENTITY_PATH));
        let identity = Identity::parse(&folder.read(seal::IDENTITY_PATH)?.ok_or_else(missing)?)?;
        Ok(Self { path: path.to_owned(), identity, folder })
    }
}

/// Whether a folder's name is a log's id.
fn is_log_id(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
