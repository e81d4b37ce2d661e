//! `tacho session`: which sessions there are, or everything that belongs to one, in causal order.

use super::{agent, trace};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use clap::Args;
use query::By;

const AFTER_HELP: &str = "\
Examples:
  tacho session                                   which sessions there are
  tacho session session-refund-7731
  tacho session session-refund-7731 --format json";

/// Show one session: its timeline, and who called whom; without an id, list all
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The session id
    #[arg(value_name = "ID")]
    id: Option<String>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.id {
            Some(id) => trace::show(context, id, Some(trace::By::Session)),
            None => agent::list(context, By::Session),
        }
    }
}
