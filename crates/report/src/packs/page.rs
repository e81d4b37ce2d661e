//! The answers of a pack as a document.

use super::{Answer, Answers, Verdict};
use crate::document::{Cell, Column, Document, Evidence, KeyFigure, Table, Text, Tone};
use query::AsOf;

/// The answers as a document.
#[must_use]
pub fn document(answers: &Answers) -> Document {
    let as_of = answers.checkpoint.clone().map_or(
        AsOf { origin: String::new(), size: 0, root_hex: String::new() },
        |it| AsOf { origin: it.origin, size: it.size, root_hex: it.root },
    );
    let mut page = Document::new(format!("Compliance Checks — {}", answers.title), &as_of);
    let pack = Text::default().code(answers.pack.as_str()).plain(format!(" {}", answers.version));
    page.fact("Pack", pack);
    if let Some(source) = &answers.source {
        page.fact("Text", source.as_str());
    }
    if let Some((from, to)) = answers.from.as_ref().zip(answers.to.as_ref()) {
        page.fact("Records", format!("{}, recorded from {from} to {to}", answers.records));
    }
    page.callout(Tone::Plain, answers.limits);
    let all = [Verdict::Pass, Verdict::Fail, Verdict::NotAssessable, Verdict::Manual];
    let figure = |verdict: Verdict| KeyFigure {
        label: words(verdict).to_owned(),
        value: answers.counts.get(verdict.as_str()).copied().unwrap_or(0).to_string(),
        note: String::new(),
        tone: tone(verdict),
    };
    page.figures(all.map(figure).to_vec());
    page.heading("Controls");
    page.table(table(answers));
    page.heading("What was found");
    answers.controls.iter().for_each(|control| found(control, &mut page));
    if !answers.recommendations.is_empty() {
        page.heading("Recommendations");
        let items = answers.recommendations.iter();
        page.list(true, items.map(|it| it.as_str().into()).collect());
    }
    page
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::NotAssessable => "not assessable",
        Verdict::Manual => "manual",
    }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail => Tone::Bad,
        Verdict::NotAssessable => Tone::Warning,
        Verdict::Manual => Tone::Plain,
    }
}

fn table(answers: &Answers) -> Table {
    let row = |it: &Answer| {
        vec![
            Cell::text(it.clause.as_str()),
            Cell::code(it.predicate.as_str()),
            Cell::text(words(it.verdict)).in_tone(tone(it.verdict)),
            Cell::text(it.threshold.clone().unwrap_or_default()),
            Cell::count(it.looked_at),
            Cell::count(it.offending),
        ]
    };
    Table {
        name: "checks",
        columns: vec![
            Column::text("clause", "Clause"),
            Column::text("predicate", "Predicate"),
            Column::text("verdict", "Evidence"),
            Column::text("threshold", "Asked for"),
            Column::number("looked_at", "Looked at"),
            Column::number("offending", "Offending"),
        ],
        rows: answers.controls.iter().map(row).collect(),
        otherwise: "the pack has no controls",
    }
}

fn found(control: &Answer, page: &mut Document) {
    let text = Text::default().strong(control.clause.as_str()).plain(format!(
        " — {}: {}.",
        words(control.verdict),
        control.found
    ));
    let events = control.events.iter();
    // Each with its id: a control is looked into one event at a time.
    let text = events.fold(text, |text, it| {
        let evidence = Evidence { index: it.index, event_id: it.event_id.clone() };
        text.plain(" ").evidence(&evidence)
    });
    page.callout(tone(control.verdict), text);
    if let Some(text) = &control.text {
        page.paragraph(format!("The text: “{text}”."));
    }
    let question = control.scope_question.as_ref();
    if let Some(question) = question.filter(|_| control.verdict != Verdict::Manual) {
        page.paragraph(format!("To be answered by people first: {question}"));
    }
}
