//! `cargo xtask record`: makes the files of the tree that are a program's output anew, or says which are stale.
//!
//! A hand-copied output rots; one that a command makes and a check compares does not.

use std::path::Path;

use crate::Command;
use crate::arguments::Arguments;
use crate::demo;
use crate::failure::Failure;
use crate::job::Job;
use crate::place::{self, Temporary};

/// A file that holds what `tacho` printed.
struct Recording {
    name: &'static str,
    /// The words after `tacho`; `DATA` stands for a fresh data folder.
    words: &'static [&'static str],
    file: &'static str,
    /// Whether the same build prints the same bytes, so that `--check` can compare them.
    repeatable: bool,
}

const RECORDINGS: &[Recording] = &[
    Recording {
        name: "help",
        words: &["--help"],
        file: "docs/reference/help.txt",
        repeatable: true,
    },
    Recording {
        name: "demo",
        words: &["demo", "--headless", "--data", "DATA"],
        file: "docs/reference/demo.txt",
        repeatable: false,
    },
];

pub(crate) const COMMAND: Command = Command {
    name: "record",
    summary: "makes recorded outputs in docs/ anew, or checks them",
    help: "\
Runs `tacho` and writes what it prints into docs/reference/. With --check nothing is written; a file that
differs from what the program prints now is named and the command fails.

  --check      compare instead of writing (only outputs that repeat)
  --list       names, files and commands

Examples:
  cargo xtask record
  cargo xtask record demo
  cargo xtask record --check",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let check = arguments.flag("--check");
    let list = arguments.flag("--list");
    let names = arguments.rest()?;
    if let Some(name) = names.iter().find(|name| RECORDINGS.iter().all(|one| one.name != **name)) {
        return Err(Failure::Usage(format!("no recording `{name}`; --list shows them")));
    }
    if list {
        for one in RECORDINGS {
            println!("{:8} {:28} tacho {}", one.name, one.file, one.words.join(" "));
        }
        return Ok(());
    }
    demo::build()?;
    let chosen = |one: &&Recording| names.is_empty() || names.iter().any(|name| name == one.name);
    for one in RECORDINGS.iter().filter(chosen) {
        if !check || one.repeatable {
            record(one, check)?;
        }
    }
    Ok(())
}

fn record(one: &Recording, check: bool) -> Result<(), Failure> {
    let data = Temporary::new("record")?;
    let mut job = Job::new(place::tacho("demo")).env("NO_COLOR", "1");
    for word in one.words {
        job = if *word == "DATA" { job.arg(data.path().join("data")) } else { job.arg(word) };
    }
    let printed = job.read()?;
    let file = place::root().join(one.file);
    if check {
        return compare(one, &file, &printed);
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Failure::file("create", folder, &e))?;
    }
    std::fs::write(&file, printed).map_err(|e| Failure::file("write", &file, &e))?;
    println!("wrote {}", one.file);
    Ok(())
}

fn compare(one: &Recording, file: &Path, printed: &str) -> Result<(), Failure> {
    let recorded = std::fs::read_to_string(file).unwrap_or_default();
    if recorded == printed {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{} is not what `tacho {}` prints now; run `cargo xtask record {}` and commit the file",
        one.file,
        one.words.join(" "),
        one.name
    )))
}
