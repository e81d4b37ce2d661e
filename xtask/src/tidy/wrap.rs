//! Breaks comment lines that are too long, which the formatter leaves alone.
//!
//! Words that do not fit move to the next line of the same paragraph, or to a new line where the
//! paragraph ends. Tables, headings, code blocks, addresses and comments behind code stay as they
//! are.

use std::path::Path;

use super::lexer;
use super::size::COLUMNS_MAX;
use super::tree::Tree;
use crate::failure::Failure;

/// Rewrites the Rust files below these folders; below all where none is named.
pub(super) fn files(root: &Path, folders: &[String]) -> Result<(), Failure> {
    let tree = Tree::read(root)?;
    for file in tree.files.iter().filter(|file| file.is_our_rust()) {
        let chosen = folders.is_empty() || folders.iter().any(|one| file.path.starts_with(one));
        let Some(text) = file.text.as_deref().filter(|_| chosen) else { continue };
        let wrapped = wrap(text);
        if wrapped != text {
            let path = root.join(&file.path);
            std::fs::write(&path, wrapped).map_err(|e| Failure::file("write", &path, &e))?;
            println!("wrapped {}", file.path);
        }
    }
    Ok(())
}

/// A comment line taken apart.
struct Comment {
    /// Indentation and marker with the space after it: `    /// `.
    prefix: String,
    /// Spaces or a list marker before the words: `- `, `2. `.
    lead: String,
    words: String,
}

impl Comment {
    fn of(line: &str) -> Option<Self> {
        let trimmed = line.trim_start();
        let marker = ["//!", "///", "//"].into_iter().find(|marker| trimmed.starts_with(marker))?;
        let body = trimmed[marker.len()..].strip_prefix(' ')?;
        let indent = &line[..line.len() - trimmed.len()];
        let words = body.trim_start();
        let mut lead = body[..body.len() - words.len()].to_owned();
        let bullet = bullet(words);
        lead.push_str(&words[..bullet]);
        let words = words[bullet..].to_owned();
        Some(Self { prefix: format!("{indent}{marker} "), lead, words })
    }

    fn is_list_item(&self) -> bool {
        !self.lead.trim().is_empty()
    }

    fn is_plain(&self) -> bool {
        let special = ["|", "#", "```", ">"].iter().any(|mark| self.words.starts_with(mark));
        let is_link = self.words.starts_with('[') && self.words.contains("]: ");
        !self.words.is_empty() && !special && !is_link
    }

    /// Whether this line goes on with the paragraph of the one before.
    fn continues(&self, before: &Self) -> bool {
        let indent = before.lead.chars().count();
        self.prefix == before.prefix
            && self.is_plain()
            && !self.is_list_item()
            && self.lead.chars().count() == indent
    }

    fn line(&self) -> String {
        format!("{}{}{}", self.prefix, self.lead, self.words)
    }
}

/// The length of a list marker at the start: `- `, `* `, `12. `.
fn bullet(words: &str) -> usize {
    if words.starts_with("- ") || words.starts_with("* ") {
        return 2;
    }
    let digits = words.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=2).contains(&digits) && words[digits..].starts_with(". ") { digits + 2 } else { 0 }
}

fn wrap(text: &str) -> String {
    let mut lines: std::collections::VecDeque<String> =
        text.split('\n').map(str::to_owned).collect();
    let mut in_string: std::collections::VecDeque<bool> =
        lexer::lines(text).iter().map(|line| line.has_string).collect();
    let mut in_code = false;
    let mut done = Vec::new();
    while let (Some(line), Some(is_string)) = (lines.pop_front(), in_string.pop_front()) {
        let comment = Comment::of(&line).filter(|_| !is_string);
        in_code = match &comment {
            Some(comment) => in_code ^ comment.words.starts_with("```"),
            None => false,
        };
        let Some((short, rest)) = comment.filter(|_| !in_code).and_then(split) else {
            done.push(line);
            continue;
        };
        let next = lines.front().and_then(|next| Comment::of(next));
        match next.filter(|next| next.continues(&rest)) {
            Some(next) => {
                let joined = Comment { words: format!("{} {}", rest.words, next.words), ..rest };
                lines[0] = joined.line();
            }
            None => {
                lines.push_front(rest.line());
                in_string.push_front(false);
            }
        }
        done.push(short);
    }
    done.join("\n")
}

/// The part of a too long line that fits, and the rest as a line of its own.
fn split(comment: Comment) -> Option<(String, Comment)> {
    let line = comment.line();
    if line.chars().count() <= COLUMNS_MAX || line.contains("://") || !comment.is_plain() {
        return None;
    }
    let room = COLUMNS_MAX.checked_sub((comment.prefix + &comment.lead).chars().count())?;
    let comment = Comment::of(&line)?;
    let fits = |position: &usize| comment.words[..*position].chars().count() <= room;
    let spaces = comment.words.match_indices(' ').map(|(position, _)| position).take_while(fits);
    // Code between backticks stays on one line.
    let outside = |position: &usize| comment.words[..*position].matches('`').count() % 2 == 0;
    let position = spaces.filter(outside).last()?;
    let short = format!("{}{}{}", comment.prefix, comment.lead, &comment.words[..position]);
    let words = comment.words[position..].trim_start().to_owned();
    let lead = " ".repeat(comment.lead.chars().count());
    // A word that would read as a list marker or heading at the start of a line must not get there.
    let rest = Comment { prefix: comment.prefix, lead, words };
    let safe = rest.is_plain() && bullet(&rest.words) == 0;
    safe.then_some((short, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(start: &str, words: usize) -> String {
        format!("{start}{}", vec!["word"; words].join(" "))
    }

    #[test]
    fn overflow_moves_into_the_same_paragraph() {
        let text = format!("{}\n/// tail of it.\n///\n/// Next.\nfn a() {{}}\n", long("/// ", 21));
        let wrapped = wrap(&text);
        let expected = format!(
            "{}\n/// word word tail of it.\n///\n/// Next.\nfn a() {{}}\n",
            long("/// ", 19)
        );
        assert_eq!(wrapped, expected);
        assert_eq!(wrap(&wrapped), wrapped);
    }

    #[test]
    fn a_paragraph_that_ends_gets_a_new_line() {
        let text = format!("{}\nuse x;", long("    // ", 20));
        assert_eq!(wrap(&text), format!("{}\n    // word word\nuse x;", long("    // ", 18)));
    }

    #[test]
    fn code_between_backticks_stays_whole() {
        let text = format!("{} `some code` x", long("// ", 18));
        assert_eq!(wrap(&text), format!("{}\n// `some code` x", long("// ", 18)));
    }

    #[test]
    fn list_items_keep_their_indent_and_neighbours() {
        let text = format!("{}\n/// - second", long("/// - ", 20));
        assert_eq!(wrap(&text), format!("{}\n///   word\n/// - second", long("/// - ", 19)));
    }

    #[test]
    fn tables_code_strings_and_addresses_stay() {
        for text in [
            long("/// | ", 30),
            format!("/// ```text\n{}\n/// ```", long("/// ", 30)),
            format!("let a = \"\n{}\n\";", long("// ", 30)),
            long("// https://a.example/ ", 30),
            long("let x = 1; // ", 30),
        ] {
            assert_eq!(wrap(&text), text);
        }
    }
}
