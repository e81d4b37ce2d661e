//! Fitting escaped text into columns, by the width that a terminal gives it.

use unicode_width::UnicodeWidthStr as _;

/// Columns that a terminal gives a text.
#[must_use]
pub fn width_of(text: &str) -> usize {
    text.width()
}

/// The longest beginning of `text` that fits into `columns`, and what is left.
fn split(text: &str, columns: usize) -> (&str, &str) {
    if text.is_ascii() {
        return text.split_at_checked(columns).unwrap_or((text, ""));
    }
    let mut end = 0;
    // A character takes up to four bytes and, with its marks, at least one column in five
    // characters (`escape` sees to that): no more bytes than this can fit.
    let bytes_max = columns.saturating_add(1).saturating_mul(24);
    for (at, c) in text.char_indices().take_while(|(at, _)| *at < bytes_max) {
        let next = at + c.len_utf8();
        if text.get(..next).is_none_or(|head| head.width() > columns) {
            break;
        }
        end = next;
    }
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The text in at most `columns`, with an ellipsis when something was cut off.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    let (head, rest) = split(text, columns);
    if rest.is_empty() {
        return head.to_owned();
    }
    let (head, _) = split(text, columns.saturating_sub(1));
    format!("{}…", head.trim_end())
}

/// The text in exactly `columns`, to the left.
pub(super) fn left(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    let blanks = columns.saturating_sub(width_of(&text));
    text + &" ".repeat(blanks)
}

/// The text in exactly `columns`, to the right.
pub(super) fn right(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    " ".repeat(columns.saturating_sub(width_of(&text))) + &text
}

/// The text on at most `lines_max` lines, broken between words where they fit.
pub(super) fn wrap(text: &str, columns: usize, lines_max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (head, tail) = split(rest, columns);
        if tail.is_empty() || lines.len() + 1 >= lines_max || head.is_empty() {
            lines.push(fit(rest, columns));
            break;
        }
        // A break between words, unless the next word needs more than a line of its own.
        let at_word = if tail.starts_with(' ') { Some(head.len()) } else { head.rfind(' ') };
        let next_word =
            |end: usize| rest.get(end..).unwrap_or_default().split(' ').find(|w| !w.is_empty());
        let fits = |end: &usize| next_word(*end).is_none_or(|word| width_of(word) <= columns);
        let end = at_word.filter(fits).unwrap_or(head.len());
        let (line, next) = rest.split_at_checked(end).unwrap_or((head, tail));
        lines.push(line.trim_end().to_owned());
        rest = next.trim_start();
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fit("東京タワー", 5), "東京…");
        assert_eq!(left("東京", 5), "東京 ");
        assert_eq!(right("é", 3), "  é");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
    }

    #[test]
    fn text_wraps_between_words_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 8, 3), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4, 3), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("one two three four", 8, 2), ["one two", "three f…"]);
        assert_eq!(wrap("", 8, 2), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_its_column(text in any::<String>(), columns in 1_usize..40) {
            let text = crate::escape::escape(&text);
            prop_assert_eq!(width_of(&left(&text, columns)), columns);
            prop_assert!(wrap(&text, columns, 3).iter().all(|line| width_of(line) <= columns));
        }
    }
}
