//! `cargo xtask strength hostile-sql`: the ten thousand hostile statements, which are too many for
//! every change. The statements and what must hold stand in `crates/query/tests/it/hostile.rs`.

use std::time::Instant;

use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};

/// What one types instead of the name of a crate.
pub(super) const NAME: &str = "hostile-sql";

/// The build that has the SQL engine.
const BUILD: &[&str] = &["test", "-p", "query", "--features", "sql", "--test", "it"];

/// The test says what became of the statements, and the memory that they took.
const WORDS: &[&str] = &[
    "--",
    "--ignored",
    "--nocapture",
    "--exact",
    "hostile::ten_thousand_hostile_statements_do_no_harm",
];

/// Runs them, and says how long they took.
pub(super) fn run() -> Result<(), Failure> {
    need(&Need::Compiler)?;
    // Built beforehand, so that the time is that of the statements.
    Job::cargo().args(BUILD).arg("--no-run").run()?;
    let begun = Instant::now();
    let output = Job::cargo().args(BUILD).args(WORDS).read()?;
    print!("{output}");
    let seconds = begun.elapsed().as_secs_f64();
    println!("{}", summary(&output, seconds)?);
    Ok(())
}

/// One line: how many statements, the most memory that a thousand of them took, and the time.
fn summary(output: &str, seconds: f64) -> Result<String, Failure> {
    let (mut statements, mut most_mib) = (0, 0);
    for line in output.lines().filter(|line| line.contains("seed ")) {
        let before = |unit: &str| {
            let (number, _) = line.split_once(unit)?;
            number.rsplit(' ').next()?.parse::<u64>().ok()
        };
        statements += before(" statements").unwrap_or(0);
        most_mib = most_mib.max(before(" MiB at most").unwrap_or(0));
    }
    if statements == 0 {
        // A filter that matches no test passes, too.
        let sentence =
            "no statement ran: was the test in crates/query/tests/it/hostile.rs renamed?";
        return Err(Failure::Failed(sentence.to_owned()));
    }
    Ok(format!("{NAME}: {statements} statements, {most_mib} MiB at most, {seconds:.0} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_added_up_and_none_is_a_failure() {
        let output = "running 1 test\nseed 2, 1000 statements, 40 MiB at most: {}\n\
                      seed 3, 1000 statements, 163 MiB at most: {}\n";
        let line = summary(output, 102.7).unwrap();
        assert_eq!(line, "hostile-sql: 2000 statements, 163 MiB at most, 103 s");
        assert!(summary("running 0 tests\n", 0.1).is_err());
    }
}
