//! Records on their way into a plain Parquet file, as Arrow arrays.
//!
//! Next door: `plain.rs` says which columns there are, `batch.rs` does the same for segments.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use event::Kind;

use crate::SegmentError;
use crate::batch::Builder;
use crate::cell::Cells;
use crate::column::COLUMNS;
use crate::plain::{PlainRecord, plain_schema};

/// Rows that were not written yet.
pub(crate) struct PlainBatch {
    rows: usize,
    index: Int64Builder,
    recorded_at: TimestampMillisecondBuilder,
    kind: StringBuilder,
    tier: StringBuilder,
    state: StringBuilder,
    typed: Vec<Builder>,
    meta: StringBuilder,
    content: StringBuilder,
}

impl PlainBatch {
    pub(crate) fn new() -> Self {
        Self {
            rows: 0,
            index: Int64Builder::new(),
            recorded_at: TimestampMillisecondBuilder::new().with_timezone("UTC"),
            kind: StringBuilder::new(),
            tier: StringBuilder::new(),
            state: StringBuilder::new(),
            typed: COLUMNS.iter().map(|column| Builder::new(column.form)).collect(),
            meta: StringBuilder::new(),
            content: StringBuilder::new(),
        }
    }

    /// Rows that wait.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn push(
        &mut self,
        record: &PlainRecord<'_>,
        cells: &Cells<'_>,
    ) -> Result<(), SegmentError> {
        self.index.append_value(signed("index", record.index)?);
        self.recorded_at.append_value(signed("record time", record.time_ms)?);
        self.kind.append_value(if record.kind == Kind::Log { "log" } else { "event" });
        self.tier.append_value(record.tier.as_str());
        self.state.append_value(record.state);
        for (builder, cell) in self.typed.iter_mut().zip(cells) {
            builder.push(cell);
        }
        self.meta.append_option(text(record.meta));
        self.content.append_option(text(record.content));
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
            Arc::new(self.state.finish()),
        ];
        arrays.extend(self.typed.iter_mut().map(Builder::finish));
        arrays.push(Arc::new(self.meta.finish()));
        arrays.push(Arc::new(self.content.finish()));
        RecordBatch::try_new(plain_schema(), arrays)
    }
}

/// The text, if there is one: sealed texts are UTF-8.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

fn signed(what: &'static str, value: u64) -> Result<i64, SegmentError> {
    let too_large = SegmentError::TooLarge { what, value, most: i64::MAX as u64 };
    i64::try_from(value).map_err(|_| too_large)
}
