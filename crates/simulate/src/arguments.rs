//! The command line.

use simulate::{Fault, FaultKind};
use std::path::PathBuf;
use std::str::FromStr;

/// What `--help` says.
pub(crate) const HELP: &str = "\
Runs the real writer against a seeded clock, storage faults, power cuts and kills; evaluates the
redactor.

Usage: simulate [MODE] [OPTIONS]

Modes (without one: power-cuts, then faults):
  power-cuts   seeded runs with power cuts, kills and faults anywhere
  faults       each kind of fault at each of the first storage calls, then random pairs
  kill         real processes under load, killed with SIGKILL; the log must be whole after each
  kill-server  a real server under clients that send again until they are answered
  attack       a log rewritten in many ways by somebody who has every key: who finds out?
  redaction    what the redactor finds in the corpus of testdata/redaction, and how fast

Options:
  --seed N     one run with this seed, replayed exactly
  --runs N     so many power-cut runs (2000); also --seeds
  --first N    the first seed (0)
  --faults N   faults at the first N storage calls (200)
  --pairs N    so many random pairs of faults (500)
  --rounds N   so many kills (100)
  --tacho FILE with `kill`: the binary whose restores are killed as well; with `kill-server`: its
               with `redaction`: it makes the standard events; with `attack`: the judge
  --clients N  so many (64)
  --seconds S  at most so long for each mode
  --at N --kind eio|enospc|short-write|failed-sync
               with `faults --seed`: this fault; may be given again
  --tune       with `redaction`: the part for tuning, with misses and false hits
  --keeps      with `redaction`: fails only where it is worse than what was reached before
  --sheet N    with `redaction`: every Nth sample as a line of JSON, for other programs
  --honest N   with `attack`: so many honest logs, none of which may be accused (20)
  --only WORDS with `attack`: attacks with these words in their names
  --markdown   with `attack`: the table as documents have it
  --canaries N with `redaction`: so many values that are always found, as lines of JSON";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Help,
    All,
    PowerCuts,
    Faults,
    Kill,
    KillServer,
    /// The process that `Kill` starts and kills.
    Victim,
    Redaction,
    Attack,
}

/// The command line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) mode: Mode,
    pub(crate) seed: Option<u64>,
    pub(crate) first: u64,
    pub(crate) runs: u64,
    pub(crate) calls: u64,
    pub(crate) pairs: u64,
    pub(crate) seconds: Option<u64>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) rounds: u64,
    pub(crate) clients: u64,
    pub(crate) data: Option<PathBuf>,
    pub(crate) acks: Option<PathBuf>,
    pub(crate) next: Vec<u64>,
    /// What the process does first, or nothing.
    pub(crate) act: String,
    /// The binary whose restores are killed.
    pub(crate) tacho: Option<PathBuf>,
    /// Whether rules are being tuned.
    pub(crate) tune: bool,
    /// Whether a bar that was never reached may be missed.
    pub(crate) keeps: bool,
    pub(crate) sheet: Option<usize>,
    pub(crate) canaries: Option<usize>,
    /// Honest logs.
    pub(crate) honest: u64,
    /// Part of the names of the attacks that are meant.
    pub(crate) only: String,
    pub(crate) markdown: bool,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            mode: Mode::All,
            seed: None,
            first: 0,
            runs: 2_000,
            calls: 200,
            pairs: 500,
            seconds: None,
            faults: Vec::new(),
            rounds: 100,
            clients: 64,
            data: None,
            acks: None,
            next: Vec::new(),
            act: String::new(),
            tacho: None,
            tune: false,
            keeps: false,
            sheet: None,
            canaries: None,
            honest: 20,
            only: String::new(),
            markdown: false,
        }
    }
}

impl Arguments {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self::default();
        let mut at_call = None;
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
            match argument.as_str() {
                "-h" | "--help" => read.mode = Mode::Help,
                "power-cuts" => read.mode = Mode::PowerCuts,
                "faults" => read.mode = Mode::Faults,
                "kill" => read.mode = Mode::Kill,
                "kill-server" => read.mode = Mode::KillServer,
                "redaction" => read.mode = Mode::Redaction,
                "attack" => read.mode = Mode::Attack,
                "--honest" => read.honest = number(&argument, &value()?)?,
                "--only" => read.only = value()?,
                "--markdown" => read.markdown = true,
                "--tune" => read.tune = true,
                "--keeps" => read.keeps = true,
                "--sheet" => read.sheet = Some(number(&argument, &value()?)?),
                "--canaries" => read.canaries = Some(number(&argument, &value()?)?),
                "kill-child" => read.mode = Mode::Victim,
                "--data" => read.data = Some(value()?.into()),
                "--act" => read.act = value()?,
                "--tacho" => read.tacho = Some(value()?.into()),
                "--acks" => read.acks = Some(value()?.into()),
                "--next" => {
                    let numbers = value()?;
                    let read_one = |text: &str| number(&argument, text);
                    read.next = numbers.split(',').map(read_one).collect::<Result<_, _>>()?;
                }
                "--clients" => read.clients = number(&argument, &value()?)?,
                "--rounds" => read.rounds = number(&argument, &value()?)?,
                "--seed" => read.seed = Some(number(&argument, &value()?)?),
                "--first" => read.first = number(&argument, &value()?)?,
                "--runs" | "--seeds" => read.runs = number(&argument, &value()?)?,
                "--faults" => read.calls = number(&argument, &value()?)?,
                "--pairs" => read.pairs = number(&argument, &value()?)?,
                "--seconds" => read.seconds = Some(number(&argument, &value()?)?),
                "--at" => at_call = Some(number(&argument, &value()?)?),
                "--kind" => {
                    let name = value()?;
                    let kind = FaultKind::from_option(&name)
                        .ok_or_else(|| format!("there is no fault {name:?}; see --help"))?;
                    let at_call = at_call.take().ok_or("--kind wants --at before it")?;
                    read.faults.push(Fault { at_call, kind });
                }
                _ => return Err(format!("{argument:?} is not understood; see --help")),
            }
        }
        if read.seed.is_some() && read.mode == Mode::All {
            read.mode = Mode::PowerCuts;
        }
        Ok(read)
    }
}

fn number<N: FromStr>(option: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("{option} wants a number, not {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_line_that_a_failure_prints_is_read_back() {
        let read = parse("faults --seed 7 --at 12 --kind eio --at 40 --kind failed-sync").unwrap();
        assert_eq!((read.mode, read.seed), (Mode::Faults, Some(7)));
        let faults = [(12, FaultKind::Eio), (40, FaultKind::FailedSync)];
        let wanted = faults.map(|(at_call, kind)| Fault { at_call, kind });
        assert_eq!(read.faults, wanted);
        assert_eq!(parse("--seed 3").unwrap().mode, Mode::PowerCuts);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for line in ["--seed", "--seed x", "--kind eio", "--at 1 --kind fire", "bogus"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
