//! The table of events that a search or a tail found.

use super::figures::{clock, date_and_clock, day_and_minute};
use super::layout::{fit, left, right};
use super::{Agents, Drawn, Ink, View, agent_name, notes, push_line, widest};
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
    let rows: Vec<Row> = found.iter().map(Row::of).collect();
    if rows.is_empty() {
        push_line(&mut out, "No events match.");
    }
    let columns = Columns::of(&rows, view);
    if columns.wide && !rows.is_empty() {
        push_line(&mut out, &view.paint(Ink::Dim, &columns.heads()));
    }
    let mut agents = Agents::default();
    for row in &rows {
        push_line(&mut out, &row.line(&columns, &mut agents, view));
    }
    notes::checkpoint(as_of, view, &mut out);
    out
}

/// A record, ready to be shown.
struct Row {
    summary: Summary,
    readable: bool,
    agent: String,
    event_type: String,
}

/// Which columns a table has, and how wide they are.
struct Columns {
    wide: bool,
    typed: bool,
    same_day: bool,
    index: usize,
    time: usize,
    agent: usize,
    kind: usize,
    label: usize,
    status: usize,
}

impl Columns {
    fn of(rows: &[Row], view: View) -> Self {
        let wide = view.is_wide();
        let typed = view.columns() >= TYPED;
        let same_day = rows.windows(2).all(|w| match w {
            [a, b] => a.summary.time.day() == b.summary.time.day(),
            _ => true,
        });
        let indexes: Vec<String> = rows.iter().map(|row| row.summary.index.to_string()).collect();
        let index = widest(indexes.iter().map(String::as_str), 20).max(5);
        let agents = rows.iter().map(|row| row.agent.as_str());
        let agent = widest(agents, if wide { 16 } else { 9 }).max(5);
        let types = rows.iter().map(|row| row.event_type.as_str());
        let kind = if typed { widest(types, 18).max(4) } else { 0 };
        let time = match (typed, wide, same_day) {
            (true, _, _) => 19,
            (false, true, _) => 14,
            (false, false, true) => 8,
            (false, false, false) => 11,
        };
        let statuses = rows.iter().map(|row| row.summary.status.as_str());
        let status = if wide { widest(statuses, 9) + 2 } else { 1 };
        let taken = index + time + agent + kind + status + if typed { 10 } else { 8 };
        let label = view.columns().saturating_sub(taken);
        Self { wide, typed, same_day, index, time, agent, kind, label, status }
    }

    fn heads(&self) -> String {
        let mut heads =
            vec![right("INDEX", self.index), left("TIME", self.time), left("AGENT", self.agent)];
        if self.typed {
            heads.push(left("TYPE", self.kind));
        }
        format!("{}  WHAT HAPPENED", heads.join("  "))
    }
}

impl Row {
    fn of(found: &Found<'_>) -> Self {
        let (summary, readable) = match found.event() {
            Ok(event) => (Summary::of(found, &event), true),
            Err(_) => (Summary::of(found, &Event::default()), false),
        };
        let agent = agent_name(summary.agent.as_deref());
        let event_type = short_type(&summary);
        Self { summary, readable, agent, event_type }
    }

    fn line<'r>(&'r self, columns: &Columns, agents: &mut Agents<'r>, view: View) -> String {
        let Self { summary, readable, agent, event_type } = self;
        let mut cells = vec![
            view.paint(Ink::Dim, &right(&summary.index.to_string(), columns.index)),
            view.paint(Ink::Dim, &left(&self.when(columns), columns.time)),
            view.paint(agents.ink(summary.agent.as_deref()), &left(agent, columns.agent)),
        ];
        if columns.typed {
            cells.push(view.paint(Ink::Dim, &left(event_type, columns.kind)));
        }
        let what =
            if *readable { escape(&summary.label) } else { "Record cannot be read".to_owned() };
        let is_bad = !readable || summary.status.is_error();
        let ink = if is_bad { Ink::Red } else { Ink::Plain };
        cells.push(view.paint(ink, &left(&what, columns.label)));
        let mark = self.mark(columns);
        cells.push(view.paint(summary.status.ink(), &fit(&mark, columns.status)));
        cells.join("  ")
    }

    fn when(&self, columns: &Columns) -> String {
        let time = self.summary.time;
        match (columns.typed, columns.wide, columns.same_day) {
            (true, true, _) => date_and_clock(time),
            (false, true, _) => date_and_clock(time).split_off(5),
            (_, false, true) => clock(time),
            (_, false, false) => day_and_minute(time),
        }
    }

    /// How it ended, as far as that is known.
    fn mark(&self, columns: &Columns) -> String {
        let status = self.summary.status;
        match has_ending(&self.summary) && self.readable {
            false => String::new(),
            true if columns.wide => status.words(),
            true => status.mark().to_owned(),
        }
    }
}

/// What is gone ended in no way that is still known.
fn has_ending(summary: &Summary) -> bool {
    !matches!(summary.state, State::Erased | State::Expired)
}

/// The type without the prefix that most have.
fn short_type(summary: &Summary) -> String {
    let event_type = &summary.event_type;
    escape(event_type.strip_prefix("agent.").unwrap_or(event_type))
}
