//! The machine below the folder: system calls, counted and traced, that fail when they are told to.

use super::fault::{Call, Fault, FaultKind, power_is_off};
use super::image::{Image, Mercy};
use super::names::{Names, parent};
use crate::random::Random;
use std::collections::{BTreeMap, VecDeque};
use std::io;

/// Calls that a trace keeps.
const TRACE_CALLS: usize = 150;

/// A disk, its file system and its page cache.
#[derive(Debug)]
pub(super) struct Machine {
    files: BTreeMap<u64, Image>,
    names: Names,
    next_file: u64,
    calls: u64,
    faults: Vec<Fault>,
    fired: Vec<Fault>,
    trace: VecDeque<String>,
    off: bool,
    /// The checker is looking: calls are neither counted nor traced, and do not fail.
    quiet: bool,
    /// Says that it synced, and did not.
    lying: bool,
    random: Random,
}

impl Machine {
    pub(super) fn new(seed: u64, lying: bool) -> Self {
        Self {
            files: BTreeMap::new(),
            names: Names::default(),
            next_file: 1,
            calls: 0,
            faults: Vec::new(),
            fired: Vec::new(),
            trace: VecDeque::new(),
            off: false,
            quiet: false,
            lying,
            random: Random::new(seed),
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) fn is_off(&self) -> bool {
        self.off
    }

    pub(super) fn set_faults(&mut self, faults: Vec<Fault>) {
        self.faults = faults;
        self.fired.clear();
        self.quiet = false;
    }

    pub(super) fn disarm(&mut self) -> Vec<Fault> {
        self.quiet = true;
        std::mem::take(&mut self.faults)
    }

    pub(super) fn rearm(&mut self, faults: Vec<Fault>) {
        self.quiet = false;
        self.faults = faults;
    }

    pub(super) fn fired(&self) -> &[Fault] {
        &self.fired
    }

    pub(super) fn trace(&self) -> Vec<String> {
        self.trace.iter().cloned().collect()
    }

    pub(super) fn note(&mut self, text: String) {
        if self.trace.len() == TRACE_CALLS {
            self.trace.pop_front();
        }
        self.trace.push_back(text);
    }

    /// The machine after the power came back.
    pub(super) fn after_power_cut(&mut self, random: &mut Random) -> Self {
        self.off = true;
        let mercy = Mercy::draw(random);
        let images = self.files.iter();
        let files = images.map(|(id, image)| (*id, image.after_power_cut(mercy, random))).collect();
        let names = self.names.after_power_cut(Mercy::draw(random).percent, random);
        let mut next = self.go_on(files, names);
        next.forget_nameless();
        next.note(format!("--- power cut; {} of 100 unsynced writes spared", mercy.percent));
        next
    }

    /// The machine after the process died: nothing is lost, and clean pages may be read again.
    pub(super) fn after_process_kill(&mut self, random: &mut Random) -> Self {
        self.off = true;
        let mut files = self.files.clone();
        let dropped = random.percent(50);
        if dropped {
            files.values_mut().for_each(Image::drop_cache);
        }
        let names = self.names.clone();
        let mut next = self.go_on(files, names);
        let cache = if dropped { ", cache dropped" } else { "" };
        next.note(format!("--- process killed{cache}"));
        next
    }

    fn go_on(&mut self, files: BTreeMap<u64, Image>, names: Names) -> Self {
        let mut next = Self::new(self.random.bits(), self.lying);
        (next.files, next.names) = (files, names);
        (next.next_file, next.calls) = (self.next_file, self.calls);
        next.trace = std::mem::take(&mut self.trace);
        next
    }

    fn forget_nameless(&mut self) {
        let named: std::collections::BTreeSet<u64> =
            self.names.files().map(|(_, file)| file).collect();
        self.files.retain(|id, _| named.contains(id));
    }

    /// Counts a call and says how it is to fail. A crash after the call is returned as the fault of
    /// the call, which has its effect first.
    fn enter(
        &mut self,
        call: Call,
        what: &str,
        path: &str,
    ) -> Result<Option<FaultKind>, io::Error> {
        if self.quiet {
            return Ok(None);
        }
        if self.off {
            return Err(power_is_off());
        }
        let number = self.calls;
        self.calls += 1;
        let due = |fault: &Fault| fault.at_call <= number && fault.kind.applies_to(call);
        let fault = self.faults.iter().position(due).map(|place| self.faults.remove(place));
        let mark = fault.map_or(String::new(), |fault| format!("  <- {}", fault.kind.as_str()));
        self.note(format!("{number} {what} {path}{mark}"));
        let Some(fault) = fault else { return Ok(None) };
        self.fired.push(fault);
        if fault.kind == FaultKind::CrashBefore {
            self.off = true;
            return Err(power_is_off());
        }
        Ok(Some(fault.kind))
    }

    /// Ends a call that had its effect.
    fn leave(&mut self, fault: Option<FaultKind>) -> Result<(), io::Error> {
        match fault {
            None => Ok(()),
            Some(kind) => {
                self.off |= kind == FaultKind::CrashAfter;
                Err(kind.error())
            }
        }
    }

    /// A call that has its effect wholly or not at all.
    fn plain(
        &mut self,
        call: Call,
        what: &str,
        path: &str,
        effect: impl FnOnce(&mut Self),
    ) -> Result<(), io::Error> {
        let fault = self.enter(call, what, path)?;
        if fault.is_none_or(|kind| kind == FaultKind::CrashAfter) {
            effect(self);
        }
        self.leave(fault)
    }

    pub(super) fn list(&mut self, path: &str) -> Result<Vec<String>, io::Error> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        self.plain(Call::Read, "list", path, |_| {})?;
        let below = self.names.files().filter(|(name, _)| name.starts_with(&prefix));
        Ok(below.map(|(name, _)| name.clone()).collect())
    }

    /// The bytes of a file.
    pub(super) fn read(&mut self, path: &str) -> Result<Option<&[u8]>, io::Error> {
        self.plain(Call::Read, "read", path, |_| {})?;
        let image = self.names.file(path).and_then(|file| self.files.get(&file));
        Ok(image.map(Image::bytes))
    }

    pub(super) fn find(&mut self, path: &str) -> Result<Option<u64>, io::Error> {
        self.plain(Call::Read, "stat", path, |_| {})?;
        Ok(self.names.file(path))
    }

    pub(super) fn size(&self, file: u64) -> u64 {
        self.files.get(&file).map_or(0, |image| image.bytes().len() as u64)
    }

    /// Makes the folders that lead to `path`.
    pub(super) fn make_folders(&mut self, path: &str) -> Result<(), io::Error> {
        let mut missing = Vec::new();
        let mut folder = parent(path);
        while !self.names.has_folder(folder) {
            missing.push(folder);
            folder = parent(folder);
        }
        for folder in missing.into_iter().rev() {
            self.plain(Call::Name, "mkdir", folder, |machine| machine.names.make_folder(folder))?;
        }
        Ok(())
    }

    /// Creates an empty file.
    pub(super) fn create(&mut self, path: &str) -> Result<u64, io::Error> {
        let file = self.next_file;
        self.plain(Call::Name, "create", path, |machine| {
            machine.next_file += 1;
            machine.files.insert(file, Image::default());
            machine.names.link(path, file);
        })?;
        Ok(file)
    }

    pub(super) fn write(
        &mut self,
        file: u64,
        path: &str,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), io::Error> {
        let fault = self.enter(Call::Write, &format!("write {}+{}", offset, bytes.len()), path)?;
        let count = match fault {
            None | Some(FaultKind::CrashAfter) => bytes.len(),
            Some(FaultKind::ShortWrite | FaultKind::Enospc) => {
                usize::try_from(self.random.below(bytes.len() as u64)).unwrap_or(0)
            }
            Some(_) => 0,
        };
        if let (Some(image), Some(part)) = (self.files.get_mut(&file), bytes.get(..count))
            && !part.is_empty()
        {
            image.write(offset, part);
        }
        self.leave(fault)
    }

    pub(super) fn set_size(&mut self, file: u64, path: &str, size: u64) -> Result<(), io::Error> {
        self.plain(Call::Write, &format!("cut {size}"), path, |machine| {
            if let Some(image) = machine.files.get_mut(&file) {
                image.set_size(size);
            }
        })
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), io::Error> {
        let file = self.names.file(from);
        self.plain(Call::Name, "rename to", to, |machine| {
            if let Some(file) = file {
                machine.names.rename(from, to, file);
            }
        })
    }

    pub(super) fn remove(&mut self, path: &str) -> Result<(), io::Error> {
        self.plain(Call::Name, "remove", path, |machine| {
            if machine.names.file(path).is_some() {
                machine.names.remove(path);
            }
        })
    }

    pub(super) fn sync(&mut self, file: u64, path: &str) -> Result<(), io::Error> {
        let fault = self.enter(Call::Sync, "sync", path)?;
        let lying = self.lying;
        if let Some(image) = self.files.get_mut(&file) {
            match fault {
                None | Some(FaultKind::CrashAfter) if !lying => image.sync(),
                Some(FaultKind::FailedSync) => image.fail_sync(&mut self.random),
                _ => {}
            }
        }
        self.leave(fault)
    }

    /// A folder whose sync fails keeps its names in the cache as they were: file systems write them
    /// again, or stop altogether.
    pub(super) fn sync_folder(&mut self, path: &str) -> Result<(), io::Error> {
        let lying = self.lying;
        self.plain(Call::SyncFolder, "sync folder", path, |machine| {
            if !lying {
                machine.names.sync(path);
            }
        })
    }
}
