//! `cargo xtask test`: what a developer runs before pushing and what CI runs; the steps stand in
//! `steps.rs`.

use std::time::{Duration, Instant};

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::{self, Job};
use crate::lane::{self, Beside, Lane};
use crate::need::need;
use crate::place;
use crate::steps::{Action, Outcome, STEPS, Step};

pub(crate) const COMMAND: Command = Command {
    name: "test",
    summary: "everything that must pass before a change lands",
    help: "\
Runs the steps of xtask/src/steps.rs in order, installs what they need (Debian packages when root, cargo
subcommands), stops at the first failure and says what to do about it. Steps that run the product's binary
run beside those that compile and test its parts: their output comes last, and a failure among them is told at
once but ends the run only then. Ends with a table of times.

  --only STEP  run only these steps (repeat, or separate by commas)
  --skip STEP  leave these out
  --list       show the steps

Examples:
  cargo xtask test
  cargo xtask test --only fmt,clippy,tidy
  cargo xtask test --skip fuzz --skip simulate",
    run,
};

fn run(arguments: Arguments) -> Result<(), Failure> {
    // CI systems set CI=true, and nobody watches a progress bar there.
    run_steps(arguments, std::env::var_os("CI").is_some())
}

/// A line of the closing table.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) verdict: String,
    pub(crate) took: Duration,
}

impl Line {
    fn new(step: &Step, outcome: &Result<Outcome, Failure>, took: Duration) -> Self {
        let verdict = match outcome {
            Ok(Outcome::Passed) => "passed".to_owned(),
            Ok(Outcome::Skipped(reason)) => format!("skipped: {reason}"),
            Err(_) => "FAILED".to_owned(),
        };
        Self { name: step.name.to_owned(), verdict, took }
    }

    /// How the end of a step is told, for people and for the other lane.
    fn tell(&self) -> String {
        format!("{}: {} in {}", self.name, self.verdict, seconds(self.took))
    }

    /// The reverse of telling; nothing where it is something else.
    pub(crate) fn told(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once(": ")?;
        let (verdict, took) = rest.rsplit_once(" in ")?;
        let took = took.strip_suffix(" s")?.parse().ok()?;
        let (name, verdict) = (name.to_owned(), verdict.to_owned());
        Some(Self { name, verdict, took: Duration::try_from_secs_f64(took).ok()? })
    }
}

/// Runs the chosen steps; `plain` asks for output without colour and progress bars.
pub(crate) fn run_steps(mut arguments: Arguments, plain: bool) -> Result<(), Failure> {
    let list = arguments.flag("--list");
    let attached = arguments.flag(lane::ATTACHED);
    let only = arguments.values("--only")?;
    let skip = arguments.values("--skip")?;
    arguments.nothing_left()?;
    let chosen = choose(&only, &skip)?;
    if list {
        for step in chosen {
            println!("{:10} {}", step.name, step.what);
        }
        return Ok(());
    }
    if plain {
        job::make_plain();
    }
    if attached {
        lane::end_with_parent();
    }
    let start = Instant::now();
    let (here, there): (Vec<&Step>, Vec<&Step>) =
        chosen.into_iter().partition(|step| step.lane == Lane::Code);
    let mut lines = Vec::new();
    let result = match (&*here, &*there) {
        ([], steps) | (steps, []) => run_in_order(steps, &mut lines),
        (here, there) => run_both(here, there, &mut lines),
    };
    print!("{}", table(&lines, start.elapsed()));
    result
}

/// Runs some steps here and some beside, and ends both at a failure of either.
fn run_both(here: &[&Step], there: &[&Step], lines: &mut Vec<Line>) -> Result<(), Failure> {
    let names: Vec<&str> = there.iter().map(|step| step.name).collect();
    let beside = Beside::start(&names)?;
    if let Err(failure) = run_in_order(here, lines) {
        beside.stop();
        return Err(failure);
    }
    beside.finish(lines)
}

fn run_in_order(steps: &[&Step], lines: &mut Vec<Line>) -> Result<(), Failure> {
    for (position, step) in steps.iter().enumerate() {
        println!(
            "\n{}{} of {}: {} ({})",
            lane::MARK,
            position + 1,
            steps.len(),
            step.name,
            step.what
        );
        let start = Instant::now();
        let outcome = run_step(step);
        let line = Line::new(step, &outcome, start.elapsed());
        println!("{}{}", lane::MARK, line.tell());
        lines.push(line);
        if let Err(failure) = outcome {
            return Err(Failure::Failed(format!(
                "step `{}`: {failure}\nwhat to do: {}\nagain: cargo xtask test --only {}",
                step.name, step.remedy, step.name
            )));
        }
    }
    Ok(())
}

fn choose(only: &[String], skip: &[String]) -> Result<Vec<&'static Step>, Failure> {
    for name in only.iter().chain(skip) {
        if !STEPS.iter().any(|step| step.name == name) {
            return Err(Failure::Usage(format!("no step `{name}`; --list shows them")));
        }
    }
    let wanted = |step: &&Step| {
        (only.is_empty() || only.iter().any(|name| name == step.name))
            && !skip.iter().any(|name| name == step.name)
    };
    let chosen: Vec<&Step> = STEPS.iter().filter(wanted).collect();
    if chosen.is_empty() {
        return Err(Failure::Usage("no step is left to run".to_owned()));
    }
    Ok(chosen)
}

fn run_step(step: &Step) -> Result<Outcome, Failure> {
    if let Some(file) = step.file
        && !place::root().join(file).exists()
    {
        return Ok(Outcome::Skipped(format!("there is no {file}")));
    }
    for what in step.needs {
        need(what)?;
    }
    match &step.action {
        Action::Call(function) => function(),
        Action::Cargo(words, variables) => {
            let mut job = Job::cargo().args(*words);
            for (name, value) in *variables {
                job = job.env(name, value);
            }
            job.run()?;
            Ok(Outcome::Passed)
        }
    }
}

/// The closing table. Its last line counts steps, in the form that test runners use.
fn table(lines: &[Line], total: Duration) -> String {
    let mut text = String::from("\n");
    for line in lines {
        text.push_str(&format!("{:10} {:>8}  {}\n", line.name, seconds(line.took), line.verdict));
    }
    let count =
        |verdict: &str| lines.iter().filter(|line| line.verdict.starts_with(verdict)).count();
    let (passed, failed, skipped) = (count("passed"), count("FAILED"), count("skipped"));
    text.push_str(&format!(
        "{:10} {:>8}\n\n{passed} passed, {failed} failed",
        "total",
        seconds(total)
    ));
    if skipped > 0 {
        text.push_str(&format!(", {skipped} skipped"));
    }
    text.push('\n');
    text
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], skip: &[&str]) -> Option<Vec<&'static str>> {
        let owned = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let chosen = choose(&owned(only), &owned(skip)).ok()?;
        Some(chosen.iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_are_chosen_in_table_order() {
        assert_eq!(names(&["tidy", "fmt"], &[]), Some(vec!["fmt", "tidy"]));
        assert_eq!(names(&["tidy", "fmt"], &["fmt"]), Some(vec!["tidy"]));
        assert_eq!(names(&[], &[]).map(|all| all.len()), Some(STEPS.len()));
    }

    #[test]
    fn unknown_or_empty_choice_is_refused() {
        assert_eq!(names(&["nonsense"], &[]), None);
        assert_eq!(names(&[], &["nonsense"]), None);
        assert_eq!(names(&["fmt"], &["fmt"]), None);
    }

    #[test]
    fn table_counts_each_verdict() {
        let line = |verdict: &str| Line {
            name: "step".to_owned(),
            verdict: verdict.to_owned(),
            took: Duration::from_millis(1500),
        };
        let all = [line("passed"), line("skipped: no file"), line("passed"), line("FAILED")];
        let total = Duration::from_millis(4200);
        let shown = table(&all, total);
        assert!(shown.ends_with("\n2 passed, 1 failed, 1 skipped\n"), "{shown}");
        assert!(shown.contains("1.5 s") && shown.contains("4.2 s"), "{shown}");
        assert!(table(&all[..1], total).ends_with("\n1 passed, 0 failed\n"));
    }
}
