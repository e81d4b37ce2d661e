//! The fast road: one look at every byte that says which rule families may find something.
//!
//! It reads raw JSON text as well as decoded text, never allocates, and may say yes too often but
//! never no wrongly: whatever a rule of `rules` can match contains one of the anchors below. An
//! anchor is a byte that is rare in ordinary text and ids, confirmed by its neighbours.

mod capitals;
mod marks;
mod numbers;
mod prefixes;

use crate::rules::{RUN_BYTES_MIN, names, names_end, pairs};
use marks::{BLOCK_BITS, BLOCK_BITS_AWAY, BLOCK_BYTES, marks, may_have_number, short_block};

/// A set of rule families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Families(u16);

impl Families {
    pub(crate) const PRIVATE_KEYS: Self = Self(1);
    /// Keys with a prefix.
    pub(crate) const KEYS: Self = Self(2);
    pub(crate) const TOKENS: Self = Self(4);
    /// Passwords in URLs and e-mail addresses: both hang on an `@`.
    pub(crate) const ADDRESSES: Self = Self(8);
    /// Cards and identity numbers.
    pub(crate) const NUMBERS: Self = Self(16);
    /// Assignments, headers and members with a name that says so; connection strings.
    pub(crate) const NAMES: Self = Self(32);
    /// Escapes that may hide any of the others in raw JSON text.
    pub(crate) const ESCAPES: Self = Self(64);
    /// Long runs of letters and digits: keys without a prefix, base64.
    pub(crate) const WORDS: Self = Self(128);
    /// Keys that a rare sign inside gives away.
    pub(crate) const SIGNS: Self = Self(256);
    pub(crate) const IBAN: Self = Self(512);
    pub(crate) const COMMANDS: Self = Self(1024);
    /// Bytes written as `%41`.
    pub(crate) const PERCENT: Self = Self(2048);
    /// Whatever has a few digits: telephone numbers, addresses, places, dates.
    pub(crate) const PERSONAL: Self = Self(4096);
    pub(crate) const ALL: Self = Self(8191);

    pub(crate) fn has(self, family: Self) -> bool {
        self.0 & family.0 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn only(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    pub(crate) fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Nothing that a rule knows is shorter than this (`a@b.co`).
pub(crate) const SECRET_BYTES_MIN: usize = 6;

/// Digits that a text must have for the family of personal data.
const PERSONAL_DIGITS_MIN: usize = 4;

/// A number of fifteen bytes with a joint between any two digits has so many in one of its blocks.
const BLOCK_DIGITS_MIN: usize = 4;

/// Those of the `wanted` families whose rules may find something in `bytes`.
pub(crate) fn families(bytes: &[u8], wanted: Families) -> Families {
    look_over::<false>(bytes, wanted)
}

/// True when no rule of the `wanted` families may find anything in `bytes`.
pub(crate) fn is_clean(bytes: &[u8], wanted: Families) -> bool {
    look_over::<true>(bytes, wanted).is_empty()
}

/// Looks until nothing is left to learn: `ANY` asks only whether there is a family at all.
fn look_over<const ANY: bool>(bytes: &[u8], wanted: Families) -> Families {
    let mut families = Families::default();
    if bytes.len() < SECRET_BYTES_MIN {
        return families;
    }
    let (blocks, tail) = bytes.as_chunks::<BLOCK_BYTES>();
    let (mut run, mut digits, mut seen) = (0, 0, 0);
    let mut look = |block: &[u8; BLOCK_BYTES], start: usize| {
        let marks = marks(block);
        let before = bytes.get(..start).unwrap_or_default();
        let mut anchors = marks.likely_anchors(block, before, wanted.without(families));
        while anchors != 0 {
            let at = start + anchors.trailing_zeros() as usize;
            anchors &= anchors - 1;
            let leads_to = bytes.get(at).map_or(Families::default(), |byte| leads_to(*byte));
            let missing = wanted.without(families).only(leads_to);
            if !missing.is_empty() {
                families.add(confirm(bytes, at, missing).only(wanted));
            }
        }
        if run + (marks.stops | !BLOCK_BITS).trailing_zeros() as usize >= RUN_BYTES_MIN {
            families.add(Families::WORDS.only(wanted));
        }
        let trail = (marks.stops << BLOCK_BITS_AWAY).leading_zeros() as usize;
        run = if marks.stops == 0 { run + BLOCK_BYTES } else { trail };
        if marks.digits != 0 {
            let count = marks.digits.count_ones() as usize;
            digits += count;
            if count >= BLOCK_DIGITS_MIN
                && wanted.without(families).has(Families::NUMBERS)
                && may_have_number(block)
                && numbers::has_number(bytes, start, BLOCK_BYTES, &mut seen)
            {
                families.add(Families::NUMBERS);
            }
        }
        if digits >= PERSONAL_DIGITS_MIN {
            families.add(Families::PERSONAL.only(wanted));
        }
        families == wanted || (ANY && !families.is_empty())
    };
    let last = short_block(tail);
    let last = (!tail.is_empty()).then_some(&last);
    for (number, block) in blocks.iter().chain(last).enumerate() {
        if look(block, number * BLOCK_BYTES) {
            return families;
        }
    }
    if run >= RUN_BYTES_MIN {
        families.add(Families::WORDS.only(wanted));
    }
    families
}

/// Bytes of a UUID as text, and where its hyphens stand, with all bits of their bytes set.
const UUID_BYTES: usize = 36;
const UUID_HYPHENS: [u8; UUID_BYTES] = {
    let mut places = [0; UUID_BYTES];
    (places[8], places[13], places[18], places[23]) = (0xFF, 0xFF, 0xFF, 0xFF);
    places
};

/// All bits set for a hexadecimal digit, none for any other byte: without branches, so that bytes
/// are looked at side by side.
#[inline(always)]
fn hex_mask(byte: u8) -> u8 {
    u8::from((byte.wrapping_sub(b'0') < 10) | ((byte | 0x20).wrapping_sub(b'a') < 6)).wrapping_neg()
}

/// True for the usual forms of an id, which hold nothing that a rule could know: a UUID, and the
/// hexadecimal digits of a trace, a span or a digest.
pub(crate) fn is_plain_id(bytes: &[u8]) -> bool {
    if let Ok(uuid) = <&[u8; UUID_BYTES]>::try_from(bytes) {
        let fits = |(byte, hyphen): (&u8, &u8)| {
            let is_hyphen = u8::from(*byte == b'-').wrapping_neg();
            (is_hyphen & hyphen) | (hex_mask(*byte) & !hyphen)
        };
        return uuid.iter().zip(&UUID_HYPHENS).map(fits).fold(0xFF, |all, it| all & it) == 0xFF;
    }
    // With a letter, so that it is no card.
    matches!(bytes.len(), 16 | 32 | 40 | 64)
        && bytes.iter().fold(0xFF, |all, byte| all & hex_mask(*byte)) == 0xFF
        && bytes.iter().any(u8::is_ascii_lowercase)
}

/// The families that an anchor may be confirmed for.
#[inline(always)]
fn leads_to(anchor: u8) -> Families {
    static LEADS: [Families; 256] = {
        let mut leads = [Families(0); 256];
        let mut byte = b'A';
        while byte <= b'Z' {
            leads[byte as usize] = Families(
                Families::KEYS.0 | Families::TOKENS.0 | Families::IBAN.0 | Families::NUMBERS.0,
            );
            byte += 1;
        }
        leads[b':' as usize] = Families(Families::NAMES.0 | Families::SIGNS.0);
        leads[b'=' as usize] = leads[b':' as usize];
        leads[b'-' as usize] =
            Families(Families::KEYS.0 | Families::PRIVATE_KEYS.0 | Families::COMMANDS.0);
        leads[b'_' as usize] = Families::KEYS;
        leads[b'.' as usize] = Families(Families::KEYS.0 | Families::SIGNS.0);
        leads[b'/' as usize] = Families::KEYS;
        leads[b'~' as usize] = Families::SIGNS;
        leads[b'@' as usize] = Families::ADDRESSES;
        leads[b'%' as usize] = Families(Families::PERCENT.0 | Families::ADDRESSES.0);
        leads[b'\\' as usize] = Families::ESCAPES;
        leads[b'b' as usize] = Families::TOKENS;
        leads
    };
    LEADS.get(usize::from(anchor)).copied().unwrap_or_default()
}

/// Looks at the neighbours of the anchor at `at`, for what is `missing` yet.
fn confirm(bytes: &[u8], at: usize, missing: Families) -> Families {
    let Some((before, rest)) = bytes.split_at_checked(at) else { return Families::default() };
    let Some((anchor, after)) = rest.split_first() else { return Families::default() };
    let (yes, family) = match anchor {
        b':' | b'=' => return confirm_operator(bytes, at, after, missing),
        b'-' => return prefixes::confirm_hyphen(before, after, missing),
        b'_' => (prefixes::underscore(before, after), Families::KEYS),
        b'.' => return prefixes::confirm_dot(before, after, missing),
        b'/' => (before.ends_with(b"1/") && after.starts_with(b"0"), Families::KEYS),
        b'~' => (before.ends_with(b"Q"), Families::SIGNS),
        b'@' => (is_inner(before.last()), Families::ADDRESSES),
        b'%' => return confirm_percent(after),
        b'\\' => (hides_ascii(after), Families::ESCAPES),
        b'b' => (is_scheme(after), Families::TOKENS),
        b'A'..=b'Z' => return capitals::confirm(*anchor, before, after),
        _ => (false, Families::default()),
    };
    if yes { family } else { Families::default() }
}

fn confirm_operator(bytes: &[u8], at: usize, after: &[u8], missing: Families) -> Families {
    let before = bytes.get(..at).unwrap_or_default();
    let mut families = Families::default();
    let names = || {
        let end = names_end(bytes, at);
        names::may_end_secret_name(bytes, end)
            || names_a_value(bytes, end)
            || pairs::name_after(bytes, end, at, &mut pairs::Seen::default())
                .is_some_and(|(_, name_end)| names::may_end_secret_name(bytes, name_end))
            || before.ends_with(b"thin")
    };
    if missing.has(Families::NAMES) && names() {
        families.add(Families::NAMES);
    }
    if after.starts_with(b"AA") && before.last().is_some_and(u8::is_ascii_digit) {
        families.add(Families::SIGNS);
    }
    families
}

/// `%41`, and the `@` of an address in that form.
fn confirm_percent(after: &[u8]) -> Families {
    let mut families = Families::default();
    if let [first, second, ..] = after
        && first.is_ascii_hexdigit()
        && second.is_ascii_hexdigit()
    {
        families.add(Families::PERCENT);
        if (*first, *second) == (b'4', b'0') {
            families.add(Families::ADDRESSES);
        }
    }
    families
}

/// What follows the `b` of `bearer` and `basic`.
fn is_scheme(after: &[u8]) -> bool {
    let word = after.get(..4).unwrap_or_default();
    word.eq_ignore_ascii_case(b"eare") || word.eq_ignore_ascii_case(b"asic")
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

#[cfg(test)]
mod tests;
