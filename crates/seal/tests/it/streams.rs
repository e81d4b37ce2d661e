//! Streams across restarts: whoever counts a session's records finds them all, whatever of the
//! cache is left.

use super::roll::{DAY_MS, Hands, clocked};
use super::*;
use event::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;

type Files = BTreeMap<String, Vec<u8>>;

/// Every stream's sequences count from one without a gap, up to the end of the log; how many
/// streams there are.
fn assert_gapless(folder: &Arc<dyn Folder>, size: u64) -> usize {
    let mut lasts: HashMap<[u8; 16], u64> = HashMap::new();
    let width = u64::from(merkle::TILE_WIDTH);
    for number in 0..size.div_ceil(width) {
        let full = (number + 1) * width <= size;
        let wide = if full { merkle::TILE_WIDTH } else { merkle::partial_width(size, 0) };
        let path = merkle::BundleCoordinate::new(number, wide).unwrap().path();
        let bytes = folder.read(&path).unwrap().unwrap();
        for entry in merkle::EntryBundle::parse(&bytes, wide).unwrap().iter() {
            let entry = Entry::decode(entry).unwrap();
            let last = lasts.entry(entry.stream).or_default();
            assert_eq!(entry.sequence, *last + 1);
            *last = entry.sequence;
        }
    }
    lasts.len()
}

/// A log as it was made, and what opens it.
fn made() -> (Files, Arc<Hands>, Options) {
    let (memory, _, clock, options) = clocked();
    (memory.snapshot(), clock, options)
}

/// The log after three days of sessions, each of so many records that follow each other, in journal
/// files of 450 records that became segments, and one that did not.
fn rolled((files, clock, options): &(Files, Arc<Hands>, Options), length: u64) -> Files {
    let memory = MemoryFolder::from_files(files.clone());
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    for step in 0..120_u64 {
        clock.0.store(20_000 * DAY_MS + step * DAY_MS / 40, Ordering::Relaxed);
        let sessions = (step * 30..step * 30 + 30).map(|n| line(n / length));
        let batch = encode(&writer, &sessions.collect::<Vec<_>>());
        writer.commit(vec![batch]).unwrap();
        if step % 15 == 14 && step < 110 {
            writer.end_journal_file();
        }
    }
    assert_eq!(writer.roll().unwrap(), 9);
    writer.close().unwrap();
    memory.snapshot()
}

fn line(session: u64) -> String {
    format!(r#"{{"event_type":"agent.tool_call","session_id":"s-{session}"}}"#)
}

/// Opens a log with these files, goes on with its sessions, and counts.
fn goes_on(files: Files, options: &Options) {
    let memory = MemoryFolder::from_files(files);
    let folder: Arc<dyn Folder> = Arc::new(memory);
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    let batch = encode(&writer, &(0..300).map(|n| line(n / 2 + 10)).collect::<Vec<_>>());
    writer.commit(vec![batch]).unwrap();
    writer.publish().unwrap();
    assert!(assert_gapless(&folder, writer.size()) > 150);
}

fn kept(files: &Files) -> Vec<String> {
    files.keys().filter(|path| path.starts_with("cache/streams-")).cloned().collect()
}

#[test]
fn sessions_go_on_whatever_is_left_of_the_cache() {
    let made = made();
    let (files, options) = (rolled(&made, 40), &made.2);
    let names = kept(&files);
    assert!(names.len() > 1 && names.iter().all(|path| path.contains("-020002-")), "{names:?}");
    goes_on(files.clone(), options);
    let without = |gone: &dyn Fn(&str) -> bool| {
        let mut files = files.clone();
        files.retain(|path, _| !gone(path));
        files
    };
    goes_on(without(&|path| path.starts_with("cache/")), options);
    for name in &names {
        goes_on(without(&|path| path == name), options);
        let mut files = files.clone();
        files.get_mut(name).unwrap()[40] ^= 1;
        goes_on(files, options);
    }
}

#[test]
fn entries_of_rolled_records_are_not_read_again() {
    let made = made();
    let mut files = rolled(&made, 40);
    // One lies in a day that is over; the other in rolled files of this day, and neither begins the
    // day nor ends a file.
    for number in [4, 11] {
        let path = merkle::BundleCoordinate::new(number, merkle::TILE_WIDTH).unwrap().path();
        assert!(files.remove(&path).is_some(), "{path}");
    }
    let opens = |files: Files| {
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        seal::open(&folder, kek(), made.2.clone()).map(|_| ())
    };
    opens(files.clone()).unwrap();
    files.retain(|path, _| !path.starts_with("cache/streams-"));
    let error = opens(files).unwrap_err();
    assert!(error.to_string().contains("tile/entries"), "{error}");
}

#[test]
fn what_was_kept_of_another_history_does_not_count() {
    let made = made();
    let (mut files, other) = (rolled(&made, 40), rolled(&made, 90));
    let names = kept(&files);
    assert_eq!(names, kept(&other), "the same log, rolled at the same records");
    for name in names {
        files.insert(name.clone(), other[&name].clone());
    }
    goes_on(files, &made.2);
}
