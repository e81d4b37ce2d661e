//! One pass over what may match, in the order of the indexes, or against it.
//!
//! Row groups of different tiers overlap. Each is looked at when its first record may come next:
//! columns pick rows, which wait, by index, until every row group that may hold an earlier one was
//! looked at. Then they are read, some at a time, and judged.

use super::plan::Plan;
use super::tail::Wanted;
use super::{FindError, Met};
use crate::filter::{Filter, Sieve};
use crate::library::{Library, Volume};
use crate::tail::TailRun;
use crate::vocabulary::Pages;
use segment::{Projection, Row, RowSet, SegmentError};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Most threads of one question.
const THREADS_MAX: usize = 8;

/// Rows read at a time: of an answer with a limit, at first only as many.
const ROWS_FIRST: usize = 16;
const ROWS_MAX: usize = 4096;

/// Row groups looked at together: few at first, for the same reason.
const GROUPS_FIRST: usize = 4;
const GROUPS_MAX: usize = 32;

/// A run of rows that is looked at as a whole.
enum Run {
    /// A row group: the positions of its volume, and its own.
    Group(usize, usize),
    /// Rows of the tail.
    Tail(TailRun),
}

/// Where a row is that may match, ordered by volume and row group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Row {
        volume: usize,
        group: usize,
        at: u32,
    },
    /// A row of the tail, which was judged.
    Tail(usize),
    /// A row of the tail whose bytes are not an event.
    BadTail(usize),
}

/// The order of an answer as ascending numbers.
#[derive(Clone, Copy)]
struct Order {
    newest_first: bool,
}

impl Order {
    fn key(self, index: u64) -> u64 {
        if self.newest_first { u64::MAX - index } else { index }
    }

    /// The key of the first that may come of indexes in a range.
    fn first(self, (first, last): (u64, u64)) -> u64 {
        if self.newest_first { self.key(last) } else { first }
    }
}

struct Search<'s> {
    library: &'s Library,
    plan: Plan<'s>,
    sieve: Sieve<'s>,
    order: Order,
    /// What the filter names, when sketches of the rows of the tail are to be asked for it.
    wanted: Option<Wanted>,
    pages: BTreeMap<usize, Pages>,
    /// What was not looked at, the nearest last: its first key, and what it is.
    runs: Vec<(u64, Run)>,
    /// Rows that may match, the nearest on top.
    waiting: BinaryHeap<Reverse<(u64, Place)>>,
    groups_next: usize,
}

/// Hands what a filter picks to `each`, from the record `bound` on, until it has enough.
pub(super) fn search(
    library: &Library,
    filter: &Filter,
    bound: Option<u64>,
    each: &mut dyn FnMut(Met<'_>) -> ControlFlow<()>,
) -> Result<(), FindError> {
    let Some(newest) = library.as_of().size.checked_sub(1) else { return Ok(()) };
    let indexes = match (filter.newest_first, bound) {
        (true, bound) => (0, bound.unwrap_or(newest).min(newest)),
        (false, bound) => (bound.unwrap_or(0), newest),
    };
    let mut search = Search {
        library,
        plan: Plan::new(filter, indexes),
        sieve: Sieve::new(filter),
        order: Order { newest_first: filter.newest_first },
        wanted: Wanted::of(filter).filter(|_| library.whole_tail().is_asked_again()),
        pages: BTreeMap::new(),
        runs: Vec::new(),
        waiting: BinaryHeap::new(),
        // Few row groups hold an event or a trace, and they are all looked at, whatever the limit.
        groups_next: match filter.events.is_empty() && filter.traces.is_empty() {
            true => GROUPS_FIRST,
            false => GROUPS_MAX,
        },
    };
    // Whatever is missing is made by several threads, as it is when nobody prepared anything.
    super::prepare(library, filter, &|_, _| {})?;
    search.plan_runs(indexes)?;
    // One more than asked for tells whether there is more.
    let limit = filter.limit.map_or(usize::MAX, |limit| limit.saturating_add(1));
    let mut rows = limit.clamp(ROWS_FIRST, ROWS_MAX);
    loop {
        let batch = search.nearest(rows)?;
        if batch.is_empty() {
            return Ok(());
        }
        rows = (2 * rows).min(ROWS_MAX);
        if search.hand_out(&batch, each)?.is_break() {
            return Ok(());
        }
    }
}

impl Search<'_> {
    /// Finds out what is to be looked at.
    fn plan_runs(&mut self, (first, last): (u64, u64)) -> Result<(), FindError> {
        let (plan, library) = (&self.plan, self.library);
        let volumes = library.volumes().iter().enumerate();
        for (at, volume) in volumes {
            let scope = plan.scope(library, volume).map_err(|error| failed(volume, error))?;
            let groups = volume.groups().map_err(|error| failed(volume, error));
            let groups = if scope.groups.is_empty() { &[] } else { groups? };
            for group in scope.groups {
                if let Some(it) = groups.get(group) {
                    self.runs.push((self.order.first(it.indexes), Run::Group(at, group)));
                }
            }
            if let Some(pages) = scope.pages {
                self.pages.insert(at, pages);
            }
        }
        let tail = self.library.whole_tail();
        for (run, indexes) in tail.runs((first, last)) {
            if self.wanted.as_ref().is_none_or(|wanted| tail.may_hold(&run, wanted)) {
                self.runs.push((self.order.first(indexes), Run::Tail(run)));
            }
        }
        self.runs.sort_by_key(|(key, _)| Reverse(*key));
        Ok(())
    }

    /// The next rows that may match, at most so many, in order.
    fn nearest(&mut self, count: usize) -> Result<Vec<(u64, Place)>, FindError> {
        let mut batch = Vec::new();
        while batch.len() < count {
            let next = self.waiting.peek().map(|Reverse((key, _))| *key);
            let is_due = |(key, _): &(u64, Run)| next.is_none_or(|next| *key <= next);
            if self.runs.last().is_some_and(is_due) {
                // Rather read what is at hand than look further for more.
                if next.is_none() && !batch.is_empty() {
                    break;
                }
                self.look()?;
                continue;
            }
            match self.waiting.pop() {
                Some(Reverse(nearest)) => batch.push(nearest),
                None => break,
            }
        }
        Ok(batch)
    }

    /// Looks at the nearest runs.
    fn look(&mut self) -> Result<(), FindError> {
        let from = self.runs.len().saturating_sub(self.groups_next);
        self.groups_next = (2 * self.groups_next).min(GROUPS_MAX);
        let runs: Vec<Run> = self.runs.drain(from..).map(|(_, run)| run).collect();
        let order = self.order;
        let found = parallel(&runs, |run| match run {
            Run::Group(volume, group) => self.of_group(*volume, *group),
            Run::Tail(run) => Ok(self.of_tail(run)),
        });
        for places in found {
            let places = places?.into_iter();
            self.waiting.extend(places.map(|(index, place)| Reverse((order.key(index), place))));
        }
        Ok(())
    }

    fn of_group(&self, volume: usize, group: usize) -> Result<Vec<(u64, Place)>, FindError> {
        let Some(it) = self.library.volumes().get(volume) else { return Ok(Vec::new()) };
        let picked = self.plan.pick(it, group, self.pages.get(&volume));
        let picked = picked.map_err(|error| failed(it, error))?.into_iter();
        Ok(picked.map(|(at, index)| (index, Place::Row { volume, group, at })).collect())
    }

    fn of_tail(&self, run: &TailRun) -> Vec<(u64, Place)> {
        let tail = self.library.whole_tail();
        let rows = match &self.wanted {
            Some(wanted) => tail.rows_that_may_hold(run, wanted),
            None => tail.rows_of(run).collect(),
        };
        let judged =
            rows.into_iter().filter_map(|(at, row)| match self.sieve.accepts(&row.into()) {
                Ok(true) => Some((row.index, Place::Tail(at))),
                Ok(false) => None,
                Err(_) => Some((row.index, Place::BadTail(at))),
            });
        judged.collect()
    }

    /// Reads rows, judges them and hands them out, in the order given.
    fn hand_out(
        &self,
        batch: &[(u64, Place)],
        each: &mut dyn FnMut(Met<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, FindError> {
        let rows = self.read(batch)?;
        for (_, place) in batch {
            let (row, is_event) = match place {
                Place::Row { .. } => match rows.get(place) {
                    Some((row, is_event)) => (Some(row), *is_event),
                    None => continue,
                },
                Place::Tail(at) => (self.library.whole_tail().get(*at), true),
                Place::BadTail(at) => (self.library.whole_tail().get(*at), false),
            };
            let Some(row) = row else { continue };
            let flow = match is_event {
                true => each(Met::Found(row.into())),
                false => each(Met::Unreadable(row.index)),
            };
            if flow.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The rows of segments in a batch that belong to the answer, and those that are no events
    /// (false).
    fn read(&self, batch: &[(u64, Place)]) -> Result<BTreeMap<Place, (Row, bool)>, FindError> {
        let mut wanted: BTreeMap<(usize, usize), Vec<u32>> = BTreeMap::new();
        for (_, place) in batch {
            if let Place::Row { volume, group, at } = place {
                wanted.entry((*volume, *group)).or_default().push(*at);
            }
        }
        let wanted: Vec<_> = wanted.into_iter().map(|(of, at)| (of, RowSet::new(at))).collect();
        let read = parallel(&wanted, |((volume, group), rows)| {
            let Some(it) = self.library.volumes().get(*volume) else { return Ok(Vec::new()) };
            let read = it.segment().and_then(|it| it.rows_at(*group, rows, Projection::All));
            let read = read.map_err(|error| failed(it, error))?.into_iter();
            let judged = read.zip(rows.positions()).filter_map(|(row, at)| {
                let verdict = self.sieve.accepts(&(&row).into());
                let place = Place::Row { volume: *volume, group: *group, at: *at };
                (verdict != Ok(false)).then(|| (place, (row, verdict.is_ok())))
            });
            Ok(judged.collect())
        });
        let read: Result<Vec<Vec<_>>, FindError> = read.into_iter().collect();
        Ok(read?.into_iter().flatten().collect())
    }
}

fn failed(volume: &Volume, source: SegmentError) -> FindError {
    FindError::Segment { path: volume.manifest().path(), source }
}

/// Does work for each of some jobs, on several threads where there are several; the outcomes are in
/// the order of the jobs.
pub(super) fn parallel<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(THREADS_MAX).min(jobs.len());
    if threads < 2 {
        return jobs.iter().map(work).collect();
    }
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(jobs.len())));
    let take = || {
        while let Some((at, job)) = Some(next.fetch_add(1, Ordering::Relaxed))
            .and_then(|at| jobs.get(at).map(|job| (at, job)))
        {
            let outcome = work(job);
            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, outcome));
        }
    };
    thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(take)));
        take();
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}
