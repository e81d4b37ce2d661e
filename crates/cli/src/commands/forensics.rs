//! `tacho forensics`: what failed first in a trace, why as far as the log shows, what followed.

use super::trace;
use crate::answer::Conclude as _;
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::source::{Place, Source};
use clap::Args;
use query::Trace;
use report::document;
use report::forensics::{self, Forensics, Surroundings};
use std::io::Write as _;
use std::ops::ControlFlow;

const AFTER_HELP: &str = "\
The answer names the first failure, its cause by documented rules (docs/forensics.md), how certain that is,
what followed, what else touched the same tool, resource, model and caller within 15 minutes, what cannot be
seen, and what to do. Each claim names events; `tacho prove INDEX` proves them.

Examples:
  tacho forensics 5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6
  tacho forensics task-refund-order-1042 --format md > incident.md
  tacho forensics session-refund-7731 --by session --format html > incident.html
  tacho forensics task-refund-order-1042 --format json | jq .root_cause";

/// Examine an incident: root cause, consequences, blast radius
///
/// TRACE is a trace id; when no event has it, a task id or a session id.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The id
    #[arg(value_name = "TRACE")]
    id: String,
    /// What the id is of
    #[arg(long, value_enum)]
    by: Option<trace::By>,
    /// Do not look at what else happened at the time
    #[arg(long)]
    alone: bool,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Md, Format::Html])?;
        let source = context.source()?;
        let (scope, found, mut unreadable) = trace::find(&source, &self.id, self.by)?;
        if found.is_empty() {
            return Err(trace::unknown(context, &source, &self.id, self.by, &unreadable)?);
        }
        let as_of = source.as_of()?;
        let trace = Trace::assemble(scope, &found);
        let around = if self.alone {
            None
        } else {
            let mut around = Surroundings::new(&trace, &found);
            unreadable = unreadable.and(source.each(&around.filter(), &mut |found| {
                around.offer(found);
                Ok(ControlFlow::Continue(()))
            })?);
            Some(around)
        };
        let mut answer = forensics::examine(&trace, &found, &as_of, around.as_ref());
        hash(&source, &mut answer);
        print(context, &answer, format)?;
        Ok(unreadable.conclude(context))
    }
}

/// Adds the hashes of the leaves that the answer rests on, as far as the public log has them.
fn hash(source: &Source, answer: &mut Forensics) {
    let Place::Folder(view) = source.place() else { return };
    let mut entries = view.reading().entries();
    for event in answer.evidence.iter_mut().filter(|event| event.leaf_hash.is_none()) {
        let entry = entries.at(event.index);
        event.leaf_hash =
            entry.map(|entry| hex::encode(merkle::leaf_hash(&entry.encode()).as_bytes()));
    }
}

fn print(context: &Context, answer: &Forensics, format: Format) -> Result<(), Failure> {
    let (text, is_for_people) = match format {
        Format::Json => (document::json(answer), false),
        Format::Md => (document::markdown(&forensics::document(answer)), false),
        Format::Html => (document::html(&forensics::document(answer)), false),
        _ => (document::text(&forensics::document(answer), context.terminal.view()), true),
    };
    if is_for_people {
        let mut out = context.terminal.people();
        out.write_all(text.as_bytes())?;
        return Ok(out.flush()?);
    }
    let mut out = context.terminal.programs();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
