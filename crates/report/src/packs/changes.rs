//! What people do about agents, as records: changes, reviews, incidents, tests of exports, and
//! detectors that run.
//!
//! These are events that somebody sends (docs/compliance.md says how they look): of type
//! `agent.compliance` or `agent.security`, told apart by the beginning of their action.

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named, Parameters};
use event::types;
use std::collections::{BTreeMap, BTreeSet};

const DAY_MS: u64 = 86_400_000;

/// Agents and incidents that are followed.
const FOLLOWED_MAX: usize = 100_000;

/// What an event of this kind does: the action behind `kind:`.
fn act<'i>(item: &'i Item<'_>, kind: &str) -> Option<&'i str> {
    let is_meant = item.is(types::COMPLIANCE) || item.is(types::SECURITY);
    let (name, act) = item.event.action.as_deref()?.split_once(':')?;
    (is_meant && name == kind).then_some(act)
}

/// Something that must happen again and again.
struct Cadence {
    every_ms: u64,
    last_ms: Option<u64>,
    count: u64,
    late: Named,
    bad: Named,
}

impl Cadence {
    fn new(parameters: &Parameters, every_days: u64) -> Self {
        let every_days = parameters.every_days.unwrap_or(every_days);
        Self {
            every_ms: every_days.saturating_mul(DAY_MS),
            last_ms: None,
            count: 0,
            late: Named::default(),
            bad: Named::default(),
        }
    }

    fn note(&mut self, item: &Item<'_>, is_good: bool) {
        let now_ms = item.found.recorded_at_ms;
        self.count += 1;
        if !is_good {
            self.bad.note(item);
        } else if self.last_ms.is_some_and(|last| now_ms.saturating_sub(last) > self.every_ms) {
            self.late.note(item);
        }
        self.last_ms = Some(now_ms);
    }

    fn finish(self, end: &End<'_>, bad: &str, late: &str) -> Assessed {
        let every = format!("one in {} days", self.every_ms / DAY_MS);
        if self.bad.count > 0 {
            return Assessed::by(self.bad, self.count, bad).asking(every);
        }
        let silence_ms = end.to_ms.saturating_sub(self.last_ms.unwrap_or(end.to_ms));
        if self.late.count == 0 && silence_ms > self.every_ms {
            let found = format!("the last of {} is {} days old", self.count, silence_ms / DAY_MS);
            return Assessed::failed(found, self.count).asking(every);
        }
        Assessed::by(self.late, self.count, late).asking(every)
    }
}

/// C-REV-1: reviews happen in time, by somebody, with what was found.
pub(super) struct Reviews(Cadence);

impl Reviews {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self(Cadence::new(parameters, 31))
    }
}

impl Predicate for Reviews {
    fn offer(&mut self, item: &Item<'_>) {
        if act(item, "review").is_some() {
            let who = item.facts.principal.is_some()
                || item.facts.approver.is_some()
                || item.said("reviewer").is_some();
            self.0.note(item, who && item.said("findings").is_some());
        }
    }

    fn finish(self: Box<Self>, end: &End<'_>) -> Assessed {
        if self.0.count == 0 {
            return Assessed::nothing("no review is recorded");
        }
        self.0.finish(end, "reviews name no reviewer or no findings", "reviews came late")
    }
}

/// C-EXP-1: tests that an export verifies elsewhere were made in time, and held.
pub(super) struct Exports(Cadence);

impl Exports {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self(Cadence::new(parameters, 92))
    }
}

impl Predicate for Exports {
    fn offer(&mut self, item: &Item<'_>) {
        if act(item, "export_test").is_some() {
            self.0.note(item, item.event.outcome == Some(event::Outcome::Success));
        }
    }

    fn finish(self: Box<Self>, end: &End<'_>) -> Assessed {
        if self.0.count == 0 {
            return Assessed::nothing("no test of an export is recorded");
        }
        self.0.finish(end, "tests of an export did not hold", "tests of an export came late")
    }
}

/// C-ANOM-1: detectors ran in time, and where one failed an alert followed.
pub(super) struct Anomalies {
    runs: Cadence,
    /// A failed run that no alert followed yet.
    waiting: Option<(u64, Option<String>)>,
    unalerted: Named,
}

impl Anomalies {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let (runs, unalerted) = (Cadence::new(parameters, 1), Named::default());
        Self { runs, waiting: None, unalerted }
    }
}

impl Predicate for Anomalies {
    fn offer(&mut self, item: &Item<'_>) {
        match act(item, "detector") {
            Some("alert") => self.waiting = None,
            Some(_) => {
                if let Some((index, id)) = self.waiting.take() {
                    self.unalerted.add(index, id.as_deref());
                }
                if item.status.is_error() {
                    self.waiting = Some((item.index(), item.id().map(str::to_owned)));
                }
                self.runs.note(item, true);
            }
            None => {}
        }
    }

    fn finish(mut self: Box<Self>, end: &End<'_>) -> Assessed {
        if self.runs.count == 0 {
            return Assessed::nothing("no run of a detector is recorded");
        }
        if let Some((index, id)) = self.waiting.take() {
            self.unalerted.add(index, id.as_deref());
        }
        if self.unalerted.count > 0 {
            let what = "runs of detectors failed, and no alert followed";
            return Assessed::by(self.unalerted, self.runs.count, what);
        }
        self.runs.finish(end, "", "runs of detectors came late")
    }
}

/// C-INC-1: each incident was opened, triaged and closed, with the hash of its evidence.
#[derive(Default)]
pub(super) struct Incidents {
    opened: BTreeMap<String, (u64, Option<String>)>,
    triaged: BTreeSet<String>,
    looked_at: u64,
    offending: Named,
}

impl Predicate for Incidents {
    fn offer(&mut self, item: &Item<'_>) {
        let (Some(act), Some(name)) = (act(item, "incident"), item.said("incident")) else {
            return;
        };
        match act {
            "opened" if self.opened.len() < FOLLOWED_MAX => {
                self.looked_at += 1;
                self.opened.insert(name, (item.index(), item.id().map(str::to_owned)));
            }
            "triaged" if self.triaged.len() < FOLLOWED_MAX => drop(self.triaged.insert(name)),
            "closed" => {
                let was_opened = self.opened.remove(&name).is_some();
                let was_triaged = self.triaged.remove(&name);
                let has_evidence = item.said("evidence_sha256").is_some();
                if !was_opened || !was_triaged || !has_evidence {
                    self.offending.note(item);
                }
            }
            _ => {}
        }
    }

    fn finish(mut self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 && self.offending.count == 0 {
            return Assessed::nothing("no incident is recorded");
        }
        for (index, id) in self.opened.values() {
            self.offending.add(*index, id.as_deref());
        }
        let what = "incidents lack a beginning, a triage, an end or the hash of their evidence";
        Assessed::by(self.offending, self.looked_at, what)
    }
}

/// C-CHG-1: before an agent shows another version or model, a change of it is recorded, with the
/// hash before and after.
#[derive(Default)]
pub(super) struct Changes {
    /// Each agent's version and model.
    known: BTreeMap<(String, &'static str), String>,
    /// Agents of which a change was announced, and not seen yet.
    announced: BTreeSet<String>,
    looked_at: u64,
    offending: Named,
}

impl Predicate for Changes {
    fn offer(&mut self, item: &Item<'_>) {
        if act(item, "change").is_some() {
            self.looked_at += 1;
            let is_whole = item.said("before").is_some() && item.said("after").is_some();
            match item.said("agent").filter(|_| is_whole) {
                Some(agent) if self.announced.len() < FOLLOWED_MAX => {
                    self.announced.insert(agent);
                }
                Some(_) => {}
                None => self.offending.note(item),
            }
            return;
        }
        let event = item.event;
        let Some(agent) = event.agent_name.as_deref().filter(|_| item.is_of_an_agent()) else {
            return;
        };
        let seen = [
            ("version", event.agent_version.as_deref()),
            ("program", event.version.as_deref()),
            ("model", event.model.as_ref().and_then(|model| model.display())),
        ];
        let mut has_changed = false;
        for (what, value) in seen {
            let Some(value) = value.filter(|_| self.known.len() < FOLLOWED_MAX) else { continue };
            self.looked_at += 1;
            let before = self.known.insert((agent.to_owned(), what), value.to_owned());
            has_changed |= before.is_some_and(|before| before != value);
        }
        if has_changed && !self.announced.remove(agent) {
            self.offending.note(item);
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("no event says a version or a model");
        }
        let what = "show another version or model, and no change is recorded before";
        Assessed::by(self.offending, self.looked_at, what)
    }
}
