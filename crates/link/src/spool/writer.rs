//! Writing to a spool: what is in it when [`Writer::append`] returns survives a power cut.

use super::{Held, Numbered, Spool, SpoolError};
use keys::{DataKey, SystemEntropy};
use std::sync::Arc;
use store::{FileJournal, FrameBuffer, Journal, JournalHeader, Reservation, journal_path};

/// Bytes of a journal file's header, and of what surrounds a frame.
const AROUND_BYTES: u64 = 256;

/// The one who writes to a spool.
pub struct Writer {
    spool: Arc<Spool>,
    journal: Option<FileJournal>,
    frame: FrameBuffer,
    /// The number that comes next.
    next: u64,
}

impl Writer {
    /// Of a new spool.
    #[must_use]
    pub fn new(spool: Arc<Spool>) -> Self {
        Self { spool, journal: None, frame: FrameBuffer::default(), next: 1 }
    }

    /// Appends entries whose numbers follow those before, in one frame.
    ///
    /// # Errors
    /// [`SpoolError`]: none of them counts as being there, and the same may be tried again.
    pub fn append(&mut self, entries: &[Numbered]) -> Result<(), SpoolError> {
        let Some(last) = entries.last().map(|entry| entry.last) else { return Ok(()) };
        self.frame.clear();
        entries.iter().for_each(|entry| entry.encode(self.frame.payload()));
        let needed = self.frame.payload_bytes() as u64 + AROUND_BYTES;
        if self.journal.as_ref().is_some_and(|it| it.bytes() >= self.spool.roll_bytes()) {
            self.end_file()?;
        }
        let room = self.room()?;
        if needed > room {
            return Err(SpoolError::Full { limit: self.spool.limit });
        }
        let written = self.write(last);
        if written.is_err() {
            self.give_up_file();
        }
        written
    }

    fn write(&mut self, last: u64) -> Result<(), SpoolError> {
        let count = u32::try_from(last + 1 - self.next).unwrap_or(u32::MAX);
        let journal = match &mut self.journal {
            Some(journal) => journal,
            none => none.insert(create(&self.spool, self.next)?),
        };
        journal.append(self.next, count, &mut self.frame)?;
        let bytes = journal.bytes();
        self.next = last + 1;
        if let Some(file) = self.spool.state().files.back_mut() {
            (file.end, file.bytes) = (Some(last + 1), bytes);
        }
        Ok(())
    }

    /// Bytes that may still be written, after what is acknowledged was let go.
    fn room(&self) -> Result<u64, SpoolError> {
        let mut state = self.spool.state();
        self.spool.tidy(&mut state)?;
        // Of a file that is behind us everything may be acknowledged, though nothing follows yet.
        if self.journal.is_none()
            && state.files.len() == 1
            && state
                .files
                .front()
                .and_then(|file| file.end)
                .is_some_and(|end| end <= state.settled + 1)
            && let Some(file) = state.files.pop_front()
        {
            self.spool.folder.remove(&journal_path(file.first))?;
        }
        let used: u64 = state.files.iter().map(|file| file.bytes).sum();
        Ok(self.spool.limit.saturating_sub(used))
    }

    /// Ends the file that is being written; the next frame begins another one.
    fn end_file(&mut self) -> Result<(), SpoolError> {
        match self.journal.take() {
            Some(mut journal) => Ok(journal.close()?),
            None => Ok(()),
        }
    }

    /// Nothing more is written into a file after a failure: what it holds behind the last good
    /// frame is unknown, and does not count.
    fn give_up_file(&mut self) {
        self.journal = None;
        let mut state = self.spool.state();
        if state.files.back().is_some_and(|file| file.first == self.next) {
            state.files.pop_back();
        }
    }

    /// Ends writing in good order.
    ///
    /// # Errors
    /// [`SpoolError::Store`]: everything appended is there all the same.
    pub fn close(mut self) -> Result<(), SpoolError> {
        self.end_file()
    }
}

fn create(spool: &Arc<Spool>, first: u64) -> Result<FileJournal, SpoolError> {
    let header =
        JournalHeader { log_id: spool.id, key_id: *spool.key_id.as_bytes(), first_index: first };
    let key = DataKey::new(&spool.secret);
    let entropy = Arc::new(SystemEntropy::new());
    // What an attempt before this one may have left under the name holds nothing that counts.
    spool.folder.remove(&journal_path(first))?;
    let journal = FileJournal::create(&spool.folder, header, key, entropy, Reservation::Off)?;
    let file = Held { first, end: Some(first), bytes: journal.bytes() };
    spool.state().files.push_back(file);
    Ok(journal)
}
