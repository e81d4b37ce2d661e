//! Reading a log while its writer turns journal files into segments.

use super::*;
use crate::rows::Rows;
use crate::{Follow, library};
use event::Event;
use keys::{KekOrigin, SecretKey, SystemEntropy};
use seal::{Batch, Identity, NewLog, Options, Writer};
use std::path::PathBuf;
use store::{Folder, MemoryFolder, Reservation};

fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

/// A fresh log.
fn fresh() -> (LogFolder, Writer) {
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::default());
    let options = Options { reservation: Reservation::Off, ..Options::system() };
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek(), [1; 16], &options).unwrap();
    let writer = seal::open(&folder, kek(), options).unwrap();
    let identity = Identity::parse(&folder.read(seal::IDENTITY_PATH).unwrap().unwrap()).unwrap();
    (LogFolder { path: PathBuf::new(), identity, folder }, writer)
}

/// Appends to a journal file of its own.
fn append(writer: &mut Writer, count: u64) {
    writer.end_journal_file();
    let size = writer.size();
    let kinds = ["agent.tool_call", "agent.decision", "agent.reasoning"];
    let line = |n: u64| {
        let kind = kinds[usize::try_from(n % 3).unwrap()];
        format!(r#"{{"event_id":"{size}-{n}","event_type":"{kind}","params":{{"n":{n}}}}}"#)
    };
    let lines: Vec<String> = (0..count).map(line).collect();
    let events = lines
        .iter()
        .map(|line| writer.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    let batch = Batch::encode(events, writer.fingerprints(), &SystemEntropy::new(), 0).unwrap();
    writer.commit(vec![batch]).unwrap();
}

/// A log of several journal files, all published.
fn filled() -> (LogFolder, Writer) {
    let (log, mut writer) = fresh();
    (1..7).for_each(|count| append(&mut writer, count));
    writer.publish().unwrap();
    (log, writer)
}

/// Index and bytes of a record; fails where there is none.
fn seen(item: Item<'_>) -> (u64, Vec<u8>) {
    match item {
        Item::Record { index, record } => {
            (index, [record.meta, b"|", record.content.bytes()].concat())
        }
        Item::Unreadable { index, count, detail } => panic!("{count} from {index}: {detail}"),
    }
}

fn all(reading: &Reading, first: u64) -> Vec<(u64, Vec<u8>)> {
    let mut records = reading.records(first).unwrap();
    let mut all = Vec::new();
    while let Some(item) = records.next() {
        all.push(seen(item));
    }
    all
}

#[test]
fn records_read_the_same_before_and_after_they_were_rolled() {
    let (log, mut writer) = filled();
    let before = all(&Reading::open(log.clone(), &kek()).unwrap(), 0);
    assert!(writer.roll().unwrap() > 3);
    assert_eq!(log.folder.list(store::JOURNAL_FOLDER).unwrap().len(), 1);
    let reading = Reading::open(log, &kek()).unwrap();
    let after = all(&reading, 0);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len() as u64, reading.checkpoint().size);
    for first in 0..=after.len() {
        assert_eq!(all(&reading, first as u64), after[first..]);
    }
}

#[test]
fn a_roll_in_the_middle_of_reading_goes_unnoticed() {
    let count = {
        let (log, _writer) = filled();
        all(&Reading::open(log, &kek()).unwrap(), 0).len()
    };
    for pause in 0..=count {
        let (log, mut writer) = filled();
        let reading = Reading::open(log, &kek()).unwrap();
        let mut records = reading.records(0).unwrap();
        let mut indexes = Vec::new();
        for place in 0..count {
            if place == pause {
                writer.roll().unwrap();
            }
            indexes.push(seen(records.next().unwrap()).0);
        }
        assert!(records.next().is_none());
        assert_eq!(indexes, (0..count as u64).collect::<Vec<_>>(), "{pause}");
    }
}

#[test]
fn segments_that_are_compacted_in_the_middle_of_reading_go_unnoticed() {
    for pause in [0, 1, 5, 20] {
        let (log, mut writer) = fresh();
        for _ in 0..12 {
            append(&mut writer, 3);
        }
        writer.roll().unwrap();
        let reading = Reading::open(log, &kek()).unwrap();
        let size = reading.checkpoint().size;
        let mut records = reading.records(0).unwrap();
        for index in 0..size {
            if index == pause {
                assert!(writer.compact().unwrap() > 0);
            }
            assert_eq!(seen(records.next().unwrap()).0, index);
        }
        assert!(records.next().is_none());
    }
}

#[test]
fn whoever_follows_sees_every_record_once_although_files_are_rolled() {
    let (log, mut writer) = fresh();
    let kek = kek();
    let mut follow = Follow::new(&log, &kek, 0);
    let poll = |follow: &mut Follow<'_>| {
        let mut indexes = Vec::new();
        let each = &mut |index, record: &Kept<'_>| {
            assert!(!record.meta.is_empty());
            indexes.push(index);
            Ok(())
        };
        follow.poll(each).unwrap();
        indexes
    };
    let mut next = poll(&mut follow).len() as u64;
    for round in 0..6 {
        append(&mut writer, 4);
        if round % 2 == 0 {
            assert!(!poll(&mut follow).is_empty());
            next = writer.size();
        }
        append(&mut writer, 2);
        append(&mut writer, 3);
        assert!(writer.roll().unwrap() > 0);
        let size = writer.size();
        assert_eq!(poll(&mut follow), (next..size).collect::<Vec<_>>(), "{round}");
        next = size;
        assert!(poll(&mut follow).is_empty());
        assert_eq!(poll(&mut Follow::new(&log, &kek, 3)), (3..size).collect::<Vec<_>>());
    }
}

#[test]
fn records_of_a_segment_that_is_gone_are_said_to_be_unreadable() {
    let (log, mut writer) = filled();
    writer.roll().unwrap();
    let reading = Reading::open(log.clone(), &kek()).unwrap();
    let whole = all(&reading, 0).len() as u64;
    let paths = log.folder.list(segment::SEGMENT_FOLDER).unwrap();
    let path = paths.iter().find(|path| path.contains("tier=info")).unwrap();
    log.folder.remove(path).unwrap();
    let mut records = reading.records(0).unwrap();
    let (mut present, mut lost) = (0, 0);
    while let Some(item) = records.next() {
        match item {
            Item::Record { .. } => present += 1,
            Item::Unreadable { count, .. } => lost += count,
        }
    }
    assert!(lost > 0);
    assert_eq!(present + lost, whole);
}

/// Index and bytes of every record of a library.
fn all_of(library: &query::Library) -> Vec<(u64, Vec<u8>)> {
    let mut rows: Vec<segment::Row> = library.tail().cloned().collect();
    for volume in library.volumes() {
        let segment = volume.segment().unwrap();
        rows.extend(segment.rows(.., segment::Projection::All).unwrap().map(Result::unwrap));
    }
    rows.sort_by_key(|row| row.index);
    rows.retain(|row| row.index < library.as_of().size);
    let bytes = |row: &segment::Row| [&row.meta, &b"|"[..], row.content.bytes()].concat();
    rows.iter().map(|row| (row.index, bytes(row))).collect()
}

#[test]
fn a_library_holds_every_record_once_and_none_beyond_its_checkpoint() {
    let (log, mut writer) = filled();
    writer.roll().unwrap();
    append(&mut writer, 5);
    writer.publish().unwrap();
    let reading = Reading::open(log.clone(), &kek()).unwrap();
    let expected = all(&reading, 0);
    for size in 0..=expected.len() {
        let as_of = query::AsOf { size: size as u64, ..crate::answer::as_of(&reading) };
        let library = library(&reading, as_of).unwrap().unwrap();
        assert_eq!(all_of(&library), expected[..size]);
    }
    let library = library(&reading, crate::answer::as_of(&reading)).unwrap().unwrap();
    assert!(library.volumes().len() > 2 && library.tail().count() > 5);
}

#[test]
fn there_is_no_library_of_a_log_that_lacks_a_segment() {
    let (log, mut writer) = filled();
    writer.roll().unwrap();
    let segments = log.folder.list(segment::SEGMENT_FOLDER).unwrap();
    log.folder.remove(&segments[0]).unwrap();
    let reading = Reading::open(log, &kek()).unwrap();
    assert!(library(&reading, crate::answer::as_of(&reading)).unwrap().is_none());
}

/// The rows of some records, made in a thread or, where they are few, without one.
fn rows(reading: &Reading, wanted: std::ops::Range<u64>) -> Option<query::Tail> {
    let mut records = reading.records(wanted.start).unwrap();
    Rows::add(&query::Tail::default(), &mut records, wanted).map(|(tail, _)| tail)
}

#[test]
fn rows_are_the_records_that_are_wanted_wherever_frames_begin_and_end() {
    let (log, _writer) = filled();
    let mut reading = Reading::open(log, &kek()).unwrap();
    let expected = all(&reading, 0);
    let bytes = |row: &Row| [&row.meta, &b"|"[..], row.content.bytes()].concat();
    for size in 0..=expected.len() {
        reading.checkpoint.size = size as u64;
        for first in 0..size {
            let tail = rows(&reading, first as u64..size as u64).unwrap();
            let found: Vec<_> = tail.iter().map(|row| (row.index, bytes(row))).collect();
            assert_eq!(found, expected[first..size]);
        }
    }
    assert!(rows(&reading, 0..expected.len() as u64 + 1).is_none(), "one is missing");
}

#[test]
fn there_are_no_rows_of_a_journal_that_is_damaged() {
    let (log, _writer) = filled();
    let reading = Reading::open(log.clone(), &kek()).unwrap();
    let wanted = || 0..reading.checkpoint().size;
    assert!(rows(&reading, wanted()).is_some());
    for path in log.folder.list(store::JOURNAL_FOLDER).unwrap() {
        let sound = log.folder.read(&path).unwrap().unwrap();
        let mut altered = sound.clone();
        *altered.last_mut().unwrap() ^= 1;
        log.folder.replace(&path, &altered).unwrap();
        assert!(rows(&reading, wanted()).is_none(), "{path}");
        log.folder.replace(&path, &sound).unwrap();
    }
}
