//! `cargo xtask python`: builds the Python package as a checkout has it, and runs its tests.
//!
//! What it is: one build with the binary's features, so that nothing but the package itself is
//! compiled when `tacho` is there already (docs/decisions/0047); the package in the build folder;
//! pytest in a virtual environment with AG2 from PyPI. What it is not: a wheel, which
//! `pip install ./python` makes from the same files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place;
use crate::steps::Outcome;
use crate::wheels;

/// What the tests need from PyPI.
const REQUIREMENTS: &str = "python/tests/requirements.txt";
/// The sources, one folder a package; the first has the module.
const PACKAGES: [&str; 2] = ["tachograph", "tachograph_verify"];
/// Together with `cli`: alone it would need the same libraries with fewer features, all of them
/// built again.
const BUILD: &[&str] =
    &["build", "--profile", "demo", "-p", "cli", "-p", "python", "--no-default-features"];

pub(crate) const COMMAND: Command = Command {
    name: "python",
    summary: "builds the Python package and runs its tests",
    help: "\
Builds the module of python/ beside the binary (profile `demo`), puts the package together in the build folder, and
runs python/tests and python/examples with pytest, AG2 and a virtual environment there. No model is called.

  -- ARGS      for pytest, instead of all tests

Examples:
  cargo xtask python
  cargo xtask python -- -k kill -x",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let further = arguments.passed_on();
    arguments.nothing_left()?;
    need(&Need::Python)?;
    test(&further)
}

pub(crate) fn step() -> Result<Outcome, Failure> {
    test(&[])?;
    Ok(Outcome::Passed)
}

fn test(further: &[String]) -> Result<(), Failure> {
    Job::cargo().args(BUILD).run()?;
    let site = assemble()?;
    let python = wheels::python("python", Path::new(REQUIREMENTS))?;
    let folder = place::root().join("python");
    let pytest = Job::new(&python)
        .env("PYTHONPATH", &site)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--rootdir"])
        .arg(&folder);
    match further {
        [] => pytest.arg(folder.join("tests")).run(),
        further => pytest.args(further).arg(folder.join("tests")).run(),
    }
}

/// Puts sources and module together, as an installed package has them.
fn assemble() -> Result<PathBuf, Failure> {
    let site = place::target().join("python-site");
    if site.exists() {
        fs::remove_dir_all(&site).map_err(|e| Failure::file("remove", &site, &e))?;
    }
    for package in PACKAGES {
        place::copy(&place::root().join("python").join(package), &site.join(package))?;
    }
    let module = place::target().join("demo").join("lib_native.so");
    fs::copy(&module, site.join("tachograph/_native.abi3.so"))
        .map_err(|e| Failure::file("copy", &module, &e))?;
    Ok(site)
}
