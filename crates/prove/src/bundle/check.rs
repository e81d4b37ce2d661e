//! Does a bundle hold? Every part of it is checked, and each fault names its part: `keys`,
//! `checkpoint`, `record`, `entry`, `proof`, `streams`, `rest`, `figures`, or `bundle` where only
//! the spelling differs.

use super::complete;
use super::figures::{Counting, Figures};
use super::{
    Absent, BUNDLE_BYTES_MAX, BUNDLE_FORMAT, BUNDLE_RECORDS_MAX, Bundle, BundleRecord, Subject,
    SubjectKind,
};
use crate::evidence::{EvidenceRecord, bytes_of, shown_keys};
use crate::record::check_metadata;
use crate::report::{Finding, FindingKind, RecordState, Report};
use crate::trust::Trust;
use checkpoint::Checkpoint;
use event::{ENTRY_BYTES, Entry, Event};
use merkle::{Hash, MAX_PROOF_HASHES, leaf_hash, verify_inclusion};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// A bundle, and what was found.
#[derive(Clone, Debug)]
pub struct CheckedBundle {
    /// What was found; its completeness is in it.
    pub report: Report,
    /// The bundle, if it reads as one.
    pub bundle: Option<Bundle>,
    /// What became of each of its records, in its order.
    pub records: Vec<CheckedRecord>,
    /// What the records add up to, if all of them hold.
    pub counted: Option<Figures>,
    /// Where that differs from the figures in the bundle.
    pub figure_faults: Vec<FigureFault>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRecord {
    /// Its index.
    pub index: u64,
    /// Whether it holds.
    pub holds: Holds,
    /// Its entry, if it is proved to be in the log.
    pub entry: Option<Entry>,
}

/// Whether a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It is in the log, and exactly this.
    Yes,
    /// Its entry is in the log; the record is not shown.
    NotShown(Absent),
    /// Something about it does not hold.
    No(String),
}

/// A figure that the records do not give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FigureFault {
    /// Which: `tools.lookup.calls`.
    pub name: String,
    /// What the bundle says.
    pub stated: String,
    /// What the records give.
    pub counted: String,
}

/// Checks a bundle.
#[must_use]
pub fn verify_bundle(json: &[u8], trust: &Trust) -> CheckedBundle {
    let bundle = match read(json) {
        Ok(bundle) => bundle,
        Err(finding) => {
            let mut report = Report::new("");
            report.add(finding);
            let (records, figure_faults) = (Vec::new(), Vec::new());
            return CheckedBundle { report, bundle: None, records, counted: None, figure_faults };
        }
    };
    let mut check =
        Check { report: Report::new(&bundle.origin), head: None, withheld: 0, bundle: &bundle };
    check.spelling(json);
    check.signature(trust);
    let records = check.records();
    let completeness = complete::check(&bundle, check.head.as_ref(), &records, &mut check.report);
    check.report.completeness = completeness;
    let (counted, figure_faults) = check.figures(&records);
    let report = check.report;
    CheckedBundle { report, bundle: Some(bundle), records, counted, figure_faults }
}

/// What the records of a bundle add up to, for whoever makes one.
///
/// # Errors
/// When a record does not read as an event.
pub(super) fn count(bundle: &Bundle) -> Result<Figures, String> {
    let mut counting = Counting::default();
    for record in &bundle.records {
        let Some(shown) = &record.record else { continue };
        let entry = entry_of(record)?;
        let event = event_of(shown)?;
        counting.add(record.index, entry.time_ms, &event);
    }
    Ok(counting.finish())
}

impl Bundle {
    /// What its records add up to.
    ///
    /// # Errors
    /// When a record does not read as an event, in words.
    pub fn count(&self) -> Result<Figures, String> {
        count(self)
    }
}

fn read(json: &[u8]) -> Result<Bundle, Finding> {
    let corrupt = |part: &str, detail: String| Finding::of_file(FindingKind::Corrupt, part, detail);
    if json.len() > BUNDLE_BYTES_MAX {
        let detail = format!("{} bytes are not read; at most {BUNDLE_BYTES_MAX} are", json.len());
        return Err(corrupt("bundle", detail));
    }
    let bundle: Bundle = serde_json::from_slice(json).map_err(|error| {
        let offset = if error.line() == 1 { error.column() } else { json.len() };
        let (index, part) = part_at(json, offset);
        let detail = format!("not what a bundle has there: {error}");
        match index {
            Some(index) => Finding::of_records(FindingKind::Corrupt, index, 1, part, detail),
            None => corrupt(part, detail),
        }
    })?;
    if bundle.format != BUNDLE_FORMAT {
        let detail = format!(
            "a bundle of format {:?} is not known here; this program reads {BUNDLE_FORMAT:?}",
            bundle.format
        );
        return Err(corrupt("bundle", detail));
    }
    if bundle.records.len() > BUNDLE_RECORDS_MAX {
        let detail = format!("{} records; at most {BUNDLE_RECORDS_MAX}", bundle.records.len());
        return Err(corrupt("bundle", detail));
    }
    Ok(bundle)
}

/// One bundle being checked.
struct Check<'b> {
    bundle: &'b Bundle,
    report: Report,
    /// The tree head, if it is signed.
    head: Option<Checkpoint>,
    /// Records whose content is withheld.
    withheld: u64,
}

impl Check<'_> {
    /// There is one spelling, so that no byte can change unseen.
    fn spelling(&mut self, json: &[u8]) {
        let written = self.bundle.to_json();
        if written.as_bytes() == json {
            return;
        }
        let same = written.bytes().zip(json).take_while(|(one, other)| one == *other).count();
        let (index, part) = part_at(json, same);
        let detail = format!("byte {same} of the bundle is not as a bundle is written");
        self.report.add(match index {
            Some(index) => Finding::of_records(FindingKind::Corrupt, index, 1, part, detail),
            None => Finding::of_file(FindingKind::Corrupt, part, detail),
        });
    }

    /// Whose log it is, and what its tree head is.
    fn signature(&mut self, trust: &Trust) {
        let Bundle { origin, vkeys, successions, checkpoint, .. } = self.bundle;
        let (trust, successions) = match shown_keys(origin, vkeys, successions, trust) {
            Ok(shown) => shown,
            Err(error) => {
                let detail = error.to_string();
                return self.report.add(Finding::of_file(FindingKind::Corrupt, "keys", detail));
            }
        };
        let published = trust.open_published(checkpoint.as_bytes(), origin);
        published.findings.into_iter().for_each(|finding| self.report.add(finding));
        published.notes.into_iter().for_each(|note| self.report.note(note));
        let Some(head) = published.checkpoint else { return };
        for succession in &successions {
            if let Err(error) = succession.check_inclusion(&head) {
                let detail = error.to_string();
                self.report.add(Finding::of_file(FindingKind::Corrupt, "keys", detail));
            }
        }
        self.report.level = published.level;
        self.report.size = head.size;
        self.report.root = head.root.to_string();
        self.report.epochs = trust.epochs.as_ref().map(crate::epochs::told).unwrap_or_default();
        self.head = Some(head);
    }

    fn records(&mut self) -> Vec<CheckedRecord> {
        let streams: HashSet<&str> = self.bundle.streams.iter().map(String::as_str).collect();
        let mut before: Option<u64> = None;
        let mut checked = Vec::with_capacity(self.bundle.records.len());
        for record in &self.bundle.records {
            let (index, head) = (record.index, self.head.as_ref());
            let outcome = match before.is_some_and(|before| before >= index) {
                true => Err(("record", "it stands behind one of a higher index".to_owned())),
                false => check_record(record, &self.bundle.subject, head, &streams),
            };
            before = Some(index);
            let (entry, holds) = match outcome {
                Ok((entry, None)) => {
                    let shown = record.record.as_ref();
                    let withheld = shown.is_some_and(|it| it.content_commitment.is_some());
                    self.withheld += u64::from(withheld);
                    self.report.counts.add(RecordState::Present);
                    (Some(entry), Holds::Yes)
                }
                Ok((entry, Some(absent))) => (Some(entry), Holds::NotShown(absent)),
                Err((part, detail)) => {
                    self.report.counts.add(RecordState::Corrupt);
                    let kind = FindingKind::Corrupt;
                    self.report.add(Finding::of_records(kind, index, 1, part, detail.clone()));
                    (None, Holds::No(detail))
                }
            };
            checked.push(CheckedRecord { index, holds, entry });
        }
        if self.withheld > 0 {
            let note = format!(
                "the content of {} records is withheld or erased; their metadata was checked",
                self.withheld
            );
            self.report.note(note);
        }
        checked
    }

    /// Counts again; nothing is compared when a record does not hold, because it is found already.
    fn figures(&mut self, records: &[CheckedRecord]) -> (Option<Figures>, Vec<FigureFault>) {
        if records.iter().any(|record| matches!(record.holds, Holds::No(_))) {
            self.report.note("the figures were not counted again: not every record holds");
            return (None, Vec::new());
        }
        let Ok(counted) = count(self.bundle) else { return (None, Vec::new()) };
        let mut faults = Vec::new();
        let tell = |figures: &Figures| serde_json::to_value(figures).unwrap_or_default();
        differ("", &tell(&self.bundle.figures), &tell(&counted), &mut faults);
        for FigureFault { name, stated, counted } in &faults {
            let detail = format!("{name} is {stated} in the bundle; the records give {counted}");
            self.report.add(Finding::of_file(FindingKind::Corrupt, "figures", detail));
        }
        (Some(counted), faults)
    }
}

/// Checks a record: its entry, and why the record is not shown when it is not; or the part that is
/// at fault, and what is wrong with it.
fn check_record(
    record: &BundleRecord,
    subject: &Subject,
    head: Option<&Checkpoint>,
    streams: &HashSet<&str>,
) -> Result<(Entry, Option<Absent>), (&'static str, String)> {
    let entry = entry_of(record).map_err(|detail| ("entry", detail))?;
    let proved = head.map_or(Ok(()), |head| prove(record, head));
    let (shown, absent) = match (&record.record, record.absent) {
        (Some(shown), None) => (Some(shown), None),
        (None, Some(absent)) => (None, Some(absent)),
        _ => return Err(("record", "a record is shown, or it is said why not".to_owned())),
    };
    let matches = shown.map_or(Ok(()), |shown| matches_entry(&entry, shown));
    match (proved, matches) {
        (Ok(()), Ok(())) => {}
        (Ok(()), Err(detail)) => return Err(("record", detail)),
        // The record is what the entry commits to, so it is not the record that was altered.
        (Err(detail), Ok(())) => return Err(("proof", detail)),
        (Err(detail), Err(_)) => return Err(("entry", detail)),
    }
    if record.index == 0 && entry.previous != [0; 32] {
        return Err(("entry", "entry 0 names a previous leaf".to_owned()));
    }
    if let Some(shown) = shown {
        let event = event_of(shown).map_err(|detail| ("record", detail))?;
        if !subject.covers(record.index, &event) {
            let Subject { kind, id } = subject;
            return Err(("record", format!("it is not of the {} {id:?}", kind.as_str())));
        }
    }
    let is_claimed = streams.is_empty() || streams.contains(hex::encode(entry.stream).as_str());
    if subject.kind != SubjectKind::Event && !is_claimed {
        return Err(("streams", "its stream is not among those of the bundle".to_owned()));
    }
    Ok((entry, absent))
}

fn entry_of(record: &BundleRecord) -> Result<Entry, String> {
    let bytes: [u8; ENTRY_BYTES] =
        bytes_of("entry", &record.entry).map_err(|error| error.to_string())?;
    Entry::decode(&bytes).map_err(|error| error.to_string())
}

pub(super) fn event_of(shown: &EvidenceRecord) -> Result<Event<'_>, String> {
    let content = shown.content.as_deref().unwrap_or_default();
    Event::from_stored(shown.meta.as_bytes(), content.as_bytes()).map_err(|e| e.to_string())
}

/// Whether the entry stands in the log at the index.
fn prove(record: &BundleRecord, head: &Checkpoint) -> Result<(), String> {
    if record.proof.len() > MAX_PROOF_HASHES {
        return Err(format!("its proof has {} hashes", record.proof.len()));
    }
    let hashes = hashes(&record.proof)?;
    let entry: [u8; ENTRY_BYTES] =
        bytes_of("entry", &record.entry).map_err(|error| error.to_string())?;
    let leaf = leaf_hash(&entry);
    verify_inclusion(record.index, head.size, &leaf, &hashes, &head.root)
        .map_err(|error| error.to_string())
}

pub(super) fn hashes(texts: &[String]) -> Result<Vec<Hash>, String> {
    let hash = |text: &String| bytes_of("proof", text).map(Hash).map_err(|e| e.to_string());
    texts.iter().map(hash).collect()
}

fn matches_entry(entry: &Entry, shown: &EvidenceRecord) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let (content, _) = shown.content_commitment().map_err(|error| words(&error))?;
    let salt = bytes_of("meta_salt", &shown.meta_salt).map_err(|error| words(&error))?;
    check_metadata(entry, shown.meta.as_bytes(), &salt, &content).map_err(|error| words(&error))
}

/// Where two figures differ, by name. As deep as [`Figures`] is.
fn differ(name: &str, stated: &Value, counted: &Value, faults: &mut Vec<FigureFault>) {
    if stated == counted {
        return;
    }
    let (Value::Object(one), Value::Object(other)) = (stated, counted) else {
        let text = |value: &Value| match value {
            Value::Null => "nothing".to_owned(),
            other => other.to_string(),
        };
        let (stated, counted) = (text(stated), text(counted));
        return faults.push(FigureFault { name: name.to_owned(), stated, counted });
    };
    let names: BTreeMap<&String, ()> = one.keys().chain(other.keys()).map(|it| (it, ())).collect();
    for (part, ()) in names {
        let dotted = if name.is_empty() { part.clone() } else { format!("{name}.{part}") };
        let of = |map: &serde_json::Map<String, Value>| map.get(part).cloned().unwrap_or_default();
        differ(&dotted, &of(one), &of(other), faults);
    }
}

/// The part in which a byte of a bundle's text stands, and the record if it is in one. Quotes
/// within texts are escaped, so none of these can stand in a text.
fn part_at(json: &[u8], offset: usize) -> (Option<u64>, &'static str) {
    const PARTS: [(&[u8], &str); 12] = [
        (b"{\"format\":", "bundle"),
        (b",\"subject\":{", "bundle"),
        (b",\"vkeys\":[", "keys"),
        (b",\"successions\":[", "keys"),
        (b",\"checkpoint\":\"", "checkpoint"),
        (b",\"figures\":{", "figures"),
        (b",\"records\":[", "record"),
        (b"{\"index\":", "entry"),
        (b",\"proof\":[", "proof"),
        (b",\"record\":{", "record"),
        (b",\"streams\":[", "streams"),
        (b",\"rest\":[", "rest"),
    ];
    let before = json.get(..offset.min(json.len())).unwrap_or_default();
    let last = |mark: &[u8]| before.windows(mark.len()).rposition(|window| window == mark);
    let found = PARTS.iter().filter_map(|(mark, part)| Some((last(mark)?, *part)));
    let Some((_, part)) = found.max_by_key(|(place, _)| *place) else { return (None, "bundle") };
    if !matches!(part, "entry" | "proof" | "record") {
        return (None, part);
    }
    // The hashes of the rest stand behind no record.
    if last(b",\"rest\":[").is_some() {
        return (None, "rest");
    }
    let digits = last(b"{\"index\":").and_then(|place| before.get(place + 9..));
    let digits = digits.unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
    let index = digits.fold(0_u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    (last(b"{\"index\":").map(|_| index), part)
}
