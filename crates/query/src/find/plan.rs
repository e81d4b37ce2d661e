//! What of a segment may hold records of an answer, from the cheapest to ask to the dearest.
//!
//! Nothing here may say no to a record that the sieve takes. Columns hold the values of the stored
//! text; where a column has none, the value may still be there in a form that no column holds.

use crate::filter::words::Words;
use crate::filter::{Filter, is_type};
use crate::guide::{GROUP_PAGES, Topic, decides};
use crate::library::{Library, Volume};
use crate::vocabulary::{PAGE_ROWS, Pages};
use event::types::LOG_PREFIX;
use event::{Kind, Outcome, Timestamp};
use segment::{IdKind, RowSet, SegmentError, Value};

/// Above one row in so many, a column is read as a whole: passing over single rows costs more.
const DENSE: usize = 16;

/// Whether the values of a row may be those of a record of the answer.
type Accepts<'f> = Box<dyn Fn(&[Value<'_>]) -> bool + Send + Sync + 'f>;

/// A question to some columns of a row.
struct Step<'f> {
    columns: &'static [&'static str],
    accepts: Accepts<'f>,
}

/// A filter made ready for segments.
pub(crate) struct Plan<'f> {
    filter: &'f Filter,
    words: Words,
    steps: Vec<Step<'f>>,
    /// First and last index wanted.
    indexes: (u64, u64),
}

/// What is left of a segment.
pub(crate) struct Scope {
    /// Row groups that may hold records.
    pub(crate) groups: Vec<usize>,
    /// Pages that may, where that is known.
    pub(crate) pages: Option<Pages>,
}

/// The ids and names that guides know, and what of the filter asks for them.
pub(super) fn named(filter: &Filter) -> [(&[IdKind], &[String]); 7] {
    [
        (&[IdKind::Event], &filter.events),
        (&[IdKind::Trace], &filter.traces),
        (&[IdKind::Session], &filter.sessions),
        (&[IdKind::Task], &filter.tasks),
        (&[IdKind::AgentName, IdKind::AgentId], &filter.agents),
        (&[IdKind::Principal], &filter.principals),
        (&[IdKind::ErrorType], &filter.error_types),
    ]
}

/// The guides that a filter needs.
pub(crate) fn topics(filter: &Filter) -> Vec<Topic> {
    let ids = named(filter).iter().any(|(_, values)| !values.is_empty());
    let words = filter.text.as_ref().is_some_and(|text| decides(&Words::parse(text)));
    [(ids, Topic::Ids), (words, Topic::Words)]
        .into_iter()
        .filter_map(|(needed, topic)| needed.then_some(topic))
        .collect()
}

/// Whether a segment is of a tier that is asked for.
pub(crate) fn is_of_tier(filter: &Filter, volume: &Volume) -> bool {
    filter.tiers.is_empty() || filter.tiers.contains(&volume.manifest().tier)
}

fn is_one_of(value: Value<'_>, wanted: &[String]) -> bool {
    matches!(value, Value::Text(text) if wanted.iter().any(|it| it == text))
}

impl<'f> Plan<'f> {
    /// The plan for the records from the first to the last of two indexes.
    pub(crate) fn new(filter: &'f Filter, indexes: (u64, u64)) -> Self {
        let mut steps = Vec::new();
        let mut any = |columns: &'static [&'static str], wanted: &'f [String]| {
            if !wanted.is_empty() {
                let accepts = |row: &[Value<'_>]| row.iter().any(|it| is_one_of(*it, wanted));
                steps.push(Step { columns, accepts: Box::new(accepts) });
            }
        };
        any(&["event_id"], &filter.events);
        any(&["trace_id"], &filter.traces);
        any(&["session_id"], &filter.sessions);
        any(&["task_id"], &filter.tasks);
        any(&["error_type"], &filter.error_types);
        any(&["principal_subject"], &filter.principals);
        any(&["agent_name", "agent_id"], &filter.agents);
        steps.extend(producers(filter.kind));
        steps.extend(outcomes(&filter.outcomes));
        steps.extend(types(&filter.types));
        steps.extend(tools(&filter.tools));
        steps.extend(times(filter.from, filter.to));
        let words = Words::parse(filter.text.as_deref().unwrap_or_default());
        Self { filter, words, steps, indexes }
    }

    /// What of a segment may hold records.
    ///
    /// # Errors
    /// When the segment does not open, or its guides cannot be made.
    pub(crate) fn scope(&self, library: &Library, volume: &Volume) -> Result<Scope, SegmentError> {
        let nothing = Scope { groups: Vec::new(), pages: None };
        let manifest = volume.manifest();
        if manifest.first > self.indexes.1
            || manifest.last < self.indexes.0
            || !is_of_tier(self.filter, volume)
        {
            return Ok(nothing);
        }
        let groups = volume.groups()?;
        let mut kept: Vec<usize> = (0..groups.len())
            .filter(|at| {
                let (first, last) = groups[*at].indexes;
                first <= self.indexes.1
                    && last >= self.indexes.0
                    && self.is_in_time(groups[*at].times)
            })
            .collect();
        for (kinds, values) in named(self.filter) {
            if values.is_empty() || kept.is_empty() {
                continue;
            }
            let ids = volume.ids(library.cache())?;
            let mut may = vec![false; groups.len()];
            for (kind, value) in kinds.iter().flat_map(|k| values.iter().map(move |v| (*k, v))) {
                ids.may_hold(kind, value).for_each(|at| may[at] = true);
            }
            kept.retain(|at| may[*at]);
        }
        if !decides(&self.words) || kept.is_empty() {
            return Ok(Scope { groups: kept, pages: None });
        }
        let pages = volume.words(library.cache())?.may_hold(&self.words);
        if let Some(pages) = &pages {
            let first = |at: usize| at as u32 * GROUP_PAGES;
            kept.retain(|at| (first(*at)..first(*at + 1)).any(|page| pages.has(page)));
        }
        Ok(Scope { groups: kept, pages })
    }

    /// Whether events may lie in the window, of which the earliest and the latest time are known.
    fn is_in_time(&self, times: Option<(i64, i64)>) -> bool {
        let Some((Ok(earliest), Ok(latest))) =
            times.map(|(earliest, latest)| (u64::try_from(earliest), u64::try_from(latest)))
        else {
            return true;
        };
        self.filter.from.is_none_or(|from| latest >= from.0)
            && self.filter.to.is_none_or(|to| earliest < to.0)
    }

    /// The rows of a row group that may match, with their indexes.
    pub(crate) fn pick(
        &self,
        volume: &Volume,
        group: usize,
        pages: Option<&Pages>,
    ) -> Result<Vec<(u32, u64)>, SegmentError> {
        let segment = volume.segment()?;
        let rows = segment.rows_of(group);
        let mut among = pages.map(|pages| rows_on(pages, group, rows));
        let nothing = [Step { columns: &[], accepts: Box::new(|_: &[Value<'_>]| true) }];
        let steps = if self.steps.is_empty() { &nothing[..] } else { &self.steps };
        let mut picked = Vec::new();
        for step in steps {
            let is_sparse = |set: &&RowSet| set.len() < rows as usize / DENSE;
            let selected = among.as_ref().filter(is_sparse);
            picked = segment.pick(group, selected, self.indexes, step.columns, &*step.accepts)?;
            if let (None, Some(among)) = (selected, &among) {
                picked.retain(|(at, _)| among.positions().binary_search(at).is_ok());
            }
            if picked.is_empty() {
                break;
            }
            among = Some(RowSet::new(picked.iter().map(|(at, _)| *at).collect()));
        }
        Ok(picked)
    }
}

/// The rows of a row group that stand on some pages.
fn rows_on(pages: &Pages, group: usize, rows: u32) -> RowSet {
    let first = group as u32 * GROUP_PAGES;
    let on = (0..GROUP_PAGES).filter(|page| pages.has(first + page));
    let rows = on.flat_map(|page| page * PAGE_ROWS..((page + 1) * PAGE_ROWS).min(rows));
    RowSet::new(rows.collect())
}

/// Types of the log's own records are no producer's. What is left of a record that went has none.
fn producers<'f>(wanted: Option<Kind>) -> Option<Step<'f>> {
    let accepts =
        |row: &[Value<'_>]| !matches!(row, [Value::Text(it)] if it.starts_with(LOG_PREFIX));
    let is_wanted = wanted == Some(Kind::Event);
    is_wanted.then(|| Step { columns: &["event_type"], accepts: Box::new(accepts) })
}

fn outcomes(wanted: &[Outcome]) -> Option<Step<'_>> {
    let accepts = |row: &[Value<'_>]| {
        matches!(row, [Value::Text(name)]
            if Outcome::from_name(name).is_some_and(|outcome| wanted.contains(&outcome)))
    };
    (!wanted.is_empty()).then(|| Step { columns: &["outcome"], accepts: Box::new(accepts) })
}

fn types(wanted: &[String]) -> Option<Step<'_>> {
    let is_wanted = |name: &str| wanted.iter().any(|it| is_type(it, name));
    let accepts = move |row: &[Value<'_>]| matches!(row, [Value::Text(name)] if is_wanted(name));
    (!wanted.is_empty()).then(|| Step { columns: &["event_type"], accepts: Box::new(accepts) })
}

/// A tool stands in its own member or behind the colon of the action.
fn tools(wanted: &[String]) -> Option<Step<'_>> {
    let accepts = |row: &[Value<'_>]| match row {
        [Value::Null, Value::Text(action)] => {
            action.split_once(':').is_some_and(|(_, tool)| is_one_of(Value::Text(tool), wanted))
        }
        [tool, _] => is_one_of(*tool, wanted),
        _ => true,
    };
    (!wanted.is_empty()).then(|| Step { columns: &["tool", "action"], accepts: Box::new(accepts) })
}

/// The event's own time, else the record time. A time beyond the year 2262 is in no column.
fn times<'f>(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<Step<'f>> {
    let within = move |time: Timestamp| {
        from.is_none_or(|from| time >= from) && to.is_none_or(|to| time < to)
    };
    let is_far = to.is_none_or(|to| i64::try_from(to.0).is_err());
    let accepts = move |row: &[Value<'_>]| match row {
        [Value::Integer(time), _] => u64::try_from(*time).map_or(true, |it| within(Timestamp(it))),
        [_, Value::Integer(recorded)] => {
            let recorded = u64::try_from(*recorded).unwrap_or(0);
            is_far || within(Timestamp::from_milliseconds(recorded))
        }
        _ => true,
    };
    let columns = &["timestamp", "recorded_at"];
    (from.is_some() || to.is_some()).then(|| Step { columns, accepts: Box::new(accepts) })
}
