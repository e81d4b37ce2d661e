//! The last sequences of the streams of rolled records, kept for the next start, which would
//! otherwise read all entries of the day to find them (`recover/tree.rs`).

use crate::spans::{Span, Spans};
use crate::streams::DAY_MS;
use crate::window::NameMap;
use event::Record;
use keys::Entropy;
use merkle::Hash;
use store::{CACHE_FOLDER, Folder};

/// Bytes of one stream: its id and its last sequence.
const STREAM_BYTES: usize = 24;
const KIND: &str = "streams";

/// The streams of the last day of a span of records; a journal file has one day, as a rule.
#[derive(Default)]
pub(crate) struct RolledStreams {
    day: u64,
    lasts: NameMap<u64>,
    /// The leaf of the last record, which commits to all before it.
    leaf: [u8; 32],
}

impl RolledStreams {
    /// Takes the next record into account, and its leaf.
    pub(crate) fn note(&mut self, record: &Record<'_>, leaf: Hash) {
        let day = record.time_ms / DAY_MS;
        if day != self.day {
            self.lasts.clear();
            self.day = day;
        }
        self.lasts.insert(u128::from_be_bytes(record.stream), record.sequence);
        self.leaf = leaf.0;
    }

    /// Keeps them, and drops those of days that are over.
    pub(crate) fn keep(
        &self,
        folder: &dyn Folder,
        secret: &[u8; 32],
        span: Span,
        entropy: &dyn Entropy,
    ) {
        if self.lasts.is_empty() {
            return;
        }
        let room = self.lasts.len() * STREAM_BYTES;
        let fill = |bytes: &mut Vec<u8>| {
            for (id, last) in &self.lasts {
                bytes.extend_from_slice(&id.to_be_bytes());
                bytes.extend_from_slice(&last.to_be_bytes());
            }
        };
        of_day(folder, secret, self.day).keep(span, &self.leaf, room, fill, entropy);
        let is_over = |path: &String| day_of(path).is_some_and(|day| day < self.day);
        for path in folder.list(CACHE_FOLDER).unwrap_or_default().into_iter().filter(is_over) {
            let _ = folder.remove(&path);
        }
    }
}

fn of_day<'f>(folder: &'f dyn Folder, secret: &[u8; 32], day: u64) -> Spans<'f> {
    Spans::new(folder, secret, format!("{KIND}-{day:06}"))
}

/// The day of a file of streams.
fn day_of(path: &str) -> Option<u64> {
    let rest = path.strip_prefix(CACHE_FOLDER)?.strip_prefix('/')?.strip_prefix(KIND)?;
    rest.strip_prefix('-')?.split('-').next()?.parse().ok()
}

/// What is kept for a day.
pub(crate) struct KeptStreams<'f> {
    files: Spans<'f>,
    spans: Vec<Span>,
}

/// What was kept about one span.
pub(crate) struct KeptSpan {
    pub(crate) first: u64,
    /// Ids and last sequences.
    pub(crate) lasts: Vec<([u8; 16], u64)>,
}

impl<'f> KeptStreams<'f> {
    pub(crate) fn of_day(folder: &'f dyn Folder, secret: &[u8; 32], day: u64) -> Self {
        let files = of_day(folder, secret, day);
        let spans = files.all();
        Self { files, spans }
    }

    /// Where the last span ends that ends at `at` or before.
    pub(crate) fn end_before(&self, at: u64) -> Option<u64> {
        self.spans.iter().map(|span| span.end).filter(|end| *end <= at).max()
    }

    /// What is kept about the span that ends with the record of this leaf at `end`, once.
    pub(crate) fn take(&mut self, end: u64, leaf: Hash) -> Option<KeptSpan> {
        let place = self.spans.iter().position(|span| span.end == end)?;
        let span = self.spans.swap_remove(place);
        let plain = self.files.read(span, &leaf.0)?;
        let stream = |bytes: &[u8; STREAM_BYTES]| {
            let (id, last) = bytes.split_first_chunk::<16>()?;
            Some((*id, u64::from_be_bytes(last.try_into().ok()?)))
        };
        let (streams, []) = plain.as_chunks::<STREAM_BYTES>() else { return None };
        let lasts = streams.iter().filter_map(stream).collect();
        Some(KeptSpan { first: span.first, lasts })
    }
}
