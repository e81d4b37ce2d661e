//! Rust text as lines with strings and comments blanked out, and which lines belong to tests.
//!
//! Not a parser: it knows strings, raw strings, characters, lifetimes and (nested) comments, which
//! is what it takes to count braces safely.

use std::ops::Range;

/// One line of Rust.
pub(crate) struct Line {
    /// As written.
    pub(crate) text: String,
    /// The same, with the inside of strings and all comments replaced by spaces.
    pub(crate) code: String,
    /// Whether a part of it is inside a string.
    pub(crate) has_string: bool,
    /// Whether it belongs to an item under `#[cfg(test)]`.
    pub(crate) in_test: bool,
}

/// Splits and blanks.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let (code, strings) = blank(text);
    let mut lines: Vec<Line> = Vec::new();
    let mut start = 0;
    for (written, code) in text.split('\n').zip(code.split('\n')) {
        // Blanking keeps the number of characters, so positions are counted in characters.
        let end = start + written.chars().count();
        let has_string = strings.iter().any(|string| string.start < end && start < string.end);
        lines.push(Line {
            text: written.to_owned(),
            code: code.to_owned(),
            has_string,
            in_test: false,
        });
        start = end + 1;
    }
    mark_tests(&mut lines);
    lines
}

/// What the reader of characters is inside of.
struct Blanker {
    characters: Vec<char>,
    code: String,
    strings: Vec<Range<usize>>,
    at: usize,
}

fn blank(text: &str) -> (String, Vec<Range<usize>>) {
    let mut blanker = Blanker {
        characters: text.chars().collect(),
        code: String::with_capacity(text.len()),
        strings: Vec::new(),
        at: 0,
    };
    while blanker.at < blanker.characters.len() {
        blanker.step();
    }
    (blanker.code, blanker.strings)
}

impl Blanker {
    fn peek(&self, ahead: usize) -> char {
        self.characters.get(self.at + ahead).copied().unwrap_or('\0')
    }

    /// Passes `count` characters on as code.
    fn keep(&mut self, count: usize) {
        for _ in 0..count {
            if self.at < self.characters.len() {
                self.code.push(self.characters[self.at]);
                self.at += 1;
            }
        }
    }

    /// Replaces `count` characters by spaces; lines stay lines.
    fn hide(&mut self, count: usize) {
        for _ in 0..count {
            if self.at < self.characters.len() {
                let line_end = self.characters[self.at] == '\n';
                self.code.push(if line_end { '\n' } else { ' ' });
                self.at += 1;
            }
        }
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while self.at < self.characters.len() && self.peek(0) != '\n' {
                    self.hide(1);
                }
            }
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            (letter, _) if letter.is_alphanumeric() || letter == '_' => self.word(),
            _ => self.keep(1),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.characters.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => {
                    depth += 1;
                    self.hide(2);
                }
                ('*', '/') => {
                    depth -= 1;
                    self.hide(2);
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.hide(1),
            }
        }
    }

    /// A whole word at once, because `r"`, `br#"`, `b"`, `c"` open strings and `buffer"` does not
    /// exist.
    fn word(&mut self) {
        let mut word = String::new();
        while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
            word.push(self.peek(0));
            self.keep(1);
        }
        if matches!(word.as_str(), "r" | "br" | "cr") {
            let mut hashes = 0;
            while self.peek(hashes) == '#' {
                hashes += 1;
            }
            if self.peek(hashes) == '"' {
                self.raw_string(hashes);
            }
        }
    }

    fn raw_string(&mut self, hashes: usize) {
        self.keep(hashes + 1);
        let start = self.at;
        while self.at < self.characters.len() {
            let closes = self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#');
            if closes {
                self.strings.push(start..self.at + 1);
                self.keep(hashes + 1);
                return;
            }
            self.hide(1);
        }
    }

    fn string(&mut self) {
        self.keep(1);
        let start = self.at;
        while self.at < self.characters.len() {
            match self.peek(0) {
                '\\' => self.hide(2),
                '"' => {
                    self.strings.push(start..self.at + 1);
                    self.keep(1);
                    return;
                }
                _ => self.hide(1),
            }
        }
    }

    /// A character or the start of a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            self.keep(1);
            self.hide(2);
            while self.at < self.characters.len() && self.peek(0) != '\'' {
                self.hide(1);
            }
            self.keep(1);
        } else if self.peek(2) == '\'' {
            self.keep(1);
            self.hide(1);
            self.keep(1);
        } else {
            self.keep(1);
        }
    }
}

/// Marks every item under an attribute such as `#[cfg(test)]`, up to its closing brace or
/// semicolon.
fn mark_tests(lines: &mut [Line]) {
    let mut number = 0;
    while number < lines.len() {
        let code: String = lines[number].code.split_whitespace().collect();
        if ["#[cfg(test)]", "#[cfg(all(test", "#[test]"].iter().any(|mark| code.contains(mark)) {
            let end = item_end(lines, number);
            for line in &mut lines[number..=end] {
                line.in_test = true;
            }
            number = end;
        }
        number += 1;
    }
}

/// The line on which the item that begins at this line ends.
pub(crate) fn item_end(lines: &[Line], first: usize) -> usize {
    let (mut braces, mut others) = (0_i32, 0_i32);
    for (number, line) in lines.iter().enumerate().skip(first) {
        for character in line.code.chars() {
            match character {
                '{' => braces += 1,
                '}' => {
                    braces -= 1;
                    if braces == 0 {
                        return number;
                    }
                }
                '(' | '[' => others += 1,
                ')' | ']' => others -= 1,
                ';' if braces == 0 && others == 0 => return number,
                _ => {}
            }
        }
    }
    lines.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        lines(text).iter().map(|line| line.code.clone()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn strings_comments_and_characters_are_blanked() {
        assert_eq!(code("a(\"}\\\"{\"); // {"), "a(\"    \");     ");
        assert_eq!(code("x = r#\"{\"}\"#;"), "x = r#\"   \"#;");
        assert_eq!(code("b\"{\" br\"{\" c\"{\""), "b\" \" br\" \" c\" \"");
        assert_eq!(code("/* { /* } */ { */ y"), "                  y");
        assert_eq!(code("m('{', '\\'', '\\u{7d}')"), "m(' ', '  ', '      ')");
        assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(code("\"a\n}b\" {"), "\" \n  \" {");
    }

    #[test]
    fn lines_with_strings_are_marked() {
        let marked: Vec<bool> =
            lines("x\n\"a\nb\nc\"\ny\"é\"").iter().map(|line| line.has_string).collect();
        assert_eq!(marked, [false, true, true, true, true]);
    }

    #[test]
    fn test_items_are_marked_to_their_end() {
        let text =
            "fn a() {}\n#[cfg(test)]\nmod t {\n fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod d;\nx";
        let marked: Vec<bool> = lines(text).iter().map(|line| line.in_test).collect();
        assert_eq!(marked, [false, true, true, true, true, false, true, true, false]);
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["\"", "r#\"", "'", "'\\", "/*", "b'", "#[cfg(test)]", "fn", "'\\u{"] {
            assert_eq!(lines(text).len(), 1, "{text}");
        }
    }
}
