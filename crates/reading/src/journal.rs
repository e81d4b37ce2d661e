//! The journal from its first frame to its last, file after file, whatever the files have suffered.
//!
//! Every step says what there is for one run of indexes. Damage is a step like any other: the walk
//! goes on behind it, and remembers what belongs to a file and to no record
//! ([`JournalWalk::into_end`]). Records before the journal are missing here; whether segments have
//! them is `walk.rs`'s to say.

use crate::faults::Faults;
use crate::shelf::Shelf;
use crate::walk::Step;
use keys::{DataKey, KeyId, Keyring};
use prove::FindingKind;
use std::sync::Arc;
use store::{
    FRAME_HEADER_BYTES, Folder, FrameFound, FrameHeader, JOURNAL_FOLDER, JournalReader, Located,
    StoreError, Tail,
};

/// Bytes before the records of a frame: the hash of the leaf before its first.
pub const PREVIOUS_BYTES: usize = 32;

/// How far the log reaches, as far as is known before the journal is read.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// The signed size: a journal that ends before it has lost records.
    pub size: u64,
    /// Whether frames that fail authentication are handed out as [`Step::Suspect`].
    pub suspects: bool,
}

/// What a journal file begins with (format.md, "Journal file").
const FILE_MAGIC: &[u8] = b"TACHOJNL";

/// Damaged places in one file after which the rest of it is given up: looking for where good frames
/// begin again reads the file to its end each time.
const DAMAGED_PLACES_MAX: u32 = 64;

/// Where a walk ended, and what it found that concerns no record.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// Faults of files, and of records that were handed out all the same.
    pub(crate) faults: Faults,
    /// The last file, what lies behind its last frame, and the offset of that.
    pub tail: Option<(Arc<str>, Tail, u64)>,
    /// The index after the last record.
    pub next_index: u64,
}

/// The beginning of a frame, from which another walk may go on: the frames before it need not be
/// read again.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    file: Arc<str>,
    offset: u64,
    /// The index of the first record there.
    index: u64,
}

/// A walk over the journal.
pub(crate) struct JournalWalk<'w> {
    folder: &'w dyn Folder,
    log_id: [u8; 16],
    keyring: Option<&'w Keyring>,
    bound: Bound,
    /// Frames that end at or before this index are passed over.
    from: u64,
    /// The files that are left, last first.
    files: Vec<(u64, Arc<str>)>,
    /// Those of them that segments took the place of.
    replaced: Vec<Arc<str>>,
    current: Option<Current<'w>>,
    /// The index that comes next.
    expected: u64,
    /// Where to begin in a file, if that is known; later the last frame that was met.
    mark: Option<Mark>,
    end: End,
}

/// The file that is being read.
struct Current<'w> {
    reader: JournalReader<'w>,
    file: Arc<str>,
    key: Option<DataKey>,
    damaged_places: u32,
}

/// Why a file or frame is of no use, in words; its name and place stand beside it.
fn reason(error: &StoreError) -> String {
    match error {
        StoreError::Damaged { detail, .. } => detail.clone(),
        other => other.to_string(),
    }
}

impl<'w> JournalWalk<'w> {
    /// A walk over the records from `from` on. Without a keyring, frames are checked and not
    /// decrypted. A file of which the shelf says that segments took its place may lack its key.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the journal's folder cannot be listed.
    pub(crate) fn new(
        folder: &'w dyn Folder,
        log_id: [u8; 16],
        keyring: Option<&'w Keyring>,
        shelf: &Shelf,
        bound: Bound,
        from: u64,
    ) -> Result<Self, StoreError> {
        let named = |path: String| Some((store::parse_journal_path(&path)?, path.into()));
        let mut files: Vec<(u64, Arc<str>)> =
            folder.list(JOURNAL_FOLDER)?.into_iter().filter_map(named).collect();
        // The last file that begins at or before the first record wanted, and all after it.
        let skip = files.iter().rposition(|(first, _)| *first <= from).unwrap_or(0);
        let expected = files.get(skip).map_or(from, |(first, _)| from.min(*first));
        files.drain(..skip);
        files.reverse();
        let paths = files.iter().map(|(_, path)| path);
        let replaced = paths.filter(|path| shelf.catalogue.replaces(path)).cloned().collect();
        let (current, mark, end) = (None, None, End::default());
        Ok(Self {
            folder,
            log_id,
            keyring,
            bound,
            from,
            files,
            replaced,
            current,
            expected,
            mark,
            end,
        })
    }

    /// The same walk, which begins where another one was.
    pub(crate) fn resumed_at(self, mark: Option<Mark>) -> Self {
        Self { mark, ..self }
    }

    /// The last frame that was met and that the bound covers.
    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    /// What comes next; fills `payload` for frames.
    pub(crate) fn next(&mut self, payload: &mut Vec<u8>) -> Step {
        payload.clear();
        loop {
            let Some(current) = &mut self.current else {
                match self.next_file() {
                    Some(step) => return step,
                    None => continue,
                }
            };
            match current.reader.next_frame() {
                Ok(FrameFound::Frame(located)) => {
                    if let Some(step) = self.frame(&located, payload) {
                        return step;
                    }
                }
                Ok(FrameFound::Tail(tail)) => {
                    if let Some(step) = self.tail(tail, payload) {
                        return step;
                    }
                }
                Err(error) => {
                    let file = Arc::clone(&current.file);
                    self.current = None;
                    if let Some(step) = self.lost_file(file, &error) {
                        return step;
                    }
                }
            }
        }
    }

    /// What was found beside the records; call it after [`Step::End`].
    pub(crate) fn into_end(mut self) -> End {
        self.end.next_index = self.expected;
        self.end
    }

    /// Opens the next file; `None` when it is open and to be read on.
    fn next_file(&mut self) -> Option<Step> {
        let Some((first, file)) = self.files.last().cloned() else {
            return Some(self.missing_up_to(self.bound.size).unwrap_or(Step::End));
        };
        if first > self.expected
            && let Some(step) = self.missing_up_to(first)
        {
            return Some(step);
        }
        self.files.pop();
        if first < self.expected {
            let detail = "it holds records that the file before it holds already".to_owned();
            self.fault(FindingKind::Unannounced, &file, detail);
            return None;
        }
        match JournalReader::open(self.folder, &file, &self.log_id) {
            Ok(mut reader) => {
                let id = KeyId::from_bytes(reader.header().key_id);
                let key = self.keyring.and_then(|keyring| keyring.get(id)).map(DataKey::new);
                if self.keyring.is_some() && key.is_none() {
                    // The key goes after the file; a crash may have brought the file back.
                    if self.replaced.contains(&file) {
                        return None;
                    }
                    let detail = format!(
                        "it lacks the key {id} of {file}: an older keyring was put in its place, or the \
                         key was destroyed"
                    );
                    self.fault(FindingKind::Corrupt, seal::KEYRING_PATH, detail);
                    return self.lost_rest(file, format!("its key {id} is not in the keyring"));
                }
                if let Some(mark) = self.mark.as_ref().filter(|mark| mark.file == file)
                    && (first..=self.from).contains(&mark.index)
                {
                    reader.resume(mark.offset, mark.index);
                    self.expected = mark.index;
                }
                self.current = Some(Current { reader, file, key, damaged_places: 0 });
                None
            }
            // A file whose making was cut short has never held a record.
            Err(StoreError::Damaged { .. }) if self.is_unborn(first, &file) => {
                self.end.tail = Some((file, Tail::Torn { offset: 0, bytes: 0 }, 0));
                None
            }
            Err(error) => self.lost_file(file, &error),
        }
    }

    /// The last file, without a whole header, behind everything that was signed.
    fn is_unborn(&self, first: u64, file: &str) -> bool {
        let mut bytes = [0; store::JOURNAL_HEADER_BYTES + 1];
        let Ok(read) = self.folder.read_at(file, 0, &mut bytes) else { return false };
        let bytes = bytes.get(..read).unwrap_or_default();
        let begins = bytes.iter().all(|byte| *byte == 0)
            || bytes.starts_with(FILE_MAGIC.get(..read.min(FILE_MAGIC.len())).unwrap_or_default());
        let behind = self.files.is_empty() && first >= self.bound.size && first > 0;
        behind && begins && read <= store::JOURNAL_HEADER_BYTES
    }

    /// A frame whose checksum holds.
    fn frame(&mut self, located: &Located, payload: &mut Vec<u8>) -> Option<Step> {
        let current = self.current.as_mut()?;
        let header = &located.header;
        self.expected = header.end_index();
        if header.end_index() <= self.from {
            return None;
        }
        let (file, first_index) = (Arc::clone(&current.file), header.first_index);
        let count = u64::from(header.count);
        if first_index <= self.bound.size {
            let (file, offset) = (Arc::clone(&file), located.offset);
            self.mark = Some(Mark { file, offset, index: first_index });
        }
        if header.durable != located.offset {
            let detail = format!("the frame at byte {} was moved there", located.offset);
            self.fault(FindingKind::Corrupt, &file, detail);
        }
        let current = self.current.as_mut()?;
        let Some(key) = &current.key else {
            return Some(Step::Frame { file, first_index, count });
        };
        match current.reader.open_frame(located, key, payload) {
            Ok(()) => Some(Step::Frame { file, first_index, count }),
            Err(error @ StoreError::Missing { .. }) => {
                self.expected = first_index;
                self.current = None;
                self.lost_file(file, &error)
            }
            Err(error) => {
                let detail = format!("the frame at byte {}: {}", located.offset, reason(&error));
                Some(self.suspect(located, detail, payload))
            }
        }
    }

    /// An altered frame: its records one by one if they can be compared with entries, or all as
    /// damaged.
    fn suspect(&mut self, located: &Located, detail: String, payload: &mut Vec<u8>) -> Step {
        let header = &located.header;
        let (first_index, count) = (header.first_index, u64::from(header.count));
        let Some(current) = &mut self.current else { return Step::End };
        let file = Arc::clone(&current.file);
        let comparable = self.bound.suspects && header.end_index() <= self.bound.size;
        let opened = match &current.key {
            Some(key) if comparable => {
                current.reader.open_damaged_frame(located, key, payload).is_ok()
            }
            _ => false,
        };
        if opened {
            return Step::Suspect { file, first_index, count, detail };
        }
        payload.clear();
        Step::Damaged { file, first_index, count, detail }
    }

    /// What lies behind the last good frame of a file, or between two.
    fn tail(&mut self, tail: Tail, payload: &mut Vec<u8>) -> Option<Step> {
        let current = self.current.as_mut()?;
        let (file, last) = (Arc::clone(&current.file), self.files.is_empty());
        let offset = current.reader.offset();
        let short = self.expected < self.bound.size;
        match tail {
            Tail::Clean => {
                self.end.tail = Some((file, tail, offset));
                self.current = None;
                None
            }
            Tail::Reserved { .. } | Tail::Torn { .. } if last && !short => {
                self.end.tail = Some((file, tail, offset));
                self.current = None;
                None
            }
            Tail::Reserved { bytes } => {
                let detail =
                    format!("{bytes} zero bytes from byte {offset} on do not belong there");
                self.fault(FindingKind::Corrupt, &file, detail);
                self.current = None;
                None
            }
            Tail::Torn { .. } => self.damaged(file, offset, None, payload),
            Tail::Damaged { resumes, .. } => self.damaged(file, offset, resumes, payload),
        }
    }

    /// Damage at `offset`, up to where good frames begin again, or the next frame seems to begin.
    fn damaged(
        &mut self,
        file: Arc<str>,
        offset: u64,
        resumes: Option<(u64, u64)>,
        payload: &mut Vec<u8>,
    ) -> Option<Step> {
        let current = self.current.as_mut()?;
        current.damaged_places += 1;
        if current.damaged_places > DAMAGED_PLACES_MAX {
            self.current = None;
            return self
                .lost_rest(file, "so much of it is damaged that the rest was given up".into());
        }
        let first_index = self.expected;
        let detail = format!("the frame at byte {offset} was altered or cut");
        let limit = match resumes {
            Some(place) => place,
            None => (self.folder.size(&file).ok().flatten()?, self.next_known_index()),
        };
        let located = self.locate(&file, offset, limit);
        let (end, next) = match &located {
            Some(it) => (it.offset + it.header.bytes(), it.header.end_index()),
            None => (limit.0, limit.1.max(first_index)),
        };
        let step = match located {
            Some(located) => self.suspect(&located, detail, payload),
            None => {
                let count = next - first_index;
                Step::Damaged { file, first_index, count, detail }
            }
        };
        self.expected = next;
        match &mut self.current {
            Some(current) if end < limit.0 || resumes.is_some() => {
                current.reader.resume(end, next);
            }
            _ => self.current = None,
        }
        self.unless_empty(step)
    }

    /// The altered frame at `offset`. Its header is believed where it fits between what is known
    /// around it; otherwise one is put together that reaches up to `limit`, an offset and an index.
    fn locate(&self, file: &str, offset: u64, limit: (u64, u64)) -> Option<Located> {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        let read = self.folder.read_at(file, offset, &mut bytes).ok()?;
        let bytes = bytes.get(..read)?;
        let first_index = self.expected;
        let fits = |header: &FrameHeader| {
            header.first_index == first_index
                && offset.checked_add(header.bytes()).is_some_and(|end| end <= limit.0)
                && header.end_index() <= limit.1
        };
        if let Some(header) = FrameHeader::decode(bytes).filter(fits) {
            return Some(Located { offset, header });
        }
        let length = limit.0.checked_sub(offset)?.checked_sub(FRAME_HEADER_BYTES as u64)?;
        let count = limit.1.checked_sub(first_index)?;
        let mut nonce = [0; 12];
        nonce.copy_from_slice(bytes.get(28..40)?);
        let header = FrameHeader {
            length: u32::try_from(length).ok()?,
            first_index,
            count: u32::try_from(count).ok().filter(|count| *count > 0)?,
            durable: offset,
            nonce,
            crc: 0,
        };
        (header.length as usize <= store::FRAME_PAYLOAD_BYTES_MAX + store::TAG_BYTES)
            .then_some(Located { offset, header })
    }

    /// Where records are known to go on behind the current file, or to have been signed.
    fn next_known_index(&self) -> u64 {
        self.files.last().map_or(self.bound.size, |(first, _)| *first).max(self.expected)
    }

    /// A file that cannot be read, or no more. One that is gone leaves its records to whoever has
    /// them: it was rolled meanwhile, or somebody took it away.
    fn lost_file(&mut self, file: Arc<str>, error: &StoreError) -> Option<Step> {
        match error {
            StoreError::Missing { .. } => self.missing_up_to(self.next_known_index()),
            other => self.lost_rest(file, reason(other)),
        }
    }

    /// Nothing more can be read from a file.
    fn lost_rest(&mut self, file: Arc<str>, detail: String) -> Option<Step> {
        let (first_index, next) = (self.expected, self.next_known_index());
        self.expected = next;
        let count = next - first_index;
        self.unless_empty(Step::Damaged { file, first_index, count, detail })
    }

    /// A run of no records is a fault of the file alone.
    fn unless_empty(&mut self, step: Step) -> Option<Step> {
        if let Step::Damaged { file, count: 0, detail, .. } = step {
            self.fault(FindingKind::Corrupt, &file, detail);
            return None;
        }
        Some(step)
    }

    /// The records up to `index`, which no file has.
    fn missing_up_to(&mut self, index: u64) -> Option<Step> {
        let first_index = self.expected;
        let count = index.checked_sub(first_index).filter(|count| *count > 0)?;
        self.expected = index;
        Some(Step::Missing { file: None, first_index, count })
    }

    fn fault(&mut self, kind: FindingKind, file: &str, detail: String) {
        self.end.faults.of_file(kind, file, detail);
    }
}
