//! The opened log that questions are asked of: its segments, and the records that no segment has
//! yet, as of one checkpoint.
//!
//! Whoever makes one vouches for it: the segments are those that count, the tail begins where they
//! end, and every key is the right one. Not here: which those are (`cli`), and answering.

use crate::found::{AsOf, Found, State};
use keys::SecretKey;
use segment::{ContentState, Manifest, Row, Segment, SegmentError, Source};
use std::sync::{Arc, OnceLock};

/// A log as of one checkpoint.
pub struct Library {
    as_of: AsOf,
    volumes: Vec<Volume>,
    tail: Arc<[Row]>,
}

/// One segment, opened when it is first asked for.
pub struct Volume {
    manifest: Manifest,
    source: Arc<dyn Source>,
    key: SecretKey,
    segment: OnceLock<Segment>,
}

impl Library {
    /// A library of `volumes` and, in ascending order of index, the records that none of them
    /// holds. Records that the checkpoint does not cover never belong to an answer.
    #[must_use]
    pub fn new(as_of: AsOf, mut volumes: Vec<Volume>, tail: impl Into<Arc<[Row]>>) -> Self {
        volumes.retain(|volume| volume.manifest.first < as_of.size);
        volumes.sort_by_key(|volume| (volume.manifest.first, volume.manifest.tier as u8));
        Self { as_of, volumes, tail: tail.into() }
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
    #[must_use]
    pub fn tail(&self) -> &[Row] {
        let covered = self.tail.partition_point(|row| row.index < self.as_of.size);
        self.tail.get(..covered).unwrap_or_default()
    }
}

impl Volume {
    /// The segment that `manifest` describes, in the bytes of `source`, under `key`. Nothing is
    /// read.
    #[must_use]
    pub fn new(manifest: Manifest, source: Arc<dyn Source>, key: SecretKey) -> Self {
        Self { manifest, source, key, segment: OnceLock::new() }
    }

    /// What the log says about it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its bytes, for engines that read segments themselves.
    #[must_use]
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// Its key, for the same.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// The opened segment; the footer is read the first time.
    ///
    /// # Errors
    /// As [`Segment::open`]; the next call tries again.
    pub fn segment(&self) -> Result<&Segment, SegmentError> {
        if let Some(segment) = self.segment.get() {
            return Ok(segment);
        }
        let opened = Segment::open(Arc::clone(&self.source), &self.key)?;
        Ok(self.segment.get_or_init(|| opened))
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
