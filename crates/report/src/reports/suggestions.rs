//! What to do about errors: a few rules, each with a threshold that the settings can change.
//!
//! A rule looks at counts alone, says what it saw, and names the first event that it saw it in.
//! Thresholds are doc 002's where it has them. Not here: causes (`forensics`).

use super::percent;
use super::settings::Thresholds;
use crate::document::{Block, Document, Evidence, Text, Tone};
use query::figures::{CallLine, FailureLine, Failures};
use query::render::{count, counted};
use serde::Serialize;

/// What a rule says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Suggestion {
    /// The rule, by its name in the settings.
    pub(super) rule: &'static str,
    /// What to do.
    pub(super) action: String,
    /// What the rule saw.
    pub(super) because: String,
    /// The first event of it, if there is one to show.
    pub(super) evidence: Option<Evidence>,
}

/// A class of errors by words in its name, all in lower case.
struct Class {
    rule: &'static str,
    words: &'static [&'static str],
    threshold: fn(&Thresholds) -> u64,
    what: &'static str,
    action: &'static str,
}

const CLASSES: [Class; 5] = [
    Class {
        rule: "timeouts",
        words: &["timeout", "timedout", "deadlineexceeded"],
        threshold: |it| it.timeouts,
        what: "took too long",
        action: "Increase timeouts or add async fallbacks",
    },
    Class {
        rule: "rate_limits",
        words: &["ratelimit", "toomanyrequests", "429", "quota", "throttl"],
        threshold: |it| it.rate_limits,
        what: "met a rate limit",
        action: "Implement more aggressive rate limiting or add buffer",
    },
    Class {
        rule: "validation",
        words: &[
            "validation",
            "invalidargument",
            "badrequest",
            "typeerror",
            "valueerror",
            "schema",
        ],
        threshold: |it| it.validation,
        what: "had invalid values",
        action: "Review tool parameter validation",
    },
    Class {
        rule: "permissions",
        words: &["permission", "unauthorized", "unauthenticated", "forbidden", "authentication"],
        threshold: |it| it.permissions,
        what: "lacked a permission",
        action: "Check the credentials and permissions of the agents",
    },
    Class {
        rule: "unavailable",
        words: &["unavailable", "connection", "503", "502", "network", "dns"],
        threshold: |it| it.unavailable,
        what: "found a service that was not there",
        action: "Add a circuit breaker and a fallback, and alert on the service",
    },
];

/// Errors of the period before, if it is known.
pub(super) struct Before {
    pub(super) errors: u64,
}

/// What the rules say, in the order of the rules.
pub(super) fn suggest(
    failures: &Failures,
    calls: &[CallLine],
    before: Option<&Before>,
    thresholds: &Thresholds,
) -> Vec<Suggestion> {
    let mut out = Vec::new();
    for class in &CLASSES {
        let lines: Vec<&FailureLine> =
            failures.lines.iter().filter(|line| is_of(class, line)).collect();
        let errors: u64 = lines.iter().map(|line| errors_of(class, line)).sum();
        if errors <= (class.threshold)(thresholds) {
            continue;
        }
        let tools = names(lines.iter().filter_map(|line| line.tool.as_deref()));
        let at = if tools.is_empty() { String::new() } else { format!(" ({tools})") };
        out.push(Suggestion {
            rule: class.rule,
            action: format!("{}{at}", class.action),
            because: format!("{} {}", counted(errors, "event"), class.what),
            evidence: lines.iter().map(|line| line.first_index).min().map(at_index),
        });
    }
    for call in calls {
        let enough = call.calls >= thresholds.tool_calls_min;
        let rate = super::share(call.errors, call.calls);
        let (true, Some(tool)) = (enough && rate > thresholds.tool_error_rate, &call.tool) else {
            continue;
        };
        let of_tool = |line: &&FailureLine| line.tool.as_deref() == Some(tool);
        out.push(Suggestion {
            rule: "tool_error_rate",
            action: format!("Look into {tool}: it fails too often to be relied on"),
            because: format!(
                "{} of its {} calls failed ({})",
                count(call.errors),
                count(call.calls),
                percent(call.errors, call.calls)
            ),
            evidence: failures
                .lines
                .iter()
                .filter(of_tool)
                .map(|line| line.first_index)
                .min()
                .map(at_index),
        });
    }
    out.extend(growth(failures, before, thresholds));
    out
}

fn growth(
    failures: &Failures,
    before: Option<&Before>,
    thresholds: &Thresholds,
) -> Option<Suggestion> {
    let before = before?;
    let limit = (before.errors as f64 * thresholds.growth).max(thresholds.growth_min as f64);
    (failures.errors as f64 > limit).then(|| Suggestion {
        rule: "growth",
        action: "Look for what changed: a deployment, a model, a dependency".to_owned(),
        because: format!(
            "{} in this period, {} in the one before",
            counted(failures.errors, "error"),
            count(before.errors)
        ),
        evidence: failures.lines.iter().map(|line| line.first_index).min().map(at_index),
    })
}

fn at_index(index: u64) -> Evidence {
    Evidence { index, event_id: None }
}

/// Whether a line is of a class by its name, or by how it ended.
fn is_of(class: &Class, line: &FailureLine) -> bool {
    let name = line.error_type.as_deref().unwrap_or_default().to_lowercase();
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_named = class.words.iter().any(|word| name.contains(word));
    is_named || class.rule == "timeouts" && line.timeouts > 0
}

fn errors_of(class: &Class, line: &FailureLine) -> u64 {
    if class.rule == "timeouts" { line.timeouts.max(by_name(class, line)) } else { line.errors }
}

fn by_name(class: &Class, line: &FailureLine) -> u64 {
    if is_of(class, &FailureLine { timeouts: 0, ..line.clone() }) { line.errors } else { 0 }
}

/// The first few different names.
fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const SHOWN: usize = 3;
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    let more = seen.len().saturating_sub(SHOWN);
    seen.truncate(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", seen.join(", "))
}

/// The part of a document about them.
pub(super) fn write(document: &mut Document, suggestions: &[Suggestion]) {
    if suggestions.is_empty() {
        document.callout(Tone::Good, "No rule has anything to suggest.");
        return;
    }
    let item = |it: &Suggestion| {
        let text = Text::default().strong(it.action.as_str()).plain(format!(": {}", it.because));
        match &it.evidence {
            Some(evidence) => text.plain(", the first of them ").evidence(evidence),
            None => text,
        }
    };
    let items = suggestions.iter().map(item).collect();
    document.blocks.push(Block::List { is_numbered: true, items });
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    fn line(error_type: &str, errors: u64) -> FailureLine {
        FailureLine {
            error_type: Some(error_type.to_owned()),
            agent: None,
            tool: Some("lookup".to_owned()),
            errors,
            timeouts: 0,
            first: Timestamp(0),
            last: Timestamp(0),
            first_index: 7,
        }
    }

    fn rules(lines: Vec<FailureLine>, before: Option<u64>) -> Vec<&'static str> {
        let errors = lines.iter().map(|line| line.errors).sum();
        let failures = Failures { errors, lines, ..Failures::default() };
        let before = before.map(|errors| Before { errors });
        let said = suggest(&failures, &[], before.as_ref(), &Thresholds::default());
        said.into_iter().map(|it| it.rule).collect()
    }

    #[test]
    fn a_rule_speaks_above_its_threshold_and_not_at_it() {
        for (name, threshold, rule) in [
            ("TimeoutError", 10, "timeouts"),
            ("openai.RateLimitError", 5, "rate_limits"),
            ("ValidationError", 3, "validation"),
            ("PermissionError", 3, "permissions"),
            ("ConnectionError", 3, "unavailable"),
        ] {
            assert!(rules(vec![line(name, threshold)], None).is_empty(), "{name}");
            assert_eq!(rules(vec![line(name, threshold + 1)], None), [rule], "{name}");
        }
        assert!(rules(vec![line("SomethingElse", 1000)], None).is_empty());
        let late = FailureLine { timeouts: 11, ..line("APIError", 20) };
        assert_eq!(rules(vec![late], None), ["timeouts"]);
    }

    #[test]
    fn growth_is_told_against_the_period_before() {
        assert_eq!(rules(vec![line("X", 21)], Some(10)), ["growth"]);
        assert!(rules(vec![line("X", 20)], Some(10)).is_empty());
        assert!(rules(vec![line("X", 10)], Some(0)).is_empty());
        assert_eq!(rules(vec![line("X", 11)], Some(0)), ["growth"]);
        assert!(rules(vec![line("X", 1000)], None).is_empty());
    }

    #[test]
    fn a_tool_that_fails_often_is_named() {
        let call = CallLine {
            tool: Some("lookup".to_owned()),
            calls: 10,
            errors: 3,
            timeouts: 0,
            denied: 0,
            approved: 0,
            without_end: 0,
            mean_ms: None,
            p50_ms: None,
            p95_ms: None,
            p99_ms: None,
        };
        let none = Failures::default();
        let said = |call: &CallLine| {
            suggest(&none, std::slice::from_ref(call), None, &Thresholds::default()).len()
        };
        assert_eq!(said(&call), 1);
        assert_eq!(said(&CallLine { errors: 2, ..call.clone() }), 0);
        assert_eq!(said(&CallLine { calls: 9, ..call }), 0);
    }
}
