//! Which segments a log has, and which of them its records are read from.
//!
//! The ledger says what was announced; the folder says what is there. A segment whose document is
//! gone names itself by its path, so its records are still read: that something is wrong with the
//! ledger is `verify`'s to say. Not here: rows (`merge.rs`).

use checkpoint::{EpochError, Epochs};
use event::{DISCLOSED_BYTES_MAX, Disclosed, Tier, Timestamp};
use keys::KeyId;
use seal::Identity;
use segment::{Catalogue, LEDGER_FOLDER, Manifest, SEGMENT_FOLDER, parse_ledger_path};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Folder, StoreError};

/// The segments of a log.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// What was announced.
    pub catalogue: Catalogue,
    /// The indexes of the records that the ledger shows.
    pub shown: BTreeSet<u64>,
    /// The segments that records are read from, in the order of their first indexes.
    pub volumes: Vec<Volume>,
    /// Documents that announce nothing although they should, and why.
    pub unread: Vec<(String, String)>,
    /// Documents that do not read: a crash may have torn them.
    pub torn: Vec<Torn>,
}

/// A document that does not read.
#[derive(Clone, Debug)]
pub struct Torn {
    /// Its file.
    pub path: String,
    /// The index of the record that it should disclose.
    pub index: u64,
    /// Why not.
    pub detail: String,
}

/// A segment that records are read from.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its file.
    pub path: Arc<str>,
    /// What is known of it; without an announcement only what the path says.
    pub manifest: Manifest,
    /// Whether the ledger announces it.
    pub is_announced: bool,
}

impl Shelf {
    /// Reads the ledger, and lists the segments.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a folder cannot be listed.
    pub fn read(folder: &dyn Folder) -> Result<Self, StoreError> {
        Self::default().again(folder)
    }

    /// The same log's, read again: documents that were read before do not change, so only others
    /// are opened. When what was there is not there, or was in disorder, all of them are.
    ///
    /// # Errors
    /// As [`Shelf::read`].
    pub(crate) fn again(&self, folder: &dyn Folder) -> Result<Self, StoreError> {
        let paths = folder.list(LEDGER_FOLDER)?;
        let indexes = paths.iter().filter_map(|path| parse_ledger_path(path));
        let (old, new): (BTreeSet<u64>, BTreeSet<u64>) =
            indexes.partition(|index| self.shown.contains(index));
        let is_in_order = new.first().is_none_or(|first| self.shown.last() < Some(first));
        let goes_on = old == self.shown && is_in_order && self.unread.is_empty();
        let mut shelf = match goes_on {
            true => Self { volumes: Vec::new(), torn: Vec::new(), ..self.clone() },
            false => Self::default(),
        };
        for path in paths {
            let Some(index) = parse_ledger_path(&path) else { continue };
            if shelf.shown.contains(&index) {
                continue;
            }
            // One that cannot be opened is found by whoever compares it with its entry.
            let Ok(Some(bytes)) = read_document(folder, &path) else { continue };
            let disclosed = match Disclosed::parse(&bytes) {
                Ok(disclosed) => disclosed,
                Err(error) => {
                    shelf.torn.push(Torn { path, index, detail: error.to_string() });
                    continue;
                }
            };
            shelf.shown.insert(index);
            if !segment::belongs_in_ledger(disclosed.meta.as_bytes()) {
                let detail = "it discloses a record that the ledger does not show".to_owned();
                shelf.unread.push((path, detail));
            } else if let Err(error) = shelf.catalogue.add(&disclosed) {
                shelf.unread.push((path, error.to_string()));
            }
        }
        let current = shelf.catalogue.current().into_iter().cloned();
        shelf.volumes = current.map(Volume::announced).collect();
        let known: BTreeSet<String> =
            shelf.catalogue.announced().map(|(_, manifest)| manifest.path()).collect();
        let files = folder.list(SEGMENT_FOLDER)?;
        let unknown = files.into_iter().filter(|path| !known.contains(path));
        shelf.volumes.extend(unknown.filter_map(|path| Volume::named(&path)));
        shelf.volumes.sort_by_key(|volume| volume.manifest.first);
        Ok(shelf)
    }

    /// The log's keys, and since which record each of them signs.
    ///
    /// # Errors
    /// When one does not follow from the one before.
    pub fn epochs(&self, identity: &Identity) -> Result<Epochs, EpochError> {
        Epochs::read(&identity.origin, &identity.keys, self.catalogue.successions())
    }

    /// Whether a segment that counts was announced for all of these indexes.
    pub fn covers(&self, first: u64, end: u64) -> bool {
        let mut covered = first;
        for Volume { manifest, .. } in &self.volumes {
            if manifest.first > covered || covered >= end {
                break;
            }
            covered = covered.max(manifest.last.saturating_add(1));
        }
        covered >= end
    }
}

/// A document, unless it is gone or too long to be one.
fn read_document(folder: &dyn Folder, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
    match folder.size(path)? {
        Some(bytes) if bytes <= DISCLOSED_BYTES_MAX as u64 => folder.read(path),
        _ => Ok(None),
    }
}

impl Volume {
    fn announced(manifest: Manifest) -> Self {
        Self { path: manifest.path().into(), manifest, is_announced: true }
    }

    /// The segment that a path names, when it is the one spelling of such a path.
    pub fn named(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(SEGMENT_FOLDER)?.strip_prefix("/tier=")?;
        let (tier, rest) = rest.split_once("/date=")?;
        let (date, rest) = rest.split_once('/')?;
        let mut parts = rest.strip_suffix(".parquet")?.splitn(3, '-');
        let manifest = Manifest {
            first: parts.next()?.parse().ok()?,
            last: parts.next()?.parse().ok()?,
            tier: Tier::from_name(tier)?,
            day: Timestamp::parse(&format!("{date}T00:00:00Z"))?.day(),
            key_id: parts.next()?.parse::<KeyId>().ok()?,
            sha256: [0; 32],
            bytes: 0,
            rows: 0,
            replaces: Vec::new(),
            applied: None,
        };
        let is_one = manifest.path() == path && manifest.first <= manifest.last;
        is_one.then(|| Self { path: path.into(), manifest, is_announced: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_segment_in_one_spelling() {
        let path = "segments/tier=info/date=2026-01-01/00000000000000000010-00000000000000000099-\
                    07070707070707070707070707070707.parquet";
        let volume = Volume::named(path).unwrap();
        let Manifest { first, last, tier, day, .. } = volume.manifest;
        assert_eq!((first, last, tier, day), (10, 99, Tier::Info, 20_454));
        assert_eq!((&*volume.path, volume.is_announced), (path, false));
        for (from, to) in [
            ("info", "Info"),
            ("2026-01-01", "2026-1-1"),
            ("0010-", "010-"),
            ("0010-", "0100-"),
            ("07.parquet", "07.parque"),
            ("0707.", "07AA."),
            ("segments/", "segment/"),
        ] {
            let other = path.replacen(from, to, 1);
            assert_ne!(other, path);
            assert!(Volume::named(&other).is_none(), "{other}");
        }
    }
}
