//! Pages that list things rot; here the lists are compared with the things.
//!
//! Decision records stand in their index, under a number of their own; commands in the code blocks
//! of README.md exist.

use super::Finding;
use super::tree::Tree;
use crate::COMMANDS;

const DECISIONS: &str = "docs/decisions/";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = decisions(tree);
    findings.extend(readme(tree));
    findings
}

fn decisions(tree: &Tree) -> Vec<Finding> {
    let index_path = format!("{DECISIONS}README.md");
    let index = tree.text(&index_path).unwrap_or_default();
    let mut findings = Vec::new();
    let mut numbers: Vec<&str> = Vec::new();
    for file in &tree.files {
        let Some(name) = file.path.strip_prefix(DECISIONS) else { continue };
        if name == "README.md" {
            continue;
        }
        let number = name.split('-').next().unwrap_or_default();
        let well_named = number.len() == 4
            && number.bytes().all(|digit| digit.is_ascii_digit())
            && name.ends_with(".md");
        if !well_named {
            let remedy = "call it NNNN-title.md";
            findings.push(Finding::new(
                &file.path,
                1,
                "not a decision record's name",
                "records are numbered",
                remedy,
            ));
            continue;
        }
        if numbers.contains(&number) {
            let what = format!("number {number} is taken");
            findings.push(Finding::new(
                &file.path,
                1,
                &what,
                "records are cited by number",
                "take the next one",
            ));
        }
        numbers.push(number);
        if !index.contains(name) {
            let remedy = format!("add a line with its file name to {index_path}");
            findings.push(Finding::new(
                &file.path,
                1,
                "not in the index",
                "nobody will find it",
                &remedy,
            ));
        }
    }
    findings
}

fn readme(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text("README.md") else { return Vec::new() };
    let mut in_block = false;
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block && let Some(command) = unknown_command(tree, line) {
            let what = format!("no command `{command}`");
            let remedy = "write what the program understands today";
            findings.push(Finding::new(
                "README.md",
                number + 1,
                &what,
                "people paste this",
                remedy,
            ));
        }
    }
    findings
}

/// The command on a line of a code block, if it is ours and does not exist.
fn unknown_command(tree: &Tree, line: &str) -> Option<String> {
    let mut words = line.trim().trim_start_matches("$ ").split_whitespace();
    let mut first = words.next()?;
    if first == "cargo" {
        if words.next()? != "xtask" {
            return None;
        }
        let name = words.next()?;
        let exists = name.starts_with('-') || COMMANDS.iter().any(|command| command.name == name);
        return (!exists).then(|| format!("cargo xtask {name}"));
    }
    first = first.rsplit('/').next().unwrap_or(first);
    let name = words.next()?;
    let plain = name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-');
    if first != "tacho" || name.starts_with('-') || !plain || is_tacho_command(tree, name) {
        return None;
    }
    Some(format!("tacho {name}"))
}

/// Light on purpose: the command's name stands somewhere in the sources of `cli`, as the variant
/// that clap makes a command of (`TokenList` for `token-list`) or as text.
fn is_tacho_command(tree: &Tree, name: &str) -> bool {
    let variant: String = name.split('-').map(capitalised).collect();
    let quoted = format!("\"{name}\"");
    let sources = tree.files.iter().filter(|file| file.path.starts_with("crates/cli/src/"));
    sources.filter_map(|file| file.text.as_deref()).any(|text| {
        let mut words = text.split(|letter: char| !letter.is_alphanumeric());
        text.contains(&quoted) || words.any(|word| word == variant)
    })
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files))
            .into_iter()
            .map(|one| format!("{}:{}", one.path, one.line))
            .collect()
    }

    #[test]
    fn decision_records_are_numbered_once_and_listed() {
        let found = found(&[
            ("docs/decisions/README.md", "0001-listed.md 0002-twice.md"),
            ("docs/decisions/0001-listed.md", ""),
            ("docs/decisions/0002-forgotten.md", ""),
            ("docs/decisions/0002-twice.md", ""),
            ("docs/decisions/notes.md", ""),
        ]);
        assert_eq!(
            found,
            [
                "docs/decisions/0002-forgotten.md:1",
                "docs/decisions/0002-twice.md:1",
                "docs/decisions/notes.md:1"
            ]
        );
    }

    #[test]
    fn readme_commands_exist() {
        let readme = "```sh\n$ cargo xtask demo\ncargo xtask nonsense\ncargo build\ntacho verify DIR\n./target/demo/tacho nonsense\ntacho token-list\ntacho --help\n```\ntacho nothing\n";
        let cli = "enum Command { Verify, TokenList }";
        let found = found(&[("README.md", readme), ("crates/cli/src/main.rs", cli)]);
        assert_eq!(found, ["README.md:3", "README.md:6"]);
    }
}
