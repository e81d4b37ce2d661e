//! Words that must not land: reminders to finish something, and traces of the machine it was
//! written on.
//!
//! Each is put together from parts, so that this file does not accuse itself. A line that needs
//! such a path as an example (a recorded tool call, a redaction test) carries the mark `tidy:
//! example`.

use super::Finding;
use super::tree::Tree;

const ENDINGS: &[&str] = &[
    ".rs", ".md", ".toml", ".py", ".sh", ".go", ".ts", ".tsx", ".js", ".yml", ".yaml", ".html",
    ".css", ".ci/run",
];

/// A word and why it must go.
struct Word {
    text: &'static str,
    /// Whether it counts only where no letter or digit touches it.
    whole: bool,
    /// Whether it is looked for in Rust code alone, outside strings and comments.
    code: bool,
    why: &'static str,
}

const UNFINISHED: &str = "what lands is finished";
const MACHINE: &str = "the project does not know where it was made";
const HOST: &str = "package hosts belong to the user's configuration";

const fn macro_call(text: &'static str) -> Word {
    Word { text, whole: false, code: true, why: UNFINISHED }
}

const fn reminder(text: &'static str) -> Word {
    Word { text, whole: true, code: false, why: UNFINISHED }
}

const fn trace(text: &'static str, why: &'static str) -> Word {
    Word { text, whole: false, code: false, why }
}

const WORDS: &[Word] = &[
    macro_call(concat!("to", "do!(")),
    macro_call(concat!("unimple", "mented!(")),
    macro_call(concat!("db", "g!(")),
    reminder(concat!("FIX", "ME")),
    reminder(concat!("XX", "X")),
    reminder(concat!("HA", "CK")),
    trace(concat!("/wo", "rk/main"), MACHINE),
    trace(concat!("/wo", "rk/shared"), MACHINE),
    trace(concat!("/wo", "rk/tmp"), MACHINE),
    trace(concat!("../", "shared"), MACHINE),
    trace(concat!("/ho", "me/"), MACHINE),
    trace(concat!("/ro", "ot/"), MACHINE),
    trace(concat!("crates", ".io/"), HOST),
    trace(concat!("pypi", ".org"), HOST),
    trace(concat!("registry.", "npmjs"), HOST),
];

/// The mark that excuses a trace on its line.
const EXCUSE: &str = concat!("tidy: ", "example");

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let Some(text) = &file.text else { continue };
        if !ENDINGS.iter().any(|ending| file.path.ends_with(ending)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = file.lines.get(number).map(|line| line.code.as_str());
            for word in WORDS.iter().filter(|word| stands_in(word, line, code)) {
                let what = format!("`{}`", word.text);
                let remedy = if word.why == UNFINISHED {
                    "finish it, or open an issue".to_owned()
                } else {
                    format!("say it without, or mark an example with `{EXCUSE}`")
                };
                findings.push(Finding::new(&file.path, number + 1, &what, word.why, &remedy));
            }
        }
    }
    findings
}

fn stands_in(word: &Word, line: &str, code: Option<&str>) -> bool {
    if word.code {
        return code.is_some_and(|code| code.contains(word.text));
    }
    if word.why != UNFINISHED && line.contains(EXCUSE) {
        return false;
    }
    line.match_indices(word.text).any(|(position, found)| {
        let touches = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let before = line[..position].chars().next_back();
        let after = line[position + found.len()..].chars().next();
        !word.whole || !touches(before) && !touches(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn every_word_is_found() {
        for word in WORDS {
            assert_eq!(
                count("crates/a/src/a.rs", &format!("x {} y", word.text)),
                1,
                "{}",
                word.text
            );
        }
    }

    #[test]
    fn macros_count_in_code_alone() {
        for text in ["// {}", "f(\"{}\")", "//! {}"] {
            assert_eq!(count("crates/a/src/a.rs", &text.replace("{}", WORDS[0].text)), 0, "{text}");
        }
    }

    #[test]
    fn reminders_count_as_whole_words() {
        let reminder = WORDS[4].text;
        assert_eq!(count("a.md", &format!("({reminder}: later)")), 1);
        assert_eq!(count("a.md", &format!("AKIA{reminder}{reminder}")), 0);
    }

    #[test]
    fn marked_examples_and_other_files_pass() {
        let path = WORDS[10].text;
        assert_eq!(count("a.py", &format!("open('{path}x')  # {EXCUSE}")), 0);
        assert_eq!(count("a.py", &format!("open('{path}x')")), 1);
        assert_eq!(count("testdata/a.jsonl", path), 0);
    }
}
