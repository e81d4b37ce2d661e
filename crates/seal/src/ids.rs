//! Event ids of records that left the journal, kept so that a start need not read them out of
//! segments to know what was sealed lately.

use crate::spans::{Span, Spans};
use crate::window::Seen;
use keys::Entropy;
use store::Folder;

/// Bytes of one id: its keyed name and the fingerprint of its record.
const ID_BYTES: usize = 24;

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
pub(crate) struct IdCache<'c>(Spans<'c>);

impl<'c> IdCache<'c> {
    /// The cache in a log's folder, under a key made from the log's idempotency secret.
    pub(crate) fn new(folder: &'c dyn Folder, secret: &[u8; 32]) -> Self {
        Self(Spans::new(folder, secret, "ids".to_owned()))
    }

    /// Keeps ids, and drops those before `oldest`. Whether it worked does not matter.
    pub(crate) fn keep(&self, ids: &Ids, oldest: u64, entropy: &dyn Entropy) {
        if ids.list.is_empty() {
            return;
        }
        let fill = |bytes: &mut Vec<u8>| {
            for (name, fingerprint) in &ids.list {
                bytes.extend_from_slice(&name.to_be_bytes());
                bytes.extend_from_slice(&fingerprint.to_be_bytes());
            }
        };
        let span = Span { first: ids.first, end: ids.end() };
        self.0.keep(span, &[], ids.list.len() * ID_BYTES, fill, entropy);
        for span in self.0.all().into_iter().filter(|span| span.end <= oldest) {
            self.0.remove(span);
        }
    }

    /// The ids from the index `from` to before `to`, if all of them are here.
    pub(crate) fn load(&self, from: u64, to: u64) -> Option<Vec<Ids>> {
        let mut all = Vec::new();
        let mut next = from;
        for span in self.0.all() {
            if span.end <= next || span.first >= to {
                continue;
            }
            if span.first > next {
                return None;
            }
            all.push(self.read(span)?);
            next = span.end;
        }
        (next >= to).then_some(all)
    }

    fn read(&self, span: Span) -> Option<Ids> {
        let plain = self.0.read(span, &[])?;
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
        let ids = Ids { first: span.first, list };
        (ids.end() == span.end).then_some(ids)
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
        let path = "cache/ids-00000000000000000010-00000000000000000015";
        let mut bytes = folder.read(path).unwrap().unwrap();
        bytes[20] ^= 1;
        folder.write(path, &bytes).unwrap();
        assert_eq!(cache.load(3, 20), None, "altered");
        assert!(cache.load(16, 20).is_some());
        cache.keep(&ids(22, 1), 15, &entropy);
        assert_eq!(cache.load(3, 20), None, "too old");
        assert!(cache.load(15, 23).is_some());
    }
}
