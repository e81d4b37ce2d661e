//! Reading batches of one row group, with the failures of the source told from damage.
//!
//! Not here: which row groups (`rows`, `verify`), and what a batch means (`decode`).

use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::RowGroupMetaData;

use crate::SegmentError;
use crate::guard::guarded;
use crate::segment::{Segment, rows_in};
use crate::source::{Chunks, Failure};

/// Most rows in a batch.
const BATCH_ROWS_MAX: u64 = 4096;

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
        let footer = segment.footer();
        let Some(group_footer) = footer.row_groups().get(group) else {
            return Err(SegmentError::Damaged(format!("there is no row group {group}")));
        };
        let chunks = Chunks::of_pages(Arc::clone(&segment.source));
        let failure = chunks.failure();
        let parquet = guarded(|| {
            let metadata = segment.metadata.clone();
            let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, metadata)
                .with_row_groups(vec![group])
                .with_batch_size(batch_rows(group_footer));
            if let Some(names) = names {
                let columns = footer.file_metadata().schema_descr();
                let mask = ProjectionMask::columns(columns, names.iter().copied());
                builder = builder.with_projection(mask);
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

fn told_apart(error: SegmentError, failure: &Failure) -> SegmentError {
    failure.take().map_or(error, SegmentError::Read)
}

/// Rows in a batch, so that it takes about [`BATCH_BYTES`].
fn batch_rows(group: &RowGroupMetaData) -> usize {
    let bytes = u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX).max(1);
    let rows = BATCH_BYTES.saturating_mul(rows_in(group)) / bytes;
    usize::try_from(rows.clamp(1, BATCH_ROWS_MAX)).unwrap_or(1)
}
