//! One record as evidence: a JSON document with everything that proves it, and its check.
//!
//! The document carries the log's keys so that it can be read without looking anything up; they
//! show that it is whole, never who made it. That needs a pinned key (format.md, "Evidence
//! bundle").

use crate::epochs;
use crate::kept::{Kept, KeptContent};
use crate::proof::{EntryProofError, check_entry};
use crate::record::{RecordMismatch, check_metadata};
use crate::report::{Finding, FindingKind, KeyEpoch, Level, RecordState, Report};
use crate::trust::{NOT_PINNED, Trust};
use checkpoint::{Checkpoint, KeyError, Succession, TlogProof, TlogProofError, VerifierKey};
use event::record::{NO_CONTENT, content_commitment};
use event::{AgentKeyMark, AgentKeys, Disclosed, Entry, Kind, Signature, Standing};
use merkle::{Hash, MAX_PROOF_HASHES, leaf_hash, verify_inclusion};
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
    /// The log's first verifier keys, not to be trusted for being here.
    pub vkeys: Vec<String>,
    /// How later keys took over from them, up to those that signed the proof's checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<EvidenceSuccession>,
}

/// A record that announces a succession of keys, with the proof that it is in the log: under the
/// same checkpoint as the record that the document is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceSuccession {
    /// The entry, in hexadecimal.
    pub entry: String,
    /// The record, with its content.
    pub record: EvidenceRecord,
    /// The hashes of the inclusion proof, in hexadecimal, the leaf's sibling first.
    pub proof: Vec<String>,
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
    /// A record that should show how keys took over does not.
    #[error("a key succession in the evidence does not hold: {0}")]
    Succession(String),
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
    /// The keys of the log as the document shows them; empty when none ever took over.
    pub epochs: Vec<KeyEpoch>,
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
            successions: Vec::new(),
        })
    }

    /// The same evidence with the record that shows how the next keys took over. They are added in
    /// the order in which they did.
    #[must_use]
    pub fn with_succession(mut self, entry: &Entry, record: &Disclosed, proof: &TlogProof) -> Self {
        self.successions.push(EvidenceSuccession {
            entry: hex::encode(entry.encode()),
            record: EvidenceRecord {
                meta: record.meta.clone(),
                meta_salt: hex::encode(record.meta_salt),
                content: Some(record.content.clone()),
                content_salt: Some(hex::encode(record.content_salt)),
                content_commitment: None,
            },
            proof: proof.hashes.iter().map(|hash| hex::encode(hash.0)).collect(),
        });
        self
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
        let Self { origin, vkeys, successions, .. } = self;
        let (trust, successions) = shown_keys(origin, vkeys, successions, trust)?;
        let proof: TlogProof = self.proof.parse()?;
        if proof.index != self.index {
            return Err(EvidenceError::Index { index: self.index, proof: proof.index });
        }
        let entry: [u8; event::ENTRY_BYTES] = bytes_of("entry", &self.entry)?;
        let proven = check_entry(&entry, &proof, &self.origin, &trust)?;
        for succession in &successions {
            succession.check_inclusion(&proven.checkpoint)?;
        }
        let meta_salt = bytes_of("meta_salt", &self.record.meta_salt)?;
        let (content, content_withheld) = self.record.content_commitment()?;
        check_metadata(&proven.entry, self.record.meta.as_bytes(), &meta_salt, &content)?;
        let (entry, checkpoint) = (proven.entry, proven.checkpoint);
        let (index, level) = (proven.index, proven.level);
        let epochs = trust.epochs.as_ref().map(epochs::told).unwrap_or_default();
        Ok(ProvenRecord { index, entry, checkpoint, level, content_withheld, epochs })
    }
}

/// The trust of whoever checks, with the keys that a document shows, and how they took over.
pub(crate) fn shown_keys(
    origin: &str,
    vkeys: &[String],
    successions: &[EvidenceSuccession],
    trust: &Trust,
) -> Result<(Trust, Vec<ShownSuccession>), EvidenceError> {
    let mut trust = trust.clone();
    for key in vkeys {
        trust.embedded.push(key.parse()?);
    }
    let successions: Vec<ShownSuccession> =
        successions.iter().map(EvidenceSuccession::read).collect::<Result<_, _>>()?;
    if successions.is_empty() {
        return Ok((trust, successions));
    }
    let list = successions.iter().map(|it| (it.succession.record(), it.succession.clone()));
    match epochs::follow(origin, &trust.embedded, list.collect()) {
        (epochs, None) => trust.epochs = Some(epochs),
        (_, Some(error)) => return Err(EvidenceError::Succession(error.to_string())),
    }
    Ok((trust, successions))
}

/// A succession that its entry commits to.
pub(crate) struct ShownSuccession {
    succession: Succession,
    leaf: Hash,
    hashes: Vec<Hash>,
}

impl EvidenceSuccession {
    /// Reads it, and holds record and entry against each other.
    fn read(&self) -> Result<ShownSuccession, EvidenceError> {
        let wrong = |detail: String| EvidenceError::Succession(detail);
        let bytes: [u8; event::ENTRY_BYTES] = bytes_of("entry", &self.entry)?;
        let entry = Entry::decode(&bytes).map_err(|error| wrong(error.to_string()))?;
        if entry.kind != Kind::Log {
            return Err(wrong("its record is not the log's own".to_owned()));
        }
        let EvidenceRecord { meta, meta_salt, content, .. } = &self.record;
        let (commitment, _) = self.record.content_commitment()?;
        let salt = bytes_of("meta_salt", meta_salt)?;
        check_metadata(&entry, meta.as_bytes(), &salt, &commitment)
            .map_err(|error| wrong(error.to_string()))?;
        let content = content.as_deref().unwrap_or_default();
        let succession = epochs::announced(meta.as_bytes(), content.as_bytes())
            .map_err(|error| wrong(error.to_string()))?
            .ok_or_else(|| wrong("its record announces none".to_owned()))?;
        if self.proof.len() > MAX_PROOF_HASHES {
            return Err(wrong(format!("its proof has {} hashes", self.proof.len())));
        }
        let hashes = self.proof.iter().map(|hash| bytes_of("proof", hash).map(Hash));
        let hashes = hashes.collect::<Result<_, _>>()?;
        Ok(ShownSuccession { succession, leaf: leaf_hash(&bytes), hashes })
    }
}

impl ShownSuccession {
    /// Whether the record stands in the log where the statement says.
    pub(crate) fn check_inclusion(&self, checkpoint: &Checkpoint) -> Result<(), EvidenceError> {
        let Self { succession, leaf, hashes } = self;
        let (index, size) = (succession.record(), checkpoint.size);
        verify_inclusion(index, size, leaf, hashes, &checkpoint.root).map_err(|error| {
            EvidenceError::Succession(format!("record {index} is not in the log: {error}"))
        })
    }
}

impl EvidenceRecord {
    /// What is to be said of the signature that an agent made, if it made one. Whose key it is only
    /// the log says, or who gave it to the reader.
    fn signature_note(&self) -> Option<String> {
        let meta = self.meta.as_bytes();
        let content = match (&self.content, &self.content_commitment) {
            (Some(content), _) => Some(content.as_bytes()),
            (None, Some(_)) => None,
            (None, None) => Some(&b""[..]),
        };
        let event = event::Event::from_stored(meta, &[]).ok()?;
        let key = Signature::parse(event.signature.as_deref()?)?.key;
        let mut keys = AgentKeys::default();
        let agents = vec![event::ANY_AGENT.to_owned()];
        let (required, authority) = (false, 0);
        keys.note(0, AgentKeyMark::Registered { key, agents, required, authority });
        let standing = keys.judge(1, meta, content, &|key, statement, made| {
            checkpoint::verify_agent(key.as_bytes(), statement, made)
        });
        let said = match standing {
            Standing::Valid(_) if content.is_none() => "holds over the metadata",
            Standing::Valid(_) => "holds",
            Standing::ContentRedacted(_) => {
                "holds over the metadata; the log redacted the content afterwards"
            }
            Standing::Redacted(_) => {
                "cannot be checked any more, because the log redacted the metadata afterwards"
            }
            _ => "DOES NOT HOLD: this is not what was signed with that key",
        };
        Some(format!("the signature with the agent's key {} ({key}) {said}", key.id()))
    }

    /// The commitment to the content, and whether the content is withheld.
    pub(crate) fn content_commitment(&self) -> Result<([u8; 32], bool), EvidenceError> {
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
            report.epochs = proven.epochs;
            report.size = proven.checkpoint.size;
            report.root = proven.checkpoint.root.to_string();
            report.counts.add(RecordState::Present);
            if proven.content_withheld {
                report.note("the content is withheld; the metadata was checked");
            }
            if let Some(note) = evidence.record.signature_note() {
                report.note(note);
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
pub(crate) fn bytes_of<const N: usize>(
    field: &'static str,
    text: &str,
) -> Result<[u8; N], EvidenceError> {
    let mut bytes = [0; N];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if is_lower => Ok(bytes),
        _ => Err(EvidenceError::Hex { field, bytes: N }),
    }
}
