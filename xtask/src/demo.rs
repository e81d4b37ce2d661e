//! `cargo xtask demo`: the shortest way from a fresh clone to seeing the product work.

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place::{self, Temporary};

pub(crate) const COMMAND: Command = Command {
    name: "demo",
    summary: "builds tacho and plays a recorded incident into a fresh log",
    help: "\
Builds `tacho` (profile `demo`: optimised, but quick to build), then runs `tacho demo --headless` on a
fresh data folder under the system's temporary one, removed afterwards. The exit code is tacho's own.

  --serve      go on serving the console instead of ending (drops --headless)
  --keep       leave the data folder and print where it is
  -- ARGS      further arguments for `tacho demo`

Examples:
  cargo xtask demo
  cargo xtask demo --serve -- --listen 127.0.0.1:7500
  cargo xtask demo --keep",
    run,
};

/// The binary without SQL: DataFusion takes longer to build than all the rest.
pub(crate) const BUILD: &[&str] =
    &["build", "--profile", "demo", "-p", "cli", "--bin", "tacho", "--no-default-features"];

fn run(arguments: Arguments) -> Result<(), Failure> {
    println!("First build of the optimised binary: some minutes. Later ones: seconds.");
    play(arguments)
}

/// Builds and plays.
pub(crate) fn play(mut arguments: Arguments) -> Result<(), Failure> {
    let serve = arguments.flag("--serve");
    let keep = arguments.flag("--keep");
    let further = arguments.passed_on();
    arguments.nothing_left()?;
    build()?;
    let mut data = Temporary::new("demo")?;
    if keep {
        data.keep();
        println!("data folder: {}", data.path().display());
    }
    let mut job = Job::new(place::tacho("demo")).arg("demo");
    if !serve {
        job = job.arg("--headless");
    }
    // The demo's key goes with its folder, not into the user's configuration.
    job = job.env("XDG_CONFIG_HOME", data.path().join("configuration"));
    job.arg("--data").arg(data.path().join("data")).args(further).run()
}

/// Builds the binary that demo, reference and record run.
pub(crate) fn build() -> Result<(), Failure> {
    need(&Need::Compiler)?;
    Job::cargo().args(BUILD).run()
}

/// Builds something else as well, in one go with the binary: alone it would need the same libraries
/// with fewer features, all of them built again.
pub(crate) fn build_with(words: &[&str]) -> Result<(), Failure> {
    need(&Need::Compiler)?;
    let both = ["build", "--profile", "demo", "-p", "cli", "--no-default-features"];
    Job::cargo().args(both).args(words).run()
}
