//! Making visible what a terminal would obey and a reader would not see.
//!
//! Events are written by strangers: a carriage return, an escape sequence, a direction control or a
//! Unicode tag in a name must never move the cursor, recolour a line, reorder it or hide in it
//! (CWE-117, CVE-2021-42574). Printable Unicode stays as it is. Bytes in the log are never changed:
//! this happens at the moment of showing.

use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar as _;

/// Zero-width marks in a row that stay as they are: accents stack at most this high in living
/// scripts.
const MARKS_IN_A_ROW_MAX: usize = 4;

/// The text with everything invisible or obeyed written as `\n`, `\r`, `\t` or `\u{..}`.
#[must_use]
pub fn escape(text: &str) -> String {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut marks = MARKS_IN_A_ROW_MAX;
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        let is_mark = c.width() == Some(0);
        marks = if is_mark { marks + 1 } else { 0 };
        let stands = match c {
            // Joiners and selectors shape letters and emoji; next to plain letters they only hide.
            '\u{200c}' | '\u{200d}' => !before.is_ascii() && !after.is_ascii(),
            '\u{fe00}'..='\u{fe0f}' => {
                !before.is_ascii() || matches!(before, '0'..='9' | '#' | '*')
            }
            _ => !is_hidden(c),
        };
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if stands && marks <= MARKS_IN_A_ROW_MAX => out.push(c),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
        before = c;
    }
    out
}

/// Appends valid JSON text with every hidden character inside its strings written as `\uXXXX`:
/// another spelling of the same JSON value. Everything else is copied byte for byte.
pub fn escape_json(json: &str, out: &mut Vec<u8>) {
    if json.bytes().all(|b| b < 0x7f) {
        out.extend_from_slice(json.as_bytes());
        return;
    }
    let mut from = 0;
    for (at, c) in json.char_indices().filter(|(_, c)| *c >= '\u{7f}' && is_hidden(*c)) {
        out.extend_from_slice(json.get(from..at).unwrap_or_default().as_bytes());
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
        }
        from = at + c.len_utf8();
    }
    out.extend_from_slice(json.get(from..).unwrap_or_default().as_bytes());
}

/// Hands every character that would begin a formula in a spreadsheet to `defuse`, and copies the
/// others: `=`, `+`, `-` or `@`, also full-width ones, where one of them begins a text, or follows
/// a `;` inside it (which separates cells in half of the world); blanks and quotes in between do
/// not count.
#[must_use]
pub fn defuse_formulas(text: &str, defuse: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut begins = true;
    for c in text.chars() {
        match c {
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' if begins => defuse(c, &mut out),
            _ => out.push(c),
        }
        begins = c == ';' || begins && (c.is_whitespace() || c == '"' || c == '\'');
    }
    out
}

/// The text with a `'` before every character that would begin a formula in a spreadsheet.
#[must_use]
pub fn defused(text: &str) -> String {
    defuse_formulas(text, |c, out| out.extend(['\'', c]))
}

/// A value as JSON whose strings hold no hidden character as it is.
#[must_use]
pub fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    // What is given here has text for keys, and so cannot fail.
    let json = serde_json::to_string(value).unwrap_or_default();
    if json.bytes().all(|b| b < 0x7f) {
        return json.into_bytes();
    }
    let mut out = Vec::with_capacity(json.len() + 64);
    escape_json(&json, &mut out);
    out
}

/// True for characters that are never shown as they are.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'      // controls, C1 with its one-character CSI
        | '\u{ad}' | '\u{34f}'                  // soft hyphen, grapheme joiner
        | '\u{61c}' | '\u{200e}' | '\u{200f}'   // direction
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{200b}' | '\u{feff}'               // zero width
        | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
        | '\u{2028}' | '\u{2029}'               // line and paragraph separators
        | '\u{115f}' | '\u{1160}' | '\u{3164}'  // blank letters
        | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{e0000}'..='\u{e0fff}'             // tags and the selectors that smuggle bytes
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_obeys_becomes_visible() {
        for (raw, shown) in [
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\0b\x7f", "a\\u{0}b\\u{7f}"),
            ("user\u{202e}nimda", "user\\u{202e}nimda"),
            ("hi\u{e0041}\u{e007f}", "hi\\u{e0041}\\u{e007f}"),
            ("Bill\u{200d}ing", "Bill\\u{200d}ing"),
            ("a\u{fe0f}", "a\\u{fe0f}"),
            ("\u{301}a", "\\u{301}a"),
            ("a\u{2028}b", "a\\u{2028}b"),
        ] {
            assert_eq!(escape(raw), shown);
        }
    }

    #[test]
    fn printable_unicode_stays() {
        for text in [
            "Zürich, 東京, Москва",
            "e\u{301}",
            "👩\u{200d}🔧 ❤\u{fe0f} 1\u{fe0f}",
            "می\u{200c}خواهم",
            "a\\b",
        ] {
            assert_eq!(escape(text), text);
        }
    }

    #[test]
    fn each_hidden_character_is_hidden() {
        let controls = (0..0x20).chain(0x7f..0xa0);
        let direction =
            [0x61c, 0x200e, 0x200f].into_iter().chain(0x202a..0x202f).chain(0x2066..0x206a);
        let invisible =
            [0xad, 0x34f, 0x115f, 0x1160, 0x180e, 0x200b, 0x2028, 0x2029, 0x3164, 0xfeff, 0xffa0];
        let tags =
            (0xe0000..0xe0080).chain(0xe0100..0xe01f0).chain(0x2060..0x2065).chain(0xfff9..0xfffc);
        for code in controls.chain(direction).chain(invisible).chain(tags) {
            let c = char::from_u32(code).unwrap();
            assert!(!escape(&format!("a{c}b")).contains(c), "{code:x}");
        }
    }

    #[test]
    fn marks_do_not_pile_up() {
        let zalgo = format!("a{}", "\u{301}".repeat(40));
        assert_eq!(escape(&zalgo).matches('\u{301}').count(), MARKS_IN_A_ROW_MAX);
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(!escape(&text).chars().any(is_hidden));
        }

        #[test]
        fn json_keeps_its_value(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let mut out = Vec::new();
            escape_json(&json, &mut out);
            let out = String::from_utf8(out).unwrap();
            prop_assert!(!out.chars().any(is_hidden));
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
