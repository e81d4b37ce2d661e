//! One table of a document as CSV (RFC 4180, UTF-8), for spreadsheets: names for programs at the
//! head, numbers as plain numbers, and no text that begins a formula.

use super::{Cell, Document};
use query::escape::{defused, escape};
use thiserror::Error;

/// Why there is no table.
#[derive(Debug, Error)]
pub enum CsvError {
    /// The document has none of that name.
    #[error("there is no table `{wanted}` here; there are: {}", .known.join(", "))]
    NoTable {
        /// The name that was asked for; escaped.
        wanted: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// The document has none at all.
    #[error("there is no table here; choose another format")]
    None,
    /// It could not be written.
    #[error("the table cannot be written: {0}")]
    Write(#[from] csv::Error),
}

/// Writes the table with that name, or else the first one.
///
/// # Errors
/// [`CsvError`] when there is no such table.
pub fn csv(document: &Document, name: Option<&str>) -> Result<String, CsvError> {
    let is_wanted = |table: &&super::Table| name.is_none_or(|name| table.name == name);
    let table = document.tables().find(is_wanted).ok_or_else(|| match name {
        None => CsvError::None,
        Some(name) => CsvError::NoTable {
            wanted: escape(name),
            known: document.tables().map(|table| table.name).collect(),
        },
    })?;
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(table.columns.iter().map(|column| column.key))?;
    for row in &table.rows {
        csv.write_record(row.iter().map(value))?;
    }
    let bytes = csv.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn value(cell: &Cell) -> String {
    match &cell.number {
        Some(number) => number.clone(),
        None => defused(&escape(&cell.shown.words())),
    }
}
