//! What a witness's answer means to the log that asked.
//!
//! A witness is another's machine: nothing in its answer counts before it was verified.

use crate::request::read_decimal;
use checkpoint::{Note, NoteSignature, VerifierKey, verify_note};

/// The kind of body that states a size, with 409.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// Lines of an answer that are looked at: a witness may have several keys, and one who does not
/// stop is not heard to the end.
const LINES_MAX: usize = 32;

/// What a witness said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned; the line is by the key that was asked, and holds.
    Cosigned(NoteSignature),
    /// It cosigned a tree of this size last, and wants a proof from there.
    Behind(u64),
}

/// Why there is no cosignature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The witness says that what it is shown does not continue what it cosigned. Of 409 only the
    /// one without a size is meant, which earlier versions of the specification ask for.
    #[error("the witness says that the tree does not continue what it cosigned ({status}: {said})")]
    Inconsistent {
        /// The status of its answer.
        status: u16,
        /// What it said, shortened.
        said: String,
    },
    /// It refused for another reason.
    #[error("the witness refused ({status}: {said}){}", hint(*status))]
    Refused {
        /// The status of its answer.
        status: u16,
        /// What it said, shortened.
        said: String,
    },
    /// It answered 200, and no line of it is by the key that was asked and holds.
    #[error("the witness answered, but no line of it is a cosignature by {0} that holds")]
    NoCosignature(String),
}

/// What to do about a refusal.
fn hint(status: u16) -> &'static str {
    match status {
        403 => "; its operator has another key for this log, perhaps one from before a rotation",
        404 => "; its operator has to add this log's key",
        _ => "",
    }
}

/// Reads the answer to a request for a cosignature on `note` by `key`.
///
/// # Errors
/// [`AnswerError`].
pub fn read_answer(
    status: u16,
    content_type: &str,
    body: &[u8],
    note: &Note,
    key: &VerifierKey,
) -> Result<Answer, AnswerError> {
    let text = String::from_utf8_lossy(body);
    let said = || text.chars().filter(|it| !it.is_control()).take(200).collect::<String>();
    match status {
        200 => {}
        409 if is_size(content_type) => {
            let size = text.strip_suffix('\n').and_then(read_decimal);
            return size
                .map(Answer::Behind)
                .ok_or_else(|| AnswerError::Refused { status, said: said() });
        }
        409 | 422 => return Err(AnswerError::Inconsistent { status, said: said() }),
        _ => return Err(AnswerError::Refused { status, said: said() }),
    }
    let lines = text.lines().take(LINES_MAX).filter_map(|line| NoteSignature::parse(line).ok());
    let mut holding = lines.filter(|line| is_by(line, note, key));
    let line = holding.next().ok_or_else(|| AnswerError::NoCosignature(key.name().to_owned()))?;
    Ok(Answer::Cosigned(line))
}

fn is_size(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|it| it.trim().eq_ignore_ascii_case(SIZE_TYPE))
}

/// Whether a line is a cosignature on the text of `note` by `key`.
fn is_by(line: &NoteSignature, note: &Note, key: &VerifierKey) -> bool {
    if !key.algorithm().is_cosignature() {
        return false;
    }
    let alone = Note::new(note.text()).and_then(|mut alone| {
        alone.add(line.clone())?;
        Ok(alone)
    });
    let made = alone.map(|alone| verify_note(&alone, core::slice::from_ref(key)));
    // A cosignature on a checkpoint states when.
    let states_time = |seconds: Option<u64>| seconds.is_some_and(|seconds| seconds > 0);
    made.is_ok_and(|made| made.is_ok_and(|made| made.iter().all(|it| states_time(it.timestamp_s))))
}
