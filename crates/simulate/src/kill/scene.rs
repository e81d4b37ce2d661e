//! What a kill left of the work that the log does beside its appends: told from the files, before
//! the next start finishes or undoes it.

use event::{Disclosed, Timestamp};
use segment::Catalogue;
use std::collections::BTreeSet;
use store::{Folder, JOURNAL_FOLDER};

/// Segments of a journal file that were not announced.
const ROLL: &str = "a roll";
/// A segment made of several that was not announced.
const COMPACTION: &str = "a compaction";
/// A segment written anew for a removal that was not announced.
const REMOVAL: &str = "a rewrite for a removal";
/// Removals that are announced and not carried out.
const WAITING: &str = "a removal that waits";
/// Files of which the ledger says that others took their place.
const REPLACED: &str = "files already replaced";

/// The names of what there is.
///
/// # Errors
/// When the folder cannot be read, in words.
pub(crate) fn look(folder: &dyn Folder) -> Result<BTreeSet<&'static str>, String> {
    let mut catalogue = Catalogue::default();
    for path in folder.list(segment::LEDGER_FOLDER).map_err(text)? {
        let bytes = folder.read(&path).map_err(text)?.unwrap_or_default();
        // A document that a kill left half is written again by the next start.
        if let Ok(document) = Disclosed::parse(&bytes) {
            catalogue.add(&document).map_err(text)?;
        }
    }
    let current = catalogue.current();
    let announced: BTreeSet<String> = catalogue.announced().map(|(_, it)| it.path()).collect();
    let mut found = BTreeSet::new();
    let mut files = folder.list(JOURNAL_FOLDER).map_err(text)?;
    let journal: BTreeSet<u64> =
        files.iter().filter_map(|path| store::parse_journal_path(path)).collect();
    files.extend(folder.list(segment::SEGMENT_FOLDER).map_err(text)?);
    for path in files {
        if catalogue.replaces(&path) {
            found.insert(REPLACED);
        } else if path.starts_with(segment::SEGMENT_FOLDER) && !announced.contains(&path) {
            let span = span(&path);
            let is_anew = |it: &&&segment::Manifest| {
                Some((it.first, it.last)) == span
                    && path.contains(&format!("tier={}/", it.tier.as_str()))
                    && path.contains(&Timestamp::date_of_day(it.day).to_string())
            };
            found.insert(match span {
                Some((first, _)) if journal.contains(&first) => ROLL,
                _ if current.iter().find(is_anew).is_some() => REMOVAL,
                _ => COMPACTION,
            });
        }
    }
    if current.iter().any(|manifest| !catalogue.pending(manifest).is_empty()) {
        found.insert(WAITING);
    }
    Ok(found)
}

/// The first index and the last of a segment, out of its name.
fn span(path: &str) -> Option<(u64, u64)> {
    let mut parts = path.rsplit_once('/')?.1.splitn(3, '-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
