//! Another history: records changed, taken out, put in, moved in order or in time; then streams,
//! chain, journal, tree and checkpoint are made anew with the log's own keys.

use super::super::court::Case;
use super::super::forge::Altered;
use super::super::victim::Victim;
use super::{Script, rewrite};
use event::{Kind, Tier};

pub(super) const ATTACKS: &[Script] = &[
    ("edit what a tool was told (content)", |it| edit(&it.open, 153, "order 153", "order 12")),
    ("edit who approved (metadata)", |it| edit(&it.open, 160, "\"alice\"", "\"mallory\"")),
    ("make a failure a success, and its tier less", |it| soften(&it.open)),
    ("blame another agent", |it| edit(&it.open, 171, "refund-agent-0", "refund-agent-1")),
    ("swap what two records say", |it| swap_content(&it.open)),
    ("move a record to another session", |it| edit(&it.open, 143, "session 3", "session 4")),
    ("delete a record", |it| delete(&it.open, "\"event_id\":\"e-150\"")),
    ("delete a session", |it| delete(&it.open, "\"session_id\":\"session 3\"")),
    ("delete every failure", |it| delete(&it.open, "\"outcome\":\"failure\"")),
    ("delete one day's critical segment and rebuild", |it| drop_tier(&it.rolled)),
    ("hide that the log was restarted", |it| hide_restart(&it.open)),
    ("insert an approval", |it| insert(&it.open)),
    ("seal a record a second time (replay)", |it| replay(&it.open)),
    ("swap two neighbours", |it| reorder(&it.open)),
    ("move an act to the end", |it| move_to_end(&it.open)),
    ("backdate everything up to a record", |it| backdate(&it.open)),
    ("postdate everything from a record on", |it| postdate(&it.open)),
    ("cut off the last 20 records", |it| truncate(&it.open, 20)),
    ("cut off the last event", |it| truncate(&it.open, 2)),
    ("cut off all records but the first", |it| truncate(&it.open, it.open.history.len() - 1)),
];

/// Milliseconds of an hour.
const HOUR_MS: u64 = 3_600_000;

fn edit<'v>(victim: &'v Victim, event: u64, from: &str, to: &str) -> Result<Case<'v>, String> {
    let at = victim.index_of(event)?;
    rewrite(victim, |records| records.get_mut(at).ok_or("no record")?.replace(from, to))
}

fn soften(victim: &Victim) -> Result<Case<'_>, String> {
    let at = victim.index_of(155)?;
    rewrite(victim, |records| {
        let record = records.get_mut(at).ok_or("no record")?;
        record.tier = Tier::Info;
        record.replace("\"failure\"", "\"success\"")
    })
}

fn swap_content(victim: &Victim) -> Result<Case<'_>, String> {
    let (one, other) = (victim.index_of(120)?, victim.index_of(140)?);
    rewrite(victim, |records| {
        let [one, other] = records.get_disjoint_mut([one, other]).map_err(super::text)?;
        std::mem::swap(&mut one.content, &mut other.content);
        std::mem::swap(&mut one.content_salt, &mut other.content_salt);
        Ok(())
    })
}

fn delete<'v>(victim: &'v Victim, what: &str) -> Result<Case<'v>, String> {
    rewrite(victim, |records| {
        let before = records.len();
        records.retain(|record| !record.meta.contains(what));
        if records.len() == before { Err(format!("no record has {what}")) } else { Ok(()) }
    })
}

/// As if it had never been: its records, and those that speak of segments, out of a log that is
/// then a journal from the first record on.
fn drop_tier(victim: &Victim) -> Result<Case<'_>, String> {
    rewrite(victim, |records| {
        records.retain(|record| {
            let is_dropped = record.kind == Kind::Event && record.tier == Tier::Critical;
            !is_dropped && !record.meta.contains("\"log.segment\"")
        });
        Ok(())
    })
}

fn hide_restart(victim: &Victim) -> Result<Case<'_>, String> {
    let at = victim.index_of(100)?;
    rewrite(victim, |records| {
        // `log.stopped` of the first time, and `log.started` of the second.
        let gone = records.get(at.saturating_sub(2)..at).unwrap_or_default();
        if !gone.iter().all(|record| record.kind == Kind::Log) {
            return Err("there is no restart before event 100".to_owned());
        }
        records.drain(at - 2..at);
        Ok(())
    })
}

fn insert(victim: &Victim) -> Result<Case<'_>, String> {
    let at = victim.index_of(150)?;
    rewrite(victim, |records| {
        let mut made = records.get(at).ok_or("no record")?.clone();
        made.replace("\"e-150\"", "\"e-150-approval\"")?;
        made.replace("agent.tool_call", "agent.human_intervention")?;
        (made.tier, made.meta_salt, made.content_salt) = (Tier::Critical, [1; 16], [2; 16]);
        records.insert(at, made);
        Ok(())
    })
}

fn replay(victim: &Victim) -> Result<Case<'_>, String> {
    let (first, again) = (victim.index_of(110)?, victim.index_of(190)?);
    rewrite(victim, |records| {
        let mut copy = records.get(first).ok_or("no record")?.clone();
        copy.time_ms = records.get(again).ok_or("no record")?.time_ms;
        (copy.meta_salt, copy.content_salt) = ([1; 16], [2; 16]);
        records.insert(again, copy);
        Ok(())
    })
}

/// Everything but the times changes places.
fn exchange(one: &mut Altered, other: &mut Altered) {
    std::mem::swap(one, other);
    std::mem::swap(&mut one.time_ms, &mut other.time_ms);
}

fn reorder(victim: &Victim) -> Result<Case<'_>, String> {
    let at = victim.index_of(150)?;
    rewrite(victim, |records| {
        let [one, other] = records.get_disjoint_mut([at, at + 1]).map_err(super::text)?;
        exchange(one, other);
        Ok(())
    })
}

fn move_to_end(victim: &Victim) -> Result<Case<'_>, String> {
    let (at, end) = (victim.index_of(150)?, victim.index_of(299)?);
    rewrite(victim, |records| {
        let mut moved = records.remove(at);
        moved.time_ms = records.get(end - 1).ok_or("no record")?.time_ms;
        records.insert(end, moved);
        Ok(())
    })
}

fn backdate(victim: &Victim) -> Result<Case<'_>, String> {
    let at = victim.index_of(150)?;
    rewrite(victim, |records| {
        records.iter_mut().take(at + 1).for_each(|record| record.time_ms -= HOUR_MS);
        Ok(())
    })
}

fn postdate(victim: &Victim) -> Result<Case<'_>, String> {
    let at = victim.index_of(150)?;
    rewrite(victim, |records| {
        records.iter_mut().skip(at).for_each(|record| record.time_ms += HOUR_MS);
        Ok(())
    })
}

fn truncate(victim: &Victim, count: usize) -> Result<Case<'_>, String> {
    rewrite(victim, |records| {
        records.truncate(records.len().saturating_sub(count));
        Ok(())
    })
}
