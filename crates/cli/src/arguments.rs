//! The command line: options that every command understands. A command's own are in its file.

use crate::commands::Command;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use std::ffi::OsString;
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
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) key: KeyArguments,
}

/// Which server is meant instead of a data folder. The token itself is never an argument: it is
/// read from a file or `TACHO_TOKEN`.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Server instead of a data folder (token also: TACHO_TOKEN)")]
pub(crate) struct ServerArguments {
    /// Ask this server: http://127.0.0.1:7411, https://log.example.org
    #[arg(long, global = true, value_name = "URL", env = "TACHO_URL")]
    pub(crate) url: Option<String>,
    /// File that holds the token [default: `token` in the configuration folder]
    #[arg(long, global = true, value_name = "PATH", env = "TACHO_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Authorities that the server's certificate may come from, beside the system's (PEM)
    #[arg(long, global = true, value_name = "PATH", env = "TACHO_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Certificate to show the server (PEM)
    #[arg(long, global = true, value_name = "PATH", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, global = true, value_name = "PATH", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Send the token even where others could read it on the way: http to another machine
    #[arg(long, global = true)]
    pub(crate) insecure: bool,
    /// Whether the address was said on the command line.
    #[arg(skip)]
    pub(crate) is_url_said: bool,
    /// Whether the token's file was named there.
    #[arg(skip)]
    pub(crate) is_token_file_said: bool,
}

impl ServerArguments {
    /// The address, if one is named.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref().map(str::trim).filter(|url| !url.is_empty())
    }
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
    /// For SIEMs: Common Event Format
    Cef,
    /// For SIEMs: Elastic Common Schema
    Ecs,
    /// For SIEMs: Open Cybersecurity Schema Framework
    Ocsf,
    /// For people: Markdown
    #[value(alias = "markdown")]
    Md,
    /// For people: a page
    Html,
    /// For people: pages of paper
    Pdf,
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

impl Arguments {
    /// Reads the command line. A data folder that is named on it comes before a server that is only
    /// named in the environment.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        let mut read =
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        let is_said = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        let server = &mut read.global.server;
        server.is_url_said = is_said("url") && server.url().is_some();
        server.is_token_file_said = is_said("token_file");
        if is_said("data") && server.is_url_said {
            let both = "--data names a folder and --url a server; leave one of them out";
            return Err(command.error(ErrorKind::ArgumentConflict, both));
        }
        if is_said("data") {
            server.url = None;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_folder_on_the_command_line_comes_before_a_server_in_the_environment() {
        let read = |words: &[&str]| {
            let words = ["tacho"].iter().chain(words).map(OsString::from);
            Arguments::read(words)
        };
        let said = read(&["events", "--url", "http://x"]).unwrap().global.server;
        assert_eq!((said.url(), said.is_url_said), (Some("http://x"), true));
        let said = read(&["--url", "http://x", "events"]).unwrap().global.server;
        assert!(said.is_url_said && !said.is_token_file_said);
        assert!(read(&["verify", "--token-file", "f"]).unwrap().global.server.is_token_file_said);
        assert!(read(&["events", "--url", "http://x", "--data", "y"]).is_err());
        assert!(read(&["--data", "y", "events", "--url", "http://x"]).is_err());
        assert_eq!(read(&["events", "--data", "y"]).unwrap().global.server.url(), None);
        assert!(read(&["serve", "--insecure"]).is_ok());
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("tacho "), "{}", command.get_name());
        }
    }
}
