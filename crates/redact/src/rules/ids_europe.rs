//! Identity numbers of Europe, each with its check digits.

use super::context::Subjects;
use super::numbers::{
    Group, Place, Shape, digit, digits, is_day, is_free_after, is_free_before, passes_luhn, two,
    value, weighted,
};
use super::{Examples, Finding};
use crate::rule::Rule;

const NOTHING: Subjects = Subjects::NONE;

pub(super) const SHAPES: &[Shape] = &[
    shape(Rule::UkNhs, &[3, 3, 4], &[b" -"], is_nhs, Subjects::NHS),
    shape(Rule::UkNhs, &[10], &[], is_nhs, Subjects::NHS),
    shape(Rule::DeTaxId, &[11], &[], is_de_tax_id, Subjects::TAX_DE),
    shape(Rule::DeTaxId, &[2, 3, 3, 3], &[b" "], is_de_tax_id, Subjects::TAX_DE),
    shape(Rule::FrNir, &[15], &[], is_nir, NOTHING),
    shape(Rule::FrNir, &[13, 2], &[b" "], is_nir, NOTHING),
    shape(Rule::FrNir, &[1, 2, 2, 2, 3, 3, 2], &[b" .-"], is_nir, NOTHING),
    shape(Rule::NlBsn, &[9], &[], is_bsn, Subjects::BSN),
    shape(Rule::NlBsn, &[4, 2, 3], &[b". "], is_bsn, Subjects::BSN),
    shape(Rule::PlPesel, &[11], &[], is_pesel, Subjects::PESEL),
    shape(Rule::SePersonnummer, &[6, 4], &[b"-"], is_personnummer, NOTHING),
    shape(Rule::SePersonnummer, &[8, 4], &[b"-"], is_long_personnummer, NOTHING),
    shape(Rule::SePersonnummer, &[10], &[], is_personnummer, Subjects::PERSONNUMMER),
    shape(Rule::SePersonnummer, &[12], &[], is_long_personnummer, Subjects::PERSONNUMMER),
    shape(Rule::NoFodselsnummer, &[11], &[], is_fodselsnummer, Subjects::PERSONNUMMER),
    shape(Rule::NoFodselsnummer, &[6, 5], &[b" "], is_fodselsnummer, Subjects::PERSONNUMMER),
    shape(Rule::BeNationalNumber, &[2, 2, 2, 3, 2], &[b".", b".", b"-", b"."], is_belgian, NOTHING),
    shape(Rule::BeNationalNumber, &[11], &[], is_belgian, Subjects::BELGIAN),
    shape(Rule::ChAhv, &[3, 4, 4, 2], &[b"."], is_ahv, NOTHING),
    shape(Rule::ChAhv, &[13], &[], is_ahv, NOTHING),
];

const fn shape(
    rule: Rule,
    groups: &'static [usize],
    joints: &'static [&'static [u8]],
    is_valid: fn(&[u8]) -> bool,
    needs: Subjects,
) -> Shape {
    Shape { rule, groups, joints, is_valid, needs }
}

fn is_nhs(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    (11 - rest) % 11 == digit(digits, 9) && value(digits) > 0
}

/// ISO/IEC 7064, MOD 11,10.
fn is_de_tax_id(digits: &[u8]) -> bool {
    let mut product = 10;
    for digit in digits.iter().take(10) {
        let sum = (u32::from(*digit) + product) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    digit(digits, 0) != 0 && (11 - product) % 10 == digit(digits, 10)
}

fn is_nir(digits: &[u8]) -> bool {
    let number = value(digits.get(..13).unwrap_or_default());
    let born = matches!(two(digits, 3), 1..=12 | 20 | 30..=42);
    matches!(digit(digits, 0), 1 | 2 | 7 | 8)
        && born
        && digit(digits, 5) * 10 + digit(digits, 6) > 0
        && 97 - number % 97 == u64::from(two(digits, 13))
}

fn is_bsn(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum > 0 && sum % 11 == digit(digits, 8)
}

fn is_pesel(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    is_day(two(digits, 2) % 20, two(digits, 4)) && (10 - sum % 10) % 10 == digit(digits, 10)
}

/// Ten digits; a coordination number has sixty more in the day.
fn is_personnummer(digits: &[u8]) -> bool {
    let day = two(digits, 4);
    is_day(two(digits, 2), if day > 60 { day - 60 } else { day }) && passes_luhn(digits)
}

fn is_long_personnummer(digits: &[u8]) -> bool {
    // Later years are the stamps of files.
    let century = (1900..=2015).contains(&(two(digits, 0) * 100 + two(digits, 2)));
    century && digits.get(2..).is_some_and(is_personnummer)
}

fn is_fodselsnummer(digits: &[u8]) -> bool {
    let first = weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
    let second = weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    let (day, month) = (two(digits, 0) % 40, two(digits, 2) % 40);
    is_day(month, day) && first.is_multiple_of(11) && second.is_multiple_of(11)
}

fn is_belgian(digits: &[u8]) -> bool {
    let number = value(digits.get(..9).unwrap_or_default());
    let check = u64::from(two(digits, 9));
    let fits = |number: u64| 97 - number % 97 == check;
    is_day(two(digits, 2), two(digits, 4)) && (fits(number) || fits(2_000_000_000 + number))
}

/// The check digit of an EAN-13.
fn is_ahv(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    value(digits.get(..3).unwrap_or_default()) == 756 && (10 - sum % 10) % 10 == digit(digits, 12)
}

/// Numbers to which letters belong: `groups` begin with the digits of one.
pub(super) fn lettered(place: &Place<'_>, groups: &[Group]) -> Option<Finding> {
    let group = groups.first()?;
    match group.end - group.start {
        8 => dni(place, *group),
        7 => nie(place, *group),
        6 => nino(place, group.start, group.end)
            .or_else(|| hetu(place, *group))
            .or_else(|| corsican(place, group.start, group.end)),
        2 => spaced_nino(place, groups),
        _ => None,
    }
}

const DNI_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

fn dni(place: &Place<'_>, group: Group) -> Option<Finding> {
    place.byte(group.end).filter(|b| b.is_ascii_uppercase() || *b == b'-')?;
    let number = value(digits(place.text, &[group]).as_slice());
    let end = dni_end(place, number, group.end)?;
    is_free_before(place, group.start).then_some(Finding {
        start: group.start,
        end,
        rule: Rule::EsDni,
    })
}

/// Numbers of foreigners: X, Y and Z stand for a first digit.
fn nie(place: &Place<'_>, group: Group) -> Option<Finding> {
    let hyphen = usize::from(place.byte_before(group.start, 1) == Some(b'-'));
    let start = group.start.checked_sub(1 + hyphen)?;
    let first = match place.byte(start)? {
        b'X' => 0,
        b'Y' => 10_000_000,
        b'Z' => 20_000_000,
        _ => return None,
    };
    let number = first + value(digits(place.text, &[group]).as_slice());
    let end = dni_end(place, number, group.end)?;
    is_free_before(place, start).then_some(Finding { start, end, rule: Rule::EsDni })
}

fn dni_end(place: &Place<'_>, number: u64, digits_end: usize) -> Option<usize> {
    let at = digits_end + usize::from(place.byte(digits_end) == Some(b'-'));
    let right = DNI_LETTERS.get((number % 23) as usize).copied();
    (place.byte(at) == right && is_free_after(place, at + 1)).then_some(at + 1)
}

/// Two letters, six digits from `start` to `end`, and a last letter.
fn nino(place: &Place<'_>, start: usize, end: usize) -> Option<Finding> {
    let compact = end - start == 6;
    let gap = usize::from(!compact);
    let from = start.checked_sub(2 + gap)?;
    let prefix = place.text.as_bytes().get(from..from + 2)?;
    let spaced = compact || place.byte(from + 2) == Some(b' ');
    let at = end + usize::from(place.byte(end) == Some(b' ') && !compact);
    let last = matches!(place.byte(at), Some(b'A'..=b'D'));
    (spaced && last && is_nino_prefix(prefix))
        .then_some(Finding { start: from, end: at + 1, rule: Rule::UkNino })
        .filter(|_| is_free_before(place, from) && is_free_after(place, at + 1))
}

fn is_nino_prefix(prefix: &[u8]) -> bool {
    let [first, second] = prefix else { return false };
    let never = |b: &u8| matches!(b, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V');
    prefix.iter().all(u8::is_ascii_uppercase)
        && !never(first)
        && !never(second)
        && *second != b'O'
        && !matches!(prefix, b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ")
}

/// `AB 12 34 56 C`.
fn spaced_nino(place: &Place<'_>, groups: &[Group]) -> Option<Finding> {
    let [one, two, three, ..] = groups else { return None };
    let pairs = [two, three].iter().all(|g| g.joint == b' ' && g.end - g.start == 2);
    pairs.then(|| nino(place, one.start, three.end))?
}

/// `ddmmyy`, a sign for the century, three digits, a check letter.
fn hetu(place: &Place<'_>, group: Group) -> Option<Finding> {
    const LETTERS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let sign = place.byte(group.end)?;
    let century = matches!(sign, b'-' | b'+' | b'A'..=b'F' | b'U'..=b'Y');
    let from = group.end + 1;
    let individual = Group { start: from, end: from + 3, joint: 0 };
    let bytes = place.text.as_bytes().get(from..from + 3)?;
    if !century || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let all = digits(place.text, &[group, individual]);
    let all = all.as_slice();
    let right = LETTERS.get((value(all) % 31) as usize).copied();
    let fits = is_day(two(all, 2), two(all, 0)) && place.byte(from + 3) == right;
    (fits && is_free_before(place, group.start) && is_free_after(place, from + 4))
        .then_some(Finding { start: group.start, end: from + 4, rule: Rule::FiHetu })
}

/// A French number of Corsica without spaces: `2A` or `2B` is the department.
fn corsican(place: &Place<'_>, start: usize, end: usize) -> Option<Finding> {
    let department = match place.byte(end)? {
        b'A' => 19,
        b'B' => 18,
        _ => return None,
    };
    let rest = Group { start: end + 1, end: end + 9, joint: 0 };
    let bytes = place.text.as_bytes().get(rest.start..rest.end)?;
    if !bytes.iter().all(u8::is_ascii_digit) || place.byte_before(end, 1) != Some(b'2') {
        return None;
    }
    let (head, tail) = (Group { start, end: end - 1, joint: 0 }, digits(place.text, &[rest]));
    let head = digits(place.text, &[head]);
    let (head, tail) = (head.as_slice(), tail.as_slice());
    let number = (value(head) * 100 + department) * 1_000_000 + value(tail.get(..6)?);
    let fits = matches!(digit(head, 0), 1 | 2)
        && (1..=12).contains(&two(head, 3))
        && 97 - number % 97 == u64::from(two(tail, 6));
    (fits && is_free_before(place, start) && is_free_after(place, rest.end)).then_some(Finding {
        start,
        end: rest.end,
        rule: Rule::FrNir,
    })
}

/// An Italian tax code in a run of sixteen letters and digits.
pub(super) fn is_codice_fiscale(run: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Ok(code) = <&[u8; 16]>::try_from(run) else { return false };
    // Digits may be written as the letters L to V, so that no two people share a code.
    let digit_like = |b: &u8| b.is_ascii_digit() || matches!(b, b'L'..=b'N' | b'P'..=b'V');
    let shape = code.iter().enumerate().all(|(at, byte)| match at {
        0..=5 | 8 | 11 | 15 => byte.is_ascii_uppercase(),
        _ => digit_like(byte),
    });
    if !shape {
        return false;
    }
    let [.., check] = code;
    let sum: u32 = code.iter().take(15).enumerate().fold(0, |sum, (at, byte)| {
        let value = usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte & 31 });
        let value = if byte.is_ascii_digit() { value } else { value.saturating_sub(1) };
        let odd = ODD.get(value).copied().unwrap_or_default();
        sum + if at % 2 == 0 { odd } else { value as u32 }
    });
    matches!(code.get(8), Some(b'A'..=b'E' | b'H' | b'L' | b'M' | b'P' | b'R'..=b'T'))
        && u32::from(check.wrapping_sub(b'A')) == sum % 26
}

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::UkNino,
        takes: &["NI «AB123456C»", "her number «AB 12 34 56 C»."],
        leaves: &["BG123456C", "AB123456E", "QQ123456C", "XAB123456C", "AB 12 34 56 789"],
    },
    Examples {
        rule: Rule::UkNhs,
        takes: &["NHS number «943 476 5919»", "nhs: «9434765919»"],
        leaves: &["943 476 5919", "NHS number 943 476 5918", "nhs 94347659190"],
    },
    Examples {
        rule: Rule::DeTaxId,
        takes: &["Steuer-ID «86095742719»", "tax id «86 095 742 719»"],
        leaves: &["86095742719", "Steuer-ID 86095742718", "order 36574261809"],
    },
    Examples {
        rule: Rule::FrNir,
        takes: &["«255081416802538»", "sécu «2 55 08 14 168 025 38»", "«198092A25112327»"],
        leaves: &["255081416802539", "355081416802538", "2 55 08 14 168 025", "198092A25112328"],
    },
    Examples {
        rule: Rule::EsDni,
        takes: &["DNI «12345678Z»", "«12345678-Z»", "NIE «X1234567L»"],
        leaves: &["12345678A", "123456789Z", "X1234567A", "A12345678Z", "12345678ZZ"],
    },
    Examples {
        rule: Rule::ItCodiceFiscale,
        takes: &["CF «RSSMRA85T10A562S»"],
        leaves: &["RSSMRA85T10A562T", "RSSMRA85T10A562", "rssmra85t10a562s"],
    },
    Examples {
        rule: Rule::NlBsn,
        takes: &["BSN «111222333»", "burgerservicenummer: «1112.22.333»"],
        leaves: &["111222333", "BSN 111222334", "bsn 000000000"],
    },
    Examples {
        rule: Rule::PlPesel,
        takes: &["PESEL «44051401359»", "pesel: «44051401359»,"],
        leaves: &["44051401359", "PESEL 44051401358", "pesel 44951401359"],
    },
    Examples {
        rule: Rule::SePersonnummer,
        takes: &["«811218-9876»", "«19811218-9876»", "personnummer «8112189876»"],
        leaves: &["811218-9875", "811318-9876", "8112189876", "20240118-9876"],
    },
    Examples {
        rule: Rule::FiHetu,
        takes: &["«131052-308T»", "hetu «131052A308T»"],
        leaves: &["131052-308U", "131352-308T", "1131052-308T"],
    },
    Examples {
        rule: Rule::NoFodselsnummer,
        takes: &["fødselsnummer «01010710029»", "fnr «010107 10029»"],
        leaves: &["01010710029", "fnr 01010710028"],
    },
    Examples {
        rule: Rule::BeNationalNumber,
        takes: &["«85.07.30-033.28»", "NISS «85073003328»"],
        leaves: &["85.07.30-033.29", "85073003328", "85.13.30-033.28"],
    },
    Examples {
        rule: Rule::ChAhv,
        takes: &["AHV «756.9217.0769.85»", "«7569217076985»"],
        leaves: &["756.9217.0769.84", "755.9217.0769.85"],
    },
];
