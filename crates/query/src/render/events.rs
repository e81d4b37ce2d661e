//! The table of events that a search or a tail found.

use super::figures::{clock, date_and_clock, day_and_minute};
use super::layout::{fit, left, right};
use super::{Agents, Ink, View, agent_name, notes, push_line, widest};
use crate::escape::escape;
use crate::found::{AsOf, Found, State};
use crate::summary::Summary;
use event::Event;

/// From this width on the type and the year are shown.
const TYPED: usize = 110;

/// Draws records in the order given, one a line. Times are UTC.
#[must_use]
pub fn events(found: &[Found<'_>], as_of: &AsOf, view: View) -> String {
    let mut out = String::new();
    let rows: Vec<(Summary, bool)> = found.iter().map(summarise).collect();
    if rows.is_empty() {
        push_line(&mut out, "No events match.");
    }
    let wide = view.is_wide();
    let typed = view.columns() >= TYPED;
    let indexes: Vec<String> = rows.iter().map(|(s, _)| s.index.to_string()).collect();
    let names: Vec<String> = rows.iter().map(|(s, _)| agent_name(s.agent.as_deref())).collect();
    let types: Vec<String> = rows.iter().map(|(s, _)| short_type(s)).collect();
    let same_day = rows.windows(2).all(|w| match w {
        [(a, _), (b, _)] => a.time.day() == b.time.day(),
        _ => true,
    });
    let index = widest(indexes.iter().map(String::as_str), 20).max(5);
    let agent = widest(names.iter().map(String::as_str), if wide { 16 } else { 9 }).max(5);
    let kind = if typed { widest(types.iter().map(String::as_str), 18).max(4) } else { 0 };
    let time = match (typed, wide) {
        (true, _) => 19,
        (false, true) => 14,
        (false, false) => {
            if same_day {
                8
            } else {
                11
            }
        }
    };
    let status = if wide { widest(rows.iter().map(|(s, _)| s.status.as_str()), 9) + 2 } else { 1 };
    let taken = index + time + agent + kind + status + if typed { 10 } else { 8 };
    let label = view.columns().saturating_sub(taken);
    if wide && !rows.is_empty() {
        let mut heads = vec![right("INDEX", index), left("TIME", time), left("AGENT", agent)];
        if typed {
            heads.push(left("TYPE", kind));
        }
        let line = format!("{}  WHAT HAPPENED", heads.join("  "));
        push_line(&mut out, &view.paint(Ink::Dim, &line));
    }
    let mut agents = Agents::default();
    for (((summary, readable), name), event_type) in rows.iter().zip(&names).zip(&types) {
        let when = match (wide, same_day) {
            (true, _) if typed => date_and_clock(summary.time),
            (true, _) => date_and_clock(summary.time).split_off(5),
            (false, true) => clock(summary.time),
            (false, false) => day_and_minute(summary.time),
        };
        let mut cells = vec![
            view.paint(Ink::Dim, &right(&summary.index.to_string(), index)),
            view.paint(Ink::Dim, &left(&when, time)),
            view.paint(agents.ink(summary.agent.as_deref()), &left(name, agent)),
        ];
        if typed {
            cells.push(view.paint(Ink::Dim, &left(event_type, kind)));
        }
        let what =
            if *readable { escape(&summary.label) } else { "Record cannot be read".to_owned() };
        let ink = match summary.status {
            _ if !readable => Ink::Red,
            status if status.is_error() => Ink::Red,
            _ => Ink::Plain,
        };
        cells.push(view.paint(ink, &left(&what, label)));
        let mark = if wide { summary.status.words() } else { summary.status.mark().to_owned() };
        let mark = if has_ending(summary) && *readable { mark } else { String::new() };
        cells.push(view.paint(summary.status.ink(), &fit(&mark, status)));
        push_line(&mut out, &cells.join("  "));
    }
    notes::checkpoint(as_of, view, &mut out);
    out
}

/// What is gone ended in no way that is still known.
fn has_ending(summary: &Summary) -> bool {
    !matches!(summary.state, State::Erased | State::Expired)
}

fn summarise(found: &Found<'_>) -> (Summary, bool) {
    match found.event() {
        Ok(event) => (Summary::of(found, &event), true),
        Err(_) => (Summary::of(found, &Event::default()), false),
    }
}

/// The type without the prefix that most have.
fn short_type(summary: &Summary) -> String {
    let event_type = &summary.event_type;
    escape(event_type.strip_prefix("agent.").unwrap_or(event_type))
}
