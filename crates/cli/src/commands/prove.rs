//! `tacho prove`: one record's proof, to be checked without trusting whoever runs the log.

use crate::answer::Bar;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{STRONG, Terminal, styled};
use clap::Args;
use query::Filter;
use reading::{Reading, View, proofs};
use std::io::Write as _;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
A tlog-proof (C2SP) shows that an entry is in the log. With --evidence the record itself is in the
document, and `tacho verify FILE` checks all of it offline.

Examples:
  tacho prove 41 -o 41.tlog-proof
  tacho prove 684ce501-7644-591e-a2a5-63dc3157fc3c --evidence -o refund.evidence.json
  tacho prove 41 --evidence --metadata-only";

/// Prove that an event is in the log
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The event's id, or its index in the log
    #[arg(value_name = "EVENT")]
    event: String,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write an evidence document (JSON) that holds the record too
    #[arg(long)]
    evidence: bool,
    /// Leave the content out of the evidence; the metadata still proves
    #[arg(long, requires = "evidence")]
    metadata_only: bool,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let view = context.view()?;
        let reading = view.reading();
        let index = self.index(&view, context.terminal)?;
        let text = match self.evidence {
            true => {
                proofs::evidence(reading, index, !self.metadata_only)?.to_json()
                    + "
"
            }
            false => proofs::tlog_proof(reading, index)?.to_string(),
        };
        self.write(context, &text)?;
        self.tell(context, reading, index);
        Ok(Exit::Fine)
    }

    /// The index that is meant.
    fn index(&self, view: &View, terminal: Terminal) -> Result<u64, Failure> {
        let size = view.as_of().size;
        if let Ok(index) = self.event.parse::<u64>() {
            if index < size {
                return Ok(index);
            }
            let sentence = format!("the log has no record {index}: it has {size}, from 0 on");
            return Err(Failure::new(sentence));
        }
        let filter =
            Filter { events: vec![self.event.clone()], limit: Some(1), ..Filter::default() };
        let page = view.page(&filter, None, &Bar::new(terminal))?;
        if let Some(found) = page.found.first() {
            return Ok(found.index);
        }
        Err(Failure::new(format!(
            "no event {:?} in the log {:?}; `tacho events` finds events by other things",
            self.event,
            view.reading().log().identity.name
        )))
    }

    fn write(&self, context: &Context, text: &str) -> Result<(), Failure> {
        match &self.output {
            Some(path) => std::fs::write(path, text).map_err(Failure::io("write", path)),
            None => {
                let mut out = context.terminal.programs();
                out.write_all(text.as_bytes())?;
                Ok(out.flush()?)
            }
        }
    }

    /// How to check it.
    fn tell(&self, context: &Context, reading: &Reading, index: u64) {
        let size = reading.checkpoint().size;
        context.terminal.note(format!("Record {index} is proved as of {size} entries."));
        let first = reading.log().identity.keys.first().map_or("VKEY", String::as_str);
        let newest = reading.epochs().in_force(size).keys.first().map(ToString::to_string);
        let file =
            self.output.as_ref().map_or("FILE".to_owned(), |path| path.display().to_string());
        let how = match self.evidence {
            true => styled(STRONG, format_args!("tacho verify {file} --key '{first}'")),
            false => format!(
                "any C2SP tlog-proof verifier, with the entry and the key {}",
                newest.as_deref().unwrap_or(first)
            ),
        };
        context.terminal.note(format!("Check it with: {how}"));
    }
}
