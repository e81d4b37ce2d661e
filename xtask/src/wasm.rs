//! `cargo xtask wasm`: the offline checker must build for the browser, which has no disk, clock or
//! threads.

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};

pub(crate) const COMMAND: Command = Command {
    name: "wasm",
    summary: "builds the offline checker for WebAssembly",
    help: "\
Builds the crate `prove` for wasm32-unknown-unknown. That it builds is the proof that no disk, clock,
thread or operating system crept into the checker.

  --release    optimised

Examples:
  cargo xtask wasm
  cargo xtask wasm --release",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let release = arguments.flag("--release");
    arguments.nothing_left()?;
    need(&Need::WasmTarget)?;
    let job = Job::cargo().args(["build", "-p", "prove", "--target", "wasm32-unknown-unknown"]);
    if release { job.arg("--release").run() } else { job.run() }
}
