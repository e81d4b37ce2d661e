//! `simulate`: runs the simulation at length, replays a seed, kills real processes, and evaluates
//! the redactor.
//!
//! Results go to standard output, one line for each mode; progress to standard error when it is a
//! terminal. The exit code is 1 when a promise was broken, 2 when the arguments make no sense.

mod arguments;
mod attacking;
mod evaluation;

use arguments::{Arguments, Mode};
use simulate::{Failure, Fault, FaultKind, KillTally, Programs, Random, ServerTally, Tally};
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Failures that are told in full; more are only counted.
const FAILURES_TOLD: u64 = 3;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            say(&message);
            return ExitCode::from(2);
        }
    };
    let fine = match arguments.mode {
        Mode::Help => {
            say(arguments::HELP);
            true
        }
        Mode::All => power_cuts(&arguments) & faults(&arguments) & pairs(&arguments),
        Mode::PowerCuts => power_cuts(&arguments),
        Mode::Faults if arguments.faults.is_empty() => faults(&arguments) & pairs(&arguments),
        Mode::Kill => kill(&arguments),
        Mode::KillServer => kill_server(&arguments),
        Mode::Victim => victim(&arguments),
        Mode::Attack => attacking::run(&arguments, say, tell_progress),
        Mode::Redaction => evaluation::run(&arguments, say),
        Mode::Faults => replay(simulate::faults(arguments.seed.unwrap_or(1), &arguments.faults)),
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    // Whoever closed the pipe does not want to know more.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn power_cuts(arguments: &Arguments) -> bool {
    if let Some(seed) = arguments.seed {
        return replay(simulate::power_cuts(seed));
    }
    let mut count = Count::new("power cuts", arguments.seconds);
    for seed in arguments.first..arguments.first + arguments.runs {
        if count.is_over() {
            break;
        }
        count.add(simulate::power_cuts(seed), arguments.runs);
    }
    count.conclude()
}

/// Each kind of fault at each of the first calls.
fn faults(arguments: &Arguments) -> bool {
    let mut count = Count::new("faults", arguments.seconds);
    for at_call in 0..arguments.calls {
        for kind in FaultKind::ERRORS {
            if !count.is_over() {
                let fault = Fault { at_call, kind };
                let outcome = simulate::faults(arguments.seed.unwrap_or(1), &[fault]);
                count.add(outcome, arguments.calls * FaultKind::ERRORS.len() as u64);
            }
        }
    }
    count.conclude()
}

/// Two faults in one run, the second often while the log recovers from the first.
fn pairs(arguments: &Arguments) -> bool {
    let mut count = Count::new("pairs of faults", arguments.seconds);
    for seed in arguments.first..arguments.first + arguments.pairs {
        if count.is_over() {
            break;
        }
        let mut random = Random::new(seed);
        let mut fault = |from, range| Fault {
            at_call: from + random.below(range),
            kind: random.one_of(&FaultKind::ERRORS).copied().unwrap_or(FaultKind::Eio),
        };
        let first = fault(0, arguments.calls);
        let second = fault(first.at_call + 1, 60);
        count.add(simulate::faults(seed, &[first, second]), arguments.pairs);
    }
    count.conclude()
}

/// What kills are to cut short, each at least once in so many rounds.
const ACTS: [&str; 6] = ["roll", "compact", "erase", "expire", "rotate", "restore"];
const ROUNDS_FOR_ALL: u64 = 200;

/// Kills real processes; after a failure their folder is kept.
fn kill(arguments: &Arguments) -> bool {
    let begun = Instant::now();
    let rounds = || {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let folder = tempfile::Builder::new().prefix("simulate-kill-").tempdir();
        let folder = folder.map_err(|error| error.to_string())?;
        let seed = arguments.seed.unwrap_or(1);
        let mut progress = |done| tell_progress("kills", done, arguments.rounds);
        let programs = Programs { simulate: program, tacho: arguments.tacho.clone() };
        simulate::kill_rounds(&programs, folder.path(), arguments.rounds, seed, &mut progress)
            .map_err(|what| format!("{what}\nthe folder is kept: {}", folder.keep().display()))
    };
    match rounds() {
        Ok(tally) => {
            tell_kills(&tally, begun.elapsed());
            if arguments.tacho.is_none() {
                say("  restores: none was killed; name the binary with --tacho");
            }
            let acts =
                ACTS.iter().copied().filter(|it| *it != "restore" || arguments.tacho.is_some());
            let lacking = tally.acts.lacking(&acts.collect::<Vec<_>>());
            let is_enough = arguments.rounds < ROUNDS_FOR_ALL || lacking.is_empty();
            if !is_enough {
                say(&format!("FAILED: no kill cut short: {}", lacking.join(", ")));
            }
            is_enough
        }
        Err(what) => {
            say(&format!("FAILED: {what}\nkills: 1 failed"));
            false
        }
    }
}

/// Kills a real server under clients; after a failure its folder is kept.
fn kill_server(arguments: &Arguments) -> bool {
    let begun = Instant::now();
    let Some(tacho) = &arguments.tacho else {
        say("kill-server wants --tacho");
        return false;
    };
    let rounds = || {
        let folder = tempfile::Builder::new().prefix("simulate-kill-server-").tempdir();
        let folder = folder.map_err(|error| error.to_string())?;
        let (rounds, clients) = (arguments.rounds, arguments.clients);
        let seed = arguments.seed.unwrap_or(1);
        let mut progress = |done| tell_progress("servers", done, rounds);
        simulate::kill_servers(tacho, folder.path(), rounds, clients, seed, &mut progress)
            .map_err(|what| format!("{what}\nthe folder is kept: {}", folder.keep().display()))
    };
    match rounds() {
        Ok(ServerTally { kills, acknowledged, redelivered, unanswered, receipts }) => {
            let took = begun.elapsed().as_secs_f64();
            say(&format!(
                "servers: {kills} killed, 0 failed ({acknowledged} events acknowledged, \
                 {redelivered} of them sealed by a try that was not answered, {unanswered} tries \
                 unanswered, {receipts} receipts, {took:.1} s)"
            ));
            true
        }
        Err(what) => {
            say(&format!("FAILED: {what}\nservers: 1 failed"));
            false
        }
    }
}

fn tell_kills(tally: &KillTally, took: Duration) {
    let KillTally { rounds, acknowledged, found_unanswered, refused, acts, left } = tally;
    say(&format!(
        "kills: {rounds} passed, 0 failed ({acknowledged} events acknowledged, \
         {found_unanswered} unanswered batches found, {refused} second writers refused, {:.1} s)",
        took.as_secs_f64(),
    ));
    say(&format!("  cut short: {acts}"));
    let left: Vec<String> = left.iter().map(|(name, count)| format!("{name} {count}")).collect();
    say(&format!("  left by a kill: {}", left.join(", ")));
}

/// The process that is killed.
fn victim(arguments: &Arguments) -> bool {
    let (data, acks) = (arguments.data.as_ref(), arguments.acks.as_ref());
    let (Some(data), Some(acks)) = (data, acks) else {
        say("kill-child wants --data and --acks");
        return false;
    };
    match simulate::run_victim(data, acks, &arguments.next, &arguments.act) {
        Ok(()) => true,
        Err(what) => {
            say(&what);
            false
        }
    }
}

fn tell_progress(name: &str, done: u64, of: u64) {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r{name}: {done} of {of}");
    }
}

fn replay(outcome: Result<Tally, Failure>) -> bool {
    match &outcome {
        Ok(tally) => say(&format!("passed: {tally:?}")),
        Err(failure) => say(&format!("FAILED: {failure}")),
    }
    outcome.is_ok()
}

/// The counts of one mode.
struct Count {
    name: &'static str,
    begun: Instant,
    limit: Option<Duration>,
    passed: u64,
    failed: u64,
    total: Tally,
}

impl Count {
    fn new(name: &'static str, seconds: Option<u64>) -> Self {
        let limit = seconds.map(Duration::from_secs);
        Self { name, begun: Instant::now(), limit, passed: 0, failed: 0, total: Tally::default() }
    }

    fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.begun.elapsed() >= limit)
    }

    fn add(&mut self, outcome: Result<Tally, Failure>, of: u64) {
        match outcome {
            Ok(tally) => {
                self.passed += 1;
                self.total += tally;
            }
            Err(failure) => {
                self.failed += 1;
                if self.failed <= FAILURES_TOLD {
                    say(&format!("FAILED: {failure}"));
                } else {
                    say(&format!("FAILED: {} (simulate {})", failure.what, failure.replay));
                }
            }
        }
        let done = self.passed + self.failed;
        if done.is_multiple_of(20) {
            tell_progress(self.name, done, of);
        }
    }

    fn conclude(&self) -> bool {
        if std::io::stderr().is_terminal() {
            let _ = write!(std::io::stderr(), "\r");
        }
        let Tally {
            opened,
            power_cuts,
            kills,
            faults,
            acknowledged,
            rolled,
            compacted,
            cut_removals,
            removals,
            rotations,
            calls,
        } = self.total;
        say(&format!(
            "{}: {} passed, {} failed ({opened} openings, {power_cuts} power cuts, {kills} kills, \
             {faults} faults, {acknowledged} events acknowledged, {rolled} journal files rolled, \
             {compacted} compactions, {removals} removals, {cut_removals} more cut short, \
             {rotations} rotations, {calls} storage calls, {:.1} s)",
            self.name,
            self.passed,
            self.failed,
            self.begun.elapsed().as_secs_f64(),
        ));
        self.failed == 0
    }
}
