//! Secrets that are long words without a prefix: by their form, or by what stands before them.
//!
//! Every run of letters and digits is looked at once, with a bounded look around it.

use super::context::{Spoken, Subjects};
use super::kinds::places_of;
use super::letters::{self, ALPHANUMERIC, BASE64_URL, DIGIT, HEX, Runs};
use super::{Examples, Finding, decode_base64, ends_word, people, starts_word};
use crate::rule::Rule;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Shorter runs of letters and digits are not looked at; `scan` says whether there is a longer one.
pub(crate) const RUN_BYTES_MIN: usize = 15;

/// Longer words are data.
const WORD_BYTES_MAX: usize = 256;

/// Shortest word that looks random enough to be a secret by itself.
const RANDOM_BYTES_MIN: usize = 16;

/// A run of letters and digits: where it starts and ends.
#[derive(Clone, Copy)]
struct Run<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

/// Searches every long run of letters and digits; the word around several of them is judged once.
pub(super) fn find(text: &str, spoken: &Spoken<'_>, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let (mut at, mut floor, mut judged) = (0, 0, 0);
    while let Some((start, end)) = letters::next_run(bytes, at, ALPHANUMERIC, RUN_BYTES_MIN) {
        at = end + 1;
        let run = Run { text, start, end };
        found.extend(people::code(run.bytes()).map(|rule| run.finding(0, rule)));
        if start < floor {
            continue;
        }
        let finding = run.by_form().or_else(|| {
            let word = (start >= judged).then(|| run.whole())?;
            judged = word.end;
            word.by_context(spoken)
        });
        if let Some(finding) = finding {
            floor = finding.end;
            found.push(finding);
        }
    }
}

impl Run<'_> {
    fn bytes(&self) -> &[u8] {
        self.text.as_bytes().get(self.start..self.end).unwrap_or_default()
    }

    fn after(&self) -> &[u8] {
        self.text.as_bytes().get(self.end..).unwrap_or_default()
    }

    fn finding(&self, longer: usize, rule: Rule) -> Finding {
        Finding { start: self.start, end: self.end + longer, rule }
    }

    fn by_form(&self) -> Option<Finding> {
        let (bytes, after) = (self.bytes(), self.after());
        if bytes.len() == 32 && letters::all(bytes, HEX) {
            return self.mailchimp(after).or_else(|| self.mailgun(after));
        }
        if (36..=44).contains(&bytes.len())
            && let Some(digits) = bytes.strip_suffix(b"NRAL")
        {
            return letters::all(digits, HEX).then(|| self.finding(0, Rule::NewrelicKey));
        }
        if (23..=28).contains(&bytes.len())
            && matches!(bytes.first(), Some(b'M' | b'N' | b'O'))
            && after.first() == Some(&b'.')
        {
            return self.discord(after);
        }
        None
    }

    fn mailchimp(&self, after: &[u8]) -> Option<Finding> {
        let centre = after.strip_prefix(b"-us")?;
        let digits = letters::run(centre, DIGIT, 3);
        let end = self.end + 3 + digits;
        ((1..=2).contains(&digits) && ends_word(self.text, end))
            .then(|| self.finding(3 + digits, Rule::MailchimpKey))
    }

    fn mailgun(&self, after: &[u8]) -> Option<Finding> {
        let eight = |bytes: &[u8]| bytes.first() == Some(&b'-') && hex_run(bytes, 1) == 8;
        let triple = eight(after) && eight(after.get(9..)?) && ends_word(self.text, self.end + 18);
        let first = self.start.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
        (triple && first != Some(&b'-')).then(|| self.finding(18, Rule::MailgunKey))
    }

    /// An id in base64, a time, a signature.
    fn discord(&self, after: &[u8]) -> Option<Finding> {
        let id = decode_base64(std::str::from_utf8(self.bytes()).ok()?)?;
        let time = letters::run(after.get(1..)?, BASE64_URL, 8);
        let rest = after.get(1 + time..)?;
        let signature = letters::run(rest.get(1..)?, BASE64_URL, 48);
        let dotted = after.first() == Some(&b'.') && rest.first() == Some(&b'.');
        let fits = dotted && (6..=7).contains(&time) && (27..=45).contains(&signature);
        let is_id = !id.is_empty() && id.iter().all(u8::is_ascii_digit);
        (fits && is_id).then(|| self.finding(2 + time + signature, Rule::DiscordToken))
    }

    /// The word around the run, with what joins the letters of keys.
    fn whole(&self) -> Word<'_> {
        let before = self.text.as_bytes().get(..self.start).unwrap_or_default();
        let lead = letters::run_back(before, letters::KEY, usize::MAX);
        let tail = letters::run(self.after(), letters::KEY, usize::MAX);
        Word { text: self.text, start: self.start - lead, end: self.end + tail }
    }
}

/// A word, which may hold several runs of letters and digits.
struct Word<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

impl Word<'_> {
    /// A key that only the words before it give away.
    fn by_context(&self, spoken: &Spoken<'_>) -> Option<Finding> {
        let (start, end) = self.trimmed()?;
        let word = self.text.get(start..end)?;
        let (hex, mixed) = (is_digest(word), is_random(word));
        if !hex && !mixed {
            return None;
        }
        let subjects = spoken.before(start);
        let keyed = subjects.has(Subjects::KEY);
        let rule = if subjects.has(Subjects::DATADOG) && keyed && matches!(word.len(), 32 | 40) {
            Rule::DatadogKey
        } else if subjects.has(Subjects::PROVIDER) && keyed && word.len() >= 24 {
            Rule::ContextKey
        } else if subjects.has(Subjects::SECRET) && mixed && !is_quoted_name(self.text, start) {
            Rule::EntropySecret
        } else {
            return None;
        };
        Some(Finding { start, end, rule })
    }

    /// Without the marks around it; `None` when it is too long, or part of a path or of an address.
    fn trimmed(&self) -> Option<(usize, usize)> {
        let bytes = self.text.as_bytes();
        let padding = letters::run(bytes.get(self.end..)?, letters::EQUALS, 2);
        let (mut start, mut end) = (self.start, self.end + padding);
        let word = bytes.get(start..end)?;
        let edge = |b: &&u8| matches!(b, b'.' | b'!' | b'-' | b'/');
        end -= word.iter().rev().take_while(edge).count();
        start += word.iter().take_while(edge).count();
        let free = self.text.get(..start)?.chars().next_back();
        let fits = end.checked_sub(start)? <= WORD_BYTES_MAX
            && !matches!(free, Some(':' | '=' | '@' | '#'))
            && !bytes.get(end).is_some_and(|b| matches!(b, b'@' | b'(' | b':'))
            && bytes.get(start..end)?.iter().filter(|b| **b == b'/').count() <= 2;
        fits.then_some((start, end))
    }
}

/// True when the word is a name in a program: `token("...")` is a value, `secret.some_name_1` is
/// not.
fn is_quoted_name(text: &str, start: usize) -> bool {
    !starts_word(text, start)
}

fn hex_run(bytes: &[u8], from: usize) -> usize {
    letters::run(bytes.get(from..).unwrap_or_default(), HEX, 9)
}

/// Hexadecimal digits of the lengths that keys have.
fn is_digest(word: &str) -> bool {
    matches!(word.len(), 32 | 36 | 40 | 48 | 64)
        && letters::all(word.as_bytes(), HEX | letters::HYPHEN)
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

/// True for words of many kinds of letters that are no digest, UUID, path or name with a number.
fn is_random(word: &str) -> bool {
    if word.len() < RANDOM_BYTES_MIN || letters::all(word.as_bytes(), HEX | letters::HYPHEN) {
        return false;
    }
    let Mix { digits, upper, lower, changes } = Mix::of(word.as_bytes());
    // Names have their digits at the end and their capitals at the beginnings of words.
    digits >= 2 && changes * 4 >= word.len() && (upper > 0 && lower > 0 || digits * 5 >= word.len())
}

/// What a word consists of.
struct Mix {
    digits: usize,
    upper: usize,
    lower: usize,
    /// How often two neighbours are of different kinds: digit, capital, small letter.
    changes: usize,
}

impl Mix {
    fn of(word: &[u8]) -> Self {
        const OTHER: usize = 3;
        let (mut counts, mut changes, mut last) = ([0_usize; 4], 0, OTHER);
        for byte in word {
            let kind = match byte {
                b'0'..=b'9' => 0,
                b'A'..=b'Z' => 1,
                b'a'..=b'z' => 2,
                _ => OTHER,
            };
            if let Some(count) = counts.get_mut(kind) {
                *count += 1;
            }
            changes += usize::from(kind != last && kind != OTHER && last != OTHER);
            last = kind;
        }
        let [digits, upper, lower, _] = counts;
        Self { digits, upper, lower, changes }
    }
}

/// Made once: texts are many and short.
static TERRAFORM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(".atlasv1."));

/// Keys that a rare sign inside gives away: `.atlasv1.`, `Q~`, `:AA`.
pub(super) fn find_signs(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    for at in TERRAFORM.find_iter(bytes) {
        found.extend(terraform(text, at));
    }
    let mut runs = Runs::default();
    for tilde in places_of(bytes, [b'~']) {
        let before = tilde.checked_sub(1).filter(|at| bytes.get(*at) == Some(&b'Q'));
        found.extend(before.and_then(|at| azure_ad(text, at, &mut runs)));
    }
    for at in places_of(bytes, [b':']) {
        let follows = bytes.get(at + 1..at + 3) == Some(b"AA");
        found.extend(follows.then(|| telegram(text, at)).flatten());
    }
}

fn terraform(text: &str, at: usize) -> Option<Finding> {
    let before = letters::run_back(text.as_bytes().get(..at)?, ALPHANUMERIC, 15);
    let from = at + ".atlasv1.".len();
    let class = letters::BASE64_URL | letters::EQUALS;
    let after = letters::run(text.as_bytes().get(from..)?, class, usize::MAX);
    (before == 14 && after >= 60).then_some(Finding {
        start: at - before,
        end: from + after,
        rule: Rule::TerraformToken,
    })
}

fn azure_ad(text: &str, at: usize, runs: &mut Runs) -> Option<Finding> {
    let class = BASE64_URL | letters::TILDE | letters::DOT;
    let bytes = text.as_bytes();
    let start = at.checked_sub(4)?;
    let lead = bytes.get(start..at)?;
    let tail = (runs.end(bytes, class, at + 2) - (at + 2)).min(40);
    let tail = tail - usize::from(bytes.get(at + 1 + tail) == Some(&b'.') && tail > 31);
    let fits = letters::all(lead, class) && lead.last().is_some_and(u8::is_ascii_digit);
    (fits && (31..=34).contains(&tail) && starts_word(text, start)).then_some(Finding {
        start,
        end: at + 2 + tail,
        rule: Rule::AzureAdSecret,
    })
}

fn telegram(text: &str, at: usize) -> Option<Finding> {
    let before = text.as_bytes().get(..at)?;
    let digits = letters::run_back(before, DIGIT, 12);
    let start = at - digits;
    // `bot123456789:AA...` is how the address of the API begins.
    let free = starts_word(text, start) || text.get(..start)?.ends_with("bot");
    let tail = letters::run(text.as_bytes().get(at + 3..)?, BASE64_URL, 40);
    (free && (8..=10).contains(&digits) && (32..=35).contains(&tail)).then_some(Finding {
        start,
        end: at + 3 + tail,
        rule: Rule::TelegramToken,
    })
}

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::AzureAdSecret,
        takes: &["secret «Ab1¦8Q~A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p~»,"],
        leaves: &["8Q~", "FAQ~ and more of this text follows here"],
    },
    Examples {
        rule: Rule::ContextKey,
        takes: &[
            "cohere key «A1b2¦C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0»",
            "use the pagerduty token «0123¦456789abcdef0123456789abcdef»",
        ],
        leaves: &[
            "cohere returned 0123456789abcdef0123456789abcdef",
            "the key of the cache is 0123456789abcdef0123456789abcdef",
        ],
    },
    Examples {
        rule: Rule::EntropySecret,
        takes: &[
            "the token is «a8F3¦k2M9x1Q7z5W4» and works",
            "use password «Tr0ub4dor¦3xY7pQ9z» for it",
            "el token es «a8F3¦k2M9x1Q7z5W4»",
        ],
        leaves: &[
            "the token is 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
            "the token is 550e8400-e29b-41d4-a716-446655440000",
            "the secret of getElementsByClassName1 is simple",
            "password reset for AbstractSingletonProxyFactoryBean2",
            "token counts of gpt-4o-mini-2024-07-18 and more",
        ],
    },
];
