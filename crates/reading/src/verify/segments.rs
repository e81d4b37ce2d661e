//! The segments' files: is each one that the log announced, byte for byte, and is none gone?
//!
//! For this nobody needs a key: the ledger shows what was announced, and `prove` compares that with
//! the entries. Whether the records in them are right is told where they are read
//! (`merge.rs`, `prove`).

use super::files::{Files, SEGMENT_FOLDER};
use super::records::Observed;
use crate::{Torn, Volume};
use prove::{Finding, FindingKind, Report};
use segment::{Manifest, ledger_path};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use store::{Folder, StoreError};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Compares the files with what was announced.
pub(super) fn check(folder: &dyn Folder, files: &Files, report: &mut Report) {
    for (path, detail) in &files.shelf.unread {
        report.add(Finding::of_file(FindingKind::Corrupt, path, detail.as_str()));
    }
    let catalogue = &files.shelf.catalogue;
    let announced: BTreeMap<String, &Manifest> =
        catalogue.announced().map(|(_, manifest)| (manifest.path(), manifest)).collect();
    let there = || files.listing.iter().filter(|path| path.starts_with(SEGMENT_FOLDER));
    for path in there() {
        match announced.get(path) {
            Some(manifest) => compare_bytes(folder, path, manifest, report),
            None if is_being_made(path, files) => report.note(format!(
                "{path} was being made when the writer ended; the next start removes it"
            )),
            None => {
                let detail = "no segment that the log announced; its ledger may be incomplete";
                report.add(Finding::of_file(FindingKind::Unannounced, path, detail));
            }
        }
    }
    let there: BTreeSet<&String> = there().collect();
    let gone = |(path, _): &(&String, &&Manifest)| {
        !there.contains(path) && !catalogue.replaces(path.as_str())
    };
    for (path, manifest) in announced.iter().filter(gone) {
        let Manifest { rows, first, last, .. } = manifest;
        let detail = format!("the file is gone, with {rows} of the records {first} to {last}");
        report.add(Finding::of_file(FindingKind::Missing, path, detail));
    }
}

/// Names the announcements that the ledger does not show. Those of a roll that is not finished are
/// none: the files whose records it took over are there still, and the next start writes the
/// documents.
pub(super) fn compare(files: &Files, observed: &Observed, report: &mut Report) {
    let is_there = |path: &String| files.listing.binary_search(path).is_ok();
    let (mut unfinished, mut gone) = (BTreeSet::new(), Vec::new());
    for (index, manifest) in observed.undisclosed.iter().filter(|(index, _)| *index < report.size) {
        if manifest.replaces.iter().all(is_there) {
            unfinished.insert(*index);
        } else if !files.shelf.torn.iter().any(|torn| torn.index == *index) {
            gone.push((*index, manifest));
        }
    }
    for (index, manifest) in gone {
        let detail = format!("the file is gone; it shows what the log said of {}", manifest.path());
        let path = ledger_path(index);
        report.add(Finding::of_records(FindingKind::Missing, index, 1, &path, detail));
    }
    for index in &observed.hidden {
        let detail = "the file is gone; it shows what the log said of removals or holds";
        let path = ledger_path(*index);
        report.add(Finding::of_records(FindingKind::Missing, *index, 1, &path, detail));
    }
    for torn in &files.shelf.torn {
        let is_unfinished = unfinished.contains(&torn.index) || is_taking_over(torn, files, report);
        judge(torn, is_unfinished, report);
    }
}

/// Whether a document is that of a rotation that was interrupted: the keyring has keys that no
/// record names, and it is the last record under the checkpoint.
fn is_taking_over(torn: &Torn, files: &Files, report: &Report) -> bool {
    !files.pending.is_empty() && torn.index.checked_add(1) == Some(report.size)
}

/// Judges documents that do not read without knowing what they should show: a roll is not finished
/// when there is a segment that nobody announced, beside the files that it is made of.
pub(super) fn judge_torn(files: &Files, report: &mut Report) {
    let announced: BTreeSet<String> =
        files.shelf.catalogue.announced().map(|(_, manifest)| manifest.path()).collect();
    let is_new = |path: &&String| path.starts_with(SEGMENT_FOLDER) && !announced.contains(*path);
    let is_unfinished = files.listing.iter().filter(is_new).any(|path| is_being_made(path, files));
    files.shelf.torn.iter().for_each(|torn| judge(torn, is_unfinished, report));
}

fn judge(torn: &Torn, is_unfinished: bool, report: &mut Report) {
    let Torn { path, index, detail } = torn;
    if is_unfinished {
        report.note(format!(
            "{path} was being written when the writer ended ({detail}); the next start writes it again"
        ));
    } else {
        let kind = FindingKind::Corrupt;
        report.add(Finding::of_records(kind, *index, 1, path, detail.as_str()));
    }
}

/// Compares a file with its manifest.
fn compare_bytes(folder: &dyn Folder, path: &str, manifest: &Manifest, report: &mut Report) {
    let corrupt = |detail: String| Finding::of_file(FindingKind::Corrupt, path, detail);
    match hash(folder, path) {
        Ok((bytes, _)) if bytes != manifest.bytes => report.add(corrupt(format!(
            "it has {bytes} bytes, and the log announced {}",
            manifest.bytes
        ))),
        Ok((_, sha256)) if sha256 != manifest.sha256 => report.add(corrupt(format!(
            "its SHA-256 is {}, and the log announced {}",
            hex::encode(sha256),
            hex::encode(manifest.sha256)
        ))),
        Ok(_) => {}
        Err(StoreError::Missing { .. }) => {
            report.add(Finding::of_file(FindingKind::Missing, path, "the file is gone"));
        }
        Err(error) => {
            report.add(Finding::of_file(FindingKind::Unreadable, path, error.to_string()));
        }
    }
}

/// The length of a file and its SHA-256.
fn hash(folder: &dyn Folder, path: &str) -> Result<(u64, [u8; 32]), StoreError> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = folder.read_at(path, bytes, &mut chunk)?;
        if count == 0 {
            return Ok((bytes, hash.finalize().into()));
        }
        hash.update(chunk.get(..count).unwrap_or_default());
        bytes += count as u64;
    }
}

/// Whether a file that nobody announced is what a writer leaves that dies while it makes a segment:
/// of exactly one journal file, which is there and ends before another one; of several segments of
/// its tier and day; or of one in which a removal waits.
fn is_being_made(path: &str, files: &Files) -> bool {
    let Some(Volume { manifest, .. }) = Volume::named(path) else { return false };
    let is_there = |first| files.listing.binary_search(&store::journal_path(first)).is_ok();
    let firsts = || files.listing.iter().filter_map(|path| store::parse_journal_path(path));
    let following = firsts().filter(|first| *first > manifest.first).min();
    if is_there(manifest.first) && following == manifest.last.checked_add(1) {
        return true;
    }
    let current = files.shelf.catalogue.current();
    let of_class = || {
        let class = (manifest.tier, manifest.day);
        current.iter().filter(move |other| (other.tier, other.day) == class)
    };
    let is_waiting = |other: &&Manifest| {
        (other.first, other.last) == (manifest.first, manifest.last)
            && !files.shelf.catalogue.pending(other).is_empty()
    };
    if of_class().any(is_waiting) {
        return true;
    }
    let is_one = |other: &&&Manifest| (other.first, other.last) != (manifest.first, manifest.last);
    of_class().filter(is_one).any(|other| other.first == manifest.first)
        && of_class().filter(is_one).any(|other| other.last == manifest.last)
}
