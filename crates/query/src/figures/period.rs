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
        let at = Timestamp(u64::try_from(at).unwrap_or(0));
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
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

/// A row that counts, and when it happened: Unix nanoseconds.
#[derive(Clone, Copy)]
pub(super) struct Picked {
    pub(super) row: usize,
    pub(super) at: i64,
}

/// Some columns of a chunk, and which of its rows count.
pub(super) struct Sheet<'c> {
    columns: &'c Columns,
    question: Question,
    chunk: usize,
    rows: usize,
    fields: Vec<(&'static str, Arc<Column>)>,
    /// The rows that count.
    pub(super) picked: Vec<Picked>,
    /// Rows of the log's own records in the period.
    pub(super) own: Vec<usize>,
}

const BASE: [&str; 3] = ["kind", "timestamp", "recorded_at"];
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
        let rows = columns.rows_in(chunk);
        let fields = Vec::new();
        let mut sheet =
            Self { columns, question, chunk, rows, fields, picked: Vec::new(), own: Vec::new() };
        // A chunk outside the period costs no more than its times; of one that cannot be outside
        // everything is read in one go.
        if *period == Period::default() {
            sheet.load(&[&BASE, names].concat())?;
            sheet.pick(period)?;
        } else {
            sheet.load(&BASE)?;
            sheet.pick(period)?;
            if !sheet.picked.is_empty() {
                sheet.load(names)?;
            }
        }
        Ok(sheet)
    }

    fn load(&mut self, names: &[&'static str]) -> Result<(), SegmentError> {
        let wanted: Vec<_> = names.iter().filter_map(|name| field(name)).collect();
        let loaded = self.columns.columns(self.question, self.chunk, &wanted)?;
        if loaded.len() != names.len() {
            return Err(SegmentError::Damaged("a column is missing".to_owned()));
        }
        self.fields.extend(names.iter().copied().zip(loaded));
        Ok(())
    }

    fn column(&self, name: &str) -> Result<&Column, SegmentError> {
        let found = self.fields.iter().find(|(known, _)| *known == name);
        found.map(|(_, column)| &**column).ok_or_else(|| wrong(name))
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
        self.column(name).ok()?.text(row)
    }

    pub(super) fn floats(&self, name: &str) -> Result<Floats, SegmentError> {
        self.array(name)?.as_primitive_opt().cloned().ok_or_else(|| wrong(name))
    }

    pub(super) fn counts(&self, name: &str) -> Result<Counts, SegmentError> {
        self.array(name)?.as_primitive_opt().cloned().ok_or_else(|| wrong(name))
    }

    fn pick(&mut self, period: &Period) -> Result<(), SegmentError> {
        let (kinds, time, recorded) =
            (self.codes("kind")?, self.array("timestamp")?, self.array("recorded_at")?);
        let time = time.as_primitive_opt::<TimestampNanosecondType>();
        let recorded = recorded.as_primitive_opt::<TimestampMillisecondType>();
        let (time, recorded) = (
            time.ok_or_else(|| wrong("timestamp"))?,
            recorded.ok_or_else(|| wrong("recorded_at"))?,
        );
        let is_event = kinds.find("event");
        let (mut picked, mut own) = (Vec::new(), Vec::new());
        for (row, kind) in kinds.codes().iter().take(self.rows).enumerate() {
            let at = if time.is_valid(row) {
                time.value(row)
            } else {
                recorded.value(row).saturating_mul(1_000_000)
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
    pub(super) fn statuses(&mut self) -> Result<Vec<Status>, SegmentError> {
        if self.may_hide_errors()? {
            self.load(&["error"])?;
        }
        let (kinds, outcomes) = (self.codes("event_type")?, self.codes("outcome")?);
        let classes = self.codes("error_type")?;
        let is_error_type = kinds.find(types::ERROR).unwrap_or(NO_WORD);
        let named: Vec<Option<Outcome>> = (0..outcomes.count())
            .map(|code| outcomes.name(code).and_then(Outcome::from_name))
            .collect();
        let errors = self.fields.iter().find(|(name, _)| *name == "error").map(|(_, it)| it);
        let has_error =
            |row: usize| errors.and_then(|errors| errors.text(row)).is_some_and(is_present);
        let at = |codes: &Codes<'_>, row: usize| codes.codes().get(row).copied().unwrap_or(NO_WORD);
        let status = |picked: &Picked| {
            let row = picked.row;
            let outcome = named.get(usize::from(at(&outcomes, row))).copied().flatten();
            let kind = at(&kinds, row);
            let class = classes.name(usize::from(at(&classes, row)));
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
        let is = |codes: &Codes<'_>, row: usize, code: u16| codes.codes().get(row) == Some(&code);
        let hides =
            |picked: &Picked| is(&tiers, picked.row, critical) && is(&classes, picked.row, NO_WORD);
        Ok(self.picked.iter().any(hides))
    }

    /// Loads another column when it is needed after all.
    pub(super) fn also(&mut self, name: &'static str) -> Result<(), SegmentError> {
        if self.column(name).is_ok() { Ok(()) } else { self.load(&[name]) }
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
        match (self.names.codes().get(row), self.ids.codes().get(row)) {
            (Some(name), _) if *name != NO_WORD => usize::from(*name),
            (_, Some(id)) if *id != NO_WORD => self.names.count() + usize::from(*id),
            _ => self.names.count() + self.ids.count(),
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

    #[test]
    fn the_period_before_ends_where_this_one_begins() {
        let period = |from, to| Period { from: Some(Timestamp(from)), to: Some(Timestamp(to)) };
        assert_eq!(period(10, 15).before(), Some(period(5, 10)));
        assert_eq!(period(3, 15).before(), None);
        assert_eq!(period(10, 10).before(), None);
        assert_eq!(Period { from: None, to: Some(Timestamp(5)) }.before(), None);
        assert!(period(10, 15).has(10) && !period(10, 15).has(15) && !period(10, 15).has(9));
        assert!(Period::default().has(-1));
    }
}
