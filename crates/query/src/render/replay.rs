//! One step of a replay: what the agent knew, what it did, and what came of it.

use super::figures::{date_and_clock, duration};
use super::layout::{left, wrap};
use super::{Agents, Drawn, Ink, View, agent_name, error_line, notes, push_line};
use crate::escape::escape;
use crate::found::{AsOf, State};
use crate::replay::{Replay, Step};
use crate::trace::{Node, Trace};

/// Lines of one text at most.
const LINES_MAX: usize = 20;

/// Events of which only the label is shown, at most: the nearest.
const LABELS_MAX: usize = 8;

/// Columns of the names on the left.
const NAME: usize = 11;

/// Draws a step, by its number from 0.
#[must_use]
pub fn step(replay: &Replay, trace: &Trace, step: &Step, number: usize, view: View) -> String {
    let mut out = String::new();
    let Some(node) = trace.nodes.get(step.node) else { return out };
    title(replay, node, number, view, &mut out);
    let of = |at: usize| trace.nodes.get(at);
    let mut section = Section { view, out: &mut out };
    if let Some((at, text)) = &step.input {
        section.text("input", text, of(*at).filter(|_| *at != step.node));
    }
    for (at, text) in &step.context {
        section.text("context", text, of(*at).filter(|_| *at != step.node));
    }
    let omitted = step.known.len().saturating_sub(LABELS_MAX);
    if omitted > 0 {
        section.line("knew", Ink::Dim, &format!("{omitted} earlier events"));
    }
    for node in step.known.iter().skip(omitted).filter_map(|at| of(*at)) {
        section.label("knew", node);
    }
    for (at, text) in &step.reasoning {
        section.text("reasoning", text, of(*at).filter(|_| *at != step.node));
    }
    section.line("decision", Ink::Bold, &escape(&node.summary.label));
    if let Some(details) = &step.details {
        section.text("details", details, None);
    }
    if let Some(confidence) = &step.confidence {
        section.line("confidence", Ink::Plain, &escape(confidence));
    }
    if let Some(result) = &step.result {
        section.text("result", result, None);
    }
    section.line("outcome", node.summary.status.ink(), &node.summary.status.words());
    if let Some(error) = error_line(&node.summary) {
        section.line("error", Ink::Red, &error);
    }
    for child in node.children.iter().take(LABELS_MAX).filter_map(|at| of(*at)) {
        section.label("then", child);
    }
    out
}

/// The end of a replay: the checkpoint that it is as of.
#[must_use]
pub fn replay_foot(as_of: &AsOf, view: View) -> String {
    let mut out = String::new();
    notes::checkpoint(as_of, view, &mut out);
    out
}

fn title(replay: &Replay, node: &Node, number: usize, view: View, out: &mut String) {
    let summary = &node.summary;
    let noun = if replay.is_of_decisions { "Decision" } else { "Event" };
    let title = format!("{noun} {} of {}", number + 1, replay.steps.len());
    let agent = agent_name(summary.agent.as_deref());
    let took = summary.duration_ms.map(|ms| format!(", took {}", duration(ms))).unwrap_or_default();
    let when = format!("#{} at {} UTC{took}", summary.index, date_and_clock(summary.time));
    let ink = Agents::default().ink(summary.agent.as_deref());
    for (position, line) in wrap(&format!("{title}: {agent}"), view.columns(), 2).iter().enumerate()
    {
        push_line(out, &view.paint(if position == 0 { Ink::Bold } else { ink }, line));
    }
    push_line(out, &view.paint(Ink::Dim, &super::layout::fit(&when, view.columns())));
    let gone = match summary.state {
        State::ContentErased => "its content was erased",
        State::Erased => "the record was erased",
        State::Expired => "the record expired",
        State::Present | State::Held => return,
    };
    push_line(out, &view.paint(Ink::Yellow, gone));
}

/// Lines with a name on the left.
struct Section<'s> {
    view: View,
    out: &'s mut String,
}

impl Section<'_> {
    /// A text of an event, and the event that it stands in when it is another one.
    fn text(&mut self, name: &str, text: &str, from: Option<&Node>) {
        let text = escape(text);
        let text = match from {
            Some(node) => format!("#{}: {text}", node.summary.index),
            None => text,
        };
        self.line(name, Ink::Plain, &text);
    }

    fn label(&mut self, name: &str, node: &Node) {
        let summary = &node.summary;
        let agent = agent_name(summary.agent.as_deref());
        let status = if summary.status == event::Status::Success {
            String::new()
        } else {
            format!(" {}", summary.status.words())
        };
        let text = format!("#{} {agent}: {}{status}", summary.index, escape(&summary.label));
        self.line(name, Ink::Dim, &text);
    }

    /// Text that was escaped already.
    fn line(&mut self, name: &str, ink: Ink, text: &str) {
        let columns = self.view.columns().saturating_sub(NAME + 1).max(20);
        for (position, line) in wrap(text, columns, LINES_MAX).iter().enumerate() {
            let name = left(if position == 0 { name } else { "" }, NAME);
            let name = self.view.paint(Ink::Dim, &name);
            push_line(self.out, &format!("{name} {}", self.view.paint(ink, line)));
        }
    }
}
