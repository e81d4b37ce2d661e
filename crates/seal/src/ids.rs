//! Event ids of records that left the journal, kept in `cache/` so that a start need not read them
//! out of segments to know what was sealed lately. Encrypted and authenticated; a file that is
//! missing, damaged or old costs time and nothing else.

use crate::window::Seen;
use keys::{DataKey, Entropy, HmacKey, SecretKey};
use store::{CACHE_FOLDER, Folder};

const LABEL: &[u8] = b"tachograph/cache/ids/v1";
/// Bytes of one id: its keyed name and the fingerprint of its record.
const ID_BYTES: usize = 24;
const NONCE_BYTES: usize = 12;

/// The keyed names and fingerprints of all records from `first` on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) first: u64,
    pub(crate) list: Vec<(u128, u64)>,
}

impl Ids {
    /// The index after the last.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.list.len() as u64
    }

    /// What the window remembers of them, from the index `from` on.
    pub(crate) fn seen(&self, from: u64) -> impl Iterator<Item = (u128, Seen)> + '_ {
        let indexes = self.first..;
        let all = indexes.zip(&self.list);
        all.filter(move |(index, _)| *index >= from)
            .map(|(index, (name, fingerprint))| (*name, Seen { index, fingerprint: *fingerprint }))
    }
}

/// The cached ids of one log.
pub(crate) struct IdCache<'c> {
    folder: &'c dyn Folder,
    key: DataKey,
}

fn path(first: u64, end: u64) -> String {
    format!("{CACHE_FOLDER}/ids-{first:020}-{end:020}")
}

fn parse_path(name: &str) -> Option<(u64, u64)> {
    let rest = name.strip_prefix(CACHE_FOLDER)?.strip_prefix("/ids-")?;
    let (first, end) = rest.split_once('-')?;
    let (first, end) = (first.parse().ok()?, end.parse().ok()?);
    (path(first, end) == name).then_some((first, end))
}

impl<'c> IdCache<'c> {
    /// The cache in a log's folder, under a key made from the log's idempotency secret.
    pub(crate) fn new(folder: &'c dyn Folder, secret: &[u8; 32]) -> Self {
        let key = SecretKey::new(HmacKey::new(secret).sign(&[LABEL]));
        Self { folder, key: DataKey::new(&key) }
    }

    /// Keeps ids, and drops those before `oldest`. Whether it worked does not matter.
    pub(crate) fn keep(&self, ids: &Ids, oldest: u64, entropy: &dyn Entropy) {
        if ids.list.is_empty() {
            return;
        }
        let mut bytes = Vec::with_capacity(NONCE_BYTES + ids.list.len() * ID_BYTES + 16);
        let Ok(nonce) = keys::random::<NONCE_BYTES>(entropy) else { return };
        bytes.extend_from_slice(&nonce);
        for (name, fingerprint) in &ids.list {
            bytes.extend_from_slice(&name.to_be_bytes());
            bytes.extend_from_slice(&fingerprint.to_be_bytes());
        }
        let name = path(ids.first, ids.end());
        let plain = bytes.get_mut(NONCE_BYTES..).unwrap_or_default();
        let Ok(tag) = self.key.seal_in_place_separate_tag(nonce, name.as_bytes(), plain) else {
            return;
        };
        bytes.extend_from_slice(&tag);
        let _ = self.folder.write(&name, &bytes);
        for (path, (_, end)) in self.listing() {
            if end <= oldest {
                let _ = self.folder.remove(&path);
            }
        }
    }

    /// The ids from the index `from` to before `to`, if all of them are here.
    pub(crate) fn load(&self, from: u64, to: u64) -> Option<Vec<Ids>> {
        let mut all = Vec::new();
        let mut next = from;
        for (path, (first, end)) in self.listing() {
            if end <= next || first >= to {
                continue;
            }
            if first > next {
                return None;
            }
            all.push(self.read(&path, first, end)?);
            next = end;
        }
        (next >= to).then_some(all)
    }

    fn listing(&self) -> Vec<(String, (u64, u64))> {
        let listing = self.folder.list(CACHE_FOLDER).unwrap_or_default();
        listing.into_iter().filter_map(|path| parse_path(&path).map(|at| (path, at))).collect()
    }

    fn read(&self, path: &str, first: u64, end: u64) -> Option<Ids> {
        let mut bytes = self.folder.read(path).ok()??;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_BYTES>()?;
        let plain = self.key.open_in_place(*nonce, path.as_bytes(), sealed).ok()?;
        let list: Vec<(u128, u64)> = plain
            .as_chunks::<ID_BYTES>()
            .0
            .iter()
            .filter_map(|id| {
                let (name, fingerprint) = id.split_first_chunk::<16>()?;
                let fingerprint = u64::from_be_bytes(fingerprint.try_into().ok()?);
                Some((u128::from_be_bytes(*name), fingerprint))
            })
            .collect();
        let ids = Ids { first, list };
        (ids.end() == end).then_some(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::SystemEntropy;
    use store::MemoryFolder;

    fn ids(first: u64, count: u64) -> Ids {
        let list = (first..first + count).map(|n| (u128::from(n) << 70, n * 3)).collect();
        Ids { first, list }
    }

    #[test]
    fn ids_read_back_and_a_gap_or_damage_makes_them_useless() {
        let (folder, entropy) = (MemoryFolder::default(), SystemEntropy::new());
        let cache = IdCache::new(&folder, &[1; 32]);
        for (first, count) in [(0, 10), (10, 5), (15, 7)] {
            cache.keep(&ids(first, count), 0, &entropy);
        }
        assert_eq!(cache.load(3, 20), Some(vec![ids(0, 10), ids(10, 5), ids(15, 7)]));
        assert_eq!(ids(0, 10).seen(8).map(|(_, seen)| seen.index).collect::<Vec<_>>(), [8, 9]);
        assert_eq!(cache.load(3, 23), None, "the end is not here");
        assert_eq!(IdCache::new(&folder, &[2; 32]).load(3, 20), None, "another log's");
        let mut bytes = folder.read(&path(10, 15)).unwrap().unwrap();
        bytes[20] ^= 1;
        folder.write(&path(10, 15), &bytes).unwrap();
        assert_eq!(cache.load(3, 20), None, "altered");
        assert!(cache.load(16, 20).is_some());
        cache.keep(&ids(22, 1), 15, &entropy);
        assert_eq!(cache.load(3, 20), None, "too old");
        assert!(cache.load(15, 23).is_some());
    }
}
