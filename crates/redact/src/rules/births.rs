//! Dates of birth: a date after a word that says so.

use super::context::Subjects;
use super::numbers::{Group, Place, is_day};
use super::{Examples, Finding};
use crate::rule::Rule;

/// Bytes of the longest date.
const DATE_BYTES_MAX: usize = 20;

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mär",
    "mai", "okt", "dez", "fév", "avr", "juin", "juil", "aoû", "déc", "ene", "abr", "ago", "dic",
    "fev", "set", "out", "gen", "mag", "giu", "lug", "ott",
];

pub(super) fn find(place: &Place<'_>, found: &mut Vec<Finding>) {
    let mut floor = 0;
    for group in place.groups {
        // What costs least is asked first.
        let fits = matches!(group.len(), 1 | 2 | 4 | 8) && group.start >= floor;
        if !fits
            || place.spoken.is_silent(Subjects::BIRTH, group.start)
            || !may_begin_date(place, group)
            || !place.speaks_of(Subjects::BIRTH, group.start)
        {
            continue;
        }
        if let Some(end) = end_of_date(place.text, group.start, group.len()) {
            found.push(Finding { start: group.start, end, rule: Rule::DateOfBirth });
            floor = end;
        }
    }
}

/// False where no date begins: inside of a word, and before what goes on in none.
fn may_begin_date(place: &Place<'_>, group: &Group) -> bool {
    let rest = place.text.as_bytes().get(group.end..).unwrap_or_default();
    let joined = matches!(rest, [b'-' | b'/' | b'.', b'0'..=b'9', ..]);
    let goes_on = || match group.len() {
        4 => joined || rest.first().is_some_and(|byte| !byte.is_ascii()),
        1 | 2 => joined || may_begin_month(rest),
        _ => true,
    };
    !place.byte_before(group.start, 1).is_some_and(|b| b.is_ascii_alphanumeric()) && goes_on()
}

/// What may stand between a day and its month.
fn joins_month(c: char) -> bool {
    matches!(c, '.' | ' ' | 's' | 't' | 'n' | 'd' | 'r' | 'h')
}

/// False for most of what stands behind a day and begins as no month does.
fn may_begin_month(rest: &[u8]) -> bool {
    let gap = rest.iter().take(DATE_BYTES_MAX);
    let gap = gap.take_while(|byte| joins_month(char::from(**byte))).count();
    let letter = |step: usize| rest.get(gap + step).map_or(0, u8::to_ascii_lowercase);
    match (letter(0), letter(1)) {
        (0x80.., _) => true,
        (b'a', second) => matches!(second, b'b' | b'g' | b'o' | b'p' | b'u' | b'v'),
        (b'd', second) => matches!(second, b'e' | b'i' | 0x80..),
        (b'f', second) => matches!(second, b'e' | 0x80..),
        (b'g', second) => matches!(second, b'e' | b'i' | 0x80..),
        (b'j', second) => matches!(second, b'a' | b'u'),
        (b'm', second) => matches!(second, b'a' | 0x80..),
        (b'o', second) => matches!(second, b'c' | b'k' | b't' | b'u' | 0x80..),
        first => matches!(first, (b'e', b'n') | (b'l', b'u') | (b'n', b'o') | (b's', b'e')),
    }
}

/// Where the date that begins with the `length` digits at `start` ends.
fn end_of_date(text: &str, start: usize, length: usize) -> Option<usize> {
    let mut stop = text.len().min(start + DATE_BYTES_MAX);
    while !text.is_char_boundary(stop) {
        stop -= 1;
    }
    let date = text.get(start..stop)?;
    let end = match length {
        4 => asian(date).or_else(|| three(date, 4, 2)),
        8 => {
            let number = |from, to| date.get(from..to)?.parse::<u32>().ok();
            is_date(number(0, 4)?, number(4, 6)?, number(6, 8)?).then_some(8)
        }
        1 | 2 => three(date, 2, 4).or_else(|| worded(date)),
        _ => None,
    }?;
    let after = text.as_bytes().get(start + end);
    (!after.is_some_and(u8::is_ascii_digit)).then_some(start + end)
}

/// Three numbers one joint apart: the year first or last.
fn three(date: &str, first: usize, last: usize) -> Option<usize> {
    let mut numbers = [0_u32; 3];
    let (mut at, mut joint) = (0, 0);
    for (place, number) in numbers.iter_mut().enumerate() {
        let rest = date.as_bytes().get(at..)?;
        let max = match place {
            0 => first,
            1 => 2,
            _ => last,
        };
        let digits = rest.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
        *number = date.get(at..at + digits)?.parse().ok()?;
        at += digits;
        if place < 2 {
            let sign = *date.as_bytes().get(at)?;
            if !matches!(sign, b'-' | b'/' | b'.') || (place == 1 && sign != joint) {
                return None;
            }
            joint = sign;
            at += 1;
        }
    }
    let [a, b, c] = numbers;
    let fits = if first == 4 { is_date(a, b, c) } else { is_date(c, b, a) || is_date(c, a, b) };
    fits.then_some(at)
}

/// `1990年1月1日`.
fn asian(date: &str) -> Option<usize> {
    let (year, rest) = date.split_once('年')?;
    let (month, rest) = rest.split_once('月')?;
    let (day, _) = rest.split_once('日')?;
    let end = year.len() + month.len() + day.len() + 3 * '年'.len_utf8();
    is_date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).then_some(end)
}

/// `12 March 1990`, `1. Januar 1990`.
fn worded(date: &str) -> Option<usize> {
    let digits = date.bytes().take_while(u8::is_ascii_digit).count();
    let rest = date.get(digits..)?.trim_start_matches(joins_month);
    let rest = rest.trim_start_matches("de ");
    let month = rest.split([' ', '.', ',']).next()?;
    if !month.starts_with(char::is_alphabetic) {
        return None;
    }
    let month = month.to_lowercase();
    let year_at = rest.find(|c: char| c.is_ascii_digit())?;
    let year = rest.get(year_at..year_at + 4)?;
    let known = MONTHS.iter().any(|known| month.starts_with(known));
    let end = date.len() - rest.len() + year_at + 4;
    (known && is_date(year.parse().ok()?, 1, date.get(..digits)?.parse().ok()?)).then_some(end)
}

fn is_date(year: u32, month: u32, day: u32) -> bool {
    (1890..=2030).contains(&year) && is_day(month, day)
}

pub(super) const EXAMPLES: &[Examples] = &[Examples {
    rule: Rule::DateOfBirth,
    takes: &[
        "born «1990-01-31»",
        "DOB: «01/31/1990»",
        "geboren am «31.01.1990»",
        "born on «12 March 1990»",
        "生年月日: «1990年1月31日»",
    ],
    leaves: &["on 1990-01-31", "born 1990-13-41", "dob unknown", "born in 1990", "birth of v1.2.3"],
}];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_month_is_turned_down_by_its_first_letters() {
        for month in MONTHS.iter().flat_map(|month| [month.to_string(), month.to_uppercase()]) {
            for text in ["12 ", "1. ", "12th ", "12"].map(|day| format!("{day}{month} 1990")) {
                let day = text.bytes().take_while(u8::is_ascii_digit).count();
                let known = worded(&text).is_none() || may_begin_month(&text.as_bytes()[day..]);
                assert!(known, "{text}");
            }
        }
        assert!(!may_begin_month(b" 12") && !may_begin_month(b"f0b") && !may_begin_month(b"xy"));
    }
}
