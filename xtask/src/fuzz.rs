//! `cargo xtask fuzz`: runs the targets of `fuzz/` on the stable compiler.
//!
//! Seeds committed in fuzz/corpus/TARGET are read; what a run finds goes to the build folder, so
//! that a run never dirties the tree. fuzz/README.md says how to add a target.

use std::path::PathBuf;

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place;
use crate::steps::Outcome;

const SECONDS_DEFAULT: u32 = 30;

/// An input that takes longer than this is a finding of its own.
const INPUT_SECONDS_MAX: u32 = 1;

/// A target that needs more memory than this is a finding of its own.
const MEMORY_MEBIBYTES_MAX: u32 = 512;

/// Longer inputs find nothing that shorter ones do not, only slower.
const INPUT_BYTES_MAX: u32 = 32 << 10;

/// Freed memory that the sanitizer keeps back counts as used; 32 MiB of it find what 256 would.
const SANITIZER_OPTIONS: &str = "quarantine_size_mb=32";

pub(crate) const COMMAND: Command = Command {
    name: "fuzz",
    summary: "runs fuzz targets, each for some seconds",
    help: "\
Runs the named targets (default: all in fuzz/Cargo.toml). Installs cargo-fuzz when it is missing. Uses the
stable compiler with the address sanitizer (RUSTC_BOOTSTRAP=1), or without one where that does not build.

  --seconds N  time per target (default 30)
  --list       show the targets

Examples:
  cargo xtask fuzz
  cargo xtask fuzz merkle_bundle --seconds 600
  cargo xtask fuzz --list",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let list = arguments.flag("--list");
    let seconds = arguments.number("--seconds", SECONDS_DEFAULT)?;
    let names = arguments.rest()?;
    if list {
        for target in targets()? {
            println!("{target}");
        }
        return Ok(());
    }
    need(&Need::Compiler)?;
    need(&Need::CargoCommand("cargo-fuzz"))?;
    run_targets(&names, seconds).map(|_| ())
}

/// Fuzzes every target, each for the same part of this time.
pub(crate) fn run_all_within(seconds: u32) -> Result<Outcome, Failure> {
    let count = u32::try_from(targets()?.len()).unwrap_or(u32::MAX);
    run_targets(&[], (seconds / count.max(1)).max(1))
}

/// Fuzzes the named targets, or all of them, each for this long.
pub(crate) fn run_targets(names: &[String], seconds: u32) -> Result<Outcome, Failure> {
    let all = targets()?;
    if let Some(name) = names.iter().find(|name| !all.contains(name)) {
        return Err(Failure::Usage(format!(
            "no fuzz target `{name}`; there are: {}",
            all.join(", ")
        )));
    }
    let chosen = if names.is_empty() { all } else { names.to_vec() };
    if chosen.is_empty() {
        return Ok(Outcome::Skipped("fuzz/Cargo.toml names no target".to_owned()));
    }
    let sanitizer = build(&chosen)?;
    for target in &chosen {
        run_target(target, sanitizer, seconds)?;
    }
    println!("{} targets, {seconds} s each, sanitizer {sanitizer}: no finding", chosen.len());
    Ok(Outcome::Passed)
}

/// The names of the targets, from fuzz/Cargo.toml.
fn targets() -> Result<Vec<String>, Failure> {
    let path = place::root().join("fuzz/Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| Failure::file("read", &path, &e))?;
    target_names(&text).map_err(|e| Failure::Failed(format!("{}: {e}", path.display())))
}

fn target_names(manifest: &str) -> Result<Vec<String>, toml::de::Error> {
    let table: toml::Table = manifest.parse()?;
    let bins = table.get("bin").and_then(toml::Value::as_array);
    let name = |bin: &toml::Value| bin.get("name")?.as_str().map(str::to_owned);
    Ok(bins.into_iter().flatten().filter_map(name).collect())
}

/// Builds with the address sanitizer, or without where the compiler refuses; says which it was.
fn build(chosen: &[String]) -> Result<&'static str, Failure> {
    let attempt = |sanitizer: &'static str| -> Result<&'static str, Failure> {
        match chosen {
            [one] => cargo_fuzz("build", sanitizer).arg(one).run()?,
            // All at once: one target at a time would leave processors idle.
            _ => cargo_fuzz("build", sanitizer).run()?,
        }
        Ok(sanitizer)
    };
    attempt("address").or_else(|failure| {
        println!("{failure}; trying without a sanitizer");
        attempt("none")
    })
}

fn cargo_fuzz(verb: &str, sanitizer: &str) -> Job {
    Job::cargo().env("RUSTC_BOOTSTRAP", "1").args(["fuzz", verb, "-s", sanitizer])
}

fn run_target(target: &str, sanitizer: &str, seconds: u32) -> Result<(), Failure> {
    // The first corpus folder is the one that libFuzzer writes to.
    let found = place::target().join("fuzz-corpus").join(target);
    std::fs::create_dir_all(&found).map_err(|e| Failure::file("create", &found, &e))?;
    let seeds = place::root().join("fuzz/corpus").join(target);
    let mut job = cargo_fuzz("run", sanitizer).env("ASAN_OPTIONS", SANITIZER_OPTIONS);
    // With a backtrace, a panic takes longer to tell than an input may take.
    job = job.env("RUST_BACKTRACE", "0").arg(target).arg(&found);
    if seeds.is_dir() {
        job = job.arg(&seeds);
    }
    job = job.arg("--").arg(format!("-max_total_time={seconds}"));
    job = job.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
    job = job.arg(format!("-rss_limit_mb={MEMORY_MEBIBYTES_MAX}"));
    job = job.arg(format!("-max_len={INPUT_BYTES_MAX}")).arg("-verbosity=0");
    if let Some(dictionary) = dictionary(target) {
        job = job.arg(format!("-dict={}", dictionary.display()));
    }
    job.run()
}

/// The words of the format: those of this target, or those of all targets of its crate.
fn dictionary(target: &str) -> Option<PathBuf> {
    let folder = place::root().join("fuzz/dictionaries");
    let of_crate = target.split('_').next().unwrap_or(target);
    let names = [target, of_crate].map(|name| folder.join(format!("{name}.txt")));
    names.into_iter().find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_the_manifest() {
        let manifest = "[package]\nname = \"x\"\n[[bin]]\nname = \"a\"\npath = \"a.rs\"\n[[bin]]\nname = \"b\"\n";
        assert_eq!(target_names(manifest).unwrap(), ["a", "b"]);
        assert!(target_names("[package]\nname = \"x\"").unwrap().is_empty());
        assert!(target_names("[[bin").is_err());
    }

    #[test]
    fn every_file_is_a_target() {
        let targets = targets().unwrap();
        for entry in std::fs::read_dir(place::root().join("fuzz/targets")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(targets.contains(&name), "{name} is not in fuzz/Cargo.toml");
        }
    }

    #[test]
    fn a_target_goes_by_its_own_words_or_those_of_its_crate() {
        let name = |target| {
            dictionary(target).and_then(|path| Some(path.file_name()?.to_str()?.to_owned()))
        };
        assert_eq!(name("capture_ag2_wal").as_deref(), Some("capture.txt"));
        assert_eq!(name("nothing_known"), None);
    }

    #[test]
    fn every_target_has_its_file_and_seeds() {
        for target in targets().unwrap() {
            let folder = place::root().join("fuzz");
            assert!(folder.join(format!("targets/{target}.rs")).is_file(), "{target}");
            let seeds = std::fs::read_dir(folder.join("corpus").join(&target)).unwrap();
            assert!(seeds.count() > 0, "{target} has no seed");
        }
    }
}
