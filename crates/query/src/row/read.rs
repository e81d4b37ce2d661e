//! The way back: records out of rows, for whoever asked another process and draws what it answered
//! as if the records had been read here.
//!
//! Where a row spells a character as `\uXXXX` that was stored as it is, so does what comes out: the
//! same JSON, not always the same bytes. What a row was made of for a reader who may not see
//! content has none.

use crate::find::Cursor;
use crate::found::{AsOf, Found, State};
use crate::written;
use event::{Tier, Timestamp};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What a reader is given in place of bytes that are no JSON object: they were none either.
const UNREADABLE: &[u8] = b"?";

/// A row, or a page of rows, that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a record as `--format json` has them: {0}")]
pub struct RowError(String);

/// One page of an answer, as [`super::Rows`] writes it as a document.
#[derive(Clone, Debug)]
pub struct PageRead {
    /// The checkpoint that it is as of.
    pub as_of: AsOf,
    /// The records, in the order of the page.
    pub found: Vec<Found<'static>>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// Reads the record that [`super::write_row`] wrote.
///
/// # Errors
/// [`RowError`] for anything else.
pub fn read_row(text: &str) -> Result<Found<'static>, RowError> {
    let row: Row = serde_json::from_str(text).map_err(failed)?;
    row.found()
}

/// Reads a document of rows.
///
/// # Errors
/// [`RowError`] for anything else.
pub fn read_page(bytes: &[u8]) -> Result<PageRead, RowError> {
    let text = std::str::from_utf8(bytes).map_err(failed)?;
    let document: Document<'_> = serde_json::from_str(text).map_err(failed)?;
    let found: Result<Vec<_>, _> = document.events.iter().map(|row| read_row(row.get())).collect();
    let next = document.next.map(|next| next.parse()).transpose().map_err(failed)?;
    Ok(PageRead { as_of: document.checkpoint.into(), found: found?, next })
}

fn failed(error: impl fmt::Display) -> RowError {
    RowError(error.to_string())
}

#[derive(Deserialize)]
struct Document<'a> {
    checkpoint: Head,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    origin: String,
    size: u64,
    root: String,
}

impl From<Head> for AsOf {
    fn from(head: Head) -> Self {
        Self { origin: head.origin, size: head.size, root_hex: head.root }
    }
}

/// The members of a row that are ours; all others are those of the metadata, in their order.
#[derive(Default)]
struct Row {
    index: Option<u64>,
    recorded_at: Option<String>,
    leaf_hash: Option<String>,
    content: Option<String>,
    tier: Option<String>,
    kind: Option<String>,
    state: Option<String>,
    unreadable: bool,
    meta: Vec<u8>,
}

impl Row {
    fn found(self) -> Result<Found<'static>, RowError> {
        let missing = |name: &str| RowError(format!("{name} is missing, or is not known here"));
        let recorded_at = self.recorded_at.as_deref().and_then(Timestamp::parse);
        let kind = self.kind.as_deref().and_then(written::kind).ok_or_else(|| missing("kind"))?;
        let leaf_hash = match self.leaf_hash {
            Some(text) => {
                let mut hash = [0; 32];
                hex::decode_to_slice(&text, &mut hash).map_err(failed)?;
                Some(hash)
            }
            None => None,
        };
        let mut meta = self.meta;
        let mut content = self.content.unwrap_or_default().into_bytes();
        if !meta.is_empty() {
            meta.push(b'}');
        }
        // It says that one of the two is unreadable, and not which.
        match (self.unreadable, meta.is_empty()) {
            (true, true) => meta = UNREADABLE.to_vec(),
            (true, false) if content.is_empty() => content = UNREADABLE.to_vec(),
            _ => {}
        }
        Ok(Found {
            index: self.index.ok_or_else(|| missing("index"))?,
            recorded_at_ms: recorded_at.ok_or_else(|| missing("recorded_at"))?.milliseconds(),
            tier: self.tier.as_deref().and_then(Tier::from_name).ok_or_else(|| missing("tier"))?,
            kind,
            leaf_hash,
            state: self
                .state
                .as_deref()
                .and_then(State::from_name)
                .ok_or_else(|| missing("state"))?,
            meta: meta.into(),
            content: content.into(),
        })
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut row = Row::default();
                while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
                    match &*key {
                        "index" => row.index = Some(map.next_value()?),
                        "recorded_at" => row.recorded_at = Some(map.next_value()?),
                        "leaf_hash" => row.leaf_hash = Some(map.next_value()?),
                        "content" => {
                            row.content = Some(map.next_value::<&RawValue>()?.get().to_owned());
                        }
                        "tier" => row.tier = Some(map.next_value()?),
                        "kind" => row.kind = Some(map.next_value()?),
                        "state" => row.state = Some(map.next_value()?),
                        "unreadable" => row.unreadable = map.next_value()?,
                        key => {
                            row.meta.push(if row.meta.is_empty() { b'{' } else { b',' });
                            let key = serde_json::Value::from(key).to_string();
                            row.meta.extend_from_slice(key.as_bytes());
                            row.meta.push(b':');
                            let value = map.next_value::<&RawValue>()?;
                            row.meta.extend_from_slice(value.get().as_bytes());
                        }
                    }
                }
                Ok(row)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A key, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
