//! `cargo xtask witnesses`: a witness and a log that are not ours, as PyPI has them, and ours.
//!
//! What it is: runs testdata/witness/check.py with the package `witness-log` and the program tacho.
//! What it is not: a witness.

use std::path::Path;

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place::{self, Temporary};
use crate::steps::Outcome;
use crate::wheels;

pub(crate) const COMMAND: Command = Command {
    name: "witnesses",
    summary: "has `witness-log` from PyPI and tacho witness each other's logs",
    help: "\
Runs testdata/witness/check.py: a log of `witness-log` (from PyPI, as a wheel, in a virtual environment in the build
folder) is cosigned by `tacho witness serve`, a log of `tacho serve` by both, both witnesses give the same answers, and
a rollback is found out. Needs target/demo/tacho.

Examples:
  cargo xtask witnesses
  cargo xtask test --only build,witnesses",
    run,
};

fn run(arguments: Arguments) -> Result<(), Failure> {
    arguments.nothing_left()?;
    step().map(|_| ())
}

pub(crate) fn step() -> Result<Outcome, Failure> {
    need(&Need::Python)?;
    let program = wheels::python("witnesses", Path::new("testdata/witness/requirements.txt"))?;
    let folder = Temporary::new("witnesses")?;
    Job::new(&program)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(place::root().join("testdata/witness/check.py"))
        .arg(place::tacho("demo"))
        .arg(folder.path())
        .run()?;
    Ok(Outcome::Passed)
}
