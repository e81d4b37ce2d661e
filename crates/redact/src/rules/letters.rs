//! Classes of bytes that keys consist of, as sets in one table.
//!
//! Not here: what a key looks like (`forms`).

/// A set of classes of bytes.
pub(super) type Class = u16;

pub(super) const DIGIT: Class = 1;
const LOWER_HEX: Class = 2;
const LOWER: Class = 4;
const UPPER_HEX: Class = 8;
const UPPER_REST: Class = 16;
pub(super) const HYPHEN: Class = 32;
pub(super) const UNDERSCORE: Class = 64;
pub(super) const DOT: Class = 128;
const PLUS_SLASH: Class = 256;
pub(super) const EQUALS: Class = 512;
pub(super) const PERCENT: Class = 1024;

pub(super) const HEX: Class = DIGIT | LOWER_HEX;
pub(super) const ANY_HEX: Class = HEX | UPPER_HEX;
pub(super) const UPPER: Class = UPPER_HEX | UPPER_REST;
pub(super) const UPPER_DIGIT: Class = DIGIT | UPPER;
pub(super) const ALPHANUMERIC: Class = UPPER_DIGIT | LOWER_HEX | LOWER;
/// Base64 for URLs (RFC 4648, section 5).
pub(super) const BASE64_URL: Class = ALPHANUMERIC | HYPHEN | UNDERSCORE;
/// Base64, padded.
pub(super) const BASE64: Class = ALPHANUMERIC | PLUS_SLASH | EQUALS;
pub(super) const WORD: Class = ALPHANUMERIC | UNDERSCORE;
/// What the path of a webhook consists of; the slash brings the plus with it.
pub(super) const PATH: Class = WORD | HYPHEN | PLUS_SLASH;

static CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < classes.len() {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => LOWER_HEX,
            b'g'..=b'z' => LOWER,
            b'A'..=b'F' => UPPER_HEX,
            b'G'..=b'Z' => UPPER_REST,
            b'-' => HYPHEN,
            b'_' => UNDERSCORE,
            b'.' => DOT,
            b'+' | b'/' => PLUS_SLASH,
            b'=' => EQUALS,
            b'%' => PERCENT,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

/// True when the byte belongs to one of the classes.
#[inline]
pub(super) fn is(byte: u8, class: Class) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|own| own & class != 0)
}

/// How many bytes at the beginning belong to the classes; looks at `max` at most.
pub(super) fn run(bytes: &[u8], class: Class, max: usize) -> usize {
    bytes.iter().take(max).take_while(|byte| is(**byte, class)).count()
}

/// How many bytes at the end belong to the classes; looks at `max` at most.
pub(super) fn run_back(bytes: &[u8], class: Class, max: usize) -> usize {
    bytes.iter().rev().take(max).take_while(|byte| is(**byte, class)).count()
}

/// True when every byte belongs to the classes.
pub(super) fn all(bytes: &[u8], class: Class) -> bool {
    bytes.iter().all(|byte| is(*byte, class))
}
