//! Which bytes of a text are of which kind, a bit for each: seen once, side by side, for all rules.
//!
//! Most bytes begin neither word nor number, and the bits of 64 of them tell so at once. Not here:
//! what stands where one begins (`forms`, `iban`, `numbers`, `context`).

use wide::u8x16;

/// Bytes that share a word of bits.
const BLOCK_BYTES: usize = 64;

/// The bits of one block, the first byte's the lowest.
#[derive(Clone, Copy, Default)]
struct Block {
    letters: u64,
    digits: u64,
    capitals: u64,
    /// Not ASCII.
    foreign: u64,
}

impl Block {
    #[inline(always)]
    fn of(bytes: &[u8; BLOCK_BYTES]) -> Self {
        let below = |bytes: u8x16, count: u8| bytes.min(u8x16::splat(count - 1)).simd_eq(bytes);
        let (parts, _) = bytes.as_chunks::<16>();
        parts.iter().rev().fold(Self::default(), |all, part| {
            let part = u8x16::new(*part);
            let joined = |bits: u64, is: u8x16| bits << 16 | u64::from(is.to_bitmask());
            let lower = part | u8x16::splat(0x20);
            Self {
                letters: joined(all.letters, below(lower - u8x16::splat(b'a'), 26)),
                digits: joined(all.digits, below(part - u8x16::splat(b'0'), 10)),
                capitals: joined(all.capitals, below(part - u8x16::splat(b'A'), 26)),
                // Of each byte the highest bit.
                foreign: joined(all.foreign, part),
            }
        })
    }

    fn alphanumeric(self) -> u64 {
        self.letters | self.digits
    }

    fn small(self) -> u64 {
        self.letters & !self.capitals
    }
}

/// Fewer bytes than a block, and zeros behind them.
#[inline(always)]
fn short_block(bytes: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    block
}

/// Each place where one of some bytes stands, in order. Where they are rare a search for the next
/// one is as good; hostile texts have one every few bytes.
#[inline]
pub(super) fn places_of<const N: usize>(
    bytes: &[u8],
    signs: [u8; N],
) -> impl Iterator<Item = usize> {
    let (whole, tail) = bytes.as_chunks::<BLOCK_BYTES>();
    // Zeros behind the text are none of them.
    let last = short_block(tail);
    let signs = signs.map(u8x16::splat);
    let marks = move |number: usize| {
        let block = whole.get(number).unwrap_or(&last);
        let (parts, _) = block.as_chunks::<16>();
        parts.iter().rev().fold(0, |marks, part| {
            let part = u8x16::new(*part);
            let is = signs.iter().fold(u8x16::ZERO, |is, sign| is | part.simd_eq(*sign));
            marks << 16 | u64::from(is.to_bitmask())
        })
    };
    places(0..bytes.len().div_ceil(BLOCK_BYTES), marks)
}

/// Blocks that need no memory of their own: most texts are short.
const SHORT_BLOCKS: usize = 3;

/// The kinds of all bytes of a text.
pub(super) struct Kinds {
    first: [Block; SHORT_BLOCKS],
    rest: Vec<Block>,
    count: usize,
}

impl Kinds {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let (whole, tail) = bytes.as_chunks();
        // Also when nothing is left: what ends with the text ends there.
        let last = Block::of(&short_block(tail));
        let mut all = whole.iter().map(Block::of).chain(std::iter::once(last));
        let mut first = [Block::default(); SHORT_BLOCKS];
        first.iter_mut().zip(&mut all).for_each(|(place, block)| *place = block);
        let mut rest = Vec::with_capacity((whole.len() + 1).saturating_sub(SHORT_BLOCKS));
        rest.extend(all);
        Self { first, rest, count: whole.len() + 1 }
    }

    #[inline]
    fn block(&self, number: usize) -> Block {
        let block = match number.checked_sub(SHORT_BLOCKS) {
            None => self.first.get(number),
            Some(number) => self.rest.get(number),
        };
        block.copied().unwrap_or_default()
    }

    /// The bits of the bytes before those of a block.
    #[inline]
    fn behind(&self, number: usize, kind: impl Fn(Block) -> u64) -> u64 {
        let before = number.checked_sub(1).map_or(0, |before| kind(self.block(before)));
        kind(self.block(number)) << 1 | before >> (BLOCK_BYTES - 1)
    }

    /// The bits of the bytes so many `steps` after those of a block.
    #[inline]
    fn ahead(&self, number: usize, steps: usize, kind: impl Fn(Block) -> u64) -> u64 {
        let next = kind(self.block(number + 1)) << (BLOCK_BYTES - steps);
        kind(self.block(number)) >> steps | next
    }

    /// Each place of a letter or digit that follows on neither.
    pub(super) fn word_starts(&self) -> impl Iterator<Item = usize> {
        let starts =
            |number| self.block(number).alphanumeric() & !self.behind(number, Block::alphanumeric);
        places(0..self.count, starts)
    }

    /// Word starts, and of them only those of two capitals and two digits.
    pub(super) fn account_starts(&self) -> impl Iterator<Item = usize> {
        let starts = |number| {
            let two = self.block(number).capitals & self.ahead(number, 1, |block| block.capitals);
            if two == 0 {
                return 0;
            }
            let digits = |steps| self.ahead(number, steps, |block| block.digits);
            two & digits(2) & digits(3) & !self.behind(number, Block::alphanumeric)
        };
        places(0..self.count, starts)
    }

    /// From `from` to `to` each place of a letter that follows on no letter or digit, of a capital
    /// behind a small letter, and of every byte that is not ASCII.
    pub(super) fn name_starts(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        let starts = |number| {
            let block = self.block(number);
            block.letters & !self.behind(number, Block::alphanumeric)
                | block.capitals & self.behind(number, Block::small)
                | block.foreign
        };
        let blocks = from / BLOCK_BYTES..to.div_ceil(BLOCK_BYTES);
        places(blocks, starts).skip_while(move |at| *at < from).take_while(move |at| *at < to)
    }

    /// Calls `edge` with each place where a run of digits starts or ends, in turn.
    pub(super) fn digit_edges(&self) -> impl Iterator<Item = usize> {
        let edges = |number| self.block(number).digits ^ self.behind(number, |block| block.digits);
        places(0..self.count, edges)
    }
}

/// The places of all bits that `marks` sets in some blocks.
#[inline]
fn places<F: Fn(usize) -> u64>(blocks: std::ops::Range<usize>, marks: F) -> Places<F> {
    Places { marks, blocks, rest: 0, start: 0 }
}

/// See [`places`].
struct Places<F> {
    marks: F,
    blocks: std::ops::Range<usize>,
    /// The bits that are left of the last block, and where that begins.
    rest: u64,
    start: usize,
}

impl<F: Fn(usize) -> u64> Iterator for Places<F> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.rest == 0 {
            let number = self.blocks.next()?;
            (self.rest, self.start) = ((self.marks)(number), number * BLOCK_BYTES);
        }
        let step = self.rest.trailing_zeros() as usize;
        self.rest &= self.rest - 1;
        Some(self.start + step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_wherever_they_stand() {
        for length in 0..=4 * BLOCK_BYTES {
            let bytes: Vec<u8> = (0..length).map(|at| (at * at % 251) as u8).collect();
            let found: Vec<usize> = places_of(&bytes, [b'=', b'J']).collect();
            let is = |at: &usize| matches!(bytes[*at], b'=' | b'J');
            assert_eq!(found, (0..length).filter(is).collect::<Vec<_>>());
        }
    }

    #[test]
    fn words_and_numbers_begin_where_nothing_of_theirs_stands_before() {
        let words = "a token, phoneNumber né le 12a34 _x-Y 電話 ABc DE89 xDE89 and a tail, 7";
        // With blanks before, each of its places is the border of two blocks once.
        for blanks in 0..=BLOCK_BYTES {
            let text = format!("{}{words}", " ".repeat(blanks));
            let end = text.len() - blanks % 9;
            let bytes = &text.as_bytes()[..end];
            let kinds = Kinds::of(bytes);
            let byte = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
            let behind = |at: usize| at.checked_sub(1).map_or(b' ', byte);
            let is_word = |at: &usize| {
                byte(*at).is_ascii_alphanumeric() && !behind(*at).is_ascii_alphanumeric()
            };
            let is_account = |at: &usize| {
                let is = |step: usize, kind: fn(&u8) -> bool| kind(&byte(at + step));
                is_word(at)
                    && (is(0, u8::is_ascii_uppercase) && is(1, u8::is_ascii_uppercase))
                    && (is(2, u8::is_ascii_digit) && is(3, u8::is_ascii_digit))
            };
            let is_name = |at: &usize| {
                !byte(*at).is_ascii()
                    || byte(*at).is_ascii_alphabetic() && !behind(*at).is_ascii_alphanumeric()
                    || byte(*at).is_ascii_uppercase() && behind(*at).is_ascii_lowercase()
            };
            let is_edge = |at: &usize| byte(*at).is_ascii_digit() != behind(*at).is_ascii_digit();
            let all = |is: &dyn Fn(&usize) -> bool, to| (0..to).filter(is).collect::<Vec<_>>();
            assert_eq!(kinds.word_starts().collect::<Vec<_>>(), all(&is_word, end));
            assert_eq!(kinds.account_starts().collect::<Vec<_>>(), all(&is_account, end));
            assert_eq!(kinds.digit_edges().collect::<Vec<_>>(), all(&is_edge, end + 1));
            for from in (0..end).step_by(1 + blanks % 7) {
                let starts: Vec<usize> = kinds.name_starts(from, end).collect();
                assert_eq!(starts, (from..end).filter(is_name).collect::<Vec<_>>());
            }
        }
    }
}
