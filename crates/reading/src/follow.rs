//! What a writer adds while somebody watches: the records behind a checkpoint, as their frames
//! become readable. Takes no lock and writes nothing; the writer never notices.
//!
//! These records are acknowledged or about to be, and not yet covered by a published checkpoint:
//! whoever shows them says so. Only where a writer rolled them into segments before they were
//! looked at, they come from there, and are published.

use crate::data_folder::LogFolder;
use crate::error::ReadError;
use crate::journal::PREVIOUS_BYTES;
use crate::reading::{Item, Reading};
use event::Record;
use keys::{DataKey, Kek, KeyId, Keyring};
use prove::Kept;
use std::sync::Arc;
use store::{
    FRAME_HEADER_BYTES, FrameFound, FrameHeader, JOURNAL_FOLDER, JournalReader, Located, Tail,
};

/// Looks in a row at which the same place may look damaged: a frame is written in several steps,
/// and a look between two of them sees half of it.
const DOUBTS_MAX: u32 = 20;

/// Takes one record after the other.
type Each<'e> = &'e mut dyn FnMut(u64, &Kept<'_>) -> Result<(), ReadError>;

/// A place in the journal that moves on as records arrive.
pub struct Follow<'f> {
    log: &'f LogFolder,
    kek: &'f Arc<Kek>,
    /// The index of the record that is shown next.
    next_index: u64,
    place: Option<Place>,
    doubts: u32,
}

/// Where the next record is.
enum Next {
    /// In the journal.
    Place(Place),
    /// Before it.
    Rolled,
    /// Nowhere yet.
    Nothing,
}

/// Where in which file, with its key.
struct Place {
    file: String,
    key: DataKey,
    offset: u64,
    /// The index of the first record at `offset`.
    index: u64,
}

impl<'f> Follow<'f> {
    /// Begins at the record `next_index`.
    pub fn new(log: &'f LogFolder, kek: &'f Arc<Kek>, next_index: u64) -> Self {
        Self { log, kek, next_index, place: None, doubts: 0 }
    }

    /// Goes on at a record that is further on: those before it are known from elsewhere, and so are
    /// durable.
    pub fn skip_to(&mut self, next_index: u64) {
        self.next_index = self.next_index.max(next_index);
    }

    /// Hands over what has arrived since the last look.
    ///
    /// # Errors
    /// When the journal cannot be read, or is damaged where it goes on.
    pub fn poll(&mut self, each: Each<'_>) -> Result<(), ReadError> {
        loop {
            let mut place = match self.place.take() {
                Some(place) => place,
                None => match self.find()? {
                    Next::Place(place) => place,
                    Next::Rolled => match self.catch_up(each)? {
                        true => continue,
                        false => return Ok(()),
                    },
                    Next::Nothing => return Ok(()),
                },
            };
            let read = self.read(&mut place, each);
            if read.is_err() && self.log.folder.size(&place.file)?.is_none() {
                // It was rolled meanwhile.
                continue;
            }
            let following = store::journal_path(place.index);
            let has_successor = self.log.folder.size(&following)?.is_some();
            // The file that begins here follows this one, unless it is this one and still empty.
            if read.is_ok() && has_successor && place.file != following {
                continue;
            }
            self.place = Some(place);
            return read;
        }
    }

    /// The newest file that begins at or before the next record.
    fn find(&self) -> Result<Next, ReadError> {
        let folder = &*self.log.folder;
        let files = folder.list(JOURNAL_FOLDER)?;
        let firsts = || files.iter().filter_map(|path| store::parse_journal_path(path));
        let Some(first) = firsts().filter(|first| *first <= self.next_index).max() else {
            return Ok(if firsts().next().is_some() { Next::Rolled } else { Next::Nothing });
        };
        let file = store::journal_path(first);
        // A file that is being made has no whole header yet.
        let Ok(reader) = JournalReader::open(folder, &file, &self.log.identity.id()?) else {
            return Ok(Next::Nothing);
        };
        let bytes = folder.read(seal::KEYRING_PATH)?.unwrap_or_default();
        let keyring = Keyring::open(&bytes, self.kek)?;
        let id = KeyId::from_bytes(reader.header().key_id);
        let Some(key) = keyring.get(id) else {
            return Err(ReadError::new(format!(
                "the key {id} of {file} is not in the keyring; run `tacho verify`"
            )));
        };
        let (offset, index) = (reader.offset(), reader.next_index());
        Ok(Next::Place(Place { file, key: DataKey::new(key), offset, index }))
    }

    /// Hands over what lies before the journal by now; `false` when there is nothing.
    fn catch_up(&mut self, each: Each<'_>) -> Result<bool, ReadError> {
        let reading = Reading::open(self.log.clone(), self.kek)?;
        let mut records = reading.records(self.next_index)?;
        let before = self.next_index;
        while let Some(item) = records.next() {
            match item {
                Item::Record { index, record } => {
                    each(index, &record)?;
                    self.next_index = index + 1;
                }
                Item::Unreadable { index, detail, .. } => {
                    return Err(ReadError::new(format!(
                        "record #{index} cannot be read: {detail}; run `tacho verify`"
                    )));
                }
            }
        }
        Ok(self.next_index > before)
    }

    /// Passes over frames of which every record is known, by their headers alone. One that does not
    /// follow the one before it is for the reader to judge.
    fn pass(&self, place: &mut Place) -> Result<(), ReadError> {
        let mut header = [0; FRAME_HEADER_BYTES];
        while place.index < self.next_index {
            let read = self.log.folder.read_at(&place.file, place.offset, &mut header)?;
            match FrameHeader::decode(header.get(..read).unwrap_or_default()) {
                Some(it) if it.first_index == place.index && it.end_index() <= self.next_index => {
                    place.offset = place.offset.saturating_add(it.bytes());
                    place.index = it.end_index();
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Reads whole frames from a place on.
    fn read(&mut self, place: &mut Place, each: Each<'_>) -> Result<(), ReadError> {
        self.pass(place)?;
        if !self.something_is_at(place)? {
            return Ok(());
        }
        let folder = &*self.log.folder;
        let mut reader = JournalReader::open(folder, &place.file, &self.log.identity.id()?)?;
        reader.resume(place.offset, place.index);
        let mut payload = Vec::new();
        while self.something_is_at(place)? {
            match reader.next_frame()? {
                FrameFound::Frame(located) => {
                    if located.header.end_index() > self.next_index {
                        reader.open_frame(&located, &place.key, &mut payload)?;
                        self.records(&located, &payload, each)?;
                    }
                    self.doubts = 0;
                    place.offset = reader.offset();
                    place.index = reader.next_index();
                }
                FrameFound::Tail(Tail::Clean | Tail::Reserved { .. } | Tail::Torn { .. }) => break,
                FrameFound::Tail(Tail::Damaged { offset, first_index, .. }) => {
                    self.doubts += 1;
                    if self.doubts < DOUBTS_MAX {
                        break;
                    }
                    return Err(ReadError::new(format!(
                        "{} is damaged from byte {offset}, record #{first_index}, on; run \
                         `tacho verify`",
                        place.file
                    )));
                }
            }
        }
        Ok(())
    }

    /// Whether a frame begins at a place. Asking this first keeps the reader from looking through
    /// all the space that is reserved behind the last frame.
    fn something_is_at(&self, place: &Place) -> Result<bool, ReadError> {
        let mut header = [0; FRAME_HEADER_BYTES];
        let read = self.log.folder.read_at(&place.file, place.offset, &mut header)?;
        Ok(FrameHeader::decode(header.get(..read).unwrap_or_default()).is_some())
    }

    /// Hands over the records of one frame that were not shown yet.
    fn records(
        &mut self,
        located: &Located,
        payload: &[u8],
        each: Each<'_>,
    ) -> Result<(), ReadError> {
        let mut rest = payload.get(PREVIOUS_BYTES..).unwrap_or_default();
        for index in located.header.first_index..located.header.end_index() {
            let (record, after) = Record::decode(rest).map_err(|error| {
                ReadError::new(format!(
                    "record #{index} cannot be read: {error}; run `tacho verify`"
                ))
            })?;
            if index >= self.next_index {
                each(index, &Kept::from(&record))?;
                self.next_index = index + 1;
            }
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
