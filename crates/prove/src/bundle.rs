//! A bundle: the evidence for a whole session, trace or task as one document, with a statement
//! that nothing was left out and with figures that are counted again from the records.
//!
//! Every record stands with its entry and proof under one checkpoint, as in an evidence document
//! (`evidence.rs`). The text of a bundle has one spelling: whatever byte of it changes, something
//! in it no longer holds, or it is not how a bundle is written. The same text stands in every
//! form in which a bundle is handed over (`report::bundle`).
//!
//! | question | file |
//! |---|---|
//! | does the bundle hold? which part does not? | `bundle/check.rs` |
//! | are these all records of the streams? | `bundle/complete.rs` |
//! | what do the records add up to? | `bundle/figures.rs` |
//! | what is shown of it in a browser? | `bundle/page.rs` |

mod check;
mod complete;
mod figures;
mod page;

pub use check::{CheckedBundle, CheckedRecord, FigureFault, Holds, verify_bundle};
pub use complete::{Completeness, Extent};
pub use figures::{AgentFigures, Figures, TokenFigures, ToolFigures};
pub use page::{check_page, fingerprint};

use crate::evidence::{EvidenceRecord, EvidenceSuccession};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checkpoint::TlogProof;
use event::Event;
use merkle::Hash;
use serde::{Deserialize, Serialize};

/// The name of the document's format.
pub const BUNDLE_FORMAT: &str = "tachograph.bundle/1";

/// How every bundle begins: what tells it from an evidence document.
pub const BUNDLE_START: &str = "{\"format\":\"tachograph.bundle/";

/// The longest bundle that is read, in bytes: a browser holds it several times.
pub const BUNDLE_BYTES_MAX: usize = 96 << 20;

/// Records in one bundle: more than anybody reads, and checked within seconds.
pub const BUNDLE_RECORDS_MAX: usize = 20_000;

/// Public entries that a bundle shows beside its records, to prove that no more of them followed:
/// 6.5 MiB.
pub const REST_ENTRIES_MAX: usize = 65_536;

/// The evidence for everything that belongs to one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`BUNDLE_FORMAT`].
    pub format: String,
    /// The log.
    pub origin: String,
    /// What it is about.
    pub subject: Subject,
    /// The log's first verifier keys, not to be trusted for being here.
    pub vkeys: Vec<String>,
    /// How later keys took over from them, up to those that signed the checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<EvidenceSuccession>,
    /// The signed checkpoint that everything is proved against.
    pub checkpoint: String,
    /// What the records add up to.
    pub figures: Figures,
    /// The records, in the order of the log.
    pub records: Vec<BundleRecord>,
    /// The streams of which these are all records, in hexadecimal; empty when nothing is said.
    pub streams: Vec<String>,
    /// Public entries after the last records of these streams.
    pub rest: Vec<Rest>,
}

/// What a bundle is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What `id` is the id of.
    pub kind: SubjectKind,
    /// The id; of an event without one, `#` and its index.
    pub id: String,
}

/// What a bundle can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// All events of a session.
    Session,
    /// All events of a trace.
    Trace,
    /// All events of a task.
    Task,
    /// One event.
    Event,
}

/// A record of a bundle with its proof. Salts and hashes are in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleRecord {
    /// The index of the record.
    pub index: u64,
    /// The entry, in hexadecimal.
    pub entry: String,
    /// The hashes of the inclusion proof, the leaf's sibling first.
    pub proof: Vec<String>,
    /// The record, when it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<EvidenceRecord>,
    /// Why it is not shown, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absent>,
}

/// Why a record of a stream is not shown. Nothing proves it: whoever made the bundle says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Absent {
    /// It belongs to another trace or task of the same session.
    Other,
    /// It was erased, or its time was over.
    Removed,
}

/// Public entries that stand in the log one after the other, proved together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// The index of the first.
    pub first: u64,
    /// The entries, 104 bytes each, in base64.
    pub entries: String,
    /// The hashes of what is beside them in the tree, from left to right, in hexadecimal.
    pub proof: Vec<String>,
}

impl Rest {
    /// The bytes of entries, as they stand in a bundle.
    #[must_use]
    pub fn text(entries: &[u8]) -> String {
        STANDARD.encode(entries)
    }
}

impl SubjectKind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Trace => "trace",
            Self::Task => "task",
            Self::Event => "event",
        }
    }
}

impl Subject {
    /// Whether an event at an index belongs to it.
    #[must_use]
    pub fn covers(&self, index: u64, event: &Event<'_>) -> bool {
        let named = match self.kind {
            SubjectKind::Session => event.session_id.as_deref(),
            SubjectKind::Trace => event.trace_id.as_deref(),
            SubjectKind::Task => event.task_id.as_deref(),
            SubjectKind::Event => match event.event_id.as_deref() {
                Some(id) => Some(id),
                None => return self.id == format!("#{index}"),
            },
        };
        named == Some(self.id.as_str())
    }
}

impl Bundle {
    /// The text, which has one spelling: one line, without what HTML would obey.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A structure of plain texts and numbers has no way to fail.
        let plain = serde_json::to_string(self).unwrap_or_default();
        let mut out = String::with_capacity(plain.len() + plain.len() / 64);
        // These characters stand in strings only.
        for letter in plain.chars() {
            match letter {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{7f}' | '\u{feff}' => {
                    out.push_str(&format!("\\u{:04x}", letter as u32));
                }
                _ => out.push(letter),
            }
        }
        out
    }

    /// The proof of each of its entries as a C2SP `tlog-proof`, for any other verifier.
    #[must_use]
    pub fn tlog_proofs(&self) -> Vec<(u64, String)> {
        let proof = |record: &BundleRecord| {
            let hash = |text: &String| {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).ok().map(|()| Hash(bytes))
            };
            let hashes = record.proof.iter().map(hash).collect::<Option<Vec<Hash>>>()?;
            let (index, checkpoint) = (record.index, self.checkpoint.clone());
            Some((index, TlogProof { extra: None, index, hashes, checkpoint }.to_string()))
        };
        self.records.iter().filter_map(proof).collect()
    }
}
