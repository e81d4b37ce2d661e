//! An incident report as a document.

use super::{Decision, Impact, Incident, Part, Person, Proof};
use crate::document::{Cell, Column, Document, KeyFigure, Table, Text, Tone};
use crate::forensics::page::{ROWS_MAX, at, begun, course, evidence, limits, short};
use query::render::{count, counted, duration};

/// Who signs.
const SIGNERS: [&str; 3] = ["Prepared by", "Reviewed by", "Accepted by"];

/// The report as a document.
#[must_use]
pub fn document(incident: &Incident) -> Document {
    let answer = &incident.forensics;
    let mut page = begun("Incident Report", answer);
    impact(&incident.impact, &mut page);
    course(answer, &mut page);
    people(incident, &mut page);
    limits(answer, &mut page);
    evidence(answer, &mut page);
    proofs(&incident.proofs, &mut page);
    page.heading("Sign-off");
    page.paragraph(
        "Whoever signs says what they did, and nothing of it is in the log. Whether the report is \
         the log's own is told by making it again as of the same checkpoint.",
    );
    page.sign_off(SIGNERS.to_vec());
    page
}

fn impact(it: &Impact, page: &mut Document) {
    page.heading("Impact");
    let failing = |parts: &[Part]| parts.iter().filter(|it| it.errors > 0).count() as u64;
    let figure = |label: &str, value: String, note: String, is_bad: bool| KeyFigure {
        label: label.to_owned(),
        value,
        note,
        tone: if is_bad { Tone::Bad } else { Tone::Plain },
    };
    let (traces, failures) = (it.other_traces, it.other_failures.unwrap_or(0));
    let others = match traces {
        Some(0) => "none touched the same".to_owned(),
        Some(_) => format!("touched the same; {} there", counted(failures, "failure")),
        None => "not looked for".to_owned(),
    };
    page.figures(vec![
        figure(
            "Errors and timeouts",
            count(it.errors),
            format!("of {}", counted(it.events, "event")),
            it.errors > 0,
        ),
        figure("Took", duration(it.duration_ms), "from first to last event".into(), false),
        figure(
            "Agents",
            count(it.agents.len() as u64),
            format!("{} with errors", failing(&it.agents)),
            false,
        ),
        figure("Other traces", traces.map_or_else(|| "—".to_owned(), count), others, failures > 0),
    ]);
    let mut items = Vec::new();
    let mut tell = |what: &str, names: &[String]| {
        let begun = Text::from(format!("{what}: "));
        let names = names.iter().enumerate();
        let text = names.fold(begun, |text, (number, name)| {
            let text = if number == 0 { text } else { text.plain(", ") };
            text.code(name.as_str())
        });
        items.push(text);
    };
    if !it.on_behalf_of.is_empty() {
        tell("On behalf of", &it.on_behalf_of);
    }
    if !it.resources.is_empty() {
        tell("Acted on", &it.resources);
    }
    let failed = it.tools.iter().filter(|it| it.errors > 0);
    let failed: Vec<String> =
        failed.map(|it| format!("{} ({} of {})", it.name, it.errors, it.events)).collect();
    if !failed.is_empty() {
        tell("Tools with errors", &failed);
    }
    let money = it.costs.iter().map(|it| format!("{} {}", it.amount, it.currency));
    let tokens = (it.tokens > 0).then(|| counted(it.tokens, "token"));
    let spent: Vec<String> = tokens.into_iter().chain(money).collect();
    if !spent.is_empty() {
        items.push(Text::from(format!("Spent: {}", spent.join(", "))));
    }
    if !items.is_empty() {
        page.list(false, items);
    }
}

fn people(incident: &Incident, page: &mut Document) {
    page.heading("Who Was Involved");
    let row = |it: &Person| {
        let known = match &it.authenticated_by {
            Some(how) => Cell::text(format!("authenticated ({how})")).in_tone(Tone::Good),
            None => Cell::text("claimed").in_tone(Tone::Warning),
        };
        vec![
            Cell::text(it.role.replace('_', " ")),
            Cell::code(it.name.clone()),
            Cell::code(it.issuer.clone().unwrap_or_default()),
            known,
            Cell::count(it.events),
            Cell::text(Text::default().evidence(&at(it.first))),
        ]
    };
    page.table(Table {
        name: "people",
        columns: vec![
            Column::text("role", "As"),
            Column::text("name", "Name"),
            Column::text("issuer", "Issuer"),
            Column::text("authenticated_by", "Known"),
            Column::number("events", "Events"),
            Column::text("first", "First"),
        ],
        rows: incident.people.iter().take(ROWS_MAX).map(row).collect(),
        otherwise: "No event names a caller, a customer or an approver.",
    });
    page.subheading("Approvals and decisions of people");
    page.table(decisions(&incident.decisions));
}

fn decisions(decisions: &[Decision]) -> Table {
    let row = |it: &Decision| {
        let tone = match it.what {
            "approved" => Tone::Good,
            "denied" | "stopped" => Tone::Bad,
            _ => Tone::Warning,
        };
        vec![
            Cell::text(short(&it.time)),
            Cell::text(it.what.replace('_', " ")).in_tone(tone),
            Cell::text(it.by.clone().unwrap_or_else(|| "not named".to_owned())),
            Cell::text(it.agent.clone().unwrap_or_default()),
            Cell::text(it.tool.clone().unwrap_or_default()),
            Cell::text(Text::default().evidence(&at(it.index))),
        ]
    };
    Table {
        name: "decisions",
        columns: vec![
            Column::text("time", "Time (UTC)"),
            Column::text("what", "What"),
            Column::text("by", "By"),
            Column::text("agent", "Agent"),
            Column::text("tool", "Tool"),
            Column::text("event", "Event"),
        ],
        rows: decisions.iter().take(ROWS_MAX).map(row).collect(),
        otherwise: "Nobody was asked, approved, refused or stopped anything.",
    }
}

fn proofs(proofs: &[Proof], page: &mut Document) {
    let Some(first) = proofs.first() else { return };
    page.subheading("Proofs");
    page.paragraph(
        "The log signed the checkpoint below. The hashes beside an event lead from its leaf to \
         that checkpoint's root (RFC 6962); as JSON, each is a C2SP tlog-proof as a verifier \
         takes it.",
    );
    let (_, checkpoint) = parts(first);
    let lines = checkpoint.lines().filter(|line| !line.is_empty());
    page.list(false, lines.map(|line| Text::default().code(line)).collect());
    let row = |it: &Proof| {
        let (hashes, _) = parts(it);
        vec![Cell::text(Text::default().evidence(&at(it.index))), Cell::code(hashes.join(" "))]
    };
    page.table(Table {
        name: "proofs",
        columns: vec![Column::text("event", "Event"), Column::text("hashes", "Hashes, leaf first")],
        rows: proofs.iter().map(row).collect(),
        otherwise: "none",
    });
}

/// The hashes of a tlog-proof, and its signed checkpoint.
fn parts(proof: &Proof) -> (Vec<&str>, &str) {
    let (head, checkpoint) = proof.tlog_proof.split_once("\n\n").unwrap_or_default();
    let hashes = head.lines().skip_while(|line| !line.starts_with("index ")).skip(1);
    (hashes.collect(), checkpoint)
}
