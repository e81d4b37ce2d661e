//! Reading rows in the order of their indexes, batch by batch.
//!
//! Not here: turning a batch into rows (`decode`).

use std::collections::VecDeque;
use std::vec;

use crate::SegmentError;
use crate::column::{COLUMNS, INDEX, KIND, META_SALT, META_SHAPE, Part, RECORDED_AT, TIER};
use crate::decode::decode_within;
use crate::group_reader::GroupReader;
use crate::row::Row;
use crate::segment::Segment;

/// Which columns are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// All of them.
    All,
    /// Metadata only: rows come with [`ContentState::NotRead`](crate::ContentState::NotRead).
    MetaOnly,
}

impl Projection {
    /// The names of the columns; `None` for every one.
    pub(crate) fn names(self) -> Option<Vec<&'static str>> {
        let meta = COLUMNS.iter().filter(|column| column.place.part() == Part::Meta);
        let names = [INDEX, RECORDED_AT, KIND, TIER, META_SHAPE, META_SALT];
        let names = names.into_iter().chain(meta.map(|column| column.name));
        (self == Self::MetaOnly).then(|| names.collect())
    }
}

/// The rows of a range of indexes; ends at the first error.
pub struct Rows {
    segment: Segment,
    indexes: (u64, u64),
    projection: Projection,
    /// Row groups still to read.
    groups: VecDeque<usize>,
    reader: Option<GroupReader>,
    decoded: vec::IntoIter<Row>,
}

impl Rows {
    pub(crate) fn new(
        segment: Segment,
        indexes: (u64, u64),
        projection: Projection,
    ) -> Result<Self, SegmentError> {
        let groups = segment.row_groups()?;
        let overlaps = |(first, last): (u64, u64)| first <= indexes.1 && last >= indexes.0;
        let groups = groups.iter().enumerate().filter(|(_, group)| overlaps(group.indexes));
        let groups = groups.map(|(position, _)| position).collect();
        let decoded = Vec::new().into_iter();
        Ok(Self { segment, indexes, projection, groups, reader: None, decoded })
    }

    /// Decodes until there is a row or nothing left.
    fn refill(&mut self) -> Result<bool, SegmentError> {
        loop {
            if self.decoded.len() > 0 {
                return Ok(true);
            }
            if self.reader.is_none() {
                let Some(group) = self.groups.pop_front() else { return Ok(false) };
                let names = self.projection.names();
                let reader = GroupReader::open(&self.segment, group, names.as_deref())?;
                self.reader = Some(reader);
            }
            let Some(batch) = self.reader.as_mut().map_or(Ok(None), GroupReader::next)? else {
                self.reader = None;
                continue;
            };
            self.decoded = decode_within(&batch, self.indexes)?.into_iter();
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.refill() {
            Ok(true) => self.decoded.next().map(Ok),
            Ok(false) => None,
            Err(error) => {
                self.groups.clear();
                self.reader = None;
                Some(Err(error))
            }
        }
    }
}
