//! Every row of a segment in the order of their indexes, and what is wrong between them: reading
//! that goes on behind damage, which takes the rest of its row group with it and no more.
//!
//! Not here: whether the rows are the ones that the log committed to. Whoever asks compares them
//! with the public entries (`verify` does it when the commitments are at hand).

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use crate::SegmentError;
use crate::agree::Agreement;
use crate::column::INDEX;
use crate::decode::Columns;
use crate::group_reader::GroupReader;
use crate::row::Row;
use crate::segment::{RowGroup, Segment};
use crate::verify::{Fault, Finding};

/// What stands at a place of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examined {
    /// A row.
    Row {
        /// Itself.
        row: Row,
        /// Whether the columns that questions are answered from say the same as its bytes; true
        /// when that was not to be looked at.
        columns_agree: bool,
    },
    /// Rows that cannot be read, or one that is out of order.
    Fault(Finding),
}

/// The rows of a segment from some index on; ends at the first error, which damage is not.
pub struct Examination {
    segment: Segment,
    /// Rows before this index are left out.
    first: u64,
    groups: Vec<RowGroup>,
    /// The row group that comes next.
    position: usize,
    current: Option<Current>,
    agreement: Option<Agreement>,
    /// The index of the last row that could be read.
    previous: Option<u64>,
    ready: VecDeque<Examined>,
}

/// The row group that is being read.
struct Current {
    position: usize,
    group: RowGroup,
    /// Rows that were dealt with.
    done: u64,
    reader: Option<GroupReader>,
}

impl Segment {
    /// Reads the rows from the index `first` on. `columns`: whether to compare the columns with the
    /// bytes.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] when the footer does not say what the row groups hold.
    pub fn examine(&self, first: u64, columns: bool) -> Result<Examination, SegmentError> {
        Ok(Examination {
            segment: self.clone(),
            first,
            groups: self.row_groups()?,
            position: 0,
            current: None,
            agreement: columns.then(Agreement::default),
            previous: None,
            ready: VecDeque::new(),
        })
    }
}

impl Iterator for Examination {
    type Item = Result<Examined, SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            if self.current.is_none() && !self.begin_group() {
                return None;
            }
            match self.step() {
                Ok(()) => {}
                Err(SegmentError::Damaged(why)) => self.give_up(why),
                Err(error) => {
                    self.current = None;
                    self.position = self.groups.len();
                    return Some(Err(error));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

impl Examination {
    /// Begins the next row group that has rows that are wanted.
    fn begin_group(&mut self) -> bool {
        while let Some(group) = self.groups.get(self.position).copied() {
            let position = self.position;
            self.position += 1;
            if group.indexes.1 >= self.first {
                self.current = Some(Current { position, group, done: 0, reader: None });
                return true;
            }
        }
        false
    }

    /// Reads one batch, or ends the row group.
    fn step(&mut self) -> Result<(), SegmentError> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let mut reader = match current.reader.take() {
            Some(reader) => reader,
            None => GroupReader::open(&self.segment, current.position, None)?,
        };
        let Some(batch) = reader.next()? else {
            if current.done < current.group.rows {
                return Err(SegmentError::Damaged("rows are missing".to_owned()));
            }
            self.current = None;
            return Ok(());
        };
        current.reader = Some(reader);
        self.take(&batch)
    }

    /// Takes the rows of a batch.
    fn take(&mut self, batch: &RecordBatch) -> Result<(), SegmentError> {
        let columns = Columns::of(batch)?;
        for at in 0..batch.num_rows() {
            let index = columns.index(at)?;
            let in_order = self.previous.is_none_or(|previous| index > previous);
            self.previous = Some(index);
            let examined = match columns.row(at) {
                _ if !in_order => Examined::Fault(fault(index, Fault::Order)),
                Ok(row) => {
                    let agreement = self.agreement.as_mut();
                    let columns_agree =
                        agreement.is_none_or(|agreement| agreement.holds(&columns, at, &row));
                    Examined::Row { row, columns_agree }
                }
                Err(SegmentError::Damaged(why)) => {
                    Examined::Fault(fault(index, Fault::Unreadable(why)))
                }
                Err(other) => return Err(other),
            };
            if index >= self.first {
                self.ready.push_back(examined);
            }
            if let Some(current) = &mut self.current {
                current.done += 1;
            }
        }
        Ok(())
    }

    /// Ends the row group with a finding about the rows of it that could not be read.
    fn give_up(&mut self, why: String) {
        let Some(current) = self.current.take() else { return };
        let indexes = indexes_from(&self.segment, current.position, current.done);
        let (first, last) = indexes.unwrap_or(current.group.indexes);
        let indexes = (first.max(self.first), last.max(self.first));
        let finding = Finding { indexes, fault: Fault::Unreadable(why) };
        self.ready.push_back(Examined::Fault(finding));
    }
}

fn fault(index: u64, fault: Fault) -> Finding {
    Finding { indexes: (index, index), fault }
}

/// First and last index of the rows of a row group from `first` on, which cannot be read otherwise.
fn indexes_from(segment: &Segment, group: usize, first: u64) -> Option<(u64, u64)> {
    let mut reader = GroupReader::open(segment, group, Some(&[INDEX])).ok()?;
    let (mut position, mut both) = (0, None);
    while let Some(batch) = reader.next().ok()? {
        for value in batch.column_by_name(INDEX)?.as_primitive_opt::<Int64Type>()?.values() {
            let index = u64::try_from(*value).ok()?;
            if position >= first {
                both = Some((both.map_or(index, |(first, _)| first), index));
            }
            position += 1;
        }
    }
    both
}
