//! `log.removed`: said once for every removal, whatever a crash interrupted.

use super::removal::{intent, removal};
use super::roll::{DAY_MS, catalogue, clocked, mixed, rows};
use super::*;
use event::{Scope, Tier};
use seal::{Consequence, Log};
use std::collections::BTreeMap;
use std::sync::Mutex;
use store::{Lock, StoreError, WriteFile};

type Files = BTreeMap<String, Vec<u8>>;

/// A folder that remembers what it held after each change.
#[derive(Clone, Default)]
struct Film {
    memory: MemoryFolder,
    states: Arc<Mutex<Vec<Files>>>,
}

impl Film {
    fn keep<T>(&self, outcome: T) -> T {
        let mut states = self.states.lock().unwrap();
        let now = self.memory.snapshot();
        if states.last() != Some(&now) {
            states.push(now);
        }
        outcome
    }
}

/// An open file of such a folder.
struct FilmedFile(Box<dyn WriteFile>, Film);

impl WriteFile for FilmedFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.0.write_at(offset, bytes);
        self.1.keep(written)
    }
    fn sync(&mut self) -> Result<(), StoreError> {
        self.0.sync()
    }
    fn set_size(&mut self, size: u64) -> Result<(), StoreError> {
        let set = self.0.set_size(size);
        self.1.keep(set)
    }
}

impl Folder for Film {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.memory.list(path)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.read(path)
    }
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.memory.read_at(path, offset, buffer)
    }
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.memory.size(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.keep(self.memory.write(path, bytes))
    }
    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        self.memory.sync(paths)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.keep(self.memory.replace(path, bytes))
    }
    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.keep(self.memory.remove(path))
    }
    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        Ok(Box::new(FilmedFile(self.memory.open(path)?, self.clone())))
    }
    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        self.memory.lock(path)
    }
}

/// What the folder held after each change that two erasures made to it, one of them of a whole
/// segment, and the writer's options.
fn states() -> (Vec<Files>, Options) {
    let (memory, _, _, options) = clocked();
    let film = Film { memory: memory.clone(), ..Film::default() };
    let folder: Arc<dyn Folder> = Arc::new(film.clone());
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    let batch = mixed(&writer, 0..12);
    writer.commit(vec![batch]).unwrap();
    writer.settle_tail().unwrap();
    *film.states.lock().unwrap() = vec![memory.snapshot()];
    let whole = removal(Scope::Record, Tier::Info, vec![(0, 13)]);
    let content = removal(Scope::Content, Tier::Debug, vec![(4, 4)]);
    let acts = [whole, content].map(Consequence::Remove).into();
    writer.decide(intent("log.erasure"), acts).unwrap();
    let states = film.states.lock().unwrap().clone();
    (states, options)
}

/// How often the log in a folder says each of these, all of it in segments.
fn said(folder: &Arc<dyn Folder>, types: [&str; 2]) -> [usize; 2] {
    let rows = rows(folder);
    let count = |name: &str| {
        let needle = format!("\"event_type\":\"{name}\"");
        rows.values().filter(|meta| meta.contains(&needle)).count()
    };
    types.map(count)
}

#[test]
fn whatever_a_crash_leaves_of_an_erasure_is_carried_out_and_reported_once() {
    let (states, options) = states();
    assert!(states.len() > 20, "{} states", states.len());
    let mut undone = 0;
    for (number, files) in states.into_iter().enumerate() {
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        // Crash again before anything is carried out: opening alone must not lose the report.
        drop(seal::open(&folder, kek(), options.clone()).unwrap());
        let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
        writer.settle_tail().unwrap();
        writer.settle_tail().unwrap();
        let [erasures, reports] = said(&folder, ["log.erasure", "log.removed"]);
        assert_eq!(erasures, reports, "state {number}");
        undone += usize::from(erasures == 0);
        let left = catalogue(&folder).current().iter().filter(|it| it.tier == Tier::Info).count();
        assert_eq!(left, usize::from(erasures == 0), "state {number}");
        // The log is as whole as before for those who come later.
        writer.close().unwrap();
        let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
        writer.settle_tail().unwrap();
        assert_eq!(said(&folder, ["log.erasure", "log.removed"]), [erasures, reports]);
    }
    assert!(undone > 0, "some of these come before the announcement");
}

/// The first state in which the ledger shows the removals, and nothing is carried out.
fn shown(states: &[Files]) -> Files {
    let shows = |files: &&Files| {
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files((*files).clone()));
        catalogue(&folder).removals().count() == 2
    };
    states.iter().find(shows).unwrap().clone()
}

#[test]
fn a_journal_file_with_a_removal_stays_until_it_is_reported() {
    let (states, options) = states();
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(shown(&states)));
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    for part in 10..13 {
        writer.end_journal_file();
        let batch = mixed(&writer, part * 10..part * 10 + 3);
        writer.commit(vec![batch]).unwrap();
    }
    writer.publish().unwrap();
    assert_eq!(writer.roll().unwrap(), 0, "the report is to come first");
    writer.carry_out().unwrap();
    assert!(writer.roll().unwrap() >= 2);
    writer.close().unwrap();
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    writer.settle_tail().unwrap();
    assert_eq!(said(&folder, ["log.erasure", "log.removed"]), [1, 1]);
}

#[test]
fn a_server_that_starts_carries_out_what_waits_and_reports_it() {
    let (states, options) = states();
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(shown(&states)));
    let options = Options { publish_ms: 1, ..options };
    let log = Log::start(seal::open(&folder, kek(), options.clone()).unwrap());
    let begun = std::time::Instant::now();
    let waits = || {
        let catalogue = catalogue(&folder);
        catalogue.current().iter().any(|manifest| !catalogue.pending(manifest).is_empty())
    };
    while waits() && begun.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    log.close().unwrap();
    let clock = Arc::new(super::roll::Hands((20_001 * DAY_MS).into()));
    let mut writer = seal::open(&folder, kek(), Options { clock, ..options }).unwrap();
    writer.settle_tail().unwrap();
    assert_eq!(said(&folder, ["log.erasure", "log.removed"]), [1, 1]);
}
