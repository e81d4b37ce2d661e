//! Writing a segment: rows in, an encrypted Parquet file out.
//!
//! Memory is bounded by one row group in its encoded form and one batch. Not here: where the bytes
//! go, whether they are synced and when the file may be believed (`seal`, `store`).

use std::io::Write;

use event::{Kind, Record, Tier};
use keys::{KeyId, SecretKey};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;

use crate::SegmentError;
use crate::batch::{Batch, Fixed};
use crate::cell::no_cells;
use crate::column::{Part, schema};
use crate::properties::{ROW_GROUP_BYTES_MAX, ROW_GROUP_ROWS_MAX, writer_properties};
use crate::row::{ContentState, Row};
use crate::split::Splitter;

/// Most rows that wait unencoded: enough that the cost of a batch does not show.
const BATCH_ROWS_MAX: usize = 4096;

/// Most bytes of metadata and content that wait unencoded.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows.
    pub rows: u64,
    /// Row groups.
    pub row_groups: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// First and last index; `None` for a segment without rows.
    pub indexes: Option<(u64, u64)>,
    /// Earliest and latest record time in Unix milliseconds.
    pub times_ms: Option<(u64, u64)>,
}

/// Writes one segment.
pub struct SegmentWriter<W: Write + Send> {
    parquet: ArrowWriter<W>,
    batch: Batch,
    splitter: Splitter,
    meta_shape: Vec<u8>,
    content_shape: Vec<u8>,
    /// Bytes of metadata and content in `batch`.
    batch_bytes: usize,
    /// The same in the row group that was not ended yet, `batch` included.
    group_bytes: usize,
    group_rows: usize,
    rows: u64,
    indexes: Option<(u64, u64)>,
    times_ms: Option<(u64, u64)>,
}

/// A record or a row, as far as the two are alike.
struct Pushed<'r> {
    index: u64,
    kind: Kind,
    tier: Tier,
    time_ms: u64,
    meta: &'r [u8],
    meta_salt: &'r [u8; 16],
    content: &'r [u8],
    content_salt: Option<&'r [u8; 16]>,
    content_commitment: Option<&'r [u8; 32]>,
}

impl<W: Write + Send> SegmentWriter<W> {
    /// Begins a segment in `out`, encrypted under `key`, which must never be used for another file;
    /// `key_id` is how a reader finds it.
    ///
    /// # Errors
    /// [`SegmentError::Write`].
    pub fn new(out: W, key: &SecretKey, key_id: KeyId) -> Result<Self, SegmentError> {
        let properties =
            writer_properties(key, key_id).map_err(|error| SegmentError::writing(&error))?;
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            // Every type has a Parquet name of its own: an Arrow schema beside it says nothing.
            .with_skip_arrow_metadata(true);
        let parquet = ArrowWriter::try_new_with_options(out, schema(), options)
            .map_err(|error| SegmentError::writing(&error))?;
        Ok(Self {
            parquet,
            batch: Batch::new(),
            splitter: Splitter::default(),
            meta_shape: Vec::new(),
            content_shape: Vec::new(),
            batch_bytes: 0,
            group_bytes: 0,
            group_rows: 0,
            rows: 0,
            indexes: None,
            times_ms: None,
        })
    }

    /// Appends the record at `index`.
    ///
    /// # Errors
    /// [`SegmentError::Order`], [`SegmentError::TooLarge`] (the writer can go on), or
    /// [`SegmentError::Write`] (the file must be discarded).
    pub fn push(&mut self, index: u64, record: &Record<'_>) -> Result<(), SegmentError> {
        let is_present = !record.content.is_empty();
        self.append(&Pushed {
            index,
            kind: record.kind,
            tier: record.tier,
            time_ms: record.time_ms,
            meta: record.meta,
            meta_salt: &record.meta_salt,
            content: record.content,
            content_salt: is_present.then_some(&record.content_salt),
            content_commitment: None,
        })
    }

    /// Appends a row of another segment, whose content may have been erased.
    ///
    /// # Errors
    /// As [`push`](Self::push), and [`SegmentError::WithoutContent`].
    pub fn push_row(&mut self, row: &Row) -> Result<(), SegmentError> {
        let (content, salt, commitment) = match &row.content {
            ContentState::None => (&[][..], None, None),
            ContentState::Present { salt, bytes } => (bytes.as_slice(), Some(salt), None),
            ContentState::Erased { commitment } => (&[][..], None, Some(commitment)),
            ContentState::NotRead => {
                return Err(SegmentError::WithoutContent { index: row.index });
            }
        };
        self.append(&Pushed {
            index: row.index,
            kind: row.kind,
            tier: row.tier,
            time_ms: row.time_ms,
            meta: &row.meta,
            meta_salt: &row.meta_salt,
            content,
            // Bytes that are not there have no salt either.
            content_salt: salt.filter(|_| !content.is_empty()),
            content_commitment: commitment,
        })
    }

    /// Ends the segment: the footer is written and `out` flushed, not synced.
    ///
    /// # Errors
    /// [`SegmentError::Write`]: the file must be discarded.
    pub fn finish(mut self) -> Result<Summary, SegmentError> {
        self.end_batch()?;
        let footer = self.parquet.finish().map_err(|error| SegmentError::writing(&error))?;
        Ok(Summary {
            rows: self.rows,
            row_groups: footer.num_row_groups(),
            bytes: self.parquet.bytes_written() as u64,
            indexes: self.indexes,
            times_ms: self.times_ms,
        })
    }

    fn append(&mut self, pushed: &Pushed<'_>) -> Result<(), SegmentError> {
        if let Some((_, previous)) = self.indexes
            && pushed.index <= previous
        {
            return Err(SegmentError::Order { index: pushed.index, previous });
        }
        let index = signed("index", pushed.index)?;
        let recorded_at = signed("record time", pushed.time_ms)?;
        let bytes = pushed.meta.len() + pushed.content.len();
        if bytes > ROW_GROUP_BYTES_MAX {
            let (what, most) = ("the size in bytes", ROW_GROUP_BYTES_MAX as u64);
            return Err(SegmentError::TooLarge { what, value: bytes as u64, most });
        }
        self.make_room(bytes)?;
        let mut cells = no_cells();
        let Self { splitter, meta_shape, content_shape, .. } = self;
        splitter.split(Part::Meta, pushed.meta, &mut cells, meta_shape);
        splitter.split(Part::Content, pushed.content, &mut cells, content_shape);
        let fixed = Fixed {
            index,
            recorded_at,
            kind: pushed.kind as i8,
            tier: pushed.tier as i8,
            meta_shape,
            meta_salt: pushed.meta_salt,
            content_shape: pushed.content_salt.map(|_| content_shape.as_slice()),
            content_salt: pushed.content_salt,
            content_commitment: pushed.content_commitment,
        };
        self.batch.push(&fixed, &cells).map_err(|error| SegmentError::writing(&error))?;
        self.batch_bytes += bytes;
        self.group_bytes += bytes;
        self.group_rows += 1;
        self.rows += 1;
        let (first, time) = (pushed.index, pushed.time_ms);
        self.indexes = Some((self.indexes.map_or(first, |(first, _)| first), pushed.index));
        let (least, most) = self.times_ms.unwrap_or((time, time));
        self.times_ms = Some((least.min(time), most.max(time)));
        Ok(())
    }

    /// Ends batch and row group where `bytes` more would be too much for them.
    fn make_room(&mut self, bytes: usize) -> Result<(), SegmentError> {
        let group_is_full =
            self.group_rows >= ROW_GROUP_ROWS_MAX || self.group_bytes + bytes > ROW_GROUP_BYTES_MAX;
        let batch_is_full =
            self.batch.rows() >= BATCH_ROWS_MAX || self.batch_bytes + bytes > BATCH_BYTES_MAX;
        if group_is_full || batch_is_full {
            self.end_batch()?;
        }
        if group_is_full {
            self.parquet.flush().map_err(|error| SegmentError::writing(&error))?;
            self.group_rows = 0;
            self.group_bytes = 0;
        }
        Ok(())
    }

    fn end_batch(&mut self) -> Result<(), SegmentError> {
        let batch = self.batch.drain().map_err(|error| SegmentError::writing(&error))?;
        self.batch_bytes = 0;
        self.parquet.write(&batch).map_err(|error| SegmentError::writing(&error))
    }
}

fn signed(what: &'static str, value: u64) -> Result<i64, SegmentError> {
    let too_large = SegmentError::TooLarge { what, value, most: i64::MAX as u64 };
    i64::try_from(value).map_err(|_| too_large)
}
