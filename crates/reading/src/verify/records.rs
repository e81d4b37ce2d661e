//! The records of journal and segments, as `prove` wants them: one index after the other, damage
//! included.

use super::suspect::Suspect;
use crate::{PREVIOUS_BYTES, Placed, Step, kept};
use event::{Event, Kind, Part, Record, types};
use prove::{Found, Kept, Records};
use segment::Manifest;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use store::Folder;

/// The records of a log that another thread decrypts.
pub(super) struct LogRecords<'r> {
    folder: &'r dyn Folder,
    size: u64,
    inbox: Receiver<(Step, Vec<u8>)>,
    give_back: SyncSender<Vec<u8>>,
    payload: Vec<u8>,
    rows: Vec<Placed>,
    file: Arc<str>,
    now: Now,
    observed: Observed,
}

/// What is being handed out.
#[derive(Clone, Copy)]
enum Now {
    /// The next step is to be taken.
    Nothing,
    /// The records of a frame from `next` to before `end`, the next of them at `offset`.
    Frame { offset: usize, next: u64, end: u64 },
    /// The records of segments from the one at `at` on.
    Rows { at: usize },
    /// The records of the last suspect from `next` on.
    Suspect { next: u64 },
    /// Nothing comes any more.
    End,
}

/// What the records told about the rest of the folder.
#[derive(Default)]
pub(super) struct Observed {
    /// The SHA-256 of `log.json` as entry 0 recorded it, in hexadecimal.
    pub(super) identity_sha256: Option<String>,
    /// The highest generation of the keyring that the log recorded.
    pub(super) keyring_generation: u64,
    /// Whether the last record says that nothing was written after it.
    pub(super) is_closed: bool,
    /// Frames that do not authenticate.
    pub(super) suspects: Vec<Suspect>,
    /// Records that the ledger shows.
    shown: BTreeSet<u64>,
    /// Records that announce segments, and that the ledger does not show.
    pub(super) undisclosed: Vec<(u64, Manifest)>,
    /// Records of other kinds that the ledger should show and does not, although they left the
    /// journal.
    pub(super) hidden: Vec<u64>,
}

/// A step that answers for records without handing them out.
enum Answer {
    Damaged { count: u64, detail: String },
    Missing { count: u64 },
}

/// Records announcing segments that the ledger does not show, of which more are not remembered: the
/// report has no room for them.
const UNDISCLOSED_MAX: usize = 1000;

impl<'r> LogRecords<'r> {
    /// The records that come through `inbox`; used buffers go back through `give_back`. `place`:
    /// the folder, and how many entries it has; `shown`: the records that the ledger shows.
    pub(super) fn new(
        (folder, size): (&'r dyn Folder, u64),
        shown: &BTreeSet<u64>,
        inbox: Receiver<(Step, Vec<u8>)>,
        give_back: SyncSender<Vec<u8>>,
    ) -> Self {
        let observed = Observed { shown: shown.clone(), ..Observed::default() };
        let (payload, rows, file, now) = (Vec::new(), Vec::new(), Arc::from(""), Now::Nothing);
        Self { folder, size, inbox, give_back, payload, rows, file, now, observed }
    }

    /// Ends the reading, wherever it is.
    pub(super) fn finish(self) -> Observed {
        self.observed
    }

    /// Takes the next step of the walk.
    fn advance(&mut self, index: u64) -> Option<Answer> {
        // A buffer that nobody wants back is simply freed.
        let _ = self.give_back.try_send(std::mem::take(&mut self.payload));
        let (step, payload) = self.inbox.recv().unwrap_or((Step::End, Vec::new()));
        self.payload = payload;
        self.now = Now::Nothing;
        match step {
            Step::Frame { file, first_index, count } => {
                self.file = file;
                let Some(ahead) = first_index.checked_sub(index) else {
                    let detail = "its records stand in the journal twice".to_owned();
                    return Some(Answer::Damaged { count: 1, detail });
                };
                let offset = PREVIOUS_BYTES.min(self.payload.len());
                let end = first_index.saturating_add(count);
                self.now = Now::Frame { offset, next: first_index, end };
                self.missing(ahead)
            }
            Step::Rows { rows } => {
                let first = rows.first()?.row.index;
                self.rows = rows;
                self.now = Now::Rows { at: 0 };
                match first.checked_sub(index) {
                    Some(ahead) => self.missing(ahead),
                    None => {
                        let detail = "its records stand in another file too".to_owned();
                        self.now = Now::Nothing;
                        Some(Answer::Damaged { count: 1, detail })
                    }
                }
            }
            Step::Suspect { file, first_index, count, detail } => {
                self.file = Arc::clone(&file);
                self.observed.is_closed = false;
                let place = (self.folder, self.size);
                let suspect =
                    Suspect::read(place, file, (first_index, count), detail, &self.payload);
                self.observed.suspects.push(suspect);
                self.now = Now::Suspect { next: first_index };
                None
            }
            Step::Damaged { file, count, detail, .. } => {
                self.file = file;
                self.observed.is_closed = false;
                Some(Answer::Damaged { count, detail })
            }
            Step::Missing { file, count, .. } => {
                self.file = file.unwrap_or_else(|| Arc::from(""));
                self.observed.is_closed = false;
                Some(Answer::Missing { count })
            }
            Step::End => {
                self.now = Now::End;
                None
            }
        }
    }

    /// Records before the next one, which nothing was said about.
    fn missing(&mut self, count: u64) -> Option<Answer> {
        if count == 0 {
            return None;
        }
        self.file = Arc::from("");
        Some(Answer::Missing { count })
    }
}

impl Records for LogRecords<'_> {
    fn at(&mut self, index: u64) -> Found<'_> {
        loop {
            let ready = match self.now {
                Now::End => return Found::End,
                Now::Frame { next, end, .. } => next < end,
                Now::Suspect { next } => {
                    self.observed.suspects.last().is_some_and(|it| next < it.end())
                }
                Now::Rows { at } => at < self.rows.len(),
                Now::Nothing => false,
            };
            if ready {
                break;
            }
            match self.advance(index) {
                None => {}
                Some(Answer::Missing { count }) => {
                    return Found::Missing { count, file: &self.file };
                }
                Some(Answer::Damaged { count, detail }) => {
                    return Found::Damaged { count, file: &self.file, detail: Cow::Owned(detail) };
                }
            }
        }
        match self.now {
            Now::Frame { offset, next, end } => self.of_frame(index, offset, next, end),
            Now::Rows { at } => self.of_rows(at),
            Now::Suspect { next } => self.of_suspect(next),
            Now::Nothing | Now::End => Found::End,
        }
    }
}

impl LogRecords<'_> {
    /// The next record of an authenticated frame.
    #[inline]
    fn of_frame(&mut self, index: u64, offset: usize, next: u64, end: u64) -> Found<'_> {
        let rest = self.payload.get(offset..).unwrap_or_default();
        match Record::decode(rest) {
            Ok((record, after)) => {
                let previous = match offset {
                    PREVIOUS_BYTES => self.payload.first_chunk::<PREVIOUS_BYTES>().copied(),
                    _ => None,
                };
                let offset = self.payload.len() - after.len();
                self.now = Now::Frame { offset, next: next.saturating_add(1), end };
                self.observed.note(index, &Kept::from(&record));
                Found::Record { file: &self.file, previous, held: false, record }
            }
            Err(error) => {
                self.now = Now::Nothing;
                let detail = Cow::Owned(format!("not a record: {error}"));
                Found::Damaged { count: end.saturating_sub(next), file: &self.file, detail }
            }
        }
    }

    /// The next record of a segment.
    #[inline]
    fn of_rows(&mut self, at: usize) -> Found<'_> {
        self.now = Now::Rows { at: at + 1 };
        let Some(Placed { file, row }) = self.rows.get(at) else { return Found::End };
        let record = kept(row);
        self.observed.note(row.index, &record);
        if record.kind == Kind::Log {
            self.observed.note_settled(row.index, &record);
        }
        Found::Kept { file, held: false, kept: record }
    }

    /// The next record of an altered frame: those that are what the tree commits to are handed out,
    /// the others are named.
    fn of_suspect(&mut self, next: u64) -> Found<'_> {
        self.now = Now::Suspect { next: next.saturating_add(1) };
        let place = self.observed.suspects.last().and_then(|suspect| suspect.place(next));
        let rest = place.and_then(|place| self.payload.get(place..));
        match rest.map(Record::decode) {
            Some(Ok((record, _))) => {
                Found::Record { file: &self.file, previous: None, held: false, record }
            }
            _ => Found::Damaged {
                count: 1,
                file: &self.file,
                detail: Cow::Borrowed("the record was altered"),
            },
        }
    }
}

impl Observed {
    /// Remembers what the log says about itself.
    #[inline]
    fn note(&mut self, index: u64, record: &Kept<'_>) {
        self.is_closed = false;
        if record.kind == Kind::Log {
            self.note_own(index, record);
        }
    }

    /// Remembers what the ledger should show of the records in segments: it does before they get
    /// there.
    fn note_settled(&mut self, index: u64, record: &Kept<'_>) {
        let Ok(event) = Event::from_stored(record.meta, &[]) else { return };
        if event.event_type != types::LOG_SEGMENT
            && types::is_disclosed(&event.event_type)
            && !self.shown.contains(&index)
            && self.hidden.len() < UNDISCLOSED_MAX
        {
            self.hidden.push(index);
        }
    }

    fn note_own(&mut self, index: u64, record: &Kept<'_>) {
        let content = record.content.bytes();
        let Ok(event) = Event::from_stored(record.meta, content) else { return };
        // A new log has no space reserved behind its first record, one that ended has given it
        // back.
        self.is_closed = matches!(&*event.event_type, "log.stopped" | "log.created");
        if event.event_type == types::LOG_SEGMENT
            && !self.shown.contains(&index)
            && self.undisclosed.len() < UNDISCLOSED_MAX
        {
            let manifest = Manifest::from_content(content).ok();
            self.undisclosed.extend(manifest.map(|manifest| (index, manifest)));
        }
        let details = event.content.get(Part::Params).map(|json| json.to_value());
        let Some(details) = details else { return };
        if index == 0 {
            let sha256 = details.get("log_json_sha256").and_then(serde_json::Value::as_str);
            self.identity_sha256 = sha256.map(str::to_owned);
        }
        let generation = details.get("keyring_generation").and_then(serde_json::Value::as_u64);
        self.keyring_generation = self.keyring_generation.max(generation.unwrap_or(0));
    }
}
