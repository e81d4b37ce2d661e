//! Reading a spool in the order of its numbers, beside its writer or after a crash.
//!
//! Whatever a file holds, the reader gets past it: numbers that cannot be read are lost, with that
//! as the reason. Only what the system refuses to read is tried again.

use super::{Held, Numbered, Spool, SpoolError};
use keys::DataKey;
use std::sync::Arc;
use store::{FrameFound, JournalReader, Located, StoreError, Tail, journal_path};

const DAMAGED: &str = "what waited for the server was damaged on disk";

/// The one who reads a spool.
pub struct Reader {
    spool: Arc<Spool>,
    key: DataKey,
    /// The number that comes next.
    next: u64,
    /// Where its frame begins: the file, by its first number, and the place in it.
    at: Option<(u64, u64)>,
    payload: Vec<u8>,
}

impl Reader {
    /// From the first number that is not acknowledged.
    #[must_use]
    pub fn new(spool: Arc<Spool>) -> Self {
        let key = DataKey::new(&spool.secret);
        let next = spool.state().settled + 1;
        Self { spool, key, next, at: None, payload: Vec::new() }
    }

    /// The number that comes next.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// What comes next, as far as it is durable: whole frames until they have this many bytes.
    ///
    /// # Errors
    /// [`SpoolError`]: the same may be asked for again.
    pub fn read(&mut self, bytes: usize) -> Result<Vec<Numbered>, SpoolError> {
        let mut entries: Vec<Numbered> = Vec::new();
        let mut have = 0;
        while have < bytes {
            let Some(frame) = self.frame()? else { break };
            have += frame.iter().map(Numbered::bytes).sum::<usize>();
            entries.extend(frame);
        }
        Ok(entries)
    }

    /// The file that the next number is in, and where the one after it begins.
    fn file(&self) -> Option<(Held, Option<u64>)> {
        let state = self.spool.state();
        let after = state.files.iter().position(|file| file.first > self.next);
        let after = after.unwrap_or(state.files.len());
        // Before the first file there is nothing but what was acknowledged.
        let at = after.saturating_sub(1);
        let file = *state.files.get(at)?;
        Some((file, state.files.get(at + 1).map(|file| file.first)))
    }

    /// The entries of the next frame; nothing when there is none yet.
    fn frame(&mut self) -> Result<Option<Vec<Numbered>>, SpoolError> {
        loop {
            let Some((file, following)) = self.file() else { return Ok(None) };
            self.next = self.next.max(file.first);
            let end = file.end.into_iter().chain(following).min();
            if end.is_some_and(|end| self.next >= end) && following.is_none() {
                return Ok(None);
            }
            let found = match self.find(&file, end) {
                Err(SpoolError::Store(StoreError::Damaged { .. } | StoreError::Missing { .. })) => {
                    None
                }
                other => other?,
            };
            if found.is_some() {
                return Ok(found);
            }
            // What is to be there and is not was there once.
            let Some(end) = following.or(end) else { return Ok(None) };
            if end > self.next {
                return Ok(Some(self.damaged(end)));
            }
            (self.next, self.at) = (end, None);
        }
    }

    fn damaged(&mut self, end: u64) -> Vec<Numbered> {
        let lost = Numbered::lost(self.next, end - 1, DAMAGED.to_owned());
        (self.next, self.at) = (end, None);
        vec![lost]
    }

    /// The next entries of a file, of which only what is before `end` counts.
    fn find(&mut self, file: &Held, end: Option<u64>) -> Result<Option<Vec<Numbered>>, SpoolError> {
        let spool = Arc::clone(&self.spool);
        let path = journal_path(file.first);
        let mut reader = JournalReader::open(&*spool.folder, &path, &spool.id)?;
        if let Some((first, offset)) = self.at
            && first == file.first
        {
            reader.resume(offset, self.next);
        }
        loop {
            if end.is_some_and(|end| reader.next_index() >= end) {
                return Ok(None);
            }
            match reader.next_frame()? {
                FrameFound::Frame(located) if located.header.end_index() <= self.next => {}
                FrameFound::Frame(located) => {
                    return self.open(file, &mut reader, &located, end).map(Some);
                }
                FrameFound::Tail(Tail::Damaged { resumes: Some((offset, next)), .. })
                    if end.is_none_or(|end| next < end) =>
                {
                    if next > self.next {
                        let lost = self.damaged(next);
                        self.at = Some((file.first, offset));
                        return Ok(Some(lost));
                    }
                    reader.resume(offset, next);
                }
                FrameFound::Tail(_) => return Ok(None),
            }
        }
    }

    /// The entries of a frame from the next number on.
    fn open(
        &mut self,
        file: &Held,
        reader: &mut JournalReader<'_>,
        located: &Located,
        end: Option<u64>,
    ) -> Result<Vec<Numbered>, SpoolError> {
        let (frame_first, frame_end) = (located.header.first_index, located.header.end_index());
        let entries = match reader.open_frame(located, &self.key, &mut self.payload) {
            Err(error @ StoreError::Io { .. }) => return Err(error.into()),
            Err(_) => None,
            Ok(()) => Numbered::decode_all(&self.payload, frame_first, frame_end),
        };
        let offset = reader.offset();
        let Some(entries) = entries else {
            let lost = self.damaged(frame_end.min(end.unwrap_or(u64::MAX)));
            self.at = Some((file.first, offset));
            return Ok(lost);
        };
        let first = self.next;
        (self.next, self.at) = (frame_end, Some((file.first, offset)));
        Ok(entries.into_iter().filter(|entry| entry.last >= first).collect())
    }
}
