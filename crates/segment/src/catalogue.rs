//! Which segments a log has now, from all that it ever announced.
//!
//! A later segment may take over the records of earlier ones; then only the later one counts. The
//! current segments cover the log from its first index up to where the journal begins.

use crate::manifest::{Manifest, ManifestError};
use event::{Disclosed, types};
use std::collections::{BTreeMap, BTreeSet};

/// The folder of the disclosed records that announce segments.
pub const LEDGER_FOLDER: &str = "ledger";

/// The path of the document that discloses the record at `index`.
#[must_use]
pub fn ledger_path(index: u64) -> String {
    format!("{LEDGER_FOLDER}/{index:020}.json")
}

/// The index that a document's name announces; `None` for any other name.
#[must_use]
pub fn parse_ledger_path(path: &str) -> Option<u64> {
    let digits = path.strip_prefix(LEDGER_FOLDER)?.strip_prefix('/')?.strip_suffix(".json")?;
    let index = digits.parse().ok()?;
    (ledger_path(index) == path).then_some(index)
}

/// The segments of a log.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// All that were announced, by the index of the record that did.
    announced: BTreeMap<u64, Manifest>,
    /// Paths that a later segment took over.
    replaced: BTreeSet<String>,
}

impl Catalogue {
    /// Takes a disclosed record into account. Other kinds of records than `log.segment` say nothing
    /// here.
    ///
    /// # Errors
    /// [`ManifestError`] when it announces a segment and does not read.
    pub fn add(&mut self, disclosed: &Disclosed) -> Result<(), ManifestError> {
        if !announces_segment(disclosed.meta.as_bytes()) {
            return Ok(());
        }
        let manifest = Manifest::from_content(disclosed.content.as_bytes())?;
        self.replaced.extend(manifest.replaces.iter().cloned());
        self.announced.insert(disclosed.index, manifest);
        Ok(())
    }

    /// The segments that count, in the order of their spans, then of tier and day.
    #[must_use]
    pub fn current(&self) -> Vec<&Manifest> {
        let counts = |manifest: &&Manifest| !self.replaced.contains(&manifest.path());
        let mut current: Vec<&Manifest> = self.announced.values().filter(counts).collect();
        current.sort_by_key(|manifest| (manifest.first, manifest.tier, manifest.day));
        current
    }

    /// True when a segment was announced that took over the records of the file at `path`.
    #[must_use]
    pub fn replaces(&self, path: &str) -> bool {
        self.replaced.contains(path)
    }

    /// How many segments were ever announced.
    #[must_use]
    pub fn announced_count(&self) -> usize {
        self.announced.len()
    }

    /// Every segment that was ever announced, with the index of the record that did.
    pub fn announced(&self) -> impl Iterator<Item = (u64, &Manifest)> {
        self.announced.iter().map(|(index, manifest)| (*index, manifest))
    }

    /// The index up to which segments cover the log without a gap: where the journal must begin.
    #[must_use]
    pub fn covered(&self) -> u64 {
        let mut covered = 0;
        for manifest in self.current() {
            if manifest.first > covered {
                break;
            }
            covered = covered.max(manifest.last.saturating_add(1));
        }
        covered
    }
}

/// True when stored metadata is that of a `log.segment` record.
#[must_use]
pub fn announces_segment(meta: &[u8]) -> bool {
    event::Event::from_stored(meta, &[]).is_ok_and(|event| event.event_type == types::LOG_SEGMENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Tier;
    use keys::KeyId;

    fn manifest(first: u64, last: u64, tier: Tier, id: u8) -> Manifest {
        Manifest {
            first,
            last,
            tier,
            day: 1,
            key_id: KeyId::from_bytes([id; 16]),
            sha256: [id; 32],
            bytes: 1,
            rows: 1,
            replaces: Vec::new(),
        }
    }

    fn disclosed(index: u64, event_type: &str, manifest: &Manifest) -> Disclosed {
        Disclosed {
            index,
            meta_salt: [0; 16],
            meta: format!("{{\"schema\":\"tachograph.event/1\",\"event_type\":\"{event_type}\"}}"),
            content_salt: [0; 16],
            content: format!("{{\"params\":{}}}", manifest.to_params()),
        }
    }

    #[test]
    fn later_segments_take_the_place_of_those_that_they_replace() {
        let mut catalogue = Catalogue::default();
        let (a, b) = (manifest(0, 9, Tier::Info, 1), manifest(10, 19, Tier::Info, 2));
        let mut both = manifest(0, 19, Tier::Info, 3);
        both.replaces = vec![a.path(), b.path()];
        for (index, manifest) in [(20, &a), (21, &b)] {
            catalogue.add(&disclosed(index, "log.segment", manifest)).unwrap();
        }
        assert_eq!(catalogue.current(), [&a, &b]);
        assert_eq!(catalogue.covered(), 20);
        catalogue.add(&disclosed(30, "log.segment", &both)).unwrap();
        assert_eq!(catalogue.current(), [&both]);
        assert!(catalogue.replaces(&a.path()) && !catalogue.replaces(&both.path()));
        assert_eq!(catalogue.covered(), 20);
    }

    #[test]
    fn a_gap_ends_what_is_covered_and_other_records_announce_nothing() {
        let mut catalogue = Catalogue::default();
        let late = manifest(5, 9, Tier::Debug, 1);
        catalogue.add(&disclosed(3, "log.heartbeat", &late)).unwrap();
        assert_eq!(catalogue.current().len(), 0);
        catalogue.add(&disclosed(10, "log.segment", &late)).unwrap();
        assert_eq!((catalogue.current().len(), catalogue.covered()), (1, 0));
        let mut broken = disclosed(11, "log.segment", &late);
        broken.content = "{}".to_owned();
        assert!(catalogue.add(&broken).is_err());
    }

    #[test]
    fn only_the_names_of_documents_are_taken_for_names() {
        assert_eq!(parse_ledger_path(&ledger_path(12)), Some(12));
        for path in ["ledger/12.json", "ledger/x.json", "ledger/00000000000000000012.jso", "ledger"]
        {
            assert_eq!(parse_ledger_path(path), None, "{path}");
        }
    }
}
