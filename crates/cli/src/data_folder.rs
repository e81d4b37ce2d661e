//! The data folder: one folder a log, named by the log's opaque id.
//!
//! A log's name stands in its own `log.json` and nowhere else: there is no list of logs that could
//! be altered unnoticed. A new log appears by rename, whole or not at all.

use crate::failure::Failure;
use keys::Kek;
use rustix::fs::FlockOperation;
use seal::{Identity, NewLog, Options};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{DiskFolder, Folder, Reservation};

/// A folder of logs; it need not exist.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder {
    root: PathBuf,
}

/// One log's folder.
#[derive(Clone)]
pub(crate) struct LogFolder {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// What it says about itself; not authenticated.
    pub(crate) identity: Identity,
    /// Its files.
    pub(crate) folder: Arc<dyn Folder>,
}

/// The logs of a data folder.
#[derive(Default)]
pub(crate) struct Logs {
    /// Those whose `log.json` reads.
    pub(crate) found: Vec<LogFolder>,
    /// Folders whose `log.json` does not, with the reason.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
}

impl DataFolder {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// Every log in it; none when it does not exist.
    pub(crate) fn logs(&self) -> Result<Logs, Failure> {
        let mut logs = Logs::default();
        let listing = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(logs),
            other => other.map_err(Failure::io("read the data folder", &self.root))?,
        };
        for entry in listing {
            let entry = entry.map_err(Failure::io("read the data folder", &self.root))?;
            let path = entry.path();
            if !is_log_id(&entry.file_name().to_string_lossy()) || !path.is_dir() {
                continue;
            }
            match LogFolder::at(&path) {
                Ok(log) => logs.found.push(log),
                Err(sentence) => logs.unreadable.push((path, sentence)),
            }
        }
        logs.found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(logs)
    }

    /// The log of this name, if there is one.
    pub(crate) fn find_if_any(&self, name: &str) -> Result<Option<LogFolder>, Failure> {
        let logs = self.logs()?;
        let mut named: Vec<LogFolder> =
            logs.found.into_iter().filter(|log| log.identity.name == name).collect();
        if let [first, second, ..] = named.as_slice() {
            return Err(Failure::new(format!(
                "two logs are named {name:?}: {} and {}; move one of them out of {}",
                first.path.display(),
                second.path.display(),
                self.root.display()
            )));
        }
        if named.is_empty()
            && let Some((path, sentence)) = logs.unreadable.first()
        {
            return Err(Failure::new(format!(
                "the log {name:?} was not found, and the one in {} does not say its name: {sentence}",
                path.display()
            )));
        }
        Ok(named.pop())
    }

    /// The log of this name.
    pub(crate) fn find(&self, name: &str) -> Result<LogFolder, Failure> {
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
        Err(Failure::new(format!("no log {name:?} in {}: {there}", self.root.display())))
    }

    /// Creates a log whose name is not taken; `None` when another process has just created it.
    pub(crate) fn create(&self, new: &NewLog, kek: &Kek) -> Result<Option<LogFolder>, Failure> {
        fs::create_dir_all(&self.root).map_err(Failure::io("create", &self.root))?;
        let root = File::open(&self.root).map_err(Failure::io("open", &self.root))?;
        rustix::fs::flock(&root, FlockOperation::LockExclusive)
            .map_err(|error| Failure::io("lock", &self.root)(error.into()))?;
        if self.find_if_any(&new.name)?.is_some() {
            return Ok(None);
        }
        let options = Options { reservation: Reservation::Off, ..Options::system() };
        let mut id = [0; 16];
        options.entropy.fill(&mut id)?;
        let name = hex::encode(id);
        let hidden = self.root.join(format!(".creating-{name}"));
        fs::create_dir(&hidden).map_err(Failure::io("create", &hidden))?;
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(&hidden));
        let path = self.root.join(&name);
        let made = seal::create(&folder, new, kek, id, &options).map_err(Failure::from);
        let made = made.and_then(|_| {
            fs::rename(&hidden, &path).map_err(Failure::io("rename", &hidden))?;
            root.sync_all().map_err(Failure::io("sync", &self.root))
        });
        if let Err(failure) = made {
            // Half a log is of no use to anybody; one that cannot be removed is never looked at.
            let _ = fs::remove_dir_all(&hidden);
            return Err(failure);
        }
        LogFolder::at(&path).map(Some).map_err(Failure::new)
    }
}

impl LogFolder {
    /// The log in the folder at `path`, or why there is none.
    pub(crate) fn at(path: &Path) -> Result<Self, String> {
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(path));
        let bytes = folder.read(seal::IDENTITY_PATH).map_err(|error| error.to_string())?;
        let bytes = bytes.ok_or_else(|| format!("{} is missing", seal::IDENTITY_PATH))?;
        let identity = Identity::parse(&bytes).map_err(|error| error.to_string())?;
        Ok(Self { path: path.to_owned(), identity, folder })
    }
}

/// Whether a folder's name is a log's id.
fn is_log_id(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
