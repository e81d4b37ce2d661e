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
//! | how is something printed? which key was pressed? | `terminal.rs`, `keyboard.rs` |
//! | where does the key-encryption key come from? | `key_source.rs` |
//! | how is a log written to? | `writing.rs` |
//! | how do events get in, whether a folder or a server has the log? | `destination.rs` |
//! | what is asked, whether a folder or a server has the log? | `source.rs` |
//! | how is a server talked to? | `remote.rs` |
//! | where does a server say that it holds a folder? | `serving/held.rs` |
//! | how does the log learn of an export, or of a key handed out? | `recording.rs` |
//! | whom does a server tell of its requests? | `telemetry.rs` |
//! | what is a witness's key? | `witnessing.rs` |
//! | who stamps a log? | `anchoring.rs` |
//! | how does a file appear, whole or not at all? | `whole_file.rs` |
//! | how does an answer say that it may lack records? | `answer.rs` |
//! | what does a SIEM get? | `siem.rs` |
//! | how is a log copied while it is being written to? | `backup.rs` |
//! | how fast is it here? | `bench.rs` |

mod anchoring;
mod answer;
mod arguments;
mod backup;
pub mod bench;
mod commands;
mod configuration_folder;
mod context;
mod destination;
mod detecting;
mod environment;
mod exit;
mod failure;
mod key_source;
mod keyboard;
mod paper;
mod recording;
mod remote;
mod retaining;
mod secret_file;
mod serving;
mod siem;
mod source;
mod telemetry;
mod terminal;
mod whole_file;
mod witnessing;
mod writing;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs one command and returns the process's exit code (`exit.rs`).
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    forbid_core_dumps();
    let words: Vec<OsString> = arguments.into_iter().collect();
    match arguments::Arguments::read(words.iter().cloned()) {
        Ok(arguments) => context::Context::new(arguments.global).run(arguments.command),
        Err(error) => terminal::print_usage(&error, &words),
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
