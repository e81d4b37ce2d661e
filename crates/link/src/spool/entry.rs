//! One entry of a spool, and its bytes.

use crate::line::write_line;
use event::Event;
use redact::Redacted;

const LINE: u8 = 1;
const LOST: u8 = 2;
const HEAD_BYTES: usize = 8 + 8 + 1 + 4;

/// What waits under one number, or under several that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// The first number.
    pub first: u64,
    /// The last: the same, but for what was lost.
    pub last: u64,
    /// What became of it so far.
    pub waiting: Waiting,
}

/// What became of an event so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It is to be sent: one line.
    Line(Vec<u8>),
    /// It never will be, and this is why.
    Lost(String),
}

impl Numbered {
    /// An event that went through a redactor: nothing else gets onto the disk.
    #[must_use]
    pub fn event(number: u64, event: Redacted<Event<'_>>) -> Self {
        let mut line = Vec::new();
        write_line(event.into_inner(), &mut line);
        Self { first: number, last: number, waiting: Waiting::Line(line) }
    }

    /// Numbers whose events are lost.
    #[must_use]
    pub fn lost(first: u64, last: u64, reason: String) -> Self {
        Self { first, last, waiting: Waiting::Lost(reason) }
    }

    /// Bytes in a spool, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        HEAD_BYTES + self.body().len()
    }

    fn body(&self) -> &[u8] {
        match &self.waiting {
            Waiting::Line(line) => line,
            Waiting::Lost(reason) => reason.as_bytes(),
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let kind = match &self.waiting {
            Waiting::Line(_) => LINE,
            Waiting::Lost(_) => LOST,
        };
        let body = self.body();
        out.extend_from_slice(&self.first.to_be_bytes());
        out.extend_from_slice(&self.last.to_be_bytes());
        out.push(kind);
        out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(body);
    }

    /// All entries of a payload whose numbers follow each other from `first` up to `end`; `None`
    /// when these bytes are not that.
    pub(super) fn decode_all(mut bytes: &[u8], first: u64, end: u64) -> Option<Vec<Self>> {
        let (mut entries, mut next) = (Vec::new(), first);
        while !bytes.is_empty() {
            let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
            let number = |at: usize| {
                let eight = head.get(at..at + 8).and_then(|it| it.first_chunk::<8>());
                eight.map(|eight| u64::from_be_bytes(*eight))
            };
            let length = u32::from_be_bytes(*head.last_chunk::<4>()?);
            let (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            let (first, last) = (number(0)?, number(8)?);
            let waiting = match *head.get(16)? {
                LINE if first == last => Waiting::Line(body.to_vec()),
                LOST => Waiting::Lost(String::from_utf8(body.to_vec()).ok()?),
                _ => return None,
            };
            if first != next || last < first || last >= end {
                return None;
            }
            entries.push(Self { first, last, waiting });
            (next, bytes) = (last + 1, rest);
        }
        (next == end).then_some(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64) -> Numbered {
        let waiting = Waiting::Line(format!("{{\"n\":{number}}}\n").into_bytes());
        Numbered { first: number, last: number, waiting }
    }

    #[test]
    fn what_was_written_reads_back_and_nothing_else_does() {
        let all = [line(7), Numbered::lost(8, 11, "full".to_owned()), line(12)];
        let mut bytes = Vec::new();
        all.iter().for_each(|entry| entry.encode(&mut bytes));
        assert_eq!(Numbered::decode_all(&bytes, 7, 13).unwrap(), all);
        for (first, end) in [(6, 13), (7, 12), (7, 14), (8, 13)] {
            assert_eq!(Numbered::decode_all(&bytes, first, end), None, "{first} {end}");
        }
        for cut in 1..bytes.len() {
            assert_eq!(Numbered::decode_all(&bytes[..cut], 7, 13), None, "{cut}");
        }
    }
}
