//! One file's bytes twice: as everybody reads them, and as the disk has them.

use crate::random::Random;

/// What a disk writes at once or not at all.
pub(super) const SECTOR_BYTES: u64 = 512;

/// A change of a file that was not synced yet.
#[derive(Clone, Debug)]
enum Change {
    Bytes { offset: u64, bytes: Vec<u8> },
    Size(u64),
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    /// What a read gives: the page cache.
    visible: Vec<u8>,
    /// What a power cut leaves at least of it.
    durable: Vec<u8>,
    /// In the order in which they were made.
    unsynced: Vec<Change>,
}

/// How much of what was not synced a power cut spares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mercy {
    /// Of a hundred changes, so many survive at least in part.
    pub(super) percent: u64,
}

impl Mercy {
    /// Usually some; sometimes all or nothing, which hides or shows other faults.
    pub(super) fn draw(random: &mut Random) -> Self {
        Self { percent: random.one_of(&[0, 10, 50, 50, 90, 100]).copied().unwrap_or(50) }
    }
}

impl Image {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.visible
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        put(&mut self.visible, offset, bytes);
        self.unsynced.push(Change::Bytes { offset, bytes: bytes.to_vec() });
    }

    pub(super) fn set_size(&mut self, size: u64) {
        self.visible.resize(index(size), 0);
        self.unsynced.push(Change::Size(size));
    }

    /// Everything that is not on the disk yet goes there.
    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            apply(&mut self.durable, &change);
        }
    }

    /// A sync that fails: what it should have written is forgotten, and lies on the disk or not. It
    /// can still be read, until the cache is dropped.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        let mercy = Mercy::draw(random);
        for change in std::mem::take(&mut self.unsynced) {
            survive(&mut self.durable, &change, mercy, random);
        }
    }

    /// Clean pages are forgotten and read again from the disk.
    pub(super) fn drop_cache(&mut self) {
        self.visible.clone_from(&self.durable);
        for change in &self.unsynced {
            apply(&mut self.visible, change);
        }
    }

    /// The file after a power cut.
    pub(super) fn after_power_cut(&self, mercy: Mercy, random: &mut Random) -> Self {
        let mut durable = self.durable.clone();
        for change in &self.unsynced {
            survive(&mut durable, change, mercy, random);
        }
        Self { visible: durable.clone(), durable, unsynced: Vec::new() }
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn put(image: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let start = index(offset);
    let end = start.saturating_add(bytes.len());
    if image.len() < end {
        image.resize(end, 0);
    }
    if let Some(place) = image.get_mut(start..end) {
        place.copy_from_slice(bytes);
    }
}

fn apply(image: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Bytes { offset, bytes } => put(image, *offset, bytes),
        Change::Size(size) => image.resize(index(*size), 0),
    }
}

/// What of a change that was not synced reaches the disk when the power goes.
fn survive(image: &mut Vec<u8>, change: &Change, mercy: Mercy, random: &mut Random) {
    if !random.percent(mercy.percent) {
        return;
    }
    let (Change::Bytes { offset, bytes }, true) = (change, random.percent(60)) else {
        return apply(image, change);
    };
    let end = offset + bytes.len() as u64;
    // Sometimes the size reaches the disk although the bytes did not.
    if random.percent(30) && image.len() < index(end) {
        image.resize(index(end), 0);
    }
    // A tear in one place, or holes everywhere.
    let sectors = (offset / SECTOR_BYTES)..=(end.saturating_sub(1) / SECTOR_BYTES);
    let cut = random.percent(50).then(|| random.between(*sectors.start(), *sectors.end() + 1));
    for sector in sectors {
        let lands = cut.map_or_else(|| random.percent(50), |cut| sector < cut);
        let from = (sector * SECTOR_BYTES).max(*offset);
        let to = ((sector + 1) * SECTOR_BYTES).min(end);
        if lands && from < to {
            let part = bytes.get(index(from - offset)..index(to - offset)).unwrap_or_default();
            put(image, from, part);
        }
    }
}
