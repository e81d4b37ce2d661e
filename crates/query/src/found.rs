//! One record as of a checkpoint, as the reader of the journal hands it over.

use event::{Event, EventError, Kind, Tier, Timestamp};
use std::borrow::Cow;

/// What is left of a record (the two failures, missing and corrupt, are the verifier's to report).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Metadata and content are there.
    Present,
    /// The content was erased by an authorised act; the metadata is there.
    ContentErased,
    /// The whole record was erased by an authorised act.
    Erased,
    /// The record outlived its retention.
    Expired,
    /// Present, and a legal hold keeps it so.
    Held,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Present, Self::ContentErased, Self::Erased, Self::Expired, Self::Held];

    /// The state of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::ContentErased => "content-erased",
            Self::Erased => "erased",
            Self::Expired => "expired",
            Self::Held => "held",
        }
    }
}

/// One record as of a checkpoint, decoded lazily.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Its position in the log.
    pub index: u64,
    /// Record time in Unix milliseconds.
    pub recorded_at_ms: u64,
    /// How long it must be kept.
    pub tier: Tier,
    /// Who made it.
    pub kind: Kind,
    /// The hash of its leaf, when the reader knows it.
    pub leaf_hash: Option<[u8; 32]>,
    /// What is left of it.
    pub state: State,
    /// The stored metadata; empty when the record was erased or expired.
    pub meta: Cow<'a, [u8]>,
    /// The stored content; empty when there was none or it is gone.
    pub content: Cow<'a, [u8]>,
}

impl Found<'_> {
    /// The event in the stored bytes.
    ///
    /// # Errors
    /// [`EventError`] when the bytes are not what the log writes (a newer schema, or damage).
    pub fn event(&self) -> Result<Event<'_>, EventError> {
        Event::from_stored(&self.meta, &self.content)
    }

    /// When the log took it.
    #[must_use]
    pub fn recorded_at(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.recorded_at_ms)
    }

    /// When it happened: as the producer says, else when the log took it.
    #[must_use]
    pub fn happened_at(&self, event: &Event<'_>) -> Timestamp {
        event.timestamp.unwrap_or_else(|| self.recorded_at())
    }

    /// The same record for a reader who may not see content.
    #[must_use]
    pub fn without_content(self) -> Self {
        Self { content: Cow::Borrowed(&[]), ..self }
    }

    /// The same record with bytes of its own.
    #[must_use]
    pub fn to_owned(&self) -> Found<'static> {
        Found {
            meta: Cow::Owned(self.meta.to_vec()),
            content: Cow::Owned(self.content.to_vec()),
            index: self.index,
            recorded_at_ms: self.recorded_at_ms,
            tier: self.tier,
            kind: self.kind,
            leaf_hash: self.leaf_hash,
            state: self.state,
        }
    }
}

/// The checkpoint that an answer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The log's origin.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root hash in lower-case hexadecimal.
    pub root_hex: String,
}
