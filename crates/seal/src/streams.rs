//! Streams: the pseudonymous id and the gapless sequence that let an outsider check that the
//! records of a session are all there (format.md, "Entry").

use crate::batch::{Item, StreamName};
use crate::window::NameMap;
use event::Entry;
use keys::HmacKey;

/// Milliseconds of a UTC day.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// Stream ids and sequences of one UTC day; what came before cannot come again, because the day is
/// part of every id.
pub(crate) struct Streams {
    secret: HmacKey,
    day: u64,
    /// The streams that were written to, by the keyed name of their text.
    known: NameMap<Known>,
    /// The last sequence of streams that were found in the journal, and not written to since. Their
    /// ids are keyed hashes.
    found: NameMap<u64>,
}

/// One stream of the day.
struct Known {
    id: [u8; 16],
    /// Its last sequence.
    last: u64,
}

impl Streams {
    pub(crate) fn new(secret: HmacKey) -> Self {
        Self { secret, day: 0, known: NameMap::default(), found: NameMap::default() }
    }

    /// Takes an existing entry of the day `day` into account, in any order, before anything is
    /// written.
    pub(crate) fn restore(&mut self, day: u64, entry: &Entry) {
        self.turn_to(day);
        let last = self.found.entry(u128::from_be_bytes(entry.stream)).or_default();
        *last = (*last).max(entry.sequence);
    }

    /// The stream id of an item at this record time and index, and its next sequence.
    pub(crate) fn next(
        &mut self,
        item: &Item,
        texts: &str,
        time_ms: u64,
        index: u64,
    ) -> ([u8; 16], u64) {
        self.turn_to(time_ms / DAY_MS);
        let text = |range: &std::ops::Range<usize>| texts.get(range.clone()).unwrap_or_default();
        let (kind, text, name) = match &item.stream {
            // A record without session and trace is alone in its stream: nothing to remember.
            StreamName::Alone => return (self.id(b'i', &index.to_be_bytes()), 1),
            StreamName::Life => (b'l', "", item.stream_name),
            StreamName::Session(range) => (b's', text(range), item.stream_name),
            StreamName::Trace(range) => (b't', text(range), !item.stream_name),
        };
        if let Some(known) = self.known.get_mut(&name) {
            known.last += 1;
            return (known.id, known.last);
        }
        let id = self.id(kind, text.as_bytes());
        let last = self.found.remove(&u128::from_be_bytes(id)).unwrap_or_default() + 1;
        self.known.insert(name, Known { id, last });
        (id, last)
    }

    /// `HMAC-SHA-256(stream secret, day u64 || kind || text)`, its first 16 bytes.
    fn id(&self, kind: u8, text: &[u8]) -> [u8; 16] {
        let code = self.secret.sign(&[&self.day.to_be_bytes(), &[kind], text]);
        let mut id = [0; 16];
        id.copy_from_slice(&code[..16]);
        id
    }

    fn turn_to(&mut self, day: u64) {
        if day != self.day {
            self.day = day;
            self.known.clear();
            self.found.clear();
        }
    }
}
