//! Where an act comes from: the chain from whoever asked for it to the act itself.
//!
//! "Was this the agent or the user?" The chain follows parents, else causes, else what the same
//! agent did just before; each link says which. Who asked is what the records claim, and which of
//! it was authenticated is said beside it. Not here: what followed from the act (`report`).

use crate::found::Found;
use crate::trace::Trace;
use event::Status;
use event::{Event, Outcome, types};
use std::collections::HashSet;

/// Links that are followed: chains can be as long as a trace.
const LINKS_MAX: usize = 1_000;

/// Approvals that are listed.
const APPROVALS_MAX: usize = 100;

/// How a step is known to have led to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The next names it as its parent.
    Parent,
    /// The next names it as a cause.
    Cause,
    /// It is what the same agent did before, and nothing says that it led there.
    Time,
    /// It is the act itself.
    Act,
}

impl Link {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Cause => "cause",
            Self::Time => "time",
            Self::Act => "act",
        }
    }
}

/// Who wanted the act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A user asked, and the links lead from the request to the act.
    User,
    /// A person did it, or told an agent to in the middle of its work.
    Person,
    /// An agent or a system began by itself.
    Agent,
    /// The chain does not reach a beginning that says who asked.
    Unknown,
}

impl Origin {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Person => "person",
            Self::Agent => "agent",
            Self::Unknown => "unknown",
        }
    }
}

/// One step of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainStep {
    /// Its node.
    pub node: usize,
    /// How it led to the next.
    pub link: Link,
    /// Another agent than in the step before.
    pub is_handed_over: bool,
    /// Who asked, as the event claims: `user`, `system`, an agent.
    pub source: Option<String>,
    /// The authenticated caller that sent it: `subject (method)`.
    pub principal: Option<String>,
    /// For whom.
    pub on_behalf_of: Option<String>,
}

/// What a person said about the act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalSeen {
    /// Its node.
    pub node: usize,
    /// Who.
    pub approver: Option<String>,
    /// Whether it was granted; `None` when the event does not say.
    pub is_granted: Option<bool>,
    /// Whether it stands before the act.
    pub is_before: bool,
    /// It names the act's call or tool, or stands in the chain; otherwise only in the same trace.
    pub is_bound: bool,
}

/// The chain to an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The act's node.
    pub act: usize,
    /// From the beginning to the act.
    pub steps: Vec<ChainStep>,
    /// What people said about it.
    pub approvals: Vec<ApprovalSeen>,
    /// Who wanted it.
    pub origin: Origin,
    /// What is not known, in sentences.
    pub gaps: Vec<String>,
}

impl Provenance {
    /// The chain to the event with this id or, written as a number, this index; `None` when the
    /// trace does not have it.
    #[must_use]
    pub fn of(trace: &Trace, found: &[Found<'_>], event: &str) -> Option<Self> {
        let index = event.parse::<u64>().ok();
        let is_it = |node: &crate::trace::Node| {
            node.summary.id == event || Some(node.summary.index) == index
        };
        let act = trace.nodes.iter().position(is_it)?;
        let chain = Chain { trace, found };
        let nodes = chain.follow(act);
        let steps = chain.steps(&nodes);
        let on_chain: HashSet<usize> = nodes.iter().map(|(node, _)| *node).collect();
        let approvals = chain.approvals(act, &on_chain);
        let (origin, gaps) = chain.origin(act, &steps);
        Some(Self { act, steps, approvals, origin, gaps })
    }

    /// The answer in a sentence.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        let is_refused =
            self.approvals.iter().any(|it| it.is_bound && it.is_granted == Some(false));
        let is_granted = self
            .approvals
            .iter()
            .any(|it| it.is_bound && it.is_before && it.is_granted == Some(true));
        match self.origin {
            Origin::Person => "A person did this.",
            Origin::User if is_refused => "An agent did this for a user, and a person refused it.",
            Origin::User if is_granted => {
                "An agent did this for a user, and a person approved it before."
            }
            Origin::User => "An agent did this for a user; no person approved this act.",
            Origin::Agent if is_granted => {
                "An agent did this without a user's request, and a person approved it before."
            }
            Origin::Agent => "An agent did this without a user's request.",
            Origin::Unknown => "An agent did this; who wanted it is not in the log.",
        }
    }
}

struct Chain<'t> {
    trace: &'t Trace,
    found: &'t [Found<'t>],
}

impl Chain<'_> {
    fn event(&self, node: usize) -> Option<Event<'_>> {
        self.found.get(self.trace.nodes.get(node)?.position)?.event().ok()
    }

    /// The nodes from the beginning to the act, each with how it led to the next.
    fn follow(&self, act: usize) -> Vec<(usize, Link)> {
        let (mut chain, mut seen) = (vec![(act, Link::Act)], HashSet::from([act]));
        let mut at = act;
        while chain.len() < LINKS_MAX {
            let Some((before, link)) = self.before(at).filter(|(it, _)| seen.insert(*it)) else {
                break;
            };
            chain.push((before, link));
            at = before;
        }
        chain.reverse();
        chain
    }

    fn before(&self, at: usize) -> Option<(usize, Link)> {
        let node = self.trace.nodes.get(at)?;
        if let Some(parent) = node.parent {
            return Some((parent, Link::Parent));
        }
        if let Some(cause) = node.causes.first() {
            return Some((*cause, Link::Cause));
        }
        if node.summary.event_type == types::INVOCATION {
            return None;
        }
        let same = |before: &usize| {
            let other = self.trace.nodes.get(*before);
            other.is_some_and(|it| it.summary.agent == node.summary.agent)
        };
        (0..at).rev().find(same).map(|before| (before, Link::Time))
    }

    fn steps(&self, nodes: &[(usize, Link)]) -> Vec<ChainStep> {
        let mut agent: Option<&str> = None;
        let mut steps = Vec::with_capacity(nodes.len());
        for (node, link) in nodes {
            let Some(event) = self.event(*node) else { continue };
            let acting = self.trace.nodes.get(*node).and_then(|it| it.summary.agent.as_deref());
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let principal = event.principal.as_ref().and_then(|it| {
                let subject = it.subject.as_deref()?;
                Some(match it.method.as_deref() {
                    Some(method) => format!("{subject} ({method})"),
                    None => subject.to_owned(),
                })
            });
            steps.push(ChainStep {
                node: *node,
                link: *link,
                is_handed_over: agent.is_some() && acting.is_some() && acting != agent,
                source: owned(event.source.as_deref()),
                principal,
                on_behalf_of: owned(event.on_behalf_of.as_deref()),
            });
            agent = acting.or(agent);
        }
        steps
    }

    fn approvals(&self, act: usize, on_chain: &HashSet<usize>) -> Vec<ApprovalSeen> {
        let call = self.event(act);
        let call_id = call.as_ref().and_then(call_id_of);
        let tool = call.as_ref().and_then(|it| it.tool.as_deref().map(str::to_owned));
        let people = self.trace.nodes.iter().enumerate().filter(|(at, node)| {
            *at != act && node.summary.event_type == types::HUMAN_INTERVENTION
        });
        let seen = |(at, _): (usize, &crate::trace::Node)| {
            let event = self.event(at)?;
            let same_call = call_id.is_some() && call_id_of(&event) == call_id;
            let same_tool = tool.is_some() && event.tool.as_deref() == tool.as_deref();
            Some(ApprovalSeen {
                node: at,
                approver: event.approver.as_deref().map(str::to_owned),
                is_granted: granted(&event),
                is_before: at < act,
                is_bound: same_call || same_tool || on_chain.contains(&at),
            })
        };
        people.filter_map(seen).take(APPROVALS_MAX).collect()
    }

    fn origin(&self, act: usize, steps: &[ChainStep]) -> (Origin, Vec<String>) {
        let mut gaps = Vec::new();
        if let Some(orphan) = self
            .trace
            .findings
            .orphans
            .iter()
            .find(|orphan| steps.first().is_some_and(|first| first.node == orphan.node))
        {
            gaps.push(format!("the parent {:?} is not in this trace", orphan.parent_id));
        }
        let by_time = steps.iter().filter(|it| it.link == Link::Time).count();
        if by_time > 0 {
            let links = crate::render::counted(by_time as u64, "link");
            gaps.push(format!("{links} told by time alone"));
        }
        if steps.iter().all(|it| it.principal.is_none()) {
            gaps.push("no step has an authenticated caller".to_owned());
        }
        let kind = |node: usize| {
            self.trace.nodes.get(node).map_or("", |it| it.summary.event_type.as_str())
        };
        if kind(act) == types::HUMAN_INTERVENTION {
            let is_asked = self
                .trace
                .nodes
                .get(act)
                .is_some_and(|node| node.summary.status == Status::Escalated);
            if !is_asked {
                return (Origin::Person, gaps);
            }
        }
        let origin = match steps.first() {
            Some(first) if kind(first.node) == types::INVOCATION => match first.source.as_deref() {
                Some("user" | "human") => Origin::User,
                Some(_) => Origin::Agent,
                None if first.on_behalf_of.is_some() => Origin::User,
                None => Origin::Unknown,
            },
            _ => Origin::Unknown,
        };
        if origin == Origin::Unknown {
            gaps.push("the chain does not begin with a request that says who asked".to_owned());
        }
        (origin, gaps)
    }
}

fn call_id_of(event: &Event<'_>) -> Option<String> {
    let names = ["call_id", "gen_ai.tool.call.id", "tool_call_id"];
    let found = names.iter().find_map(|name| event.content.attribute(name));
    found.and_then(|json| json.to_text().map(|text| text.into_owned()))
}

/// Whether a person's word was a yes.
fn granted(event: &Event<'_>) -> Option<bool> {
    let action = event.action.as_deref().unwrap_or_default().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| action.contains(word));
    match event.outcome {
        Some(Outcome::Denied | Outcome::Cancelled) => Some(false),
        _ if has(&["deny", "denied", "reject", "stop", "refus", "override"]) => Some(false),
        Some(Outcome::Escalated) => None,
        _ if has(&["approv", "grant", "confirm", "accept"]) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
