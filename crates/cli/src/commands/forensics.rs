//! `tacho forensics`: what failed first in a trace, why as far as the log shows, what followed.

use super::trace;
use crate::answer::Conclude as _;
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::paper::{self, harmless};
use crate::source::{Place, Source};
use clap::Args;
use query::{Found, Trace};
use reading::answer::Unreadable;
use report::document;
use report::forensics::{self, Forensics, Surroundings};
use std::ops::ControlFlow;

const AFTER_HELP: &str = "\
The answer names the first failure, its cause by documented rules (docs/forensics.md), how certain that is,
what followed, what else touched the same tool, resource, model and caller within 15 minutes, what cannot be
seen, and what to do. Each claim names events; `tacho prove INDEX` proves them. `tacho report incident TRACE` makes of
it a report to hand over: with impact, people, proofs and lines to sign.

Examples:
  tacho forensics 5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6
  tacho forensics task-refund-order-1042 --format md > incident.md
  tacho forensics session-refund-7731 --by session --format html > incident.html
  tacho forensics task-refund-order-1042 --format pdf > incident.pdf
  tacho forensics task-refund-order-1042 --format json | jq .root_cause
  tacho forensics task-refund-order-1042 --url https://log.example.org";

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
        let known = [Format::Text, Format::Json, Format::Md, Format::Html, Format::Pdf];
        let format = context.format(&known)?;
        let source = context.source()?;
        if let (Place::Server(remote), None) = (source.place(), self.by)
            && let Some((bytes, unreadable)) =
                remote.forensics(&self.id, &format.name(), self.alone)?
        {
            let printed = paper::print(context, &harmless(bytes, format), format);
            return unreadable.conclude_after(printed, context);
        }
        let examined = Examined::of(context, &source, (&self.id, self.by), self.alone)?;
        let printed = paper::print(context, &written(context, &examined.answer, format), format);
        examined.unreadable.conclude_after(printed, context)
    }
}

/// A trace, task or session that was examined, and the records that it consists of.
pub(super) struct Examined {
    pub(super) answer: Forensics,
    pub(super) trace: Trace,
    pub(super) found: Vec<Found<'static>>,
    /// Records that may belong to it and could not be read.
    pub(super) unreadable: Unreadable,
}

impl Examined {
    /// Examines what has this id, and unless it is looked at alone, what happened around it.
    pub(super) fn of(
        context: &Context,
        source: &Source,
        (id, by): (&str, Option<trace::By>),
        alone: bool,
    ) -> Result<Self, Failure> {
        let (scope, found, mut unreadable) = trace::find(source, id, by)?;
        if found.is_empty() {
            return Err(trace::unknown(context, source, id, by, &unreadable)?);
        }
        let as_of = source.as_of()?;
        let trace = Trace::assemble(scope, &found);
        let around = if alone {
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
        if let Place::Folder(view) = source.place() {
            let mut entries = view.reading().entries();
            answer.hash(|index| entries.leaf_hash(index));
        }
        Ok(Self { answer, trace, found, unreadable })
    }
}

fn written(context: &Context, answer: &Forensics, format: Format) -> Vec<u8> {
    let document = || forensics::document(answer);
    match format {
        Format::Json => document::json(answer).into_bytes(),
        Format::Md => document::markdown(&document()).into_bytes(),
        Format::Html => document::html(&document()).into_bytes(),
        Format::Pdf => document::pdf(&document()),
        _ => document::text(&document(), context.terminal.view()).into_bytes(),
    }
}
