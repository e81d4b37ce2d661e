//! `cargo xtask ci`: `cargo xtask test`, dressed for a log file instead of a terminal.

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::{Command, test};

pub(crate) const COMMAND: Command = Command {
    name: "ci",
    summary: "`test` without colours and progress bars",
    help: "\
Runs exactly what `cargo xtask test` runs and takes the same options, but asks every program for
plain output.

Examples:
  cargo xtask ci
  cargo xtask ci --skip fuzz,simulate",
    run,
};

fn run(arguments: Arguments) -> Result<(), Failure> {
    test::run_steps(arguments, true)
}
