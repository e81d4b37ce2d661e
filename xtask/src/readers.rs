//! `cargo xtask readers`: pyarrow and DuckDB, as PyPI has them, open an export and the segments of
//! a log.
//!
//! What it is: makes a log with segments, exports it, gets the keys with the real binary, and runs
//! testdata/readers/check.py. What it is not: a reader; that script shares no line with ours.

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

const FOLDER: &str = "testdata/readers";

pub(crate) const COMMAND: Command = Command {
    name: "readers",
    summary: "has pyarrow and DuckDB open an export and the segments of a log",
    help: "\
Makes a log of 60,000 events whose records lie in segments, exports it as NDJSON and Parquet, writes the keys of
its segments with `tacho keys export-segment`, and lets pyarrow and DuckDB (from PyPI, as wheels, in a
virtual environment in the build folder) count rows and compare values. Needs target/demo/tacho.

Examples:
  cargo xtask readers
  cargo xtask test --only build,readers",
    run,
};

fn run(arguments: Arguments) -> Result<(), Failure> {
    arguments.nothing_left()?;
    step().map(|_| ())
}

pub(crate) fn step() -> Result<Outcome, Failure> {
    let python = python()?;
    let folder = Temporary::new("readers")?;
    let at = |name: &str| folder.path().join(name);
    let (data, kek) = (at("data"), at("kek"));
    demo::build_with(&["-p", "seal", "--example", "rolled_log"])?;
    Job::new(place::built("demo", "examples/rolled_log")).args([&data, &kek]).run()?;
    let tacho = |words: &[&Path]| {
        let job = Job::new(place::tacho("demo")).env("TACHO_DATA", &data);
        job.env("TACHO_KEK_FILE", &kek).args(words).run()
    };
    let (lines, plain) = (at("all.ndjson"), at("all.parquet"));
    // Oldest first: the second export would hold the record of the first one. Both end before it.
    let export = |words: &[&str], output: &Path| {
        let words: Vec<&Path> = words.iter().map(Path::new).collect();
        tacho(&[&words[..], &[Path::new("--output"), output]].concat())
    };
    export(&["export", "--format", "ndjson"], &lines)?;
    export(&["export", "--format", "parquet", "--type", "agent.*"], &plain)?;
    let segments = segments(&data)?;
    let keys = at("keys");
    std::fs::create_dir_all(&keys).map_err(|e| Failure::file("create", &keys, &e))?;
    for segment in &segments {
        let key = keys.join(segment.file_name().unwrap_or_default()).with_extension("key");
        let words = ["keys", "export-segment"].map(Path::new);
        tacho(&[&words[..], &[segment, Path::new("--output"), &key]].concat())?;
    }
    Job::new(python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(place::root().join(FOLDER).join("check.py"))
        .args([Path::new("--lines"), &lines, Path::new("--plain"), &plain])
        .args([Path::new("--segments"), &data, Path::new("--keys"), &keys])
        .run()?;
    Ok(Outcome::Passed)
}

/// A Python that has pyarrow and DuckDB.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    need(&Need::Python)?;
    wheels::python("readers", &Path::new(FOLDER).join("requirements.txt"))
}

/// Every segment below a data folder.
fn segments(data: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut found, mut folders) = (Vec::new(), vec![data.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Failure::file("list", &folder, &e))? {
            let path = entry.map_err(|e| Failure::file("list", &folder, &e))?.path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|it| it == "parquet") => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    Ok(found)
}
