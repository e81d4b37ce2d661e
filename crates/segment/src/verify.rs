//! Are these the records that the log committed to? Row by row, and on to the next one after
//! damage.
//!
//! Not here: reading on behind damage (`examine`), and where the commitments come from. They stand
//! in the public entries, which have proofs of their own (`prove`).

use crate::SegmentError;
use crate::examine::Examined;
use crate::segment::Segment;

/// What is wrong with a row, or with several that stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// First and last index that it is about.
    pub indexes: (u64, u64),
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not those that the log committed to.
    Commitment,
    /// The log knows of no such record in this segment.
    Unexpected,
    /// The record is sound, but a column that questions are answered from says something else.
    Columns,
    /// The index is not larger than the one before it.
    Order,
    /// Nothing can be said about the records from the first to the last index, those of them that
    /// this segment holds: why, in words.
    Unreadable(String),
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Rows that the footer counts.
    pub rows: u64,
    /// Rows without any fault.
    pub sound: u64,
}

impl Segment {
    /// Reads every row, recomputes its commitment and compares it with what `expected` says for its
    /// index; compares its columns with its bytes; reports what is wrong through `found`, in the
    /// order of the rows. Whoever wants to know what is missing notes which indexes were asked for.
    ///
    /// # Errors
    /// [`SegmentError::Read`] when the source fails, and [`SegmentError::Damaged`] when the footer
    /// does not say what the row groups hold. Damage to rows is a finding.
    pub fn verify(
        &self,
        mut expected: impl FnMut(u64) -> Option<[u8; 32]>,
        mut found: impl FnMut(Finding),
    ) -> Result<Verified, SegmentError> {
        let mut sound = 0;
        for examined in self.examine(0, true)? {
            let (row, columns_agree) = match examined? {
                Examined::Row { row, columns_agree } => (row, columns_agree),
                Examined::Fault(finding) => {
                    found(finding);
                    continue;
                }
            };
            let fault = match expected(row.index) {
                None => Fault::Unexpected,
                Some(expected) if row.commitment() != Some(expected) => Fault::Commitment,
                Some(_) if !columns_agree => Fault::Columns,
                Some(_) => {
                    sound += 1;
                    continue;
                }
            };
            found(Finding { indexes: (row.index, row.index), fault });
        }
        Ok(Verified { rows: self.row_count(), sound })
    }
}

#[cfg(test)]
mod tests;
