//! Many records as one encrypted Parquet file, and back.
//!
//! A segment holds records of one tier and one day, in the order of their indexes, each exactly as
//! it was sealed: its metadata and content come back byte for byte, so that commitments still
//! match. Yet nothing is stored twice. The members that questions are asked about stand in columns
//! of their own, which any Parquet reader filters and sums, and what is left of the JSON text is
//! its *shape*, with a placeholder where each of those values was. Shapes are few, so they cost
//! next to nothing.
//!
//! Not here: files (`store` keeps the bytes; a [`Source`] hands them out), which records form a
//! segment and when (`seal`), SQL over segments (`query`), and the keyring that holds the keys
//! (`keys`).
//!
//! | question | file |
//! |---|---|
//! | which columns are there, and how are they stored? | `column.rs`, `properties.rs` |
//! | text to value, and value to text | `cell.rs`, `quote.rs` |
//! | JSON to shape and columns; back | `split.rs`, `rebuild.rs` |
//! | writing | `writer.rs`, `batch.rs` |
//! | reading | `source.rs`, `segment.rs`, `group_reader.rs`, `rows.rs`, `decode.rs` |
//! | some rows, picked by some of their values | `pick.rs`, `row_set.rs` |
//! | columns for an engine, and what the footer says of them | `columns.rs`, `peek.rs` |
//! | every row, and on behind damage; do its columns agree with it? | `examine.rs`, `agree.rs` |
//! | are these the records that the log committed to? | `verify.rs` |
//! | which row groups may hold an id? | `id_filters.rs` |
//! | records for other programs, not encrypted | `plain.rs`, `plain_batch.rs` |
//! | what does the log say about its segments? which are current? | `manifest.rs`, `catalogue.rs` |
//!
//! ```
//! use event::{Kind, Record, Tier};
//! use keys::{KeyId, SecretKey, SystemEntropy};
//! use segment::{Projection, Segment, SegmentWriter};
//!
//! let key = SecretKey::generate(&SystemEntropy::new())?;
//! let record = Record {
//!     kind: Kind::Event,
//!     tier: Tier::Info,
//!     time_ms: 1_767_225_600_000,
//!     stream: [0; 16],
//!     sequence: 1,
//!     meta_salt: [1; 16],
//!     content_salt: [2; 16],
//!     meta: br#"{"schema":"tachograph.event/1","event_type":"agent.tool_call"}"#,
//!     content: br#"{"params":{"q":7}}"#,
//! };
//! let mut file = Vec::new();
//! let mut writer = SegmentWriter::new(&mut file, &key, KeyId::from_bytes([7; 16]))?;
//! writer.push(41, &record)?;
//! writer.finish()?;
//!
//! let segment = Segment::open(file, &key)?;
//! let row = segment.rows(.., Projection::All)?.next().ok_or("no row")??;
//! assert_eq!((row.index, row.meta.as_slice()), (41, record.meta));
//! assert_eq!(row.commitment(), Some(record.commitment()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agree;
mod batch;
mod catalogue;
mod cell;
mod column;
mod columns;
mod decode;
mod error;
mod examine;
mod group_reader;
mod guard;
mod id_filters;
mod manifest;
mod peek;
mod pick;
mod plain;
mod plain_batch;
mod properties;
mod quote;
mod rebuild;
mod row;
mod row_set;
mod rows;
mod scan;
mod segment;
mod source;
mod split;
mod verify;
mod writer;

pub use catalogue::{
    Catalogue, LEDGER_FOLDER, announces_segment, belongs_in_ledger, ledger_path, parse_ledger_path,
};
pub use column::schema;
pub use columns::{Extremes, columns_of};
pub use decode::decode;
pub use error::SegmentError;
pub use examine::{Examination, Examined};
pub use id_filters::{IdFilters, IdFiltersError, IdKind};
pub use manifest::{Manifest, ManifestError, SEGMENT_FOLDER};
pub use pick::{Condition, Value};
pub use plain::{PLAIN_FIXED, PlainRecord, PlainValue, PlainWriter, Plainer, plain_schema};
pub use properties::{ROW_GROUP_ROWS_MAX, decryption_properties, encryption_properties};
pub use row::{ContentState, Row};
pub use row_set::RowSet;
pub use rows::{Projection, Rows};
pub use segment::{RowGroup, Segment, key_id};
pub use source::Source;
pub use verify::{Fault, Finding, Verified};
pub use writer::{SegmentWriter, Summary};
