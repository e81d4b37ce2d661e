//! The formats of an export, and what is known of one that was written.

use super::csv::CsvRows;
use crate::arguments::Format;
use crate::failure::Failure;
use crate::siem::SiemLines;
use query::row::{Rows, Shape};
use query::{AsOf, Found};
use segment::{PlainRecord, PlainWriter};
use sha2::{Digest, Sha256};
use std::io::{self, BufWriter, Write};

/// Where an export goes.
pub(crate) type Out = Box<dyn Write + Send>;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) records: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// An export on its way.
pub(crate) struct Exporter {
    rows: Table,
    with_content: bool,
    records: u64,
}

enum Table {
    Lines(Rows<Counted>),
    Csv(Box<CsvRows<Counted>>),
    Parquet(Box<PlainWriter<Counted>>),
    Siem(SiemLines, Counted),
}

impl Exporter {
    pub(crate) fn begin(
        format: Format,
        out: Out,
        as_of: &AsOf,
        with_content: bool,
    ) -> Result<Self, Failure> {
        let out = Counted::new(out);
        let size = as_of.size.to_string();
        let notes = [
            ("tachograph.origin", as_of.origin.as_str()),
            ("tachograph.size", &size),
            ("tachograph.root", &as_of.root_hex),
        ];
        let rows = match (format, SiemLines::of(format, &as_of.origin, with_content)) {
            (_, Some(lines)) => Table::Siem(lines, out),
            (Format::Csv, None) => Table::Csv(Box::new(CsvRows::begin(out, with_content)?)),
            (Format::Parquet, None) => Table::Parquet(Box::new(PlainWriter::new(out, &notes)?)),
            _ => Table::Lines(Rows::begin(out, Shape::Lines, as_of, with_content)?),
        };
        Ok(Self { rows, with_content, records: 0 })
    }

    /// Writes a record.
    pub(crate) fn push(&mut self, found: &Found<'_>) -> Result<(), Failure> {
        self.records += 1;
        match &mut self.rows {
            Table::Lines(rows) => rows.write(found)?,
            Table::Csv(rows) => rows.write(found)?,
            Table::Siem(lines, out) => {
                let mut line = Vec::new();
                lines.add(found, &mut line);
                line.push(b'\n');
                out.write_all(&line)?;
            }
            Table::Parquet(rows) => rows.push(&PlainRecord {
                index: found.index,
                time_ms: found.recorded_at_ms,
                kind: found.kind,
                tier: found.tier,
                state: found.state.as_str(),
                meta: &found.meta,
                content: if self.with_content { &found.content } else { &[] },
            })?,
        }
        Ok(())
    }

    /// Whether it says which leaf of the tree a record has, if that is known.
    pub(super) fn names_leaves(&self) -> bool {
        matches!(self.rows, Table::Siem(..))
    }

    /// Ends it; everything was handed to where it goes.
    pub(crate) fn end(self) -> Result<Written, Failure> {
        let mut out = match self.rows {
            Table::Lines(rows) => rows.end()?,
            Table::Csv(rows) => rows.end()?,
            Table::Parquet(rows) => rows.finish()?,
            Table::Siem(_, out) => out,
        };
        out.flush()?;
        Ok(Written {
            records: self.records,
            bytes: out.bytes,
            sha256: hex::encode(out.sha256.finalize()),
        })
    }
}

/// Counts and hashes what passes.
struct Counted {
    out: BufWriter<Out>,
    bytes: u64,
    sha256: Sha256,
}

impl Counted {
    fn new(out: Out) -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, out), bytes: 0, sha256: Sha256::new() }
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.sha256.update(bytes.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
