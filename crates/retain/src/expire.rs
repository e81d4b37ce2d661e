//! Expiry: records whose days are over go, a segment at a time.

use crate::hold::statement;
use crate::policy::Policy;
use crate::scan::{self, Ranges};
use crate::select::Picker;
use crate::{Hold, RetainError, holds};
use event::{Cause, Kind, Principal, REMOVAL_RANGES_MAX, Removal, Scope, Tier, Timestamp};
use seal::{Consequence, Writer};
use segment::{Manifest, Row, Value};
use std::collections::BTreeMap;

/// Removals announced in one group at most.
const REMOVALS_MAX: usize = 256;

/// What would go, and when.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When it was made, in Unix milliseconds.
    pub now_ms: u64,
    /// The record time of the newest record in segments.
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
    /// Bytes of the segments that hold them.
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

/// Says what would go, and when.
///
/// # Errors
/// [`RetainError::Ledger`], [`RetainError::Seal`].
pub fn plan(writer: &mut Writer, policy: &Policy, now_ms: u64) -> Result<Plan, RetainError> {
    writer.settle_tail()?;
    let holds = holds(writer)?;
    Ok(look(writer, policy, &holds, now_ms)?.0)
}

/// Removes what is due: says so in the log first.
///
/// # Errors
/// As [`plan`]; what was announced before is carried out at the next start.
pub fn expire(
    writer: &mut Writer,
    policy: &Policy,
    now_ms: u64,
    by: &Principal<'static>,
) -> Result<Expired, RetainError> {
    writer.settle_tail()?;
    let holds = holds(writer)?;
    let (plan, ranges) = look(writer, policy, &holds, now_ms)?;
    let records = plan.classes.iter().map(|class| class.going).sum();
    let held = plan.classes.iter().map(|class| class.held).sum();
    let mut expired = Expired { authority: None, records, held };
    if records == 0 {
        return Ok(expired);
    }
    let removal = |class| Removal {
        cause: Cause::Expiry,
        scope: Scope::Record,
        authority: 0,
        classes: vec![class],
        files: Vec::new(),
    };
    let removals: Vec<Removal> =
        ranges.into_classes(REMOVAL_RANGES_MAX).into_iter().map(removal).collect();
    for removals in removals.chunks(REMOVALS_MAX) {
        let now = Timestamp::from_milliseconds(now_ms).to_string();
        let details = serde_json::json!({
            "policy": policy.to_json(), "clock": now, "records": records, "held": held,
        });
        let acts = removals.iter().cloned().map(Consequence::Remove).collect();
        let authority = writer.decide(statement("log.retention", &details, by), acts)?;
        expired.authority.get_or_insert(authority);
    }
    Ok(expired)
}

/// Looks at every segment: what is due, and which indexes go.
fn look(
    writer: &Writer,
    policy: &Policy,
    holds: &[Hold],
    now_ms: u64,
) -> Result<(Plan, Ranges), RetainError> {
    let mut ranges = Ranges::default();
    let mut classes: BTreeMap<(Tier, u64), Due> = BTreeMap::new();
    let mut newest_ms = 0;
    for manifest in writer.catalogue().current() {
        let Manifest { tier, day, rows, bytes, .. } = *manifest;
        let newest = scan::newest_ms(writer, manifest)?;
        newest_ms = newest_ms.max(newest);
        let due_ms = policy.due_ms(tier, newest);
        let none = Due { tier, day, due_ms, records: 0, bytes: 0, going: 0, held: 0, own: 0 };
        let class = classes.entry((tier, day)).or_insert(none);
        class.due_ms = class.due_ms.max(due_ms);
        class.records += rows;
        class.bytes += bytes;
        if due_ms <= now_ms {
            take(writer, manifest, holds, class, &mut ranges)?;
        }
    }
    let mut classes: Vec<Due> = classes.into_values().collect();
    classes.sort_by_key(|class| (class.due_ms, class.tier, class.day));
    Ok((Plan { now_ms, newest_ms, classes }, ranges))
}

/// Adds what goes of a segment that is due.
fn take(
    writer: &Writer,
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
        scan::rows(writer, manifest, &mut judge)?;
    } else {
        let picker = Picker::new(holds.iter().map(|hold| &hold.selector));
        let may = |row: &[Value<'_>]| picker.may_match(row);
        scan::rows_where(writer, manifest, picker.columns(), &may, &mut judge)?;
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
