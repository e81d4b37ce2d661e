//! `cargo xtask`: every chore of the project, in plain Rust, so that nothing but Rust is needed to
//! start.
//!
//! What it is: one file per command, a table of them, and help. What it is not: a build system
//! (that is cargo) or a part of the product (nothing imports it). Next door: `.ci/run` calls
//! `cargo xtask test`; `steps.rs` is the list of what that runs; `tidy/` holds the house rules as a
//! test.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "xtask talks to a person in a terminal"
)]

mod arguments;
mod attack;
mod bench;
mod bundle;
mod ci;
mod console;
mod demo;
mod deny;
mod exporters;
mod failure;
mod fuzz;
mod job;
mod lane;
mod need;
mod place;
mod python;
mod readers;
mod record;
mod redact_eval;
mod reference;
mod simulate;
mod steps;
mod strength;
mod test;
mod tidy;
mod wasm;
mod wheels;
mod witnesses;

use std::process::ExitCode;

use arguments::Arguments;
use failure::Failure;

/// One `cargo xtask` command.
pub(crate) struct Command {
    /// What one types after `cargo xtask`.
    pub(crate) name: &'static str,
    /// One line for the overview.
    pub(crate) summary: &'static str,
    /// Options and examples, for `--help`.
    pub(crate) help: &'static str,
    run: fn(Arguments) -> Result<(), Failure>,
}

/// All commands, in the order in which the overview shows them.
pub(crate) const COMMANDS: &[Command] = &[
    demo::COMMAND,
    test::COMMAND,
    ci::COMMAND,
    tidy::COMMAND,
    wasm::COMMAND,
    bundle::COMMAND,
    console::COMMAND,
    reference::COMMAND,
    readers::COMMAND,
    exporters::COMMAND,
    witnesses::COMMAND,
    python::COMMAND,
    redact_eval::COMMAND,
    fuzz::COMMAND,
    simulate::COMMAND,
    attack::COMMAND,
    bench::COMMAND,
    strength::COMMAND,
    deny::COMMAND,
    record::COMMAND,
];

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.is_empty() || matches!(words[0].as_str(), "-h" | "--help" | "help") && words.len() == 1
    {
        print!("{}", overview());
        return ExitCode::SUCCESS;
    }
    let mut name = words.remove(0);
    if name == "help" {
        name = words.remove(0);
        words = vec!["--help".to_owned()];
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("error: no command `{name}`; `cargo xtask --help` lists them");
        return ExitCode::from(2);
    };
    match run(command, words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            if matches!(failure, Failure::Usage(_)) {
                eprintln!("`cargo xtask {} --help` shows what it takes", command.name);
            }
            failure.exit_code()
        }
    }
}

fn run(command: &Command, words: Vec<String>) -> Result<(), Failure> {
    let mut arguments = Arguments::new(words);
    if arguments.flag("--help") || arguments.flag("-h") {
        println!(
            "cargo xtask {}: {}\n\n{}",
            command.name,
            command.summary,
            command.help.trim_end()
        );
        return Ok(());
    }
    (command.run)(arguments)
}

fn overview() -> String {
    let mut text = String::from("cargo xtask COMMAND [OPTIONS]: the project's chores\n\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:11} {}\n", command.name, command.summary));
    }
    text.push_str("\n`cargo xtask COMMAND --help` shows options and examples.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_with_an_example() {
        for command in COMMANDS {
            let example = format!("cargo xtask {}", command.name);
            assert!(command.help.contains("Examples:"), "{}", command.name);
            assert!(command.help.contains(&example), "{}", command.name);
            assert!(overview().contains(command.summary), "{}", command.name);
        }
    }

    #[test]
    fn command_names_are_unique() {
        for (position, command) in COMMANDS.iter().enumerate() {
            let first = COMMANDS.iter().position(|other| other.name == command.name);
            assert_eq!(first, Some(position), "{}", command.name);
        }
    }
}
