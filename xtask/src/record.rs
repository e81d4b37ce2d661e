//! `cargo xtask record`: makes the recordings in `testdata/` anew, or checks those that repeat.
//!
//! What it is: a runner for the scripts in testdata/record, whose README says what each records.
//! What it is not: a recorder; the frameworks that are recorded are Python, and so are the scripts.

use std::path::{Path, PathBuf};

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place;
use crate::steps::Outcome;

const FOLDER: &str = "testdata/record";

/// A script of that folder.
struct Script {
    name: &'static str,
    file: &'static str,
    /// Where it writes, below `testdata/`.
    writes: &'static str,
    /// Whether every run writes the same bytes, so that `--check` can compare them.
    repeats: bool,
    /// Whether it needs the packages of requirements.txt, or the standard library alone.
    packages: bool,
}

const fn script(name: &'static str, file: &'static str, writes: &'static str) -> Script {
    Script { name, file, writes, repeats: false, packages: true }
}

const SCRIPTS: &[Script] = &[
    script("ag2-hub", "record_ag2_hub.py", "ag2/hub"),
    script("otlp", "record_otlp.py", "otlp"),
    Script { repeats: true, ..script("conventions", "conventions.py", "otlp/generations") },
    Script { packages: false, ..script("forensic", "record_autogen_forensic.py", "forensic") },
    Script {
        repeats: true,
        packages: false,
        ..script("incident", "refund_incident.py", "incident")
    },
    Script { repeats: true, packages: false, ..script("bad", "bad_lines.py", "bad") },
];

pub(crate) const COMMAND: Command = Command {
    name: "record",
    summary: "makes the recordings in testdata/ anew, or checks them",
    help: "\
Runs the scripts of testdata/record (default: all), in a virtual environment of their own where they need
packages. With --check only those that write the same bytes every time are run; a file in the tree that
differs from what its script writes is named, put back, and the command fails.

  --check      compare instead of writing
  --list       names, scripts and folders

Examples:
  cargo xtask record ag2-hub
  cargo xtask record --check
  cargo xtask record --check incident bad",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let check = arguments.flag("--check");
    let list = arguments.flag("--list");
    let names = arguments.rest()?;
    if let Some(name) = names.iter().find(|name| SCRIPTS.iter().all(|one| one.name != **name)) {
        return Err(Failure::Usage(format!("no recording `{name}`; --list shows them")));
    }
    if list {
        for one in SCRIPTS {
            println!("{:12} {FOLDER}/{:28} testdata/{}", one.name, one.file, one.writes);
        }
        return Ok(());
    }
    let named =
        |one: &&Script| names.is_empty() || names.iter().any(|name| name.as_str() == one.name);
    for one in SCRIPTS.iter().filter(named).filter(|one| !check || one.repeats) {
        if check { compare(one)? } else { record(one)? }
    }
    Ok(())
}

/// The step of `cargo xtask test`: the recordings that need nothing but Python.
pub(crate) fn step() -> Result<Outcome, Failure> {
    need(&Need::Python)?;
    for one in SCRIPTS.iter().filter(|one| one.repeats && !one.packages) {
        compare(one)?;
    }
    Ok(Outcome::Passed)
}

fn record(one: &Script) -> Result<(), Failure> {
    need(&Need::Python)?;
    let python = if one.packages { environment()? } else { PathBuf::from("python3") };
    let script = place::root().join(FOLDER).join(one.file);
    Job::new(python).env("PYTHONDONTWRITEBYTECODE", "1").arg(script).run()
}

/// A virtual environment in the build folder with the packages that the scripts import.
fn environment() -> Result<PathBuf, Failure> {
    let folder = place::target().join("record");
    let python = folder.join("bin/python");
    if !python.exists() {
        Job::new("python3").args(["-m", "venv"]).arg(&folder).run()?;
    }
    let requirements = place::root().join(FOLDER).join("requirements.txt");
    Job::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements).run()?;
    Ok(python)
}

/// Runs a script and compares what it wrote with what stood there; what stood there stays.
fn compare(one: &Script) -> Result<(), Failure> {
    let folder = place::root().join("testdata").join(one.writes);
    let before = contents(&folder)?;
    let ran = record(one);
    let mut stale = Vec::new();
    for (path, bytes) in &before {
        if std::fs::read(path).ok().as_ref() != Some(bytes) {
            stale.push(path.display().to_string());
            std::fs::write(path, bytes).map_err(|e| Failure::file("put back", path, &e))?;
        }
    }
    ran?;
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{FOLDER}/{} writes something else now than {}; run `cargo xtask record {}`, read the \
         difference and commit it",
        one.file,
        stale.join(", "),
        one.name
    )))
}

/// The files in a folder, not in folders below it.
fn contents(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Failure::file("list", folder, &e))? {
        let path = entry.map_err(|e| Failure::file("list", folder, &e))?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path).map_err(|e| Failure::file("read", &path, &e))?;
            found.push((path, bytes));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_and_its_folder_exist() {
        for one in SCRIPTS {
            assert!(place::root().join(FOLDER).join(one.file).is_file(), "{}", one.file);
            assert!(place::root().join("testdata").join(one.writes).is_dir(), "{}", one.writes);
        }
    }
}
