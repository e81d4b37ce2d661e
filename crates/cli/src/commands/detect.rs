//! `tacho detect`: what Sigma rules find in a log.

use super::events::time;
use crate::answer::Conclude as _;
use crate::arguments::Format;
use crate::context::Context;
use crate::detecting;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::source::Source;
use crate::terminal::{BAD, DIM, DOUBTFUL, STRONG, plain, styled};
use clap::{Args, ValueEnum};
use detect::{About, Engine, Hit, Item, Level, RuleSet};
use event::Timestamp;
use query::{AsOf, Filter};
use reading::answer;
use serde_json::{Value, json};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

const AFTER_HELP: &str = "\
The shipped rules look for prompt injection, secrets on their way out, unusual tools,
runaway loops, cost, approvals that were bypassed, bursts of errors, and what was denied and
then done. Your own are Sigma rules in YAML (docs/detection.md). A server looks by itself with
a section [detect] in its configuration.

Exit code 0: nothing was found; 1: something was, or not everything could be read; 2: a rule
is wrong.

Examples:
  tacho detect
  tacho detect --since 24h --format json | jq '.hits[].rule'
  tacho detect --rule mine.yml --only
  tacho detect --rules /etc/tachograph/rules --without error-burst
  tacho detect rules";

/// Hits that are held to be printed; more end the search.
const HITS_MAX: usize = 100_000;

/// Search for attacks and faults by Sigma rules
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// `rules` lists the rules instead of using them
    #[arg(value_enum)]
    what: Option<What>,
    /// Not before: RFC 3339, a date (UTC), or how long ago: 90s, 15m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Before: as --since
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// File of rules
    #[arg(long, value_name = "FILE")]
    rule: Vec<PathBuf>,
    /// Folder of files of rules (*.yml)
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Without the shipped rules
    #[arg(long)]
    only: bool,
    /// Leave out the rule of this name
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    Rules,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&[Format::Text, Format::Json, Format::Ndjson])?;
        let paths: Vec<PathBuf> = self.rule.iter().chain(&self.rules).cloned().collect();
        if self.only && paths.is_empty() {
            return Err(Failure::usage("--only leaves no rules; name some with --rule or --rules"));
        }
        let set = detecting::rules(!self.only, &paths, &self.without)?;
        match self.what {
            Some(What::Rules) => list(context, &set, format),
            None => self.search(context, set, format),
        }
    }

    fn search(&self, context: &Context, set: RuleSet, format: Format) -> Result<Exit, Failure> {
        let source = context.source()?;
        let as_of = source.as_of()?;
        let rules = set.told().count();
        let mut engine = Engine::new(Arc::new(set), &as_of.origin);
        let filter = Filter { from: self.since, to: self.until, ..Filter::default() };
        let (hits, records, unreadable) = look(&source, &filter, &mut engine)?;
        let printed = match format {
            Format::Json => {
                let document = json!({
                    "checkpoint": checkpoint(&as_of), "rules": rules, "records": records, "hits": hits,
                });
                print(context, &[document])
            }
            Format::Ndjson => {
                context.terminal.note(answer::sentence(&as_of));
                let lines: Vec<Value> =
                    hits.iter().map(|hit| serde_json::to_value(hit).unwrap_or_default()).collect();
                print(context, &lines)
            }
            _ => text(context, &hits, records, rules, &as_of),
        };
        Failure::unless_nobody_reads(printed)?;
        match (unreadable.conclude(context), hits.is_empty()) {
            (Exit::Fine, true) => Ok(Exit::Fine),
            _ => Ok(Exit::Failed),
        }
    }
}

/// What rules find in the records of a question.
fn look(
    source: &Source,
    filter: &Filter,
    engine: &mut Engine,
) -> Result<(Vec<Hit>, u64, answer::Unreadable), Failure> {
    let (mut hits, mut records) = (Vec::new(), 0_u64);
    let unreadable = source.each(filter, &mut |found| {
        records += 1;
        let item = Item {
            index: found.index,
            recorded_at_ms: found.recorded_at_ms,
            kind: found.kind,
            meta: &found.meta,
            content: &found.content,
        };
        engine.offer(&item, &mut hits);
        if hits.len() > HITS_MAX {
            return Err(Failure::new(format!(
                "more than {HITS_MAX} hits; narrow the search with --since and --without"
            )));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((hits, records, unreadable))
}

fn checkpoint(as_of: &AsOf) -> Value {
    json!({ "origin": as_of.origin, "size": as_of.size, "root": as_of.root_hex })
}

fn print(context: &Context, lines: &[Value]) -> Result<(), Failure> {
    let mut out = context.terminal.programs();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

fn text(
    context: &Context,
    hits: &[Hit],
    records: u64,
    rules: usize,
    as_of: &AsOf,
) -> Result<(), Failure> {
    let mut out = context.terminal.people();
    for hit in hits {
        let About { name, title, level, tags, .. } = &*hit.rule;
        let time = Timestamp::from_milliseconds(hit.time_ms);
        let level = styled(style(*level), format_args!("{:<13}", level.as_str()));
        writeln!(out, "{level} {}  {}", styled(STRONG, plain(name)), plain(title))?;
        let id = plain(&hit.event_id);
        writeln!(out, "              at #{} ({id}), {time}", hit.index)?;
        writeln!(out, "              {}", plain(&hit.why))?;
        let group: Vec<String> =
            hit.group.iter().map(|(field, value)| format!("{field} {}", plain(value))).collect();
        if !group.is_empty() {
            writeln!(out, "              {}", group.join(", "))?;
        }
        let events: Vec<String> = hit.events.iter().map(|index| format!("#{index}")).collect();
        let line = format!("events {}; {}", events.join(" "), plain(&tags.join(", ")));
        writeln!(out, "              {}\n", styled(DIM, line))?;
    }
    let count = hits.len();
    let found = if count == 1 { "1 incident".to_owned() } else { format!("{count} incidents") };
    writeln!(out, "{found} in {records} records, by {rules} rules")?;
    writeln!(out, "{}", styled(DIM, answer::sentence(as_of)))?;
    Ok(out.flush()?)
}

fn style(level: Level) -> anstyle::Style {
    match level {
        Level::Critical | Level::High => BAD,
        Level::Medium => DOUBTFUL,
        Level::Low | Level::Informational => DIM,
    }
}

fn list(context: &Context, set: &RuleSet, format: Format) -> Result<Exit, Failure> {
    let told = || set.told().map(|about| serde_json::to_value(about).unwrap_or_default());
    match format {
        Format::Json => print(context, &[json!({ "rules": told().collect::<Vec<_>>() })])?,
        Format::Ndjson => print(context, &told().collect::<Vec<_>>())?,
        _ => {
            let mut out = context.terminal.people();
            for about in set.told() {
                let level =
                    styled(style(about.level), format_args!("{:<13}", about.level.as_str()));
                let name = styled(STRONG, plain(&about.name));
                writeln!(out, "{level} {name}  {}", plain(&about.title))?;
                let tags = plain(&about.tags.join(", "));
                writeln!(out, "              {}", styled(DIM, tags))?;
                if !about.needs.is_empty() {
                    writeln!(out, "              needs: {}", plain(&about.needs))?;
                }
            }
            out.flush()?;
        }
    }
    Ok(Exit::Fine)
}
