//! One column of one chunk in memory.
//!
//! Texts that repeat are kept once, and two bytes a row say which: 5,000,000 agent names take 10 MB
//! so, and counting them is counting small numbers.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, StringArray, StringViewArray, UInt16Array, new_empty_array,
};
use arrow_schema::DataType;
use hashbrown::HashMap;
use std::sync::Arc;

/// Stands for null among the numbers of words.
pub(crate) const NO_WORD: u16 = u16::MAX;

/// Stands for no place in a list of texts.
const NO_PLACE: usize = usize::MAX;

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

/// Texts while they are given numbers, in the order in which they come.
struct WordList<'t> {
    words: Vec<&'t str>,
    codes: HashMap<&'t str, u16, foldhash::fast::FixedState>,
    most: usize,
}

impl<'t> WordList<'t> {
    /// For so many texts; above a fourth of them hardly any repeats.
    fn of(texts: usize) -> Self {
        let most = texts.div_ceil(4).clamp(16, usize::from(NO_WORD) - 1);
        Self { words: Vec::new(), codes: HashMap::default(), most }
    }

    /// The number of a text; `None` when there are too many.
    fn code(&mut self, text: &'t str) -> Option<u16> {
        if let Some(code) = self.codes.get(text) {
            return Some(*code);
        }
        let code = u16::try_from(self.words.len()).ok().filter(|_| self.words.len() < self.most)?;
        self.words.push(text);
        self.codes.insert(text, code);
        Some(code)
    }

    /// The words of rows with these numbers.
    fn words(self, codes: Vec<u16>) -> Words {
        Words { codes, words: StringViewArray::from_iter_values(self.words) }
    }
}

impl Words {
    /// The words of some texts; `None` when hardly any repeats.
    pub(crate) fn of<'t>(texts: impl ExactSizeIterator<Item = Option<&'t str>>) -> Option<Self> {
        let mut list = WordList::of(texts.len());
        let mut codes = Vec::with_capacity(texts.len());
        let mut last = NO_WORD;
        for text in texts {
            let Some(text) = text else {
                codes.push(NO_WORD);
                continue;
            };
            if list.words.get(usize::from(last)) != Some(&text) {
                last = list.code(text)?;
            }
            codes.push(last);
        }
        Some(list.words(codes))
    }

    /// The words of texts that are stored as numbers of a dictionary already. What no row has is no
    /// word, and one that the dictionary has twice is one; `None` as above.
    fn coded(array: &DictionaryArray<Int32Type>) -> Option<Self> {
        let texts = array.values().as_string_opt::<i32>()?;
        let texts: Vec<Option<&str>> = texts.iter().collect();
        let keys = array.keys();
        let place = |key: &i32| usize::try_from(*key).unwrap_or(NO_PLACE);
        let places = keys.values().iter().map(place);
        match keys.nulls() {
            None => Self::translated(places, &texts),
            Some(nulls) => {
                let places = places.zip(nulls.iter());
                Self::translated(
                    places.map(|(at, is_there)| if is_there { at } else { NO_PLACE }),
                    &texts,
                )
            }
        }
    }

    /// The words of rows of which each has the text at a place of a list, or none at a place that
    /// the list does not have.
    fn translated(
        rows: impl ExactSizeIterator<Item = usize>,
        texts: &[Option<&str>],
    ) -> Option<Self> {
        let mut list = WordList::of(rows.len());
        let mut known = vec![NO_WORD; texts.len()];
        let mut codes = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(code) = known.get_mut(row) else {
                codes.push(NO_WORD);
                continue;
            };
            if *code == NO_WORD
                && let Some(text) = texts.get(row).copied().flatten()
            {
                *code = list.code(text)?;
            }
            codes.push(*code);
        }
        Some(list.words(codes))
    }

    /// The words of rows that have the text that `first` has for them, else what becomes of the
    /// text of `second` in rows that count; `None` as above.
    pub(crate) fn first_of(
        first: &Self,
        second: &Self,
        becomes: impl Fn(&str) -> Option<&str>,
        counts: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        let own = first.words.iter();
        let others = second.words.iter().map(|text| text.and_then(&becomes));
        let texts: Vec<Option<&str>> = own.chain(others).collect();
        let place = |code: &u16, from: usize| (*code != NO_WORD).then(|| from + usize::from(*code));
        let rows = first.codes.iter().zip(&second.codes).enumerate();
        let rows = rows.map(|(row, (own, other))| {
            let other = || place(other, first.words.len()).filter(|_| counts(row));
            place(own, 0).or_else(other).unwrap_or(NO_PLACE)
        });
        Self::translated(rows, &texts)
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

    /// The column that is stored as this; texts may be numbers of a dictionary.
    pub(crate) fn stored(array: ArrayRef) -> Option<Self> {
        if let Some(coded) = array.as_dictionary_opt::<Int32Type>() {
            return match Words::coded(coded) {
                Some(words) => Some(Self::Words(words)),
                None => {
                    let texts = StringViewArray::from(coded.values().as_string_opt::<i32>()?);
                    arrow_select::take::take(&texts, coded.keys(), None).ok().map(Self::Values)
                }
            };
        }
        match array.as_string_opt::<i32>() {
            Some(texts) => Some(Self::texts(texts)),
            None => Some(Self::Values(array)),
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

    fn words(column: &Column) -> Vec<Option<&str>> {
        let Column::Words(words) = column else { panic!("should be words") };
        (0..words.codes.len()).map(|row| words.get(row)).collect()
    }

    /// As a file of somebody else's may have it: one text twice, one of no row, and one that is
    /// null.
    #[test]
    fn texts_of_a_dictionary_are_the_words_that_the_rows_have() {
        let texts = StringArray::from(vec![Some("b"), Some("a"), None, Some("unused"), Some("a")]);
        let keys = arrow_array::Int32Array::from(vec![Some(1), None, Some(4), Some(2), Some(0)]);
        let coded = DictionaryArray::try_new(keys, Arc::new(texts)).unwrap();
        let column = Column::stored(Arc::new(coded)).unwrap();
        assert_eq!(words(&column), [Some("a"), None, Some("a"), None, Some("b")]);
        let Column::Words(Words { words, .. }) = &column else { panic!("should be words") };
        assert_eq!(words.iter().flatten().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn texts_of_a_dictionary_that_hardly_repeat_stay_as_they_are() {
        let texts: Vec<String> = (0..100).map(|n| format!("id-{n}")).collect();
        let coded: DictionaryArray<Int32Type> =
            texts.iter().map(|text| (text != "id-7").then_some(text.as_str())).collect();
        let column = Column::stored(Arc::new(coded)).unwrap();
        assert!(matches!(column, Column::Values(_)));
        assert_eq!((column.text(42), column.text(7)), (Some("id-42"), None));
    }

    #[test]
    fn the_first_text_goes_before_what_becomes_of_the_second() {
        let of = |texts: [Option<&'static str>; 5]| Words::of(texts.into_iter()).unwrap();
        let first = of([Some("x"), None, None, None, Some("y")]);
        let second = of([Some("a:q"), Some("a:x"), Some("plain"), Some("a:z"), None]);
        let made = Words::first_of(
            &first,
            &second,
            |text| text.split_once(':').map(|(_, it)| it),
            |row| row != 3,
        );
        let column = Column::Words(made.unwrap());
        assert_eq!(words(&column), [Some("x"), Some("x"), None, None, Some("y")]);
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
