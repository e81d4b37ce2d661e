//! Arrow batches of a segment's columns back into rows.
//!
//! Not here: which batches are read (`rows`), and whether the rows are the ones that the log
//! committed to (`verify`).

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int8Type, Int64Type, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{
    Array, BinaryArray, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray,
};
use event::{Kind, Tier};

use crate::SegmentError;
use crate::cell::Cell;
use crate::column::{
    COLUMNS, CONTENT_COMMITMENT, CONTENT_SALT, CONTENT_SHAPE, ColumnSet, Form, INDEX, KIND,
    META_SALT, META_SHAPE, Part, RECORDED_AT, TIER,
};
use crate::rebuild::rebuild;
use crate::row::{ContentState, Row};

/// The rows of a batch that has the columns of a segment, in any order, whoever read it. Without
/// `content_shape` the content counts as not read.
///
/// # Errors
/// [`SegmentError::Damaged`] when a column is missing, of another type, or holds what no writer
/// writes.
pub fn decode(batch: &RecordBatch) -> Result<Vec<Row>, SegmentError> {
    decode_within(batch, (0, u64::MAX))
}

/// The rows of a batch from the first to the last of two indexes.
pub(crate) fn decode_within(
    batch: &RecordBatch,
    (first, last): (u64, u64),
) -> Result<Vec<Row>, SegmentError> {
    let columns = Columns::of(batch)?;
    let mut rows = Vec::new();
    for at in 0..batch.num_rows() {
        let index = columns.index(at)?;
        if index >= first && index <= last {
            rows.push(columns.row(at)?);
        }
    }
    Ok(rows)
}

/// One of the columns of values.
pub(crate) enum Values<'b> {
    Text(&'b StringArray),
    Number(&'b PrimitiveArray<Float64Type>),
    Count(&'b PrimitiveArray<Int64Type>),
    Time(&'b PrimitiveArray<TimestampNanosecondType>),
    /// Not in the batch, or null all over.
    Nothing,
}

impl<'b> Values<'b> {
    pub(crate) fn of(batch: &'b RecordBatch, name: &str, form: Form) -> Result<Self, SegmentError> {
        let Some(array) = batch.column_by_name(name) else { return Ok(Self::Nothing) };
        if array.null_count() == array.len() {
            return Ok(Self::Nothing);
        }
        let values = match form {
            Form::Text | Form::Json => array.as_string_opt().map(Self::Text),
            Form::Number => array.as_primitive_opt().map(Self::Number),
            Form::Count => array.as_primitive_opt().map(Self::Count),
            Form::Time => array.as_primitive_opt().map(Self::Time),
        };
        values.ok_or_else(|| wrong(name))
    }

    pub(crate) fn cell(&self, at: usize) -> Cell<'b> {
        match self {
            Self::Text(array) if array.is_valid(at) => Cell::Text(Cow::Borrowed(array.value(at))),
            Self::Number(array) if array.is_valid(at) => Cell::Number(array.value(at)),
            Self::Count(array) if array.is_valid(at) => Cell::Integer(array.value(at)),
            Self::Time(array) if array.is_valid(at) => Cell::Integer(array.value(at)),
            _ => Cell::Null,
        }
    }
}

/// The columns of a batch, by what they mean.
pub(crate) struct Columns<'b> {
    index: &'b PrimitiveArray<Int64Type>,
    recorded_at: &'b PrimitiveArray<TimestampMillisecondType>,
    kind: &'b PrimitiveArray<Int8Type>,
    tier: &'b PrimitiveArray<Int8Type>,
    values: Vec<Values<'b>>,
    empty: ColumnSet,
    meta_shape: &'b BinaryArray,
    meta_salt: &'b FixedSizeBinaryArray,
    content: Option<Content<'b>>,
}

struct Content<'b> {
    shape: &'b BinaryArray,
    salt: &'b FixedSizeBinaryArray,
    commitment: &'b FixedSizeBinaryArray,
}

impl<'b> Columns<'b> {
    pub(crate) fn of(batch: &'b RecordBatch) -> Result<Self, SegmentError> {
        let array = |name: &str| batch.column_by_name(name).ok_or_else(|| wrong(name));
        let content = if batch.column_by_name(CONTENT_SHAPE).is_some() {
            Some(Content {
                shape: binary(array(CONTENT_SHAPE)?, CONTENT_SHAPE)?,
                salt: fixed(array(CONTENT_SALT)?, CONTENT_SALT)?,
                commitment: fixed(array(CONTENT_COMMITMENT)?, CONTENT_COMMITMENT)?,
            })
        } else {
            None
        };
        let values = COLUMNS.iter().map(|column| Values::of(batch, column.name, column.form));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let mut empty = ColumnSet::default();
        let is_empty = |(_, values): &(usize, &Values<'_>)| matches!(values, Values::Nothing);
        values.iter().enumerate().filter(is_empty).for_each(|(column, _)| empty.add(column));
        Ok(Self {
            index: array(INDEX)?.as_primitive_opt().ok_or_else(|| wrong(INDEX))?,
            recorded_at: array(RECORDED_AT)?
                .as_primitive_opt()
                .ok_or_else(|| wrong(RECORDED_AT))?,
            kind: array(KIND)?.as_primitive_opt().ok_or_else(|| wrong(KIND))?,
            tier: array(TIER)?.as_primitive_opt().ok_or_else(|| wrong(TIER))?,
            values,
            empty,
            meta_shape: binary(array(META_SHAPE)?, META_SHAPE)?,
            meta_salt: fixed(array(META_SALT)?, META_SALT)?,
            content,
        })
    }

    pub(crate) fn index(&self, at: usize) -> Result<u64, SegmentError> {
        unsigned(self.index, at, INDEX)
    }

    /// The columns that hold nothing in any row of the batch.
    pub(crate) fn empty(&self) -> ColumnSet {
        self.empty
    }

    /// The value that the column at a position of [`COLUMNS`] holds in a row.
    pub(crate) fn cell(&self, column: usize, at: usize) -> Cell<'b> {
        self.values.get(column).map_or(Cell::Null, |values| values.cell(at))
    }

    /// The shape of a text of a row; `None` when the row has no such text.
    pub(crate) fn shape(&self, part: Part, at: usize) -> Option<&'b [u8]> {
        let shape = match part {
            Part::Meta => self.meta_shape,
            Part::Content => self.content.as_ref()?.shape,
        };
        shape.is_valid(at).then(|| shape.value(at))
    }

    pub(crate) fn row(&self, at: usize) -> Result<Row, SegmentError> {
        let index = self.index(at)?;
        let recorded_at = self.recorded_at.is_valid(at).then(|| self.recorded_at.value(at));
        let number = |array: &PrimitiveArray<Int8Type>| {
            array.is_valid(at).then(|| u8::try_from(array.value(at)).ok())?
        };
        Ok(Row {
            index,
            kind: number(self.kind)
                .and_then(Kind::from_number)
                .ok_or_else(|| holds_nonsense(index, KIND))?,
            tier: number(self.tier)
                .and_then(Tier::from_number)
                .ok_or_else(|| holds_nonsense(index, TIER))?,
            time_ms: recorded_at
                .and_then(|time| u64::try_from(time).ok())
                .ok_or_else(|| holds_nonsense(index, RECORDED_AT))?,
            meta: self.text(index, Part::Meta, self.meta_shape, at)?,
            meta_salt: bytes(self.meta_salt, at).ok_or_else(|| holds_nonsense(index, META_SALT))?,
            content: self.content(index, at)?,
        })
    }

    fn content(&self, index: u64, at: usize) -> Result<ContentState, SegmentError> {
        let Some(content) = &self.content else { return Ok(ContentState::NotRead) };
        let salt = bytes(content.salt, at);
        let commitment = bytes(content.commitment, at);
        match (content.shape.is_valid(at), salt, commitment) {
            (false, None, None) => Ok(ContentState::None),
            (false, None, Some(commitment)) => Ok(ContentState::Erased { commitment }),
            (true, Some(salt), None) => {
                let bytes = self.text(index, Part::Content, content.shape, at)?;
                if bytes.is_empty() {
                    return Err(holds_nonsense(index, CONTENT_SHAPE));
                }
                Ok(ContentState::Present { salt, bytes })
            }
            _ => Err(holds_nonsense(index, CONTENT_COMMITMENT)),
        }
    }

    fn text(
        &self,
        index: u64,
        part: Part,
        shape: &BinaryArray,
        at: usize,
    ) -> Result<Vec<u8>, SegmentError> {
        if shape.is_null(at) {
            return Err(holds_nonsense(index, META_SHAPE));
        }
        // Most texts fit without growing.
        let mut out = Vec::with_capacity(shape.value(at).len() + 256);
        let write = |column: usize, out: &mut Vec<u8>| {
            self.cell(column, at).write(COLUMNS[column].form, out)
        };
        rebuild(part, shape.value(at), write, &mut out)
            .map_err(|error| SegmentError::Damaged(format!("record {index}: {error}")))?;
        Ok(out)
    }
}

fn wrong(name: &str) -> SegmentError {
    SegmentError::Damaged(format!("column `{name}` is missing or of another type"))
}

fn holds_nonsense(index: u64, name: &str) -> SegmentError {
    SegmentError::Damaged(format!("record {index}: column `{name}` holds what no writer writes"))
}

fn unsigned(array: &PrimitiveArray<Int64Type>, at: usize, name: &str) -> Result<u64, SegmentError> {
    let value = array.is_valid(at).then(|| u64::try_from(array.value(at)).ok()).flatten();
    value.ok_or_else(|| SegmentError::Damaged(format!("column `{name}` holds a negative number")))
}

fn binary<'b>(array: &'b dyn Array, name: &str) -> Result<&'b BinaryArray, SegmentError> {
    array.as_binary_opt().ok_or_else(|| wrong(name))
}

fn fixed<'b>(array: &'b dyn Array, name: &str) -> Result<&'b FixedSizeBinaryArray, SegmentError> {
    array.as_fixed_size_binary_opt().ok_or_else(|| wrong(name))
}

fn bytes<const N: usize>(array: &FixedSizeBinaryArray, at: usize) -> Option<[u8; N]> {
    array.is_valid(at).then(|| array.value(at).try_into().ok())?
}

/// The values of one column of a batch, by its position in [`COLUMNS`].
pub(crate) fn cells_of(
    batch: &RecordBatch,
    column: usize,
) -> Result<impl Iterator<Item = Cell<'_>>, SegmentError> {
    let values = Values::of(batch, COLUMNS[column].name, COLUMNS[column].form)?;
    Ok((0..batch.num_rows()).map(move |at| values.cell(at)))
}
