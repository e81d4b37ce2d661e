//! Guides: what leads to the rows of a segment without reading it. They are made from the segment,
//! by the first who needs them, and kept in the log's `cache/`.
//!
//! A guide tells which ids and words occur, so it is encrypted, with a key made from the key of its
//! segment: once that is destroyed, nobody reads the guide either. A guide that is missing or does
//! not open is made again; one that cannot be written is none the worse for this answer.

use crate::codes::{self, Codes};
use crate::filter::words::Words;
use crate::vocabulary::{self, PAGE_ROWS, Pages, Vocabulary};
use keys::{DataKey, Entropy, HmacKey, KeyId, SecretKey};
use segment::{IdFilters, IdKind, Projection, ROW_GROUP_ROWS_MAX, Segment, SegmentError};
use siphasher::sip::SipHasher13;
use std::hash::Hasher as _;
use std::sync::Arc;
use store::{CACHE_FOLDER, Folder};

const KEY_LABEL: &[u8] = b"tachograph/cache/guide/v1";
const HASH_LABEL: &[u8] = b"tachograph/cache/guide/hash/v1";
const WORDS_MAGIC: &[u8; 8] = b"tachowg1";
const NONCE_BYTES: usize = 12;

/// Most bytes of a file that is taken for a guide: one of 20 million rows takes 160 MB.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Pages of a row group.
pub(crate) const GROUP_PAGES: u32 = (ROW_GROUP_ROWS_MAX as u32).div_ceil(PAGE_ROWS);

/// Where guides are kept.
#[derive(Clone)]
pub(crate) struct Cache {
    pub(crate) folder: Arc<dyn Folder>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// What a guide is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Ids and names: [`IdGuide`].
    Ids,
    /// Words: [`WordGuide`].
    Words,
}

/// Which row groups may hold an id.
pub(crate) struct IdGuide {
    filters: IdFilters,
    hash: (u64, u64),
}

/// Which pages may hold a word: those without digits, and those with them.
pub(crate) struct WordGuide {
    vocabulary: Vocabulary,
    codes: Codes,
}

/// A guide of either kind.
pub(crate) trait Guide: Sized {
    const TOPIC: Topic;

    /// Makes it from the segment; tells `progress` of every so many rows.
    fn make(
        segment: &Segment,
        key: &SecretKey,
        progress: &dyn Fn(u64),
    ) -> Result<Self, SegmentError>;

    /// `None` unless these are the bytes of a guide of this segment.
    fn read(segment: &Segment, key: &SecretKey, bytes: &[u8]) -> Option<Self>;

    /// Its bytes in clear text.
    fn write(&self) -> Vec<u8>;

    /// Bytes that it takes in memory.
    fn bytes(&self) -> usize;
}

fn hash_key(key: &SecretKey) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, rest @ ..] = HmacKey::new(key.expose()).sign(&[HASH_LABEL]);
    let second = rest.first_chunk().copied().unwrap_or_default();
    (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes(second))
}

fn hash((one, other): (u64, u64), kind: IdKind, id: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(one, other);
    hasher.write_u8(kind as u8);
    hasher.write(id.as_bytes());
    hasher.finish()
}

impl IdGuide {
    /// The row groups that may hold an id.
    pub(crate) fn may_hold(&self, kind: IdKind, id: &str) -> impl Iterator<Item = usize> + '_ {
        self.filters.may_hold(kind, hash(self.hash, kind, id))
    }
}

impl Guide for IdGuide {
    const TOPIC: Topic = Topic::Ids;

    fn make(
        segment: &Segment,
        key: &SecretKey,
        progress: &dyn Fn(u64),
    ) -> Result<Self, SegmentError> {
        let key = hash_key(key);
        let filters = IdFilters::from_segment(segment, |kind, id| hash(key, kind, id))?;
        progress(segment.row_count());
        Ok(Self { filters, hash: key })
    }

    fn read(segment: &Segment, key: &SecretKey, bytes: &[u8]) -> Option<Self> {
        let filters = IdFilters::from_bytes(bytes).ok()?;
        let is_its = filters.groups() == segment.footer().num_row_groups();
        is_its.then(|| Self { filters, hash: hash_key(key) })
    }

    fn write(&self) -> Vec<u8> {
        self.filters.to_bytes()
    }

    fn bytes(&self) -> usize {
        self.filters.bytes()
    }
}

impl WordGuide {
    /// The pages that may hold all words of a question, [`GROUP_PAGES`] to a row group; `None` when
    /// it cannot be told.
    pub(crate) fn may_hold(&self, words: &Words) -> Option<Pages> {
        let (mut one, other) = (self.vocabulary.may_hold(words), self.codes.may_hold(words));
        match (&mut one, other) {
            (Some(one), Some(other)) => one.and(&other),
            (one, other) => *one = one.take().or(other),
        }
        one
    }

    /// A name, the length of the words (u32, little-endian), the words, and the filters.
    fn to_bytes(&self) -> Vec<u8> {
        let words = self.vocabulary.to_bytes();
        // Words have a limit in all.
        let length = u32::try_from(words.len()).unwrap_or(u32::MAX);
        let codes = self.codes.to_bytes();
        [WORDS_MAGIC.as_slice(), &length.to_le_bytes(), &words, &codes].concat()
    }

    /// Reads back what [`to_bytes`](Self::to_bytes) wrote for a segment with so many pages.
    fn from_bytes(pages: u32, bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.strip_prefix(WORDS_MAGIC)?.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (words, codes) = rest.split_at_checked(length)?;
        let vocabulary = Vocabulary::from_bytes(words).filter(|it| it.pages() == pages)?;
        Some(Self { vocabulary, codes: Codes::from_bytes(pages, codes)? })
    }
}

/// For a fuzz target: reads a guide to the words of a segment with so many pages, and asks it.
/// Returns what it writes, and how many pages may hold the words if that can be told.
#[cfg(fuzzing)]
#[must_use]
pub fn ask_guide(pages: u32, bytes: &[u8], question: &str) -> Option<(Vec<u8>, Option<u32>)> {
    let guide = WordGuide::from_bytes(pages, bytes)?;
    let named = guide.may_hold(&Words::parse(question));
    let count = |named: Pages| (0..u32::from(u16::MAX)).filter(|page| named.has(*page)).count();
    Some((guide.to_bytes(), named.map(|named| count(named) as u32)))
}

/// Whether a guide can say anything about a question.
pub(crate) fn decides(words: &Words) -> bool {
    vocabulary::decides(words) || codes::decides(words)
}

fn pages_of(segment: &Segment) -> u32 {
    let groups = u32::try_from(segment.footer().num_row_groups()).unwrap_or(u32::MAX);
    groups.saturating_mul(GROUP_PAGES)
}

impl Guide for WordGuide {
    const TOPIC: Topic = Topic::Words;

    fn make(
        segment: &Segment,
        _: &SecretKey,
        progress: &dyn Fn(u64),
    ) -> Result<Self, SegmentError> {
        let mut words = vocabulary::Collector::new();
        let mut codes = codes::Collector::default();
        let (mut group, mut position) = (0_usize, 0_u32);
        for row in segment.rows(.., Projection::All)? {
            let row = row?;
            while position >= segment.rows_of(group).max(1) && group < usize::MAX {
                (group, position) = (group + 1, 0);
            }
            let page = group as u32 * GROUP_PAGES + position / PAGE_ROWS;
            for json in [row.meta.as_slice(), row.content.bytes()] {
                words.add(page, json);
                codes.add(page, json);
            }
            position += 1;
            if position.is_multiple_of(PAGE_ROWS) {
                progress(PAGE_ROWS.into());
            }
        }
        let pages = pages_of(segment);
        Ok(Self { vocabulary: words.finish(pages), codes: codes.finish(pages) })
    }

    fn read(segment: &Segment, _: &SecretKey, bytes: &[u8]) -> Option<Self> {
        Self::from_bytes(pages_of(segment), bytes)
    }

    fn write(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn bytes(&self) -> usize {
        self.vocabulary.bytes() + self.codes.bytes()
    }
}

impl Topic {
    /// The path of the guide of the segment with this key.
    pub(crate) fn path(self, key_id: KeyId) -> String {
        let name = match self {
            Self::Ids => "filters",
            Self::Words => "words",
        };
        format!("{CACHE_FOLDER}/{name}-{key_id}")
    }
}

impl Cache {
    /// The bytes of a guide, if it is there and nobody changed it.
    pub(crate) fn load(&self, path: &str, key: &SecretKey) -> Option<Vec<u8>> {
        self.folder.size(path).ok()?.filter(|bytes| *bytes <= FILE_BYTES_MAX)?;
        let mut bytes = self.folder.read(path).ok()??;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_BYTES>()?;
        let plain = data_key(key).open_in_place(*nonce, path.as_bytes(), sealed).ok()?.len();
        bytes.drain(..NONCE_BYTES);
        bytes.truncate(plain);
        Some(bytes)
    }

    /// Keeps a guide. Whether it worked does not matter.
    pub(crate) fn keep(&self, path: &str, key: &SecretKey, plain: &[u8]) {
        let Ok(nonce) = keys::random::<NONCE_BYTES>(&*self.entropy) else { return };
        let mut bytes = Vec::with_capacity(NONCE_BYTES + plain.len() + 16);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(plain);
        let buffer = bytes.get_mut(NONCE_BYTES..).unwrap_or_default();
        let sealed = data_key(key).seal_in_place_separate_tag(nonce, path.as_bytes(), buffer);
        if let Ok(tag) = sealed {
            bytes.extend_from_slice(&tag);
            let _ = self.folder.write(path, &bytes);
        }
    }
}

fn data_key(key: &SecretKey) -> DataKey {
    DataKey::new(&SecretKey::new(HmacKey::new(key.expose()).sign(&[KEY_LABEL])))
}
