//! `cargo xtask bundle`: pages of evidence in a real browser with the network off.
//!
//! What it is: runs testdata/bundle/browser.py, which makes bundles of a recorded incident, opens
//! them in headless Chromium, alters them, and holds what the page says against `tacho verify`.
//! What it is not: a browser; without one the step says so and is skipped.

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place::{self, Temporary};
use crate::steps::Outcome;

pub(crate) const COMMAND: Command = Command {
    name: "bundle",
    summary: "opens pages of evidence in Chromium, whole and altered, with the network off",
    help: "\
Makes bundles of a recorded incident with target/demo/tacho, opens them in headless Chromium with the network
off, and sees that the page verifies, that it names what was altered or left out, and that `tacho verify` says the
same. Chromium is Debian's (installed when one is root).

  --pictures FOLDER    leaves screenshots there, for somebody to look at
  --tacho FILE         the binary, instead of target/demo/tacho

Examples:
  cargo xtask bundle
  cargo xtask test --only build,bundle
  cargo xtask bundle --pictures /tmp/pictures",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let pictures = arguments.value("--pictures")?;
    let tacho = arguments.value("--tacho")?;
    arguments.nothing_left()?;
    need(&Need::Python)?;
    need(&Need::Chromium)?;
    check(pictures.as_deref(), tacho.as_deref())
}

/// The same as a step: without a browser there is nothing to check.
pub(crate) fn step() -> Result<Outcome, Failure> {
    need(&Need::Python)?;
    if let Err(failure) = need(&Need::Chromium) {
        return Ok(Outcome::Skipped(failure.to_string()));
    }
    check(None, None)?;
    Ok(Outcome::Passed)
}

fn check(pictures: Option<&str>, tacho: Option<&str>) -> Result<(), Failure> {
    let folder = Temporary::new("bundle")?;
    let tacho = tacho.map_or_else(|| place::tacho("demo"), |path| place::root().join(path));
    let job = Job::new("python3").env("PYTHONDONTWRITEBYTECODE", "1");
    let job = job.arg(place::root().join("testdata/bundle/browser.py"));
    let job = job.arg(tacho).arg(folder.path());
    match pictures {
        Some(pictures) => job.arg(pictures).run(),
        None => job.run(),
    }
}
