//! What every answer about a log shares: the checkpoint that it is true for, one pass over the
//! records, and how it says that some of them could not be read.
//!
//! Which records belong to an answer is `query`'s to say; how they are found on disk is
//! `reading`'s.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::reading::{Item, Reading};
use crate::terminal::{DOUBTFUL, plain, styled};
use prove::Kept;
use query::{AsOf, Found, State};
use std::ops::ControlFlow;

/// The checkpoint that an answer names.
pub(crate) fn as_of(reading: &Reading) -> AsOf {
    let checkpoint = reading.checkpoint();
    AsOf {
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root_hex: hex::encode(checkpoint.root.as_bytes()),
    }
}

/// The checkpoint in one line, for where the answer itself cannot name it.
pub(crate) fn sentence(as_of: &AsOf) -> String {
    format!(
        "as of {}, {} entries, root {}",
        query::escape::escape(&as_of.origin),
        as_of.size,
        as_of.root_hex
    )
}

/// A record as a question sees it.
pub(crate) fn found<'r>(index: u64, record: &Kept<'r>) -> Found<'r> {
    let state = match record.is_content_erased() {
        true => State::ContentErased,
        false => State::Present,
    };
    Found {
        index,
        recorded_at_ms: record.time_ms,
        tier: record.tier,
        kind: record.kind,
        leaf_hash: None,
        state,
        meta: record.meta.into(),
        content: record.content.bytes().into(),
    }
}

/// Records that belong to a pass and could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unreadable {
    count: u64,
    /// The index of the first, and what is wrong with it.
    first: Option<(u64, String)>,
}

/// Hands every record from `first` on to `each`, until it says that it has enough.
pub(crate) fn scan(
    reading: &Reading,
    first: u64,
    each: &mut dyn FnMut(&Found<'_>) -> Result<ControlFlow<()>, Failure>,
) -> Result<Unreadable, Failure> {
    let mut unreadable = Unreadable::default();
    let mut records = reading.records(first)?;
    while let Some(item) = records.next() {
        match item {
            Item::Record { index, record } => {
                if each(&found(index, &record))?.is_break() {
                    break;
                }
            }
            Item::Unreadable { index, count, detail } => unreadable.add(index, count, &detail),
        }
    }
    Ok(unreadable)
}

impl Unreadable {
    /// Notes records whose stored bytes are not what the log writes.
    pub(crate) fn add(&mut self, index: u64, count: u64, detail: &str) {
        self.count = self.count.saturating_add(count);
        self.first.get_or_insert_with(|| (index, detail.to_owned()));
    }

    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Both together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.into_iter().chain(other.first).min();
        self
    }

    /// Says so, if there are any, and returns the exit code of the answer: one that may lack
    /// records has failed, whatever else it holds.
    pub(crate) fn conclude(&self, context: &Context) -> Exit {
        let Some((index, detail)) = &self.first else { return Exit::Fine };
        let records = if self.count == 1 { "record" } else { "records" };
        context.terminal.note(format!(
            "{}: the answer may lack {} {records} that cannot be read, from #{index} on ({}); \
             run `tacho verify`",
            styled(DOUBTFUL, "warning"),
            self.count,
            plain(detail),
        ));
        Exit::Failed
    }
}
