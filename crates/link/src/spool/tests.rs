//! What a spool promises: beside its writer, after a crash, on a disk that fails or changes.

use super::*;
use keys::KekOrigin;
use store::{DiskFolder, MemoryFolder, WriteFile};

const ID: [u8; 16] = [7; 16];
const ROOM: u64 = 64 << 20;

fn kek(byte: u8) -> Kek {
    Kek::from_secret(SecretKey::new([byte; 32]), KekOrigin::File)
}

fn event(number: u64, bytes: usize) -> Numbered {
    let json =
        format!(r#"{{"event_type":"a.b","params":{{"n":{number},"x":"{}"}}}}"#, "x".repeat(bytes));
    let redactor = redact::Redactor::new(&redact::Policy::default(), [1; 32]).unwrap();
    let event = event::Event::from_json(json.as_bytes()).unwrap();
    Numbered::event(number, redactor.redact(event))
}

fn events(numbers: std::ops::RangeInclusive<u64>) -> Vec<Numbered> {
    numbers.map(|number| event(number, 10)).collect()
}

fn new(folder: &Arc<dyn Folder>, limit: u64) -> Arc<Spool> {
    Spool::create(Arc::clone(folder), ID, &kek(1), 0, limit).unwrap()
}

fn recovered(folder: &Arc<dyn Folder>, settled: u64) -> Arc<Spool> {
    Spool::recover(Arc::clone(folder), ID, &kek(1), settled).unwrap().unwrap()
}

fn all(reader: &mut Reader) -> Vec<Numbered> {
    let mut found = Vec::new();
    loop {
        let more = reader.read(1).unwrap();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

#[test]
fn what_was_appended_is_read_beside_the_writer_and_after_it() {
    let temporary = tempfile::tempdir().unwrap();
    let folders: [Arc<dyn Folder>; 2] =
        [Arc::new(DiskFolder::new(temporary.path())), Arc::new(MemoryFolder::default())];
    for folder in folders {
        let spool = new(&folder, ROOM);
        let (mut writer, mut reader) =
            (Writer::new(Arc::clone(&spool)), Reader::new(Arc::clone(&spool)));
        assert_eq!(all(&mut reader), []);
        let mut written = events(1..=3);
        writer.append(&written).unwrap();
        assert_eq!(all(&mut reader), written);
        let lost = vec![Numbered::lost(4, 6, "full".to_owned()), event(7, 20)];
        writer.append(&lost).unwrap();
        assert_eq!(all(&mut reader), lost);
        written.extend(lost);
        for settled in [0, 3, 5, 7] {
            let left: Vec<Numbered> =
                written.iter().filter(|entry| entry.last > settled).cloned().collect();
            assert_eq!(all(&mut Reader::new(recovered(&folder, settled))), left, "{settled}");
        }
        writer.close().unwrap();
        assert_eq!(all(&mut Reader::new(recovered(&folder, 0))), written);
    }
}

#[test]
fn nothing_of_an_event_is_on_disk_in_the_clear() {
    let folder = MemoryFolder::default();
    let shared: Arc<dyn Folder> = Arc::new(folder.clone());
    let mut writer = Writer::new(new(&shared, ROOM));
    writer.append(&[event(1, 300)]).unwrap();
    for (path, bytes) in folder.snapshot() {
        assert!(memmem(&bytes, b"xxxx").is_none() && memmem(&bytes, b"a.b").is_none(), "{path}");
    }
    let wrong = Spool::recover(shared, ID, &kek(2), 0).map(|_| ());
    assert!(matches!(wrong, Err(SpoolError::Keyring(KeyringError::WrongKek { .. }))));
}

fn memmem(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[test]
fn files_go_when_they_are_acknowledged_and_what_is_left_is_read() {
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::default());
    let spool = new(&folder, 8 << 20);
    let mut writer = Writer::new(Arc::clone(&spool));
    for number in 1..=40 {
        writer.append(&[event(number, 100_000)]).unwrap();
    }
    let before = folder.list(JOURNAL_FOLDER).unwrap().len();
    assert!(before >= 4, "{before}");
    spool.settle(25).unwrap();
    let left = folder.list(JOURNAL_FOLDER).unwrap();
    assert!(left.len() < before && spool.bytes() < 3 << 20, "{left:?}");
    let first = parse_journal_path(&left[0]).unwrap();
    assert!(first <= 26);
    // What was acknowledged is no loss, also when nobody noted that it was.
    for settled in [0, 25, 30] {
        let found = all(&mut Reader::new(recovered(&folder, settled)));
        let numbers: Vec<u64> = found.iter().map(|entry| entry.first).collect();
        assert_eq!(numbers, (first.max(settled + 1)..=40).collect::<Vec<_>>(), "{settled}");
        assert!(found.iter().all(|entry| matches!(entry.waiting, Waiting::Line(_))));
    }
    spool.remove().unwrap();
    assert_eq!(folder.list("").unwrap(), Vec::<String>::new());
}

#[test]
fn a_full_spool_takes_nothing_and_goes_on_when_there_is_room() {
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::default());
    let spool = new(&folder, SPOOL_BYTES_MIN);
    let mut writer = Writer::new(Arc::clone(&spool));
    let mut next = 1;
    let full = loop {
        match writer.append(&[event(next, 200_000)]) {
            Ok(()) => next += 1,
            Err(error) => break error,
        }
        assert!(next < 100);
    };
    assert!(matches!(full, SpoolError::Full { .. }), "{full}");
    assert!(next > 15 && spool.bytes() <= SPOOL_BYTES_MIN);
    spool.settle(next - 1).unwrap();
    let lost = [Numbered::lost(next, next + 4, "full".to_owned()), event(next + 5, 200_000)];
    writer.append(&lost).unwrap();
    assert_eq!(all(&mut Reader::new(spool)), lost);
}

#[test]
fn a_withdrawn_number_stays_withdrawn_until_it_is_settled() {
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::default());
    let spool = new(&folder, ROOM);
    let mut writer = Writer::new(Arc::clone(&spool));
    writer.append(&events(1..=3)).unwrap();
    spool.withdraw(2).unwrap();
    let again = recovered(&folder, 0);
    assert_eq!([1, 2, 3].map(|number| again.is_withdrawn(number)), [false, true, false]);
    spool.settle(2).unwrap();
    assert!(!spool.is_withdrawn(2) && folder.list(WITHDRAWN_FOLDER).unwrap().is_empty());
}

#[test]
fn whatever_bytes_change_the_rest_is_read_and_the_loss_is_told() {
    let folder = MemoryFolder::default();
    let shared: Arc<dyn Folder> = Arc::new(folder.clone());
    let mut writer = Writer::new(new(&shared, ROOM));
    let written: Vec<Numbered> = (1..=6).map(|number| event(number, 40)).collect();
    written.iter().for_each(|entry| writer.append(std::slice::from_ref(entry)).unwrap());
    writer.close().unwrap();
    let good = folder.snapshot();
    let path = journal_path(1);
    let bytes = good[&path].len();
    for at in (0..bytes).step_by(7) {
        let mut files = good.clone();
        files.get_mut(&path).unwrap()[at] ^= 0x10;
        let changed: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        let found = all(&mut Reader::new(recovered(&changed, 0)));
        let lines: Vec<&Numbered> =
            found.iter().filter(|it| matches!(it.waiting, Waiting::Line(_))).collect();
        assert!(lines.iter().all(|line| written.contains(line)), "{at}");
        let mut next = 1;
        for entry in &found {
            assert_eq!(entry.first, next, "{at}");
            next = entry.last + 1;
        }
        // What lies at the end, or behind a header that does not read, is counted by the mark.
        assert!(lines.len() >= 4 || at < 64 || next < 7, "{at}: {}", lines.len());
    }
}

#[test]
fn a_torn_frame_at_the_end_is_the_end() {
    let folder = MemoryFolder::default();
    let shared: Arc<dyn Folder> = Arc::new(folder.clone());
    let mut writer = Writer::new(new(&shared, ROOM));
    let written = events(1..=4);
    written.iter().for_each(|entry| writer.append(std::slice::from_ref(entry)).unwrap());
    let good = folder.snapshot();
    let path = journal_path(1);
    for cut in 1..good[&path].len() {
        let mut files = good.clone();
        files.get_mut(&path).unwrap().truncate(cut);
        let torn: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        let mut reader = Reader::new(recovered(&torn, 0));
        let found = all(&mut reader);
        assert!(written.starts_with(&found), "{cut}");
        assert_eq!(reader.next_number(), found.len() as u64 + 1);
    }
}

/// A disk that refuses to write on command.
struct Failing {
    folder: MemoryFolder,
    fails: Arc<std::sync::atomic::AtomicBool>,
}

struct FailingFile(Box<dyn WriteFile>, Arc<std::sync::atomic::AtomicBool>);

impl WriteFile for FailingFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write_at(offset, bytes)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if self.1.load(std::sync::atomic::Ordering::SeqCst) {
            let detail = "made up".to_owned();
            return Err(StoreError::Crypto { path: "x".to_owned(), detail });
        }
        self.0.sync()
    }

    fn set_size(&mut self, size: u64) -> Result<(), StoreError> {
        self.0.set_size(size)
    }
}

impl Folder for Failing {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.folder.list(path)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.folder.read(path)
    }
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.folder.read_at(path, offset, buffer)
    }
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.folder.size(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.folder.write(path, bytes)
    }
    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        self.folder.sync(paths)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.folder.replace(path, bytes)
    }
    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.folder.remove(path)
    }
    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        Ok(Box::new(FailingFile(self.folder.open(path)?, Arc::clone(&self.fails))))
    }
    fn lock(&self, path: &str) -> Result<Box<dyn store::Lock>, StoreError> {
        self.folder.lock(path)
    }
}

#[test]
fn after_a_failed_sync_another_file_goes_on_and_nothing_counts_twice() {
    use std::sync::atomic::Ordering::SeqCst;
    for before in [0, 3] {
        let fails = Arc::default();
        let disk = Failing { folder: MemoryFolder::default(), fails: Arc::clone(&fails) };
        let folder: Arc<dyn Folder> = Arc::new(disk);
        let spool = new(&folder, ROOM);
        let mut writer = Writer::new(Arc::clone(&spool));
        let mut reader = Reader::new(Arc::clone(&spool));
        let mut written: Vec<Numbered> = (1..=before).map(|number| event(number, 10)).collect();
        if before > 0 {
            writer.append(&written).unwrap();
        }
        fails.store(true, SeqCst);
        for _ in 0..3 {
            // The bytes are there, and nobody knows whether they stay.
            assert!(writer.append(&[event(before + 1, 10)]).is_err());
        }
        fails.store(false, SeqCst);
        let lost = Numbered::lost(before + 1, before + 1, "the disk".to_owned());
        written.extend([lost, event(before + 2, 10)]);
        writer.append(&written[usize::try_from(before).unwrap()..]).unwrap();
        assert_eq!(all(&mut reader), written);
        assert_eq!(all(&mut Reader::new(recovered(&folder, 0))), written);
    }
}

#[test]
fn the_secret_of_pseudonyms_stays_the_same() {
    let folder = MemoryFolder::default();
    let first = redaction_secret(&folder, &kek(1), 0).unwrap();
    let again = redaction_secret(&folder, &kek(1), 9).unwrap();
    assert_eq!(first.expose(), again.expose());
    assert!(redaction_secret(&folder, &kek(2), 9).is_err());
}
