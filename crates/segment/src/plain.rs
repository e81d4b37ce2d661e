//! Records for other programs: the columns of a segment without its secrets, and the whole texts of
//! metadata and content beside them. Not encrypted, not committed to, not read back by anybody
//! here.
//!
//! Not here: which records they are, and whether somebody may have them (`cli`). The Arrow arrays
//! are built next door in `plain_batch.rs`.

use std::io::Write;
use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use event::{Kind, Tier};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::SegmentError;
use crate::cell::{Cell, Cells, no_cells};
use crate::column::{COLUMNS, Form, Part, schema};
use crate::plain_batch::PlainBatch;
use crate::split::Splitter;

/// The columns before the typed ones.
pub const PLAIN_FIXED: [&str; 5] = ["index", "recorded_at", "kind", "tier", "state"];

/// Most rows in a row group.
const ROW_GROUP_ROWS_MAX: usize = 1 << 16;

/// Most bytes of metadata and content in a row group.
const ROW_GROUP_BYTES_MAX: usize = 64 << 20;

/// Most rows, and bytes, that wait unencoded.
const BATCH_ROWS_MAX: usize = 4096;
const BATCH_BYTES_MAX: usize = 8 << 20;

/// A record as it is handed on.
#[derive(Clone, Copy, Debug)]
pub struct PlainRecord<'r> {
    /// Its index in the log.
    pub index: u64,
    /// Record time in Unix milliseconds.
    pub time_ms: u64,
    /// Who made it.
    pub kind: Kind,
    /// How long it must be kept.
    pub tier: Tier,
    /// What is left of it, as machine output says it.
    pub state: &'r str,
    /// The metadata's bytes.
    pub meta: &'r [u8],
    /// The content's bytes; empty when there are none, or they are not handed on.
    pub content: &'r [u8],
}

/// A value of a typed column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlainValue<'v> {
    /// The record has none.
    None,
    /// A text, decoded.
    Text(&'v str),
    /// JSON text.
    Json(&'v str),
    /// A number.
    Number(f64),
    /// A whole number.
    Count(i64),
    /// Nanoseconds since 1970, UTC.
    Time(i64),
}

/// Takes records apart into typed columns, with buffers that live from one to the next.
#[derive(Default)]
pub struct Plainer {
    splitter: Splitter,
    shape: Vec<u8>,
}

impl Plainer {
    /// The names of the typed columns of the metadata, in the order of [`Plainer::meta`].
    pub fn meta_names() -> impl Iterator<Item = &'static str> {
        COLUMNS.iter().filter(|column| column.place.part() == Part::Meta).map(|column| column.name)
    }

    /// Hands out the values of the typed columns of the metadata, one for each name.
    pub fn meta(&mut self, meta: &[u8], each: &mut dyn FnMut(PlainValue<'_>)) {
        let mut cells = no_cells();
        self.splitter.split(Part::Meta, meta, &mut cells, &mut self.shape);
        for (cell, column) in cells.iter().zip(&COLUMNS) {
            if column.place.part() == Part::Meta {
                each(value(cell, column.form));
            }
        }
    }

    fn cells<'r>(&mut self, record: &PlainRecord<'r>) -> Cells<'r> {
        let mut cells = no_cells();
        self.splitter.split(Part::Meta, record.meta, &mut cells, &mut self.shape);
        self.splitter.split(Part::Content, record.content, &mut cells, &mut self.shape);
        cells
    }
}

fn value<'c>(cell: &'c Cell<'_>, form: Form) -> PlainValue<'c> {
    match (cell, form) {
        (Cell::Null, _) => PlainValue::None,
        (Cell::Text(text), Form::Json) => PlainValue::Json(text),
        (Cell::Text(text), _) => PlainValue::Text(text),
        (Cell::Number(number), _) => PlainValue::Number(*number),
        (Cell::Integer(integer), Form::Time) => PlainValue::Time(*integer),
        (Cell::Integer(integer), _) => PlainValue::Count(*integer),
    }
}

/// The columns of a plain file: [`PLAIN_FIXED`], the typed columns of a segment, `meta` and
/// `content` as JSON text.
#[must_use]
pub fn plain_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let recorded_at = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let types = [DataType::Int64, recorded_at, DataType::Utf8, DataType::Utf8, DataType::Utf8];
        let fixed = PLAIN_FIXED.iter().zip(types).map(|(name, of)| Field::new(*name, of, false));
        let segment = schema();
        let typed = COLUMNS.iter().filter_map(|c| segment.field_with_name(c.name).ok()).cloned();
        let texts = ["meta", "content"].map(|name| Field::new(name, DataType::Utf8, true));
        Arc::new(Schema::new(fixed.chain(typed).chain(texts).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

/// Writes records as one Parquet file that any reader opens.
pub struct PlainWriter<W: Write + Send> {
    parquet: ArrowWriter<W>,
    plainer: Plainer,
    batch: PlainBatch,
    batch_bytes: usize,
    group_rows: usize,
    group_bytes: usize,
}

impl<W: Write + Send> PlainWriter<W> {
    /// Begins a file. `notes` are key-value pairs for its footer.
    ///
    /// # Errors
    /// [`SegmentError::Write`].
    pub fn new(out: W, notes: &[(&str, &str)]) -> Result<Self, SegmentError> {
        let failed = |error: ParquetError| SegmentError::writing(&error);
        let notes = notes.iter().map(|(key, value)| {
            parquet::file::metadata::KeyValue::new((*key).to_owned(), (*value).to_owned())
        });
        let zstd = ZstdLevel::try_new(1).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(zstd))
            .set_max_row_group_row_count(None)
            .set_key_value_metadata(Some(notes.collect()))
            .build();
        let options = ArrowWriterOptions::new().with_properties(properties);
        let parquet =
            ArrowWriter::try_new_with_options(out, plain_schema(), options).map_err(failed)?;
        Ok(Self {
            parquet,
            plainer: Plainer::default(),
            batch: PlainBatch::new(),
            batch_bytes: 0,
            group_rows: 0,
            group_bytes: 0,
        })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// [`SegmentError::TooLarge`], [`SegmentError::Write`]: the file must be discarded.
    pub fn push(&mut self, record: &PlainRecord<'_>) -> Result<(), SegmentError> {
        let bytes = record.meta.len() + record.content.len();
        if self.batch.rows() >= BATCH_ROWS_MAX || self.batch_bytes + bytes > BATCH_BYTES_MAX {
            self.end_batch()?;
        }
        if self.group_rows >= ROW_GROUP_ROWS_MAX || self.group_bytes > ROW_GROUP_BYTES_MAX {
            self.end_batch()?;
            self.parquet.flush().map_err(|error| SegmentError::writing(&error))?;
            (self.group_rows, self.group_bytes) = (0, 0);
        }
        let cells = self.plainer.cells(record);
        self.batch.push(record, &cells)?;
        self.batch_bytes += bytes;
        self.group_bytes += bytes;
        self.group_rows += 1;
        Ok(())
    }

    /// Ends the file and gives `out` back.
    ///
    /// # Errors
    /// [`SegmentError::Write`]: the file must be discarded.
    pub fn finish(mut self) -> Result<W, SegmentError> {
        self.end_batch()?;
        self.parquet.into_inner().map_err(|error| SegmentError::writing(&error))
    }

    fn end_batch(&mut self) -> Result<(), SegmentError> {
        let batch = self.batch.drain().map_err(|error| SegmentError::writing(&error))?;
        self.batch_bytes = 0;
        self.parquet.write(&batch).map_err(|error| SegmentError::writing(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    fn record(index: u64) -> PlainRecord<'static> {
        PlainRecord {
            index,
            time_ms: 1_767_225_600_000 + index,
            kind: Kind::Event,
            tier: Tier::Info,
            state: "present",
            meta:
                br#"{"schema":"s","event_id":"e","tool":"=cmd","tokens":{"input":3},"tags":["a"]}"#,
            content: br#"{"params":{"n":1}}"#,
        }
    }

    #[test]
    fn a_plain_file_opens_without_a_key_and_has_every_row() {
        let mut writer = PlainWriter::new(Vec::new(), &[("note", "here")]).unwrap();
        (0..10_000).for_each(|index| writer.push(&record(index)).unwrap());
        let file = Bytes::from(writer.finish().unwrap());
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert_eq!(reader.schema().fields().len(), PLAIN_FIXED.len() + COLUMNS.len() + 2);
        let notes = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap();
        assert!(notes.iter().any(|note| note.key == "note"));
        let rows: usize = reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, 10_000);
    }

    #[test]
    fn every_name_has_a_value_of_its_form() {
        let (mut values, names) = (Vec::new(), Plainer::meta_names().collect::<Vec<_>>());
        Plainer::default().meta(record(0).meta, &mut |value| values.push(format!("{value:?}")));
        assert_eq!(values.len(), names.len());
        let of = |name| values[names.iter().position(|it| *it == name).unwrap()].as_str();
        assert_eq!(of("tool"), r#"Text("=cmd")"#);
        assert_eq!(of("tokens_input"), "Count(3)");
        assert_eq!(of("tags"), r#"Json("[\"a\"]")"#);
        assert_eq!(of("agent_name"), "None");
    }
}
