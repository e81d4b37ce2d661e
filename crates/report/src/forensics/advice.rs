//! What to do about it: a table of rules, each of which says what it rests on.

use super::aftermath::{Consequence, ConsequenceKind};
use super::cause::Cause;
use super::words::seconds;
use super::{Case, RootCause};
use serde::Serialize;

/// How much longer a call may take than before: a first guess, to be measured.
const LONGER: f64 = 3.0;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recommendation {
    /// The rule that says so (docs/forensics.md).
    pub rule: &'static str,
    /// What to do.
    pub action: String,
    /// Why.
    pub because: String,
    /// The indexes of the events that it rests on.
    pub events: Vec<u64>,
}

pub(super) fn of(
    case: &Case<'_>,
    root: Option<&RootCause>,
    followed: &[Consequence],
) -> Vec<Recommendation> {
    let Some(root) = root else { return Vec::new() };
    let mut all = Vec::new();
    let mut add = |rule, action: String, because: &str| {
        let (because, events) = (because.to_owned(), root.events.clone());
        all.push(Recommendation { rule, action, because, events });
    };
    let what = match (&root.tool, &root.model) {
        (Some(tool), _) => format!("`{tool}`"),
        (None, Some(model)) => format!("the model `{model}`"),
        (None, None) => root.agent.as_ref().map_or("it".to_owned(), |it| format!("`{it}`")),
    };
    if let Some((limit, longer)) = longer_timeout(case, root) {
        add(
            "longer-timeout",
            format!("Increase the timeout of {what} from {limit} to {longer}"),
            "calls were given up at their time limit; measure how long answers take before \
             settling on a number",
        );
    } else if was_late(case, root) {
        add(
            "longer-timeout",
            format!("Increase the timeout of {what}, and record it with each call"),
            "calls came too late, and no event says what their time limit was",
        );
    }
    for (rule, action, because) in by_cause(root.cause, &what, followed) {
        add(rule, action, because);
    }
    if needs_alert(root, followed) {
        add(
            "alert",
            format!("Set up an alert for failures of {what}"),
            "nobody is told of such failures otherwise",
        );
    }
    all
}

/// Whether calls were given up because they took too long.
fn was_late(case: &Case<'_>, root: &RootCause) -> bool {
    matches!(root.cause, Cause::ToolTimeout | Cause::ModelTimeout)
        || (root.cause == Cause::ToolOutage
            && case.trace.nodes.iter().any(|node| {
                root.events.contains(&node.summary.index)
                    && node.summary.status == query::Status::Timeout
            }))
}

/// The time limit at which calls were given up, and a longer one.
fn longer_timeout(case: &Case<'_>, root: &RootCause) -> Option<(String, String)> {
    if !matches!(root.cause, Cause::ToolOutage | Cause::ToolTimeout | Cause::ModelTimeout) {
        return None;
    }
    let nodes = case.trace.nodes.iter().zip(case.facts);
    let late = nodes.filter(|(node, _)| {
        root.events.contains(&node.summary.index)
            && (node.summary.status == query::Status::Timeout || root.cause != Cause::ToolOutage)
    });
    let limit_ms = late.filter_map(|(_, facts)| facts.limit_ms).next()?;
    Some((seconds(limit_ms), seconds(limit_ms * LONGER)))
}

fn needs_alert(root: &RootCause, followed: &[Consequence]) -> bool {
    let outer = [
        Cause::ToolOutage,
        Cause::ToolTimeout,
        Cause::ModelOutage,
        Cause::ModelTimeout,
        Cause::RateLimit,
        Cause::AuthenticationFailure,
        Cause::SubAgentFailure,
        Cause::MissingResult,
    ];
    let had_to_act = followed
        .iter()
        .any(|it| matches!(it.kind, ConsequenceKind::CircuitBreaker | ConsequenceKind::Escalation));
    outer.contains(&root.cause) || root.events.len() > 1 || had_to_act
}

type Advice = (&'static str, String, &'static str);

/// What each cause calls for.
fn by_cause(cause: Cause, what: &str, followed: &[Consequence]) -> Vec<Advice> {
    let has = |kind| followed.iter().any(|it| it.kind == kind);
    match cause {
        Cause::ToolOutage | Cause::ToolTimeout | Cause::ModelOutage | Cause::ModelTimeout => {
            let mut all = vec![fallback(what, followed)];
            if has(ConsequenceKind::Retry) && !has(ConsequenceKind::CircuitBreaker) {
                all.push((
                    "circuit-breaker",
                    format!("Put a circuit breaker before {what}"),
                    "it was tried again while it was down",
                ));
            }
            all
        }
        Cause::SubAgentFailure => vec![
            (
                "record-errors",
                format!("Let {what} record why it fails (`error_type`, `error`)"),
                "it failed, and no event says why",
            ),
            fallback(what, followed),
        ],
        Cause::HumanOverride => vec![(
            "review-override",
            "Review with whoever stopped the agent what it should have done".to_owned(),
            "a person stopped it or took over",
        )],
        _ => vec![plain(cause, what)],
    }
}

/// What the other causes call for: one thing each.
fn plain(cause: Cause, what: &str) -> Advice {
    match cause {
        Cause::RateLimit => (
            "slow-down",
            format!("Call {what} less often: wait longer between tries, or ask for a higher limit"),
            "it refused because of too many calls",
        ),
        Cause::AuthenticationFailure => (
            "credentials",
            format!("Renew the credentials for {what}, and check what they allow"),
            "it did not accept the caller",
        ),
        Cause::WrongToolArguments => (
            "tool-schema",
            format!(
                "Describe the parameters of {what} to the model, and check them before the call"
            ),
            "it refused its arguments",
        ),
        Cause::BadInput => (
            "check-input",
            format!("Check what comes in before {what} works on it, and say what is wrong"),
            "what came in could not be worked with",
        ),
        Cause::DataNotFound => (
            "not-found",
            format!("Let the agent ask back when {what} finds nothing"),
            "what was asked for does not exist",
        ),
        Cause::ModelRefusal => (
            "refusal",
            "Review the prompt and the filter, and hand refusals to a person".to_owned(),
            "the model or its filter refused",
        ),
        Cause::ContextOverflow => (
            "shorten",
            "Shorten or split what the model is given, and check its length before".to_owned(),
            "the text was longer than the model takes or gives",
        ),
        Cause::UnreadableAnswer => (
            "structured-output",
            "Ask the model for structured output, and try again when it does not parse".to_owned(),
            "an answer could not be read",
        ),
        _ => of_a_stop(cause, what),
    }
}

/// What refusals, limits and what is missing call for.
fn of_a_stop(cause: Cause, what: &str) -> Advice {
    match cause {
        Cause::ApprovalDenied => (
            "denied",
            format!("Check before asking whether {what} may be done, and tell the user why not"),
            "a person refused",
        ),
        Cause::PolicyDenied => (
            "policy",
            format!("Keep {what} from agents that the policy does not allow it"),
            "a policy refused what an agent tried",
        ),
        Cause::MissingResult => (
            "reconcile",
            format!("Find out whether {what} acted before it is tried again"),
            "it was announced, and its outcome is not in the log",
        ),
        Cause::LimitReached => (
            "limits",
            format!("Look at why {what} needed so many steps before raising the limit"),
            "a limit of steps, turns or money was reached",
        ),
        Cause::CodeFailure => (
            "code",
            "Run the code with the recorded input, and mend it".to_owned(),
            "code raised an error",
        ),
        _ => (
            "record-errors",
            format!("Let {what} record the class of its errors (`error_type`)"),
            "no rule knows the error",
        ),
    }
}

fn fallback(what: &str, followed: &[Consequence]) -> Advice {
    let used = followed.iter().find(|it| it.kind == ConsequenceKind::Fallback);
    let was_asked = followed.iter().any(|it| it.kind == ConsequenceKind::Escalation);
    match used {
        Some(used) if was_asked => {
            let name = used.detail.as_ref().map_or(String::new(), |name| format!(" (`{name}`)"));
            (
                "fallback",
                format!("Add a fallback for {what} that needs no person, such as a cached answer"),
                if name.is_empty() {
                    "there was a fallback, and a person had to be asked all the same"
                } else {
                    "the fallback that was used ended with a person"
                },
            )
        }
        Some(_) => (
            "fallback",
            format!("Keep the fallback for {what}, and watch how often it is used"),
            "it took the place of what failed",
        ),
        None => (
            "fallback",
            format!("Add a fallback for {what}, such as a cached answer or a queue"),
            "nothing took the place of what failed",
        ),
    }
}
