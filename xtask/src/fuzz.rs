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
            println!("{}", target.name);
        }
        return Ok(());
    }
    need(&Need::Compiler)?;
    need(&Need::CargoCommand("cargo-fuzz"))?;
    run_targets(&names, seconds).map(|_| ())
}

/// Fuzzes every target that needs nothing further, each for the same part of this time: what the
/// others need takes long to build.
pub(crate) fn run_all_within(seconds: u32) -> Result<Outcome, Failure> {
    let plain = targets()?.into_iter().filter(|target| target.features.is_empty());
    let names: Vec<String> = plain.map(|target| target.name).collect();
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    run_targets(&names, (seconds / count.max(1)).max(1))
}

/// Fuzzes the named targets, or all of them, each for this long.
pub(crate) fn run_targets(names: &[String], seconds: u32) -> Result<Outcome, Failure> {
    let all = targets()?;
    if let Some(name) = names.iter().find(|name| !all.iter().any(|it| it.name == **name)) {
        let known: Vec<&str> = all.iter().map(|target| target.name.as_str()).collect();
        return Err(Failure::Usage(format!(
            "no fuzz target `{name}`; there are: {}",
            known.join(", ")
        )));
    }
    let is_chosen = |target: &Target| names.is_empty() || names.contains(&target.name);
    let chosen: Vec<Target> = all.into_iter().filter(is_chosen).collect();
    if chosen.is_empty() {
        return Ok(Outcome::Skipped("fuzz/Cargo.toml names no target".to_owned()));
    }
    let mut features: Vec<&str> =
        chosen.iter().flat_map(|it| &it.features).map(|it| &**it).collect();
    features.sort_unstable();
    features.dedup();
    let features = features.join(",");
    let sanitizer = build(&chosen, &features)?;
    for target in &chosen {
        run_target(&target.name, sanitizer, &features, seconds)?;
    }
    println!("{} targets, {seconds} s each, sanitizer {sanitizer}: no finding", chosen.len());
    Ok(Outcome::Passed)
}

/// A target, and the features of `fuzz` that it needs.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    name: String,
    features: Vec<String>,
}

/// The targets of fuzz/Cargo.toml.
fn targets() -> Result<Vec<Target>, Failure> {
    let path = place::root().join("fuzz/Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| Failure::file("read", &path, &e))?;
    targets_of(&text).map_err(|e| Failure::Failed(format!("{}: {e}", path.display())))
}

fn targets_of(manifest: &str) -> Result<Vec<Target>, toml::de::Error> {
    let table: toml::Table = manifest.parse()?;
    let bins = table.get("bin").and_then(toml::Value::as_array);
    let target = |bin: &toml::Value| {
        let features = bin.get("required-features").and_then(toml::Value::as_array);
        let features = features.into_iter().flatten().filter_map(toml::Value::as_str);
        let name = bin.get("name")?.as_str()?.to_owned();
        Some(Target { name, features: features.map(str::to_owned).collect() })
    };
    Ok(bins.into_iter().flatten().filter_map(target).collect())
}

/// Builds with the address sanitizer, or without where the compiler refuses; says which it was.
fn build(chosen: &[Target], features: &str) -> Result<&'static str, Failure> {
    let attempt = |sanitizer: &'static str| -> Result<&'static str, Failure> {
        match chosen {
            [one] => cargo_fuzz("build", sanitizer, features).arg(&one.name).run()?,
            // All at once: one target at a time would leave processors idle.
            _ => cargo_fuzz("build", sanitizer, features).run()?,
        }
        Ok(sanitizer)
    };
    attempt("address").or_else(|failure| {
        println!("{failure}; trying without a sanitizer");
        attempt("none")
    })
}

fn cargo_fuzz(verb: &str, sanitizer: &str, features: &str) -> Job {
    let job = Job::cargo().env("RUSTC_BOOTSTRAP", "1").args(["fuzz", verb, "-s", sanitizer]);
    if features.is_empty() { job } else { job.args(["--features", features]) }
}

fn run_target(target: &str, sanitizer: &str, features: &str, seconds: u32) -> Result<(), Failure> {
    // The first corpus folder is the one that libFuzzer writes to.
    let found = place::target().join("fuzz-corpus").join(target);
    std::fs::create_dir_all(&found).map_err(|e| Failure::file("create", &found, &e))?;
    let seeds = place::root().join("fuzz/corpus").join(target);
    let mut job = cargo_fuzz("run", sanitizer, features).env("ASAN_OPTIONS", SANITIZER_OPTIONS);
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
        let manifest = "[package]\nname = \"x\"\n[[bin]]\nname = \"a\"\npath = \"a.rs\"\n\
                        [[bin]]\nname = \"b\"\nrequired-features = [\"f\"]\n";
        let target = |name: &str, features: &[&str]| Target {
            name: name.to_owned(),
            features: features.iter().map(|it| (*it).to_owned()).collect(),
        };
        assert_eq!(targets_of(manifest).unwrap(), [target("a", &[]), target("b", &["f"])]);
        assert!(targets_of("[package]\nname = \"x\"").unwrap().is_empty());
        assert!(targets_of("[[bin").is_err());
    }

    #[test]
    fn every_file_is_a_target() {
        let targets = targets().unwrap();
        for entry in std::fs::read_dir(place::root().join("fuzz/targets")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let is_known = targets.iter().any(|target| target.name == name);
            assert!(is_known, "{name} is not in fuzz/Cargo.toml");
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
        for Target { name: target, .. } in targets().unwrap() {
            let folder = place::root().join("fuzz");
            assert!(folder.join(format!("targets/{target}.rs")).is_file(), "{target}");
            let seeds = std::fs::read_dir(folder.join("corpus").join(&target)).unwrap();
            assert!(seeds.count() > 0, "{target} has no seed");
        }
    }
}
