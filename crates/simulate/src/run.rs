//! One run: the real writer, a workload, and everything going wrong that the seed asks for.
//!
//! A run is a sequence of lives. Each opens the log unattended, compares it with the model, sends
//! again what was never answered, works for a while, and ends: closed, dropped, killed, or without
//! power.

mod tally;

pub use tally::Tally;

use crate::clock::{DAY_MS, SimulatedClock};
use crate::entropy::SimulatedEntropy;
use crate::model::{Model, SHORT_DAYS, short_policy};
use crate::random::Random;
use crate::reading::{self, Contents, reports};
use crate::storage::{Fault, FaultKind, SimulatedFolder};
use crate::verdict;
use crate::workload::{Planned, Workload};
use event::Scope;
use keys::{Kek, KekOrigin, SecretKey};
use retain::{Erasure, RetainError, Selector};
use seal::{Batch, Clock, NewLog, Options, SealError, Writer};
use std::sync::Arc;
use store::{Folder, Reservation};

/// Lives that begin with a removal.
const REMOVAL_PERCENT: u64 = 15;

/// A promise that was broken, and how to see it again.
#[derive(Debug, thiserror::Error)]
#[error("{what}\nreplay: simulate {replay}\nthe last calls:\n{}", trace.join("\n"))]
pub struct Failure {
    /// What was broken.
    pub what: String,
    /// Arguments that repeat it.
    pub replay: String,
    /// The last storage calls.
    pub trace: Vec<String>,
}

/// How a life goes on after a step.
enum Step {
    Alive,
    /// Something failed: the writer may acknowledge nothing more.
    Failed,
}

/// What ends a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    PowerCut,
    Kill,
    /// The same process opens the log again.
    Reopen,
}

/// One log, its disk, its clock, and what it owes.
struct World {
    folder: SimulatedFolder,
    kek: Arc<Kek>,
    clock: Arc<SimulatedClock>,
    options: Options,
    model: Model,
    workload: Workload,
    random: Random,
    faults: Vec<Fault>,
    tally: Tally,
}

/// A run with power cuts, kills and faults wherever the seed puts them.
///
/// # Errors
/// [`Failure`] when a promise was broken.
pub fn power_cuts(seed: u64) -> Result<Tally, Failure> {
    lives(seed, SimulatedFolder::new(seed))
}

/// The same run on a disk that does not do what it says; a sound checker must fail it sooner or
/// later.
///
/// # Errors
/// [`Failure`] when the loss was noticed.
pub fn on_a_lying_disk(seed: u64) -> Result<Tally, Failure> {
    lives(seed, SimulatedFolder::lying(seed))
}

fn lives(seed: u64, folder: SimulatedFolder) -> Result<Tally, Failure> {
    let mut world = World::create(seed, folder).map_err(|what| Failure {
        what,
        replay: format!("--seed {seed}"),
        trace: Vec::new(),
    })?;
    let outcome = world.live_often();
    world.conclude(outcome, format!("--seed {seed}"))
}

/// A run in which chosen storage calls fail, counted from the first opening, then a power cut.
///
/// # Errors
/// [`Failure`] when a promise was broken.
pub fn faults(seed: u64, faults: &[Fault]) -> Result<Tally, Failure> {
    let listed: Vec<String> =
        faults.iter().map(|f| format!("--at {} --kind {}", f.at_call, f.kind.option())).collect();
    let replay = format!("faults --seed {seed} {}", listed.join(" "));
    let mut world = World::create(seed, SimulatedFolder::new(seed)).map_err(|what| Failure {
        what,
        replay: replay.clone(),
        trace: Vec::new(),
    })?;
    let outcome = world.live_with(faults);
    world.conclude(outcome, replay)
}

impl World {
    fn create(seed: u64, folder: SimulatedFolder) -> Result<Self, String> {
        let mut random = Random::new(seed);
        let kek = Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::File);
        let clock = Arc::new(SimulatedClock::default());
        let entropy = Arc::new(SimulatedEntropy::new(random.bits()));
        let roll = random.one_of(&[2 << 10, 16 << 10, 1 << 30]).copied().unwrap_or(1 << 30);
        let options = Options {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy,
            journal_roll_bytes: roll,
            reservation: Reservation::Off,
            ..Options::system()
        };
        let new = NewLog { name: "simulated".to_owned(), origin: None, post_quantum: false };
        let shared: Arc<dyn Folder> = Arc::new(folder.clone());
        seal::create(&shared, &new, &kek, [9; 16], &options).map_err(|error| error.to_string())?;
        let identity = reading::identity(&folder)?;
        let epochs = reading::epochs(&folder, &identity)?;
        Ok(Self {
            folder,
            kek: Arc::new(kek),
            clock,
            options,
            model: Model::new(identity, epochs),
            workload: Workload::default(),
            random,
            faults: Vec::new(),
            tally: Tally::default(),
        })
    }

    fn conclude(mut self, outcome: Result<(), String>, replay: String) -> Result<Tally, Failure> {
        self.tally.calls = self.folder.calls();
        self.tally.acknowledged = self.model.acknowledged().len() as u64;
        match outcome {
            Ok(()) => Ok(self.tally),
            Err(what) => Err(Failure { what, replay, trace: self.folder.trace() }),
        }
    }

    /// Lives as the seed wants them, and a last one in peace.
    fn live_often(&mut self) -> Result<(), String> {
        for _ in 0..self.random.between(3, 8) {
            self.faults.clear();
            let at_call = self.folder.calls() + self.random.below(160);
            match self.random.below(100) {
                0..35 => self.faults.push(Fault { at_call, kind: FaultKind::CrashBefore }),
                35..70 => self.faults.push(Fault { at_call, kind: FaultKind::CrashAfter }),
                70..90 => {
                    let kind = self.random.one_of(&FaultKind::ERRORS).copied();
                    self.faults.extend(kind.map(|kind| Fault { at_call, kind }));
                }
                _ => {}
            }
            let steps = self.random.between(0, 14);
            self.live(steps)?;
            let end = match self.random.below(100) {
                0..50 => End::PowerCut,
                50..80 => End::Kill,
                _ => End::Reopen,
            };
            self.end(end)?;
        }
        self.live_in_peace()
    }

    /// Works until every fault has happened, restarting as a server would, then loses power.
    fn live_with(&mut self, faults: &[Fault]) -> Result<(), String> {
        let base = self.folder.calls();
        self.faults.extend(faults.iter().map(|f| Fault { at_call: base + f.at_call, ..*f }));
        for _ in 0..100 {
            if self.faults.is_empty() {
                break;
            }
            self.live(30)?;
            let end = if self.random.percent(50) { End::Reopen } else { End::Kill };
            self.end(end)?;
        }
        if !self.faults.is_empty() {
            return Err("the run was too short for its faults".to_owned());
        }
        self.live(5)?;
        self.end(End::PowerCut)?;
        self.live_in_peace()
    }

    /// Two lives without any fault, the first of which leaves nothing in doubt.
    fn live_in_peace(&mut self) -> Result<(), String> {
        self.faults.clear();
        self.live(3)?;
        self.end(End::PowerCut)?;
        let mut writer = self.open()?.ok_or("the log did not open in peace")?;
        self.look()?;
        self.send_again(&mut writer, 100)?;
        self.publish(&mut writer)?;
        self.roll(&mut writer)?;
        self.look()?;
        self.remove(&mut writer)?;
        if self.random.percent(30) {
            self.rotate(&mut writer)?;
            self.look()?;
        }
        // What was announced in an earlier life is carried out in this one.
        writer.carry_out().map_err(|error| format!("a removal failed in peace: {error}"))?;
        let contents = self.read()?;
        if contents.unremoved > 0 {
            return Err("what was announced was not removed".to_owned());
        }
        if let Some(authority) = reports::unreported(&self.folder, &contents)?.first() {
            return Err(format!("the log does not say that the removal of {authority} is done"));
        }
        writer.close().map_err(|error| format!("the log did not close in peace: {error}"))?;
        self.look()
    }

    /// One life, up to its end.
    fn live(&mut self, steps: u64) -> Result<(), String> {
        let Some(mut writer) = self.open()? else { return Ok(()) };
        self.look()?;
        if let Step::Failed = self.send_again(&mut writer, 70)? {
            return self.expect_poison(&mut writer);
        }
        // Fresh from a crash, so that many faults fall into a removal.
        if self.random.percent(REMOVAL_PERCENT) {
            self.remove(&mut writer)?;
        }
        for _ in 0..steps {
            let step = match self.random.below(100) {
                0..70 => self.append(&mut writer)?,
                70..82 => self.publish(&mut writer)?,
                82..86 => self.heartbeat(&mut writer),
                86..92 => self.roll(&mut writer)?,
                92..94 => self.jump(),
                94 => self.rotate(&mut writer)?,
                95 => self.remove(&mut writer)?,
                96..98 => return self.close(writer),
                _ => return Ok(()),
            };
            if let Step::Failed = step {
                return self.expect_poison(&mut writer);
            }
        }
        Ok(())
    }

    /// Opens the log, which must succeed unless the storage failed meanwhile.
    fn open(&mut self) -> Result<Option<Writer>, String> {
        self.tally.opened += 1;
        self.folder.set_faults(std::mem::take(&mut self.faults));
        let folder: Arc<dyn Folder> = Arc::new(self.folder.clone());
        match seal::open(&folder, Arc::clone(&self.kek), self.options.clone()) {
            Ok(writer) => {
                self.folder.note(format!("--- opened at size {}", writer.size()));
                self.learn_epochs()?;
                self.model.shown(&writer.checkpoint())?;
                Ok(Some(writer))
            }
            Err(error) if !self.folder.fired().is_empty() => {
                self.folder.note(format!("--- not opened: {error}"));
                Ok(None)
            }
            Err(error) => Err(format!("the log does not open unattended: {error}")),
        }
    }

    /// Reads the whole log without disturbing the faults, and compares it with the model.
    fn look(&mut self) -> Result<(), String> {
        if self.folder.is_off() {
            return Ok(());
        }
        let armed = self.folder.disarm();
        let outcome =
            self.read().and_then(|contents| verdict::check(&self.folder, &contents, &self.model));
        self.folder.rearm(armed);
        outcome
    }

    fn read(&self) -> Result<Contents, String> {
        reading::read(&self.folder, &self.kek)
            .and_then(|contents| self.model.check(&contents).map(|()| contents))
            .and_then(|contents| self.check_strays(contents))
    }

    /// What a failing storage kept the writer from removing may lie there until the log is opened
    /// again; nothing else may.
    fn check_strays(&self, contents: Contents) -> Result<Contents, String> {
        match contents.strays.first() {
            Some(stray) if self.folder.fired().is_empty() => {
                Err(format!("{stray} is not in the ledger"))
            }
            _ => Ok(contents),
        }
    }

    /// Sends most of the batches that were never answered once more.
    fn send_again(&mut self, writer: &mut Writer, percent: u64) -> Result<Step, String> {
        for batch in self.model.take_in_doubt() {
            if !self.random.percent(percent) {
                self.model.doubt(batch);
            } else if let Step::Failed = self.commit(writer, vec![batch])? {
                return Ok(Step::Failed);
            }
        }
        Ok(Step::Alive)
    }

    fn append(&mut self, writer: &mut Writer) -> Result<Step, String> {
        let in_doubt = self.model.in_doubt();
        let groups = if self.random.percent(20) { self.random.between(2, 4) } else { 1 };
        let acknowledged = self.model.acknowledged();
        let earlier = [in_doubt.as_slice(), acknowledged].concat();
        let batches = (0..groups)
            .map(|_| self.workload.batch(&earlier, acknowledged, &mut self.random))
            .collect();
        self.commit(writer, batches)
    }

    fn commit(
        &mut self,
        writer: &mut Writer,
        plan: Vec<Vec<Arc<Planned>>>,
    ) -> Result<Step, String> {
        let redactor = Arc::clone(writer.redactor());
        let now_ms = self.clock.now_ms();
        let encode = |batch: &Vec<Arc<Planned>>| {
            let events = batch.iter().map(|planned| redactor.redact(planned.event()));
            Batch::encode(events, writer.fingerprints(), &*self.options.entropy, now_ms)
        };
        let batches: Result<Vec<Batch>, _> = plan.iter().map(encode).collect();
        let events: usize = plan.iter().map(Vec::len).sum();
        self.folder.note(format!("--- append {} batches, {events} events", plan.len()));
        match writer.commit(batches.map_err(|error| error.to_string())?) {
            Ok(receipts) => {
                if receipts.len() != plan.len() {
                    return Err("there is not one receipt for each batch".to_owned());
                }
                for (batch, receipt) in plan.iter().zip(&receipts) {
                    self.model.acknowledge(batch, receipt, &redactor)?;
                }
                Ok(Step::Alive)
            }
            Err(error) => {
                plan.into_iter().for_each(|batch| self.model.doubt(batch));
                Ok(self.failed(&error))
            }
        }
    }

    fn publish(&mut self, writer: &mut Writer) -> Result<Step, String> {
        self.folder.note("--- publish");
        match writer.publish() {
            Ok(()) if writer.published() != writer.size() => {
                Err("the log published something else than its head".to_owned())
            }
            Ok(()) => self.model.shown(&writer.checkpoint()).map(|_| Step::Alive),
            Err(error) => Ok(self.failed(&error)),
        }
    }

    /// Moves what lies in ended journal files into segments, and now and then makes small segments
    /// one.
    fn roll(&mut self, writer: &mut Writer) -> Result<Step, String> {
        if self.random.percent(50) {
            writer.end_journal_file();
        }
        let compacts = self.random.percent(30);
        self.make_segments(writer)?;
        if compacts {
            self.compact(writer)?;
        }
        Ok(Step::Alive)
    }

    fn make_segments(&mut self, writer: &mut Writer) -> Result<(), String> {
        self.folder.note("--- roll");
        let outcome = writer.roll();
        self.tally.rolled += self.made(writer, outcome)?;
        Ok(())
    }

    fn compact(&mut self, writer: &mut Writer) -> Result<(), String> {
        self.folder.note("--- compact");
        let outcome = writer.compact();
        self.tally.compacted += self.made(writer, outcome)?;
        Ok(())
    }

    /// How many segments were made. A roll that fails by itself is no failure of the log: the
    /// journal is still there, and the writer goes on unless its own storage failed.
    fn made(&mut self, writer: &Writer, outcome: Result<usize, SealError>) -> Result<u64, String> {
        match outcome {
            Ok(count) => {
                self.model.shown(&writer.checkpoint())?;
                Ok(count as u64)
            }
            Err(error) if self.folder.fired().is_empty() => {
                Err(format!("a roll failed although the storage did not: {error}"))
            }
            Err(error) => {
                self.folder.note(format!("--- not rolled: {error}"));
                Ok(0)
            }
        }
    }

    /// Erases a session, or lets expire what is old. As with a roll, a failure that is not the
    /// writer's own storage leaves the writer alive.
    fn remove(&mut self, writer: &mut Writer) -> Result<Step, String> {
        let by = event::Principal::default();
        let now_ms = self.clock.now_ms();
        let outcome = if self.random.percent(40) {
            self.folder.note("--- expire");
            self.model.removals.ask_expiry(now_ms, SHORT_DAYS);
            retain::expire(writer, &short_policy(), now_ms, &by).map(|_| ())
        } else {
            let session = format!("session {}", self.random.below(6));
            let scope =
                *self.random.one_of(&[Scope::Content, Scope::Record]).unwrap_or(&Scope::Content);
            self.folder.note(format!("--- erase the {} of {session}", scope.as_str()));
            self.model.removals.ask_erasure(&session, scope);
            let selector = Selector { session: Some(session.clone()), ..Selector::default() };
            let (reason, ground) = ("simulated".to_owned(), None);
            let erasure = Erasure { selector, scope, reason, ground, by };
            retain::erase(writer, &erasure, &retain::Policy::default(), now_ms).map(|erased| {
                self.model.removals.erased(&session, scope, erased.authority);
            })
        };
        match outcome {
            Ok(()) => {
                self.tally.removals += 1;
                self.model.shown(&writer.checkpoint())?;
            }
            Err(RetainError::Nothing) => {}
            Err(error) if self.folder.fired().is_empty() => {
                return Err(format!("a removal failed although the storage did not: {error}"));
            }
            Err(error) => {
                self.tally.cut_removals += 1;
                self.folder.note(format!("--- not removed: {error}"));
            }
        }
        Ok(Step::Alive)
    }

    /// Lets another signing key take over.
    fn rotate(&mut self, writer: &mut Writer) -> Result<Step, String> {
        self.folder.note("--- rotate");
        self.model.ask_rotation();
        match writer.rotate_keys(Some("simulated"), &event::Principal::default()) {
            Ok(rotated) => {
                self.tally.rotations += 1;
                let armed = self.folder.disarm();
                let learned = self.model.rotated(&self.folder, rotated.epoch);
                self.folder.rearm(armed);
                learned?;
                self.model.shown(&writer.checkpoint()).map(|_| Step::Alive)
            }
            Err(error) => Ok(self.failed(&error)),
        }
    }

    /// Reads which keys are in force, without disturbing the faults.
    fn learn_epochs(&mut self) -> Result<(), String> {
        let armed = self.folder.disarm();
        let learned = self.model.learn_epochs(&self.folder);
        self.folder.rearm(armed);
        learned
    }

    fn heartbeat(&mut self, writer: &mut Writer) -> Step {
        self.folder.note("--- heartbeat");
        match writer.heartbeat() {
            Ok(()) => Step::Alive,
            Err(error) => self.failed(&error),
        }
    }

    fn jump(&mut self) -> Step {
        let small = i64::try_from(self.random.below(120_000)).unwrap_or(0);
        let by_ms = match self.random.below(10) {
            0..4 => small,
            4..6 => -small,
            6 => DAY_MS,
            7 => -DAY_MS,
            8 => 40 * DAY_MS + small,
            _ => -3_600_000,
        };
        self.folder.note(format!("--- the clock jumps by {by_ms} ms"));
        self.clock.jump(by_ms);
        Step::Alive
    }

    fn close(&mut self, writer: Writer) -> Result<(), String> {
        self.folder.note("--- close");
        match writer.close() {
            Ok(()) => self.look(),
            Err(error) => {
                self.failed(&error);
                Ok(())
            }
        }
    }

    fn failed(&mut self, error: &SealError) -> Step {
        self.folder.note(format!("--- failed: {error}"));
        Step::Failed
    }

    /// After a failure nothing may be acknowledged, however often it is asked.
    fn expect_poison(&mut self, writer: &mut Writer) -> Result<(), String> {
        if self.folder.fired().is_empty() {
            return Err("the writer failed although the storage did not".to_owned());
        }
        for _ in 0..2 {
            let before = self.model.acknowledged().len();
            if let Step::Alive = self.append(writer)? {
                let more = self.model.acknowledged().len() - before;
                return Err(format!("{more} events were acknowledged after a failure"));
            }
        }
        let size = writer.size();
        if let Step::Alive = self.heartbeat(writer)
            && writer.size() > size
        {
            return Err("a heartbeat was sealed after a failure".to_owned());
        }
        Ok(())
    }

    /// Ends the process, and the power if it is gone already.
    fn end(&mut self, end: End) -> Result<(), String> {
        self.tally.faults += self.folder.fired().len() as u64;
        self.faults = self.folder.disarm();
        // What stopped in the middle of a call was the machine, or the process alone.
        let end = if self.folder.is_off() && end == End::Reopen { End::Kill } else { end };
        // Whoever watched the folder may have read the checkpoint at the last moment.
        if let Ok(Some(note)) = self.folder.read(seal::CHECKPOINT_PATH) {
            self.model.glimpse_epochs(&self.folder)?;
            self.model.shown(&String::from_utf8_lossy(&note))?;
        }
        match end {
            End::PowerCut => {
                self.tally.power_cuts += 1;
                self.folder = self.folder.power_cut(&mut self.random);
            }
            End::Kill => {
                self.tally.kills += 1;
                self.folder = self.folder.process_kill(&mut self.random);
            }
            End::Reopen => self.folder.note("--- reopened by the same process"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
