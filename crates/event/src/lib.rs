//! One audited act: the [`Event`] as producers send it, the [`Record`] as the log seals it, and the
//! [`Entry`] that commits to it in public; with types, tiers, limits and every byte of the three.
//!
//! Pure: no clock, no randomness, no I/O. Foreign formats are next door in `capture`, the removal
//! of secrets in `redact`, hashing of leaves into a tree in `merkle`, encryption in `keys`.
//!
//! ```
//! use event::{Event, Tier};
//! let json = br#"{"event_type":"agent.tool_call","tool":"lookup","params":{"q": 7}}"#;
//! let event = Event::from_json(json)?;
//! assert_eq!(Tier::of(&event), Tier::Info);
//! let mut meta = Vec::new();
//! event.write_meta(&mut meta);
//! assert_eq!(
//!     meta,
//!     br#"{"schema":"tachograph.event/1","event_type":"agent.tool_call","tool":"lookup"}"#,
//! );
//! # Ok::<(), event::EventError>(())
//! ```

mod agent_keys;
mod amount;
mod cursor;
mod disclosed;
mod encode;
mod entry;
mod error;
mod event;
mod field;
mod hold;
pub mod id;
mod json;
mod key_rotation;
pub mod limits;
mod members;
mod order;
mod parse;
mod plain;
pub mod record;
mod removal;
mod signature;
mod status;
mod tier;
mod time;
mod twin;
pub mod types;

pub use agent_keys::{
    AGENT_NAME_BYTES_MAX, AGENTS_MAX, ANY_AGENT, AgentKeyMark, AgentKeyMarkError, AgentKeys, Holds,
    Registration, Standing,
};
pub use amount::Amount;
pub use disclosed::{DISCLOSED_BYTES_MAX, DISCLOSED_FORMAT, Disclosed, DisclosedError};
pub use entry::{ENTRY_BYTES, Entry, EntryError, Kind};
pub use error::{Code, EventError};
pub use event::{
    Assurance, Content, Cost, Event, Model, Outcome, Part, Phase, Principal, Producer, Redaction,
    Text, Tokens,
};
pub use hold::{HoldMark, HoldMarkError};
pub use json::Json;
pub use key_rotation::{KeyRotation, KeyRotationError};
pub use order::Order;
pub use record::{Record, RecordError};
pub use removal::{Cause, REMOVAL_RANGES_MAX, Removal, RemovalError, RemovedClass, Scope};
pub use signature::{AgentKey, SIGNATURE_SALT, Signature};
pub use status::Status;
pub use tier::Tier;
pub use time::Timestamp;

/// The schema name that stands first in every record's metadata.
pub const SCHEMA: &str = "tachograph.event/1";
