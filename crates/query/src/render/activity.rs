//! The table of agents or sessions.

use super::figures::{count, date_and_clock, day_and_minute};
use super::layout::{left, right, width_of};
use super::{Ink, View, notes, push_line};
use crate::activity::{By, Line};
use crate::escape::escape;
use crate::found::AsOf;

/// Draws the counts, one agent or session a line. Times are UTC.
#[must_use]
pub fn activity(lines: &[Line], by: By, as_of: &AsOf, view: View) -> String {
    let mut out = String::new();
    let (head, none) = match by {
        By::Agent => ("AGENT", "No agents are known yet."),
        By::Session => ("SESSION", "No sessions are known yet."),
    };
    if lines.is_empty() {
        push_line(&mut out, none);
    }
    let wide = view.is_wide();
    let (time, numbers) = if wide { (19, [9, 8, 14]) } else { (11, [8, 8, 11]) };
    let times = if wide { 2 * (time + 2) } else { time + 2 };
    let taken = numbers.iter().sum::<usize>() + times;
    let longest = lines.iter().map(|line| width_of(&escape(&line.name))).max().unwrap_or(0);
    let name = view.columns().saturating_sub(taken).min(longest.max(head.len()));
    if !lines.is_empty() {
        let [events, errors, tokens] = numbers;
        let cells = [right("EVENTS", events), right("ERRORS", errors), right("TOKENS", tokens)];
        let first = if wide { format!("  {}", left("FIRST SEEN", time)) } else { String::new() };
        let line = format!("{}{}{first}  LAST SEEN", left(head, name), cells.concat());
        push_line(&mut out, &view.paint(Ink::Dim, &line));
    }
    for (position, line) in lines.iter().enumerate() {
        let [events, errors, tokens] = numbers;
        let errors_ink = if line.errors > 0 { Ink::Red } else { Ink::Dim };
        let mut text = view.paint(Ink::Agent(position), &left(&escape(&line.name), name));
        text.push_str(&right(&count(line.events), events));
        text.push_str(&view.paint(errors_ink, &right(&count(line.errors), errors)));
        text.push_str(&view.paint(Ink::Dim, &right(&count(line.tokens), tokens)));
        let times = if wide {
            format!("  {}  {}", date_and_clock(line.first_seen), date_and_clock(line.last_seen))
        } else {
            format!("  {}", day_and_minute(line.last_seen))
        };
        text.push_str(&view.paint(Ink::Dim, &times));
        push_line(&mut out, &text);
    }
    notes::checkpoint(as_of, view, &mut out);
    out
}
