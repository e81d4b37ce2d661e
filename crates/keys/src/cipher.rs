//! Authenticated encryption of data at rest: AES-256-GCM (NIST SP 800-38D), 96-bit nonce,
//! 128-bit tag.
//!
//! Not a file format: which bytes are associated data and where nonce and tag stand is decided by
//! the journal, the segment and the keyring. The nonce is the caller's: it must be random, from
//! [`Entropy`](crate::Entropy), and a key must seal at most 2^32 messages (SP 800-38D, 8.3); one
//! key per journal file keeps far below that.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use thiserror::Error;

use crate::SecretKey;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 12;

/// Bytes of an authentication tag.
pub const TAG_BYTES: usize = 16;

/// Most bytes that one AES-GCM message may hold: 2^36 - 32 (SP 800-38D, 5.2.1.1).
const MESSAGE_MAX_BYTES: u64 = (1 << 36) - 32;

/// A key that encrypts the data of one journal file or one segment; the cipher is set up once.
pub struct DataKey {
    cipher: LessSafeKey,
    /// Kept for [`DataKey::decrypt_unauthenticated`] only.
    secret: SecretKey,
}

/// Why data was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CipherError {
    /// The tag does not match: changed bytes, or another key, nonce or associated data.
    #[error(
        "the sealed data does not authenticate: it was changed, or was sealed with another key, \
         nonce or header; restore it from a backup"
    )]
    NotAuthentic,
    /// Too short to hold a tag.
    #[error(
        "the sealed data is {bytes} bytes long, shorter than its 16-byte tag: it was cut off; \
         restore it from a backup"
    )]
    TooShort {
        /// Length given, tag included.
        bytes: usize,
    },
    /// Longer than AES-GCM allows.
    #[error("{bytes} bytes are more than one message may hold (2^36 - 32): split them")]
    TooLong {
        /// Length given.
        bytes: usize,
    },
}

impl DataKey {
    /// Sets the cipher up.
    #[must_use]
    pub fn new(secret: &SecretKey) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, secret.expose())
            .expect("AES-256-GCM accepts every 32-byte key");
        Self { cipher: LessSafeKey::new(key), secret: secret.duplicate() }
    }

    /// Encrypts `buffer` where it lies and returns its tag. `associated` is authenticated and not
    /// encrypted. Pass a range of a larger buffer to build a frame without a copy.
    ///
    /// # Errors
    ///
    /// [`CipherError::TooLong`]; the buffer must then not be written anywhere.
    pub fn seal_in_place_separate_tag(
        &self,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], CipherError> {
        let too_long = CipherError::TooLong { bytes: buffer.len() };
        if buffer.len() as u64 > MESSAGE_MAX_BYTES {
            return Err(too_long);
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self
            .cipher
            .seal_in_place_separate_tag(nonce, Aad::from(associated), buffer)
            .map_err(|_| too_long)?;
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(sealed.as_ref());
        Ok(tag)
    }

    /// Decrypts `buffer` (ciphertext, then the 16-byte tag) where it lies and returns the
    /// plaintext, which is the buffer without its last 16 bytes.
    ///
    /// # Errors
    ///
    /// [`CipherError::NotAuthentic`] or [`CipherError::TooShort`]. The buffer may then have been
    /// overwritten: whoever wants to look for the damage must read the ciphertext again.
    pub fn open_in_place<'buffer>(
        &self,
        nonce: [u8; NONCE_BYTES],
        associated: &[u8],
        buffer: &'buffer mut [u8],
    ) -> Result<&'buffer mut [u8], CipherError> {
        if buffer.len() < TAG_BYTES {
            return Err(CipherError::TooShort { bytes: buffer.len() });
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.cipher
            .open_in_place(nonce, Aad::from(associated), buffer)
            .map_err(|_| CipherError::NotAuthentic)
    }

    /// Decrypts ciphertext (without its tag) where it lies and checks **nothing**.
    ///
    /// Its only use is to find *which record* of a frame that already failed to authenticate was
    /// changed, by recomputing each record's commitment from the result. The result may be whatever
    /// an attacker wished: it is never shown, returned, indexed, re-sealed or otherwise trusted.
    ///
    /// AES-256 in counter mode from the block nonce || 00000002, which is what GCM encrypts with
    /// (SP 800-38D, 7.1).
    ///
    /// # Errors
    ///
    /// [`CipherError::TooLong`] where the 32-bit counter of GCM would wrap.
    pub fn decrypt_unauthenticated(
        &self,
        nonce: [u8; NONCE_BYTES],
        ciphertext: &mut [u8],
    ) -> Result<(), CipherError> {
        let too_long = CipherError::TooLong { bytes: ciphertext.len() };
        if ciphertext.len() as u64 > MESSAGE_MAX_BYTES {
            return Err(too_long);
        }
        let mut block = [0; 16];
        block[..NONCE_BYTES].copy_from_slice(&nonce);
        block[NONCE_BYTES..].copy_from_slice(&2_u32.to_be_bytes());
        let counter = DecryptionContext::Iv128(FixedLength::from(&block));
        UnboundCipherKey::new(&AES_256, self.secret.expose())
            .and_then(DecryptingKey::ctr)
            .and_then(|key| key.decrypt(ciphertext, counter).map(|_| ()))
            .map_err(|_| too_long)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealed(key: &DataKey, nonce: [u8; 12], associated: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut buffer = plain.to_vec();
        let tag = key.seal_in_place_separate_tag(nonce, associated, &mut buffer).unwrap();
        buffer.extend_from_slice(&tag);
        buffer
    }

    /// The GCM specification (McGrew and Viega), test cases 14 and 16.
    #[test]
    fn matches_the_gcm_test_vectors() {
        let zero = DataKey::new(&SecretKey::new([0; 32]));
        assert_eq!(
            hex::encode(sealed(&zero, [0; 12], b"", &[0; 16])),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        );
        let mut key = [0; 32];
        let half = hex::decode("feffe9928665731c6d6a8f9467308308").unwrap();
        key[..16].copy_from_slice(&half);
        key[16..].copy_from_slice(&half);
        let nonce = hex::decode("cafebabefacedbaddecaf888").unwrap().try_into().unwrap();
        let plain = hex::decode(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953\
             2fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        )
        .unwrap();
        let associated = hex::decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let output = sealed(&DataKey::new(&SecretKey::new(key)), nonce, &associated, &plain);
        assert_eq!(
            hex::encode(output),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d\
             a7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
        );
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let key = DataKey::new(&SecretKey::new([9; 32]));
        let good = sealed(&key, [1; 12], b"header", b"what the agent did");
        assert_eq!(
            key.open_in_place([1; 12], b"header", &mut good.clone()).unwrap(),
            b"what the agent did"
        );
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let opened = key.open_in_place([1; 12], b"header", &mut bad);
            assert_eq!(opened, Err(CipherError::NotAuthentic), "bit {bit}");
        }
    }

    #[test]
    fn other_key_nonce_header_or_length_is_refused() {
        let key = DataKey::new(&SecretKey::new([9; 32]));
        let good = sealed(&key, [1; 12], b"header", b"plain");
        let other = DataKey::new(&SecretKey::new([8; 32]));
        let refused = Err(CipherError::NotAuthentic);
        assert_eq!(other.open_in_place([1; 12], b"header", &mut good.clone()), refused);
        assert_eq!(key.open_in_place([2; 12], b"header", &mut good.clone()), refused);
        assert_eq!(key.open_in_place([1; 12], b"headeR", &mut good.clone()), refused);
        for length in 0..good.len() {
            assert!(key.open_in_place([1; 12], b"header", &mut good[..length].to_vec()).is_err());
        }
        assert_eq!(
            key.open_in_place([1; 12], b"header", &mut good[..15].to_vec()),
            Err(CipherError::TooShort { bytes: 15 })
        );
    }

    #[test]
    fn sealing_a_range_leaves_its_surroundings_alone() {
        let key = DataKey::new(&SecretKey::new([9; 32]));
        let mut frame = [0xee; 100];
        let tag = key.seal_in_place_separate_tag([1; 12], b"", &mut frame[20..84]).unwrap();
        assert!(frame[..20].iter().chain(&frame[84..]).all(|byte| *byte == 0xee));
        frame[84..].copy_from_slice(&tag);
        assert_eq!(key.open_in_place([1; 12], b"", &mut frame[20..]).unwrap(), [0xee; 64]);
    }

    #[test]
    fn unauthenticated_decryption_confines_damage_to_the_changed_bytes() {
        let key = DataKey::new(&SecretKey::new([9; 32]));
        let plain: Vec<u8> = (0..1000).map(|byte| (byte % 251) as u8).collect();
        let mut bytes = sealed(&key, [1; 12], b"header", &plain);
        bytes[500] ^= 0x01;
        bytes.truncate(1000);
        key.decrypt_unauthenticated([1; 12], &mut bytes).unwrap();
        let changed: Vec<usize> = (0..1000).filter(|at| bytes[*at] != plain[*at]).collect();
        assert_eq!(changed, [500]);
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", DataKey::new(&SecretKey::new([9; 32]))), "DataKey(..)");
    }

    proptest! {
        #[test]
        fn seal_and_both_ways_back(
            secret: [u8; 32],
            nonce: [u8; 12],
            associated in proptest::collection::vec(any::<u8>(), 0..64),
            plain in proptest::collection::vec(any::<u8>(), 0..5000),
        ) {
            let key = DataKey::new(&SecretKey::new(secret));
            let bytes = sealed(&key, nonce, &associated, &plain);
            prop_assert_eq!(bytes.len(), plain.len() + TAG_BYTES);
            let mut unauthenticated = bytes[..plain.len()].to_vec();
            key.decrypt_unauthenticated(nonce, &mut unauthenticated).unwrap();
            prop_assert_eq!(&unauthenticated, &plain);
            let mut opened = bytes;
            let opened = key.open_in_place(nonce, &associated, &mut opened).unwrap();
            prop_assert_eq!(opened, &plain[..]);
        }

        #[test]
        fn opening_arbitrary_bytes_never_panics_nor_succeeds(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
            nonce: [u8; 12],
        ) {
            let key = DataKey::new(&SecretKey::new([9; 32]));
            prop_assert!(key.open_in_place(nonce, b"", &mut bytes).is_err());
        }
    }
}
