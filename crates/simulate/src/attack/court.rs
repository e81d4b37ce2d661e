//! Who finds an attack out: the folder by itself, or with one fact from outside. Each is asked of
//! the real `tacho verify`, and the witness as the log would ask it.

use super::program::{Fault, Tacho, Verdict, write_files};
use super::scripts::Scene;
use super::stamper::Stamper;
use super::victim::{Receipt, Victim, checkpoint_of, place};
use super::watch::Answer;
use super::{COSIGNED, Files};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What was done to a log, and who is to find out.
pub(super) struct Case<'v> {
    pub(super) victim: &'v Victim,
    /// The log's folder afterwards.
    pub(super) files: Files,
    pub(super) by: By,
}

/// Who finds it out.
pub(super) enum By {
    /// Whoever kept something: the folder agrees with itself. With the first index at which it is
    /// not the log that it was.
    Facts(u64),
    /// The folder alone; the log's key is known.
    Folder,
    /// The folder alone, by somebody who knows that these keys are in force.
    Keys(Vec<String>),
    /// Whoever wants to see the witness of the policy.
    Policy,
    /// Whoever wants to see stamps of the authority beside the log, in so many hours if that is
    /// asked.
    Stamps { within: Option<u64> },
    /// The producer whose receipt this is.
    Receipt(Receipt),
    /// Whoever counts the producer's numbers (C-INT-3): the event that it names.
    Numbers(PathBuf),
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What was attacked, in a few words.
    pub attack: &'static str,
    /// What the folder by itself shows, with the log's key known.
    pub alone: Cell,
    /// What one receipt shows: the last that the producer had.
    pub receipt: Cell,
    /// What all receipts of the producer show.
    pub receipts: Cell,
    /// What one checkpoint shows that somebody kept: the newest.
    pub checkpoint: Cell,
    /// What the witness answers when it is shown the log, as a status, and what its cosigned
    /// checkpoint shows.
    pub witness: Cell,
    /// What the newest stamp of an authority shows that somebody kept.
    pub stamp: Cell,
    /// A fact of more entries than this shows it; none of fewer does. `None` where the folder alone
    /// does.
    pub from: Option<u64>,
    /// What is named.
    pub named: String,
}

/// One column of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cell {
    /// It was not asked.
    #[default]
    Unasked,
    /// Nothing was found.
    Silent,
    /// Something was found: of which kind, or with which status it was refused.
    Found(String),
}

impl Cell {
    fn of(verdict: &Verdict) -> Self {
        verdict.fault().map_or(Self::Silent, |fault| Self::Found(fault.kind.clone()))
    }
}

impl Row {
    /// Whether anybody found out.
    #[must_use]
    pub fn is_found(&self) -> bool {
        let facts = [&self.receipt, &self.receipts, &self.checkpoint, &self.witness, &self.stamp];
        facts.iter().chain(&[&self.alone]).any(|cell| matches!(cell, Cell::Found(_)))
    }
}

/// Where cases are heard.
pub(super) struct Court<'c> {
    pub(super) tacho: &'c Tacho,
    pub(super) at: PathBuf,
    pub(super) stamper: Option<&'c Stamper>,
}

impl Court<'_> {
    /// Nobody may be accused before anything happened: the victims, with everything that was kept.
    pub(super) fn acquit(&self, scene: &Scene<'_>) -> Result<(), String> {
        for victim in [&scene.open, &scene.rolled] {
            let log = place(victim, &victim.now.files, &self.at)?;
            let lines: Vec<&str> = victim.receipts.iter().map(|it| it.line.as_str()).collect();
            let policy = self.write("policy", &victim.watch.policy())?;
            let kept = self.write("kept", &lines.join("\n"))?;
            let words = [
                OsStr::new("--policy"),
                policy.as_os_str(),
                OsStr::new("--since"),
                kept.as_os_str(),
            ];
            let verdicts = [
                self.verify(&log, &victim.vkeys, &words)?,
                self.since(&log, victim, &victim.early.cosigned)?,
            ];
            let stamped = self.stamped(&log, victim, &victim.now.stamped, Some(1))?;
            let early = self.stamped(&log, victim, &victim.early.stamped, None)?;
            let mut all = verdicts.iter().chain(&stamped).chain(&early);
            if let Some(fault) = all.find_map(Verdict::fault) {
                return Err(format!("a log that nobody touched is accused: {fault:?}"));
            }
        }
        Ok(())
    }

    /// Hears a case. An attack that is found otherwise than it should be is an error as well: then
    /// the attacker was clumsy, or the table would say something untrue.
    pub(super) fn hear(&self, attack: &'static str, case: &Case<'_>) -> Result<Row, String> {
        let row = Row { attack, ..Row::default() };
        match &case.by {
            By::Facts(first) => self.by_facts(case, *first, row),
            By::Folder => self.by_folder(case, &case.victim.vkeys, row),
            By::Keys(keys) => self.by_folder(case, keys, row),
            By::Policy => self.by_policy(case, row),
            By::Stamps { within } => self.by_stamps(case, *within, row),
            By::Receipt(receipt) => self.by_receipt(case, receipt, row),
            By::Numbers(data) => self.by_numbers(data, row),
        }
    }

    fn by_facts(&self, case: &Case<'_>, first: u64, mut row: Row) -> Result<Row, String> {
        let victim = case.victim;
        let mut files = case.files.clone();
        // The best that can be put beside it: what the witness cosigned before the attack began.
        if victim.early.size <= first {
            files.insert(COSIGNED.to_owned(), victim.early.cosigned.clone().into());
        }
        let log = place(victim, &files, &self.at)?;
        let alone = self.verify(&log, &victim.vkeys, &[])?;
        row.alone = Cell::of(&alone);
        if let Some(fault) = alone.fault() {
            return Err(format!("it was to agree with itself, and does not: {fault:?}"));
        }
        let last = victim.receipts.last().ok_or("there is no receipt")?;
        let receipt = self.since(&log, victim, &last.line)?;
        let lines: Vec<&str> = victim.receipts.iter().map(|it| it.line.as_str()).collect();
        let receipts = self.since(&log, victim, &lines.join("\n"))?;
        let checkpoint = self.since(&log, victim, &checkpoint_of(&victim.now.files)?)?;
        let cosigned = self.since(&log, victim, &victim.now.cosigned)?;
        (row.receipt, row.receipts) = (Cell::of(&receipt), Cell::of(&receipts));
        row.checkpoint = Cell::of(&checkpoint);
        row.witness = self.ask_witness(victim, &files, &cosigned)?;
        row.stamp = self.ask_stamps(&log, victim, first)?;
        row.from = Some(self.bound(&log, victim, first)?);
        row.named = named(&receipts, victim, first)?;
        Ok(row)
    }

    /// What the witness makes of it. That it refuses is not enough: what it saw must show it.
    fn ask_witness(
        &self,
        victim: &Victim,
        files: &Files,
        cosigned: &Verdict,
    ) -> Result<Cell, String> {
        let Answer::Refused(status) = victim.watch.ask(files, Some(victim.now.seen))? else {
            return Err("the witness cosigned it".to_owned());
        };
        if !cosigned.is_found() {
            return Err("what the witness cosigned before does not show it".to_owned());
        }
        Ok(Cell::Found(status.to_string()))
    }

    /// What kept stamps show: the newest must, and one of before the first altered record must
    /// not.
    fn ask_stamps(&self, log: &Path, victim: &Victim, first: u64) -> Result<Cell, String> {
        let Some(newest) = self.stamped(log, victim, &victim.now.stamped, None)? else {
            return Ok(Cell::Unasked);
        };
        let early = self.stamped(log, victim, &victim.early.stamped, None)?;
        let is_before = victim.early.size <= first;
        match early.as_ref().and_then(Verdict::fault).filter(|_| is_before) {
            Some(fault) => Err(format!("a stamp from before it is contradicted: {fault:?}")),
            None if !newest.is_found() => Err("the newest stamp does not show it".to_owned()),
            None => Ok(Cell::of(&newest)),
        }
    }

    /// The log, held against stamps that were kept elsewhere; `None` where nobody stamps.
    fn stamped(
        &self,
        log: &Path,
        victim: &Victim,
        stamps: &Files,
        within: Option<u64>,
    ) -> Result<Option<Verdict>, String> {
        let Some(stamper) = self.stamper else { return Ok(None) };
        let kept = self.at.join("stamps");
        write_files(&kept, stamps)?;
        let (authorities, hours) = (stamper.authorities(), within.map(|it| it.to_string()));
        let mut words = vec![OsStr::new("--authorities"), authorities.as_os_str()];
        words.extend([OsStr::new("--anchors"), kept.as_os_str()]);
        words.extend(hours.iter().flat_map(|it| [OsStr::new("--stamped-within"), it.as_ref()]));
        self.verify(log, &victim.vkeys, &words).map(Some)
    }

    /// The largest tree that the folder still continues although it was altered at `first`, by the
    /// checkpoints that were handed out: none beyond `first` may pass, none before may be refused.
    fn bound(&self, log: &Path, victim: &Victim, first: u64) -> Result<u64, String> {
        let mut receipts: Vec<&Receipt> = victim.receipts.iter().collect();
        receipts.sort_by_key(|receipt| receipt.size());
        let before = receipts.iter().rfind(|receipt| receipt.size() <= first);
        let after = receipts.iter().find(|receipt| receipt.size() > first);
        if let Some(before) = before
            && let Some(fault) = self.since(log, victim, &before.checkpoint)?.fault()
        {
            let size = before.size();
            return Err(format!("a checkpoint of {size} entries is contradicted: {fault:?}"));
        }
        match after {
            Some(after) if !self.since(log, victim, &after.checkpoint)?.is_found() => {
                Err(format!("a checkpoint of {} entries does not show it", after.size()))
            }
            _ => Ok(first),
        }
    }

    fn by_folder(&self, case: &Case<'_>, keys: &[String], mut row: Row) -> Result<Row, String> {
        let log = place(case.victim, &case.files, &self.at)?;
        let verdict = self.verify(&log, keys, &[])?;
        row.alone = Cell::of(&verdict);
        row.named = verdict.fault().map(Fault::place).unwrap_or_default();
        Ok(row)
    }

    fn by_policy(&self, case: &Case<'_>, mut row: Row) -> Result<Row, String> {
        let log = place(case.victim, &case.files, &self.at)?;
        let policy = self.write("policy", &case.victim.watch.policy())?;
        let alone = self.verify(&log, &case.victim.vkeys, &[])?;
        if let Some(fault) = alone.fault() {
            return Err(format!("without a policy nothing is wrong, but: {fault:?}"));
        }
        let words = [OsStr::new("--policy"), policy.as_os_str()];
        let verdict = self.tacho.verify(&log, &words)?;
        (row.alone, row.witness) = (Cell::of(&alone), Cell::of(&verdict));
        row.named = verdict.fault().map(Fault::place).unwrap_or_default();
        Ok(row)
    }

    fn by_stamps(&self, case: &Case<'_>, within: Option<u64>, mut row: Row) -> Result<Row, String> {
        let victim = case.victim;
        let log = place(victim, &case.files, &self.at)?;
        let stamper = self.stamper.ok_or("nobody stamps")?;
        let authorities = stamper.authorities();
        let alone = self.verify(&log, &victim.vkeys, &[])?;
        if let Some(fault) = alone.fault() {
            return Err(format!("without stamps nothing is wrong, but: {fault:?}"));
        }
        let mut words = vec![OsStr::new("--authorities"), authorities.as_os_str()];
        let hours = within.map(|hours| hours.to_string());
        if let Some(hours) = &hours {
            // It is genuine, and only late.
            if let Some(fault) = self.verify(&log, &victim.vkeys, &words)?.fault() {
                return Err(format!("the stamp was to be genuine, but: {fault:?}"));
            }
            words.extend([OsStr::new("--stamped-within"), hours.as_ref()]);
        }
        let verdict = self.verify(&log, &victim.vkeys, &words)?;
        (row.alone, row.stamp) = (Cell::of(&alone), Cell::of(&verdict));
        row.named = verdict.fault().map(Fault::place).unwrap_or_default();
        Ok(row)
    }

    fn by_receipt(&self, case: &Case<'_>, receipt: &Receipt, mut row: Row) -> Result<Row, String> {
        let log = place(case.victim, &case.files, &self.at)?;
        let alone = self.verify(&log, &case.victim.vkeys, &[])?;
        let verdict = self.since(&log, case.victim, &receipt.line)?;
        (row.alone, row.receipt) = (Cell::of(&alone), Cell::of(&verdict));
        if verdict.is_found() && !verdict.names(receipt.index) {
            return Err(format!("record {} is not named: {verdict:?}", receipt.index));
        }
        row.named = verdict.fault().map(Fault::place).unwrap_or_default();
        Ok(row)
    }

    fn by_numbers(&self, data: &Path, mut row: Row) -> Result<Row, String> {
        const PACK: &str = "name = \"numbers\"\nversion = \"1\"\ntitle = \"Numbers\"\n\
                            [[controls]]\nid = \"numbers\"\nclause = \"none is missing\"\n\
                            predicate = \"C-INT-3\"\n";
        let pack = self.write("numbers.toml", PACK)?;
        let mut words: Vec<&OsStr> =
            ["report", "compliance-check", "--format", "json"].iter().map(OsStr::new).collect();
        words.extend([
            OsStr::new("--pack"),
            pack.as_os_str(),
            OsStr::new("--data"),
            data.as_os_str(),
        ]);
        let said = self.tacho.fine(&words)?;
        let report: serde_json::Value = serde_json::from_str(&said).map_err(text)?;
        let control = &report["controls"][0];
        row.alone = match control["verdict"].as_str() {
            Some("fail") => Cell::Found("C-INT-3".to_owned()),
            Some("pass") => Cell::Silent,
            _ => return Err(format!("the report has no verdict: {said}")),
        };
        let index = control["events"][0]["index"].as_u64();
        row.named = index.map_or_else(String::new, |index| format!("a gap before record {index}"));
        Ok(row)
    }

    /// The log, held against something that was kept.
    fn since(&self, log: &Path, victim: &Victim, kept: &str) -> Result<Verdict, String> {
        let kept = self.write("kept", kept)?;
        self.verify(log, &victim.vkeys, &[OsStr::new("--since"), kept.as_os_str()])
    }

    fn verify(&self, log: &Path, keys: &[String], more: &[&OsStr]) -> Result<Verdict, String> {
        let mut words: Vec<&OsStr> = Vec::new();
        for key in keys {
            words.extend([OsStr::new("--key"), OsStr::new(key)]);
        }
        words.extend(more);
        self.tacho.verify(log, &words)
    }

    fn write(&self, name: &str, content: &str) -> Result<PathBuf, String> {
        let path = self.at.join(name);
        std::fs::create_dir_all(&self.at).map_err(text)?;
        std::fs::write(&path, content).map_err(text)?;
        Ok(path)
    }
}

/// The first record that the producer's receipts show to be another one: it must be the first that
/// the producer had a receipt for and that is not what it was.
fn named(receipts: &Verdict, victim: &Victim, first: u64) -> Result<String, String> {
    let fault = receipts.fault().ok_or("all receipts together do not show it")?;
    let owed = victim.receipts.iter().map(|receipt| receipt.index).filter(|it| *it >= first).min();
    match (fault.index, owed) {
        (Some(index), Some(owed)) if index == owed || index == first => Ok(fault.place()),
        _ => Err(format!("records from {first} on were altered, and {fault:?} was named")),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
