//! Many words looked for at once, and only where words begin.
//!
//! An automaton takes a step for every byte; most bytes begin no word. Where one begins is told by
//! `kinds`, and the first two bytes there tell which few words to compare. Not here: which words
//! there are (`context`, `forms`).

/// Buckets of words: five bits of each of the first two bytes, which leave the case out.
const BUCKETS: usize = 1 << 10;

/// The same for the first three: a bit for each, set when some word may begin so.
const TRIPLES: usize = 1 << 15;

/// Words by their first two bytes, each with what it stands for.
pub(super) struct Lexicon<T> {
    /// Most places are turned down by three bytes.
    triples: Vec<u64>,
    /// Where the words of each bucket begin; the next one's beginning is their end.
    begins: Vec<u16>,
    /// How each word begins, in their order.
    heads: Vec<Head>,
    words: Vec<(&'static str, T)>,
}

/// The first four bytes of a word, or all, as a number without their case.
#[derive(Clone, Copy)]
struct Head {
    bits: u32,
    /// Which bits there are.
    mask: u32,
}

const CASE: u32 = 0x2020_2020;

impl Head {
    fn of(word: &str) -> Self {
        let mask = u32::MAX >> (8 * 4_usize.saturating_sub(word.len()));
        Self { bits: first_four(word.as_bytes()) & mask, mask }
    }
}

/// The first four bytes, zeros where there are none, each with the bit set that tells cases apart.
#[inline]
fn first_four(bytes: &[u8]) -> u32 {
    let four = bytes.first_chunk().copied().unwrap_or_else(|| {
        let mut four = [0; 4];
        four.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        four
    });
    u32::from_le_bytes(four) | CASE
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
        let mut triples = vec![0; TRIPLES / 64];
        for number in words.iter().flat_map(|(word, _)| begun_by(word.as_bytes())) {
            if let Some(bits) = triples.get_mut(number / 64) {
                *bits |= 1 << (number % 64);
            }
        }
        let begins = (0..=BUCKETS).map(below).collect();
        let heads = words.iter().map(|(word, _)| Head::of(word)).collect();
        Self { triples, begins, heads, words }
    }

    /// The words that `text` may begin with: all that do, and some that share four bytes with them.
    #[inline]
    pub(super) fn candidates(&self, text: &[u8]) -> impl Iterator<Item = &(&'static str, T)> {
        let own = self.own_bucket(text).and_then(|number| self.begins.get(number..number + 2));
        let (from, to) = match own {
            Some([from, to]) => (usize::from(*from), usize::from(*to)),
            _ => (0, 0),
        };
        let (heads, words) = (self.heads.get(from..to), self.words.get(from..to));
        let near = heads.unwrap_or_default().iter().zip(words.unwrap_or_default());
        let four = if from < to { first_four(text) } else { 0 };
        near.filter(move |(head, _)| four & head.mask == head.bits).map(|(_, word)| word)
    }

    /// The bucket of a text, if some word may begin as it does.
    #[inline]
    fn own_bucket(&self, text: &[u8]) -> Option<usize> {
        let bucket = bucket(text)?;
        let number = bucket << 5 | usize::from(text.get(2).copied().unwrap_or_default() & 31);
        let bits = self.triples.get(number / 64)?;
        (bits >> (number % 64) & 1 == 1).then_some(bucket)
    }
}

/// The triples of a word; one of two letters has all that begin with them.
fn begun_by(word: &[u8]) -> std::ops::Range<usize> {
    let bucket = bucket(word).unwrap_or_default() << 5;
    match word.get(2) {
        Some(third) => {
            let number = bucket | usize::from(third & 31);
            number..number + 1
        }
        None => bucket..bucket + 32,
    }
}

#[inline]
fn bucket(word: &[u8]) -> Option<usize> {
    let [first, second, ..] = word else { return None };
    Some(usize::from(first & 31) << 5 | usize::from(second & 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_a_candidate_where_it_stands_and_most_are_nowhere_else() {
        let words = ["token", "tel", "né le", "密码", "sk-", "1//0"];
        let lexicon = Lexicon::new(words.into_iter().zip(0..));
        for (number, word) in words.into_iter().enumerate() {
            for text in [word.to_owned(), word.to_uppercase(), format!("{word} and more")] {
                let near: Vec<_> = lexicon.candidates(text.as_bytes()).collect();
                assert!(near.contains(&&(word, number)) || !word.is_ascii(), "{text}");
                assert!(near.len() < 2, "{near:?}");
            }
        }
        for none in ["t", "xx", "tokem", "tek"] {
            assert_eq!(lexicon.candidates(none.as_bytes()).count(), usize::from(none == "tokem"));
        }
    }
}
