//! The streams of a day that nobody wrote to for a while: the last sequence of each, by its id, in
//! a file beside the log. Memory does not grow with the sessions of a day.
//!
//! The file is a hash table that grows by one bucket at a time (linear hashing; W. Litwin, VLDB
//! 1980), so no call takes long. It needs no durability: a start makes it again from the entries of
//! the day. What the file does not take, because a bucket is full or the disk is, stays in memory.

use crate::error::SealError;
use crate::window::NameMap;
use foldhash::quality::FixedState;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use store::{Folder, Scratch};

const BUCKET_BYTES: usize = 4096;
/// A stream's id and its last sequence, which is never 0: where one stands, the slot is free.
const SLOT_BYTES: usize = 24;
const SLOTS: usize = (BUCKET_BYTES - CHECK_BYTES) / SLOT_BYTES;
/// A keyed hash of the slots and the number of the bucket, at its end.
const CHECK_BYTES: usize = 8;

/// Streams for each bucket before another is made. Buckets whose turn to be split has not come have
/// up to twice as many, and ids are spread at random: one in 10,000 is full then.
const FILL: u64 = 64;

/// The last sequences of idle streams.
pub(crate) struct Idle {
    folder: Arc<dyn Folder>,
    checks: FixedState,
    file: Option<Box<dyn Scratch>>,
    /// Buckets of the file.
    buckets: u64,
    /// Streams in the file, and in memory because they are not.
    filed: u64,
    unfiled: NameMap<u64>,
}

impl Idle {
    pub(crate) fn new(folder: Arc<dyn Folder>) -> Self {
        // Whoever could write to the file must not know how to make a hash fit.
        let checks = FixedState::with_seed(RandomState::new().hash_one(0));
        Self { folder, checks, file: None, buckets: 0, filed: 0, unfiled: NameMap::default() }
    }

    /// Forgets all of them: their day is over.
    pub(crate) fn clear(&mut self) {
        (self.file, self.buckets, self.filed) = (None, 0, 0);
        self.unfiled = NameMap::default();
    }

    /// The last sequence of a stream, 0 for one that is not known.
    ///
    /// # Errors
    /// [`SealError`] when the file cannot be read, or reads otherwise than it was written.
    pub(crate) fn last(&self, id: u128) -> Result<u64, SealError> {
        if let Some(last) = self.unfiled.get(&id) {
            return Ok(*last);
        }
        let Some(number) = self.bucket_of(id) else { return Ok(0) };
        let found = self.read(number)?.slots().find(|(it, _)| *it == id);
        Ok(found.map_or(0, |(_, last)| last))
    }

    /// Keeps the last sequence of a stream, in place of any before.
    pub(crate) fn keep(&mut self, id: u128, last: u64) {
        if self.file_away(id, last).is_some_and(|filed| filed) {
            self.unfiled.remove(&id);
        } else {
            self.unfiled.insert(id, last);
        }
        if self.filed > self.buckets * FILL {
            self.split();
        }
    }

    /// Whether the bucket had room; `None` when there is no such bucket to be read or written.
    fn file_away(&mut self, id: u128, last: u64) -> Option<bool> {
        if self.buckets == 0 {
            self.file = self.folder.scratch().ok();
            self.write(0, Bucket::default())?;
            self.buckets = 1;
        }
        let number = self.bucket_of(id)?;
        let mut bucket = self.read(number).ok()?;
        let Some(is_new) = bucket.put(id, last) else { return Some(false) };
        self.write(number, bucket)?;
        self.filed += u64::from(is_new);
        Some(true)
    }

    /// Moves every other stream of the next bucket to a new one, as far as the file takes it.
    fn split(&mut self) -> Option<()> {
        let new = self.buckets;
        let old = new - (1 << new.checked_ilog2()?);
        let whole = self.read(old).ok()?;
        let (mut stays, mut goes) = (Bucket::default(), Bucket::default());
        self.buckets += 1;
        for (id, last) in whole.slots() {
            let side = if self.bucket_of(id) == Some(new) { &mut goes } else { &mut stays };
            side.put(id, last);
        }
        // Until the new one is there, the old one is as it was.
        if self.write(new, goes).is_none() {
            self.buckets -= 1;
            return None;
        }
        self.write(old, stays)
    }

    fn bucket_of(&self, id: u128) -> Option<u64> {
        let wide = self.buckets.checked_next_power_of_two().filter(|_| self.buckets > 0)?;
        let number = crate::window::low_half(id) & (wide - 1);
        Some(if number < self.buckets { number } else { number & (wide / 2 - 1) })
    }

    fn read(&self, number: u64) -> Result<Bucket, SealError> {
        let mut bucket = Bucket::default();
        if let Some(file) = &self.file {
            file.read_at(number * BUCKET_BYTES as u64, &mut bucket.0)?;
        }
        let (slots, check) = bucket.parts();
        if *check != self.checks.hash_one((number, &*slots)).to_be_bytes() {
            let detail = format!("bucket {number} is not what was written");
            return Err(SealError::corrupt("cache/(the table of idle streams)", detail));
        }
        Ok(bucket)
    }

    fn write(&mut self, number: u64, mut bucket: Bucket) -> Option<()> {
        let (slots, check) = bucket.parts();
        *check = self.checks.hash_one((number, &*slots)).to_be_bytes();
        self.file.as_mut()?.write_at(number * BUCKET_BYTES as u64, &bucket.0).ok()
    }
}

/// As many streams as lie in one place, without order; all that are there lie before those that are
/// free.
struct Bucket([u8; BUCKET_BYTES]);

impl Default for Bucket {
    fn default() -> Self {
        Self([0; BUCKET_BYTES])
    }
}

impl Bucket {
    /// The slots, and the hash behind them.
    fn parts(&mut self) -> (&mut [u8], &mut [u8; CHECK_BYTES]) {
        let (rest, check) = self.0.split_at_mut(BUCKET_BYTES - CHECK_BYTES);
        #[expect(clippy::unwrap_used, reason = "it is split off with this length")]
        (rest, check.try_into().unwrap())
    }

    /// The streams that are here, and their last sequences.
    fn slots(&self) -> impl Iterator<Item = (u128, u64)> + '_ {
        self.0.as_chunks::<SLOT_BYTES>().0[..SLOTS].iter().map(read_slot).take_while(|it| it.1 > 0)
    }

    /// Puts a stream in, whether it is new or not; `None` when there is no room for it.
    fn put(&mut self, id: u128, last: u64) -> Option<bool> {
        let slots = &mut self.0.as_chunks_mut::<SLOT_BYTES>().0[..SLOTS];
        let is_its = |slot: &&mut [u8; SLOT_BYTES]| {
            let (other, sequence) = read_slot(slot);
            sequence == 0 || other == id
        };
        let slot = slots.iter_mut().find(is_its)?;
        let is_new = read_slot(slot).1 == 0;
        slot[..16].copy_from_slice(&id.to_be_bytes());
        slot[16..].copy_from_slice(&last.to_be_bytes());
        Some(is_new)
    }
}

fn read_slot(slot: &[u8; SLOT_BYTES]) -> (u128, u64) {
    let (id, last) = slot.split_at(16);
    let number = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u128::from(*byte));
    (number(id), number(last) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicBool, Ordering};
    use store::{DiskFolder, Lock, MemoryFolder, StoreError, WriteFile};

    /// As spread as a keyed hash.
    fn id(number: u64) -> u128 {
        let half = |seed| u128::from(FixedState::with_seed(seed).hash_one(number));
        half(1) << 64 | half(2)
    }

    /// Keeps and updates `count` streams, and compares all of them with a map.
    fn fill(idle: &mut Idle, count: u64) {
        let mut model = HashMap::new();
        for round in 0..count {
            for number in [round, round / 3, round / 7 * 2] {
                let last =
                    model.entry(id(number)).or_insert_with(|| idle.last(id(number)).unwrap());
                *last += 1;
                idle.keep(id(number), *last);
            }
        }
        for number in 0..count {
            assert_eq!(idle.last(id(number)).unwrap(), model[&id(number)], "stream {number}");
        }
        assert_eq!(idle.last(id(count)).unwrap(), 0, "never kept");
    }

    #[test]
    fn streams_are_found_again_however_many_and_memory_does_not_hold_them() {
        let temporary = tempfile::tempdir().unwrap();
        let mut idle = Idle::new(Arc::new(DiskFolder::new(temporary.path())));
        fill(&mut idle, 30_000);
        assert_eq!(idle.filed, 30_000 - idle.unfiled.len() as u64);
        assert!(idle.unfiled.len() < 30, "{} are in memory", idle.unfiled.len());
        assert_eq!(idle.buckets, idle.filed.div_ceil(FILL));
        idle.clear();
        assert_eq!(idle.last(id(3)).unwrap(), 0);
        fill(&mut idle, 500);
    }

    /// A folder whose scratch files can refuse to grow, and lose what they hold.
    #[derive(Default)]
    struct Moody {
        memory: MemoryFolder,
        full: Arc<AtomicBool>,
        forgetful: Arc<AtomicBool>,
    }

    struct MoodyScratch {
        bytes: Vec<u8>,
        full: Arc<AtomicBool>,
        forgetful: Arc<AtomicBool>,
    }

    impl Scratch for MoodyScratch {
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
            self.bytes.read_at(offset, buffer)?;
            if self.forgetful.load(Ordering::Relaxed) {
                buffer[SLOT_BYTES..].fill(0);
            }
            Ok(())
        }

        fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
            let end = usize::try_from(offset).unwrap() + bytes.len();
            if self.full.load(Ordering::Relaxed) && end > self.bytes.len() {
                let source = std::io::ErrorKind::StorageFull.into();
                return Err(StoreError::Io { action: "write", path: String::new(), source });
            }
            self.bytes.write_at(offset, bytes)
        }
    }

    impl Folder for Moody {
        fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
            self.memory.list(path)
        }
        fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
            self.memory.read(path)
        }
        fn read_at(&self, path: &str, at: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
            self.memory.read_at(path, at, buffer)
        }
        fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
            self.memory.size(path)
        }
        fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
            self.memory.write(path, bytes)
        }
        fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
            self.memory.sync(paths)
        }
        fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
            self.memory.replace(path, bytes)
        }
        fn remove(&self, path: &str) -> Result<(), StoreError> {
            self.memory.remove(path)
        }
        fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
            self.memory.open(path)
        }
        fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
            self.memory.lock(path)
        }
        fn scratch(&self) -> Result<Box<dyn Scratch>, StoreError> {
            let (full, forgetful) = (Arc::clone(&self.full), Arc::clone(&self.forgetful));
            Ok(Box::new(MoodyScratch { bytes: Vec::new(), full, forgetful }))
        }
    }

    #[test]
    fn what_a_full_disk_does_not_take_stays_in_memory() {
        let moody = Moody::default();
        let full = Arc::clone(&moody.full);
        let mut idle = Idle::new(Arc::new(moody));
        full.store(true, Ordering::Relaxed);
        fill(&mut idle, 100);
        assert_eq!((idle.filed, idle.unfiled.len()), (0, 100));
        full.store(false, Ordering::Relaxed);
        for number in 0..1_000 {
            idle.keep(id(number), 1_000 + number);
        }
        assert!(idle.filed > 990, "there is room again");
        full.store(true, Ordering::Relaxed);
        for number in 500..6_000 {
            idle.keep(id(number), 3_000 + number);
        }
        assert!(idle.unfiled.len() > 2_000, "buckets are full, and there are no more of them");
        full.store(false, Ordering::Relaxed);
        for number in 6_000..9_000 {
            idle.keep(id(number), 3_000 + number);
        }
        for number in 0..9_000 {
            let add = if number < 500 { 1_000 } else { 3_000 };
            assert_eq!(idle.last(id(number)).unwrap(), add + number);
        }
    }

    #[test]
    fn a_file_that_forgets_is_an_error_and_not_a_new_stream() {
        let moody = Moody::default();
        let forgetful = Arc::clone(&moody.forgetful);
        let mut idle = Idle::new(Arc::new(moody));
        (1..=40).for_each(|number| idle.keep(id(number), number));
        forgetful.store(true, Ordering::Relaxed);
        let error = idle.last(id(40)).unwrap_err();
        assert!(error.to_string().contains("bucket 0 is not what was written"), "{error}");
        idle.keep(id(41), 41);
        assert_eq!(idle.last(id(41)).unwrap(), 41, "kept in memory");
    }
}
