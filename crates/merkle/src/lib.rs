//! The mathematics of the log: RFC 6962 hashes, C2SP `tlog-tiles` geometry, inclusion and
//! consistency proofs.
//!
//! There is no I/O, no clock and no signature here. Signed tree heads live in `checkpoint`; the
//! bytes of an entry are laid out by `event`; files and objects are `store`'s.
//!
//! | question | file |
//! |---|---|
//! | how is an entry hashed? | `hash.rs` |
//! | which hash is which? | `node.rs` |
//! | the running root while writing | `frontier.rs` |
//! | the running tiles while writing | `tile_builder.rs` |
//! | what is a tile called, which exist at a size? | `coordinate.rs`, `layout.rs` |
//! | entry bundles | `bundle.rs` |
//! | hashes out of tiles, or out of memory | `tile_reader.rs`, `memory_tree.rs` |
//! | why does a proof hold? | `inclusion.rs`, `range.rs`, `consistency.rs` |
//!
//! ```
//! use merkle::{MemoryTree, inclusion_proof, leaf_hash, verify_inclusion};
//!
//! let mut tree = MemoryTree::new();
//! for entry in [b"a", b"b", b"c"] {
//!     tree.push(leaf_hash(entry));
//! }
//! let proof = inclusion_proof(&tree, 1, 3)?;
//! verify_inclusion(1, 3, &leaf_hash(b"b"), &proof, &tree.root())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundle;
mod consistency;
mod coordinate;
mod frontier;
mod hash;
mod inclusion;
mod layout;
mod memory_tree;
mod node;
mod range;
mod tile_builder;
mod tile_reader;

pub use bundle::{BundleError, EntryBundle, MAX_ENTRY_BYTES, append_entry};
pub use consistency::{ConsistencyError, consistency_proof, verify_consistency};
pub use coordinate::{
    BundleCoordinate, CoordinateError, MAX_TILE_LEVEL, TILE_HEIGHT, TILE_WIDTH, TileCoordinate,
    TilePath,
};
pub use frontier::{Frontier, FrontierError};
pub use hash::{HASH_SIZE, Hash, HashError, leaf_hash, node_hash};
pub use inclusion::{InclusionError, MAX_PROOF_HASHES, inclusion_proof, verify_inclusion};
pub use layout::{bundles_added, bundles_of_size, partial_width, tiles_added, tiles_of_size};
pub use memory_tree::{MemoryTree, MissingNode};
pub use node::{HashReader, NodeId, ProofError, tree_root};
pub use range::{MAX_RANGE_PROOF_HASHES, RangeError, range_proof, verify_range};
pub use tile_builder::{FULL_TILE_BYTES, RestoreError, TileBuilder};
pub use tile_reader::{TileReadError, TileReader, TileSource};
