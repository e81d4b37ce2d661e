//! Pure crates touch no file, socket, clock, thread or environment: the same checker runs
//! everywhere.

use super::Finding;
use super::tree::{File, Tree};

const PURE: &[&str] = &[
    "event",
    "merkle",
    "checkpoint",
    "witness",
    "anchor",
    "capture",
    "redact",
    "detect",
    "prove",
    "checker",
];

/// What they must not name, as a path from a crate's root.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::thread",
    "std::env",
    "tokio",
];

/// The same inside `use std::{...}`.
const IMPURE_PARTS: &[&str] = &["fs", "net", "SystemTime", "Instant", "thread", "env"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let is_pure = file.crate_name().is_some_and(|name| PURE.contains(&name));
        if is_pure && file.is_rust() && !file.is_test() && file.path.contains("/src/") {
            check_file(file, &mut findings);
        }
    }
    findings
}

fn check_file(file: &File, findings: &mut Vec<Finding>) {
    let mut in_group = false;
    for (number, line) in file.lines.iter().enumerate() {
        if line.in_test {
            continue;
        }
        let mut named: Vec<&str> =
            IMPURE.iter().copied().filter(|path| names(&line.code, path)).collect();
        in_group |=
            ["use std::{", "use std::time::{"].iter().any(|group| line.code.contains(group));
        if in_group {
            named.extend(IMPURE_PARTS.iter().copied().filter(|part| names(&line.code, part)));
            in_group = !line.code.contains(';');
        }
        for name in named {
            let what = format!("`{name}` in a pure crate");
            let why = "it must run in a browser and give the same answer everywhere";
            let remedy = "take the value as an argument, or move the code to a crate that may";
            findings.push(Finding::new(&file.path, number + 1, &what, why, remedy));
        }
    }
}

/// Whether a path stands there as a whole: `std::env` but not `std::environment`.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(position, _)| {
        let part = |letter: Option<char>| letter.is_some_and(|l| l.is_alphanumeric() || l == '_');
        let before = code[..position].chars().next_back();
        let after = code[position + path.len()..].chars().next();
        !part(before) && !part(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn impure_names_are_found_in_pure_crates_alone() {
        for name in IMPURE {
            let text = format!("//! x\nuse {name}::Y;\n");
            assert_eq!(count("crates/merkle/src/a.rs", &text), 1, "{name}");
            assert_eq!(count("crates/store/src/a.rs", &text), 0, "{name}");
        }
    }

    #[test]
    fn groups_are_looked_into() {
        assert_eq!(count("crates/event/src/a.rs", "use std::{\n    fmt,\n    fs::File,\n};\n"), 1);
        assert_eq!(count("crates/event/src/a.rs", "use std::time::{Duration, SystemTime};"), 1);
        assert_eq!(count("crates/event/src/a.rs", "use std::{fmt, io};\nlet fs = 1;"), 0);
    }

    #[test]
    fn tests_comments_and_similar_names_pass() {
        let text = "// std::fs\nuse std::environment;\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(count("crates/prove/src/a.rs", text), 0);
        assert_eq!(count("crates/prove/src/a/tests.rs", "use std::fs;"), 0);
        assert_eq!(count("crates/prove/tests/it/main.rs", "use std::fs;"), 0);
    }
}
