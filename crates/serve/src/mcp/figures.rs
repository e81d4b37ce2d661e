//! Tools that count: errors of a period, and what it shows as evidence towards an audit.
//!
//! One pass over the newest records, so that an answer takes seconds on a log of any length; what
//! was not looked at is said.

use super::envelope::{Answer, Rest};
use super::events::{self, short};
use super::input::{self, Period};
use super::source::{Failure, Rights};
use super::tools::Call;
use event::{Event, Kind, types};
use query::{Filter, Found, Sieve, Status};
use reading::ReadError;
use reading::answer::{self, Unreadable};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

/// Records that are looked at, the newest: some seconds of work.
const SCAN_MAX: u64 = 200_000;
/// Errors that are shown, the newest.
const SHOWN_MAX: usize = 50;
/// Names that are counted apart, and those that are told.
const NAMES_MAX: usize = 10_000;
const TOLD_MAX: usize = 20;

/// What a report of figures cannot tell.
const NOT_ASSESSED: [&str; 6] = [
    "whether any law or standard is complied with: these are figures, evidence towards an audit",
    "whether approvals were required where there are none",
    "whether token or cost budgets were kept: the log holds no budgets",
    "whether every act was reported: what nobody sent is not here",
    "whether what was reported is true",
    "whether retention periods were long enough",
];

/// What was counted.
#[derive(Default)]
struct Tally {
    events: u64,
    errors: u64,
    without_principal: u64,
    approved: u64,
    first: Option<event::Timestamp>,
    last: Option<event::Timestamp>,
    types: Names,
    statuses: Names,
    tiers: Names,
    agents: Names,
    tools: Names,
    error_types: Names,
    /// Acts of the log itself, by type.
    acts: Names,
    newest: VecDeque<Value>,
    unreadable: Unreadable,
    /// Records before those that were looked at.
    not_looked_at: u64,
}

/// How often each name occurs, and how often with an error.
#[derive(Default)]
struct Names {
    counts: BTreeMap<String, (u64, u64)>,
    /// Of names beyond those that are counted apart.
    beyond: u64,
}

impl Names {
    fn add(&mut self, name: Option<&str>, is_error: bool) {
        let Some(name) = name else { return };
        if !self.counts.contains_key(name) {
            if self.counts.len() >= NAMES_MAX {
                self.beyond += 1;
                return;
            }
            self.counts.insert(name.to_owned(), (0, 0));
        }
        if let Some((events, errors)) = self.counts.get_mut(name) {
            *events += 1;
            *errors += u64::from(is_error);
        }
    }

    fn of(&self, name: &str) -> u64 {
        self.counts.get(name).map_or(0, |(events, _)| *events)
    }

    /// The most frequent, and how many names there are.
    fn told(&self) -> Value {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(_, (events, _))| std::cmp::Reverse(*events));
        let told = counts.iter().take(TOLD_MAX);
        let told = told.map(
            |(name, (events, errors))| json!({ "name": name, "events": events, "errors": errors }),
        );
        json!({ "names": counts.len(), "most": told.collect::<Vec<_>>(), "beyond": self.beyond })
    }
}

impl Tally {
    fn of(call: &Call<'_>, filter: &Filter, shown: Rights) -> Result<Self, Failure> {
        let size = call.as_of().size;
        let first = size.saturating_sub(SCAN_MAX);
        let mut tally = Self { not_looked_at: first, ..Self::default() };
        let sieve = Sieve::new(filter);
        let unreadable = answer::scan::<ReadError>(call.view.reading(), first, &mut |found| {
            match sieve.accepts(found) {
                Ok(true) => tally.offer(found, shown),
                Ok(false) => {}
                Err(_) => tally.unreadable.add(found.index, 1, "not an event"),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        tally.unreadable = std::mem::take(&mut tally.unreadable).and(unreadable);
        Ok(tally)
    }

    fn offer(&mut self, found: &Found<'_>, shown: Rights) {
        let Ok(event) = found.event() else {
            self.unreadable.add(found.index, 1, "not an event");
            return;
        };
        if found.kind == Kind::Log {
            self.acts.add(Some(&event.event_type), false);
            return;
        }
        let status = Status::of(&event);
        let is_error = status.is_error();
        self.events += 1;
        self.errors += u64::from(is_error);
        self.without_principal += u64::from(event.principal.is_none());
        self.approved += u64::from(event.approver.is_some());
        let time = found.happened_at(&event);
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        self.types.add(Some(&event.event_type), is_error);
        self.statuses.add(Some(status.as_str()), is_error);
        self.tiers.add(Some(found.tier.as_str()), is_error);
        self.agents.add(event.agent_name.as_deref().or(event.agent_id.as_deref()), is_error);
        self.tools.add(event.tool.as_deref(), is_error);
        if is_error {
            self.add_error(found, &event, shown);
        }
    }

    fn add_error(&mut self, found: &Found<'_>, event: &Event<'_>, shown: Rights) {
        self.error_types.add(Some(event.error_type.as_deref().unwrap_or("not named")), true);
        if self.newest.len() >= SHOWN_MAX {
            self.newest.pop_back();
        }
        self.newest.push_front(short(found, shown.content));
    }

    fn period(&self, filter: &Filter) -> Value {
        let text = |time: Option<event::Timestamp>| time.map(|time| time.to_string());
        json!({
            "from": text(filter.from), "to": text(filter.to),
            "first_event": text(self.first), "last_event": text(self.last),
        })
    }

    fn rate(&self) -> f64 {
        if self.events == 0 { 0.0 } else { self.errors as f64 / self.events as f64 }
    }

    /// What is ours to say in every answer of figures.
    fn begin(&self, answer: Answer, filter: &Filter) -> Answer {
        answer
            .fact("period", self.period(filter))
            .fact("total_events", self.events)
            .fact("total_errors", self.errors)
            .fact("error_rate", self.rate())
            .fact("unreadable", self.unreadable.count())
            .fact("records_before_not_looked_at", self.not_looked_at)
    }
}

/// The filter of a period.
fn period_of(call: &Call<'_>, period: &Period) -> Result<Filter, Failure> {
    let pairs = vec![("from", &period.from), ("to", &period.to)];
    let filter = events::question(call, pairs, None, 1)?.filter;
    Ok(Filter { limit: None, newest_first: false, ..filter })
}

pub(crate) fn errors(call: &Call<'_>) -> Result<Answer, Failure> {
    let period: Period = input::read(call.arguments)?;
    let (shown, filter) = (call.shown(period.metadata_only), period_of(call, &period)?);
    let mut tally = Tally::of(call, &filter, shown)?;
    let summary = format!("{} of {} events ended with an error.", tally.errors, tally.events);
    let newest = std::mem::take(&mut tally.newest).into();
    Ok(tally
        .begin(Answer::new(call.as_of(), shown, summary), &filter)
        .data("error_types", tally.error_types.told())
        .data("errors_by_agent", only_errors(&tally.agents))
        .data("errors_by_tool", only_errors(&tally.tools))
        .list("recent_errors", newest, Rest::Ends))
}

/// The names that have errors, most first.
fn only_errors(names: &Names) -> Value {
    let mut counts: Vec<_> = names.counts.iter().filter(|(_, (_, errors))| *errors > 0).collect();
    counts.sort_by_key(|(_, (_, errors))| std::cmp::Reverse(*errors));
    let told = counts.iter().take(TOLD_MAX);
    let told = told.map(
        |(name, (events, errors))| json!({ "name": name, "events": events, "errors": errors }),
    );
    json!({ "names": counts.len(), "most": told.collect::<Vec<_>>() })
}

pub(crate) fn compliance(call: &Call<'_>) -> Result<Answer, Failure> {
    let period: Period = input::read(call.arguments)?;
    // Nothing of content is told.
    let (shown, filter) = (Rights::default(), period_of(call, &period)?);
    let tally = Tally::of(call, &filter, shown)?;
    let summary = format!(
        "{} events, {} with errors. Evidence towards an audit, not a judgement.",
        tally.events, tally.errors,
    );
    let of = |name: &str| tally.types.of(name);
    let evidence = json!({
        "invocations": of(types::INVOCATION), "decisions": of(types::DECISION),
        "tool_calls": of(types::TOOL_CALL), "handoffs": of(types::HANDOFF),
        "human_interventions": of(types::HUMAN_INTERVENTION),
        "events_that_name_an_approver": tally.approved,
        "denied": tally.statuses.of(Status::Denied.as_str()),
        "escalated": tally.statuses.of(Status::Escalated.as_str()),
        "events_without_authenticated_caller": tally.without_principal,
    });
    let acts = &tally.acts;
    // Not a zero where nothing may be counted.
    let of_access = |name: &str| call.rights.access_records.then(|| acts.of(name));
    let of_log = json!({
        "gaps_in_taking_events": acts.of(types::LOG_GAP),
        "accesses_to_content": of_access(types::LOG_ACCESS), "exports": of_access(types::LOG_EXPORT),
        "requests_refused": of_access(types::LOG_DENIED),
        "credentials_refused": of_access(types::LOG_LOGIN_REFUSED),
        "erasures": acts.of(types::LOG_ERASED), "expiries": acts.of(types::LOG_EXPIRY),
        "holds_set": acts.of(types::LOG_HELD), "holds_released": acts.of(types::LOG_RELEASED),
        "key_rotations": acts.of(types::LOG_KEY_ROTATED),
        "configuration_changes": acts.of(types::LOG_CONFIGURATION),
        "restores": acts.of(types::LOG_RESTORED),
    });
    let mut answer = tally
        .begin(Answer::new(call.as_of(), shown, summary), &filter)
        .data("error_types", tally.error_types.told())
        .fact("evidence", evidence)
        .fact("acts_of_the_log", of_log)
        .fact("verification", call.checks.last(call.view))
        .fact("not_assessed", NOT_ASSESSED.map(Value::from).to_vec())
        .data("agents", tally.agents.told())
        .data("tools", tally.tools.told())
        .data("event_types", tally.types.told())
        .data("statuses", tally.statuses.told())
        .data("tiers", tally.tiers.told());
    answer.records = Some(tally.events);
    Ok(answer)
}
