//! What a check found: a verdict, counts, and findings that name the record and the file.
//!
//! Its JSON is a contract (interfaces.md, "Machine output"): fields are added, never renamed. Not
//! here: how anything is checked (`log.rs`, `proof.rs`), and how a person reads it (the caller).

use crate::bundle::Completeness;
use crate::log::ChainState;
use serde::Serialize;

/// Findings kept in a report; more are only counted, because the first ones name the damage and a
/// report of a wrecked log must still fit a screen, a message and memory.
pub const FINDINGS_MAX: usize = 100;

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything that was asked was checked and holds.
    Ok,
    /// Something was altered, lost, or does not belong.
    Tampered,
    /// Nothing wrong was found, but something that was asked could not be checked.
    Incomplete,
}

/// How far beyond the files themselves the answer is vouched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The files agree with each other; who signed them is not known.
    #[default]
    Local,
    /// A key that the caller trusts signed the checkpoint.
    Signed,
    /// The caller's witness policy is met.
    Witnessed,
    /// A time-stamping authority vouches for the time.
    Anchored,
}

/// What kind of fault a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FindingKind {
    /// Bytes differ from what the log committed to.
    Corrupt,
    /// Something that the log committed to is not there.
    Missing,
    /// The log is shorter than a checkpoint that it signed before.
    Truncated,
    /// The log signed another history before.
    Forked,
    /// Something is there that the log never announced.
    Unannounced,
    /// A signature that was asked for is missing or wrong.
    Signature,
    /// A file is there and could not be read.
    Unreadable,
    /// Something could not be checked: a key or a policy is missing.
    Unassessed,
}

impl FindingKind {
    /// Whether it means tampering or loss; the others only leave a check undone.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Unreadable | Self::Unassessed)
    }
}

/// One fault, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of fault.
    pub kind: FindingKind,
    /// The first record that it touches, if it touches a record.
    pub index: Option<u64>,
    /// How many records it touches, from `index` on; 0 when it touches none.
    pub count: u64,
    /// The file, relative to the log's folder; empty when no file is to blame.
    pub file: String,
    /// What is wrong, in words.
    pub detail: String,
}

impl Finding {
    /// A fault of a file as a whole.
    #[must_use]
    pub fn of_file(kind: FindingKind, file: &str, detail: impl Into<String>) -> Self {
        Self { kind, index: None, count: 0, file: file.to_owned(), detail: detail.into() }
    }

    /// A fault of `count` records from `index` on.
    #[must_use]
    pub fn of_records(
        kind: FindingKind,
        index: u64,
        count: u64,
        file: &str,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind, index: Some(index), count, file: file.to_owned(), detail: detail.into() }
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordState {
    /// There, whole, and what the entry commits to.
    Present,
    /// Its content was erased by authority; its metadata is there.
    ContentErased,
    /// It was erased by authority.
    Erased,
    /// Its time was over, and it was removed.
    Expired,
    /// There, and kept by a legal hold.
    Held,
    /// Not there, and nobody was entitled to remove it: a failure.
    Missing,
    /// There, but not what the entry commits to: a failure.
    Corrupt,
}

/// How many records are in which state. Without the records themselves, public entries are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// [`RecordState::Present`].
    pub present: u64,
    /// [`RecordState::ContentErased`].
    pub content_erased: u64,
    /// [`RecordState::Erased`].
    pub erased: u64,
    /// [`RecordState::Expired`].
    pub expired: u64,
    /// [`RecordState::Held`].
    pub held: u64,
    /// [`RecordState::Missing`].
    pub missing: u64,
    /// [`RecordState::Corrupt`].
    pub corrupt: u64,
}

impl Counts {
    /// Counts one more record.
    #[inline]
    pub fn add(&mut self, state: RecordState) {
        let count = match state {
            RecordState::Present => &mut self.present,
            RecordState::ContentErased => &mut self.content_erased,
            RecordState::Erased => &mut self.erased,
            RecordState::Expired => &mut self.expired,
            RecordState::Held => &mut self.held,
            RecordState::Missing => &mut self.missing,
            RecordState::Corrupt => &mut self.corrupt,
        };
        *count = count.saturating_add(1);
    }
}

/// How the signatures of agents stand, of the records that bear one. Without the records themselves
/// nothing is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SignatureCounts {
    /// By a key that the log knew then, over all that is there.
    pub valid: u64,
    /// By such a key; the log redacted the event after it had checked the signature, which can be
    /// checked in part now, or not at all.
    pub redacted: u64,
    /// By a key that the log did not know.
    pub unknown: u64,
    /// That should have been refused, or is missing where the log demanded one: a failure.
    pub bad: u64,
}

impl SignatureCounts {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a removal that the log announced answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemovedBy {
    /// The index of the record that announces it.
    pub index: u64,
    /// What is left of the records: `content-erased`, `erased` or `expired`.
    pub state: &'static str,
    /// How many records there are.
    pub count: u64,
}

/// Keys of the log, and since when they sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyEpoch {
    /// The serial number: 0 for the first keys.
    pub epoch: u64,
    /// The verifier keys (vkeys), all of which must sign.
    pub vkeys: Vec<String>,
    /// The index of the record with which they took over; `None` for the first ones.
    pub record: Option<u64>,
    /// The record time of that record (RFC 3339), where its entry was checked.
    pub since: Option<String>,
}

/// Everything that a check found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    verdict: Verdict,
    /// How far the answer is vouched for.
    pub level: Level,
    /// The log.
    pub origin: String,
    /// Entries under the checkpoint that was checked.
    pub size: u64,
    /// The root hash of those entries, 64 hexadecimal digits.
    pub root: String,
    /// The keys of the log in the order in which they took over, as far as the check was told.
    pub epochs: Vec<KeyEpoch>,
    /// The records by state.
    pub counts: Counts,
    /// How agents' signatures stand; nothing where there are none.
    #[serde(skip_serializing_if = "SignatureCounts::is_empty")]
    pub signatures: SignatureCounts,
    /// Which records of the log authorised that others, or their content, are gone.
    pub removals: Vec<RemovedBy>,
    /// What a bundle is proved to hold of its subject; nothing where that is no question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<Completeness>,
    /// Records beyond the checkpoint: acknowledged, not yet published.
    pub unpublished: u64,
    findings: Vec<Finding>,
    /// Findings beyond [`FINDINGS_MAX`], counted only.
    pub findings_omitted: u64,
    /// What is worth knowing and is no fault.
    pub notes: Vec<String>,
    /// Where the chain stands after the last entry, if it could be followed so far.
    #[serde(skip)]
    pub chain: Option<ChainState>,
}

impl Report {
    /// A report on the log `origin` in which nothing was found yet.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self {
            verdict: Verdict::Ok,
            level: Level::Local,
            origin: origin.to_owned(),
            size: 0,
            root: merkle::Hash::EMPTY_ROOT.to_string(),
            epochs: Vec::new(),
            counts: Counts::default(),
            signatures: SignatureCounts::default(),
            removals: Vec::new(),
            completeness: None,
            unpublished: 0,
            findings: Vec::new(),
            findings_omitted: 0,
            notes: Vec::new(),
            chain: None,
        }
    }

    /// The answer in one word.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The findings, in the order in which they were made; at most [`FINDINGS_MAX`].
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Adds a finding, from inside or outside this crate; the verdict follows.
    pub fn add(&mut self, finding: Finding) {
        self.judge(finding.kind);
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.findings_omitted = self.findings_omitted.saturating_add(1);
        }
    }

    /// Adds something worth knowing that is no fault.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// The process's exit code: 0 fine, 10 tampering or loss, 11 not everything could be checked.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Ok => 0,
            Verdict::Tampered => 10,
            Verdict::Incomplete => 11,
        }
    }

    /// The JSON of the contract, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A structure of plain texts and numbers has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Adds the fault of one record, joining it to the run of the same fault before it.
    pub(crate) fn add_record(
        &mut self,
        kind: FindingKind,
        index: u64,
        file: &str,
        detail: impl FnOnce() -> String,
    ) {
        let same = |finding: &&mut Finding| {
            finding.kind == kind
                && finding.file == file
                && finding.index.and_then(|first| first.checked_add(finding.count)) == Some(index)
        };
        if let Some(run) = self.findings.iter_mut().rev().take(RUNS_OPEN).find(same) {
            run.count += 1;
            return;
        }
        if self.findings.len() < FINDINGS_MAX {
            self.add(Finding::of_records(kind, index, 1, file, detail()));
        } else {
            self.judge(kind);
            self.findings_omitted = self.findings_omitted.saturating_add(1);
        }
    }

    fn judge(&mut self, kind: FindingKind) {
        self.verdict = match (kind.is_failure(), self.verdict) {
            (true, _) => Verdict::Tampered,
            (false, Verdict::Ok) => Verdict::Incomplete,
            (false, verdict) => verdict,
        };
    }
}

/// How many of the last findings may still grow: a bundle, its tile and the records file each have
/// a run of their own, side by side.
const RUNS_OPEN: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_the_fields_of_the_contract_in_its_words() {
        let mut report = Report::new("example.org/log");
        report.counts.add(RecordState::ContentErased);
        report.add(Finding::of_records(FindingKind::Corrupt, 12, 1, "journal/0.journal", "why"));
        report.add(Finding::of_file(FindingKind::Unannounced, "tile/x", "extra"));
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["verdict"], "tampered");
        assert_eq!(json["level"], "local");
        assert_eq!(json["origin"], "example.org/log");
        assert_eq!(json["size"], 0);
        let counts: Vec<&String> = json["counts"].as_object().unwrap().keys().collect();
        assert_eq!(
            counts,
            ["present", "content_erased", "erased", "expired", "held", "missing", "corrupt"]
        );
        assert_eq!(json["counts"]["content_erased"], 1);
        assert_eq!(json["findings"][0]["kind"], "corrupt");
        assert_eq!(json["findings"][0]["index"], 12);
        assert_eq!(json["findings"][0]["file"], "journal/0.journal");
        assert_eq!(json["findings"][1]["index"], serde_json::Value::Null);
        assert_eq!(report.exit_code(), 10);
    }

    #[test]
    fn an_undone_check_is_incomplete_and_never_outweighs_a_failure() {
        let undone = || Finding::of_file(FindingKind::Unassessed, "", "no key");
        let mut report = Report::new("");
        assert_eq!((report.verdict(), report.exit_code()), (Verdict::Ok, 0));
        report.add(undone());
        assert_eq!((report.verdict(), report.exit_code()), (Verdict::Incomplete, 11));
        report.add(Finding::of_file(FindingKind::Missing, "a", "gone"));
        report.add(undone());
        assert_eq!((report.verdict(), report.exit_code()), (Verdict::Tampered, 10));
    }

    #[test]
    fn runs_join_and_the_rest_is_counted() {
        let mut report = Report::new("");
        for index in 5..10 {
            report.add_record(FindingKind::Corrupt, index, "a", || "first".into());
            report.add_record(FindingKind::Missing, index, "", || "second".into());
        }
        assert_eq!(report.findings().len(), 2);
        assert_eq!((report.findings()[0].index, report.findings()[0].count), (Some(5), 5));
        for index in 0..1000 {
            report.add_record(FindingKind::Corrupt, index * 2 + 100, "a", String::new);
        }
        assert_eq!(report.findings().len(), FINDINGS_MAX);
        assert_eq!(report.findings_omitted, 1002 - FINDINGS_MAX as u64);
    }
}
