//! `kill -9` of a real process under load, again and again on the same folder.
//!
//! This does not test durability (the page cache survives a kill; `run` tests that). It tests the
//! threads around the writer, the lock, and recovery from whatever state a process can be torn out
//! of.

mod act;
mod answer;
mod child;
mod plan;
mod restore;
mod scene;
mod server;

pub use act::Cuts;
pub use child::run_victim;
pub use server::{ServerTally, kill_servers};

use crate::model::Model;
use crate::random::Random;
use crate::reading::reports;
use crate::{reading, verdict};
use act::Act;
use answer::Answer;
use keys::{Kek, KekOrigin, SecretKey};
use plan::{THREADS, batch};
use restore::Restores;
use seal::{NewLog, Options, SealError};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use store::{DiskFolder, Folder, Reservation, StoreError};

/// Records after which a fresh folder is begun: every round reads all of them.
const RECORDS_MAX: u64 = 100_000;
/// Rounds after which one is begun: after an expiry the model knows less of what is owed.
const ROUNDS_MAX: u64 = 25;
/// Rounds after which a restore is killed as well.
const RESTORE_PERCENT: u64 = 30;
/// Processes that do something to the log first and are killed soon, so that it is cut short.
const SOON_PERCENT: u64 = 75;

/// How much the rounds did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KillTally {
    /// Processes killed.
    pub rounds: u64,
    /// Events acknowledged before a kill.
    pub acknowledged: u64,
    /// Batches that were unanswered at a kill and in the log all the same.
    pub found_unanswered: u64,
    /// Second writers that were refused.
    pub refused: u64,
    /// What was begun, and cut short by a kill.
    pub acts: Cuts,
    /// After how many kills there was unfinished work of each kind.
    pub left: BTreeMap<&'static str, u64>,
}

/// What is started and killed.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The simulator, which reads the arguments of `kill-child`.
    pub simulate: PathBuf,
    /// `tacho`, whose restores are killed; `None` for no restores.
    pub tacho: Option<PathBuf>,
}

/// The key of the logs, as `tacho` reads it.
pub(crate) const KEK: &str = "tachograph-kek-v1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// The same key.
pub(crate) fn kek() -> Kek {
    Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::File)
}

/// Small journal files and quick checkpoints, so that a kill often falls on a roll or a
/// publication.
pub(crate) fn options(reservation: Reservation) -> Options {
    Options {
        journal_roll_bytes: 256 << 10,
        roll_backlog: 0,
        // The detour that only large groups take otherwise.
        aside_bytes: 0,
        reservation,
        heartbeat_ms: 0,
        publish_ms: 20,
        ..Options::system()
    }
}

/// Kills `rounds` processes, and restores between them.
///
/// # Errors
/// The first broken promise, in words; the folder is left as it is.
pub fn kill_rounds(
    programs: &Programs,
    folder: &Path,
    rounds: u64,
    seed: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<KillTally, String> {
    let mut random = Random::new(seed);
    let mut tally = KillTally::default();
    let mut ground = Ground::create(&folder.join("0"), programs)?;
    for round in 0..rounds {
        if ground.records > RECORDS_MAX || round % ROUNDS_MAX == ROUNDS_MAX - 1 {
            ground = Ground::create(&folder.join((round + 1).to_string()), programs)?;
        }
        let before = ground.model.acknowledged().len();
        ground.round(&programs.simulate, &mut random, &mut tally)?;
        if let Some(restores) = &mut ground.restores
            && random.percent(RESTORE_PERCENT)
        {
            restores.round(&mut random, &mut tally.acts)?;
        }
        tally.rounds += 1;
        tally.acknowledged += (ground.model.acknowledged().len() - before) as u64;
        progress(round + 1);
    }
    Ok(tally)
}

/// One folder and what it owes.
struct Ground {
    data: PathBuf,
    answers: PathBuf,
    /// Bytes of the answers that were read.
    read: usize,
    /// The first unanswered batch of each thread.
    next: Vec<u64>,
    records: u64,
    model: Model,
    restores: Option<Restores>,
}

impl Ground {
    fn create(at: &Path, programs: &Programs) -> Result<Self, String> {
        // As in a data folder of `tacho`.
        let data = at.join("data").join("09".repeat(16));
        std::fs::create_dir_all(&data).map_err(text)?;
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(&data));
        let new = NewLog { name: "killed".to_owned(), origin: None, post_quantum: false };
        seal::create(&folder, &new, &kek(), [9; 16], &options(Reservation::Off)).map_err(text)?;
        let identity = reading::identity(&*folder)?;
        let epochs = reading::epochs(&*folder, &identity)?;
        let tacho = programs.tacho.as_deref();
        Ok(Self {
            restores: tacho.map(|tacho| Restores::new(tacho, at, &at.join("data"))),
            data,
            answers: at.join("answers"),
            read: 0,
            next: vec![0; usize::try_from(THREADS).unwrap_or(0)],
            records: 0,
            model: Model::new(identity, epochs),
        })
    }

    fn round(
        &mut self,
        program: &Path,
        random: &mut Random,
        tally: &mut KillTally,
    ) -> Result<(), String> {
        let act = Act::draw(random);
        let mut child = self.start(program, act.as_ref())?;
        let mut out = BufReader::new(child.stdout.take().ok_or("the process has no output")?);
        let mut said = String::new();
        let mut hear = || out.read_line(&mut said).map(|_| said.ends_with("ready\n"));
        let outcome = self.torment(&mut child, &mut hear, act.is_some(), random, tally);
        // Whatever happened, the process must not outlive the round.
        let _ = child.kill();
        let _ = child.wait();
        out.read_to_string(&mut said).map_err(text)?;
        outcome.map_err(|what| format!("{what}; it said: {}", said.trim().replace('\n', " | ")))?;
        self.note_act(act.as_ref(), &said, tally)?;
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(&self.data));
        for name in scene::look(&*folder)? {
            *tally.left.entry(name).or_default() += 1;
        }
        let opened = seal::open(&folder, Arc::new(kek()), options(Reservation::Off));
        let mut writer =
            opened.map_err(|error| format!("it does not open after the kill: {error}"))?;
        self.model.learn_epochs(&*folder)?;
        self.read_answers(writer.redactor())?;
        // In the other rounds the next process finds it.
        let is_finished = random.percent(30);
        if is_finished {
            writer.carry_out().map_err(|error| format!("a removal is not finished: {error}"))?;
        }
        for (thread, number) in (0..).zip(self.next.clone()) {
            self.model.doubt(batch(thread, number));
        }
        let contents = reading::read(&*folder, &kek())?;
        self.model.check(&contents)?;
        if let Some(stray) = contents.strays.first() {
            return Err(format!("{stray} is not in the ledger"));
        }
        verdict::check(&*folder, &contents, &self.model)?;
        if is_finished && !reports::unreported(&*folder, &contents)?.is_empty() {
            return Err("a removal was carried out, and the log does not say so".to_owned());
        }
        if let Some(restores) = &self.restores {
            restores.verify()?;
        }
        let ids = contents.ids();
        let found = |batch: &Vec<Arc<crate::workload::Planned>>| {
            batch.iter().any(|planned| ids.contains(planned.id.as_str()))
        };
        tally.found_unanswered +=
            self.model.take_in_doubt().iter().filter(|b| found(b)).count() as u64;
        self.records = contents.size();
        Ok(())
    }

    /// Starts a process, which does something to the log before it appends.
    fn start(&mut self, program: &Path, act: Option<&Act>) -> Result<Child, String> {
        let next: Vec<String> = self.next.iter().map(u64::to_string).collect();
        if let Some(act) = act {
            act.ask(&mut self.model);
        }
        Command::new(program)
            .arg("kill-child")
            .arg("--act")
            .arg(act.map(Act::to_text).unwrap_or_default())
            .arg("--data")
            .arg(&self.data)
            .arg("--acks")
            .arg(&self.answers)
            .arg("--next")
            .arg(next.join(","))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(text)
    }

    /// Notes which act the process said that it began and ended.
    fn note_act(
        &mut self,
        act: Option<&Act>,
        said: &str,
        tally: &mut KillTally,
    ) -> Result<(), String> {
        let is_known =
            |line: &&str| ["ready", "begin ", "end "].iter().any(|it| line.starts_with(it));
        if let Some(line) = said.lines().find(|line| !is_known(line)) {
            return Err(format!("the process ended by itself: {line}"));
        }
        let (Some(act), true) = (act, said.contains("begin ")) else { return Ok(()) };
        let end = said.lines().find_map(|line| line.strip_prefix("end "));
        tally.acts.count(act.name(), end.is_none());
        if let Some(end) = end {
            let authority = end.split_once(' ').and_then(|(_, index)| index.parse().ok());
            act.acknowledge(authority, &mut self.model);
        }
        Ok(())
    }

    /// Lets the process work for a while, now and then stopped or contended, and kills it. One in
    /// five is killed without waiting until it has opened the log; one that `acts` is killed soon,
    /// as a rule.
    fn torment(
        &self,
        child: &mut Child,
        hear: &mut dyn FnMut() -> std::io::Result<bool>,
        acts: bool,
        random: &mut Random,
        tally: &mut KillTally,
    ) -> Result<(), String> {
        let patience = Duration::from_millis(random.between(20, 400));
        if random.percent(20) {
            std::thread::sleep(patience / 8);
            return child.kill().map_err(text);
        }
        if !hear().map_err(text)? {
            return Err("the process ended by itself before it was ready".to_owned());
        }
        if acts && random.percent(SOON_PERCENT) {
            // From when it begins; making what is to be compacted takes its time.
            hear().map_err(text)?;
            std::thread::sleep(Duration::from_micros(random.below(600_000)));
            return child.kill().map_err(text);
        }
        std::thread::sleep(patience / 2);
        if random.percent(30) {
            let stopped = random.percent(50);
            self.contend(child, stopped)?;
            tally.refused += 1;
        }
        std::thread::sleep(patience / 2);
        match child.try_wait().map_err(text)? {
            Some(status) => Err(format!("the process ended by itself: {status}")),
            None => child.kill().map_err(text),
        }
    }

    /// A second writer is refused, also while the first cannot answer.
    fn contend(&self, child: &Child, stopped: bool) -> Result<(), String> {
        let signal = |signal| {
            let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
            id.map_or(Ok(()), |id| rustix::process::kill_process(id, signal)).map_err(text)
        };
        if stopped {
            signal(rustix::process::Signal::STOP)?;
        }
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(&self.data));
        let second = seal::open(&folder, Arc::new(kek()), options(Reservation::Off));
        if stopped {
            signal(rustix::process::Signal::CONT)?;
        }
        match second {
            Err(SealError::Store(error)) if matches!(*error, StoreError::Locked { .. }) => Ok(()),
            Err(error) => Err(format!("a second writer was refused for another reason: {error}")),
            Ok(_) => Err("a second writer was let in".to_owned()),
        }
    }

    /// Takes note of what was acknowledged since the last round. A line that was cut short counts
    /// as none.
    fn read_answers(&mut self, redactor: &redact::Redactor) -> Result<(), String> {
        let bytes = match std::fs::read(&self.answers) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(text(error)),
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let new = bytes.get(self.read..whole).unwrap_or_default();
        for line in String::from_utf8_lossy(new).lines() {
            let answer = Answer::parse(line).ok_or_else(|| format!("not an answer: {line:?}"))?;
            let planned = batch(answer.thread, answer.number);
            self.model.learn_outcomes(&planned, &answer.outcomes, &answer.note, redactor)?;
            let place = usize::try_from(answer.thread).unwrap_or(usize::MAX);
            if let Some(next) = self.next.get_mut(place) {
                *next = answer.number + 1;
            }
        }
        self.read = whole;
        if whole < bytes.len() {
            let file = std::fs::OpenOptions::new().write(true).open(&self.answers).map_err(text)?;
            file.set_len(whole as u64).map_err(text)?;
        }
        Ok(())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
