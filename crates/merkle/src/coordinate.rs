//! The names of tiles and entry bundles: C2SP `tlog-tiles`, "Merkle Tree" and "Log Entries".
//!
//! Only names: which tiles exist at a size is in `layout.rs`, what is in them in `bundle.rs` and
//! `tile_reader.rs`.

use core::fmt;
use core::str::FromStr;

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Tree levels that one tile level spans: `2^8 = 256`.
pub const TILE_HEIGHT: u8 = 8;

/// The highest tile level that a path may name.
pub const MAX_TILE_LEVEL: u8 = 63;

/// One tile of hashes: `tile/<L>/<N>[.p/<W>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileCoordinate {
    level: u8,
    number: u64,
    width: u16,
}

/// One bundle of entries: `tile/entries/<N>[.p/<W>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleCoordinate {
    number: u64,
    width: u16,
}

/// Anything below `tile/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TilePath {
    /// A tile of hashes.
    Tile(TileCoordinate),
    /// A bundle of entries.
    Bundle(BundleCoordinate),
}

/// Why numbers or text name no tile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoordinateError {
    /// The level is above 63.
    #[error("tile level {0} does not exist; levels run from 0 to 63")]
    Level(u8),
    /// The width is not 1 to 256.
    #[error("a tile of width {0} does not exist; widths run from 1 to 256")]
    Width(u16),
    /// The text is not the one spelling of a tile path.
    #[error(
        "{0:?} is not a tile path; expected tile/<level>/<number>[.p/<width>] or \
         tile/entries/<number>[.p/<width>] without superfluous digits"
    )]
    Path(String),
}

impl TileCoordinate {
    /// The tile at `level` and `number` with `width` hashes, 1 to 256.
    ///
    /// # Errors
    /// When the level is above 63 or the width is not 1 to 256.
    pub fn new(level: u8, number: u64, width: u16) -> Result<Self, CoordinateError> {
        if level > MAX_TILE_LEVEL {
            return Err(CoordinateError::Level(level));
        }
        check_width(width)?;
        Ok(TileCoordinate { level, number, width })
    }

    /// As [`TileCoordinate::new`], for callers that have the limits by construction.
    pub(crate) const fn known(level: u8, number: u64, width: u16) -> Self {
        debug_assert!(level <= MAX_TILE_LEVEL && 0 < width && width <= TILE_WIDTH);
        TileCoordinate { level, number, width }
    }

    /// Tile level, 0 to 63: its hashes are tree nodes of level `8 * level`.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Position among the tiles of its level, from 0.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Number of hashes, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it has all 256 hashes.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full tile at the same place.
    #[must_use]
    pub const fn to_full(self) -> Self {
        TileCoordinate { width: TILE_WIDTH, ..self }
    }

    /// Its length in bytes: 32 for each hash.
    #[must_use]
    pub const fn byte_length(&self) -> usize {
        self.width as usize * crate::HASH_SIZE
    }

    /// The path below the log's prefix, as `tlog-tiles` spells it.
    #[must_use]
    pub fn path(&self) -> String {
        self.to_string()
    }
}

impl BundleCoordinate {
    /// The bundle at `number` with `width` entries, 1 to 256.
    ///
    /// # Errors
    /// When the width is not 1 to 256.
    pub fn new(number: u64, width: u16) -> Result<Self, CoordinateError> {
        check_width(width)?;
        Ok(BundleCoordinate { number, width })
    }

    /// As [`BundleCoordinate::new`], for callers that have the limits by construction.
    pub(crate) const fn known(number: u64, width: u16) -> Self {
        debug_assert!(0 < width && width <= TILE_WIDTH);
        BundleCoordinate { number, width }
    }

    /// Position among the bundles, from 0; its first entry is `number * 256`.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Number of entries, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it has all 256 entries.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full bundle at the same place.
    #[must_use]
    pub const fn to_full(self) -> Self {
        BundleCoordinate { width: TILE_WIDTH, ..self }
    }

    /// The path below the log's prefix, as `tlog-tiles` spells it.
    #[must_use]
    pub fn path(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for TileCoordinate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "tile/{}/", self.level)?;
        write_number(out, self.number, self.width)
    }
}

impl fmt::Display for BundleCoordinate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("tile/entries/")?;
        write_number(out, self.number, self.width)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TilePath::Tile(tile) => fmt::Display::fmt(tile, out),
            TilePath::Bundle(bundle) => fmt::Display::fmt(bundle, out),
        }
    }
}

impl FromStr for TilePath {
    type Err = CoordinateError;

    fn from_str(path: &str) -> Result<Self, CoordinateError> {
        parse_path(path).ok_or_else(|| refuse(path))
    }
}

impl FromStr for TileCoordinate {
    type Err = CoordinateError;

    fn from_str(path: &str) -> Result<Self, CoordinateError> {
        match parse_path(path) {
            Some(TilePath::Tile(tile)) => Ok(tile),
            _ => Err(refuse(path)),
        }
    }
}

impl FromStr for BundleCoordinate {
    type Err = CoordinateError;

    fn from_str(path: &str) -> Result<Self, CoordinateError> {
        match parse_path(path) {
            Some(TilePath::Bundle(bundle)) => Ok(bundle),
            _ => Err(refuse(path)),
        }
    }
}

fn check_width(width: u16) -> Result<(), CoordinateError> {
    if (1..=TILE_WIDTH).contains(&width) { Ok(()) } else { Err(CoordinateError::Width(width)) }
}

fn refuse(path: &str) -> CoordinateError {
    CoordinateError::Path(path.chars().take(120).collect())
}

/// Three digits a group, all groups but the last with an `x` in front.
fn write_number(out: &mut fmt::Formatter<'_>, number: u64, width: u16) -> fmt::Result {
    let mut divisor = 1;
    while number / divisor >= 1000 {
        divisor *= 1000;
    }
    while divisor > 1 {
        write!(out, "x{:03}/", number / divisor % 1000)?;
        divisor /= 1000;
    }
    write!(out, "{:03}", number % 1000)?;
    if width < TILE_WIDTH { write!(out, ".p/{width}") } else { Ok(()) }
}

fn parse_path(path: &str) -> Option<TilePath> {
    let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (groups, width) = match rest.split_once(".p/") {
        Some((groups, width)) => {
            let width = parse_decimal(width)?;
            let partial = (1..u64::from(TILE_WIDTH)).contains(&width);
            (groups, partial.then_some(width as u16)?)
        }
        None => (rest, TILE_WIDTH),
    };
    let number = parse_groups(groups)?;
    if level == "entries" {
        return Some(TilePath::Bundle(BundleCoordinate::known(number, width)));
    }
    let level = u8::try_from(parse_decimal(level)?).ok()?;
    TileCoordinate::new(level, number, width).ok().map(TilePath::Tile)
}

fn parse_groups(groups: &str) -> Option<u64> {
    let (leading, last) = match groups.rsplit_once('/') {
        Some((leading, last)) => (Some(leading), last),
        None => (None, groups),
    };
    // One spelling for each number: a leading group of zeros would be a second.
    if leading.is_some_and(|leading| leading.starts_with("x000")) {
        return None;
    }
    let mut number = 0_u64;
    for group in leading.into_iter().flat_map(|leading| leading.split('/')) {
        number = append_group(number, group.strip_prefix('x')?)?;
    }
    append_group(number, last)
}

fn append_group(number: u64, group: &str) -> Option<u64> {
    let three_digits = group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
    let value = three_digits.then(|| group.parse::<u64>().ok()).flatten()?;
    number.checked_mul(1000)?.checked_add(value)
}

/// A decimal number without sign or leading zeros.
fn parse_decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    (digits && canonical).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tile(level: u8, number: u64, width: u16) -> TileCoordinate {
        TileCoordinate::new(level, number, width).unwrap()
    }

    #[test]
    fn paths_are_spelt_as_the_specification_spells_them() {
        for (number, text) in [
            (0, "000"),
            (7, "007"),
            (999, "999"),
            (1000, "x001/000"),
            (1_234_067, "x001/x234/067"),
            (1_000_000, "x001/x000/000"),
            (u64::MAX, "x018/x446/x744/x073/x709/x551/615"),
        ] {
            assert_eq!(tile(0, number, 256).path(), format!("tile/0/{text}"));
            assert_eq!(tile(63, number, 255).path(), format!("tile/63/{text}.p/255"));
            let bundle = BundleCoordinate::new(number, 1).unwrap();
            assert_eq!(bundle.path(), format!("tile/entries/{text}.p/1"));
        }
    }

    #[test]
    fn only_the_one_spelling_is_read() {
        for path in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/00/000",
            "tile/01/000",
            "tile/64/000",
            "tile/256/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/ 1/000",
            "tile/1/+00",
            "tile/1/x000",
            "tile/1/x000/000",
            "tile/1/x000/x001/000",
            "tile/1/001/000",
            "tile/1/x001/x000",
            "tile/1/x1/000",
            "tile/1/x001//000",
            "tile/1/000/",
            "tile/1/000.p",
            "tile/1/000.p/",
            "tile/1/000.p/0",
            "tile/1/000.p/01",
            "tile/1/000.p/256",
            "tile/1/000.p/1.p/1",
            "tile/1/000.p/1/",
            "tile/1/000.P/1",
            "/tile/1/000",
            "Tile/1/000",
            "tile/data/000",
            "tile/entries",
            "tile/entries/x018/x446/x744/x073/x709/x551/616",
            "tile/entries/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/entries/x00१/000",
        ] {
            assert!(path.parse::<TilePath>().is_err(), "{path}");
        }
        assert!("tile/entries/000".parse::<TileCoordinate>().is_err());
        assert!("tile/0/000".parse::<BundleCoordinate>().is_err());
    }

    #[test]
    fn impossible_coordinates_are_refused() {
        assert_eq!(TileCoordinate::new(64, 0, 1), Err(CoordinateError::Level(64)));
        assert_eq!(TileCoordinate::new(0, 0, 0), Err(CoordinateError::Width(0)));
        assert_eq!(BundleCoordinate::new(0, 257), Err(CoordinateError::Width(257)));
    }

    proptest! {
        #[test]
        fn every_coordinate_survives_its_path(level in 0_u8..64, number: u64, width in 1_u16..257) {
            let tile = tile(level, number, width);
            prop_assert_eq!(tile.path().parse(), Ok(tile));
            prop_assert_eq!(tile.path().parse(), Ok(TilePath::Tile(tile)));
            let bundle = BundleCoordinate::new(number, width).unwrap();
            prop_assert_eq!(bundle.path().parse(), Ok(bundle));
        }

        #[test]
        fn whatever_is_read_is_written_back_the_same(
            path in "tile/([0-9]{1,2}|entries)/(x[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?",
        ) {
            if let Ok(parsed) = path.parse::<TilePath>() {
                prop_assert_eq!(parsed.to_string(), path);
            }
        }

        #[test]
        fn arbitrary_text_never_panics(path: String) {
            let _ = path.parse::<TilePath>();
            let _ = format!("tile/{path}").parse::<TilePath>();
        }
    }
}
