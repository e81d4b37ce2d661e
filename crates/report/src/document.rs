//! A document: what a report or a forensic analysis says, before it is text of any kind.
//!
//! A [`Document`] is headings, paragraphs, lists, tables, key figures, charts and references to
//! events, as plain data. Each file beside this one writes it in one format. Every text here is
//! untrusted, whoever made it: each writer escapes all of it for its own format, so that whoever
//! composes a document cannot forget to.
//!
//! Not here: what a document says (`period`, `forensics`), and JSON: every report has a structure
//! of its own for programs ([`json`] writes any).

pub mod chart;
mod csv;
mod html;
mod markdown;
mod pdf;
mod text;

pub use csv::{CsvError, csv};
pub(crate) use html::escaped;
pub use html::{html, page_policy};
pub use markdown::markdown;
pub use pdf::pdf;
pub use text::text;

use chart::Chart;
use query::AsOf;
use serde::Serialize;

/// What a reader is to think of something at first sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// To be looked at.
    Warning,
    /// Wrong.
    Bad,
}

impl Tone {
    /// One sign for it; nothing for a plain one.
    #[must_use]
    pub fn mark(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "✓",
            Self::Warning => "!",
            Self::Bad => "✗",
        }
    }
}

/// A reference to an event in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Evidence {
    /// Its index: with the checkpoint of the document it names one record, which `tacho prove`
    /// proves.
    pub index: u64,
    /// Its event id, if it has one.
    pub event_id: Option<String>,
}

/// Part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// As it is.
    Plain(String),
    /// To be seen first.
    Strong(String),
    /// A name or a value out of an event.
    Code(String),
    /// A reference to an event.
    Evidence(Evidence),
}

/// Text with parts that look different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Span>);

impl Text {
    /// The same, and plain text behind it.
    #[must_use]
    pub fn plain(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Plain(text.into()));
        self
    }

    /// The same, and strong text behind it.
    #[must_use]
    pub fn strong(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Strong(text.into()));
        self
    }

    /// The same, and a name or value behind it.
    #[must_use]
    pub fn code(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Code(text.into()));
        self
    }

    /// The same, and a reference behind it.
    #[must_use]
    pub fn evidence(mut self, evidence: &Evidence) -> Self {
        self.0.push(Span::Evidence(evidence.clone()));
        self
    }

    /// The words alone, not escaped.
    #[must_use]
    pub fn words(&self) -> String {
        let word = |span: &Span| match span {
            Span::Plain(text) | Span::Strong(text) | Span::Code(text) => text.clone(),
            Span::Evidence(evidence) => format!("#{}", evidence.index),
        };
        self.0.iter().map(word).collect()
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self(vec![Span::Plain(text.into())])
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name for programs: `error_rate`.
    pub key: &'static str,
    /// The name for people: `Error rate`.
    pub title: &'static str,
    /// Numbers stand at the right.
    pub is_number: bool,
}

impl Column {
    /// A column of texts.
    #[must_use]
    pub const fn text(key: &'static str, title: &'static str) -> Self {
        Self { key, title, is_number: false }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn number(key: &'static str, title: &'static str) -> Self {
        Self { key, title, is_number: true }
    }
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What people read.
    pub shown: Text,
    /// The number that programs read instead; never a text out of an event.
    pub number: Option<String>,
    /// How it looks.
    pub tone: Tone,
}

impl Cell {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Text>) -> Self {
        Self { shown: text.into(), ..Self::default() }
    }

    /// A name or value out of an event.
    #[must_use]
    pub fn code(text: impl Into<String>) -> Self {
        Self::text(Text::default().code(text))
    }

    /// A whole number.
    #[must_use]
    pub fn count(count: u64) -> Self {
        Self::number(query::render::count(count), count.to_string())
    }

    /// A number that people and programs read differently.
    #[must_use]
    pub fn number(shown: impl Into<String>, number: impl Into<String>) -> Self {
        Self { shown: Text::from(shown), number: Some(number.into()), tone: Tone::Plain }
    }

    /// The same in another tone.
    #[must_use]
    pub fn in_tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name for programs: `tool_breakdown`.
    pub name: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
    /// What stands there when there are no rows.
    pub otherwise: &'static str,
}

/// A number that is to be seen first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFigure {
    /// What it counts.
    pub label: String,
    /// The number as people read it.
    pub value: String,
    /// What belongs to it: a share, a unit.
    pub note: String,
    /// How it looks.
    pub tone: Tone,
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading below the title.
    Heading(String),
    /// A heading below a heading.
    Subheading(String),
    /// A paragraph.
    Paragraph(Text),
    /// A list, numbered or not.
    List {
        /// Whether its items have numbers.
        is_numbered: bool,
        /// The items.
        items: Vec<Text>,
    },
    /// Something to be seen among the rest: a finding, a check, a limit of what is said.
    Callout {
        /// How it looks.
        tone: Tone,
        /// What it says.
        text: Text,
    },
    /// Key figures, beside each other.
    Figures(Vec<KeyFigure>),
    /// A table.
    Table(Table),
    /// A chart.
    Chart(Chart),
    /// Lines to sign on, each for somebody who did something: `Reviewed by`.
    SignOff(Vec<&'static str>),
}

/// What is written on each line to sign on, beside who it is for.
pub(crate) const SIGNED: [&str; 3] = ["Name", "Date", "Signature"];

/// A line of the head of a document: the period, the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub text: Text,
}

/// A document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it is: `Agent Audit Summary — 2026-11-02`.
    pub title: String,
    /// What must be known to read it.
    pub facts: Vec<Fact>,
    /// What it says.
    pub blocks: Vec<Block>,
}

impl Document {
    /// A document that says nothing yet, about the log as of a checkpoint.
    #[must_use]
    pub fn new(title: impl Into<String>, as_of: &AsOf) -> Self {
        let entries = if as_of.size == 1 { "entry" } else { "entries" };
        let checkpoint = Text::default()
            .code(as_of.origin.as_str())
            .plain(format!(", {} {entries}, root ", query::render::count(as_of.size)))
            .code(as_of.root_hex.as_str());
        let facts = vec![Fact { name: "Checkpoint", text: checkpoint }];
        Self { title: title.into(), facts, blocks: Vec::new() }
    }

    /// Adds a line to the head.
    pub fn fact(&mut self, name: &'static str, text: impl Into<Text>) {
        self.facts.push(Fact { name, text: text.into() });
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(text.into()));
    }

    /// Adds a heading below a heading.
    pub fn subheading(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Subheading(text.into()));
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: impl Into<Text>) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    /// Adds a list.
    pub fn list(&mut self, is_numbered: bool, items: Vec<Text>) {
        self.blocks.push(Block::List { is_numbered, items });
    }

    /// Adds something to be seen among the rest.
    pub fn callout(&mut self, tone: Tone, text: impl Into<Text>) {
        self.blocks.push(Block::Callout { tone, text: text.into() });
    }

    /// Adds key figures.
    pub fn figures(&mut self, figures: Vec<KeyFigure>) {
        self.blocks.push(Block::Figures(figures));
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.blocks.push(Block::Table(table));
    }

    /// Adds a chart; one of fewer than two points compares nothing and is left out.
    pub fn chart(&mut self, chart: Chart) {
        if chart.points.len() > 1 {
            self.blocks.push(Block::Chart(chart));
        }
    }

    /// Adds lines to sign on.
    pub fn sign_off(&mut self, roles: Vec<&'static str>) {
        self.blocks.push(Block::SignOff(roles));
    }

    /// Its tables, in their order.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        })
    }
}

/// A report for programs: JSON with two blanks a level and a line end behind it. Hidden characters
/// in its strings are escaped.
#[must_use]
pub fn json(report: &impl Serialize) -> String {
    // What is given here has text for keys, and so cannot fail.
    let plain = serde_json::to_string_pretty(report).unwrap_or_default();
    let mut safe = Vec::with_capacity(plain.len() + 64);
    query::escape::escape_json(&plain, &mut safe);
    safe.push(b'\n');
    String::from_utf8_lossy(&safe).into_owned()
}

#[cfg(test)]
mod tests;
