//! The commands: one file each, with its options, its help and what it does.

mod init;
mod keys;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use clap::Subcommand;

/// What `tacho` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Arguments),
    Keys(keys::Arguments),
}

impl Command {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Init(arguments) => arguments.run(context),
            Self::Keys(arguments) => arguments.run(context),
        }
    }
}
