//! The records beside the entries: what the source has at every index, one index at a time.
//!
//! Not here: whether a record matches (`record.rs` of the crate), and what follows from it
//! (`walk.rs`).

use super::source::{Found, Records};
use crate::kept::Kept;
use crate::report::{FindingKind, RecordState, Report};
use event::Record;

/// A source of records with the run of records that its last find answered for.
pub(super) struct Reconciler<'r> {
    source: &'r mut dyn Records,
    run: Option<Run>,
    ended: bool,
}

/// Records that are not there, with the reason.
struct Run {
    state: RecordState,
    left: u64,
    file: String,
    detail: String,
}

/// What there is at one index.
pub(super) enum Step<'a> {
    /// A record, not yet checked.
    Record {
        /// Its file.
        file: &'a str,
        /// The previous leaf hash at the head of its frame.
        previous: Option<[u8; 32]>,
        /// Whether a hold keeps it.
        held: bool,
        /// Itself.
        record: Record<'a>,
    },
    /// A record without its place in a stream, not yet checked.
    Kept {
        /// Its file.
        file: &'a str,
        /// Whether a hold keeps it.
        held: bool,
        /// Itself.
        kept: Kept<'a>,
    },
    /// No record: [`RecordState::Missing`] or [`RecordState::Corrupt`], unless somebody allowed it.
    Gone(RecordState),
    /// No record, here or later.
    End,
}

impl<'r> Reconciler<'r> {
    pub(super) fn new(source: &'r mut dyn Records) -> Self {
        Self { source, run: None, ended: false }
    }

    /// What there is at `index`.
    #[inline]
    pub(super) fn step(&mut self, index: u64) -> Step<'_> {
        if let Some(run) = &mut self.run
            && run.left > 0
        {
            run.left -= 1;
            return Step::Gone(run.state);
        }
        if self.ended {
            return Step::End;
        }
        let run = match self.source.at(index) {
            Found::Record { file, previous, held, record } => {
                return Step::Record { file, previous, held, record };
            }
            Found::Kept { file, held, kept } => return Step::Kept { file, held, kept },
            Found::End => {
                self.ended = true;
                return Step::End;
            }
            Found::Damaged { count, file, detail } => {
                Run::new(RecordState::Corrupt, count, file, detail.into_owned())
            }
            Found::Missing { count, file } => {
                Run::new(RecordState::Missing, count, file, GONE.to_owned())
            }
        };
        let state = run.state;
        self.run = Some(run);
        Step::Gone(state)
    }

    /// Reports the record at `index`, for which [`Step::Gone`] came last.
    #[cold]
    pub(super) fn tell(&self, index: u64, report: &mut Report) {
        let Some(run) = &self.run else { return };
        let kind = match run.state {
            RecordState::Corrupt => FindingKind::Corrupt,
            _ => FindingKind::Missing,
        };
        report.add_record(kind, index, &run.file, || run.detail.clone());
    }
}

/// Why a record is not there, when nobody can say better.
pub(super) const GONE: &str = "the log committed to this record, and it is gone";

impl Run {
    /// A run of `count` records, of which the first is about to be told.
    fn new(state: RecordState, count: u64, file: &str, detail: String) -> Self {
        Self { state, left: count.saturating_sub(1), file: file.to_owned(), detail }
    }
}
