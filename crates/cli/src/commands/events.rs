//! `tacho events`: the records that match a question.

use crate::answer::Conclude as _;
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::questions::Page;
use crate::source::Source;
use crate::terminal::{DIM, styled};
use clap::Args;
use event::{Kind, Outcome, Tier, Timestamp};
use query::row::{Rows, Shape};
use query::written;
use query::{AsOf, Cursor, Filter, Found, render};
use reading::answer;
use seal::{Clock as _, SystemClock};
use std::io::Write as _;
use std::ops::ControlFlow;

const AFTER_HELP: &str = "\
Examples:
  tacho events --agent Billing --type agent.tool_call --outcome timeout
  tacho events --text 'refund \"order 1042\"' --from 2026-11-02 --to 2026-11-03
  tacho events --from 24h --tier critical --limit 200
  tacho events --kind event                                       (without the log's own records)
  tacho events --trace 5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6 --format json | jq '.events[].index'
  tacho events --agent Billing --format json | jq -r .next        (for --cursor)
  tacho events --oldest-first --limit 0 --format ndjson > all.ndjson
  tacho events --agent Billing --url https://log.example.org --token-file reader.token";

/// Search events
///
/// Options of different names must all match; of one that is given several times, any. Answers hold
/// what the newest published checkpoint covers, and name it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// At most this many events; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// The oldest events, oldest first, instead of the newest
    #[arg(long)]
    oldest_first: bool,
    /// The page that begins here: what the answer before said as `next`
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<Cursor>,
    #[command(flatten)]
    filter: FilterArguments,
}

/// Options that pick events.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which events")]
pub(crate) struct FilterArguments {
    /// Event id
    #[arg(long, value_name = "ID")]
    event: Vec<String>,
    /// Agent, by name or id
    #[arg(long, value_name = "NAME")]
    agent: Vec<String>,
    /// Event type: `agent.tool_call`, short `tool_call`, or a beginning: `hub.*`
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Session id
    #[arg(long, value_name = "ID")]
    session: Vec<String>,
    /// Trace id
    #[arg(long, value_name = "ID")]
    trace: Vec<String>,
    /// Task id
    #[arg(long, value_name = "ID")]
    task: Vec<String>,
    /// Tool name
    #[arg(long, value_name = "NAME")]
    tool: Vec<String>,
    /// Subject of the authenticated caller
    #[arg(long, value_name = "SUBJECT")]
    principal: Vec<String>,
    /// How it ended: success, failure, timeout, denied, escalated, cancelled, unknown
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    outcome: Vec<Outcome>,
    /// Class of the error
    #[arg(long, value_name = "CLASS")]
    error_type: Vec<String>,
    /// Retention tier: debug, info, compliance, critical
    #[arg(long, value_name = "TIER", value_parser = tier)]
    tier: Vec<Tier>,
    /// Whose: event for those of producers, log for the log's own records
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// Not before: RFC 3339, a date (UTC), or how long ago: 90s, 15m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Before: as --from
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// Words and "quoted phrases" that all occur in the event
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
}

impl FilterArguments {
    /// The question, without limit, oldest first.
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            events: self.event.clone(),
            agents: self.agent.clone(),
            types: self.types.iter().map(|name| written::event_type(name)).collect(),
            sessions: self.session.clone(),
            traces: self.trace.clone(),
            tasks: self.task.clone(),
            tools: self.tool.clone(),
            principals: self.principal.clone(),
            outcomes: self.outcome.clone(),
            error_types: self.error_type.clone(),
            tiers: self.tier.clone(),
            from: self.from,
            to: self.to,
            text: self.text.clone(),
            kind: self.kind,
            without_access_records: false,
            limit: None,
            newest_first: false,
        }
    }
}

impl Arguments {
    /// Says how the rest of the answer is seen, if there is one.
    fn tell(&self, context: &Context, page: &Page, format: Format) {
        let (Some(next), shown) = (&page.next, page.found.len()) else { return };
        let end = if self.oldest_first { "oldest" } else { "newest" };
        let text = match (format, self.cursor) {
            (Format::Json, _) => return,
            (Format::Ndjson, _) => format!("there is more: --cursor {next}"),
            (_, None) => format!(
                "the {end} {shown} of more that match; --limit N shows more, --cursor \
                 {next} the next page"
            ),
            (_, Some(_)) => format!("there are more; --cursor {next} shows the next page"),
        };
        context.terminal.note(styled(DIM, text));
    }

    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let filter = Filter {
            limit: (self.limit > 0).then_some(self.limit),
            newest_first: !self.oldest_first,
            ..self.filter.filter()
        };
        let source = context.source()?;
        let is_one_page = filter.limit.is_some() || self.cursor.is_some();
        if self.oldest_first && format != Format::Text && !is_one_page {
            return stream(context, &source, &filter, format);
        }
        let page = source.page(&filter, self.cursor.as_ref())?;
        let printed = print(context, &page.as_of, &page.found, page.next.as_ref(), format);
        if printed.is_ok() {
            self.tell(context, &page, format);
        }
        page.unreadable.conclude_after(printed, context)
    }
}

/// Prints events in the order given, and for programs where the next page begins.
pub(crate) fn print(
    context: &Context,
    as_of: &AsOf,
    found: &[Found<'_>],
    next: Option<&Cursor>,
    format: Format,
) -> Result<(), Failure> {
    let shape = match format {
        Format::Json => Shape::Document,
        Format::Ndjson => Shape::Lines,
        _ => {
            let mut out = context.terminal.people();
            write!(out, "{}", render::events(found, as_of, context.terminal.view()))?;
            return Ok(out.flush()?);
        }
    };
    if shape == Shape::Lines {
        context.terminal.note(answer::sentence(as_of));
    }
    let mut rows = Rows::begin(context.terminal.programs(), shape, as_of, true)?;
    for found in found {
        rows.write(found)?;
    }
    rows.end_before(next)?;
    Ok(())
}

/// Prints events as they are found, in no more memory than one takes.
fn stream(
    context: &Context,
    source: &Source,
    filter: &Filter,
    format: Format,
) -> Result<Exit, Failure> {
    let as_of = &source.as_of()?;
    let shape = if format == Format::Json { Shape::Document } else { Shape::Lines };
    if shape == Shape::Lines {
        context.terminal.note(answer::sentence(as_of));
    }
    let mut rows = Rows::begin(context.terminal.programs(), shape, as_of, true)?;
    let mut printed = Ok(());
    let unreadable = source.each(filter, &mut |found| {
        printed = rows.write(found);
        // What could not be read so far counts, also when nobody reads on.
        Ok(if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    let printed = printed.and_then(|()| rows.end().map(drop)).map_err(Failure::from);
    unreadable.conclude_after(printed, context)
}

fn outcome(text: &str) -> Result<Outcome, String> {
    Outcome::from_name(text).ok_or_else(|| {
        "choose one of: success, failure, timeout, denied, escalated, cancelled, unknown".to_owned()
    })
}

fn tier(text: &str) -> Result<Tier, String> {
    let names: Vec<&str> = Tier::ALL.iter().map(|tier| tier.as_str()).collect();
    Tier::from_name(text).ok_or_else(|| format!("choose one of: {}", names.join(", ")))
}

fn kind(text: &str) -> Result<Kind, String> {
    written::kind(text).ok_or_else(|| "choose one of: event, log".to_owned())
}

pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    written::time(text, SystemClock.now_ms()).ok_or_else(|| {
        "write RFC 3339 (2026-11-02T14:23:00Z), a date (2026-11-02), or how long ago (90s, 15m, \
         24h, 7d)"
            .to_owned()
    })
}

/// A time to come: as [`time`], but a number and a unit count from now on.
pub(crate) fn time_to_come(text: &str) -> Result<Timestamp, String> {
    let now_ms = SystemClock.now_ms();
    let then = written::time(text, now_ms).map(Timestamp::milliseconds);
    let is_span = Timestamp::parse(text).is_none() && !text.contains('-');
    let then = then.map(|then| if is_span { now_ms + now_ms.saturating_sub(then) } else { then });
    then.map(Timestamp::from_milliseconds).ok_or_else(|| {
        "write RFC 3339 (2026-11-02T14:23:00Z), a date (2026-11-02), or in how long (12h, 90d)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_type_is_an_agents() {
        let types = ["tool_call", "hub.*", "log.start", "*"].map(str::to_owned).to_vec();
        let arguments = FilterArguments { types, ..FilterArguments::default() };
        assert_eq!(arguments.filter().types, ["agent.tool_call", "hub.*", "log.start", "*"]);
    }
}
