//! One record for programs: a JSON object around the stored bytes.
//!
//! The stored bytes are spliced in, never parsed and written again: numbers, times and the order of
//! fields are those that were sealed. Only characters that a terminal would obey are spelled as
//! `\uXXXX`, which is the same JSON value (`escape`).

mod read;

pub use read::{PageRead, RowError, read_page, read_row};

use crate::escape::escape_json;
use crate::find::Cursor;
use crate::found::{AsOf, Found};
use crate::written;
use serde::de::IgnoredAny;
use std::io::{self, Write};

/// Appends one record as a JSON object on one line, without a line break: `index`, `recorded_at`,
/// `leaf_hash` if known, the metadata, `content` if there is some and the reader may see it,
/// `tier`, `kind`, `state`; `"unreadable":true` when the stored bytes are not JSON objects.
pub fn write_row(found: &Found<'_>, with_content: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"index\":");
    out.extend_from_slice(found.index.to_string().as_bytes());
    out.extend_from_slice(b",\"recorded_at\":\"");
    found.recorded_at().write_rfc3339(out);
    out.push(b'"');
    if let Some(hash) = found.leaf_hash {
        out.extend_from_slice(b",\"leaf_hash\":\"");
        for byte in hash {
            out.extend_from_slice(format!("{byte:02x}").as_bytes());
        }
        out.push(b'"');
    }
    let (meta, content) = (object(&found.meta), object(&found.content));
    if let Some(members) =
        meta.and_then(|meta| meta.get(1..meta.len() - 1)).filter(|m| !m.is_empty())
    {
        out.push(b',');
        escape_json(members, out);
    }
    if let Some(content) = content.filter(|_| with_content) {
        out.extend_from_slice(b",\"content\":");
        escape_json(content, out);
    }
    out.extend_from_slice(b",\"tier\":\"");
    out.extend_from_slice(found.tier.as_str().as_bytes());
    out.extend_from_slice(b"\",\"kind\":\"");
    out.extend_from_slice(written::kind_name(found.kind).as_bytes());
    out.extend_from_slice(b"\",\"state\":\"");
    out.extend_from_slice(found.state.as_str().as_bytes());
    out.push(b'"');
    let unreadable = |bytes: &[u8], read: Option<&str>| !bytes.is_empty() && read.is_none();
    if unreadable(&found.meta, meta) || (with_content && unreadable(&found.content, content)) {
        out.extend_from_slice(b",\"unreadable\":true");
    }
    out.push(b'}');
}

/// The bytes when they are one JSON object on one line.
fn object(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_object =
        text.starts_with('{') && text.ends_with('}') && !text.contains(['\n', '\r', '\t']);
    (is_object && serde_json::from_str::<IgnoredAny>(text).is_ok()).then_some(text)
}

/// Appends `"checkpoint":{"origin":..,"size":..,"root":..}`.
pub(crate) fn write_checkpoint(as_of: &AsOf, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"checkpoint\":{\"origin\":");
    write_string(&as_of.origin, out);
    out.extend_from_slice(format!(",\"size\":{},\"root\":", as_of.size).as_bytes());
    write_string(&as_of.root_hex, out);
    out.push(b'}');
}

/// Appends a JSON string that is safe on a terminal.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    escape_json(&serde_json::Value::from(text).to_string(), out);
}

/// How many rows stand in one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"checkpoint":{...},"events":[...]}`.
    Document,
    /// One event a line; the caller names the checkpoint elsewhere.
    Lines,
}

/// Writes rows as they come; holds one row in memory.
pub struct Rows<W: Write> {
    out: W,
    shape: Shape,
    with_content: bool,
    first: bool,
    row: Vec<u8>,
}

impl<W: Write> Rows<W> {
    /// Begins the answer.
    ///
    /// # Errors
    /// What `out` says.
    pub fn begin(mut out: W, shape: Shape, as_of: &AsOf, with_content: bool) -> io::Result<Self> {
        if shape == Shape::Document {
            let mut head = b"{".to_vec();
            write_checkpoint(as_of, &mut head);
            head.extend_from_slice(b",\"events\":[");
            out.write_all(&head)?;
        }
        Ok(Self { out, shape, with_content, first: true, row: Vec::new() })
    }

    /// Writes one record.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&mut self, found: &Found<'_>) -> io::Result<()> {
        self.row.clear();
        if self.shape == Shape::Document && !self.first {
            self.row.push(b',');
        }
        self.first = false;
        write_row(found, self.with_content, &mut self.row);
        if self.shape == Shape::Lines {
            self.row.push(b'\n');
        }
        self.out.write_all(&self.row)
    }

    /// Ends the answer and gives the writer back, flushed.
    ///
    /// # Errors
    /// What `out` says.
    pub fn end(self) -> io::Result<W> {
        self.end_before(None)
    }

    /// Ends one page of an answer; a document says where the next one begins, as `"next"`.
    ///
    /// # Errors
    /// What `out` says.
    pub fn end_before(mut self, next: Option<&Cursor>) -> io::Result<W> {
        if self.shape == Shape::Document {
            self.out.write_all(b"]")?;
            if let Some(next) = next {
                write!(self.out, ",\"next\":\"{next}\"")?;
            }
            self.out.write_all(b"}\n")?;
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests;
