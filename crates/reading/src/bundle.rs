//! A bundle of evidence, put together from a log's own files: records with their proofs, and the
//! public entries that show that none of them was left out.
//!
//! Nothing leaves here that was not checked. Not here: what a bundle is and when it holds
//! (`prove`), the page and the zip file (`report`), one record alone (`proofs.rs`).

use crate::entries::Entries;
use crate::proofs;
use crate::{Item, ReadError, Reading};
use event::{Entry, Timestamp};
use merkle::{Hash, TileReader, range_proof};
use prove::{
    Absent, BUNDLE_FORMAT, BUNDLE_RECORDS_MAX, Bundle, BundleRecord, Evidence, EvidenceRecord,
    Figures, Kept, REST_ENTRIES_MAX, Rest, Subject, SubjectKind, Trust, verify_bundle,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Records that are read over rather than starting anew behind them: opening a journal file or a
/// row group again costs about as much.
const READ_OVER: u64 = 2_000;

/// The bundle for the records of a subject, which are at `indexes`.
///
/// # Errors
/// When there are too many, or records, tree or entries are damaged.
pub fn bundle(
    reading: &Reading,
    subject: Subject,
    indexes: &[u64],
    with_content: bool,
) -> Result<Bundle, ReadError> {
    let indexes: BTreeSet<u64> = indexes.iter().copied().collect();
    let Some(first) = indexes.first().copied() else {
        return Err(ReadError::new("there is no record to prove"));
    };
    let has_streams = subject.kind != SubjectKind::Event;
    let members = match has_streams {
        true => members(reading, &indexes)?,
        false => BTreeMap::from([(first, entry(&mut reading.entries(), first)?)]),
    };
    if members.len() > BUNDLE_RECORDS_MAX {
        return Err(ReadError::new(format!(
            "{} records are too many for a bundle, which holds {BUNDLE_RECORDS_MAX}; ask for less, or \
             hand over the whole log (`tacho backup`)",
            members.len()
        )));
    }
    let keys = proofs::evidence(reading, first, false)?;
    let streams: BTreeSet<String> = members.values().map(|it| hex::encode(it.stream)).collect();
    let mut bundle = Bundle {
        format: BUNDLE_FORMAT.to_owned(),
        origin: keys.origin,
        subject,
        vkeys: keys.vkeys,
        successions: keys.successions,
        checkpoint: reading.note().to_owned(),
        figures: Figures::default(),
        records: records(reading, &members, &indexes, with_content)?,
        streams: if has_streams { streams.into_iter().collect() } else { Vec::new() },
        rest: if has_streams { rest(reading, &members)? } else { Vec::new() },
    };
    bundle.figures = bundle.count().map_err(|error| wrong(&error))?;
    let checked = verify_bundle(bundle.to_json().as_bytes(), &Trust::default());
    match checked.report.findings().iter().find(|finding| finding.kind.is_failure()) {
        Some(finding) => Err(wrong(&finding.detail)),
        None => Ok(bundle),
    }
}

fn wrong(reason: &str) -> ReadError {
    ReadError::new(format!("the evidence does not hold: {reason}; run `tacho verify`"))
}

fn entry(entries: &mut Entries<'_>, index: u64) -> Result<Entry, ReadError> {
    let missing = || wrong(&format!("entry {index} is missing or damaged in the public log"));
    entries.at(index).ok_or_else(missing)
}

fn day(entry: &Entry) -> u64 {
    Timestamp::from_milliseconds(entry.time_ms).day()
}

/// All entries of the streams of these records.
fn members(reading: &Reading, indexes: &BTreeSet<u64>) -> Result<BTreeMap<u64, Entry>, ReadError> {
    let mut entries = reading.entries();
    let mut found = BTreeMap::new();
    for index in indexes {
        found.insert(*index, entry(&mut entries, *index)?);
    }
    // How many of each stream come before the first that is known.
    let mut before: BTreeMap<[u8; 16], u64> = BTreeMap::new();
    for entry in found.values() {
        before.entry(entry.stream).or_insert(entry.sequence.saturating_sub(1));
    }
    let mut left: u64 = before.values().sum();
    let first = found.keys().next().copied().unwrap_or(0);
    let mut at = first;
    while left > 0 && at > 0 {
        at -= 1;
        let entry = entry(&mut entries, at)?;
        if before.contains_key(&entry.stream) {
            found.insert(at, entry);
            left -= 1;
        }
    }
    let mut latest = found.values().map(day).max().unwrap_or(0);
    let last = found.keys().next_back().copied().unwrap_or(0);
    for index in first..reading.checkpoint().size {
        let entry = entry(&mut entries, index)?;
        if before.contains_key(&entry.stream) {
            latest = latest.max(day(&entry));
            found.insert(index, entry);
        } else if index > last && day(&entry) > latest {
            break;
        }
    }
    Ok(found)
}

/// The records with their proofs; those of `members` that are not asked for are named only.
fn records(
    reading: &Reading,
    members: &BTreeMap<u64, Entry>,
    indexes: &BTreeSet<u64>,
    with_content: bool,
) -> Result<Vec<BundleRecord>, ReadError> {
    let origin = &reading.log().identity.origin;
    let mut shown: BTreeMap<u64, Option<EvidenceRecord>> = BTreeMap::new();
    let wanted: Vec<u64> = members.keys().copied().collect();
    each(reading, &wanted, &mut |index, record| {
        if !indexes.contains(&index) {
            shown.insert(index, None);
            return Ok(());
        }
        let proof = proofs::path(reading, index)?;
        let Some(entry) = members.get(&index) else { return Ok(()) };
        let evidence = Evidence::new(origin, entry, *record, &proof, &[]);
        let evidence = match with_content {
            true => evidence,
            false => evidence.and_then(Evidence::without_content),
        };
        let evidence = evidence.map_err(|error| wrong(&error.to_string()))?;
        shown.insert(index, Some(evidence.record));
        Ok(())
    })?;
    let record = |(index, entry): (&u64, &Entry)| {
        let proof = proofs::path(reading, *index)?;
        let (record, absent) = match shown.remove(index) {
            Some(Some(record)) => (Some(record), None),
            Some(None) => (None, Some(Absent::Other)),
            None => (None, Some(Absent::Removed)),
        };
        Ok(BundleRecord {
            index: *index,
            entry: hex::encode(entry.encode()),
            proof: texts(&proof.hashes),
            record,
            absent,
        })
    };
    members.iter().map(record).collect()
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| hex::encode(hash.0)).collect()
}

/// Shows the records at these indexes, in their order; what was removed is not shown.
fn each(
    reading: &Reading,
    wanted: &[u64],
    show: &mut dyn FnMut(u64, &Kept<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut wanted = wanted.iter().copied().peekable();
    while let Some(first) = wanted.peek().copied() {
        let mut records = reading.records(first)?;
        loop {
            let next = wanted.peek().copied();
            match (records.next(), next) {
                (_, None) => return Ok(()),
                (None, Some(_)) => return Ok(()),
                (Some(Item::Unreadable { index, count, detail }), Some(next)) => {
                    if next < index.saturating_add(count) {
                        let detail = format!("record {next} cannot be read: {detail}");
                        return Err(ReadError::new(format!("{detail}; run `tacho verify`")));
                    }
                }
                (Some(Item::Record { index, record }), Some(mut next)) => {
                    while next < index {
                        wanted.next();
                        match wanted.peek() {
                            Some(later) => next = *later,
                            None => return Ok(()),
                        }
                    }
                    if next == index {
                        show(index, &record)?;
                        wanted.next();
                    }
                    if wanted.peek().is_some_and(|later| *later > index + READ_OVER) {
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The public entries that show that nothing of these streams follows: none, when that takes more
/// than a bundle holds.
fn rest(reading: &Reading, members: &BTreeMap<u64, Entry>) -> Result<Vec<Rest>, ReadError> {
    let size = reading.checkpoint().size;
    let mut last: BTreeMap<[u8; 16], u64> = BTreeMap::new();
    last.extend(members.iter().map(|(index, entry)| (entry.stream, *index)));
    let mut entries = reading.entries();
    let mut needed = BTreeMap::new();
    for index in last.into_values() {
        let begun = members.get(&index).map_or(0, day);
        for next in index + 1..size {
            let entry = entry(&mut entries, next)?;
            if !members.contains_key(&next) {
                needed.insert(next, entry);
            }
            if needed.len() > REST_ENTRIES_MAX {
                return Ok(Vec::new());
            }
            if day(&entry) > begun {
                break;
            }
        }
    }
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for index in needed.keys() {
        match ranges.last_mut().filter(|range| range.end == *index) {
            Some(range) => range.end += 1,
            None => ranges.push(*index..*index + 1),
        }
    }
    let folder = &*reading.log().folder;
    let tiles = |tile: merkle::TileCoordinate| folder.read(&tile.path());
    let reader = TileReader::new(tiles, size);
    let rest = |range: Range<u64>| {
        let bytes: Vec<u8> =
            needed.range(range.clone()).flat_map(|(_, entry)| entry.encode()).collect();
        let proof = range_proof(&reader, range.clone(), size);
        let proof = proof.map_err(|error| wrong(&error.to_string()))?;
        Ok(Rest { first: range.start, entries: Rest::text(&bytes), proof: texts(&proof) })
    };
    ranges.into_iter().map(rest).collect()
}
