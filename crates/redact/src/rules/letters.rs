//! Classes of bytes that keys consist of, as sets in one table.
//!
//! Not here: what a key looks like (`forms`).

/// A set of classes of bytes.
pub(crate) type Class = u16;

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
pub(super) const TILDE: Class = 2048;
pub(super) const COLON: Class = 4096;
const EXCLAMATION: Class = 8192;
const FOREIGN: Class = 16384;

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
/// Base64 of either alphabet, without its padding.
pub(crate) const ANY_BASE64: Class = BASE64_URL | PLUS_SLASH;
/// What names consist of, letters that are not ASCII too.
pub(super) const NAME: Class = BASE64_URL | DOT | FOREIGN;
/// What stands within keys that no prefix gives away.
pub(super) const KEY: Class = BASE64_URL | PLUS_SLASH | TILDE | DOT | EXCLAMATION;
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
            b'~' => TILDE,
            b':' => COLON,
            b'!' => EXCLAMATION,
            0x80.. => FOREIGN,
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
#[inline]
pub(super) fn run(bytes: &[u8], class: Class, max: usize) -> usize {
    let bytes = bytes.get(..max).unwrap_or(bytes);
    bytes.iter().position(|byte| !is(*byte, class)).unwrap_or(bytes.len())
}

/// How many bytes at the end belong to the classes; looks at `max` at most.
#[inline]
pub(super) fn run_back(bytes: &[u8], class: Class, max: usize) -> usize {
    let bytes = bytes.get(bytes.len().saturating_sub(max)..).unwrap_or(bytes);
    bytes.iter().rev().position(|byte| !is(*byte, class)).unwrap_or(bytes.len())
}

/// How many bytes from `at` on are as asked; looks at `max` at most.
#[inline]
pub(super) fn span(bytes: &[u8], at: usize, max: usize, is: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take(max).take_while(|byte| is(**byte)).count()
}

/// True when every byte belongs to the classes.
pub(super) fn all(bytes: &[u8], class: Class) -> bool {
    bytes.iter().all(|byte| is(*byte, class))
}

/// The first run of `min` or more bytes of the classes from `from` on. `from` is no inner byte of a
/// run. Where no run is so long, most bytes are not looked at.
pub(crate) fn next_run(
    bytes: &[u8],
    from: usize,
    class: Class,
    min: usize,
) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let probe = at + min - 1;
        if !is(*bytes.get(probe)?, class) {
            at = probe + 1;
            continue;
        }
        let start = probe - run_back(bytes.get(at..probe)?, class, min);
        let end = probe + run(bytes.get(probe..)?, class, usize::MAX);
        if end - start >= min {
            return Some((start, end));
        }
        at = end + 1;
    }
}

/// Classes that runs are remembered of.
const KEPT: usize = 16;

/// Where the last run of some classes began and ended. Hostile texts begin a key every few bytes of
/// one run; its bytes are walked once.
#[derive(Default)]
pub(super) struct Runs {
    runs: [(Class, usize, usize); KEPT],
    next: usize,
}

impl Runs {
    /// Where the run of the classes that goes through `at` ends.
    pub(super) fn end(&mut self, bytes: &[u8], class: Class, at: usize) -> usize {
        let kept = self.runs.iter().position(|(own, ..)| *own == class);
        let slot = kept.unwrap_or_else(|| {
            self.next = (self.next + 1) % KEPT;
            self.next
        });
        let Some(last) = self.runs.get_mut(slot) else { return at };
        let (own, start, end) = *last;
        if own == class && (start..=end).contains(&at) {
            return end;
        }
        let end = at + run(bytes.get(at..).unwrap_or_default(), class, usize::MAX);
        *last = (class, at, end);
        end
    }
}
