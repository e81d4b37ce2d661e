//! `cargo xtask tidy`: the house rules that a program can check. Also a test, so `cargo test` runs
//! it.
//!
//! One file per rule family under `tidy/`; each takes the tree, read once, and returns findings.
//! What it is not: a parser. It looks at lines with strings and comments blanked out
//! (`tidy/lexer.rs`), which is enough for rules about names, lengths and folders.

mod arrows;
mod blobs;
mod dead;
mod lexer;
mod opening;
mod pages;
mod pure;
mod size;
mod tree;
mod words;
mod wrap;

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::place;
use crate::steps::Outcome;
use tree::Tree;

pub(crate) const COMMAND: Command = Command {
    name: "tidy",
    summary: "checks the house rules: arrows, sizes, words, dead files",
    help: "\
Checks: allowed crate arrows; a `//!` opening in every file; functions of at most 70 and files of at most
600 lines without tests; 100 columns; forbidden words; files that nothing includes; large binary files;
no I/O in pure crates; decision records listed; commands in README.md exist. Each finding is one line:
path:line: what; why; what to do.

  --wrap       break comment lines of more than 100 columns, which `cargo fmt` leaves alone

Examples:
  cargo xtask tidy
  cargo xtask tidy --wrap
  cargo xtask tidy --wrap crates/merkle",
    run,
};

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, from the root of the repository.
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    /// What is there, why it must not be, and what to do about it.
    pub(crate) message: String,
}

impl Finding {
    /// Three half-sentences make a message.
    fn new(path: &str, line: usize, what: &str, why: &str, remedy: &str) -> Self {
        Self { path: path.to_owned(), line, message: format!("{what}; {why}; {remedy}") }
    }
}

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    if arguments.flag("--wrap") {
        wrap::files(&place::root(), &arguments.rest()?)?;
        return step().map(|_| ());
    }
    arguments.nothing_left()?;
    step().map(|_| ())
}

/// The step of `cargo xtask test`.
pub(crate) fn step() -> Result<Outcome, Failure> {
    let tree = Tree::read(&place::root())?;
    let findings = check(&tree);
    for finding in &findings {
        println!("{}:{}: {}", finding.path, finding.line, finding.message);
    }
    if findings.is_empty() {
        println!("{} files are tidy", tree.files.len());
        return Ok(Outcome::Passed);
    }
    Err(Failure::Failed(format!("{} house rules are broken", findings.len())))
}

fn check(tree: &Tree) -> Vec<Finding> {
    let rules: [fn(&Tree) -> Vec<Finding>; 8] = [
        arrows::check,
        opening::check,
        size::check,
        words::check,
        dead::check,
        blobs::check,
        pure::check,
        pages::check,
    ];
    let mut findings: Vec<Finding> = rules.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let tree = Tree::read(&place::root()).unwrap();
        assert!(tree.files.iter().any(|file| file.path == "xtask/src/tidy.rs"));
        let findings = check(&tree);
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| format!("{}:{}: {}", finding.path, finding.line, finding.message))
            .collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }
}
