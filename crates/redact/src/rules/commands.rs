//! Passwords on command lines, where a space or nothing stands between the option and its value.
//!
//! Not here: `--password=value` and `PASSWORD=value` (`assignments`).

use super::{Examples, Finding};
use crate::rule::Rule;

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

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    for at in memchr::memmem::find_iter(bytes, " -") {
        let finding = match bytes.get(at + 2) {
            Some(b'-') => long(text, at + 3),
            Some(b'u') => curl(text, at + 3),
            Some(b'p') => short(text, at + 3),
            _ => None,
        };
        found.extend(finding);
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
fn curl(text: &str, at: usize) -> Option<Finding> {
    let blank = text.as_bytes().get(at) == Some(&b' ');
    let (start, end) = word(text, at + usize::from(blank))?;
    let value = text.get(start..end)?;
    let (user, password) = value.split_once(':')?;
    let calls = ["curl", "wget", "http "].iter().any(|command| follows(text, at, command));
    (calls && !password.is_empty() && !password.starts_with('$') && !user.contains('/'))
        .then_some(Finding { start: start + user.len() + 1, end, rule: Rule::CommandPassword })
}

/// `mysql -phunter2`, `sshpass -p hunter2`.
fn short(text: &str, at: usize) -> Option<Finding> {
    let blank = text.as_bytes().get(at) == Some(&b' ');
    let commands: &[&str] = if blank {
        &["sshpass", "docker login", "podman login", "rabbitmqadmin"]
    } else {
        &["mysql", "mariadb", "mysqldump", "sshpass", "7z "]
    };
    let known = commands.iter().any(|command| follows(text, at, command));
    let (start, end) = known.then(|| word(text, at + usize::from(blank)))??;
    let value = text.get(start..end)?;
    (!value.starts_with(['-', '$'])).then_some(Finding { start, end, rule: Rule::CommandPassword })
}

/// True when the command stands before `at`, in the same line and no other command between.
fn follows(text: &str, at: usize, command: &str) -> bool {
    let mut from = at.saturating_sub(COMMAND_BYTES_MAX);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..at).unwrap_or_default();
    let line = before.rsplit(['\n', '|', ';', '&']).next().unwrap_or_default();
    line.contains(command)
}

/// The word at `at`, without its quotes; no option, variable or placeholder.
fn word(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let start = at + usize::from(quote.is_some());
    let value = text.get(start..)?;
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
