//! Who was involved in an incident, and what people decided.
//!
//! What the log authenticated and what was only claimed is told apart, always.

use crate::forensics::facts::{Facts, Human};
use event::Event;
use query::{Found, Node, Trace};
use serde::Serialize;

/// People, and decisions, that are told.
const TOLD_MAX: usize = 100;

/// Somebody who was involved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// `caller` (who sent events), `on_behalf_of` (for whom), `approver`.
    pub role: &'static str,
    /// The name.
    pub name: String,
    /// Who vouches for the name, of a caller.
    pub issuer: Option<String>,
    /// How the log knew who it was; null when somebody only said so.
    pub authenticated_by: Option<String>,
    /// Events that name this person so.
    pub events: u64,
    /// The index of the first.
    pub first: u64,
}

/// What somebody decided, or was asked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The event's index.
    pub index: u64,
    /// When it happened.
    pub time: String,
    /// `approved`, `denied`, `stopped`, `asked`, `stepped_in`; or `named_approver` of an act that
    /// only names who approved of it.
    pub what: &'static str,
    /// Who, as the event names them.
    pub by: Option<String>,
    /// The agent whose act it was about.
    pub agent: Option<String>,
    /// The tool.
    pub tool: Option<String>,
}

/// Everybody whom events of the trace name, in order of appearance.
pub(super) fn involved(trace: &Trace, found: &[Found<'_>]) -> Vec<Person> {
    let mut all: Vec<Person> = Vec::new();
    let nodes = trace.nodes.iter().filter_map(|node| found.get(node.position));
    for found in nodes {
        let Ok(event) = found.event() else { continue };
        for person in of_event(&event, found.index) {
            let is_same = |it: &&mut Person| {
                (it.role, &it.name, &it.issuer, &it.authenticated_by)
                    == (person.role, &person.name, &person.issuer, &person.authenticated_by)
            };
            if let Some(known) = all.iter_mut().find(is_same) {
                known.events += 1;
                known.first = known.first.min(person.first);
                continue;
            }
            if all.len() < TOLD_MAX {
                all.push(person);
            }
        }
    }
    all
}

fn of_event(event: &Event<'_>, first: u64) -> Vec<Person> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let claimed = |role, name: &str| Person {
        role,
        name: name.to_owned(),
        issuer: None,
        authenticated_by: None,
        events: 1,
        first,
    };
    let caller = event.principal.as_ref().and_then(|it| {
        let name = it.subject.as_deref()?;
        let (issuer, how) = (owned(it.issuer.as_deref()), owned(it.method.as_deref()));
        Some(Person { issuer, authenticated_by: how, ..claimed("caller", name) })
    });
    let for_whom = event.on_behalf_of.as_deref().map(|it| claimed("on_behalf_of", it));
    let approver = event.approver.as_deref().map(|it| claimed("approver", it));
    [caller, for_whom, approver].into_iter().flatten().collect()
}

/// What people decided, in the order of the trace.
pub(super) fn decisions(trace: &Trace, found: &[Found<'_>], facts: &[Facts]) -> Vec<Decision> {
    let decision = |(node, facts): (&Node, &Facts)| {
        let what = match facts.human {
            Some(Human::Approved) => "approved",
            Some(Human::Denied) => "denied",
            Some(Human::Stopped) => "stopped",
            Some(Human::Asked) => "asked",
            Some(Human::Other) => "stepped_in",
            None if facts.approver.is_some() => "named_approver",
            None => return None,
        };
        Some(Decision {
            index: found.get(node.position)?.index,
            time: node.summary.time.to_string(),
            what,
            by: facts.approver.clone(),
            agent: node.summary.agent.clone(),
            tool: node.summary.tool.clone(),
        })
    };
    trace.nodes.iter().zip(facts).filter_map(decision).take(TOLD_MAX).collect()
}
