//! Reading what was settled: the metadata of records in segments, all of them or those that single
//! columns pick, and what the log said itself.
//!
//! What a column picks is judged by its metadata again, so columns only save reading. They hold
//! what the metadata says (`segment::agree`, which `tacho verify` runs on every row).

use crate::RetainError;
use event::{RemovedClass, Tier};
use seal::{SealError, Settled};
use segment::{Manifest, Projection, Row, RowSet, SegmentError, Value};

/// Hands out every row of a segment, metadata only.
pub(crate) fn rows(
    settled: &Settled,
    manifest: &Manifest,
    each: &mut dyn FnMut(Row),
) -> Result<(), RetainError> {
    let failed = |error: SegmentError| unreadable(manifest, &error);
    for row in settled.open_segment(manifest)?.rows(.., Projection::MetaOnly).map_err(failed)? {
        each(row.map_err(failed)?);
    }
    Ok(())
}

/// Hands out the rows, metadata only, whose values in some columns `may` be those of a record that
/// is wanted.
pub(crate) fn rows_where(
    settled: &Settled,
    manifest: &Manifest,
    columns: &[&str],
    may: &dyn Fn(&[Value<'_>]) -> bool,
    each: &mut dyn FnMut(Row),
) -> Result<(), RetainError> {
    let failed = |error: SegmentError| unreadable(manifest, &error);
    let segment = settled.open_segment(manifest)?;
    for group in 0..segment.row_groups().map_err(failed)?.len() {
        let picked = segment.pick(group, None, (0, u64::MAX), columns, may).map_err(failed)?;
        if picked.is_empty() {
            continue;
        }
        let rows = RowSet::new(picked.into_iter().map(|(at, _)| at).collect());
        segment
            .rows_at(group, &rows, Projection::MetaOnly)
            .map_err(failed)?
            .into_iter()
            .for_each(&mut *each);
    }
    Ok(())
}

/// The record time of a segment's newest record, in Unix milliseconds.
pub(crate) fn newest_ms(settled: &Settled, manifest: &Manifest) -> Result<u64, RetainError> {
    let groups = settled.open_segment(manifest)?.row_groups();
    let groups = groups.map_err(|error| unreadable(manifest, &error))?;
    Ok(groups.iter().map(|group| group.times_ms.1).max().unwrap_or(u64::MAX))
}

fn unreadable(manifest: &Manifest, error: &SegmentError) -> RetainError {
    SealError::Corrupt { file: manifest.path(), detail: error.to_string() }.into()
}

/// Ranges of indexes by tier and day, put together in any order.
#[derive(Default)]
pub(crate) struct Ranges(std::collections::BTreeMap<(Tier, u64), Vec<(u64, u64)>>);

impl Ranges {
    pub(crate) fn add(&mut self, class: (Tier, u64), first: u64, last: u64) {
        let ranges = self.0.entry(class).or_default();
        match ranges.last_mut() {
            // Most come one after the other.
            Some((_, end)) if end.checked_add(1) == Some(first) => *end = last,
            _ => ranges.push((first, last)),
        }
    }

    /// The classes, each of them in pieces of at most `max` ranges.
    pub(crate) fn into_classes(self, max: usize) -> Vec<RemovedClass> {
        let mut classes = Vec::new();
        for ((tier, day), mut ranges) in self.0 {
            ranges.sort_unstable();
            let mut joined: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
            for (first, last) in ranges {
                match joined.last_mut() {
                    Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                    _ => joined.push((first, last)),
                }
            }
            let pieces = joined.chunks(max);
            classes.extend(pieces.map(|indexes| RemovedClass {
                tier,
                day,
                indexes: indexes.to_vec(),
            }));
        }
        classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_become_one_and_long_lists_several() {
        let mut ranges = Ranges::default();
        for (first, last) in [(5, 5), (6, 9), (1, 2), (3, 3), (20, 22), (21, 30)] {
            ranges.add((Tier::Info, 1), first, last);
        }
        ranges.add((Tier::Debug, 1), 4, 4);
        let classes = ranges.into_classes(2);
        let all: Vec<_> = classes.iter().map(|it| (it.tier, it.indexes.clone())).collect();
        assert_eq!(
            all,
            [
                (Tier::Debug, vec![(4, 4)]),
                (Tier::Info, vec![(1, 3), (5, 9)]),
                (Tier::Info, vec![(20, 30)])
            ]
        );
    }
}
