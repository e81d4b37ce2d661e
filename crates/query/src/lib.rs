//! Questions over records, answered as of one checkpoint.
//!
//! A [`Library`] is an opened log: segments, and the tail that is in none yet. [`Columns`] are its
//! records as the fixed [`figures`] and `sql` compute on them. Or a reader hands in [`Found`]
//! records in the order of their index: a [`Filter`] picks some of them, [`row`] writes them for
//! programs, [`Trace`] puts the events of one trace, session or task into causal order,
//! [`Activity`] counts per agent or session, and [`render`] draws all of it as text.
//!
//! Not here: reading and decrypting (`store`), proofs (`prove`), reports (`report`). Whatever an
//! event holds is untrusted: nothing here recurses over it, and nothing of it reaches a terminal
//! unescaped.
//!
//! ```
//! use query::{Filter, Found, Selector, State};
//! let meta = br#"{"schema":"tachograph.event/1","event_type":"agent.tool_call","tool":"lookup"}"#;
//! let record = Found {
//!     index: 7,
//!     recorded_at_ms: 1_767_225_600_000,
//!     tier: event::Tier::Info,
//!     kind: event::Kind::Event,
//!     leaf_hash: None,
//!     state: State::Present,
//!     meta: meta.into(),
//!     content: b"".as_slice().into(),
//! };
//! let filter = Filter { tools: vec!["lookup".into()], ..Filter::default() };
//! let mut selector = Selector::new(&filter);
//! let _ = selector.offer(&record);
//! assert_eq!(selector.finish().found.len(), 1);
//! ```

mod activity;
mod codes;
#[cfg_attr(
    not(feature = "sql"),
    allow(dead_code, unused_imports, reason = "SQL asks for more of it than figures do")
)]
mod columns;
mod difference;
pub mod escape;
pub mod figures;
mod filter;
mod find;
mod found;
mod guide;
mod library;
mod provenance;
pub mod render;
mod replay;
pub mod row;
mod select;
#[cfg(feature = "sql")]
pub mod sql;
mod summary;
mod tail;
mod trace;
mod vocabulary;
mod withheld;
pub mod written;

pub use activity::{Activity, By, Line};
pub use columns::{CACHE_BYTES, Columns};
pub use difference::{Difference, DifferenceRow, FieldChange};
pub use event::{Amount, Status};
pub use filter::{Filter, Sieve};
pub use find::{Cursor, CursorError, FindError, Page, activity, find, find_each, prepare};
pub use found::{AsOf, Found, State};
#[cfg(fuzzing)]
pub use guide::ask_guide;
pub use library::{Library, Volume};
pub use provenance::{ApprovalSeen, ChainStep, Link, Origin, Provenance};
pub use replay::{Replay, Step};
/// Why figures cannot be answered.
pub use segment::SegmentError as FigureError;
pub use select::{Selection, Selector, select};
pub use summary::Summary;
pub use tail::Tail;
pub use trace::{
    Circle, Count, Findings, Gap, GapKind, Node, Orphan, Scope, Totals, Trace, write_trace,
};
pub use withheld::is_access_record;
