//! `cargo xtask attack`: logs rewritten by somebody who has every key, and who finds out.
//!
//! The attacks and their judge are `simulate`'s; here they get the binary that they attack.

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::need::{Need, need};
use crate::place;
use crate::simulate;
use crate::steps::Outcome;

pub(crate) const COMMAND: Command = Command {
    name: "attack",
    summary: "rewrites logs with all their keys and shows who finds out",
    help: "\
Makes logs with `tacho` (profile `demo`), rewrites each in many ways so that it agrees with itself and is
signed by the log's own key, and asks `tacho verify` about it: by itself, and with one fact from outside.
Prints a table; fails when an attack is not found out, or an honest log is accused. docs/strength.md
says what the columns mean.

  --honest N   so many honest logs, to which everything happens that happens to logs (default 20)
  -- ARGS      further arguments for `simulate attack`: --only WORDS, --markdown, --seed N

Examples:
  cargo xtask attack
  cargo xtask attack --honest 1000
  cargo xtask attack --honest 0 -- --only erasure",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let honest = arguments.number("--honest", 20_u32)?;
    let further = arguments.passed_on();
    arguments.nothing_left()?;
    need(&Need::Compiler)?;
    attack(honest, &further)
}

/// What `cargo xtask test` does of it.
pub(crate) fn slice(honest: u32) -> Result<Outcome, Failure> {
    attack(honest, &[])?;
    Ok(Outcome::Passed)
}

fn attack(honest: u32, further: &[String]) -> Result<(), Failure> {
    let job = simulate::job()?.args(["attack", "--honest", &honest.to_string()]);
    job.args(further).arg("--tacho").arg(place::tacho("demo")).run()
}
