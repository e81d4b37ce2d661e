//! What a report looks at: the events of agents in a period, chunk by chunk.

use super::names::Codes;
use crate::columns::{Column, Columns, NO_WORD, Question, field};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int64Type, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use event::Status;
use event::{Outcome, Tier, Timestamp, types};
use segment::SegmentError;
use std::sync::Arc;

/// When the events of a report happened: as their producers say, else when the log took them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Whether a time, in Unix nanoseconds, belongs to it.
    pub(super) fn has(&self, at: i64) -> bool {
        !self.begins_after(at) && !self.ends_by(at)
    }

    /// Whether no time from the first to the last belongs to it.
    fn misses(&self, (first, last): (i64, i64)) -> bool {
        self.begins_after(last) || self.ends_by(first)
    }

    fn begins_after(&self, at: i64) -> bool {
        self.from.is_some_and(|from| time(at) < from)
    }

    fn ends_by(&self, at: i64) -> bool {
        self.to.is_some_and(|to| time(at) >= to)
    }

    /// The period of the same length before this one; `None` unless both ends are known.
    #[must_use]
    pub fn before(&self) -> Option<Self> {
        let (from, to) = (self.from?, self.to?);
        let length = to.0.checked_sub(from.0).filter(|length| *length > 0)?;
        let begin = from.0.checked_sub(length)?;
        Some(Self { from: Some(Timestamp(begin)), to: Some(from) })
    }
}

/// A time as columns have it: Unix nanoseconds.
pub(super) fn time(at: i64) -> Timestamp {
    Timestamp(u64::try_from(at).unwrap_or(0))
}

/// A row that counts, and when it happened: Unix nanoseconds.
#[derive(Clone, Copy)]
pub(super) struct Picked {
    pub(super) row: usize,
    pub(super) at: i64,
}

/// Some columns of a chunk, and which of its rows count.
pub struct Sheet<'c> {
    columns: &'c Columns,
    question: Question,
    chunk: usize,
    rows: usize,
    fields: Vec<(&'static str, Arc<Column>)>,
    /// The rows that count.
    pub(super) picked: Vec<Picked>,
    /// Rows of the log's own records in the period.
    pub(super) own: Vec<usize>,
    /// How the rows that count ended, once somebody asked.
    statuses: Option<Arc<[Status]>>,
}

const BASE: [&str; 2] = ["kind", "timestamp"];
/// When the log took an event, for those that do not say when they happened.
const RECORDED: &str = "recorded_at";
/// What [`Sheet::statuses`] needs beside.
pub(super) const ENDS: [&str; 4] = ["event_type", "outcome", "error_type", "tier"];

/// Numbers of a column, one for each row.
pub(super) type Floats = PrimitiveArray<Float64Type>;
/// Whole numbers of a column.
pub(super) type Counts = PrimitiveArray<Int64Type>;

impl<'c> Sheet<'c> {
    pub(super) fn open(
        columns: &'c Columns,
        question: Question,
        chunk: usize,
        period: &Period,
        names: &[&'static str],
    ) -> Result<Self, SegmentError> {
        let (rows, fields) = (columns.rows_in(chunk), Vec::new());
        let (picked, own, statuses) = (Vec::new(), Vec::new(), None);
        let mut sheet = Self { columns, question, chunk, rows, fields, picked, own, statuses };
        let times = columns.times_of(chunk);
        if times.is_some_and(|times| period.misses(times)) {
            return Ok(sheet);
        }
        // Of a chunk that may lie outside the period no more is read at first than its times; of
        // one that does not everything in one go, and of the tail, too, where to look for many
        // columns costs hardly more than to look for one.
        let is_inside = times.is_some_and(|(first, last)| period.has(first) && period.has(last));
        let at_once = *period == Period::default() || is_inside || columns.is_tail(chunk);
        sheet.also(&[BASE.as_slice(), if at_once { names } else { &[] }].concat())?;
        sheet.pick(period)?;
        if !sheet.is_empty() {
            sheet.also(names)?;
        }
        Ok(sheet)
    }

    /// Loads columns that are not here yet.
    pub(super) fn also(&mut self, names: &[&'static str]) -> Result<(), SegmentError> {
        let mut missing: Vec<&'static str> = Vec::new();
        for name in names {
            if self.find(name).is_none() && !missing.contains(name) {
                missing.push(name);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let wanted: Vec<_> = missing.iter().filter_map(|name| field(name)).collect();
        let loaded = self.columns.columns(self.question, self.chunk, &wanted)?;
        if loaded.len() != missing.len() {
            return Err(SegmentError::Damaged("a column is missing".to_owned()));
        }
        self.fields.extend(missing.into_iter().zip(loaded));
        Ok(())
    }

    /// Whether a column is loaded.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Column> {
        let found = self.fields.iter().find(|(known, _)| *known == name);
        found.map(|(_, column)| &**column)
    }

    fn column(&self, name: &str) -> Result<&Column, SegmentError> {
        self.find(name).ok_or_else(|| wrong(name))
    }

    fn array(&self, name: &str) -> Result<ArrayRef, SegmentError> {
        Ok(self.column(name)?.array(self.rows, &arrow_schema::DataType::Null))
    }

    /// Whether no row counts: nothing else was loaded then.
    pub(super) fn is_empty(&self) -> bool {
        self.picked.is_empty()
    }

    /// The texts of a column as small numbers.
    pub(super) fn codes(&self, name: &str) -> Result<Codes<'_>, SegmentError> {
        Ok(Codes::of(self.column(name)?, self.rows))
    }

    /// The text of a row.
    pub(super) fn text(&self, name: &str, row: usize) -> Option<&str> {
        self.find(name)?.text(row)
    }

    pub(super) fn floats(&self, name: &str) -> Result<Floats, SegmentError> {
        self.array(name)?.as_primitive_opt().cloned().ok_or_else(|| wrong(name))
    }

    pub(super) fn counts(&self, name: &str) -> Result<Counts, SegmentError> {
        self.array(name)?.as_primitive_opt().cloned().ok_or_else(|| wrong(name))
    }

    fn pick(&mut self, period: &Period) -> Result<(), SegmentError> {
        let times = self.array("timestamp")?;
        let times = times.as_primitive_opt::<TimestampNanosecondType>();
        let times = times.ok_or_else(|| wrong("timestamp"))?;
        let recorded = match times.null_count() {
            0 => None,
            _ => {
                self.also(&[RECORDED])?;
                Some(self.array(RECORDED)?)
            }
        };
        let recorded = recorded.as_ref().and_then(|it| it.as_primitive_opt());
        let recorded_at = |row: usize| {
            let recorded: &PrimitiveArray<TimestampMillisecondType> = recorded?;
            Some(recorded.value(row).saturating_mul(1_000_000))
        };
        let kinds = self.codes("kind")?;
        let is_event = kinds.find("event");
        let (mut picked, mut own) = (Vec::with_capacity(self.rows), Vec::new());
        for (row, kind) in kinds.codes().iter().take(self.rows).enumerate() {
            let at = match times.is_valid(row) {
                true => times.value(row),
                false => recorded_at(row).ok_or_else(|| wrong(RECORDED))?,
            };
            if !period.has(at) {
                continue;
            }
            if Some(*kind) == is_event {
                picked.push(Picked { row, at });
            } else {
                own.push(row);
            }
        }
        drop(kinds);
        (self.picked, self.own) = (picked, own);
        Ok(())
    }

    /// How each row that counts ended, in their order; [`ENDS`] must be loaded.
    pub(super) fn statuses(&mut self) -> Result<Arc<[Status]>, SegmentError> {
        if let Some(statuses) = &self.statuses {
            return Ok(Arc::clone(statuses));
        }
        if self.may_hide_errors()? {
            self.also(&["error"])?;
        }
        let statuses: Arc<[Status]> = self.told()?.into();
        Ok(Arc::clone(self.statuses.insert(statuses)))
    }

    fn told(&self) -> Result<Vec<Status>, SegmentError> {
        let (kinds, outcomes) = (self.codes("event_type")?, self.codes("outcome")?);
        let classes = self.codes("error_type")?;
        let is_error_type = kinds.find(types::ERROR).unwrap_or(NO_WORD);
        let named: Vec<Option<Outcome>> = (0..outcomes.count())
            .map(|code| outcomes.name(code).and_then(Outcome::from_name))
            .collect();
        let errors = self.find("error");
        let has_error =
            |row: usize| errors.and_then(|errors| errors.text(row)).is_some_and(is_present);
        let status = |picked: &Picked| {
            let row = picked.row;
            let outcome = named.get(usize::from(outcomes.code(row))).copied().flatten();
            let kind = kinds.code(row);
            let class = classes.name(usize::from(classes.code(row)));
            let is_error =
                class.is_some() || kind == is_error_type && kind != NO_WORD || has_error(row);
            Status::told_by(outcome, is_error, class)
        };
        Ok(self.picked.iter().map(status).collect())
    }

    /// Whether any row may be an error by its content alone: such an event is of the highest tier,
    /// which no configuration lowers, so the content of the others need not be read.
    fn may_hide_errors(&self) -> Result<bool, SegmentError> {
        let (tiers, classes) = (self.codes("tier")?, self.codes("error_type")?);
        let Some(critical) = tiers.find(Tier::Critical.as_str()) else { return Ok(false) };
        let hides = |it: &Picked| tiers.code(it.row) == critical && classes.code(it.row) == NO_WORD;
        Ok(self.picked.iter().any(hides))
    }
}

/// Whether the JSON text of `error` says that there was one, as the event itself tells it.
fn is_present(json: &str) -> bool {
    !matches!(json, "null" | "\"\"" | "{}" | "false")
}

fn wrong(name: &str) -> SegmentError {
    SegmentError::Damaged(format!("column `{name}` is missing or of another type"))
}

/// The agent of each row: its name, else its id.
pub(super) struct Agents<'s> {
    names: Codes<'s>,
    ids: Codes<'s>,
}

/// The columns of [`Agents`].
pub(super) const AGENT: [&str; 2] = ["agent_name", "agent_id"];

impl<'s> Agents<'s> {
    pub(super) fn of(sheet: &'s Sheet<'_>) -> Result<Self, SegmentError> {
        Ok(Self { names: sheet.codes("agent_name")?, ids: sheet.codes("agent_id")? })
    }

    /// Different numbers that [`Agents::code`] gives, the one of no agent included.
    pub(super) fn count(&self) -> usize {
        self.names.count() + self.ids.count() + 1
    }

    /// The number of a row's agent.
    pub(super) fn code(&self, row: usize) -> usize {
        match (self.names.code(row), self.ids.code(row)) {
            (NO_WORD, NO_WORD) => self.names.count() + self.ids.count(),
            (NO_WORD, id) => self.names.count() + usize::from(id),
            (name, _) => usize::from(name),
        }
    }

    /// The agent with a number; `None` for none.
    pub(super) fn name(&self, code: usize) -> Option<&str> {
        match code.checked_sub(self.names.count()) {
            None => self.names.name(code),
            Some(id) => self.ids.name(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: u64, to: u64) -> Period {
        Period { from: Some(Timestamp(from)), to: Some(Timestamp(to)) }
    }

    #[test]
    fn the_period_before_ends_where_this_one_begins() {
        assert_eq!(period(10, 15).before(), Some(period(5, 10)));
        assert_eq!(period(3, 15).before(), None);
        assert_eq!(period(10, 10).before(), None);
        assert_eq!(Period { from: None, to: Some(Timestamp(5)) }.before(), None);
        assert!(period(10, 15).has(10) && !period(10, 15).has(15) && !period(10, 15).has(9));
        assert!(Period::default().has(-1));
    }

    #[test]
    fn a_period_misses_what_has_no_time_of_it() {
        for first in 0..20 {
            for last in first..20 {
                let has_any = (first..=last).any(|at| period(10, 15).has(at));
                assert_eq!(period(10, 15).misses((first, last)), !has_any, "{first} {last}");
            }
        }
        assert!(!Period::default().misses((i64::MIN, i64::MAX)));
    }
}
