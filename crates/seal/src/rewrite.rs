//! Segments written anew: several of one tier and day become one, record by record in the order of
//! their indexes, and what was to be removed from them is left out. Like a roll it changes nothing
//! that anybody relies on until it is announced.

use crate::build::{Build, Built, of_segment};
use crate::error::SealError;
use crate::segment_file::Input;
use crate::streams::DAY_MS;
use event::{Removal, Scope};
use keys::{Entropy, SecretKey};
use segment::{Catalogue, Manifest, Projection, Row, Rows, Segment, SegmentError};
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::sync::Arc;
use store::Folder;

/// A segment of fewer bytes is small: each costs an open file, a footer and a key.
const SMALL_BYTES: u64 = 16 << 20;
/// Small segments of one class that are worth being made one.
const SMALL_SEGMENTS_MIN: usize = 8;
/// Segments read at a time at most: each keeps a few MiB of decoded rows.
const SEGMENTS_MAX: usize = 32;

/// What is needed to make one segment of several, or of one.
pub(crate) struct Rewrite {
    pub(crate) folder: Arc<dyn Folder>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Segments of one class with their keys.
    pub(crate) sources: Vec<(Manifest, SecretKey)>,
    /// What is to be carried out in them.
    pub(crate) removals: Vec<Removal>,
    /// The index of the last removal that the log announced.
    pub(crate) last_removal: Option<u64>,
}

/// The small segments that are to become one next, if there are any.
pub(crate) fn compactible(catalogue: &Catalogue) -> Option<Vec<Manifest>> {
    let mut classes: BTreeMap<_, Vec<&Manifest>> = BTreeMap::new();
    for manifest in catalogue.current() {
        if manifest.bytes < SMALL_BYTES {
            classes.entry((manifest.tier, manifest.day)).or_default().push(manifest);
        }
    }
    let enough = |small: &Vec<&Manifest>| small.len() >= SMALL_SEGMENTS_MIN;
    let small = classes.into_values().find(enough)?;
    Some(small.into_iter().take(SEGMENTS_MAX).cloned().collect())
}

impl Rewrite {
    /// Writes the segment and checks it.
    ///
    /// # Errors
    /// Whatever keeps it from being done; the file that was begun is removed, and the sources are
    /// as they were.
    pub(crate) fn run(&self) -> Result<Vec<Built>, SealError> {
        let manifests = || self.sources.iter().map(|(manifest, _)| manifest);
        let Some(class) = manifests().next().map(|one| (one.tier, one.day)) else {
            return Ok(Vec::new());
        };
        let first = manifests().map(|one| one.first).min().unwrap_or(0);
        let last = manifests().map(|one| one.last).max().unwrap_or(0);
        let replaces = manifests().map(Manifest::path).collect();
        let mut build = Build::new(&self.folder, &self.entropy, (first, last), replaces)
            .after_removal(self.last_removal);
        let mut readers = Vec::with_capacity(self.sources.len());
        for (manifest, key) in &self.sources {
            readers.push(Reader::open(&self.folder, manifest, key)?);
        }
        let mut count = 0;
        while let Some(place) = next(&mut readers)? {
            let Some(reader) = readers.get_mut(place) else { break };
            if let Some(mut row) = reader.take()? {
                count += 1;
                if self.prepare(&mut row) {
                    build.push_row(class, &row)?;
                }
            }
        }
        let announced: u64 = manifests().map(|one| one.rows).sum();
        if count != announced {
            let detail = format!("they hold {count} records, and were announced with {announced}");
            return Err(SealError::corrupt(segment::SEGMENT_FOLDER, detail));
        }
        build.finish()
    }

    /// Takes out of a row what is to be removed; `false` when nothing is to be left.
    fn prepare(&self, row: &mut Row) -> bool {
        let day = row.time_ms / DAY_MS;
        let scopes = self.removals.iter().filter_map(|removal| {
            removal.removes(row.tier, day, row.index).then_some(removal.scope)
        });
        match scopes.max() {
            Some(Scope::Record) => return false,
            Some(Scope::Content) => {
                row.erase_content();
            }
            None => {}
        }
        true
    }
}

/// A source, read row by row.
struct Reader {
    path: String,
    rows: Peekable<Rows>,
}

impl Reader {
    fn open(
        folder: &Arc<dyn Folder>,
        manifest: &Manifest,
        key: &SecretKey,
    ) -> Result<Self, SealError> {
        let path = manifest.path();
        let failed = |error: SegmentError| of_segment(&path, &error);
        let segment = Segment::open(Input::open(folder, &path)?, key).map_err(failed)?;
        let rows = segment.rows(.., Projection::All).map_err(failed)?.peekable();
        Ok(Self { path, rows })
    }

    /// The index of the next row; an error when there is one that cannot be read.
    fn index(&mut self) -> Result<Option<u64>, SealError> {
        match self.rows.peek() {
            Some(Ok(row)) => Ok(Some(row.index)),
            Some(Err(error)) => Err(of_segment(&self.path, error)),
            None => Ok(None),
        }
    }

    fn take(&mut self) -> Result<Option<Row>, SealError> {
        self.rows.next().transpose().map_err(|error| of_segment(&self.path, &error))
    }
}

/// The reader whose next row comes first.
fn next(readers: &mut [Reader]) -> Result<Option<usize>, SealError> {
    let mut first: Option<(u64, usize)> = None;
    for (place, reader) in readers.iter_mut().enumerate() {
        if let Some(index) = reader.index()?
            && first.is_none_or(|(earlier, _)| index < earlier)
        {
            first = Some((index, place));
        }
    }
    Ok(first.map(|(_, place)| place))
}
