//! What is kept in `cache/` about spans of records that left the journal, so that a start need not
//! read them again: a file for each span, encrypted and authenticated. One that is missing, damaged
//! or of another history costs time and nothing else.

use keys::{DataKey, Entropy, HmacKey, SecretKey};
use store::{CACHE_FOLDER, Folder};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The files of one kind, of one log.
pub(crate) struct Spans<'c> {
    folder: &'c dyn Folder,
    kind: String,
    key: DataKey,
}

/// The records from `first` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) end: u64,
}

impl<'c> Spans<'c> {
    /// Those in a log's folder, under a key made from the log's idempotency secret.
    pub(crate) fn new(folder: &'c dyn Folder, secret: &[u8; 32], kind: String) -> Self {
        let label = format!("tachograph/cache/{kind}/v1");
        let key = SecretKey::new(HmacKey::new(secret).sign(&[label.as_bytes()]));
        Self { folder, kind, key: DataKey::new(&key) }
    }

    fn path(&self, span: Span) -> String {
        format!("{CACHE_FOLDER}/{}-{:020}-{:020}", self.kind, span.first, span.end)
    }

    /// The spans that there are files of, in order.
    pub(crate) fn all(&self) -> Vec<Span> {
        let listing = self.folder.list(CACHE_FOLDER).unwrap_or_default();
        listing.iter().filter_map(|path| self.parse(path)).collect()
    }

    fn parse(&self, path: &str) -> Option<Span> {
        let rest = path.strip_prefix(CACHE_FOLDER)?.strip_prefix('/')?;
        let rest = rest.strip_prefix(&self.kind)?.strip_prefix('-')?;
        let (first, end) = rest.split_once('-')?;
        let span = Span { first: first.parse().ok()?, end: end.parse().ok()? };
        (self.path(span) == path).then_some(span)
    }

    /// Keeps what `fill` writes, about `room` bytes of it, together with what it holds for (`of`,
    /// which must be known to read it). Whether it worked does not matter.
    pub(crate) fn keep(
        &self,
        span: Span,
        of: &[u8],
        room: usize,
        fill: impl FnOnce(&mut Vec<u8>),
        entropy: &dyn Entropy,
    ) {
        let Ok(nonce) = keys::random::<NONCE_BYTES>(entropy) else { return };
        let mut bytes = Vec::with_capacity(NONCE_BYTES + room + TAG_BYTES);
        bytes.extend_from_slice(&nonce);
        fill(&mut bytes);
        let path = self.path(span);
        let plain = bytes.get_mut(NONCE_BYTES..).unwrap_or_default();
        let bound = bound(&path, of);
        let Ok(tag) = self.key.seal_in_place_separate_tag(nonce, &bound, plain) else { return };
        bytes.extend_from_slice(&tag);
        let _ = self.folder.write(&path, &bytes);
    }

    /// What was kept about a span, if it is whole and holds for `of`.
    pub(crate) fn read(&self, span: Span, of: &[u8]) -> Option<Vec<u8>> {
        let path = self.path(span);
        let mut bytes = self.folder.read(&path).ok()??;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_BYTES>()?;
        let plain = self.key.open_in_place(*nonce, &bound(&path, of), sealed).ok()?;
        Some(plain.to_vec())
    }

    pub(crate) fn remove(&self, span: Span) {
        let _ = self.folder.remove(&self.path(span));
    }
}

fn bound(path: &str, of: &[u8]) -> Vec<u8> {
    [path.as_bytes(), of].concat()
}
