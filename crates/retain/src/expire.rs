//! Expiry: records whose days are over go, a segment at a time.

use crate::hold::{shown, statement, still_held};
use crate::policy::Policy;
use crate::scan::{self, Ranges};
use crate::select::Picker;
use crate::{Hold, RetainError, holds, holds_seen};
use event::{Cause, Kind, Principal, REMOVAL_RANGES_MAX, Removal, Scope, Tier, Timestamp};
use seal::{Consequence, REMOVALS_AT_ONCE_MAX, Settled, Writer};
use segment::{Manifest, Row, Value};
use std::collections::{BTreeMap, VecDeque};

/// What would go, and when.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When it was made, in Unix milliseconds.
    pub now_ms: u64,
    /// The record time of the newest record that was looked at.
    pub newest_ms: u64,
    /// Tiers and days, the next to go first.
    pub classes: Vec<Due>,
}

/// The records of one tier and day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Their tier.
    pub tier: Tier,
    /// Their day, counted from 1970-01-01.
    pub day: u64,
    /// When all of them may have gone, in Unix milliseconds.
    pub due_ms: u64,
    /// How many there are.
    pub records: u64,
    /// Bytes of the segments that hold them; of records that no segment has yet, the bytes that
    /// were sealed.
    pub bytes: u64,
    /// Of those that are due now: how many go.
    pub going: u64,
    /// Of those that are due now: how many a hold keeps.
    pub held: u64,
    /// Of those that are due now: how many are the log's own and stay.
    pub own: u64,
}

/// What expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// The index of the first record that authorised it; `None` when nothing was due.
    pub authority: Option<u64>,
    /// How many records went.
    pub records: u64,
    /// How many stayed because of a hold.
    pub held: u64,
}

/// Says what would go, and when: of what lies in segments, and of `tail`, the records that no
/// segment has yet, in ascending order of index. Nothing is written.
///
/// # Errors
/// [`RetainError::Ledger`], [`RetainError::Seal`].
pub fn plan(
    settled: &Settled,
    tail: &[&Row],
    policy: &Policy,
    now_ms: u64,
) -> Result<Plan, RetainError> {
    let holds = holds_seen(settled, tail)?;
    let (mut plan, _) = look(settled, policy, &holds, now_ms)?;
    plan.add(tail, policy, &holds);
    Ok(plan)
}

/// Removes what is due: says so in the log first.
///
/// # Errors
/// As [`plan()`]; what was announced before is carried out at the next start.
pub fn expire(
    writer: &mut Writer,
    policy: &Policy,
    now_ms: u64,
    by: &Principal<'static>,
) -> Result<Expired, RetainError> {
    writer.settle_tail()?;
    let mut expiring = Expiring::find(&writer.settled(), policy, now_ms)?;
    while expiring.announce(writer, by)? {
        writer.carry_out()?;
    }
    Ok(expiring.expired)
}

/// What expires, looked up and announced step by step.
pub struct Expiring {
    plan: Plan,
    policy: Policy,
    removals: VecDeque<Removal>,
    /// The holds that it was judged by, as the ledger showed them.
    holds: BTreeMap<String, u64>,
    expired: Expired,
}

impl Expiring {
    /// Looks for what is due, in segments. Everything that was sealed must lie there, as
    /// [`holds`](crate::holds) demands.
    ///
    /// # Errors
    /// As [`plan()`].
    pub fn find(settled: &Settled, policy: &Policy, now_ms: u64) -> Result<Self, RetainError> {
        Self::find_under(settled, &holds(settled)?, policy, now_ms)
    }

    /// The same by holds that are known; for a plan, of which nothing is announced.
    ///
    /// # Errors
    /// As [`plan()`].
    pub fn find_under(
        settled: &Settled,
        holds: &[Hold],
        policy: &Policy,
        now_ms: u64,
    ) -> Result<Self, RetainError> {
        let (plan, ranges) = look(settled, policy, holds, now_ms)?;
        let records = plan.classes.iter().map(|class| class.going).sum();
        let held = plan.classes.iter().map(|class| class.held).sum();
        let removal = |class| Removal {
            cause: Cause::Expiry,
            scope: Scope::Record,
            authority: 0,
            classes: vec![class],
            files: Vec::new(),
        };
        let removals = ranges.into_classes(REMOVAL_RANGES_MAX).into_iter().map(removal).collect();
        let expired = Expired { authority: None, records, held };
        let holds = shown(settled.catalogue());
        Ok(Self { plan, policy: *policy, removals, holds, expired })
    }

    /// What goes, and what will.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was announced when [`announce`](Self::announce) says that nothing is left.
    #[must_use]
    pub fn expired(&self) -> Expired {
        self.expired
    }

    /// Says in the log that the next records go; `false` when there are no more. They must be gone
    /// before this is called again.
    ///
    /// # Errors
    /// [`RetainError::HoldsChanged`]; [`RetainError::Seal`].
    pub fn announce(
        &mut self,
        writer: &mut Writer,
        by: &Principal<'static>,
    ) -> Result<bool, RetainError> {
        if self.removals.is_empty() {
            return Ok(false);
        }
        still_held(writer, &self.holds)?;
        let now = Timestamp::from_milliseconds(self.plan.now_ms).to_string();
        let Expired { records, held, .. } = self.expired;
        let details = serde_json::json!({
            "policy": self.policy.to_json(), "clock": now, "records": records, "held": held,
        });
        let count = self.removals.len().min(REMOVALS_AT_ONCE_MAX);
        let acts = self.removals.drain(..count).map(Consequence::Remove).collect();
        let authority = writer.resolve(statement("log.retention", &details, by), acts)?;
        self.expired.authority.get_or_insert(authority);
        Ok(true)
    }
}

impl Due {
    /// A class of which no record was met yet.
    fn none(tier: Tier, day: u64, due_ms: u64) -> Self {
        Self { tier, day, due_ms, records: 0, bytes: 0, going: 0, held: 0, own: 0 }
    }
}

impl Plan {
    /// Adds records that no segment has yet. They are judged as the segment of their tier and day
    /// will be that they become.
    fn add(&mut self, tail: &[&Row], policy: &Policy, holds: &[Hold]) {
        let mut coming: BTreeMap<(Tier, u64), Vec<&Row>> = BTreeMap::new();
        for row in tail {
            let day = Timestamp::from_milliseconds(row.time_ms).day();
            coming.entry((row.tier, day)).or_default().push(row);
        }
        for ((tier, day), rows) in coming {
            let newest = rows.iter().map(|row| row.time_ms).max().unwrap_or_default();
            self.newest_ms = self.newest_ms.max(newest);
            let due_ms = policy.due_ms(tier, newest);
            let known = self.classes.iter().position(|it| (it.tier, it.day) == (tier, day));
            let at = known.unwrap_or(self.classes.len());
            if known.is_none() {
                self.classes.push(Due::none(tier, day, due_ms));
            }
            let Some(class) = self.classes.get_mut(at) else { continue };
            class.due_ms = class.due_ms.max(due_ms);
            class.records += rows.len() as u64;
            let bytes = |row: &&Row| (row.meta.len() + row.content.bytes().len()) as u64;
            class.bytes += rows.iter().map(bytes).sum::<u64>();
            if due_ms > self.now_ms {
                continue;
            }
            for row in rows {
                if row.kind == Kind::Log {
                    class.own += 1;
                } else if holds.iter().any(|hold| hold.selector.matches(row)) {
                    class.held += 1;
                } else {
                    class.going += 1;
                }
            }
        }
        self.sort();
    }

    /// The next to go first.
    fn sort(&mut self) {
        self.classes.sort_by_key(|class| (class.due_ms, class.tier, class.day));
    }

    /// The plan as programs are told.
    #[must_use]
    pub fn to_json(&self, policy: &Policy) -> serde_json::Value {
        let time = |ms: u64| Timestamp::from_milliseconds(ms).to_string();
        let class = |class: &Due| {
            serde_json::json!({
                "tier": class.tier.as_str(), "date": Timestamp::date_of_day(class.day),
                "due": time(class.due_ms), "is_due": class.due_ms <= self.now_ms,
                "records": class.records, "bytes": class.bytes, "going": class.going,
                "held": class.held, "own": class.own,
            })
        };
        serde_json::json!({
            "clock": time(self.now_ms), "newest_record": time(self.newest_ms),
            "policy": policy.to_json(),
            "classes": self.classes.iter().map(class).collect::<Vec<_>>(),
        })
    }

    /// How many records go when it is applied.
    #[must_use]
    pub fn going(&self) -> u64 {
        self.classes.iter().map(|class| class.going).sum()
    }
}

impl Expired {
    /// What went, as programs are told.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "records": self.records, "held": self.held, "record": self.authority,
        })
    }
}

/// Looks at every segment: what is due, and which indexes go.
fn look(
    settled: &Settled,
    policy: &Policy,
    holds: &[Hold],
    now_ms: u64,
) -> Result<(Plan, Ranges), RetainError> {
    let mut ranges = Ranges::default();
    let mut classes: BTreeMap<(Tier, u64), Due> = BTreeMap::new();
    let mut newest_ms = 0;
    for manifest in settled.catalogue().current() {
        let Manifest { tier, day, rows, bytes, .. } = *manifest;
        let newest = scan::newest_ms(settled, manifest)?;
        newest_ms = newest_ms.max(newest);
        let due_ms = policy.due_ms(tier, newest);
        let class = classes.entry((tier, day)).or_insert(Due::none(tier, day, due_ms));
        class.due_ms = class.due_ms.max(due_ms);
        class.records += rows;
        class.bytes += bytes;
        if due_ms <= now_ms {
            take(settled, manifest, holds, class, &mut ranges)?;
        }
    }
    let mut plan = Plan { now_ms, newest_ms, classes: classes.into_values().collect() };
    plan.sort();
    Ok((plan, ranges))
}

/// Adds what goes of a segment that is due.
fn take(
    settled: &Settled,
    manifest: &Manifest,
    holds: &[Hold],
    class: &mut Due,
    ranges: &mut Ranges,
) -> Result<(), RetainError> {
    let key = (manifest.tier, manifest.day);
    // Without holds only the tier with the log's own records has any that stay.
    if holds.is_empty() && manifest.tier != Tier::Critical {
        class.going += manifest.rows;
        ranges.add(key, manifest.first, manifest.last);
        return Ok(());
    }
    let mut stays: Vec<u64> = Vec::new();
    let mut judge = |row: Row| {
        if row.kind == Kind::Log {
            class.own += 1;
            stays.push(row.index);
        } else if holds.iter().any(|hold| hold.selector.matches(&row)) {
            class.held += 1;
            stays.push(row.index);
        }
    };
    if manifest.tier == Tier::Critical {
        scan::rows(settled, manifest, &mut judge)?;
    } else {
        let picker = Picker::new(holds.iter().map(|hold| &hold.selector));
        let may = |row: &[Value<'_>]| picker.may_match(row);
        scan::rows_where(settled, manifest, picker.columns(), &may, &mut judge)?;
    }
    let going = manifest.rows.saturating_sub(stays.len() as u64);
    class.going += going;
    if going == 0 {
        return Ok(());
    }
    let mut next = manifest.first;
    for index in stays {
        if index > next {
            ranges.add(key, next, index - 1);
        }
        next = index.saturating_add(1);
    }
    if next <= manifest.last {
        ranges.add(key, next, manifest.last);
    }
    Ok(())
}
