//! Completeness: are the records handed over *all* records of a stream, up to a checkpoint?
//!
//! Answered from public entries alone (format.md, "Entry"). That the entries are those of the log
//! is `log.rs`, that a record is what its entry commits to is `record.rs`.

use event::Entry;
use std::collections::{HashMap, HashSet};

/// What a completeness check found. All lists are in the order of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamCheck {
    /// Entries of the streams.
    pub entries: u64,
    /// Entries of the streams whose records were not handed over, by index.
    pub missing: Vec<u64>,
    /// Records handed over that are not of these streams, or not in the log at all, by index.
    pub foreign: Vec<u64>,
    /// Places where the numbering from 1 breaks: the entries given are not the whole log.
    pub gaps: Vec<StreamGap>,
    /// Streams of which there is no entry at all.
    pub absent: Vec<[u8; 16]>,
}

/// A break in the numbering of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamGap {
    /// The stream.
    pub stream: [u8; 16],
    /// The number that should have come.
    pub wanted: u64,
    /// The number that came.
    pub got: u64,
    /// The index of the entry with that number.
    pub index: u64,
}

impl StreamCheck {
    /// Whether what was handed over is everything, and nothing but, the streams asked for.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
            && self.foreign.is_empty()
            && self.gaps.is_empty()
            && self.absent.is_empty()
    }
}

/// Checks that the records at the indexes `handed_over` are all those of `streams` among `entries`,
/// which are the entries of the log, with their indexes, from 0 up to a checkpoint.
pub fn check_stream(
    streams: &[[u8; 16]],
    entries: impl IntoIterator<Item = (u64, Entry)>,
    handed_over: &[u64],
) -> StreamCheck {
    let mut check = StreamCheck::default();
    let mut last: HashMap<[u8; 16], u64> = streams.iter().map(|stream| (*stream, 0)).collect();
    let mut unexplained: HashSet<u64> = handed_over.iter().copied().collect();
    for (index, entry) in entries {
        let Some(last) = last.get_mut(&entry.stream) else { continue };
        check.entries += 1;
        let wanted = last.saturating_add(1);
        if entry.sequence != wanted {
            let (stream, got) = (entry.stream, entry.sequence);
            check.gaps.push(StreamGap { stream, wanted, got, index });
        }
        *last = entry.sequence;
        if !unexplained.remove(&index) {
            check.missing.push(index);
        }
    }
    check.foreign = unexplained.into_iter().collect();
    check.foreign.sort_unstable();
    check.absent = streams.iter().filter(|it| last.get(*it) == Some(&0)).copied().collect();
    check
}
