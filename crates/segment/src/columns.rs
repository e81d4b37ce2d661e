//! Columns for an engine that computes on them: those of a row group, those that rows would have,
//! and what the footer says about the values of each row group.
//!
//! Not here: rows (`rows`, `decode`), and what a question does with columns (`query`).

use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::{
    ArrayRef, Int8Array, Int64Array, RecordBatch, TimestampMillisecondArray, new_null_array,
};
use arrow_schema::{ArrowError, Field, FieldRef, Schema};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use crate::SegmentError;
use crate::batch::Builder;
use crate::column::{COLUMNS, CONTENT_COMMITMENT, INDEX, KIND, RECORDED_AT, TIER, schema};
use crate::group_reader::GroupReader;
use crate::guard::guarded;
use crate::peek::Peeker;
use crate::row::{ContentState, Row};
use crate::segment::Segment;

/// The least and the greatest value of a column in each row group, as far as the footer tells.
#[derive(Clone, Debug)]
pub struct Extremes {
    /// The least values: one for each row group, null where it is not told.
    pub least: ArrayRef,
    /// The greatest values.
    pub greatest: ArrayRef,
}

impl Segment {
    /// The named columns of a row group as batches, in the order of the rows; names that no segment
    /// has are left out. Texts that repeat may come as numbers of a dictionary.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] or [`SegmentError::Read`].
    pub fn columns(&self, group: usize, names: &[&str]) -> Result<Vec<RecordBatch>, SegmentError> {
        let mut reader = GroupReader::open_coded(self, group, names)?;
        let mut batches = Vec::new();
        while let Some(batch) = reader.next()? {
            batches.push(completed(&batch, names)?);
        }
        Ok(batches)
    }

    /// Whole rows of a row group as batches, for [`decode`](crate::decode).
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] or [`SegmentError::Read`].
    pub fn batches(&self, group: usize) -> Result<Vec<RecordBatch>, SegmentError> {
        let mut reader = GroupReader::open(self, group, None)?;
        std::iter::from_fn(|| reader.next().transpose()).collect()
    }

    /// What the footer says about a column; `None` where it says nothing.
    #[must_use]
    pub fn extremes(&self, name: &str) -> Option<Extremes> {
        let footer = self.footer();
        let (schema, groups) = (schema(), footer.row_groups());
        let told = guarded(|| {
            let failed = |error| SegmentError::reading(&error);
            let parquet = footer.file_metadata().schema_descr();
            let values = StatisticsConverter::try_new(name, &schema, parquet).map_err(failed)?;
            let least = values.row_group_mins(groups).map_err(failed)?;
            let greatest = values.row_group_maxes(groups).map_err(failed)?;
            Ok(Extremes { least, greatest })
        });
        told.ok().filter(|told| told.least.len() == groups.len())
    }
}

/// The batch with all named columns: those that hold nothing in this row group are not read.
fn completed(batch: &RecordBatch, names: &[&str]) -> Result<RecordBatch, SegmentError> {
    let schema = schema();
    let named = |field: &&FieldRef| names.contains(&field.name().as_str());
    let fields: Vec<FieldRef> = schema.fields().iter().filter(named).cloned().collect();
    let array = |field: &FieldRef| match batch.column_by_name(field.name()) {
        Some(array) => Arc::clone(array),
        None => new_null_array(field.data_type(), batch.num_rows()),
    };
    let arrays: Vec<ArrayRef> = fields.iter().map(array).collect();
    let typed = |(field, array): (&FieldRef, &ArrayRef)| {
        field.as_ref().clone().with_data_type(array.data_type().clone())
    };
    let fields: Vec<Field> = fields.iter().zip(&arrays).map(typed).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|error| SegmentError::reading(&error))
}

/// Some columns that these rows have in a segment, for rows that are in none yet: the named ones,
/// in the order of the schema. Only members of the texts that were asked for are read; a row's
/// salts and shapes are nobody's columns.
///
/// # Errors
/// [`SegmentError::TooLarge`] for an index or a time that no column holds;
/// [`SegmentError::Write`] when Arrow refuses.
pub fn columns_of<'r>(
    rows: impl IntoIterator<Item = &'r Row>,
    names: &[&str],
) -> Result<RecordBatch, SegmentError> {
    let refused = |error: ArrowError| SegmentError::writing(&error);
    let peeker = Peeker::new(names);
    let mut fixed = FixedColumns::default();
    let mut members: Vec<Option<Builder>> = peeker.builders(names);
    let mut cells = Vec::new();
    for row in rows {
        fixed.push(row)?;
        peeker.peek(row, &mut cells);
        for (builder, cell) in members.iter_mut().zip(&cells) {
            if let Some(builder) = builder {
                builder.push(cell);
            }
        }
    }
    let mut arrays = fixed.finish();
    let named = peeker.positions().zip(members);
    arrays
        .extend(named.filter_map(|(at, builder)| Some((COLUMNS.get(at)?.name, builder?.finish()))));
    let schema = schema();
    let (fields, arrays): (Vec<FieldRef>, Vec<ArrayRef>) = schema
        .fields()
        .iter()
        .filter(|field| names.contains(&field.name().as_str()))
        .filter_map(|field| {
            let (_, array) = arrays.iter().find(|(name, _)| name == field.name())?;
            Some((Arc::clone(field), Arc::clone(array)))
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(refused)
}

/// The columns that are of a row itself, whatever stands in its texts. They are cheap, so nobody
/// asks which of them are wanted.
#[derive(Default)]
struct FixedColumns {
    index: Vec<i64>,
    recorded_at: Vec<i64>,
    kind: Vec<i8>,
    tier: Vec<i8>,
    commitments: Vec<Option<[u8; 32]>>,
}

impl FixedColumns {
    fn push(&mut self, row: &Row) -> Result<(), SegmentError> {
        self.index.push(signed("index", row.index)?);
        self.recorded_at.push(signed("record time", row.time_ms)?);
        self.kind.push(row.kind as i8);
        self.tier.push(row.tier as i8);
        self.commitments.push(match &row.content {
            ContentState::Erased { commitment } => Some(*commitment),
            ContentState::None | ContentState::Present { .. } | ContentState::NotRead => None,
        });
        Ok(())
    }

    fn finish(self) -> Vec<(&'static str, ArrayRef)> {
        let mut commitments = FixedSizeBinaryBuilder::new(32);
        for commitment in self.commitments {
            match commitment {
                // Of the right size, which is all that could be refused.
                Some(commitment) => drop(commitments.append_value(commitment)),
                None => commitments.append_null(),
            }
        }
        let times = TimestampMillisecondArray::from(self.recorded_at).with_timezone("UTC");
        vec![
            (INDEX, Arc::new(Int64Array::from(self.index))),
            (RECORDED_AT, Arc::new(times)),
            (KIND, Arc::new(Int8Array::from(self.kind))),
            (TIER, Arc::new(Int8Array::from(self.tier))),
            (CONTENT_COMMITMENT, Arc::new(commitments.finish())),
        ]
    }
}

fn signed(what: &'static str, value: u64) -> Result<i64, SegmentError> {
    let too_large = SegmentError::TooLarge { what, value, most: i64::MAX as u64 };
    i64::try_from(value).map_err(|_| too_large)
}
