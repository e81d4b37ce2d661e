//! The answer to a statement: rows of values, written as a table, JSON or CSV.

use crate::escape::{escape, escape_json};
use crate::found::AsOf;
use crate::render::{Column, table};
use crate::row::write_checkpoint;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use std::io::{self, Write};

/// Why the answer ends before its last row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// There are more rows than were asked for.
    Rows,
    /// The rows take more memory than they may.
    Bytes,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Answer {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    cut: Option<Cut>,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// For people: aligned.
    Table,
    /// One document, which names the checkpoint.
    Json,
    /// One object a line.
    Ndjson,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
}

impl Answer {
    pub(super) fn new(schema: SchemaRef, batches: Vec<RecordBatch>, cut: Option<Cut>) -> Self {
        Self { schema, batches, cut }
    }

    /// The names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// Rows.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Why it is not all, if it is not.
    #[must_use]
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// The rows as texts; null as `None`.
    ///
    /// # Errors
    /// [`io::Error`] when a value cannot be written as text.
    pub fn texts(&self) -> io::Result<Vec<Vec<Option<String>>>> {
        let mut rows = Vec::new();
        self.each_row(|cells| {
            rows.push(cells.iter().map(Cell::text).collect::<io::Result<_>>()?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Writes it. Whatever a value holds, nothing that a terminal would obey comes out.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, layout: Layout, as_of: &AsOf, out: &mut impl Write) -> io::Result<()> {
        match layout {
            Layout::Table => self.write_table(out),
            Layout::Json => self.write_json(as_of, out),
            Layout::Ndjson => self.write_lines(out),
            Layout::Csv => self.write_csv(out),
        }
    }

    fn each_row(&self, mut see: impl FnMut(&[Cell<'_>]) -> io::Result<()>) -> io::Result<()> {
        // Times as RFC 3339, which is what they are everywhere else.
        let options = FormatOptions::new();
        for batch in &self.batches {
            let formatters = batch
                .columns()
                .iter()
                .map(|array| ArrayFormatter::try_new(array, &options))
                .collect::<Result<Vec<_>, ArrowError>>()
                .map_err(io::Error::other)?;
            for row in 0..batch.num_rows() {
                let cells: Vec<Cell<'_>> = batch
                    .columns()
                    .iter()
                    .zip(&formatters)
                    .map(|(array, formatter)| Cell { array, formatter, row })
                    .collect();
                see(&cells)?;
            }
        }
        Ok(())
    }

    fn write_json(&self, as_of: &AsOf, out: &mut impl Write) -> io::Result<()> {
        let mut text = b"{".to_vec();
        write_checkpoint(as_of, &mut text);
        text.extend_from_slice(b",\"columns\":[");
        for (at, name) in self.columns().enumerate() {
            separate(at, &mut text);
            write_string(name, &mut text);
        }
        text.extend_from_slice(b"],\"rows\":[");
        out.write_all(&text)?;
        let mut is_first = true;
        self.each_row(|cells| {
            text.clear();
            text.extend_from_slice(if is_first { b"[" } else { b",[" });
            is_first = false;
            for (at, cell) in cells.iter().enumerate() {
                separate(at, &mut text);
                cell.write_json(&mut text)?;
            }
            text.push(b']');
            out.write_all(&text)
        })?;
        let cut = if self.cut.is_some() { "true" } else { "false" };
        writeln!(out, "],\"truncated\":{cut}}}")
    }

    fn write_lines(&self, out: &mut impl Write) -> io::Result<()> {
        let names: Vec<Vec<u8>> = self
            .columns()
            .map(|name| {
                let mut text = Vec::new();
                write_string(name, &mut text);
                text.push(b':');
                text
            })
            .collect();
        let mut text = Vec::new();
        self.each_row(|cells| {
            text.clear();
            text.push(b'{');
            for (at, (cell, name)) in cells.iter().zip(&names).enumerate() {
                separate(at, &mut text);
                text.extend_from_slice(name);
                cell.write_json(&mut text)?;
            }
            text.extend_from_slice(b"}\n");
            out.write_all(&text)
        })
    }

    fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let line = |cells: Vec<String>, out: &mut dyn Write| {
            let cells: Vec<String> = cells.iter().map(|cell| quoted(&escape(cell))).collect();
            out.write_all(cells.join(",").as_bytes())?;
            out.write_all(b"\r\n")
        };
        line(self.columns().map(str::to_owned).collect(), out)?;
        self.each_row(|cells| {
            let texts = cells.iter().map(|cell| Ok(cell.text()?.unwrap_or_default()));
            line(texts.collect::<io::Result<_>>()?, out)
        })
    }

    fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let columns: Vec<Column> = self
            .schema
            .fields()
            .iter()
            .map(|field| Column {
                name: field.name().clone(),
                is_number: field.data_type().is_numeric(),
            })
            .collect();
        table(&columns, &self.texts()?, out)
    }
}

fn separate(at: usize, text: &mut Vec<u8>) {
    if at > 0 {
        text.push(b',');
    }
}

fn write_string(value: &str, out: &mut Vec<u8>) {
    escape_json(&serde_json::Value::from(value).to_string(), out);
}

/// A cell of CSV, in quotes where it needs them.
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell.to_owned()
}

/// One value.
struct Cell<'a> {
    array: &'a ArrayRef,
    formatter: &'a ArrayFormatter<'a>,
    row: usize,
}

impl Cell<'_> {
    fn text(&self) -> io::Result<Option<String>> {
        // An array of nothing but nulls does not count them.
        if self.array.is_null(self.row) || *self.array.data_type() == DataType::Null {
            return Ok(None);
        }
        self.formatter.value(self.row).try_to_string().map(Some).map_err(io::Error::other)
    }

    fn write_json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let Some(text) = self.text()? else {
            out.extend_from_slice(b"null");
            return Ok(());
        };
        let data_type = self.array.data_type();
        let is_json_number = data_type.is_integer()
            || matches!(data_type, DataType::Boolean | DataType::Decimal128(..));
        if is_json_number {
            out.extend_from_slice(text.as_bytes());
        } else if let Some(number) = self.number() {
            // JSON has no infinity.
            let number = serde_json::Number::from_f64(number);
            out.extend_from_slice(number.map_or("null".to_owned(), |n| n.to_string()).as_bytes());
        } else {
            write_string(&text, out);
        }
        Ok(())
    }

    fn number(&self) -> Option<f64> {
        match self.array.data_type() {
            DataType::Float64 => Some(self.array.as_primitive::<Float64Type>().value(self.row)),
            DataType::Float32 => {
                Some(f64::from(self.array.as_primitive::<Float32Type>().value(self.row)))
            }
            _ => None,
        }
    }
}
