//! An incident report: an examination as a paper that is handed over, filed and signed.
//!
//! What failed and why is said once, by [`crate::forensics`]. Beside it stands what people ask who
//! were not there: what it cost and whom it hit, who was involved, the proof of every event that it
//! rests on, and lines to sign on. Not here: reading records and making proofs (`query`,
//! `reading`), which whoever asks hands in.
//!
//! | question | file |
//! |---|---|
//! | what did it cost, whom did it hit? | `incident/impact.rs` |
//! | who was involved, who decided? | `incident/people.rs` |
//! | how is it said? | `incident/page.rs` |

mod impact;
mod page;
mod people;

pub use impact::{Impact, Money, Part};
pub use page::document;
pub use people::{Decision, Person};

use crate::forensics::{Forensics, facts};
use query::{Found, Trace};
use serde::Serialize;

/// Events that are proved: a report that rests on more names the others.
pub const PROOFS_MAX: usize = 50;

/// The proof of an event that the report rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The event's index.
    pub index: u64,
    /// The way from its leaf to the signed checkpoint, as a C2SP tlog-proof.
    pub tlog_proof: String,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    /// `incident`.
    pub report: &'static str,
    /// What happened, and why.
    #[serde(flatten)]
    pub forensics: Forensics,
    /// What it cost, and whom it hit.
    pub impact: Impact,
    /// Who was involved.
    pub people: Vec<Person>,
    /// What people decided.
    pub decisions: Vec<Decision>,
    /// Proofs of the events in `evidence`, as far as they were made.
    pub proofs: Vec<Proof>,
}

impl Incident {
    /// The report of an examination. `found` are the records that the trace was assembled of.
    #[must_use]
    pub fn of(forensics: Forensics, trace: &Trace, found: &[Found<'_>]) -> Self {
        let facts = facts::of_trace(trace, found);
        Self {
            report: "incident",
            impact: Impact::of(&forensics, trace, &facts),
            people: people::involved(trace, found),
            decisions: people::decisions(trace, found, &facts),
            forensics,
            proofs: Vec::new(),
        }
    }

    /// Proves the events that it rests on; `prove` makes the tlog-proof of an index.
    ///
    /// # Errors
    /// The first one of `prove`.
    pub fn prove<E>(&mut self, mut prove: impl FnMut(u64) -> Result<String, E>) -> Result<(), E> {
        for event in self.forensics.evidence.iter().take(PROOFS_MAX) {
            let index = event.index;
            self.proofs.push(Proof { index, tlog_proof: prove(index)? });
        }
        Ok(())
    }
}
