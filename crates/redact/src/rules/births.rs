//! Dates of birth: a date after a word that says so.

use super::context::Subjects;
use super::numbers::{Group, Place, is_day};
use super::{Examples, Finding};
use crate::rule::Rule;

/// Bytes of the longest date, `12 de septiembre de 1990` and some room.
const DATE_BYTES_MAX: usize = 28;

/// Bytes of the longest name of a month.
const MONTH_BYTES_MAX: usize = 11;

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
        if !fits || place.spoken.is_silent(Subjects::BIRTH, group.start) {
            continue;
        }
        let begins = may_begin_date(place, group);
        let month = if begins { None } else { month_before(place, group) };
        let month = month.filter(|(start, _)| *start >= floor);
        if !(begins || month.is_some()) || !place.speaks_of(Subjects::BIRTH, group.start) {
            continue;
        }
        let date = || Some((group.start, end_of_date(place.text, group.start, group.len())?));
        if let Some((start, end)) = month.or_else(date) {
            found.push(Finding { start, end, rule: Rule::DateOfBirth });
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

/// Bytes of what makes a number of a day, at the beginning of what stands behind it: `12th`, `1er`,
/// `1º`, `1°`.
fn ordinal(rest: &[u8]) -> usize {
    let [first, second, ..] = rest else { return 0 };
    let stands = matches!(
        (first | 0x20, second | 0x20),
        (b's', b't') | (b'n', b'd') | (b'r', b'd') | (b't', b'h') | (b'e', b'r')
    ) && !rest.get(2).is_some_and(u8::is_ascii_alphabetic);
    if stands || matches!((first, second), (0xC2, 0xBA | 0xB0)) { 2 } else { 0 }
}

fn begins_with(bytes: &[u8], word: &str) -> bool {
    bytes.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
}

/// Bytes between a day and its month: `12 March`, `12th March`, `12-Mar`, `12 de marzo`.
fn gap_before_month(rest: &[u8]) -> usize {
    let after = |at: usize| rest.get(at..).unwrap_or_default();
    let mut at = ordinal(rest);
    at += after(at).iter().take_while(|b| matches!(b, b'.' | b' ' | b'-' | b'/')).count();
    at + ["de ", "del "].iter().find(|of| begins_with(after(at), of)).map_or(0, |of| of.len())
}

/// False for most of what stands behind a day and begins as no month does.
fn may_begin_month(rest: &[u8]) -> bool {
    let rest = rest.get(..DATE_BYTES_MAX).unwrap_or(rest);
    let gap = gap_before_month(rest);
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

/// Where a date begins and ends whose day these digits are, and whose month stands before it:
/// `March 12, 1990`.
fn month_before(place: &Place<'_>, day: &Group) -> Option<(usize, usize)> {
    let (bytes, at) = (place.text.as_bytes(), day.start);
    let may_be_month = |byte: u8| byte == b'.' || byte.is_ascii_alphabetic() || !byte.is_ascii();
    if day.len() > 2
        || place.byte_before(at, 1) != Some(b' ')
        || !place.byte_before(at, 2).is_some_and(may_be_month)
    {
        return None;
    }
    let rest = bytes.get(day.end..)?;
    let mut gap = ordinal(rest);
    gap += rest.iter().skip(gap).take(2).take_while(|b| matches!(b, b',' | b' ')).count();
    let year_at = day.end + gap;
    let digits = bytes.get(year_at..)?.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
    if gap == 0 || digits != 4 {
        return None;
    }
    let mut end = at - 1;
    end -= usize::from(place.byte_before(end, 1) == Some(b'.'));
    let before = bytes.get(..end)?.iter().rev().take(MONTH_BYTES_MAX);
    let start = end - before.take_while(|b| b.is_ascii_alphabetic() || !b.is_ascii()).count();
    let number = |from, to| place.text.get(from..to)?.parse::<u32>().ok();
    let known = is_month(place.text.get(start..end)?)
        && !place.byte_before(start, 1).is_some_and(|b| b.is_ascii_alphanumeric());
    (known && is_date(number(year_at, year_at + 4)?, 1, number(at, day.end)?))
        .then_some((start, year_at + 4))
}

fn is_month(word: &str) -> bool {
    if word.len() > MONTH_BYTES_MAX || !word.chars().all(char::is_alphabetic) {
        return false;
    }
    let word = word.to_lowercase();
    MONTHS.iter().any(|known| word.starts_with(known))
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

/// `12 March 1990`, `1. Januar 1990`, `12 de marzo de 1990`, `12-Mar-1990`.
fn worded(date: &str) -> Option<usize> {
    let digits = date.bytes().take_while(u8::is_ascii_digit).count();
    let rest = date.get(digits..)?;
    let rest = rest.get(gap_before_month(rest.as_bytes())..)?;
    let month = rest.split([' ', '.', ',', '-', '/']).next()?;
    let year_at = month.len() + gap_before_month(rest.get(month.len()..)?.as_bytes());
    let year = rest.get(year_at..year_at + 4)?;
    let end = date.len() - rest.len() + year_at + 4;
    (is_month(month) && is_date(year.parse().ok()?, 1, date.get(..digits)?.parse().ok()?))
        .then_some(end)
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
        "born «March 12, 1990», in Ohio",
        "date of birth: «Sept. 3rd 1988»",
        "né le «1er septembre 1990»",
        "nacido el «12 de diciembre de 1990»",
        "dob «12-Nov-1990»",
        "生年月日: «1990年1月31日»",
    ],
    leaves: &[
        "on 1990-01-31",
        "born 1990-13-41",
        "dob unknown",
        "born in 1990",
        "birth of v1.2.3",
        "born March 12",
        "born market12, 1990",
        "born March 12, 19901",
    ],
}];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_month_is_turned_down_by_its_first_letters() {
        for month in MONTHS.iter().flat_map(|month| [month.to_string(), month.to_uppercase()]) {
            for text in ["12 ", "1. ", "12th ", "12", "3RD ", "1\u{ba} de ", "12-"]
                .map(|day| format!("{day}{month} 1990"))
            {
                let day = text.bytes().take_while(u8::is_ascii_digit).count();
                assert_eq!(worded(&text), Some(text.len()), "{text}");
                assert!(may_begin_month(&text.as_bytes()[day..]), "{text}");
            }
        }
        assert!(!may_begin_month(b" 12") && !may_begin_month(b"f0b") && !may_begin_month(b"xy"));
    }
}
