//! A whole tree held in memory: for small logs, imports and tests.
//!
//! It is not how a log is stored; that is tiles (`tile_reader.rs`).

use crate::hash::{Hash, node_hash};
use crate::node::{HashReader, NodeId, fold};

/// Every hash of a tree; two hashes for each entry.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    /// `levels[l][i]` is node (l, i), for perfect subtrees only.
    levels: Vec<Vec<Hash>>,
}

/// The node is not in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} lies beyond the tree in memory; ask for a size that it has reached")]
pub struct MissingNode(pub NodeId);

impl MemoryTree {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        MemoryTree::default()
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends one leaf, given its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut carry = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(carry);
            match nodes.as_chunks::<2>() {
                ([.., [left, right]], []) => carry = node_hash(left, right),
                _ => break,
            }
        }
    }

    /// The root hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        let odd = self.levels.iter().rev().filter(|nodes| nodes.len() % 2 == 1);
        let parts: Vec<Hash> = odd.filter_map(|nodes| nodes.last().copied()).collect();
        fold(&parts)
    }
}

impl FromIterator<Hash> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = MemoryTree::new();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

impl HashReader for MemoryTree {
    type Error = MissingNode;

    fn read_hashes(&self, ids: &[NodeId]) -> Result<Vec<Hash>, MissingNode> {
        let read = |id: &NodeId| {
            let nodes = self.levels.get(usize::from(id.level))?;
            nodes.get(usize::try_from(id.index).ok()?).copied()
        };
        ids.iter().map(|id| read(id).ok_or(MissingNode(*id))).collect()
    }
}

/// RFC 6962 section 2.1 word for word: the oracle of every test.
#[cfg(test)]
pub(crate) fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use crate::node::tree_root;

    /// The roots of the classic test tree at sizes 1 to 8.
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn the_classic_test_tree_has_its_known_roots() {
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let mut tree = MemoryTree::new();
        assert_eq!(tree.root(), Hash::EMPTY_ROOT);
        for (entry, root) in entries.iter().zip(ROOTS) {
            tree.push(leaf_hash(entry));
            assert_eq!(tree.root().to_string(), root);
        }
        for (size, root) in (1..).zip(ROOTS) {
            assert_eq!(tree_root(&tree, size).unwrap().to_string(), root);
        }
        assert_eq!(tree_root(&tree, 0).unwrap(), Hash::EMPTY_ROOT);
        assert!(tree_root(&tree, 9).is_err());
    }
}
