//! Measures how long questions take.
//!
//! `cargo run --release -p query --example find -- build DIR < EVENTS.ndjson` makes segments of
//! native events, one a line, one for each tier and day; `-- ask DIR [COPIES]` asks them, as if
//! there were so many logs in a row. Not a benchmark of a log: nothing is committed to, chained or
//! synced, and the keys lie beside the files.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufWriter};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use event::{Event, Kind, Record, Tier};
use keys::{KeyId, SecretKey, SystemEntropy};
use query::{AsOf, Filter, Library, Volume};
use segment::{Manifest, SegmentWriter, Source};
use store::{DiskFolder, Folder};

type Outcome<T> = Result<T, Box<dyn Error>>;

const DAY_MS: u64 = 86_400_000;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["build", folder] => build(Path::new(folder)),
        ["ask", folder] => ask(Path::new(folder), 1, ""),
        ["ask", folder, copies] => ask(Path::new(folder), copies.parse()?, ""),
        ["ask", folder, copies, only] => ask(Path::new(folder), copies.parse()?, only),
        _ => Err("build DIR < EVENTS.ndjson, or ask DIR [COPIES [QUESTION]]".into()),
    }
}

struct Open {
    writer: SegmentWriter<BufWriter<File>>,
    path: PathBuf,
    key: SecretKey,
    key_id: KeyId,
}

fn build(folder: &Path) -> Outcome<()> {
    fs::create_dir_all(folder.join("cache"))?;
    let entropy = SystemEntropy::new();
    let mut open: BTreeMap<(u64, u8), Open> = BTreeMap::new();
    let (mut list, mut bytes_in) = (String::new(), 0);
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    let mut ids = String::new();
    for (index, line) in io::stdin().lock().lines().enumerate() {
        let (line, index) = (line?, index as u64);
        bytes_in += line.len() + 1;
        let event = Event::from_json(line.as_bytes())?;
        meta.clear();
        content.clear();
        event.write_meta(&mut meta);
        event.write_content(&mut content);
        let tier = Tier::of(&event);
        let time_ms = event.timestamp.ok_or("no timestamp")?.milliseconds();
        if index % 10_007 == 0 {
            let (event, trace) = (event.event_id.as_deref(), event.trace_id.as_deref());
            ids += &format!("{} {}\n", event.unwrap_or_default(), trace.unwrap_or_default());
        }
        let part = (time_ms / DAY_MS, tier as u8);
        // What is of an earlier day has ended.
        while let Some(ended) = open.first_entry().filter(|it| it.key().0 < part.0) {
            finish(*ended.key(), ended.remove(), &mut list)?;
        }
        let open = match open.entry(part) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let (key, key_id) = (SecretKey::generate(&entropy)?, KeyId::generate(&entropy)?);
                let path = folder.join(key_id.to_string());
                let out = BufWriter::new(File::create(&path)?);
                let writer = SegmentWriter::new(out, &key, key_id)?;
                entry.insert(Open { writer, path, key, key_id })
            }
        };
        let record = Record {
            kind: Kind::Event,
            tier,
            time_ms,
            stream: [0; 16],
            sequence: 1,
            meta_salt: keys::random(&entropy)?,
            content_salt: keys::random(&entropy)?,
            meta: &meta,
            content: &content,
        };
        open.writer.push(index, &record)?;
    }
    for (part, open) in open {
        finish(part, open, &mut list)?;
    }
    fs::write(folder.join("list"), list)?;
    fs::write(folder.join("ids"), ids)?;
    println!("{bytes_in} bytes of events");
    Ok(())
}

fn finish((day, tier): (u64, u8), open: Open, list: &mut String) -> Outcome<()> {
    let summary = open.writer.finish()?;
    let (first, last) = summary.indexes.ok_or("no rows")?;
    let key: String = open.key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = fs::metadata(open.path)?.len();
    *list +=
        &format!("{} {key} {day} {tier} {first} {last} {} {bytes}\n", open.key_id, summary.rows);
    Ok(())
}

struct OnDisk(File, u64);

impl Source for OnDisk {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

fn library(folder: &Path, copies: u64) -> Outcome<Library> {
    let list = fs::read_to_string(folder.join("list"))?;
    let (mut volumes, mut size) = (Vec::new(), 0);
    for line in list.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let [id, key, day, tier, first, last, rows, bytes] = parts[..] else {
            return Err("a line of the list does not read".into());
        };
        let mut secret = [0; 32];
        hex::decode_to_slice(key, &mut secret).map_err(|error| error.to_string())?;
        let bytes: u64 = bytes.parse()?;
        let manifest = Manifest {
            first: first.parse()?,
            last: last.parse()?,
            tier: Tier::from_number(tier.parse()?).ok_or("no tier")?,
            day: day.parse()?,
            key_id: id.parse()?,
            sha256: [0; 32],
            bytes,
            rows: rows.parse()?,
            replaces: Vec::new(),
            applied: None,
        };
        size = size.max(manifest.last + 1);
        for _ in 0..copies {
            let source = Arc::new(OnDisk(File::open(folder.join(id))?, bytes));
            volumes.push(Volume::new(manifest.clone(), source, SecretKey::new(secret)));
        }
    }
    let as_of = AsOf { origin: "bench".to_owned(), size, root_hex: String::new() };
    let cache: Arc<dyn Folder> = Arc::new(DiskFolder::new(folder));
    Ok(Library::new(as_of, volumes, vec![]).with_cache(cache, Arc::new(SystemEntropy::new())))
}

fn ask(folder: &Path, copies: u64, only: &str) -> Outcome<()> {
    let start = Instant::now();
    let library = library(folder, copies)?;
    let rows: u64 = library.volumes().iter().map(|volume| volume.manifest().rows).sum();
    let bytes: u64 = library.volumes().iter().map(|volume| volume.manifest().bytes).sum();
    library.volumes().iter().try_for_each(|volume| volume.segment().map(drop))?;
    println!(
        "{rows} rows in {} segments of {:.1} B/row, opened in {:.0} ms",
        library.volumes().len(),
        bytes as f64 / rows as f64,
        start.elapsed().as_secs_f64() * 1e3
    );
    let ids = Filter { events: vec!["x".to_owned()], ..Filter::default() };
    let words = Filter { text: Some("xyzzy".to_owned()), ..Filter::default() };
    for (name, filter) in [("id", &ids), ("word", &words)] {
        let start = Instant::now();
        query::prepare(&library, filter, &|_, _| {})?;
        println!("{name} guides at hand in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    }
    for (name, prefix) in [("id", "filters-"), ("word", "words-")] {
        let names = fs::read_dir(folder.join("cache"))?.filter_map(Result::ok);
        let of = names.filter(|it| it.file_name().to_string_lossy().starts_with(prefix));
        let total: u64 = of.filter_map(|it| Some(it.metadata().ok()?.len())).sum();
        println!("{name} guides {:.2} B/row", (total * copies) as f64 / rows as f64);
    }
    let sample = fs::read_to_string(folder.join("ids"))?;
    let pairs: Vec<(&str, &str)> = sample.lines().filter_map(|it| it.split_once(' ')).collect();
    let step = if only.is_empty() { (pairs.len() / 20).max(1) } else { 1 };
    let pairs: Vec<(&str, &str)> =
        pairs.into_iter().step_by(step).take(if only.is_empty() { 20 } else { 200 }).collect();
    let one = |it: &str| vec![it.to_owned()];
    measure(
        &library,
        only,
        "event by id",
        pairs.iter().map(|it| Filter { events: one(it.0), ..Filter::default() }),
    )?;
    measure(
        &library,
        only,
        "trace by id",
        pairs.iter().map(|it| Filter { traces: one(it.1), ..Filter::default() }),
    )?;
    texts(&library, only, &pairs)
}

/// Questions about agents, words, and words with digits.
fn texts(library: &Library, only: &str, pairs: &[(&str, &str)]) -> Outcome<()> {
    let one = |it: &str| vec![it.to_owned()];
    let newest = |agents: &str| Filter {
        agents: one(agents),
        limit: Some(100),
        newest_first: true,
        ..Filter::default()
    };
    let agents = ["planner-01", "coder-02", "retriever-02", "writer-01"];
    measure(
        library,
        only,
        "newest 100 of an agent",
        agents.iter().cycle().take(20).map(|it| newest(it)),
    )?;
    measure(library, only, "no such agent", (0..20).map(|n| newest(&format!("nobody-{n}"))))?;
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    measure(library, only, "rare word", (0..5).map(|_| text("quokkazanzibar")))?;
    measure(library, only, "rare part of a word", (0..5).map(|_| text("okkazanz")))?;
    measure(library, only, "no such word", (0..20).map(|_| text("nosuchwordatall")))?;
    let newest = |word| Filter { limit: Some(50), newest_first: true, ..text(word) };
    measure(library, only, "newest 50 of a common word", (0..5).map(|_| newest("marmaladefox")))?;
    measure(library, only, "newest 50 of everywhere", (0..5).map(|_| newest("customer")))?;
    measure(library, only, "all of a common word", (0..2).map(|_| text("marmaladefox")))?;
    measure(library, only, "a reference", (0..5).map(|_| text("R012345")))?;
    let parts = pairs.iter().filter_map(|it| it.0.get(..8));
    measure(library, only, "eight digits of an id", parts.map(text))?;
    measure(library, only, "no such reference", (0..20).map(|_| text("R0123456")))?;
    measure(library, only, "undecided: a short number", (0..1).map(|_| text("12345")))?;
    Ok(())
}

fn measure(
    library: &Library,
    only: &str,
    name: &str,
    filters: impl Iterator<Item = Filter>,
) -> Outcome<()> {
    if !name.contains(only) {
        return Ok(());
    }
    let (mut times, mut found) = (Vec::<Duration>::new(), 0);
    for filter in filters {
        query::find(library, &filter, None)?;
        let start = Instant::now();
        found += query::find(library, &filter, None)?.found.len();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let ms = |at: usize| times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!(
        "{name:28} best {:8.2} ms, median {:8.2} ms, worst {:8.2} ms, {:.1} records",
        ms(0),
        ms(times.len() / 2),
        ms(times.len() - 1),
        found as f64 / times.len() as f64
    );
    Ok(())
}
