//! `cargo xtask simulate`: the real writer against a seeded clock, storage faults and crashes.

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::steps::Outcome;
use crate::{demo, place};

pub(crate) const COMMAND: Command = Command {
    name: "simulate",
    summary: "runs seeded faults and crashes against the real writer",
    help: "\
Builds and runs the crate `simulate`; everything after the command is handed to it. A failing seed is
printed and replays the same way every time.

Examples:
  cargo xtask simulate
  cargo xtask simulate -- --seeds 10000
  cargo xtask simulate -- --seed 4711
  cargo xtask simulate -- kill --rounds 200 --tacho target/demo/tacho
  cargo xtask simulate -- kill-server --rounds 500 --tacho target/demo/tacho",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let further = arguments.passed_on();
    let plain = arguments.rest()?;
    job()?.args(plain).args(further).run()
}

/// Kills processes under load, and restores and servers of the binary that the demo plays with.
pub(crate) fn kill(rounds: u32, servers: u32) -> Result<Outcome, Failure> {
    for (mode, rounds) in [("kill", rounds), ("kill-server", servers)] {
        let job = job()?.args([mode, "--rounds", &rounds.to_string(), "--tacho"]);
        job.arg(place::tacho("demo")).run()?;
    }
    Ok(Outcome::Passed)
}

/// Seeded runs, faults and pairs of them: so many.
pub(crate) fn slice(runs: u32, faults: u32, pairs: u32) -> Result<Outcome, Failure> {
    let mut job = job()?;
    for (word, count) in [("--runs", runs), ("--faults", faults), ("--pairs", pairs)] {
        job = job.args([word, &count.to_string()]);
    }
    job.run()?;
    Ok(Outcome::Passed)
}

/// The simulator, without arguments; it is built, and so is the binary that the demo plays with.
pub(crate) fn job() -> Result<Job, Failure> {
    demo::build_with(&["-p", "simulate"])?;
    Ok(Job::new(place::built("demo", "simulate")))
}
