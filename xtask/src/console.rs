//! `cargo xtask console`: the web console's own checks, and that the files in the repository are
//! what its sources give.
//!
//! What it is: npm in `console/`: types, lint, unit tests, a build that is compared with
//! crates/serve/console, and the end-to-end tests in Chromium against the real binary.
//! What it is not: the server, which carries those files (`crates/serve/build.rs`).

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place::{self, Temporary};
use crate::steps::Outcome;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The sources.
const SOURCES: &str = "console";
/// The files as `tacho` carries them.
const BUILT: &str = "crates/serve/console";

pub(crate) const COMMAND: Command = Command {
    name: "console",
    summary: "checks the web console, and compares its built files with its sources",
    help: "\
Installs the console's packages (`npm ci` in console/), checks types, lints, runs the unit tests, and builds.
The files must be those in crates/serve/console, which go into `tacho`; after a change write them anew. Then
opens the console in Debian's Chromium against target/demo/tacho (installed when one is root).

  --write        writes the files instead of comparing them, and ends
  --no-browser   leaves the tests in Chromium out
  --all          every page in both colours at both widths, instead of two of the four

Examples:
  cargo xtask console --write
  cargo xtask test --only build,console",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let write = arguments.flag("--write");
    let browser = !arguments.flag("--no-browser");
    let looks = if arguments.flag("--all") { "all" } else { "some" };
    arguments.nothing_left()?;
    need(&Need::Node)?;
    install()?;
    if write {
        return build(&place::root().join(BUILT));
    }
    check()?;
    if browser {
        need(&Need::Chromium)?;
        end_to_end(looks)?;
    }
    Ok(())
}

/// The same as a step; without a browser the rest is checked all the same.
pub(crate) fn step() -> Result<Outcome, Failure> {
    need(&Need::Node)?;
    install()?;
    check()?;
    if let Err(failure) = need(&Need::Chromium) {
        return Ok(Outcome::Skipped(failure.to_string()));
    }
    end_to_end("some")?;
    Ok(Outcome::Passed)
}

fn npm(words: &[&str]) -> Job {
    let sources = place::root().join(SOURCES);
    Job::new("npm").arg("--prefix").arg(sources).args(words)
}

fn install() -> Result<(), Failure> {
    npm(&["ci", "--no-audit", "--no-fund", "--loglevel", "error"]).run()
}

fn check() -> Result<(), Failure> {
    npm(&["run", "check"]).run()?;
    let folder = Temporary::new("console")?;
    build(folder.path())?;
    compare(&place::root().join(BUILT), folder.path())
}

fn build(to: &Path) -> Result<(), Failure> {
    let sources = place::root().join(SOURCES);
    let vite = Job::new("node").arg(sources.join("node_modules/vite/bin/vite.js"));
    vite.arg("build").arg(sources).arg("--outDir").arg(to).arg("--emptyOutDir").run()
}

fn end_to_end(looks: &str) -> Result<(), Failure> {
    npm(&["run", "e2e"]).env("TACHO", place::tacho("demo")).env("LOOKS", looks).run()
}

/// Holds the files in the repository to those that were built.
fn compare(kept: &Path, built: &Path) -> Result<(), Failure> {
    let (kept, built) = (files(kept)?, files(built)?);
    let names = kept.keys().chain(built.keys());
    let other = names.filter(|name| kept.get(*name) != built.get(*name)).min();
    let Some(name) = other else { return Ok(()) };
    let what = match (kept.contains_key(name), built.contains_key(name)) {
        (true, true) => "is not what the sources give",
        (true, false) => "is not built any more",
        _ => "is missing",
    };
    let again = "write them anew with `cargo xtask console --write`";
    Err(Failure::Failed(format!("{BUILT}/{} {what}; {again}", name.display())))
}

/// All files below a folder, by their path in it.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, Failure> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        let entries = std::fs::read_dir(&at).map_err(|e| Failure::file("read", &at, &e))?;
        for entry in entries {
            let path = entry.map_err(|e| Failure::file("read", &at, &e))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|e| Failure::file("read", &path, &e))?;
            found.insert(path.strip_prefix(folder).unwrap_or(&path).to_owned(), bytes);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_left_over_or_another_is_named() {
        let folder = Temporary::new("console-compare").unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        for side in [&one, &other] {
            std::fs::create_dir_all(side.join("assets")).unwrap();
            std::fs::write(side.join("index.html"), "page").unwrap();
            std::fs::write(side.join("assets/a.js"), "script").unwrap();
        }
        assert!(compare(&one, &other).is_ok());
        let says = |part: &str| {
            let failure = compare(&one, &other).unwrap_err().to_string();
            assert!(failure.contains(part), "{failure}");
        };
        std::fs::write(other.join("assets/a.js"), "Script").unwrap();
        says("assets/a.js is not what");
        std::fs::remove_file(other.join("assets/a.js")).unwrap();
        says("assets/a.js is not built");
        std::fs::remove_file(one.join("assets/a.js")).unwrap();
        std::fs::write(other.join("mark.svg"), "").unwrap();
        says("mark.svg is missing");
    }
}
