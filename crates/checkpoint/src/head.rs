//! The text of a checkpoint: origin, size and root, C2SP `tlog-checkpoint` v1.0.0.
//!
//! Not signed here: `open.rs` signs and opens whole checkpoints.

use core::fmt;

use merkle::Hash;

use crate::canonical::{decode_decimal, decode_hash, encode_base64, excerpt};

/// The longest origin, in bytes: the ML-DSA-44 statement carries it behind one length byte.
pub const MAX_ORIGIN_BYTES: usize = 255;

/// A tree head: this log had this many entries with this root.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// The log's identity, for example `log.example/main`; equal to the name of its key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root hash of the tree over them.
    pub root: Hash,
}

/// A checkpoint with what may stand below its three lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointText {
    /// The three lines.
    pub checkpoint: Checkpoint,
    /// Extension lines, without newlines. Logs of this project write none.
    pub extensions: Vec<String>,
}

/// Why a text is not a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// There are fewer than three lines, an empty one, or the last newline is missing.
    #[error("a checkpoint has the lines origin, size and root, none empty, each with a newline")]
    Shape,
    /// The origin is empty, too long or holds a control character.
    #[error("{0:?} is not an origin; use 1 to {MAX_ORIGIN_BYTES} bytes without control characters")]
    Origin(String),
    /// The size is not a decimal number in its one spelling.
    #[error("{0:?} is not a tree size; expected a decimal number without leading zeros")]
    Size(String),
    /// The root is not 32 bytes in canonical base64.
    #[error("{0:?} is not a root hash; expected 32 bytes in canonical base64")]
    Root(String),
}

impl Checkpoint {
    /// A tree head.
    ///
    /// # Errors
    /// When the origin is empty, too long or holds a control character.
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        let origin = origin.into();
        check_origin(&origin)?;
        Ok(Checkpoint { origin, size, root })
    }

    /// Reads the text of a checkpoint that has no extension lines.
    ///
    /// # Errors
    /// When it deviates from the specification in any byte, or has extension lines.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let parsed = CheckpointText::parse(text)?;
        if parsed.extensions.is_empty() {
            Ok(parsed.checkpoint)
        } else {
            Err(CheckpointError::Shape)
        }
    }
}

impl fmt::Display for Checkpoint {
    /// The three lines, each with its newline.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n{}\n{}\n", self.origin, self.size, encode_base64(self.root))
    }
}

impl CheckpointText {
    /// Reads the text of a checkpoint.
    ///
    /// # Errors
    /// When it deviates from the specification in any byte.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Shape)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Shape);
        };
        check_origin(origin)?;
        let size = decode_decimal(size).ok_or_else(|| CheckpointError::Size(excerpt(size)))?;
        let root = decode_hash(root).ok_or_else(|| CheckpointError::Root(excerpt(root)))?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Shape);
        }
        Ok(CheckpointText {
            checkpoint: Checkpoint { origin: origin.into(), size, root },
            extensions,
        })
    }
}

impl fmt::Display for CheckpointText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.checkpoint)?;
        self.extensions.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

pub(crate) fn check_origin(origin: &str) -> Result<(), CheckpointError> {
    let fits = (1..=MAX_ORIGIN_BYTES).contains(&origin.len());
    if !fits || origin.chars().any(char::is_control) {
        return Err(CheckpointError::Origin(excerpt(origin)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn the_text_is_origin_size_root() {
        let head = Checkpoint::new("log.example/main", 0, Hash::EMPTY_ROOT).unwrap();
        assert_eq!(head.to_string(), format!("log.example/main\n0\n{ROOT}\n"));
        assert_eq!(Checkpoint::parse(&head.to_string()), Ok(head));
    }

    #[test]
    fn extension_lines_are_shown_and_not_taken_for_ours() {
        let text = format!("o\n7\n{ROOT}\none\ntwo two\n");
        let parsed = CheckpointText::parse(&text).unwrap();
        assert_eq!(parsed.extensions, ["one", "two two"]);
        assert_eq!(parsed.to_string(), text);
        assert_eq!(Checkpoint::parse(&text), Err(CheckpointError::Shape));
    }

    #[test]
    fn every_deviation_is_refused() {
        for text in [
            String::new(),
            "\n".into(),
            format!("o\n1\n{ROOT}"),
            format!("\n1\n{ROOT}\n"),
            format!("o\n\n{ROOT}\n"),
            "o\n1\n".into(),
            "o\n1\n\n".into(),
            format!("o\n01\n{ROOT}\n"),
            format!("o\n+1\n{ROOT}\n"),
            format!("o\n1 \n{ROOT}\n"),
            format!("o\n18446744073709551616\n{ROOT}\n"),
            format!("o\n1\n{}\n", ROOT.replace('=', "")),
            format!("o\n1\n{}\n", ROOT.replace("FU=", "FV=")),
            format!("o\n1\n {ROOT}\n"),
            format!("o\n1\n{ROOT}\n\n"),
            format!("o\n1\n{ROOT}\none\n\ntwo\n"),
            format!("o\r\n1\r\n{ROOT}\r\n"),
            format!("o\t\n1\n{ROOT}\n"),
            format!("{}\n1\n{ROOT}\n", "o".repeat(256)),
            "o\n1\nAAAA\n".into(),
        ] {
            assert!(CheckpointText::parse(&text).is_err(), "{text:?}");
        }
        assert!(Checkpoint::new("", 0, Hash::EMPTY_ROOT).is_err());
        assert!(Checkpoint::new("a\nb", 0, Hash::EMPTY_ROOT).is_err());
    }

    proptest! {
        #[test]
        fn every_checkpoint_survives_its_text(
            origin in "[a-z./ é]{1,40}", size: u64, root: [u8; 32],
        ) {
            let head = Checkpoint::new(origin, size, Hash(root)).unwrap();
            prop_assert_eq!(Checkpoint::parse(&head.to_string()), Ok(head));
        }

        #[test]
        fn whatever_is_read_is_written_back_the_same(
            text in "[a-z]{0,3}\n[0-9]{0,3}\n(A{43}=|A{42}[A-Z]=)\n([a-z]{0,2}\n)?",
        ) {
            if let Ok(parsed) = CheckpointText::parse(&text) {
                prop_assert_eq!(parsed.to_string(), text);
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text: String) {
            let _ = CheckpointText::parse(&text);
        }
    }
}
