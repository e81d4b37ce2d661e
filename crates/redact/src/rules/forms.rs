//! Keys that their makers made recognisable: a prefix, then parts of known letters and lengths.
//!
//! The forms themselves stand in the files of the families. Prefixes are looked for all at once,
//! where words begin, and a form is measured by steps with a bound, so the search is linear in the
//! text. Not here:
//! keys that have no prefix (`words`), or only a name beside them (`assignments`).

use super::kinds::Kinds;
use super::letters::{Class, Runs};
use super::lexicon::Lexicon;
use super::{Finding, ends_word, names};
use crate::rule::Rule;

/// A part of a key behind its prefix.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// So many bytes of these classes, at least and at most.
    Run(Class, usize, usize),
    /// Exactly this.
    Text(&'static str),
    /// This, where it stands.
    Maybe(&'static str),
}

/// One form of key.
pub(crate) struct Form {
    pub(super) rule: Rule,
    pub(crate) prefix: &'static str,
    parts: &'static [Part],
    check: Check,
    /// Parts that stay readable, the prefix being the first.
    readable: usize,
}

/// What beside its letters decides whether it is a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    None,
    /// No letter or digit follows.
    Ends,
    /// Long or mixed runs of letters and digits, not words joined by hyphens.
    Mixed,
    /// Six letters of CRC32 at the end. One wrong letter betrays all others, so a wrong sum only
    /// frees what was obviously made up.
    Sum,
}

/// As long as it goes on.
pub(super) const ENDLESS: usize = usize::MAX;

/// A key is judged by this much of it, and certain after this much.
const JUDGED_BYTES_MAX: usize = 512;
const DECIDING_BYTES: usize = 64;

/// What a search remembers, so that it walks no byte for each of the keys that might hold it.
#[derive(Default)]
struct Memory {
    runs: Runs,
    /// A piece of the text that was not mixed; what is within it is not either.
    dull: (usize, usize),
}

impl Form {
    pub(super) const fn new(rule: Rule, prefix: &'static str, parts: &'static [Part]) -> Self {
        Self { rule, prefix, parts, check: Check::None, readable: 0 }
    }

    pub(super) const fn checked(self, check: Check) -> Self {
        Self { check, ..self }
    }

    /// The prefix and so many parts behind it stay: they name the service, not the secret.
    pub(super) const fn keeps(self, readable: usize) -> Self {
        Self { readable: readable + 1, ..self }
    }

    /// Where the secret of the key that begins at `key` starts and ends.
    fn measure(&self, bytes: &[u8], key: usize, runs: &mut Runs) -> Option<(usize, usize)> {
        let (mut at, mut start) = (key + self.prefix.len(), key);
        for (number, part) in self.parts.iter().enumerate() {
            if number + 1 == self.readable {
                start = at;
            }
            let after = bytes.get(at..)?;
            at += match part {
                Part::Text(text) => after.starts_with(text.as_bytes()).then_some(text.len())?,
                Part::Maybe(text) if after.starts_with(text.as_bytes()) => text.len(),
                Part::Maybe(_) => 0,
                Part::Run(class, min, max) => {
                    let length = (*max).min(runs.end(bytes, *class, at) - at);
                    // A full stop ends the sentence, not the key.
                    let run = after.get(..length)?.iter().rev().take(JUDGED_BYTES_MAX);
                    let length = length - run.take_while(|b| **b == b'.').count();
                    (length >= *min).then_some(length)?
                }
            };
        }
        Some((start, at))
    }

    fn find(&self, text: &str, at: usize, memory: &mut Memory) -> Option<Finding> {
        let (start, end) = self.measure(text.as_bytes(), at, &mut memory.runs)?;
        let body = (at + self.prefix.len(), end);
        (self.passes(text, body, memory) && !is_placeholder(text, body)).then_some(Finding {
            start,
            end,
            rule: self.rule,
        })
    }

    fn passes(&self, text: &str, (start, end): (usize, usize), memory: &mut Memory) -> bool {
        let body = || text.as_bytes().get(start..end).unwrap_or_default();
        match self.check {
            Check::None => true,
            Check::Ends => ends_word(text, end),
            Check::Mixed => memory.is_mixed(text, start, end),
            Check::Sum => {
                end - start != SUMMED_BYTES || !is_made_up(body()) || has_right_sum(body())
            }
        }
    }
}

impl Memory {
    fn is_mixed(&mut self, text: &str, start: usize, end: usize) -> bool {
        let judged = end.min(start + JUDGED_BYTES_MAX);
        let body = text.get(start..judged).unwrap_or_default();
        let (from, to) = self.dull;
        let within = from <= start && (judged <= to || start + DECIDING_BYTES <= to);
        if within && !body.starts_with("sk-") {
            return false;
        }
        let mixed = is_mixed(body);
        if !mixed {
            self.dull = (start, judged);
        }
        mixed
    }
}

/// A prefix, and what is to be known where it stands.
struct Prefix {
    /// The forms that it may begin: its own and those of the shorter prefixes in it.
    forms: Vec<&'static Form>,
    /// Longer prefixes that a word of this one may be the end of, and where in them it begins:
    /// `lin_api_` is no `api_`. They go first.
    within: Vec<(&'static str, usize)>,
}

impl Prefix {
    fn new(prefix: &'static str, forms: &[&'static Form], prefixes: &[&'static str]) -> Self {
        let own = forms.iter().copied().filter(|form| prefix.starts_with(form.prefix));
        let mut own: Vec<_> = own.collect();
        own.sort_by_key(|form| std::cmp::Reverse(form.prefix.len()));
        let ends = |other: &&'static str| {
            let parts = other.match_indices(|c: char| !c.is_ascii_alphanumeric());
            let mut parts = parts.map(|(at, _)| (*other, at + 1));
            parts.find(|(_, at)| {
                let part = other.get(*at..).unwrap_or_default();
                !part.is_empty() && (prefix.starts_with(part) || part.starts_with(prefix))
            })
        };
        Self { forms: own, within: prefixes.iter().filter_map(ends).collect() }
    }

    /// True when what stands at `at` belongs to a longer prefix.
    fn is_taken(&self, text: &str, at: usize) -> bool {
        self.within.iter().any(|(other, back)| {
            let start = at.checked_sub(*back);
            let from = start.and_then(|start| text.as_bytes().get(start..));
            from.is_some_and(|from| from.starts_with(other.as_bytes()))
        })
    }
}

/// All forms, ready to be looked for.
pub(crate) struct Forms(Lexicon<Prefix>);

impl Forms {
    pub(super) fn new(families: &[&'static [Form]]) -> Self {
        let forms: Vec<&'static Form> = families.iter().flat_map(|forms| forms.iter()).collect();
        let mut prefixes: Vec<&str> = forms.iter().map(|form| form.prefix).collect();
        // The longest first: of all that stand at one place, it is the one.
        prefixes.sort_unstable_by_key(|prefix| (std::cmp::Reverse(prefix.len()), *prefix));
        prefixes.dedup();
        let known = prefixes.iter().map(|prefix| (*prefix, Prefix::new(prefix, &forms, &prefixes)));
        Self(Lexicon::new(known))
    }

    pub(super) fn find(&self, text: &str, kinds: &Kinds, found: &mut Vec<Finding>) {
        let (mut floor, mut memory) = (0, Memory::default());
        for at in kinds.word_starts() {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            let mut known = self.0.candidates(rest);
            let stands = |(prefix, _): &&(&str, Prefix)| rest.starts_with(prefix.as_bytes());
            let Some((_, prefix)) = known.find(stands) else { continue };
            if at < floor || prefix.is_taken(text, at) {
                continue;
            }
            let finding = prefix.forms.iter().find_map(|form| form.find(text, at, &mut memory));
            if let Some(finding) = finding {
                floor = finding.end;
                found.push(finding);
                if finding.rule == Rule::AwsAccessKey {
                    found.extend(super::keys_cloud::secret_beside(text, finding.end));
                }
            }
        }
    }
}

/// True for long or mixed runs of letters and digits, not for words joined by hyphens.
fn is_mixed(body: &str) -> bool {
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    (digits >= 6 && body.len() >= 20)
        || names::looks_random(body, 10)
        || body.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() >= 20)
}

/// `xxxxxxxx`: what manuals write in place of a key.
fn is_placeholder(text: &str, (start, end): (usize, usize)) -> bool {
    let body = text.as_bytes().get(start..end.min(start + DECIDING_BYTES)).unwrap_or_default();
    memchr::memchr2(b'x', b'X', body).is_some_and(|at| {
        let rest = body.get(at..).unwrap_or_default();
        rest.windows(8).any(|eight| eight.iter().all(|b| matches!(b, b'x' | b'X')))
    })
}

/// Letters of a token with a sum: thirty at random, six of the sum.
const SUMMED_BYTES: usize = 36;
const SUM_BYTES: usize = 6;

/// CRC32 of what stands before, in base 62 with the digits first, the capitals next.
fn has_right_sum(body: &[u8]) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((random, sum)) = body.split_at_checked(body.len() - SUM_BYTES) else { return false };
    let mut rest = crc32(random);
    sum.iter().rev().all(|letter| {
        let digit = DIGITS.get(rest as usize % DIGITS.len());
        rest /= 62;
        digit == Some(letter)
    })
}

/// CRC-32 of IEEE 802.3, bit by bit: thirty bytes are not worth a table.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    })
}

/// True for bodies that a person typed: eight neighbours in the alphabet, or hardly any variety.
fn is_made_up(body: &[u8]) -> bool {
    let ascends =
        |eight: &[u8]| eight.iter().zip(eight.iter().skip(1)).all(|(a, b)| a.wrapping_add(1) == *b);
    let mut seen = [false; 256];
    let variety = body.iter().filter(|byte| {
        seen.get_mut(usize::from(**byte)).is_some_and(|seen| !std::mem::replace(seen, true))
    });
    variety.count() < 10 || body.windows(8).any(ascends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_published_token_is_right_and_one_changed_letter_is_not() {
        let body = b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17";
        assert!(has_right_sum(body));
        for at in 0..body.len() {
            let mut other = *body;
            other[at] = if other[at] == b'7' { b'8' } else { b'7' };
            assert!(!has_right_sum(&other) || other == *body, "{at}");
        }
        assert!(!is_made_up(body) && is_made_up(b"0123456789abcdefghijABCDEFGHIJ012345"));
    }
}
