//! The ledger: records of the log's own that it shows to everybody, each compared with its entry.
//!
//! What those records say, and whether the files that they speak of are there, is the caller's to
//! check: this only shows that the log did say it.

use super::Verifier;
use crate::epochs;
use crate::report::{Finding, FindingKind, KeyEpoch};
use crate::trust::Trust;
use checkpoint::{Succession, VerifierKey};
use event::{DISCLOSED_BYTES_MAX, Disclosed, Entry, Kind, Removal, Timestamp};
use std::collections::VecDeque;

/// Where the documents lie.
const LEDGER_FOLDER: &str = "ledger/";

/// The documents that were not compared yet, in the order of their indexes.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    shown: VecDeque<Shown>,
    /// The successions of signing keys, each with the index of its record.
    successions: Vec<(u64, Succession)>,
}

/// What of a document is compared.
#[derive(Debug)]
struct Shown {
    index: u64,
    commitment: [u8; 32],
}

impl Verifier<'_> {
    /// Reads every document; returns what is to be reported of those that do not read.
    pub(super) fn read_ledger(&mut self) -> Vec<Finding> {
        let mut paths = Vec::new();
        let listed = self.public.list(&mut |path| {
            if path.starts_with(LEDGER_FOLDER) {
                paths.push(path.to_owned());
            }
        });
        // Whoever cannot list was told so when the tiles were looked for.
        let _ = listed;
        let (mut shown, mut faults) = (Vec::with_capacity(paths.len()), Vec::new());
        for path in paths {
            match self.read_document(&path) {
                Ok(document) => shown.push(document),
                Err(finding) => faults.push(finding),
            }
        }
        shown.sort_by_key(|shown| shown.index);
        self.ledger.shown = shown.into();
        faults
    }

    /// Follows the log's keys from the first to the last, and adds them to what is trusted: a
    /// pinned key vouches for those that took over from it. As with removals, a document counts
    /// from the start; a false one is reported where it is compared with its entry.
    pub(super) fn follow_keys(&mut self, origin: &str, trust: &Trust) -> Trust {
        let mut trust = trust.clone();
        let successions = std::mem::take(&mut self.ledger.successions);
        if successions.is_empty() {
            if !trust.embedded.is_empty() {
                let vkeys = trust.embedded.iter().map(VerifierKey::to_string).collect();
                let first = KeyEpoch { epoch: 0, vkeys, record: None, since: None };
                self.report.epochs = vec![first];
            }
            return trust;
        }
        let (epochs, error) = epochs::follow(origin, &trust.embedded, successions);
        if let Some(error) = error {
            let path = error.at().map(path_of).unwrap_or_default();
            self.report.add(Finding::of_file(FindingKind::Signature, &path, error.to_string()));
        }
        self.report.epochs = epochs::told(&epochs);
        trust.epochs = Some(epochs);
        trust
    }

    fn read_document(&mut self, path: &str) -> Result<Shown, Finding> {
        let Some(index) = index_of(path) else {
            let detail = "not a file that a log has";
            return Err(Finding::of_file(FindingKind::Unannounced, path, detail));
        };
        let finding = |kind, detail: String| Finding::of_records(kind, index, 1, path, detail);
        self.buffer.clear();
        match self.public.read(path, DISCLOSED_BYTES_MAX + 1, &mut self.buffer) {
            Ok(true) => {}
            Ok(false) => return Err(finding(FindingKind::Missing, "the file is gone".to_owned())),
            Err(error) => {
                let detail = format!("the file cannot be read: {error}");
                return Err(finding(FindingKind::Unreadable, detail));
            }
        }
        let disclosed = Disclosed::parse(&self.buffer)
            .map_err(|error| finding(FindingKind::Corrupt, error.to_string()))?;
        if disclosed.index != index {
            let detail = format!("it says that it is record {}", disclosed.index);
            return Err(finding(FindingKind::Corrupt, detail));
        }
        if disclosed.content.is_empty() {
            // Nothing would then commit to the salt that stands in it.
            let detail = "it shows a record without content, which the ledger never does";
            return Err(finding(FindingKind::Corrupt, detail.to_owned()));
        }
        let (meta, content) = (disclosed.meta.as_bytes(), disclosed.content.as_bytes());
        match Removal::from_stored(meta, content) {
            Ok(None) => {}
            Ok(Some(removal)) => self.removals.add(index, &removal),
            Err(error) => return Err(finding(FindingKind::Corrupt, error.to_string())),
        }
        match epochs::announced(meta, content) {
            Ok(succession) => {
                let successions = &mut self.ledger.successions;
                successions.extend(succession.map(|succession| (index, succession)));
            }
            Err(error) => return Err(finding(FindingKind::Signature, error.to_string())),
        }
        Ok(Shown { index, commitment: disclosed.commitment() })
    }

    /// Compares the document at an index, if there is one, with the entry there.
    #[inline]
    pub(super) fn compare_shown(&mut self, index: u64, entry: Option<&Entry>) {
        while self.ledger.shown.front().is_some_and(|shown| shown.index <= index) {
            let Some(shown) = self.ledger.shown.pop_front() else { return };
            self.compare(&shown, entry);
        }
    }

    #[cold]
    fn compare(&mut self, shown: &Shown, entry: Option<&Entry>) {
        let detail = match entry {
            // The entry is lost, and that was reported.
            None => return,
            Some(entry) if entry.commitment != shown.commitment => {
                "it is not what the log committed to: it was altered, or put there"
            }
            Some(entry) if entry.kind != Kind::Log => {
                "it discloses a record that is not the log's own"
            }
            Some(entry) => return self.date_epoch(shown.index, entry),
        };
        let path = path_of(shown.index);
        self.report.add_record(FindingKind::Corrupt, shown.index, &path, || detail.to_owned());
    }

    /// Notes when the keys took over that a record announces.
    fn date_epoch(&mut self, index: u64, entry: &Entry) {
        let mut epochs = self.report.epochs.iter_mut();
        if let Some(epoch) = epochs.find(|epoch| epoch.record == Some(index)) {
            epoch.since = Some(Timestamp::from_milliseconds(entry.time_ms).to_string());
        }
    }

    /// Reports what no entry under the checkpoint answers for: documents appear only when a
    /// published checkpoint covers their records.
    pub(super) fn finish_ledger(&mut self) {
        for shown in std::mem::take(&mut self.ledger.shown) {
            let detail = format!(
                "it discloses a record behind the {} that the checkpoint covers: an older checkpoint \
                 was put in its place, or the document was put there",
                self.size
            );
            let path = path_of(shown.index);
            self.report.add(Finding::of_file(FindingKind::Unannounced, &path, detail));
        }
    }
}

/// The one path of the document at an index.
fn path_of(index: u64) -> String {
    format!("{LEDGER_FOLDER}{index:020}.json")
}

fn index_of(path: &str) -> Option<u64> {
    let index = path.strip_prefix(LEDGER_FOLDER)?.strip_suffix(".json")?.parse().ok()?;
    (path_of(index) == path).then_some(index)
}
