//! Where the next page of an answer begins.
//!
//! Whoever hands a cursor back may have made it up: it is checked like any other input, and the
//! worst that a sound one does is begin somewhere else in the same answer.

use crate::filter::Filter;
use siphasher::sip::SipHasher13;
use std::fmt;
use std::hash::Hasher as _;
use std::str::FromStr;

/// A place between two pages. Its text is to be handed back as it is; nothing in it is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The size of the checkpoint that the pages are of.
    size: u64,
    /// The index of the first record of the next page.
    index: u64,
    /// What was asked for, without the limit and the time window, which may be relative to now.
    question: u64,
}

/// Why a cursor leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// The text is not one that was handed out.
    #[error("this is not a cursor; hand back the text of `next` as it was, or ask without one")]
    NotACursor,
    /// It is of another question.
    #[error(
        "this cursor belongs to another question; ask with the same filters and order, or without \
         a cursor"
    )]
    OtherQuestion,
    /// It is of another checkpoint.
    #[error("this cursor is of {of} records, and {there} are there; ask without a cursor")]
    OtherSize {
        /// The size that it names.
        of: u64,
        /// The size of what is asked.
        there: u64,
    },
}

const VERSION: u8 = 1;
const BYTES: usize = 1 + 3 * 8;

impl Cursor {
    /// The page, of the answer to `filter` over `size` records, that begins with the record at
    /// `index`.
    #[must_use]
    pub fn new(size: u64, filter: &Filter, index: u64) -> Self {
        Self { size, index, question: question(filter) }
    }

    /// How many records the checkpoint covered that its pages are of.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The index that the page begins with, of the answer to `filter` over `there` records.
    ///
    /// # Errors
    /// [`CursorError`] when the cursor is of another answer.
    pub fn check(&self, there: u64, filter: &Filter) -> Result<u64, CursorError> {
        if self.size != there {
            return Err(CursorError::OtherSize { of: self.size, there });
        }
        match self.question == question(filter) {
            true => Ok(self.index),
            false => Err(CursorError::OtherQuestion),
        }
    }
}

fn question(filter: &Filter) -> u64 {
    // What the asker may see is not part of the question: it holds for every page anew.
    let without_access_records = false;
    let asked =
        Filter { limit: None, from: None, to: None, without_access_records, ..filter.clone() };
    let mut hasher = SipHasher13::new();
    hasher.write(format!("{asked:?}").as_bytes());
    hasher.finish()
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        for number in [self.size, self.index, self.question] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        f.write_str(&hex::encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut bytes = [0; BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| CursorError::NotACursor)?;
        let [VERSION, numbers @ ..] = bytes else { return Err(CursorError::NotACursor) };
        let number = |at: usize| {
            let bytes = numbers.get(at..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
        };
        let cursor = Self { size: number(0), index: number(8), question: number(16) };
        // One spelling.
        match cursor.index < cursor.size && cursor.to_string() == text {
            true => Ok(cursor),
            false => Err(CursorError::NotACursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back_and_nothing_else_is_one(
            size in 1_u64..,
            index: u64,
            question: u64,
            place in 0_usize..50,
            other: char,
        ) {
            let cursor = Cursor { size, index: index % size, question };
            let text = cursor.to_string();
            prop_assert_eq!(text.parse(), Ok(cursor));
            let mut changed: Vec<char> = text.chars().collect();
            changed[place] = other;
            let changed: String = changed.into_iter().collect();
            if let Ok(read) = changed.parse::<Cursor>() {
                prop_assert_eq!(read.to_string(), changed);
            }
        }

        #[test]
        fn arbitrary_texts_never_panic(text: String) {
            prop_assert!(text.parse::<Cursor>().is_err());
        }
    }
}
