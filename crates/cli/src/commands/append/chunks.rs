//! The input in chunks of whole lines: as large as a batch may be when much is there, and whatever
//! is there when the input pauses, so that a slow pipe gets its answers soon.

use crate::failure::Failure;
use event::limits;
use std::io::{ErrorKind, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Bytes read at a time.
const BLOCK_BYTES: usize = 256 << 10;
/// Blocks read ahead.
const BLOCKS_AHEAD: usize = 4;
/// A chunk is handed on at this many bytes.
const CHUNK_BYTES: usize = 1 << 20;
/// A line waits no longer than this for others to share its batch.
const PATIENCE: Duration = Duration::from_millis(50);
/// The longest line that is kept: an event, and a carriage return.
const LINE_BYTES_MAX: usize = limits::EVENT_BYTES_MAX + 1;

/// Some lines of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Whole lines.
    Lines {
        /// The number of the first, from 1.
        first: u64,
        /// Their bytes.
        bytes: Vec<u8>,
    },
    /// One line that is too long to be kept.
    TooLong {
        /// Its number.
        line: u64,
    },
}

/// The chunks of an input.
pub(super) struct Chunks {
    blocks: Receiver<std::io::Result<Vec<u8>>>,
    lines_max: usize,
    /// Bytes not handed on yet; the first `scanned` of them were looked at.
    pending: Vec<u8>,
    scanned: usize,
    /// Bytes and number of the whole lines at the front of `pending`.
    whole: usize,
    lines: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// The number of the first line in `pending`.
    line: u64,
    /// The rest of a line that was too long is being passed over.
    skipping: bool,
    ended: bool,
}

impl Chunks {
    /// Begins to read in a thread of its own, because reading from a pipe may wait for ever.
    pub(super) fn start(mut input: Box<dyn Read + Send>, lines_max: usize) -> Self {
        let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
        // It ends with the input, with the process, or when nobody takes the blocks any more.
        std::thread::spawn(move || {
            loop {
                let mut block = vec![0; BLOCK_BYTES];
                let read = match input.read(&mut block) {
                    Ok(0) => return,
                    Ok(count) => {
                        block.truncate(count);
                        Ok(block)
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.send(read).is_err() || failed {
                    return;
                }
            }
        });
        Self {
            blocks,
            lines_max,
            pending: Vec::new(),
            scanned: 0,
            whole: 0,
            lines: 0,
            since: None,
            line: 1,
            skipping: false,
            ended: false,
        }
    }

    /// The next chunk; `None` at the end of the input.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, Failure> {
        loop {
            if let Some(chunk) = self.scan() {
                return Ok(Some(chunk));
            }
            if self.ended {
                return Ok(self.last());
            }
            let patience = match self.since {
                Some(since) => PATIENCE.saturating_sub(since.elapsed()),
                None => Duration::MAX,
            };
            match self.blocks.recv_timeout(patience) {
                Ok(Ok(block)) => self.pending.extend_from_slice(&block),
                Ok(Err(error)) => {
                    return Err(Failure::new(format!("cannot read the events: {error}")));
                }
                Err(RecvTimeoutError::Timeout) => return Ok(self.take()),
                Err(RecvTimeoutError::Disconnected) => self.ended = true,
            }
        }
    }

    /// Looks at what came; a chunk when one is full.
    fn scan(&mut self) -> Option<Chunk> {
        while self.scanned < self.pending.len() {
            let rest = self.pending.get(self.scanned..)?;
            let Some(found) = memchr::memchr(b'\n', rest) else {
                self.scanned = self.pending.len();
                break;
            };
            self.scanned += found + 1;
            if self.skipping {
                self.skipping = false;
                self.drop_front(self.scanned);
                self.line += 1;
                continue;
            }
            if self.scanned - self.whole > LINE_BYTES_MAX + 1 {
                self.scanned -= found + 1;
                break;
            }
            self.whole = self.scanned;
            self.lines += 1;
            self.since.get_or_insert_with(Instant::now);
            if self.lines >= self.lines_max || self.whole >= CHUNK_BYTES {
                return self.take();
            }
        }
        if self.skipping {
            self.drop_front(self.pending.len());
            return None;
        }
        // Either the line has not ended yet, or it has and is passed over from here on.
        if self.pending.len() - self.whole <= LINE_BYTES_MAX {
            return None;
        }
        if self.lines > 0 {
            return self.take();
        }
        self.skipping = true;
        self.scanned = 0;
        Some(Chunk::TooLong { line: self.line })
    }

    /// The whole lines so far.
    fn take(&mut self) -> Option<Chunk> {
        if self.lines == 0 {
            return None;
        }
        let rest = self.pending.split_off(self.whole);
        let bytes = std::mem::replace(&mut self.pending, rest);
        let first = self.line;
        self.line += self.lines as u64;
        self.scanned = self.scanned.saturating_sub(self.whole);
        (self.whole, self.lines, self.since) = (0, 0, None);
        Some(Chunk::Lines { first, bytes })
    }

    /// What is left at the end of the input: whole lines, and one without a line end.
    fn last(&mut self) -> Option<Chunk> {
        if self.pending.len() > self.whole && !self.skipping {
            self.whole = self.pending.len();
            self.lines += 1;
        }
        self.take()
    }

    fn drop_front(&mut self, count: usize) {
        self.pending.drain(..count);
        self.scanned = self.scanned.saturating_sub(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::Sender;

    fn all(input: &[u8], lines_max: usize) -> Vec<Chunk> {
        let mut chunks = Chunks::start(Box::new(std::io::Cursor::new(input.to_vec())), lines_max);
        std::iter::from_fn(|| chunks.next().unwrap()).collect()
    }

    fn lines(first: u64, bytes: &[u8]) -> Chunk {
        Chunk::Lines { first, bytes: bytes.to_vec() }
    }

    #[test]
    fn lines_are_numbered_across_chunks() {
        assert_eq!(
            all(b"a\nb\n\nc\nd", 2),
            [lines(1, b"a\nb\n"), lines(3, b"\nc\n"), lines(5, b"d")]
        );
        assert_eq!(all(b"", 2), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_others_are_kept() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let too_long = vec![b'y'; LINE_BYTES_MAX + 1];
        for excess in [0, 10, 3 << 20] {
            let mut text = b"a\n".to_vec();
            text.extend(&longest);
            text.push(b'\n');
            text.extend(&too_long);
            text.extend(std::iter::repeat_n(b'z', excess));
            text.extend(b"\nb\n");
            let chunks = all(&text, 10);
            assert!(chunks.contains(&Chunk::TooLong { line: 3 }), "{excess}");
            assert_eq!(chunks.last(), Some(&lines(4, b"b\n")), "{excess}");
            let kept: usize = chunks
                .iter()
                .map(|chunk| if let Chunk::Lines { bytes, .. } = chunk { bytes.len() } else { 0 })
                .sum();
            assert_eq!(kept, 2 + LINE_BYTES_MAX + 1 + 2, "{excess}");
        }
        assert_eq!(all(&too_long, 10), [Chunk::TooLong { line: 1 }]);
    }

    /// An input that gives what it is sent, when it is sent.
    struct Pipe(Receiver<Vec<u8>>);

    impl Read for Pipe {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let bytes = self.0.recv().unwrap_or_default();
            out[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    #[test]
    fn a_slow_pipe_is_answered_before_it_ends() {
        let (sender, receiver): (Sender<Vec<u8>>, _) = std::sync::mpsc::channel();
        let mut chunks = Chunks::start(Box::new(Pipe(receiver)), 1000);
        sender.send(b"a\nhalf".to_vec()).unwrap();
        assert_eq!(chunks.next().unwrap(), Some(lines(1, b"a\n")));
        sender.send(b" of it\n".to_vec()).unwrap();
        assert_eq!(chunks.next().unwrap(), Some(lines(2, b"half of it\n")));
        drop(sender);
        assert_eq!(chunks.next().unwrap(), None);
    }
}
