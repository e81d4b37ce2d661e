//! Passwords in connection strings: lists of `Name=value` between semicolons (ADO, ODBC), and the
//! `user/password@` of Oracle.
//!
//! Not here: addresses with `user:password@` (`urls`), and a single `password=` (`assignments`).

use super::kinds::places_of;
use super::{Examples, Finding};
use crate::rule::Rule;
use memchr::memmem::Finder;
use std::sync::LazyLock;

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

/// What stands before a user and a password of Oracle, and how long they are at most.
const ORACLE: &str = "oracle:thin:";
const ORACLE_BYTES_MAX: usize = 96;

/// Made once: texts are many and short.
static ORACLES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ORACLE));

/// Longest name in a list.
const NAME_BYTES_MAX: usize = 20;

/// Longest password.
const VALUE_BYTES_MAX: usize = 256;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    // Where the last other member of a list stood; a password that waits for one behind it.
    let (mut companion, mut waiting): (Option<usize>, Option<Finding>) = (None, None);
    let mut floor = 0;
    let is_list = memchr::memchr(b';', bytes).is_some();
    let operators = places_of(bytes, [b'=']).filter(|_| is_list);
    for operator in operators {
        if operator < floor || !listed(bytes, operator) {
            continue;
        }
        let name = name_before(text, operator);
        if COMPANIONS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            companion = Some(operator);
            found.extend(waiting.take().filter(|w| operator - w.end <= LIST_BYTES_MAX));
        } else if ["password", "pwd"].iter().any(|known| name.eq_ignore_ascii_case(known))
            && let Some(finding) = password(text, operator)
        {
            floor = finding.end;
            match companion.filter(|at| operator - at <= LIST_BYTES_MAX) {
                Some(_) => found.push(finding),
                None => waiting = Some(finding),
            }
        }
    }
    for at in ORACLES.find_iter(bytes) {
        found.extend(oracle(text, at + ORACLE.len()));
    }
}

/// True where a name may stand before: after a letter in which one of them ends.
fn listed(bytes: &[u8], operator: usize) -> bool {
    let before = bytes.get(..operator).unwrap_or_default();
    let last = before.iter().rev().take(2).find(|b| **b != b' ');
    last.is_some_and(|b| matches!(b | 0x20, b'd' | b'e' | b'g' | b'n' | b'r' | b's' | b't'))
}

/// The letters and blanks before the operator.
fn name_before(text: &str, operator: usize) -> &str {
    let before = text.as_bytes().get(..operator).unwrap_or_default();
    let part = |b: &&u8| b.is_ascii_alphabetic() || **b == b' ';
    let length = before.iter().rev().take(NAME_BYTES_MAX).take_while(part).count();
    text.get(operator - length..operator).unwrap_or_default().trim()
}

/// The password behind the operator, which stands in a list: a semicolon is before its name or
/// behind it.
fn password(text: &str, operator: usize) -> Option<Finding> {
    let rest = text.as_bytes().get(operator + 1..)?;
    let gap = rest.iter().take(4).take_while(|b| **b == b' ').count();
    let start = operator + 1 + gap;
    let mut stop = text.len().min(start + VALUE_BYTES_MAX);
    while !text.is_char_boundary(stop) {
        stop -= 1;
    }
    let value = text.get(start..stop)?;
    let ends = |c: char| matches!(c, ';' | '"' | '\n' | '\r' | '\\');
    let length = match value.as_bytes().first()? {
        // Braces and single quotes hold what a list would not.
        b'{' => value.find('}')? + 1,
        b'\'' => value.get(1..)?.find('\'')? + 2,
        _ => value.find(ends).unwrap_or(value.len()),
    };
    let written = value.get(..length)?.trim_end_matches([' ', '\'', ')']);
    let placeholder = ["${", "<", "%", "$"].iter().any(|sign| written.starts_with(sign))
        || written.bytes().all(|b| b == b'*');
    let name = text.get(..operator)?.trim_end_matches(' ');
    let name = name.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end_matches(' ');
    let listed = name.ends_with(';') || value.as_bytes().get(length) == Some(&b';');
    (listed && !written.is_empty() && !placeholder).then_some(Finding {
        start,
        end: start + written.len(),
        rule: Rule::ConnectionString,
    })
}

/// `jdbc:oracle:thin:user/password@host`.
fn oracle(text: &str, at: usize) -> Option<Finding> {
    let mut stop = text.len().min(at + ORACLE_BYTES_MAX);
    while !text.is_char_boundary(stop) {
        stop -= 1;
    }
    let rest = text.get(at..stop)?;
    let stop =
        rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(rest.len());
    let address = rest.get(..stop)?;
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
