//! Plain text: what a JSON string holds as it is, without an escape.
//!
//! Nearly every string that arrives is plain, and every byte is asked about more than once on its
//! way into the log, so the question is answered for sixteen bytes at a time. What is not plain
//! takes the slow road through serde_json.

use wide::u8x16;

/// Bytes looked at in one step: what the registers of every x86-64 and 64-bit ARM hold.
const BLOCK_BYTES: usize = 16;

/// A bit for every byte that is a quote, a backslash or a control character; the lowest is that of
/// the first byte.
#[inline(always)]
fn special(block: [u8; BLOCK_BYTES]) -> u32 {
    let bytes = u8x16::new(block);
    let control = bytes.min(u8x16::splat(0x1F)).simd_eq(bytes);
    let quote = bytes.simd_eq(u8x16::splat(b'"'));
    let backslash = bytes.simd_eq(u8x16::splat(b'\\'));
    (control | quote | backslash).to_bitmask()
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// True when a JSON string holds these bytes as they are.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<BLOCK_BYTES>() else { return is_plain_short(bytes) };
    let (blocks, _) = bytes.as_chunks::<BLOCK_BYTES>();
    blocks.iter().fold(special(*last), |marks, block| marks | special(*block)) == 0
}

/// The same for less than a block: of eight bytes or more the first and the last eight.
#[inline]
fn is_plain_short(bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) else {
        return !bytes.iter().any(|byte| is_special(*byte));
    };
    let both = u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << 64;
    special(both.to_le_bytes()) == 0
}

/// The position of the quote that ends the plain text from `at` on; `None` when it holds an escape
/// or a control character, or does not end.
#[inline]
pub(crate) fn end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK_BYTES>) {
        let marks = special(*block);
        if marks != 0 {
            at += marks.trailing_zeros() as usize;
            return (bytes.get(at) == Some(&b'"')).then_some(at);
        }
        at += BLOCK_BYTES;
    }
    let rest = bytes.get(at..)?;
    at += rest.iter().position(|byte| is_special(*byte))?;
    (bytes.get(at) == Some(&b'"')).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_at_every_place_is_told() {
        for length in 0..40 {
            for place in 0..length {
                for byte in 0..=255_u8 {
                    let mut bytes = vec![b'x'; length];
                    bytes[place] = byte;
                    assert_eq!(is_plain(&bytes), !is_special(byte), "{byte} at {place}");
                    let found = (byte == b'"').then_some(place);
                    assert_eq!(end(&bytes, 0), found, "{byte} at {place}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_first_special_byte_decides(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let first = bytes.iter().position(|byte| is_special(*byte));
            prop_assert_eq!(is_plain(&bytes), first.is_none());
            prop_assert_eq!(end(&bytes, 0), first.filter(|at| bytes[*at] == b'"'));
        }
    }
}
