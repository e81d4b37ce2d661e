//! How an answer's incompleteness is told: a warning for people, and the exit code.
//!
//! Not here: finding the records of an answer (`reading`).

use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::{DOUBTFUL, Progress, Terminal, plain, styled};
use reading::answer::Unreadable;
use reading::search::Watch;
use std::sync::{Mutex, PoisonError};

/// An answer that may lack records.
pub(crate) trait Conclude {
    /// Says so, if there are any, and returns the exit code of the answer: one that may lack
    /// records has failed, whatever else it holds.
    fn conclude(&self, context: &Context) -> Exit;
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

/// A progress bar while guides are made.
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
