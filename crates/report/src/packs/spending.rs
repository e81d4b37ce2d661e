//! `token_budget_compliance`: what agents used in a day.

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named, Parameters};
use std::collections::BTreeMap;

/// Days that are told apart.
const DAYS_MAX: usize = 40_000;

/// From this share of the budget on it is worth a look.
const WARN_SHARE: f64 = 0.8;

pub(super) struct Budget {
    tokens_per_day: Option<u64>,
    days: BTreeMap<u64, u64>,
    looked_at: u64,
    offending: Named,
}

impl Budget {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self {
            tokens_per_day: parameters.tokens_per_day,
            days: BTreeMap::new(),
            looked_at: 0,
            offending: Named::default(),
        }
    }
}

impl Predicate for Budget {
    fn offer(&mut self, item: &Item<'_>) {
        let (Some(tokens), Some(budget)) = (item.event.tokens, self.tokens_per_day) else { return };
        let sum = || tokens.input.unwrap_or(0).saturating_add(tokens.output.unwrap_or(0));
        self.looked_at += 1;
        let day = item.found.happened_at(item.event).day();
        if self.days.len() >= DAYS_MAX && !self.days.contains_key(&day) {
            return;
        }
        let used = self.days.entry(day).or_default();
        let before = *used;
        *used = used.saturating_add(tokens.total.unwrap_or_else(sum));
        // The event by which the budget was passed.
        if before <= budget && *used > budget {
            self.offending.note(item);
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        let Some(budget) = self.tokens_per_day else {
            return Assessed::nothing("no budget is set; set tokens_per_day in a pack of your own");
        };
        let Some((day, used)) = self.days.iter().max_by_key(|(_, used)| **used) else {
            return Assessed::nothing("no event says what it used");
        };
        let share = if budget == 0 { f64::INFINITY } else { *used as f64 / budget as f64 };
        let date = event::Timestamp::date_of_day(*day);
        let mut found = format!("{used} tokens on {date}, {:.0} % of the budget", share * 100.0);
        if (WARN_SHARE..=1.0).contains(&share) {
            found.push_str(": review recommended");
        }
        let mut it = Assessed::by(self.offending, self.looked_at, "events passed the budget");
        it.found = found;
        it.measured = Some(share);
        it.asking(format!("at most {budget} tokens in a day"))
    }
}
