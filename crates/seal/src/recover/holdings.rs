//! What is known about segments when a log is opened: what the ledger shows, what it does not show
//! yet, and files that a crash left behind.

use super::tree::entry_at;
use crate::batch::Fingerprints;
use crate::build::of_segment;
use crate::error::SealError;
use crate::ids::IdCache;
use crate::ledger::Holdings;
use crate::roll::Closed;
use crate::segment_file::Input;
use crate::sequence::event_id;
use crate::window::{Seen, Window};
use event::Disclosed;
use keys::{KeyId, Keyring, Purpose};
use segment::{
    Catalogue, LEDGER_FOLDER, Manifest, Projection, SEGMENT_FOLDER, Segment, ledger_path,
    parse_ledger_path,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Folder, StoreError};

/// The documents of the ledger, compared with nothing yet.
#[derive(Default)]
pub(super) struct Documents {
    read: Vec<(String, Disclosed)>,
    /// Documents that do not read, and why.
    torn: Vec<(u64, String)>,
    catalogue: Catalogue,
}

impl Documents {
    /// Reads the ledger.
    pub(super) fn read(folder: &dyn Folder) -> Result<Self, SealError> {
        let mut documents = Self::default();
        for path in folder.list(LEDGER_FOLDER)? {
            let Some(index) = parse_ledger_path(&path) else { continue };
            let bytes = folder.read(&path)?.unwrap_or_default();
            match Disclosed::parse(&bytes) {
                Ok(disclosed) if disclosed.index == index => {
                    let add = documents.catalogue.add(&disclosed);
                    add.map_err(|error| SealError::corrupt(path.as_str(), error.to_string()))?;
                    documents.read.push((path, disclosed));
                }
                Ok(_) => return Err(SealError::corrupt(path, "it is of another record")),
                Err(error) => documents.torn.push((index, error.to_string())),
            }
        }
        Ok(documents)
    }

    /// The statements by which signing keys followed each other.
    pub(super) fn successions(&self) -> impl Iterator<Item = (u64, &str)> {
        self.catalogue.successions()
    }
}

/// What the ledger shows.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) catalogue: Catalogue,
    /// Indexes whose document is there; one that was torn by a crash is not.
    pub(super) shown: BTreeSet<u64>,
    /// Documents that do not read, and why: a crash may have torn them before they were synced.
    torn: Vec<(u64, String)>,
}

impl Ledger {
    /// Holds each document to the entry that commits to it.
    pub(super) fn of(
        documents: Documents,
        folder: &dyn Folder,
        size: u64,
    ) -> Result<Self, SealError> {
        let Documents { read, torn, catalogue } = documents;
        let mut shown = BTreeSet::new();
        for (path, disclosed) in read {
            let committed = entry_at(folder, disclosed.index, size)?.map(|entry| entry.commitment);
            if committed != Some(disclosed.commitment()) {
                return Err(SealError::corrupt(path, "it is not what the log committed to"));
            }
            shown.insert(disclosed.index);
        }
        Ok(Self { catalogue, shown, torn })
    }

    /// Every torn document must be one that can be written again; every segment that counts must be
    /// there.
    pub(super) fn check(
        &self,
        folder: &dyn Folder,
        undisclosed: &[Disclosed],
    ) -> Result<(), SealError> {
        for (index, error) in &self.torn {
            if !undisclosed.iter().any(|disclosed| disclosed.index == *index) {
                return Err(SealError::corrupt(ledger_path(*index), error.clone()));
            }
        }
        for manifest in self.catalogue.current() {
            check_there(folder, manifest)?;
        }
        manifests(undisclosed).iter().try_for_each(|manifest| check_there(folder, manifest))
    }
}

fn check_there(folder: &dyn Folder, manifest: &Manifest) -> Result<(), SealError> {
    let path = manifest.path();
    match folder.size(&path)? {
        Some(bytes) if bytes == manifest.bytes => Ok(()),
        Some(bytes) => {
            let detail = format!("it has {bytes} bytes, and was announced with {}", manifest.bytes);
            Err(SealError::corrupt(path, detail))
        }
        None => Err(StoreError::Missing { path }.into()),
    }
}

fn manifests(undisclosed: &[Disclosed]) -> Vec<Manifest> {
    let read = |it: &Disclosed| Manifest::from_content(it.content.as_bytes()).ok();
    undisclosed.iter().filter_map(read).collect()
}

/// Removes segments that a crash left: those that were never announced, and those that others took
/// the place of. Their keys go with them. `journal_first` is the first index that the journal
/// holds.
pub(super) fn remove_strays(
    folder: &dyn Folder,
    keyring: &mut Keyring,
    holdings: &Holdings,
    journal_first: u64,
) -> Result<(), SealError> {
    let catalogue = &holdings.catalogue;
    let undisclosed = manifests(&holdings.undisclosed);
    let counts = || catalogue.current().into_iter().chain(&undisclosed);
    let paths: BTreeSet<String> = counts().map(Manifest::path).collect();
    let keys: BTreeSet<KeyId> = counts().map(|manifest| manifest.key_id).collect();
    let mut strays = folder.list(SEGMENT_FOLDER)?;
    strays.retain(|path| !paths.contains(path));
    let replaced = |closed: &Closed| catalogue.replaces(&closed.path);
    if !strays.is_empty() || holdings.closed.iter().any(replaced) {
        // What says that files were replaced may be only in the page cache of a process that died,
        // or whose sync failed: syncing the same file again would then say yes and do nothing. The
        // process cannot have gone on, so the journal holds the record of what it wrote.
        for path in folder.list(LEDGER_FOLDER)? {
            if parse_ledger_path(&path).is_some_and(|index| index >= journal_first)
                && let Some(bytes) = folder.read(&path)?
            {
                folder.replace(&path, &bytes)?;
            }
        }
        folder.sync(&folder.list(LEDGER_FOLDER)?)?;
    }
    for path in strays {
        folder.remove(&path)?;
    }
    let unused: Vec<KeyId> = keyring
        .by_purpose(Purpose::Segment)
        .map(|(info, _)| info.id)
        .filter(|id| !keys.contains(id))
        .collect();
    for id in unused {
        keyring.destroy(id)?;
    }
    Ok(())
}

/// Where the ids of records that left the journal come from.
pub(super) struct PastIds<'p> {
    pub(super) folder: &'p Arc<dyn Folder>,
    pub(super) keyring: &'p Keyring,
    pub(super) catalogue: &'p Catalogue,
    pub(super) names: &'p Fingerprints,
    pub(super) secret: &'p [u8; 32],
}

impl PastIds<'_> {
    /// Remembers the ids of the records from `from` to before `to`, out of the cache or, where it
    /// does not have them, out of the segments.
    pub(super) fn remember(
        &self,
        window: &mut Window,
        from: u64,
        to: u64,
    ) -> Result<(), SealError> {
        if from >= to {
            return Ok(());
        }
        let mut seen: Vec<(u128, Seen)> =
            match IdCache::new(&**self.folder, self.secret).load(from, to) {
                Some(cached) => cached.iter().flat_map(|ids| ids.seen(from)).collect(),
                None => self.read_segments(from, to)?,
            };
        seen.sort_unstable_by_key(|(_, seen)| seen.index);
        for (name, seen) in seen.into_iter().filter(|(_, seen)| seen.index < to) {
            window.check_or_insert(name, seen);
        }
        Ok(())
    }

    fn read_segments(&self, from: u64, to: u64) -> Result<Vec<(u128, Seen)>, SealError> {
        let mut seen = Vec::new();
        let wanted = |manifest: &&Manifest| manifest.first < to && manifest.last >= from;
        for manifest in self.catalogue.current().into_iter().filter(wanted) {
            let path = manifest.path();
            let failed = |error: segment::SegmentError| of_segment(&path, &error);
            let Some(key) = self.keyring.get(manifest.key_id) else {
                let detail = format!("the key {} of {path} is not in it", manifest.key_id);
                return Err(SealError::corrupt(crate::KEYRING_PATH, detail));
            };
            let segment = Segment::open(Input::open(self.folder, &path)?, key).map_err(failed)?;
            for row in segment.rows(from..to, Projection::All).map_err(failed)? {
                let row = row.map_err(failed)?;
                let Some(id) = event_id(&row.meta) else { continue };
                let fingerprint = self.names.content(&row.meta, row.content.bytes());
                seen.push((self.names.name(&id), Seen { index: row.index, fingerprint }));
            }
        }
        Ok(seen)
    }
}
