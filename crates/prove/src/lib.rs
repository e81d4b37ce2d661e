//! Evidence: built, and checked offline with a public key alone.
//!
//! The only checker of the product: whatever says that a log, a record or a proof is in order says
//! so because a function of this crate returned it. Pure, so that the same code runs in the
//! command, the browser and Python: no I/O, clock, randomness or keys to decrypt with. The hashes
//! and proofs themselves are next door in `merkle`, signatures in `checkpoint`, bytes in `event`.
//!
//! | question | file |
//! |---|---|
//! | is this whole log in order? | `log.rs` |
//! | is this the record that the entry commits to? | `record.rs`, `kept.rs` |
//! | is this entry in the log? did the log only grow? | `proof.rs` |
//! | do these entries follow from each other? | `chain.rs` |
//! | are these all records of a stream? | `stream.rs` |
//! | does this document prove its record? | `evidence.rs` |
//! | does this bundle hold, and is it complete? | `bundle.rs` |
//! | which records of a damaged frame were altered? | `forensic.rs` |
//! | whose signature counts? | `trust.rs` |
//! | which keys took over from which? | `epochs.rs` |
//! | what was found? | `report.rs` |
//!
//! ```
//! use checkpoint::{Algorithm, Checkpoint, SigningKey, sign_checkpoint};
//! use prove::{Trust, Verdict, verify_log};
//! use std::collections::BTreeMap;
//!
//! let key = SigningKey::from_seed("log.example", Algorithm::Ed25519, &[7; 32])?;
//! let empty = Checkpoint::new("log.example", 0, merkle::Hash::EMPTY_ROOT)?;
//! let note = sign_checkpoint(&empty, &[&key])?;
//! let mut files = BTreeMap::from([("checkpoint".to_owned(), note.into_bytes())]);
//!
//! let trust = Trust::pin(key.verifier_key().clone());
//! let report = verify_log(&mut files, None, "log.example", &trust, None, &mut |_| {});
//! assert_eq!(report.verdict(), Verdict::Ok);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundle;
mod chain;
mod epochs;
mod evidence;
mod forensic;
mod kept;
mod log;
mod proof;
mod record;
mod report;
mod stream;
mod trust;

pub use bundle::{
    Absent, AgentFigures, BUNDLE_BYTES_MAX, BUNDLE_FORMAT, BUNDLE_RECORDS_MAX, BUNDLE_START,
    Bundle, BundleRecord, CheckedBundle, CheckedRecord, Completeness, Extent, FigureFault, Figures,
    Holds, REST_ENTRIES_MAX, Rest, Subject, SubjectKind, TokenFigures, ToolFigures, check_page,
    fingerprint, verify_bundle,
};
pub use chain::{ChainBreak, ChainEnd, check_chain};
pub use evidence::{
    EVIDENCE_BYTES_MAX, EVIDENCE_FORMAT, Evidence, EvidenceError, EvidenceRecord,
    EvidenceSuccession, ProvenRecord, verify_evidence,
};
pub use forensic::{Damage, which_records_changed};
pub use kept::{Kept, KeptContent};
pub use log::{ChainState, Found, Progress, PublicLog, ReadError, Records, Since, verify_log};
pub use proof::{
    EntryProofError, GrowthError, ProveError, ProvenEntry, ProvenGrowth, check_entry, check_growth,
    prove_entry,
};
pub use record::{RecordMismatch, check_kept, check_metadata, check_record};
pub use report::{
    Counts, FINDINGS_MAX, Finding, FindingKind, KeyEpoch, Level, RecordState, RemovedBy, Report,
    SignatureCounts, Verdict,
};
pub use stream::{StreamCheck, StreamGap, check_stream};
pub use trust::{NOT_PINNED, Trust, TrustError};
