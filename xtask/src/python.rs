//! `cargo xtask python`: builds the Python package as a checkout has it, and runs its tests.
//!
//! What it is: one build with the binary's features, so that nothing but the package itself is
//! compiled when `tacho` is there already (docs/decisions/0047); the package in the build folder;
//! pytest in a virtual environment with frameworks from PyPI. What it is not: a wheel, which
//! `pip install ./python` makes from the same files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Command;
use crate::arguments::Arguments;
use crate::demo;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place::{self, Temporary};
use crate::steps::Outcome;
use crate::wheels;

/// What the tests need from PyPI.
const REQUIREMENTS: &str = "python/tests/requirements.txt";
/// Frameworks that need an environment of their own, or long to be fetched: `NAME.txt` is what
/// `tests/test_NAME.py` needs.
const APART: &str = "python/tests/apart";
/// Secrets that the tests send through every way into the package (`test_canaries.py`); `simulate`
/// makes them, of the kinds that the redactor promises to find.
const CANARIES: &str = "100";
/// The whole number, with `--canaries`.
const CANARIES_ALL: &str = "1000";
/// The sources, one folder a package; the first has the module.
const PACKAGES: [&str; 2] = ["tachograph", "tachograph_verify"];

pub(crate) const COMMAND: Command = Command {
    name: "python",
    summary: "builds the Python package and runs its tests",
    help: "\
Builds the module of python/ beside the binary (profile `demo`), puts the package together in the build folder, and
runs python/tests and python/examples with pytest in a virtual environment there, with frameworks from PyPI. No model
is called.

  --canaries   only: 1,000 secrets of all kinds through every way into the package, then looked for everywhere;
               without it 100 are sent
  --all        also the adapters of frameworks that take long to be fetched, each in an environment of its own
               (python/tests/apart); CI leaves them out
  -- ARGS      for pytest, instead of all tests

Examples:
  cargo xtask python
  cargo xtask python --all
  cargo xtask python --canaries
  cargo xtask python -- -k kill -x",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let further = arguments.passed_on();
    let (all, canaries) = (arguments.flag("--all"), arguments.flag("--canaries"));
    arguments.nothing_left()?;
    need(&Need::Python)?;
    let site = build()?;
    if canaries {
        let tests = place::root().join("python/tests/test_canaries.py");
        return test(&site, &further, CANARIES_ALL, &tests);
    }
    test(&site, &further, CANARIES, &place::root().join("python/tests"))?;
    if all { test_apart(&site, &further) } else { Ok(()) }
}

pub(crate) fn step() -> Result<Outcome, Failure> {
    test(&build()?, &[], CANARIES, &place::root().join("python/tests"))?;
    Ok(Outcome::Passed)
}

fn build() -> Result<PathBuf, Failure> {
    demo::build_with(&["-p", "python", "-p", "simulate"])?;
    assemble()
}

fn test(site: &Path, further: &[String], canaries: &str, tests: &Path) -> Result<(), Failure> {
    let python = wheels::python("python", Path::new(REQUIREMENTS))?;
    let folder = Temporary::new("python-canaries")?;
    let simulate = Job::new(place::built("demo", "simulate"));
    let secrets = folder.path().join("secrets");
    let lines = simulate.args(["redaction", "--canaries", canaries]).read()?;
    fs::write(&secrets, lines).map_err(|e| Failure::file("write", &secrets, &e))?;
    let job = pytest(&python, site).env("TACHOGRAPH_CANARIES", &secrets);
    job.args(further).arg(tests).run()
}

/// What each framework apart has: the tests of its adapter, and its example.
fn test_apart(site: &Path, further: &[String]) -> Result<(), Failure> {
    let folder = place::root().join(APART);
    let files = fs::read_dir(&folder).map_err(|e| Failure::file("list", &folder, &e))?;
    let mut names = Vec::new();
    for file in files {
        let path = file.map_err(|e| Failure::file("list", &folder, &e))?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let tests = place::root().join("python/tests");
    for name in names {
        let requirements = Path::new(APART).join(format!("{name}.txt"));
        let python = wheels::python(&format!("python-{name}"), &requirements)?;
        let files = [tests.join(format!("test_{name}.py")), tests.join("test_examples.py")];
        pytest(&python, site).args(further).args(&files).run()?;
    }
    Ok(())
}

/// pytest of that Python, with the package; arguments follow.
fn pytest(python: &Path, site: &Path) -> Job {
    Job::new(python)
        .env("PYTHONPATH", site)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TACHOGRAPH_PROGRAM", place::tacho("demo"))
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--rootdir"])
        .arg(place::root().join("python"))
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
