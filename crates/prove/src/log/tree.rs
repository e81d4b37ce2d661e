//! The tree recomputed from leaf hashes, tile by tile, with only the right edge in memory.
//!
//! Unlike `merkle::Frontier` it shows the tile that is being filled at every level, and it can
//! carry on past leaves that nobody knows. Next door: `public.rs` compares it with the files.

use merkle::{Frontier, Hash, node_hash};

/// Hashes in a full tile.
pub(super) const WIDTH: usize = merkle::TILE_WIDTH as usize;

/// The right-most tile of every level.
#[derive(Debug, Default)]
pub(super) struct Tree {
    levels: Vec<Level>,
}

/// The tile that is being filled at one level.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// Its number: how many full tiles were closed before it.
    pub(super) number: u64,
    /// Its hashes so far; `None` where it could not be known.
    pub(super) hashes: Vec<Option<Hash>>,
}

impl Tree {
    /// Appends a leaf, or a place whose leaf nobody knows.
    pub(super) fn push(&mut self, leaf: Option<Hash>) {
        self.push_at(0, leaf);
    }

    fn push_at(&mut self, level: usize, hash: Option<Hash>) {
        while self.levels.len() <= level {
            self.levels.push(Level::default());
        }
        if let Some(level) = self.levels.get_mut(level) {
            level.hashes.push(hash);
        }
    }

    /// The levels that hold something, lowest first.
    pub(super) fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Whether the tile being filled at `level` is full and must be closed before the next push.
    pub(super) fn is_full(&self, level: usize) -> bool {
        self.levels.get(level).is_some_and(|level| level.hashes.len() >= WIDTH)
    }

    /// Closes the full tile of a level: its hash goes to the level above. `told` is that hash as
    /// the level above is said to hold it, used only when it cannot be computed.
    pub(super) fn close(&mut self, level: usize, told: Option<Hash>) {
        let Some(tile) = self.levels.get_mut(level) else { return };
        let hash = perfect_root(&tile.hashes).or(told);
        tile.hashes.clear();
        tile.number += 1;
        self.push_at(level + 1, hash);
    }

    /// The frontier of the tree with `leaves` in place of the lowest level's; `None` when it hangs
    /// on a hash that is not known. No level may be full.
    pub(super) fn frontier(&self, leaves: &[Option<Hash>]) -> Option<Frontier> {
        let mut hashes = Vec::new();
        let mut size = 0;
        for (number, level) in self.levels.iter().enumerate().skip(1).rev() {
            size += (level.hashes.len() as u64) << (8 * number);
            subtrees(&level.hashes, &mut hashes)?;
        }
        size += leaves.len() as u64;
        subtrees(leaves, &mut hashes)?;
        Frontier::from_hashes(size, hashes).ok()
    }

    /// The leaves of the bundle that is being filled.
    pub(super) fn leaves(&self) -> &[Option<Hash>] {
        self.levels.first().map_or(&[], |level| &level.hashes)
    }
}

/// Appends the roots of the perfect subtrees over a tile that is not full, left to right.
fn subtrees(tile: &[Option<Hash>], out: &mut Vec<Hash>) -> Option<()> {
    let mut rest = tile;
    while !rest.is_empty() {
        let (part, tail) = rest.split_at(1 << rest.len().ilog2());
        out.push(perfect_root(part)?);
        rest = tail;
    }
    Some(())
}

/// The hash over a power of two of hashes, at most [`WIDTH`]; `None` when one is not known.
pub(super) fn perfect_root(hashes: &[Option<Hash>]) -> Option<Hash> {
    let mut nodes = [Hash::default(); WIDTH];
    let mut count = hashes.len();
    for (node, hash) in nodes.get_mut(..count)?.iter_mut().zip(hashes) {
        *node = (*hash)?;
    }
    while count > 1 {
        for pair in 0..count / 2 {
            nodes[pair] = node_hash(&nodes[2 * pair], &nodes[2 * pair + 1]);
        }
        count /= 2;
    }
    nodes.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use merkle::{MemoryTree, leaf_hash};

    #[test]
    fn the_frontier_has_the_root_of_the_specification_at_every_size() {
        let (mut tree, mut reference) = (Tree::default(), MemoryTree::new());
        for index in 0..66_000_u64 {
            if index % 97 == 0 || index > 65_530 && index < 65_800 {
                let frontier = tree.frontier(tree.leaves()).unwrap();
                assert_eq!(frontier.size(), index);
                assert_eq!(frontier.root(), reference.root());
            }
            let leaf = leaf_hash(&index.to_be_bytes());
            tree.push(Some(leaf));
            reference.push(leaf);
            let mut level = 0;
            while tree.is_full(level) {
                tree.close(level, None);
                level += 1;
            }
        }
    }

    #[test]
    fn a_hash_that_is_not_known_leaves_the_root_unknown_unless_it_is_told() {
        let mut tree = Tree::default();
        for index in 0..WIDTH {
            tree.push((index != 7).then(Hash::default));
        }
        assert!(tree.frontier(&[None]).is_none());
        tree.close(0, Some(Hash([1; 32])));
        assert_eq!(tree.frontier(&[]).unwrap().root(), Hash([1; 32]));
    }
}
