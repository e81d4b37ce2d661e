//! A document as one HTML page that needs nothing else: no script, no picture and no font from
//! anywhere, and a policy in the page that allows none. Light and dark as the reader has it.

use super::chart;
use super::{Block, Document, KeyFigure, SIGNED, Span, Table, Text, Tone};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use query::escape::escape;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

const STYLE: &str = include_str!("html.css");

/// What a page allows itself: its style, and nothing else whatsoever. It stands in every page, and
/// belongs into the header of a server that serves one.
#[must_use]
pub fn page_policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

/// Writes a document as a page.
#[must_use]
pub fn html(document: &Document) -> String {
    let policy = page_policy();
    let title = escaped(&document.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n\
         <h1>{title}</h1>\n<dl>\n"
    );
    for fact in &document.facts {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escaped(fact.name), inline(&fact.text));
    }
    out.push_str("</dl>\n</header>\n");
    let mut in_checks = false;
    for block in &document.blocks {
        let is_check = matches!(block, Block::Callout { .. });
        if is_check != in_checks {
            out.push_str(if is_check { "<ul class=\"checks\">\n" } else { "</ul>\n" });
            in_checks = is_check;
        }
        write_block(&mut out, block);
    }
    out.push_str(if in_checks { "</ul>\n" } else { "" });
    out.push_str(
        "</main>\n<footer>Made by <b>tacho</b> from a tamper-evident log. Whoever has the log makes \
         the same bytes again as of the same checkpoint.</footer>\n</body>\n</html>\n",
    );
    out
}

fn write_block(out: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => drop(writeln!(out, "<h2>{}</h2>", escaped(text))),
        Block::Subheading(text) => drop(writeln!(out, "<h3>{}</h3>", escaped(text))),
        Block::Paragraph(text) => drop(writeln!(out, "<p>{}</p>", inline(text))),
        Block::List { is_numbered, items } => {
            let tag = if *is_numbered { "ol" } else { "ul" };
            let _ = writeln!(out, "<{tag}>");
            for item in items {
                let _ = writeln!(out, "<li>{}</li>", inline(item));
            }
            let _ = writeln!(out, "</{tag}>");
        }
        Block::Callout { tone, text } => {
            let (class, mark) = (class(*tone), tone.mark());
            let mark = if mark.is_empty() { "·" } else { mark };
            let _ = writeln!(
                out,
                "<li class=\"{class}\"><b class=\"mark\">{mark}</b><span>{}</span></li>",
                inline(text)
            );
        }
        Block::Figures(figures) => {
            out.push_str("<div class=\"figures\">\n");
            figures.iter().for_each(|figure| write_figure(out, figure));
            out.push_str("</div>\n");
        }
        Block::Table(table) => write_table(out, table),
        Block::Chart(chart) => {
            let _ = writeln!(
                out,
                "<figure>\n<figcaption><b>{}</b> {}</figcaption>\n{}\n</figure>",
                escaped(&chart.title),
                escaped(&chart.legend()),
                chart::svg(chart)
            );
        }
        Block::SignOff(roles) => write_sign_off(out, roles),
    }
}

/// Rows with room for a pen: their lower rules are what is signed on.
fn write_sign_off(out: &mut String, roles: &[&str]) {
    out.push_str("<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\"></th>");
    for title in SIGNED {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(title));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for role in roles {
        let _ = writeln!(out, "<tr><td><br>{}</td><td></td><td></td><td></td></tr>", escaped(role));
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn write_figure(out: &mut String, figure: &KeyFigure) {
    let _ = writeln!(
        out,
        "<div class=\"figure {}\"><span>{}</span><strong>{}</strong><small>{}</small></div>",
        class(figure.tone),
        escaped(&figure.label),
        escaped(&figure.value),
        escaped(&figure.note)
    );
}

fn write_table(out: &mut String, table: &Table) {
    if table.rows.is_empty() {
        let _ = writeln!(out, "<p class=\"soft\">{}</p>", escaped(table.otherwise));
        return;
    }
    let number = |is_number| if is_number { " class=\"number\"" } else { "" };
    out.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
    for column in &table.columns {
        let title = escaped(column.title);
        let _ = write!(out, "<th scope=\"col\"{}>{title}</th>", number(column.is_number));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (cell, column) in row.iter().zip(&table.columns) {
            let shown = inline(&cell.shown);
            let shown = match cell.tone {
                Tone::Plain => shown,
                tone => format!("<span class=\"{}\">{shown}</span>", class(tone)),
            };
            let _ = write!(out, "<td{}>{shown}</td>", number(column.is_number));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    }
}

fn inline(text: &Text) -> String {
    let span = |span: &Span| match span {
        Span::Plain(text) => escaped(text),
        Span::Strong(text) => format!("<strong>{}</strong>", escaped(text)),
        // It has a background, which would show as an empty box.
        Span::Code(text) if text.is_empty() => String::new(),
        Span::Code(text) => format!("<code>{}</code>", escaped(text)),
        Span::Evidence(evidence) => {
            let id = evidence.event_id.as_deref().unwrap_or("no event id");
            let index = evidence.index;
            format!("<code class=\"evidence\" title=\"{}\">#{index}</code>", escaped(id))
        }
    };
    text.0.iter().map(span).collect()
}

/// Text of which HTML obeys nothing, within an element or a quoted attribute. Hidden characters
/// are made visible first.
#[must_use]
pub(crate) fn escaped(text: &str) -> String {
    let text = escape(text);
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
