//! A restore that is killed: the log is there whole, or it is not there and a second restore brings
//! it back; neither the backup nor the log that it was taken of changes.

use super::KEK;
use super::act::Cuts;
use crate::random::Random;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What is counted.
const RESTORE: &str = "restore";
/// Of those that were cut short: the log had its name by then.
const PLACED: &str = "restore, the log in its place";

/// Backups of one data folder, and the binary that makes them and puts them back.
pub(super) struct Restores {
    tacho: PathBuf,
    /// Where backups and restored logs lie.
    at: PathBuf,
    data: PathBuf,
    /// How long a restore takes that is not killed.
    took: Option<Duration>,
}

impl Restores {
    pub(super) fn new(tacho: &Path, at: &Path, data: &Path) -> Self {
        let (at, data) = (at.join("restores"), data.to_owned());
        Self { tacho: tacho.to_owned(), at, data, took: None }
    }

    /// Restores a backup, kills that, and looks at what is there.
    ///
    /// # Errors
    /// The first broken promise, in words.
    pub(super) fn round(&mut self, random: &mut Random, cuts: &mut Cuts) -> Result<(), String> {
        std::fs::create_dir_all(&self.at).map_err(text)?;
        let took = match self.took {
            Some(took) => took,
            None => self.back_up()?,
        };
        let backup = self.at.join(if random.percent(50) { "backup" } else { "backup.tar" });
        let originals = [digest(&backup)?, digest(&self.data)?];
        let target = self.at.join("again");
        let mut child = self.command(&["restore"], &target).arg(&backup).spawn().map_err(text)?;
        let most = u64::try_from(took.as_micros()).unwrap_or(u64::MAX) * 5 / 4;
        std::thread::sleep(Duration::from_micros(random.below(most.max(1))));
        let is_cut = child.try_wait().map_err(text)?.is_none();
        child.kill().map_err(text)?;
        child.wait().map_err(text)?;
        let is_placed = self.log_in(&target)?.is_some();
        cuts.count(RESTORE, is_cut);
        if is_cut {
            cuts.count(PLACED, is_placed);
        }
        self.judge(&backup, &target, is_placed)?;
        if originals != [digest(&backup)?, digest(&self.data)?] {
            return Err("a killed restore changed the backup, or the log it was taken of".into());
        }
        std::fs::remove_dir_all(&target).map_err(text)
    }

    /// Makes both kinds of backup, and measures a restore.
    fn back_up(&mut self) -> Result<Duration, String> {
        for name in ["backup", "backup.tar"] {
            let made = self.command(&["backup"], &self.data).arg(self.at.join(name)).output();
            fine(&made.map_err(text)?, "a backup")?;
        }
        let (target, begun) = (self.at.join("again"), Instant::now());
        let restored = self.command(&["restore"], &target).arg(self.at.join("backup")).output();
        fine(&restored.map_err(text)?, "a restore in peace")?;
        std::fs::remove_dir_all(&target).map_err(text)?;
        Ok(*self.took.insert(begun.elapsed()))
    }

    /// What `tacho verify` says of the log that is killed, as the kill and what came after left it.
    ///
    /// # Errors
    /// What it found.
    pub(super) fn verify(&self) -> Result<(), String> {
        std::fs::create_dir_all(&self.at).map_err(text)?;
        let output = self.command(&["verify"], &self.data).output().map_err(text)?;
        fine(&output, "`tacho verify` after a kill")
    }

    /// A log that has its name is whole, and is not restored over; else a second restore succeeds.
    fn judge(&self, backup: &Path, target: &Path, is_placed: bool) -> Result<(), String> {
        let verify = || {
            let output = self.command(&["verify"], target).output().map_err(text)?;
            fine(&output, "`tacho verify` of what a killed restore left")
        };
        if is_placed {
            verify()?;
        }
        let again = self.command(&["restore"], target).arg(backup).output().map_err(text)?;
        if !is_placed {
            fine(&again, "a second restore after one that was killed")?;
            return verify();
        }
        let said = String::from_utf8_lossy(&again.stderr);
        let errors = said.lines().filter(|line| line.starts_with("error")).count();
        if again.status.code() != Some(1) || errors != 1 || !said.contains("already") {
            return Err(format!("a restore over a log was not refused in one sentence: {said}"));
        }
        Ok(())
    }

    /// The log in a data folder, if it has its name.
    fn log_in(&self, data: &Path) -> Result<Option<PathBuf>, String> {
        let Some(id) = self.data.read_dir().map_err(text)?.flatten().find(|it| is_id(&it.path()))
        else {
            return Err("there is no log to restore".to_owned());
        };
        let path = data.join(id.file_name());
        Ok(path.exists().then_some(path))
    }

    fn command(&self, words: &[&str], data: &Path) -> Command {
        let mut command = Command::new(&self.tacho);
        command.args(words).args(["--log", "killed", "--data"]).arg(data);
        command.env_clear().env("HOME", &self.at).env("TACHO_KEK", KEK);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

fn is_id(path: &Path) -> bool {
    path.is_dir() && path.join(seal::IDENTITY_PATH).is_file()
}

fn fine(output: &Output, what: &str) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what} failed ({}): {}", output.status, said.trim()))
}

/// Every file of a log or backup with its bytes, as a hash each. What can be made again is left
/// out.
fn digest(path: &Path) -> Result<BTreeMap<PathBuf, [u8; 32]>, String> {
    let (mut files, mut open) = (BTreeMap::new(), vec![path.to_owned()]);
    while let Some(path) = open.pop() {
        if !path.is_dir() {
            let bytes = std::fs::read(&path).map_err(text)?;
            files.insert(path, merkle::leaf_hash(&bytes).0);
        } else if path.file_name().is_none_or(|name| name != store::CACHE_FOLDER) {
            for entry in std::fs::read_dir(&path).map_err(text)? {
                open.push(entry.map_err(text)?.path());
            }
        }
    }
    Ok(files)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
