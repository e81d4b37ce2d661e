//! How an anchor is called: a checkpoint and the answers of authorities about it, as two files of
//! one size beside the log.
//!
//! `anchors/00000000000000001234.checkpoint` is what was stamped, byte for byte, and
//! `anchors/00000000000000001234.example.tsr` an authority's answer, so that `openssl ts -verify
//! -data FILE -in FILE` takes them as they are.

use std::fmt;
use std::str::FromStr;

/// The folder of a log's anchors.
pub const ANCHOR_FOLDER: &str = "anchors";

/// Digits of a size in a name, so that names sort as sizes do.
const DIGITS: usize = 20;
const CHECKPOINT: &str = "checkpoint";
const STAMP: &str = "tsr";
const LABEL_MAX: usize = 32;

/// What an authority is called here: small letters, digits and dashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(String);

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = !text.is_empty() && text.len() <= LABEL_MAX && text.bytes().all(is_fine);
        match fits && text != CHECKPOINT {
            true => Ok(Self(text.to_owned())),
            false => Err(format!(
                "{text:?} is no name for an authority: small letters, digits and dashes, at most {LABEL_MAX}"
            )),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of one file of an anchor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnchorName {
    /// The checkpoint of so many entries that was stamped.
    Checkpoint(u64),
    /// What an authority answered.
    Stamp(u64, Label),
}

impl AnchorName {
    /// The entries under the checkpoint.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Checkpoint(size) | Self::Stamp(size, _) => *size,
        }
    }

    /// The path in the log's folder.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{ANCHOR_FOLDER}/{self}")
    }

    /// The one that has this path in a log's folder.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        path.strip_prefix(ANCHOR_FOLDER)?.strip_prefix('/')?.parse().ok()
    }
}

impl fmt::Display for AnchorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(size) => write!(f, "{size:0DIGITS$}.{CHECKPOINT}"),
            Self::Stamp(size, label) => write!(f, "{size:0DIGITS$}.{label}.{STAMP}"),
        }
    }
}

impl FromStr for AnchorName {
    type Err = ();

    /// Of a name without its folder.
    fn from_str(name: &str) -> Result<Self, ()> {
        let (digits, rest) = name.split_once('.').ok_or(())?;
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        let size = digits.parse().map_err(drop)?;
        match rest.split_once('.') {
            None if rest == CHECKPOINT => Ok(Self::Checkpoint(size)),
            Some((label, STAMP)) => Ok(Self::Stamp(size, label.parse().map_err(drop)?)),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_sorts_by_size() {
        let label: Label = "free-tsa".parse().unwrap();
        for name in [
            AnchorName::Checkpoint(0),
            AnchorName::Checkpoint(u64::MAX),
            AnchorName::Stamp(17, label.clone()),
        ] {
            assert_eq!(name.to_string().parse(), Ok(name.clone()), "{name}");
        }
        let stamp = AnchorName::Stamp(1_234, label);
        assert_eq!(stamp.path(), "anchors/00000000000000001234.free-tsa.tsr");
        assert_eq!(AnchorName::at(&stamp.path()), Some(stamp.clone()));
        for elsewhere in [stamp.to_string(), format!("x/{stamp}"), format!("anchors/x/{stamp}")] {
            assert_eq!(AnchorName::at(&elsewhere), None, "{elsewhere}");
        }
        assert!(AnchorName::Checkpoint(9).to_string() < AnchorName::Checkpoint(10).to_string());
    }

    #[test]
    fn other_names_are_none() {
        for bad in [
            "",
            "1.checkpoint",
            "00000000000000000001",
            "00000000000000000001.x",
            "00000000000000000001.A.tsr",
            "00000000000000000001..tsr",
            "checkpoint",
            "00000000000000000001.a.tsr.tmp",
            "0000000000000000000x.checkpoint",
            "99999999999999999999.checkpoint",
            "00000000000000000001.checkpoint.tsr",
            "00000000000000000001.a/b.tsr",
            "+0000000000000000001.checkpoint",
        ] {
            assert!(bad.parse::<AnchorName>().is_err(), "{bad}");
        }
    }
}
