//! E-mail addresses, also with an encoded `@` (`%40`).
//!
//! Every `@` is looked at once, and every letter for one `@` on each of its sides.

use super::Finding;
use super::kinds::places_of;
use crate::rule::Rule;

/// Ends of file names that look like a domain (`icon@2x.png`).
const FILE_ENDINGS: &[&str] =
    &["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "mjs", "ts", "tsx", "json", "html"];

/// How an `@` is written in an address of the web.
const ENCODED: &[u8] = b"%40";

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    // Where the letters before the last sign began, and the sign.
    let mut known = (0, 0);
    for sign in places_of(bytes, [b'@', b'%']) {
        let rest = bytes.get(sign..).unwrap_or_default();
        let encoded = rest.starts_with(ENCODED);
        if !encoded && rest.first() != Some(&b'@') {
            continue;
        }
        let start = start_of_local(text, sign, known);
        known = (start, sign);
        let domain = sign + if encoded { ENCODED.len() } else { 1 };
        if start == sign {
            continue;
        }
        let Some((ending, end)) = end_of_domain(text, domain) else { continue };
        let is_file = text
            .get(ending..end)
            .is_some_and(|ending| FILE_ENDINGS.iter().any(|end| ending.eq_ignore_ascii_case(end)));
        if !is_file && (encoded || is_address(text, (start, sign), (domain, end))) {
            found.push(Finding { start, end, rule: Rule::Email });
        }
    }
}

/// Where the letters before the `sign` begin. Those before an earlier sign are `known`; an encoded
/// one consists of letters of a local part itself.
fn start_of_local(text: &str, sign: usize, known: (usize, usize)) -> usize {
    let bytes = text.as_bytes();
    let mut at = sign;
    while let Some(before) = at.checked_sub(1) {
        if at == known.1 {
            return known.0;
        }
        let Some(byte) = bytes.get(before) else { break };
        at = match byte {
            b'.' | b'+' | b'%' | b'\'' => before,
            _ => match word_before(text, at) {
                Some(start) => start,
                None => break,
            },
        };
    }
    at
}

/// The end of the domain at `at`, the longest that ends in a name of letters, and where that name
/// begins.
fn end_of_domain(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let (mut label, mut found) = (at, None);
    loop {
        let mut stop = label;
        while let Some(next) = word_after(text, stop) {
            stop = next;
        }
        if stop == label || bytes.get(stop) != Some(&b'.') {
            return found;
        }
        label = stop + 1;
        found = top_level(bytes, label).map(|end| (label, end)).or(found);
    }
}

/// Where the name at `at` ends if it begins with a letter and has two or more.
fn top_level(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    let name = rest.get(..length)?;
    let name = name.get(..length - name.iter().rev().take_while(|b| **b == b'-').count())?;
    let fits = name.len() >= 2 && name.first().is_some_and(u8::is_ascii_alphabetic);
    fits.then_some(at + name.len())
}

/// The position after the letter, digit, underscore or hyphen at `at`.
fn word_after(text: &str, at: usize) -> Option<usize> {
    match text.as_bytes().get(at)? {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' => Some(at + 1),
        0x80.. => {
            let letter = text.get(at..)?.chars().next()?;
            is_letter(letter).then_some(at + letter.len_utf8())
        }
        _ => None,
    }
}

/// Where the letter, digit, underscore or hyphen that ends at `at` begins.
fn word_before(text: &str, at: usize) -> Option<usize> {
    match text.as_bytes().get(at.checked_sub(1)?)? {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' => Some(at - 1),
        0x80.. => {
            let letter = text.get(..at)?.chars().next_back()?;
            is_letter(letter).then_some(at - letter.len_utf8())
        }
        _ => None,
    }
}

/// Letters, digits, and the accents that are written apart from their letters.
fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}')
}

fn is_address(text: &str, local: (usize, usize), domain: (usize, usize)) -> bool {
    let after = text.as_bytes().get(domain.1);
    let domain = text.get(domain.0..domain.1).unwrap_or_default();
    // `git@github.com:owner/repository` names a repository, not a person.
    let is_git = |local: &str| local.trim_start_matches('\'') == "git";
    let repository = after == Some(&b':') && text.get(local.0..local.1).is_some_and(is_git);
    // `package@1.2.3-rc` names a version.
    let version = domain.split('.').all(|l| l.starts_with(|c: char| c.is_ascii_digit()))
        || domain.split('.').take(2).all(|l| l.bytes().all(|b| b.is_ascii_digit()));
    !repository && !version
}
