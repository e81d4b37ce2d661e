//! Passwords on command lines, where a space or nothing stands between the option and its value.
//!
//! Not here: `--password=value` and `PASSWORD=value` (`assignments`).

use super::kinds::places_of;
use super::{Examples, Finding};
use crate::policy::PolicyError;
use crate::rule::Rule;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input};

/// Longest password, and how far before an option its command is looked for.
const VALUE_BYTES_MAX: usize = 128;
const COMMAND_BYTES_MAX: usize = 96;

/// Long options whose next word is secret.
const LONG: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "api-key",
    "apikey",
    "auth-token",
    "access-token",
    "client-secret",
    "secret-key",
    "private-key-password",
    "http-password",
    "docker-password",
];

/// Commands that take a password behind a short option, and which.
const COMMANDS: &[(&str, Takes)] = &[
    ("curl", Takes::User),
    ("wget", Takes::User),
    ("http ", Takes::User),
    ("docker login", Takes::Apart),
    ("podman login", Takes::Apart),
    ("rabbitmqadmin", Takes::Apart),
    ("sshpass", Takes::Both),
    ("mysql", Takes::Joined),
    ("mariadb", Takes::Joined),
    ("7z ", Takes::Joined),
];

/// How a command takes its password.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// `-u user:password`.
    User,
    /// `-p password`.
    Apart,
    /// `-ppassword`.
    Joined,
    /// `-p password` and `-ppassword`.
    Both,
}

/// The commands, ready to be looked for.
pub(crate) struct Commands(AhoCorasick);

impl Commands {
    pub(super) fn compile() -> Result<Self, PolicyError> {
        let error = |error: aho_corasick::BuildError| PolicyError::Pattern {
            family: "commands",
            reason: error.to_string(),
        };
        let mut builder = AhoCorasick::builder();
        let builder = builder.kind(Some(AhoCorasickKind::DFA));
        builder.build(COMMANDS.iter().map(|(name, _)| *name)).map(Self).map_err(error)
    }

    pub(super) fn find(&self, text: &str, found: &mut Vec<Finding>) {
        let bytes = text.as_bytes();
        let mut last: Option<(usize, Takes)> = None;
        // Up to where the text was searched for the end of a command, and the last end.
        let (mut seen, mut end_of_command) = (0, 0);
        // Up to where it was searched for commands, as far as they may belong to an option.
        let mut searched = 0;
        for hyphen in places_of(bytes, [b'-']) {
            let Some(at) = hyphen.checked_sub(1).filter(|at| bytes.get(*at) == Some(&b' ')) else {
                continue;
            };
            let option = bytes.get(at + 2).copied().unwrap_or_default();
            if option == b'-' {
                found.extend(long(text, at + 3));
            }
            if !matches!(option, b'u' | b'p') {
                continue;
            }
            // The blank before the option is the last byte that may belong to a command.
            searched = searched.max(at.saturating_sub(COMMAND_BYTES_MAX));
            for command in self.0.find_iter(Input::new(text).range(searched..=at)) {
                let takes = COMMANDS.get(command.pattern().as_usize()).map(|(_, takes)| *takes);
                last = takes.map(|takes| (command.start(), takes));
            }
            searched = at + 1;
            let new = bytes.get(seen..at).unwrap_or_default();
            let ends = new.iter().rposition(|b| matches!(b, b'\n' | b'|' | b';' | b'&'));
            end_of_command = ends.map_or(end_of_command, |step| seen + step);
            seen = at;
            let near = |start: usize| start >= end_of_command && at - start <= COMMAND_BYTES_MAX;
            let Some((_, takes)) = last.filter(|(start, _)| near(*start)) else { continue };
            found.extend(match option {
                b'u' => curl(text, at + 3, takes),
                _ => short(text, at + 3, takes),
            });
        }
    }
}

/// `--password hunter2`.
fn long(text: &str, at: usize) -> Option<Finding> {
    let rest = text.get(at..)?;
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    let length = rest.bytes().take(32).take_while(is_name).count();
    let name = rest.get(..length)?;
    let known = LONG.iter().any(|known| name.eq_ignore_ascii_case(known));
    let start = at + length + 1;
    let blank = text.as_bytes().get(at + length) == Some(&b' ');
    let (start, end) = (known && blank).then(|| word(text, start))??;
    Some(Finding { start, end, rule: Rule::CommandPassword })
}

/// `curl -u user:password`.
fn curl(text: &str, at: usize, takes: Takes) -> Option<Finding> {
    let blank = text.as_bytes().get(at) == Some(&b' ');
    let (start, end) = (takes == Takes::User).then(|| word(text, at + usize::from(blank)))??;
    let (user, password) = text.get(start..end)?.split_once(':')?;
    let real = !password.is_empty() && !password.starts_with('$') && !user.contains('/');
    real.then_some(Finding { start: start + user.len() + 1, end, rule: Rule::CommandPassword })
}

/// `mysql -phunter2`, `sshpass -p hunter2`.
fn short(text: &str, at: usize, takes: Takes) -> Option<Finding> {
    let blank = text.as_bytes().get(at) == Some(&b' ');
    let known = takes == Takes::Both || takes == if blank { Takes::Apart } else { Takes::Joined };
    let (start, end) = known.then(|| word(text, at + usize::from(blank)))??;
    Some(Finding { start, end, rule: Rule::CommandPassword })
}

/// The word at `at`, without its quotes; no option, variable or placeholder.
fn word(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let start = at + usize::from(quote.is_some());
    let mut stop = text.len().min(start + VALUE_BYTES_MAX + 4);
    while !text.is_char_boundary(stop) {
        stop -= 1;
    }
    let value = text.get(start..stop)?;
    let length = match quote {
        Some(quote) => value.find(quote)?,
        None => value
            .find(|c: char| {
                c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ';' | '|' | '&' | ')' | '\\')
            })
            .unwrap_or(value.len()),
    };
    let value = value.get(..length)?;
    let placeholder = ["$", "<", "{", "%", "-", "["].iter().any(|sign| value.starts_with(sign))
        || value.bytes().all(|b| b == b'*')
        || value.bytes().all(|b| b == b'x');
    ((3..=VALUE_BYTES_MAX).contains(&length) && !placeholder).then_some((start, start + length))
}

pub(super) const EXAMPLES: &[Examples] = &[Examples {
    rule: Rule::CommandPassword,
    takes: &[
        "curl -u ada:«hunter2» https://example.com",
        "run --user ada --password «hunter2» --verbose",
        "mysql -u root -p«hunter2» app",
        "sshpass -p «hunter2» ssh host",
        "vault login --token '«abc def»'",
    ],
    leaves: &[
        "mkdir -p /srv/agent",
        "curl -u ada https://example.com",
        "run --password $PASSWORD",
        "run --password-file x",
        "ssh -p 2222 host",
        "mysql -u root -p app",
    ],
}];
