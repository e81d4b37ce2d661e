//! The files of a log as of one checkpoint, copied while a writer may be running.
//!
//! Three things move under the reader: the published checkpoint takes its partial tiles with it, a
//! roll puts segments in place of a journal file, and the last journal file grows. So:
//!
//! 1. List ledger, segments and journal; read the ledger.
//! 2. Read the checkpoint, its partial tiles, and then the keyring: it has the key of every file
//!    that is listed, and no lower generation than a record under the checkpoint says.
//! 3. List again. If anything but the checkpoint moved, begin again: what was read belongs to this
//!    listing.
//! 4. Copy the journal, the last file only up to the checkpoint; then segments and full tiles,
//!    which never change. If one is gone meanwhile, begin again; what was copied of these two
//!    stays.
//!
//! What a roll leaves half done is copied as it is: whoever opens the copy finishes it, or removes
//! it, as after a crash (format.md, section 14.1).

use super::staging::copy_file;
use crate::failure::Failure;
use crate::terminal::Progress;
use anchor::{ANCHOR_FOLDER, AnchorName};
use checkpoint::{Checkpoint, CheckpointText, Note};
use reading::LogFolder;
use reading::Shelf;
use segment::{LEDGER_FOLDER, SEGMENT_FOLDER, ledger_path};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use store::{CACHE_FOLDER, FrameFound, JOURNAL_FOLDER, JournalReader, StoreError};

/// How long to wait for a moment in which nothing moves.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long to wait for a moment in which no segment is being made: there nearly always is one.
const PATIENCE_FOR_REST: Duration = Duration::from_secs(5);

/// How long to wait for a checkpoint that reaches into the journal file after one that is being
/// rolled; a running writer publishes every few seconds.
const PATIENCE_FOR_ROLL: Duration = Duration::from_secs(20);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// What belongs to one checkpoint.
struct Snapshot {
    checkpoint: Checkpoint,
    /// Small files, with their bytes: all that may be replaced.
    held: Vec<(String, Vec<u8>)>,
    /// Journal files, each with the first index of the next.
    journal: Vec<(String, Option<u64>)>,
    segments: Vec<String>,
    /// Full tiles and entry bundles, and anchors: files that are written once.
    tiles: Vec<String>,
}

/// Why an attempt did not get through.
enum Missed {
    /// Something moved.
    Moved,
    /// It cannot be done.
    Failed(Failure),
}

impl From<StoreError> for Missed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing { .. } => Self::Moved,
            other => Self::Failed(other.into()),
        }
    }
}

/// Copies the log into the folder `to`; returns the checkpoint that the copy is as of.
pub(crate) fn take(
    log: &LogFolder,
    to: &Path,
    progress: &mut Progress,
) -> Result<Checkpoint, Failure> {
    let begun = Instant::now();
    loop {
        let copied = Snapshot::read(log, begun.elapsed())
            .and_then(|snapshot| snapshot.copy(log, to, progress).map(|()| snapshot.checkpoint));
        match copied {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(Missed::Failed(failure)) => return Err(failure),
            Err(Missed::Moved) if begun.elapsed() >= PATIENCE => {
                return Err(Failure::new(
                    "the log moves too much for a copy of one moment: its files were replaced again and \
                     again; run it again when less is written",
                ));
            }
            Err(Missed::Moved) => std::thread::sleep(PAUSE),
        }
    }
}

/// The names that move.
fn listing(log: &LogFolder) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for folder in [LEDGER_FOLDER, SEGMENT_FOLDER, JOURNAL_FOLDER] {
        names.extend(log.folder.list(folder)?);
    }
    Ok(names)
}

impl Snapshot {
    /// Decides what belongs to the newest checkpoint.
    fn read(log: &LogFolder, waited: Duration) -> Result<Self, Missed> {
        let folder = &*log.folder;
        let required = |path: &str| {
            let missing = || StoreError::Missing { path: path.to_owned() };
            folder.read(path)?.ok_or_else(missing)
        };
        let before = listing(log)?;
        let shelf = Shelf::read(folder)?;
        let note = required(seal::CHECKPOINT_PATH)
            .map_err(|error| Missed::Failed(Failure::from(error)))?;
        let checkpoint = claimed(&note).map_err(Missed::Failed)?;
        let mut held = vec![(seal::IDENTITY_PATH.to_owned(), required(seal::IDENTITY_PATH)?)];
        let mut tiles = Vec::new();
        for tile in merkle::tiles_of_size(checkpoint.size) {
            match tile.is_full() {
                true => tiles.push(tile.path()),
                false => held.push((tile.path(), required(&tile.path())?)),
            }
        }
        for bundle in merkle::bundles_of_size(checkpoint.size) {
            match bundle.width() == merkle::TILE_WIDTH {
                true => tiles.push(bundle.path()),
                false => held.push((bundle.path(), required(&bundle.path())?)),
            }
        }
        held.push((seal::KEYRING_PATH.to_owned(), required(seal::KEYRING_PATH)?));
        let policy = folder.read(seal::REDACTION_POLICY_PATH)?;
        held.extend(policy.map(|bytes| (seal::REDACTION_POLICY_PATH.to_owned(), bytes)));
        for index in &shelf.shown {
            let path = ledger_path(*index);
            held.push((path.clone(), required(&path)?));
        }
        held.extend(others(log, &before)?);
        held.extend(cosigned(folder, checkpoint.size)?);
        let anchors = folder.list(ANCHOR_FOLDER)?;
        tiles.extend(anchors.into_iter().filter(|path| is_covered(path, checkpoint.size)));
        held.push((seal::CHECKPOINT_PATH.to_owned(), note));
        if listing(log)? != before {
            return Err(Missed::Moved);
        }
        let journal = journal(&before, &shelf, checkpoint.size);
        let is_rolling = shelf.volumes.iter().any(|volume| !volume.is_announced);
        let reaches = journal.last().is_none_or(|(_, next)| next.is_none());
        let patience = if reaches { PATIENCE_FOR_REST } else { PATIENCE_FOR_ROLL };
        if is_rolling && waited < patience {
            return Err(Missed::Moved);
        }
        let counts = shelf.volumes.iter().filter(|it| it.is_announced || reaches);
        let segments = counts.map(|volume| volume.path.to_string()).collect();
        Ok(Self { checkpoint, held, journal, segments, tiles })
    }

    fn copy(&self, log: &LogFolder, to: &Path, progress: &mut Progress) -> Result<(), Missed> {
        let count = self.journal.len() + self.segments.len() + self.tiles.len();
        let mut done = 0;
        let mut step = || {
            done += 1;
            progress.at(done, count as u64);
        };
        for (path, next) in &self.journal {
            let bytes = match next {
                Some(next) if *next <= self.checkpoint.size => whole(log, path)?,
                _ => bytes_up_to(log, path, self.checkpoint.size)?,
            };
            copy_file(&*log.folder, path, bytes, to)?;
            step();
        }
        for path in self.segments.iter().chain(&self.tiles) {
            let bytes = whole(log, path)?;
            let there = std::fs::metadata(to.join(path)).is_ok_and(|it| it.len() == bytes);
            if !there {
                copy_file(&*log.folder, path, bytes, to)?;
            }
            step();
        }
        for (path, bytes) in &self.held {
            write(&to.join(path), bytes).map_err(Missed::Failed)?;
        }
        self.remove_others(to).map_err(Missed::Failed)
    }

    /// Removes what an earlier attempt left.
    fn remove_others(&self, to: &Path) -> Result<(), Failure> {
        let held = self.held.iter().map(|(path, _)| path);
        let journal = self.journal.iter().map(|(path, _)| path);
        let mine: BTreeSet<&String> =
            held.chain(journal).chain(&self.segments).chain(&self.tiles).collect();
        let copy = store::DiskFolder::new(to);
        for path in store::Folder::list(&copy, "")?.iter().filter(|path| !mine.contains(path)) {
            store::Folder::remove(&copy, path)?;
        }
        Ok(())
    }
}

/// Files of folders that this version does not know by name, with their bytes.
fn others(log: &LogFolder, known: &[String]) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let folders =
        [CACHE_FOLDER, "tile", LEDGER_FOLDER, SEGMENT_FOLDER, JOURNAL_FOLDER, ANCHOR_FOLDER];
    let files = [seal::IDENTITY_PATH, seal::KEYRING_PATH, seal::CHECKPOINT_PATH];
    let mut others = Vec::new();
    for path in log.folder.list("")? {
        let folder = path.split('/').next().unwrap_or_default();
        let is_known = folders.iter().any(|it| it.trim_end_matches('/') == folder)
            || files.contains(&path.as_str())
            || known.contains(&path);
        // What a folder of a log does not have is no part of its backup: it could be a key.
        if !is_known && path.contains('/') {
            others.extend(log.folder.read(&path)?.map(|bytes| (path, bytes)));
        }
    }
    Ok(others)
}

/// What witnesses last cosigned, which no other file says again; none of a larger tree than the
/// copy's, which the copy would seem to fall behind.
fn cosigned(
    folder: &dyn store::Folder,
    size: u64,
) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let note = folder.read(reading::COSIGNED_PATH)?;
    let within = note.filter(|note| claimed(note).is_ok_and(|seen| seen.size <= size));
    Ok(within.map(|note| (reading::COSIGNED_PATH.to_owned(), note)))
}

/// Whether this is an anchor of a tree that the copy has: it would be shorter than what later ones
/// vouch for.
fn is_covered(path: &str, size: u64) -> bool {
    AnchorName::at(path).is_some_and(|name| name.size() <= size)
}

/// The journal files with records that no segment took over, up to the checkpoint.
fn journal(listing: &[String], shelf: &Shelf, size: u64) -> Vec<(String, Option<u64>)> {
    let mut firsts: Vec<u64> =
        listing.iter().filter_map(|path| store::parse_journal_path(path)).collect();
    firsts.sort_unstable();
    let next = |first: u64| firsts.iter().copied().find(|other| *other > first);
    firsts
        .iter()
        .filter(|first| **first < size)
        .map(|first| (store::journal_path(*first), next(*first)))
        .filter(|(path, _)| !shelf.catalogue.replaces(path))
        .collect()
}

/// The length of a file.
fn whole(log: &LogFolder, path: &str) -> Result<u64, StoreError> {
    log.folder.size(path)?.ok_or_else(|| StoreError::Missing { path: path.to_owned() })
}

/// The length of a journal file up to the frame with the last record below `size`.
fn bytes_up_to(log: &LogFolder, path: &str, size: u64) -> Result<u64, Missed> {
    let id = log.identity.id().map_err(|error| Missed::Failed(error.into()))?;
    let mut reader = JournalReader::open(&*log.folder, path, &id)?;
    while reader.next_index() < size {
        match reader.next_frame()? {
            FrameFound::Frame(_) => {}
            FrameFound::Tail(_) => {
                let sentence = format!(
                    "{path} ends at record {}, and the checkpoint covers {size}: the log is damaged; run \
                     `tacho verify`",
                    reader.next_index()
                );
                return Err(Missed::Failed(Failure::new(sentence)));
            }
        }
    }
    Ok(reader.offset())
}

/// What a checkpoint says; whether it is true, the check of the copy tells.
fn claimed(note: &[u8]) -> Result<Checkpoint, Failure> {
    let note = Note::parse(note)
        .map_err(|error| Failure::new(format!("the checkpoint does not read: {error}")))?;
    let text = CheckpointText::parse(note.text())
        .map_err(|error| Failure::new(format!("the checkpoint does not read: {error}")))?;
    Ok(text.checkpoint)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::io("create", folder))?;
    }
    std::fs::write(path, bytes).map_err(Failure::io("write", path))
}

#[cfg(test)]
mod tests;
