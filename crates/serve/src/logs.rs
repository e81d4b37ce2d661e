//! The logs that a server has open for writing, by name.
//!
//! Not here: what one of them does (`open_log.rs`), and who may have which (`gate.rs`).

use crate::ballast::Ballast;
use crate::open_log::{OpenLog, Settings};
use crate::problem::Problem;
use axum::http::StatusCode;
use keys::Kek;
use reading::{DataFolder, LogFolder, ReadError, new_log};
use seal::{NewLog, SealError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Finds the key-encryption key of a log, or says why there is none.
pub type KekOf = Arc<dyn Fn(&LogFolder) -> Result<Arc<Kek>, String> + Send + Sync>;
/// Finds or makes the key-encryption key of a log that is to be made.
pub type NewKek = Arc<dyn Fn() -> Result<Arc<Kek>, String> + Send + Sync>;

/// Logs that one server has at most: each has three threads and its own memory.
const LOGS_MAX: usize = 256;

/// Every log of a data folder, open.
pub struct Logs {
    root: DataFolder,
    kek_of: KekOf,
    new_kek: NewKek,
    settings: Settings,
    open: RwLock<BTreeMap<String, Arc<OpenLog>>>,
    ballast: Ballast,
    /// Held while a log is made.
    making: Mutex<()>,
}

/// Why a server cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A log does not open.
    #[error("the log {name:?} does not open: {reason}")]
    Log {
        /// Its name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A log's folder was put back.
    #[error("the log {name:?} does not open: {error}")]
    PutBack {
        /// Its name.
        name: String,
        /// By what that shows, and what to do.
        error: SealError,
    },
    /// A witness saw what a log does not have, and the log must not go on without its witnesses.
    #[error(
        "the log {name:?} was not opened, and nothing was written to it: {alarm}; put its newest state \
         there; if that is lost, tell whoever runs its witnesses, who decide, or let it go on against \
         them with fail = \"open\""
    )]
    Contradicted {
        /// Its name.
        name: String,
        /// Which witness saw what.
        alarm: String,
    },
}

impl Logs {
    /// Opens every log of a data folder.
    ///
    /// # Errors
    /// [`OpenError`]: a server that leaves one out would answer for it as if there were none.
    pub fn open(
        root: DataFolder,
        kek_of: KekOf,
        new_kek: NewKek,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        let listed = root.logs()?;
        if let Some((path, reason)) = listed.unreadable.into_iter().next() {
            let name = path.display().to_string();
            return Err(OpenError::Log { name, reason: reason.to_string() });
        }
        let ballast = Ballast::of(root.path(), settings.disk_reserve);
        // Opening a log writes to it.
        ballast.tend();
        let mut open = BTreeMap::new();
        for folder in listed.found {
            let name = folder.identity.name.clone();
            let refused = |reason| OpenError::Log { name: name.clone(), reason };
            let kek = kek_of(&folder).map_err(refused)?;
            let log = OpenLog::open(folder, kek, settings.clone());
            let log = log.map_err(|error| match error.is_put_back() {
                true => OpenError::PutBack { name: name.clone(), error },
                false => refused(error.to_string()),
            })?;
            if open.insert(name.clone(), Arc::new(log)).is_some() {
                return Err(refused("another log has the same name; move one away".to_owned()));
            }
        }
        let (open, making) = (RwLock::new(open), Mutex::default());
        Ok(Self { root, kek_of, new_kek, settings, open, ballast, making })
    }

    /// The log of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<OpenLog>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<OpenLog>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.values().cloned().collect()
    }

    /// Makes a log.
    ///
    /// # Errors
    /// 409 when there is one of this name, 422 for a name that cannot be, 500.
    pub fn create(&self, name: &str) -> Result<Arc<OpenLog>, Problem> {
        if !new_log::is_name(name) {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "bad_name", new_log::NAME_RULE));
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let is_taken = || {
            let detail = "there is a log of this name already; choose another one";
            Problem::new(StatusCode::CONFLICT, "log_exists", detail)
        };
        if self.get(name).is_some() {
            return Err(is_taken());
        }
        if self.all().len() >= LOGS_MAX {
            return Err(Problem::busy("too_many_logs", "this server has as many logs as it may"));
        }
        let failed =
            |error: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not_created", error);
        let kek = (self.new_kek)().map_err(failed)?;
        let new = NewLog { name: name.to_owned(), origin: None, post_quantum: false };
        let made =
            new_log::create(&self.root, &new, &kek).map_err(|error| failed(error.to_string()))?;
        let folder = made.ok_or_else(is_taken)?;
        let kek = (self.kek_of)(&folder).map_err(failed)?;
        let log = OpenLog::open(folder, kek, self.settings.clone());
        let log = Arc::new(log.map_err(|error| failed(error.to_string()))?);
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.insert(name.to_owned(), Arc::clone(&log));
        Ok(log)
    }

    /// The time by the logs' own clock, Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.settings.options.clock.now_ms()
    }

    /// The same where times may lie before 1970.
    #[must_use]
    pub fn now_ms_signed(&self) -> i64 {
        i64::try_from(self.now_ms()).unwrap_or(i64::MAX)
    }

    /// Opens again what stopped, and looks at the disk. To be called a few times a second.
    pub fn tend(&self) {
        self.ballast.tend();
        for log in self.all() {
            log.tend();
        }
    }

    /// Closes all of them in good order.
    pub fn close(&self) {
        for log in self.all() {
            log.close();
        }
    }
}
