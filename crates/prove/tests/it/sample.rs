//! A log made in memory, its public files and its journal frames, for every test to damage.
//!
//! Not here: any checking; this is the writing side in its shortest form.

use checkpoint::{Algorithm, Checkpoint, SigningKey, VerifierKey, sign_checkpoint};
use event::{Disclosed, Entry, Kind, Record, Tier};
use merkle::{BundleCoordinate, Hash, MemoryTree, TileBuilder, append_entry, leaf_hash, tree_root};
use prove::{Found, Progress, Records, Report, Since, Trust, verify_log};
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(crate) const ORIGIN: &str = "log.example/main";

/// Records of one journal frame.
pub(crate) const FRAME_RECORDS: usize = 7;

/// 2026-01-01, late in the evening: the larger samples run past midnight.
const START_MS: u64 = 1_767_225_600_000 + 86_400_000 - 30_000;

/// A log with everything that was ever known about it.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) frames: Frames,
}

/// The journal as a checker sees it: decrypted, in order.
#[derive(Clone, Default)]
pub(crate) struct Frames {
    pub(crate) frames: Vec<Frame>,
    /// The frame being read, the position in its bytes, and the index of the next record.
    place: (usize, usize, u64),
}

#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// The previous leaf hash, then the records.
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[seed; 32]).unwrap()
}

pub(crate) fn key() -> VerifierKey {
    signing_key(1).verifier_key().clone()
}

pub(crate) fn trust() -> Trust {
    Trust { pinned: vec![key()], embedded: vec![key()], ..Trust::default() }
}

impl Sample {
    /// A log of `total` records, all of them published.
    pub(crate) fn new(total: usize) -> Self {
        Self::with_unpublished(total, 0)
    }

    /// A log of `published` records under its checkpoint, and `more` only in the journal.
    pub(crate) fn with_unpublished(published: usize, more: usize) -> Self {
        Self::with_own(published, more, &BTreeMap::new())
    }

    /// The same with records of which metadata and content are given; the ledger shows those of the
    /// log's own.
    pub(crate) fn with_own(
        published: usize,
        more: usize,
        own: &BTreeMap<usize, (String, String)>,
    ) -> Self {
        let mut sample =
            Self { files: BTreeMap::new(), entries: Vec::new(), frames: Frames::default() };
        let mut last = BTreeMap::new();
        let mut previous = [0; 32];
        for index in 0..published + more {
            let time_ms = START_MS + index as u64 * 100;
            let stream = [(index % 5) as u8 + 10 * (time_ms / 86_400_000 % 7) as u8; 16];
            let sequence = last.entry(stream).and_modify(|last| *last += 1).or_insert(1_u64);
            let meta = format!(r#"{{"event_type":"agent.tool_call","action":"number {index}"}}"#);
            let content =
                if index % 3 == 2 { String::new() } else { format!(r#"{{"q":{index}}}"#) };
            let (meta, content) = own.get(&index).cloned().unwrap_or((meta, content));
            let record = Record {
                kind: if index == 0 || is_own(&meta) { Kind::Log } else { Kind::Event },
                tier: Tier::from_number((index % 4) as u8).unwrap(),
                time_ms,
                stream,
                sequence: *sequence,
                meta_salt: [index as u8; 16],
                content_salt: [!(index as u8); 16],
                meta: meta.as_bytes(),
                content: content.as_bytes(),
            };
            if index % FRAME_RECORDS == 0 {
                let payload = previous.to_vec();
                sample.frames.frames.push(Frame { first: index as u64, count: 0, payload });
            }
            let frame = sample.frames.frames.last_mut().unwrap();
            frame.count += 1;
            record.encode(&mut frame.payload);
            let entry = record.entry(previous);
            previous = leaf_hash(&entry.encode()).0;
            sample.entries.push(entry);
        }
        for (index, (meta, content)) in own.iter().filter(|(_, (meta, _))| is_own(meta)) {
            let document = disclosed(*index, meta, content);
            let path = format!("ledger/{index:020}.json");
            sample.files.insert(path, document.to_bytes());
        }
        sample.publish(published);
        sample
    }

    /// Puts a checkpoint of these entries there that the keys of these seeds signed.
    pub(crate) fn sign(&mut self, size: usize, seeds: &[u8]) -> Vec<u8> {
        self.write_tiles(size);
        let root = tree_root(&self.tree(), size as u64).unwrap();
        let keys: Vec<SigningKey> = seeds.iter().map(|seed| signing_key(*seed)).collect();
        let head = Checkpoint::new(ORIGIN, size as u64, root).unwrap();
        let note = sign_checkpoint(&head, &keys.iter().collect::<Vec<_>>()).unwrap().into_bytes();
        self.files.insert("checkpoint".into(), note.clone());
        note
    }

    /// Writes the public files for the first `size` entries beside those that are there.
    pub(crate) fn publish(&mut self, size: usize) {
        self.write_tiles(size);
        let note = self.checkpoint(size);
        self.files.insert("checkpoint".into(), note);
    }

    /// Writes tiles and bundles for the first `size` entries, and no checkpoint.
    pub(crate) fn write_tiles(&mut self, size: usize) {
        let files = &mut self.files;
        let mut builder = TileBuilder::new();
        for entry in &self.entries[..size] {
            let put = |tile: merkle::TileCoordinate, bytes| {
                files.insert(tile.path(), bytes);
            };
            builder.push(leaf_hash(&entry.encode()), put);
        }
        for (tile, bytes) in builder.partial_tiles() {
            files.insert(tile.path(), bytes.to_vec());
        }
        for (number, entries) in self.entries[..size].chunks(256).enumerate() {
            let bundle = BundleCoordinate::new(number as u64, entries.len() as u16).unwrap();
            files.insert(bundle.path(), bundle_bytes(entries));
        }
    }

    pub(crate) fn tree(&self) -> MemoryTree {
        self.entries.iter().map(|entry| leaf_hash(&entry.encode())).collect()
    }

    /// The signed checkpoint of the first `size` entries.
    pub(crate) fn checkpoint(&self, size: usize) -> Vec<u8> {
        let root = tree_root(&self.tree(), size as u64).unwrap();
        checkpoint_of(size as u64, root, 1)
    }

    pub(crate) fn verify(&self) -> Report {
        self.verify_with(true, &trust(), None)
    }

    pub(crate) fn verify_public(&self) -> Report {
        self.verify_with(false, &trust(), None)
    }

    pub(crate) fn verify_since(&self, note: &[u8]) -> Report {
        self.verify_with(true, &trust(), Some(note))
    }

    pub(crate) fn verify_with(
        &self,
        with_records: bool,
        trust: &Trust,
        since: Option<&[u8]>,
    ) -> Report {
        let (mut files, mut frames) = (self.files.clone(), self.frames.clone());
        let records = with_records.then_some(&mut frames as &mut dyn Records);
        let mut done = 0;
        let mut progress = |progress: Progress| {
            assert!(progress.done > done && progress.done <= progress.total);
            done = progress.done;
        };
        let since = since.map(|note| Since { note });
        verify_log(&mut files, records, ORIGIN, trust, since, &mut progress)
    }
}

fn is_own(meta: &str) -> bool {
    meta.contains(r#""event_type":"log."#)
}

/// A record of a sample as the ledger shows it.
pub(crate) fn disclosed(index: usize, meta: &str, content: &str) -> Disclosed {
    Disclosed {
        index: index as u64,
        meta_salt: [index as u8; 16],
        meta: meta.to_owned(),
        content_salt: [!(index as u8); 16],
        content: content.to_owned(),
    }
}

pub(crate) fn checkpoint_of(size: u64, root: Hash, seed: u8) -> Vec<u8> {
    let checkpoint = Checkpoint::new(ORIGIN, size, root).unwrap();
    sign_checkpoint(&checkpoint, &[&signing_key(seed)]).unwrap().into_bytes()
}

pub(crate) fn bundle_bytes(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    entries.iter().for_each(|entry| append_entry(&mut bytes, &entry.encode()).unwrap());
    bytes
}

/// Chains entries anew after one of them was altered, as somebody who rewrites a log would.
pub(crate) fn rechain(entries: &mut [Entry]) {
    let mut previous = [0; 32];
    for entry in entries {
        entry.previous = previous;
        previous = leaf_hash(&entry.encode()).0;
    }
}

pub(crate) const JOURNAL: &str = "journal/0.journal";

impl Records for Frames {
    fn at(&mut self, index: u64) -> Found<'_> {
        loop {
            let (number, position, next) = &mut self.place;
            let Some(frame) = self.frames.get(*number) else { return Found::End };
            let (first, end) = (frame.first, frame.first + frame.count);
            if index >= end {
                *number += 1;
                *position = 0;
                continue;
            }
            if index < first {
                return Found::Missing { count: first - index, file: "" };
            }
            let damaged = |detail: String| Found::Damaged {
                count: end - index,
                file: JOURNAL,
                detail: Cow::Owned(detail),
            };
            let mut previous = None;
            if *position == 0 {
                let Some(head) = frame.payload.first_chunk::<32>() else {
                    return damaged("the frame has no head".into());
                };
                previous = Some(*head);
                (*position, *next) = (32, first);
            }
            if *next != index {
                return damaged("the frame cannot be read on".into());
            }
            let rest = frame.payload.get(*position..).unwrap_or_default();
            match Record::decode(rest) {
                Ok((_, [_, ..])) if index + 1 == end => return damaged("bytes are left".into()),
                Ok((record, after)) => {
                    *position = frame.payload.len() - after.len();
                    *next = index + 1;
                    return Found::Record { file: JOURNAL, previous, held: false, record };
                }
                Err(error) => return damaged(error.to_string()),
            }
        }
    }
}
