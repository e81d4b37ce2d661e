//! Answers as text for people: timeline, tree and tables.
//!
//! Pure functions to a `String`: whether a terminal is there, how wide it is and whether it has
//! colours is for the caller to find out. Every text from an event goes through [`crate::escape`]
//! first, so the only escape sequences in the output are the colours made here.

mod activity;
mod difference;
mod events;
mod figures;
mod graph;
mod layout;
mod notes;
mod provenance;
mod replay;
mod table;
mod timeline;
mod tree;

pub use activity::activity;
pub use difference::{difference, difference_json};
pub use events::events;
pub use figures::{clock, count, counted, date_and_clock, duration};
pub use graph::{dot, mermaid, svg};
pub use layout::{fit, width_of};
pub use provenance::{provenance, provenance_json};
pub use replay::{replay_foot, step};
pub use table::{Column, table};
pub use timeline::timeline;
pub use tree::tree;

use event::Status;
use std::collections::{HashMap, HashSet};

/// Whether to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    #[default]
    Plain,
    /// With ANSI colours (ECMA-48 "SGR" sequences).
    Ansi,
}

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Columns of the terminal; 40 at least are used.
    pub width: usize,
    /// Whether to colour.
    pub style: Style,
}

/// Narrower than this, columns are left out.
const WIDE: usize = 84;

impl View {
    fn columns(self) -> usize {
        self.width.clamp(40, 400)
    }

    fn is_wide(self) -> bool {
        self.columns() >= WIDE
    }

    fn paint(self, ink: Ink, text: &str) -> String {
        let code = match (self.style, ink) {
            (Style::Plain, _) | (_, Ink::Plain) => return text.to_owned(),
            (Style::Ansi, Ink::Dim) => "2",
            (Style::Ansi, Ink::Bold) => "1",
            (Style::Ansi, Ink::Red) => "31",
            (Style::Ansi, Ink::Yellow) => "33",
            (Style::Ansi, Ink::Green) => "32",
            (Style::Ansi, Ink::Agent(number)) => AGENTS[number % AGENTS.len()],
        };
        if text.trim().is_empty() { text.to_owned() } else { format!("\x1b[{code}m{text}\x1b[0m") }
    }
}

/// Colours that tell agents apart; red and yellow mean trouble and are not among them.
const AGENTS: [&str; 6] = ["36", "35", "34", "96", "95", "94"];

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ink {
    Plain,
    Dim,
    Bold,
    Red,
    Yellow,
    Green,
    Agent(usize),
}

/// How a status looks in a terminal.
trait Drawn: Copy {
    /// One column wide.
    fn mark(self) -> &'static str;
    /// Its colour.
    fn ink(self) -> Ink;
    /// The mark, and the word unless all is well.
    fn words(self) -> String;
}

impl Drawn for Status {
    fn mark(self) -> &'static str {
        match self {
            Self::Success => "✓",
            Self::Error | Self::Timeout => "✗",
            Self::Denied => "⊘",
            Self::Escalated => "↗",
            Self::Cancelled => "–",
            Self::Unknown => "?",
        }
    }

    fn ink(self) -> Ink {
        match self {
            Self::Success => Ink::Green,
            Self::Error | Self::Timeout => Ink::Red,
            Self::Denied | Self::Escalated => Ink::Yellow,
            Self::Cancelled | Self::Unknown => Ink::Dim,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Success => self.mark().to_owned(),
            _ => format!("{} {}", self.mark(), self.as_str()),
        }
    }
}

/// The error of an event on one line, escaped: its class and message, neither twice.
fn error_line(summary: &crate::summary::Summary) -> Option<String> {
    let class = summary.error_type.as_deref().filter(|class| !class.is_empty());
    let message = summary.error.as_deref().filter(|message| !message.is_empty());
    let text = match (class, message) {
        (None, None) => return None,
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (Some(class), Some(message)) if message.starts_with(class) => message.to_owned(),
        (Some(class), Some(message)) => format!("{class}: {message}"),
    };
    Some(crate::escape::escape(&text))
}

/// Numbers agents in order of appearance, for their colours.
#[derive(Default)]
struct Agents<'a>(HashMap<&'a str, usize>);

impl<'a> Agents<'a> {
    fn ink(&mut self, agent: Option<&'a str>) -> Ink {
        let next = self.0.len();
        agent.map_or(Ink::Dim, |agent| Ink::Agent(*self.0.entry(agent).or_insert(next)))
    }
}

/// The nodes that seem to have no end.
fn open_nodes(trace: &crate::trace::Trace) -> HashSet<usize> {
    trace.findings.gaps.iter().map(|gap| gap.node).collect()
}

/// An agent's name as shown.
fn agent_name(agent: Option<&str>) -> String {
    agent.map_or_else(|| "–".to_owned(), crate::escape::escape)
}

/// The widest of some texts, but at most `max`.
fn widest<'t>(texts: impl IntoIterator<Item = &'t str>, max: usize) -> usize {
    texts.into_iter().map(width_of).max().unwrap_or(0).min(max)
}

/// Ends a line: trailing blanks are not drawn.
fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests;
