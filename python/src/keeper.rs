//! The writer of a log, opened again when it failed: after a failed write nothing is acknowledged
//! until the log was read from what is really on disk.

use keys::Kek;
use reading::LogFolder;
use seal::{Log, Options, SealError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Reservation;

/// A log open for writing.
pub(crate) struct Keeper {
    folder: LogFolder,
    kek: Arc<Kek>,
    state: Mutex<State>,
}

enum State {
    Up(Arc<Log>),
    Down,
    Closed,
}

impl Keeper {
    /// Opens the log.
    ///
    /// # Errors
    /// As [`seal::open`].
    pub(crate) fn open(folder: LogFolder, kek: Arc<Kek>) -> Result<Self, SealError> {
        let log = Arc::new(start(&folder, &kek)?);
        Ok(Self { folder, kek, state: Mutex::new(State::Up(log)) })
    }

    /// The writer; a log that failed is opened again.
    ///
    /// # Errors
    /// Why it cannot be; the next call tries again.
    pub(crate) fn writer(&self) -> Result<Arc<Log>, SealError> {
        let mut state = self.state();
        match &*state {
            State::Up(log) => Ok(Arc::clone(log)),
            State::Closed => Err(SealError::Closed),
            State::Down => {
                let log = Arc::new(start(&self.folder, &self.kek)?);
                *state = State::Up(Arc::clone(&log));
                Ok(log)
            }
        }
    }

    /// The writer failed: the next who asks opens the log anew.
    pub(crate) fn failed(&self) {
        let mut state = self.state();
        if matches!(&*state, State::Up(_)) {
            *state = State::Down;
        }
    }

    /// Says in the log that it stops, publishes, and lets others write.
    ///
    /// # Errors
    /// What the writer says: everything acknowledged is durable all the same.
    pub(crate) fn close(&self) -> Result<(), SealError> {
        match std::mem::replace(&mut *self.state(), State::Closed) {
            // Whoever still has it, for a question, drops it in a moment.
            State::Up(log) => Arc::try_unwrap(log).map_or(Ok(()), Log::close),
            State::Down | State::Closed => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start(folder: &LogFolder, kek: &Arc<Kek>) -> Result<Log, SealError> {
    let options = Options { reservation: Reservation::Off, ..Options::system() };
    Ok(Log::start(seal::open(&folder.folder, Arc::clone(kek), options)?))
}
