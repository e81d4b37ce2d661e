//! Closing, crashing and opening again.

use super::*;
use seal::SealError;
use store::StoreError;

#[test]
fn a_restart_goes_on_where_the_log_ended() {
    let (_, folder) = fresh();
    let mut writer = open(&folder);
    let receipt = append(&mut writer, 0..700);
    assert_eq!(
        indexes(&receipt),
        (2..702).collect::<Vec<_>>(),
        "after log.created and log.started"
    );
    writer.close().unwrap();
    let mut writer = open(&folder);
    assert_eq!(writer.size(), 703, "log.stopped was added");
    assert_eq!(writer.published(), 703);
    assert_eq!(indexes(&append(&mut writer, 700..701)), [704]);
}

#[test]
fn a_process_that_dies_loses_nothing_that_it_acknowledged() {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    append(&mut writer, 0..300);
    writer.publish().unwrap();
    append(&mut writer, 300..600);
    let (size, note) = (writer.size(), writer.checkpoint());
    drop(writer);
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(memory.snapshot()));
    let writer = open(&folder);
    assert_eq!((writer.size(), writer.published()), (size, size));
    let text = |note: &str| note.split("\n\n").next().map(str::to_owned);
    assert_eq!(text(&writer.checkpoint()), text(&note), "the same tree");
}

#[test]
fn redelivery_adds_nothing_even_after_a_restart_and_changed_content_is_refused() {
    let (_, folder) = fresh();
    let mut writer = open(&folder);
    let first = append(&mut writer, 0..600);
    let again = append(&mut writer, 0..600);
    assert_eq!(indexes(&again), indexes(&first));
    writer.close().unwrap();
    let mut writer = open(&folder);
    let size = writer.size();
    let third = append(&mut writer, 0..600);
    for (first, third) in first.outcomes.iter().zip(&third.outcomes) {
        let Outcome::Sealed { index, leaf_hash } = *first else { panic!("{first:?}") };
        assert_eq!(*third, Outcome::Duplicate { index, leaf_hash });
    }
    assert_eq!(writer.size(), size, "not even a trace of the run that redelivered");
    let other = encode(&writer, &[r#"{"event_id":"e-5","event_type":"agent.other"}"#.to_owned()]);
    let receipt = writer.commit(vec![other]).unwrap().remove(0);
    assert_eq!(receipt.outcomes, [Outcome::Conflict { index: 7 }]);
}

#[test]
fn a_torn_frame_is_cut_off_and_recorded() {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    append(&mut writer, 0..10);
    let before = writer.size();
    writer.publish().unwrap();
    append(&mut writer, 10..20);
    drop(writer);
    let mut files = memory.snapshot();
    let path = files.keys().find(|path| path.starts_with("journal/")).unwrap().clone();
    let journal = files.get_mut(&path).unwrap();
    journal.truncate(journal.len() - 100);
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
    let mut writer = open(&folder);
    assert_eq!(writer.size(), before + 2, "log.recovered and log.started, none of the torn ten");
    assert_eq!(indexes(&append(&mut writer, 10..11)), [before + 2]);
}

#[test]
fn records_under_a_signed_head_cannot_vanish_unnoticed() {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    append(&mut writer, 0..10);
    append(&mut writer, 10..20);
    writer.close().unwrap();
    let files = memory.snapshot();
    let path = files.keys().find(|path| path.starts_with("journal/")).unwrap().clone();
    for cut in [1, 100, 5_000] {
        let mut files = files.clone();
        let journal = files.get_mut(&path).unwrap();
        journal.truncate(journal.len() - cut);
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        let error = seal::open(&folder, kek(), options()).map(|_| ()).unwrap_err();
        assert!(
            matches!(error, SealError::Truncated { .. } | SealError::Store(_)),
            "cut {cut}: {error}"
        );
    }
}

#[test]
fn a_damaged_frame_before_good_ones_is_reported_and_nothing_is_written() {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    append(&mut writer, 0..10);
    append(&mut writer, 10..20);
    drop(writer);
    let mut files = memory.snapshot();
    let path = files.keys().find(|path| path.starts_with("journal/")).unwrap().clone();
    let journal = files.get_mut(&path).unwrap();
    let middle = journal.len() / 2;
    journal[middle] ^= 1;
    let damaged = MemoryFolder::from_files(files.clone());
    let folder: Arc<dyn Folder> = Arc::new(damaged.clone());
    let error = seal::open(&folder, kek(), options()).map(|_| ()).unwrap_err();
    let SealError::Store(store) = &error else { panic!("{error}") };
    assert!(matches!(&**store, StoreError::Damaged { .. }), "{error}");
    assert_eq!(damaged.snapshot(), files);
}

#[test]
fn journal_files_roll_and_read_back() {
    let (memory, folder) = fresh();
    let small = Options { journal_roll_bytes: 20_000, ..options() };
    let mut writer = seal::open(&folder, kek(), small.clone()).unwrap();
    for n in 0..60 {
        append(&mut writer, n * 10..n * 10 + 10);
    }
    let size = writer.size();
    drop(writer);
    let journals = memory.snapshot().keys().filter(|path| path.starts_with("journal/")).count();
    assert!(journals > 5, "{journals}");
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(memory.snapshot()));
    let writer = seal::open(&folder, kek(), small).unwrap();
    assert_eq!(writer.size(), size);
}

#[test]
fn a_second_writer_and_a_wrong_key_are_refused() {
    let (memory, folder) = fresh();
    let writer = open(&folder);
    let error = seal::open(&folder, kek(), options()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    drop(writer);
    let other = Kek::from_secret(SecretKey::new([8; 32]), KekOrigin::Environment);
    let before = memory.snapshot();
    assert!(matches!(seal::open(&folder, Arc::new(other), options()), Err(SealError::Keyring(_))));
    assert_eq!(memory.snapshot(), before);
}

#[test]
fn a_future_format_is_refused_without_writing() {
    let (memory, _) = fresh();
    let mut files = memory.snapshot();
    let json = String::from_utf8(files["log.json"].clone()).unwrap();
    files
        .insert("log.json".to_owned(), json.replace("\"format\": 1", "\"format\": 2").into_bytes());
    let memory = MemoryFolder::from_files(files.clone());
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    assert!(matches!(
        seal::open(&folder, kek(), options()),
        Err(SealError::FutureVersion { version: 2, known: 1, .. })
    ));
    assert_eq!(memory.snapshot(), files);
}

#[test]
fn a_journal_file_that_never_held_a_record_is_begun_again() {
    let (memory, folder) = fresh();
    let small = Options { journal_roll_bytes: 1, ..options() };
    let mut writer = seal::open(&folder, kek(), small.clone()).unwrap();
    append(&mut writer, 0..3);
    let size = writer.size();
    drop(writer);
    for bytes in [Vec::new(), vec![0; 64], vec![0; 4096], b"TACHOJNL".to_vec()] {
        let mut files = memory.snapshot();
        files.insert(format!("journal/{size:020}.journal"), bytes);
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        let mut writer = seal::open(&folder, kek(), small.clone()).unwrap();
        assert_eq!(indexes(&append(&mut writer, 3..4)), [size + 1]);
    }
    let mut files = memory.snapshot();
    let mut bytes = vec![0; 4096];
    bytes[200] = 1;
    files.insert(format!("journal/{size:020}.journal"), bytes);
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
    assert!(seal::open(&folder, kek(), small).is_err(), "something was written behind the header");
}

#[test]
fn a_clock_that_jumps_over_midnight_and_back_breaks_no_stream() {
    struct Jumping(std::sync::atomic::AtomicU64);
    impl seal::Clock for Jumping {
        fn now_ms(&self) -> u64 {
            self.0.load(std::sync::atomic::Ordering::Relaxed)
        }
    }
    let day = 86_400_000;
    let clock = Arc::new(Jumping((day * 20_000 - 10).into()));
    let set = |ms: u64| clock.0.store(ms, std::sync::atomic::Ordering::Relaxed);
    let options = Options { clock: clock.clone(), ..options() };
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    seal::create(&folder, &new_log(), &kek(), [1; 16], &options).unwrap();
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    append(&mut writer, 0..5);
    writer.close().unwrap();
    set(day * 20_000 + 10);
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    set(day * 20_000 - 5);
    append(&mut writer, 5..9);
    set(day * 20_000 + 20);
    append(&mut writer, 9..12);
    writer.close().unwrap();
    let mut last = std::collections::HashMap::new();
    let bundle = memory.snapshot().remove("tile/entries/000.p/18").unwrap();
    for bytes in bundle.chunks_exact(106) {
        let entry = event::Entry::decode(&bytes[2..]).unwrap();
        let previous = last.insert(entry.stream, entry.sequence).unwrap_or(0);
        assert_eq!(entry.sequence, previous + 1, "{entry:?}");
    }
}
