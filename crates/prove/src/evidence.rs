//! One record as evidence: a JSON document with everything that proves it, and its check.
//!
//! The document carries the log's keys so that it can be read without looking anything up; they
//! show that it is whole, never who made it. That needs a pinned key (format.md, "Evidence
//! bundle").

use crate::kept::{Kept, KeptContent};
use crate::proof::{EntryProofError, check_entry};
use crate::record::{RecordMismatch, check_metadata};
use crate::report::{Finding, FindingKind, Level, RecordState, Report};
use crate::trust::{NOT_PINNED, Trust};
use checkpoint::{Checkpoint, KeyError, TlogProof, TlogProofError, VerifierKey};
use event::Entry;
use event::record::{NO_CONTENT, content_commitment};
use serde::{Deserialize, Serialize};

/// The name of the document's format.
pub const EVIDENCE_FORMAT: &str = "tachograph.evidence/1";

/// The longest document that is read, in bytes: a record of a mebibyte whose every character is
/// escaped, with the longest proof.
pub const EVIDENCE_BYTES_MAX: usize = 16 << 20;

/// A record with its proof. The bytes that are hashed are those of the texts `meta` and `content`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// [`EVIDENCE_FORMAT`].
    pub format: String,
    /// The log.
    pub origin: String,
    /// The index of the record.
    pub index: u64,
    /// The entry, in hexadecimal.
    pub entry: String,
    /// The record.
    pub record: EvidenceRecord,
    /// The proof that the entry is in the log, as a `tlog-proof`.
    pub proof: String,
    /// The log's verifier keys, not to be trusted for being here.
    pub vkeys: Vec<String>,
}

/// The part of a record that the entry does not hold. Salts and hashes are in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRecord {
    /// The metadata.
    pub meta: String,
    /// The salt of the metadata.
    pub meta_salt: String,
    /// The content; absent when there is none or it is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The salt of the content, when the content is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_salt: Option<String>,
    /// The commitment to the content, when the content is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_commitment: Option<String>,
}

/// Why evidence does not hold, or could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// It is too long to be read.
    #[error("evidence of {0} bytes is not read; at most {EVIDENCE_BYTES_MAX} are")]
    TooLong(usize),
    /// It is not the JSON that it should be.
    #[error("not an evidence document: {0}")]
    Json(String),
    /// It is of another format or version.
    #[error("evidence of format {0:?} is not known here; this program reads {EVIDENCE_FORMAT:?}")]
    Format(String),
    /// A hexadecimal field has another length, or other digits than 0 to 9 and a to f.
    #[error("{field} of the evidence is not {bytes} bytes in lower-case hexadecimal")]
    Hex {
        /// The field.
        field: &'static str,
        /// How many bytes it has.
        bytes: usize,
    },
    /// Content, its salt and its commitment are given in a combination that means nothing.
    #[error("evidence has content with its salt, or a content commitment, or neither")]
    Content,
    /// The metadata or the content is no text.
    #[error("the record at index {0} is not UTF-8 and cannot stand in a JSON document")]
    Text(u64),
    /// The proof is not a `tlog-proof`.
    #[error("the proof in the evidence is not one: {0}")]
    Proof(#[from] TlogProofError),
    /// A key in it is none.
    #[error("a key in the evidence is not one: {0}")]
    Key(#[from] KeyError),
    /// The proof is about another index.
    #[error("the evidence is about index {index}, its proof about {proof}")]
    Index {
        /// The index that the document names.
        index: u64,
        /// The index in the proof.
        proof: u64,
    },
    /// The entry is not proved.
    #[error(transparent)]
    Entry(#[from] EntryProofError),
    /// The record is not what the entry commits to.
    #[error(transparent)]
    Record(#[from] RecordMismatch),
}

/// A record that is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenRecord {
    /// The index of the record.
    pub index: u64,
    /// Its entry.
    pub entry: Entry,
    /// The checkpoint that it is proved against.
    pub checkpoint: Checkpoint,
    /// How far the checkpoint is vouched for.
    pub level: Level,
    /// Whether the content is withheld.
    pub content_withheld: bool,
}

impl Evidence {
    /// The evidence for a record with its entry and proof. A content that was erased is withheld.
    ///
    /// # Errors
    /// When the record's bytes are no text.
    pub fn new<'r>(
        origin: &str,
        entry: &Entry,
        record: impl Into<Kept<'r>>,
        proof: &TlogProof,
        keys: &[VerifierKey],
    ) -> Result<Self, EvidenceError> {
        let record = record.into();
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec()).map_err(|_| EvidenceError::Text(proof.index))
        };
        let (content, salt, commitment) = match record.content {
            KeptContent::None => (None, None, None),
            KeptContent::Present { salt, bytes } => (Some(text(bytes)?), Some(salt), None),
            KeptContent::Erased { commitment } => (None, None, Some(commitment)),
        };
        Ok(Self {
            format: EVIDENCE_FORMAT.to_owned(),
            origin: origin.to_owned(),
            index: proof.index,
            entry: hex::encode(entry.encode()),
            record: EvidenceRecord {
                meta: text(record.meta)?,
                meta_salt: hex::encode(record.meta_salt),
                content_salt: salt.map(hex::encode),
                content,
                content_commitment: commitment.map(hex::encode),
            },
            proof: proof.to_string(),
            vkeys: keys.iter().map(VerifierKey::to_string).collect(),
        })
    }

    /// The same evidence with the content withheld: its commitment stands in its place.
    ///
    /// # Errors
    /// When the fields about the content are malformed.
    pub fn without_content(mut self) -> Result<Self, EvidenceError> {
        if self.record.content.is_some() {
            let (commitment, _) = self.record.content_commitment()?;
            self.record.content_commitment = Some(hex::encode(commitment));
            self.record.content = None;
            self.record.content_salt = None;
        }
        Ok(self)
    }

    /// Reads a document, without checking it.
    ///
    /// # Errors
    /// When it is too long or has another form.
    pub fn from_json(json: &[u8]) -> Result<Self, EvidenceError> {
        if json.len() > EVIDENCE_BYTES_MAX {
            return Err(EvidenceError::TooLong(json.len()));
        }
        let evidence: Self =
            serde_json::from_slice(json).map_err(|error| EvidenceError::Json(error.to_string()))?;
        if evidence.format != EVIDENCE_FORMAT {
            return Err(EvidenceError::Format(evidence.format));
        }
        Ok(evidence)
    }

    /// The document, on several lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A structure of plain texts and numbers has no way to fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Checks everything: the entry's proof, the signed checkpoint, and the record.
    ///
    /// # Errors
    /// [`EvidenceError`] with the first thing that does not hold.
    pub fn check(&self, trust: &Trust) -> Result<ProvenRecord, EvidenceError> {
        let mut trust = trust.clone();
        for key in &self.vkeys {
            trust.embedded.push(key.parse()?);
        }
        let proof: TlogProof = self.proof.parse()?;
        if proof.index != self.index {
            return Err(EvidenceError::Index { index: self.index, proof: proof.index });
        }
        let entry: [u8; event::ENTRY_BYTES] = bytes_of("entry", &self.entry)?;
        let proven = check_entry(&entry, &proof, &self.origin, &trust)?;
        let meta_salt = bytes_of("meta_salt", &self.record.meta_salt)?;
        let (content, content_withheld) = self.record.content_commitment()?;
        check_metadata(&proven.entry, self.record.meta.as_bytes(), &meta_salt, &content)?;
        let (entry, checkpoint) = (proven.entry, proven.checkpoint);
        let (index, level) = (proven.index, proven.level);
        Ok(ProvenRecord { index, entry, checkpoint, level, content_withheld })
    }
}

impl EvidenceRecord {
    /// The commitment to the content, and whether the content is withheld.
    fn content_commitment(&self) -> Result<([u8; 32], bool), EvidenceError> {
        match (&self.content, &self.content_salt, &self.content_commitment) {
            (Some(content), Some(salt), None) if !content.is_empty() => {
                let salt = bytes_of("content_salt", salt)?;
                Ok((content_commitment(&salt, content.as_bytes()), false))
            }
            (None, None, Some(commitment)) => {
                Ok((bytes_of("content_commitment", commitment)?, true))
            }
            (None, None, None) => Ok((NO_CONTENT, false)),
            _ => Err(EvidenceError::Content),
        }
    }
}

/// Checks an evidence document and reports on it as on a log.
#[must_use]
pub fn verify_evidence(json: &[u8], trust: &Trust) -> Report {
    let evidence = match Evidence::from_json(json) {
        Ok(evidence) => evidence,
        Err(error) => {
            let mut report = Report::new("");
            report.add(Finding::of_file(FindingKind::Corrupt, "", error.to_string()));
            return report;
        }
    };
    let mut report = Report::new(&evidence.origin);
    match evidence.check(trust) {
        Ok(proven) => {
            report.level = proven.level;
            report.size = proven.checkpoint.size;
            report.root = proven.checkpoint.root.to_string();
            report.counts.add(RecordState::Present);
            if proven.content_withheld {
                report.note("the content is withheld; the metadata was checked");
            }
            if !trust.is_pinned() {
                report.note(NOT_PINNED);
            }
        }
        Err(error) => {
            let kind = match &error {
                EvidenceError::Entry(EntryProofError::Trust(_)) => FindingKind::Signature,
                _ => FindingKind::Corrupt,
            };
            report.counts.add(RecordState::Corrupt);
            let detail = error.to_string();
            report.add(Finding::of_records(kind, evidence.index, 1, "", detail));
        }
    }
    report
}

/// Reads lower-case hexadecimal, so that every byte has one spelling.
fn bytes_of<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], EvidenceError> {
    let mut bytes = [0; N];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if is_lower => Ok(bytes),
        _ => Err(EvidenceError::Hex { field, bytes: N }),
    }
}
