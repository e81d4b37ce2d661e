//! `tacho provenance`: where an act comes from, "was this the agent or the user?".

use crate::answer::Conclude as _;
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::paper;
use crate::source::Source;
use clap::Args;
use query::{Cursor, Filter, Found, Provenance, Scope, Trace, render};

const AFTER_HELP: &str = "\
The chain follows parents, then causes, then what the same agent did before; each step says by which. Who asked
is what the events claim; `sent by` is the caller that the log authenticated. Approvals that name another call
or tool are listed apart.

Examples:
  tacho provenance 4654c727-b887-5a39-abd7-c708fdfda1e1
  tacho provenance 12
  tacho provenance 12 --format json | jq -r .origin";

/// Show who wanted an act: the chain from the request to it, with approvals and hand-overs
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The event's id, or its index in the log
    #[arg(value_name = "EVENT")]
    event: String,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json])?;
        let source = context.source()?;
        let act = self.find(&source)?;
        let Some(scope) = scope(&act) else {
            return Err(Failure::new(format!(
                "record {} belongs to no trace, task or session; nothing leads to it",
                act.index
            )));
        };
        let page = source.page(&scope.filter(), None)?;
        let as_of = source.as_of()?;
        let trace = Trace::assemble(scope, &page.found);
        let it = Provenance::of(&trace, &page.found, &act.index.to_string()).ok_or_else(|| {
            Failure::new(format!("record {} cannot be read; run `tacho verify`", act.index))
        })?;
        let text = match format {
            Format::Json => render::provenance_json(&it, &trace, &as_of),
            _ => render::provenance(&it, &trace, &as_of, context.terminal.view()),
        };
        let printed = paper::print(context, text.as_bytes(), format);
        page.unreadable.conclude_after(printed, context)
    }

    /// The record that is meant.
    fn find(&self, source: &Source) -> Result<Found<'static>, Failure> {
        let by_id =
            Filter { events: vec![self.event.clone()], limit: Some(1), ..Filter::default() };
        if let Some(found) = source.page(&by_id, None)?.found.into_iter().next() {
            return Ok(found);
        }
        let mut meant = None;
        if let Ok(index) = self.event.parse::<u64>() {
            let one = Filter { limit: Some(1), ..Filter::default() };
            let cursor = Cursor::new(source.as_of()?.size, &one, index);
            let found = source.page(&one, Some(&cursor))?.found.into_iter().next();
            meant = found.filter(|found| found.index == index);
        }
        meant.ok_or_else(|| {
            Failure::new(format!(
                "no event {:?} in the log; `tacho events` finds events by other things",
                self.event
            ))
        })
    }
}

/// The narrowest thing that an event belongs to.
fn scope(found: &Found<'_>) -> Option<Scope> {
    let event = found.event().ok()?;
    let by = |id: &Option<event::Text<'_>>, scope: fn(String) -> Scope| {
        id.as_deref().map(|id| scope(id.to_owned()))
    };
    by(&event.trace_id, Scope::Trace)
        .or_else(|| by(&event.task_id, Scope::Task))
        .or_else(|| by(&event.session_id, Scope::Session))
}
