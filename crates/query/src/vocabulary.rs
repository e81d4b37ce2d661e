//! Which words occur in which pages of a segment, so that a question about a rare word reads a few
//! pages and no more.
//!
//! A *word* here is a run of letters; bytes from 0x80 on count as letters. A question looks for
//! substrings, so the words are kept as text, one after the other, and are searched for what a
//! question's word must lie within. It is cut as the values were: into runs of letters, each of
//! which is part of one word of the value that it stands in. What has no such run is not decided
//! here (words of the letters a to f alone, which every hexadecimal id is full of),
//! and a page with too many words is *open*: it may hold anything. So an answer may name too many
//! pages and never too few.
//!
//! Not here: words with digits in them (`codes.rs`), what matches (`filter/words.rs`), and where
//! this is kept (`guide.rs`).

use crate::filter::words::{Words, for_each_value};
use hashbrown::HashMap;
use memchr::{memchr, memmem};

/// Rows that one answer stands for.
pub(crate) const PAGE_ROWS: u32 = 1 << 9;

/// Shorter runs are in every page.
const RUN_BYTES_MIN: usize = 3;

/// Longer words are kept as pieces of this length that overlap by half: texts without spaces
/// between words would be unique otherwise, and never end.
const WORD_BYTES_MAX: usize = 32;
const PIECE_STEP: usize = WORD_BYTES_MAX / 2;

/// Stands before a piece of a long word, and behind every word.
const PIECE: u8 = 1;
const END: u8 = 0;

/// Most different words of one page: more are noise (base64, say), and the page is open.
const PAGE_WORDS_MAX: usize = 20_000;

/// Most different words of a segment, and their bytes; later pages with others are open.
const WORDS_MAX: usize = 1 << 20;
const TEXT_BYTES_MAX: usize = 16 << 20;

const MAGIC: &[u8; 8] = b"tachowd1";

/// What a byte is in a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Hexadecimal,
    Letter,
}

static CLASSES: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'f' | b'A'..=b'F' => Class::Hexadecimal,
            b'g'..=b'z' | b'G'..=b'Z' | 0x80..=0xff => Class::Letter,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
};

/// Hands every run of letters that counts as a word to `each`, as it stands.
fn for_each_run<'t>(text: &'t [u8], mut each: impl FnMut(&'t [u8])) {
    let mut at = 0;
    while at < text.len() {
        let (start, mut is_word) = (at, false);
        while let Some(byte) = text.get(at) {
            match CLASSES[usize::from(*byte)] {
                Class::Other => break,
                Class::Hexadecimal => {}
                Class::Letter => is_word = true,
            }
            at += 1;
        }
        if is_word && at - start >= RUN_BYTES_MIN {
            each(text.get(start..at).unwrap_or_default());
        }
        at += 1;
    }
}

/// Whether a vocabulary can say anything about a question.
pub(crate) fn decides(words: &Words) -> bool {
    let mut any = false;
    words.texts().for_each(|word| for_each_run(word.as_bytes(), |_| any = true));
    any
}

/// Some pages of a segment, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pages(Vec<u8>);

impl Pages {
    pub(crate) fn none(count: u32) -> Self {
        Self(vec![0; (count as usize).div_ceil(8)])
    }

    pub(crate) fn has(&self, page: u32) -> bool {
        self.0.get(page as usize / 8).is_some_and(|byte| byte & (1 << (page % 8)) != 0)
    }

    pub(crate) fn add(&mut self, page: u32) {
        if let Some(byte) = self.0.get_mut(page as usize / 8) {
            *byte |= 1 << (page % 8);
        }
    }

    pub(crate) fn and(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(one, other)| *one &= other);
    }
}

/// The words of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vocabulary {
    pages: u32,
    /// Pages that may hold anything.
    open: Pages,
    /// The words, sorted, an [`END`] behind each.
    text: Box<[u8]>,
    /// Where each word ends in `text`.
    ends: Box<[u32]>,
    /// The pages of each word, one after the other.
    places: Box<[u8]>,
    /// Where those of each word begin.
    starts: Box<[u32]>,
}

/// Collects the words of one segment, page by page.
pub(crate) struct Collector {
    words: HashMap<Box<[u8]>, u32>,
    lists: Vec<List>,
    text_bytes: usize,
    open: Vec<u32>,
    page: u32,
    in_page: usize,
    is_open: bool,
    lower: Vec<u8>,
}

/// The pages of a word so far: differences as variable-length numbers.
struct List {
    /// The last page, plus one.
    last: u32,
    count: u32,
    bytes: Vec<u8>,
}

impl Collector {
    pub(crate) fn new() -> Self {
        Self {
            words: HashMap::new(),
            lists: Vec::new(),
            text_bytes: 0,
            open: Vec::new(),
            page: 0,
            in_page: 0,
            is_open: false,
            lower: Vec::new(),
        }
    }

    /// Takes the text of a record in; pages come in ascending order.
    pub(crate) fn add(&mut self, page: u32, json: &[u8]) {
        if page != self.page {
            self.end_page();
            self.page = page;
        }
        if self.is_open {
            return;
        }
        if json.is_ascii() && memchr(b'\\', json).is_none() {
            // Its values stand in it as they are. Its keys come along, and are few.
            for_each_run(json, |run| self.word(run));
            return;
        }
        for_each_value(json, |value| {
            if value.is_ascii() {
                for_each_run(value, |run| self.word(run));
            } else {
                let value = String::from_utf8_lossy(value).to_lowercase();
                for_each_run(value.as_bytes(), |run| self.word(run));
            }
            self.is_open
        });
    }

    /// A run in any case; what is not ASCII is in lower case.
    fn word(&mut self, run: &[u8]) {
        let mut lower = std::mem::take(&mut self.lower);
        if run.len() <= WORD_BYTES_MAX {
            lower.clear();
            lower.extend(run.iter().map(u8::to_ascii_lowercase));
            self.note(&lower);
        } else {
            for piece in (0..run.len()).step_by(PIECE_STEP).filter_map(|at| run.get(at..)) {
                lower.clear();
                lower.push(PIECE);
                lower.extend(piece.iter().take(WORD_BYTES_MAX).map(u8::to_ascii_lowercase));
                self.note(&lower);
            }
        }
        self.lower = lower;
    }

    fn note(&mut self, word: &[u8]) {
        let place = match self.words.get(word) {
            Some(place) => *place,
            None if self.lists.len() >= WORDS_MAX || self.text_bytes >= TEXT_BYTES_MAX => {
                self.is_open = true;
                return;
            }
            None => {
                let place = self.lists.len() as u32;
                self.words.insert(word.into(), place);
                self.lists.push(List { last: 0, count: 0, bytes: Vec::new() });
                self.text_bytes += word.len() + 1;
                place
            }
        };
        let Some(list) = self.lists.get_mut(place as usize) else { return };
        if list.last == self.page + 1 {
            return;
        }
        write_number(self.page + 1 - list.last, &mut list.bytes);
        list.last = self.page + 1;
        list.count += 1;
        self.in_page += 1;
        self.is_open |= self.in_page > PAGE_WORDS_MAX;
    }

    fn end_page(&mut self) {
        if self.is_open {
            self.open.push(self.page);
        }
        (self.is_open, self.in_page) = (false, 0);
    }

    /// The vocabulary of a segment with so many pages.
    pub(crate) fn finish(mut self, pages: u32) -> Vocabulary {
        self.end_page();
        let mut open = Pages::none(pages);
        self.open.iter().for_each(|page| open.add(*page));
        let mut words: Vec<(Box<[u8]>, u32)> = self.words.into_iter().collect();
        words.sort_unstable();
        let (mut text, mut places) = (Vec::with_capacity(self.text_bytes), Vec::new());
        for (word, place) in &words {
            text.extend_from_slice(word);
            text.push(END);
            if let Some(list) = self.lists.get(*place as usize) {
                list.write(pages, &mut places);
            }
        }
        let (text, places) = (text.into_boxed_slice(), places.into_boxed_slice());
        // What was just written reads.
        Vocabulary::index(pages, open, text, places).unwrap_or_else(Vocabulary::open)
    }
}

impl List {
    /// Writes it as a list or as bits, whichever is shorter.
    fn write(&self, pages: u32, out: &mut Vec<u8>) {
        let bits = (pages as usize).div_ceil(8);
        if self.bytes.len() <= bits {
            write_number((self.bytes.len() as u32) << 1, out);
            out.extend_from_slice(&self.bytes);
            return;
        }
        let mut all = Pages::none(pages);
        for_each_listed(&self.bytes, |page| all.add(page));
        write_number((bits as u32) << 1 | 1, out);
        out.extend_from_slice(&all.0);
    }
}

fn for_each_listed(mut bytes: &[u8], mut each: impl FnMut(u32)) {
    let mut next = 0_u32;
    while let Some((step, rest)) = read_number(bytes) {
        next = next.saturating_add(step);
        each(next.saturating_sub(1));
        bytes = rest;
    }
}

/// Seven bits a byte, lowest first; the highest bit says that more follow.
fn write_number(mut number: u32, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (mut number, mut shift) = (0_u32, 0);
    for (at, byte) in bytes.iter().enumerate().take(5) {
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
        shift += 7;
    }
    None
}

impl Vocabulary {
    /// One that decides nothing.
    fn open() -> Self {
        let (text, places) = (Box::default(), Box::default());
        let (ends, starts) = (Box::default(), Box::default());
        Self { pages: 0, open: Pages::default(), text, ends, places, starts }
    }

    /// `None` when the places of the words do not read.
    fn index(pages: u32, open: Pages, text: Box<[u8]>, places: Box<[u8]>) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let ends: Box<[u32]> = memchr::memchr_iter(END, &text).map(|at| at as u32).collect();
        let total = u32::try_from(places.len()).ok()?;
        let (mut starts, mut rest) = (Vec::with_capacity(ends.len()), &places[..]);
        for _ in 0..ends.len() {
            starts.push(total - rest.len() as u32);
            let (header, behind) = read_number(rest)?;
            rest = behind.get(header as usize >> 1..)?;
        }
        let is_whole = rest.is_empty() && text.last().is_none_or(|last| *last == END);
        let starts = starts.into();
        is_whole.then_some(Self { pages, open, text, ends, places, starts })
    }

    /// The pages that may hold all words of a question; `None` when it cannot be told.
    pub(crate) fn may_hold(&self, words: &Words) -> Option<Pages> {
        let mut answer: Option<Pages> = None;
        for word in words.texts() {
            for_each_run(word.as_bytes(), |run| {
                let pages = self.of_run(run);
                match &mut answer {
                    Some(answer) => answer.and(&pages),
                    None => answer = Some(pages),
                }
            });
        }
        answer.filter(|_| self.pages > 0)
    }

    /// The pages with a word that a run may be part of.
    fn of_run(&self, run: &[u8]) -> Pages {
        let mut pages = self.open.clone();
        // All that a piece of a long word is sure to hold of it.
        let beginning = run.get(..PIECE_STEP).unwrap_or(run);
        let (finder, mut from) = (memmem::Finder::new(beginning), 0);
        while let Some(at) = self.text.get(from..).and_then(|text| finder.find(text)) {
            let place = self.ends.partition_point(|end| (*end as usize) < from + at);
            let Some(end) = self.ends.get(place).map(|end| *end as usize) else { break };
            let start = place.checked_sub(1).and_then(|it| self.ends.get(it));
            let start = start.map_or(0, |end| *end as usize + 1);
            let word = self.text.get(start..end).unwrap_or_default();
            let is_piece = word.first() == Some(&PIECE);
            if is_piece || run.len() == beginning.len() || memmem::find(word, run).is_some() {
                self.add_places(place, &mut pages);
            }
            from = end + 1;
        }
        pages
    }

    fn add_places(&self, word: usize, pages: &mut Pages) {
        let start = self.starts.get(word).map_or(usize::MAX, |start| *start as usize);
        let Some((header, rest)) = self.places.get(start..).and_then(read_number) else { return };
        let listed = rest.get(..header as usize >> 1).unwrap_or_default();
        match header & 1 {
            0 => for_each_listed(listed, |page| pages.add(page)),
            _ => pages.0.iter_mut().zip(listed).for_each(|(page, listed)| *page |= listed),
        }
    }

    /// How many pages it is about.
    pub(crate) fn pages(&self) -> u32 {
        self.pages
    }

    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.places.len() + 8 * self.ends.len() + self.open.0.len()
    }

    /// Clear text: a name, then the number of pages, the length of the words and of their places
    /// (u32, little-endian), then the open pages, the words and the places.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for number in [self.pages, self.text.len() as u32, self.places.len() as u32] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.open.0);
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&self.places);
        out
    }

    /// Reads back what [`to_bytes`](Self::to_bytes) wrote; `None` for anything else. No bytes make
    /// it panic, then or later.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (numbers, rest) = rest.split_first_chunk::<12>()?;
        let number = |at: usize| {
            let bytes = numbers.get(at..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        let (pages, text, places) = (number(0), number(4) as usize, number(8) as usize);
        let (open, rest) = rest.split_at_checked((pages as usize).div_ceil(8))?;
        let (text, rest) = rest.split_at_checked(text)?;
        let open = Pages(open.to_vec());
        (rest.len() == places).then(|| Self::index(pages, open, text.into(), rest.into()))?
    }
}

#[cfg(test)]
mod tests;
