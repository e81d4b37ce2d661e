//! Zip files: written without compression and without times, so that the same bundle gives the same
//! bytes; read with or without compression, each file and all of them within a limit.
//!
//! One disk, no encryption, sizes below 4 GiB: what a bundle needs of PKWARE's APPNOTE.

use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::collections::BTreeMap;
use std::io::Read as _;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// The length of the end record without a comment, and of the longest comment.
const END_BYTES: usize = 22;
const COMMENT_BYTES_MAX: usize = 65_535;
const CENTRAL_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
/// 2.0: what folders and DEFLATE need.
const VERSION: u16 = 20;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// 1980-01-01, the first day that there is.
const DAY: u16 = 0x21;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Why a zip file is not written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It would be too large.
    #[error("the bundle does not fit into a zip file; ask for less")]
    TooLarge,
    /// It is not one, or cut.
    #[error("the zip file is damaged: {0}")]
    Damaged(&'static str),
    /// A file in it is damaged.
    #[error("{name} in the zip file is damaged: {reason}")]
    File {
        /// Its name.
        name: String,
        /// Why.
        reason: &'static str,
    },
}

/// Whether bytes begin as a zip file does.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&LOCAL.to_le_bytes())
}

/// Writes files in the order of their names.
pub(super) fn write(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, ArchiveError> {
    let number = |length: usize| u32::try_from(length).map_err(|_| ArchiveError::TooLarge);
    let short = |length: usize| u16::try_from(length).map_err(|_| ArchiveError::TooLarge);
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut crc = Crc::new();
        crc.update(bytes);
        let offset = number(out.len())?;
        let mut shared = Vec::new();
        for half in [VERSION, UTF8, STORED, 0, DAY] {
            shared.extend(half.to_le_bytes());
        }
        for whole in [crc.sum(), number(bytes.len())?, number(bytes.len())?] {
            shared.extend(whole.to_le_bytes());
        }
        shared.extend(short(name.len())?.to_le_bytes());
        shared.extend(0_u16.to_le_bytes());
        out.extend(LOCAL.to_le_bytes());
        out.extend(&shared);
        out.extend(name.as_bytes());
        out.extend(bytes);
        central.extend(CENTRAL.to_le_bytes());
        central.extend(VERSION.to_le_bytes());
        central.extend(&shared);
        // No comment, first disk, no attributes.
        central.extend([0; 10]);
        central.extend(offset.to_le_bytes());
        central.extend(name.as_bytes());
    }
    let (start, length) = (number(out.len())?, number(central.len())?);
    out.extend(&central);
    out.extend(END.to_le_bytes());
    out.extend([0; 4]);
    for half in [short(files.len())?; 2] {
        out.extend(half.to_le_bytes());
    }
    out.extend(length.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    Ok(out)
}

/// Reads all files, which together may have `most` bytes.
pub(super) fn read(bytes: &[u8], most: usize) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let damaged = ArchiveError::Damaged;
    let earliest = bytes.len().saturating_sub(END_BYTES + COMMENT_BYTES_MAX);
    let latest = bytes.len().checked_sub(END_BYTES).ok_or(damaged("it is cut"))?;
    let end = (earliest..=latest).rev().find(|at| number_at(bytes, *at) == Some(END));
    let end = end.ok_or(damaged("it has no end"))?;
    let half = |at| short_at(bytes, at).ok_or(damaged("it is cut"));
    let whole = |at| number_at(bytes, at).ok_or(damaged("it is cut"));
    let count = half(end + 10)?;
    let mut at = usize::try_from(whole(end + 16)?).map_err(|_| damaged("it is cut"))?;
    let (mut files, mut left) = (BTreeMap::new(), most);
    for _ in 0..count {
        if whole(at)? != CENTRAL {
            return Err(damaged("its list of files does not read"));
        }
        let lengths = [half(at + 28)?, half(at + 30)?, half(at + 32)?].map(usize::from);
        let [name_bytes, extra_bytes, comment_bytes] = lengths;
        let name = bytes.get(at + CENTRAL_BYTES..at + CENTRAL_BYTES + name_bytes);
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let name = name.ok_or(damaged("a name is not UTF-8"))?.to_owned();
        let of = |reason| ArchiveError::File { name: name.clone(), reason };
        let listed = Listed {
            method: half(at + 10)?,
            crc: whole(at + 16)?,
            packed: usize::try_from(whole(at + 20)?).map_err(|_| of("its size"))?,
            offset: usize::try_from(whole(at + 42)?).map_err(|_| of("its place"))?,
        };
        let content = listed.content(bytes, left).map_err(of)?;
        left -= content.len();
        if files.insert(name.clone(), content).is_some() {
            return Err(ArchiveError::File { name, reason: "it is there twice" });
        }
        at += CENTRAL_BYTES + name_bytes + extra_bytes + comment_bytes;
    }
    Ok(files)
}

/// A file as the list has it.
struct Listed {
    method: u16,
    crc: u32,
    packed: usize,
    offset: usize,
}

impl Listed {
    /// Its bytes, at most `most`.
    fn content(&self, bytes: &[u8], most: usize) -> Result<Vec<u8>, &'static str> {
        let cut = "it is cut";
        let local = bytes.get(self.offset..).ok_or(cut)?;
        if number_at(local, 0) != Some(LOCAL) {
            return Err("it is not where the list says");
        }
        let lengths = [26, 28].map(|at| short_at(local, at).map(usize::from));
        let [Some(name), Some(extra)] = lengths else { return Err(cut) };
        let begin = LOCAL_BYTES + name + extra;
        let end = begin.checked_add(self.packed).ok_or(cut)?;
        let packed = local.get(begin..end).ok_or(cut)?;
        let mut content = Vec::new();
        match self.method {
            STORED if packed.len() > most => return Err("it is too large"),
            STORED => content.extend_from_slice(packed),
            DEFLATED => {
                let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
                let read = DeflateDecoder::new(packed).take(limit).read_to_end(&mut content);
                read.map_err(|_| "it does not inflate")?;
                if content.len() > most {
                    return Err("it is too large");
                }
            }
            _ => return Err("it is packed in a way that is not known here"),
        }
        let mut crc = Crc::new();
        crc.update(&content);
        if crc.sum() == self.crc { Ok(content) } else { Err("its checksum differs") }
    }
}

fn short_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<String, Vec<u8>> {
        let files = [("a.txt", "first"), ("empty", ""), ("proofs/7", "seventh é")];
        files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into()
    }

    #[test]
    fn what_is_written_reads_back_and_is_written_the_same_again() {
        let bytes = write(&files()).unwrap();
        assert!(is_one(&bytes));
        assert_eq!(read(&bytes, 1000), Ok(files()));
        assert_eq!(write(&files()).unwrap(), bytes);
    }

    #[test]
    fn no_byte_and_no_cut_makes_it_panic_or_change_a_file_unseen() {
        let bytes = write(&files()).unwrap();
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            if let Ok(read) = read(&altered, 1000) {
                // A name, or what nobody reads, such as the time; never the bytes of a file.
                for (name, content) in read {
                    assert!(files().get(&name).is_none_or(|it| *it == content), "byte {place}");
                }
            }
            let _ = read(&bytes[..place], 1000);
        }
    }

    #[test]
    fn too_much_is_not_read() {
        let bytes = write(&files()).unwrap();
        assert!(matches!(read(&bytes, 10), Err(ArchiveError::File { .. })));
    }
}
