//! `tacho completions`: what a shell needs to complete commands and options.

use crate::arguments::Arguments as Program;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::io::Write as _;

const AFTER_HELP: &str = "\
Examples:
  tacho completions bash > ~/.local/share/bash-completion/completions/tacho
  tacho completions zsh > ~/.zfunc/_tacho
  tacho completions fish > ~/.config/fish/completions/tacho.fish";

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        // The generator panics where it cannot write, so it writes to memory.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Program::command(), "tacho", &mut script);
        let mut out = context.terminal.programs();
        out.write_all(&script)?;
        out.flush()?;
        Ok(Exit::Fine)
    }
}
