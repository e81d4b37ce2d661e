//! Building segments: written, made durable, read back from the disk, and every record in them
//! compared with what was put in. Whatever fails, the files that were begun are removed.
//!
//! Where the records come from is `roll.rs`'s (the journal) and `rewrite.rs`'s (other segments).

use crate::error::SealError;
use crate::segment_file::{Input, Output};
use event::{Record, Tier};
use keys::{Entropy, KeyId, SecretKey};
use segment::{Manifest, Row, Segment, SegmentError, SegmentWriter};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use store::Folder;

/// Bytes read at a time when a file is hashed.
const CHUNK_BYTES: usize = 1 << 20;

/// What all records of a segment have in common: tier, and day counted from 1970-01-01.
pub(crate) type Class = (Tier, u64);

/// A segment with its key, not announced yet.
pub(crate) type Built = (Manifest, SecretKey);

/// Segments being built from the records of one span, one for each class.
pub(crate) struct Build {
    folder: Arc<dyn Folder>,
    entropy: Arc<dyn Entropy>,
    /// First and last index of the span.
    span: (u64, u64),
    replaces: Vec<String>,
    /// The last removal that was carried out in what is pushed.
    applied: Option<u64>,
    parts: BTreeMap<Class, Part>,
    /// Every file that was begun, until all of them are good.
    begun: Vec<String>,
}

/// A segment being written.
struct Part {
    writer: SegmentWriter<Output>,
    output: Output,
    path: String,
    key: SecretKey,
    key_id: KeyId,
    /// Index and commitment of every record in it.
    commitments: Vec<(u64, [u8; 32])>,
}

/// A segment that was written.
struct Written {
    path: String,
    key: SecretKey,
    key_id: KeyId,
    commitments: Vec<(u64, [u8; 32])>,
    bytes: u64,
    rows: u64,
}

impl Build {
    /// Nothing yet, of the indexes from the first to the last of `span`, in place of the files at
    /// `replaces`.
    pub(crate) fn new(
        folder: &Arc<dyn Folder>,
        entropy: &Arc<dyn Entropy>,
        span: (u64, u64),
        replaces: Vec<String>,
    ) -> Self {
        let (folder, entropy) = (Arc::clone(folder), Arc::clone(entropy));
        let (parts, begun) = (BTreeMap::new(), Vec::new());
        Self { folder, entropy, span, replaces, applied: None, parts, begun }
    }

    /// The same, of records in which every removal up to the one at this index was carried out.
    pub(crate) fn after_removal(mut self, applied: Option<u64>) -> Self {
        self.applied = applied;
        self
    }

    /// Adds a record to the segment of its class.
    pub(crate) fn push(
        &mut self,
        class: Class,
        index: u64,
        record: &Record<'_>,
    ) -> Result<(), SealError> {
        let part = self.part(class)?;
        part.writer.push(index, record).map_err(|error| of_segment(&part.path, &error))?;
        part.commitments.push((index, record.commitment()));
        Ok(())
    }

    /// Adds a row, read whole, to the segment of its class.
    pub(crate) fn push_row(&mut self, class: Class, row: &Row) -> Result<(), SealError> {
        let part = self.part(class)?;
        part.writer.push_row(row).map_err(|error| of_segment(&part.path, &error))?;
        part.commitments.extend(row.commitment().map(|commitment| (row.index, commitment)));
        Ok(())
    }

    /// Makes the segments durable and checks them.
    pub(crate) fn finish(mut self) -> Result<Vec<Built>, SealError> {
        let mut written = Vec::with_capacity(self.parts.len());
        for (class, part) in std::mem::take(&mut self.parts) {
            written.push((class, part.finish()?));
        }
        self.folder.sync(&self.begun)?;
        let mut built = Vec::with_capacity(written.len());
        for (class, written) in written {
            written.check(&self.folder)?;
            let sha256 = sha256(&*self.folder, &written.path, written.bytes)?;
            let Written { bytes, rows, key_id, key, .. } = written;
            built.push((Manifest { sha256, bytes, rows, ..self.named(class, key_id) }, key));
        }
        self.begun.clear();
        Ok(built)
    }

    fn part(&mut self, class: Class) -> Result<&mut Part, SealError> {
        if !self.parts.contains_key(&class) {
            let key = SecretKey::generate(&*self.entropy)?;
            let key_id = KeyId::generate(&*self.entropy)?;
            let path = self.named(class, key_id).path();
            self.begun.push(path.clone());
            let output = Output::create(&*self.folder, &path)?;
            let writer = SegmentWriter::new(output.clone(), &key, key_id)
                .map_err(|error| of_segment(&path, &error))?;
            let part = Part { writer, output, path, key, key_id, commitments: Vec::new() };
            self.parts.insert(class, part);
        }
        match self.parts.entry(class) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(_) => Err(SealError::Closed),
        }
    }

    /// A manifest with everything in it that gives the segment its name.
    fn named(&self, (tier, day): Class, key_id: KeyId) -> Manifest {
        let (first, last) = self.span;
        let (replaces, applied) = (self.replaces.clone(), self.applied);
        let (sha256, bytes, rows) = ([0; 32], 0, 0);
        Manifest { first, last, tier, day, key_id, sha256, bytes, rows, replaces, applied }
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        for path in &self.begun {
            // What cannot be removed now is removed when the log is opened again.
            let _ = self.folder.remove(path);
        }
    }
}

impl Part {
    fn finish(self) -> Result<Written, SealError> {
        let summary = self.writer.finish().map_err(|error| of_segment(&self.path, &error))?;
        let bytes = self.output.finish()?;
        let Self { path, key, key_id, commitments, .. } = self;
        Ok(Written { path, key, key_id, commitments, bytes, rows: summary.rows })
    }
}

impl Written {
    /// Reads the segment back: every record that was put in must be in it, and nothing else.
    fn check(&self, folder: &Arc<dyn Folder>) -> Result<(), SealError> {
        let path = &self.path;
        let failed = |error: SegmentError| of_segment(path, &error);
        let input = Input::open(folder, path)?;
        let segment = Segment::open(input, &self.key).map_err(failed)?;
        let expected = |index: u64| {
            let place = self.commitments.binary_search_by_key(&index, |(index, _)| *index).ok()?;
            self.commitments.get(place).map(|(_, commitment)| *commitment)
        };
        let mut first = None;
        let verified = segment
            .verify(expected, |finding| first = first.take().or(Some(finding)))
            .map_err(failed)?;
        let wanted = self.commitments.len() as u64;
        match first {
            None if verified.sound == wanted && self.rows == wanted => Ok(()),
            None => {
                let detail =
                    format!("it was written with {wanted} records and has {}", verified.sound);
                Err(SealError::corrupt(path.clone(), detail))
            }
            Some(finding) => {
                let (from, to) = finding.indexes;
                let detail =
                    format!("records {from} to {to} did not read back: {:?}", finding.fault);
                Err(SealError::corrupt(path.clone(), detail))
            }
        }
    }
}

/// The SHA-256 of the first `bytes` of a file.
fn sha256(folder: &dyn Folder, path: &str, bytes: u64) -> Result<[u8; 32], SealError> {
    let mut hash = Sha256::new();
    let (mut at, mut chunk) = (0, vec![0; CHUNK_BYTES]);
    while at < bytes {
        let count = folder.read_at(path, at, &mut chunk)?;
        if count == 0 {
            return Err(SealError::corrupt(path, "it is shorter than it was written"));
        }
        hash.update(chunk.get(..count).unwrap_or_default());
        at += count as u64;
    }
    Ok(hash.finalize().into())
}

pub(crate) fn of_segment(path: &str, error: &SegmentError) -> SealError {
    SealError::corrupt(path, error.to_string())
}
