//! A document for a terminal.

use super::chart;
use super::markdown::text_legend;
use super::{Block, Cell, Document, SIGNED, Span, Table, Text, Tone};
use query::escape::escape;
use query::render::{Style, View, fit, width_of};
use std::fmt::Write as _;

/// Narrower terminals are not drawn for, and wider ones not filled.
const COLUMNS: (usize, usize) = (60, 140);
/// Most columns of one column of a table, unless there is room.
const CELL_COLUMNS: usize = 44;

/// Writes a document for a terminal of that width; colours are escape sequences made here, and
/// there are no others.
#[must_use]
pub fn text(document: &Document, view: View) -> String {
    let page = Page { width: view.width.clamp(COLUMNS.0, COLUMNS.1), style: view.style };
    let mut out = format!("{}\n", page.paint("1", &escape(&document.title)));
    let widest = document.facts.iter().map(|fact| width_of(fact.name)).max().unwrap_or(0);
    for fact in &document.facts {
        let pad = " ".repeat(widest.saturating_sub(width_of(fact.name)));
        let line = format!("{}{pad}  {}", fact.name, words(&fact.text));
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "{}", page.paint("2", &line));
    }
    out.push('\n');
    let mut after_callout = false;
    for block in &document.blocks {
        let is_callout = matches!(block, Block::Callout { .. });
        if after_callout && !is_callout {
            gap(&mut out);
        }
        page.write_block(&mut out, block);
        after_callout = is_callout;
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

struct Page {
    width: usize,
    style: Style,
}

impl Page {
    fn paint(&self, code: &str, text: &str) -> String {
        match self.style {
            Style::Plain => text.to_owned(),
            Style::Ansi => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    fn tone(&self, tone: Tone, text: &str) -> String {
        match tone {
            Tone::Plain => text.to_owned(),
            Tone::Good => self.paint("32", text),
            Tone::Warning => self.paint("33", text),
            Tone::Bad => self.paint("31", text),
        }
    }

    fn write_block(&self, out: &mut String, block: &Block) {
        let is_line = matches!(block, Block::Callout { .. });
        match block {
            Block::Heading(text) => {
                gap(out);
                let _ = writeln!(out, "{}", self.paint("1", &escape(text)));
            }
            Block::Subheading(text) => {
                gap(out);
                let _ = writeln!(out, "{}", self.paint("4", &escape(text)));
            }
            Block::Paragraph(text) => out.push_str(&wrap(&words(text), "", self.width)),
            Block::List { is_numbered, items } => {
                for (at, item) in items.iter().enumerate() {
                    let sign = if *is_numbered { format!("{}. ", at + 1) } else { "- ".into() };
                    out.push_str(&wrap(&words(item), &sign, self.width));
                }
            }
            Block::Callout { tone, text } => {
                let mark = if tone.mark().is_empty() { "·" } else { tone.mark() };
                let line = wrap(&words(text), &format!("{mark} "), self.width);
                let rest = line.strip_prefix(mark).unwrap_or_default();
                let _ = write!(out, "{}{rest}", self.tone(*tone, mark));
            }
            Block::Figures(figures) => {
                let widest = figures.iter().map(|f| width_of(&escape(&f.label))).max();
                for figure in figures {
                    let label = escape(&figure.label);
                    let pad = " ".repeat(widest.unwrap_or(0).saturating_sub(width_of(&label)));
                    let note = self.paint("2", &escape(&figure.note));
                    let note =
                        if figure.note.is_empty() { String::new() } else { format!("  {note}") };
                    let value = self.tone(figure.tone, &escape(&figure.value));
                    let _ = writeln!(out, "  {label}{pad}  {value}{note}");
                }
            }
            Block::Table(table) => self.write_table(out, table),
            Block::Chart(chart) => {
                let title = format!("{} ({})", chart.title, text_legend(chart));
                let _ = writeln!(out, "{}", self.paint("2", &escape(&title)));
                for line in chart::lines(chart, self.width - 4) {
                    let _ = writeln!(out, "  {line}");
                }
            }
            Block::SignOff(roles) => sign_off(out, roles),
        }
        if !is_line && !matches!(block, Block::Heading(_) | Block::Subheading(_)) {
            out.push('\n');
        }
    }

    fn write_table(&self, out: &mut String, table: &Table) {
        if table.rows.is_empty() {
            let _ = writeln!(out, "{}", self.paint("2", &escape(table.otherwise)));
            return;
        }
        let widths = self.widths(table);
        let line = |cells: &mut dyn Iterator<Item = (String, Tone)>| {
            let mut line = String::from(" ");
            for ((text, tone), (column, width)) in cells.zip(table.columns.iter().zip(&widths)) {
                let text = fit(&text, *width);
                let pad = " ".repeat(width.saturating_sub(width_of(&text)));
                let text = self.tone(tone, &text);
                let cell =
                    if column.is_number { format!("{pad}{text}") } else { format!("{text}{pad}") };
                let _ = write!(line, " {cell} ");
            }
            line.trim_end().to_owned()
        };
        let titles = table.columns.iter().map(|column| (column.title.to_owned(), Tone::Plain));
        let _ = writeln!(out, "{}", self.paint("2", &line(&mut titles.into_iter())));
        for row in &table.rows {
            let cells = row.iter().map(|cell| (words(&cell.shown), cell.tone));
            let _ = writeln!(out, "{}", line(&mut cells.into_iter()));
        }
    }

    /// Columns of each column: what its cells take, and less where all together take too much.
    fn widths(&self, table: &Table) -> Vec<usize> {
        let of = |cell: &Cell| width_of(&words(&cell.shown));
        let mut widths: Vec<usize> = (0..table.columns.len())
            .map(|at| {
                let cells = table.rows.iter().filter_map(|row| row.get(at)).map(of).max();
                let title = table.columns.get(at).map_or(0, |column| width_of(column.title));
                cells.unwrap_or(0).max(title)
            })
            .collect();
        let room = self.width.saturating_sub(2 * widths.len() + 1);
        for most in [CELL_COLUMNS, 32, 24, 18, 12] {
            if widths.iter().sum::<usize>() <= room {
                break;
            }
            for (width, column) in widths.iter_mut().zip(&table.columns) {
                let least = width_of(column.title);
                if !column.is_number {
                    *width = (*width).min(most).max(least);
                }
            }
        }
        widths
    }
}

fn sign_off(out: &mut String, roles: &[&str]) {
    let widest = roles.iter().map(|role| width_of(role)).max().unwrap_or(0);
    for role in roles {
        let lines = SIGNED.map(|title| format!("{title} {}", "_".repeat(12)));
        let _ = writeln!(out, "  {role:<widest$}  {}", lines.join("  "));
    }
}

/// An empty line, unless there is one.
fn gap(out: &mut String) {
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
}

fn words(text: &Text) -> String {
    let span = |span: &Span| match span {
        Span::Plain(text) | Span::Strong(text) | Span::Code(text) => escape(text),
        Span::Evidence(evidence) => format!("#{}", evidence.index),
    };
    text.0.iter().map(span).collect()
}

/// Lines of at most `width` columns, the first behind `sign`, the others below it.
fn wrap(text: &str, sign: &str, width: usize) -> String {
    let indent = width_of(sign);
    let (mut out, mut column) = (sign.to_owned(), indent);
    for word in text.split(' ') {
        let wide = width_of(word);
        if column > indent && column + 1 + wide > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += wide;
    }
    out.push('\n');
    out
}
