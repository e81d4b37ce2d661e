//! Removals of a later state of a log, carried out again in one that was put back from a backup.

use crate::RetainError;
use crate::hold::statement;
use event::{Principal, Removal, RemovedClass};
use seal::{Consequence, Writer};

/// Carries out removals that a later ledger of the same log shows, as far as they concern its first
/// `shared` records: those are the same in both states. Returns how many removals concerned any.
///
/// # Errors
/// [`RetainError::Seal`]; what was announced by then is carried out at the next start.
pub fn reapply(
    writer: &mut Writer,
    removals: &[(u64, Removal)],
    shared: u64,
    by: &Principal<'static>,
) -> Result<usize, RetainError> {
    writer.settle_tail()?;
    let (mut indexes, mut consequences) = (Vec::new(), Vec::new());
    for (index, removal) in removals {
        let classes: Vec<RemovedClass> =
            removal.classes.iter().filter_map(|class| clipped(class, shared)).collect();
        if !classes.is_empty() {
            indexes.push(*index);
            consequences.push(Consequence::Remove(Removal { classes, ..removal.clone() }));
        }
    }
    if consequences.is_empty() {
        return Ok(0);
    }
    let count = consequences.len();
    let details = serde_json::json!({ "removals": indexes, "shared": shared });
    writer.decide(statement("log.reapplied", &details, by), consequences)?;
    Ok(count)
}

/// The part of a class that lies before an index.
fn clipped(class: &RemovedClass, end: u64) -> Option<RemovedClass> {
    let before = class.indexes.iter().filter(|(first, _)| *first < end);
    let indexes: Vec<_> = before.map(|(first, last)| (*first, (*last).min(end - 1))).collect();
    (!indexes.is_empty()).then(|| RemovedClass { indexes, ..class.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Tier;

    #[test]
    fn only_what_both_states_have_is_removed_again() {
        let class =
            RemovedClass { tier: Tier::Info, day: 1, indexes: vec![(1, 3), (5, 9), (20, 30)] };
        let of = |end| clipped(&class, end).map(|class| class.indexes);
        assert_eq!(of(31), Some(class.indexes.clone()));
        assert_eq!(of(8), Some(vec![(1, 3), (5, 7)]));
        assert_eq!((of(5), of(2)), (Some(vec![(1, 3)]), Some(vec![(1, 1)])));
        assert_eq!((of(1), of(0)), (None, None));
    }
}
