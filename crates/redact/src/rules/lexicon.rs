//! Many words looked for at once, and only where words begin.
//!
//! An automaton takes a step for every byte; most bytes begin no word. Where one begins is seen in
//! blocks, side by side, and the first two bytes there tell which few words to compare. Not here:
//! which words there are (`context`, `forms`).

/// Buckets of words: five bits of each of the first two bytes, which leave the case out.
const BUCKETS: usize = 1 << 10;

/// Words by their first two bytes, each with what it stands for.
pub(super) struct Lexicon<T> {
    /// Where the words of each bucket begin; the next one's beginning is their end.
    begins: Vec<u16>,
    words: Vec<(&'static str, T)>,
}

impl<T> Lexicon<T> {
    /// Of words of two bytes or more, few enough for 16 bits; those of one bucket keep their order.
    pub(super) fn new(words: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        let mut words: Vec<(&'static str, T)> = words.into_iter().collect();
        words.sort_by_key(|(word, _)| bucket(word.as_bytes()));
        let below = |number: usize| {
            let count = words.partition_point(|(word, _)| {
                bucket(word.as_bytes()).is_some_and(|own| own < number)
            });
            u16::try_from(count).unwrap_or(u16::MAX)
        };
        let begins = (0..=BUCKETS).map(below).collect();
        Self { begins, words }
    }

    /// The words that `text` may begin with: all that do, and some that share two bytes with them.
    #[inline]
    pub(super) fn candidates(&self, text: &[u8]) -> &[(&'static str, T)] {
        let own = bucket(text).and_then(|number| self.begins.get(number..number + 2));
        let Some([from, to]) = own else { return &[] };
        self.words.get(usize::from(*from)..usize::from(*to)).unwrap_or_default()
    }
}

#[inline]
fn bucket(word: &[u8]) -> Option<usize> {
    let [first, second, ..] = word else { return None };
    Some(usize::from(first & 31) << 5 | usize::from(second & 31))
}

/// Bytes looked at in one step.
const BLOCK_BYTES: usize = 16;

/// Where words begin: each place of a letter or digit that follows on neither. With `CAMEL`, each
/// letter that does, capitals behind small letters, and every byte that is not ASCII.
pub(super) struct WordStarts<'t, const CAMEL: bool> {
    bytes: &'t [u8],
    /// Where the block starts whose marks these are, and where the last one ends.
    block: usize,
    next: usize,
    end: usize,
    /// A byte set to one for each start in the block.
    marks: u128,
}

impl<'t, const CAMEL: bool> WordStarts<'t, CAMEL> {
    /// Those from `from` to `end`.
    pub(super) fn new(bytes: &'t [u8], from: usize, end: usize) -> Self {
        Self { bytes, block: from, next: from, end: end.min(bytes.len()), marks: 0 }
    }

    /// The marks of a block, the byte before it being known. Loops without branches, one for each
    /// kind of byte, so that the bytes of a block are looked at side by side.
    #[inline(always)]
    fn marks(block: &[u8; BLOCK_BYTES], before: u8) -> u128 {
        let (mut letters, mut digits) = ([0; BLOCK_BYTES], [0; BLOCK_BYTES]);
        for (mark, byte) in letters.iter_mut().zip(block) {
            *mark = u8::from((byte | 0x20).wrapping_sub(b'a') < 26);
        }
        for (mark, byte) in digits.iter_mut().zip(block) {
            *mark = u8::from(byte.wrapping_sub(b'0') < 10);
        }
        let letters = u128::from_le_bytes(letters);
        let alphanumeric = letters | u128::from_le_bytes(digits);
        let behind = alphanumeric << 8 | u128::from(before.is_ascii_alphanumeric());
        if !CAMEL {
            return alphanumeric & !behind;
        }
        let (mut capitals, mut foreign) = ([0; BLOCK_BYTES], [0; BLOCK_BYTES]);
        for (mark, byte) in capitals.iter_mut().zip(block) {
            *mark = u8::from(byte.wrapping_sub(b'A') < 26);
        }
        for (mark, byte) in foreign.iter_mut().zip(block) {
            *mark = byte >> 7;
        }
        let capitals = u128::from_le_bytes(capitals);
        let small = (letters & !capitals) << 8 | u128::from(before.is_ascii_lowercase());
        (letters & !behind) | (capitals & small) | u128::from_le_bytes(foreign)
    }

    /// The marks of the block at `next`; `None` at the end.
    fn advance(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.next..self.end).filter(|rest| !rest.is_empty())?;
        let before = self.next.checked_sub(1).and_then(|at| self.bytes.get(at)).copied();
        let mut last = [0; BLOCK_BYTES];
        let block = rest.first_chunk().unwrap_or_else(|| {
            last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
            &last
        });
        self.marks = Self::marks(block, before.unwrap_or_default());
        (self.block, self.next) = (self.next, self.next + BLOCK_BYTES);
        Some(())
    }
}

impl<const CAMEL: bool> Iterator for WordStarts<'_, CAMEL> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.marks == 0 {
            self.advance()?;
        }
        let step = self.marks.trailing_zeros() as usize / 8;
        self.marks &= self.marks - 1;
        Some(self.block + step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_where_no_letter_or_digit_stands_before() {
        let text = "a token, phoneNumber né le 12a34 _x-Y 電話 ABc and a tail longer than blocks";
        for from in 0..text.len() {
            for end in from..=text.len() {
                let bytes = text.as_bytes();
                let behind = |at: usize| at.checked_sub(1).map_or(b' ', |before| bytes[before]);
                let plain = |at: &usize| {
                    bytes[*at].is_ascii_alphanumeric() && !behind(*at).is_ascii_alphanumeric()
                };
                let camel = |at: &usize| {
                    let (before, byte) = (behind(*at), bytes[*at]);
                    !byte.is_ascii()
                        || byte.is_ascii_alphabetic() && !before.is_ascii_alphanumeric()
                        || byte.is_ascii_uppercase() && before.is_ascii_lowercase()
                };
                let starts: Vec<usize> = WordStarts::<false>::new(bytes, from, end).collect();
                assert_eq!(starts, (from..end).filter(plain).collect::<Vec<_>>());
                let starts: Vec<usize> = WordStarts::<true>::new(bytes, from, end).collect();
                assert_eq!(starts, (from..end).filter(camel).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn every_word_is_a_candidate_where_it_stands_and_most_are_nowhere_else() {
        let words = ["token", "tel", "né le", "密码", "sk-", "1//0"];
        let lexicon = Lexicon::new(words.into_iter().zip(0..));
        for (number, word) in words.into_iter().enumerate() {
            for text in [word.to_owned(), word.to_uppercase(), format!("{word} and more")] {
                let near = lexicon.candidates(text.as_bytes());
                assert!(near.contains(&(word, number)) || !word.is_ascii(), "{text}");
                assert!(near.len() < 3, "{near:?}");
            }
        }
        assert!(lexicon.candidates(b"t").is_empty() && lexicon.candidates(b"xx").is_empty());
    }
}
