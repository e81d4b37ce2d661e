//! Picking records in bounded memory: the first or the newest so many that match.

use crate::filter::{Filter, Sieve};
use crate::found::Found;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The records, in the order asked for.
    pub found: Vec<Found<'static>>,
    /// Records looked at.
    pub scanned: u64,
    /// Records that matched, those beyond the limit included as far as the scan went.
    pub matched: u64,
    /// Records that may match and whose bytes could not be read.
    pub unreadable: u64,
    /// The first of them.
    pub first_unreadable: Option<u64>,
}

/// Takes records in the order of their index and keeps those that the answer needs.
pub struct Selector<'f> {
    sieve: Sieve<'f>,
    limit: usize,
    newest_first: bool,
    kept: VecDeque<Found<'static>>,
    selection: Selection,
}

impl<'f> Selector<'f> {
    /// Prepares the question.
    #[must_use]
    pub fn new(filter: &'f Filter) -> Self {
        Self {
            sieve: Sieve::new(filter),
            limit: filter.limit.unwrap_or(usize::MAX),
            newest_first: filter.newest_first,
            kept: VecDeque::new(),
            selection: Selection::default(),
        }
    }

    /// Looks at the next record, and copies it if it belongs to the answer. `Break` says that no
    /// later record can.
    pub fn offer(&mut self, found: &Found<'_>) -> ControlFlow<()> {
        self.selection.scanned += 1;
        match self.sieve.accepts(found) {
            Ok(false) => return ControlFlow::Continue(()),
            Ok(true) => {}
            Err(_) => {
                self.selection.unreadable += 1;
                self.selection.first_unreadable.get_or_insert(found.index);
                return ControlFlow::Continue(());
            }
        }
        self.selection.matched += 1;
        if self.limit > 0 && (self.newest_first || self.kept.len() < self.limit) {
            if self.kept.len() >= self.limit {
                self.kept.pop_front();
            }
            self.kept.push_back(found.to_owned());
        }
        if !self.newest_first && self.kept.len() >= self.limit {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// The answer.
    #[must_use]
    pub fn finish(self) -> Selection {
        let mut found = Vec::from(self.kept);
        if self.newest_first {
            found.reverse();
        }
        Selection { found, ..self.selection }
    }
}

/// Picks from records that come in the order of their index.
#[must_use]
pub fn select<'a>(records: impl IntoIterator<Item = Found<'a>>, filter: &Filter) -> Selection {
    let mut selector = Selector::new(filter);
    for found in records {
        if selector.offer(&found).is_break() {
            break;
        }
    }
    selector.finish()
}
