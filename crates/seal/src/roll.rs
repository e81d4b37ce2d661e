//! Rolling: the records of a closed journal file become segments, one for each tier and day.
//!
//! Everything here runs beside the writer and changes nothing that anybody relies on: the segments
//! count only when the writer has announced them (`ledger.rs`), and until then the journal file is
//! there.

use crate::batch::Fingerprints;
use crate::build::{Build, Built};
use crate::error::SealError;
use crate::ids::{IdCache, Ids};
use crate::rolled_streams::RolledStreams;
use crate::sequence::event_id;
use crate::spans::Span;
use crate::streams::DAY_MS;
use event::Record;
use keys::{DataKey, Entropy, KeyId};
use merkle::{Hash, leaf_hash};
use std::sync::Arc;
use store::{Folder, FrameFound, JournalReader, StoreError, Tail};
use zeroize::Zeroizing;

/// A journal file that nothing is written to any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) path: String,
    pub(crate) first: u64,
    /// The index after its last record.
    pub(crate) end: u64,
    pub(crate) key_id: KeyId,
}

/// What is needed to roll one file.
pub(crate) struct Job {
    pub(crate) folder: Arc<dyn Folder>,
    pub(crate) log_id: [u8; 16],
    pub(crate) closed: Closed,
    pub(crate) key: DataKey,
    pub(crate) names: Fingerprints,
    /// What the ids are kept under for the next start, and the first index whose id it wants.
    pub(crate) secret: Option<Zeroizing<[u8; 32]>>,
    pub(crate) oldest: u64,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Job {
    /// Writes the segments and checks them; then keeps the ids and streams of the records for the
    /// next start, which does not need them as long as the journal file is there. What is returned
    /// holds all that the file held, durable and checked, and is not announced yet.
    ///
    /// # Errors
    /// Whatever keeps it from being done; the files that were begun are removed, and the journal
    /// file is as it was.
    pub(crate) fn run(&self) -> Result<Vec<Built>, SealError> {
        let Closed { path, first, end, .. } = &self.closed;
        let span = (*first, end.saturating_sub(1));
        let mut build = Build::new(&self.folder, &self.entropy, span, vec![path.clone()]);
        let count = usize::try_from(end.saturating_sub(*first)).unwrap_or(0);
        let mut ids = Ids { first: *first, list: Vec::with_capacity(count) };
        let mut streams = RolledStreams::default();
        self.each_record(&mut |index, record, leaf| {
            streams.note(record, leaf);
            build.push((record.tier, record.time_ms / DAY_MS), index, record)?;
            let name = event_id(record.meta).map_or(0, |id| self.names.name(&id));
            ids.list.push((name, self.names.content(record.meta, record.content)));
            Ok(())
        })?;
        let segments = build.finish()?;
        if let Some(secret) = &self.secret {
            let (folder, entropy) = (&*self.folder, &*self.entropy);
            IdCache::new(folder, secret).keep(&ids, self.oldest, entropy);
            streams.keep(folder, secret, Span { first: *first, end: *end }, entropy);
        }
        Ok(segments)
    }

    /// Hands out every record of the journal file, which must be whole, with its leaf.
    fn each_record(
        &self,
        each: &mut dyn FnMut(u64, &Record<'_>, Hash) -> Result<(), SealError>,
    ) -> Result<(), SealError> {
        let path = &self.closed.path;
        let mut reader = JournalReader::open(&*self.folder, path, &self.log_id)?;
        let mut payload = Vec::new();
        loop {
            let located = match reader.next_frame()? {
                FrameFound::Frame(located) => located,
                FrameFound::Tail(Tail::Clean | Tail::Reserved { .. }) => break,
                FrameFound::Tail(Tail::Torn { offset, .. } | Tail::Damaged { offset, .. }) => {
                    let detail = format!("record {} cannot be read", reader.next_index());
                    return Err(StoreError::Damaged { path: path.clone(), offset, detail }.into());
                }
            };
            reader.open_frame(&located, &self.key, &mut payload)?;
            let mut index = located.header.first_index;
            let Some((before, mut rest)) = payload.split_first_chunk::<32>() else {
                return Err(SealError::corrupt(path.clone(), format!("record {index}: no frame")));
            };
            let mut leaf = Hash(*before);
            while !rest.is_empty() {
                let (record, after) = Record::decode(rest).map_err(|error| {
                    SealError::corrupt(path.clone(), format!("record {index}: {error}"))
                })?;
                leaf = leaf_hash(&record.entry(leaf.0).encode());
                each(index, &record, leaf)?;
                (rest, index) = (after, index + 1);
            }
        }
        if reader.next_index() != self.closed.end {
            let detail = format!("it ends before record {}", self.closed.end);
            return Err(SealError::corrupt(path.clone(), detail));
        }
        Ok(())
    }
}
