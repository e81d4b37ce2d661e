//! `tacho report`: what happened in a period, counted and drawn.

use super::compliance::PackArguments;
use super::events::time;
use super::incident;
use crate::answer::{Bar, Conclude as _};
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::paper::{self, harmless};
use crate::remote::Remote;
use crate::terminal::{DIM, plain, styled};
use crate::whole_file::WholeFile;
use clap::Args;
use clap::builder::PossibleValuesParser;
use event::Timestamp;
use query::figures::Period;
use query::{AsOf, CACHE_BYTES, Columns};
use reading::answer::{self, Unreadable};
use reading::search::Watch as _;
use report::document;
use report::reports::{self, Name, Report, Settings, Subject};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const AFTER_HELP: &str = "\
Reports: summary; tool-usage (calls, errors, durations); error-analysis (types, messages, by agent and tool,
trend, suggested actions); cost (tokens and money by agent, model, task, principal); agents (models, tools,
versions, changes); daily (a day on one page); compliance-check (evidence toward the controls of a pack);
incident TRACE (what `tacho forensics` says of a trace, task or session, with impact, people, proofs, and lines to
sign). docs/reports.md says what each number means, docs/compliance.md what each control asks.

The period is [--from, --to); without either, all of the log. `daily` is the day (UTC) of --from, else of the
last event. The trend of error-analysis needs both ends. With --settings a TOML file says prices, thresholds,
budgets, and which tools need an approval.

Examples:
  tacho report summary
  tacho report tool-usage --from 7d --format csv
  tacho report error-analysis --from 2026-11-01 --to 2026-11-02 --format md
  tacho report cost --settings report.toml --format json | jq .total_cost
  tacho report daily --from 2026-11-02 --format html --output monday.html
  tacho report daily --from 2026-11-02 --format pdf --output monday.pdf
  tacho report compliance-check --pack eu-ai-act --verify --format html --output eu.html
  tacho report compliance-check --pack mine.toml
  tacho report incident task-refund-order-1042 --format pdf --output incident.pdf
  tacho report daily --url https://log.example.org --format html --output today.html";

/// Report on a period or an incident: summary, tool-usage, error-analysis, cost, agents, daily, ...
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Which report
    #[arg(value_name = "REPORT", value_parser = PossibleValuesParser::new(names()))]
    name: String,
    /// Of `incident`: the trace, task or session
    #[arg(value_name = "TRACE")]
    trace: Option<String>,
    /// Not before: RFC 3339, a date (UTC), or how long ago: 90s, 15m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Before: as --from
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// Prices, thresholds and budgets (TOML)
    #[arg(long, value_name = "FILE", env = "TACHO_REPORT_SETTINGS")]
    settings: Option<PathBuf>,
    /// Which table, with --format csv; the first one without
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// File to write, whole or not at all; standard output without it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    packs: PackArguments,
}

/// The one that holds a pack of controls against the log.
const COMPLIANCE: &str = "compliance-check";

/// All reports.
fn names() -> impl Iterator<Item = &'static str> {
    Name::ALL.into_iter().map(Name::as_str).chain([COMPLIANCE, incident::NAME])
}

/// The formats of a report; the first one is what nobody asked for.
pub(crate) const FORMATS: [Format; 6] =
    [Format::Text, Format::Json, Format::Md, Format::Html, Format::Csv, Format::Pdf];

/// Most bytes of a file of settings: far more than every model there is.
const SETTINGS_BYTES_MAX: u64 = 1 << 20;

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&FORMATS)?;
        if self.table.is_some() && format != Format::Csv {
            return Err(Failure::usage("--table picks a table for --format csv; add that"));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            let sentence = format!("--from {from} is not before --to {to}; turn them round");
            return Err(Failure::usage(sentence));
        }
        let trace = self.subject()?;
        if self.name == COMPLIANCE {
            let answer = self.packs.ask(context, self.from, self.to)?;
            return self.show(context, answer, format);
        }
        if let Some(remote) = Remote::named(context)? {
            return self.fetch(context, &remote, format);
        }
        if let Some(trace) = trace {
            return self.show(context, incident::report(context, trace)?, format);
        }
        let name = Name::from_name(&self.name)
            .ok_or_else(|| Failure::usage("there is no such report; `tacho report --help`"))?;
        let settings = self.settings.as_deref().map(read_settings).transpose()?;
        // What is opened first counts for whoever waits.
        let bar = Arc::new(Bar::new(context.terminal));
        let reading = context.reading()?;
        let as_of = answer::as_of(&reading);
        let library = reading::library(&reading, as_of.clone())?.ok_or_else(|| {
            Failure::new(
                "a report needs a log that is whole, and records of this one are missing or \
                 damaged; `tacho verify` names them, and `tacho events` shows those that can be \
                 read",
            )
        })?;
        let watch = Arc::clone(&bar);
        let columns = Columns::of(&library, CACHE_BYTES)?;
        let columns = columns.watched(move |done, total| watch.at(done, total));
        let subject = Subject {
            columns: &columns,
            as_of: &as_of,
            period: Period { from: self.from, to: self.to },
            shows_content: true,
            shows_access_records: true,
        };
        let report = reports::make(name, &subject, &settings.unwrap_or_default());
        bar.finish();
        let report = report.map_err(|error| Failure::new(error.to_string()))?;
        self.print(context, &report, &as_of, format)?;
        Ok(Exit::Fine)
    }

    /// What the incident is about; nothing for reports on a period.
    fn subject(&self) -> Result<Option<&str>, Failure> {
        let wrong = match (self.name == incident::NAME, &self.trace) {
            (true, None) => "which incident? write the id of its trace, task or session behind it",
            (false, Some(_)) => {
                "only `incident` is about a trace; the others take a period: --from, --to"
            }
            (true, Some(_)) if self.from.is_some() || self.to.is_some() => {
                "an incident is all of its trace; leave --from and --to out"
            }
            _ => return Ok(self.trace.as_deref()),
        };
        Err(Failure::usage(wrong))
    }

    /// Prints a report that records may be missing of.
    fn show(
        &self,
        context: &Context,
        (report, as_of, unreadable): (Report, AsOf, Unreadable),
        format: Format,
    ) -> Result<Exit, Failure> {
        let printed = self.print(context, &report, &as_of, format);
        unreadable.conclude_after(printed, context)
    }

    /// The same of a server, with the prices and thresholds that it has.
    fn fetch(&self, context: &Context, remote: &Remote, format: Format) -> Result<Exit, Failure> {
        if self.settings.is_some() {
            return Err(Failure::usage(
                "a server counts with the default settings; leave --settings out, or ask where the \
                 log's folder is, with --data",
            ));
        }
        let time = |name, time: Option<Timestamp>| time.map(|time| (name, time.to_string()));
        let table = self.table.clone().map(|name| ("table", name));
        let trace = self.trace.clone().map(|id| ("trace", id));
        let pairs = [time("from", self.from), time("to", self.to), table, trace];
        let pairs: Vec<(&str, String)> = pairs.into_iter().flatten().collect();
        let (bytes, as_of, unreadable) = remote.report(&self.name, &format.name(), &pairs)?;
        self.write(context, &harmless(bytes, format), format)?;
        if format == Format::Csv {
            context.terminal.note(answer::sentence(&as_of));
        }
        Ok(unreadable.conclude(context))
    }

    fn print(
        &self,
        context: &Context,
        report: &Report,
        as_of: &AsOf,
        format: Format,
    ) -> Result<(), Failure> {
        let it = &report.document;
        let bytes = match format {
            Format::Json => report.json.clone().into_bytes(),
            Format::Md => document::markdown(it).into_bytes(),
            Format::Html => document::html(it).into_bytes(),
            Format::Pdf => document::pdf(it),
            Format::Csv => document::csv(it, self.table.as_deref())
                .map_err(|error| Failure::usage(error.to_string()))?
                .into_bytes(),
            _ => {
                let mut view = context.terminal.view();
                if self.output.is_some() {
                    view.style = query::render::Style::Plain;
                }
                document::text(it, view).into_bytes()
            }
        };
        self.write(context, &bytes, format)?;
        if format == Format::Csv {
            let tables: Vec<&str> = it.tables().map(|table| table.name).collect();
            context.terminal.note(answer::sentence(as_of));
            let names = format!("tables (--table NAME): {}", tables.join(", "));
            context.terminal.note(styled(DIM, names));
        }
        Ok(())
    }

    /// Writes it to where it is to go.
    fn write(&self, context: &Context, bytes: &[u8], format: Format) -> Result<(), Failure> {
        match &self.output {
            Some(path) => {
                let file = WholeFile::begin(path)?;
                file.writer()?.write_all(bytes).map_err(Failure::io("write", path))?;
                file.sync()?;
                file.place()?;
                let count = bytes.len();
                context.terminal.note(format!("Wrote {count} bytes to {}", path.display()));
            }
            None => paper::print(context, bytes, format)?,
        }
        Ok(())
    }
}

fn read_settings(path: &Path) -> Result<Settings, Failure> {
    let file = std::fs::File::open(path).map_err(Failure::io("read", path))?;
    let mut text = String::new();
    file.take(SETTINGS_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(Failure::io("read", path))?;
    let wrong = |what: &dyn std::fmt::Display| {
        let what = plain(&what.to_string());
        Failure::usage(format!("{}: {what}; docs/reports.md shows one", path.display()))
    };
    if text.len() as u64 > SETTINGS_BYTES_MAX {
        return Err(wrong(&"more than 1 MiB, which no settings have"));
    }
    let settings: Settings = toml::from_str(&text).map_err(|error| wrong(&error.message()))?;
    settings.check().map_err(|error| wrong(&error))?;
    Ok(settings)
}
