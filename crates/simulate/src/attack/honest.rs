//! The control: logs to which everything happens that happens to honest logs. Whatever was kept of
//! them must still agree with them at the end, and the witness must have cosigned all the way.

use super::program::{Tacho, files_of};
use super::watch::Watch;
use super::{COSIGNED, Files};
use crate::clock::{DAY_MS, SimulatedClock};
use crate::kill::{kek, options};
use crate::model::short_policy;
use crate::random::Random;
use crate::workload::Planned;
use event::{Principal, Scope};
use keys::SystemEntropy;
use retain::{Erasure, Policy, RetainError, Selector};
use seal::{Batch, Clock as _, NewLog, Outcome, Writer};
use serde_json::json;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{DiskFolder, Folder, Reservation};
use witness::Seen;

/// What happens to a log, besides appends.
const ACTS: [&str; 12] = [
    "restart",
    "crash",
    "rotation of keys",
    "rotation of the redaction secret",
    "roll",
    "compaction",
    "erasure of content",
    "erasure of records",
    "hold",
    "expiry",
    "move to another folder",
    "backup and restore",
];
/// Acts of one log at most.
const ACTS_MAX: u64 = 8;

/// How much happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HonestTally {
    /// Logs.
    pub logs: u64,
    /// What happened, and how often.
    pub acts: BTreeMap<&'static str, u64>,
    /// Times that something which was kept was held against a log.
    pub comparisons: u64,
    /// Checkpoints that the witness cosigned.
    pub cosigned: u64,
}

/// Makes `count` honest logs from a seed, and asks of each what is asked of attacked ones.
///
/// # Errors
/// The first false alarm, in words; the folder is left as it is.
pub fn honest_logs(
    tacho: &Path,
    folder: &Path,
    count: u64,
    seed: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<HonestTally, String> {
    let tacho = Tacho::new(tacho, &folder.join("home"));
    let mut tally = HonestTally::default();
    for number in 0..count {
        let mut random = Random::new(seed.wrapping_add(number));
        // What one log's home remembers must not matter to the next.
        tacho.forget()?;
        let at = folder.join(format!("honest-{number}"));
        let mut story = Story::begin(&tacho, &at)?;
        let told = story.tell(&mut random, &mut tally);
        told.map_err(|what| format!("seed {}: {what}", seed.wrapping_add(number)))?;
        std::fs::remove_dir_all(&at).map_err(text)?;
        tally.logs += 1;
        progress(number + 1);
    }
    Ok(tally)
}

/// One log, and what was kept of it.
struct Story<'t> {
    tacho: &'t Tacho,
    at: PathBuf,
    log: PathBuf,
    clock: Arc<SimulatedClock>,
    writer: Option<Writer>,
    vkeys: Vec<String>,
    watch: Watch,
    seen: Option<Seen>,
    /// Receipts and checkpoints, as somebody would keep them.
    kept: Vec<String>,
    events: u64,
    moves: u64,
}

impl<'t> Story<'t> {
    fn begin(tacho: &'t Tacho, at: &Path) -> Result<Self, String> {
        let log = at.join("data-0").join("0a".repeat(16));
        std::fs::create_dir_all(&log).map_err(text)?;
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(&log));
        let clock = Arc::new(SimulatedClock::default());
        let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
        let options = with(&clock);
        let identity = seal::create(&folder, &new, &kek(), [10; 16], &options).map_err(text)?;
        let watch = Watch::new("w.example.org", 5, &identity.keys)?;
        let (at, vkeys) = (at.to_owned(), identity.keys);
        let (writer, seen, kept, events, moves) = (None, None, Vec::new(), 0, 0);
        let mut story =
            Self { tacho, at, log, clock, writer, vkeys, watch, seen, kept, events, moves };
        story.open()?;
        Ok(story)
    }

    fn tell(&mut self, random: &mut Random, tally: &mut HonestTally) -> Result<(), String> {
        for _ in 0..random.between(3, ACTS_MAX) {
            self.append(random)?;
            self.look(tally)?;
            let act = random.one_of(&ACTS).copied().unwrap_or("restart");
            self.act(act, random).map_err(|what| format!("{act}: {what}"))?;
            *tally.acts.entry(act).or_default() += 1;
            self.look(tally)?;
        }
        self.append(random)?;
        self.close()?;
        self.look(tally)?;
        self.judge(random, tally)
    }

    fn open(&mut self) -> Result<(), String> {
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(&self.log));
        let opened = seal::open(&folder, Arc::new(kek()), with(&self.clock)).map_err(text)?;
        self.writer = Some(opened);
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        self.writer.take().map_or(Ok(()), |writer| writer.close().map_err(text))
    }

    fn writer(&mut self) -> Result<&mut Writer, String> {
        self.writer.as_mut().ok_or_else(|| "the log is closed".to_owned())
    }

    /// Appends some events and keeps what is told about them.
    fn append(&mut self, random: &mut Random) -> Result<(), String> {
        self.clock.jump(i64::try_from(random.below(7_200_000)).unwrap_or(0));
        let count = random.between(1, 40);
        let first = self.events;
        self.events += count;
        let planned: Vec<Planned> = (first..first + count)
            .map(|number| Planned::draw(format!("event-{number}"), random))
            .collect();
        let writer = self.writer()?;
        let redactor = Arc::clone(writer.redactor());
        let events = planned.iter().map(|planned| redactor.redact(planned.event()));
        let batch = Batch::encode(events, writer.fingerprints(), &SystemEntropy::new(), 0);
        let receipts = writer.commit(vec![batch.map_err(text)?]).map_err(text)?;
        writer.publish().map_err(text)?;
        for receipt in receipts {
            for outcome in &receipt.outcomes {
                let Outcome::Sealed { index, leaf_hash } = outcome else { continue };
                let leaf_hash: String = leaf_hash.iter().map(|it| format!("{it:02x}")).collect();
                let checkpoint = receipt.checkpoint.to_string();
                let line = json!({
                    "index": index, "leaf_hash": leaf_hash, "checkpoint": checkpoint,
                });
                self.kept.push(line.to_string());
            }
        }
        Ok(())
    }

    /// Has the published checkpoint cosigned, and keeps it.
    fn look(&mut self, tally: &mut HonestTally) -> Result<(), String> {
        let files: Files = files_of(&self.log)?;
        let (seen, cosigned) = self.watch.see(&files, self.seen)?;
        self.seen = Some(seen);
        std::fs::write(self.log.join(COSIGNED), &cosigned).map_err(text)?;
        self.kept.push(cosigned);
        tally.cosigned += 1;
        Ok(())
    }

    fn act(&mut self, act: &str, random: &mut Random) -> Result<(), String> {
        let by = Principal::default();
        match act {
            "restart" => self.close().and_then(|()| self.open()),
            // Nothing is said, and space that was reserved stays.
            "crash" => {
                drop(self.writer.take());
                self.open()
            }
            "rotation of keys" => {
                let rotated = self.writer()?.rotate_keys(Some("honest"), &by).map_err(text)?;
                self.watch.trust(&rotated.keys)
            }
            "rotation of the redaction secret" => {
                let destroys = random.percent(50);
                let rotated = self.writer()?.rotate_redaction(destroys, None, &by);
                rotated.map(|_| ()).map_err(text)
            }
            "roll" => self.writer()?.settle_tail().map_err(text),
            "compaction" => {
                let writer = self.writer()?;
                writer.settle_tail().and_then(|()| writer.compact()).map(|_| ()).map_err(text)
            }
            "erasure of content" => self.erase(Scope::Content, random),
            "erasure of records" => self.erase(Scope::Record, random),
            "hold" => {
                let selector = session(random);
                let held = retain::hold(self.writer()?, &selector, "a lawsuit", &by);
                held.map(|_| ()).map_err(text)
            }
            "expiry" => {
                self.clock.jump(3 * DAY_MS);
                let now_ms = self.clock.now_ms();
                done(retain::expire(self.writer()?, &short_policy(), now_ms, &by))
            }
            "move to another folder" => self.elsewhere(copy),
            _ => self.restore(),
        }
    }

    fn erase(&mut self, scope: Scope, random: &mut Random) -> Result<(), String> {
        let (selector, reason) = (session(random), "asked for".to_owned());
        let erasure = Erasure { selector, scope, reason, ground: None, by: Principal::default() };
        done(retain::erase(self.writer()?, &erasure, &Policy::default(), 0))
    }

    /// Goes on in another data folder, where `take` brings the log.
    fn elsewhere(
        &mut self,
        take: impl FnOnce(&Path, &Path) -> Result<(), String>,
    ) -> Result<(), String> {
        self.close()?;
        self.moves += 1;
        let data = self.at.join(format!("data-{}", self.moves));
        let name = self.log.file_name().ok_or("the log has no name")?.to_owned();
        take(&self.log, &data.join(&name))?;
        self.log = data.join(name);
        self.open()
    }

    /// A backup by the binary, put back by the binary, with nothing written in between.
    fn restore(&mut self) -> Result<(), String> {
        let (tacho, backup) = (self.tacho, self.at.join(format!("backup-{}", self.moves)));
        self.elsewhere(|from, to| {
            let data = |log: &Path| log.parent().map(Path::to_owned).unwrap_or_default();
            let (from, to) = (data(from), data(to));
            for (verb, data) in [("backup", &from), ("restore", &to)] {
                let words =
                    [Path::new(verb), backup.as_path(), Path::new("--data"), data.as_path()];
                tacho.fine(&words)?;
            }
            Ok(())
        })
    }

    /// Holds against the log whatever was kept.
    fn judge(&self, random: &mut Random, tally: &mut HonestTally) -> Result<(), String> {
        let (policy, kept) = (self.at.join("policy"), self.at.join("kept"));
        std::fs::write(&policy, self.watch.policy()).map_err(text)?;
        let receipts = self.kept.iter().filter(|it| it.starts_with('{'));
        let receipts: Vec<&str> = receipts.map(String::as_str).collect();
        let one = random.one_of(&self.kept).cloned().unwrap_or_default();
        for since in [receipts.join("\n"), one] {
            std::fs::write(&kept, since).map_err(text)?;
            let mut words: Vec<&OsStr> = vec![OsStr::new("--policy"), policy.as_os_str()];
            words.extend([OsStr::new("--since"), kept.as_os_str()]);
            for key in &self.vkeys {
                words.extend([OsStr::new("--key"), OsStr::new(key)]);
            }
            if let Some(fault) = self.tacho.verify(&self.log, &words)?.fault() {
                return Err(format!("an honest log is accused: {fault:?}"));
            }
            tally.comparisons += 1;
        }
        Ok(())
    }
}

/// Small journal files, and the story's clock.
fn with(clock: &Arc<SimulatedClock>) -> seal::Options {
    let clock: Arc<dyn seal::Clock> = Arc::<SimulatedClock>::clone(clock);
    seal::Options { clock, journal_roll_bytes: 16 << 10, ..options(Reservation::Off) }
}

fn session(random: &mut Random) -> Selector {
    Selector { session: Some(format!("session {}", random.below(6))), ..Selector::default() }
}

/// Nothing to remove is no failure, and neither is a hold.
fn done<T>(outcome: Result<T, RetainError>) -> Result<(), String> {
    match outcome {
        Ok(_) | Err(RetainError::Nothing | RetainError::Held { .. }) => Ok(()),
        Err(error) => Err(text(error)),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    super::program::write_files(to, &files_of(from)?)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
