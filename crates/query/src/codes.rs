//! Which pages of a segment may hold a word with digits in it: an order number, a reference, part
//! of an id.
//!
//! Most such words occur once, so keeping them as text (`vocabulary.rs`) would take what the
//! segment takes. Kept are pieces of them, in one filter of nine bits a piece for every
//! [`SHEET_PAGES`] pages. A question looks for substrings: a run of letters and digits in it lies
//! within one such run of the value, and then so do all its pieces. An answer may name too many
//! pages and never too few. What is too short to have a piece is not decided here.
//!
//! | run | pieces | decided from |
//! |---|---|---|
//! | with a letter beyond f: `R000042` | all of five bytes | five bytes |
//! | digits first, one byte behind such letters: `ORD-12345` | the same of `D-12345` | `D-123` |
//! | hexadecimal digits, as in a UUID | of six bytes, one of three neighbours | eight digits |
//!
//! Which one of three neighbours is kept depends on these three alone, so question and value agree
//! on it; of a UUID that leaves four pieces of ten. The fractions of a second that every record's
//! time ends with would be pieces of their own in every row: of them only the precision is kept.
//!
//! Not here: words without digits (`vocabulary.rs`), what matches (`filter/words.rs`).

mod filter;

use crate::filter::words::{Words, for_each_value};
use crate::vocabulary::Pages;
use filter::Sheet;
use memchr::memchr;

/// Pages that have one filter: finer ones find no more, because most pieces occur once.
pub(crate) const SHEET_PAGES: u32 = 4;

/// Most different pieces of a sheet, 32 a row; one with more (base64, say) may hold anything. So a
/// row takes 38 bytes at most.
const PIECES_MAX: usize = 1 << 16;

/// How pieces are taken from a run.
#[derive(Clone, Copy)]
struct Scheme {
    /// Bytes of a piece.
    bytes: usize,
    /// Of so many neighbours one is kept.
    window: usize,
    /// Tells the pieces of one scheme from those of the other.
    tag: u64,
}

const MIXED: Scheme = Scheme { bytes: 5, window: 1, tag: 1 << 56 };
const HEXADECIMAL: Scheme = Scheme { bytes: 6, window: 3, tag: 2 << 56 };

/// A run of letters and digits with a digit in it.
#[derive(Clone, Copy)]
struct Run<'t> {
    bytes: &'t [u8],
    /// Whether it has a letter that no hexadecimal number has.
    has_letter: bool,
    /// The last byte of the letters before it, and the one byte between.
    joined: Option<[u8; 2]>,
}

fn is_letter(byte: u8) -> bool {
    matches!(byte, b'g'..=b'z' | b'G'..=b'Z' | 0x80..)
}

fn for_each_run<'t>(text: &'t [u8], mut each: impl FnMut(Run<'t>)) {
    let (mut at, mut before) = (0, None);
    while at < text.len() {
        let (start, mut has_letter, mut has_digit) = (at, false, false);
        while let Some(byte) = text.get(at).filter(|it| it.is_ascii_alphanumeric() || **it >= 0x80)
        {
            has_digit |= byte.is_ascii_digit();
            has_letter |= is_letter(*byte);
            at += 1;
        }
        let bytes = text.get(start..at).unwrap_or_default();
        if has_digit {
            let begins = bytes.first().is_some_and(u8::is_ascii_digit);
            let is_behind = |end: &usize| begins && end + 2 == start;
            let joined = before.filter(is_behind).and_then(|end| text.get(end..)?.first_chunk());
            each(Run { bytes, has_letter, joined: joined.copied() });
        }
        before = if has_letter { at.checked_sub(1) } else { None };
        at += 1;
    }
}

impl Run<'_> {
    /// Whether this is what the log writes behind the whole seconds of a time.
    fn is_fraction(&self) -> bool {
        let digits = self.bytes.strip_suffix(b"z").or_else(|| self.bytes.strip_suffix(b"Z"));
        self.joined.is_none()
            && digits.is_some_and(|it| it.len() == 9 && it.iter().all(u8::is_ascii_digit))
    }

    fn for_each_piece(&self, scheme: Scheme, mut each: impl FnMut(u64)) {
        let prefix = self.joined.filter(|_| scheme.tag == MIXED.tag);
        let bytes = prefix.iter().flatten().chain(self.bytes);
        let mask = u64::MAX >> (64 - 8 * scheme.bytes);
        let (mut piece, mut last) = (0, [(u64::MAX, 0); 3]);
        for (at, byte) in bytes.enumerate() {
            piece = (piece << 8 | u64::from(byte.to_ascii_lowercase())) & mask;
            let Some(number) = (at + 1).checked_sub(scheme.bytes) else { continue };
            last[number % scheme.window] = (scattered(piece), piece);
            if number + 1 >= scheme.window
                && let Some((_, piece)) = last.iter().take(scheme.window).min()
            {
                each(piece | scheme.tag);
            }
        }
    }

    /// Whether a question that holds it is decided here.
    fn is_decided(&self) -> bool {
        let has = |scheme: Scheme, bytes| bytes + 1 >= scheme.bytes + scheme.window;
        match self.joined {
            Some(prefix) => has(MIXED, prefix.len() + self.bytes.len()),
            None if self.has_letter => has(MIXED, self.bytes.len()),
            None => has(HEXADECIMAL, self.bytes.len()),
        }
    }

    /// Whether a sheet may hold it.
    fn may_be_on(&self, sheet: &Sheet) -> bool {
        let all = |scheme| {
            let mut all = true;
            self.for_each_piece(scheme, |piece| all = all && sheet.may_hold(piece));
            all
        };
        // Behind a word in the question it stands behind one in the value.
        sheet.is_open()
            || all(MIXED)
            || self.joined.is_none() && !self.has_letter && all(HEXADECIMAL)
            || self.joined.is_none()
                && sheet.precision().is_some_and(|it| may_be_in_fraction(self.bytes, it))
    }
}

/// Any order of the pieces in which no kind of them comes first (the finaliser of SplitMix64).
fn scattered(piece: u64) -> u64 {
    let mixed = (piece ^ (piece >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// Whether a run may be part of nine digits and a `z`, of which those from `precision` on are 0.
fn may_be_in_fraction(run: &[u8], precision: u8) -> bool {
    let digits = run.strip_suffix(b"z").unwrap_or(run);
    let Some(most) = 9_usize.checked_sub(digits.len()) else { return false };
    let least = if digits.len() < run.len() { most } else { 0 };
    digits.iter().all(u8::is_ascii_digit)
        && (least..=most).any(|offset| {
            digits.iter().skip(usize::from(precision).saturating_sub(offset)).all(|it| *it == b'0')
        })
}

/// Whether filters can say anything about a question.
pub(crate) fn decides(words: &Words) -> bool {
    let mut any = false;
    words.texts().for_each(|word| {
        for_each_run(word.as_bytes(), |run| any |= run.is_decided());
    });
    any
}

/// The filters of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codes(Vec<Sheet>);

impl Codes {
    /// The pages that may hold all words of a question; `None` when it cannot be told.
    pub(crate) fn may_hold(&self, words: &Words) -> Option<Pages> {
        let mut runs = Vec::new();
        for word in words.texts() {
            for_each_run(word.as_bytes(), |run| runs.extend(run.is_decided().then_some(run)));
        }
        if runs.is_empty() {
            return None;
        }
        let mut pages = Pages::none(self.0.len() as u32 * SHEET_PAGES);
        for (at, sheet) in (0..).zip(&self.0) {
            if runs.iter().all(|run| run.may_be_on(sheet)) {
                (0..SHEET_PAGES).for_each(|page| pages.add(at * SHEET_PAGES + page));
            }
        }
        Some(pages)
    }

    /// Bytes that they take in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(Sheet::bytes).sum()
    }

    /// Clear text: sheet after sheet.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.0.iter().for_each(|sheet| sheet.write(&mut out));
        out
    }

    /// Reads back what [`to_bytes`](Self::to_bytes) wrote for a segment with so many pages; `None`
    /// for anything else. No bytes make it panic, then or later.
    pub(crate) fn from_bytes(pages: u32, mut bytes: &[u8]) -> Option<Self> {
        let mut sheets = Vec::new();
        while !bytes.is_empty() {
            let (sheet, rest) = Sheet::read(bytes)?;
            sheets.push(sheet);
            bytes = rest;
        }
        (sheets.len() == pages.div_ceil(SHEET_PAGES) as usize).then_some(Self(sheets))
    }
}

/// Collects the pieces of one segment, page by page.
#[derive(Default)]
pub(crate) struct Collector {
    sheets: Vec<Sheet>,
    pieces: Vec<u64>,
    precision: Option<u8>,
    is_open: bool,
}

impl Collector {
    /// Takes the text of a record in; pages come in ascending order.
    pub(crate) fn add(&mut self, page: u32, json: &[u8]) {
        while (self.sheets.len() as u32) < page / SHEET_PAGES {
            self.end_sheet();
        }
        if self.is_open {
            return;
        }
        if json.is_ascii() && memchr(b'\\', json).is_none() {
            // Its values stand in it as they are. Its keys come along, and have few digits.
            for_each_run(json, |run| self.note(&run));
            return;
        }
        for_each_value(json, |value| {
            if value.is_ascii() {
                for_each_run(value, |run| self.note(&run));
            } else {
                let value = String::from_utf8_lossy(value).to_lowercase();
                for_each_run(value.as_bytes(), |run| self.note(&run));
            }
            self.is_open
        });
    }

    fn note(&mut self, run: &Run<'_>) {
        if run.is_fraction() {
            let digits = run.bytes.get(..9).unwrap_or_default();
            let precision = digits.iter().rposition(|it| *it != b'0').map_or(0, |at| at + 1);
            self.precision = self.precision.max(u8::try_from(precision).ok());
            return;
        }
        let is_mixed = run.joined.is_some() || run.has_letter;
        let scheme = if is_mixed { MIXED } else { HEXADECIMAL };
        run.for_each_piece(scheme, |piece| {
            // Neighbours have most in common.
            if self.pieces.last() != Some(&piece) {
                self.pieces.push(piece);
            }
        });
        if self.pieces.len() >= 2 * PIECES_MAX {
            self.tidy_up();
        }
    }

    /// Each piece once.
    fn tidy_up(&mut self) {
        self.pieces.sort_unstable();
        self.pieces.dedup();
        if self.pieces.len() > PIECES_MAX {
            self.is_open = true;
            self.pieces.clear();
        }
    }

    fn end_sheet(&mut self) {
        self.tidy_up();
        let is_open = std::mem::take(&mut self.is_open);
        let sheet = match is_open {
            true => Sheet::open(),
            false => Sheet::of(&self.pieces, self.precision),
        };
        self.sheets.push(sheet);
        self.pieces.clear();
        self.precision = None;
    }

    /// The filters of a segment with so many pages.
    pub(crate) fn finish(mut self, pages: u32) -> Codes {
        while self.sheets.len() < pages.div_ceil(SHEET_PAGES) as usize {
            self.end_sheet();
        }
        Codes(self.sheets)
    }
}

#[cfg(test)]
mod tests;
