//! Payment card numbers: 13 to 19 digits in the usual groups, with the prefix of a known issuer
//! (ISO/IEC 7812) and a right check digit (Luhn).

use super::numbers::passes_luhn;
use super::{Examples, Finding};
use crate::rule::Rule;

/// Fewest and most digits of a card number.
const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

/// One unbroken run of digits: where it starts and ends.
type Group = (usize, usize);

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit))
    {
        let start = at + step;
        let groups = groups(bytes, start);
        let end = groups.last().map_or(start + 1, |group| group.1);
        search(bytes, &groups, found);
        at = end;
    }
}

/// The runs of digits from `start` on, each one space or hyphen apart.
fn groups(bytes: &[u8], start: usize) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut from = start;
    loop {
        let rest = bytes.get(from..).unwrap_or_default();
        let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        groups.push((from, from + length));
        let separated = matches!(rest.get(length), Some(b' ' | b'-'));
        if !separated || !rest.get(length + 1).is_some_and(u8::is_ascii_digit) {
            return groups;
        }
        from += length + 1;
    }
}

/// Not inside a word, a hexadecimal number, a UUID or a decimal fraction.
fn is_free_before(bytes: &[u8], start: usize) -> bool {
    let back = |steps: usize| start.checked_sub(steps).and_then(|at| bytes.get(at)).copied();
    match back(1) {
        Some(b) if b.is_ascii_alphanumeric() || b == b'_' => false,
        Some(b'-') => !back(2).is_some_and(|b| b.is_ascii_hexdigit()),
        Some(b'.') => !back(2).is_some_and(|b| b.is_ascii_digit()),
        _ => true,
    }
}

fn is_free_after(bytes: &[u8], end: usize) -> bool {
    match bytes.get(end) {
        Some(b) if b.is_ascii_alphanumeric() || *b == b'_' => false,
        Some(b'-') => !bytes.get(end + 1).is_some_and(u8::is_ascii_hexdigit),
        Some(b'.') => !bytes.get(end + 1).is_some_and(u8::is_ascii_digit),
        _ => true,
    }
}

/// Looks at every sequence of neighbouring groups that together have the length of a card number.
fn search(bytes: &[u8], groups: &[Group], found: &mut Vec<Finding>) {
    let mut first = 0;
    while first < groups.len() {
        let taken = (1..=5).rev().find(|count| {
            groups
                .get(first..first + count)
                .is_some_and(|window| has_length(window) && is_card(bytes, window))
        });
        let window = taken.and_then(|count| groups.get(first..first + count));
        if let Some([(start, _), ..]) = window
            && let Some([.., (_, end)]) = window
        {
            found.push(Finding { start: *start, end: *end, rule: Rule::CardNumber });
        }
        first += taken.unwrap_or(1);
    }
}

fn is_card(bytes: &[u8], groups: &[Group]) -> bool {
    let mut digits = [0; DIGITS_MAX];
    let mut count = 0;
    for (start, end) in groups {
        for byte in bytes.get(*start..*end).unwrap_or_default() {
            let Some(slot) = digits.get_mut(count) else { return false };
            *slot = byte.wrapping_sub(b'0');
            count += 1;
        }
    }
    let digits = digits.get(..count).unwrap_or_default();
    let free = groups.first().is_some_and(|group| is_free_before(bytes, group.0))
        && groups.last().is_some_and(|group| is_free_after(bytes, group.1));
    free && count >= DIGITS_MIN && has_known_issuer(digits) && passes_luhn(digits)
}

/// So many digits as a card has, before anything else is asked.
fn has_length(groups: &[Group]) -> bool {
    let digits: usize = groups.iter().map(|(start, end)| end - start).sum();
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits) && is_usual(groups)
}

/// No separators, or groups as printed on cards: 4-4-4-4(-3), 4-6-5, 4-6-4.
fn is_usual(groups: &[Group]) -> bool {
    let length = |group: &Group| group.1 - group.0;
    match groups {
        [_] => true,
        [first, middle @ .., last] => {
            length(first) == 4
                && (1..=6).contains(&length(last))
                && middle.iter().all(|group| matches!(length(group), 4 | 6))
        }
        [] => false,
    }
}

/// The number ranges in use: Visa, Mastercard, American Express, Discover, Diners Club, JCB,
/// UnionPay, Maestro, Mir.
fn has_known_issuer(digits: &[u8]) -> bool {
    let number = digits.iter().take(4).fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let count = digits.len();
    match number {
        4000..=4999 => matches!(count, 13 | 16 | 19),
        2200..=2204 | 2221..=2720 | 5100..=5599 => count == 16,
        3400..=3499 | 3700..=3799 => count == 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(count, 14 | 16 | 19),
        3528..=3589 | 6011 | 6440..=6499 | 6500..=6599 | 6200..=6299 => (16..=19).contains(&count),
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => true,
        _ => false,
    }
}

pub(super) const EXAMPLES: &[Examples] = &[Examples {
    rule: Rule::CardNumber,
    takes: &[
        "«4111111111111111»",
        "paid with «4111 1111 1111 1111» today",
        "«3782 822463 10005»",
        "on 2026-11-20 «5105 1051 0510 5100»",
    ],
    leaves: &[
        "4111111111111112",
        "ISBN 978-3-16-148410-0",
        "1767225600123456",
        "0.4111111111111111",
        "550e8400-4111-1111-1111-111100000000",
    ],
}];
