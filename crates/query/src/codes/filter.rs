//! The pieces of some pages as a filter: eight bits of fingerprint, nine in all, for each. One
//! question in 256 about a piece that is not there is answered with "maybe".
//!
//! `segment::IdFilters` are the same with 16 bits, because a whole row group is read in vain there.

use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter as _, FilterRef as _};

/// What stands in the place of the precision.
const OPEN: u8 = 0xff;
const NO_FRACTIONS: u8 = 0xfe;

/// The longest stretch of fingerprints that the construction ever uses.
const STRETCH_MAX: u32 = 1 << 18;

/// The filter of some pages, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    precision: u8,
    /// Seed (u64) and three lengths (u32 each), little-endian.
    descriptor: [u8; BinaryFuse8::DESCRIPTOR_LEN],
    /// Empty when there are no pieces.
    fingerprints: Box<[u8]>,
}

impl Sheet {
    fn without_pieces(precision: u8) -> Self {
        let descriptor = [0; BinaryFuse8::DESCRIPTOR_LEN];
        Self { precision, descriptor, fingerprints: Box::default() }
    }

    /// One that may hold anything.
    pub(super) fn open() -> Self {
        Self::without_pieces(OPEN)
    }

    /// One that holds these pieces, each given once, and fractions of a second with at most so many
    /// digits before the zeros.
    pub(super) fn of(pieces: &[u64], precision: Option<u8>) -> Self {
        let mut sheet = Self::without_pieces(precision.unwrap_or(NO_FRACTIONS));
        if pieces.is_empty() {
            return sheet;
        }
        // It takes a thousand failures in a row, each of them rare.
        let Ok(filter) = BinaryFuse8::try_from(pieces) else { return Self::open() };
        filter.dma_copy_descriptor_to(&mut sheet.descriptor);
        sheet.fingerprints = filter.dma_fingerprints().into();
        sheet
    }

    pub(super) fn is_open(&self) -> bool {
        self.precision == OPEN
    }

    /// Of the fractions of a second, if there are any.
    pub(super) fn precision(&self) -> Option<u8> {
        (self.precision <= 9).then_some(self.precision)
    }

    pub(super) fn may_hold(&self, piece: u64) -> bool {
        !self.fingerprints.is_empty()
            && BinaryFuse8Ref::from_dma(&self.descriptor, &self.fingerprints).contains(&piece)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.fingerprints.len()
    }

    /// The precision, the length of the fingerprints (u32, little-endian), 20 bytes that describe
    /// them, and the fingerprints.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let length = u32::try_from(self.fingerprints.len()).unwrap_or(u32::MAX);
        out.push(self.precision);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&self.descriptor);
        out.extend_from_slice(&self.fingerprints);
    }

    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (precision, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (descriptor, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (fingerprints, rest) = rest.split_at_checked(length)?;
        let (descriptor, fingerprints) = (*descriptor, fingerprints.into());
        let sheet = Self { precision: *precision, descriptor, fingerprints };
        let is_known = *precision <= 9 || *precision >= NO_FRACTIONS;
        (is_known && sheet.is_sound()).then_some((sheet, rest))
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
        let needed = u64::from(count_length) + 2 * u64::from(length);
        self.fingerprints.is_empty() || lengths && self.fingerprints.len() as u64 == needed
    }
}
