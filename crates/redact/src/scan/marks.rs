//! What a block of bytes holds, a bit for each byte: sixteen bytes in one step, without branches.
//!
//! Not here: what an anchor leads to (`scan`).

use super::Families;
use wide::u8x16;

/// Bytes looked at in one step: what the registers of every x86-64 and 64-bit ARM hold.
pub(super) const BLOCK_BYTES: usize = 16;

/// A bit for every byte of a block, and the others of the word that these bits stand in.
pub(super) const BLOCK_BITS: u32 = (1 << BLOCK_BYTES) - 1;
pub(super) const BLOCK_BITS_AWAY: u32 = u32::BITS - BLOCK_BYTES as u32;

/// What one block holds: a bit for each byte that is of a kind, the lowest for the first byte.
pub(super) struct Marks {
    pub(super) anchors: u32,
    /// Neither letter nor digit.
    pub(super) stops: u32,
    pub(super) digits: u32,
}

impl Marks {
    /// The anchors of the block that follows on `before`, without most of those that would be
    /// confirmed for nothing that is `missing`.
    #[inline(always)]
    pub(super) fn likely_anchors(
        &self,
        block: &[u8; BLOCK_BYTES],
        before: &[u8],
        missing: Families,
    ) -> u32 {
        // One or two, as in most blocks, are cheaper looked at one by one.
        let but_first = self.anchors & self.anchors.wrapping_sub(1);
        if but_first & but_first.wrapping_sub(1) == 0 {
            return self.anchors;
        }
        self.busy_anchors(block, before, missing)
    }

    #[cold]
    #[inline(never)]
    fn busy_anchors(&self, block: &[u8; BLOCK_BYTES], before: &[u8], missing: Families) -> u32 {
        let around = Around { bytes: u8x16::new(*block), before };
        self.likely_capitals(&around, missing) | likely_signs(&around, missing)
    }

    /// Capitals, but for those that stand inside of words and numbers.
    #[inline(always)]
    fn likely_capitals(&self, around: &Around<'_>, missing: Families) -> u32 {
        let capitals = below(around.bytes - u8x16::splat(b'A'), 26).to_bitmask();
        let asked = |family: Families, bits: u32| if missing.has(family) { bits } else { 0 };
        let begin = around.behind(self.stops, 1, |b| !b.is_ascii_alphanumeric(), true)
            | around.behind(around.is(b'\\'), 2, |b| *b == b'\\', false);
        let end_number = around.behind(self.digits, 1, u8::is_ascii_digit, false)
            | around.behind(self.digits, 2, u8::is_ascii_digit, false);
        let digits = ahead(self.digits, 2) & ahead(self.digits, 3);
        capitals
            & (asked(Families::KEYS, begin)
                | asked(Families::TOKENS, begin & around.is(b'B') | around.is(b'J'))
                | asked(Families::NUMBERS, end_number)
                | asked(Families::IBAN, ahead(capitals, 1) & digits))
    }
}

/// Bytes side by side, and what stands before them.
struct Around<'t> {
    bytes: u8x16,
    before: &'t [u8],
}

impl Around<'_> {
    #[inline(always)]
    fn is(&self, byte: u8) -> u32 {
        self.bytes.simd_eq(u8x16::splat(byte)).to_bitmask()
    }

    /// The bits of what stands up to so many bytes before each byte.
    #[inline(always)]
    fn behind(&self, bits: u32, steps: usize, is: fn(&u8) -> bool, at_start: bool) -> u32 {
        let last =
            |steps: usize| self.before.len().checked_sub(steps).map(|at| self.before.get(at));
        (1..=steps).fold(bits << steps, |bits, back| {
            bits | u32::from(last(back).flatten().map_or(at_start, is)) << (steps - back)
        })
    }

    #[inline(always)]
    fn follow(&self, bits: u32, byte: u8) -> u32 {
        bits & (self.is(byte) << 1 | u32::from(self.before.last() == Some(&byte)))
    }
}

/// The bits of what stands so many bytes after each byte. What stands behind the block is not
/// known, and so may be anything.
#[inline(always)]
fn ahead(bits: u32, steps: u32) -> u32 {
    (bits | !BLOCK_BITS) >> steps
}

/// All anchors but capitals, as far as their neighbours are those that `confirm` asks for.
#[inline(always)]
fn likely_signs(around: &Around<'_>, missing: Families) -> u32 {
    let is = |byte: u8| around.is(byte);
    let mut likely = 0;
    if missing.has(Families::KEYS) {
        likely |= is(b'-') | is(b'_') | is(b'.') | around.follow(is(b'/'), b'/');
    }
    if missing.has(Families::PRIVATE_KEYS) {
        likely |= around.follow(is(b'-'), b'-');
    }
    if missing.has(Families::COMMANDS) {
        likely |= around.follow(is(b'-'), b' ');
    }
    if missing.has(Families::NAMES) {
        likely |= is(b':') | is(b'=');
    }
    if missing.has(Families::SIGNS) {
        likely |= around.follow(is(b'~'), b'Q')
            | is(b'.') & ahead(is(b'a'), 1)
            | (is(b':') | is(b'=')) & ahead(is(b'A'), 1);
    }
    if missing.has(Families::TOKENS) {
        likely |= is(b'b') & ahead(is(b'e') | is(b'E') | is(b'a') | is(b'A'), 1);
    }
    if missing.has(Families::ESCAPES) {
        likely |= is(b'\\') & ahead(is(b'/') | is(b'u'), 1);
    }
    if missing.has(Families::ADDRESSES) {
        likely |= is(b'@') | is(b'%');
    }
    if missing.has(Families::PERCENT) {
        likely |= is(b'%');
    }
    likely
}

/// True when four bytes of a block side by side are digits and what joins them in a number: of a
/// number of eight digits or more some block has so much.
#[inline(never)]
pub(super) fn may_have_number(block: &[u8; BLOCK_BYTES]) -> bool {
    let bytes = u8x16::new(*block);
    let digits = below(bytes - u8x16::splat(b'0'), 10);
    let joints = bytes.simd_eq(u8x16::splat(b' ')) | below(bytes - u8x16::splat(b'-'), 3);
    let numeric = (digits | joints).to_bitmask();
    let two = numeric & numeric >> 1;
    two & two >> 2 != 0
}

/// All bits of the bytes that are less than `count`, which is not 0.
#[inline(always)]
fn below(bytes: u8x16, count: u8) -> u8x16 {
    bytes.min(u8x16::splat(count - 1)).simd_eq(bytes)
}

/// Marks the anchors `@ = : \\ - _ % . / ~ b`, capitals, and a few that share all but some bits
/// with them, which `confirm` turns down.
#[inline(always)]
pub(super) fn may_be_anchors(bytes: u8x16) -> u8x16 {
    let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
    (bytes & u8x16::splat(0xE0)).simd_eq(u8x16::splat(0x40))
        | (bytes & u8x16::splat(0xFE)).simd_eq(u8x16::splat(b'.'))
        | is(b':')
        | is(b'=')
        | is(b'-')
        | is(b'%')
        | is(b'b')
        | is(b'~')
}

#[inline(always)]
pub(super) fn marks(block: &[u8; BLOCK_BYTES]) -> Marks {
    let bytes = u8x16::new(*block);
    let digits = below(bytes - u8x16::splat(b'0'), 10);
    let letters = below((bytes | u8x16::splat(0x20)) - u8x16::splat(b'a'), 26);
    Marks {
        anchors: may_be_anchors(bytes).to_bitmask(),
        stops: !(digits | letters).to_bitmask() & BLOCK_BITS,
        digits: digits.to_bitmask(),
    }
}

/// Fewer bytes than a block, and zeros behind them.
#[inline(always)]
pub(super) fn short_block(bytes: &[u8]) -> [u8; BLOCK_BYTES] {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let last = u128::from(u64::from_le_bytes(*last)) << ((bytes.len() - 8) * 8);
        return (u128::from(u64::from_le_bytes(*first)) | last).to_le_bytes();
    }
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    block
}
