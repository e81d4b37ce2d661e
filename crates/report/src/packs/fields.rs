//! Whether records say what they should: who, what, when, how it ended; and whether clocks agree.

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named, Parameters};
use event::{Assurance, Part, types};
use std::collections::BTreeMap;

/// Clocks may be apart by so much when nothing else is said.
const OFFSET_MS: u64 = 60_000;

/// The fields that are asked for when none are named.
const FIELDS: [&str; 4] = ["agent", "time", "outcome", "origin"];

/// C-TIME-1: events reach the log near the time that they claim, and a producer's clock does not go
/// back.
pub(super) struct Clocks {
    max_offset_ms: u64,
    min_share: Option<f64>,
    /// Each producer's last time.
    last: BTreeMap<String, u64>,
    looked_at: u64,
    offending: Named,
}

impl Clocks {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self {
            max_offset_ms: parameters.max_offset_ms.unwrap_or(OFFSET_MS),
            min_share: parameters.min_share,
            last: BTreeMap::new(),
            looked_at: 0,
            offending: Named::default(),
        }
    }
}

impl Predicate for Clocks {
    fn offer(&mut self, item: &Item<'_>) {
        // What was read from a file says nothing about clocks.
        if item.is_log || item.event.assurance == Some(Assurance::Imported) {
            return;
        }
        let Some(time) = item.event.timestamp else { return };
        self.looked_at += 1;
        let (claimed, taken) = (time.milliseconds(), item.found.recorded_at_ms);
        let mut is_off = claimed.abs_diff(taken) > self.max_offset_ms;
        if let Some((producer, _)) = &item.facts.producer {
            let last = self.last.entry(producer.clone()).or_insert(claimed);
            is_off |= last.saturating_sub(claimed) > self.max_offset_ms;
            // A clock that was off for one event does not make those after it go back.
            if !is_off {
                *last = (*last).max(claimed);
            }
        }
        if is_off {
            self.offending.note(item);
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("no event was sent while it happened");
        }
        let what = "claim a time too far from that of the log, or from the producer's own";
        Assessed::by_share(self.offending, self.looked_at, self.min_share, what)
            .asking(format!("at most {} ms apart", self.max_offset_ms))
    }
}

/// C-ID-1: events have an authenticated caller, and what people decided has one always.
pub(super) struct Identity {
    min_share: f64,
    looked_at: u64,
    people: u64,
    without: Named,
    people_without: Named,
}

impl Identity {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self {
            min_share: parameters.min_share.unwrap_or(1.0),
            looked_at: 0,
            people: 0,
            without: Named::default(),
            people_without: Named::default(),
        }
    }
}

impl Predicate for Identity {
    fn offer(&mut self, item: &Item<'_>) {
        if !item.is_of_an_agent() {
            return;
        }
        self.looked_at += 1;
        let principal = item.event.principal.as_ref();
        let is_known = principal.is_some_and(|it| it.subject.is_some() && it.method.is_some());
        let is_of_people = item.is(types::HUMAN_INTERVENTION);
        self.people += u64::from(is_of_people);
        if !is_known && is_of_people && item.event.approver.is_none() {
            self.people_without.note(item);
        } else if !is_known {
            self.without.note(item);
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("no agent did anything");
        }
        let asked = format!(
            "{:.1} % of all events, and all of the {} by people, with caller and method",
            self.min_share * 100.0,
            self.people
        );
        if self.people_without.count > 0 {
            let what = "events by people name nobody";
            return Assessed::by(self.people_without, self.people, what).asking(asked);
        }
        let what = "have no authenticated caller";
        let share = Some(self.min_share);
        Assessed::by_share(self.without, self.looked_at, share, what).asking(asked)
    }
}

/// C-FLD-1: the fields that are asked for are there.
pub(super) struct Fields {
    fields: Vec<String>,
    min_share: Option<f64>,
    looked_at: u64,
    offending: Named,
    /// How often each is missing.
    missing: BTreeMap<String, u64>,
}

impl Fields {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let named = || FIELDS.map(str::to_owned).to_vec();
        Self {
            fields: parameters.fields.clone().unwrap_or_else(named),
            min_share: parameters.min_share,
            looked_at: 0,
            offending: Named::default(),
            missing: BTreeMap::new(),
        }
    }

    fn has(item: &Item<'_>, field: &str) -> bool {
        let event = item.event;
        let acts = matches!(item.kind(), types::TOOL_CALL | types::TOOL_RESULT);
        let is_begun = item.facts.phase == Some(event::Phase::Intent);
        match field {
            "agent" => event.agent_name.is_some() || event.agent_id.is_some(),
            "time" => event.timestamp.is_some(),
            "outcome" => {
                !acts
                    || is_begun
                    || event.outcome.is_some()
                    || event.content.get(Part::Result).is_some()
            }
            "origin" => {
                event.source.is_some() || event.producer.is_some() || event.principal.is_some()
            }
            "resource" => !acts || event.tool.is_some(),
            "model" => !item.is(types::LLM_RESPONSE) || item.facts.model.is_some(),
            "session" => event.session_id.is_some() || event.trace_id.is_some(),
            "principal" => event.principal.is_some(),
            other => event.text(other).is_some(),
        }
    }
}

impl Predicate for Fields {
    fn offer(&mut self, item: &Item<'_>) {
        if !item.is_of_an_agent() {
            return;
        }
        self.looked_at += 1;
        let missing: Vec<&String> =
            self.fields.iter().filter(|field| !Self::has(item, field)).collect();
        if !missing.is_empty() {
            self.offending.note(item);
        }
        for field in missing {
            *self.missing.entry(field.clone()).or_default() += 1;
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("no agent did anything");
        }
        let counts: Vec<String> =
            self.missing.iter().map(|(field, count)| format!("{field} {count}")).collect();
        let what = match counts.is_empty() {
            true => "lacks a field".to_owned(),
            false => format!("lack a field ({})", counts.join(", ")),
        };
        let asked = self.fields.join(", ");
        Assessed::by_share(self.offending, self.looked_at, self.min_share, &what).asking(asked)
    }
}
