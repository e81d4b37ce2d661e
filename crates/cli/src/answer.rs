//! How an answer's incompleteness is told: a warning for people, and the exit code.
//!
//! Not here: finding the records of an answer (`reading`).

use crate::backup;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_source;
use crate::source::{Place, Source};
use crate::terminal::{DOUBTFUL, Progress, Terminal, plain, styled};
use reading::answer::Unreadable;
use reading::search::Watch;
use reading::verify::{Options, verify};
use std::sync::{Mutex, PoisonError};

/// An answer that may lack records.
pub(crate) trait Conclude {
    /// Says so, if there are any, and returns the exit code of the answer: one that may lack
    /// records has failed, whatever else it holds.
    fn conclude(&self, context: &Context) -> Exit;

    /// The same after the answer was printed: what it may lack counts, also when nobody reads it to
    /// its end (`tacho events | head -1`).
    fn conclude_after(
        &self,
        printed: Result<(), Failure>,
        context: &Context,
    ) -> Result<Exit, Failure> {
        Failure::unless_nobody_reads(printed)?;
        Ok(self.conclude(context))
    }
}

impl Conclude for Unreadable {
    fn conclude(&self, context: &Context) -> Exit {
        let Some((index, detail)) = self.first() else { return Exit::Fine };
        let records = if self.count() == 1 { "record" } else { "records" };
        context.terminal.note(format!(
            "{}: the answer may lack {} {records} that cannot be read, from #{index} on ({}); \
             run `tacho verify`",
            styled(DOUBTFUL, "warning"),
            self.count(),
            plain(detail),
        ));
        Exit::Failed
    }
}

/// What of a log cannot be read, if anything: as `tacho verify` names it where the folder is here.
/// An answer knows the frame that a record is in, and verifying finds the record.
pub(crate) fn damage(
    context: &Context,
    source: &Source,
    unreadable: &Unreadable,
) -> Option<String> {
    let (index, detail) = unreadable.first()?;
    if let Place::Folder(view) = source.place() {
        let (log, options) = (view.reading().log(), Options::default());
        let kek = key_source::kek_of(&context.global.key, &*log.folder).ok().flatten();
        let mut progress = context.terminal.progress("entries checked");
        let report =
            verify(&log.folder, kek.as_ref(), &options, &mut |it| progress.at(it.done, it.total));
        progress.finish();
        let is_of_records = |it: &&prove::Finding| it.kind.is_failure() && it.index.is_some();
        if report.findings().iter().any(|it| is_of_records(&it)) {
            return Some(backup::first_of_records(&report));
        }
    }
    let records = if unreadable.count() == 1 { "record" } else { "records" };
    let count = unreadable.count();
    Some(format!("{count} {records} from {index} on ({})", plain(detail)))
}

/// A progress bar while guides are made, or records counted.
pub(crate) struct Bar(Mutex<Option<Progress>>);

impl Bar {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self(Mutex::new(Some(terminal.progress("records"))))
    }
}

impl Watch for Bar {
    fn at(&self, done: u64, total: u64) {
        if let Some(bar) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.at(done, total);
        }
    }

    fn finish(&self) {
        if let Some(bar) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish();
        }
    }
}
