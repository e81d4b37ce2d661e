//! Journal files become segments: nothing is lost, nothing stays twice, and a crash anywhere leaves
//! one or the other.

use super::*;
use keys::{Keyring, Purpose};
use segment::{Catalogue, Manifest, Projection, Segment};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) const DAY_MS: u64 = 86_400_000;

/// A clock that a test sets.
pub(super) struct Hands(pub(super) AtomicU64);

impl seal::Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A fresh log in memory, made on the day 20,000.
pub(super) fn clocked() -> (MemoryFolder, Arc<dyn Folder>, Arc<Hands>, Options) {
    let clock = Arc::new(Hands(AtomicU64::new(20_000 * DAY_MS)));
    let options = Options { clock: Arc::clone(&clock) as _, ..options() };
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    seal::create(&folder, &new_log(), &kek(), [1; 16], &options).unwrap();
    (memory, folder, clock, options)
}

/// Events of three tiers.
pub(super) fn mixed(writer: &Writer, numbers: std::ops::Range<u64>) -> Batch {
    let types = ["agent.tool_call", "agent.decision", "agent.reasoning"];
    let lines: Vec<String> = numbers
        .map(|n| {
            let kind = types[usize::try_from(n % 3).unwrap()];
            format!(r#"{{"event_id":"e-{n}","event_type":"{kind}","params":{{"n":{n}}}}}"#)
        })
        .collect();
    encode(writer, &lines)
}

pub(super) fn catalogue(folder: &Arc<dyn Folder>) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for path in folder.list(segment::LEDGER_FOLDER).unwrap() {
        let bytes = folder.read(&path).unwrap().unwrap();
        catalogue.add(&event::Disclosed::parse(&bytes).unwrap()).unwrap();
    }
    catalogue
}

/// All records in segments, by index: their metadata.
pub(super) fn rows(folder: &Arc<dyn Folder>) -> BTreeMap<u64, String> {
    let keyring = Keyring::open(&folder.read("keyring").unwrap().unwrap(), &kek()).unwrap();
    let mut rows = BTreeMap::new();
    for manifest in catalogue(folder).current() {
        let bytes = folder.read(&manifest.path()).unwrap().unwrap();
        assert_eq!(bytes.len() as u64, manifest.bytes);
        let segment = Segment::open(bytes, keyring.get(manifest.key_id).unwrap()).unwrap();
        assert_eq!(segment.row_count(), manifest.rows);
        for row in segment.rows(.., Projection::All).unwrap() {
            let row = row.unwrap();
            assert_eq!((row.tier, row.time_ms / DAY_MS), (manifest.tier, manifest.day));
            let meta = String::from_utf8(row.meta).unwrap();
            assert_eq!(rows.insert(row.index, meta), None, "{} stands twice", row.index);
        }
    }
    rows
}

fn journal_files(folder: &Arc<dyn Folder>) -> Vec<String> {
    folder.list(store::JOURNAL_FOLDER).unwrap()
}

/// A log with 300 records in segments of two days, and a journal behind them.
fn rolled() -> (MemoryFolder, Arc<dyn Folder>, Writer, Arc<Hands>, Options) {
    let (memory, folder, clock, options) = clocked();
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    let batches = [mixed(&writer, 0..150), mixed(&writer, 150..300), mixed(&writer, 300..310)];
    for (day, batch) in (20_000..).zip(batches) {
        clock.0.store(day * DAY_MS, Ordering::Relaxed);
        writer.commit(vec![batch]).unwrap();
    }
    assert_eq!(writer.roll().unwrap(), 2);
    (memory, folder, writer, clock, options)
}

#[test]
fn a_file_of_an_earlier_day_becomes_segments_and_goes() {
    let (_, folder, writer, _, _) = rolled();
    let rows = rows(&folder);
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (0..303).collect::<Vec<_>>());
    assert!(rows[&2].contains("\"e-0\""), "{}", rows[&2]);
    assert!(rows[&302].contains("\"e-299\""), "{}", rows[&302]);
    let catalogue = catalogue(&folder);
    assert_eq!(catalogue.covered(), 303, "log.created and log.started, 300 events, log.keys");
    let days: Vec<u64> = catalogue.current().iter().map(|manifest| manifest.day).collect();
    assert!(days.contains(&20_000) && days.contains(&20_001), "{days:?}");
    assert_eq!(journal_files(&folder), [store::journal_path(303)]);
    let keyring = Keyring::open(&folder.read("keyring").unwrap().unwrap(), &kek()).unwrap();
    assert_eq!(keyring.by_purpose(Purpose::Journal).count(), 1, "the others are destroyed");
    assert_eq!(keyring.by_purpose(Purpose::Segment).count(), catalogue.current().len());
    assert_eq!(writer.published(), writer.size());
}

#[test]
fn a_log_with_segments_opens_and_goes_on_and_still_knows_its_ids() {
    let (memory, folder, writer, _, options) = rolled();
    writer.close().unwrap();
    for cached in [true, false] {
        let mut files = memory.snapshot();
        if !cached {
            files.retain(|path, _| !path.starts_with("cache/"));
        }
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
        let size = writer.size();
        let again = writer.commit(vec![mixed(&writer, 0..310)]).unwrap().remove(0);
        assert!(
            again.outcomes.iter().all(|it| matches!(it, Outcome::Duplicate { .. })),
            "{cached}"
        );
        assert_eq!(writer.size(), size);
        assert_eq!(indexes(&again)[..150], (2..152).collect::<Vec<_>>());
        let changed = r#"{"event_id":"e-7","event_type":"agent.other"}"#.to_owned();
        let other = encode(&writer, &[changed]);
        let other = writer.commit(vec![other]).unwrap().remove(0);
        assert_eq!(other.outcomes, [Outcome::Conflict { index: 9 }]);
        writer.commit(vec![mixed(&writer, 310..320)]).unwrap();
        writer.end_journal_file();
        writer.commit(vec![mixed(&writer, 320..330)]).unwrap();
        assert_eq!(writer.roll().unwrap(), 1);
        writer.close().unwrap();
        assert!(rows(&folder).values().any(|meta| meta.contains("\"e-319\"")));
    }
    drop(folder);
}

/// Everything that a roll may leave when it is cut short after each of its changes to the folder.
#[test]
fn a_roll_that_is_cut_short_is_finished_or_undone() {
    let (memory, folder, clock, options) = clocked();
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    writer.commit(vec![mixed(&writer, 0..30)]).unwrap();
    clock.0.fetch_add(DAY_MS, Ordering::Relaxed);
    writer.commit(vec![mixed(&writer, 30..40)]).unwrap();
    writer.publish().unwrap();
    let before = memory.snapshot();
    writer.roll().unwrap();
    let after = memory.snapshot();
    drop(writer);
    let (gone, new): (Vec<_>, Vec<_>) = {
        let gone = before.keys().filter(|path| !after.contains_key(*path)).cloned().collect();
        (gone, after.keys().filter(|path| !before.contains_key(*path)).cloned().collect())
    };
    assert_eq!(gone.iter().filter(|path| path.starts_with("journal/")).count(), 1);
    // The announcement stands in the journal or not; each new file is there or not.
    let announced: Vec<_> = std::iter::once(before.clone())
        .chain(["segments/", "ledger/", "journal/0", "x"].into_iter().map(|missing| {
            let mut files = after.clone();
            for path in &gone {
                files.insert(path.clone(), before[path].clone());
            }
            files.insert("keyring".to_owned(), after["keyring"].clone());
            if missing == "ledger/" || missing == "journal/0" {
                files.retain(|path, _| !(new.contains(path) && path.starts_with(missing)));
            }
            files
        }))
        .collect();
    for (number, mut files) in announced.into_iter().enumerate() {
        if number == 0 {
            // Segments without an announcement.
            for path in new.iter().filter(|path| path.starts_with("segments/")) {
                files.insert(path.clone(), after[path].clone());
            }
        } else {
            // A key is destroyed last: until then the keyring has it.
            files.insert("keyring".to_owned(), keyring_with_both(&before, &after));
        }
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        let mut writer = seal::open(&folder, kek(), options.clone())
            .unwrap_or_else(|error| panic!("state {number}: {error}"));
        writer.roll().unwrap();
        writer.close().unwrap();
        let rows = rows(&folder);
        assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (0..32).collect::<Vec<_>>());
        let listed = folder.list(segment::SEGMENT_FOLDER).unwrap();
        let current: Vec<String> = {
            let catalogue = catalogue(&folder);
            let mut paths: Vec<String> =
                catalogue.current().into_iter().map(Manifest::path).collect();
            paths.sort();
            paths
        };
        assert_eq!(listed, current, "state {number}: no stray is left");
        assert_eq!(journal_files(&folder).len(), 1, "state {number}");
    }
}

/// The keyring of a moment at which neither old nor new keys were destroyed.
fn keyring_with_both(
    before: &BTreeMap<String, Vec<u8>>,
    after: &BTreeMap<String, Vec<u8>>,
) -> Vec<u8> {
    let kek = kek();
    let open = |files: &BTreeMap<String, Vec<u8>>| Keyring::open(&files["keyring"], &kek).unwrap();
    let (mut both, newer) = (open(before), open(after));
    for (info, key) in newer.by_purpose(Purpose::Segment) {
        both.insert(info.id, info.purpose, key.duplicate(), info.created_ms).unwrap();
    }
    both.to_bytes(&kek, &keys::SystemEntropy::new()).unwrap()
}

#[test]
fn a_segment_that_is_gone_or_of_another_length_keeps_the_log_from_opening() {
    let (memory, _, writer, _, options) = rolled();
    writer.close().unwrap();
    let files = memory.snapshot();
    for path in files.keys().filter(|path| path.starts_with("segments/")) {
        let mut without = files.clone();
        without.remove(path);
        let mut altered = files.clone();
        altered.get_mut(path).unwrap().push(b'\n');
        for files in [without, altered] {
            let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
            let error = seal::open(&folder, kek(), options.clone()).err().unwrap().to_string();
            assert!(error.contains(path), "{error}");
        }
    }
}

#[test]
fn a_document_that_is_gone_or_torn_is_written_again_from_the_log() {
    let (memory, _, writer, _, options) = rolled();
    writer.close().unwrap();
    let files = memory.snapshot();
    for path in files.keys().filter(|path| path.starts_with("ledger/")) {
        let mut without = files.clone();
        without.remove(path);
        let mut torn = files.clone();
        torn.get_mut(path).unwrap().truncate(100);
        for damaged in [without, torn] {
            let memory = MemoryFolder::from_files(damaged);
            let folder: Arc<dyn Folder> = Arc::new(memory.clone());
            seal::open(&folder, kek(), options.clone()).unwrap().close().unwrap();
            assert_eq!(memory.snapshot().get(path), files.get(path), "{path}");
        }
        let mut forged = files.clone();
        let text = String::from_utf8(files[path].clone()).unwrap();
        forged.insert(path.clone(), text.replace("\\\"rows\\\":", "\\\"rows\\\":1").into_bytes());
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(forged));
        let error = seal::open(&folder, kek(), options.clone()).err().unwrap().to_string();
        assert!(error.contains("not what the log committed to"), "{error}");
    }
}

#[test]
fn a_log_whose_every_group_ends_a_file_is_rolled_in_the_end() {
    let (_, folder, _, options) = clocked();
    let options = Options { journal_roll_bytes: 65, ..options };
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    for round in 0..4 {
        writer.commit(vec![mixed(&writer, round * 3..round * 3 + 3)]).unwrap();
    }
    assert!(writer.roll().unwrap() >= 4);
    assert!(rows(&folder).values().any(|meta| meta.contains("\"e-8\"")));
    writer.close().unwrap();
}

#[test]
fn many_small_segments_become_one_and_their_files_and_keys_go() {
    let (memory, folder, _, options) = clocked();
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    for round in 0..9 {
        let batch = mixed(&writer, round * 30..round * 30 + 30);
        writer.commit(vec![batch]).unwrap();
        writer.end_journal_file();
    }
    assert_eq!(writer.roll().unwrap(), 8);
    let before = rows(&folder);
    let count = catalogue(&folder).current().len();
    assert_eq!(writer.compact().unwrap(), 4, "one for each tier, the log's own among them");
    assert_eq!(rows(&folder), before);
    assert_eq!(writer.compact().unwrap(), 0);
    let after = catalogue(&folder);
    assert!(after.current().len() < count / 4, "{}", after.current().len());
    assert_eq!(folder.list(segment::SEGMENT_FOLDER).unwrap().len(), after.current().len());
    let keyring = Keyring::open(&folder.read("keyring").unwrap().unwrap(), &kek()).unwrap();
    assert_eq!(keyring.by_purpose(Purpose::Segment).count(), after.current().len());
    writer.close().unwrap();
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(memory.snapshot()));
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    let again = writer.commit(vec![mixed(&writer, 0..270)]).unwrap().remove(0);
    assert!(again.outcomes.iter().all(|it| matches!(it, Outcome::Duplicate { .. })));
}

/// Its head may be signed for what is not durable: whoever hears that all is well might show it.
#[test]
fn a_writer_that_failed_says_so_also_where_there_is_nothing_to_roll() {
    let (memory, _, _, options) = clocked();
    let mut refused = 0;
    for calls in 0..60 {
        let memory = MemoryFolder::from_files(memory.snapshot());
        let dying = crate::dying::dying_after(&memory, calls);
        let Ok(mut writer) = seal::open(&dying, kek(), options.clone()) else { continue };
        if writer.commit(vec![mixed(&writer, 0..3)]).is_ok() {
            break;
        }
        refused += 1;
        assert!(matches!(writer.roll(), Err(seal::SealError::Poisoned { .. })));
        assert!(matches!(writer.compact(), Err(seal::SealError::Poisoned { .. })));
        assert!(matches!(writer.publish(), Err(seal::SealError::Poisoned { .. })));
    }
    assert!(refused > 0, "no append was cut short");
}
