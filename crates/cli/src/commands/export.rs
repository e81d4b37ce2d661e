//! `tacho export`: records for other programs, outside the log's protection.
//!
//! The log records the export before its output is in place. How each format is written stands in
//! `export/formats.rs`, what makes a CSV safe in `export/csv.rs`, lines for SIEMs in
//! `siem.rs`.

mod csv;
mod formats;

use super::events::FilterArguments;
use crate::answer::Conclude as _;
use crate::arguments::Format;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::RecordingArguments;
use crate::remote::Remote;
use crate::source::Source;
use crate::whole_file::WholeFile;
use clap::Args;
pub(crate) use formats::Exporter;
use formats::{Out, Written};
use query::{AsOf, Filter, Found, Sieve, written};
use reading::Reading;
use reading::answer::{self, Unreadable};
use seal::Act;
use serde_json::{Map, Value, json};
use std::ops::ControlFlow;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Formats: ndjson has the fields of `tacho events --format ndjson`, csv one column for each typed field with the
content as JSON text, parquet the same columns typed, for DuckDB, Spark, pandas and others; cef, ecs (Elastic) and
ocsf are lines for SIEMs. What is exported is not encrypted. The log records who exported what (`log.export`)
before the output is in place. A server (--url, or the one that holds the folder) records what it is asked
instead (`log.access`).

In csv, a text that a spreadsheet would run as a formula gets a `'` before its `=`, `+`, `-` or `@`, and
characters that nobody sees are written as \\u{..}: use ndjson or parquet where every byte matters.

Examples:
  tacho export --output all.ndjson
  tacho export --format csv --from 2026-11-01 --to 2026-12-01 --metadata-only --output november.csv
  tacho export --format parquet --agent Billing --output billing.parquet
  tacho export --format cef --from 24h --output day.cef
  tacho export --format ocsf --type agent.security --output alerts.ocsf.ndjson
  tacho export --trace 5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6 | jq .event_type";

/// The formats, the first of which is what nobody asked for.
const FORMATS: [Format; 6] =
    [Format::Ndjson, Format::Csv, Format::Parquet, Format::Cef, Format::Ecs, Format::Ocsf];

/// Export records for other programs, not encrypted
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// File to write, whole or not at all; standard output without it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Leave the content out
    #[arg(long)]
    metadata_only: bool,
    #[command(flatten)]
    recording: RecordingArguments,
    #[command(flatten)]
    filter: FilterArguments,
}

/// One export.
struct Export<'e> {
    context: &'e Context,
    from: From,
    as_of: AsOf,
    filter: Filter,
    format: Format,
    with_content: bool,
    recording: RecordingArguments,
}

/// Where the records come from.
enum From {
    /// A folder, in whose log the export is recorded here.
    Folder(Box<Reading>),
    /// A server, which records what it is asked.
    Server(Source),
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let format = context.format(&FORMATS)?;
        if format == Format::Parquet && self.output.is_none() && context.terminal.is_watched() {
            return Err(Failure::usage("parquet is not for a terminal; name a file with --output"));
        }
        let (from, as_of) = self.from(context)?;
        let export = Export {
            context,
            from,
            as_of,
            filter: self.filter.filter(),
            format,
            with_content: !self.metadata_only,
            recording: self.recording,
        };
        let (written, unreadable) = match &self.output {
            Some(path) => export.to_file(WholeFile::begin(path)?)?,
            None => export.to_standard_output()?,
        };
        if let Some(written) = written {
            context.terminal.note(format!(
                "Exported {} of {} records, {} bytes; {}",
                written.records,
                export.as_of.size,
                written.bytes,
                answer::sentence(&export.as_of)
            ));
        }
        Ok(unreadable.conclude(context))
    }

    /// The server that is named, or that may write to the log where the export is to be recorded;
    /// otherwise the folder.
    fn from(&self, context: &Context) -> Result<(From, AsOf), Failure> {
        let remote = match self.recording.is_required() {
            true => Remote::in_charge(context, "the records come from")?,
            false => Remote::named(context)?,
        };
        if let Some(remote) = remote {
            let source = Source::at(remote, context.terminal);
            let as_of = source.as_of()?;
            return Ok((From::Server(source), as_of));
        }
        let reading = context.reading()?;
        let as_of = answer::as_of(&reading);
        Ok((From::Folder(Box::new(reading)), as_of))
    }
}

impl Export<'_> {
    /// Writes a file, records it, and only then gives it its name.
    fn to_file(&self, file: WholeFile) -> Result<(Option<Written>, Unreadable), Failure> {
        let (written, unreadable) = self.write(Box::new(file.writer()?))?;
        file.sync()?;
        self.record(&written, &unreadable, "file")?;
        file.place()?;
        Ok((Some(written), unreadable))
    }

    /// Counts what there is, records it, and only then shows it: an answer as of one checkpoint has
    /// the same bytes every time. When nobody reads it to its end nothing is said of what was
    /// written, and what cannot be read counts all the same.
    fn to_standard_output(&self) -> Result<(Option<Written>, Unreadable), Failure> {
        if matches!(self.from, From::Server(_)) {
            let (written, unreadable) = self.write(Box::new(self.context.terminal.bytes()))?;
            return Ok((Some(written), unreadable));
        }
        let (expected, unreadable) = self.write(Box::new(std::io::sink()))?;
        self.record(&expected, &unreadable, "standard output")?;
        match self.write(Box::new(self.context.terminal.bytes())) {
            Err(Failure::NobodyReads) => Ok((None, unreadable)),
            Err(failure) => Err(failure),
            Ok((written, _)) if written != expected => Err(Failure::new(
                "records were removed while they were exported: the log recorded more than was shown; \
                 run it again",
            )),
            Ok((written, unreadable)) => Ok((Some(written), unreadable)),
        }
    }

    fn write(&self, out: Out) -> Result<(Written, Unreadable), Failure> {
        let mut exporter = Exporter::begin(self.format, out, &self.as_of, self.with_content)?;
        let sieve = Sieve::new(&self.filter);
        let mut progress = self.context.terminal.progress("records");
        let mut bad = Unreadable::default();
        let unreadable = match &self.from {
            From::Folder(reading) => {
                let mut entries = reading.entries();
                answer::scan::<Failure>(reading, 0, &mut |found| {
                    progress.at(found.index, self.as_of.size);
                    match sieve.accepts(found) {
                        Ok(false) => {}
                        Ok(true) if exporter.names_leaves() => {
                            let leaf_hash = entries.leaf(found.index);
                            exporter.push(&Found { leaf_hash, ..found.clone() })?;
                        }
                        Ok(true) => exporter.push(found)?,
                        Err(error) => bad.add(found.index, 1, &error.to_string()),
                    }
                    Ok(ControlFlow::Continue(()))
                })?
            }
            // Content is asked for outright: an export without it would pass for whole.
            From::Server(source) => {
                source.each_with(&self.filter, Some(self.with_content), &mut |found| {
                    progress.at(found.index, self.as_of.size);
                    exporter.push(found)?;
                    Ok(ControlFlow::Continue(()))
                })?
            }
        };
        progress.finish();
        Ok((exporter.end()?, unreadable.and(bad)))
    }

    fn record(&self, written: &Written, unreadable: &Unreadable, to: &str) -> Result<(), Failure> {
        let details = json!({
            "format": self.format.name(), "filter": filter_details(&self.filter),
            "metadata_only": !self.with_content, "to": to, "records": written.records,
            "unreadable": unreadable.count(), "bytes": written.bytes, "sha256": written.sha256,
            "as_of": { "size": self.as_of.size, "root": self.as_of.root_hex },
        });
        match &self.from {
            From::Folder(reading) => {
                self.recording.record(self.context, reading.log(), Act::Export(details))
            }
            From::Server(_) => Ok(()),
        }
    }
}

/// What was asked for; what was not is left out.
fn filter_details(filter: &Filter) -> Value {
    let mut details = Map::new();
    let lists = [
        ("agents", &filter.agents),
        ("types", &filter.types),
        ("sessions", &filter.sessions),
        ("traces", &filter.traces),
        ("tasks", &filter.tasks),
        ("tools", &filter.tools),
        ("principals", &filter.principals),
        ("error_types", &filter.error_types),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        details.insert(name.to_owned(), json!(list));
    }
    let outcomes: Vec<&str> = filter.outcomes.iter().map(|outcome| outcome.as_str()).collect();
    let tiers: Vec<&str> = filter.tiers.iter().map(|tier| tier.as_str()).collect();
    for (name, list) in [("outcomes", outcomes), ("tiers", tiers)] {
        if !list.is_empty() {
            details.insert(name.to_owned(), json!(list));
        }
    }
    let texts = [
        ("kind", filter.kind.map(|kind| written::kind_name(kind).to_owned())),
        ("from", filter.from.map(|time| time.to_string())),
        ("to", filter.to.map(|time| time.to_string())),
        ("text", filter.text.clone()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            details.insert(name.to_owned(), json!(text));
        }
    }
    Value::Object(details)
}
