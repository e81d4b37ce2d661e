//! Payment card numbers: 13 to 19 digits in the usual groups, with the prefix of a known issuer
//! (ISO/IEC 7812) and a right check digit (Luhn).

use super::numbers::{Group, passes_luhn};
use super::{Examples, Finding};
use crate::rule::Rule;

/// Fewest and most digits of a card number.
const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

/// Digits that name the issuer.
const ISSUER_DIGITS: usize = 4;

/// Groups of the longest card number.
const GROUPS_MAX: usize = 5;

/// Looks at every sequence of neighbouring groups that together have the length of a card number.
pub(super) fn find(bytes: &[u8], groups: &[Group], found: &mut Vec<Finding>) {
    let mut next = 0;
    for (number, first) in groups.iter().enumerate() {
        // The first of several groups has four digits, and the second four or six.
        let rest = groups.get(number..).unwrap_or_default();
        let begins = match first.len() {
            4 => rest.get(1).is_some_and(|second| matches!(second.len(), 4 | 6)),
            length => (DIGITS_MIN..=DIGITS_MAX).contains(&length),
        };
        if !begins || number < next || !is_free_before(bytes, first.start) {
            continue;
        }
        if let Some(taken) = longest(bytes, rest)
            && let Some(last) = taken.last()
        {
            found.push(Finding { start: first.start, end: last.end, rule: Rule::CardNumber });
            next = number + taken.len();
        }
    }
}

/// The most of the first groups that together are a card number.
fn longest<'g>(bytes: &[u8], groups: &'g [Group]) -> Option<&'g [Group]> {
    let first = groups.first()?;
    let issuer = bytes.get(first.start..first.end)?.iter().take(ISSUER_DIGITS);
    let issuer = issuer.fold(0, |number, byte| number * 10 + u32::from(byte.wrapping_sub(b'0')));
    // Most numbers begin as no card does. Every issuer has cards of one of these lengths.
    if !is_known_issuer(issuer, 16) && !is_known_issuer(issuer, 15) {
        return None;
    }
    let more = groups.iter().skip(1).take(GROUPS_MAX - 1);
    let joined = 1 + more.take_while(|group| matches!(group.joint, b' ' | b'-')).count();
    let mut windows = (1..=joined).rev().filter_map(|count| groups.get(..count));
    windows.find(|window| {
        let digits = window.iter().map(|group| group.len()).sum();
        (DIGITS_MIN..=DIGITS_MAX).contains(&digits)
            && is_known_issuer(issuer, digits)
            && is_usual(window)
            && is_card(bytes, window)
    })
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

/// True for so many digits as a card has, with a right check digit and nothing that goes on.
fn is_card(bytes: &[u8], groups: &[Group]) -> bool {
    // What costs least is asked first.
    if !groups.last().is_some_and(|group| is_free_after(bytes, group.end)) {
        return false;
    }
    let mut digits = [0; DIGITS_MAX];
    let mut count = 0;
    for group in groups {
        for byte in bytes.get(group.start..group.end).unwrap_or_default() {
            let Some(slot) = digits.get_mut(count) else { return false };
            *slot = byte.wrapping_sub(b'0');
            count += 1;
        }
    }
    digits.get(..count).is_some_and(passes_luhn)
}

/// No separators, or groups as printed on cards: 4-4-4-4(-3), 4-6-5, 4-6-4.
fn is_usual(groups: &[Group]) -> bool {
    match groups {
        [_] => true,
        [first, middle @ .., last] => {
            first.len() == 4
                && (1..=6).contains(&last.len())
                && middle.iter().all(|group| matches!(group.len(), 4 | 6))
        }
        [] => false,
    }
}

/// The number ranges in use: Visa, Mastercard, American Express, Discover, Diners Club, JCB,
/// UnionPay, Maestro, Mir. `number` has the first digits of `count`.
fn is_known_issuer(number: u32, count: usize) -> bool {
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
