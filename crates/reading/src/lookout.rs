//! A log that is kept open for many questions while it is being written to, by this process or by
//! another: whoever asks gets the view of the newest checkpoint, and a view that is still the
//! newest is not made again.
//!
//! The next view costs what is new. Records of the tail that were decoded are taken over, and
//! segments that are the same stay open, with their footers and guides. Not here: what a view
//! answers (`view.rs`, `search.rs`).

use crate::data_folder::LogFolder;
use crate::error::ReadError;
use crate::view::View;
use keys::Kek;
use std::sync::{Arc, Mutex, PoisonError};
use store::StoreError;

/// Bytes at the beginning of a keyring that differ in every one that was written: its generation is
/// among them.
const KEYRING_HEADER_BYTES: usize = 76;

/// A log that is kept open. Share it by [`Arc`].
pub struct Lookout {
    log: LogFolder,
    kek: Arc<Kek>,
    newest: Mutex<Option<(Seen, Arc<View>)>>,
}

/// What tells whether a view is still the newest. The keyring is part of it because it is written
/// last when files go: after a roll, and after a removal.
#[derive(PartialEq, Eq)]
struct Seen {
    checkpoint: Option<Vec<u8>>,
    keyring: Vec<u8>,
}

impl Lookout {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(log: LogFolder, kek: Arc<Kek>) -> Self {
        Self { log, kek, newest: Mutex::default() }
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &LogFolder {
        &self.log
    }

    /// The log as of its newest checkpoint. Whoever asks while a view is being made waits for it.
    ///
    /// # Errors
    /// As [`crate::Reading::open`]; the next call tries again.
    pub fn view(&self) -> Result<Arc<View>, ReadError> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the view is made: what changes meanwhile is seen by the next who asks.
        let seen = self.look()?;
        let view = match &*newest {
            Some((before, view)) if *before == seen => return Ok(Arc::clone(view)),
            Some((_, view)) => view.again(),
            None => View::open(self.log.clone(), &self.kek),
        };
        let view = match view {
            Ok(view) => Arc::new(view),
            Err(error) => {
                // What cannot be opened any more must not stay in memory.
                *newest = None;
                return Err(error);
            }
        };
        *newest = Some((seen, Arc::clone(&view)));
        Ok(view)
    }

    fn look(&self) -> Result<Seen, ReadError> {
        let folder = &*self.log.folder;
        let mut keyring = vec![0; KEYRING_HEADER_BYTES];
        let read = match folder.read_at(seal::KEYRING_PATH, 0, &mut keyring) {
            Err(StoreError::Missing { .. }) => 0,
            read => read?,
        };
        keyring.truncate(read);
        Ok(Seen { checkpoint: folder.read(seal::CHECKPOINT_PATH)?, keyring })
    }
}

#[cfg(test)]
mod tests;
