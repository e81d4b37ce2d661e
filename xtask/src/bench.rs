//! `cargo xtask bench`: measures the real binary; the measuring itself is `tacho bench`.

use std::path::{Path, PathBuf};

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place;
use crate::readers;
use crate::wheels;

/// What is measured when nothing is named.
const CASES: &[&str] = &["append", "query", "ingest"];

pub(crate) const COMMAND: Command = Command {
    name: "bench",
    summary: "measures append, query and ingest with the release build",
    help: "\
Builds `tacho` in release mode and runs `tacho bench CASE --format json` for each case (default: append,
query, ingest). Compare ratios within one run; numbers of two machines do not compare. Beside `query` runs DuckDB from
PyPI, in the virtual environment of `cargo xtask readers`, unless --duckdb PYTHON names another.

  --peers      beside `ingest`, tamper-evident logs from PyPI, in a virtual environment that it makes
  --save NAME  also write the results to benches/results/NAME-CASE.json
  -- ARGS      further arguments for `tacho bench`

Examples:
  cargo xtask bench
  cargo xtask bench append -- --count 100000 --batch 1000
  cargo xtask bench query -- --events 1000000,5000000,20000000
  cargo xtask bench ingest --peers -- --case 8x1000
  cargo xtask bench --save baseline",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let save = arguments.value("--save")?;
    let peers = arguments.flag("--peers");
    let further = arguments.passed_on();
    let mut cases = arguments.rest()?;
    if let Some(case) = cases.iter().find(|case| !CASES.contains(&case.as_str())) {
        return Err(Failure::Usage(format!("no case `{case}`; there are {}", CASES.join(", "))));
    }
    if cases.is_empty() {
        cases = CASES.iter().map(|&case| case.to_owned()).collect();
    }
    need(&Need::Compiler)?;
    Job::cargo().args(["build", "--release", "-p", "cli", "--bin", "tacho"]).run()?;
    for case in cases {
        let mut job = Job::new(place::tacho("release")).args(["bench", &case, "--format", "json"]);
        if case == "query" && !further.iter().any(|word| word.starts_with("--duckdb")) {
            job = job.arg("--duckdb").arg(readers::python()?);
        }
        if case == "ingest" && peers {
            job = job.arg("--peers").arg(peers_python()?);
        }
        let result = job.args(&further).read()?;
        print!("{result}");
        if let Some(name) = &save {
            store(name, &case, &result)?;
        }
    }
    Ok(())
}

/// A Python that has the contenders of `ingest`.
fn peers_python() -> Result<PathBuf, Failure> {
    need(&Need::Python)?;
    wheels::python("bench-peers", Path::new("testdata/bench/requirements.txt"))
}

fn store(name: &str, case: &str, result: &str) -> Result<(), Failure> {
    let folder = place::root().join("benches/results");
    std::fs::create_dir_all(&folder).map_err(|e| Failure::file("create", &folder, &e))?;
    let file = folder.join(format!("{name}-{case}.json"));
    std::fs::write(&file, result).map_err(|e| Failure::file("write", &file, &e))
}
