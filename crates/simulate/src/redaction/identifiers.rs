//! Identifiers with check digits, made by their public specifications; on demand with a wrong one.
//!
//! Not here: how they are grouped (`spec`) and what is written around them (the files of patterns).
//! Dates of birth lie between 1950 and 2007.

use super::spec::of_class;
use crate::Random;

/// The identifier called `name`, compact; with a wrong check digit unless `right`. `None` when
/// there is none of this name.
pub(super) fn make(name: &str, right: bool, random: &mut Random) -> Option<String> {
    let made = european(name, random).or_else(|| elsewhere(name, random))?;
    Some(if right { made } else { wrong(&made, random) })
}

/// Cards and accounts too.
fn european(name: &str, random: &mut Random) -> Option<String> {
    Some(match name {
        "card" | "amex" => card(name, random),
        "iban" => iban(random),
        "nhs" => retried(random, |random| {
            let head = digits(9, random);
            eleven_minus(&head, &[10, 9, 8, 7, 6, 5, 4, 3, 2]).map(|check| head + &check)
        }),
        "de_tax" => de_tax_id(random),
        "nir" => nir(random),
        "dni" => dni(random),
        "cf" => codice_fiscale(random),
        "bsn" => retried(random, |random| {
            let head = from_to(1, 9, random) + &digits(7, random);
            let check = weighted(&head, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
            (check < 10).then(|| format!("{head}{check}"))
        }),
        "pesel" => {
            let date = Date::new(random);
            let month = if date.year >= 2000 { date.month + 20 } else { date.month };
            let head = format!("{:02}{month:02}{:02}", date.year % 100, date.day);
            let head = head + &digits(4, random);
            let sum = weighted(&head, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
            format!("{head}{}", (10 - sum % 10) % 10)
        }
        "personnummer" => with_luhn(Date::new(random).yymmdd() + &digits(3, random)),
        "hetu" => hetu(random),
        "fodselsnummer" => fodselsnummer(random),
        "be_nn" => be_national_number(random),
        "ahv" => {
            let head = format!("756{}", digits(9, random));
            let sum = weighted(&head, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
            format!("{head}{}", (10 - sum % 10) % 10)
        }
        _ => return None,
    })
}

fn elsewhere(name: &str, random: &mut Random) -> Option<String> {
    Some(match name {
        "cpf" => with_two_checks(
            digits(9, random),
            &[10, 9, 8, 7, 6, 5, 4, 3, 2],
            &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2],
        ),
        "cnpj" => with_two_checks(
            digits(8, random) + "0001",
            &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2],
            &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2],
        ),
        "cuil" => retried(random, |random| {
            let kind = ["20", "23", "24", "27", "30"];
            let head = format!("{}{}", random.one_of(&kind)?, digits(8, random));
            eleven_minus(&head, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]).map(|check| head + &check)
        }),
        "rut" => rut(random),
        "aadhaar" => verhoeff(&(from_to(2, 9, random) + &digits(10, random))),
        "cn_id" => cn_resident_id(random),
        "rrn" => {
            let date = Date::new(random);
            let century = if date.year >= 2000 { 3 } else { 1 } + random.below(2);
            let head = format!("{}{century}{}", date.yymmdd(), digits(5, random));
            let sum = weighted(&head, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
            format!("{head}{}", (11 - sum % 11) % 10)
        }
        "my_number" => {
            let head = digits(11, random);
            let rest = weighted(&head, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
            format!("{head}{}", if rest < 2 { 0 } else { 11 - rest })
        }
        "sin" => with_luhn(from_to(1, 7, random) + &digits(7, random)),
        "tfn" => retried(random, |random| {
            let head = from_to(1, 9, random) + &digits(7, random);
            // The weight of the last digit is 10, which is -1 modulo 11.
            let check = weighted(&head, &[1, 4, 3, 7, 5, 8, 6, 9]) % 11;
            (check < 10).then(|| format!("{head}{check}"))
        }),
        "medicare" => {
            let head = from_to(2, 6, random) + &digits(7, random);
            format!("{head}{}", weighted(&head, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10)
        }
        "curp" => curp(random),
        "za_id" => {
            let citizen = random.below(2);
            with_luhn(format!("{}{}{citizen}8", Date::new(random).yymmdd(), digits(4, random)))
        }
        "kimlik" => kimlik(random),
        "nric" => nric(random),
        _ => return None,
    })
}

/// Another last digit or letter: it is the only right one that was there.
fn wrong(made: &str, random: &mut Random) -> String {
    let mut text = made.to_owned();
    let Some(last) = text.pop() else { return text };
    text.push(match last {
        '0'..='9' => {
            let digit = (u32::from(last) - u32::from('0')) as u64;
            let other = (digit + random.between(1, 9)) % 10;
            char::from(b'0' + u8::try_from(other).unwrap_or(0))
        }
        'A' => 'B',
        _ => 'A',
    });
    text
}

struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Date {
    fn new(random: &mut Random) -> Self {
        let (year, month) = (random.between(1950, 2007), random.between(1, 12));
        Self { year, month, day: random.between(1, 28) }
    }

    fn yymmdd(&self) -> String {
        format!("{:02}{:02}{:02}", self.year % 100, self.month, self.day)
    }
}

fn digits(count: u64, random: &mut Random) -> String {
    (0..count).map(|_| from_to(0, 9, random)).collect()
}

fn from_to(least: u64, most: u64, random: &mut Random) -> String {
    random.between(least, most).to_string()
}

/// Some numbers have no check digit; they are not given out.
fn retried(random: &mut Random, make: impl Fn(&mut Random) -> Option<String>) -> String {
    loop {
        if let Some(made) = make(random) {
            return made;
        }
    }
}

fn weighted(digits: &str, weights: &[u64]) -> u64 {
    digits.chars().zip(weights).map(|(digit, weight)| value(digit) * weight).sum()
}

fn value(digit: char) -> u64 {
    digit.to_digit(36).map_or(0, u64::from)
}

/// 11 less the rest of the sum; 11 counts as 0, and 10 is no digit.
fn eleven_minus(digits: &str, weights: &[u64]) -> Option<String> {
    match 11 - weighted(digits, weights) % 11 {
        11 => Some("0".to_owned()),
        10 => None,
        check => Some(check.to_string()),
    }
}

/// ISO/IEC 7812-1, annex B.
fn with_luhn(head: String) -> String {
    let sum: u64 = head
        .chars()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, value(digit)) {
            (0, digit @ 5..) => digit * 2 - 9,
            (0, digit) => digit * 2,
            (_, digit) => digit,
        })
        .sum();
    format!("{head}{}", (10 - sum % 10) % 10)
}

fn card(name: &str, random: &mut Random) -> String {
    let (prefix, length) = match (name, random.below(5)) {
        ("amex", which) => (if which < 2 { "34" } else { "37" }.to_owned(), 15),
        (_, 0 | 1) => ("4".to_owned(), 16),
        (_, 2) => (from_to(51, 55, random), 16),
        (_, 3) => (from_to(2221, 2720, random), 16),
        _ => ("6011".to_owned(), 16),
    };
    let rest = length - 1 - prefix.len() as u64;
    with_luhn(prefix + &digits(rest, random))
}

/// ISO 13616: countries with the structure of their account numbers, as the registry gives them.
const IBAN: &[(&str, &str)] = &[
    ("DE", "d18"),
    ("GB", "A4 d14"),
    ("FR", "d10 u11 d2"),
    ("ES", "d20"),
    ("IT", "A1 d10 u12"),
    ("NL", "A4 d10"),
    ("BE", "d12"),
    ("AT", "d16"),
    ("CH", "d5 u12"),
    ("PT", "d21"),
    ("PL", "d24"),
    ("SE", "d20"),
    ("NO", "d11"),
    ("DK", "d14"),
    ("FI", "d14"),
    ("IE", "A4 d14"),
    ("BR", "d23 A1 u1"),
    ("AE", "d19"),
    ("TR", "d6 u16"),
];

fn iban(random: &mut Random) -> String {
    let (country, structure) = random.one_of(IBAN).copied().unwrap_or(("DE", "d18"));
    let account: String = structure
        .split(' ')
        .filter_map(|part| {
            let (class, count) = part.split_at_checked(1)?;
            Some(of_class(class.chars().next()?, count.parse().ok()?, random))
        })
        .collect();
    let rest = format!("{account}{country}00").chars().fold(0, |rest, character| {
        let value = value(character);
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    });
    format!("{country}{:02}{account}", 98 - rest)
}

/// ISO 7064, MOD 11,10; of the first ten digits one stands there twice, and one is missing.
fn de_tax_id(random: &mut Random) -> String {
    let mut pool: Vec<u64> = (0..10).collect();
    let mut head: Vec<u64> = Vec::new();
    while head.len() < 9 {
        let at = usize::try_from(random.below(pool.len() as u64)).unwrap_or(0);
        if !(head.is_empty() && pool[at] == 0) {
            head.push(pool.remove(at));
        }
    }
    // Behind the first place, and not beside itself, which would be three in a row with luck.
    let twice = head[usize::try_from(random.below(7)).unwrap_or(0)];
    head.push(twice);
    let product = head.iter().fold(10, |product, digit| {
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        sum * 2 % 11
    });
    let check = (11 - product) % 10;
    head.iter().chain([&check]).map(u64::to_string).collect()
}

/// The French number: sex, year, month, department, commune, order, key.
fn nir(random: &mut Random) -> String {
    let date = Date::new(random);
    let (department, counted) = match random.below(20) {
        0 => ("2A".to_owned(), 19),
        1 => ("2B".to_owned(), 18),
        _ => {
            let number = random.between(1, 95);
            let number = if number == 20 { 21 } else { number };
            (format!("{number:02}"), number)
        }
    };
    let (sex, tail) =
        (random.between(1, 2), format!("{:03}{}", random.between(1, 900), digits(3, random)));
    let born = format!("{sex}{:02}{:02}", date.year % 100, date.month);
    let number: u64 = format!("{born}{counted:02}{tail}").parse().unwrap_or(0);
    format!("{born}{department}{tail}{:02}", 97 - number % 97)
}

fn dni(random: &mut Random) -> String {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let letter = |number: u64| {
        let at = usize::try_from(number % 23).unwrap_or(0);
        LETTERS.get(at).copied().map_or('T', char::from)
    };
    if random.percent(60) {
        let number = random.between(10_000_000, 99_999_999);
        return format!("{number}{}", letter(number));
    }
    let (kind, number) = (random.below(3), random.below(10_000_000));
    let first = ["X", "Y", "Z"][usize::try_from(kind).unwrap_or(0)];
    format!("{first}{number:07}{}", letter(kind * 10_000_000 + number))
}

fn codice_fiscale(random: &mut Random) -> String {
    const ODD: [u64; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    const MONTHS: &[u8] = b"ABCDEHLMPRST";
    let date = Date::new(random);
    let month = MONTHS.get(usize::try_from(date.month - 1).unwrap_or(0)).copied().unwrap_or(b'A');
    let consonants = |random: &mut Random| -> String {
        (0..6).filter_map(|_| random.one_of(b"BCDFGLMNPRSTVZ").copied()).map(char::from).collect()
    };
    let head = format!(
        "{}{:02}{}{:02}{}{}",
        consonants(random),
        date.year % 100,
        char::from(month),
        date.day + 40 * random.below(2),
        ["A", "F", "H", "L"][usize::try_from(random.below(4)).unwrap_or(0)],
        random.between(100, 999),
    );
    let sum: u64 = head
        .chars()
        .enumerate()
        .map(|(place, character)| {
            let place_value =
                if character.is_ascii_digit() { value(character) } else { value(character) - 10 };
            match place % 2 {
                0 => ODD[usize::try_from(place_value).unwrap_or(0)],
                _ => place_value,
            }
        })
        .sum();
    format!("{head}{}", char::from(b'A' + u8::try_from(sum % 26).unwrap_or(0)))
}

fn hetu(random: &mut Random) -> String {
    const CHECKS: &[u8] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let date = Date::new(random);
    let (born, number) =
        (format!("{:02}{:02}{:02}", date.day, date.month, date.year % 100), random.between(2, 899));
    let whole: u64 = format!("{born}{number:03}").parse().unwrap_or(0);
    let check = CHECKS.get(usize::try_from(whole % 31).unwrap_or(0)).copied().unwrap_or(b'0');
    let century = if date.year >= 2000 { 'A' } else { '-' };
    format!("{born}{century}{number:03}{}", char::from(check))
}

fn fodselsnummer(random: &mut Random) -> String {
    retried(random, |random| {
        let date = Date::new(random);
        let own = if date.year >= 2000 { random.between(500, 999) } else { random.between(0, 499) };
        let head = format!("{:02}{:02}{:02}{own:03}", date.day, date.month, date.year % 100);
        let first = eleven_minus(&head, &[3, 7, 6, 1, 8, 9, 4, 5, 2])?;
        let second = eleven_minus(&(head.clone() + &first), &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])?;
        Some(head + &first + &second)
    })
}

fn be_national_number(random: &mut Random) -> String {
    let date = Date::new(random);
    let head = format!("{}{:03}", date.yymmdd(), random.between(1, 997));
    let century = if date.year >= 2000 { "2" } else { "" };
    let number: u64 = format!("{century}{head}").parse().unwrap_or(0);
    format!("{head}{:02}", 97 - number % 97)
}

/// The two check digits of Brazil.
fn with_two_checks(head: String, first: &[u64], second: &[u64]) -> String {
    let check = |text: &str, weights: &[u64]| match weighted(text, weights) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    let one = format!("{head}{}", check(&head, first));
    let two = check(&one, second);
    format!("{one}{two}")
}

fn rut(random: &mut Random) -> String {
    let head = random.between(4_000_000, 26_000_000).to_string();
    let sum: u64 =
        head.chars().rev().zip([2, 3, 4, 5, 6, 7].iter().cycle()).map(|(d, w)| value(d) * w).sum();
    let check = match 11 - sum % 11 {
        11 => "0".to_owned(),
        10 => "K".to_owned(),
        check => check.to_string(),
    };
    // Eight places, so that one grouping fits all.
    format!("{head:0>8}{check}")
}

/// Verhoeff's check digit (1969): in the dihedral group of the pentagon.
fn verhoeff(head: &str) -> String {
    fn times(left: u64, right: u64) -> u64 {
        match (left < 5, right < 5) {
            (true, true) => (left + right) % 5,
            (true, false) => (left + right - 5) % 5 + 5,
            (false, true) => (left + 5 - right) % 5 + 5,
            (false, false) => (left + 5 - right) % 5,
        }
    }
    fn permuted(digit: u64, place: usize) -> u64 {
        const STEP: [u64; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        (0..place % 8).fold(digit, |digit, _| STEP[usize::try_from(digit).unwrap_or(0)])
    }
    let sum = head
        .chars()
        .rev()
        .enumerate()
        .fold(0, |sum, (place, digit)| times(sum, permuted(value(digit), place + 1)));
    let check = (0..10).find(|check| times(sum, *check) == 0).unwrap_or(0);
    format!("{head}{check}")
}

/// GB 11643, ISO 7064 MOD 11-2.
fn cn_resident_id(random: &mut Random) -> String {
    const REGIONS: &[&str] = &["110101", "310115", "440305", "330106", "510104", "420111"];
    let date = Date::new(random);
    let region = random.one_of(REGIONS).copied().unwrap_or_default();
    let head = format!(
        "{region}{:04}{:02}{:02}{:03}",
        date.year,
        date.month,
        date.day,
        random.between(1, 999)
    );
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let rest = usize::try_from(weighted(&head, &weights) % 11).unwrap_or(0);
    format!("{head}{}", char::from(b"10X98765432"[rest]))
}

fn curp(random: &mut Random) -> String {
    const STATES: &[&str] = &["DF", "JC", "NL", "MC", "PL", "VZ", "BC", "OC"];
    let date = Date::new(random);
    let letter =
        |from: &[u8], random: &mut Random| random.one_of(from).copied().map_or('B', char::from);
    let consonants = b"BCDFGHJKLMNPQRSTVZ";
    let mut head = String::new();
    head.push(letter(consonants, random));
    head.push(letter(b"AEIOU", random));
    head.extend([letter(consonants, random), letter(consonants, random)]);
    head += &date.yymmdd();
    head.push(letter(b"HM", random));
    head += random.one_of(STATES).copied().unwrap_or("DF");
    head.extend((0..3).map(|_| letter(consonants, random)));
    head.push(if date.year >= 2000 { 'A' } else { '0' });
    let sum: u64 = head
        .chars()
        .zip((2..=18).rev())
        .map(|(character, weight)| {
            // A letter between N and O is counted.
            let moved = u64::from(character > 'N');
            (value(character) + moved) * weight
        })
        .sum();
    format!("{head}{}", (10 - sum % 10) % 10)
}

fn kimlik(random: &mut Random) -> String {
    let head = from_to(1, 9, random) + &digits(8, random);
    let sum = |start| head.chars().skip(start).step_by(2).map(value).sum::<u64>();
    let tenth = (sum(0) * 7 + 100 - sum(1)) % 10;
    let eleventh = (sum(0) + sum(1) + tenth) % 10;
    format!("{head}{tenth}{eleventh}")
}

fn nric(random: &mut Random) -> String {
    let (first, offset, letters): (_, _, &[u8]) = match random.below(4) {
        0 => ("S", 0, b"JZIHGFEDCBA"),
        1 => ("T", 4, b"JZIHGFEDCBA"),
        2 => ("F", 0, b"XWUTRQPNMLK"),
        _ => ("G", 4, b"XWUTRQPNMLK"),
    };
    let number = digits(7, random);
    let rest = (weighted(&number, &[2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
    format!("{first}{number}{}", char::from(letters[usize::try_from(rest).unwrap_or(0)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples that the specifications themselves print.
    #[test]
    fn check_digits_are_those_of_published_examples() {
        assert_eq!(with_luhn("7992739871".to_owned()), "79927398713");
        assert_eq!(verhoeff("236"), "2363");
        assert_eq!(eleven_minus("943476591", &[10, 9, 8, 7, 6, 5, 4, 3, 2]), Some("9".to_owned()));
        let cpf = with_two_checks(
            "111444777".to_owned(),
            &[10, 9, 8, 7, 6, 5, 4, 3, 2],
            &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2],
        );
        assert_eq!(cpf, "11144477735");
    }

    #[test]
    fn a_wrong_one_differs_in_its_last_character_alone() {
        let mut random = Random::new(3);
        for name in ["card", "iban", "nhs", "cf", "curp", "aadhaar", "nric", "cn_id"] {
            let right = make(name, true, &mut random.clone()).unwrap_or_default();
            let wrong = make(name, false, &mut random).unwrap_or_default();
            let (last_right, last_wrong) = (right.len() - 1, wrong.len() - 1);
            assert_eq!(right[..last_right], wrong[..last_wrong], "{name}");
            assert_ne!(right[last_right..], wrong[last_wrong..], "{name}");
        }
    }
}
