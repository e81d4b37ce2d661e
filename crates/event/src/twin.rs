//! SHA-256 of two messages at once, and of one.
//!
//! The rounds of one hash wait for each other, and a processor that hashes in hardware is idle half
//! of the time. Blocks of two messages in turn keep it busy: the two take two thirds of the time
//! that they take one after the other. The compression itself is `sha2`'s.

use sha2::block_api::compress256;

/// Bytes of a block.
const BLOCK_BYTES: usize = 64;

/// What a hash begins with (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A message in blocks: most of them lie where the message lies.
struct Blocks<'m> {
    first: Option<[u8; BLOCK_BYTES]>,
    middle: &'m [[u8; BLOCK_BYTES]],
    /// The rest of the message, padded; two blocks, of which the second may not be needed.
    last: [[u8; BLOCK_BYTES]; 2],
    last_count: usize,
}

impl<'m> Blocks<'m> {
    /// The blocks of `head || body`; the head is shorter than a block.
    fn new(head: &[&[u8]], body: &'m [u8]) -> Self {
        let (mut block, mut used) = ([0; BLOCK_BYTES], 0);
        for part in head {
            block[used..used + part.len()].copy_from_slice(part);
            used += part.len();
        }
        let bits = (used + body.len()) as u64 * 8;
        let (first, rest) = match body.split_at_checked(BLOCK_BYTES - used) {
            Some((start, rest)) => {
                block[used..].copy_from_slice(start);
                used = 0;
                (Some(block), rest)
            }
            None => (None, body),
        };
        let (middle, rest) = rest.as_chunks::<BLOCK_BYTES>();
        let mut last = [[0; BLOCK_BYTES]; 2];
        let end = used + rest.len();
        last[0][..used].copy_from_slice(&block[..used]);
        last[0][used..end].copy_from_slice(rest);
        last[0][end] = 0x80;
        let last_count = if end + 9 <= BLOCK_BYTES { 1 } else { 2 };
        last[last_count - 1][BLOCK_BYTES - 8..].copy_from_slice(&bits.to_be_bytes());
        Self { first, middle, last, last_count }
    }

    fn iter(&self) -> impl Iterator<Item = &[u8; BLOCK_BYTES]> {
        self.first.iter().chain(self.middle).chain(self.last.iter().take(self.last_count))
    }
}

/// `SHA-256(head || body)` of two messages; heads are shorter than a block of 64 bytes.
pub(crate) fn sha256_of_two(
    one: (&[&[u8]], &[u8]),
    other: (&[&[u8]], &[u8]),
) -> ([u8; 32], [u8; 32]) {
    let (one, other) = (Blocks::new(one.0, one.1), Blocks::new(other.0, other.1));
    let (mut state, mut other_state) = (INITIAL, INITIAL);
    let (mut blocks, mut other_blocks) = (one.iter(), other.iter());
    loop {
        let (block, other_block) = (blocks.next(), other_blocks.next());
        if let Some(block) = block {
            compress256(&mut state, std::slice::from_ref(block));
        }
        if let Some(block) = other_block {
            compress256(&mut other_state, std::slice::from_ref(block));
        }
        if block.is_none() && other_block.is_none() {
            return (bytes(&state), bytes(&other_state));
        }
    }
}

/// `SHA-256(head || body)` of one message; the head is shorter than a block of 64 bytes.
pub(crate) fn sha256(head: &[&[u8]], body: &[u8]) -> [u8; 32] {
    let mut state = INITIAL;
    for block in Blocks::new(head, body).iter() {
        compress256(&mut state, std::slice::from_ref(block));
    }
    bytes(&state)
}

fn bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn plainly(head: &[&[u8]], body: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        head.iter().for_each(|part| hash.update(part));
        hash.update(body);
        hash.finalize().into()
    }

    #[test]
    fn two_at_once_are_what_one_after_the_other_is() {
        let body: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        let heads: [&[&[u8]]; 4] = [&[], &[b"a", b""], &[&[7; 19], &[9; 16]], &[&[1; 63]]];
        for head in heads {
            for length in 0..300 {
                let other = (length * 7) % 331;
                let (one, two) = (&body[..length], &body[other..other * 2]);
                assert_eq!(sha256(head, one), plainly(head, one), "{head:?} {length}");
                assert_eq!(
                    sha256_of_two((head, one), (&[b"label"], two)),
                    (plainly(head, one), plainly(&[b"label"], two)),
                    "{head:?} {length} {other}"
                );
            }
        }
    }
}
