//! `tacho agent`: which agents there are, or what one of them did.

use super::events;
use crate::answer::{Conclude as _, damage};
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::questions::Active;
use crate::terminal::{DIM, styled};
use clap::Args;
use query::escape::{escape, escape_json};
use query::{AsOf, By, Cursor, Filter, Line, render};
use reading::answer;
use serde_json::{Value, json};
use std::io::Write as _;

const AFTER_HELP: &str = "\
Examples:
  tacho agent                              which agents there are
  tacho agent Billing
  tacho agent Billing --limit 0 --format ndjson";

/// Show what one agent did, newest first; without a name, list all
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The agent, by name or id
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// At most this many events; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// The page that begins here: what the answer before said as `next`
    #[arg(long, value_name = "CURSOR", requires = "name")]
    cursor: Option<Cursor>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let Some(name) = &self.name else { return list(context, By::Agent) };
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let filter = Filter {
            agents: vec![name.clone()],
            limit: (self.limit > 0).then_some(self.limit),
            newest_first: true,
            ..Filter::default()
        };
        let source = context.source()?;
        let page = source.page(&filter, self.cursor.as_ref())?;
        if page.found.is_empty() && self.cursor.is_none() {
            if let Some(damage) = damage(context, &source, &page.unreadable) {
                return Err(Failure::new(format!(
                    "no event that can be read is of an agent {}, but not every record can: {damage}; \
                     run `tacho verify`",
                    escape(name),
                )));
            }
            let failure = format!(
                "no event of the {} that the checkpoint covers is of an agent {}; `tacho agent` lists \
                 all agents",
                page.as_of.size,
                escape(name),
            );
            return Err(Failure::new(failure));
        }
        let printed = events::print(context, &page.as_of, &page.found, page.next.as_ref(), format);
        let next = page.next.filter(|_| format != Format::Json && printed.is_ok());
        if let Some(next) = next {
            let text =
                format!("there are more; --limit N shows more, --cursor {next} the next page");
            context.terminal.note(styled(DIM, text));
        }
        page.unreadable.conclude_after(printed, context)
    }
}

/// Lists the agents, or the sessions, of a log.
pub(crate) fn list(context: &Context, by: By) -> Result<Exit, Failure> {
    let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
    let Active { as_of, lines, beyond, unreadable } = context.source()?.activity(by)?;
    let as_of = &as_of;
    let printed = match format {
        Format::Text => print_text(context, &lines, by, as_of),
        _ => print_json(context, &lines, by, as_of, format),
    };
    if beyond > 0 {
        context
            .terminal
            .note(format!("{beyond} events of names beyond the first 100,000 are left out"));
    }
    unreadable.conclude_after(printed, context)
}

fn print_text(context: &Context, lines: &[Line], by: By, as_of: &AsOf) -> Result<(), Failure> {
    let mut out = context.terminal.people();
    write!(out, "{}", render::activity(lines, by, as_of, context.terminal.view()))?;
    Ok(out.flush()?)
}

fn print_json(
    context: &Context,
    lines: &[Line],
    by: By,
    as_of: &AsOf,
    format: Format,
) -> Result<(), Failure> {
    let (key, plural) = match by {
        By::Agent => ("agent", "agents"),
        By::Session => ("session", "sessions"),
    };
    let object = |line: &Line| {
        json!({
            key: line.name, "events": line.events, "errors": line.errors, "tokens": line.tokens,
            "first_seen": line.first_seen.to_string(), "last_seen": line.last_seen.to_string(),
        })
    };
    let mut text = String::new();
    if format == Format::Ndjson {
        context.terminal.note(answer::sentence(as_of));
        for line in lines {
            text.push_str(&object(line).to_string());
            text.push('\n');
        }
    } else {
        let list: Vec<Value> = lines.iter().map(object).collect();
        let checkpoint =
            json!({ "origin": as_of.origin, "size": as_of.size, "root": as_of.root_hex });
        text = json!({ "checkpoint": checkpoint, plural: list }).to_string();
        text.push('\n');
    }
    let mut out = context.terminal.programs();
    let mut safe = Vec::with_capacity(text.len());
    escape_json(&text, &mut safe);
    out.write_all(&safe)?;
    Ok(out.flush()?)
}
