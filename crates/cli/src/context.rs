//! What every command is given: the options, the terminal, and the way to the log that is meant.

use crate::arguments::{Format, Global};
use crate::commands::Command;
use crate::configuration_folder::ConfigurationFolder;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_source;
use crate::source::Source;
use crate::terminal::Terminal;
use keys::Kek;
use reading::{DataFolder, LogFolder, Memory, Reading};
use std::sync::Arc;

/// One run of the program.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) terminal: Terminal,
    /// Where it is remembered how far logs came, if anywhere. Whoever opens a log for writing asks
    /// it, and tells it when the log is closed.
    pub(crate) memory: Option<Memory>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        let terminal = Terminal::new(global.quiet);
        let memory = ConfigurationFolder::locate().map(|folder| folder.memory());
        Self { global, terminal, memory }
    }

    /// Runs a command and prints why it ended early, if it did.
    pub(crate) fn run(self, command: Command) -> Exit {
        command.run(&self).unwrap_or_else(|failure| self.terminal.failure(&failure))
    }

    /// The format asked for, which must be one of these; the first one is used when none was asked
    /// for.
    pub(crate) fn format(&self, known: &[Format]) -> Result<Format, Failure> {
        let Some(format) = self.global.format else {
            return Ok(known.first().copied().unwrap_or(Format::Text));
        };
        if known.contains(&format) {
            return Ok(format);
        }
        let names: Vec<String> = known.iter().map(|format| format.name()).collect();
        let sentence = format!(
            "this command has no format {}; choose one of: {}",
            format.name(),
            names.join(", ")
        );
        Err(Failure::usage(sentence))
    }

    /// The data folder.
    pub(crate) fn data_folder(&self) -> DataFolder {
        DataFolder::new(&self.global.data)
    }

    /// The log that is meant, which must exist.
    pub(crate) fn log_folder(&self) -> Result<LogFolder, Failure> {
        Ok(self.data_folder().find(&self.global.log)?)
    }

    /// The key-encryption key of an existing log.
    pub(crate) fn kek(&self, log: &LogFolder) -> Result<Arc<Kek>, Failure> {
        let kek = key_source::kek_of(&self.global.key, &*log.folder)?;
        kek.map(Arc::new).ok_or_else(key_source::none)
    }

    /// The log that is meant, to be asked questions: in the folder, or at the server that is named.
    pub(crate) fn source(&self) -> Result<Source, Failure> {
        Source::open(self)
    }

    /// The log that is meant, opened for reading.
    pub(crate) fn reading(&self) -> Result<Reading, Failure> {
        let log = self.log_folder()?;
        let kek = self.kek(&log)?;
        Ok(Reading::open(log, &kek)?)
    }
}
