//! SHA-256 tree hashes with RFC 6962 section 2.1 domain separation.
//!
//! Not a general hash type: commitments and file digests have their own labels elsewhere.
//! Next door: `node.rs` names hashes by their place in the tree.

use core::fmt;
use core::str::FromStr;

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// The length of a tree hash in bytes.
pub const HASH_SIZE: usize = 32;

/// One SHA-256 hash of a leaf, an inner node or a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; HASH_SIZE]);

/// Why text or bytes are not a [`struct@Hash`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The slice does not hold exactly 32 bytes.
    #[error("a tree hash has 32 bytes, but {0} were given; check where the bytes were cut")]
    Length(usize),
    /// The text is not 64 hexadecimal digits.
    #[error("a tree hash is written as 64 hexadecimal digits, got {0:?}")]
    Hex(String),
}

impl Hash {
    /// The root of the tree without entries: `SHA-256("")` (RFC 6962 section 2.1).
    pub const EMPTY_ROOT: Hash = Hash([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ]);

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_SIZE] {
        &self.0
    }

    /// The 32 bytes, by value.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; HASH_SIZE] {
        self.0
    }
}

impl From<[u8; HASH_SIZE]> for Hash {
    fn from(bytes: [u8; HASH_SIZE]) -> Self {
        Hash(bytes)
    }
}

impl From<Hash> for [u8; HASH_SIZE] {
    fn from(hash: Hash) -> Self {
        hash.0
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = HashError;

    fn try_from(bytes: &[u8]) -> Result<Self, HashError> {
        bytes.try_into().map(Hash).map_err(|_| HashError::Length(bytes.len()))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Hash {
    type Err = HashError;

    /// Reads 64 hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Self, HashError> {
        let refuse = || HashError::Hex(text.chars().take(80).collect());
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != HASH_SIZE || !rest.is_empty() {
            return Err(refuse());
        }
        let digit = |byte: u8| (byte as char).to_digit(16).ok_or_else(refuse);
        let mut bytes = [0; HASH_SIZE];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = (digit(*high)? << 4 | digit(*low)?) as u8;
        }
        Ok(Hash(bytes))
    }
}

/// The hash of a leaf: `SHA-256(0x00 || entry)` (RFC 6962 section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    if entry.len() < MAX_TWO_BLOCK_MESSAGE {
        let mut blocks = [0; 128];
        blocks[1..=entry.len()].copy_from_slice(entry);
        return hash_two_blocks(&mut blocks, 1 + entry.len());
    }
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(entry);
    Hash(hasher.finalize().into())
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut blocks = [0; 128];
    blocks[0] = 0x01;
    blocks[1..33].copy_from_slice(&left.0);
    blocks[33..65].copy_from_slice(&right.0);
    hash_two_blocks(&mut blocks, 65)
}

/// The longest message whose padding still fits the second SHA-256 block.
const MAX_TWO_BLOCK_MESSAGE: usize = 128 - 9;

/// Pads a message of `length` bytes that lies in `blocks` and hashes it.
///
/// Every node and every entry of the log (104 bytes) takes this way: laying the padding out by hand
/// skips the general hasher's buffering, which costs as much as a compression with SHA
/// instructions.
#[inline]
fn hash_two_blocks(blocks: &mut [u8; 128], length: usize) -> Hash {
    debug_assert!(length <= MAX_TWO_BLOCK_MESSAGE);
    blocks[length] = 0x80;
    let (chunks, _) = blocks.as_chunks_mut::<64>();
    // A short message leaves the length in the first block's tail, and the second block unused.
    let used = if length <= 64 - 9 { 1 } else { 2 };
    let chunks = &mut chunks[..used];
    let bits = (length as u64) * 8;
    chunks[used - 1][56..].copy_from_slice(&bits.to_be_bytes());
    let mut state = INITIAL_STATE;
    compress256(&mut state, chunks);
    let mut digest = [0; HASH_SIZE];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    Hash(digest)
}

/// FIPS 180-4 section 5.3.3.
const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn by_the_book(prefix: u8, parts: &[&[u8]]) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update([prefix]);
        parts.iter().for_each(|part| hasher.update(part));
        Hash(hasher.finalize().into())
    }

    #[test]
    fn every_entry_length_hashes_like_the_general_hasher() {
        let entry: Vec<u8> = (0..=255).collect();
        for length in 0..entry.len() {
            let entry = &entry[..length];
            assert_eq!(leaf_hash(entry), by_the_book(0, &[entry]), "length {length}");
        }
    }

    #[test]
    fn node_hash_is_prefix_left_right() {
        let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
        assert_eq!(node_hash(&left, &right), by_the_book(1, &[&left.0, &right.0]));
        assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
    }

    #[test]
    fn empty_root_is_the_hash_of_nothing() {
        assert_eq!(Hash::EMPTY_ROOT.0, <[u8; 32]>::from(Sha256::digest(b"")));
    }

    #[test]
    fn hexadecimal_round_trips_and_refuses_anything_else() {
        let hash = leaf_hash(b"x");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse(), Ok(hash));
        assert!("".parse::<Hash>().is_err());
        assert!(format!("{hash}0").parse::<Hash>().is_err());
        assert!(format!("+{}", &hash.to_string()[1..]).parse::<Hash>().is_err());
        assert!("é".repeat(32).parse::<Hash>().is_err());
    }
}
