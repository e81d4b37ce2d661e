//! The ledger: records of the log's own that it shows to everybody, each compared with its entry.
//!
//! What those records say, and whether the files that they speak of are there, is the caller's to
//! check: this only shows that the log did say it.

use super::Verifier;
use crate::report::{Finding, FindingKind};
use event::{DISCLOSED_BYTES_MAX, Disclosed, Entry, Kind, Removal};
use std::collections::VecDeque;

/// Where the documents lie.
const LEDGER_FOLDER: &str = "ledger/";

/// The documents that were not compared yet, in the order of their indexes.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    shown: VecDeque<Shown>,
}

/// What of a document is compared.
#[derive(Debug)]
struct Shown {
    index: u64,
    commitment: [u8; 32],
}

impl Verifier<'_> {
    /// Reads every document; reports those that do not read.
    pub(super) fn read_ledger(&mut self) {
        let mut paths = Vec::new();
        let listed = self.public.list(&mut |path| {
            if path.starts_with(LEDGER_FOLDER) {
                paths.push(path.to_owned());
            }
        });
        // Whoever cannot list was told so when the tiles were looked for.
        let _ = listed;
        let mut shown = Vec::with_capacity(paths.len());
        for path in paths {
            match self.read_document(&path) {
                Ok(document) => shown.push(document),
                Err(finding) => self.report.add(finding),
            }
        }
        shown.sort_by_key(|shown| shown.index);
        self.ledger.shown = shown.into();
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
            Some(_) => return,
        };
        let path = path_of(shown.index);
        self.report.add_record(FindingKind::Corrupt, shown.index, &path, || detail.to_owned());
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
