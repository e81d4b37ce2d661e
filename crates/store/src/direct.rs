//! A file written past the page cache (`O_DIRECT`): the journal is written once and read only after
//! a restart, and copying it into fresh cache pages cost more CPU than hashing it (measured: 1.2 of
//! 4 us an event).
//!
//! Direct writes come in whole blocks at block boundaries, from aligned memory. So the last, partly
//! filled block stays here and is written again together with what follows it: a torn write of that
//! block leaves either of two contents that agree on every byte that was durable before. File
//! systems that refuse `O_DIRECT` (tmpfs) get the same writes through the cache.

use crate::error::StoreError;
use crate::folder::{BLOCK_BYTES, WriteFile};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

const BLOCK: usize = BLOCK_BYTES as usize;
/// Bytes that one call writes at most: enough for full disk speed, and a larger frame, of which
/// there are few, needs no buffer of its own size.
const WRITE_BYTES_MAX: usize = 4 << 20;
/// Buffers are made in steps of this many bytes, so that frames of about one size share one.
const BUFFER_BYTES_STEP: usize = 1 << 20;

pub(crate) struct DirectFile {
    file: File,
    path: String,
    buffer: Vec<u8>,
    /// Where the block in `tail` begins in the file.
    tail_at: u64,
    /// The bytes of the last, partly filled block.
    tail: Vec<u8>,
}

impl DirectFile {
    pub(crate) fn open(at: &Path, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        let open =
            |flags: i32| OpenOptions::new().read(true).write(true).custom_flags(flags).open(at);
        let direct = i32::try_from(rustix::fs::OFlags::DIRECT.bits()).unwrap_or(0);
        let file = match open(direct) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => open(0),
            other => other,
        };
        let file = file.map_err(StoreError::io("open", path))?;
        let path = path.to_owned();
        Ok(Box::new(Self { file, path, buffer: Vec::new(), tail_at: u64::MAX, tail: Vec::new() }))
    }

    /// The bytes between the block boundary before `offset` and `offset`.
    fn load_tail(&mut self, offset: u64) -> io::Result<()> {
        let (block, inside) = (offset / BLOCK_BYTES * BLOCK_BYTES, offset % BLOCK_BYTES);
        let inside = usize::try_from(inside).unwrap_or(0);
        if self.tail_at == block && self.tail.len() == inside {
            return Ok(());
        }
        self.tail_at = block;
        self.tail.clear();
        if inside > 0 {
            let start = self.aligned(BLOCK);
            let room = &mut self.buffer[start..start + BLOCK];
            room.fill(0);
            let mut filled = 0;
            while filled < inside {
                // A direct read ends at the end of the file, never in the middle of a block before
                // it.
                match self.file.read_at(&mut room[filled..], block + filled as u64) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            self.tail.extend_from_slice(&self.buffer[start..start + inside]);
        }
        Ok(())
    }

    /// Makes room for `bytes` in the buffer and returns where its aligned part begins.
    fn aligned(&mut self, bytes: usize) -> usize {
        if self.buffer.len() < bytes + BLOCK {
            // A fresh buffer: growing would copy bytes that are about to be overwritten.
            self.buffer = vec![0; (bytes + BLOCK).next_multiple_of(BUFFER_BYTES_STEP)];
        }
        self.buffer.as_ptr().align_offset(BLOCK)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut at = offset;
        for piece in bytes.chunks(WRITE_BYTES_MAX) {
            self.write_piece(at, piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    fn write_piece(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.load_tail(offset)?;
        let inside = self.tail.len();
        let filled = inside + bytes.len();
        let whole = filled.next_multiple_of(BLOCK);
        let start = self.aligned(whole);
        let room = &mut self.buffer[start..start + whole];
        room[..inside].copy_from_slice(&self.tail);
        room[inside..filled].copy_from_slice(bytes);
        room[filled..].fill(0);
        self.file.write_all_at(room, self.tail_at)?;
        let full = filled / BLOCK * BLOCK;
        self.tail.clear();
        self.tail.extend_from_slice(&self.buffer[start + full..start + filled]);
        self.tail_at += full as u64;
        Ok(())
    }
}

impl WriteFile for DirectFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(offset, bytes).map_err(StoreError::io("write", &self.path))
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.file.sync_data().map_err(StoreError::io("sync", &self.path))
    }

    fn set_size(&mut self, size: u64) -> Result<(), StoreError> {
        self.tail_at = u64::MAX;
        self.file.set_len(size).map_err(StoreError::io("cut", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appending_in_pieces_of_any_size_gives_their_concatenation() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("f");
        File::create(&at).unwrap();
        let mut file = DirectFile::open(&at, "f").unwrap();
        let mut wanted = Vec::new();
        for (round, length) in
            [1, 4095, 1, 0, 4096, 5000, 64, 12_288, 3, 9_000_001, 100_000].into_iter().enumerate()
        {
            let piece: Vec<u8> = (0..length).map(|n| (n * 7 + round) as u8).collect();
            file.write_at(wanted.len() as u64, &piece).unwrap();
            wanted.extend_from_slice(&piece);
            file.sync().unwrap();
            let read = std::fs::read(&at).unwrap();
            assert_eq!(read.len() % BLOCK, 0);
            assert!(
                read.starts_with(&wanted) && read[wanted.len()..].iter().all(|byte| *byte == 0)
            );
        }
        file.set_size(wanted.len() as u64).unwrap();
        drop(file);
        let mut file = DirectFile::open(&at, "f").unwrap();
        file.write_at(wanted.len() as u64, b"after reopening").unwrap();
        wanted.extend_from_slice(b"after reopening");
        assert!(std::fs::read(&at).unwrap().starts_with(&wanted));
    }
}
