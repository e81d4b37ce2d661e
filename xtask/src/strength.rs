//! `cargo xtask strength`: how strong the tests are, by breaking the code on purpose
//! (cargo-mutants); and tests that are too long for every change.
//!
//! A test suite that still passes after a change to the code did not test that code. The bar per
//! crate stands in `BARS`; a crate below its bar fails the command and the surviving changes are
//! listed.

pub(crate) mod full_disk;
mod hostile;

use std::path::Path;

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place;

/// Crates worth the hours, and the share of changes in percent that their tests must notice: the
/// checker all of them, what keeps bytes safe nearly all.
const BARS: &[(&str, u32)] = &[
    ("prove", 100),
    ("checkpoint", 100),
    ("merkle", 95),
    ("keys", 95),
    ("store", 95),
    ("seal", 95),
    ("redact", 95),
];

/// A long test: what one types for it, and what runs it, with the rounds that are asked for.
type Long = (&'static str, fn(u32) -> Result<(), Failure>);

pub(crate) const COMMAND: Command = Command {
    name: "strength",
    summary: "measures how many deliberate mistakes the tests notice",
    help: "\
Runs cargo-mutants (installed when missing) on the crates named, or on prove, checkpoint, merkle, keys,
store, seal and redact. Takes from minutes to hours.

With `hostile-sql` instead of crates it runs ten thousand hostile SQL statements (some minutes, and
the time to build the SQL engine) and says how long they took and how much memory. With `full-disk`
it fills the disk of a server twenty times and frees it again (two minutes; as root: it mounts a file);
`cargo xtask test` does three rounds of it.

  --jobs N     mutants tested at a time (default 1)
  --minimum P  percent that must be noticed, instead of each crate's own bar
  --rounds N   how often the disk is filled (default 20)
  -- ARGS      further arguments for cargo mutants, for example --shard or --file

Examples:
  cargo xtask strength merkle
  cargo xtask strength prove --minimum 90 --jobs 2
  cargo xtask strength hostile-sql
  cargo xtask strength full-disk --rounds 100
  cargo xtask strength store -- --file crates/store/src/journal.rs",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let jobs = arguments.number("--jobs", 1_u32)?;
    let minimum = arguments.value("--minimum")?;
    let minimum = minimum
        .map(|text| text.parse::<u32>().map_err(|_| Failure::Usage(format!("--minimum: `{text}`"))))
        .transpose()?;
    let rounds = arguments.number("--rounds", full_disk::ROUNDS)?;
    let further = arguments.passed_on();
    let mut names = arguments.rest()?;
    let long: [Long; 2] = [(hostile::NAME, |_| hostile::run()), (full_disk::NAME, full_disk::run)];
    let asked: Vec<_> = long.iter().filter(|(name, _)| names.iter().any(|it| it == name)).collect();
    if !asked.is_empty() {
        names.retain(|name| long.iter().all(|(it, _)| it != name));
        asked.into_iter().try_for_each(|(_, run)| run(rounds))?;
        if names.is_empty() {
            return Ok(());
        }
    }
    if names.is_empty() {
        names = BARS.iter().map(|(name, _)| (*name).to_owned()).collect();
    }
    need(&Need::Compiler)?;
    need(&Need::CargoCommand("cargo-mutants"))?;
    let mut weak = Vec::new();
    for name in &names {
        let own = BARS.iter().find(|(one, _)| one == name).map_or(95, |(_, bar)| *bar);
        let bar = minimum.unwrap_or(own);
        let score = measure(name, jobs, &further)?;
        println!(
            "{name}: {} of {} noticed ({}%, bar {bar}%)",
            score.caught,
            score.tried(),
            score.percent()
        );
        if score.percent() < bar {
            weak.push(format!("{name} ({}% < {bar}%)", score.percent()));
        }
    }
    if weak.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "tests too weak: {}; the changes that nobody noticed stand in {}/*/mutants.out/missed.txt",
        weak.join(", "),
        place::target().join("strength").display()
    )))
}

/// What became of the deliberate mistakes in one crate.
#[derive(Debug, PartialEq, Eq)]
struct Score {
    caught: u64,
    missed: u64,
}

impl Score {
    fn tried(&self) -> u64 {
        self.caught + self.missed
    }

    /// Rounded down, so that 100 means all.
    fn percent(&self) -> u32 {
        let percent = (self.caught * 100).checked_div(self.tried()).unwrap_or(100);
        u32::try_from(percent).unwrap_or(100)
    }
}

fn measure(name: &str, jobs: u32, further: &[String]) -> Result<Score, Failure> {
    let output = place::target().join("strength").join(name);
    std::fs::create_dir_all(&output).map_err(|e| Failure::file("create", &output, &e))?;
    let ran = Job::cargo()
        .args(["mutants", "--package", name, "--jobs", &jobs.to_string(), "--output"])
        .arg(&output)
        .args(further)
        .run();
    // Exit codes 2 and 3 mean that mutants were missed or hung: that is the result, not a failure.
    if let Err(failure) = ran
        && !matches!(failure, Failure::Program { code: 2 | 3, .. })
    {
        return Err(failure);
    }
    read_score(&output.join("mutants.out/outcomes.json"))
}

fn read_score(path: &Path) -> Result<Score, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::file("read", path, &e))?;
    score(&text).ok_or_else(|| {
        Failure::Failed(format!(
            "{}: no counts in it; another cargo-mutants version?",
            path.display()
        ))
    })
}

/// A change that makes the tests hang was noticed too; one that does not compile says nothing.
fn score(outcomes: &str) -> Option<Score> {
    let value: serde_json::Value = serde_json::from_str(outcomes).ok()?;
    let count = |name: &str| value.get(name)?.as_u64();
    Some(Score { caught: count("caught")? + count("timeout")?, missed: count("missed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_counts_hangs_as_noticed_and_rounds_down() {
        let text = r#"{"caught": 197, "timeout": 2, "missed": 1, "unviable": 9}"#;
        let score = score(text).unwrap();
        assert_eq!(score, Score { caught: 199, missed: 1 });
        assert_eq!(score.percent(), 99);
    }

    #[test]
    fn nothing_tried_is_not_weak_and_no_counts_is_no_score() {
        assert_eq!(Score { caught: 0, missed: 0 }.percent(), 100);
        assert_eq!(score("{}"), None);
    }
}
