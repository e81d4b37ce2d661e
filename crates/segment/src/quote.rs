//! The one canonical text of a JSON string: what `event` writes, and what a placeholder stands for.
//!
//! Persisted bytes depend on every rule here, so none is left to a library. Not a JSON parser:
//! reading an escaped string back is serde_json's.

/// True when a JSON string holds these bytes as they are.
pub(crate) fn is_plain(text: &str) -> bool {
    // Without an early return the loop compiles to vector instructions.
    text.bytes().fold(true, |plain, byte| plain & (byte >= 0x20 && byte != b'"' && byte != b'\\'))
}

/// Appends `text` as a JSON string: `"`, `\` and control characters escaped, by their short form
/// where JSON has one and as `\u00xx` in lower case otherwise; everything else as it is.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.bytes().for_each(|byte| write_escaped(byte, out));
    }
    out.push(b'"');
}

fn write_escaped(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x00..=0x1f => {
            let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
            return;
        }
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_escape_has_one_spelling() {
        assert_eq!(quoted("a\"b\\c/d"), r#""a\"b\\c/d""#);
        assert_eq!(quoted("\u{8}\u{c}\n\r\t"), r#""\b\f\n\r\t""#);
        assert_eq!(quoted("\0\u{1a}\u{1f}\u{7f}é😀"), "\"\\u0000\\u001a\\u001f\u{7f}é😀\"");
    }

    proptest! {
        #[test]
        fn agrees_with_what_event_writes(text: String) {
            // `event` writes strings through serde_json.
            prop_assert_eq!(quoted(&text), serde_json::to_string(&text).unwrap());
        }
    }
}
