//! The command line: options that every command understands. A command's own are in its file.

use crate::commands::Command;
use clap::{Args, Parser, ValueEnum};
use std::path::PathBuf;

/// The data folder when none is named.
pub(crate) const DATA_DEFAULT: &str = "./tachograph-data";

const ABOUT: &str = "A tamper-evident log of everything that AI agents do";

const AFTER_HELP: &str = "\
Examples:
  tacho demo                                see all of it with recorded agents
  tacho init                                create a log
  tacho append events.ndjson                seal events, one JSON object a line
  tacho verify                              check every byte; name what is wrong
  tacho COMMAND --help                      more, with examples

Exit codes: 0 fine; 1 it failed; 2 usage; 3 refused by policy or authorisation; 10 verify found
tampering or loss; 11 verify could not assess everything asked.";

/// What was asked.
#[derive(Debug, Parser)]
#[command(name = "tacho", version, about = ABOUT, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The data folder: one folder a log
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TACHO_DATA",
        default_value = DATA_DEFAULT
    )]
    pub(crate) data: PathBuf,
    /// The log, by name
    #[arg(long, global = true, value_name = "NAME", default_value = "main")]
    pub(crate) log: String,
    /// How to print the answer
    #[arg(long, global = true, value_enum)]
    pub(crate) format: Option<Format>,
    /// Say nothing on standard error but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) key: KeyArguments,
}

/// Where the key-encryption key comes from. Secrets themselves are never arguments: they are read
/// from `TACHO_KEK` or `TACHO_KEK_PASSPHRASE`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Key-encryption key (also: TACHO_KEK, TACHO_KEK_PASSPHRASE)")]
pub(crate) struct KeyArguments {
    /// File that holds the key-encryption key [default: `kek` in the configuration folder]
    #[arg(long, global = true, value_name = "PATH", env = "TACHO_KEK_FILE")]
    pub(crate) kek_file: Option<PathBuf>,
    /// Program that prints the key-encryption key, with its arguments (no shell)
    #[arg(long, global = true, value_name = "COMMAND", env = "TACHO_KEK_COMMAND")]
    pub(crate) kek_command: Option<String>,
}

/// Where the key-encryption key comes from that takes the place of the old one. Secrets themselves
/// are never arguments.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "New key (also: TACHO_NEW_KEK, TACHO_NEW_KEK_PASSPHRASE)")]
pub(crate) struct NewKekArguments {
    /// File that holds the new key-encryption key; made when it is not there
    #[arg(long, value_name = "PATH")]
    pub(crate) new_kek_file: Option<PathBuf>,
    /// Program that prints the new key-encryption key, with its arguments (no shell)
    #[arg(long, value_name = "COMMAND")]
    pub(crate) new_kek_command: Option<String>,
}

/// How to print an answer. Not every command knows every format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[value(alias = "table")]
    Text,
    /// For programs: one JSON document
    Json,
    /// For programs: one JSON object a line
    Ndjson,
    /// For spreadsheets
    Csv,
    /// For analysis: Apache Parquet
    Parquet,
    /// For people: in the order of time
    Timeline,
    /// For people: who called whom
    Tree,
    /// Graphviz
    Dot,
    /// Mermaid
    Mermaid,
    /// A picture
    Svg,
}

impl Format {
    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("tacho "), "{}", command.get_name());
        }
    }
}
