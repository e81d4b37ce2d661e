//! Which tiles and bundles exist at a tree size, and which are new since another.
//!
//! C2SP `tlog-tiles`, "Partial Tiles". Names are in `coordinate.rs`.

use crate::coordinate::{BundleCoordinate, TILE_HEIGHT, TILE_WIDTH, TileCoordinate};

/// Width of the right-most, partial tile at a tile level: 0 (there is none) to 255.
///
/// Level 0 also gives the width of the partial entry bundle.
#[must_use]
pub fn partial_width(size: u64, level: u8) -> u16 {
    (nodes_at(size, level) % u64::from(TILE_WIDTH)) as u16
}

/// Every tile of a tree of `size`: level by level, full ones first, then the partial one.
pub fn tiles_of_size(size: u64) -> impl Iterator<Item = TileCoordinate> {
    tiles_added(0, size)
}

/// Every entry bundle of a tree of `size`: full ones first, then the partial one.
pub fn bundles_of_size(size: u64) -> impl Iterator<Item = BundleCoordinate> {
    bundles_added(0, size)
}

/// The tiles that a tree of `new_size` has and its prefix of `old_size` has not.
///
/// Nothing when the tree did not grow.
pub fn tiles_added(old_size: u64, new_size: u64) -> impl Iterator<Item = TileCoordinate> {
    (0..8_u8).flat_map(move |level| {
        let added = added(nodes_at(old_size, level), nodes_at(new_size, level));
        added.map(move |(number, width)| TileCoordinate::known(level, number, width))
    })
}

/// The bundles that a tree of `new_size` has and its prefix of `old_size` has not.
///
/// Nothing when the tree did not grow.
pub fn bundles_added(old_size: u64, new_size: u64) -> impl Iterator<Item = BundleCoordinate> {
    added(old_size, new_size).map(|(number, width)| BundleCoordinate::known(number, width))
}

/// How many hashes a tile level has at a size; 64-bit sizes fill levels 0 to 7 only.
fn nodes_at(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0)
}

/// The (number, width) of tiles that exist over `new` items and not over `old`.
fn added(old: u64, new: u64) -> impl Iterator<Item = (u64, u16)> {
    let width = u64::from(TILE_WIDTH);
    let partial =
        (new > old && !new.is_multiple_of(width)).then_some((new / width, (new % width) as u16));
    let full = if new > old { old / width..new / width } else { 0..0 };
    full.map(|number| (number, TILE_WIDTH)).chain(partial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn paths(tiles: impl Iterator<Item = TileCoordinate>) -> Vec<String> {
        tiles.map(|tile| tile.path()).collect()
    }

    #[test]
    fn size_70_000_has_the_tiles_that_the_specification_lists() {
        let tiles = paths(tiles_of_size(70_000));
        assert_eq!(tiles.len(), 273 + 1 + 1 + 1 + 1);
        assert_eq!(tiles[272], "tile/0/272");
        assert_eq!(
            tiles[273..],
            ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
        );
        let bundles: Vec<_> = bundles_of_size(70_000).map(|bundle| bundle.path()).collect();
        assert_eq!(bundles.len(), 274);
        assert_eq!(bundles[273], "tile/entries/273.p/112");
    }

    #[test]
    fn small_sizes_have_no_empty_tile() {
        assert!(paths(tiles_of_size(0)).is_empty());
        assert_eq!(bundles_of_size(0).count(), 0);
        assert_eq!(paths(tiles_of_size(1)), ["tile/0/000.p/1"]);
        assert_eq!(paths(tiles_of_size(255)), ["tile/0/000.p/255"]);
        assert_eq!(paths(tiles_of_size(256)), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(paths(tiles_of_size(257)), ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]);
    }

    #[test]
    fn the_largest_size_ends_at_level_seven() {
        let widths: Vec<u16> = (0..10).map(|level| partial_width(u64::MAX, level)).collect();
        assert_eq!(widths, [255, 255, 255, 255, 255, 255, 255, 255, 0, 0]);
        assert_eq!(partial_width(u64::MAX, 255), 0);
    }

    #[test]
    fn added_tiles_are_exactly_the_difference() {
        for (old, new) in [(0, 1), (1, 1), (5, 3), (255, 256), (256, 257), (1, 70_000), (512, 800)]
        {
            let before: BTreeSet<_> = tiles_of_size(old).collect();
            let expected: BTreeSet<_> = if new > old {
                tiles_of_size(new).filter(|tile| !before.contains(tile)).collect()
            } else {
                BTreeSet::new()
            };
            assert_eq!(tiles_added(old, new).collect::<BTreeSet<_>>(), expected, "{old} {new}");
        }
    }
}
