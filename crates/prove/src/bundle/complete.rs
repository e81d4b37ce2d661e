//! Completeness of a bundle: are its records *all* of their streams, up to the checkpoint?
//!
//! Within a stream entries are numbered from 1 without gaps, so that a record left out at the
//! beginning or in the middle shows. That none was left out at the end is shown by the public
//! entries that follow in the log: up to the checkpoint, or to the first of another day, because a
//! stream has one day (format.md, "Entry"). The same question over a whole log is `stream.rs`.

use super::check::{CheckedRecord, hashes};
use super::{Absent, Bundle, REST_ENTRIES_MAX, Rest, SubjectKind};
use crate::bundle::Holds;
use crate::evidence::bytes_of;
use crate::report::{Finding, FindingKind, Report};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checkpoint::Checkpoint;
use event::{ENTRY_BYTES, Entry, Timestamp};
use merkle::{MAX_RANGE_PROOF_HASHES, leaf_hash, verify_range};
use serde::Serialize;
use std::collections::BTreeMap;

/// How much of what belongs to its subject a bundle is proved to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Extent {
    /// All of it.
    Complete,
    /// All but records that are named and not shown.
    Partial,
    /// It is not shown whether it is all.
    Unknown,
    /// Something is left out.
    Broken,
}

/// What a bundle is proved to hold of its subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Completeness {
    /// How much.
    pub extent: Extent,
    /// The same in words.
    pub sentence: String,
    /// Records that are shown.
    pub records: u64,
    /// Records of the same streams that are named and not shown.
    pub not_shown: u64,
    /// Streams.
    pub streams: u64,
    /// Public entries that show that nothing follows.
    pub entries_after: u64,
}

/// Checks what a bundle says about its completeness; `None` for a single event, of which nothing
/// is to be said.
pub(super) fn check(
    bundle: &Bundle,
    head: Option<&Checkpoint>,
    records: &[CheckedRecord],
    report: &mut Report,
) -> Option<Completeness> {
    if bundle.subject.kind == SubjectKind::Event {
        return None;
    }
    let holds = |record: &&CheckedRecord| record.holds == Holds::Yes;
    let mut found = Completeness {
        extent: Extent::Unknown,
        sentence: String::new(),
        records: records.iter().filter(holds).count() as u64,
        not_shown: records.iter().filter(|it| matches!(it.holds, Holds::NotShown(_))).count()
            as u64,
        streams: bundle.streams.len() as u64,
        entries_after: 0,
    };
    let (extent, why) = match head {
        None => (Extent::Unknown, "the checkpoint does not hold".to_owned()),
        Some(_) if records.iter().any(|record| matches!(record.holds, Holds::No(_))) => {
            (Extent::Broken, "not every record holds".to_owned())
        }
        Some(head) => assess(bundle, head, records, report, &mut found),
    };
    found.extent = extent;
    found.sentence = sentence(bundle, &found, head, &why);
    Some(found)
}

/// How complete it is, and why it is not; every fault is reported.
fn assess(
    bundle: &Bundle,
    head: &Checkpoint,
    records: &[CheckedRecord],
    report: &mut Report,
    found: &mut Completeness,
) -> (Extent, String) {
    if bundle.streams.is_empty() {
        let why = "the bundle does not say of which streams it has all records";
        report.add(Finding::of_file(FindingKind::Unassessed, "streams", why));
        return (Extent::Unknown, why.to_owned());
    }
    let rest = match read_rest(&bundle.rest, head) {
        Ok(rest) => rest,
        Err((first, why)) => {
            let finding = Finding::of_records(FindingKind::Corrupt, first, 1, "rest", why.clone());
            report.add(finding);
            return (Extent::Broken, why);
        }
    };
    found.entries_after = rest.len() as u64;
    let mut known: BTreeMap<u64, Entry> = rest;
    known.extend(records.iter().filter_map(|record| Some((record.index, record.entry?))));
    let mut faults = Vec::new();
    let mut open = Vec::new();
    for stream in &bundle.streams {
        let Ok(stream) = bytes_of::<16>("streams", stream) else {
            let why = "a stream is not 16 bytes in lower-case hexadecimal".to_owned();
            report.add(Finding::of_file(FindingKind::Corrupt, "streams", why.clone()));
            return (Extent::Broken, why);
        };
        let (more, last) = numbering(stream, &known, records);
        faults.extend(more);
        open.extend(last.filter(|last| !is_closed(*last, &known, head.size)));
    }
    if let Some(why) = faults.first().map(|fault| fault.detail.clone()) {
        faults.into_iter().for_each(|fault| report.add(fault));
        return (Extent::Broken, why);
    }
    if let Some(last) = open.into_iter().min() {
        return not_closed(last, head.size, report);
    }
    not_shown(bundle, records, report)
}

/// The entries after the record `last` are not all here. That is in order when they are more than a
/// bundle holds; otherwise something was taken out.
fn not_closed(last: u64, size: u64, report: &mut Report) -> (Extent, String) {
    let after = size.saturating_sub(1).saturating_sub(last);
    let is_long = after > REST_ENTRIES_MAX as u64;
    let (extent, kind, why) = match is_long {
        true => (
            Extent::Unknown,
            FindingKind::Unassessed,
            format!(
                "{after} entries follow record {last}, too many for a bundle: whether more of its \
                 stream is among them is not shown"
            ),
        ),
        false => (
            Extent::Broken,
            FindingKind::Missing,
            format!(
                "not all of the {} after record {last} are here, which would show whether more of its \
                 stream followed",
                count(after, "entry", "entries")
            ),
        ),
    };
    report.add(Finding::of_file(kind, "rest", why.clone()));
    (extent, why)
}

/// Public entries by index, each proved; or the first of those that are not, and why.
fn read_rest(rest: &[Rest], head: &Checkpoint) -> Result<BTreeMap<u64, Entry>, (u64, String)> {
    let mut known = BTreeMap::new();
    for Rest { first, entries, proof } in rest {
        let wrong = |why: String| (*first, why);
        let bytes = STANDARD.decode(entries).map_err(|error| wrong(error.to_string()))?;
        let (chunks, left) = bytes.as_chunks::<ENTRY_BYTES>();
        if !left.is_empty() || chunks.len() > REST_ENTRIES_MAX {
            return Err(wrong(format!("{} bytes are no entries of a bundle", bytes.len())));
        }
        if proof.len() > MAX_RANGE_PROOF_HASHES {
            return Err(wrong(format!("their proof has {} hashes", proof.len())));
        }
        let leaves: Vec<merkle::Hash> = chunks.iter().map(|chunk| leaf_hash(chunk)).collect();
        let proof = hashes(proof).map_err(wrong)?;
        verify_range(*first, &leaves, head.size, &proof, &head.root)
            .map_err(|error| wrong(error.to_string()))?;
        for (index, chunk) in (*first..).zip(chunks) {
            known.insert(index, Entry::decode(chunk).map_err(|e| (index, e.to_string()))?);
        }
    }
    Ok(known)
}

/// What is missing of a stream, and where its last record stands.
fn numbering(
    stream: [u8; 16],
    known: &BTreeMap<u64, Entry>,
    records: &[CheckedRecord],
) -> (Vec<Finding>, Option<u64>) {
    let missing = |detail: String| Finding::of_file(FindingKind::Missing, "record", detail);
    let (mut faults, mut last, mut wanted) = (Vec::new(), None, 1_u64);
    for (index, entry) in known.iter().filter(|(_, entry)| entry.stream == stream) {
        if entry.sequence != wanted {
            let place = match last {
                Some(last) => format!("between records {last} and {index}"),
                None => format!("before record {index}"),
            };
            faults.push(missing(format!(
                "{place}, {} left out: number {} of the stream comes where {wanted} should",
                count(entry.sequence.saturating_sub(wanted), "record is", "records are"),
                entry.sequence
            )));
        }
        if records.binary_search_by_key(index, |record| record.index).is_err() {
            let detail = format!("record {index} belongs here and is left out");
            faults.push(Finding::of_records(FindingKind::Missing, *index, 1, "record", detail));
        }
        (last, wanted) = (Some(*index), entry.sequence.saturating_add(1));
    }
    if last.is_none() {
        faults.push(missing(format!("every record of stream {} is left out", hex::encode(stream))));
    }
    (faults, last)
}

/// Whether all entries after `last` are known up to where its stream must have ended.
fn is_closed(last: u64, known: &BTreeMap<u64, Entry>, size: u64) -> bool {
    let day = |entry: &Entry| Timestamp::from_milliseconds(entry.time_ms).day();
    let Some(begun) = known.get(&last).map(day) else { return false };
    let mut next = last.saturating_add(1);
    while next < size {
        match known.get(&next) {
            Some(entry) if day(entry) > begun => return true,
            Some(_) => next += 1,
            None => return false,
        }
    }
    true
}

/// Records that are named and not shown make a bundle partial; of a session none can be of anything
/// else.
fn not_shown(bundle: &Bundle, records: &[CheckedRecord], report: &mut Report) -> (Extent, String) {
    let (mut count, mut is_broken) = (0_u64, false);
    for record in records {
        let Holds::NotShown(absent) = record.holds else { continue };
        count += 1;
        let is_session = bundle.subject.kind == SubjectKind::Session;
        let (kind, detail) = match absent {
            Absent::Other if is_session => (
                FindingKind::Missing,
                "left out: a stream of a session holds nothing but records of the session",
            ),
            Absent::Other => (
                FindingKind::Unassessed,
                "not shown: that it is of something else in the same session is said and not proved",
            ),
            Absent::Removed => (
                FindingKind::Unassessed,
                "not shown: that it was removed by authority is said here and proved in the log",
            ),
        };
        is_broken |= kind.is_failure();
        report.add_record(kind, record.index, "record", || detail.to_owned());
    }
    let why = format!("{count} more of the same streams are named and not shown");
    match (count, is_broken) {
        (0, _) => (Extent::Complete, String::new()),
        (_, true) => (Extent::Broken, why),
        (_, false) => (Extent::Partial, why),
    }
}

fn sentence(bundle: &Bundle, found: &Completeness, head: Option<&Checkpoint>, why: &str) -> String {
    let (kind, id) = (bundle.subject.kind.as_str(), &bundle.subject.id);
    let size = head.map_or(0, |head| head.size);
    let records = count(found.records, "record", "records");
    // Which sessions a trace or a task is in, only the log's secret tells.
    let whole = match bundle.subject.kind {
        SubjectKind::Session => format!("session {id}"),
        _ => format!("the streams that {kind} {id} is in"),
    };
    match found.extent {
        Extent::Complete => format!(
            "Complete: {} of {whole} up to entry {size} of the log. {}; {}.",
            match found.records {
                1 => "this is the one record".to_owned(),
                many => format!("these are all {many} records"),
            },
            match found.streams {
                1 => "Numbers in the stream run from 1 without a gap".to_owned(),
                many => format!("Numbers in each of {many} streams run from 1 without a gap"),
            },
            match found.entries_after {
                0 => "nothing comes after the last one".to_owned(),
                1 => "the public entry after the last one is of another stream".to_owned(),
                many =>
                    format!("the {many} public entries after the last one are of other streams"),
            },
        ),
        Extent::Partial => format!("Partial: {records} of {kind} {id} are shown; {why}."),
        Extent::Unknown => format!("Not shown to be complete: {why}."),
        Extent::Broken => format!("Not complete: {why}."),
    }
}

fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
