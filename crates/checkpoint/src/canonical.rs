//! The one spelling of base64 and of decimal numbers.
//!
//! Every signed byte has to have exactly one spelling: a second one would let two different texts
//! carry the same claim. Used by every parser of this crate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use merkle::Hash;

/// Standard base64 with padding (RFC 4648 section 4).
pub(crate) fn encode_base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Reads standard base64; wrong padding and trailing bits that are not zero are refused.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads the base64 of a tree hash: 44 characters.
pub(crate) fn decode_hash(text: &str) -> Option<Hash> {
    // The length is checked first so that no long line is decoded for nothing.
    let bytes = (text.len() == 44).then(|| decode_base64(text)).flatten()?;
    Hash::try_from(bytes.as_slice()).ok()
}

/// Reads a decimal number without sign, leading zeros or separators.
pub(crate) fn decode_decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    (digits && canonical).then(|| text.parse().ok()).flatten()
}

/// The beginning of a text for an error message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_canonical_base64_is_read() {
        assert_eq!(decode_base64("AA=="), Some(vec![0]));
        for text in ["AA", "AA=", "AB==", "A===", "AA==\n", " AA==", "AA= =", "AA===", "-_==", "="]
        {
            assert_eq!(decode_base64(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_canonical_decimals_are_read() {
        assert_eq!(decode_decimal("0"), Some(0));
        assert_eq!(decode_decimal("18446744073709551615"), Some(u64::MAX));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "18446744073709551616", "१"] {
            assert_eq!(decode_decimal(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_back_the_same(text in "[A-Za-z0-9+/=]{0,12}") {
            if let Some(bytes) = decode_base64(&text) {
                prop_assert_eq!(encode_base64(bytes), text);
            }
        }
    }
}
