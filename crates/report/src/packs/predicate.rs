//! The library of predicates: what can be asked of a log, and how each answers.

use super::{Assessed, Control, Named, Outside, Parameters, Verdict};
use super::{access, capture, changes, fields, life, oversight, privacy, spending, witnesses};
use crate::forensics::facts::Facts;
use event::{Event, Kind, types};
use query::{Found, Status};

/// Something that is asked of every record.
pub(super) trait Predicate {
    /// Looks at a record.
    fn offer(&mut self, item: &Item<'_>);

    /// Answers.
    fn finish(self: Box<Self>, end: &End<'_>) -> Assessed;
}

/// What is known at the end.
pub(super) struct End<'o> {
    pub(super) outside: &'o Outside,
    /// Record time of the last record.
    pub(super) to_ms: u64,
    /// The first record that witnesses have not seen, and its record time.
    pub(super) unseen: Option<(u64, u64)>,
}

/// One record, read once for all predicates.
pub(super) struct Item<'i> {
    pub(super) found: &'i Found<'i>,
    pub(super) event: &'i Event<'i>,
    pub(super) facts: Facts,
    pub(super) status: Status,
    /// Written by the log itself.
    pub(super) is_log: bool,
}

impl<'i> Item<'i> {
    pub(super) fn new(found: &'i Found<'i>, event: &'i Event<'i>) -> Self {
        let is_log = found.kind == Kind::Log || event.event_type.starts_with(types::LOG_PREFIX);
        let (facts, status) = (Facts::of(found, event), Status::of(event));
        Self { found, event, facts, status, is_log }
    }

    pub(super) fn index(&self) -> u64 {
        self.found.index
    }

    pub(super) fn kind(&self) -> &str {
        &self.event.event_type
    }

    pub(super) fn is(&self, event_type: &str) -> bool {
        self.event.event_type == event_type
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.event.event_id.as_deref()
    }

    /// Something that an agent did.
    pub(super) fn is_of_an_agent(&self) -> bool {
        !self.is_log && self.kind().starts_with("agent.")
    }

    /// A text or number among parameters and attributes.
    pub(super) fn said(&self, name: &str) -> Option<String> {
        let in_params = || {
            let params = self.event.content.get(event::Part::Params)?.to_value();
            params.get(name).map(plain)
        };
        self.event.content.attribute(name).map(|json| plain(&json.to_value())).or_else(in_params)
    }

    /// The trace, else the session, that it belongs to.
    pub(super) fn trace(&self) -> String {
        let trace = self.event.trace_id.as_deref().or(self.event.session_id.as_deref());
        trace.unwrap_or_default().to_owned()
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Named {
    pub(super) fn note(&mut self, item: &Item<'_>) {
        self.add(item.index(), item.id());
    }
}

impl Assessed {
    pub(super) fn manual(question: Option<&str>) -> Self {
        Self::of(Verdict::Manual, question.unwrap_or("only people can answer").to_owned(), 0)
    }

    pub(super) fn of(verdict: Verdict, found: String, looked_at: u64) -> Self {
        let offending = Named::default();
        Self { verdict, found, threshold: None, measured: None, looked_at, offending }
    }

    /// Nothing of the kind is in the records.
    pub(super) fn nothing(found: &str) -> Self {
        Self::of(Verdict::NotAssessable, found.to_owned(), 0)
    }

    /// Failed without an event that could be named.
    pub(super) fn failed(found: impl Into<String>, looked_at: u64) -> Self {
        Self::of(Verdict::Fail, found.into(), looked_at)
    }

    /// Failed when an event offends, passed otherwise.
    pub(super) fn by(offending: Named, looked_at: u64, what: &str) -> Self {
        let count = offending.count;
        let (verdict, found) = match count {
            0 => (Verdict::Pass, format!("{looked_at} looked at; none {what}")),
            _ => (Verdict::Fail, format!("{count} of {looked_at} {what}")),
        };
        Self { offending, ..Self::of(verdict, found, looked_at) }
    }

    /// The same, but a share may offend.
    pub(super) fn by_share(
        offending: Named,
        looked_at: u64,
        min_share: Option<f64>,
        what: &str,
    ) -> Self {
        let min_share = min_share.unwrap_or(1.0);
        let good = looked_at.saturating_sub(offending.count);
        let share = if looked_at == 0 { 1.0 } else { good as f64 / looked_at as f64 };
        let mut it = Self::by(offending, looked_at, what);
        if share >= min_share {
            it.verdict = Verdict::Pass;
        }
        it.measured = Some(share);
        it.asking(format!("at least {:.1} % as asked for", min_share * 100.0))
    }

    /// The same, saying what was asked for.
    pub(super) fn asking(self, threshold: impl Into<String>) -> Self {
        Self { threshold: Some(threshold.into()), ..self }
    }
}

/// What is examined elsewhere: the caller says how it went.
struct ByExamination {
    name: &'static str,
    how: &'static str,
}

impl Predicate for ByExamination {
    fn offer(&mut self, _: &Item<'_>) {}

    fn finish(self: Box<Self>, end: &End<'_>) -> Assessed {
        let Some(examined) = end.outside.examined.get(self.name) else {
            return Assessed::nothing(self.how);
        };
        let mut offending = Named::default();
        examined.events.iter().for_each(|index| offending.add(*index, None));
        let verdict = if examined.holds { Verdict::Pass } else { Verdict::Fail };
        Assessed { offending, ..Assessed::of(verdict, examined.found.clone(), 0) }
    }
}

fn examined(name: &'static str, how: &'static str) -> Box<dyn Predicate> {
    Box::new(ByExamination { name, how })
}

type Make = fn(&Parameters) -> Box<dyn Predicate>;

/// Every predicate: its name, what it takes, how it begins.
const LIBRARY: &[(&str, &[&str], Make)] = &[
    ("C-INT-1", &[], |_| examined("C-INT-1", "the log was not verified; add --verify")),
    ("C-INT-2", &["max_minutes"], |it| Box::new(witnesses::Witnesses::new(it))),
    ("C-INT-3", &[], |_| Box::new(capture::Sequences::default())),
    ("C-INT-4", &["min_share"], |it| Box::new(capture::Calls::new(it, capture::Asked::Outcome))),
    ("C-INT-5", &["max_gap_s"], |it| Box::new(life::Life::new(it))),
    ("C-TIME-1", &["max_offset_ms", "min_share"], |it| Box::new(fields::Clocks::new(it))),
    ("C-ID-1", &["min_share"], |it| Box::new(fields::Identity::new(it))),
    ("C-FLD-1", &["fields", "min_share"], |it| Box::new(fields::Fields::new(it))),
    ("C-OVR-1", &["tools", "tags"], |it| Box::new(oversight::Approvals::strict(it))),
    ("C-OVR-2", &[], |_| Box::new(oversight::Stops::default())),
    ("C-DENY-1", &[], |_| Box::new(oversight::Denials::default())),
    ("C-RET-1", &["min_days", "max_days", "tiers"], |it| Box::new(life::Retention::new(it))),
    ("C-RET-2", &[], |_| examined("C-RET-2", "how fast old records are read was not measured")),
    ("C-ACC-1", &[], |_| Box::new(access::Access::default())),
    ("C-ACC-2", &[], |_| examined("C-ACC-2", "who may do what was not examined")),
    ("C-PRIV-1", &["detect", "max_days"], |it| Box::new(privacy::Privacy::new(it))),
    ("C-REV-1", &["every_days"], |it| Box::new(changes::Reviews::new(it))),
    ("C-INC-1", &[], |_| Box::new(changes::Incidents::default())),
    ("C-EXP-1", &["every_days"], |it| Box::new(changes::Exports::new(it))),
    ("C-ENC-1", &["max_days"], |it| Box::new(life::Keys::new(it))),
    ("C-CHG-1", &[], |_| Box::new(changes::Changes::default())),
    ("C-ANOM-1", &["every_days"], |it| Box::new(changes::Anomalies::new(it))),
    ("C-REA-1", &["min_share"], |it| Box::new(oversight::Reasons::new(it))),
    ("human_escalation_rate", &["max_share"], |it| Box::new(oversight::Escalations::new(it))),
    ("tool_approval_rate", &["tools", "tags", "min_share"], |it| {
        Box::new(oversight::Approvals::rate(it))
    }),
    ("data_access_audit", &["min_share"], |it| {
        Box::new(capture::Calls::new(it, capture::Asked::Access))
    }),
    ("token_budget_compliance", &["tokens_per_day"], |it| Box::new(spending::Budget::new(it))),
];

/// The names of all predicates.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    LIBRARY.iter().map(|(name, _, _)| *name)
}

/// The parameters that a predicate takes; `None` when there is no such predicate.
pub(super) fn takes(name: &str) -> Option<&'static [&'static str]> {
    LIBRARY.iter().find(|(known, _, _)| *known == name).map(|(_, takes, _)| *takes)
}

/// The predicate of a control; `None` for a manual one.
pub(super) fn of(control: &Control) -> Option<Box<dyn Predicate>> {
    let (_, _, make) = LIBRARY.iter().find(|(known, _, _)| *known == control.predicate)?;
    Some(make(&control.parameters))
}
