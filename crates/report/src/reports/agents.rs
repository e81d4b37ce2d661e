//! Which agents there were in a period: models, tools, versions, and what changed.

use super::error_analysis::seen as when;
use super::summary::figure;
use super::{Head, NOT_NAMED, Name, Report, ReportError, Settings, Subject, name_cell};
use crate::document::{Cell, Column, Evidence, Table, Text, Tone};
use event::Timestamp;
use query::figures::{AgentSeen, Inventory, Overview, Seen, in_one_pass};
use query::render::{count, date_and_clock};
use serde::Serialize;

/// Changes that people are shown; programs get all.
const SHOWN: usize = 100;

#[derive(Serialize)]
struct Agents {
    #[serde(flatten)]
    head: Head,
    agents_active: usize,
    agents: Vec<Agent>,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Agent {
    agent: Option<String>,
    events: u64,
    first_seen: String,
    last_seen: String,
    versions: Vec<Thing>,
    models: Vec<Thing>,
    tools: Vec<Thing>,
}

#[derive(Serialize)]
struct Thing {
    name: String,
    events: u64,
    first_seen: String,
    last_seen: String,
    first_index: u64,
}

/// Something that an agent had not before.
#[derive(Clone, Serialize)]
struct Change {
    #[serde(skip)]
    at: Timestamp,
    time: String,
    agent: Option<String>,
    what: &'static str,
    name: String,
    /// What it had last before, for versions and models.
    before: Option<String>,
    index: u64,
}

pub(super) fn make(subject: &Subject<'_>, _: &Settings) -> Result<Report, ReportError> {
    let (seen, Inventory(all)): (Overview, _) = in_one_pass(subject.columns, &subject.period)?;
    let head = Head::of(Name::Agents, subject, &seen);
    let mut document = head.document("Agent inventory", subject, &seen);
    let changes = changes(&all);
    let different = |of: fn(&AgentSeen) -> &Vec<Seen>| {
        let mut names: Vec<&str> = all.iter().flat_map(of).map(|it| it.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        count(names.len() as u64)
    };
    let active = super::summary::active(&seen);
    document.figures(vec![
        figure("Agents", count(active as u64), "", Tone::Plain),
        figure("Models", different(|it| &it.models), "", Tone::Plain),
        figure("Tools", different(|it| &it.tools), "", Tone::Plain),
        figure("Changes", count(changes.len() as u64), "", Tone::Plain),
    ]);
    document.heading("Agents");
    document.table(agents_table(&all));
    document.heading("What changed");
    document.table(changes_table(&changes));
    document.paragraph(
        "A change is a version, a model or a tool that an agent has for the first time in the \
         period, after its first event. What was there before the period is not known here.",
    );
    let agents =
        Agents { head, agents_active: active, agents: all.iter().map(agent).collect(), changes };
    Ok(Report::of(&agents, document))
}

fn agent(it: &AgentSeen) -> Agent {
    let things = |list: &[Seen]| list.iter().map(thing).collect();
    Agent {
        agent: it.agent.clone(),
        events: it.seen.events,
        first_seen: it.seen.first.to_string(),
        last_seen: it.seen.last.to_string(),
        versions: things(&it.versions),
        models: things(&it.models),
        tools: things(&it.tools),
    }
}

fn thing(it: &Seen) -> Thing {
    Thing {
        name: it.name.clone(),
        events: it.events,
        first_seen: it.first.to_string(),
        last_seen: it.last.to_string(),
        first_index: it.first_index,
    }
}

/// What is new at an agent after the first of its kind, in the order of time. The first version,
/// model or tool is no change: it is how the agent was found.
fn changes(all: &[AgentSeen]) -> Vec<Change> {
    let mut out = Vec::new();
    for agent in all {
        for (what, list) in
            [("version", &agent.versions), ("model", &agent.models), ("tool", &agent.tools)]
        {
            let mut before: Option<&Seen> = None;
            for it in list {
                if let Some(before) = before {
                    out.push(Change {
                        at: it.first,
                        time: it.first.to_string(),
                        agent: agent.agent.clone(),
                        what,
                        name: it.name.clone(),
                        before: (what != "tool").then(|| before.name.clone()),
                        index: it.first_index,
                    });
                }
                before = Some(it);
            }
        }
    }
    out.sort_by(|one, other| {
        (one.at, one.index, one.what).cmp(&(other.at, other.index, other.what))
    });
    out
}

fn names(list: &[Seen]) -> Text {
    let mut text = Text::default();
    for (at, it) in list.iter().take(12).enumerate() {
        text = if at == 0 { text } else { text.plain(" ") }.code(it.name.as_str());
    }
    match list.len() {
        0 => "–".into(),
        n if n > 12 => text.plain(format!(" and {} more", n - 12)),
        _ => text,
    }
}

fn agents_table(all: &[AgentSeen]) -> Table {
    let row = |it: &AgentSeen| {
        vec![
            name_cell(it.agent.as_deref(), NOT_NAMED),
            Cell::count(it.seen.events),
            Cell::text(names(&it.versions)),
            Cell::text(names(&it.models)),
            Cell::text(names(&it.tools)),
            Cell::text(when(it.seen.first, it.seen.last)),
        ]
    };
    Table {
        name: "agents",
        columns: vec![
            Column::text("agent", "Agent"),
            Column::number("events", "Events"),
            Column::text("versions", "Versions"),
            Column::text("models", "Models"),
            Column::text("tools", "Tools"),
            Column::text("seen", "Seen"),
        ],
        rows: all.iter().map(row).collect(),
        otherwise: "No agent was active.",
    }
}

fn changes_table(changes: &[Change]) -> Table {
    let row = |it: &Change| {
        let evidence = Evidence { index: it.index, event_id: None };
        let new = Text::default().code(it.name.as_str());
        let new = match &it.before {
            Some(before) => new.plain(" after ").code(before.as_str()),
            None => new,
        };
        vec![
            Cell::text(date_and_clock(it.at)),
            name_cell(it.agent.as_deref(), NOT_NAMED),
            Cell::text(it.what),
            Cell::text(new),
            Cell::text(Text::default().evidence(&evidence)),
        ]
    };
    Table {
        name: "changes",
        columns: vec![
            Column::text("time", "Time"),
            Column::text("agent", "Agent"),
            Column::text("what", "What"),
            Column::text("name", "New"),
            Column::number("index", "Event"),
        ],
        rows: changes.iter().take(SHOWN).map(row).collect(),
        otherwise: "Nothing changed.",
    }
}
