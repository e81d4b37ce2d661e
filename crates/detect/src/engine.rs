//! Rules at work: one event after the other, in the order of the log.

use crate::correlation::{Correlation, Of};
use crate::field::Field;
use crate::groups::Groups;
use crate::hit::{Hit, INDICES_MAX, shortened};
use crate::rule::{About, Kind, Rule};
use crate::set::RuleSet;
use crate::view::{Item, View};
use crate::window::{Reached, Step, Window};
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hasher as _;
use std::sync::Arc;

/// Incidents that go on, as they are kept over a restart.
const OPEN_MAX: usize = 5_000;

/// An incident that was told and goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The rule's id.
    pub rule: String,
    /// Which events it is about: a hash of what they have in common, in hexadecimal.
    pub group: String,
    /// Until when what happens belongs to it, Unix milliseconds.
    pub until_ms: u64,
}

/// Rules, and what they remember.
pub struct Engine {
    set: Arc<RuleSet>,
    /// Names the log, so that incidents of two logs have different names.
    origin: String,
    /// The rules about single events by the types that they need.
    routes: HashMap<String, Vec<usize>>,
    /// Those that may be about any.
    everywhere: Vec<usize>,
    abouts: Vec<Arc<About>>,
    groups: Vec<Groups>,
    matched: Vec<usize>,
}

impl Engine {
    /// Begins with nothing remembered.
    #[must_use]
    pub fn new(set: Arc<RuleSet>, origin: &str) -> Self {
        let (mut routes, mut everywhere) = (HashMap::<String, Vec<usize>>::new(), Vec::new());
        for (at, rule) in set.rules.iter().enumerate() {
            let Kind::Single(detection) = &rule.kind else { continue };
            let uses = set.uses.get(at);
            let is_used = uses
                .is_some_and(|it| it.is_told || !it.steps.is_empty() || !it.takes_back.is_empty());
            match detection.event_types() {
                _ if !is_used => {}
                None => everywhere.push(at),
                Some(mut types) => {
                    types.sort_unstable();
                    types.dedup();
                    types.into_iter().for_each(|name| routes.entry(name).or_default().push(at));
                }
            }
        }
        let groups = |rule: &Rule| match &rule.kind {
            Kind::Single(_) => Groups::default(),
            Kind::Together(it) => Groups::new(Window::units(&it.of, it.rules.len())),
        };
        Self {
            origin: origin.to_owned(),
            groups: set.rules.iter().map(groups).collect(),
            abouts: set.rules.iter().map(|rule| Arc::new(rule.about.clone())).collect(),
            routes,
            everywhere,
            matched: Vec::new(),
            set,
        }
    }

    /// Takes the next event, and adds what its rules found to `hits`. Alerts that the server wrote
    /// are passed over: a rule that finds its own alert would find it for ever. Whether it is one.
    pub fn offer(&mut self, item: &Item<'_>, hits: &mut Vec<Hit>) -> bool {
        let view = View::new(*item);
        if view.is_alert() {
            return true;
        }
        let set = Arc::clone(&self.set);
        let mut matched = std::mem::take(&mut self.matched);
        matched.clear();
        let event_type = view.event_type();
        let lower = match event_type.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(event_type.to_ascii_lowercase()),
            false => Cow::Borrowed(event_type),
        };
        let routed = self.routes.get(&*lower).map(Vec::as_slice).unwrap_or_default();
        for at in routed.iter().chain(&self.everywhere) {
            if let Some(Rule { kind: Kind::Single(detection), .. }) = set.rules.get(*at)
                && detection.is_met(&view)
            {
                matched.push(*at);
            }
        }
        // What takes back comes first: an approval that comes with the act is one.
        for correlation in
            matched.iter().filter_map(|at| set.uses.get(*at)).flat_map(|it| &it.takes_back)
        {
            self.take_back(&set, *correlation, &view);
        }
        for at in &matched {
            let (Some(uses), Some(rule)) = (set.uses.get(*at), set.rules.get(*at)) else {
                continue;
            };
            if uses.is_told {
                hits.push(self.single(*at, rule, &view));
            }
            for (correlation, step) in &uses.steps {
                hits.extend(self.step(&set, *correlation, *step, &view));
            }
        }
        self.matched = matched;
        false
    }

    /// The incidents that go on at `now_ms`, to be kept: at most some thousands, the longest first.
    #[must_use]
    pub fn open(&self, now_ms: u64) -> Vec<Open> {
        let rules = self.groups.iter().zip(&self.abouts);
        let all = rules.flat_map(|(groups, about)| {
            let open = |(group, until_ms)| Open {
                rule: about.id.clone(),
                group: format!("{group:032x}"),
                until_ms,
            };
            groups.open().filter(|(_, until)| *until >= now_ms).map(open).collect::<Vec<_>>()
        });
        let mut all: Vec<Open> = all.collect();
        all.sort_by(|one, other| {
            other.until_ms.cmp(&one.until_ms).then_with(|| one.group.cmp(&other.group))
        });
        all.truncate(OPEN_MAX);
        all
    }

    /// Goes on with the incidents that were kept, and with no others: what was told when the events
    /// before were looked at again was told already.
    pub fn reopen(&mut self, open: &[Open]) {
        let set = Arc::clone(&self.set);
        for (groups, rule) in self.groups.iter_mut().zip(&set.rules) {
            groups.close_all();
            let Kind::Together(correlation) = &rule.kind else { continue };
            for one in open.iter().filter(|one| one.rule == rule.about.id) {
                if let Ok(key) = u128::from_str_radix(&one.group, 16) {
                    let group = groups.touch(key, || window(correlation));
                    group.open_until_ms = Some(one.until_ms);
                }
            }
        }
    }

    fn single(&self, at: usize, rule: &Rule, view: &View<'_>) -> Hit {
        let why = match &rule.kind {
            Kind::Single(detection) => detection.why(view),
            Kind::Together(_) => String::new(),
        };
        self.hit(at, 0, view, vec![view.item.index], Vec::new(), why)
    }

    fn take_back(&mut self, set: &RuleSet, at: usize, view: &View<'_>) {
        let Some((correlation, groups)) = together(set, &mut self.groups, at) else { return };
        if let Some(key) = group_key(&correlation.group_by, view)
            && let Some(group) = groups.get(key)
        {
            group.window.clear();
        }
    }

    /// One more event of a correlation.
    fn step(&mut self, set: &RuleSet, at: usize, rule: usize, view: &View<'_>) -> Option<Hit> {
        let (correlation, groups) = together(set, &mut self.groups, at)?;
        let key = group_key(&correlation.group_by, view)?;
        let (value, number) = value_of(&correlation.of, view)?;
        let (time_ms, index) = (view.time_ms(), view.item.index);
        let group = groups.touch(key, || window(correlation));
        let step = Step { time_ms, index, rule, value, number };
        let reached = reached(&mut group.window, step, correlation)?;
        let until_ms = time_ms.saturating_add(correlation.timespan_ms);
        let goes_on = group.open_until_ms.is_some_and(|open| time_ms <= open);
        group.open_until_ms = Some(group.open_until_ms.unwrap_or_default().max(until_ms));
        // A value that was never seen is news, even while another one is.
        if goes_on && !matches!(correlation.of, Of::NewValue(..)) {
            return None;
        }
        let shown = correlation.group_by.iter().map(|field| shown(field, view)).collect();
        let why = why(correlation, &reached, view);
        Some(self.hit(at, key, view, reached.indices, shown, why))
    }

    fn hit(
        &self,
        at: usize,
        key: u128,
        view: &View<'_>,
        mut events: Vec<u64>,
        group: Vec<(String, String)>,
        why: String,
    ) -> Hit {
        let rule = self.abouts.get(at).map_or_else(|| Arc::new(unknown()), Arc::clone);
        let index = view.item.index;
        let parts: [&[u8]; 4] =
            [self.origin.as_bytes(), rule.id.as_bytes(), &key.to_be_bytes(), &index.to_be_bytes()];
        let incident = event::id::derive("tachograph-detect", &parts);
        events.sort_unstable();
        events.drain(..events.len().saturating_sub(INDICES_MAX));
        let event_id = crate::raw::decoded(&format!("\"{}\"", view.event_id())).into_owned();
        Hit { rule, incident, index, event_id, time_ms: view.time_ms(), events, group, why }
    }
}

/// Only to be total: every place has a rule.
fn unknown() -> About {
    About {
        name: String::new(),
        id: String::new(),
        title: String::new(),
        description: String::new(),
        level: crate::rule::Level::Medium,
        tags: Vec::new(),
        needs: String::new(),
        falsepositives: Vec::new(),
        is_correlation: false,
    }
}

fn together<'s>(
    set: &'s RuleSet,
    groups: &'s mut [Groups],
    at: usize,
) -> Option<(&'s Correlation, &'s mut Groups)> {
    match &set.rules.get(at)?.kind {
        Kind::Together(correlation) => Some((correlation, groups.get_mut(at)?)),
        Kind::Single(_) => None,
    }
}

fn window(correlation: &Correlation) -> Window {
    match correlation.of {
        Of::EventCount(_) => Window::Count(VecDeque::new()),
        Of::ValueCount(..) => Window::Distinct(Vec::new()),
        Of::ValueSum(..) => Window::Sum(VecDeque::new()),
        Of::Temporal | Of::TemporalOrdered => Window::Steps(vec![None; correlation.rules.len()]),
        Of::NewValue(..) => Window::Known { values: Vec::new(), seen: 0 },
    }
}

fn reached(window: &mut Window, step: Step, correlation: &Correlation) -> Option<Reached> {
    let span_ms = correlation.timespan_ms;
    match (&correlation.of, window) {
        (Of::EventCount(count), Window::Count(times)) => {
            Window::count(times, step, span_ms, *count)
        }
        (Of::ValueCount(_, count), Window::Distinct(seen)) => {
            Window::distinct(seen, step, span_ms, *count)
        }
        (Of::ValueSum(_, sum), Window::Sum(parts)) => Window::sum(parts, step, span_ms, *sum),
        (Of::Temporal, Window::Steps(steps)) => Window::temporal(steps, step, span_ms),
        (Of::TemporalOrdered, Window::Steps(steps)) => Window::ordered(steps, step, span_ms),
        (Of::NewValue(_, count), Window::Known { values, seen }) => {
            Window::new_value(values, seen, step, *count)
        }
        _ => None,
    }
}

/// A key that anybody may know: it only spreads, and 128 bits are too many to look for two values
/// with the same.
fn hasher() -> SipHasher13 {
    SipHasher13::new_with_keys(0x7461_6368_6f67_7261, 0x7068_2f64_6574_6563)
}

/// The hash of what an event has in common with others; `None` when it lacks a field, and then it
/// belongs to no group.
fn group_key(fields: &[Field], view: &View<'_>) -> Option<u128> {
    let mut hash = hasher();
    for field in fields {
        let value = field.first(view)?;
        hash.write_u64(value.len() as u64);
        hash.write(value.as_bytes());
    }
    Some(hash.finish128().as_u128())
}

/// The hash of the value that is looked at, and its number; `None` when the event has none.
fn value_of(of: &Of, view: &View<'_>) -> Option<(u64, f64)> {
    match of {
        Of::EventCount(_) | Of::Temporal | Of::TemporalOrdered => Some((0, 0.0)),
        Of::ValueCount(field, _) | Of::NewValue(field, _) => {
            let mut hash = hasher();
            hash.write(field.first(view)?.as_bytes());
            Some((hash.finish128().h1, 0.0))
        }
        Of::ValueSum(field, _) => {
            let number: f64 = field.first(view)?.parse().ok()?;
            (number.is_finite() && number > 0.0).then_some((0, number))
        }
    }
}

fn shown(field: &Field, view: &View<'_>) -> (String, String) {
    let value = match field.is_content() {
        true => "(content)".into(),
        false => field.first(view).unwrap_or_default(),
    };
    let value: String = value.chars().take(200).collect();
    (field.name.clone(), value)
}

/// What happened, in a sentence.
fn why(correlation: &Correlation, reached: &Reached, view: &View<'_>) -> String {
    let names: Vec<&str> = correlation.rules.iter().map(|(name, _)| name.as_str()).collect();
    let (names, span) = (names.join(", "), &correlation.timespan);
    let amount = reached.amount;
    match &correlation.of {
        Of::EventCount(_) => format!("{amount} events ({names}) within {span}"),
        Of::ValueCount(field, _) => {
            format!("{amount} different {} ({names}) within {span}", field.name)
        }
        Of::ValueSum(field, wanted) => {
            let name = &field.name;
            format!("{name} adds up to {amount:.2} ({names}) within {span}; {wanted} is the limit")
        }
        Of::Temporal => format!("{names} within {span}"),
        Of::TemporalOrdered => format!("{}, within {span}", names.replace(", ", ", then ")),
        Of::NewValue(field, _) => {
            let value = match field.is_content() {
                true => "a value".to_owned(),
                false => shortened(&field.first(view).unwrap_or_default()),
            };
            format!(
                "{} is {value}, which was in none of {amount} events before ({names})",
                field.name
            )
        }
    }
}
