//! A PDF as text: its pages, what stands on them and where, one thing a line.
//!
//! What is packed is unpacked and offsets are left out, so that a golden file depends on what a
//! reader sees, and not on how well it was packed.

use std::io::Read as _;

/// What the codes from 0x80 on mean where Latin-1 has nothing (WinAnsiEncoding).
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// The file as text.
pub(crate) fn drawn(file: &[u8]) -> String {
    let (mut out, mut rest) = (String::new(), file);
    let find = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).position(|it| it == mark);
    while let Some(begin) = find(rest, b"stream\n") {
        dictionaries(&rest[..begin], &mut out);
        rest = &rest[begin + b"stream\n".len()..];
        let end = find(rest, b"\nendstream").unwrap();
        let mut page = String::new();
        flate2::read::ZlibDecoder::new(&rest[..end]).read_to_string(&mut page).unwrap();
        operations(&page, &mut out);
        rest = &rest[end + b"\nendstream".len()..];
    }
    // Behind the last page comes the table of offsets.
    let end = find(rest, b"xref").unwrap();
    dictionaries(&rest[..end], &mut out);
    out
}

/// What a page or a font is, without how long it is.
fn dictionaries(bytes: &[u8], out: &mut String) {
    let text = String::from_utf8_lossy(bytes);
    let is_told = |line: &&str| {
        let is_frame = ["<<", ">>", "endobj", ""].contains(line) || line.ends_with(" obj");
        !is_frame && !line.starts_with('%') && !line.starts_with("/Length")
    };
    for line in text.lines().map(str::trim).filter(is_told) {
        out.push_str(line);
        out.push('\n');
    }
}

/// What is drawn: a run of text is one line, and so is a shape.
fn operations(page: &str, out: &mut String) {
    const ENDS: &[&str] = &["ET", "f", "S"];
    let mut before = "";
    for line in page.lines() {
        let operator = line.rsplit(' ').next().unwrap();
        out.push_str(before);
        match line.strip_suffix(" Tj").and_then(|it| it.strip_prefix('<')) {
            Some(hex) => out.push_str(&format!("({}) Tj", letters(hex.trim_end_matches('>')))),
            None => out.push_str(line),
        }
        before = if ENDS.contains(&operator) { "\n" } else { " " };
    }
    out.push('\n');
}

/// Letters that were written as digits.
fn letters(hex: &str) -> String {
    let letter = |byte: u8| match byte {
        0x80..=0x9f => WINDOWS.chars().nth(usize::from(byte - 0x80)).unwrap(),
        other => char::from(other),
    };
    hex::decode(hex).unwrap().into_iter().map(letter).collect()
}
