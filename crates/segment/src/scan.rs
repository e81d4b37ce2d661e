//! Finding where things end in JSON text: just enough to cut members out.
//!
//! Nothing is validated. Whoever cuts puts exactly the same bytes back, so a place that was found
//! wrongly costs space and never a byte. Strict reading is `event`'s.

use memchr::memchr2;

/// The position behind the closing quote of the string whose first byte is at `at`.
pub(crate) fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        // A backslash and whatever it escapes.
        at += 2;
    }
}

/// The position behind the value that starts at `at`.
pub(crate) fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at + 1),
        b'{' | b'[' => nested_end(bytes, at),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']');
            let length = bytes.get(at..)?.iter().position(ends)?;
            (length > 0).then_some(at + length)
        }
    }
}

/// The position behind the bracket that closes the one at `at`.
fn nested_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at + 1)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_end_where_they_end() {
        for (text, end) in [
            (r#""a\"b",1"#, 6),
            (r#""a\\",1"#, 5),
            (r#"{"a":["}",{}]},1"#, 14),
            ("12.50}", 5),
            ("null,", 4),
            ("[],", 2),
        ] {
            assert_eq!(value_end(text.as_bytes(), 0), Some(end), "{text}");
        }
        for text in ["", "12", "\"a", "\"a\\", "{\"a\":1", "[", ",", "}"] {
            assert_eq!(value_end(text.as_bytes(), 0), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ends_of_arbitrary_bytes_lie_within_them(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), proptest::sample::select(b"{}[]\"\\,:1".to_vec())], 0..60),
            at in 0_usize..70,
        ) {
            if let Some(end) = value_end(&bytes, at) {
                prop_assert!(end > at && end <= bytes.len());
            }
        }
    }
}
