//! Some rows of a row group, by their positions in it.

use std::ops::Range;

/// Positions in a row group, ascending, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSet(Vec<u32>);

impl RowSet {
    /// These positions, in any order.
    #[must_use]
    pub fn new(mut positions: Vec<u32>) -> Self {
        positions.sort_unstable();
        positions.dedup();
        Self(positions)
    }

    /// The positions, ascending.
    #[must_use]
    pub fn positions(&self) -> &[u32] {
        &self.0
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same as ranges, ascending and apart.
    pub(crate) fn ranges(&self) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for position in self.0.iter().map(|position| *position as usize) {
            match ranges.last_mut() {
                Some(range) if range.end == position => range.end += 1,
                _ => ranges.push(position..position + 1),
            }
        }
        ranges
    }
}

impl From<Range<u32>> for RowSet {
    fn from(range: Range<u32>) -> Self {
        Self(range.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_in_a_row_are_one_range() {
        let set = RowSet::new(vec![7, 3, 1, 2, 7, 9]);
        assert_eq!(set.positions(), [1, 2, 3, 7, 9]);
        assert_eq!(set.ranges(), [1..4, 7..8, 9..10]);
        assert_eq!(RowSet::from(4..6).ranges(), vec![4..6]);
        assert!(RowSet::from(4..4).ranges().is_empty() && RowSet::default().is_empty());
    }
}
