//! The records of the journal, as `prove` wants them: one index after the other, damage included.

use super::suspect::Suspect;
use crate::reading::{PREVIOUS_BYTES, Step};
use event::{Event, Kind, Part, Record};
use prove::{Found, Records};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use store::Folder;

/// The records of a journal that another thread decrypts.
pub(super) struct JournalRecords<'r> {
    folder: &'r dyn Folder,
    size: u64,
    inbox: Receiver<(Step, Vec<u8>)>,
    give_back: SyncSender<Vec<u8>>,
    payload: Vec<u8>,
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
}

/// A step that answers for records without handing them out.
enum Answer {
    Damaged { count: u64, detail: String },
    Missing { count: u64 },
}

impl<'r> JournalRecords<'r> {
    /// The records that come through `inbox`; used buffers go back through `give_back`.
    pub(super) fn new(
        folder: &'r dyn Folder,
        size: u64,
        inbox: Receiver<(Step, Vec<u8>)>,
        give_back: SyncSender<Vec<u8>>,
    ) -> Self {
        let (payload, file, observed) = (Vec::new(), Arc::from(""), Observed::default());
        Self { folder, size, inbox, give_back, payload, file, now: Now::Nothing, observed }
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
                (ahead > 0).then_some(Answer::Missing { count: ahead })
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
            Step::Missing { count, .. } => Some(Answer::Missing { count }),
            Step::End => {
                self.now = Now::End;
                None
            }
        }
    }
}

impl Records for JournalRecords<'_> {
    fn at(&mut self, index: u64) -> Found<'_> {
        loop {
            let ready = match self.now {
                Now::End => return Found::End,
                Now::Frame { next, end, .. } => next < end,
                Now::Suspect { next } => {
                    self.observed.suspects.last().is_some_and(|it| next < it.end())
                }
                Now::Nothing => false,
            };
            if ready {
                break;
            }
            match self.advance(index) {
                None => {}
                Some(Answer::Missing { count }) => return Found::Missing { count },
                Some(Answer::Damaged { count, detail }) => {
                    return Found::Damaged { count, file: &self.file, detail: Cow::Owned(detail) };
                }
            }
        }
        match self.now {
            Now::Frame { offset, next, end } => self.of_frame(index, offset, next, end),
            Now::Suspect { next } => self.of_suspect(next),
            Now::Nothing | Now::End => Found::End,
        }
    }
}

impl JournalRecords<'_> {
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
                observe(&mut self.observed, index, &record);
                Found::Record { file: &self.file, previous, held: false, record }
            }
            Err(error) => {
                self.now = Now::Nothing;
                let detail = Cow::Owned(format!("not a record: {error}"));
                Found::Damaged { count: end.saturating_sub(next), file: &self.file, detail }
            }
        }
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

/// Remembers what the log says about itself.
fn observe(observed: &mut Observed, index: u64, record: &Record<'_>) {
    observed.is_closed = false;
    if record.kind != Kind::Log {
        return;
    }
    let Ok(event) = Event::from_stored(record.meta, record.content) else { return };
    // A new log has no space reserved behind its first record, one that ended has given it back.
    observed.is_closed = matches!(&*event.event_type, "log.stopped" | "log.created");
    let Some(details) = event.content.get(Part::Params).map(|json| json.to_value()) else { return };
    if index == 0 {
        let sha256 = details.get("log_json_sha256").and_then(serde_json::Value::as_str);
        observed.identity_sha256 = sha256.map(str::to_owned);
    }
    if let Some(generation) = details.get("keyring_generation").and_then(serde_json::Value::as_u64)
    {
        observed.keyring_generation = observed.keyring_generation.max(generation);
    }
}
