//! `cargo xtask redact-eval`: how well the redactor finds secrets, beside other tools if asked, and
//! whether a planted one is anywhere afterwards.
//!
//! What it is: wiring. The corpus, the counting and the bars are `simulate redaction`
//! (crates/simulate/src/redaction.rs); testdata/redaction/peers.py asks the others, and
//! testdata/redaction/canary.py sends secrets through every way into the real binary.

use std::path::Path;

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place::{self, Temporary};
use crate::steps::Outcome;
use crate::{exporters, simulate, wheels};

const FOLDER: &str = "testdata/redaction";

/// Others see every so manieth sample: some of them take a millisecond for each.
const PEERS_STEP: &str = "6";
/// Secrets sent through every way in: of the slice, and of the whole.
const CANARIES_FEW: &str = "200";
const CANARIES: &str = "1000";

pub(crate) const COMMAND: Command = Command {
    name: "redact-eval",
    summary: "precision, recall and speed of redaction; planted secrets are nowhere",
    help: "\
Makes the held-out corpus of testdata/redaction (profile `demo`), has every sample redacted, and prints for each
rule how much it finds and what it takes besides; then the bars, of which each must hold: recall, precision, clean events,
throughput, hostile texts. Fails when one does not.

  --tune       the part for tuning instead, with examples of misses and false hits; those of the
               held-out part are never shown
  --peers      ask detect-secrets, presidio-analyzer and scrubadub (from PyPI, as wheels) the same
  --canaries   instead: send 1,000 secrets through every way in, kill servers in between, and look
               for them in every file, log line, metric and answer

Examples:
  cargo xtask redact-eval
  cargo xtask redact-eval --tune
  cargo xtask redact-eval --peers
  cargo xtask redact-eval --canaries",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let (tune, peers) = (arguments.flag("--tune"), arguments.flag("--peers"));
    let only_canaries = arguments.flag("--canaries");
    arguments.nothing_left()?;
    need(&Need::Compiler)?;
    if only_canaries {
        return canaries(CANARIES);
    }
    // Others first: a missed bar must not hide them.
    if peers {
        ask_peers()?;
    }
    evaluate(tune)
}

/// The slice of `cargo xtask test`: nothing is worse than it was, and a few canaries.
pub(crate) fn step() -> Result<Outcome, Failure> {
    redaction()?.args(["--keeps", "--tacho"]).arg(place::tacho("demo")).run()?;
    canaries(CANARIES_FEW)?;
    Ok(Outcome::Passed)
}

fn redaction() -> Result<Job, Failure> {
    Ok(simulate::job()?.arg("redaction"))
}

fn evaluate(tune: bool) -> Result<(), Failure> {
    let job = redaction()?.arg("--tacho").arg(place::tacho("demo"));
    if tune { job.arg("--tune").run() } else { job.run() }
}

fn ask_peers() -> Result<(), Failure> {
    need(&Need::Python)?;
    let python = wheels::python("peers", &Path::new(FOLDER).join("requirements.txt"))?;
    let folder = Temporary::new("peers")?;
    let sheet = write(folder.path(), "sheet", &redaction()?.args(["--sheet", PEERS_STEP]).read()?)?;
    let job = Job::new(python).env("PYTHONDONTWRITEBYTECODE", "1");
    job.arg(place::root().join(FOLDER).join("peers.py")).arg(sheet).run()
}

fn canaries(count: &str) -> Result<(), Failure> {
    need(&Need::Python)?;
    let python = wheels::python("exporters", Path::new(exporters::REQUIREMENTS))?;
    let folder = Temporary::new("canaries")?;
    let secrets = redaction()?.args(["--canaries", count]).read()?;
    let secrets = write(folder.path(), "secrets", &secrets)?;
    let job = Job::new(python).env("PYTHONDONTWRITEBYTECODE", "1");
    let job = job.arg(place::root().join(FOLDER).join("canary.py")).arg(place::tacho("demo"));
    job.arg(secrets).arg(folder.path().join("home")).arg(place::root().join("testdata")).run()
}

fn write(folder: &Path, name: &str, text: &str) -> Result<std::path::PathBuf, Failure> {
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(|e| Failure::file("write", &path, &e))?;
    Ok(path)
}
