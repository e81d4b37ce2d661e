//! The opened log that questions are asked of: its segments, and the records that no segment has
//! yet, as of one checkpoint.
//!
//! Whoever makes one vouches for it: the segments are those that count, the tail begins where they
//! end, and every key is the right one. Not here: which those are (`reading`), and answering.

use crate::found::{AsOf, Found, State};
use crate::guide::{Cache, Guide, IdGuide, Topic, WordGuide};
use crate::tail::Tail;
use keys::{Entropy, SecretKey};
use segment::{ContentState, Manifest, Row, RowGroup, Segment, SegmentError, Source};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use store::Folder;

/// Most bytes of guides that a library holds in memory between two questions.
const GUIDES_BYTES_MAX: usize = 256 << 20;

/// A log as of one checkpoint.
pub struct Library {
    as_of: AsOf,
    volumes: Vec<Volume>,
    tail: Tail,
    cache: Option<Cache>,
}

/// One segment, opened when it is first asked for. Cheap to clone: what was read of it is shared,
/// also between libraries.
#[derive(Clone)]
pub struct Volume(Arc<Opened>);

struct Opened {
    manifest: Manifest,
    source: Arc<dyn Source>,
    key: SecretKey,
    segment: OnceLock<Segment>,
    groups: OnceLock<Vec<Group>>,
    ids: Slot<IdGuide>,
    words: Slot<WordGuide>,
}

/// A guide in memory, and when it was used last.
type Slot<G> = Mutex<Option<(Arc<G>, Instant)>>;

/// What the footer says of a row group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// First and last index.
    pub(crate) indexes: (u64, u64),
    /// Earliest and latest time of its events, when every one has a time.
    pub(crate) times: Option<(i64, i64)>,
}

impl Library {
    /// A library of `volumes` and, in ascending order of index, the records that none of them
    /// holds. Records that the checkpoint does not cover never belong to an answer.
    #[must_use]
    pub fn new(as_of: AsOf, mut volumes: Vec<Volume>, tail: impl Into<Tail>) -> Self {
        volumes.retain(|volume| volume.manifest().first < as_of.size);
        volumes.sort_by_key(|volume| (volume.manifest().first, volume.manifest().tier as u8));
        Self { as_of, volumes, tail: tail.into(), cache: None }
    }

    /// The same as of an earlier checkpoint. What is in memory is shared.
    #[must_use]
    pub fn at(&self, as_of: AsOf) -> Self {
        let cache = self.cache.clone();
        Self { cache, ..Self::new(as_of, self.volumes.clone(), self.tail.clone()) }
    }

    /// The same, which keeps guides to its segments in the `cache/` of the log's folder. Without,
    /// they are made anew for every process.
    #[must_use]
    pub fn with_cache(self, folder: Arc<dyn Folder>, entropy: Arc<dyn Entropy>) -> Self {
        Self { cache: Some(Cache { folder, entropy }), ..self }
    }

    /// The checkpoint that every answer names.
    #[must_use]
    pub fn as_of(&self) -> &AsOf {
        &self.as_of
    }

    /// The segments, in the order of their first indexes. The last ones may hold records that the
    /// checkpoint does not cover.
    #[must_use]
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// The records that no segment holds and the checkpoint covers, in ascending order of index.
    pub fn tail(&self) -> impl Iterator<Item = &Row> {
        self.tail.iter().take_while(|row| row.index < self.as_of.size)
    }

    /// The records that no segment holds, and perhaps some that the checkpoint does not cover.
    pub(crate) fn whole_tail(&self) -> &Tail {
        &self.tail
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// Forgets the guides that were not used for longest, down to what may stay in memory.
    pub(crate) fn trim(&self) {
        self.trim_to(GUIDES_BYTES_MAX);
    }

    fn trim_to(&self, most: usize) {
        let mut held: Vec<(Instant, usize, &Volume, Topic)> = Vec::new();
        for volume in &self.volumes {
            let ids = lock(&volume.0.ids).as_ref().map(|(it, used)| (*used, it.bytes()));
            let words = lock(&volume.0.words).as_ref().map(|(it, used)| (*used, it.bytes()));
            held.extend(ids.map(|(used, bytes)| (used, bytes, volume, Topic::Ids)));
            held.extend(words.map(|(used, bytes)| (used, bytes, volume, Topic::Words)));
        }
        held.sort_by_key(|(used, ..)| *used);
        let mut total: usize = held.iter().map(|(_, bytes, ..)| *bytes).sum();
        for (_, bytes, volume, topic) in held {
            if total <= most {
                break;
            }
            match topic {
                Topic::Ids => *lock(&volume.0.ids) = None,
                Topic::Words => *lock(&volume.0.words) = None,
            }
            total -= bytes;
        }
    }
}

fn lock<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Volume {
    /// The segment that `manifest` describes, in the bytes of `source`, under `key`. Nothing is
    /// read.
    #[must_use]
    pub fn new(manifest: Manifest, source: Arc<dyn Source>, key: SecretKey) -> Self {
        let (segment, groups) = (OnceLock::new(), OnceLock::new());
        let (ids, words) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Opened { manifest, source, key, segment, groups, ids, words }))
    }

    /// What the log says about it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// Its bytes, for engines that read segments themselves.
    #[must_use]
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.0.source
    }

    /// Its key, for the same.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.0.key
    }

    /// The opened segment; the footer is read the first time.
    ///
    /// # Errors
    /// As [`Segment::open`]; the next call tries again.
    pub fn segment(&self) -> Result<&Segment, SegmentError> {
        if let Some(segment) = self.0.segment.get() {
            return Ok(segment);
        }
        let opened = Segment::open(Arc::clone(&self.0.source), &self.0.key)?;
        Ok(self.0.segment.get_or_init(|| opened))
    }

    pub(crate) fn groups(&self) -> Result<&[Group], SegmentError> {
        if let Some(groups) = self.0.groups.get() {
            return Ok(groups);
        }
        let segment = self.segment()?;
        let group = |(at, group): (usize, RowGroup)| Group {
            indexes: group.indexes,
            times: segment.times_of(at),
        };
        let groups = segment.row_groups()?.into_iter().enumerate().map(group).collect();
        Ok(self.0.groups.get_or_init(|| groups))
    }

    /// The guide to its ids: from memory, the cache or the segment, whichever has it first.
    pub(crate) fn ids(&self, cache: Option<&Cache>) -> Result<Arc<IdGuide>, SegmentError> {
        self.guide(&self.0.ids, cache, &|_| {})
    }

    /// The guide to its words, likewise.
    pub(crate) fn words(&self, cache: Option<&Cache>) -> Result<Arc<WordGuide>, SegmentError> {
        self.guide(&self.0.words, cache, &|_| {})
    }

    /// Whether a guide is in memory.
    pub(crate) fn has_guide(&self, topic: Topic) -> bool {
        match topic {
            Topic::Ids => lock(&self.0.ids).is_some(),
            Topic::Words => lock(&self.0.words).is_some(),
        }
    }

    /// Sees to it that a guide is at hand; tells `progress` of every so many rows that were read
    /// for it.
    pub(crate) fn prepare(
        &self,
        topic: Topic,
        cache: Option<&Cache>,
        progress: &dyn Fn(u64),
    ) -> Result<(), SegmentError> {
        match topic {
            Topic::Ids => self.guide(&self.0.ids, cache, progress).map(drop),
            Topic::Words => self.guide(&self.0.words, cache, progress).map(drop),
        }
    }

    fn guide<G: Guide>(
        &self,
        slot: &Slot<G>,
        cache: Option<&Cache>,
        progress: &dyn Fn(u64),
    ) -> Result<Arc<G>, SegmentError> {
        // Held while it is made: whoever asks meanwhile wants just this.
        let mut held = lock(slot);
        if let Some((guide, used)) = &mut *held {
            *used = Instant::now();
            return Ok(Arc::clone(guide));
        }
        let (segment, key) = (self.segment()?, &self.0.key);
        let path = G::TOPIC.path(self.0.manifest.key_id);
        let kept = cache.and_then(|cache| cache.load(&path, key));
        let guide = match kept.and_then(|bytes| G::read(segment, key, &bytes)) {
            Some(guide) => guide,
            None => {
                let guide = G::make(segment, key, progress)?;
                if let Some(cache) = cache {
                    cache.keep(&path, key, &guide.write());
                }
                guide
            }
        };
        let guide = Arc::new(guide);
        *held = Some((Arc::clone(&guide), Instant::now()));
        Ok(guide)
    }
}

impl<'r> From<&'r Row> for Found<'r> {
    fn from(row: &'r Row) -> Self {
        let state = match row.content {
            ContentState::Erased { .. } => State::ContentErased,
            _ => State::Present,
        };
        Self {
            index: row.index,
            recorded_at_ms: row.time_ms,
            tier: row.tier,
            kind: row.kind,
            leaf_hash: None,
            state,
            meta: row.meta.as_slice().into(),
            content: row.content.bytes().into(),
        }
    }
}
