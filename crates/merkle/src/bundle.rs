//! Entry bundles: up to 256 entries, each behind its length as a big-endian u16.
//!
//! C2SP `tlog-tiles`, "Log Entries". What an entry means is `event`'s business.

use crate::coordinate::TILE_WIDTH;
use crate::hash::{Hash, leaf_hash};

/// The longest entry that a bundle can hold: its length is a u16.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// Why bytes are not an entry bundle, or an entry does not fit one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The entry is longer than 65,535 bytes.
    #[error("an entry of {0} bytes does not fit a bundle; at most {MAX_ENTRY_BYTES} do")]
    EntryTooLong(usize),
    /// The bytes end within an entry.
    #[error("the bundle ends within entry {0} of it; the file was cut or altered")]
    Truncated(usize),
    /// The bundle has another number of entries than its name says.
    #[error("the bundle holds {got} entries, but its name says {wanted}; one of them was altered")]
    Count {
        /// The width in its name.
        wanted: u16,
        /// How many entries the bytes hold.
        got: usize,
    },
}

/// A checked entry bundle over borrowed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryBundle<'a> {
    bytes: &'a [u8],
    width: u16,
}

/// Appends one entry to the bytes of a bundle.
///
/// # Errors
/// When the entry is longer than [`MAX_ENTRY_BYTES`].
pub fn append_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

impl<'a> EntryBundle<'a> {
    /// Checks that `bytes` are exactly `width` entries and nothing else.
    ///
    /// # Errors
    /// When the bytes end early, or hold another number of entries.
    pub fn parse(bytes: &'a [u8], width: u16) -> Result<Self, BundleError> {
        let mut rest = bytes;
        let mut count = 0;
        while !rest.is_empty() {
            (_, rest) = split_entry(rest).ok_or(BundleError::Truncated(count))?;
            count += 1;
        }
        if count != usize::from(width) || width == 0 || width > TILE_WIDTH {
            return Err(BundleError::Count { wanted: width, got: count });
        }
        Ok(EntryBundle { bytes, width })
    }

    /// Number of entries, 1 to 256.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// The entry at a position within the bundle, from 0.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<&'a [u8]> {
        self.iter().nth(position)
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.bytes;
        core::iter::from_fn(move || {
            let entry;
            (entry, rest) = split_entry(rest)?;
            Some(entry)
        })
    }

    /// The leaf hashes of the entries, in order.
    pub fn leaf_hashes(&self) -> impl Iterator<Item = Hash> + use<'a> {
        self.iter().map(leaf_hash)
    }
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_length_then_entry() {
        let mut bytes = Vec::new();
        append_entry(&mut bytes, b"ab").unwrap();
        append_entry(&mut bytes, b"").unwrap();
        assert_eq!(bytes, b"\x00\x02ab\x00\x00");
        let bundle = EntryBundle::parse(&bytes, 2).unwrap();
        assert_eq!(bundle.iter().collect::<Vec<_>>(), [b"ab".as_slice(), b""]);
        assert_eq!(bundle.get(1), Some(b"".as_slice()));
        assert_eq!(bundle.get(2), None);
        assert_eq!(bundle.leaf_hashes().next(), Some(leaf_hash(b"ab")));
    }

    #[test]
    fn an_entry_of_65_536_bytes_is_refused() {
        let mut bytes = Vec::new();
        append_entry(&mut bytes, &vec![1; MAX_ENTRY_BYTES]).unwrap();
        assert!(EntryBundle::parse(&bytes, 1).is_ok());
        let refused = append_entry(&mut bytes, &vec![1; MAX_ENTRY_BYTES + 1]);
        assert_eq!(refused, Err(BundleError::EntryTooLong(65_536)));
    }

    #[test]
    fn a_bundle_cut_anywhere_is_refused() {
        let mut bytes = Vec::new();
        for entry in [b"one".as_slice(), b"two", b"three"] {
            append_entry(&mut bytes, entry).unwrap();
        }
        for length in 0..bytes.len() {
            assert!(EntryBundle::parse(&bytes[..length], 3).is_err(), "length {length}");
        }
        assert!(EntryBundle::parse(&bytes, 2).is_err());
        assert!(EntryBundle::parse(&bytes, 4).is_err());
        assert!(EntryBundle::parse(&[], 0).is_err());
        bytes.push(0);
        assert!(EntryBundle::parse(&bytes, 3).is_err());
    }

    proptest! {
        #[test]
        fn entries_survive_a_bundle(
            entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..257),
        ) {
            let mut bytes = Vec::new();
            for entry in &entries {
                append_entry(&mut bytes, entry).unwrap();
            }
            let bundle = EntryBundle::parse(&bytes, entries.len() as u16).unwrap();
            prop_assert!(bundle.iter().eq(entries.iter().map(Vec::as_slice)));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, width: u16) {
            if let Ok(bundle) = EntryBundle::parse(&bytes, width) {
                prop_assert_eq!(bundle.iter().count(), usize::from(width));
            }
        }
    }
}
