//! The lines of a file: LF or CRLF, blank ones skipped, a UTF-8 byte order mark at the start
//! skipped.

/// The lines that hold something, with their numbers from 1.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = Some(without_byte_order_mark(bytes));
    let mut number = 0;
    std::iter::from_fn(move || {
        let bytes = rest?;
        let (line, after) = match memchr::memchr(b'\n', bytes) {
            Some(end) => (bytes.get(..end)?, bytes.get(end + 1..)),
            None => (bytes, None),
        };
        rest = after;
        number += 1;
        Some((number, line.strip_suffix(b"\r").unwrap_or(line)))
    })
    .filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace))
}

/// The bytes after a UTF-8 byte order mark.
pub(crate) fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::has_more_lines_than;

    #[test]
    fn blank_lines_line_ends_and_the_mark_are_not_content_but_count() {
        let text = b"\xEF\xBB\xBFa\r\n\r\n  \nb\n\nc";
        let found: Vec<_> = lines(text).collect();
        assert_eq!(found, [(1, &b"a"[..]), (4, b"b"), (6, b"c")]);
        assert_eq!(lines(b"").count(), 0);
        assert_eq!(lines(b"x\n").collect::<Vec<_>>(), [(1, &b"x"[..])]);
        assert!(!has_more_lines_than(3, text) && has_more_lines_than(2, text));
        assert!(!has_more_lines_than(0, b"\xEF\xBB\xBF\n \n"));
    }
}
