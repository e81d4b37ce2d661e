//! Four checks of a day, as document 002 has them: figures held against a threshold.
//!
//! They are evidence toward an audit, never a judgement. What the settings do not say, or the log
//! cannot know, is not assessable, and never passes for good.

use super::settings::{Settings, fits};
use super::{percent, share};
use crate::document::{Document, Tone};
use query::figures::{CallLine, Overview};
use query::render::count;
use serde::Serialize;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Within its threshold.
    Pass,
    /// Within it, but near.
    Warning,
    /// Beyond it.
    Fail,
    /// Nobody can say.
    NotAssessable,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    #[serde(skip)]
    pub(super) name: &'static str,
    /// Whether it passed; nothing where it is not assessable.
    pub(super) passed: Option<bool>,
    pub(super) verdict: Verdict,
    /// The figure that was held against the threshold.
    pub(super) value: Option<f64>,
    pub(super) threshold: Option<f64>,
    /// What it came to, in words.
    pub(super) finding: String,
    /// What to do, where there is something.
    pub(super) recommendation: Option<String>,
}

impl Check {
    fn new(name: &'static str, verdict: Verdict, finding: String) -> Self {
        let passed = match verdict {
            Verdict::Pass | Verdict::Warning => Some(true),
            Verdict::Fail => Some(false),
            Verdict::NotAssessable => None,
        };
        let (value, threshold, recommendation) = (None, None, None);
        Self { name, passed, verdict, value, threshold, finding, recommendation }
    }

    fn of(self, value: f64, threshold: f64) -> Self {
        Self { value: Some(value), threshold: Some(threshold), ..self }
    }

    fn advise(self, what: &str) -> Self {
        let recommendation = (self.verdict != Verdict::Pass).then(|| what.to_owned());
        Self { recommendation, ..self }
    }
}

/// The four checks. `tokens` are those of the whole period, which has `days` days.
pub(super) fn checks(
    seen: &Overview,
    calls: &[CallLine],
    (tokens, days): (u64, u64),
    settings: &Settings,
) -> Vec<Check> {
    vec![
        escalation(seen, settings),
        approval(calls, settings),
        access(calls, settings),
        budget(tokens, days, settings),
    ]
}

fn escalation(seen: &Overview, settings: &Settings) -> Check {
    let name = "human_escalation_rate";
    let threshold = settings.thresholds.escalation_rate;
    if seen.invocations == 0 {
        let finding = "Human escalation rate: no invocation was recorded".to_owned();
        return Check::new(name, Verdict::NotAssessable, finding);
    }
    let rate = share(seen.escalations, seen.invocations);
    let is_within = rate <= threshold;
    let finding = format!(
        "Human escalation rate {} threshold ({} of {} invocations, at most {:.1}%)",
        if is_within { "within" } else { "beyond" },
        count(seen.escalations),
        count(seen.invocations),
        threshold * 100.0
    );
    Check::new(name, if is_within { Verdict::Pass } else { Verdict::Fail }, finding)
        .of(rate, threshold)
        .advise("Look at what is handed to people, and whether the agents can be told to decide it")
}

fn approval(calls: &[CallLine], settings: &Settings) -> Check {
    let name = "tool_approval_rate";
    let patterns = &settings.approvals.tools;
    if patterns.is_empty() {
        let finding = "Tool approval rate: the settings name no tool that needs an approval";
        return Check::new(name, Verdict::NotAssessable, finding.to_owned());
    }
    let needs = |it: &&CallLine| {
        it.tool.as_deref().is_some_and(|tool| patterns.iter().any(|one| fits(one, tool)))
    };
    let (mut all, mut approved) = (0, 0);
    for call in calls.iter().filter(needs) {
        // A call that was refused did nothing that needs one.
        let done = call.calls.saturating_sub(call.denied);
        all += done;
        approved += call.approved.min(done);
    }
    if all == 0 {
        let finding = "Tool approval rate: no tool that needs an approval was called".to_owned();
        return Check::new(name, Verdict::Pass, finding);
    }
    let verdict = if approved == all { Verdict::Pass } else { Verdict::Fail };
    let finding = format!(
        "Tool approval rate {} ({} of {} calls name an approver)",
        percent(approved, all),
        count(approved),
        count(all)
    );
    Check::new(name, verdict, finding)
        .of(share(approved, all), 1.0)
        .advise("Find the calls without an approver, and let the tool refuse such calls")
}

fn access(calls: &[CallLine], settings: &Settings) -> Check {
    let name = "data_access_audit";
    let (all, open) =
        calls.iter().fold((0, 0), |sum, it| (sum.0 + it.calls, sum.1 + it.without_end));
    if all == 0 {
        let finding = "Data access: no tool was called".to_owned();
        return Check::new(name, Verdict::NotAssessable, finding);
    }
    let (rate, threshold) = (share(all - open, all), settings.thresholds.recorded_rate);
    let verdict = if rate >= threshold { Verdict::Pass } else { Verdict::Fail };
    let finding = match open {
        0 => format!("Data access logged with its end for all {} tool calls", count(all)),
        _ => format!("The end of {} of {} tool calls was not recorded", count(open), count(all)),
    };
    Check::new(name, verdict, finding)
        .of(rate, threshold)
        .advise("Let the framework report results, or find out why these calls never ended")
}

fn budget(tokens: u64, days: u64, settings: &Settings) -> Check {
    let name = "token_budget_compliance";
    let Some(daily) = settings.budget.tokens_per_day.filter(|daily| *daily > 0) else {
        let finding = format!("Token budget: {} tokens used, no budget set", count(tokens));
        return Check::new(name, Verdict::NotAssessable, finding);
    };
    let used = share(tokens, daily.saturating_mul(days.max(1)));
    let verdict = match used {
        _ if used > 1.0 => Verdict::Fail,
        _ if used >= settings.thresholds.budget_warning => Verdict::Warning,
        _ => Verdict::Pass,
    };
    let rest = if verdict == Verdict::Pass { "" } else { " — review recommended" };
    Check::new(name, verdict, format!("Token budget at {:.0}%{rest}", used * 100.0))
        .of(used, 1.0)
        .advise("See `tacho report cost` for who spends them")
}

/// The part of a document about them.
pub(super) fn write(document: &mut Document, checks: &[Check]) {
    for check in checks {
        let tone = match check.verdict {
            Verdict::Pass => Tone::Good,
            Verdict::Warning => Tone::Warning,
            Verdict::Fail => Tone::Bad,
            Verdict::NotAssessable => Tone::Plain,
        };
        document.callout(tone, check.finding.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tool: &str, calls: u64, approved: u64, without_end: u64) -> CallLine {
        CallLine {
            tool: Some(tool.to_owned()),
            calls,
            errors: 0,
            timeouts: 0,
            denied: 0,
            approved,
            without_end,
            mean_ms: None,
            p50_ms: None,
            p95_ms: None,
            p99_ms: None,
        }
    }

    #[test]
    fn each_check_passes_warns_and_fails_by_its_threshold() {
        let mut settings = Settings::default();
        let seen = |escalations| Overview { invocations: 100, escalations, ..Overview::default() };
        assert_eq!(escalation(&seen(10), &settings).verdict, Verdict::Pass);
        assert_eq!(escalation(&seen(11), &settings).verdict, Verdict::Fail);
        settings.approvals.tools = vec!["pay*".to_owned()];
        assert_eq!(approval(&[call("pay_out", 3, 3, 0)], &settings).verdict, Verdict::Pass);
        assert_eq!(approval(&[call("pay_out", 3, 2, 0)], &settings).verdict, Verdict::Fail);
        assert_eq!(approval(&[call("look", 3, 0, 0)], &settings).verdict, Verdict::Pass);
        let denied = CallLine { denied: 3, ..call("pay", 3, 0, 0) };
        assert_eq!(approval(&[denied], &settings).verdict, Verdict::Pass);
        assert_eq!(access(&[call("look", 3, 0, 0)], &settings).verdict, Verdict::Pass);
        assert_eq!(access(&[call("look", 3, 0, 1)], &settings).verdict, Verdict::Fail);
        settings.budget.tokens_per_day = Some(100);
        assert_eq!(budget(79, 1, &settings).verdict, Verdict::Pass);
        assert_eq!(budget(87, 1, &settings).verdict, Verdict::Warning);
        assert_eq!(budget(101, 1, &settings).verdict, Verdict::Fail);
        assert_eq!(budget(101, 2, &settings).verdict, Verdict::Pass);
    }

    #[test]
    fn what_nobody_can_say_does_not_pass() {
        let settings = Settings::default();
        for check in checks(&Overview::default(), &[], (5, 1), &settings) {
            assert_eq!(check.verdict, Verdict::NotAssessable, "{}", check.name);
            assert_eq!(check.passed, None);
        }
    }
}
