//! The demo told: for people, in what two minutes can take in; for programs, as one JSON object.

use super::{Demo, PLANTED, SOURCES, id_of};
use crate::commands::trace::drawing;
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::{BAD, DIM, GOOD, STRONG, plain, styled};
use prove::{Counts, Level, Report, Verdict};
use query::escape::escape;
use query::render::{self, View};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;

/// Columns of the story: what fits a page.
const COLUMNS: usize = 100;

/// Tells it.
pub(super) fn for_people(context: &Context, demo: &Demo) -> Result<(), Failure> {
    let mut out = context.terminal.people();
    let view = context.terminal.view();
    let view = View { width: view.width.min(COLUMNS), ..view };
    let title = "Tachograph: what AI agents did, sealed so that nobody can change it unnoticed";
    writeln!(out, "{}", styled(STRONG, title))?;
    recorded(demo, &mut out)?;
    heading(&mut out, 2, "The incident: order 1042 was charged twice, and the refund failed")?;
    let incident = drawing(&demo.incident, &demo.as_of, view, crate::arguments::Format::Text);
    write!(out, "{}", without_foot(&incident))?;
    heading(&mut out, 3, "An OpenTelemetry agent: who called what, tokens, time and the error")?;
    let agent = render::tree(&demo.agent, &demo.as_of, view);
    write!(out, "{}", without_foot(&agent))?;
    verified(demo, &mut out)?;
    tampered(demo, &mut out)?;
    next_steps(demo, &mut out)?;
    Ok(out.flush()?)
}

fn heading(out: &mut impl Write, number: u32, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}\n", styled(STRONG, format_args!("── {number}  {text}")))
}

/// A drawing without its last part, which names the checkpoint: it is the same for all of the
/// story.
fn without_foot(drawing: &str) -> &str {
    drawing.rfind("\n\n").and_then(|at| drawing.get(..=at)).unwrap_or(drawing)
}

fn recorded(demo: &Demo, out: &mut impl Write) -> io::Result<()> {
    heading(out, 1, "What was recorded")?;
    let head = format!("{:<44} {:>7} {:>7}  {}", "SOURCE", "RECORDS", "EVENTS", "IN THE LOG AS");
    writeln!(out, "{}", styled(DIM, head))?;
    let mut sum = 0;
    for (source, played) in SOURCES.iter().zip(&demo.played) {
        let (first, last) = played.indexes.unwrap_or_default();
        sum += played.events;
        writeln!(
            out,
            "{:<44} {:>7} {:>7}  #{first} to #{last}",
            source.name, played.records, played.events
        )?;
    }
    let own = demo.as_of.size.saturating_sub(sum);
    writeln!(out, "{:<44} {:>7} {own:>7}  created, started, stopped", "The log's own life", "")?;
    let redacted = &demo.redacted;
    let rules: Vec<String> =
        redacted.rules.iter().map(|(rule, count)| format!("{count} {}", escape(rule))).collect();
    writeln!(
        out,
        "\nTaken out before anything was sealed: {} secrets and personal data, in {} events",
        styled(STRONG, redacted.values),
        redacted.events
    )?;
    writeln!(out, "  by rule        {}", rules.join(" · "))?;
    if let Some((index, message)) = &redacted.example {
        writeln!(out, "  for example    #{index}: {}", escape(message))?;
    }
    let leaks = &demo.leaks;
    let names: Vec<&str> = PLANTED.iter().map(|(name, _)| *name).collect();
    writeln!(out, "  looked for     {}", names.join(", "))?;
    writeln!(
        out,
        "  found          {} times in the sources, {} in the {} decrypted records, {} in the {} files",
        leaks.in_sources,
        found(leaks.in_records),
        leaks.records,
        found(leaks.in_files),
        leaks.files
    )
}

fn found(count: u64) -> String {
    if count == 0 { styled(GOOD, "none") } else { styled(BAD, count) }
}

fn verified(demo: &Demo, out: &mut impl Write) -> io::Result<()> {
    heading(out, 4, "Verification: is the log what it committed to?")?;
    let report = &demo.verified;
    verdict(out, report)?;
    let milliseconds = demo.verified_in.as_millis().max(1);
    writeln!(out, "  checked        every signature, hash, record and file, in {milliseconds} ms")?;
    counts(out, report)?;
    writeln!(out, "  checkpoint     {}, {} entries", plain(&report.origin), report.size)?;
    writeln!(out, "  root           {}", report.root)
}

fn verdict(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let text = match report.verdict() {
        Verdict::Ok if report.level == Level::Local => styled(GOOD, "OK"),
        Verdict::Ok => styled(GOOD, "OK, and signed by the key that the log was created with"),
        Verdict::Tampered => styled(BAD, "TAMPERED"),
        Verdict::Incomplete => styled(BAD, "INCOMPLETE"),
    };
    writeln!(out, "{text}")
}

fn tampered(demo: &Demo, out: &mut impl Write) -> io::Result<()> {
    heading(out, 5, "Tampering: one byte changed in a copy")?;
    let tampered = &demo.tampered;
    writeln!(
        out,
        "Somebody with the disk wants record #{} to say {} instead of {} EUR, and changes byte {} of",
        demo.target, tampered.after, tampered.before, tampered.offset
    )?;
    writeln!(out, "{} in the copy.\n", tampered.file)?;
    verdict(out, &demo.tampered_report)?;
    for finding in demo.tampered_report.findings() {
        let kind = serde_json::json!(finding.kind);
        let place = match finding.index {
            Some(index) => format!("record {index}"),
            None => plain(&finding.file),
        };
        let kind = styled(BAD, format_args!("{:<14}", kind.as_str().unwrap_or("?")));
        writeln!(out, "  {kind} {}: {}", styled(STRONG, place), plain(&finding.detail))?;
    }
    counts(out, &demo.tampered_report)
}

fn counts(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Counts { present, missing, corrupt, .. } = report.counts;
    writeln!(out, "  records        {present} present, {missing} missing, {corrupt} corrupt")
}

fn next_steps(demo: &Demo, out: &mut impl Write) -> io::Result<()> {
    heading(out, 6, "Try it yourself")?;
    let mut export = format!("export TACHO_DATA={}", pasted(&demo.place.data));
    if let Some(kek_file) = &demo.place.kek_file {
        export.push_str(&format!(" TACHO_KEK_FILE={}", pasted(kek_file)));
    }
    writeln!(out, "  {export}")?;
    let commands = [
        format!("tacho trace {}", id_of(&demo.incident.scope)),
        "tacho events --outcome timeout --text refund".to_owned(),
        format!("tacho verify --key '{}'", demo.log.identity.keys.first().map_or("", |key| key)),
        format!("tacho verify {}", pasted(&demo.place.tampered)),
    ];
    for command in commands {
        writeln!(out, "  {}", styled(STRONG, command))?;
    }
    if demo.place.kek_file.is_some()
        && let Some(root) = demo.place.data.parent()
    {
        writeln!(
            out,
            "\n{}",
            styled(
                DIM,
                format_args!("Nothing else was touched; away with it: rm -r {}", pasted(root))
            )
        )?;
    }
    Ok(())
}

/// A path as a shell takes it.
fn pasted(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = path.display().to_string();
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if text.chars().all(is_safe) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The same for programs.
pub(super) fn for_programs(context: &Context, demo: &Demo) -> Result<(), Failure> {
    let sources: Vec<Value> = SOURCES
        .iter()
        .zip(&demo.played)
        .map(|(source, played)| {
            json!({
                "name": source.name, "format": source.format.as_str(), "records": played.records,
                "events": played.events, "refused": played.refused, "trace_id": played.trace,
                "first_index": played.indexes.map(|it| it.0), "last_index": played.indexes.map(|it| it.1),
            })
        })
        .collect();
    let (redacted, leaks, tampered) = (&demo.redacted, &demo.leaks, &demo.tampered);
    let identity = &demo.log.identity;
    let json = json!({
        "ok": demo.problems.is_empty(),
        "problems": demo.problems,
        "data": demo.place.data,
        "kek_file": demo.place.kek_file,
        "log": { "id": identity.log_id, "name": identity.name, "origin": identity.origin,
                 "vkey": identity.keys.first(), "folder": demo.log.path },
        "checkpoint": { "origin": demo.as_of.origin, "size": demo.as_of.size, "root": demo.as_of.root_hex },
        "sources": sources,
        "redactions": { "values": redacted.values, "events": redacted.events, "rules": redacted.rules },
        "planted": { "in_sources": leaks.in_sources, "files": leaks.files, "in_files": leaks.in_files,
                     "records": leaks.records, "in_records": leaks.in_records },
        "verification": demo.verified,
        "tampered": {
            "data": demo.place.tampered, "folder": tampered.log.path, "file": tampered.file,
            "offset": tampered.offset, "index": demo.target,
            "named": demo.finding().is_some(), "verification": demo.tampered_report,
        },
    });
    let mut out = context.terminal.programs();
    writeln!(out, "{json}")?;
    Ok(out.flush()?)
}
