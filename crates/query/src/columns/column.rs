//! One column of one chunk in memory.
//!
//! Texts that repeat are kept once, and two bytes a row say which: 5,000,000 agent names take 10 MB
//! so, and counting them is counting small numbers.

use arrow_array::{Array, ArrayRef, StringArray, StringViewArray, UInt16Array, new_empty_array};
use arrow_schema::DataType;
use hashbrown::HashTable;
use std::hash::BuildHasher as _;
use std::sync::Arc;

/// Stands for null among the numbers of words.
pub(crate) const NO_WORD: u16 = u16::MAX;

/// Texts of which there are few.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// For each row the position of its text, or [`NO_WORD`].
    pub(crate) codes: Vec<u16>,
    /// Each text once, in the order of its first row.
    pub(crate) words: StringViewArray,
}

/// The values of a column in a chunk.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// Texts of which there are few.
    Words(Words),
    /// Anything else.
    Values(ArrayRef),
}

impl Words {
    /// The words of some texts; `None` when hardly any repeats.
    pub(crate) fn of<'t>(texts: impl ExactSizeIterator<Item = Option<&'t str>>) -> Option<Self> {
        let most = texts.len().div_ceil(4).clamp(16, usize::from(NO_WORD) - 1);
        let state = foldhash::fast::FixedState::default();
        let mut codes = Vec::with_capacity(texts.len());
        let (mut words, mut table) = (Vec::<&str>::new(), HashTable::<u16>::new());
        let mut last = NO_WORD;
        for text in texts {
            let Some(text) = text else {
                codes.push(NO_WORD);
                continue;
            };
            if words.get(usize::from(last)) != Some(&text) {
                let is_it = |code: &u16| words.get(usize::from(*code)) == Some(&text);
                let hash = state.hash_one(text);
                last = if let Some(code) = table.find(hash, is_it) {
                    *code
                } else {
                    let code = u16::try_from(words.len()).ok().filter(|_| words.len() < most)?;
                    words.push(text);
                    let rehash = |code: &u16| {
                        state.hash_one(words.get(usize::from(*code)).copied().unwrap_or_default())
                    };
                    table.insert_unique(hash, code, rehash);
                    code
                };
            }
            codes.push(last);
        }
        Some(Self { codes, words: StringViewArray::from_iter_values(words) })
    }

    /// The text of a row.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        self.codes.get(row).and_then(|code| self.word(*code))
    }

    /// The text with a number.
    pub(crate) fn word(&self, code: u16) -> Option<&str> {
        let at = usize::from(code);
        (at < self.words.len()).then(|| self.words.value(at))
    }
}

impl Column {
    /// The column that these texts make.
    pub(crate) fn texts(array: &StringArray) -> Self {
        match Words::of(array.iter()) {
            Some(words) => Self::Words(words),
            None => Self::Values(Arc::new(StringViewArray::from(array))),
        }
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Words(Words { codes, words }) => {
                codes.capacity() * 2 + words.get_array_memory_size()
            }
            Self::Values(array) => array.get_array_memory_size(),
        }
    }

    /// Its first `rows` values as an array of the table's type for it.
    pub(crate) fn array(&self, rows: usize, data_type: &DataType) -> ArrayRef {
        match self {
            Self::Values(array) => array.slice(0, rows.min(array.len())),
            Self::Words(words) => words.array(rows).unwrap_or_else(|| new_empty_array(data_type)),
        }
    }

    /// The text of a row, where it is a column of texts.
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Words(words) => words.get(row),
            Self::Values(array) => {
                let texts = array.as_any().downcast_ref::<StringViewArray>()?;
                (row < texts.len() && texts.is_valid(row)).then(|| texts.value(row))
            }
        }
    }
}

impl Words {
    fn array(&self, rows: usize) -> Option<ArrayRef> {
        let codes = self.codes.get(..rows.min(self.codes.len()))?;
        let keys = UInt16Array::from_iter(codes.iter().map(|c| (*c != NO_WORD).then_some(*c)));
        arrow_select::take::take(&self.words, &keys, None).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_repeat_become_words_and_come_back() {
        let texts: Vec<Option<String>> = (0..100)
            .map(|n| (n % 7 != 0).then(|| format!("agent-with-a-long-name-{}", n % 5)))
            .collect();
        let array = StringArray::from(texts.clone());
        let column = Column::texts(&array);
        let Column::Words(words) = &column else { panic!("should be words") };
        assert_eq!(words.words.len(), 5);
        let back = column.array(90, &DataType::Utf8View);
        let back = back.as_any().downcast_ref::<StringViewArray>().unwrap();
        let back: Vec<Option<String>> = back.iter().map(|t| t.map(str::to_owned)).collect();
        assert_eq!(back, texts[..90]);
        assert_eq!(column.text(1), texts[1].as_deref());
        assert_eq!(column.text(0), None);
    }

    #[test]
    fn texts_that_hardly_repeat_stay_as_they_are() {
        let array = StringArray::from_iter_values((0..100).map(|n| format!("id-{n}")));
        let column = Column::texts(&array);
        assert!(matches!(column, Column::Values(_)));
        assert_eq!(column.text(42), Some("id-42"));
        assert_eq!(column.text(100), None);
    }
}
