//! An opened log as `query` asks questions of it: the segments that count, and what is in the
//! journal alone.
//!
//! Only for a log that is whole as far as this can see without reading the segments: in any other
//! the records are read one after the other (`reading.rs`), which tells damage where it is.

use crate::error::ReadError;
use crate::reading::{Item, Reading};
use crate::source::FileSource;
use prove::{Kept, KeptContent};
use query::{AsOf, Library, Volume};
use segment::{ContentState, Row};
use std::sync::Arc;

/// Opens what a reading reads as a library, as of the first `size` records; `None` when something
/// is missing or damaged.
///
/// # Errors
/// When the log's files cannot be listed.
pub fn library(reading: &Reading, as_of: AsOf) -> Result<Option<Library>, ReadError> {
    let folder = &reading.log().folder;
    let mut volumes = Vec::new();
    // Segments of which a removal left nothing count here, although they are not there.
    let covered = reading.shelf.catalogue.covered();
    for volume in &reading.shelf.volumes {
        let manifest = &volume.manifest;
        if !volume.is_announced {
            continue;
        }
        if manifest.first > covered {
            return Ok(None);
        }
        let key = reading.keyring().get(manifest.key_id);
        let source = FileSource::open(folder, &volume.path);
        let (Some(key), Some(source)) = (key, source) else { return Ok(None) };
        volumes.push(Volume::new(manifest.clone(), Arc::new(source), key.duplicate()));
    }
    Ok(tail(reading, covered, as_of.size)?.map(|tail| Library::new(as_of, volumes, tail)))
}

/// Most records that are in no segment: a journal file has some 400,000, and several may wait.
/// Where there are more the ledger is not whole, and they are no tail.
const TAIL_RECORDS_MAX: u64 = 4_000_000;

/// The records from `first` to before `size`; `None` when not all of them can be read.
fn tail(reading: &Reading, first: u64, size: u64) -> Result<Option<Vec<Row>>, ReadError> {
    let mut rows = Vec::new();
    if first >= size {
        return Ok(Some(rows));
    }
    if size - first > TAIL_RECORDS_MAX {
        return Ok(None);
    }
    let mut records = reading.records(first)?;
    while let Some(item) = records.next() {
        match item {
            Item::Record { index, .. } if index >= size => break,
            Item::Record { index, record } => rows.push(row(index, &record)),
            Item::Unreadable { .. } => return Ok(None),
        }
    }
    let is_whole = rows.len() as u64 == size - first;
    Ok(is_whole.then_some(rows))
}

fn row(index: u64, record: &Kept<'_>) -> Row {
    let content = match record.content {
        KeptContent::None => ContentState::None,
        KeptContent::Present { salt, bytes } => {
            ContentState::Present { salt, bytes: bytes.to_vec() }
        }
        KeptContent::Erased { commitment } => ContentState::Erased { commitment },
    };
    let Kept { kind, tier, time_ms, meta_salt, .. } = *record;
    Row { index, kind, tier, time_ms, meta: record.meta.to_vec(), meta_salt, content }
}
