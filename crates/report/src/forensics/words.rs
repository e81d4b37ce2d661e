//! How findings are said: rows, causes and the summary in plain sentences.
//!
//! Names out of events stand between back quotes; whoever shows them escapes them.

use super::aftermath::{Consequence, ConsequenceKind};
use super::cause::{Cause, Confidence};
use super::facts::Human;
use super::{Case, RootCause, Step, Verdict};
use event::types;
use query::render::counted;
use query::{Node, Status};

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The event's own id; `None` when the trace had to make one.
pub(super) fn event_id(node: &Node) -> Option<String> {
    Some(node.summary.id.clone()).filter(|id| *id != format!("#{}", node.summary.index))
}

/// Milliseconds as people say them: `10 s`, `350 ms`.
pub(super) fn seconds(ms: f64) -> String {
    if ms < 1_000.0 {
        return format!("{ms:.0} ms");
    }
    let text = format!("{:.1}", ms / 1_000.0);
    format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
}

/// A row of the timeline.
pub(super) fn step(case: &Case<'_>, at: usize, node: &Node, role: Option<&'static str>) -> Step {
    let summary = &node.summary;
    Step {
        index: summary.index,
        event_id: event_id(node),
        time: summary.time.to_string(),
        agent: summary.agent.clone(),
        action: action(case, at, node, role),
        duration_ms: summary.duration_ms,
        status: summary.status.as_str(),
        error: summary.error.clone().or_else(|| summary.error_type.clone()),
        role,
        told_by: Vec::new(),
    }
}

/// Adds to a call what its result tells.
pub(super) fn tell(step: &mut Step, node: &Node, role: Option<&'static str>) {
    let summary = &node.summary;
    step.role = step.role.or(role);
    step.told_by.push(summary.index);
    step.duration_ms = step.duration_ms.or(summary.duration_ms);
    if summary.status != Status::Success {
        step.status = summary.status.as_str();
        step.error = step.error.take().or_else(|| summary.error.clone());
    }
}

fn action(case: &Case<'_>, at: usize, node: &Node, role: Option<&'static str>) -> String {
    let summary = &node.summary;
    let detail = case.facts.get(at).and_then(|facts| facts.fallback.clone());
    let named = |what: &str, name: Option<&str>| match name {
        Some(name) => format!("{what}: {name}"),
        None => what.to_owned(),
    };
    let is_call = summary.event_type == types::TOOL_CALL;
    match role {
        Some("retry") if is_call => named("Retry", summary.tool.as_deref()),
        Some("circuit_breaker") => "Circuit breaker open".to_owned(),
        Some("fallback") => named("Degraded to fallback", detail.as_deref()),
        Some("escalation") => "Human escalation".to_owned(),
        _ if is_call => named("Tool call", summary.tool.as_deref()),
        _ => summary.label.clone(),
    }
}

/// The cause in full.
pub(super) fn root_cause(case: &Case<'_>, followed: &[Consequence]) -> Option<RootCause> {
    let first = case.first()?;
    let (node, facts) = (case.trace.nodes.get(first.node)?, case.facts.get(first.node)?);
    let summary = &node.summary;
    let is_same = |it: &&super::Symptom| {
        let other = case.trace.nodes.get(it.node).map(|node| &node.summary);
        other.is_some_and(|it| it.tool == summary.tool && it.agent == summary.agent)
            && !it.is_report
    };
    let mut events = vec![summary.index];
    if summary.tool.is_some() || summary.event_type == types::LLM_RESPONSE {
        let again = case.symptoms.all.iter().filter(|it| it.node != first.node).filter(is_same);
        events.extend(again.map(|it| case.index(it.node)));
    }
    let cause = first.shown.cause;
    let mut it = RootCause {
        cause,
        sentence: String::new(),
        confidence: Confidence::of(first.shown.basis, first.shown.is_confirmed),
        basis: first.shown.basis,
        agent: summary.agent.clone(),
        tool: summary.tool.clone().or_else(|| facts.tool.clone()),
        model: summary.model.clone().or_else(|| facts.model.clone()),
        index: summary.index,
        events,
    };
    it.sentence = sentence(case, &it, node, followed);
    Some(it)
}

fn sentence(case: &Case<'_>, it: &RootCause, node: &Node, followed: &[Consequence]) -> String {
    let agent = it.agent.as_ref().map_or("an agent".to_owned(), |name| format!("`{name}`"));
    let tool = it.tool.as_ref();
    let tool = tool.map_or(format!("what {agent} called"), |tool| format!("the tool `{tool}`"));
    let model =
        it.model.as_ref().map_or("the model".to_owned(), |name| format!("the model `{name}`"));
    let what = if it.tool.is_none() && it.model.is_some() { &model } else { &tool };
    let text = match it.cause {
        Cause::ToolOutage => format!("{tool} was down"),
        Cause::ToolTimeout => format!("{tool} did not answer in time"),
        Cause::ModelOutage => format!("{model} was down"),
        Cause::ModelTimeout => format!("{model} did not answer in time"),
        Cause::RateLimit => format!("{what} refused because of too many calls"),
        Cause::AuthenticationFailure => format!("{what} did not accept the caller's credentials"),
        Cause::BadInput => format!("{agent} was given something that it could not work with"),
        Cause::WrongToolArguments => {
            format!("{agent} called {tool} with arguments that it refuses")
        }
        Cause::DataNotFound => format!("what {agent} looked for does not exist"),
        Cause::ModelRefusal => format!("{model}, or a filter around it, refused"),
        Cause::ContextOverflow => format!("the text was longer than {model} takes or gives"),
        Cause::UnreadableAnswer => format!("{agent} could not read an answer"),
        Cause::ApprovalDenied => "a person refused what had to be approved".to_owned(),
        Cause::PolicyDenied => format!("a policy refused what {agent} tried"),
        Cause::HumanOverride => format!("a person stopped {agent} or took over"),
        Cause::MissingResult => {
            format!("{agent} called {tool}, and the outcome is not in the log")
        }
        Cause::SubAgentFailure => format!("{agent} failed, and the log does not say why"),
        Cause::LimitReached => format!("{agent} reached a limit of steps, turns or money"),
        Cause::CodeFailure => format!("code that {agent} ran raised an error"),
        Cause::Unclassified => format!("{agent} failed, and no rule says why"),
    };
    let mut text = capital(&text);
    text.push_str(&evidence_words(case, it, node));
    text.push('.');
    for part in reactions(followed) {
        text.push(' ');
        text.push_str(&part);
    }
    text
}

/// In brackets what shows it: the code, the class, how often.
fn evidence_words(case: &Case<'_>, it: &RootCause, node: &Node) -> String {
    let mut parts = Vec::new();
    let nodes = case.trace.nodes.iter().zip(case.facts);
    let mut codes: Vec<u64> = nodes
        .filter(|(node, _)| it.events.contains(&node.summary.index))
        .filter_map(|(_, facts)| facts.code)
        .collect();
    codes.dedup();
    if let Some(code) = codes.first() {
        parts.push(format!("status {code}"));
    }
    if let Some(class) = &node.summary.error_type {
        parts.push(format!("`{class}`"));
    }
    match it.events.len() {
        1 => {}
        many => parts.push(counted(many as u64, "failure")),
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// What followed, in sentences.
fn reactions(followed: &[Consequence]) -> Vec<String> {
    let find = |kind| followed.iter().find(|it| it.kind == kind);
    let count = |kind| followed.iter().filter(|it| it.kind == kind).count();
    let mut parts = Vec::new();
    match count(ConsequenceKind::Retry) {
        0 => {}
        1 => parts.push("It was tried again once.".to_owned()),
        many => parts.push(format!("It was tried again {many} times.")),
    }
    if let Some(breaker) = find(ConsequenceKind::CircuitBreaker) {
        let after = breaker.detail.as_ref().map_or(String::new(), |detail| format!(" {detail}"));
        parts.push(format!("The circuit breaker opened{after}."));
    }
    if let Some(fallback) = find(ConsequenceKind::Fallback) {
        let who = fallback.agent.as_ref().map_or("The agent".to_owned(), |it| format!("`{it}`"));
        let to = fallback.detail.as_ref().map_or(String::new(), |it| format!(" (`{it}`)"));
        parts.push(format!("{who} degraded to a fallback{to}."));
    }
    let cascade = count(ConsequenceKind::Cascade);
    if cascade > 0 {
        let agents = counted(cascade as u64, "other agent");
        parts.push(format!("{agents} failed because of it."));
    }
    if find(ConsequenceKind::Escalation).is_some() {
        parts.push("A person was asked.".to_owned());
    }
    if find(ConsequenceKind::Override).is_some() {
        parts.push("A person stopped it or took over.".to_owned());
    }
    parts
}

/// All of it in a few sentences.
pub(super) fn summary(
    case: &Case<'_>,
    verdict: Verdict,
    root: Option<&RootCause>,
    followed: &[Consequence],
) -> String {
    let events = case.trace.nodes.len();
    let Some(root) = root else {
        let asked = case.facts.iter().any(|it| it.human == Some(Human::Asked));
        let asked = if asked { " A person was asked." } else { "" };
        return format!("No event of {events} reports a failure, a refusal or a stop.{asked}");
    };
    let end = match verdict {
        Verdict::Failed => "Nothing shows that it passed.",
        Verdict::Escalated => "It ended with a person.",
        Verdict::Stopped => "It was stopped, not broken.",
        Verdict::Recovered => "The next try worked.",
        Verdict::NothingFailed => "",
    };
    let unlinked = followed.iter().filter(|it| !it.is_linked).count() as u64;
    let unlinked = match unlinked {
        0 => String::new(),
        count => format!(" ({} known by time alone, without a link)", counted(count, "thing")),
    };
    format!(
        "{} {} of {} failed; {} followed{unlinked}. {end}",
        root.sentence,
        case.symptoms.all.len(),
        counted(events as u64, "event"),
        counted(followed.len() as u64, "thing"),
    )
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
