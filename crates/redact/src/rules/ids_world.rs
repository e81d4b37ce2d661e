//! Identity numbers of the Americas, Asia, Africa and Australia, each with its check digits.

use super::context::Subjects;
use super::numbers::{
    Group, Place, Shape, digit, digits, is_day, is_free_after, is_free_before, passes_luhn, two,
    value, weighted,
};
use super::{Examples, Finding};
use crate::rule::Rule;

const NOTHING: Subjects = Subjects::NONE;

pub(super) const SHAPES: &[Shape] = &[
    shape(Rule::UsSsn, &[3, 2, 4], &[b"-"], is_ssn, NOTHING),
    shape(Rule::UsSsn, &[3, 2, 4], &[b" "], is_ssn, Subjects::SSN),
    shape(Rule::UsSsn, &[9], &[], is_ssn, Subjects::SSN),
    shape(Rule::BrCpf, &[3, 3, 3, 2], &[b".", b".", b"-"], is_cpf, NOTHING),
    shape(Rule::BrCpf, &[11], &[], is_cpf, Subjects::CPF),
    shape(Rule::BrCnpj, &[2, 3, 3, 4, 2], &[b".", b".", b"/", b"-"], is_cnpj, NOTHING),
    shape(Rule::BrCnpj, &[14], &[], is_cnpj, Subjects::CNPJ),
    shape(Rule::ArCuil, &[2, 8, 1], &[b"-"], is_cuil, NOTHING),
    shape(Rule::ClRut, &[1, 3, 3, 1], &[b".", b".", b"-"], is_rut, NOTHING),
    shape(Rule::ClRut, &[2, 3, 3, 1], &[b".", b".", b"-"], is_rut, NOTHING),
    shape(Rule::ClRut, &[7, 1], &[b"-"], is_rut, Subjects::RUT),
    shape(Rule::ClRut, &[8, 1], &[b"-"], is_rut, Subjects::RUT),
    shape(Rule::JpMyNumber, &[4, 4, 4], &[b" -"], is_my_number, Subjects::MY_NUMBER),
    shape(Rule::JpMyNumber, &[12], &[], is_my_number, Subjects::MY_NUMBER),
    shape(Rule::InAadhaar, &[4, 4, 4], &[b" -"], is_aadhaar, NOTHING),
    shape(Rule::InAadhaar, &[12], &[], is_aadhaar, Subjects::AADHAAR),
    shape(Rule::CnResidentId, &[18], &[], is_resident_id, NOTHING),
    shape(Rule::KrRrn, &[6, 7], &[b"-"], is_rrn, NOTHING),
    shape(Rule::CaSin, &[3, 3, 3], &[b" -"], is_sin, Subjects::SIN),
    shape(Rule::CaSin, &[9], &[], is_sin, Subjects::SIN),
    shape(Rule::AuTfn, &[3, 3, 3], &[b" -"], is_tfn, Subjects::TFN),
    shape(Rule::AuTfn, &[9], &[], is_tfn, Subjects::TFN),
    shape(Rule::AuMedicare, &[4, 5, 1], &[b" -"], is_medicare, Subjects::MEDICARE),
    shape(Rule::AuMedicare, &[10], &[], is_medicare, Subjects::MEDICARE),
    shape(Rule::AuMedicare, &[11], &[], is_medicare, Subjects::MEDICARE),
    shape(Rule::ZaId, &[13], &[], is_za_id, Subjects::ZA),
    shape(Rule::ZaId, &[6, 4, 3], &[b" "], is_za_id, Subjects::ZA),
    shape(Rule::ZaId, &[6, 4, 2, 1], &[b" "], is_za_id, Subjects::ZA),
    shape(Rule::TrKimlik, &[11], &[], is_kimlik, Subjects::KIMLIK),
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

/// Area, group and serial in the ranges that were ever given out; no check digit exists.
fn is_ssn(digits: &[u8]) -> bool {
    let area = value(digits.get(..3).unwrap_or_default());
    let serial = value(digits.get(5..).unwrap_or_default());
    !matches!(area, 0 | 666 | 900..) && two(digits, 3) != 0 && serial != 0
}

/// The check digit modulo 11 of Brazil: 10 counts as 0.
fn brazilian(digits: &[u8], weights: &[u32], at: usize) -> bool {
    let rest = weighted(digits, weights) * 10 % 11 % 10;
    rest == digit(digits, at)
}

fn is_cpf(digits: &[u8]) -> bool {
    !are_alike(digits)
        && brazilian(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2], 9)
        && brazilian(digits, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 10)
}

fn is_cnpj(digits: &[u8]) -> bool {
    !are_alike(digits)
        && brazilian(digits, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], 12)
        && brazilian(digits, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], 13)
}

fn are_alike(digits: &[u8]) -> bool {
    digits.iter().all(|digit| digits.first() == Some(digit))
}

fn is_cuil(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(two(digits, 0), 20 | 23 | 24 | 27 | 30 | 33 | 34)
        && (11 - rest) % 11 == digit(digits, 10)
}

/// Seven or eight digits and the check digit; K, which is ten, is no digit.
fn is_rut(digits: &[u8]) -> bool {
    let Some((check, number)) = digits.split_last() else { return false };
    rut_check(number) == u32::from(*check)
}

fn rut_check(number: &[u8]) -> u32 {
    let weights = (2..=7).cycle();
    let sum: u32 =
        number.iter().rev().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    (11 - sum % 11) % 11
}

fn is_my_number(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    !are_alike(digits) && if rest <= 1 { 0 } else { 11 - rest } == digit(digits, 11)
}

/// Verhoeff's check digit: the dihedral group of the pentagon.
fn is_aadhaar(digits: &[u8]) -> bool {
    const TURN: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    /// Each digit, turned so many times.
    const TURNED: [[u8; 10]; 8] = {
        let (mut turned, mut times) = ([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]; 8], 1);
        while times < 8 {
            let mut digit = 0;
            while digit < 10 {
                turned[times][digit] = turned[times - 1][TURN[digit]];
                digit += 1;
            }
            times += 1;
        }
        turned
    };
    let multiply = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let sum = digits.iter().rev().enumerate().fold(0, |sum, (place, digit)| {
        let turned = TURNED.get(place % 8).and_then(|digits| digits.get(usize::from(*digit)));
        multiply(sum, turned.copied().unwrap_or_default())
    });
    digit(digits, 0) >= 2 && sum == 0
}

/// ISO/IEC 7064, MOD 11-2, and a date of birth.
fn is_resident_id(digits: &[u8]) -> bool {
    resident_check(digits) == digit(digits, 17) && is_resident_birth(digits)
}

fn is_resident_birth(digits: &[u8]) -> bool {
    let year = two(digits, 6) * 100 + two(digits, 8);
    digit(digits, 0) > 0
        && (1900..=2030).contains(&year)
        && is_day(two(digits, 10), two(digits, 12))
}

fn resident_check(digits: &[u8]) -> u32 {
    let sum = weighted(digits, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    (12 - sum % 11) % 11
}

/// A date of birth and a digit of sex and century; the last digit has meant nothing since 2020.
fn is_rrn(digits: &[u8]) -> bool {
    is_day(two(digits, 2), two(digits, 4)) && (1..=8).contains(&digit(digits, 6))
}

fn is_sin(digits: &[u8]) -> bool {
    digit(digits, 0) != 0 && passes_luhn(digits)
}

fn is_tfn(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]);
    sum > 0 && sum.is_multiple_of(11)
}

fn is_medicare(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9]);
    (2..=6).contains(&digit(digits, 0)) && sum % 10 == digit(digits, 8)
}

fn is_za_id(digits: &[u8]) -> bool {
    is_day(two(digits, 2), two(digits, 4)) && digit(digits, 10) <= 2 && passes_luhn(digits)
}

fn is_kimlik(digits: &[u8]) -> bool {
    let odd = weighted(digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(digits, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let sum: u32 = digits.iter().take(10).map(|digit| u32::from(*digit)).sum();
    digit(digits, 0) != 0
        && (odd * 7 + 100 - even) % 10 == digit(digits, 9)
        && sum % 10 == digit(digits, 10)
}

/// Numbers to which letters belong: `group` is their digits.
pub(super) fn lettered(place: &Place<'_>, group: Group) -> Option<Finding> {
    match group.end - group.start {
        4 => pan(place, group),
        7 => nric(place, group),
        17 => resident_x(place, group),
        1..=3 if matches!(place.byte(group.end), Some(b'-')) => rut_k(place, group),
        8 => rut_k(place, group),
        _ => None,
    }
}

/// Five letters, of which the fourth is the kind of holder, four digits, a letter.
fn pan(place: &Place<'_>, group: Group) -> Option<Finding> {
    let start = group.start.checked_sub(5)?;
    let letters = place.text.as_bytes().get(start..group.start)?;
    let holder = matches!(
        letters.get(3),
        Some(b'P' | b'C' | b'H' | b'A' | b'B' | b'G' | b'J' | b'L' | b'F' | b'T')
    );
    let end = group.end + 1;
    let shape = letters.iter().all(u8::is_ascii_uppercase)
        && place.byte(group.end).is_some_and(|b| b.is_ascii_uppercase());
    let free = is_free_before(place, start) && is_free_after(place, end);
    (shape && holder && free && place.speaks_of(Subjects::PAN, start)).then_some(Finding {
        start,
        end,
        rule: Rule::InPan,
    })
}

/// A letter for the kind, seven digits, a check letter.
fn nric(place: &Place<'_>, group: Group) -> Option<Finding> {
    let (start, end) = (group.start.checked_sub(1)?, group.end + 1);
    let (letters, offset): (&[u8; 11], u32) = match place.byte(start)? {
        b'S' => (b"JZIHGFEDCBA", 0),
        b'T' => (b"JZIHGFEDCBA", 4),
        b'F' => (b"XWUTRQPNMLK", 0),
        b'G' => (b"XWUTRQPNMLK", 4),
        b'M' => (b"XWUTRQPNJLK", 3),
        _ => return None,
    };
    place.byte(group.end).filter(u8::is_ascii_uppercase)?;
    let sum = weighted(digits(place.text, &[group]).as_slice(), &[2, 7, 6, 5, 4, 3, 2]) + offset;
    let right = letters.get((sum % 11) as usize).copied();
    let free = is_free_before(place, start) && is_free_after(place, end);
    (place.byte(group.end) == right && free).then_some(Finding { start, end, rule: Rule::SgNric })
}

/// A Chinese number whose check digit is ten.
fn resident_x(place: &Place<'_>, group: Group) -> Option<Finding> {
    place.byte(group.end).filter(|b| matches!(b, b'X' | b'x'))?;
    let (all, end) = (digits(place.text, &[group]), group.end + 1);
    let fits = resident_check(all.as_slice()) == 10 && is_resident_birth(all.as_slice());
    let free = is_free_before(place, group.start) && is_free_after(place, end);
    (fits && free).then_some(Finding { start: group.start, end, rule: Rule::CnResidentId })
}

/// A Chilean number whose check digit is ten: `12.345.678-K`; `group` is its last.
fn rut_k(place: &Place<'_>, group: Group) -> Option<Finding> {
    let end = group.end + 2;
    let bytes = place.text.as_bytes();
    if !matches!(bytes.get(group.end..end)?, b"-K" | b"-k") || !is_free_after(place, end) {
        return None;
    }
    let before = bytes.get(..group.end)?;
    let length =
        before.iter().rev().take(11).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let start = group.end - length;
    let written = bytes.get(start..group.end)?;
    let number: Vec<u8> =
        written.iter().filter(|b| b.is_ascii_digit()).map(|b| b.wrapping_sub(b'0')).collect();
    let dotted = written.iter().filter(|b| **b == b'.').count() == 2;
    let fits = (7..=8).contains(&number.len()) && rut_check(&number) == 10;
    let known = dotted || (!written.contains(&b'.') && place.speaks_of(Subjects::RUT, start));
    (fits && known && is_free_before(place, start)).then_some(Finding {
        start,
        end,
        rule: Rule::ClRut,
    })
}

/// A Mexican CURP in a run of eighteen letters and digits.
pub(super) fn is_curp(run: &[u8]) -> bool {
    const ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHIJKLMN\xD1OPQRSTUVWXYZ";
    let Ok(code) = <&[u8; 18]>::try_from(run) else { return false };
    let shape = code.iter().enumerate().all(|(at, byte)| match at {
        4..=9 | 17 => byte.is_ascii_digit(),
        16 => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        _ => byte.is_ascii_uppercase(),
    });
    if !shape || !matches!(code.get(10), Some(b'H' | b'M' | b'X')) {
        return false;
    }
    let number: Vec<u8> = code.iter().map(|b| b.wrapping_sub(b'0')).collect();
    let sum: usize = code.iter().take(17).enumerate().fold(0, |sum, (at, byte)| {
        let value = ALPHABET.iter().position(|letter| letter == byte).unwrap_or_default();
        sum + value * (18 - at)
    });
    is_day(two(&number, 6), two(&number, 8))
        && number.get(17).is_some_and(|check| (10 - sum % 10) % 10 == usize::from(*check))
}

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::UsSsn,
        takes: &["«123-45-6789»", "SSN: «123456789»", "social security «123 45 6789»"],
        leaves: &[
            "000-45-6789",
            "666-45-6789",
            "901-45-6789",
            "123-00-6789",
            "123456789",
            "1123-45-6789",
        ],
    },
    Examples {
        rule: Rule::BrCpf,
        takes: &["«529.982.247-25»", "CPF «52998224725»"],
        leaves: &["529.982.247-26", "111.111.111-11", "52998224725"],
    },
    Examples {
        rule: Rule::BrCnpj,
        takes: &["«11.222.333/0001-81»", "CNPJ «11222333000181»"],
        leaves: &["11.222.333/0001-82", "11222333000181"],
    },
    Examples {
        rule: Rule::ArCuil,
        takes: &["CUIL «20-12345678-6»"],
        leaves: &["20-12345678-7", "21-12345678-6"],
    },
    Examples {
        rule: Rule::ClRut,
        takes: &["«12.345.678-5»", "RUT «12345678-5»", "«10.000.013-K»"],
        leaves: &["12.345.678-6", "12345678-5", "12.345.678-K"],
    },
    Examples {
        rule: Rule::InAadhaar,
        takes: &["«2345 6789 0124»", "Aadhaar «234567890124»"],
        leaves: &["2345 6789 0123", "234567890124", "1234 5678 9012", "1234 2345 6789 0124"],
    },
    Examples {
        rule: Rule::InPan,
        takes: &["PAN «ABCPE1234F»"],
        leaves: &["ABCPE1234F", "PAN ABCDE1234F", "pan ABCPE12345"],
    },
    Examples {
        rule: Rule::CnResidentId,
        takes: &["身份证«11010519491231002X»", "«110101199003077758»"],
        leaves: &["110105194912310021", "110105194913310021", "198622483471925248"],
    },
    Examples {
        rule: Rule::KrRrn,
        takes: &["«900101-1234567»"],
        leaves: &["901301-1234567", "900101-9234567", "9001011234567"],
    },
    Examples {
        rule: Rule::JpMyNumber,
        takes: &["マイナンバー «123456789018»", "my number «1234 5678 9018»"],
        leaves: &["123456789018", "my number 123456789017"],
    },
    Examples {
        rule: Rule::CaSin,
        takes: &["SIN «130 692 544»", "social insurance «130692544»"],
        leaves: &["130 692 544", "SIN 130 692 545", "basin 130692544"],
    },
    Examples {
        rule: Rule::AuTfn,
        takes: &["TFN «123 456 782»", "tax file number «123456782»"],
        leaves: &["123 456 782", "TFN 123 456 783"],
    },
    Examples {
        rule: Rule::AuMedicare,
        takes: &["Medicare «2123 45670 1»", "medicare card «2123456701»"],
        leaves: &["2123 45670 1", "Medicare 2123 45680 1"],
    },
    Examples {
        rule: Rule::MxCurp,
        takes: &["CURP «GOML850101HDFRRN05»"],
        leaves: &["GOML850101HDFRRN06", "GOML851301HDFRRN05"],
    },
    Examples {
        rule: Rule::ZaId,
        takes: &["ID number «8001015009087»", "identity «800101 5009 087»"],
        leaves: &["8001015009087", "ID number 8001015009088"],
    },
    Examples {
        rule: Rule::TrKimlik,
        takes: &["TC kimlik «10000000146»"],
        leaves: &["10000000146", "kimlik 10000000147"],
    },
    Examples {
        rule: Rule::SgNric,
        takes: &["«S1234567D»", "FIN «G1234567X»"],
        leaves: &["S1234567E", "XS1234567D", "S12345678D"],
    },
];
