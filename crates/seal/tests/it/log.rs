//! Threads around the writer.

use super::held::{Hold, holding};
use super::*;
use seal::Log;
use std::collections::HashSet;
use store::DiskFolder;

fn disk() -> (tempfile::TempDir, Arc<dyn Folder>) {
    let temporary = tempfile::tempdir().unwrap();
    let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(temporary.path().join("log")));
    seal::create(&folder, &new_log(), &kek(), [1; 16], &options()).unwrap();
    (temporary, folder)
}

fn events(log: &Log, thread: u64, numbers: std::ops::Range<u64>) -> Batch {
    let lines: Vec<String> = numbers
        .map(|n| {
            format!(r#"{{"event_id":"t{thread}-{n}","event_type":"a.b","trace_id":"t{thread}"}}"#)
        })
        .collect();
    let events =
        lines.iter().map(|line| log.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    log.encode(events).unwrap()
}

#[test]
fn many_producers_share_one_order_without_gaps() {
    let (_temporary, folder) = disk();
    let options = Options { reservation: Reservation::Background, publish_ms: 5, ..options() };
    let log = Log::start(seal::open(&folder, kek(), options).unwrap());
    let all: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let log = &log;
                scope.spawn(move || {
                    let mut mine = Vec::new();
                    for round in 0..30 {
                        let receipt =
                            log.append(events(log, thread, round * 7..round * 7 + 7)).unwrap();
                        mine.extend(indexes(&receipt));
                    }
                    assert!(mine.is_sorted());
                    mine
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let unique: HashSet<u64> = all.iter().copied().collect();
    assert_eq!(unique.len(), 8 * 30 * 7);
    assert_eq!((all.iter().min(), all.iter().max()), (Some(&2), Some(&(8 * 30 * 7 + 1))));
    log.publish().unwrap();
    log.close().unwrap();
    let writer = open(&folder);
    assert_eq!(writer.size(), 8 * 30 * 7 + 3);
    assert_eq!(writer.published(), writer.size());
}

#[test]
fn a_batch_larger_than_a_frame_is_sealed_whole_and_read_back() {
    let (_temporary, folder) = disk();
    let log = Log::start(seal::open(&folder, kek(), options()).unwrap());
    let lines: Vec<String> = (0..60)
        .map(|n| {
            let text = "x".repeat(900_000);
            format!(
                r#"{{"event_id":"e{n}","event_type":"a.b","session_id":"s","result":"{text}"}}"#
            )
        })
        .collect();
    let events =
        lines.iter().map(|line| log.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    let batch = log.encode(events).unwrap();
    assert!(batch.bytes() > store::FRAME_PAYLOAD_BYTES_MAX);
    let receipt = log.append(batch).unwrap();
    assert_eq!(indexes(&receipt), (2..62).collect::<Vec<_>>());
    log.close().unwrap();
    let mut writer = open(&folder);
    assert_eq!(writer.size(), 63);
    let again = Event::from_json(lines[59].as_bytes()).unwrap();
    let again = log_batch(&writer, again);
    let outcomes = writer.commit(vec![again]).unwrap().remove(0).outcomes;
    assert!(matches!(outcomes[..], [Outcome::Duplicate { index: 61, .. }]), "{outcomes:?}");
}

fn log_batch(writer: &Writer, event: Event<'_>) -> Batch {
    let event = writer.redactor().redact(event);
    Batch::encode([event], writer.fingerprints(), &keys::SystemEntropy::new(), 0).unwrap()
}

#[test]
fn silence_is_filled_with_heartbeats() {
    let (_temporary, folder) = disk();
    let options = Options { heartbeat_ms: 20, publish_ms: 5, ..options() };
    let log = Log::start(seal::open(&folder, kek(), options).unwrap());
    log.append(events(&log, 0, 0..1)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    log.close().unwrap();
    assert!(open(&folder).size() >= 6, "created, started, event, heartbeats, stopped");
}

#[test]
fn a_busy_log_rolls_its_files_while_it_goes_on() {
    let (_temporary, folder) = disk();
    let options = Options { roll_backlog: 0, ..small_files() };
    let log = Log::start(seal::open(&folder, kek(), options.clone()).unwrap());
    for round in 0..60 {
        log.append(events(&log, 1, round * 50..round * 50 + 50)).unwrap();
    }
    log.close().unwrap();
    // Whatever waited when the log was closed is rolled by the next one.
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    writer.roll().unwrap();
    assert_eq!(folder.list(store::JOURNAL_FOLDER).unwrap().len(), 1);
    assert!(folder.list(segment::SEGMENT_FOLDER).unwrap().len() >= 3);
    let again = Event::from_json(br#"{"event_id":"t1-7","event_type":"a.b","trace_id":"t1"}"#);
    let again = log_batch(&writer, again.unwrap());
    let receipt = writer.commit(vec![again]).unwrap().remove(0);
    assert!(matches!(receipt.outcomes[..], [Outcome::Duplicate { index: 9, .. }]));
}

fn small_files() -> Options {
    Options { journal_roll_bytes: 80_000, publish_ms: 5, heartbeat_ms: 0, ..options() }
}

/// Appends 60 batches, some ten journal files full.
fn append_much(log: &Log) {
    for round in 0..60 {
        log.append(events(log, 1, round * 50..round * 50 + 50)).unwrap();
    }
}

fn journal_files(folder: &Arc<dyn store::Folder>) -> usize {
    folder.list(store::JOURNAL_FOLDER).unwrap().len()
}

#[test]
fn a_busy_log_lets_its_files_wait_and_settles_them_when_asked() {
    let (_temporary, folder) = disk();
    let options = Options { roll_backlog: 1000, ..small_files() };
    let log = Log::start(seal::open(&folder, kek(), options.clone()).unwrap());
    append_much(&log);
    let waiting = journal_files(&folder);
    assert!(waiting >= 5, "{waiting} journal files");
    log.settle().unwrap();
    assert_eq!(journal_files(&folder), 1, "settled means that nothing but the open file is left");
    assert!(!folder.list(segment::SEGMENT_FOLDER).unwrap().is_empty());
    log.settle().unwrap();
    log.append(events(&log, 2, 0..10)).unwrap();
    log.close().unwrap();
}

#[test]
fn a_log_that_nobody_appends_to_rolls_by_itself() {
    let (_temporary, folder) = disk();
    let options = Options { roll_backlog: 1000, ..small_files() };
    let log = Log::start(seal::open(&folder, kek(), options.clone()).unwrap());
    append_much(&log);
    assert!(journal_files(&folder) >= 5);
    let begun = std::time::Instant::now();
    while journal_files(&folder) > 1 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "nothing was rolled");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    log.close().unwrap();
}

#[test]
fn a_backlog_that_is_too_long_is_rolled_however_busy_the_log_is() {
    let (_temporary, folder) = disk();
    let options = Options { roll_backlog: 2, ..small_files() };
    let log = Log::start(seal::open(&folder, kek(), options.clone()).unwrap());
    let begun = std::time::Instant::now();
    let mut number = 0;
    // Never quiet for half a second, and far from a minute.
    while folder.list(segment::SEGMENT_FOLDER).unwrap().is_empty() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(50), "nothing was rolled");
        log.append(events(&log, 3, number..number + 50)).unwrap();
        number += 50;
    }
    log.close().unwrap();
}

/// Reads, and writes until it is told not to.
struct Failing {
    inner: Arc<dyn Folder>,
    broken: Arc<std::sync::atomic::AtomicBool>,
}

struct FailingFile(Box<dyn store::WriteFile>, Arc<std::sync::atomic::AtomicBool>);

impl store::WriteFile for FailingFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), store::StoreError> {
        self.0.write_at(offset, bytes)
    }

    fn sync(&mut self) -> Result<(), store::StoreError> {
        if self.1.load(std::sync::atomic::Ordering::SeqCst) {
            let source = std::io::Error::other("the disk is gone");
            return Err(store::StoreError::Io {
                action: "sync",
                path: "journal".to_owned(),
                source,
            });
        }
        self.0.sync()
    }

    fn set_size(&mut self, size: u64) -> Result<(), store::StoreError> {
        self.0.set_size(size)
    }
}

impl Folder for Failing {
    fn list(&self, path: &str) -> Result<Vec<String>, store::StoreError> {
        self.inner.list(path)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, store::StoreError> {
        self.inner.read(path)
    }
    fn read_at(&self, path: &str, at: u64, buffer: &mut [u8]) -> Result<usize, store::StoreError> {
        self.inner.read_at(path, at, buffer)
    }
    fn size(&self, path: &str) -> Result<Option<u64>, store::StoreError> {
        self.inner.size(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), store::StoreError> {
        self.inner.write(path, bytes)
    }
    fn sync(&self, paths: &[String]) -> Result<(), store::StoreError> {
        self.inner.sync(paths)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), store::StoreError> {
        self.inner.replace(path, bytes)
    }
    fn remove(&self, path: &str) -> Result<(), store::StoreError> {
        self.inner.remove(path)
    }
    fn open(&self, path: &str) -> Result<Box<dyn store::WriteFile>, store::StoreError> {
        Ok(Box::new(FailingFile(self.inner.open(path)?, Arc::clone(&self.broken))))
    }
    fn lock(&self, path: &str) -> Result<Box<dyn store::Lock>, store::StoreError> {
        self.inner.lock(path)
    }
}

#[test]
fn groups_written_aside_keep_their_order_and_survive() {
    let (_temporary, folder) = disk();
    let options = Options { aside_bytes: 0, ..small_files() };
    let log = Log::start(seal::open(&folder, kek(), options.clone()).unwrap());
    // Several on their way at once, over many journal files.
    let tickets: Vec<_> = (0..200)
        .map(|round| {
            let batch = events(&log, 7, round * 30..round * 30 + 30);
            let permit = log.admit(batch.bytes());
            log.submit(batch, permit).unwrap()
        })
        .collect();
    let all: Vec<u64> =
        tickets.into_iter().flat_map(|ticket| indexes(&ticket.wait().unwrap())).collect();
    assert_eq!(all.len(), 6000);
    assert!(all.is_sorted());
    let again = log.append(events(&log, 7, 0..30)).unwrap();
    assert!(again.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })));
    log.close().unwrap();
    let size = open(&folder).size();
    assert!(size > 6000);
    let checkpoint = folder.read("checkpoint").unwrap().unwrap();
    let text = String::from_utf8(checkpoint).unwrap();
    assert_eq!(text.lines().nth(1).unwrap(), size.to_string(), "published up to the end");
}

#[test]
fn when_a_write_aside_fails_nothing_of_it_or_after_it_is_acknowledged() {
    let (_temporary, inner) = disk();
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let folder: Arc<dyn Folder> =
        Arc::new(Failing { inner: Arc::clone(&inner), broken: Arc::clone(&broken) });
    let options = Options { aside_bytes: 0, publish_ms: 1, ..options() };
    let log = Log::start(seal::open(&folder, kek(), options).unwrap());
    let mut acknowledged = Vec::new();
    for round in 0..20 {
        acknowledged
            .extend(indexes(&log.append(events(&log, 8, round * 5..round * 5 + 5)).unwrap()));
    }
    // Nothing is on its way any more.
    log.publish().unwrap();
    broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let tickets: Vec<_> = (20..30)
        .map(|round| {
            let batch = events(&log, 8, round * 5..round * 5 + 5);
            let permit = log.admit(batch.bytes());
            log.submit(batch, permit).unwrap()
        })
        .collect();
    for ticket in tickets {
        assert!(ticket.wait().is_err(), "acknowledged without being durable");
    }
    assert!(log.publish().is_err());
    assert!(log.append(events(&log, 9, 0..1)).is_err());
    assert!(log.close().is_err());
    // Nothing that was acknowledged is lost, and what was published is in the journal.
    let writer = open(&inner);
    assert!(acknowledged.iter().all(|index| *index < writer.size()));
    assert!(writer.published() <= writer.size());
}

#[test]
fn after_a_failed_write_what_runs_beside_the_writer_is_given_up_and_leaves_nothing() {
    let (memory, _) = fresh();
    let hold = Hold::of(segment::SEGMENT_FOLDER);
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let inner = holding(&memory, &hold);
    let folder: Arc<dyn Folder> = Arc::new(Failing { inner, broken: Arc::clone(&broken) });
    let options = Options { roll_backlog: 0, ..small_files() };
    let log = Log::start(seal::open(&folder, kek(), options).unwrap());
    let freeing = hold.until_dropped();
    append_much(&log);
    let begun = std::time::Instant::now();
    while !hold.is_reached() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "nothing was rolled");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    broken.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(log.append(events(&log, 9, 0..1)).is_err());
    // From here on it is known that nothing can be announced any more.
    assert!(log.settle().is_err());
    broken.store(false, std::sync::atomic::Ordering::SeqCst);
    drop(freeing);
    drop(log);
    let folder: Arc<dyn Folder> = Arc::new(memory);
    assert!(folder.list(segment::SEGMENT_FOLDER).unwrap().is_empty(), "it was made for nothing");
    let mut writer = open(&folder);
    writer.roll().unwrap();
    assert!(!folder.list(segment::SEGMENT_FOLDER).unwrap().is_empty());
}

#[test]
fn whoever_may_not_wait_is_called_back_and_told_when_there_is_no_room() {
    let (_temporary, folder) = disk();
    let log = Log::start(seal::open(&folder, kek(), options()).unwrap());
    let (outbox, inbox) = std::sync::mpsc::channel();
    let batch = events(&log, 0, 0..3);
    let permit = log.try_admit(batch.bytes()).unwrap();
    let done = Box::new(move |outcome| outbox.send(outcome).unwrap());
    log.try_submit(batch, permit, done).unwrap();
    let receipt = inbox.recv().unwrap().unwrap();
    assert_eq!(indexes(&receipt), [2, 3, 4]);

    let whole = log.try_admit(usize::MAX).unwrap();
    assert!(log.try_admit(1).is_none());
    drop(whole);
    assert!(log.try_admit(1).is_some());
}

#[test]
fn an_act_is_sealed_with_what_else_waits_as_a_record_of_the_logs_own() {
    let (_temporary, folder) = disk();
    let log = Log::start(seal::open(&folder, kek(), options()).unwrap());
    let by = event::Principal { subject: Some("auditor".into()), ..Default::default() };
    let details = serde_json::json!({"route": "events", "records": 3});
    let mut batch = log.encode_act(seal::Act::Access(details), &by).unwrap();
    batch.extend(events(&log, 0, 0..1));
    assert_eq!(indexes(&log.append(batch).unwrap()), [2, 3]);
    let size = log.with_writer(|writer| writer.size()).unwrap();
    assert_eq!(size, 4);
    log.close().unwrap();
    let mut writer = open(&folder);
    writer.settle_tail().unwrap();
    let row = |index| writer.settled_row(index).unwrap().unwrap();
    let access = row(2);
    let meta = Event::from_stored(&access.meta, b"").unwrap();
    let who = meta.principal.unwrap().subject.unwrap();
    assert_eq!((&*meta.event_type, &*who), ("log.access", "auditor"));
    assert_eq!((access.kind, row(3).kind), (event::Kind::Log, event::Kind::Event));
}

/// The publisher has the tile and has not written it: the leaf of an event from before the last
/// start is in no file, and no longer in the tree's open tile.
#[test]
fn a_redelivered_event_whose_tile_is_on_its_way_is_a_duplicate() {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    let first = append(&mut writer, 0..100);
    // In segments, so that the next start does not read them from the journal.
    writer.settle_tail().unwrap();
    writer.close().unwrap();
    let hold = Hold::of("tile/0/000");
    let options = Options { publish_ms: 1, ..options() };
    let log = Log::start(seal::open(&holding(&memory, &hold), kek(), options).unwrap());
    let held = hold.until_dropped();
    let lines = |numbers: std::ops::Range<u64>| numbers.map(numbered).collect::<Vec<_>>();
    let again = |lines: Vec<String>| {
        let events = lines.iter().map(|line| Event::from_json(line.as_bytes()).unwrap());
        log.append(log.encode(events.map(|event| log.redactor().redact(event))).unwrap()).unwrap()
    };
    again(lines(100..400));
    while !hold.is_reached() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let receipt = again(lines(7..8));
    let [Outcome::Sealed { index, leaf_hash }] = &first.outcomes[7..8] else { panic!("sealed") };
    let known = Outcome::Duplicate { index: *index, leaf_hash: *leaf_hash };
    assert_eq!(receipt.outcomes, [known]);
    drop(held);
    log.close().unwrap();
}

#[test]
fn what_is_done_with_the_writer_is_published_and_loses_no_tile() {
    let (_temporary, folder) = disk();
    let log = Log::start(seal::open(&folder, kek(), options()).unwrap());
    log.append(events(&log, 0, 0..700)).unwrap();
    let act = |writer: &mut Writer| {
        let index = writer.say(super::removal::intent("log.erasure")).unwrap();
        (index, writer.published())
    };
    let (index, published) = log.with_writer(act).unwrap();
    assert_eq!((index, published), (702, 703));
    log.append(events(&log, 1, 0..300)).unwrap();
    log.publish().unwrap();
    for tile in ["tile/0/000", "tile/0/001", "tile/0/002"] {
        let bytes = folder.read(tile).unwrap().unwrap_or_default();
        assert_eq!(bytes.len(), 256 * 32, "{tile}");
    }
    log.close().unwrap();
}

#[test]
fn records_go_beside_the_appends() {
    use super::removal::{intent, removal};
    use event::Scope;
    let (_temporary, folder) = disk();
    let log = Log::start(seal::open(&folder, kek(), options()).unwrap());
    log.append(events(&log, 0, 0..50)).unwrap();
    log.settle_tail().unwrap();
    let settled = log.settled().unwrap();
    let row = settled.row(4).unwrap().unwrap();
    let mut removal = removal(Scope::Record, row.tier, vec![(4, 5)]);
    removal.classes[0].day = row.time_ms / 86_400_000;
    let act = seal::Consequence::Remove(removal);
    let resolve =
        move |writer: &mut Writer| writer.resolve(intent("log.erasure"), vec![act]).unwrap();
    let (authority, appended) = std::thread::scope(|scope| {
        let appended = scope.spawn(|| {
            for round in 0..40 {
                log.append(events(&log, 1, round * 5..round * 5 + 5)).unwrap();
            }
        });
        let authority = log.with_writer(resolve).unwrap();
        log.settle().unwrap();
        (authority, appended.join())
    });
    appended.unwrap();
    let now = log.settled().unwrap();
    assert!(now.row(4).unwrap().is_none() && now.row(6).unwrap().is_some());
    assert!(now.catalogue().removals().any(|(_, removal)| removal.authority == authority));
    // What was taken before opens no more.
    assert!(settled.row(4).is_err());
    log.close().unwrap();
    let mut writer = open(&folder);
    writer.settle_tail().unwrap();
    assert_eq!(writer.settled_row(6).unwrap().unwrap().index, 6);
}

#[test]
fn what_fails_beside_the_appends_is_told_to_who_waits_and_tried_again_when_asked_for() {
    let (memory, folder) = fresh();
    drop(folder);
    let refused = Hold::refusing("segments/");
    let log = Log::start(seal::open(&holding(&memory, &refused), kek(), options()).unwrap());
    log.append(events(&log, 0, 0..50)).unwrap();
    for _ in 0..2 {
        let told = log.settle_tail();
        assert!(matches!(told, Err(seal::SealError::Unfinished { .. })), "{told:?}");
    }
    // The log goes on.
    log.append(events(&log, 0, 50..60)).unwrap();
    drop(refused.until_dropped());
    log.settle_tail().unwrap();
    assert!(log.settled().unwrap().row(4).unwrap().is_some());
    log.close().unwrap();
}
