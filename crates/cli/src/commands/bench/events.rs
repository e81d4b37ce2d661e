//! `tacho bench events`.

use crate::bench::Pool;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use clap::Args;
use std::io::Write as _;

const AFTER_HELP: &str = "\
Examples:
  tacho bench events --count 100000 > events.ndjson
  tacho bench events --seed 2 | tacho append";

/// Events written at a time.
const BATCH_EVENTS: usize = 1000;

/// The events that the other measurements append, as lines of JSON, for other programs
///
/// About 620 bytes each, without secrets; the same seed gives the same lines.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Events {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1000)]
    count: usize,
    /// Which ones
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Events {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let pool = Pool::new(self.seed);
        let mut source = pool.source(self.seed);
        let mut out = context.terminal.programs();
        let (mut left, mut lines) = (self.count, Vec::new());
        while left > 0 {
            let batch = left.min(BATCH_EVENTS);
            source.fill(batch, &mut lines);
            out.write_all(&lines)?;
            left -= batch;
        }
        out.flush()?;
        Ok(Exit::Fine)
    }
}
