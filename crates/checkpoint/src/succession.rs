//! One key of a log takes over from another: a statement that both keys sign.
//!
//! The statement is a signed note whose text no checkpoint can have, so that no signature of one
//! counts for the other. It names the record of the log that carries it, so it can be shown at one
//! place only. Which successions follow from each other is `epochs.rs`.
//!
//! ```text
//! tachograph.local/key-succession/v1
//! log log.example/main
//! epoch 1                                            the first key of a log is of epoch 0
//! record 41                                          the index of the record that carries this
//! old log.example/main+530d903a+AekyeRrm56h...       one line for each key
//! new log.example/main+9a1c02f7+AQ2kLmP0s1q...
//!
//! — log.example/main Uw2QOkn8srV1yJGh...              one line for each key, in the same order
//! — log.example/main mhwC9+1yJZ1wU3kN...
//! ```

use core::fmt;

use crate::canonical::{decode_decimal, excerpt};
use crate::note::{Note, NoteError};
use crate::signer::{SignError, SigningKey};
use crate::verifier::{KeyError, VerifierKey};

/// The first line: what is signed, and in which version. It keeps these signatures apart from those
/// over checkpoints, whose second line is a number.
const HEADER: &str = "tachograph.local/key-succession/v1";

/// The longest statement that is read, in bytes; with two post-quantum keys it has some 14,000.
pub const SUCCESSION_BYTES_MAX: usize = 64 * 1024;

/// The most keys on each side of a succession: one for each algorithm, and room for more.
const KEYS_MAX: usize = 4;

/// A statement that keys of a log take over from others, whose signatures hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    origin: String,
    epoch: u64,
    record: u64,
    old: Vec<VerifierKey>,
    new: Vec<VerifierKey>,
    note: String,
}

/// Why a text is no such statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuccessionError {
    /// It is too long to be read.
    #[error("a key succession of {0} bytes is not read; at most {SUCCESSION_BYTES_MAX} are")]
    TooLong(usize),
    /// It is not a signed note.
    #[error("the key succession is not a signed note: {0}")]
    Note(#[from] NoteError),
    /// A line is missing, wrong, or not written as it should be.
    #[error("the key succession is not written as one: {0:?} is not its {1} line")]
    Line(String, &'static str),
    /// A key in it is none.
    #[error("a key in the key succession is not one: {0}")]
    Key(#[from] KeyError),
    /// A key in it bears another name than the log.
    #[error("the key succession of {origin:?} names a key of {name:?}; it was mixed up or forged")]
    Name {
        /// The log.
        origin: String,
        /// The name of the key.
        name: String,
    },
    /// The new keys are of other algorithms than the old ones.
    #[error(
        "the key succession puts keys of other algorithms in place of the old ones, which would \
         weaken every later checkpoint"
    )]
    Algorithms,
    /// The lines are not by exactly the keys that it names, in their order.
    #[error(
        "the key succession is not signed once by each old key and each new key, in that order"
    )]
    Signers,
    /// The signature of an old key does not hold.
    #[error("the old key {} did not sign the key succession: nobody certifies the new one", hex::encode(.0))]
    Old([u8; 4]),
    /// The signature of a new key does not hold.
    #[error("the new key {} did not sign the key succession: whoever made it may not have that key", hex::encode(.0))]
    New([u8; 4]),
}

impl Succession {
    /// Makes the statement: from behind `record` on, epoch `epoch` of the log `origin` is that of
    /// the keys `new`, which take over from `old`.
    ///
    /// # Errors
    /// When a key cannot sign, or the keys do not fit each other.
    pub fn sign(
        origin: &str,
        epoch: u64,
        record: u64,
        old: &[&SigningKey],
        new: &[&SigningKey],
    ) -> Result<Self, SignError> {
        let public = |keys: &[&SigningKey]| -> Vec<VerifierKey> {
            keys.iter().map(|key| key.verifier_key().clone()).collect()
        };
        let (old_keys, new_keys) = (public(old), public(new));
        let text = text(origin, epoch, record, &old_keys, &new_keys);
        let mut note = Note::new(&*text)?;
        for key in old.iter().chain(new) {
            note.add(key.sign_statement(&text, HEADER)?)?;
        }
        let note = note.to_string();
        let (origin, old, new) = (origin.to_owned(), old_keys, new_keys);
        Ok(Self { origin, epoch, record, old, new, note })
    }

    /// Reads a statement and checks every signature on it.
    ///
    /// # Errors
    /// [`SuccessionError`], with the first thing that does not hold.
    pub fn parse(note: &str) -> Result<Self, SuccessionError> {
        if note.len() > SUCCESSION_BYTES_MAX {
            return Err(SuccessionError::TooLong(note.len()));
        }
        let parsed = Note::parse(note)?;
        let rest = parsed.text().strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n'));
        let rest = rest.ok_or_else(|| SuccessionError::Line(excerpt(parsed.text()), "first"))?;
        let mut lines = rest.lines().peekable();
        let mut member = |wanted: &'static str| {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix(wanted).and_then(|rest| rest.strip_prefix(' '));
            value.ok_or_else(|| SuccessionError::Line(excerpt(line), wanted))
        };
        let number = |text: &str, wanted| {
            decode_decimal(text).ok_or_else(|| SuccessionError::Line(excerpt(text), wanted))
        };
        let origin = member("log")?.to_owned();
        let epoch = number(member("epoch")?, "epoch")?;
        let record = number(member("record")?, "record")?;
        let mut keys = |wanted: &str| -> Result<Vec<VerifierKey>, SuccessionError> {
            let mut keys = Vec::new();
            let prefix = format!("{wanted} ");
            while let Some(key) = lines.peek().and_then(|line| line.strip_prefix(&*prefix)) {
                keys.push(key.parse()?);
                lines.next();
                if keys.len() > KEYS_MAX {
                    break;
                }
            }
            Ok(keys)
        };
        let (old, new) = (keys("old")?, keys("new")?);
        let succession = Self { origin, epoch, record, old, new, note: note.to_owned() };
        succession.check(&parsed)?;
        Ok(succession)
    }

    /// Checks that keys, spelling and signatures fit each other.
    fn check(&self, note: &Note) -> Result<(), SuccessionError> {
        let Self { origin, epoch, record, old, new, .. } = self;
        // One spelling of each statement, or nothing could be said about its bytes.
        if text(origin, *epoch, *record, old, new) != note.text() || old.is_empty() {
            return Err(SuccessionError::Line(excerpt(note.text()), "next"));
        }
        if let Some(key) = old.iter().chain(new).find(|key| key.name() != origin) {
            let (origin, name) = (origin.clone(), key.name().to_owned());
            return Err(SuccessionError::Name { origin, name });
        }
        let algorithms =
            |keys: &[VerifierKey]| -> Vec<_> { keys.iter().map(VerifierKey::algorithm).collect() };
        if algorithms(old) != algorithms(new) {
            return Err(SuccessionError::Algorithms);
        }
        let signers = || old.iter().chain(new);
        let lines = note.signatures();
        let claims = lines.iter().map(|line| (line.name(), line.key_id()));
        if !claims.eq(signers().map(|key| (key.name(), key.key_id()))) {
            return Err(SuccessionError::Signers);
        }
        for (place, (key, line)) in signers().zip(lines).enumerate() {
            // Fuzzing goes past the signatures, or it would test nothing behind them.
            let holds = key.verify_statement(note.text(), HEADER, line.signature());
            if !holds && !cfg!(fuzzing) {
                let wrong =
                    if place < old.len() { SuccessionError::Old } else { SuccessionError::New };
                return Err(wrong(key.key_id()));
            }
        }
        Ok(())
    }

    /// The log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The serial number of the epoch that begins: 1 for that of the first successor.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The index of the record that carries the statement. A checkpoint of more entries than that
    /// counts when the new keys signed it.
    #[must_use]
    pub fn record(&self) -> u64 {
        self.record
    }

    /// The keys whose time ends.
    #[must_use]
    pub fn old(&self) -> &[VerifierKey] {
        &self.old
    }

    /// The keys whose time begins.
    #[must_use]
    pub fn new_keys(&self) -> &[VerifierKey] {
        &self.new
    }
}

impl fmt::Display for Succession {
    /// The signed note.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.note)
    }
}

fn text(origin: &str, epoch: u64, record: u64, old: &[VerifierKey], new: &[VerifierKey]) -> String {
    let mut text = format!("{HEADER}\nlog {origin}\nepoch {epoch}\nrecord {record}\n");
    let old = old.iter().map(|key| ("old", key));
    for (side, key) in old.chain(new.iter().map(|key| ("new", key))) {
        text.push_str(&format!("{side} {key}\n"));
    }
    text
}

#[cfg(test)]
#[path = "succession/tests.rs"]
mod tests;
