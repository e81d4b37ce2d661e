//! A small log with records, tiles, bundles and a signed checkpoint, the same every time.
//!
//! This is the writing side in its shortest form; checking is `prove`'s.

use checkpoint::{Algorithm, Checkpoint, SigningKey, TlogProof, VerifierKey, sign_checkpoint};
use event::{Entry, Kind, Record, Tier};
use merkle::{BundleCoordinate, MemoryTree, TileBuilder, append_entry, leaf_hash, tree_root};
use prove::{
    BUNDLE_FORMAT, Bundle, BundleRecord, Evidence, Figures, Found, Records, Subject, SubjectKind,
    Trust, prove_entry,
};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The origin of every sample.
pub const ORIGIN: &str = "log.example/main";

/// The name under which the records' bytes are reported.
pub const JOURNAL: &str = "journal/00000000000000000000.journal";

/// A log with everything that was ever known about it.
#[derive(Clone)]
pub struct SampleLog {
    /// The public files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The entries.
    pub entries: Vec<Entry>,
    /// The decrypted payload of its one frame: the previous leaf hash, then the records.
    pub payload: Vec<u8>,
}

/// The log's signing key.
#[must_use]
pub fn signing_key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[1; 32]).expect("a good name")
}

/// The log's public key.
#[must_use]
pub fn key() -> VerifierKey {
    signing_key().verifier_key().clone()
}

/// Trust in the log's key.
#[must_use]
pub fn trust() -> Trust {
    Trust::pin(key())
}

/// The metadata and the content of the record at `index`.
#[must_use]
pub fn texts(index: usize) -> (String, String) {
    let meta = format!(
        r#"{{"schema":"tachograph.event/1","event_type":"agent.tool_call","action":"number {index}"}}"#
    );
    let content = if index.is_multiple_of(3) {
        String::new()
    } else {
        format!(r#"{{"params":{{"q":{index}}}}}"#)
    };
    (meta, content)
}

/// The same of a record that belongs to the session `s`.
#[must_use]
pub fn session_texts(index: usize) -> (String, String) {
    let meta = format!(
        r#"{{"schema":"tachograph.event/1","event_id":"e-{index}","event_type":"agent.tool_call","session_id":"s"}}"#
    );
    (meta, texts(index).1)
}

impl SampleLog {
    /// A log of `size` records, all of them published.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self::with(size, texts)
    }

    /// The same, of records of one session.
    #[must_use]
    pub fn of_session(size: usize) -> Self {
        Self::with(size, session_texts)
    }

    fn with(size: usize, texts: fn(usize) -> (String, String)) -> Self {
        let mut sample = Self { files: BTreeMap::new(), entries: Vec::new(), payload: vec![0; 32] };
        let mut previous = [0; 32];
        for index in 0..size {
            let (meta, content) = texts(index);
            let record = Record {
                kind: if index == 0 { Kind::Log } else { Kind::Event },
                tier: Tier::from_number((index % 4) as u8).expect("four tiers"),
                time_ms: 1_767_225_600_000 + index as u64,
                stream: [(index % 2) as u8; 16],
                sequence: index as u64 / 2 + 1,
                meta_salt: [index as u8; 16],
                content_salt: [!(index as u8); 16],
                meta: meta.as_bytes(),
                content: content.as_bytes(),
            };
            record.encode(&mut sample.payload);
            let entry = record.entry(previous);
            previous = leaf_hash(&entry.encode()).0;
            sample.entries.push(entry);
        }
        sample.write_tiles();
        let note = sample.checkpoint(size as u64).into_bytes();
        sample.files.insert("checkpoint".to_owned(), note);
        sample
    }

    fn write_tiles(&mut self) {
        let mut builder = TileBuilder::new();
        for entry in &self.entries {
            let files = &mut self.files;
            builder.push(leaf_hash(&entry.encode()), |tile, bytes| {
                files.insert(tile.path(), bytes);
            });
        }
        for (tile, bytes) in builder.partial_tiles() {
            self.files.insert(tile.path(), bytes.to_vec());
        }
        for (number, entries) in self.entries.chunks(256).enumerate() {
            let bundle = BundleCoordinate::new(number as u64, entries.len() as u16);
            let mut bytes = Vec::new();
            for entry in entries {
                append_entry(&mut bytes, &entry.encode()).expect("an entry is short");
            }
            self.files.insert(bundle.expect("1 to 256 entries").path(), bytes);
        }
    }

    /// The tree over all entries.
    #[must_use]
    pub fn tree(&self) -> MemoryTree {
        self.entries.iter().map(|entry| leaf_hash(&entry.encode())).collect()
    }

    /// The signed checkpoint of the first `size` entries.
    #[must_use]
    pub fn checkpoint(&self, size: u64) -> String {
        let root = tree_root(&self.tree(), size).expect("within the tree");
        let checkpoint = Checkpoint::new(ORIGIN, size, root).expect("a good origin");
        sign_checkpoint(&checkpoint, &[&signing_key()]).expect("it signs")
    }

    /// The proof of the entry at `index`.
    #[must_use]
    pub fn proof(&self, index: u64) -> TlogProof {
        let note = self.checkpoint(self.entries.len() as u64);
        prove_entry(&self.tree(), index, &note).expect("within the tree")
    }

    /// The record at `index`, and all records behind it.
    fn record(&self, index: usize) -> Record<'_> {
        self.records().get(index).copied().expect("within the log")
    }

    /// All records.
    #[must_use]
    pub fn records(&self) -> Vec<Record<'_>> {
        records_of(&self.payload).expect("what was encoded decodes")
    }

    /// The evidence for the record at `index`.
    #[must_use]
    pub fn evidence(&self, index: usize) -> Evidence {
        let proof = self.proof(index as u64);
        Evidence::new(ORIGIN, &self.entries[index], &self.record(index), &proof, &[key()])
            .expect("the texts are texts")
    }
}

impl SampleLog {
    /// The evidence for all of it as one bundle, which says that these are all records of its
    /// streams.
    ///
    /// # Panics
    /// When the sample is not what `prove` takes.
    #[must_use]
    pub fn bundle(&self) -> Bundle {
        let record = |index: usize| {
            let evidence = self.evidence(index);
            let proof = self.proof(index as u64);
            BundleRecord {
                index: index as u64,
                entry: evidence.entry,
                proof: proof.hashes.iter().map(ToString::to_string).collect(),
                record: Some(evidence.record),
                absent: None,
            }
        };
        let records: Vec<BundleRecord> = (0..self.entries.len()).map(record).collect();
        let streams =
            (0..self.entries.len().min(2)).map(|stream| format!("{stream:02x}").repeat(16));
        let mut bundle = Bundle {
            format: BUNDLE_FORMAT.to_owned(),
            origin: ORIGIN.to_owned(),
            subject: Subject { kind: SubjectKind::Session, id: "s".to_owned() },
            vkeys: vec![key().to_string()],
            successions: Vec::new(),
            checkpoint: self.checkpoint(self.entries.len() as u64),
            figures: Figures::default(),
            records,
            streams: streams.collect(),
            rest: Vec::new(),
        };
        bundle.figures = bundle.count().expect("the records read");
        bundle
    }
}

/// All records in the payload of a frame; `None` when it does not divide into records.
#[must_use]
pub fn records_of(payload: &[u8]) -> Option<Vec<Record<'_>>> {
    let mut rest = payload.get(32..)?;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (record, after) = Record::decode(rest).ok()?;
        records.push(record);
        rest = after;
    }
    Some(records)
}

/// The records of one frame, handed out in order.
pub struct OneFrame<'p> {
    payload: &'p [u8],
    rest: &'p [u8],
    count: u64,
}

impl<'p> OneFrame<'p> {
    /// A frame that says that it holds `count` records from index 0 on.
    #[must_use]
    pub fn new(payload: &'p [u8], count: u64) -> Self {
        Self { payload, rest: payload.get(32..).unwrap_or_default(), count }
    }
}

impl Records for OneFrame<'_> {
    fn at(&mut self, index: u64) -> Found<'_> {
        if index >= self.count {
            return Found::End;
        }
        let damaged = |detail: String| Found::Damaged {
            count: self.count - index,
            file: JOURNAL,
            detail: Cow::Owned(detail),
        };
        let Some(head) = self.payload.first_chunk::<32>() else {
            return damaged("the frame has no head".to_owned());
        };
        match Record::decode(self.rest) {
            Ok((_, [_, ..])) if index + 1 == self.count => damaged("bytes are left".to_owned()),
            Ok((record, after)) => {
                self.rest = after;
                let previous = (index == 0).then_some(*head);
                Found::Record { file: JOURNAL, previous, held: false, record }
            }
            Err(error) => damaged(error.to_string()),
        }
    }
}
