//! Ids for lines that carry none: the exact bytes of the line and how many times it stood above.
//!
//! A file that was appended to keeps the ids of its old lines; two identical lines stay two events.

use std::collections::HashMap;

/// The lines of one file so far.
pub(crate) struct LineIds {
    format: &'static str,
    seen: HashMap<String, u64>,
}

impl LineIds {
    pub(crate) fn new(format: &'static str) -> Self {
        Self { format, seen: HashMap::new() }
    }

    /// The id of the next line.
    pub(crate) fn next(&mut self, line: &[u8]) -> String {
        let first = event::id::derive(self.format, &[line, &0_u64.to_be_bytes()]);
        let ordinal = self.seen.entry(first.clone()).or_default();
        let id = match *ordinal {
            0 => first,
            above => event::id::derive(self.format, &[line, &above.to_be_bytes()]),
        };
        *ordinal += 1;
        id
    }
}

#[cfg(test)]
mod tests {
    use super::LineIds;

    #[test]
    fn identical_lines_get_different_ids_and_the_same_again() {
        let ids = |lines: &[&[u8]]| {
            let mut ids = LineIds::new("x");
            lines.iter().map(|line| ids.next(line)).collect::<Vec<_>>()
        };
        let once = ids(&[b"a", b"a", b"b"]);
        assert_ne!(once[0], once[1]);
        assert_ne!(once[0], once[2]);
        assert_eq!(ids(&[b"a", b"a", b"b", b"a"])[..3], once);
    }
}
