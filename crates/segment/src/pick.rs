//! Picking rows of a row group by the values of single columns, before anything else of them is
//! read.
//!
//! Not here: which row groups are looked at (`id_filters`, and whoever asks), and what the rows
//! must be (whoever asks).

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMillisecondType};

use parquet::file::statistics::Statistics;

use crate::SegmentError;
use crate::cell::Cell;
use crate::column::{COLUMNS, INDEX, RECORDED_AT};
use crate::decode::{Columns, Values};
use crate::group_reader::GroupReader;
use crate::row::Row;
use crate::row_set::RowSet;
use crate::rows::Projection;
use crate::segment::{Segment, rows_in};

/// A value of a column in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// The row has none, or one that is of no use as a value of this column.
    Null,
    /// Text, or the JSON text of a value.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// A whole number, or nanoseconds since 1970.
    Integer(i64),
}

/// What is asked of a row: true when its values allow it.
pub type Condition<'c> = dyn Fn(&[Value<'_>]) -> bool + 'c;

impl Segment {
    /// The rows of a row group whose index lies in `indexes` and whose values in `columns` fulfil
    /// `condition`, with their indexes; only `among` these, if given. Nothing but these columns is
    /// read.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`], also for a name that is no column of a member, or
    /// [`SegmentError::Read`].
    pub fn pick(
        &self,
        group: usize,
        among: Option<&RowSet>,
        indexes: (u64, u64),
        columns: &[&str],
        condition: &Condition<'_>,
    ) -> Result<Vec<(u32, u64)>, SegmentError> {
        let mut names = vec![INDEX];
        names.extend(columns);
        let mut reader = GroupReader::open_rows(self, group, Some(&names), among)?;
        let (mut picked, mut at) = (Vec::new(), 0);
        let position = |at: usize| match among {
            Some(rows) => rows.positions().get(at).copied(),
            None => u32::try_from(at).ok(),
        };
        while let Some(batch) = reader.next()? {
            let numbers = batch.column_by_name(INDEX);
            let numbers = numbers.and_then(|it| it.as_primitive_opt::<Int64Type>());
            let numbers = numbers.ok_or_else(|| wrong(INDEX))?;
            let arrays: Result<Vec<_>, _> =
                columns.iter().map(|name| Column::of(&batch, name)).collect();
            let arrays = arrays?;
            let mut row = vec![Value::Null; columns.len()];
            for (place, number) in numbers.values().iter().enumerate() {
                let index = u64::try_from(*number).map_err(|_| wrong(INDEX))?;
                for (value, array) in row.iter_mut().zip(&arrays) {
                    *value = array.value(place);
                }
                if index >= indexes.0 && index <= indexes.1 && condition(&row) {
                    let position = position(at + place).ok_or_else(|| wrong(INDEX))?;
                    picked.push((position, index));
                }
            }
            at += batch.num_rows();
        }
        Ok(picked)
    }

    /// These rows of a row group.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] or [`SegmentError::Read`]; also when fewer rows came than were
    /// asked for.
    pub fn rows_at(
        &self,
        group: usize,
        rows: &RowSet,
        projection: Projection,
    ) -> Result<Vec<Row>, SegmentError> {
        let names = projection.names();
        let mut reader = GroupReader::open_rows(self, group, names.as_deref(), Some(rows))?;
        let mut all = Vec::with_capacity(rows.len());
        while let Some(batch) = reader.next()? {
            let columns = Columns::of(&batch)?;
            for at in 0..batch.num_rows() {
                all.push(columns.row(at)?);
            }
        }
        if all.len() != rows.len() {
            let what = format!("{} of {} rows came", all.len(), rows.len());
            return Err(SegmentError::Damaged(what));
        }
        Ok(all)
    }

    /// The earliest and the latest time of the events of a row group, in nanoseconds since 1970;
    /// `None` when some of them have none, or it is not known.
    #[must_use]
    pub fn times_of(&self, group: usize) -> Option<(i64, i64)> {
        let columns = self.footer().row_groups().get(group)?.columns();
        let column = columns.iter().find(|it| it.column_path().parts() == ["timestamp"])?;
        match column.statistics()? {
            Statistics::Int64(times) if times.null_count_opt() == Some(0) => {
                times.min_opt().copied().zip(times.max_opt().copied())
            }
            _ => None,
        }
    }

    /// Rows in a row group; 0 when there is none at this position.
    #[must_use]
    pub fn rows_of(&self, group: usize) -> u32 {
        let group = self.footer().row_groups().get(group);
        group.and_then(|group| u32::try_from(rows_in(group)).ok()).unwrap_or(0)
    }
}

/// A column of a batch.
enum Column<'b> {
    Member(Values<'b>),
    RecordedAt(&'b arrow_array::PrimitiveArray<TimestampMillisecondType>),
}

impl<'b> Column<'b> {
    fn of(batch: &'b RecordBatch, name: &str) -> Result<Self, SegmentError> {
        if name == RECORDED_AT {
            let array = batch.column_by_name(name).and_then(|it| it.as_primitive_opt());
            return array.map(Self::RecordedAt).ok_or_else(|| wrong(name));
        }
        let column = COLUMNS.iter().find(|column| column.name == name);
        let column = column.ok_or_else(|| wrong(name))?;
        Values::of(batch, column.name, column.form).map(Self::Member)
    }

    fn value(&self, at: usize) -> Value<'b> {
        match self {
            Self::RecordedAt(array) => Value::Integer(array.value(at)),
            Self::Member(values) => match values.cell(at) {
                Cell::Text(std::borrow::Cow::Borrowed(text)) => Value::Text(text),
                Cell::Number(number) => Value::Number(number),
                Cell::Integer(number) => Value::Integer(number),
                Cell::Null | Cell::Text(_) => Value::Null,
            },
        }
    }
}

fn wrong(name: &str) -> SegmentError {
    SegmentError::Damaged(format!("column `{name}` is missing or of another type"))
}
