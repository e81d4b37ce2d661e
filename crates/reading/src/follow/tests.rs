//! Following a writer in memory: across frames, files and half-written frames.

use super::*;
use event::Event;
use keys::{KekOrigin, SecretKey, SystemEntropy};
use seal::{Batch, Identity, NewLog, Options, Writer};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Folder, MemoryFolder, Reservation};

fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

/// A fresh log whose journal files hold at most one frame more than `journal_roll_bytes`.
fn fresh(
    journal_roll_bytes: u64,
    reservation: Reservation,
) -> (Arc<dyn Folder>, LogFolder, Writer) {
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::default());
    let options = Options { journal_roll_bytes, reservation, ..Options::system() };
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek(), [1; 16], &options).unwrap();
    let writer = seal::open(&folder, kek(), options).unwrap();
    let identity = Identity::parse(&folder.read(seal::IDENTITY_PATH).unwrap().unwrap()).unwrap();
    let log = LogFolder { path: PathBuf::new(), identity, folder: Arc::clone(&folder) };
    (folder, log, writer)
}

fn append(writer: &mut Writer, count: u64) {
    let size = writer.size();
    let lines = (0..count).map(|n| format!(r#"{{"event_id":"{size}-{n}","event_type":"x"}}"#));
    let lines: Vec<String> = lines.collect();
    let events = lines
        .iter()
        .map(|line| writer.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    let batch = Batch::encode(events, writer.fingerprints(), &SystemEntropy::new(), 0).unwrap();
    writer.commit(vec![batch]).unwrap();
}

fn poll(follow: &mut Follow<'_>) -> Vec<u64> {
    let mut indexes = Vec::new();
    let each = &mut |index, record: &Kept<'_>| {
        assert!(!record.meta.is_empty());
        indexes.push(index);
        Ok(())
    };
    follow.poll(each).unwrap();
    indexes
}

#[test]
fn every_record_comes_once_across_frames_and_files() {
    for roll_bytes in [1, 1 << 30] {
        for reservation in [Reservation::Off, Reservation::Background] {
            let (folder, log, mut writer) = fresh(roll_bytes, reservation);
            let kek = kek();
            let mut follow = Follow::new(&log, &kek, 0);
            let mut next = poll(&mut follow).len() as u64;
            for count in [1, 5, 2, 700] {
                append(&mut writer, count);
                append(&mut writer, 1);
                let size = writer.size();
                assert_eq!(poll(&mut follow), (next..size).collect::<Vec<_>>());
                assert!(poll(&mut follow).is_empty());
                next = size;
            }
            writer.close().unwrap();
            // The log's last words.
            let last = poll(&mut follow);
            assert_eq!(last, (next..next + last.len() as u64).collect::<Vec<_>>());
            assert!(!last.is_empty());
            let files = folder.list(JOURNAL_FOLDER).unwrap().len();
            assert_eq!(files > 1, roll_bytes == 1, "{files}");
        }
    }
}

#[test]
fn it_can_begin_anywhere() {
    let (_folder, log, mut writer) = fresh(1, Reservation::Off);
    (1..6).for_each(|count| append(&mut writer, count));
    let (kek, size) = (kek(), writer.size());
    for first in 0..=size {
        assert_eq!(poll(&mut Follow::new(&log, &kek, first)), (first..size).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_known_from_elsewhere_is_passed_over_and_nothing_else() {
    for roll_bytes in [1, 1 << 30] {
        let (_folder, log, mut writer) = fresh(roll_bytes, Reservation::Off);
        let kek = kek();
        let mut follow = Follow::new(&log, &kek, 0);
        for (count, known) in [(1, 0), (5, 3), (2, 2), (7, 0), (40, 41), (3, 1)] {
            let before = writer.size();
            (0..count).for_each(|_| append(&mut writer, 1));
            append(&mut writer, 4);
            follow.skip_to(before + known);
            // Going back is not meant.
            follow.skip_to(0);
            let wanted = before + if before == 0 { 0 } else { known };
            assert_eq!(poll(&mut follow), (wanted..writer.size()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn half_a_frame_is_waited_for_and_a_damaged_one_is_an_error() {
    let (folder, log, mut writer) = fresh(1 << 30, Reservation::Off);
    append(&mut writer, 3);
    let path = folder.list(JOURNAL_FOLDER).unwrap().remove(0);
    let size = writer.size();
    let before = folder.read(&path).unwrap().unwrap().len();
    append(&mut writer, 4);
    let whole = folder.read(&path).unwrap().unwrap();
    let kek = kek();
    let mut follow = Follow::new(&log, &kek, size);
    for cut in [before, before + 3, before + 60, whole.len() - 1] {
        folder.write(&path, whole.get(..cut).unwrap()).unwrap();
        assert!(poll(&mut follow).is_empty(), "{cut}");
    }
    folder.write(&path, &whole).unwrap();
    assert_eq!(poll(&mut follow), (size..size + 4).collect::<Vec<_>>());

    append(&mut writer, 1);
    append(&mut writer, 1);
    let mut damaged = folder.read(&path).unwrap().unwrap();
    *damaged.get_mut(whole.len() + 60).unwrap() ^= 1;
    folder.write(&path, &damaged).unwrap();
    let mut ignore = |_, _: &Kept<'_>| Ok(());
    let looks = (0..2 * DOUBTS_MAX).take_while(|_| follow.poll(&mut ignore).is_ok()).count();
    assert_eq!(looks, DOUBTS_MAX as usize - 1);
}
