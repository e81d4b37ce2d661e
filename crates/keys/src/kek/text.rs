//! The one line that a KEK is written as: `tachograph-kek-v1:` and 32 bytes in base64 (RFC 4648,
//! section 4, padded). Read from a file, an environment variable or the output of a command.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::KekError;
use crate::SecretKey;

/// What the line begins with.
pub(super) const PREFIX: &str = "tachograph-kek-v1:";

/// Most bytes that are read while looking for the line. The line has 63; the rest is room to tell
/// "too much" from "not a key".
pub(super) const INPUT_MAX_BYTES: usize = 4096;

/// Base64 digits of 32 bytes, padding included.
const DIGITS: usize = 44;

/// The key in `bytes`: exactly one line, with or without its line end. `place` is for the error.
pub(super) fn parse(bytes: &[u8], place: &str) -> Result<SecretKey, KekError> {
    parse_as(PREFIX, bytes, place)
}

/// The same of a line that begins with another word.
pub(super) fn parse_as(prefix: &str, bytes: &[u8], place: &str) -> Result<SecretKey, KekError> {
    let refuse = |reason| KekError::Malformed { place: place.to_owned(), reason };
    if bytes.len() > INPUT_MAX_BYTES {
        return Err(refuse("it is longer than one key"));
    }
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(refuse("it is empty"));
    }
    if line.contains(&b'\n') {
        return Err(refuse("it has more than one line"));
    }
    let Some(digits) = line.strip_prefix(prefix.as_bytes()) else {
        let any_version = prefix.trim_end_matches("1:");
        let known = line.starts_with(any_version.as_bytes());
        return Err(refuse(if known {
            "its version is unknown, a newer tacho may have made it"
        } else {
            "it does not begin as such a line does"
        }));
    };
    if digits.len() != DIGITS {
        return Err(refuse("the part after the colon is not 44 characters long"));
    }
    // One byte more than the key: the decoder wants room for 44 digits without padding.
    let mut decoded = Zeroizing::new([0_u8; 33]);
    match STANDARD.decode_slice(digits, decoded.as_mut_slice()) {
        Ok(32) => {}
        Ok(_) | Err(_) => return Err(refuse("the part after the colon is not base64 of 32 bytes")),
    }
    let mut key = Zeroizing::new([0_u8; 32]);
    key.copy_from_slice(&decoded[..32]);
    Ok(SecretKey::take(&mut key))
}

/// The line for `key`, line end included.
#[cfg(test)]
pub(super) fn render(key: &SecretKey) -> Zeroizing<String> {
    render_as(PREFIX, key)
}

/// The same for a line that begins with another word.
pub(super) fn render_as(prefix: &str, key: &SecretKey) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(prefix.len() + DIGITS + 1));
    line.push_str(prefix);
    STANDARD.encode_string(key.expose(), &mut line);
    line.push('\n');
    line
}

/// Reads to the end, or one byte past [`INPUT_MAX_BYTES`] (which [`parse`] refuses), into a buffer
/// that never grows: growing would leave a copy of the key in freed memory.
pub(super) fn read_bounded(mut reader: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0_u8; INPUT_MAX_BYTES + 1]);
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn line_round_trips(bytes: [u8; 32]) {
            let key = SecretKey::new(bytes);
            let line = render(&key);
            prop_assert_eq!(line.len(), PREFIX.len() + DIGITS + 1);
            prop_assert_eq!(parse(line.as_bytes(), "test").unwrap(), key);
        }

        #[test]
        fn parsing_arbitrary_bytes_never_panics(
            tail in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let _ = parse(&tail, "test");
            let mut line = PREFIX.as_bytes().to_vec();
            line.extend_from_slice(&tail);
            let _ = parse(&line, "test");
        }
    }

    #[test]
    fn line_end_is_optional_and_nothing_else_is() {
        let line = render(&SecretKey::new([1; 32])).trim_end().to_owned();
        for good in [line.clone(), format!("{line}\n"), format!("{line}\r\n")] {
            assert!(parse(good.as_bytes(), "test").is_ok(), "{good:?}");
        }
        let bad = [
            String::new(),
            "\n".into(),
            format!("{line}\n\n"),
            format!(" {line}"),
            format!("{line} "),
            format!("{line}\n{line}"),
            line[..line.len() - 1].to_owned(),
            line.replace("-v1:", "-v2:"),
            line.replace('=', "A"),
            line.replace('A', "-"),
            "x".repeat(INPUT_MAX_BYTES + 1),
        ];
        for text in bad {
            assert!(parse(text.as_bytes(), "test").is_err(), "{text:?}");
        }
    }
}
