//! Measures a segment: bytes a row for each column, rows a second in and out.
//!
//! `cargo run --release -p segment --example size -- EVENTS.ndjson [OUT]` with one native event a
//! line; the segment and its key (hexadecimal, in `OUT.key`) are kept when `OUT` is given. Not a
//! benchmark of a log: nothing is committed to, chained or synced.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::time::Instant;

use event::{Event, Kind, Record, Tier};
use keys::{KeyId, SecretKey, SystemEntropy, random};
use segment::{IdFilters, Projection, Segment, SegmentWriter};

struct Sealed {
    tier: Tier,
    time_ms: u64,
    meta: Vec<u8>,
    content: Vec<u8>,
    salts: [[u8; 16]; 2],
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a file of native events")?;
    let (records, bytes_in) = read(&path)?;
    let rows = records.len() as f64;
    let entropy = SystemEntropy::new();
    let (key, key_id) = (SecretKey::generate(&entropy)?, KeyId::generate(&entropy)?);

    let start = Instant::now();
    let mut file = Vec::new();
    let mut writer = SegmentWriter::new(&mut file, &key, key_id)?;
    for (index, sealed) in records.iter().enumerate() {
        writer.push(index as u64, &sealed.record())?;
    }
    let summary = writer.finish()?;
    let wrote = start.elapsed().as_secs_f64();
    if let Some(out) = arguments.next() {
        std::fs::write(&out, &file)?;
        let digits: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(format!("{out}.key"), digits)?;
    }

    let bytes = file.len() as f64;
    let segment = Segment::open(file, &key)?;
    print_columns(&segment, rows, bytes);
    println!("{:>10.1}  NDJSON", bytes_in as f64 / rows);
    println!("{} row groups; write {:.0} rows/s", summary.row_groups, rows / wrote);
    for projection in [Projection::All, Projection::MetaOnly] {
        let start = Instant::now();
        for (row, sealed) in segment.rows(.., projection)?.zip(&records) {
            assert_eq!(row?.meta, sealed.meta);
        }
        println!("read {projection:?} {:.0} rows/s", rows / start.elapsed().as_secs_f64());
    }
    let start = Instant::now();
    let commitments: Vec<[u8; 32]> = records.iter().map(|r| r.record().commitment()).collect();
    println!("commit alone {:.0} rows/s", rows / start.elapsed().as_secs_f64());
    let start = Instant::now();
    let expected = |index| commitments.get(usize::try_from(index).ok()?).copied();
    let verified = segment.verify(expected, |finding| println!("{finding:?}"))?;
    assert_eq!(verified.sound, verified.rows);
    println!("verify {:.0} rows/s", rows / start.elapsed().as_secs_f64());
    let start = Instant::now();
    for step in 0..100 {
        let index = step * 104_729 % summary.rows;
        segment.row(index, Projection::All)?.ok_or("no such row")?;
    }
    println!("one row {:.1} ms", start.elapsed().as_secs_f64() * 10.0);
    let start = Instant::now();
    let filters = IdFilters::from_segment(&segment, |_, id| hash(id))?;
    let size = filters.to_bytes().len() as f64 / rows;
    println!("id filters {size:.2} B/row, {:.0} rows/s", rows / start.elapsed().as_secs_f64());
    Ok(())
}

impl Sealed {
    fn record(&self) -> Record<'_> {
        Record {
            kind: Kind::Event,
            tier: self.tier,
            time_ms: self.time_ms,
            stream: [0; 16],
            sequence: 1,
            meta_salt: self.salts[0],
            content_salt: self.salts[1],
            meta: &self.meta,
            content: &self.content,
        }
    }
}

fn read(path: &str) -> Result<(Vec<Sealed>, usize), Box<dyn Error>> {
    let entropy = SystemEntropy::new();
    let (mut records, mut bytes, mut time_ms) = (Vec::new(), 0, 0);
    for line in BufReader::new(std::fs::File::open(path)?).lines() {
        let line = line?;
        bytes += line.len() + 1;
        let event = Event::from_json(line.as_bytes())?;
        // A log records shortly after the event, and never goes back.
        time_ms = event.timestamp.map_or(0, event::Timestamp::milliseconds).max(time_ms);
        let (mut meta, mut content) = (Vec::new(), Vec::new());
        event.write_meta(&mut meta);
        event.write_content(&mut content);
        let salts = [random(&entropy)?, random(&entropy)?];
        records.push(Sealed { tier: Tier::of(&event), time_ms, meta, content, salts });
    }
    Ok((records, bytes))
}

fn print_columns(segment: &Segment, rows: f64, file: f64) {
    let footer = segment.footer();
    let mut all = 0.0;
    println!("  B/row on disk   before compression   column");
    for (at, column) in footer.file_metadata().schema_descr().columns().iter().enumerate() {
        let chunks = || footer.row_groups().iter().map(|group| group.column(at));
        let stored = chunks().map(|chunk| chunk.compressed_size() as f64).sum::<f64>() / rows;
        let plain = chunks().map(|chunk| chunk.uncompressed_size() as f64).sum::<f64>() / rows;
        all += stored;
        println!("{stored:>15.3} {plain:>20.3}   {}", column.name());
    }
    println!("{all:>15.3}   all columns");
    println!("{:>15.3}   footer and page index", file / rows - all);
    println!("{:>15.3}   file", file / rows);
}

/// Good enough to measure with (FNV-1a).
fn hash(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
