//! Reading batches of one row group, with the failures of the source told from damage.
//!
//! Not here: which row groups (`rows`, `verify`), and what a batch means (`decode`).

use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelectionPolicy,
};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use crate::SegmentError;
use crate::guard::guarded;
use crate::row_set::RowSet;
use crate::segment::{Segment, rows_in};
use crate::source::{Chunks, Failure};

/// Most rows in a batch.
const BATCH_ROWS_MAX: u64 = 4096;

/// Below one row in so many, large columns are not read as a whole.
const SPARSE: u64 = 8;

/// Bytes of a column that is not large.
const HELD_BYTES_MAX: u64 = 96 << 10;

/// Bytes of a column to compute on that is read in one go, and not page by page: those whose values
/// repeat or are numbers have fewer in a row group.
const CODED_BYTES_MAX: u64 = 1 << 20;

/// About how many bytes a batch should take in memory.
const BATCH_BYTES: u64 = 8 << 20;

/// Hands out the rows of a row group as batches.
pub(crate) struct GroupReader {
    /// Gone after the last batch and after an error.
    parquet: Option<ParquetRecordBatchReader>,
    failure: Failure,
}

impl GroupReader {
    /// Begins to read the named columns of a row group, or all of them.
    pub(crate) fn open(
        segment: &Segment,
        group: usize,
        names: Option<&[&str]>,
    ) -> Result<Self, SegmentError> {
        Self::open_rows(segment, group, names, None)
    }

    /// The same for columns to compute on: texts that repeat come as numbers of a dictionary, and
    /// as many rows in a batch as memory allows.
    pub(crate) fn open_coded(
        segment: &Segment,
        group: usize,
        names: &[&str],
    ) -> Result<Self, SegmentError> {
        let Some(footer) = segment.footer().row_groups().get(group) else {
            return Err(SegmentError::Damaged(format!("there is no row group {group}")));
        };
        let wanted = wanted(footer, Some(names));
        let bytes = wanted.iter().map(|at| footer.column(*at).uncompressed_size()).sum();
        let mut chunks = Chunks::of_pages(Arc::clone(&segment.source));
        let failure = chunks.failure();
        let metadata = segment.coded()?.clone();
        let parquet = guarded(|| {
            let ranges = wanted.iter().map(|at| footer.column(*at).byte_range());
            let ranges = ranges.filter(|(_, length)| *length <= CODED_BYTES_MAX);
            chunks.hold(&ranges.collect::<Vec<_>>()).map_err(|e| SegmentError::reading(&e))?;
            let columns = segment.footer().file_metadata().schema_descr();
            ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, metadata)
                .with_row_groups(vec![group])
                .with_projection(ProjectionMask::leaves(columns, wanted.iter().copied()))
                .with_batch_size(rows_within(rows_in(footer), bytes, u64::MAX))
                .build()
                .map_err(|error| SegmentError::reading(&error))
        });
        let parquet = parquet.map_err(|error| told_apart(error, &failure))?;
        Ok(Self { parquet: Some(parquet), failure })
    }

    /// The same for some rows of the row group, given by their positions in it. Pages without any
    /// of them are passed over, encrypted as they are.
    pub(crate) fn open_rows(
        segment: &Segment,
        group: usize,
        names: Option<&[&str]>,
        rows: Option<&RowSet>,
    ) -> Result<Self, SegmentError> {
        let footer = segment.footer();
        let Some(group_footer) = footer.row_groups().get(group) else {
            return Err(SegmentError::Damaged(format!("there is no row group {group}")));
        };
        let wanted = wanted(group_footer, names);
        let mut chunks = Chunks::of_pages(Arc::clone(&segment.source));
        let failure = chunks.failure();
        let parquet = guarded(|| {
            if let Some(rows) = rows {
                // Of a large column a few pages are read, by themselves, where few rows are wanted.
                let is_sparse = (rows.len() as u64).saturating_mul(SPARSE) < rows_in(group_footer);
                let most = if is_sparse { HELD_BYTES_MAX } else { u64::MAX };
                let ranges = wanted.iter().map(|at| group_footer.column(*at).byte_range());
                let ranges = ranges.filter(|(_, length)| *length <= most);
                chunks.hold(&ranges.collect::<Vec<_>>()).map_err(|e| SegmentError::reading(&e))?;
            }
            let metadata = segment.metadata.clone();
            let columns = footer.file_metadata().schema_descr();
            let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, metadata)
                .with_row_groups(vec![group])
                .with_projection(ProjectionMask::leaves(columns, wanted.iter().copied()))
                .with_batch_size(batch_rows(group_footer));
            if let Some(rows) = rows {
                // Every column makes room for a whole batch.
                builder = builder.with_batch_size(rows.len().clamp(1, batch_rows(group_footer)));
                let total = usize::try_from(rows_in(group_footer)).unwrap_or(usize::MAX);
                let ranges = rows.ranges().into_iter().filter(|range| range.end <= total);
                builder = builder
                    .with_row_selection(RowSelection::from_consecutive_ranges(ranges, total))
                    .with_row_selection_policy(RowSelectionPolicy::Selectors);
            }
            builder.build().map_err(|error| SegmentError::reading(&error))
        });
        let parquet = parquet.map_err(|error| told_apart(error, &failure))?;
        Ok(Self { parquet: Some(parquet), failure })
    }

    /// The next batch; `None` after the last one and after an error.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>, SegmentError> {
        let Some(mut parquet) = self.parquet.take() else { return Ok(None) };
        let batch = guarded(|| parquet.next().transpose().map_err(|e| SegmentError::reading(&e)));
        let batch = batch.map_err(|error| told_apart(error, &self.failure))?;
        if batch.is_some() {
            self.parquet = Some(parquet);
        }
        Ok(batch)
    }
}

/// The positions of the columns with these names, or of all, ascending; without those of which the
/// footer says that they hold nothing, except where that would leave none.
fn wanted(group: &RowGroupMetaData, names: Option<&[&str]>) -> Vec<usize> {
    let rows = rows_in(group);
    let is_named = |column: &ColumnChunkMetaData| {
        names.is_none_or(|names| names.contains(&column.column_path().string().as_str()))
    };
    let is_empty = |column: &ColumnChunkMetaData| {
        column.statistics().and_then(|it| it.null_count_opt()).is_some_and(|nulls| nulls == rows)
    };
    let named = || group.columns().iter().enumerate().filter(|(_, column)| is_named(column));
    let filled: Vec<usize> =
        named().filter(|(_, column)| !is_empty(column)).map(|(at, _)| at).collect();
    match filled.is_empty() {
        true => named().map(|(at, _)| at).take(1).collect(),
        false => filled,
    }
}

fn told_apart(error: SegmentError, failure: &Failure) -> SegmentError {
    failure.take().map_or(error, SegmentError::Read)
}

/// Rows in a batch, so that it takes about [`BATCH_BYTES`].
fn batch_rows(group: &RowGroupMetaData) -> usize {
    rows_within(rows_in(group), group.total_byte_size(), BATCH_ROWS_MAX)
}

/// Of `rows` rows that take so many bytes as many as may be in a batch, and not more than `most`.
fn rows_within(rows: u64, bytes: i64, most: u64) -> usize {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).max(1);
    let fit = BATCH_BYTES.saturating_mul(rows) / bytes;
    usize::try_from(fit.clamp(1, most.min(rows.max(1)))).unwrap_or(1)
}
