//! Capitals as anchors: they begin keys (`AKIA`, `EAAA`), tokens (`eyJ`) and bank accounts, and end
//! identity numbers (`12345678Z`).

use super::{Families, is_scheme};

/// Digits that a number has before the letter that ends it.
const ENDED_DIGITS_MIN: usize = 6;

/// How far before its last letter a number begins at most.
const NUMBER_BYTES_MAX: usize = 14;

/// Looks at the neighbours of a capital.
#[inline]
pub(super) fn confirm(anchor: u8, before: &[u8], after: &[u8]) -> Families {
    let mut families = Families::default();
    let begins = |word: &[u8]| after.starts_with(word);
    // After a backslash the letter of an escape (`\n`) does not belong to the word.
    let inside = match before {
        [.., b'\\', _] => false,
        [.., last] => last.is_ascii_alphanumeric() && anchor != b'J',
        [] => false,
    };
    let (key, token) = match anchor {
        _ if inside => (false, false),
        b'A' => (begins_with_a(after), false),
        b'B' => (false, is_scheme(after)),
        b'E' => (begins(b"AAA"), false),
        b'F' => (begins(b"woG"), false),
        b'I' => (begins(b"QoJ"), false),
        b'J' => (false, before.ends_with(b"ey")),
        b'L' => (begins(b"TAI"), false),
        b'S' => (begins(b"G.") || is_twilio(after), false),
        _ => (false, false),
    };
    if key {
        families.add(Families::KEYS);
    }
    if token {
        families.add(Families::TOKENS);
    }
    if let [second, third, fourth, ..] = after
        && second.is_ascii_uppercase()
        && third.is_ascii_digit()
        && fourth.is_ascii_digit()
    {
        families.add(Families::IBAN);
    }
    if before.iter().rev().take(2).any(u8::is_ascii_digit) && ends_number(before) {
        families.add(Families::NUMBERS);
    }
    families
}

fn begins_with_a(after: &[u8]) -> bool {
    const KEYS: &[&[u8]] =
        &[b"KIA", b"SIA", b"BIA", b"CCA", b"KID", b"TATT3", b"TCTT3", b"TBB", b"GE-SECRET", b"Iza"];
    KEYS.iter().any(|key| after.starts_with(key))
}

fn is_twilio(after: &[u8]) -> bool {
    after.first() == Some(&b'K')
        && after.get(1..9).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// True when what stands before a capital may be the digits of an identity number.
fn ends_number(before: &[u8]) -> bool {
    let before = match before {
        [rest @ .., b' ' | b'-'] => rest,
        _ => before,
    };
    let number = before.iter().rev().take(NUMBER_BYTES_MAX);
    let number = number.take_while(|b| b.is_ascii_digit() || matches!(b, b' ' | b'.'));
    if number.filter(|b| b.is_ascii_digit()).count() >= ENDED_DIGITS_MIN {
        return true;
    }
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    match before {
        // Five letters and four digits.
        [.., a, b, c, d, e, f, g, h, i] if digits(&[*f, *g, *h, *i]) => {
            [a, b, c, d, e].iter().all(|b| b.is_ascii_uppercase())
        }
        // Six digits, a sign for the century, three digits.
        [.., f, b'+' | b'-' | b'A'..=b'F' | b'U'..=b'Y', g, h, i] => {
            let six = before.len().checked_sub(10).and_then(|at| before.get(at..at + 6));
            digits(&[*f, *g, *h, *i]) && six.is_some_and(digits)
        }
        _ => false,
    }
}
