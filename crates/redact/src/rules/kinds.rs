//! Which bytes of a text are of which kind, a bit for each: seen once, side by side, for all rules.
//!
//! Most bytes begin neither word nor number, and the bits of 64 of them tell so at once. Not here:
//! what stands where one begins (`forms`, `iban`, `numbers`, `context`).

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
        Self {
            letters: bits(bytes, |byte| (byte | 0x20).wrapping_sub(b'a') < 26),
            digits: bits(bytes, |byte| byte.wrapping_sub(b'0') < 10),
            capitals: bits(bytes, |byte| byte.wrapping_sub(b'A') < 26),
            foreign: bits(bytes, |byte| byte >= 0x80),
        }
    }

    fn alphanumeric(self) -> u64 {
        self.letters | self.digits
    }

    fn small(self) -> u64 {
        self.letters & !self.capitals
    }
}

/// A bit for each byte that is such. A byte of zero or one for each, without branches; then the
/// product of eight of them with this number has them side by side in its highest byte.
#[inline(always)]
fn bits(bytes: &[u8; BLOCK_BYTES], is: impl Fn(u8) -> bool) -> u64 {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut marks = [0; BLOCK_BYTES];
    for (mark, byte) in marks.iter_mut().zip(bytes) {
        *mark = u8::from(is(*byte));
    }
    let (eights, _) = marks.as_chunks::<8>();
    eights
        .iter()
        .rev()
        .fold(0, |all, eight| all << 8 | u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56)
}

/// The kinds of all bytes of a text.
pub(super) struct Kinds(Vec<Block>);

impl Kinds {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let (whole, tail) = bytes.as_chunks();
        let mut blocks = Vec::with_capacity(whole.len() + 1);
        blocks.extend(whole.iter().map(Block::of));
        // Also when nothing is left: what ends with the text ends there.
        let mut last = [0; BLOCK_BYTES];
        last.iter_mut().zip(tail).for_each(|(place, byte)| *place = *byte);
        blocks.push(Block::of(&last));
        Self(blocks)
    }

    #[inline]
    fn block(&self, number: usize) -> Block {
        self.0.get(number).copied().unwrap_or_default()
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
        places(0..self.0.len(), starts)
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
        places(0..self.0.len(), starts)
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
        places(0..self.0.len(), edges)
    }
}

/// The places of all bits that `marks` sets in some blocks.
#[inline]
fn places(
    blocks: std::ops::Range<usize>,
    marks: impl Fn(usize) -> u64,
) -> impl Iterator<Item = usize> {
    blocks.flat_map(move |number| Bits { rest: marks(number), start: number * BLOCK_BYTES })
}

/// The places of the bits of one block.
struct Bits {
    rest: u64,
    start: usize,
}

impl Iterator for Bits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let step = (self.rest != 0).then(|| self.rest.trailing_zeros() as usize)?;
        self.rest &= self.rest - 1;
        Some(self.start + step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
