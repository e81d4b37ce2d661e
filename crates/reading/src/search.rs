//! Answers that need not read the whole log: asked of a library where there is one, and otherwise
//! of every record in turn, which finds the same and says where the log is damaged.

use crate::answer::{self, Each, Unreadable};
use crate::error::ReadError;
use crate::reading::Reading;
use crate::view::View;
use event::Event;
use merkle::TileReader;
use query::{Activity, AsOf, By, Cursor, Filter, FindError, Found, Library, Selector, Sieve};
use std::ops::ControlFlow;

/// One page of an answer.
pub struct Page {
    /// The checkpoint that it is true for.
    pub as_of: AsOf,
    /// The records, in the order asked for.
    pub found: Vec<Found<'static>>,
    /// Where the next one begins.
    pub next: Option<Cursor>,
    /// Records that may belong to it and could not be read.
    pub unreadable: Unreadable,
}

/// Whoever watches while guides are made, which takes a second for every 100,000 records that none
/// was made for.
pub trait Watch: Sync {
    /// So many rows were read, of so many in all. Called by several threads.
    fn at(&self, done: u64, total: u64);

    /// Everything is at hand. Called once, before the first record is handed out.
    fn finish(&self) {}
}

/// Nobody watches.
impl Watch for () {
    fn at(&self, _: u64, _: u64) {}
}

const NO_EVENT: &str = "its bytes are not an event of this version";

impl View {
    /// The records of a question, from `cursor` on.
    ///
    /// # Errors
    /// When the cursor is of another question or log, or the log cannot be read.
    pub fn page(
        &self,
        filter: &Filter,
        cursor: Option<&Cursor>,
        watch: &dyn Watch,
    ) -> Result<Page, ReadError> {
        let as_of = match cursor {
            Some(cursor) => earlier(self.reading(), cursor.size())?,
            None => self.as_of().clone(),
        };
        // Opening the log for the newest records alone costs more than reading them.
        let is_worth_it = self.has_library() || !is_at_the_end(filter, cursor);
        if is_worth_it && let Some(library) = self.library()? {
            match ask(&library, &as_of, filter, cursor, watch) {
                Ok(page) => return Ok(page),
                Err(FindError::Cursor(error)) => return Err(ReadError::usage(error.to_string())),
                // Reading on behind the damage, and saying where it is, takes a scan.
                Err(FindError::Segment { .. }) => {}
            }
        }
        scan(self.reading(), as_of, filter, cursor)
    }

    /// All records of a question, oldest first, as they are found.
    ///
    /// # Errors
    /// What `each` says, or when the log cannot be read.
    pub fn each<E: From<ReadError>>(
        &self,
        filter: &Filter,
        watch: &dyn Watch,
        each: Each<'_, E>,
    ) -> Result<Unreadable, E> {
        let (mut next, mut failure, mut bad) = (0, None, Unreadable::default());
        if let Some(library) = self.library()? {
            let outcome = prepare(&library, filter, watch).and_then(|()| {
                query::find_each(&library, filter, &mut |found| {
                    next = found.index + 1;
                    each(found).unwrap_or_else(|error| {
                        failure = Some(error);
                        ControlFlow::Break(())
                    })
                })
            });
            match (outcome, failure) {
                (_, Some(failure)) => return Err(failure),
                (Ok((count, first)), None) => {
                    first.into_iter().for_each(|index| bad.add(index, count, NO_EVENT));
                    return Ok(bad);
                }
                (Err(_), None) => {}
            }
        }
        let sieve = Sieve::new(filter);
        let unreadable =
            answer::scan(self.reading(), next, &mut |found| match sieve.accepts(found) {
                Ok(true) => each(found),
                Ok(false) => Ok(ControlFlow::Continue(())),
                Err(_) => {
                    bad.add(found.index, 1, NO_EVENT);
                    Ok(ControlFlow::Continue(()))
                }
            })?;
        Ok(unreadable.and(bad))
    }

    /// Who was active: counted from metadata alone where that can be done, and otherwise from every
    /// record in turn.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn activity(&self, by: By) -> Result<(Activity, Unreadable), ReadError> {
        if let Some(library) = self.library()?
            && let Ok(Some(activity)) = query::activity(&library, by)
        {
            return Ok((activity, Unreadable::default()));
        }
        // Reading on behind damage, and saying where it is, takes a scan.
        let mut activity = Activity::new(by);
        let unreadable = answer::scan::<ReadError>(self.reading(), 0, &mut |found| {
            if let Ok(event) = Event::from_stored(&found.meta, &[]) {
                activity.offer(found, &event);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((activity, unreadable))
    }
}

/// The checkpoint that a log had when it was of this size: its root follows from the tree of today.
fn earlier(reading: &Reading, size: u64) -> Result<AsOf, ReadError> {
    let as_of = answer::as_of(reading);
    if size == as_of.size {
        return Ok(as_of);
    }
    if size > as_of.size {
        return Err(ReadError::usage(format!(
            "the cursor is of {size} records, and this log has {}; is it of another log?",
            as_of.size
        )));
    }
    let folder = &*reading.log().folder;
    let tiles = |tile: merkle::TileCoordinate| folder.read(&tile.path());
    let root = merkle::tree_root(&TileReader::new(tiles, as_of.size), size).map_err(|error| {
        ReadError::new(format!("the tree cannot be read: {error}; run `tacho verify`"))
    })?;
    Ok(AsOf { size, root_hex: hex::encode(root.as_bytes()), ..as_of })
}

/// Whether only the newest records are asked for: they stand at the end of the journal, and nothing
/// need be looked for.
fn is_at_the_end(filter: &Filter, cursor: Option<&Cursor>) -> bool {
    let all = Filter { limit: filter.limit, newest_first: true, ..Filter::default() };
    cursor.is_none() && filter.limit.is_some() && *filter == all
}

fn prepare(library: &Library, filter: &Filter, watch: &dyn Watch) -> Result<(), FindError> {
    let outcome = query::prepare(library, filter, &|done, total| watch.at(done, total));
    watch.finish();
    outcome
}

fn ask(
    library: &Library,
    as_of: &AsOf,
    filter: &Filter,
    cursor: Option<&Cursor>,
    watch: &dyn Watch,
) -> Result<Page, FindError> {
    let earlier = (library.as_of() != as_of).then(|| library.at(as_of.clone()));
    let library = earlier.as_ref().unwrap_or(library);
    prepare(library, filter, watch)?;
    let page = query::find(library, filter, cursor)?;
    let mut unreadable = Unreadable::default();
    if let Some(index) = page.first_unreadable {
        unreadable.add(index, page.unreadable, NO_EVENT);
    }
    let as_of = library.as_of().clone();
    Ok(Page { as_of, found: page.found, next: page.next, unreadable })
}

/// The same from every record in turn.
fn scan(
    reading: &Reading,
    as_of: AsOf,
    filter: &Filter,
    cursor: Option<&Cursor>,
) -> Result<Page, ReadError> {
    let bound = cursor.map(|cursor| cursor.check(as_of.size, filter)).transpose();
    let bound = bound.map_err(|error| ReadError::usage(error.to_string()))?;
    // One more than asked for tells whether there is more.
    let limit = filter.limit.map(|limit| limit.saturating_add(usize::from(limit > 0)));
    let more = Filter { limit, ..filter.clone() };
    let (first, end) = match (filter.newest_first, bound) {
        (true, Some(bound)) => (0, bound.saturating_add(1)),
        (false, Some(bound)) => (bound, as_of.size),
        (_, None) if is_at_the_end(filter, cursor) => {
            (as_of.size.saturating_sub(limit.unwrap_or(0) as u64), as_of.size)
        }
        (_, None) => (0, as_of.size),
    };
    let mut selector = Selector::new(&more);
    let mut unreadable =
        answer::scan::<ReadError>(reading, first, &mut |found| match found.index < end {
            true => Ok(selector.offer(found)),
            false => Ok(ControlFlow::Break(())),
        })?;
    let selection = selector.finish();
    if let Some(index) = selection.first_unreadable {
        unreadable.add(index, selection.unreadable, NO_EVENT);
    }
    let mut found = selection.found;
    let beyond = filter.limit.filter(|limit| found.len() > *limit);
    let next = beyond.and_then(|limit| found.get(limit));
    let next = next.map(|next| Cursor::new(as_of.size, filter, next.index));
    found.truncate(filter.limit.unwrap_or(usize::MAX));
    Ok(Page { as_of, found, next, unreadable })
}
