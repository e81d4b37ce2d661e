//! Memory for the bytes of one body, which goes back to the system with them.
//!
//! A short body lies in a vector. A long one gets a mapping of its own, as long as any body may be:
//! what is not written to takes no memory, nothing is copied when it grows, and it is unmapped when
//! it is dropped. An allocator keeps what each of its threads once needed, for a while at least,
//! and bodies are read and inflated on many threads: 32 MiB of bomb became 200 MiB of server.

use bytes::Bytes;
use memmap2::MmapMut;
use std::io;

/// From this many bytes on a body has a mapping.
const MAPPED_BYTES_MIN: usize = 256 << 10;

/// Bytes of a body as they come.
pub(crate) enum Region {
    /// A short one.
    Short(Vec<u8>),
    /// A long one.
    Long(Mapped),
}

/// A mapping, and how much of it was written.
pub(crate) struct Mapped {
    map: MmapMut,
    length: usize,
}

impl Region {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::Short(Vec::new())
    }

    /// A body that `fill` writes to the begin of so many bytes, which are zero before; it says how
    /// many there are.
    ///
    /// # Errors
    /// What `fill` says, or `none` when the system has no memory.
    pub(crate) fn filled<E>(
        capacity: usize,
        none: E,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Self, E> {
        if capacity < MAPPED_BYTES_MIN {
            let mut bytes = vec![0; capacity];
            let length = fill(&mut bytes)?;
            bytes.truncate(length);
            return Ok(Self::Short(bytes));
        }
        let Ok(mut map) = MmapMut::map_anon(capacity) else { return Err(none) };
        let length = fill(&mut map)?;
        Ok(Self::Long(Mapped { map, length }))
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Short(bytes) => bytes.len(),
            Self::Long(mapped) => mapped.length,
        }
    }

    /// Adds a piece; all pieces together are at most `max` bytes.
    ///
    /// # Errors
    /// When there are more, or the system has no memory.
    pub(crate) fn push(&mut self, piece: &[u8], max: usize) -> io::Result<()> {
        if let Self::Short(bytes) = self {
            if bytes.len() + piece.len() < MAPPED_BYTES_MIN {
                bytes.extend_from_slice(piece);
                return Ok(());
            }
            let mut mapped = Mapped { map: MmapMut::map_anon(max)?, length: 0 };
            mapped.push(bytes)?;
            *self = Self::Long(mapped);
        }
        match self {
            Self::Long(mapped) => mapped.push(piece),
            Self::Short(_) => Ok(()),
        }
    }

    /// All of them.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Short(bytes) => bytes.into(),
            Self::Long(mapped) => Bytes::from_owner(mapped),
        }
    }
}

impl Mapped {
    fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        let end = self.length.saturating_add(piece.len());
        let place = self.map.get_mut(self.length..end);
        place.ok_or(io::ErrorKind::OutOfMemory)?.copy_from_slice(piece);
        self.length = end;
        Ok(())
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.map.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_comes_out_however_long_it_is() {
        for pieces in [0, 1, 3, 4, 5, 40] {
            let piece: Vec<u8> = (0..=255).cycle().take(100_000).collect();
            let mut region = Region::new();
            (0..pieces).for_each(|_| region.push(&piece, 4_000_000).unwrap());
            assert_eq!(region.len(), pieces * piece.len());
            assert!(region.into_bytes() == piece.repeat(pieces), "{pieces}");
        }
    }

    #[test]
    fn no_more_than_was_said_fits() {
        let mut region = Region::new();
        region.push(&vec![1; 300_000], 300_010).unwrap();
        assert!(region.push(&[1; 11], 300_010).is_err());
        region.push(&[1; 10], 300_010).unwrap();
        assert_eq!(region.len(), 300_010);
    }
}
