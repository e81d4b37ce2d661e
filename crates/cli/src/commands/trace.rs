//! `tacho trace`: everything that belongs to one trace, session or task, in causal order.

use crate::answer::{Conclude as _, damage};
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::paper;
use crate::source::Source;
use clap::{Args, ValueEnum};
use event::Event;
use query::escape::escape;
use query::render::{self, View};
use query::row::{Rows, Shape};
use query::{AsOf, Difference, Found, Scope, Trace, write_trace};
use reading::answer::{self, Unreadable};
use std::collections::HashMap;
use std::io::Write as _;

const AFTER_HELP: &str = "\
Examples:
  tacho trace 5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6
  tacho trace task-refund-order-1042 --format tree
  tacho trace session-refund-7731 --by session --format json | jq '.totals'
  tacho trace task-refund-order-1042 --format svg > trace.svg
  tacho trace task-refund-order-1042 --format dot | dot -Tpdf > trace.pdf
  tacho trace task-refund-order-1042 --diff task-refund-order-1043";

/// Ids that an error names: what fits a few lines.
const SUGGESTIONS_MAX: usize = 5;

/// Ids that are kept in memory to choose from.
const IDS_MAX: usize = 100_000;

/// Of so many newest records: looking at all of a long log for a slip of the pen takes minutes.
const RECENT_RECORDS: u64 = 200_000;

/// Show one trace: its timeline, and who called whom
///
/// ID is a trace id; when no event has it, a task id or a session id.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The id
    #[arg(value_name = "ID")]
    id: String,
    /// What the id is of
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Lay this trace, task or session beside it: what both did, and what only one
    #[arg(long, value_name = "ID")]
    diff: Option<String>,
}

/// What an id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// A trace
    Trace,
    /// A task
    Task,
    /// A session
    Session,
}

impl By {
    const ALL: [Self; 3] = [Self::Trace, Self::Task, Self::Session];

    fn scope(self, id: &str) -> Scope {
        let id = id.to_owned();
        match self {
            Self::Trace => Scope::Trace(id),
            Self::Task => Scope::Task(id),
            Self::Session => Scope::Session(id),
        }
    }

    fn id_of<'e>(self, event: &'e Event<'_>) -> Option<&'e str> {
        match self {
            Self::Trace => event.trace_id.as_deref(),
            Self::Task => event.task_id.as_deref(),
            Self::Session => event.session_id.as_deref(),
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Task => "task",
            Self::Session => "session",
        }
    }
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.diff {
            Some(other) => compare(context, &self.id, other, self.by),
            None => show(context, &self.id, self.by),
        }
    }
}

/// Shows what belongs to an id, in the format asked for.
pub(crate) fn show(context: &Context, id: &str, by: Option<By>) -> Result<Exit, Failure> {
    let format = context.format(&[
        Format::Text,
        Format::Timeline,
        Format::Tree,
        Format::Json,
        Format::Ndjson,
        Format::Dot,
        Format::Mermaid,
        Format::Svg,
    ])?;
    let source = context.source()?;
    let (scope, found, unreadable) = find(&source, id, by)?;
    if found.is_empty() {
        return Err(unknown(context, &source, id, by, &unreadable)?);
    }
    let as_of = source.as_of()?;
    let trace = Trace::assemble(scope, &found);
    let printed = print(context, &trace, &found, &as_of, format);
    unreadable.conclude_after(printed, context)
}

fn print(
    context: &Context,
    trace: &Trace,
    found: &[Found<'_>],
    as_of: &AsOf,
    format: Format,
) -> Result<(), Failure> {
    let bytes = match format {
        Format::Json => {
            let mut json = Vec::new();
            write_trace(trace, found, as_of, true, &mut json);
            json.push(b'\n');
            json
        }
        Format::Dot => render::dot(trace, as_of).into_bytes(),
        Format::Mermaid => render::mermaid(trace, as_of).into_bytes(),
        Format::Svg => render::svg(trace, as_of).into_bytes(),
        Format::Ndjson => {
            context.terminal.note(answer::sentence(as_of));
            let programs = context.terminal.programs();
            let mut rows = Rows::begin(programs, Shape::Lines, as_of, true)?;
            for found in trace.nodes.iter().filter_map(|node| found.get(node.position)) {
                rows.write(found)?;
            }
            rows.end()?;
            return Ok(());
        }
        _ => {
            let mut out = context.terminal.people();
            write!(out, "{}", drawing(trace, as_of, context.terminal.view(), format))?;
            return Ok(out.flush()?);
        }
    };
    let mut out = context.terminal.programs();
    out.write_all(&bytes)?;
    Ok(out.flush()?)
}

/// Shows two traces beside each other.
fn compare(context: &Context, id: &str, other: &str, by: Option<By>) -> Result<Exit, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let source = context.source()?;
    let mut traces = Vec::new();
    let mut all = Unreadable::default();
    for id in [id, other] {
        let (scope, found, unreadable) = find(&source, id, by)?;
        if found.is_empty() {
            return Err(unknown(context, &source, id, by, &unreadable)?);
        }
        traces.push(Trace::assemble(scope, &found));
        all = all.and(unreadable);
    }
    let [first, second] = traces.as_slice() else { return Ok(Exit::Failed) };
    let as_of = source.as_of()?;
    let it = Difference::between(first, second);
    let text = match format {
        Format::Json => render::difference_json(&it, first, second, &as_of),
        _ => render::difference(&it, first, second, &as_of, context.terminal.view()),
    };
    all.conclude_after(paper::print(context, text.as_bytes(), format), context)
}

/// The records of a scope; without `by`, of the first kind of id that any record has.
pub(crate) fn find(
    source: &Source,
    id: &str,
    by: Option<By>,
) -> Result<(Scope, Vec<Found<'static>>, Unreadable), Failure> {
    let kinds = by.map_or(By::ALL.to_vec(), |by| vec![by]);
    let mut unreadable = Unreadable::default();
    for by in &kinds {
        let scope = by.scope(id);
        let page = source.page(&scope.filter(), None)?;
        unreadable = page.unreadable;
        if !page.found.is_empty() {
            return Ok((scope, page.found, unreadable));
        }
    }
    Ok((By::Trace.scope(id), Vec::new(), unreadable))
}

/// A trace for people. As text: title, timeline, tree, and once what they share.
pub(crate) fn drawing(trace: &Trace, as_of: &AsOf, view: View, format: Format) -> String {
    match format {
        Format::Tree => return render::tree(trace, as_of, view),
        Format::Timeline => return render::timeline(trace, as_of, view),
        _ => {}
    }
    // Both drawings have the same parts with an empty line between them; no event can forge one.
    let (timeline, tree) = (render::timeline(trace, as_of, view), render::tree(trace, as_of, view));
    let mut parts: Vec<&str> = timeline.split("\n\n").collect();
    if let Some(tree) = tree.split("\n\n").nth(1).filter(|_| parts.len() > 2) {
        parts.insert(2, tree);
    }
    parts.join("\n\n")
}

/// Why nothing is shown, with the ids that it could have been: those that begin the same, else the
/// newest. Where records cannot be read it may be among them, and the damage is named instead.
pub(crate) fn unknown(
    context: &Context,
    source: &Source,
    id: &str,
    by: Option<By>,
    unreadable: &Unreadable,
) -> Result<Failure, Failure> {
    let kinds = by.map_or(By::ALL.to_vec(), |by| vec![by]);
    let nouns: Vec<&str> = kinds.iter().map(|by| by.noun()).collect();
    let nouns = nouns.join(" or ");
    if let Some(damage) = damage(context, source, unreadable) {
        return Ok(Failure::new(format!(
            "no event that can be read has the {nouns} id {}, but not every record can: {damage}; \
             run `tacho verify`",
            escape(id),
        )));
    }
    let by = kinds.first().copied().unwrap_or(By::Trace);
    let ids = recent(source, by)?;
    let alike: Vec<&String> =
        ids.iter().filter(|it| !id.is_empty() && it.starts_with(id)).collect();
    let (ids, words) = match alike.as_slice() {
        [] => (ids.iter().collect(), "the newest"),
        _ => (alike, "beginning with it"),
    };
    let names: Vec<String> = ids.iter().take(SUGGESTIONS_MAX).map(|id| escape(id)).collect();
    let noun = by.noun();
    let hint = match names.as_slice() {
        [] => format!("no event of this log has a {noun} id"),
        many => format!("{noun}s, {words}:\n  {}", many.join("\n  ")),
    };
    let size = source.as_of()?.size;
    Ok(Failure::new(format!(
        "no event of the {size} that the checkpoint covers has the {nouns} id {}; {hint}",
        escape(id),
    )))
}

/// The ids of one kind among the newest records, newest first; after damage, as far as they can be
/// read.
fn recent(source: &Source, by: By) -> Result<Vec<String>, Failure> {
    let mut last: HashMap<String, u64> = HashMap::new();
    // Ids are the producers' to invent: of very many, those are forgotten that were not seen for
    // longest.
    source.newest(RECENT_RECORDS, &mut |found| {
        if let Ok(event) = Event::from_stored(&found.meta, &[])
            && let Some(id) = by.id_of(&event)
        {
            match last.get_mut(id) {
                Some(index) => *index = found.index,
                None => drop(last.insert(id.to_owned(), found.index)),
            }
            if last.len() > IDS_MAX {
                let middle = found.index.saturating_sub(IDS_MAX as u64 / 2);
                last.retain(|_, index| *index >= middle);
            }
        }
    })?;
    let mut ids: Vec<(u64, String)> = last.into_iter().map(|(id, index)| (index, id)).collect();
    ids.sort_by(|a, b| b.cmp(a));
    Ok(ids.into_iter().map(|(_, id)| id).collect())
}
