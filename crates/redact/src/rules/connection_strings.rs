//! Passwords in connection strings: lists of `Name=value` between semicolons (ADO, ODBC), and the
//! `user/password@` of Oracle.
//!
//! Not here: addresses with `user:password@` (`urls`), and a single `password=` (`assignments`).

use super::{Examples, Finding};
use crate::rule::Rule;

/// Names that only stand in such lists.
const COMPANIONS: &[&str] = &[
    "server",
    "data source",
    "initial catalog",
    "database",
    "user id",
    "uid",
    "driver",
    "host",
    "addr",
    "address",
    "provider",
    "port",
    "dsn",
    "username",
    "user",
];

/// How far from the password its list is looked at.
const LIST_BYTES_MAX: usize = 256;

/// Longest password.
const VALUE_BYTES_MAX: usize = 256;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut floor = 0;
    for operator in memchr::memchr_iter(b'=', bytes) {
        if operator >= floor
            && let Some(finding) = in_list(text, operator)
        {
            floor = finding.end;
            found.push(finding);
        }
    }
    for at in memchr::memmem::find_iter(bytes, "thin:") {
        found.extend(oracle(text, at + "thin:".len()));
    }
}

fn in_list(text: &str, operator: usize) -> Option<Finding> {
    let before = text.get(..operator)?.trim_end_matches(' ');
    let named = ["password", "pwd"].iter().any(|name| {
        before.len().checked_sub(name.len()).is_some_and(|at| {
            let is = before.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(name));
            is && super::starts_word(before, at)
        })
    });
    if !named {
        return None;
    }
    let rest = text.get(operator + 1..)?;
    let gap = rest.len() - rest.trim_start_matches(' ').len();
    let start = operator + 1 + gap;
    let value = text.get(start..)?;
    let ends = |c: char| matches!(c, ';' | '"' | '\n' | '\r' | '\\');
    let length = match value.as_bytes().first()? {
        // Braces and single quotes hold what a list would not.
        b'{' => value.find('}')? + 1,
        b'\'' => value.get(1..)?.find('\'')? + 2,
        _ => value.find(ends).unwrap_or(value.len()),
    };
    let written = value.get(..length)?.trim_end_matches([' ', '\'', ')']);
    let placeholder = ["$", "{", "<", "%"].iter().any(|sign| written.starts_with(sign))
        && !written.ends_with('}')
        || written.starts_with("${")
        || written.bytes().all(|b| b == b'*');
    let fits = (1..=VALUE_BYTES_MAX).contains(&written.len()) && !placeholder;
    (fits && has_companion(text, operator, start + length)).then_some(Finding {
        start,
        end: start + written.len(),
        rule: Rule::ConnectionString,
    })
}

/// True when another member of such a list stands beside the password.
fn has_companion(text: &str, operator: usize, end: usize) -> bool {
    let mut from = operator.saturating_sub(LIST_BYTES_MAX);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut to = text.len().min(end + LIST_BYTES_MAX);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    let (before, after) = (text.get(from..operator), text.get(end..to));
    let is_companion = |member: &str| {
        let name = member.split_once('=').map_or("", |(name, _)| name.trim());
        let name = name.rsplit(['"', '\'', '(']).next().unwrap_or_default();
        COMPANIONS.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let lists = [before.unwrap_or_default(), after.unwrap_or_default()];
    lists.iter().any(|list| list.contains(';') && list.split(';').any(is_companion))
}

/// `jdbc:oracle:thin:user/password@host`.
fn oracle(text: &str, at: usize) -> Option<Finding> {
    let rest = text.get(at..)?;
    let stop =
        rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(rest.len());
    let address = rest.get(..stop.min(VALUE_BYTES_MAX))?;
    let (user, rest) = address.split_once('/')?;
    let password = rest.split_once('@')?.0;
    let start = at + user.len() + 1;
    (!user.is_empty() && !password.is_empty() && !user.contains('@')).then_some(Finding {
        start,
        end: start + password.len(),
        rule: Rule::ConnectionString,
    })
}

pub(super) const EXAMPLES: &[Examples] = &[Examples {
    rule: Rule::ConnectionString,
    takes: &[
        "Server=db;Database=app;User Id=sa;Password=«hunter2»;",
        "Driver={ODBC};Server=db;Uid=sa;Pwd=«{p;w}»;Port=1",
        "\"Data Source=db;Password=«two words»\"",
        "jdbc:oracle:thin:scott/«tiger»@//db:1521/app",
        "jdbc:sqlserver://db;user=sa;password=«hunter2»",
    ],
    leaves: &["Server=db;Database=app;Integrated Security=true", "jdbc:oracle:thin:@//db:1521/app"],
}];
