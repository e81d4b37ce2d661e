//! The simulated folder: the same system calls in the same order as the real one on disk.

use super::fault::Fault;
use super::machine::Machine;
use crate::random::Random;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{BLOCK_BYTES, CACHE_FOLDER, Folder, Lock, StoreError, TEMPORARY_SUFFIX, WriteFile};

/// A folder on a simulated machine; clones share it.
#[derive(Clone, Debug)]
pub struct SimulatedFolder {
    machine: Arc<Mutex<Machine>>,
    locked: Arc<AtomicBool>,
    temporary_count: Arc<AtomicU64>,
}

impl SimulatedFolder {
    /// An empty folder whose faults follow from the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::on(Machine::new(seed, false))
    }

    /// An empty folder on a disk that says it synced, and did not: what the checks must notice.
    #[must_use]
    pub fn lying(seed: u64) -> Self {
        Self::on(Machine::new(seed, true))
    }

    fn on(machine: Machine) -> Self {
        Self {
            machine: Arc::new(Mutex::new(machine)),
            locked: Arc::default(),
            temporary_count: Arc::default(),
        }
    }

    /// The folder of the next process, whose temporary files have other names.
    fn next(&self, machine: Machine) -> Self {
        Self { temporary_count: Arc::clone(&self.temporary_count), ..Self::on(machine) }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Arms faults in place of those armed before.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.machine().set_faults(faults);
    }

    /// Takes the faults that did not happen yet, so that a look at the folder disturbs nothing.
    #[must_use]
    pub fn disarm(&self) -> Vec<Fault> {
        self.machine().disarm()
    }

    /// Arms faults again that were taken by [`SimulatedFolder::disarm`].
    pub fn rearm(&self, faults: Vec<Fault>) {
        self.machine().rearm(faults);
    }

    /// Faults that happened since they were last set.
    #[must_use]
    pub fn fired(&self) -> Vec<Fault> {
        self.machine().fired().to_vec()
    }

    /// System calls so far, over all restarts.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.machine().calls()
    }

    /// True after a crash: every call fails until [`SimulatedFolder::power_cut`].
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.machine().is_off()
    }

    /// The last calls, with what the run noted in between.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        self.machine().trace()
    }

    /// Adds a line to the trace.
    pub fn note(&self, text: impl Into<String>) {
        self.machine().note(text.into());
    }

    /// Cuts the power and gives the folder as it is when the power is back.
    #[must_use]
    pub fn power_cut(&self, random: &mut Random) -> Self {
        self.next(self.machine().after_power_cut(random))
    }

    /// Kills the process and gives the folder as the next process finds it.
    #[must_use]
    pub fn process_kill(&self, random: &mut Random) -> Self {
        self.next(self.machine().after_process_kill(random))
    }

    /// Writes a temporary file, away from everything that is accounted for.
    fn temporary(&self, machine: &mut Machine, bytes: &[u8]) -> io::Result<(String, u64)> {
        let number = self.temporary_count.fetch_add(1, Ordering::Relaxed);
        let name = format!("{CACHE_FOLDER}/1-{number}{TEMPORARY_SUFFIX}");
        machine.make_folders(&name)?;
        let file = machine.create(&name)?;
        match machine.write(file, &name, 0, bytes) {
            Ok(()) => Ok((name, file)),
            Err(error) => {
                let _ = machine.remove(&name);
                Err(error)
            }
        }
    }
}

/// Gives a temporary file its real name, making the folders that lead to it.
fn rename(machine: &mut Machine, temporary: &str, path: &str) -> io::Result<()> {
    machine.make_folders(path)?;
    machine.rename(temporary, path)
}

fn failed(action: &'static str, path: &str) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }
}

/// Syncs every folder from those holding `paths` up to the root, each once.
fn sync_names<'p>(machine: &mut Machine, paths: impl Iterator<Item = &'p str>) -> io::Result<()> {
    let mut folders = BTreeSet::from([""]);
    for path in paths {
        let mut rest = path;
        while let Some((parent, _)) = rest.rsplit_once('/') {
            folders.insert(parent);
            rest = parent;
        }
    }
    folders.into_iter().rev().try_for_each(|folder| machine.sync_folder(folder))
}

impl Folder for SimulatedFolder {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.machine().list(path).map_err(failed("list", path))
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut machine = self.machine();
        let bytes = machine.read(path).map_err(failed("read", path))?;
        Ok(bytes.map(<[u8]>::to_vec))
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let mut machine = self.machine();
        let bytes = machine.read(path).map_err(failed("read", path))?;
        let bytes = bytes.ok_or_else(|| StoreError::Missing { path: path.to_owned() })?;
        let rest =
            usize::try_from(offset).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        let mut machine = self.machine();
        let file = machine.find(path).map_err(failed("look at", path))?;
        Ok(file.map(|file| machine.size(file)))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let machine = &mut *self.machine();
        let (name, _) = self.temporary(machine, bytes).map_err(failed("write", path))?;
        rename(machine, &name, path).map_err(|error| {
            let _ = machine.remove(&name);
            failed("rename", path)(error)
        })
    }

    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        let Some(first) = paths.first() else { return Ok(()) };
        let machine = &mut *self.machine();
        for path in paths {
            let missing = || failed("open", path)(io::Error::from(io::ErrorKind::NotFound));
            let file = machine.find(path).map_err(failed("open", path))?.ok_or_else(missing)?;
            machine.sync(file, path).map_err(failed("sync", path))?;
        }
        sync_names(machine, paths.iter().map(String::as_str))
            .map_err(failed("sync the folder of", first))
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let machine = &mut *self.machine();
        let (name, file) = self.temporary(machine, bytes).map_err(failed("write", path))?;
        let synced = machine
            .sync(file, &name)
            .map_err(failed("sync", path))
            .and_then(|()| rename(machine, &name, path).map_err(failed("rename", path)));
        if let Err(error) = synced {
            let _ = machine.remove(&name);
            return Err(error);
        }
        sync_names(machine, std::iter::once(path)).map_err(failed("sync the folder of", path))
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.machine().remove(path).map_err(failed("remove", path))
    }

    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        let mut guard = self.machine();
        let machine = &mut *guard;
        let file = match machine.find(path).map_err(failed("look at", path))? {
            Some(file) => file,
            None => {
                machine.make_folders(path).map_err(failed("create the folder of", path))?;
                let file = machine.create(path).map_err(failed("open", path))?;
                machine.sync(file, path).map_err(failed("sync", path))?;
                sync_names(machine, std::iter::once(path))
                    .map_err(failed("sync the folder of", path))?;
                file
            }
        };
        let machine = Arc::clone(&self.machine);
        Ok(Box::new(SimulatedFile { machine, file, path: path.to_owned(), tail: None }))
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        if self.machine().find(path).map_err(failed("open", path))?.is_none() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        if self.locked.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Locked { path: path.to_owned() });
        }
        Ok(Box::new(SimulatedLock(Arc::clone(&self.locked))))
    }
}

/// A file that is written in whole blocks, like the real one: the last, partly filled block is
/// written again with what follows it, and filled up with zeros.
struct SimulatedFile {
    machine: Arc<Mutex<Machine>>,
    file: u64,
    path: String,
    /// Where the last block begins, and its bytes so far.
    tail: Option<(u64, Vec<u8>)>,
}

impl SimulatedFile {
    fn write_blocks(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        let start = offset / BLOCK_BYTES * BLOCK_BYTES;
        let inside = usize::try_from(offset - start).unwrap_or(0);
        let known = self.tail.take().filter(|(at, tail)| *at == start && tail.len() == inside);
        let mut whole = match known {
            Some((_, tail)) => tail,
            None if inside == 0 => Vec::new(),
            None => {
                let image = machine.read(&self.path)?.unwrap_or_default();
                let from = usize::try_from(start).unwrap_or(usize::MAX);
                let part = image.get(from..from.saturating_add(inside));
                part.ok_or(io::ErrorKind::UnexpectedEof)?.to_vec()
            }
        };
        whole.extend_from_slice(bytes);
        let filled = whole.len();
        let block = usize::try_from(BLOCK_BYTES).unwrap_or(1);
        whole.resize(filled.next_multiple_of(block), 0);
        machine.write(self.file, &self.path, start, &whole)?;
        let full = filled / block * block;
        let tail = whole.get(full..filled).unwrap_or_default().to_vec();
        self.tail = Some((start + full as u64, tail));
        Ok(())
    }
}

impl WriteFile for SimulatedFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_blocks(offset, bytes).map_err(failed("write", &self.path))
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        machine.sync(self.file, &self.path).map_err(failed("sync", &self.path))
    }

    fn set_size(&mut self, size: u64) -> Result<(), StoreError> {
        self.tail = None;
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        machine.set_size(self.file, &self.path, size).map_err(failed("cut", &self.path))
    }
}

struct SimulatedLock(Arc<AtomicBool>);

impl Lock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
