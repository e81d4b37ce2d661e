//! Plain text: what a JSON string holds as it is, without an escape.
//!
//! Nearly every string that arrives is plain, and every byte is asked about more than once on its
//! way into the log, so the question is answered for eight bytes at a time. What is not plain takes
//! the slow road through serde_json.

/// One of each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The high bit of each byte of a word.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks bytes of a little-endian word that are a quote, a backslash or a control character. The
/// lowest mark is exact; marks above it may be wrong (Anderson, "Bit Twiddling Hacks", "hasless").
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let marks = (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
        | (word.wrapping_sub(ONES * 0x20) & !word);
    marks & HIGH
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// True when a JSON string holds these bytes as they are.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let marks = words.iter().fold(0, |marks, word| marks | special(u64::from_le_bytes(*word)));
    let tail = match (bytes.last_chunk::<8>(), rest.is_empty()) {
        (_, true) => 0,
        (Some(last), false) => special(u64::from_le_bytes(*last)),
        (None, false) => u64::from(rest.iter().any(|byte| is_special(*byte))),
    };
    marks | tail == 0
}

/// The position of the quote that ends the plain text from `at` on; `None` when it holds an escape
/// or a control character, or does not end.
pub(crate) fn end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let marks = special(u64::from_le_bytes(*word));
        if marks != 0 {
            at += marks.trailing_zeros() as usize / 8;
            return (bytes.get(at) == Some(&b'"')).then_some(at);
        }
        at += 8;
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
