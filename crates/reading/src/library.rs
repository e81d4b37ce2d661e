//! An opened log as `query` asks questions of it: the segments that count, and what is in the
//! journal alone. What one library was made of is there for the next.
//!
//! Only for a log that is whole as far as this can see without reading the segments: in any other
//! the records are read one after the other (`reading.rs`), which tells damage where it is.

use crate::error::ReadError;
use crate::journal::Mark;
use crate::reading::Reading;
use crate::rows::{Announced, Rows};
use crate::source::FileSource;
use query::{AsOf, Library, Tail, Volume};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most records that are in no segment: a journal file has some 400,000, and several may wait.
/// Where there are more the ledger is not whole, and they are no tail.
const TAIL_RECORDS_MAX: u64 = 4_000_000;

/// Opens what a reading reads as a library, as of the first `size` records; `None` when something
/// is missing or damaged.
///
/// # Errors
/// When the log's files cannot be listed.
pub fn library(reading: &Reading, as_of: AsOf) -> Result<Option<Library>, ReadError> {
    Ok(Stock::read(reading, &Stock::default())?.map(|stock| stock.library(as_of)))
}

/// What a library is made of. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Stock {
    volumes: Vec<Volume>,
    tail: Tail,
    /// Where the journal goes on behind the tail.
    mark: Option<Mark>,
    /// Those of the tail.
    announced: Announced,
}

impl Stock {
    /// Opens what a reading reads; `None` when something is missing or damaged. What is in `before`
    /// is not read again: segments that are the same, and the records of the tail.
    ///
    /// `before` must be of the same log when it was no longer, and nothing may have been removed
    /// since.
    ///
    /// # Errors
    /// When the log's files cannot be listed.
    pub(crate) fn read(reading: &Reading, before: &Self) -> Result<Option<Self>, ReadError> {
        let Some(volumes) = before.volumes(reading) else { return Ok(None) };
        let (covered, size) = (reading.shelf.catalogue.covered(), reading.checkpoint().size);
        let tail = match before.tail(reading, covered, size)? {
            // What was known of the journal may be what keeps the rest of it from being read.
            None if before.mark.is_some() => Self::default().tail(reading, covered, size)?,
            tail => tail,
        };
        Ok(tail.filter(|it| !it.shows_some_of_several(reading)).map(|it| Self { volumes, ..it }))
    }

    /// All of it, as of a checkpoint that it reaches.
    pub(crate) fn library(&self, as_of: AsOf) -> Library {
        Library::new(as_of, self.volumes.clone(), self.tail.clone())
    }

    /// The segments of a reading; those that are here already stay open.
    fn volumes(&self, reading: &Reading) -> Option<Vec<Volume>> {
        let folder = &reading.log().folder;
        let opened: BTreeMap<_, &Volume> =
            self.volumes.iter().map(|volume| (volume.manifest().key_id, volume)).collect();
        let mut volumes = Vec::new();
        // Segments of which a removal left nothing count here, although they are not there.
        let covered = reading.shelf.catalogue.covered();
        for volume in reading.shelf.volumes.iter().filter(|volume| volume.is_announced) {
            let manifest = &volume.manifest;
            if manifest.first > covered {
                return None;
            }
            let key = reading.keyring().get(manifest.key_id)?;
            let source = FileSource::open(folder, &volume.path)?;
            let opened = opened.get(&manifest.key_id).filter(|it| it.manifest() == manifest);
            volumes.push(match opened {
                Some(opened) => (*opened).clone(),
                None => Volume::new(manifest.clone(), Arc::new(source), key.duplicate()),
            });
        }
        Some(volumes)
    }

    /// Whether the ledger was read while it was being written: of segments that take the place of
    /// the same file it shows one and lacks another. What is in that one is in no other place.
    fn shows_some_of_several(&self, reading: &Reading) -> bool {
        let shelf = &reading.shelf;
        let hidden = self.announced.iter().filter(|(index, _)| !shelf.shown.contains(index));
        hidden.flat_map(|(_, replaces)| replaces).any(|path| shelf.catalogue.replaces(path))
    }

    /// The records from `first` to before `size`, and where the journal goes on; `None` when not
    /// all of them can be read.
    fn tail(&self, reading: &Reading, first: u64, size: u64) -> Result<Option<Self>, ReadError> {
        let wanted = size.saturating_sub(first);
        if wanted > TAIL_RECORDS_MAX {
            return Ok(None);
        }
        let held = self.tail.span().filter(|(begins, ends)| *begins <= first && *ends < size);
        let (tail, next) = match held {
            Some((_, ends)) => (self.tail.from_index(first), first.max(ends + 1)),
            None => (Tail::default(), first),
        };
        let mut announced = self.announced.clone();
        announced.retain(|(index, _)| (first..next).contains(index));
        let volumes = Vec::new();
        if next >= size {
            return Ok(Some(Self { volumes, tail, mark: self.mark.clone(), announced }));
        }
        let mut records = reading.records_after(self.mark.clone(), next)?;
        let Some((tail, more)) = Rows::add(&tail, &mut records, next..size) else {
            return Ok(None);
        };
        announced.extend(more);
        let mark = records.mark().cloned();
        Ok((tail.len() as u64 == wanted).then_some(Self { volumes, tail, mark, announced }))
    }
}
