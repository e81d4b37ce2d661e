//! Streams: the pseudonymous id and the gapless sequence that let an outsider check that the
//! records of a session are all there (format.md, "Entry").

use crate::batch::{Item, StreamName};
use crate::error::SealError;
use crate::idle::Idle;
use crate::window::NameMap;
use keys::HmacKey;
use std::sync::Arc;
use store::Folder;

/// Milliseconds of a UTC day.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// Streams in each generation of those in memory: whoever was written to since as many others began
/// is there. As many as a table of 16,384 buckets holds, which takes 700 KB.
const GENERATION: usize = 14_336;

/// Stream ids and sequences of one UTC day; what came before cannot come again, because the day is
/// part of every id.
pub(crate) struct Streams {
    secret: HmacKey,
    day: u64,
    /// Streams of a generation, and of those that are restored, at most.
    generation: usize,
    /// The streams that were written to lately, by the keyed name of their text.
    known: NameMap<Known>,
    /// Those of the generation before, which leave one by one.
    older: NameMap<Known>,
    /// The last sequence of streams that were found in the log, by id, until there are many.
    found: NameMap<u64>,
    /// Everything else.
    idle: Idle,
}

/// One stream of the day.
#[derive(Clone, Copy)]
struct Known {
    id: [u8; 16],
    /// Its last sequence.
    last: u64,
}

impl Streams {
    /// No streams so far. Those that memory has no room for go to a scratch file of `folder`.
    pub(crate) fn new(secret: &[u8; 32], folder: &Arc<dyn Folder>) -> Self {
        Self::of(GENERATION, secret, folder)
    }

    fn of(generation: usize, secret: &[u8; 32], folder: &Arc<dyn Folder>) -> Self {
        Self {
            secret: HmacKey::new(secret),
            day: 0,
            generation,
            known: NameMap::default(),
            older: NameMap::default(),
            found: NameMap::default(),
            idle: Idle::new(Arc::clone(folder)),
        }
    }

    /// Takes an existing entry of the day `day` into account by its stream and sequence, in any
    /// order, before anything is written.
    ///
    /// # Errors
    /// [`SealError`] when the scratch file cannot be read.
    pub(crate) fn restore(
        &mut self,
        day: u64,
        stream: [u8; 16],
        sequence: u64,
    ) -> Result<(), SealError> {
        self.turn_to(day);
        let last = self.found.entry(u128::from_be_bytes(stream)).or_default();
        *last = (*last).max(sequence);
        if self.found.len() > self.generation {
            for (id, last) in std::mem::take(&mut self.found) {
                let last = last.max(self.idle.last(id)?);
                self.idle.keep(id, last);
            }
        }
        Ok(())
    }

    /// The stream id of an item at this record time and index, and its next sequence.
    ///
    /// # Errors
    /// [`SealError`] when the scratch file cannot be read.
    pub(crate) fn next(
        &mut self,
        item: &Item,
        texts: &str,
        time_ms: u64,
        index: u64,
    ) -> Result<([u8; 16], u64), SealError> {
        self.turn_to(time_ms / DAY_MS);
        let text = |range: &std::ops::Range<usize>| texts.get(range.clone()).unwrap_or_default();
        let (kind, text, name) = match &item.stream {
            // A record without session and trace is alone in its stream: nothing to remember.
            StreamName::Alone => return Ok((self.id(b'i', &index.to_be_bytes()), 1)),
            StreamName::Life => (b'l', "", item.stream_name),
            StreamName::Session(range) => (b's', text(range), item.stream_name),
            StreamName::Trace(range) => (b't', text(range), !item.stream_name),
        };
        if let Some(known) = self.known.get_mut(&name) {
            known.last += 1;
            return Ok((known.id, known.last));
        }
        let before = match self.older.remove(&name) {
            Some(older) => older,
            None => self.not_in_memory(kind, text)?,
        };
        let known = Known { last: before.last + 1, ..before };
        self.known.insert(name, known);
        self.make_room();
        Ok((known.id, known.last))
    }

    fn not_in_memory(&mut self, kind: u8, text: &str) -> Result<Known, SealError> {
        let id = self.id(kind, text.as_bytes());
        let number = u128::from_be_bytes(id);
        let found = self.found.remove(&number).unwrap_or_default();
        Ok(Known { id, last: found.max(self.idle.last(number)?) })
    }

    /// Two of the older leave for each that comes, so that they are gone when the next generation
    /// is full, and nobody waits for all of them.
    fn make_room(&mut self) {
        if self.older.is_empty() && self.known.len() >= self.generation {
            // A new table: the one that was emptied is full of marks of those that left it, and
            // would take twice the memory before as many are in it again.
            let empty = NameMap::with_capacity_and_hasher(self.generation, Default::default());
            self.older = std::mem::replace(&mut self.known, empty);
        }
        for (_, known) in self.older.extract_if(|_, _| true).take(2) {
            self.idle.keep(u128::from_be_bytes(known.id), known.last);
        }
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
            self.older.clear();
            self.found = NameMap::default();
            self.idle.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Kind, Tier};
    use std::collections::HashMap;
    use store::DiskFolder;

    const DAY: u64 = 20_000;

    fn item(name: u64) -> Item {
        Item {
            record: 0..0,
            event_id: 0..0,
            name: 0,
            fingerprint: 0,
            stream: StreamName::Session(0..6),
            stream_name: u128::from(name).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835),
            commitment: [0; 32],
            kind: Kind::Event,
            tier: Tier::Info,
        }
    }

    fn next(streams: &mut Streams, day: u64, name: u64) -> ([u8; 16], u64) {
        streams.next(&item(name), &format!("{name:06}"), day * DAY_MS, 0).unwrap()
    }

    /// Sessions that begin, go on for a while, sleep and come back: every record's number is that
    /// of a writer that remembers everything.
    #[test]
    fn a_session_goes_on_where_it_was_however_many_came_in_between_and_after_a_restart() {
        let temporary = tempfile::tempdir().unwrap();
        let new = || {
            let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(temporary.path()));
            Streams::of(112, &[7; 32], &folder)
        };
        let mut streams = new();
        let (mut model, mut entries) = (HashMap::new(), Vec::new());
        for restart in 0..3 {
            for step in 0..6_000_u64 {
                let name = match step % 4 {
                    0 => step / 3 + restart * 1_500,
                    1 => step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53,
                    2 => step / 40,
                    _ => 3,
                };
                let (id, sequence) = next(&mut streams, DAY, name);
                let (same, last) = model.entry(name).or_insert((id, 0));
                *last += 1;
                assert_eq!((id, sequence), (*same, *last), "session {name}");
                entries.push((id, sequence));
                let room = streams.known.capacity().max(streams.older.capacity());
                assert!(room <= 112, "{room}");
            }
            streams = new();
            // Newest first for one half, as tiles are read, then the journal in order.
            let (tiles, journal) = entries.split_at(entries.len() / 2);
            for (stream, sequence) in tiles.iter().rev().chain(journal).copied() {
                streams.restore(DAY, stream, sequence).unwrap();
                assert!(streams.found.len() <= 112);
            }
        }
        assert!(model.len() > 3_000);
        assert_eq!(next(&mut streams, DAY + 1, 3).1, 1, "another day, another stream");
    }
}
