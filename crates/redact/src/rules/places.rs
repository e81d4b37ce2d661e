//! Where somebody is: coordinates, and street addresses in the forms of some countries.

use super::context::Subjects;
use super::kinds::places_of;
use super::numbers::Place;
use super::{Examples, Finding};
use crate::rule::Rule;

/// Decimals from which a coordinate says which house.
const DECIMALS_MIN: usize = 4;

/// How far before its postcode an address begins at most.
const ADDRESS_BYTES_MAX: usize = 112;

/// Words between a house number and the word for a street.
const STREET_WORDS_MAX: usize = 5;

/// Digits of a postcode in the US, Germany and France.
const POSTCODE_DIGITS: usize = 5;

const ENGLISH: &[&str] = &[
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Boulevard",
    "Blvd",
    "Lane",
    "Ln",
    "Drive",
    "Dr",
    "Court",
    "Ct",
    "Way",
    "Place",
    "Pl",
    "Terrace",
    "Square",
    "Sq",
    "Parkway",
    "Pkwy",
    "Circle",
    "Cir",
    "Highway",
    "Hwy",
    "Close",
    "Crescent",
    "Gardens",
    "Row",
    "Trail",
    "Loop",
];

const FRENCH: &[&str] = &[
    "rue",
    "avenue",
    "boulevard",
    "place",
    "chemin",
    "allée",
    "impasse",
    "quai",
    "route",
    "cours",
];

/// Ends of German names of streets.
const GERMAN: &[&str] = &[
    "straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ring", "damm", "ufer", "markt",
];

pub(super) fn find(place: &Place<'_>, found: &mut Vec<Finding>) {
    coordinates(place, found);
    let mut floor = 0;
    for group in place.groups {
        let address = match group.len() {
            _ if group.start < floor => None,
            POSTCODE_DIGITS => {
                american(place.text, group.start).or_else(|| continental(place.text, group.start))
            }
            1 => british(place.text, group.start),
            _ => None,
        };
        if let Some((start, end)) = address.filter(|(start, _)| *start >= floor) {
            found.push(Finding { start, end, rule: Rule::PostalAddress });
            floor = end;
        }
    }
}

/// The line before `end`, as far as an address reaches; where it starts.
fn line_before(text: &str, end: usize) -> (usize, &str) {
    let mut from = end.saturating_sub(ADDRESS_BYTES_MAX);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let window = text.get(from..end).unwrap_or_default();
    let line = window.rfind(['\n', '\r', ';', '"']).map_or(0, |at| at + 1);
    (from + line, window.get(line..).unwrap_or_default())
}

/// `742 Evergreen Terrace, Springfield, IL 62704`.
fn american(text: &str, postcode: usize) -> Option<(usize, usize)> {
    let state = text.get(..postcode)?.strip_suffix(' ')?;
    let city = state.get(..state.len().checked_sub(2)?)?;
    let letters = state.get(city.len()..)?.bytes().all(|b| b.is_ascii_uppercase());
    let parted = city.ends_with(", ") || city.ends_with(' ');
    let start = (letters && parted).then(|| english_street(text, city.len()))??;
    let mut end = postcode + POSTCODE_DIGITS;
    let more = text.get(end..)?;
    let long =
        more.starts_with('-') && more.bytes().skip(1).take_while(u8::is_ascii_digit).count() == 4;
    end += if long { 5 } else { 0 };
    Some((start, end))
}

/// `10 Downing Street, London, SW1A 2AA`; the second half of the postcode begins at `start`.
fn british(text: &str, start: usize) -> Option<(usize, usize)> {
    let inward = text.as_bytes().get(start..start + 3)?;
    let after = text.as_bytes().get(start + 3);
    let ends = inward.iter().skip(1).all(u8::is_ascii_uppercase)
        && !after.is_some_and(u8::is_ascii_alphanumeric);
    let before = ends.then(|| text.get(..start)?.strip_suffix(' '))??;
    let outward = before.bytes().rev().take(5).take_while(u8::is_ascii_alphanumeric).count();
    let written = before.as_bytes().get(before.len() - outward..)?;
    let known = (2..=4).contains(&outward)
        && written.first().is_some_and(u8::is_ascii_uppercase)
        && written.iter().any(u8::is_ascii_digit);
    let street = known.then(|| english_street(text, before.len() - outward))??;
    Some((street, start + 3))
}

/// Where the house number of the last English street before `end` stands.
fn english_street(text: &str, end: usize) -> Option<usize> {
    let (from, line) = line_before(text, end);
    let (mut house, mut words, mut named) = (None, 0, false);
    let mut at = from;
    for word in line.split_inclusive([' ', ',']) {
        let bare = word.trim_end_matches([' ', ',', '.']);
        let is_house = (1..=6).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_digit());
        if is_house && !named {
            (house, words) = (Some(at), 0);
        } else if !bare.is_empty() {
            words += 1;
            let capital = bare.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
            if !named && (words > STREET_WORDS_MAX || !capital) {
                house = None;
            }
            named |= house.is_some() && words > 1 && ENGLISH.contains(&bare);
        }
        at += word.len();
    }
    house.filter(|_| named)
}

/// `Musterstraße 12a, 12345 Berlin` and `12 rue de la Paix, 75002 Paris`.
fn continental(text: &str, postcode: usize) -> Option<(usize, usize)> {
    let rest = text.get(postcode + POSTCODE_DIGITS..)?.strip_prefix(' ')?;
    let before = text.get(..postcode)?;
    let before = before.strip_suffix("D-").unwrap_or(before).strip_suffix(", ")?;
    let city = rest.find(|c: char| !c.is_alphabetic() && c != '-').unwrap_or(rest.len());
    let capital = rest.starts_with(char::is_uppercase) && city >= 2;
    let (from, line) = line_before(text, before.len());
    let start = capital.then(|| german_street(line).or_else(|| french_street(line)))??;
    Some((from + start, postcode + POSTCODE_DIGITS + 1 + city))
}

fn german_street(line: &str) -> Option<usize> {
    let (street, house) = line.rsplit_once(' ')?;
    // `12 a`: the letter may stand apart.
    let (street, house) = match street.rsplit_once(' ') {
        Some((rest, number)) if house.len() == 1 => (rest, number),
        _ => (street, house),
    };
    let digits = house.bytes().take_while(u8::is_ascii_digit).count();
    let number = (1..=4).contains(&digits) && house.len() <= digits + 1;
    let name = street.rsplit([' ', ':']).next()?;
    if !number || !name.starts_with(char::is_uppercase) {
        return None;
    }
    let lower = name.to_lowercase();
    let known = GERMAN.iter().any(|end| lower.ends_with(end));
    known.then_some(street.len() - name.len())
}

fn french_street(line: &str) -> Option<usize> {
    // The last house number, and how many words ago it stood.
    let (mut at, mut last, mut house) = (0, None, None);
    for word in line.split_inclusive(' ') {
        let known = FRENCH.contains(&word.trim_end());
        last = house.filter(|_| known).map(|(start, _)| start).or(last);
        let digits = word.trim_end_matches([' ', ',']);
        let begins = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        house = if begins {
            Some((at, 0))
        } else {
            house.map(|(start, words)| (start, words + 1)).filter(|(_, words)| *words < 2)
        };
        at += word.len();
    }
    last
}

/// A decimal number: where it starts and ends, and its size.
struct Decimal {
    start: usize,
    end: usize,
    value: f64,
}

/// Pairs of latitude and longitude, and single ones beside their name.
fn coordinates(place: &Place<'_>, found: &mut Vec<Finding>) {
    let bytes = place.text.as_bytes();
    let mut last: Option<Decimal> = None;
    for dot in places_of(bytes, [b'.']) {
        let Some(number) = decimal(place, dot) else { continue };
        let pair = last.as_ref().filter(|first| {
            let between = place.text.get(first.end..number.start).unwrap_or_default();
            let joint = between.trim_matches([' ', '°', '"', 'N', 'S']);
            between.len() <= 6 && matches!(joint, "," | ";" | "") && !between.is_empty()
        });
        match pair {
            Some(first) if first.value.abs() <= 90.0 && number.value.abs() <= 180.0 => {
                found.pop_if(|single| {
                    single.rule == Rule::GeoCoordinates && single.start == first.start
                });
                found.push(Finding {
                    start: first.start,
                    end: number.end,
                    rule: Rule::GeoCoordinates,
                });
                last = None;
                continue;
            }
            _ => {}
        }
        let spoken = place.spoken.before(number.start);
        let named = spoken.has(Subjects::LATITUDE) && number.value.abs() <= 90.0
            || spoken.has(Subjects::LONGITUDE) && number.value.abs() <= 180.0;
        if named {
            found.push(Finding {
                start: number.start,
                end: number.end,
                rule: Rule::GeoCoordinates,
            });
        }
        last = Some(number);
    }
}

/// The number around the full stop at `dot`: up to three digits, at least four decimals.
fn decimal(place: &Place<'_>, dot: usize) -> Option<Decimal> {
    let bytes = place.text.as_bytes();
    let digits = |b: &&u8| b.is_ascii_digit();
    let least = bytes.get(dot + 1..dot + 1 + DECIMALS_MIN)?;
    if !least.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let whole = bytes.get(..dot)?.iter().rev().take(4).take_while(digits).count();
    let decimals = bytes.get(dot + 1..)?.iter().take(16).take_while(digits).count();
    let start = dot.checked_sub(whole)?;
    let sign = usize::from(place.byte_before(start, 1) == Some(b'-'));
    let (start, end) = (start - sign, dot + 1 + decimals);
    let joined = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'$');
    let ends = match place.byte(end) {
        Some(b'.') => !place.byte(end + 1).is_some_and(|b| b.is_ascii_digit()),
        Some(b) => !b.is_ascii_alphanumeric() && b != b'_',
        None => true,
    };
    let free = ends && !place.byte_before(start, 1).is_some_and(joined);
    let fits = (1..=3).contains(&whole) && (DECIMALS_MIN..=15).contains(&decimals) && free;
    let value = fits.then(|| place.text.get(start..end)?.parse().ok())??;
    Some(Decimal { start, end, value })
}

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::GeoCoordinates,
        takes: &["at «52.520008, 13.404954»", "geo:«37.7749,-122.4194»", "lat=«52.520008»"],
        leaves: &["0.8732 score", "52.52, 13.40", "v1.2345.6, 2.3456", "99.12345, 12.34567"],
    },
    Examples {
        rule: Rule::PostalAddress,
        takes: &[
            "ship to «742 Evergreen Terrace, Springfield, IL 62704»",
            "«Musterstraße 12a, 12345 Berlin»",
            "«12 rue de la Paix, 75002 Paris»",
            "«10 Downing Street, London, SW1A 2AA»",
        ],
        leaves: &["5 Main reasons", "Chapter 12, 12345 words", "12 rue, Paris", "3 Way Handshake"],
    },
];
