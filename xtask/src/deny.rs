//! `cargo xtask deny`: licences, sources and banned crates of everything we depend on
//! (`deny.toml`).

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need;
use crate::steps::Outcome;

pub(crate) const COMMAND: Command = Command {
    name: "deny",
    summary: "checks licences, sources and bans of all dependencies",
    help: "\
Runs `cargo deny check bans licenses sources` with deny.toml. Without cargo-deny installed it says so
and does nothing (`cargo install --locked cargo-deny` takes some minutes).

  --advisories  also known vulnerabilities; needs a network or a mirror of the advisory database

Examples:
  cargo xtask deny
  cargo xtask deny --advisories",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let advisories = arguments.flag("--advisories");
    arguments.nothing_left()?;
    if let Outcome::Skipped(reason) = check(advisories)? {
        println!("skipped: {reason}");
    }
    Ok(())
}

/// Skipped, with the reason, where cargo-deny is not installed.
pub(crate) fn check(advisories: bool) -> Result<Outcome, Failure> {
    if !need::has_cargo_command("deny") {
        let reason = "cargo-deny is not installed (cargo install --locked cargo-deny)";
        return Ok(Outcome::Skipped(reason.to_owned()));
    }
    let mut job = Job::cargo().args(["deny", "check", "bans", "licenses", "sources"]);
    if advisories {
        job = job.arg("advisories");
    }
    job.run()?;
    Ok(Outcome::Passed)
}
