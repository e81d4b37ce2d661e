//! `tacho tail`: the newest events, and those that arrive.

mod live;

use super::events::{self, FilterArguments};
use crate::answer::Conclude as _;
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_source;
use crate::remote::questions::Page;
use crate::siem::SiemLines;
use crate::source::{Place, Source};
use crate::terminal::{BAD, DIM, Terminal, styled};
use clap::Args;
use event::Event;
use live::Live;
use query::escape::escape;
use query::row::write_row;
use query::{AsOf, Filter, Found, Status, Summary};
use reading::answer;
use std::io::Write;

const AFTER_HELP: &str = "\
Examples:
  tacho tail
  tacho tail -n 100 --agent Billing
  tacho tail -f --tier critical
  tacho tail -f --format ndjson | jq -r .action
  tacho tail -f -n 0 --format ocsf >> /var/log/tachograph.ocsf.ndjson
  tacho tail -f --url https://log.example.org";

/// Characters of an agent's name while following.
const AGENT_CHARACTERS: usize = 16;

/// Show the newest events; -f waits for more
///
/// What -f adds is acknowledged by the log and not yet covered by a published checkpoint; a line on
/// standard error says when it is. Of a server it goes on by itself after a lost connection, and
/// says what it missed. Ctrl-C ends it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// How many of the newest events
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    lines: usize,
    /// Wait for more, and show them as they arrive
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    filter: FilterArguments,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let known: &[Format] = match self.follow {
            // A document that never ends is of no use.
            true => &[Format::Text, Format::Ndjson, Format::Cef, Format::Ecs, Format::Ocsf],
            false => &[Format::Text, Format::Json, Format::Ndjson],
        };
        let format = context.format(known)?;
        let source = context.source()?;
        let filter = Filter { limit: Some(self.lines), newest_first: true, ..self.filter.filter() };
        let Page { mut found, as_of, unreadable, .. } = source.page(&filter, None)?;
        found.reverse();
        if !self.follow {
            let printed = events::print(context, &as_of, &found, None, format);
            return unreadable.conclude_after(printed, context);
        }
        let siem = SiemLines::of(format, &as_of.origin, true);
        let mut screen = Screen { terminal: context.terminal, format, siem, row: Vec::new() };
        for found in &found {
            screen.add(found);
        }
        screen.show()?;
        unreadable.conclude(context);
        self.follow(context, &source, as_of, screen)
    }

    /// Shows what arrives, until it is stopped from outside or nobody reads any more.
    fn follow(
        &self,
        context: &Context,
        source: &Source,
        as_of: AsOf,
        mut screen: Screen,
    ) -> Result<Exit, Failure> {
        let filter = self.filter.filter();
        let mut covered = as_of.size;
        let name_head = |as_of: &AsOf| {
            let sentence = answer::sentence(as_of);
            context.terminal.note(styled(DIM, format_args!("── {sentence}")));
        };
        name_head(&as_of);
        let kek = match source.place() {
            Place::Folder(view) => Some(context.kek(view.reading().log())?),
            Place::Server(_) => None,
        };
        let mut live = match (source.place(), &kek) {
            (Place::Folder(view), Some(kek)) => {
                Live::of_folder(context, (view.reading().log(), kek), &filter, covered)
            }
            (Place::Folder(_), None) => return Err(key_source::none()),
            (Place::Server(remote), _) => Live::of_server(context, remote, &filter, covered),
        };
        // The index after the last record that was shown.
        let mut shown = covered;
        loop {
            let looked = live.look(&mut |found| {
                screen.add(found);
                shown = found.index + 1;
            });
            screen.show()?;
            looked?;
            if shown > covered
                && let Some(newer) = live.head()
                && newer.size >= shown
            {
                covered = newer.size;
                name_head(&newer);
            }
        }
    }
}

/// Where events are shown as they come, one a line.
struct Screen {
    terminal: Terminal,
    format: Format,
    siem: Option<SiemLines>,
    row: Vec<u8>,
}

impl Screen {
    /// Adds an event to what is shown next.
    fn add(&mut self, found: &Found<'_>) {
        match &self.siem {
            Some(lines) => lines.add(found, &mut self.row),
            None if self.format == Format::Ndjson => write_row(found, true, &mut self.row),
            None => self.row.extend_from_slice(line(found).as_bytes()),
        }
        self.row.push(b'\n');
    }

    fn show(&mut self) -> Result<(), Failure> {
        if self.row.is_empty() {
            return Ok(());
        }
        if self.format != Format::Text {
            let mut out = self.terminal.programs();
            out.write_all(&self.row)?;
            out.flush()?;
        } else {
            let mut out = self.terminal.people();
            out.write_all(&self.row)?;
            out.flush()?;
        }
        self.row.clear();
        Ok(())
    }
}

/// One event for people: index, time, agent, what happened, how it ended. Widths are fixed, because
/// nobody knows what comes next.
fn line(found: &Found<'_>) -> String {
    let Ok(event) = found.event() else {
        return styled(BAD, format_args!("{:>7}  the record cannot be read", found.index));
    };
    let summary = Summary::of(found, &event);
    let time = summary.time.to_string();
    let time = time.get(5..19).unwrap_or_default().replace('T', " ");
    let mut agent = escape(summary.agent.as_deref().unwrap_or("–"));
    if let Some((cut, _)) = agent.char_indices().nth(AGENT_CHARACTERS) {
        agent.truncate(cut);
        agent.pop();
        agent.push('…');
    }
    let place = styled(DIM, format_args!("{:>7}  {time}", summary.index));
    let label = what(&summary, &event);
    format!("{place}  {agent:<AGENT_CHARACTERS$}  {label}")
}

fn what(summary: &Summary, event: &Event<'_>) -> String {
    let label = escape(&summary.label);
    match summary.status {
        Status::Success => label,
        status => {
            let error = summary.error_type.as_deref().map(|class| format!(" ({})", escape(class)));
            let ending = format!("{}{}", status.as_str(), error.unwrap_or_default());
            let style = if event.is_error() { BAD } else { DIM };
            format!("{label}  {}", styled(style, ending))
        }
    }
}
