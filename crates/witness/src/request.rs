//! The body of `POST <prefix>/add-checkpoint`: an old size, a proof, and a signed checkpoint.
//!
//! Whether the checkpoint is signed and continues what was seen is `decide.rs`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use checkpoint::MAX_NOTE_BYTES;
use core::fmt;
use merkle::{HASH_SIZE, Hash};

/// The most lines of a consistency proof: a tree of 2^63 entries needs no more.
pub const PROOF_LINES_MAX: usize = 63;

/// The longest body that is read, in bytes: the longest note, and what stands above it.
pub const BODY_BYTES_MAX: usize = MAX_NOTE_BYTES + HEAD_BYTES_MAX;

/// `old `, 20 digits, and 63 lines of 44 characters, with their newlines and an empty line.
const HEAD_BYTES_MAX: usize = 4 + 20 + 1 + PROOF_LINES_MAX * 45 + 1;

/// A request for a cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the tree that the witness cosigned last, as the log believes.
    pub old_size: u64,
    /// The consistency proof from that size to the checkpoint's.
    pub proof: Vec<Hash>,
    /// The signed checkpoint, not checked.
    pub note: Vec<u8>,
}

/// Why bytes are no such request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no empty line, or what stands above it is not text.
    #[error("expected an old size, proof lines, an empty line and a signed checkpoint")]
    Shape,
    /// The body is too long to be read.
    #[error("a body of {0} bytes is not read; at most {BODY_BYTES_MAX} are")]
    TooLong(usize),
    /// The first line is not `old` and a size in its one spelling.
    #[error("the first line must be \"old\", a space and a decimal size without leading zeros")]
    OldSize,
    /// A line of the proof is not a hash.
    #[error("line {line} must be a hash: 32 bytes in canonical base64")]
    ProofLine {
        /// Its number, from 1.
        line: usize,
    },
    /// The proof is too long.
    #[error("a proof of {0} lines is not read; at most {PROOF_LINES_MAX} are")]
    TooManyLines(usize),
}

impl AddCheckpoint {
    /// Reads a body. Nothing in it is believed yet.
    ///
    /// # Errors
    /// When it deviates from the specification in any byte.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(RequestError::TooLong(body.len()));
        }
        // The note has empty lines of its own, further down.
        let end = body.windows(2).position(|pair| pair == b"\n\n").ok_or(RequestError::Shape)?;
        let (head, rest) = body.split_at(end);
        let note = rest.get(2..).unwrap_or_default().to_vec();
        let head = core::str::from_utf8(head).map_err(|_| RequestError::Shape)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old_size = old.and_then(read_decimal).ok_or(RequestError::OldSize)?;
        let count = lines.clone().count();
        if count > PROOF_LINES_MAX {
            return Err(RequestError::TooManyLines(count));
        }
        let hash = |(place, line): (usize, &str)| {
            read_hash(line).ok_or(RequestError::ProofLine { line: place + 2 })
        };
        let proof = lines.enumerate().map(hash).collect::<Result<_, _>>()?;
        Ok(Self { old_size, proof, note })
    }

    /// The body to send.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = self.to_string().into_bytes();
        body.extend_from_slice(&self.note);
        body
    }
}

impl fmt::Display for AddCheckpoint {
    /// What stands above the checkpoint.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(out, "{}", BASE64_STANDARD.encode(hash)))?;
        writeln!(out)
    }
}

/// A number in its one spelling.
pub(crate) fn read_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn read_hash(line: &str) -> Option<Hash> {
    // Longer text is not worth decoding.
    if line.len() != HASH_SIZE.div_ceil(3) * 4 {
        return None;
    }
    Hash::try_from(BASE64_STANDARD.decode(line).ok()?.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<AddCheckpoint, RequestError> {
        AddCheckpoint::parse(text.as_bytes())
    }

    #[test]
    fn a_request_reads_back_as_it_was_written() {
        for (old_size, count) in [(0, 0), (u64::MAX, 63), (20_852_014, 4)] {
            let proof = (0..count).map(|byte| Hash([byte; 32])).collect();
            let note = b"log.example\n0\nroot\n\n\xe2\x80\x94 line\n".to_vec();
            let request = AddCheckpoint { old_size, proof, note };
            assert_eq!(AddCheckpoint::parse(&request.to_bytes()), Ok(request));
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let hash = BASE64_STANDARD.encode([1; 32]);
        // The last character holds two bits that mean nothing.
        let loose = format!("{}F=", &hash[..42]);
        for bad in ["", "old 1\n", "old 1\nx", "\n\nold 1\n"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        for first in ["old", "old ", "old 01", "old +1", "old  1", "old 1 ", "Old 1", "old -1"] {
            assert_eq!(parse(&format!("{first}\n\nnote")), Err(RequestError::OldSize), "{first}");
        }
        assert!(parse("old 18446744073709551616\n\n").is_err());
        for line in ["x", &hash[1..], &loose, &format!("{hash} "), &format!("{hash}\r")] {
            let body = format!("old 1\n{hash}\n{line}\n\nnote");
            assert_eq!(parse(&body), Err(RequestError::ProofLine { line: 3 }), "{line}");
        }
        let many = format!("{hash}\n").repeat(64);
        assert_eq!(parse(&format!("old 1\n{many}\n")), Err(RequestError::TooManyLines(64)));
        let long = vec![b'a'; BODY_BYTES_MAX + 1];
        assert_eq!(AddCheckpoint::parse(&long), Err(RequestError::TooLong(long.len())));
    }
}
