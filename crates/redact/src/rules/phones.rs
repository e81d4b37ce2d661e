//! Telephone numbers: international ones by their `+`, national ones by a word before them.

use super::context::Subjects;
use super::kinds::places_of;
use super::numbers::Place;
use super::{Examples, Finding};
use crate::rule::Rule;

/// Digits of a number with its country (E.164), and of a national one.
const INTERNATIONAL: std::ops::RangeInclusive<usize> = 8..=15;
const NATIONAL: std::ops::RangeInclusive<usize> = 7..=12;

/// Bytes of the longest number with its joints.
const NUMBER_BYTES_MAX: usize = 28;

pub(super) fn find(place: &Place<'_>, found: &mut Vec<Finding>) {
    let bytes = place.text.as_bytes();
    let mut at = 0;
    let mut signs = places_of(bytes, [b'+', b'(']).peekable();
    let mut groups = place.groups.iter().map(|group| group.start).peekable();
    loop {
        let start = match (signs.peek(), groups.peek()) {
            (Some(sign), Some(group)) if group < sign => groups.next(),
            (Some(_), _) => signs.next(),
            _ => groups.next(),
        };
        let Some(start) = start else { return };
        if start < at {
            continue;
        }
        let end = end_of_number(place, start);
        if let Some(end) = end.filter(|end| ends(place, *end)) {
            found.push(Finding { start, end, rule: Rule::PhoneNumber });
        }
        // Nothing that begins inside a run of digits is a number, or right behind a sign that
        // begins none.
        let rest = bytes.get(start + 1..).unwrap_or_default();
        let inside = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        at = end.map_or(start + 1 + inside, |end| end.max(start + 1));
    }
}

/// Where the number that begins at `start` ends. What costs least is asked first.
fn end_of_number(place: &Place<'_>, start: usize) -> Option<usize> {
    if place.byte(start) == Some(b'+') {
        let (end, digits) =
            begins_international(place, start).then(|| number(place.text.as_bytes(), start))?;
        // `+0.12345678` and `+12345.678` are numbers with a sign.
        let fraction = || place.text.get(start..end).unwrap_or_default().matches('.').count() == 1;
        return (INTERNATIONAL.contains(&digits) && !fraction()).then_some(end);
    }
    let joined = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let free = !place.byte_before(start, 1).is_some_and(joined);
    let (end, digits) = (free && place.speaks_of(Subjects::PHONE, start))
        .then(|| number(place.text.as_bytes(), start))?;
    (NATIONAL.contains(&digits) && is_national(place, start, end)).then_some(end)
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
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if joints < 2 => joints += 1,
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
