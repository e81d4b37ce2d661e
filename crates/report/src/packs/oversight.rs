//! People over agents: approvals before acts, stops that stop, refusals with a reason, escalations,
//! and reasons before acts.

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named, Parameters};
use crate::forensics::facts::Human;
use event::{Phase, types};
use query::Status;
use std::collections::{HashMap, HashSet};

/// Traces that are followed at once.
const TRACES_MAX: usize = 100_000;

/// Tags of events that need an approval, when neither tools nor tags are named.
const TAGS: [&str; 2] = ["high-risk", "requires-approval"];

/// An approval that was given.
struct Approval {
    call_id: Option<String>,
    tool: Option<String>,
    approver: Option<String>,
    arguments: Option<String>,
}

/// C-OVR-1 and `tool_approval_rate`: what needs an approval has one, from before.
pub(super) struct Approvals {
    is_strict: bool,
    min_share: Option<f64>,
    tools: Vec<String>,
    tags: Vec<String>,
    given: HashMap<String, Vec<Approval>>,
    looked_at: u64,
    offending: Named,
}

impl Approvals {
    /// Whoever approved is not who asked, and it was these arguments.
    pub(super) fn strict(parameters: &Parameters) -> Self {
        Self { is_strict: true, ..Self::rate(parameters) }
    }

    /// There is one.
    pub(super) fn rate(parameters: &Parameters) -> Self {
        let tools = parameters.tools.clone().unwrap_or_default();
        let tags = parameters.tags.clone();
        Self {
            is_strict: false,
            min_share: parameters.min_share,
            tags: tags.unwrap_or_else(|| TAGS.map(str::to_owned).to_vec()),
            tools,
            given: HashMap::new(),
            looked_at: 0,
            offending: Named::default(),
        }
    }

    fn needs(&self, item: &Item<'_>) -> bool {
        let tool = item.event.tool.as_deref();
        let is_named = tool.is_some_and(|tool| self.tools.iter().any(|it| it == tool));
        let is_tagged = item.event.tags.iter().any(|tag| self.tags.iter().any(|it| it == tag));
        item.is(types::TOOL_CALL)
            && item.facts.phase != Some(Phase::Result)
            && !matches!(item.status, Status::Denied | Status::Cancelled)
            && (is_named || is_tagged)
    }

    fn covers(&self, approval: &Approval, item: &Item<'_>) -> bool {
        let ids = (&approval.call_id, &item.facts.call_id);
        let is_meant = match ids {
            (Some(approved), Some(called)) => approved == called,
            _ => approval.tool.is_none() || approval.tool.as_deref() == item.event.tool.as_deref(),
        };
        if !self.is_strict {
            return is_meant;
        }
        let agent = item.event.agent_name.as_deref();
        let principal = item.facts.principal.as_deref();
        let is_another = approval
            .approver
            .as_deref()
            .is_some_and(|approver| Some(approver) != agent && Some(approver) != principal);
        let hash = item.said("args_hash");
        let is_bound = approval.arguments.is_none() && hash.is_none() || approval.arguments == hash;
        is_meant && is_another && is_bound
    }
}

impl Predicate for Approvals {
    fn offer(&mut self, item: &Item<'_>) {
        if item.facts.human == Some(Human::Approved) && self.given.len() < TRACES_MAX {
            let principal = item.facts.principal.clone();
            let approval = Approval {
                call_id: item.facts.call_id.clone(),
                tool: item.event.tool.as_deref().map(str::to_owned).or_else(|| item.said("tool")),
                approver: item.facts.approver.clone().or(principal),
                arguments: item.said("args_hash"),
            };
            self.given.entry(item.trace()).or_default().push(approval);
        }
        if !self.needs(item) {
            return;
        }
        self.looked_at += 1;
        let given = self.given.get(&item.trace());
        let place = given.and_then(|all| all.iter().position(|it| self.covers(it, item)));
        match place {
            // An approval is used up by the act that it was given for.
            Some(place) => {
                if let Some(all) = self.given.get_mut(&item.trace()) {
                    all.swap_remove(place);
                }
            }
            None => self.offending.note(item),
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            let tools = match self.tools.is_empty() {
                true => "no tool is named as needing one".to_owned(),
                false => format!("none of {} was called", self.tools.join(", ")),
            };
            let tags = self.tags.join(" or ");
            return Assessed::nothing(&format!(
                "no call needed an approval: {tools}, and no call is tagged {tags}"
            ));
        }
        let (what, asked) = match self.is_strict {
            true => (
                "have no approval from before, by somebody else, of these arguments",
                "every such call approved before by somebody else, of the same arguments",
            ),
            false => ("have no approval from before", "an approval before each such call"),
        };
        let min_share = if self.is_strict { None } else { self.min_share };
        let it = Assessed::by_share(self.offending, self.looked_at, min_share, what);
        it.asking(asked)
    }
}

/// C-OVR-2: after a person stopped an agent, nothing else was done in that trace.
#[derive(Default)]
pub(super) struct Stops {
    stopped: HashSet<String>,
    looked_at: u64,
    offending: Named,
}

impl Predicate for Stops {
    fn offer(&mut self, item: &Item<'_>) {
        if item.facts.human == Some(Human::Stopped) {
            self.looked_at += 1;
            if self.stopped.len() < TRACES_MAX {
                self.stopped.insert(item.trace());
            }
            return;
        }
        let acts = item.is(types::TOOL_CALL) && item.facts.phase != Some(Phase::Result);
        let was_kept_from = matches!(item.status, Status::Cancelled | Status::Denied);
        if acts && !was_kept_from && self.stopped.contains(&item.trace()) {
            self.offending.note(item);
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("no person stopped an agent");
        }
        Assessed::by(self.offending, self.looked_at, "stops were followed by another act")
            .asking("no act in a trace after a person stopped it")
    }
}

/// C-DENY-1: what was refused says by whom or by which policy.
#[derive(Default)]
pub(super) struct Denials {
    looked_at: u64,
    offending: Named,
}

impl Predicate for Denials {
    fn offer(&mut self, item: &Item<'_>) {
        let is_denied = item.status == Status::Denied || item.facts.human == Some(Human::Denied);
        if !is_denied || item.is_log || item.facts.is_breaker {
            return;
        }
        self.looked_at += 1;
        let by_policy = ["policy", "policy_version", "policy.version", "rule"];
        let is_told = item.facts.approver.is_some()
            || item.facts.principal.is_some() && item.is(types::HUMAN_INTERVENTION)
            || by_policy.iter().any(|name| item.said(name).is_some());
        if !is_told {
            self.offending.note(item);
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("nothing was refused");
        }
        Assessed::by(self.offending, self.looked_at, "say neither who refused nor by which policy")
            .asking("a person or a policy with each refusal")
    }
}

/// `human_escalation_rate`: how many tasks ended with a person.
pub(super) struct Escalations {
    max_share: f64,
    tasks: HashSet<u64>,
    escalated: HashSet<u64>,
    offending: Named,
}

impl Escalations {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self {
            max_share: parameters.max_share.unwrap_or(0.1),
            tasks: HashSet::new(),
            escalated: HashSet::new(),
            offending: Named::default(),
        }
    }

    /// A task by a number: very many names would not fit into memory.
    fn task(item: &Item<'_>) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        match item.event.task_id.as_deref() {
            Some(task) => task.hash(&mut hasher),
            None => item.trace().hash(&mut hasher),
        }
        hasher.finish()
    }
}

impl Predicate for Escalations {
    fn offer(&mut self, item: &Item<'_>) {
        if !item.is_of_an_agent() {
            return;
        }
        let task = Self::task(item);
        self.tasks.insert(task);
        let is_asked = item.is(types::HUMAN_INTERVENTION) && item.facts.human == Some(Human::Asked);
        if is_asked && self.escalated.insert(task) {
            self.offending.note(item);
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        let (tasks, escalated) = (self.tasks.len() as u64, self.escalated.len() as u64);
        if tasks == 0 {
            return Assessed::nothing("no agent did anything");
        }
        let share = escalated as f64 / tasks as f64;
        let offending = if share > self.max_share { self.offending } else { Named::default() };
        let mut it = Assessed::by(offending, tasks, "tasks ended with a person, too many");
        it.found =
            format!("{escalated} of {tasks} tasks ended with a person ({:.1} %)", share * 100.0);
        it.measured = Some(share);
        it.asking(format!("at most {:.1} %", self.max_share * 100.0))
    }
}

/// C-REA-1: a reason and how sure the agent was stand before what it does.
pub(super) struct Reasons {
    min_share: Option<f64>,
    reasoned: HashSet<(String, String)>,
    confident: HashSet<String>,
    looked_at: u64,
    offending: Named,
}

impl Reasons {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self {
            min_share: parameters.min_share,
            reasoned: HashSet::new(),
            confident: HashSet::new(),
            looked_at: 0,
            offending: Named::default(),
        }
    }
}

impl Predicate for Reasons {
    fn offer(&mut self, item: &Item<'_>) {
        let agent = item.event.agent_name.as_deref().unwrap_or_default().to_owned();
        let (trace, is_room) = (item.trace(), self.reasoned.len() < TRACES_MAX);
        let has_reasons =
            item.is(types::REASONING) || item.event.content.get(event::Part::Reasoning).is_some();
        if has_reasons && is_room {
            self.reasoned.insert((trace.clone(), agent.clone()));
        }
        if item.event.confidence.is_some() && is_room {
            self.confident.insert(trace.clone());
        }
        if item.is(types::TOOL_CALL) && item.facts.phase != Some(Phase::Result) {
            self.looked_at += 1;
            let has_confidence = self.confident.contains(&trace);
            if !self.reasoned.contains(&(trace, agent)) || !has_confidence {
                self.offending.note(item);
            }
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("no agent called a tool");
        }
        let what = "calls have no reason by their agent, or no confidence, before them";
        Assessed::by_share(self.offending, self.looked_at, self.min_share, what)
    }
}
