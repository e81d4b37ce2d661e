//! Which row groups of a segment may hold an id: a small filter for each row group and kind of id.
//!
//! Parquet's own Bloom filters would be the place for this, but `parquet` 59 writes them in clear
//! text into encrypted files. These are made from a segment and can always be made again; whoever
//! keeps their bytes must encrypt them, because they tell which ids occur. Not here: the hash,
//! which the caller gives; it should be keyed, so that nobody who picks ids can make them collide.

use xorf::{BinaryFuse16, BinaryFuse16Ref, DmaSerializable, Filter, FilterRef};

use crate::SegmentError;
use crate::cell::Cell;
use crate::column::position;
use crate::decode::cells_of;
use crate::group_reader::GroupReader;
use crate::segment::Segment;

/// A kind of id, or of name, that records are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdKind {
    /// `event_id`
    Event,
    /// `trace_id`
    Trace,
    /// `session_id`
    Session,
    /// `task_id`
    Task,
    /// `agent_name`
    AgentName,
    /// `agent_id`
    AgentId,
    /// `principal_subject`
    Principal,
    /// `error_type`
    ErrorType,
}

impl IdKind {
    /// All kinds, in the order in which their filters are stored.
    pub const ALL: [Self; 8] = [
        Self::Event,
        Self::Trace,
        Self::Session,
        Self::Task,
        Self::AgentName,
        Self::AgentId,
        Self::Principal,
        Self::ErrorType,
    ];

    /// The column that holds these ids.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::Event => "event_id",
            Self::Trace => "trace_id",
            Self::Session => "session_id",
            Self::Task => "task_id",
            Self::AgentName => "agent_name",
            Self::AgentId => "agent_id",
            Self::Principal => "principal_subject",
            Self::ErrorType => "error_type",
        }
    }
}

/// Filters of one segment: about 18 bits for each distinct id in each row group; one question in
/// 65,536 about an id that is not there is answered with "maybe", so that even of a thousand row
/// groups none is read in vain.
#[derive(Clone, Debug)]
pub struct IdFilters {
    groups: Vec<[IdFilter; IdKind::ALL.len()]>,
}

/// The filter of one row group and kind, as it is stored.
#[derive(Clone, Debug)]
struct IdFilter {
    /// Seed (u64) and three lengths (u32 each), little-endian.
    descriptor: [u8; BinaryFuse16::DESCRIPTOR_LEN],
    /// Empty when there are no ids.
    fingerprints: Box<[u8]>,
}

/// Why bytes are not the filters of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the filters of a segment cannot be read at byte {at}; make them again from the segment")]
pub struct IdFiltersError {
    /// Where reading stopped.
    at: usize,
}

const MAGIC: &[u8; 8] = b"tachoid1";

/// The longest stretch of fingerprints that the construction ever uses.
const STRETCH_MAX: u32 = 1 << 18;

impl IdFilters {
    /// Reads the columns of ids and names and builds the filters. `hash` must give the same 64 bits
    /// for the same kind and id as it will when questions are asked.
    ///
    /// # Errors
    /// [`SegmentError::Read`] or [`SegmentError::Damaged`].
    pub fn from_segment(
        segment: &Segment,
        hash: impl Fn(IdKind, &str) -> u64,
    ) -> Result<Self, SegmentError> {
        let names = IdKind::ALL.map(IdKind::column);
        let columns = names.map(position);
        let mut groups = Vec::with_capacity(segment.footer().num_row_groups());
        for group in 0..segment.footer().num_row_groups() {
            let mut hashes = [const { Vec::new() }; IdKind::ALL.len()];
            let mut reader = GroupReader::open(segment, group, Some(&names))?;
            while let Some(batch) = reader.next()? {
                for (slot, kind) in IdKind::ALL.into_iter().enumerate() {
                    let cells = cells_of(&batch, columns[slot])?;
                    hashes[slot].extend(cells.filter_map(|cell| match cell {
                        Cell::Text(id) => Some(hash(kind, &id)),
                        _ => None,
                    }));
                    // Runs of one id are common.
                    hashes[slot].dedup();
                }
            }
            let filters: Result<Vec<_>, _> = hashes.into_iter().map(IdFilter::of).collect();
            let filters = filters?.try_into();
            groups.push(filters.map_err(|_| SegmentError::Damaged("no id filters".to_owned()))?);
        }
        Ok(Self { groups })
    }

    /// The positions of the row groups that may hold an id of this kind with this hash; those left
    /// out do not.
    pub fn may_hold(&self, kind: IdKind, hash: u64) -> impl Iterator<Item = usize> + '_ {
        let groups = self.groups.iter().enumerate();
        groups
            .filter(move |(_, filters)| filters[kind as usize].may_hold(hash))
            .map(|(position, _)| position)
    }

    /// How many row groups they are of.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Bytes that they take in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of = |filter: &IdFilter| size_of::<IdFilter>() + filter.fingerprints.len();
        self.groups.iter().flatten().map(of).sum()
    }

    /// The filters as bytes, in clear text: seven bytes of name and one of version, then for each
    /// row group and kind the length of the fingerprints (u32, little-endian), 20 bytes that
    /// describe them, and the fingerprints.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for filter in self.groups.iter().flatten() {
            // A row group has at most 16 Ki ids, and a filter some 40 KB.
            let length = u32::try_from(filter.fingerprints.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&filter.descriptor);
            out.extend_from_slice(&filter.fingerprints);
        }
        out
    }

    /// Reads back what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`IdFiltersError`]; no bytes make it panic, then or later.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdFiltersError> {
        let total = bytes.len();
        let error = |rest: &[u8]| IdFiltersError { at: total - rest.len() };
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(error(bytes))?;
        let mut groups = Vec::new();
        while !rest.is_empty() {
            let mut group = Vec::with_capacity(IdKind::ALL.len());
            for _ in IdKind::ALL {
                let (filter, behind) = IdFilter::read(rest).ok_or(error(rest))?;
                group.push(filter);
                rest = behind;
            }
            groups.push(group.try_into().map_err(|_| error(rest))?);
        }
        Ok(Self { groups })
    }
}

impl IdFilter {
    fn of(mut hashes: Vec<u64>) -> Result<Self, SegmentError> {
        let mut descriptor = [0; BinaryFuse16::DESCRIPTOR_LEN];
        if hashes.is_empty() {
            return Ok(Self { descriptor, fingerprints: Box::default() });
        }
        hashes.sort_unstable();
        hashes.dedup();
        // It takes a thousand failures in a row, each of them rare.
        let filter = BinaryFuse16::try_from(&hashes)
            .map_err(|why| SegmentError::Damaged(format!("no id filter: {why}")))?;
        filter.dma_copy_descriptor_to(&mut descriptor);
        Ok(Self { descriptor, fingerprints: filter.dma_fingerprints().into() })
    }

    fn may_hold(&self, hash: u64) -> bool {
        !self.fingerprints.is_empty()
            && BinaryFuse16Ref::from_dma(&self.descriptor, &self.fingerprints).contains(&hash)
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (descriptor, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (fingerprints, rest) = rest.split_at_checked(length)?;
        let filter = Self { descriptor: *descriptor, fingerprints: fingerprints.into() };
        filter.is_sound().then_some((filter, rest))
    }

    /// Whether every place that a lookup computes from the descriptor lies among the fingerprints:
    /// the first in the leading `count_length` of them, the others in the next two stretches of
    /// `length`, each moved by less than a stretch within its own.
    fn is_sound(&self) -> bool {
        let number = |at: usize| {
            let bytes = self.descriptor.get(at..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        let (length, mask, count_length) = (number(8), number(12), number(16));
        let lengths = length.is_power_of_two()
            && length <= STRETCH_MAX
            && mask == length - 1
            && count_length > 0
            && count_length.is_multiple_of(length);
        let needed = 2 * (u64::from(count_length) + 2 * u64::from(length));
        self.fingerprints.is_empty() || lengths && self.fingerprints.len() as u64 == needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn built(ids: impl IntoIterator<Item = u64>) -> IdFilters {
        let ids: Vec<u64> = ids.into_iter().collect();
        let mut hashes = [const { vec![] }; IdKind::ALL.len()];
        hashes[0] = ids;
        hashes[IdKind::Session as usize] = vec![1];
        hashes[IdKind::Task as usize] = vec![1, 1, 2];
        IdFilters { groups: vec![hashes.map(|hashes| IdFilter::of(hashes).unwrap())] }
    }

    fn mixed(number: u64) -> u64 {
        number
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }

    #[test]
    fn what_was_put_in_is_found_and_little_else() {
        let filters = built((0..65_536).map(mixed));
        let holds = |kind, hash| filters.may_hold(kind, hash).next() == Some(0);
        assert!((0..65_536).all(|id| holds(IdKind::Event, mixed(id))));
        let wrong = (65_536..165_536).filter(|id| holds(IdKind::Event, mixed(*id))).count();
        assert!(wrong < 20, "{wrong} of 100,000");
        assert!((0..1000).all(|id| !holds(IdKind::Trace, mixed(id))));
        assert!(holds(IdKind::Session, 1) && holds(IdKind::Task, 2));
        let bytes = filters.to_bytes().len();
        assert!(bytes < 65_536 * 20 / 8, "{bytes}");
    }

    #[test]
    fn filters_read_back() {
        let filters = built((0..1000).map(mixed));
        let bytes = filters.to_bytes();
        let back = IdFilters::from_bytes(&bytes).unwrap();
        assert_eq!(back.to_bytes(), bytes);
        assert!((0..1000).all(|id| back.may_hold(IdKind::Event, mixed(id)).count() == 1));
        for length in 0..bytes.len() {
            let cut = IdFilters::from_bytes(&bytes[..length]);
            assert_eq!(cut.is_ok(), length == MAGIC.len(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn changed_bytes_are_refused_or_harmless(
            place in 0_usize..120,
            byte: u8,
            questions: [u64; 8],
        ) {
            let mut bytes = built([1, 2, 3]).to_bytes();
            let place = place.min(bytes.len() - 1);
            bytes[place] = byte;
            if let Ok(filters) = IdFilters::from_bytes(&bytes) {
                for kind in IdKind::ALL {
                    let maybes = questions.iter().map(|hash| filters.may_hold(kind, *hash).count());
                    prop_assert!(maybes.sum::<usize>() <= questions.len());
                }
            }
        }
    }
}
