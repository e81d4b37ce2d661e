//! A log as of one checkpoint, for as many questions as anybody has: what one of them opened is at
//! hand for the next, and for the view that follows.
//!
//! Not here: how answers are found (`search.rs`), and when another view is due (`lookout.rs`).

use crate::answer;
use crate::data_folder::LogFolder;
use crate::error::ReadError;
use crate::library::Stock;
use crate::reading::Reading;
use keys::{Kek, SystemEntropy};
use merkle::TileReader;
use query::{AsOf, Library};
use seal::Settled;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A log as of one checkpoint. It does not change, but for what it has in memory.
pub struct View {
    reading: Reading,
    as_of: AsOf,
    made: Mutex<Made>,
}

/// What there is of the library.
enum Made {
    /// Nobody asked for it; it may be made of what another one was made of.
    NotYet(Stock),
    /// It was asked for, and there is one or there is none.
    Done(Option<(Stock, Arc<Library>)>),
}

impl View {
    /// The log of today.
    ///
    /// # Errors
    /// As [`Reading::open`].
    pub fn open(log: LogFolder, kek: &Arc<Kek>) -> Result<Self, ReadError> {
        Ok(Self::new(Reading::open(log, kek)?, Stock::default()))
    }

    /// The log of a reading.
    #[must_use]
    pub fn of(reading: Reading) -> Self {
        Self::new(reading, Stock::default())
    }

    fn new(reading: Reading, before: Stock) -> Self {
        let as_of = answer::as_of(&reading);
        Self { reading, as_of, made: Mutex::new(Made::NotYet(before)) }
    }

    /// The same log now. What is in memory is taken over, unless this log is no beginning of that
    /// one, or a removal was announced since: nothing that was removed may stay in memory.
    ///
    /// # Errors
    /// As [`Reading::open`].
    pub(crate) fn again(&self) -> Result<Self, ReadError> {
        let reading = self.reading.again()?;
        let before = if self.goes_on_in(&reading) { self.stock() } else { Stock::default() };
        Ok(Self::new(reading, before))
    }

    /// Whether what was read here would be read there as well, where no segment took its place.
    fn goes_on_in(&self, later: &Reading) -> bool {
        let removal = |reading: &Reading| reading.shelf.catalogue.last_removal();
        let (size, now) = (self.as_of.size, later.checkpoint().size);
        if now < size || removal(later) != removal(&self.reading) {
            return false;
        }
        let folder = &*later.log().folder;
        let tiles = |tile: merkle::TileCoordinate| folder.read(&tile.path());
        // A tree that cannot be read says nothing against the records.
        merkle::tree_root(&TileReader::new(tiles, now), size)
            .map_or(true, |root| root == self.reading.checkpoint().root)
    }

    fn stock(&self) -> Stock {
        match &*self.made() {
            Made::NotYet(before) => before.clone(),
            Made::Done(made) => made.as_ref().map(|(stock, _)| stock.clone()).unwrap_or_default(),
        }
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log as it is read record by record.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The checkpoint that answers are as of.
    #[must_use]
    pub fn as_of(&self) -> &AsOf {
        &self.as_of
    }

    /// The log as a library, opened by the first who asks; `None` when something is missing or
    /// damaged. It keeps guides in the log's `cache/`.
    ///
    /// # Errors
    /// When the log's files cannot be listed; the next call tries again.
    pub fn library(&self) -> Result<Option<Arc<Library>>, ReadError> {
        // Held while it is made: whoever asks meanwhile wants just this.
        let mut made = self.made();
        if let Made::NotYet(before) = &*made {
            let stock = Stock::read(&self.reading, before)?;
            *made = Made::Done(stock.map(|stock| {
                let folder = Arc::clone(&self.reading.log().folder);
                let library = stock.library(self.as_of.clone());
                (stock, Arc::new(library.with_cache(folder, Arc::new(SystemEntropy::new()))))
            }));
        }
        match &*made {
            Made::Done(Some((_, library))) => Ok(Some(Arc::clone(library))),
            _ => Ok(None),
        }
    }

    /// The segments alone, for whoever judges records one by one.
    #[must_use]
    pub fn settled(&self) -> Settled {
        let (folder, catalogue) = (&self.reading.log().folder, self.reading.catalogue().clone());
        Settled::new(folder, catalogue, self.reading.keyring())
    }

    /// Whether the library is at hand.
    pub(crate) fn has_library(&self) -> bool {
        matches!(&*self.made(), Made::Done(Some(_)))
    }
}
