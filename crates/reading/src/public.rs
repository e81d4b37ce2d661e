//! Files of the public log as a checkpoint needs them, when a newer one has been published since.
//!
//! A log keeps the partial tiles of its published checkpoint only. What an older one needs is the
//! beginning of a wider form of the same tile, byte for byte: entries and hashes never change.

use event::ENTRY_BYTES;
use merkle::{HASH_SIZE, TilePath};
use store::{Folder, StoreError};

/// Looks at most: a log that publishes at this very moment tidies up what was just listed.
const LOOKS_MAX: usize = 4;
/// Bytes of an entry in a bundle: its length, and itself.
const UNIT_BYTES: usize = 2 + ENTRY_BYTES;

/// A tile or bundle; where its partial form was tidied away, the beginning of a wider one. `None`
/// when there is neither.
///
/// # Errors
/// [`StoreError`] when the folder cannot be read.
pub fn public_file(folder: &dyn Folder, wanted: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
    let (path, full, width, unit) = match wanted {
        TilePath::Tile(it) => (it.path(), it.to_full().path(), it.width(), HASH_SIZE),
        TilePath::Bundle(it) => (it.path(), it.to_full().path(), it.width(), UNIT_BYTES),
    };
    let bytes = usize::from(width) * unit;
    for _ in 0..LOOKS_MAX {
        if let Some(own) = folder.read(&path)? {
            return Ok(Some(own));
        }
        if path == full {
            return Ok(None);
        }
        let mut wider = folder.list(&format!("{full}.p"))?;
        wider.retain(|path| path.parse().is_ok_and(|it| width_of(it) > width));
        let is_any = !wider.is_empty();
        for candidate in std::iter::once(&full).chain(&wider) {
            if let Some(mut found) = folder.read(candidate)?
                && found.len() >= bytes
            {
                found.truncate(bytes);
                return Ok(Some(found));
            }
        }
        // One that was listed and is gone has become a wider one still; else there is none.
        if !is_any {
            return Ok(None);
        }
    }
    Ok(None)
}

fn width_of(path: TilePath) -> u16 {
    match path {
        TilePath::Tile(it) => it.width(),
        TilePath::Bundle(it) => it.width(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::MemoryFolder;

    fn folder(files: &[(&str, usize)]) -> MemoryFolder {
        let bytes = |length: usize| (0..length).map(|at| (at / HASH_SIZE) as u8).collect();
        let files = files.iter().map(|(path, length)| ((*path).to_owned(), bytes(*length)));
        MemoryFolder::from_files(files.collect())
    }

    #[test]
    fn a_partial_tile_that_is_gone_is_the_beginning_of_a_wider_one() {
        let read = |folder: &MemoryFolder, path: &str| {
            public_file(folder, path.parse().unwrap()).unwrap().map(|bytes| bytes.len())
        };
        let one = folder(&[("tile/0/001.p/9", 9 * HASH_SIZE), ("tile/0/001.p/30", 30 * HASH_SIZE)]);
        for (width, length) in [(9, Some(9)), (10, Some(10)), (30, Some(30)), (31, None)] {
            let length = length.map(|length| length * HASH_SIZE);
            assert_eq!(read(&one, &format!("tile/0/001.p/{width}")), length, "{width}");
        }
        assert_eq!(read(&one, "tile/0/001"), None);
        let whole = folder(&[("tile/entries/000", 256 * UNIT_BYTES)]);
        assert_eq!(read(&whole, "tile/entries/000.p/7"), Some(7 * UNIT_BYTES));
        assert_eq!(read(&whole, "tile/entries/001.p/7"), None);
        // The bytes are those of the beginning.
        let bytes = public_file(&one, "tile/0/001.p/12".parse().unwrap()).unwrap().unwrap();
        assert_eq!((bytes[0], bytes.last()), (0, Some(&11)));
    }
}
