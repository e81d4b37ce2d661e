//! The log's own life: starts and stops, silence, keys, and how long records stay.

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named, Parameters, Verdict};
use event::{Removal, Tier, types};

const DAY_MS: u64 = 86_400_000;

/// A log that runs is never silent for longer than this: it says `log.heartbeat`.
const GAP_S: u64 = 2 * 3_600;

/// C-INT-5: starts and stops are recorded, and a log that runs is never silent for long.
pub(super) struct Life {
    max_gap_ms: u64,
    has_begun: bool,
    is_running: bool,
    last_ms: Option<u64>,
    looked_at: u64,
    offending: Named,
}

impl Life {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self {
            max_gap_ms: parameters.max_gap_s.unwrap_or(GAP_S).saturating_mul(1_000),
            has_begun: false,
            is_running: false,
            last_ms: None,
            looked_at: 0,
            offending: Named::default(),
        }
    }
}

impl Predicate for Life {
    fn offer(&mut self, item: &Item<'_>) {
        let now_ms = item.found.recorded_at_ms;
        let kind = item.kind();
        self.looked_at += u64::from(item.is_log);
        let is_start = matches!(kind, "log.created" | "log.started" | "log.restored");
        // A start behind what did not stop: the process ended without saying so.
        let was_cut_off = kind == "log.started" && self.is_running;
        let silence_ms = self.last_ms.map_or(0, |last| now_ms.saturating_sub(last));
        let was_silent = self.is_running && silence_ms > self.max_gap_ms;
        if was_cut_off || was_silent {
            self.offending.note(item);
        }
        self.has_begun |= is_start;
        self.is_running = match kind {
            "log.created" | "log.stopped" => false,
            _ => self.is_running || is_start || !item.is_log,
        };
        self.last_ms = Some(now_ms);
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if !self.has_begun {
            return Assessed::nothing("no start of the log is among the records looked at");
        }
        let what = "of the log's own records show a stop that was not recorded, or a silence";
        Assessed::by(self.offending, self.looked_at, what).asking(format!(
            "every start behind a stop; at most {} s of silence",
            self.max_gap_ms / 1_000
        ))
    }
}

/// C-ENC-1: the log's keys are recorded, and the newest is not too old.
pub(super) struct Keys {
    max_days: u64,
    looked_at: u64,
    /// The newest record of a key: index and record time.
    newest: Option<(u64, u64)>,
}

impl Keys {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self { max_days: parameters.max_days.unwrap_or(366), looked_at: 0, newest: None }
    }
}

impl Predicate for Keys {
    fn offer(&mut self, item: &Item<'_>) {
        if item.is_log && matches!(item.kind(), "log.keys" | types::LOG_KEY_ROTATED) {
            self.looked_at += 1;
            self.newest = Some((item.index(), item.found.recorded_at_ms));
        }
    }

    fn finish(self: Box<Self>, end: &End<'_>) -> Assessed {
        if let Some(examined) = end.outside.examined.get("C-ENC-1").filter(|it| !it.holds) {
            return Assessed::failed(examined.found.clone(), self.looked_at);
        }
        let Some((index, time_ms)) = self.newest else {
            return Assessed::nothing("no record of the log's keys is among those looked at");
        };
        let days = end.to_ms.saturating_sub(time_ms) / DAY_MS;
        let mut offending = Named::default();
        if days > self.max_days {
            offending.add(index, None);
        }
        let mut it = Assessed::by(offending, self.looked_at, "newest key is too old");
        it.measured = Some(days as f64);
        it.asking(format!("a key of the last {} days", self.max_days))
    }
}

/// C-RET-1: records stay as long as they must, and no longer than they may.
pub(super) struct Retention {
    min_days: Option<u64>,
    max_days: Option<u64>,
    tiers: Vec<Tier>,
    looked_at: u64,
    removals: u64,
    early: Named,
    /// What would be too old at the end: the oldest record with content.
    oldest: Vec<(u64, u64, Option<String>)>,
    first_ms: Option<u64>,
}

/// Records that are kept to be named as too old.
const OLDEST_MAX: usize = super::SAMPLES_MAX;

impl Retention {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let named = parameters.tiers.iter().flatten();
        let tiers: Vec<Tier> = named.filter_map(|name| Tier::from_name(name)).collect();
        Self {
            min_days: parameters.min_days,
            max_days: parameters.max_days,
            tiers: if tiers.is_empty() { Tier::ALL.to_vec() } else { tiers },
            looked_at: 0,
            removals: 0,
            early: Named::default(),
            oldest: Vec::new(),
            first_ms: None,
        }
    }

    /// What the policy keeps for less than it must.
    fn short(&self, end: &End<'_>) -> Option<String> {
        let (days, min_days) = (end.outside.retention_days?, self.min_days?);
        let tier = self.tiers.iter().find(|tier| {
            days.get(usize::from(**tier as u8)).is_some_and(|days| *days < min_days)
        })?;
        let days = days.get(usize::from(*tier as u8)).copied().unwrap_or(0);
        Some(format!("the policy keeps the tier {} for {days} days", tier.as_str()))
    }

    fn too_old(&self, end: &End<'_>) -> Named {
        let mut named = Named::default();
        let Some(max_days) = self.max_days else { return named };
        let limit_ms = end.to_ms.saturating_sub(max_days.saturating_mul(DAY_MS));
        let old = self.oldest.iter().filter(|(_, time_ms, _)| *time_ms < limit_ms);
        old.for_each(|(index, _, id)| named.add(*index, id.as_deref()));
        named
    }
}

impl Predicate for Retention {
    fn offer(&mut self, item: &Item<'_>) {
        self.looked_at += 1;
        self.first_ms.get_or_insert(item.found.recorded_at_ms);
        if !item.is_log {
            let is_meant = self.tiers.contains(&item.found.tier);
            if is_meant && !item.event.content.is_empty() && self.oldest.len() < OLDEST_MAX {
                let id = item.id().map(str::to_owned);
                self.oldest.push((item.index(), item.found.recorded_at_ms, id));
            }
            return;
        }
        let Ok(Some(removal)) = Removal::from_stored(&item.found.meta, &item.found.content) else {
            return;
        };
        self.removals += 1;
        let today = item.found.recorded_at_ms / DAY_MS;
        let min_days = self.min_days.unwrap_or(0);
        let is_early = |class: &event::Removal| {
            class.classes.iter().any(|class| {
                self.tiers.contains(&class.tier) && today.saturating_sub(class.day) < min_days
            })
        };
        if is_early(&removal) {
            self.early.note(item);
        }
    }

    fn finish(self: Box<Self>, end: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("the log has no records");
        }
        let asked = match (self.min_days, self.max_days) {
            (Some(min), Some(max)) => format!("at least {min} and at most {max} days"),
            (Some(min), None) => format!("at least {min} days"),
            (None, Some(max)) => format!("at most {max} days"),
            (None, None) => "removals that are recorded".to_owned(),
        };
        let too_old = self.too_old(end);
        if self.early.count > 0 {
            let what = "removals took records before their time";
            return Assessed::by(self.early, self.removals, what).asking(asked);
        }
        if too_old.count > 0 {
            let what = "records stayed longer than they may, at least";
            return Assessed::by(too_old, self.looked_at, what).asking(asked);
        }
        if let Some(short) = self.short(end) {
            return Assessed::failed(short, self.looked_at).asking(asked);
        }
        let age_days = end.to_ms.saturating_sub(self.first_ms.unwrap_or(end.to_ms)) / DAY_MS;
        let is_shown = end.outside.retention_days.is_some() || self.min_days.is_none();
        let mut it = if is_shown || self.min_days.is_some_and(|days| age_days >= days) {
            Assessed::by(Named::default(), self.looked_at, "went too early or stayed too long")
        } else {
            Assessed::nothing("the log is younger, nothing went, and its policy is not known")
        };
        it.measured = Some(age_days as f64);
        if it.verdict == Verdict::Pass && self.removals > 0 {
            it.found = format!("{}; {} removals", it.found, self.removals);
        }
        it.asking(asked)
    }
}
