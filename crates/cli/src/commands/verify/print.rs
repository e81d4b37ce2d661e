//! The report of `tacho verify`, for people and for programs.

use super::Place;
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::{BAD, DIM, DOUBTFUL, GOOD, STRONG, plain, styled};
use indicatif::HumanCount;
use prove::{Finding, KeyEpoch, Level, RemovedBy, Report, SignatureCounts, Verdict};
use std::io::Write;
use std::time::Duration;

/// The contract's JSON.
pub(super) fn for_programs(context: &Context, report: &Report) -> Result<(), Failure> {
    let mut out = context.terminal.programs();
    writeln!(out, "{}", report.to_json())?;
    Ok(out.flush()?)
}

/// What was checked, what was found, and what to do.
pub(super) fn for_people(
    context: &Context,
    report: &Report,
    place: &Place,
    elapsed: Duration,
) -> Result<(), Failure> {
    let mut out = context.terminal.people();
    let origin = if report.origin.is_empty() { "?" } else { &report.origin };
    let at = match place {
        Place::Here(path) => path.display().to_string(),
        Place::Server(address) => plain(address),
    };
    writeln!(out, "{} {}", styled(STRONG, plain(origin)), styled(DIM, at))?;
    let mut line = |label: &str, text: String| {
        writeln!(out, "  {} {text}", styled(DIM, format_args!("{label:<11}")))
    };
    line("checkpoint", format!("{} entries, root {}", HumanCount(report.size), report.root))?;
    let counted = if matches!(place, Place::Server(_)) { "entries" } else { "records" };
    line(counted, counts(report))?;
    if !report.signatures.is_empty() {
        line("signatures", signatures(&report.signatures))?;
    }
    for RemovedBy { index, state, count } in &report.removals {
        let count = HumanCount(*count);
        line("removed", format!("{count} {state}, as record {index} announces"))?;
    }
    if let Some(completeness) = &report.completeness {
        line("complete", plain(&completeness.sentence))?;
    }
    if report.unpublished > 0 {
        line("unpublished", format!("{} records, checked too", HumanCount(report.unpublished)))?;
    }
    line("signer", level(report).to_owned())?;
    for text in epochs(report) {
        line("keys", text)?;
    }
    for note in report.notes.iter().filter(|note| *note != prove::NOT_PINNED) {
        line("note", plain(note))?;
    }
    let seconds = elapsed.as_secs_f64();
    let rate = HumanCount((report.size as f64 / seconds.max(0.001)) as u64);
    line("took", format!("{seconds:.2} s, {rate} entries a second"))?;
    writeln!(out)?;
    for finding in report.findings() {
        write_finding(&mut out, finding)?;
    }
    if report.findings_omitted > 0 {
        writeln!(out, "  and {} more like these", HumanCount(report.findings_omitted))?;
    }
    if !report.findings().is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}", verdict(report, place))?;
    Ok(out.flush()?)
}

fn write_finding(out: &mut impl Write, finding: &Finding) -> Result<(), Failure> {
    let kind = serde_json::to_value(finding.kind).unwrap_or_default();
    let kind = format!("{:<11}", kind.as_str().unwrap_or("?"));
    let style = if finding.kind.is_failure() { BAD } else { DOUBTFUL };
    let place = match (finding.index, finding.count) {
        (Some(index), 0 | 1) => format!("record {index}"),
        (Some(index), count) => {
            format!("records {index} to {}", index.saturating_add(count - 1))
        }
        (None, _) => String::new(),
    };
    let file = plain(&finding.file);
    let place = match (place.is_empty(), file.is_empty()) {
        (false, false) => format!("{place} in {file}"),
        (false, true) => place,
        (true, _) => file,
    };
    let detail = plain(&finding.detail);
    Ok(writeln!(out, "  {} {}: {detail}", styled(style, kind), styled(STRONG, place))?)
}

fn counts(report: &Report) -> String {
    let counts = &report.counts;
    let named = [
        (counts.present, "present"),
        (counts.content_erased, "content erased"),
        (counts.erased, "erased"),
        (counts.expired, "expired"),
        (counts.held, "held"),
        (counts.missing, "missing"),
        (counts.corrupt, "corrupt"),
    ];
    let there = named.iter().filter(|(count, name)| *count > 0 || *name == "present");
    let texts: Vec<String> =
        there.map(|(count, name)| format!("{} {name}", HumanCount(*count))).collect();
    texts.join(", ")
}

/// How the signatures of agents stand.
fn signatures(counts: &SignatureCounts) -> String {
    let named = [
        (counts.valid, "valid"),
        (counts.redacted, "of events that the log redacted"),
        (counts.unknown, "by keys that are not registered"),
        (counts.bad, "that do not hold or are missing"),
    ];
    let there = named.iter().filter(|(count, _)| *count > 0);
    let texts: Vec<String> =
        there.map(|(count, name)| format!("{} {name}", HumanCount(*count))).collect();
    format!("of agents: {}", texts.join(", "))
}

/// The keys that followed each other, when any did.
fn epochs(report: &Report) -> Vec<String> {
    let count = report.epochs.len();
    if count < 2 {
        return Vec::new();
    }
    let mut texts = vec![format!("{count}, each certified by the one before it")];
    for KeyEpoch { epoch, vkeys, record, since } in &report.epochs {
        let begun = match (record, since) {
            (None, _) => "from the beginning".to_owned(),
            (Some(record), None) => format!("since record {record}"),
            (Some(record), Some(since)) => format!("since record {record}, {since}"),
        };
        texts.push(format!("epoch {epoch}, {begun}: {}", plain(&vkeys.join(" "))));
    }
    texts
}

fn level(report: &Report) -> &'static str {
    match report.level {
        Level::Local if report.verdict() == Verdict::Ok => {
            "not pinned: the files agree with each other; give --key VKEY to know who signed"
        }
        Level::Local => "not pinned; give --key VKEY to know who signed",
        Level::Signed => "signed by a key that you trust",
        Level::Witnessed => "signed, and cosigned by the witnesses that you trust",
        Level::Anchored => "signed, and anchored in time",
    }
}

fn verdict(report: &Report, place: &Place) -> String {
    let of = if matches!(place, Place::Server(_)) { " of the public log" } else { "" };
    match (report.verdict(), place) {
        (Verdict::Ok, _) if report.level == Level::Local => {
            format!("{} every byte{of} is consistent; signer not pinned", styled(GOOD, "OK"))
        }
        (Verdict::Ok, _) => {
            format!("{} every byte{of} is what the log committed to", styled(GOOD, "OK"))
        }
        (Verdict::Tampered, Place::Server(_)) => format!(
            "{} the server does not show what the log committed to. Keep this report, and what you \
             compared with: it is evidence.",
            styled(BAD, "TAMPERED")
        ),
        (Verdict::Tampered, Place::Here(path)) if path.is_file() => format!(
            "{} the evidence does not hold: rely on nothing in it. Keep the file, and ask whoever runs the \
             log for another.",
            styled(BAD, "TAMPERED")
        ),
        (Verdict::Tampered, Place::Here(_)) => format!(
            "{} the log is not what it committed to. Keep the folder as it is: it is evidence. Restore \
             from a backup into another folder and verify that.",
            styled(BAD, "TAMPERED")
        ),
        (Verdict::Incomplete, _) => format!(
            "{} nothing wrong was found, but not everything could be checked; see above",
            styled(DOUBTFUL, "INCOMPLETE")
        ),
    }
}
