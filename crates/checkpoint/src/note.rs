//! A signed note: a text and signature lines, C2SP `signed-note` v1.0.0.
//!
//! Only the shape: nothing here is verified. Keys are in `verifier.rs`, the meaning of the text of
//! a checkpoint in `head.rs`.

use core::fmt;

use crate::canonical::{decode_base64, encode_base64, excerpt};
use crate::verifier::is_key_name;

/// The longest note that is read, in bytes: a hundred post-quantum signatures fit.
pub const MAX_NOTE_BYTES: usize = 512 * 1024;

/// The most signature lines that are read; the specification demands at least 16.
pub const MAX_SIGNATURES: usize = 100;

/// The longest signature that is read, in bytes, without its key id; post-quantum ones have some
/// 2,400 to 5,000.
pub const MAX_SIGNATURE_BYTES: usize = 8 * 1024;

/// A parsed note. Displaying it gives its bytes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

/// Why bytes are not a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is too long to be read.
    #[error("a note of {0} bytes is not read; at most {MAX_NOTE_BYTES} are")]
    TooLong(usize),
    /// It is not UTF-8.
    #[error("the note is not UTF-8; it was altered or is not a note")]
    Encoding,
    /// It holds a control character.
    #[error("the note holds control character 0x{0:02x}; only newlines are allowed")]
    Control(u8),
    /// There is no text, then an empty line, then signature lines, each with a newline.
    #[error(
        "the note is not a text, an empty line and signature lines that all end with a newline"
    )]
    Shape,
    /// A line after the text is not a signature line.
    #[error("{0:?} is not a signature line: an em dash, a key name and canonical base64")]
    SignatureLine(String),
    /// There are too many signature lines.
    #[error("the note has {0} signature lines; at most {MAX_SIGNATURES} are read")]
    TooManySignatures(usize),
}

impl Note {
    /// A note without signatures yet.
    ///
    /// # Errors
    /// When the text does not end with a newline, or holds another control character.
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        check_characters(&text)?;
        if text.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong(text.len()));
        }
        if !text.ends_with('\n') {
            return Err(NoteError::Shape);
        }
        Ok(Note { text, signatures: Vec::new() })
    }

    /// Reads a note with at least one signature line.
    ///
    /// # Errors
    /// When it deviates from the specification in any byte, or passes one of the limits.
    pub fn parse(note: impl AsRef<[u8]>) -> Result<Self, NoteError> {
        let bytes = note.as_ref();
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let note = core::str::from_utf8(bytes).map_err(|_| NoteError::Encoding)?;
        check_characters(note)?;
        let (text, lines) = split_note(note).ok_or(NoteError::Shape)?;
        let count = lines.split('\n').count();
        if count > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures(count));
        }
        let refuse = |line| NoteError::SignatureLine(excerpt(line));
        let parse = |line| NoteSignature::parse_line(line).ok_or_else(|| refuse(line));
        let signatures = lines.split('\n').map(parse).collect::<Result<_, _>>()?;
        Ok(Note { text: text.to_owned(), signatures })
    }

    /// The signed text, its last newline included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Appends a signature line.
    ///
    /// # Errors
    /// When the note has [`MAX_SIGNATURES`] already.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures(self.signatures.len() + 1));
        }
        self.signatures.push(signature);
        Ok(())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(out, "{signature}"))
    }
}

impl NoteSignature {
    /// A signature by the key with this name and id.
    ///
    /// # Errors
    /// When the name is not a key name, or the signature is empty or too long.
    pub fn new(
        name: impl Into<String>,
        key_id: [u8; 4],
        signature: Vec<u8>,
    ) -> Result<Self, NoteError> {
        let name = name.into();
        if !is_key_name(&name) || signature.is_empty() || signature.len() > MAX_SIGNATURE_BYTES {
            return Err(NoteError::SignatureLine(excerpt(&name)));
        }
        Ok(NoteSignature { name, key_id, signature })
    }

    /// Reads one signature line, without its newline.
    ///
    /// # Errors
    /// When it is not an em dash, a key name and canonical base64 of a key id and a signature.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        Self::parse_line(line).ok_or_else(|| NoteError::SignatureLine(excerpt(line)))
    }

    fn parse_line(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let longest = (MAX_SIGNATURE_BYTES + 4).div_ceil(3) * 4;
        if !is_key_name(name) || encoded.len() > longest {
            return None;
        }
        let bytes = decode_base64(encoded)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        Self::new(name, *key_id, signature.to_vec()).ok()
    }

    /// The name of the key that claims to have signed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key that claims to have signed.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The signature without the key id.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl fmt::Display for NoteSignature {
    /// The line without its newline.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = encode_base64([self.key_id.as_slice(), &self.signature].concat());
        write!(out, "\u{2014} {} {encoded}", self.name)
    }
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    let control = text.bytes().find(|byte| *byte < 0x20 && *byte != b'\n');
    control.map_or(Ok(()), |byte| Err(NoteError::Control(byte)))
}

/// Splits at the last empty line: the text with its newline, the lines without the last newline.
fn split_note(note: &str) -> Option<(&str, &str)> {
    let at = note.rfind("\n\n")?;
    let (text, rest) = note.split_at_checked(at + 1)?;
    let lines = rest.strip_prefix('\n')?.strip_suffix('\n')?;
    (!lines.is_empty()).then_some((text, lines))
}

#[cfg(test)]
#[path = "note/tests.rs"]
mod tests;
