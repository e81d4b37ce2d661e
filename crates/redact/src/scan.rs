//! The fast road: one look at every byte that says which rule families may find something.
//!
//! It reads raw JSON text as well as decoded text, never allocates, and may say yes too often but
//! never no wrongly: whatever a rule of `rules` can match contains one of the anchors below. An
//! anchor is a byte that is rare in ordinary text and ids, confirmed by its neighbours.

use crate::rules::{names, names_end};

/// A set of rule families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Families(u8);

impl Families {
    pub(crate) const PRIVATE_KEYS: Self = Self(1);
    pub(crate) const PROVIDER_KEYS: Self = Self(2);
    pub(crate) const TOKENS: Self = Self(4);
    /// Passwords in URLs and e-mail addresses: both hang on an `@`.
    pub(crate) const ADDRESSES: Self = Self(8);
    pub(crate) const CARDS: Self = Self(16);
    /// Assignments, headers and members with a name that says so.
    pub(crate) const NAMES: Self = Self(32);
    /// Escapes that may hide any of the others in raw JSON text.
    pub(crate) const ESCAPES: Self = Self(64);
    #[cfg(test)]
    pub(crate) const ALL: Self = Self(127);

    pub(crate) fn has(self, family: Self) -> bool {
        self.0 & family.0 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Nothing that a rule knows is shorter than this (`a@b.co`).
const SECRET_BYTES_MIN: usize = 6;

/// Digits of the shortest card number. Whatever is at least this long meets one of the samples.
const CARD_DIGITS_MIN: usize = 13;

/// Bytes looked at in one step: what the registers of every x86-64 and 64-bit ARM hold.
const BLOCK_BYTES: usize = 16;

const DIGIT: u8 = 2;
const SEPARATOR: u8 = 4;
const NOT_HEX: u8 = 8;

/// What each byte may be part of.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut digit = b'0';
    while digit <= b'9' {
        classes[digit as usize] |= DIGIT;
        digit += 1;
    }
    let mut byte = 0;
    while byte < classes.len() {
        if !(byte as u8).is_ascii_hexdigit() && byte as u8 != b'-' {
            classes[byte] |= NOT_HEX;
        }
        byte += 1;
    }
    classes[b' ' as usize] |= SEPARATOR;
    classes[b'-' as usize] |= SEPARATOR;
    classes
}

fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// The families whose rules may find something in `bytes`.
pub(crate) fn families(bytes: &[u8]) -> Families {
    let mut families = Families::default();
    if bytes.len() < SECRET_BYTES_MIN {
        return families;
    }
    let (blocks, tail) = bytes.as_chunks::<BLOCK_BYTES>();
    for (number, block) in blocks.iter().enumerate() {
        families.add(confirm_all(bytes, number * BLOCK_BYTES, anchors(block)));
    }
    if !tail.is_empty() {
        let (start, anchors) = last_anchors(bytes, tail.len());
        families.add(confirm_all(bytes, start, anchors));
    }
    if has_long_number(bytes) {
        families.add(Families::CARDS);
    }
    families
}

/// True for the anchors `@ = : \\ - _ % J K S G z b B`, and for some bytes that share all but a bit
/// or two with them (`` ` ] ^ C W ``), which [`confirm`] turns down. Without branches and tables,
/// so that the bytes of a block are looked at side by side.
#[inline(always)]
fn may_be_anchor(byte: u8) -> bool {
    (byte & 0xDD == b'@')
        | (byte & 0xFE == b'J')
        | (byte & 0xEB == b'C')
        | (byte & 0xFC == b'\\')
        | (byte & 0xBF == b':')
        | (byte & 0xF7 == b'%')
        | (byte == b'=')
}

/// One bit in each byte of the block at which an anchor may stand.
#[inline(always)]
fn anchors(block: &[u8; BLOCK_BYTES]) -> u128 {
    let mut marks = [0; BLOCK_BYTES];
    for (mark, byte) in marks.iter_mut().zip(block) {
        *mark = u8::from(may_be_anchor(*byte));
    }
    u128::from_le_bytes(marks)
}

/// The anchors in the `count` bytes at the end of `bytes` that are no whole block, and where they
/// are counted from.
#[inline(always)]
fn last_anchors(bytes: &[u8], count: usize) -> (usize, u128) {
    if let Some(block) = bytes.last_chunk::<BLOCK_BYTES>() {
        let known = (BLOCK_BYTES - count) * 8;
        return (bytes.len() - BLOCK_BYTES, anchors(block) >> known << known);
    }
    (0, anchors(&short_block(bytes)))
}

/// Fewer bytes than a block, and zeros behind them.
#[inline(always)]
fn short_block(bytes: &[u8]) -> [u8; BLOCK_BYTES] {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let last = u128::from(u64::from_le_bytes(*last)) << ((bytes.len() - 8) * 8);
        return (u128::from(u64::from_le_bytes(*first)) | last).to_le_bytes();
    }
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    block
}

/// What the anchors of the block at `start` are part of.
#[inline]
fn confirm_all(bytes: &[u8], start: usize, mut anchors: u128) -> Families {
    let mut families = Families::default();
    while anchors != 0 {
        families.add(confirm(bytes, start + anchors.trailing_zeros() as usize / 8));
        anchors &= anchors - 1;
    }
    families
}

/// True for the usual form of an id, which holds nothing that a rule could know.
pub(crate) fn is_uuid(bytes: &[u8]) -> bool {
    let Ok(bytes) = <&[u8; 36]>::try_from(bytes) else { return false };
    let hyphens = bytes[8] == b'-' && bytes[13] == b'-' && bytes[18] == b'-' && bytes[23] == b'-';
    hyphens && bytes.iter().fold(0, |all, byte| all | class(*byte)) & NOT_HEX == 0
}

/// Looks at the neighbours of the anchor at `at`.
fn confirm(bytes: &[u8], at: usize) -> Families {
    let Some((before, rest)) = bytes.split_at_checked(at) else { return Families::default() };
    let Some((anchor, after)) = rest.split_first() else { return Families::default() };
    let (yes, family) = match anchor {
        b':' | b'=' => {
            let end = names_end(bytes, at);
            let secret = names::may_end_secret_name(bytes, end) || names_a_value(bytes, end);
            (secret, Families::NAMES)
        }
        b'-' => return confirm_hyphen(before, after),
        b'_' => {
            let known = UNDERSCORE_ENDINGS.may_end(before);
            (known && ends_with_prefix(before, UNDERSCORE_PREFIXES), Families::PROVIDER_KEYS)
        }
        b'@' => (is_inner(before.last()), Families::ADDRESSES),
        b'%' => (after.starts_with(b"40"), Families::ADDRESSES),
        b'\\' => (hides_ascii(after), Families::ESCAPES),
        b'J' => (before.ends_with(b"ey"), Families::TOKENS),
        b'K' | b'S' => {
            (before.ends_with(b"A") && after.starts_with(b"IA"), Families::PROVIDER_KEYS)
        }
        b'G' => (before.ends_with(b"S") && after.starts_with(b"."), Families::PROVIDER_KEYS),
        b'z' => (before.ends_with(b"AI") && after.starts_with(b"a"), Families::PROVIDER_KEYS),
        b'b' | b'B' => {
            let word = after.get(..4).unwrap_or_default();
            let scheme = word.eq_ignore_ascii_case(b"eare") || word.eq_ignore_ascii_case(b"asic");
            (scheme, Families::TOKENS)
        }
        _ => (false, Families::default()),
    };
    if yes { family } else { Families::default() }
}

/// True when the name that ends at `end` is `value` (or `stringValue`) and what stands right before
/// it, the value of `name` in `{"name":"api_key","value":"..."}`, may be a secret name.
fn names_a_value(bytes: &[u8], end: usize) -> bool {
    let before = bytes.get(..end).unwrap_or_default();
    let Some(lead) = before.len().checked_sub(5).and_then(|at| before.split_at_checked(at)) else {
        return false;
    };
    if !lead.1.eq_ignore_ascii_case(b"value") {
        return false;
    }
    // `","`, with whatever blanks and escapes stand between.
    let (mut key, mut comma) = (lead.0, false);
    for _ in 0..16 {
        key = match key {
            [rest @ .., b'\\', b'n' | b't'] => rest,
            [rest @ .., b'"' | b'\\' | b' ' | b'\n' | b'\t'] => rest,
            [rest @ .., b','] if !comma => {
                comma = true;
                rest
            }
            _ => break,
        };
    }
    comma && names::may_end_secret_name(key, key.len())
}

/// Prefixes of keys that end in a hyphen or an underscore.
const HYPHEN_PREFIXES: &[&[u8]] = &[
    b"sk", b"xoxa", b"xoxb", b"xoxe", b"xoxo", b"xoxp", b"xoxr", b"xoxs", b"xapp", b"glpat",
    b"gldt", b"glrt", b"glptt", b"pypi", b"xai", b"pplx", b"nvapi", b"tvly", b"GOCSPX",
];
const UNDERSCORE_PREFIXES: &[&[u8]] = &[
    b"ghp", b"gho", b"ghu", b"ghs", b"ghr", b"github", b"sk", b"rk", b"whsec", b"hf", b"npm",
    b"gsk", b"r8", b"lsv2", b"dop",
];

/// The last two bytes of some prefixes: for the last one, a bit for what the one before may end in.
struct Endings([u8; 256]);

static HYPHEN_ENDINGS: Endings = Endings::of(HYPHEN_PREFIXES);
static UNDERSCORE_ENDINGS: Endings = Endings::of(UNDERSCORE_PREFIXES);

impl Endings {
    /// Of prefixes of two bytes or more.
    const fn of(prefixes: &[&[u8]]) -> Self {
        let (mut endings, mut at) = ([0; 256], 0);
        while at < prefixes.len() {
            let prefix = prefixes[at];
            endings[prefix[prefix.len() - 1] as usize] |= 1 << (prefix[prefix.len() - 2] % 8);
            at += 1;
        }
        Self(endings)
    }

    /// False for most texts that end in none of the prefixes.
    fn may_end(&self, text: &[u8]) -> bool {
        matches!(text, [.., before, last] if self.0[usize::from(*last)] >> (before % 8) & 1 == 1)
    }
}

fn confirm_hyphen(before: &[u8], after: &[u8]) -> Families {
    if before.last() == Some(&b'-') && (after.starts_with(b"BEGIN") || after.starts_with(b"END")) {
        return Families::PRIVATE_KEYS;
    }
    if HYPHEN_ENDINGS.may_end(before) && ends_with_prefix(before, HYPHEN_PREFIXES) {
        return Families::PROVIDER_KEYS;
    }
    Families::default()
}

/// True when one of the prefixes stands at the end of `before` and at the beginning of its word.
/// After a backslash the letter of an escape (`\n`) does not belong to the word.
fn ends_with_prefix(before: &[u8], prefixes: &[&[u8]]) -> bool {
    let Some(last) = before.last() else { return false };
    prefixes.iter().any(|prefix| {
        prefix.last() == Some(last)
            && before.strip_suffix(*prefix).is_some_and(|lead| {
                let mut lead = lead.iter().rev();
                match lead.next() {
                    Some(b) if b.is_ascii_alphanumeric() => lead.next() == Some(&b'\\'),
                    _ => true,
                }
            })
    })
}

/// A byte that may stand directly before the `@` of an address or after a password.
fn is_inner(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| *b > b' ' && *b != b'"')
}

/// True when what follows the backslash may be an ASCII character in disguise.
fn hides_ascii(after: &[u8]) -> bool {
    match after {
        [b'/', ..] => true,
        [b'u', b'0', b'0', digit, ..] => (b'0'..=b'7').contains(digit),
        _ => false,
    }
}

/// True when digits, one separator apart at most, add up to a card number somewhere. Looks at every
/// thirteenth byte, and around it where it belongs to a number.
fn has_long_number(bytes: &[u8]) -> bool {
    let numeric = |byte: &&u8| class(**byte) & (DIGIT | SEPARATOR) != 0;
    let is_digit = |byte: &&u8| class(**byte) & DIGIT != 0;
    let (mut floor, mut at) = (0, CARD_DIGITS_MIN - 1);
    while let Some(byte) = bytes.get(at) {
        if !numeric(&byte) {
            at += CARD_DIGITS_MIN;
            continue;
        }
        let before = bytes.get(floor..at).unwrap_or_default().iter().rev().take_while(numeric);
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(numeric).count();
        let after = rest.iter().take(length).filter(is_digit).count();
        if before.filter(is_digit).count() + after >= CARD_DIGITS_MIN {
            return true;
        }
        floor = at + length;
        at = floor + CARD_DIGITS_MIN;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_anchor_is_one_and_little_else_is() {
        for byte in b"@=:\\-_%JKSGzbB" {
            assert!(may_be_anchor(*byte), "{byte}");
        }
        assert_eq!((0..=255).filter(|byte| may_be_anchor(*byte)).count(), 14 + 5);
    }

    #[test]
    fn a_short_block_is_what_it_was_made_of() {
        let bytes: Vec<u8> = (1..16).collect();
        for length in 0..16 {
            let (block, made_of) = (short_block(&bytes[..length]), &bytes[..length]);
            assert_eq!(block.split_at(length), (made_of, &[0; 16][length..]));
        }
    }

    #[test]
    fn every_prefix_ends_as_prefixes_end() {
        for (endings, prefixes) in
            [(&HYPHEN_ENDINGS, HYPHEN_PREFIXES), (&UNDERSCORE_ENDINGS, UNDERSCORE_PREFIXES)]
        {
            assert!(prefixes.iter().all(|prefix| endings.may_end(prefix)));
        }
    }

    /// Byte by byte: what the blocks must come to.
    fn one_by_one(bytes: &[u8]) -> Families {
        let mut families = Families::default();
        if bytes.len() >= SECRET_BYTES_MIN {
            for at in (0..bytes.len()).filter(|at| may_be_anchor(bytes[*at])) {
                families.add(confirm(bytes, at));
            }
            if has_long_number(bytes) {
                families.add(Families::CARDS);
            }
        }
        families
    }

    proptest! {
        #[test]
        fn blocks_find_what_bytes_find(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "@", "=", ":", "\\u0041", "-", "_", "%40", "eyJ", "AKIA", "ASIA", "SG.", "AIza",
                    "Bearer ", "basic", "sk", "ghp", "password", "key", "x", "ab", "1234", " ", "é",
                ]),
                0..24,
            )
        ) {
            let text = pieces.concat();
            for start in (0..text.len().min(20)).filter(|at| text.is_char_boundary(*at)) {
                let bytes = &text.as_bytes()[start..];
                prop_assert_eq!(families(bytes), one_by_one(bytes));
            }
        }
    }
}
