//! Is there a segment for every record that the journal does not have? Told from the public entries
//! alone: tier and time of each say which segment must hold it.
//!
//! Not here: the same question with keys, which the records answer themselves.

use super::files::Files;
use crate::{Entries, Volume};
use event::{Entry, Scope};
use prove::{Finding, FindingKind, Report};
use segment::Catalogue;
use std::collections::BTreeSet;
use store::Folder;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Compares entries with announced segments.
pub(super) struct Coverage<'c> {
    entries: Entries<'c>,
    volumes: Vec<&'c Volume>,
    catalogue: &'c Catalogue,
    listing: BTreeSet<&'c str>,
}

/// A segment, and the entries that belong in it.
struct Tally<'c> {
    volume: &'c Volume,
    /// The index of the first of them.
    first: Option<u64>,
    count: u64,
    /// Whether all of the span was looked at, and no entry in it is lost.
    is_whole: bool,
}

/// Records in a row that no segment was announced for.
struct Run {
    first: u64,
    count: u64,
}

impl<'c> Coverage<'c> {
    pub(super) fn new(folder: &'c dyn Folder, files: &'c Files) -> Self {
        let announced = |volume: &&Volume| volume.is_announced;
        Self {
            entries: Entries::new(folder, files.size),
            volumes: files.shelf.volumes.iter().filter(announced).collect(),
            catalogue: &files.shelf.catalogue,
            listing: files.listing.iter().map(String::as_str).collect(),
        }
    }

    /// Checks the indexes from `first` to before `end`.
    pub(super) fn check(&mut self, first: u64, end: u64, report: &mut Report) {
        let begins_before_end = |volume: &&&Volume| volume.manifest.first < end;
        let ends_behind_first = |volume: &&&Volume| volume.manifest.last >= first;
        let volumes = self.volumes.iter().filter(begins_before_end).filter(ends_behind_first);
        let mut waiting: Vec<&Volume> = volumes.copied().collect();
        waiting.reverse();
        let mut open: Vec<Tally<'_>> = Vec::new();
        let mut run: Option<Run> = None;
        for index in first..end {
            while waiting.last().is_some_and(|volume| volume.manifest.first <= index) {
                let Some(volume) = waiting.pop() else { break };
                let is_whole = volume.manifest.first >= first && volume.manifest.last < end;
                open.push(Tally { volume, first: None, count: 0, is_whole });
            }
            if open.iter().any(|tally| tally.volume.manifest.last < index) {
                let is_done = |tally: &mut Tally<'_>| tally.volume.manifest.last < index;
                open.extract_if(.., is_done).for_each(|tally| self.conclude(&tally, report));
            }
            let Some(entry) = self.entries.at(index) else {
                // An entry that is lost is `prove`'s to report.
                open.iter_mut().for_each(|tally| tally.is_whole = false);
                continue;
            };
            let belongs = |tally: &&mut Tally<'_>| is_of(tally.volume, &entry);
            match open.iter_mut().find(belongs) {
                Some(tally) => {
                    if !self.was_removed(tally.volume, index, &entry) {
                        tally.first.get_or_insert(index);
                        tally.count += 1;
                    }
                }
                None if self.catalogue.removes(entry.tier, entry.time_ms / DAY_MS, index) => {}
                None => match &mut run {
                    Some(run) if run.first + run.count == index => run.count += 1,
                    _ => {
                        tell(run.take(), report);
                        run = Some(Run { first: index, count: 1 });
                    }
                },
            }
        }
        tell(run, report);
        open.iter().for_each(|tally| self.conclude(tally, report));
    }

    /// Whether the record of an entry was taken out of its segment.
    fn was_removed(&self, volume: &Volume, index: u64, entry: &Entry) -> bool {
        let Some(applied) = volume.manifest.applied else { return false };
        let carried_out = self.catalogue.removals().filter(|(by, _)| *by <= applied);
        carried_out.map(|(_, removal)| removal).any(|removal| {
            removal.scope == Scope::Record
                && removal.removes(entry.tier, entry.time_ms / DAY_MS, index)
        })
    }

    /// Compares a segment with the entries that belong in it.
    fn conclude(&self, tally: &Tally<'_>, report: &mut Report) {
        let (manifest, path) = (&tally.volume.manifest, &*tally.volume.path);
        if tally.is_whole && manifest.rows != tally.count {
            let detail = format!(
                "the log announced {} records in it, and {} belong in it",
                manifest.rows, tally.count
            );
            report.add(Finding::of_file(FindingKind::Corrupt, path, detail));
        }
        if let Some(first) = tally.first
            && !self.listing.contains(path)
        {
            let detail = "the first of the records that were in it";
            let kind = FindingKind::Missing;
            report.add(Finding::of_records(kind, first, tally.count, path, detail));
        }
    }
}

/// Whether the record of an entry, within the span, belongs in a segment.
fn is_of(volume: &Volume, entry: &Entry) -> bool {
    let manifest = &volume.manifest;
    entry.tier == manifest.tier && entry.time_ms / DAY_MS == manifest.day
}

fn tell(run: Option<Run>, report: &mut Report) {
    let Some(Run { first, count }) = run else { return };
    let detail = "the log committed to these records, and neither a journal file nor a segment that \
                  was announced has them";
    report.add(Finding::of_records(FindingKind::Missing, first, count, "journal", detail));
}
