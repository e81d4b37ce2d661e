//! The one binary `tacho`: arguments, configuration, wiring, exit codes.
//!
//! The only crate that reads the environment, the user's configuration folder and key files, and
//! the only one that prints. What a command does stands in a file of its own below `commands`; how
//! the verbs work stands in the crates below.
//!
//! | question | file |
//! |---|---|
//! | which options are there? | `arguments.rs`, and each command's own file |
//! | what does the exit code say? | `exit.rs`, `failure.rs` |
//! | how is something printed? | `terminal.rs` |
//! | where does the key-encryption key come from? | `key_source.rs` |
//! | where are the logs, and how is one made? | `data_folder.rs`, `configuration_folder.rs` |
//! | how is a log read without writing to it? | `reading.rs` |
//! | how is a log written to? | `writing.rs` |
//! | which checkpoint does an answer name? how are its records found? | `answer.rs`, `search.rs` |
//! | is a whole folder what the log says? | `verify.rs` |
//! | how fast is it here? | `bench.rs` |

mod answer;
mod arguments;
pub mod bench;
mod commands;
mod configuration_folder;
mod context;
mod data_folder;
mod environment;
mod exit;
mod failure;
mod intake;
mod key_source;
mod reading;
mod search;
mod terminal;
pub mod verify;
mod writing;

use clap::Parser as _;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs one command and returns the process's exit code (`exit.rs`).
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    forbid_core_dumps();
    match arguments::Arguments::try_parse_from(arguments) {
        Ok(arguments) => context::Context::new(arguments.global).run(arguments.command),
        Err(error) => terminal::print_usage(&error),
    }
    .into()
}

/// A core dump would hold keys and plaintext. Where it cannot be forbidden, nothing else is lost.
fn forbid_core_dumps() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
