//! Virtual environments in the build folder, with wheels from PyPI: for the programs of others that
//! our files and our server are checked with.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::job::Job;
use crate::place;

/// The Python of an environment called `name` that has what `requirements` lists, a file in the
/// repository.
pub(crate) fn python(name: &str, requirements: &Path) -> Result<PathBuf, Failure> {
    let folder = place::target().join(name);
    let python = folder.join("bin/python");
    if !python.exists() {
        Job::new("python3").args(["-m", "venv"]).arg(&folder).run()?;
    }
    let words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let install = Job::new(&python).args(words).args(["--only-binary", ":all:", "-r"]);
    install.arg(place::root().join(requirements)).run().map_err(|failure| {
        Failure::Failed(format!(
            "what {} lists could not be installed ({failure}): this step fetches wheels from PyPI. Where \
             there is no network, point pip at a mirror (PIP_INDEX_URL) or leave the step out with \
             `cargo xtask test --skip {name}`",
            requirements.display()
        ))
    })?;
    Ok(python)
}
