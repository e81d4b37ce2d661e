//! A document as Markdown (CommonMark with GitHub's tables).
//!
//! A stranger's text must not become a heading, a link, a picture, HTML or another cell: hidden
//! characters are made visible and every character that Markdown obeys gets a `\` before it. Names
//! and values stand between backticks, more of them than the value holds.

use super::chart::{self, Chart};
use super::{Block, Cell, Document, SIGNED, Span, Table, Text, Tone};
use query::escape::escape;
use std::fmt::Write as _;

/// Columns of a chart in text.
const CHART_COLUMNS: usize = 76;

/// Writes a document as Markdown.
#[must_use]
pub fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n\n", plain(&document.title));
    // Another sign than below: a list that follows is another list.
    for fact in &document.facts {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "* **{}**: {}", fact.name, inline(&fact.text, false));
    }
    let mut after_callout = false;
    for block in &document.blocks {
        let is_callout = matches!(block, Block::Callout { .. });
        let goes_on = is_callout && after_callout;
        if !goes_on && !out.ends_with("\n\n") {
            out.push('\n');
        }
        write_block(&mut out, block);
        after_callout = is_callout;
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn write_block(out: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => drop(writeln!(out, "## {}\n", plain(text))),
        Block::Subheading(text) => drop(writeln!(out, "### {}\n", plain(text))),
        Block::Paragraph(text) => drop(writeln!(out, "{}\n", inline(text, false))),
        Block::List { is_numbered, items } => {
            for (at, item) in items.iter().enumerate() {
                let sign = if *is_numbered { format!("{}.", at + 1) } else { "-".to_owned() };
                let _ = writeln!(out, "{sign} {}", inline(item, false));
            }
        }
        Block::Callout { tone, text } => {
            let _ = writeln!(out, "- {}{}", mark(*tone), inline(text, false));
        }
        Block::Figures(figures) => {
            for figure in figures {
                let note = match figure.note.is_empty() {
                    true => String::new(),
                    false => format!(" ({})", plain(&figure.note)),
                };
                let _ =
                    writeln!(out, "- {}: {}{note}", strong(&figure.label), plain(&figure.value));
            }
        }
        Block::Table(table) => write_table(out, table),
        Block::Chart(chart) => write_chart(out, chart),
        Block::SignOff(roles) => {
            let _ = writeln!(out, "| | {} |\n|---|---|---|---|", SIGNED.join(" | "));
            for role in roles {
                let _ = writeln!(out, "| {} | | | |", plain(role));
            }
            out.push('\n');
        }
    }
}

/// The sign of a tone, as document templates have it.
fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Good => "✅ ",
        Tone::Warning => "⚠️ ",
        Tone::Bad => "❌ ",
    }
}

fn write_table(out: &mut String, table: &Table) {
    if table.rows.is_empty() {
        let _ = writeln!(out, "{}\n", plain(table.otherwise));
        return;
    }
    let titles: Vec<String> = table.columns.iter().map(|column| plain(column.title)).collect();
    let rules = table.columns.iter().map(|c| if c.is_number { "--:" } else { "---" });
    let _ = writeln!(out, "| {} |", titles.join(" | "));
    let _ = writeln!(out, "|{}|", rules.collect::<Vec<_>>().join("|"));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(cell).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn cell(cell: &Cell) -> String {
    format!("{}{}", mark(cell.tone), inline(&cell.shown, true))
}

/// A chart as preformatted text. Four blanks before each line keep any of them from ending it.
fn write_chart(out: &mut String, chart: &Chart) {
    let (title, legend) = (strong(&chart.title), plain(&text_legend(chart)));
    let _ = writeln!(out, "{title} ({legend})\n\n```text");
    for line in chart::lines(chart, CHART_COLUMNS) {
        let _ = writeln!(out, "    {line}");
    }
    out.push_str("```\n\n");
}

/// The legend where there are no colours.
pub(super) fn text_legend(chart: &Chart) -> String {
    match chart.kind {
        chart::Kind::Bars => chart.legend().replace("in red", "as ▓"),
        chart::Kind::Columns => chart.unit.to_owned(),
    }
}

fn inline(text: &Text, in_cell: bool) -> String {
    let span = |span: &Span| match span {
        Span::Plain(text) => plain(text),
        Span::Strong(text) => strong(text),
        Span::Code(text) => code(text, in_cell),
        Span::Evidence(evidence) => format!("\\#{}", evidence.index),
    };
    let line: String = text.0.iter().map(span).collect();
    // Four blanks at the beginning would make it code.
    line.trim_start().to_owned()
}

/// Asterisks beside a blank are none.
fn strong(text: &str) -> String {
    match plain(text.trim()) {
        text if text.is_empty() => text,
        text => format!("**{text}**"),
    }
}

/// Text of which Markdown obeys nothing.
fn plain(text: &str) -> String {
    let text = escape(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    // What is a list, a heading or a rule at the beginning of a line is none behind these.
    let (mut begins, mut is_number) = (true, false);
    while let Some(c) = rest.next() {
        let ends_word = rest.peek().is_none_or(|after| after.is_whitespace());
        let is_obeyed = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' | '@' => true,
            // Inside a word it does nothing.
            '_' => {
                let after = rest.peek().copied().unwrap_or(' ');
                !(before.is_alphanumeric() && after.is_alphanumeric())
            }
            // `://` and `www.` make links.
            '/' => before == ':',
            '.' => before == 'w' || is_number && ends_word,
            ')' => is_number && ends_word,
            '#' | '+' | '-' | '=' | '!' => begins,
            _ => false,
        };
        if is_obeyed {
            out.push('\\');
        }
        out.push(c);
        is_number = c.is_ascii_digit() && (begins || is_number);
        begins = begins && c.is_whitespace();
        before = c;
    }
    out
}

/// A value between backticks.
fn code(text: &str, in_cell: bool) -> String {
    let text = escape(text);
    if text.trim().is_empty() {
        return "—".to_owned();
    }
    // The one character that ends a cell even between backticks.
    if in_cell && text.contains('|') {
        return plain(&text);
    }
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 || text.starts_with(' ') || text.ends_with(' ') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_obeys_nothing_of_a_text() {
        for (raw, safe) in [
            ("# x", "\\# x"),
            ("1. x", "1\\. x"),
            ("12) x", "12\\) x"),
            ("1.5 x", "1.5 x"),
            ("2026-01-02", "2026-01-02"),
            ("- x", "\\- x"),
            ("a - b", "a - b"),
            ("[a](b)", "\\[a\\](b)"),
            ("<b>", "\\<b\\>"),
            ("a|b", "a\\|b"),
            ("*a*", "\\*a\\*"),
            ("_a_ agent.tool_call", "\\_a\\_ agent.tool_call"),
            ("https://x", "https:\\//x"),
            ("www.x", "www\\.x"),
            ("a\nb", "a\\\\nb"),
        ] {
            assert_eq!(plain(raw), safe, "{raw}");
        }
    }

    #[test]
    fn a_value_never_ends_its_backticks_or_its_cell() {
        assert_eq!(code("a", false), "`a`");
        assert_eq!(code("a`b", false), "`` a`b ``");
        assert_eq!(code("``", false), "``` `` ```");
        assert_eq!(code("a|b", true), "a\\|b");
        assert_eq!(code("a\\|b", true), "a\\\\\\|b");
        assert_eq!(code(" ", false), "—");
    }
}
