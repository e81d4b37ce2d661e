//! What is left to say of removals: the log announces them before anything goes, and says
//! `log.removed` when all of it is gone.
//!
//! A crash may come between the two. Which removals wait for their report is found in the journal:
//! a journal file with the announcement is not rolled before the report stands behind it.

use crate::error::SealError;
use crate::life;
use crate::writer::Writer;
use event::{Kind, Record, Removal};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Removals that were announced and not reported: the index of each, and of the record that
/// authorised it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unreported(BTreeMap<u64, u64>);

/// The stored content of a `log.removed` record.
#[derive(Deserialize)]
struct Report {
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    authority: u64,
}

impl Unreported {
    /// Takes a record of the log's own into account, in the order of the indexes. What does not
    /// read says nothing here: the ledger is where that is refused.
    pub(crate) fn note(&mut self, index: u64, record: &Record<'_>) {
        if record.kind != Kind::Log {
            return;
        }
        if let Ok(Some(removal)) = Removal::from_stored(record.meta, record.content) {
            self.0.insert(index, removal.authority);
        } else if life::is_removed(record.meta)
            && let Ok(report) = serde_json::from_slice::<Report>(record.content)
        {
            self.0.retain(|_, authority| *authority != report.params.authority);
        }
    }

    /// The index of the first removal that waits for its report.
    pub(crate) fn first(&self) -> Option<u64> {
        self.0.keys().next().copied()
    }
}

impl Writer {
    /// Whether the time has come to look whether there is something to say.
    pub(crate) fn owes_report(&self) -> bool {
        let holdings = &self.holdings;
        !holdings.unreported.0.is_empty()
            && holdings.undisclosed.is_empty()
            && self.poisoned.is_none()
    }

    /// Says `log.removed` for every removal of which nothing waits any more in any segment. Does
    /// nothing while the ledger is behind: the old files are still there then.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub(crate) fn report_removals(&mut self) -> Result<(), SealError> {
        if !self.owes_report() {
            return Ok(());
        }
        let holdings = &self.holdings;
        let unreported = &holdings.unreported.0;
        let catalogue = &holdings.catalogue;
        let current = catalogue.current();
        let waiting: BTreeSet<u64> = current
            .iter()
            .flat_map(|manifest| catalogue.pending(manifest))
            .filter_map(|(index, _)| unreported.get(&index).copied())
            .collect();
        let all: BTreeSet<u64> = unreported.values().copied().collect();
        let done: Vec<u64> = all.difference(&waiting).copied().collect();
        if done.is_empty() {
            return Ok(());
        }
        self.announcements.extend(done.into_iter().map(life::removed));
        self.commit(Vec::new()).map(|_| ())
    }
}
