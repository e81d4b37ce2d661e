//! Bank account numbers (ISO 13616): a country, its length, and a remainder of one modulo 97.

use super::kinds::Kinds;
use super::{Examples, Finding, ends_word};
use crate::rule::Rule;

/// Characters of an IBAN by country.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

/// The same by the letters of the country, 0 where there is none.
static BY_COUNTRY: [[u8; 32]; 32] = {
    let (mut by_country, mut at) = ([[0; 32]; 32], 0);
    while at < LENGTHS.len() {
        let (country, length) = LENGTHS[at];
        by_country[(country[0] & 31) as usize][(country[1] & 31) as usize] = length as u8;
        at += 1;
    }
    by_country
};

pub(super) fn find(text: &str, kinds: &Kinds, found: &mut Vec<Finding>) {
    let mut floor = 0;
    for start in kinds.account_starts() {
        if start >= floor
            && let Some(end) = end_of_iban(text, start)
        {
            found.push(Finding { start, end, rule: Rule::Iban });
            floor = end;
        }
    }
}

/// A remainder is taken of numbers above this, so that they stay numbers of 64 bits.
const NUMBER_MAX: u64 = 10_000_000_000_000_000;

/// Where the account that the two capitals and two digits at `start` may begin ends.
fn end_of_iban(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let [first, second] = bytes.get(start..start + 2)? else { return None };
    let by_second = BY_COUNTRY.get(usize::from(first & 31))?;
    let length = usize::from(*by_second.get(usize::from(second & 31))?);
    if length == 0 {
        return None;
    }
    // Compact, or in groups of four, one space or hyphen apart.
    let (mut at, mut letters, mut number) = (start, 0, 0_u64);
    let mut head = 0_u64;
    while letters < length {
        let byte = *bytes.get(at)?;
        at += 1;
        if matches!(byte, b' ' | b'-') && letters > 0 && letters % 4 == 0 {
            if bytes.get(at).is_some_and(|b| matches!(b, b' ' | b'-')) {
                return None;
            }
            continue;
        }
        let place = if letters < 4 { &mut head } else { &mut number };
        *place = match byte {
            b'0'..=b'9' => *place * 10 + u64::from(byte - b'0'),
            b'A'..=b'Z' => *place * 100 + u64::from(byte - b'A') + 10,
            _ => return None,
        };
        if *place > NUMBER_MAX {
            *place %= 97;
        }
        letters += 1;
    }
    // The first four characters stand last: two letters as two digits each, and two digits.
    let remainder = ((number % 97) * 1_000_000 + head) % 97;
    (remainder == 1 && ends_word(text, at)).then_some(at)
}

pub(super) const EXAMPLES: &[Examples] = &[Examples {
    rule: Rule::Iban,
    takes: &[
        "«DE89370400440532013000»",
        "IBAN «DE89 3704 0044 0532 0130 00», thanks",
        "«GB29 NWBK 6016 1331 9268 19»",
        "«NO9386011117947»",
        "«MT84MALT011000012345MTLCAST001S»",
    ],
    leaves: &[
        "DE89370400440532013001",
        "DE8937040044053201300",
        "XX89370400440532013000",
        "XDE89370400440532013000",
        "DE89 3704 0044",
    ],
}];
