//! `tacho import`: logs of other programs in, once, however often it is run.

use crate::arguments::Format as OutputFormat;
use crate::context::Context;
use crate::destination::{Destination, Flight, Wish};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::sending::Manner;
use crate::terminal::{BAD, DIM, GOOD, STRONG, plain, styled};
use crate::writing::Answer;
use capture::{Captured, Format, Summary};
use clap::Args;
use clap::builder::PossibleValuesParser;
use event::Assurance;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

const AFTER_HELP: &str = "\
Importing is idempotent: what is in the log already is not added again. Fields that an event has no place
for are kept in its attributes, and named. Exit code 1 when any record was refused; the others are sealed.

Examples:
  tacho import --from ag2-audit hub/audit/audit.jsonl
  tacho import --from otlp-json traces.json logs.json --format json
  tacho import --from ag2-audit hub/audit/audit.jsonl --url https://log.example.org";

/// Events of one batch.
const BATCH_EVENTS: usize = 1000;
/// A server may be away for so long.
const PATIENCE: Duration = Duration::from_secs(300);
/// Batches on their way at the same time.
const BATCHES_IN_FLIGHT: usize = 8;
/// Refusals that are told of one file; more are only counted.
const REFUSALS_MAX: usize = 1000;

/// Bring existing logs in
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// What the files hold
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    from: String,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.as_str()))
}

/// What became of one file.
#[derive(Debug, Default, Serialize)]
struct FileReport {
    file: String,
    records: u64,
    events: u64,
    new: u64,
    duplicates: u64,
    refused: u64,
    refusals: Vec<RefusalReport>,
    unmapped_fields: BTreeMap<String, u64>,
    /// Why the rest of the file could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct RefusalReport {
    line: u64,
    code: String,
    field: String,
    reason: String,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let known = [OutputFormat::Text, OutputFormat::Json, OutputFormat::Ndjson];
        let output = context.format(&known)?;
        let format = Format::from_name(&self.from)
            .ok_or_else(|| Failure::usage(format!("{:?} is not a format", self.from)))?;
        for path in &self.files {
            std::fs::metadata(path).map_err(Failure::io("read", path))?;
        }
        let manner = Manner { atomic: false, imported: true };
        let mut destination =
            Destination::open(context, Wish { is_long: true, manner, patience: PATIENCE })?;
        let imported: Result<Vec<FileReport>, Failure> =
            self.files.iter().map(|path| import(&mut destination, format, path)).collect();
        let closed = destination.close(context);
        let reports = imported?;
        closed?;
        match output {
            OutputFormat::Json => {
                let mut out = context.terminal.programs();
                writeln!(out, "{}", serde_json::json!({ "from": self.from, "files": reports }))?;
                out.flush()?;
            }
            OutputFormat::Ndjson => {
                let mut out = context.terminal.programs();
                for report in &reports {
                    out.write_all(&query::escape::to_json(report))?;
                    out.write_all(b"\n")?;
                }
                out.flush()?;
            }
            _ => print(context, &reports)?,
        }
        let fine = reports.iter().all(|report| report.refused == 0 && report.error.is_none());
        Ok(if fine { Exit::Fine } else { Exit::Failed })
    }
}

/// Imports one file.
fn import(
    destination: &mut Destination,
    format: Format,
    path: &PathBuf,
) -> Result<FileReport, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::io("read", path))?;
    let mut report = FileReport { file: path.display().to_string(), ..FileReport::default() };
    let mut batch: Vec<Captured<'_>> = Vec::new();
    let mut flights = VecDeque::new();
    let mut failure = None;
    let summary = capture::capture(format, Assurance::Imported, &bytes, &mut |captured| {
        batch.push(captured);
        if batch.len() >= BATCH_EVENTS && failure.is_none() {
            let landed = send(destination, std::mem::take(&mut batch), &mut flights, &mut report);
            failure = landed.err();
        }
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    send(destination, batch, &mut flights, &mut report)?;
    for flight in flights {
        land(flight, &mut report)?;
    }
    match summary {
        Ok(Summary { records, events, unmapped_fields, .. }) => {
            (report.records, report.events) = (records, events);
            report.unmapped_fields = unmapped_fields;
        }
        Err(error) => {
            report.events = report.new + report.duplicates;
            report.error = Some(error.to_string());
        }
    }
    Ok(report)
}

fn send(
    destination: &mut Destination,
    batch: Vec<Captured<'_>>,
    flights: &mut VecDeque<Flight>,
    report: &mut FileReport,
) -> Result<(), Failure> {
    flights.push_back(destination.submit(batch)?);
    if flights.len() > BATCHES_IN_FLIGHT
        && let Some(flight) = flights.pop_front()
    {
        land(flight, report)?;
    }
    Ok(())
}

fn land(flight: Flight, report: &mut FileReport) -> Result<(), Failure> {
    flight.land(&mut |Answer { line, result }| {
        match result {
            Ok(accepted) if accepted.duplicate => report.duplicates += 1,
            Ok(_) => report.new += 1,
            Err(refusal) => {
                report.refused += 1;
                if report.refusals.len() < REFUSALS_MAX {
                    let (code, field) = (refusal.code.into_owned(), refusal.field);
                    let reason = refusal.reason.into_owned();
                    report.refusals.push(RefusalReport { line, code, field, reason });
                }
            }
        }
        Ok(())
    })
}

fn print(context: &Context, reports: &[FileReport]) -> Result<(), Failure> {
    let mut out = context.terminal.people();
    for report in reports {
        let FileReport { records, new, duplicates, refused, .. } = report;
        let fine = *refused == 0 && report.error.is_none();
        let mark = if fine { styled(GOOD, "ok") } else { styled(BAD, "!!") };
        writeln!(
            out,
            "{mark} {}: {records} records, {new} new events, {duplicates} in the log already, {refused} \
             refused",
            styled(STRONG, plain(&report.file))
        )?;
        if let Some(error) = &report.error {
            writeln!(out, "   {}", plain(error))?;
        }
        for refusal in &report.refusals {
            let RefusalReport { line, code, field, reason } = refusal;
            let field =
                if field.is_empty() { String::new() } else { format!(" {}:", plain(field)) };
            writeln!(out, "   line {line}: {code}:{field} {}", plain(reason))?;
        }
        let told = report.refusals.len() as u64;
        if *refused > told {
            writeln!(out, "   and {} more", refused - told)?;
        }
        if !report.unmapped_fields.is_empty() {
            let fields: Vec<String> = report
                .unmapped_fields
                .iter()
                .map(|(name, count)| format!("{} ({count})", plain(name)))
                .collect();
            let text = format!("kept as attributes: {}", fields.join(", "));
            writeln!(out, "   {}", styled(DIM, text))?;
        }
    }
    Ok(out.flush()?)
}
