//! Columns for an engine that computes on them: those of a row group, those that rows would have,
//! and what the footer says about the values of each row group.
//!
//! Not here: rows (`rows`, `decode`), and what a question does with columns (`query`).

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{FieldRef, Schema};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use crate::SegmentError;
use crate::batch::{Batch, Fixed};
use crate::cell::no_cells;
use crate::column::{Part, schema};
use crate::group_reader::GroupReader;
use crate::guard::guarded;
use crate::row::{ContentState, Row};
use crate::segment::Segment;
use crate::split::Splitter;

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
    /// has are left out.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] or [`SegmentError::Read`].
    pub fn columns(&self, group: usize, names: &[&str]) -> Result<Vec<RecordBatch>, SegmentError> {
        let mut reader = GroupReader::open(self, group, Some(names))?;
        let mut batches = Vec::new();
        while let Some(batch) = reader.next()? {
            batches.push(completed(&batch, names)?);
        }
        Ok(batches)
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
    let arrays = fields.iter().map(array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|error| SegmentError::reading(&error))
}

/// The columns that these rows have in a segment, for rows that are in none yet.
///
/// # Errors
/// [`SegmentError::TooLarge`] for an index or a time that no column holds;
/// [`SegmentError::Write`] when Arrow refuses.
pub fn columns_of(rows: &[Row]) -> Result<RecordBatch, SegmentError> {
    let (mut batch, mut splitter) = (Batch::new(), Splitter::default());
    let (mut meta_shape, mut content_shape) = (Vec::new(), Vec::new());
    for row in rows {
        let mut cells = no_cells();
        splitter.split(Part::Meta, &row.meta, &mut cells, &mut meta_shape);
        splitter.split(Part::Content, row.content.bytes(), &mut cells, &mut content_shape);
        let (salt, commitment) = match &row.content {
            ContentState::Present { salt, .. } => (Some(salt), None),
            ContentState::Erased { commitment } => (None, Some(commitment)),
            ContentState::None | ContentState::NotRead => (None, None),
        };
        let fixed = Fixed {
            index: signed("index", row.index)?,
            recorded_at: signed("record time", row.time_ms)?,
            kind: row.kind as i8,
            tier: row.tier as i8,
            meta_shape: &meta_shape,
            meta_salt: &row.meta_salt,
            content_shape: salt.map(|_| content_shape.as_slice()),
            content_salt: salt,
            content_commitment: commitment,
        };
        batch.push(&fixed, &cells).map_err(|error| SegmentError::writing(&error))?;
    }
    batch.drain().map_err(|error| SegmentError::writing(&error))
}

fn signed(what: &'static str, value: u64) -> Result<i64, SegmentError> {
    let too_large = SegmentError::TooLarge { what, value, most: i64::MAX as u64 };
    i64::try_from(value).map_err(|_| too_large)
}
