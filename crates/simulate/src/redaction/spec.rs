//! Patterns of made-up text: `gh{p|o}_{x30}{crc:30}` becomes a token with a right checksum.
//!
//! | written | becomes |
//! |---|---|
//! | `{x30}`, `{x20-40}` | so many characters of a class (below) |
//! | `{one\|other}` | one of them |
//! | `{=text}` | the text: scanners of repositories do not take its line for a secret |
//! | `{w}`, `{W}` | a word of the language, the second with a capital |
//! | `{n}` | a number from 2 to 999 |
//! | `{crc:30}` | the checksum of the 30 characters before it, as GitHub and npm write it |
//! | `{@name}`, `{@name:## ###}` | what `identifiers` or `secrets` make, in this grouping |
//! | `«...»`, `«rule::...»` | the value that a redactor must take, of another rule |
//!
//! Whatever else stands in braces stays. Next door: `texts` reads the files of patterns.

use super::identifiers;
use super::secrets;
use crate::Random;

/// What a pattern is made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// What it says.
    Right,
    /// Nearly: check digits are wrong, and everything random is a character long.
    Short,
    /// Nearly: check digits are wrong, the rest is right.
    WrongCheck,
}

/// A value within a made text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The rule that it names, if it names one.
    pub(super) rule: Option<String>,
}

/// A made text and its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) text: String,
    pub(super) spans: Vec<Span>,
}

/// Characters that stay of what is random, where it is to be too short. With more of them some
/// prefixes look like a secret that somebody shortened.
const SHORT_CHARS: u64 = 1;

/// Makes the text of a pattern, with words from `words`.
pub(super) fn make(pattern: &str, mode: Mode, words: &[&str], random: &mut Random) -> Made {
    let mut made = Made::default();
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        let after = rest.get(next.len_utf8()..).unwrap_or_default();
        rest = match next {
            '«' => open(&mut made, after),
            '»' => {
                let end = made.text.len();
                if let Some(span) = made.spans.iter_mut().rev().find(|span| span.end == 0) {
                    span.end = end;
                }
                after
            }
            '{' => match after.split_once('}') {
                Some((inner, behind)) if !inner.contains('{') => {
                    match fill(inner, mode, words, random, &made.text) {
                        Some(filled) => made.text.push_str(&filled),
                        None => made.text.extend(["{", inner, "}"]),
                    }
                    behind
                }
                _ => {
                    made.text.push('{');
                    after
                }
            },
            _ => {
                made.text.push(next);
                after
            }
        };
    }
    made
}

/// Begins a value; returns what follows its rule's name.
fn open<'p>(made: &mut Made, after: &'p str) -> &'p str {
    let named = after.split_once("::").filter(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    });
    let (rule, rest) = named.map_or((None, after), |(name, rest)| (Some(name.to_owned()), rest));
    made.spans.push(Span { start: made.text.len(), end: 0, rule });
    rest
}

/// What stands for `{inner}`; `None` when it is no placeholder.
fn fill(
    inner: &str,
    mode: Mode,
    words: &[&str],
    random: &mut Random,
    before: &str,
) -> Option<String> {
    if let Some(maker) = inner.strip_prefix('@') {
        return made_by_code(maker, mode, words, random);
    }
    if let Some(count) = inner.strip_prefix("crc:") {
        let count: usize = count.parse().ok()?;
        let start = before.len().saturating_sub(count);
        let checksum = checksum(before.get(start..)?.as_bytes());
        return Some(base62(checksum ^ u32::from(mode != Mode::Right)));
    }
    if let Some(text) = inner.strip_prefix('=') {
        return Some(text.to_owned());
    }
    if inner.contains('|') {
        let choices: Vec<&str> = inner.split('|').collect();
        return random.one_of(&choices).map(|choice| (*choice).to_owned());
    }
    match inner {
        "w" => return random.one_of(words).map(|word| (*word).to_owned()),
        "W" => return random.one_of(words).map(|word| capital(word)),
        "n" => return Some(random.between(2, 999).to_string()),
        _ => {}
    }
    let class = class(inner.chars().next()?)?;
    let (least, most) = {
        let counts = inner.get(1..)?;
        let (least, most) = counts.split_once('-').unwrap_or((counts, counts));
        (least.parse::<u64>().ok()?, most.parse::<u64>().ok()?)
    };
    let most = if mode == Mode::Short { most.min(SHORT_CHARS) } else { most };
    let count = random.between(least.min(most), most);
    Some(characters(class, count, random))
}

fn made_by_code(maker: &str, mode: Mode, words: &[&str], random: &mut Random) -> Option<String> {
    let (name, grouping) = maker.split_once(':').map_or((maker, None), |(n, g)| (n, Some(g)));
    // `!` asks for a wrong check digit whatever the rest is.
    let (name, wrong) = name.strip_prefix('!').map_or((name, false), |name| (name, true));
    let right = mode == Mode::Right && !wrong;
    if let Some(value) = identifiers::make(name, right, random) {
        return Some(grouping.map_or_else(|| value.clone(), |grouping| grouped(&value, grouping)));
    }
    secrets::make(name, grouping, words, random)
}

/// Writes a value in groups: each `#` of the grouping stands for one character of it.
fn grouped(value: &str, grouping: &str) -> String {
    let mut value = value.chars();
    let mut text: String = grouping
        .chars()
        .filter_map(|place| if place == '#' { value.next() } else { Some(place) })
        .collect();
    text.extend(value);
    text
}

/// The characters of a class.
fn class(name: char) -> Option<&'static [u8]> {
    Some(match name {
        'a' => b"abcdefghijklmnopqrstuvwxyz",
        'A' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        'd' => b"0123456789",
        'h' => b"0123456789abcdef",
        'H' => b"0123456789ABCDEF",
        'l' => b"0123456789abcdefghijklmnopqrstuvwxyz",
        'u' => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        // RFC 4648: base32, base64, base64url.
        's' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        'b' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        'r' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
        'x' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        'L' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        // BIP 173, in capitals.
        'q' => b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        'p' => b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%*+-.:=?@_~",
        _ => return None,
    })
}

/// So many characters of a class. Long ones hold a digit and a letter of each case that the class
/// has, as what comes out of a generator nearly always does.
pub(super) fn characters(class: &[u8], count: u64, random: &mut Random) -> String {
    let kinds: [fn(&u8) -> bool; 3] =
        [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase];
    loop {
        let text: String =
            (0..count).filter_map(|_| random.one_of(class).copied()).map(char::from).collect();
        let has = |kind: &fn(&u8) -> bool| text.as_bytes().iter().any(kind);
        if count < 12 || kinds.iter().all(|kind| has(kind) || !class.iter().any(kind)) {
            return text;
        }
    }
}

/// The same in the class of this letter.
pub(super) fn of_class(name: char, count: u64, random: &mut Random) -> String {
    characters(class(name).unwrap_or(b"?"), count, random)
}

pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// CRC-32 as in ISO 3309.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

/// Six digits in base 62.
fn base62(mut number: u32) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = ['0'; 6];
    for place in digits.iter_mut().rev() {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        *place = DIGITS.get(digit).copied().map_or('0', char::from);
        number /= 62;
    }
    digits.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(pattern: &str) -> Made {
        make(pattern, Mode::Right, &["order"], &mut Random::new(1))
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        for text in ["{\"a\": {}}", "f\"{name}\"", "{", "}", "{x}", "{z3}", "${HOME}", "{a b}"] {
            assert_eq!(made(text).text, text);
        }
        assert_eq!(made("{w} {W}").text, "order Order");
    }

    #[test]
    fn values_are_where_the_marks_were() {
        let made = made("é «{d4}» and «jwt::{a3}».");
        let of = |span: &Span| (made.text[span.start..span.end].to_owned(), span.rule.clone());
        assert_eq!(of(&made.spans[0]).0.len(), 4);
        assert_eq!(of(&made.spans[1]).1, Some("jwt".to_owned()));
        assert!(made.text.ends_with('.') && !made.text.contains("::"), "{}", made.text);
    }

    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
        assert_eq!(base62(61), "00000z");
        let token = made("{x30}{crc:30}").text;
        assert_eq!(base62(checksum(&token.as_bytes()[..30])), token[30..]);
        let wrong = make("{x30}{crc:30}", Mode::WrongCheck, &[], &mut Random::new(1)).text;
        assert_eq!(wrong[..30], token[..30]);
        assert_ne!(wrong[30..], token[30..]);
    }

    #[test]
    fn groups_take_the_characters_in_order() {
        assert_eq!(grouped("1234567890", "### ###-####"), "123 456-7890");
        assert_eq!(grouped("12345", "##."), "12.345");
    }
}
