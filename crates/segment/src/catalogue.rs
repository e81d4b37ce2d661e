//! Which segments a log has now, what was taken out of them, which signing keys followed each
//! other, and which keys of agents count, from all that it ever announced.
//!
//! A later segment may take over the records of earlier ones; then only the later one counts. A
//! removal may leave nothing of a segment; then none takes its place. What was announced covers the
//! log from its first index up to where the journal begins.

use crate::manifest::{Manifest, ManifestError};
use event::{
    AgentKeyMark, AgentKeys, Disclosed, Event, HoldMark, KeyRotation, Removal, Tier, types,
};
use std::collections::{BTreeMap, BTreeSet};

/// The folder of the disclosed records.
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

/// The segments of a log, and what was taken out of them.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// All that were announced, by the index of the record that did.
    announced: BTreeMap<u64, Manifest>,
    /// Paths that a later segment took over.
    replaced: BTreeSet<String>,
    /// Paths of segments of which a removal left nothing.
    emptied: BTreeSet<String>,
    removals: BTreeMap<u64, Removal>,
    /// Holds in force, each with the index of the record that says what it holds.
    holds: BTreeMap<String, u64>,
    rotations: BTreeMap<u64, KeyRotation>,
    agent_keys: AgentKeys,
}

impl Catalogue {
    /// Takes a disclosed record into account. They must come in the order of their indexes.
    ///
    /// # Errors
    /// [`ManifestError`] when it is of a type that says something here and does not read.
    pub fn add(&mut self, disclosed: &Disclosed) -> Result<(), ManifestError> {
        let Disclosed { index, meta, content, .. } = disclosed;
        let (meta, content) = (meta.as_bytes(), content.as_bytes());
        let unread = |error: &dyn std::fmt::Display| ManifestError(error.to_string());
        if let Some(removal) = Removal::from_stored(meta, content).map_err(|e| unread(&e))? {
            self.emptied.extend(removal.files.iter().cloned());
            self.removals.insert(*index, removal);
        }
        if let Some(rotation) = KeyRotation::from_stored(meta, content).map_err(|e| unread(&e))? {
            self.rotations.insert(*index, rotation);
        }
        if let Some(mark) = AgentKeyMark::from_stored(meta, content).map_err(|e| unread(&e))? {
            self.agent_keys.note(*index, mark);
        }
        match HoldMark::from_stored(meta, content).map_err(|e| unread(&e))? {
            Some(HoldMark::Held { hold, authority }) => {
                self.holds.insert(hold, authority);
            }
            Some(HoldMark::Released { hold, .. }) => {
                self.holds.remove(&hold);
            }
            None => {}
        }
        if announces_segment(meta) {
            let manifest = Manifest::from_content(content)?;
            self.replaced.extend(manifest.replaces.iter().cloned());
            self.announced.insert(*index, manifest);
        }
        Ok(())
    }

    /// The segments that count, in the order of their spans, then of tier and day.
    #[must_use]
    pub fn current(&self) -> Vec<&Manifest> {
        self.without(&|path| self.replaces(path))
    }

    /// The segments of which `is_gone` says no, in their order.
    fn without(&self, is_gone: &dyn Fn(&str) -> bool) -> Vec<&Manifest> {
        let counts = |manifest: &&Manifest| !is_gone(&manifest.path());
        let mut current: Vec<&Manifest> = self.announced.values().filter(counts).collect();
        current.sort_by_key(|manifest| (manifest.first, manifest.tier, manifest.day));
        current
    }

    /// True when a segment was announced that took over the records of the file at `path`, or a
    /// removal that left nothing of it.
    #[must_use]
    pub fn replaces(&self, path: &str) -> bool {
        self.replaced.contains(path) || self.emptied.contains(path)
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

    /// The index up to which segments cover the log without a gap, those included of which nothing
    /// is left: where the journal must begin.
    #[must_use]
    pub fn covered(&self) -> u64 {
        let mut covered = 0;
        for manifest in self.without(&|path| self.replaced.contains(path)) {
            if manifest.first > covered {
                break;
            }
            covered = covered.max(manifest.last.saturating_add(1));
        }
        covered
    }

    /// Every removal, with the index of the record that announced it.
    pub fn removals(&self) -> impl Iterator<Item = (u64, &Removal)> {
        self.removals.iter().map(|(index, removal)| (*index, removal))
    }

    /// The removals that are still to be carried out in a segment, and that concern it.
    #[must_use]
    pub fn pending(&self, manifest: &Manifest) -> Vec<(u64, &Removal)> {
        let after = manifest.applied.map_or(0, |applied| applied.saturating_add(1));
        let concerns = |removal: &Removal| {
            let class = removal.class(manifest.tier, manifest.day);
            class.is_some_and(|class| class.overlaps(manifest.first, manifest.last))
        };
        let removals = self.removals.range(after..).filter(|(_, removal)| concerns(removal));
        removals.map(|(index, removal)| (*index, removal)).collect()
    }

    /// The index of the last removal that was announced.
    #[must_use]
    pub fn last_removal(&self) -> Option<u64> {
        self.removals.keys().next_back().copied()
    }

    /// The index after those, from `index` on, that removals name, whatever their tier and day:
    /// good enough to explain a gap to a reader, not to accept one. `None` when none names it.
    #[must_use]
    pub fn explained(&self, index: u64) -> Option<u64> {
        let classes = self.removals.values().flat_map(|removal| &removal.classes);
        let range = |class: &event::RemovedClass| {
            let place = class.indexes.partition_point(|(_, last)| *last < index);
            class.indexes.get(place).filter(|(first, _)| *first <= index).map(|(_, last)| *last)
        };
        classes.filter_map(range).max().map(|last| last.saturating_add(1))
    }

    /// Whether a removal takes the record at an index of this tier and day, all of it.
    #[must_use]
    pub fn removes(&self, tier: Tier, day: u64, index: u64) -> bool {
        let whole = |removal: &&Removal| removal.scope == event::Scope::Record;
        self.removals.values().filter(whole).any(|removal| removal.removes(tier, day, index))
    }

    /// The statements by which signing keys followed each other, with the index of the record that
    /// holds each. They are not checked.
    pub fn successions(&self) -> impl Iterator<Item = (u64, &str)> {
        self.rotations.iter().map(|(index, rotation)| (*index, rotation.succession.as_str()))
    }

    /// The keys of agents that were registered.
    #[must_use]
    pub fn agent_keys(&self) -> &AgentKeys {
        &self.agent_keys
    }

    /// The holds in force: name, and index of the record that says what each holds.
    pub fn holds(&self) -> impl Iterator<Item = (&str, u64)> {
        self.holds.iter().map(|(hold, authority)| (hold.as_str(), *authority))
    }
}

/// True when stored metadata is that of a `log.segment` record.
#[must_use]
pub fn announces_segment(meta: &[u8]) -> bool {
    Event::from_stored(meta, &[]).is_ok_and(|event| event.event_type == types::LOG_SEGMENT)
}

/// True when stored metadata is that of a record that the ledger shows.
#[must_use]
pub fn belongs_in_ledger(meta: &[u8]) -> bool {
    Event::from_stored(meta, &[]).is_ok_and(|event| types::is_disclosed(&event.event_type))
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
            applied: None,
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

    #[test]
    fn a_removal_waits_in_the_segments_that_it_concerns_until_they_say_that_it_was_carried_out() {
        let mut catalogue = Catalogue::default();
        let (a, b) = (manifest(0, 9, Tier::Info, 1), manifest(10, 19, Tier::Info, 2));
        for (index, manifest) in [(20, &a), (21, &b)] {
            catalogue.add(&disclosed(index, "log.segment", manifest)).unwrap();
        }
        let class =
            event::RemovedClass { tier: Tier::Info, day: 1, indexes: vec![(0, 9), (12, 12)] };
        let removal = Removal {
            cause: event::Cause::Erasure,
            scope: event::Scope::Record,
            authority: 22,
            classes: vec![class],
            files: vec![a.path()],
        };
        let mut document = disclosed(23, "log.erased", &a);
        document.content = format!("{{\"params\":{}}}", removal.to_params());
        catalogue.add(&document).unwrap();
        assert_eq!((catalogue.current(), catalogue.covered()), (vec![&b], 20));
        assert_eq!(catalogue.pending(&b), [(23, &removal)]);
        assert_eq!(catalogue.last_removal(), Some(23));
        let done = Manifest {
            applied: Some(23),
            replaces: vec![b.path()],
            ..manifest(10, 19, Tier::Info, 3)
        };
        catalogue.add(&disclosed(24, "log.segment", &done)).unwrap();
        assert_eq!((catalogue.current(), catalogue.covered()), (vec![&done], 20));
        assert!(catalogue.pending(&done).is_empty());
        assert!(catalogue.removes(Tier::Info, 1, 12) && !catalogue.removes(Tier::Info, 1, 11));
        assert!(!catalogue.removes(Tier::Debug, 1, 12) && catalogue.explained(12) == Some(13));
        assert_eq!((catalogue.explained(3), catalogue.explained(11)), (Some(10), None));
    }

    #[test]
    fn the_statements_of_key_rotations_are_kept_with_their_records() {
        let mut catalogue = Catalogue::default();
        let rotation = KeyRotation { succession: "statement".to_owned(), authority: 4 };
        let mut document = disclosed(5, "log.key_rotated", &manifest(0, 0, Tier::Info, 1));
        document.content = format!("{{\"params\":{}}}", rotation.to_params());
        catalogue.add(&document).unwrap();
        assert_eq!(catalogue.successions().collect::<Vec<_>>(), [(5, "statement")]);
        document.content = "{}".to_owned();
        assert!(catalogue.add(&document).is_err());
    }

    #[test]
    fn a_hold_is_in_force_until_it_is_released() {
        let mut catalogue = Catalogue::default();
        let mark = |index, mark: &HoldMark| {
            let mut document = disclosed(index, mark.event_type(), &manifest(0, 0, Tier::Info, 1));
            document.content = format!("{{\"params\":{}}}", mark.to_params());
            document
        };
        let (hold, authority) = ("h".to_owned(), 4);
        catalogue.add(&mark(5, &HoldMark::Held { hold: hold.clone(), authority })).unwrap();
        assert_eq!(catalogue.holds().collect::<Vec<_>>(), [("h", 4)]);
        catalogue.add(&mark(7, &HoldMark::Released { hold, authority: 6 })).unwrap();
        assert_eq!(catalogue.holds().count(), 0);
    }
}
