//! Tiles written by the builder are read back as the tree that they came from.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::*;
use crate::{
    MemoryTree, TileReader, consistency_proof, inclusion_proof, leaf_hash, tiles_of_size,
    tree_root, verify_consistency, verify_inclusion,
};

type Tiles = BTreeMap<TileCoordinate, Vec<u8>>;

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

/// Builds a tree and the tiles of exactly its size.
fn build(size: u64) -> (TileBuilder, Tiles) {
    let (mut builder, mut tiles) = (TileBuilder::new(), Tiles::new());
    for index in 0..size {
        builder.push(leaf(index), |tile, bytes| {
            assert!(tiles.insert(tile, bytes).is_none(), "{tile} came twice");
        });
    }
    tiles.extend(builder.partial_tiles().map(|(tile, bytes)| (tile, bytes.to_vec())));
    (builder, tiles)
}

fn source(tiles: &Tiles) -> impl Fn(TileCoordinate) -> Result<Option<Vec<u8>>, Infallible> {
    |tile| Ok(tiles.get(&tile).cloned())
}

#[test]
fn the_tiles_are_exactly_those_of_the_size() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 65_536, 65_537, 70_000] {
        let (_, tiles) = build(size);
        let wanted: Vec<_> = tiles_of_size(size).collect();
        assert_eq!(tiles.len(), wanted.len(), "size {size}");
        for tile in wanted {
            assert_eq!(tiles.get(&tile).map(Vec::len), Some(tile.byte_length()), "{tile}");
        }
    }
}

#[test]
fn tile_hashes_are_the_nodes_that_the_specification_says() {
    let (_, tiles) = build(70_000);
    let tree: MemoryTree = (0..70_000).map(leaf).collect();
    for (tile, bytes) in &tiles {
        let first = tile.number() * 256;
        let ids: Vec<crate::NodeId> = (first..first + u64::from(tile.width()))
            .map(|index| crate::NodeId { level: tile.level() * 8, index })
            .collect();
        let hashes = crate::HashReader::read_hashes(&tree, &ids).unwrap();
        assert_eq!(hashes_of(bytes), hashes, "{tile}");
    }
}

#[test]
fn root_and_proofs_out_of_tiles_equal_those_out_of_memory() {
    let (builder, tiles) = build(70_000);
    let tree: MemoryTree = (0..70_000).map(leaf).collect();
    assert_eq!(builder.root(), tree.root());
    let reader = TileReader::new(source(&tiles), 70_000);
    assert_eq!(tree_root(&reader, 70_000).unwrap(), tree.root());
    for size in [1_u64, 2, 200, 256, 257, 4_000, 65_535, 65_536, 65_537, 69_999, 70_000] {
        let root = tree_root(&tree, size).unwrap();
        assert_eq!(tree_root(&reader, size).unwrap(), root);
        for index in [0, size / 3, size / 2, size - 1] {
            let proof = inclusion_proof(&reader, index, size).unwrap();
            assert_eq!(proof, inclusion_proof(&tree, index, size).unwrap());
            verify_inclusion(index, size, &leaf(index), &proof, &root).unwrap();
        }
        let proof = consistency_proof(&reader, size, 70_000).unwrap();
        verify_consistency(size, &root, 70_000, &tree.root(), &proof).unwrap();
    }
}

#[test]
fn a_reader_stands_on_full_tiles_where_partial_ones_are_gone() {
    let (_, mut tiles) = build(70_000);
    let (_, older) = build(1_000);
    tiles.retain(|tile, _| tile.is_full() || tile.number() > 3);
    tiles.extend(older.into_iter().filter(|(tile, _)| tile.level() == 1));
    let reader = TileReader::new(source(&tiles), 1_000);
    let tree: MemoryTree = (0..1_000).map(leaf).collect();
    assert_eq!(tree_root(&reader, 1_000).unwrap(), tree.root());
    assert!(inclusion_proof(&reader, 999, 1_001).is_err());
    let restored = TileBuilder::from_source(&source(&tiles), 1_000).unwrap();
    assert_eq!(restored.root(), tree.root());
    assert!(restored.partial_tiles().eq(build(1_000).0.partial_tiles()));
}

#[test]
fn a_restored_builder_goes_on_as_the_first_would() {
    for size in [0, 1, 2, 100, 255, 256, 257, 300, 65_535, 65_536, 66_000] {
        let (mut first, tiles) = build(size);
        let partial = tiles.iter().filter(|(tile, _)| !tile.is_full());
        let partial = partial.map(|(tile, bytes)| (*tile, bytes.clone()));
        let mut second = TileBuilder::from_partial_tiles(size, partial).unwrap();
        let third = TileBuilder::from_source(&source(&tiles), size).unwrap();
        assert_eq!(second.frontier(), first.frontier(), "size {size}");
        assert_eq!(third.frontier(), first.frontier(), "size {size}");
        let (mut from_first, mut from_second) = (Tiles::new(), Tiles::new());
        for index in size..size + 600 {
            first.push(leaf(index), |tile, bytes| drop(from_first.insert(tile, bytes)));
            second.push(leaf(index), |tile, bytes| drop(from_second.insert(tile, bytes)));
        }
        assert_eq!(from_first, from_second);
        assert!(first.partial_tiles().eq(second.partial_tiles()));
        assert_eq!(first.root(), second.root());
    }
}

#[test]
fn missing_superfluous_or_cut_tiles_do_not_restore() {
    let (_, tiles) = build(700);
    let partial: Vec<_> = tiles.into_iter().filter(|(tile, _)| !tile.is_full()).collect();
    assert_eq!(partial.len(), 2);
    for left_out in 0..2 {
        let mut tiles = partial.clone();
        tiles.remove(left_out);
        let restored = TileBuilder::from_partial_tiles(700, tiles);
        assert!(matches!(restored, Err(RestoreError::Missing { .. })));
        let mut tiles = partial.clone();
        tiles[left_out].1.pop();
        let restored = TileBuilder::from_partial_tiles(700, tiles.clone());
        assert!(matches!(restored, Err(RestoreError::Length { .. })));
        let tiles: Tiles = tiles.into_iter().collect();
        let restored = TileBuilder::from_source(&source(&tiles), 700);
        assert!(matches!(restored, Err(TileReadError::Length { .. })));
    }
    let restored = TileBuilder::from_partial_tiles(701, partial);
    assert!(matches!(restored, Err(RestoreError::Unexpected { .. })));
}

#[test]
fn an_altered_tile_gives_a_proof_that_fails() {
    let (builder, mut tiles) = build(600);
    let altered = TileCoordinate::new(0, 1, 256).unwrap();
    tiles.get_mut(&altered).unwrap()[40] ^= 1;
    let reader = TileReader::new(source(&tiles), 600);
    let proof = inclusion_proof(&reader, 256, 600).unwrap();
    assert!(verify_inclusion(256, 600, &leaf(256), &proof, &builder.root()).is_err());
}
