//! The segments of a log as they are at one moment, with their keys: for whoever looks at records
//! beside the writer, which goes on meanwhile.
//!
//! A segment may be replaced while it is being looked for; then its file is gone, and whoever looks
//! begins again with the segments of then.

use crate::KEYRING_PATH;
use crate::build::of_segment;
use crate::error::SealError;
use crate::segment_file::Input;
use crate::writer::Writer;
use keys::{KeyId, Keyring, SecretKey};
use segment::{Catalogue, Manifest, Projection, Row, Segment};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Folder;

/// What there is of a log in segments.
pub struct Settled {
    folder: Arc<dyn Folder>,
    catalogue: Catalogue,
    keys: BTreeMap<KeyId, SecretKey>,
}

impl Settled {
    /// What a reader of a log finds in segments: those of `catalogue`, which its ledger shows, in
    /// `folder`, under the keys of `keyring`. Nothing is read or written.
    #[must_use]
    pub fn new(folder: &Arc<dyn Folder>, catalogue: Catalogue, keyring: &Keyring) -> Self {
        let key = |id: KeyId| Some((id, keyring.get(id)?.duplicate()));
        let keys = catalogue.current().into_iter().filter_map(|it| key(it.key_id)).collect();
        Self { folder: Arc::clone(folder), keys, catalogue }
    }

    /// What the ledger shows: segments, removals, holds.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// A segment, opened.
    ///
    /// # Errors
    /// When its key or its file is gone, or it cannot be read.
    pub fn open_segment(&self, manifest: &Manifest) -> Result<Segment, SealError> {
        open(&self.folder, manifest, self.keys.get(&manifest.key_id))
    }

    /// The record at an index out of the segment that holds it; `None` when none does.
    ///
    /// # Errors
    /// As [`Settled::open_segment`].
    pub fn row(&self, index: u64) -> Result<Option<Row>, SealError> {
        row(&self.catalogue, index, |manifest| self.open_segment(manifest))
    }
}

impl Writer {
    /// What there is in segments now.
    #[must_use]
    pub fn settled(&self) -> Settled {
        Settled::new(&self.folder, self.catalogue().clone(), &self.keyring)
    }

    /// A segment, opened.
    ///
    /// # Errors
    /// As [`Settled::open_segment`].
    pub fn open_segment(&self, manifest: &Manifest) -> Result<Segment, SealError> {
        open(&self.folder, manifest, self.keyring.get(manifest.key_id))
    }

    /// The record at an index out of the segment that holds it; `None` when none does.
    ///
    /// # Errors
    /// As [`Settled::open_segment`].
    pub fn settled_row(&self, index: u64) -> Result<Option<Row>, SealError> {
        row(self.catalogue(), index, |manifest| self.open_segment(manifest))
    }
}

fn open(
    folder: &Arc<dyn Folder>,
    manifest: &Manifest,
    key: Option<&SecretKey>,
) -> Result<Segment, SealError> {
    let path = manifest.path();
    let missing = || SealError::corrupt(KEYRING_PATH, format!("the key of {path} is not in it"));
    let key = key.ok_or_else(missing)?;
    let segment = Segment::open(Input::open(folder, &path)?, key);
    segment.map_err(|error| of_segment(&path, &error))
}

fn row(
    catalogue: &Catalogue,
    index: u64,
    open: impl Fn(&Manifest) -> Result<Segment, SealError>,
) -> Result<Option<Row>, SealError> {
    let spans = |manifest: &&Manifest| (manifest.first..=manifest.last).contains(&index);
    for manifest in catalogue.current().into_iter().filter(spans) {
        let found = open(manifest)?.row(index, Projection::All);
        if let Some(row) = found.map_err(|error| of_segment(&manifest.path(), &error))? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}
