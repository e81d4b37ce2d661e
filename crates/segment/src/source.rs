//! Where a segment's bytes come from: whoever can read at an offset.
//!
//! No files here: `store` implements [`Source`] for whatever it keeps bytes in.

use std::io::{self, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::buf::Reader;
use bytes::{Buf as _, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// Bytes that do not change while they are read.
pub trait Source: Send + Sync {
    /// How many there are.
    fn size(&self) -> u64;

    /// Reads from `offset` on into `buffer`; returns how many bytes were read, 0 only at the end.
    ///
    /// # Errors
    /// Whatever keeps the bytes from being read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl Source for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(from..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// Sources that lend out a source.
macro_rules! lend {
    ($($owner:ty),*) => {$(
        impl Source for $owner {
            fn size(&self) -> u64 {
                self[..].size()
            }

            fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
                self[..].read_at(offset, buffer)
            }
        }
    )*};
}

lend!(Vec<u8>, Bytes);

impl<S: Source + ?Sized> Source for Arc<S> {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, buffer)
    }
}

/// Fills `buffer` from `offset` on.
pub(crate) fn read_exact_at(
    source: &dyn Source,
    mut offset: u64,
    mut buffer: &mut [u8],
) -> io::Result<()> {
    while !buffer.is_empty() {
        match source.read_at(offset, buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                offset += length as u64;
                buffer = buffer.get_mut(length..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The error with which a source failed, kept because the Parquet reader hands on only its text.
#[derive(Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    /// What happened since the last call.
    pub(crate) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notes an error, and returns one like it. Bytes that are missing are damage, not a failure.
    fn note(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        if kind == io::ErrorKind::UnexpectedEof {
            return error;
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        kind.into()
    }
}

/// A source as the Parquet reader wants it.
#[derive(Clone)]
pub(crate) struct Chunks {
    source: Arc<dyn Source>,
    failure: Failure,
    /// Whether every read begins with an encrypted module: true once the footer was read.
    modules: bool,
    /// Bytes that were read ahead, each with its offset.
    held: Arc<[(u64, Bytes)]>,
}

/// Bytes of the length that each encrypted module begins with.
const LENGTH_BYTES: usize = 4;

impl Chunks {
    /// For reading the footer and the page index.
    pub(crate) fn of_footer(source: Arc<dyn Source>) -> Self {
        Self { source, failure: Failure::default(), modules: false, held: Arc::default() }
    }

    /// For reading pages.
    pub(crate) fn of_pages(source: Arc<dyn Source>) -> Self {
        Self { source, failure: Failure::default(), modules: true, held: Arc::default() }
    }

    /// Reads these ranges (offset and length, ascending) in as few steps as possible and answers
    /// from memory what lies within them: a page header is some 100 bytes, and reading each by
    /// itself costs more than decoding it.
    pub(crate) fn hold(&mut self, ranges: &[(u64, u64)]) -> Result<()> {
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (start, length) in ranges.iter().copied() {
            match joined.last_mut() {
                Some((first, so_far)) if *first + *so_far == start => *so_far += length,
                _ => joined.push((start, length)),
            }
        }
        let held: Result<Vec<_>> = joined
            .into_iter()
            .map(|(start, length)| {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                Ok((start, self.read(start, length)?))
            })
            .collect();
        self.held = held?.into();
        Ok(())
    }

    /// Bytes that are held, from `start` on; at least one.
    fn held(&self, start: u64) -> Option<Bytes> {
        let at = self.held.partition_point(|(first, _)| *first <= start).checked_sub(1)?;
        let (first, bytes) = self.held.get(at)?;
        let from = usize::try_from(start - first).ok().filter(|from| *from < bytes.len())?;
        Some(bytes.slice(from..))
    }

    fn read(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.saturating_add(length as u64) > self.source.size() {
            let what = format!("bytes {start} to {start}+{length} lie behind the end");
            return Err(ParquetError::EOF(what));
        }
        let mut buffer = vec![0; length];
        self.fill(start, &mut buffer)?;
        Ok(buffer.into())
    }

    /// Where errors of the source are noted.
    pub(crate) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    fn fill(&self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        read_exact_at(&*self.source, start, buffer).map_err(|error| self.failure.note(error))
    }

    /// Checks the length of the module at `start` against the `available` bytes there. The Parquet
    /// reader allocates what the length says, up to 4 GiB, before anything was authenticated.
    fn check_module(&self, head: [u8; LENGTH_BYTES], start: u64, available: u64) -> Result<()> {
        let length = u64::from(u32::from_le_bytes(head));
        if self.modules && length + LENGTH_BYTES as u64 > available {
            let what = format!(
                "the module at byte {start} says it is {length} bytes long, {available} are there"
            );
            return Err(ParquetError::General(what));
        }
        Ok(())
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.source.size()
    }
}

impl ChunkReader for Chunks {
    type T = Onwards;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        if let Some(held) = self.held(start) {
            if let Some(head) = held.first_chunk() {
                self.check_module(*head, start, self.source.size().saturating_sub(start))?;
            }
            return Ok(Onwards::Held(held.reader()));
        }
        if self.modules {
            let mut head = [0; LENGTH_BYTES];
            self.fill(start, &mut head)?;
            self.check_module(head, start, self.source.size().saturating_sub(start))?;
        }
        // Headers of pages are what is read this way, and they are about 100 bytes long.
        let (source, failure) = (Arc::clone(&self.source), self.failure.clone());
        let from = ReadFrom { source, failure, at: start };
        Ok(Onwards::Source(BufReader::with_capacity(512, from)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let held = self.held(start).filter(|held| held.len() >= length);
        let bytes = match held {
            Some(held) => held.slice(..length),
            None => self.read(start, length)?,
        };
        if let Some(head) = bytes.first_chunk() {
            self.check_module(*head, start, length as u64)?;
        }
        Ok(bytes)
    }
}

/// Reads onwards from a place, in memory or in the source.
pub(crate) enum Onwards {
    Held(Reader<Bytes>),
    Source(BufReader<ReadFrom>),
}

impl Read for Onwards {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Held(held) => held.read(buffer),
            Self::Source(source) => source.read(buffer),
        }
    }
}

/// Reads onwards from a place in the source.
pub(crate) struct ReadFrom {
    source: Arc<dyn Source>,
    failure: Failure,
    at: u64,
}

impl Read for ReadFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_at(self.at, buffer);
        let length = read.map_err(|error| self.failure.note(error))?;
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time.
    struct Slow(Vec<u8>);

    impl Source for Slow {
        fn size(&self) -> u64 {
            self.0.size()
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(1);
            self.0.read_at(offset, &mut buffer[..length])
        }
    }

    #[test]
    fn short_reads_are_continued() {
        let chunks = Chunks::of_footer(Arc::new(Slow(b"0123456789".to_vec())));
        assert_eq!(chunks.get_bytes(2, 5).unwrap(), &b"23456"[..]);
        let mut text = String::new();
        chunks.get_read(7).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "789");
    }

    #[test]
    fn reads_behind_the_end_are_refused_before_anything_is_allocated() {
        let chunks = Chunks::of_footer(Arc::new(b"0123".to_vec()));
        assert!(chunks.get_bytes(2, usize::MAX / 2).is_err());
        assert!(chunks.get_bytes(u64::MAX, 1).is_err());
        assert_eq!(chunks.get_bytes(4, 0).unwrap().len(), 0);
    }

    #[test]
    fn what_is_held_reads_as_the_source_does() {
        let source = Arc::new((0..=255).collect::<Vec<u8>>());
        let plain = Chunks::of_footer(source.clone());
        let mut held = Chunks::of_footer(source);
        held.hold(&[(10, 5), (15, 20), (100, 3)]).unwrap();
        assert_eq!(held.held.len(), 2);
        for start in 0..256 {
            for length in 0..=(256 - start).min(40) {
                let read = |chunks: &Chunks| chunks.get_bytes(start as u64, length).unwrap();
                assert_eq!(read(&held), read(&plain), "{start} {length}");
            }
            let first = |chunks: &Chunks| {
                let mut one = [0];
                chunks.get_read(start as u64).unwrap().read_exact(&mut one).unwrap();
                one
            };
            assert_eq!(first(&held), first(&plain));
        }
        assert!(held.hold(&[(250, 7)]).is_err());
    }

    #[test]
    fn modules_longer_than_their_place_are_refused() {
        let with_length = |length: u32| [&length.to_le_bytes()[..], b"abcdef"].concat();
        let sound = Chunks::of_pages(Arc::new(with_length(6)));
        assert!(sound.get_bytes(0, 10).is_ok());
        assert!(sound.get_read(0).is_ok());
        assert!(sound.get_bytes(0, 9).is_err());
        let hostile = Chunks::of_pages(Arc::new(with_length(u32::MAX)));
        assert!(hostile.get_bytes(0, 10).is_err());
        assert!(hostile.get_read(0).is_err());
    }
}
