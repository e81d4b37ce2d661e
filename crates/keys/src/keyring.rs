//! The keyring: every secret of one log, wrapped by its key-encryption key.
//!
//! Not a file: `store` reads and replaces the file `keyring` of a log folder; here it is bytes in,
//! bytes out. Next door: `bytes` writes and reads the format.
//!
//! # Format, version 1
//!
//! Integers are big-endian. One header, then the entries, then the tag; nothing else.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | magic, ASCII `TACHOKEY` |
//! | 8 | 2 | format version = 1 |
//! | 10 | 1 | origin of the KEK: 1 file, 2 environment, 3 passphrase, 4 command |
//! | 11 | 1 | zero |
//! | 12 | 8 | KEK id: first 8 bytes of HMAC(KEK, "tachograph/kek/id/v1") |
//! | 20 | 16 | log id |
//! | 36 | 8 | generation, from 1; every written keyring has a higher one than the last |
//! | 44 | 16 | Argon2id salt; zero unless the origin is 3 |
//! | 60 | 4 | Argon2id memory in KiB; zero unless the origin is 3 |
//! | 64 | 4 | Argon2id passes; zero unless the origin is 3 |
//! | 68 | 4 | Argon2id lanes; zero unless the origin is 3 |
//! | 72 | 4 | number of entries `n` |
//! | 76 | 85 n | the entries, in the order in which they were added |
//! | 76 + 85 n | 32 | tag: HMAC(mac key, every byte before the tag) |
//!
//! One entry:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 16 | key id, random, unique in the keyring |
//! | 16 | 1 | purpose: see [`Purpose`] |
//! | 17 | 8 | when it was added, Unix milliseconds |
//! | 25 | 12 | nonce, random |
//! | 37 | 48 | AES-256-GCM(wrap key, nonce, the 32-byte secret): ciphertext, then tag |
//!
//! HMAC is HMAC-SHA-256; `||` is concatenation; strings are ASCII without terminator.
//!
//! - wrap key = HMAC(KEK, "tachograph/keyring/wrap/v1" || 0x00 || log id || generation)
//! - mac key = HMAC(KEK, "tachograph/keyring/mac/v1" || 0x00 || log id)
//! - associated data of an entry = "tachograph/keyring/entry/v1" || 0x00 || log id || key id ||
//!   purpose || when it was added
//! - a passphrase becomes a KEK by Argon2id, version 0x13, 32 bytes of output.
//!
//! Every generation wraps every key anew with fresh nonces under a wrap key of its own, so that no
//! wrap key ever sees more than a few times [`MAX_KEYS`] nonces.
//!
//! A reader checks, in this order: magic, version, header fields, KEK id, tag, number of entries
//! against the length, then each entry; the first failure ends the reading. Everything read before
//! the tag was checked is used only to choose a KEK and to word an error.
//!
//! What the tag cannot show is an *older* keyring put in place of the newest: the generation is
//! there to be compared with what the log recorded. Nor can destroying a key reach into a backup
//! of an older keyring; rotating the KEK after a destruction does, once the old KEK is gone.

use std::collections::HashSet;

use thiserror::Error;

use crate::{Entropy, EntropyError, Kek, KekError, KekId, KekOrigin, KeyId, Purpose, SecretKey};

mod bytes;
#[cfg(test)]
mod tests;

/// Most keys in one keyring: 85 MB of file, and decades of daily segments.
pub const MAX_KEYS: usize = 1_000_000;

/// The keys of one log, unwrapped, in memory. Every secret is zeroised when it is dropped.
#[derive(Debug)]
pub struct Keyring {
    log_id: [u8; 16],
    kek_id: KekId,
    generation: u64,
    entries: Vec<Entry>,
}

/// What can be read of a keyring without its KEK. **Not authenticated**: good for choosing a KEK
/// and for error messages, for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyringHeader {
    /// The log it says it belongs to.
    pub log_id: [u8; 16],
    /// The KEK that wrapped it.
    pub kek_id: KekId,
    /// Where that KEK came from, with the passphrase's salt and cost.
    pub origin: KekOrigin,
    /// Its generation.
    pub generation: u64,
    /// How many keys it says it holds.
    pub keys: u32,
}

/// What may be told about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its name.
    pub id: KeyId,
    /// Its use.
    pub purpose: Purpose,
    /// When it was added, Unix milliseconds.
    pub created_ms: u64,
}

/// Why a keyring was not opened, changed or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// Not a keyring at all.
    #[error(
        "this is not a keyring: it does not begin with `TACHOKEY`; check the path, or restore the \
         keyring from a backup"
    )]
    NotAKeyring,
    /// Written by a newer version.
    #[error(
        "the keyring has format version {version} and this tacho reads version 1 only: nothing was \
         read or changed; use the tacho that wrote it, or a newer one"
    )]
    UnsupportedVersion {
        /// The version found.
        version: u16,
    },
    /// Wrapped by another KEK.
    #[error(
        "this key-encryption key does not open the keyring: it was wrapped by KEK {expected} \
         (from: {origin}), given {given}; give the key-encryption key with id {expected}"
    )]
    WrongKek {
        /// The KEK that wrapped it.
        expected: KekId,
        /// The KEK that was given.
        given: KekId,
        /// Where the right one came from.
        origin: KekOrigin,
    },
    /// The bytes are not what was written.
    #[error(
        "the keyring is damaged or was tampered with: {reason}; nothing of it was used, restore it \
         from a backup"
    )]
    Damaged {
        /// What does not fit.
        reason: &'static str,
    },
    /// The passphrase's parameters are not sane.
    #[error(transparent)]
    Passphrase(Box<KekError>),
    /// No such key.
    #[error(
        "the keyring has no key {id}: it was destroyed, or the keyring is older than what refers to \
         it; compare the log's key entries"
    )]
    UnknownKey {
        /// The key asked for.
        id: KeyId,
    },
    /// Asked to write under a KEK that the keyring is not wrapped by.
    #[error(
        "the keyring is wrapped by KEK {expected} and would have been written under {given}: rotate \
         it with a rewrap, or give the right key-encryption key"
    )]
    NotRewrapped {
        /// The KEK of the keyring.
        expected: KekId,
        /// The KEK given.
        given: KekId,
    },
    /// No room.
    #[error("the keyring holds {MAX_KEYS} keys, the most it may: compact or expire segments first")]
    Full,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// One key.
#[derive(Debug)]
struct Entry {
    info: KeyInfo,
    secret: SecretKey,
}

impl Keyring {
    /// An empty keyring for a new log, to be wrapped by `kek`.
    #[must_use]
    pub fn create(log_id: [u8; 16], kek: &Kek) -> Self {
        Self { log_id, kek_id: kek.id(), generation: 0, entries: Vec::new() }
    }

    /// What the bytes say about themselves, before any KEK is at hand. Not authenticated.
    ///
    /// # Errors
    ///
    /// [`KeyringError::NotAKeyring`], [`KeyringError::UnsupportedVersion`],
    /// [`KeyringError::Damaged`] or [`KeyringError::Passphrase`].
    pub fn header(bytes: &[u8]) -> Result<KeyringHeader, KeyringError> {
        bytes::read_header(bytes)
    }

    /// Authenticates and unwraps a keyring. The caller compares [`Keyring::log_id`] with the log
    /// that it meant to open.
    ///
    /// # Errors
    ///
    /// [`KeyringError::WrongKek`] for another KEK; [`KeyringError::Damaged`] and the errors of
    /// [`Keyring::header`] when any byte differs from what was written.
    pub fn open(bytes: &[u8], kek: &Kek) -> Result<Self, KeyringError> {
        bytes::read(bytes, kek)
    }

    /// The next generation as bytes, every key wrapped anew. A generation that is then not stored
    /// is merely skipped.
    ///
    /// # Errors
    ///
    /// [`KeyringError::NotRewrapped`] when `kek` is not the one that the keyring is wrapped by;
    /// [`KeyringError::Entropy`].
    pub fn to_bytes(&mut self, kek: &Kek, entropy: &dyn Entropy) -> Result<Vec<u8>, KeyringError> {
        if kek.id() != self.kek_id {
            return Err(KeyringError::NotRewrapped { expected: self.kek_id, given: kek.id() });
        }
        self.generation = self.generation.saturating_add(1);
        bytes::write(self, kek, entropy)
    }

    /// Adds a secret and names it.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Full`] or [`KeyringError::Entropy`].
    pub fn add(
        &mut self,
        purpose: Purpose,
        secret: SecretKey,
        created_ms: u64,
        entropy: &dyn Entropy,
    ) -> Result<KeyId, KeyringError> {
        let id = KeyId::generate(entropy)?;
        self.insert(id, purpose, secret, created_ms)?;
        Ok(id)
    }

    /// Adds a secret under a fresh random name that was used before the keyring was at hand.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Full`]; [`KeyringError::Entropy`] when the name is taken.
    pub fn insert(
        &mut self,
        id: KeyId,
        purpose: Purpose,
        secret: SecretKey,
        created_ms: u64,
    ) -> Result<(), KeyringError> {
        if self.entries.len() >= MAX_KEYS {
            return Err(KeyringError::Full);
        }
        if self.get(id).is_some() {
            // 128 random bits do not repeat: the source is broken, and so would the new key be.
            return Err(KeyringError::Entropy(EntropyError));
        }
        self.entries.push(Entry { info: KeyInfo { id, purpose, created_ms }, secret });
        Ok(())
    }

    /// Makes a fresh random secret and adds it.
    ///
    /// # Errors
    ///
    /// As [`Keyring::add`].
    pub fn generate(
        &mut self,
        purpose: Purpose,
        created_ms: u64,
        entropy: &dyn Entropy,
    ) -> Result<KeyId, KeyringError> {
        self.add(purpose, SecretKey::generate(entropy)?, created_ms, entropy)
    }

    /// The secret named `id`.
    #[must_use]
    pub fn get(&self, id: KeyId) -> Option<&SecretKey> {
        self.entries.iter().find(|entry| entry.info.id == id).map(|entry| &entry.secret)
    }

    /// Every key of one purpose, oldest addition first.
    pub fn by_purpose(&self, purpose: Purpose) -> impl Iterator<Item = (KeyInfo, &SecretKey)> {
        self.entries
            .iter()
            .filter(move |entry| entry.info.purpose == purpose)
            .map(|entry| (entry.info, &entry.secret))
    }

    /// The key of one purpose with the latest creation time; of equals, the one added last.
    #[must_use]
    pub fn newest(&self, purpose: Purpose) -> Option<(KeyInfo, &SecretKey)> {
        self.by_purpose(purpose).max_by_key(|(info, _)| info.created_ms)
    }

    /// Zeroises and removes a key. It is destroyed for good once the bytes of the next generation
    /// have replaced the old ones on every medium.
    ///
    /// # Errors
    ///
    /// [`KeyringError::UnknownKey`].
    pub fn destroy(&mut self, id: KeyId) -> Result<KeyInfo, KeyringError> {
        let position = self.entries.iter().position(|entry| entry.info.id == id);
        let entry = self.entries.remove(position.ok_or(KeyringError::UnknownKey { id })?);
        Ok(entry.info)
    }

    /// From now on the keyring is wrapped by `kek`; touches no data. Nothing changes on disk until
    /// the bytes of the next generation are stored; from then on the old KEK opens them no more.
    pub fn rewrap(&mut self, kek: &Kek) {
        self.kek_id = kek.id();
    }

    /// Every key without its secret, in the order of addition.
    pub fn list(&self) -> impl ExactSizeIterator<Item = KeyInfo> {
        self.entries.iter().map(|entry| entry.info)
    }

    /// The log that it belongs to.
    #[must_use]
    pub fn log_id(&self) -> [u8; 16] {
        self.log_id
    }

    /// The KEK that it is wrapped by.
    #[must_use]
    pub fn kek_id(&self) -> KekId {
        self.kek_id
    }

    /// The generation last read or written; 0 for a new keyring that was never written.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether two entries share a name.
    fn has_duplicates(&self) -> bool {
        let mut seen = HashSet::with_capacity(self.entries.len());
        !self.entries.iter().all(|entry| seen.insert(entry.info.id))
    }
}
