//! Rows on their way into a row group: one builder a column, drained as an Arrow batch.
//!
//! Not here: when a batch is full (`writer`), and how Parquet encodes it (`properties`).

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, FixedSizeBinaryBuilder, Float64Builder, Int8Builder, Int64Builder,
    StringBuilder, TimestampMillisecondBuilder, TimestampNanosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;

use crate::cell::{Cell, Cells};
use crate::column::{COLUMNS, Form, schema};

/// The values of one of [`COLUMNS`].
pub(crate) enum Builder {
    Text(StringBuilder),
    Number(Float64Builder),
    Count(Int64Builder),
    Time(TimestampNanosecondBuilder),
}

impl Builder {
    pub(crate) fn new(form: Form) -> Self {
        match form {
            Form::Text | Form::Json => Self::Text(StringBuilder::new()),
            Form::Number => Self::Number(Float64Builder::new()),
            Form::Count => Self::Count(Int64Builder::new()),
            Form::Time => Self::Time(TimestampNanosecondBuilder::new().with_timezone("UTC")),
        }
    }

    pub(crate) fn push(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Number(builder), Cell::Number(number)) => builder.append_value(*number),
            (Self::Count(builder), Cell::Integer(count)) => builder.append_value(*count),
            (Self::Time(builder), Cell::Integer(time)) => builder.append_value(*time),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Number(builder), _) => builder.append_null(),
            (Self::Count(builder), _) => builder.append_null(),
            (Self::Time(builder), _) => builder.append_null(),
        }
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Count(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
        }
    }
}

/// What a row has beside its cells.
pub(crate) struct Fixed<'r> {
    pub(crate) index: i64,
    pub(crate) recorded_at: i64,
    pub(crate) kind: i8,
    pub(crate) tier: i8,
    pub(crate) meta_shape: &'r [u8],
    pub(crate) meta_salt: &'r [u8; 16],
    pub(crate) content_shape: Option<&'r [u8]>,
    pub(crate) content_salt: Option<&'r [u8; 16]>,
    pub(crate) content_commitment: Option<&'r [u8; 32]>,
}

/// Rows that were not written yet.
pub(crate) struct Batch {
    rows: usize,
    index: Int64Builder,
    recorded_at: TimestampMillisecondBuilder,
    kind: Int8Builder,
    tier: Int8Builder,
    values: Vec<Builder>,
    meta_shape: BinaryBuilder,
    meta_salt: FixedSizeBinaryBuilder,
    content_shape: BinaryBuilder,
    content_salt: FixedSizeBinaryBuilder,
    content_commitment: FixedSizeBinaryBuilder,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            rows: 0,
            index: Int64Builder::new(),
            recorded_at: TimestampMillisecondBuilder::new().with_timezone("UTC"),
            kind: Int8Builder::new(),
            tier: Int8Builder::new(),
            values: COLUMNS.iter().map(|column| Builder::new(column.form)).collect(),
            meta_shape: BinaryBuilder::new(),
            meta_salt: FixedSizeBinaryBuilder::new(16),
            content_shape: BinaryBuilder::new(),
            content_salt: FixedSizeBinaryBuilder::new(16),
            content_commitment: FixedSizeBinaryBuilder::new(32),
        }
    }

    /// Rows that wait.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn push(&mut self, fixed: &Fixed<'_>, cells: &Cells<'_>) -> Result<(), ArrowError> {
        self.index.append_value(fixed.index);
        self.recorded_at.append_value(fixed.recorded_at);
        self.kind.append_value(fixed.kind);
        self.tier.append_value(fixed.tier);
        for (builder, cell) in self.values.iter_mut().zip(cells) {
            builder.push(cell);
        }
        self.meta_shape.append_value(fixed.meta_shape);
        self.meta_salt.append_value(fixed.meta_salt)?;
        self.content_shape.append_option(fixed.content_shape);
        append(&mut self.content_salt, fixed.content_salt)?;
        append(&mut self.content_commitment, fixed.content_commitment)?;
        self.rows += 1;
        Ok(())
    }

    /// All rows that wait, as one batch; none wait afterwards.
    pub(crate) fn drain(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.index.finish()),
            Arc::new(self.recorded_at.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.tier.finish()),
        ];
        arrays.extend(self.values.iter_mut().map(Builder::finish));
        arrays.extend([
            Arc::new(self.meta_shape.finish()) as ArrayRef,
            Arc::new(self.meta_salt.finish()),
            Arc::new(self.content_shape.finish()),
            Arc::new(self.content_salt.finish()),
            Arc::new(self.content_commitment.finish()),
        ]);
        RecordBatch::try_new(schema(), arrays)
    }
}

fn append<const N: usize>(
    builder: &mut FixedSizeBinaryBuilder,
    value: Option<&[u8; N]>,
) -> Result<(), ArrowError> {
    match value {
        Some(value) => builder.append_value(value),
        None => {
            builder.append_null();
            Ok(())
        }
    }
}
