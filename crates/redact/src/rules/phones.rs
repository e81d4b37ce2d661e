//! Telephone numbers: international ones by their `+`, national ones by a word before them.

use super::context::Subjects;
use super::kinds::places_of;
use super::letters::{self, DIGIT};
use super::numbers::{Group, Place};
use super::{Examples, Finding};
use crate::rule::Rule;

/// Digits of a number with its country (E.164), and of a national one.
const INTERNATIONAL: std::ops::RangeInclusive<usize> = 8..=15;
const NATIONAL: std::ops::RangeInclusive<usize> = 7..=12;

/// Bytes that may stand between two groups of a number.
const JOINTS_MAX: usize = 2;

/// Bytes of the longest number with its joints.
const NUMBER_BYTES_MAX: usize = 28;

pub(super) fn find(place: &Place<'_>, found: &mut Vec<Finding>) {
    let bytes = place.text.as_bytes();
    let mut at = 0;
    let mut signs = places_of(bytes, [b'+', b'(']).peekable();
    let mut groups = place.groups.iter().enumerate().peekable();
    loop {
        let group = match (signs.peek(), groups.peek()) {
            (Some(sign), Some((_, group))) if group.start < *sign => groups.next(),
            (Some(_), _) => None,
            _ => groups.next(),
        };
        let Some(start) = group.map_or_else(|| signs.next(), |(_, group)| Some(group.start)) else {
            return;
        };
        if start < at {
            continue;
        }
        let rest = group.and_then(|(number, _)| place.groups.get(number..));
        let end = end_of_number(place, start, rest);
        if let Some(end) = end.filter(|end| ends(place, *end)) {
            found.push(Finding { start, end, rule: Rule::PhoneNumber });
        }
        // Nothing that begins inside a run of digits is a number, or right behind a sign that
        // begins none.
        let after_sign = || {
            let rest = bytes.get(start + 1..).unwrap_or_default();
            start + 1 + letters::run(rest, DIGIT, usize::MAX)
        };
        let inside = group.map_or_else(after_sign, |(_, group)| group.end);
        at = end.map_or(inside, |end| end.max(start + 1));
    }
}

/// Where the number that begins at `start` ends, with the first of some `groups` if not with a
/// sign. What costs least is asked first.
fn end_of_number(place: &Place<'_>, start: usize, groups: Option<&[Group]>) -> Option<usize> {
    if place.byte(start) == Some(b'+') {
        let (end, digits) =
            begins_international(place, start).then(|| number(place.text.as_bytes(), start))?;
        // `+0.12345678` and `+12345.678` are numbers with a sign.
        let fraction = || place.text.get(start..end).unwrap_or_default().matches('.').count() == 1;
        return (INTERNATIONAL.contains(&digits) && !fraction()).then_some(end);
    }
    let joined = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let free = !place.byte_before(start, 1).is_some_and(joined);
    let may_be = free && !place.spoken.is_surely_silent(Subjects::PHONE, start);
    let fits = |groups: &[Group]| may_be_national(place.text.as_bytes(), groups);
    let (end, digits) =
        (may_be && groups.is_none_or(fits)).then(|| number(place.text.as_bytes(), start))?;
    (NATIONAL.contains(&digits)
        && is_national(place, start, end)
        && place.speaks_of(Subjects::PHONE, start))
    .then_some(end)
}

/// False for groups that together have too few digits, or for certain too many.
fn may_be_national(bytes: &[u8], groups: &[Group]) -> bool {
    let start = groups.first().map_or(0, |group| group.start);
    let (mut digits, mut end) = (0, start);
    for group in groups {
        let gap = bytes.get(end..group.start).unwrap_or_default();
        let joined = gap.len() <= JOINTS_MAX && gap.iter().all(|byte| is_joint(*byte));
        if !joined || group.start - start >= NUMBER_BYTES_MAX {
            break;
        }
        digits += group.len();
        end = group.end;
        if digits > *NATIONAL.end() {
            // More than a number has, or the last group is looked at in part.
            return end - start > NUMBER_BYTES_MAX;
        }
    }
    digits >= *NATIONAL.start()
}

fn is_joint(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'(' | b')' | b'/')
}

/// Where the number that begins at `start` ends, and how many digits it has.
fn number(bytes: &[u8], start: usize) -> (usize, usize) {
    let (mut end, mut digits, mut joints) = (start, 0, 0);
    let rest = bytes.get(start..).unwrap_or_default();
    for (step, byte) in rest.iter().take(NUMBER_BYTES_MAX).enumerate() {
        match byte {
            b'0'..=b'9' => {
                (digits, joints) = (digits + 1, 0);
                end = start + step + 1;
            }
            b'+' if step == 0 => {}
            byte if is_joint(*byte) && joints < JOINTS_MAX => joints += 1,
            _ => break,
        }
    }
    (end, digits)
}

fn begins_international(place: &Place<'_>, start: usize) -> bool {
    let free = !place.byte_before(start, 1).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'+');
    free && place.byte(start + 1).is_some_and(|b| (b'1'..=b'9').contains(&b))
}

/// Not a date, a time, an address or a part of something longer.
fn is_national(place: &Place<'_>, start: usize, end: usize) -> bool {
    let written = place.text.get(start..end).unwrap_or_default();
    let groups: Vec<usize> =
        written.split(|c: char| !c.is_ascii_digit()).map(str::len).filter(|l| *l > 0).collect();
    let date = matches!(groups.as_slice(), [4, 2, 2, ..]) || matches!(groups.as_slice(), [2, 2, 4]);
    let dotted = written.matches('.').count() == 3;
    !date && !dotted && groups.len() <= 6
}

fn ends(place: &Place<'_>, end: usize) -> bool {
    let after = place.byte(end);
    match after {
        Some(b':') => !place.byte(end + 1).is_some_and(|b| b.is_ascii_digit()),
        Some(b) => !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'%'),
        None => true,
    }
}

pub(super) const EXAMPLES: &[Examples] = &[Examples {
    rule: Rule::PhoneNumber,
    takes: &[
        "«+49 170 1234567»",
        "ring «+1 (415) 555-2671» now",
        "«+442071838750»,",
        "phone: «(415) 555-2671»",
        "tel. «020 7183 8750»",
        "電話: «03-1234-5678»",
    ],
    leaves: &[
        "(415) 555-2671",
        "call at 2026-11-20 16:06",
        "+0.12345678",
        "phone 12",
        "1+12345678901",
        "phone model 1234567a",
    ],
}];
