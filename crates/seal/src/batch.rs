//! A batch on its way to the writer: redacted events already encoded, salted and committed to.
//!
//! Everything that needs no position in the log happens here, on the caller's thread, so that the
//! one writer has little left to do: it fills in record time, stream and sequence, and hashes the
//! leaf.

use crate::{agents, spare};
use event::record::{self, RECORD_HEADER_BYTES, Record, SALT_BYTES};
use event::{AgentKeys, Event, EventError, Kind, Tier};
use keys::{Entropy, EntropyError};
use redact::Redacted;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::{BuildHasher, Hasher as _};
use std::ops::Range;
use std::sync::Arc;

/// Secrets that name things inside this log without showing them: event ids in the idempotency
/// window.
#[derive(Clone)]
pub struct Fingerprints {
    key: [u8; 16],
    content: foldhash::quality::FixedState,
}

impl Fingerprints {
    /// From the log's idempotency secret.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&secret[..16]);
        let mut seed = [0; 8];
        seed.copy_from_slice(&secret[16..24]);
        Self { key, content: foldhash::quality::FixedState::with_seed(u64::from_be_bytes(seed)) }
    }

    /// A keyed 128-bit name for an event id: two ids do not collide, and cannot be made to.
    #[must_use]
    pub fn name(&self, text: &str) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(text.as_bytes());
        hasher.finish128().as_u128()
    }

    /// A keyed 64-bit fingerprint of a record's bytes, to tell a redelivery from a reused id.
    #[must_use]
    pub fn content(&self, meta: &[u8], content: &[u8]) -> u64 {
        self.content.hash_one((meta, content))
    }
}

impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprints(..)")
    }
}

/// What names a record's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StreamName {
    /// A session.
    Session(Range<usize>),
    /// A trace, when there is no session.
    Trace(Range<usize>),
    /// Nothing: the record is a stream of its own.
    Alone,
    /// The log's own life.
    Life,
}

/// One encoded record and what the writer must know about it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The encoded record in [`Batch::bytes`]; time, stream and sequence are still zero.
    pub(crate) record: Range<usize>,
    /// The event id in [`Batch::texts`].
    pub(crate) event_id: Range<usize>,
    pub(crate) name: u128,
    pub(crate) fingerprint: u64,
    pub(crate) stream: StreamName,
    /// A keyed name of the stream's text, to find it again without hashing it once more.
    pub(crate) stream_name: u128,
    pub(crate) commitment: [u8; 32],
    pub(crate) kind: Kind,
    pub(crate) tier: Tier,
}

/// Room is made in steps of this share of itself, so that batches of about one size share buffers.
const ROOM_STEPS: usize = 8;

/// Encoded records, ready for the writer.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) texts: String,
    pub(crate) items: Vec<Item>,
    /// How often the keys of agents had changed when its events were held to them; `None` when
    /// they were not.
    pub(crate) key_changes: Option<u64>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        if spare::KEPT_BYTES.contains(&self.bytes.capacity()) {
            spare::keep(std::mem::take(self));
        }
    }
}

impl Batch {
    /// An empty batch with room for about `bytes` of events, in used buffers if there are any.
    fn with_room_for(bytes: usize) -> Self {
        // Records are up to two fifths larger than their events, which are 600 bytes or so each.
        let room = bytes + bytes / 5 * 2;
        let room = room.next_multiple_of((room.next_power_of_two() / ROOM_STEPS).max(1));
        spare::take(room).unwrap_or_else(|| Self {
            bytes: Vec::with_capacity(room),
            items: Vec::with_capacity(room / 700),
            texts: String::with_capacity(room / 11),
            key_changes: None,
        })
    }

    /// The same records in batches of at most `max` bytes each, or one record.
    pub(crate) fn pieces(&self, max: usize) -> Vec<Self> {
        let mut pieces: Vec<Self> = Vec::new();
        for item in &self.items {
            let record = self.bytes.get(item.record.clone()).unwrap_or_default();
            let text = |range: &Range<usize>| self.texts.get(range.clone()).unwrap_or_default();
            if pieces.last().is_none_or(|piece| piece.bytes.len() + record.len() > max) {
                pieces.push(Self::default());
            }
            let Some(piece) = pieces.last_mut() else { break };
            let start = piece.bytes.len();
            piece.bytes.extend_from_slice(record);
            let item = Item {
                record: start..piece.bytes.len(),
                event_id: piece.text(text(&item.event_id)),
                stream: match &item.stream {
                    StreamName::Session(range) => StreamName::Session(piece.text(text(range))),
                    StreamName::Trace(range) => StreamName::Trace(piece.text(text(range))),
                    alone => alone.clone(),
                },
                ..item.clone()
            };
            piece.items.push(item);
        }
        pieces
    }

    /// Encodes redacted events: gives ids to those without one, salts and commits to each.
    ///
    /// `now_ms` goes into generated ids only (UUIDv7).
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness for salts; nothing was written.
    pub fn encode<'a>(
        events: impl IntoIterator<Item = Redacted<Event<'a>>>,
        fingerprints: &Fingerprints,
        entropy: &dyn Entropy,
        now_ms: u64,
    ) -> Result<Self, EntropyError> {
        let mut encoder = Encoder::new(fingerprints, entropy, now_ms, 0);
        events.into_iter().try_for_each(|event| encoder.push(event.borrowed()))?;
        Ok(encoder.finish())
    }

    /// Adds the records of another batch behind its own.
    pub fn extend(&mut self, mut other: Self) {
        // Those that were held to the older ones decide.
        self.key_changes = match (self.key_changes, other.key_changes) {
            (Some(own), Some(others)) => Some(own.min(others)),
            (own, others) => own.or(others),
        };
        let (bytes, texts) = (self.bytes.len(), self.texts.len());
        self.bytes.extend_from_slice(&other.bytes);
        self.texts.push_str(&other.texts);
        let shift = |range: &Range<usize>, by: usize| range.start + by..range.end + by;
        self.items.extend(std::mem::take(&mut other.items).into_iter().map(|item| Item {
            record: shift(&item.record, bytes),
            event_id: shift(&item.event_id, texts),
            stream: match &item.stream {
                StreamName::Session(range) => StreamName::Session(shift(range, texts)),
                StreamName::Trace(range) => StreamName::Trace(shift(range, texts)),
                alone => alone.clone(),
            },
            ..item
        }));
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True when it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes that it will take in the journal, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The id of the event at `position`, given or generated.
    #[must_use]
    pub fn event_id(&self, position: usize) -> Option<&str> {
        self.texts.get(self.items.get(position)?.event_id.clone())
    }

    /// Whether its events were held to keys of agents that are not those in force.
    pub(crate) fn is_outdated(&self, keys: &AgentKeys) -> bool {
        self.key_changes.is_some_and(|changes| changes != keys.changes())
    }

    pub(crate) fn push(
        &mut self,
        event: Redacted<&Event<'_>>,
        kind: Kind,
        fingerprints: &Fingerprints,
        salts: &mut Salts<'_>,
        now_ms: u64,
    ) -> Result<(), EntropyError> {
        let event = event.into_inner();
        if let Some(id) = &event.event_id {
            return self.push_named(event, id, kind, fingerprints, salts);
        }
        let random: [u8; 10] = keys::random(salts.entropy)?;
        let id = uuid::Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid();
        self.push_named(event, &id.to_string(), kind, fingerprints, salts)
    }

    /// Adds the record of a redacted event under an id.
    fn push_named(
        &mut self,
        event: &Event<'_>,
        id: &str,
        kind: Kind,
        fingerprints: &Fingerprints,
        salts: &mut Salts<'_>,
    ) -> Result<(), EntropyError> {
        let event_id = self.text(id);
        let (stream, stream_name) = self.stream(event, kind, fingerprints);
        let tier = Tier::of(event);
        let (meta_salt, content_salt) = (salts.next()?, salts.next()?);
        let start = self.bytes.len();
        let header = Record {
            kind,
            tier,
            time_ms: 0,
            stream: [0; 16],
            sequence: 0,
            meta_salt,
            content_salt,
            meta: &[],
            content: &[],
        };
        header.encode(&mut self.bytes);
        let meta_start = start + RECORD_HEADER_BYTES;
        event.write_meta_as(Some(id), &mut self.bytes);
        let content_start = self.bytes.len();
        event.write_content(&mut self.bytes);
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
        let (meta_length, content_length) =
            (length(content_start - meta_start), length(self.bytes.len() - content_start));
        self.bytes[start + 68..start + 72].copy_from_slice(&meta_length);
        self.bytes[start + 72..start + 76].copy_from_slice(&content_length);
        let (meta, content) = self.bytes[meta_start..].split_at(content_start - meta_start);
        let commitment = record::commitment_of(&meta_salt, meta, &content_salt, content);
        let fingerprint = fingerprints.content(meta, content);
        let name = fingerprints.name(id);
        let record = start..self.bytes.len();
        let item = Item {
            record,
            event_id,
            name,
            fingerprint,
            stream,
            stream_name,
            commitment,
            kind,
            tier,
        };
        self.items.push(item);
        Ok(())
    }

    fn stream(
        &mut self,
        event: &Event<'_>,
        kind: Kind,
        names: &Fingerprints,
    ) -> (StreamName, u128) {
        if kind == Kind::Log {
            return (StreamName::Life, 0);
        }
        let (text, of) = match (&event.session_id, &event.trace_id) {
            (Some(session), _) => (session, StreamName::Session as fn(Range<usize>) -> StreamName),
            (None, Some(trace)) => (trace, StreamName::Trace as fn(Range<usize>) -> StreamName),
            (None, None) => return (StreamName::Alone, 0),
        };
        (of(self.text(text)), names.name(text))
    }

    fn text(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }
}

/// Encodes redacted events one after the other, so that none of them waits in memory.
pub struct Encoder<'e> {
    batch: Batch,
    salts: Salts<'e>,
    fingerprints: &'e Fingerprints,
    agent_keys: Option<Arc<AgentKeys>>,
    now_ms: u64,
}

impl<'e> Encoder<'e> {
    /// An encoder with room for about `bytes` of input; `now_ms` goes into generated ids only
    /// (UUIDv7).
    #[must_use]
    pub fn new(
        fingerprints: &'e Fingerprints,
        entropy: &'e dyn Entropy,
        now_ms: u64,
        bytes: usize,
    ) -> Self {
        let batch = Batch::with_room_for(bytes);
        Self { batch, salts: Salts::new(entropy), fingerprints, agent_keys: None, now_ms }
    }

    /// The same for events that are held to these keys of agents ([`Encoder::admit`]).
    #[must_use]
    pub(crate) fn held_to(self, keys: Arc<AgentKeys>) -> Self {
        Self { agent_keys: Some(keys), ..self }
    }

    /// Whether an event may be taken in, by its signature: asked before it is redacted, and before
    /// its receiver sets anything in it.
    ///
    /// # Errors
    /// [`EventError`]: it is refused.
    pub fn admit(&self, event: &Event<'_>) -> Result<(), EventError> {
        self.agent_keys.as_ref().map_or(Ok(()), |keys| agents::admit(keys, event))
    }

    /// Encodes one more event.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness for salts; the batch is of no use then.
    pub fn push(&mut self, event: Redacted<&Event<'_>>) -> Result<(), EntropyError> {
        let (salts, fingerprints) = (&mut self.salts, self.fingerprints);
        self.batch.push(event, Kind::Event, fingerprints, salts, self.now_ms)
    }

    /// The batch.
    #[must_use]
    pub fn finish(self) -> Batch {
        let mut batch = self.batch;
        batch.key_changes = self.agent_keys.map(|keys| keys.changes());
        batch
    }
}

/// Salts drawn many at a time: asking the generator for 16 bytes costs as much as for a thousand.
pub(crate) struct Salts<'e> {
    entropy: &'e dyn Entropy,
    pool: [u8; SALT_BYTES * 64],
    used: usize,
}

impl<'e> Salts<'e> {
    pub(crate) fn new(entropy: &'e dyn Entropy) -> Self {
        Self { entropy, pool: [0; SALT_BYTES * 64], used: SALT_BYTES * 64 }
    }

    fn next(&mut self) -> Result<[u8; SALT_BYTES], EntropyError> {
        if self.used >= self.pool.len() {
            self.entropy.fill(&mut self.pool)?;
            self.used = 0;
        }
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&self.pool[self.used..self.used + SALT_BYTES]);
        self.used += SALT_BYTES;
        Ok(salt)
    }
}
