//! How fast a whole log is checked: entries a second for the public log, records a second with the
//! records beside it. `cargo run -p prove --release --example speed [-- ENTRIES]`.
//!
//! The log is made in memory first; making it is not measured.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement run by hand")]

use checkpoint::{Algorithm, Checkpoint, SigningKey, sign_checkpoint};
use event::{Kind, Record, Tier};
use merkle::{BundleCoordinate, TileBuilder, append_entry};
use prove::{Found, Records, Trust, Verdict, verify_log};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

const ORIGIN: &str = "log.example/speed";

/// Streams that are alive at a time.
const STREAMS: u64 = 2_000;

/// The records one after the other, as a journal holds them.
struct Journal {
    bytes: Vec<u8>,
    position: usize,
}

impl Records for Journal {
    fn at(&mut self, _: u64) -> Found<'_> {
        let Ok((record, after)) = Record::decode(&self.bytes[self.position..]) else {
            return Found::End;
        };
        self.position = self.bytes.len() - after.len();
        Found::Record { file: "journal/0.journal", previous: None, held: false, record }
    }
}

fn main() {
    let count = std::env::args().nth(1).map_or(2_000_000, |count| count.parse().unwrap());
    let (mut files, mut journal, key) = make(count);
    let trust = Trust::pin(key.verifier_key().clone());
    for round in 0..3 {
        let start = Instant::now();
        let report = verify_log(&mut files, None, ORIGIN, &trust, None, &mut |_| {});
        let entries_per_second = count as f64 / start.elapsed().as_secs_f64();
        assert_eq!(report.verdict(), Verdict::Ok);
        journal.position = 0;
        let start = Instant::now();
        let records: &mut dyn Records = &mut journal;
        let report = verify_log(&mut files, Some(records), ORIGIN, &trust, None, &mut |_| {});
        let records_per_second = count as f64 / start.elapsed().as_secs_f64();
        assert_eq!((report.verdict(), report.counts.present), (Verdict::Ok, count));
        println!(
            "round {round}: {entries_per_second:.0} entries/s, {records_per_second:.0} records/s"
        );
    }
}

/// A log of `count` records of about 620 bytes.
fn make(count: u64) -> (BTreeMap<String, Vec<u8>>, Journal, SigningKey) {
    let key = SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[1; 32]).unwrap();
    let (mut files, mut builder) = (BTreeMap::new(), TileBuilder::new());
    let mut journal = Journal { bytes: Vec::new(), position: 0 };
    let (mut bundle, mut last, mut previous) = (Vec::new(), HashMap::new(), [0; 32]);
    for index in 0..count {
        let meta = format!(r#"{{"event_type":"agent.tool_call","n":"{index:0>240}"}}"#);
        let content = format!(r#"{{"params":{{"q":"{index:0>250}"}}}}"#);
        let mut stream = [0; 16];
        stream[..8].copy_from_slice(&(index % STREAMS).wrapping_mul(0x9e37_79b9).to_be_bytes());
        let sequence = last.entry(stream).and_modify(|last| *last += 1).or_insert(1);
        let record = Record {
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 1_767_225_600_000 + index / 100,
            stream,
            sequence: *sequence,
            meta_salt: [index as u8; 16],
            content_salt: [!index as u8; 16],
            meta: meta.as_bytes(),
            content: content.as_bytes(),
        };
        record.encode(&mut journal.bytes);
        let entry = record.entry(previous).encode();
        let leaf = merkle::leaf_hash(&entry);
        previous = leaf.0;
        builder.push(leaf, |tile, bytes| {
            files.insert(tile.path(), bytes);
        });
        append_entry(&mut bundle, &entry).unwrap();
        let width = index % 256 + 1;
        if width == 256 || index + 1 == count {
            let path = BundleCoordinate::new(index / 256, width as u16).unwrap().path();
            files.insert(path, std::mem::take(&mut bundle));
        }
    }
    for (tile, bytes) in builder.partial_tiles() {
        files.insert(tile.path(), bytes.to_vec());
    }
    let checkpoint = Checkpoint::new(ORIGIN, count, builder.root()).unwrap();
    let note = sign_checkpoint(&checkpoint, &[&key]).unwrap();
    files.insert("checkpoint".to_owned(), note.into_bytes());
    (files, journal, key)
}
