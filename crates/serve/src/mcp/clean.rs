//! Texts of the log as a model may read them: nothing in them is obeyed by a terminal, hidden from
//! a person, or rendered by a client.
//!
//! What is hidden becomes visible (`query::escape`). What a client would render is broken: a link
//! or a picture in a chat window carries what the model was told to whoever wrote the link, without
//! anybody touching it. The log's bytes are never changed, only what is shown of them.

use query::escape::escape;
use serde_json::{Map, Value, json};

/// How much of an item is shown, from most to least, until it fits: bytes of a text, members of an
/// array or object.
const STEPS: [(usize, usize); 4] = [(4096, 200), (1024, 100), (256, 40), (64, 10)];

/// The text, cleaned, of which at most so many bytes are shown.
pub(crate) fn text(raw: &str, bytes_max: usize) -> String {
    let shown = beginning(raw, bytes_max);
    let mut out = unrendered(&escape(shown));
    if shown.len() < raw.len() {
        out.push_str(&format!("… [{} of {} bytes]", shown.len(), raw.len()));
    }
    out
}

/// The first so many bytes, cut between characters.
fn beginning(text: &str, bytes_max: usize) -> &str {
    let ends = |at: &usize| text.is_char_boundary(*at);
    let end = (0..=bytes_max.min(text.len())).rev().find(ends).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// The same words, in which no Markdown or HTML is left that loads or leads anywhere.
fn unrendered(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let next = after.chars().next();
        let is_www = matches!(c, 'w' | 'W')
            && rest.get(..4).is_some_and(|four| four.eq_ignore_ascii_case("www."));
        match (c, next) {
            _ if is_www => {
                out.push_str(rest.get(..3).unwrap_or_default());
                out.push_str("[.]");
                rest = rest.get(4..).unwrap_or_default();
                if rest.starts_with(['(', '[', ':']) {
                    out.push(' ');
                }
                continue;
            }
            (':', Some('/')) if after.starts_with("//") => out.push_str("[:]"),
            (']', Some('(' | '[' | ':')) => out.push_str("] "),
            ('<', Some(n)) if n.is_alphabetic() || matches!(n, '/' | '!' | '?') => {
                out.push_str("\\u{3c}");
            }
            ('`', Some('`')) => out.push_str("` "),
            _ => out.push(c),
        }
        rest = after;
    }
    out
}

/// A value, cleaned, within so many bytes of JSON; and whether anything of it is left out.
///
/// Recursion is bounded: stored events nest 64 levels, and the parser stops at 128.
pub(crate) fn value(raw: &Value, bytes_max: usize) -> (Value, bool) {
    for (text_bytes_max, members_max) in STEPS {
        let mut is_short = false;
        let shown = shorten(raw, text_bytes_max, members_max, &mut is_short);
        if size(&shown) <= bytes_max {
            return (shown, is_short);
        }
    }
    let mut shown = json!({ "not_shown": format!("{} bytes", size(raw)) });
    if let (Some(index), Some(members)) = (raw.get("index"), shown.as_object_mut()) {
        members.insert("index".to_owned(), index.clone());
    }
    (shown, true)
}

fn shorten(raw: &Value, text_bytes_max: usize, members_max: usize, is_short: &mut bool) -> Value {
    match raw {
        Value::String(raw) => {
            *is_short |= raw.len() > text_bytes_max;
            Value::String(text(raw, text_bytes_max))
        }
        Value::Array(items) => {
            let shown = items.iter().take(members_max);
            let shown = shown.map(|item| shorten(item, text_bytes_max, members_max, is_short));
            let mut shown: Vec<Value> = shown.collect();
            if items.len() > members_max {
                *is_short = true;
                shown.push(format!("… [{members_max} of {} items]", items.len()).into());
            }
            Value::Array(shown)
        }
        Value::Object(members) => {
            let mut shown = Map::new();
            for (raw_key, member) in members.iter().take(members_max) {
                let mut key = text(raw_key, text_bytes_max.min(256));
                // Two names may look alike once they are cleaned; neither may hide the other.
                while shown.contains_key(&key) {
                    key.push_str("\\u{7e}");
                }
                shown.insert(key, shorten(member, text_bytes_max, members_max, is_short));
            }
            if members.len() > members_max {
                *is_short = true;
                let left_out = format!("{members_max} of {} members", members.len());
                shown.insert("…".to_owned(), left_out.into());
            }
            Value::Object(shown)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => raw.clone(),
    }
}

/// Bytes of a value as JSON.
pub(crate) fn size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail, and a value has no keys but texts.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use query::escape::is_hidden;

    /// What no text in an answer may hold.
    pub(crate) fn fault(text: &str) -> Option<String> {
        if let Some(hidden) = text.chars().find(|c| is_hidden(*c)) {
            return Some(format!("hidden character {hidden:?}"));
        }
        let lower = text.to_ascii_lowercase();
        let rendered = ["://", "](", "][", "]:", "www.", "```", "</", "<!", "<img", "<script"];
        rendered.iter().find(|it| lower.contains(*it)).map(|it| format!("{it:?} is rendered"))
    }

    #[test]
    fn what_a_client_would_render_is_broken_and_stays_readable() {
        for (raw, shown) in [
            ("![x](https://evil.example/?q=1)", "![x] (https[:]//evil.example/?q=1)"),
            ("<img src=//evil.example/x>", "\\u{3c}img src=//evil.example/x>"),
            ("[a][b] [b]: //x", "[a] [b] [b] : //x"),
            ("see WWW.evil.example", "see WWW[.]evil.example"),
            ("</untrusted_data>", "\\u{3c}/untrusted_data>"),
            ("```json", "` ` `json"),
            ("a < b, 1<2", "a < b, 1<2"),
            ("a:b / c", "a:b / c"),
            ("line\u{1b}[2Jend\u{e0041}", "line\\u{1b}[2Jend\\u{e0041}"),
        ] {
            assert_eq!(text(raw, 1000), shown);
            assert_eq!(fault(&text(raw, 1000)), None, "{raw}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(text("äöü", 3), "ä… [2 of 6 bytes]");
        assert_eq!(text("äöü", 6), "äöü");
        assert_eq!(text("abc", 0), "… [0 of 3 bytes]");
    }

    #[test]
    fn names_that_look_alike_once_cleaned_are_both_shown() {
        let raw = json!({ "a\u{200b}": 1, "a\\u{200b}": 2 });
        let (shown, is_short) = value(&raw, 1000);
        assert_eq!(shown.as_object().unwrap().len(), 2, "{shown}");
        assert!(!is_short);
    }

    #[test]
    fn whatever_the_value_it_fits() {
        let wide: Vec<Value> =
            (0..10_000).map(|n| json!({ "n": n, "t": "x".repeat(50) })).collect();
        for raw in [json!({ "index": 7, "wide": wide }), json!("y".repeat(1 << 20))] {
            for bytes_max in [64, 500, 5_000, 50_000] {
                let (shown, is_short) = value(&raw, bytes_max);
                assert!(size(&shown) <= bytes_max && is_short, "{bytes_max}: {}", size(&shown));
            }
        }
        assert_eq!(value(&json!({ "index": 7, "w": wide }), 64).0["index"], 7);
    }

    proptest! {
        #[test]
        fn no_text_is_left_that_is_hidden_or_rendered(raw in any::<String>(), links in "[\\]\\[(:/<`w.!a]{0,40}") {
            for raw in [raw.clone(), links.clone(), format!("{links}{raw}{links}")] {
                let shown = text(&raw, 100);
                prop_assert_eq!(fault(&shown), None, "{:?}", shown);
            }
        }
    }
}
