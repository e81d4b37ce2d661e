//! Tile paths: text that is read as one is written back the same, through every type that reads it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use merkle::{BundleCoordinate, TileCoordinate, TilePath};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (tile, bundle) = (text.parse::<TileCoordinate>(), text.parse::<BundleCoordinate>());
    match text.parse::<TilePath>() {
        Ok(path) => {
            assert_eq!(path.to_string(), text);
            match path {
                TilePath::Tile(it) => {
                    assert_eq!(TileCoordinate::new(it.level(), it.number(), it.width()), Ok(it));
                    assert_eq!((tile, bundle.is_ok()), (Ok(it), false));
                }
                TilePath::Bundle(it) => {
                    assert_eq!(BundleCoordinate::new(it.number(), it.width()), Ok(it));
                    assert_eq!((bundle, tile.is_ok()), (Ok(it), false));
                }
            }
        }
        Err(_) => assert!(tile.is_err() && bundle.is_err()),
    }
});
