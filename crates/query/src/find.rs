//! Finding the records of an answer in a [`Library`], reading as little of it as possible.
//!
//! Whole segments and row groups are left out by what their footers and guides say, pages by the
//! words they hold; then single columns pick rows, and only rows that are picked are read and
//! judged. The judge is the same [`Sieve`] that a scan of everything would ask, so nothing that is
//! left out here may be a record that it would take.
//!
//! | question | file |
//! |---|---|
//! | which rows may match? | `find/plan.rs`, `guide.rs` |
//! | which rows of the tail cannot match? | `find/tail.rs` |
//! | in which order are they read, and how many at a time? | `find/search.rs` |
//! | where does the next page begin? | `find/cursor.rs` |
//! | who was active in all of it? | `find/count.rs` |

mod count;
mod cursor;
mod plan;
mod search;
mod tail;

pub use count::activity;
pub use cursor::{Cursor, CursorError};
pub(crate) use tail::{Sketches, Wanted};

use crate::filter::Filter;
use crate::found::Found;
use crate::guide::Topic;
use crate::library::Library;
use segment::SegmentError;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// A segment cannot be read.
    #[error("{path}: {source}")]
    Segment {
        /// Its path.
        path: String,
        /// Why.
        source: SegmentError,
    },
    /// The page asked for is not one of this answer.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

/// One page of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records, in the order asked for; at most as many as the filter's limit.
    pub found: Vec<Found<'static>>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
    /// Records that may belong to the answer and whose bytes are not an event.
    pub unreadable: u64,
    /// The first of them that was met.
    pub first_unreadable: Option<u64>,
}

/// What a search meets.
pub(crate) enum Met<'r> {
    /// A record of the answer.
    Found(Found<'r>),
    /// One that may be, and whose bytes are not an event.
    Unreadable(u64),
}

/// The records that a filter picks, in its order and at most its limit, beginning where `cursor`
/// says. Pages are of one checkpoint: the library must be of the size that the cursor names.
///
/// # Errors
/// [`FindError::Segment`] when a segment that may hold records of the answer cannot be read;
/// [`FindError::Cursor`].
pub fn find(
    library: &Library,
    filter: &Filter,
    cursor: Option<&Cursor>,
) -> Result<Page, FindError> {
    let bound = cursor.map(|cursor| cursor.check(library.as_of().size, filter)).transpose()?;
    let limit = filter.limit.unwrap_or(usize::MAX);
    let mut page = Page::default();
    if limit == 0 {
        return Ok(page);
    }
    search::search(library, filter, bound, &mut |met| {
        match met {
            Met::Found(found) if page.found.len() == limit => {
                page.next = Some(Cursor::new(library.as_of().size, filter, found.index));
                return ControlFlow::Break(());
            }
            Met::Found(found) => page.found.push(found.to_owned()),
            Met::Unreadable(index) => {
                page.unreadable += 1;
                page.first_unreadable.get_or_insert(index);
            }
        }
        ControlFlow::Continue(())
    })?;
    library.trim();
    Ok(page)
}

/// The same for answers of any length: hands every record to `each` as it is found, until it has
/// enough. Returns how many records may belong to the answer and are not events, and the first of
/// them.
///
/// # Errors
/// [`FindError::Segment`].
pub fn find_each(
    library: &Library,
    filter: &Filter,
    each: &mut dyn FnMut(&Found<'_>) -> ControlFlow<()>,
) -> Result<(u64, Option<u64>), FindError> {
    let mut left = filter.limit.unwrap_or(usize::MAX);
    let (mut unreadable, mut first) = (0, None);
    if left == 0 {
        return Ok((0, None));
    }
    search::search(library, filter, None, &mut |met| match met {
        Met::Found(found) => {
            left -= 1;
            let flow = each(&found);
            if left == 0 { ControlFlow::Break(()) } else { flow }
        }
        Met::Unreadable(index) => {
            unreadable += 1;
            first.get_or_insert(index);
            ControlFlow::Continue(())
        }
    })?;
    library.trim();
    Ok((unreadable, first))
}

/// Sees to it that the guides a question needs are at hand; reads segments whose guides were never
/// made, which may take a second for every 100,000 records. `progress` is told, from several
/// threads, how many rows were read and how many there are in all.
///
/// # Errors
/// [`FindError::Segment`].
pub fn prepare(
    library: &Library,
    filter: &Filter,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<(), FindError> {
    let topics = plan::topics(filter);
    let jobs: Vec<_> = topics
        .into_iter()
        .flat_map(|topic| library.volumes().iter().map(move |volume| (topic, volume)))
        .filter(|(topic, volume)| plan::is_of_tier(filter, volume) && !volume.has_guide(*topic))
        .collect();
    let total = jobs.iter().map(|(_, volume)| volume.manifest().rows).sum();
    let done = AtomicU64::new(0);
    let work = |(topic, volume): &(Topic, &crate::Volume)| {
        volume.prepare(*topic, library.cache(), &|rows| {
            progress(done.fetch_add(rows, Ordering::Relaxed) + rows, total);
        })
    };
    for (outcome, (_, volume)) in search::parallel(&jobs, work).into_iter().zip(&jobs) {
        outcome.map_err(|source| FindError::Segment { path: volume.manifest().path(), source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
