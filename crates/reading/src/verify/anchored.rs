//! What time-stamping authorities vouch for: that a tree existed before a time, and that the log
//! continues it.
//!
//! A stamp is over a checkpoint, byte for byte, so two files make an anchor (`anchor::AnchorName`).
//! They lie beside the log, where whoever runs it can remove them, or were kept by somebody else.
//! What is here judges both alike; `within_ms` asks besides that there be enough of them.

use super::continued::Outside;
use anchor::{AnchorName, Authorities, Label, Stamp, StampError, verify};
use checkpoint::{Checkpoint, CheckpointText, Note, VerifierKey, open_checkpoint};
use event::{Entry, Timestamp};
use merkle::{BundleCoordinate, EntryBundle, TILE_WIDTH};
use prove::{Finding, FindingKind, Level, Report};
use query::AsOf;
use std::collections::BTreeMap;
use store::{Folder, StoreError};

/// So far the log's clock may be ahead of an authority's before it is told.
const AHEAD_MS: u64 = 5 * 60 * 1_000;

/// A checkpoint that was stamped, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The entries under it, by its name.
    pub size: u64,
    /// The checkpoint, if it is there.
    pub note: Option<Vec<u8>>,
    /// Answers of authorities.
    pub stamps: Vec<(Label, Vec<u8>)>,
}

impl Anchor {
    /// Those below `path` of a folder, the smallest tree first; other files are passed over. What
    /// lies in different folders below it are different anchors, also of one size.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be read.
    pub fn read_all(folder: &dyn Folder, path: &str) -> Result<Vec<Self>, StoreError> {
        let mut found: BTreeMap<(u64, String), Self> = BTreeMap::new();
        for file in folder.list(path)? {
            let (within, name) = file.rsplit_once('/').unwrap_or(("", &file));
            let Ok(name) = name.parse::<AnchorName>() else { continue };
            let Some(bytes) = folder.read(&file)? else { continue };
            let size = name.size();
            let one = found.entry((size, within.to_owned()));
            let one = one.or_insert(Self { size, note: None, stamps: Vec::new() });
            match name {
                AnchorName::Checkpoint(_) => one.note = Some(bytes),
                AnchorName::Stamp(_, label) => one.stamps.push((label, bytes)),
            }
        }
        Ok(found.into_values().collect())
    }

    /// What each authority says of the checkpoint, with its name here.
    #[must_use]
    pub fn judged(&self, authorities: &Authorities) -> Vec<(&Label, Result<Stamp, StampError>)> {
        let note = self.note.as_deref();
        let judge = |bytes: &[u8]| verify(bytes, note.unwrap_or_default(), authorities);
        self.stamps.iter().map(|(label, bytes)| (label, judge(bytes))).collect()
    }
}

/// What is asked of the anchors of a log.
pub struct Anchored<'a> {
    /// Whose stamps count.
    pub authorities: &'a Authorities,
    /// How long after its record time a record may be seen first by an authority, if that is asked.
    pub within_ms: Option<u64>,
}

/// One that holds.
struct Held {
    size: u64,
    /// When the tree certainly existed: by this stamp, or one of a larger tree.
    latest_ms: u64,
    authority: String,
}

/// Adds to the report of a log that was checked what authorities vouch for; `read` gives its tiles
/// and entry bundles. No anchor that holds is a finding, because they were asked for.
pub fn check_anchors(
    anchors: &[Anchor],
    asked: &Anchored<'_>,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    report: &mut Report,
) {
    let tree =
        AsOf { origin: report.origin.clone(), size: report.size, root_hex: report.root.clone() };
    let (mut held, mut wrong) = (Vec::new(), Vec::new());
    for anchor in anchors {
        match judge(anchor, asked.authorities, read, &tree, report, &mut wrong) {
            Ok(one) => held.extend(one),
            Err(finding) => wrong.push(*finding),
        }
    }
    if held.is_empty() && wrong.is_empty() {
        let detail = "no stamp of an authority that counts is there";
        wrong.push(Finding::of_file(FindingKind::Signature, anchor::ANCHOR_FOLDER, detail));
    }
    wrong.into_iter().for_each(|finding| report.add(finding));
    // What existed in a larger tree existed then.
    let mut earliest = u64::MAX;
    for one in held.iter_mut().rev() {
        earliest = earliest.min(one.latest_ms);
        one.latest_ms = earliest;
    }
    let Some(newest) = held.last() else { return };
    report.note(said(&held, newest, tree.size));
    if report.level >= Level::Signed {
        report.level = Level::Anchored;
    }
    let mut entries = Entries { read, size: tree.size, bundle: None };
    let last = newest.size.checked_sub(1).and_then(|last| Some((last, entries.time_ms(last)?)));
    let is_ahead = |time_ms: u64| time_ms > newest.latest_ms.saturating_add(AHEAD_MS);
    if let Some((last, time_ms)) = last.filter(|(_, time_ms)| is_ahead(*time_ms)) {
        report.note(format!(
            "the log's clock is ahead: record {last} says {}, and an authority saw it by {}",
            time(time_ms),
            time(newest.latest_ms)
        ));
    }
    if let Some(within_ms) = asked.within_ms {
        check_waits(&held, within_ms, &mut entries, report);
    }
}

/// One anchor: `None` when no authority that counts stamped it. Stamps of it that were altered are
/// `wrong`, whatever the others say.
fn judge(
    anchor: &Anchor,
    authorities: &Authorities,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    tree: &AsOf,
    report: &mut Report,
    wrong: &mut Vec<Finding>,
) -> Result<Option<Held>, Box<Finding>> {
    let file = AnchorName::Checkpoint(anchor.size).path();
    let finding = |kind, detail: &str| Box::new(Finding::of_file(kind, &file, detail));
    let Some(note) = anchor.note.as_deref() else {
        return Err(finding(FindingKind::Missing, "the checkpoint that was stamped is gone"));
    };
    let mut stamps: Vec<Stamp> = Vec::new();
    for (label, judged) in anchor.judged(authorities) {
        let path = AnchorName::Stamp(anchor.size, label.clone()).path();
        match judged {
            Ok(stamp) => stamps.push(stamp),
            Err(error) if error.may_be_whole() => {
                report.note(format!("{path} does not count: {error}"));
            }
            Err(error) => {
                wrong.push(Finding::of_file(FindingKind::Corrupt, &path, error.to_string()));
            }
        }
    }
    let Some(stamp) = stamps.into_iter().min_by_key(Stamp::latest_ms) else { return Ok(None) };
    let checkpoint = claimed(note)
        .filter(|checkpoint| checkpoint.size == anchor.size)
        .ok_or_else(|| finding(FindingKind::Corrupt, "it is no checkpoint of this size"))?;
    let outside = Outside { checkpoint: &checkpoint, who: "an authority stamped", file: &file };
    if checkpoint.origin != tree.origin {
        return Err(finding(FindingKind::Unannounced, "it is the checkpoint of another log"));
    }
    outside.is_continued(read, tree).map_err(|found| {
        // Anybody has anything stamped; what the log did not sign says nothing about it.
        match is_signed(note, tree, report) {
            true => found,
            false => finding(FindingKind::Signature, "no key of the log signed what was stamped"),
        }
    })?;
    let latest_ms = stamp.latest_ms();
    Ok(Some(Held { size: anchor.size, latest_ms, authority: stamp.authority }))
}

fn claimed(note: &[u8]) -> Option<Checkpoint> {
    let note = Note::parse(note).ok()?;
    CheckpointText::parse(note.text()).ok().map(|text| text.checkpoint)
}

/// Whether a key that the check knows of signed it.
fn is_signed(note: &[u8], tree: &AsOf, report: &Report) -> bool {
    let keys = report.epochs.iter().flat_map(|epoch| &epoch.vkeys);
    let keys: Vec<VerifierKey> = keys.filter_map(|key| key.parse().ok()).collect();
    open_checkpoint(note, &tree.origin, &keys).is_ok()
}

/// What holds, in a sentence.
fn said(held: &[Held], newest: &Held, size: u64) -> String {
    let first = match held {
        [first, _, ..] => {
            format!(
                "; the first of {}, of {} entries, by {}",
                held.len(),
                first.size,
                time(first.latest_ms)
            )
        }
        _ => String::new(),
    };
    let rest = match size.saturating_sub(newest.size) {
        0 => String::new(),
        newer => format!("; the {newer} newest are not stamped"),
    };
    format!(
        "{} of {size} entries existed by {} ({}){first}{rest}",
        newest.size,
        time(newest.latest_ms),
        newest.authority
    )
}

/// Names the records that no authority saw in time. Record times never go back, so those between
/// two anchors that waited too long are the first ones.
fn check_waits(held: &[Held], within_ms: u64, entries: &mut Entries<'_>, report: &mut Report) {
    let mut from = 0;
    for one in held {
        let is_late = |entries: &mut Entries<'_>, index: u64| {
            let time_ms = entries.time_ms(index)?;
            Some(time_ms.saturating_add(within_ms) < one.latest_ms)
        };
        let Some(until) = partition(from, one.size, |index| is_late(entries, index)) else {
            let detail = "the entries are not there to see when they were recorded";
            report.add(Finding::of_file(FindingKind::Unassessed, "tile", detail));
            return;
        };
        if until > from {
            let detail = format!(
                "the first authority to see them did so by {}, more than {} hours after their record time",
                time(one.latest_ms),
                within_ms / 3_600_000
            );
            let (kind, count) = (FindingKind::Signature, until - from);
            report.add(Finding::of_records(kind, from, count, anchor::ANCHOR_FOLDER, detail));
        }
        from = one.size;
    }
}

/// The first index at which something does not hold that holds from `from` on up to there.
fn partition(from: u64, to: u64, mut holds: impl FnMut(u64) -> Option<bool>) -> Option<u64> {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle)? {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Some(low)
}

fn time(milliseconds: u64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

/// Entries of the log that was checked.
struct Entries<'e> {
    read: &'e dyn Fn(&str) -> Option<Vec<u8>>,
    size: u64,
    /// The bundle that was read last.
    bundle: Option<(u64, u16, Vec<u8>)>,
}

impl Entries<'_> {
    /// When an entry was recorded.
    fn time_ms(&mut self, index: u64) -> Option<u64> {
        let width = u64::from(TILE_WIDTH);
        let (number, place) = (index / width, usize::try_from(index % width).ok()?);
        if self.bundle.as_ref().is_none_or(|(of, _, _)| *of != number) {
            let wide = u16::try_from(self.size.checked_sub(number * width)?.min(width)).ok()?;
            let bytes = (self.read)(&BundleCoordinate::new(number, wide).ok()?.path())?;
            self.bundle = Some((number, wide, bytes));
        }
        let (_, wide, bytes) = self.bundle.as_ref()?;
        let bundle = EntryBundle::parse(bytes, *wide).ok()?;
        Entry::decode(bundle.get(place)?).ok().map(|entry| entry.time_ms)
    }
}

#[cfg(test)]
#[path = "anchored/tests.rs"]
mod tests;
