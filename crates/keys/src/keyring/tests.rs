//! The keyring refuses every change and tells a wrong key from a damaged file.

use proptest::prelude::*;

use super::bytes::{ENTRY_BYTES, HEADER_BYTES, MAC_BYTES};
use super::*;
use crate::{PassphraseKdf, SecretString, SystemEntropy};

const LOG: [u8; 16] = *b"one log, no more";

fn kek(byte: u8) -> Kek {
    Kek::from_secret(SecretKey::new([byte; 32]), KekOrigin::File)
}

/// One key of each purpose.
fn filled() -> Keyring {
    let mut keyring = Keyring::create(LOG, &kek(1));
    for purpose in Purpose::ALL {
        let secret = SecretKey::new([0x40 + purpose.code(); 32]);
        keyring.add(purpose, secret, u64::from(purpose.code()), &SystemEntropy::new()).unwrap();
    }
    keyring
}

fn written(keyring: &mut Keyring) -> Vec<u8> {
    keyring.to_bytes(&kek(1), &SystemEntropy::new()).unwrap()
}

/// Recomputes the tag, as someone who has the KEK could.
fn resign(bytes: &mut [u8]) {
    let key = kek(1).derive(&[b"tachograph/keyring/mac/v1\0", &LOG]);
    let (signed, tag) = bytes.split_at_mut(bytes.len() - MAC_BYTES);
    tag.copy_from_slice(&crate::hmac_sha256(key.expose(), &[signed]));
}

#[test]
fn round_trip_keeps_everything() {
    let mut keyring = filled();
    let bytes = written(&mut keyring);
    assert_eq!(bytes.len(), HEADER_BYTES + 7 * ENTRY_BYTES + MAC_BYTES);
    let opened = Keyring::open(&bytes, &kek(1)).unwrap();
    assert_eq!(opened.log_id(), LOG);
    assert_eq!(opened.generation(), 1);
    assert_eq!(opened.kek_id(), kek(1).id());
    assert!(opened.list().eq(keyring.list()));
    for info in keyring.list() {
        assert_eq!(opened.get(info.id), keyring.get(info.id));
        assert_eq!(opened.get(info.id).unwrap().expose(), &[0x40 + info.purpose.code(); 32]);
    }
}

/// Entropy 0, 1, 2, ... so that the bytes below can be reproduced.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A keyring of version 1, computed from the format's description by another implementation
/// (Python, with OpenSSL). It must open for ever.
const GOLDEN_V1: &str = concat!(
    "544143484f4b455900010300fe16ef4ca94a84b16f6e65206c6f672c206e6f206d6f726500000000",
    "00000001000102030405060708090a0b0c0d0e0f0000200000000001000000010000000200010203",
    "0405060708090a0b0c0d0e0f0100000000000003e8202122232425262728292a2bc02bedb042ad47",
    "eb792f1f52dd44e08c46cf584db92b46b3b5abdf0f79d7dd36d4ec0d75362c5b1325d5422c2855d6",
    "66101112131415161718191a1b1c1d1e1f0700000100000000002c2d2e2f3031323334353637a399",
    "cefa6b886acbbdaa6939f6f6649bdb6e36b8d7ca3e259cab976adc9347719749bcf380b9360a08f7",
    "8071856b4b00da7f3d579077d3c008b88f406d612826e9e0277b28083d908056e9888f438bc8",
);

#[test]
fn version_1_is_read_and_written_as_documented() {
    let golden = hex::decode(GOLDEN_V1).unwrap();
    let KekOrigin::Passphrase(kdf) = Keyring::header(&golden).unwrap().origin else {
        panic!("the header names a passphrase");
    };
    let passphrase = SecretString::new("correct horse battery staple".to_owned());
    let kek = crate::KekSource::Passphrase { passphrase, kdf }.load().unwrap();
    let opened = Keyring::open(&golden, &kek).unwrap();
    assert_eq!(opened.newest(Purpose::LogSigning).unwrap().1.expose(), &[0x41; 32]);
    assert_eq!(opened.newest(Purpose::Segment).unwrap().1.expose(), &[0x47; 32]);

    let entropy = Counting::default();
    let mut keyring = Keyring::create(LOG, &kek);
    keyring.add(Purpose::LogSigning, SecretKey::new([0x41; 32]), 1000, &entropy).unwrap();
    keyring.add(Purpose::Segment, SecretKey::new([0x47; 32]), 1 << 40, &entropy).unwrap();
    assert_eq!(hex::encode(keyring.to_bytes(&kek, &entropy).unwrap()), GOLDEN_V1);
}

#[test]
fn header_is_readable_without_a_key() {
    let mut keyring = filled();
    let bytes = written(&mut keyring);
    let header = Keyring::header(&bytes).unwrap();
    let expected = KeyringHeader {
        log_id: LOG,
        kek_id: kek(1).id(),
        origin: KekOrigin::File,
        generation: 1,
        keys: 7,
    };
    assert_eq!(header, expected);
}

#[test]
fn no_secret_is_written_in_the_clear() {
    let bytes = written(&mut filled());
    for purpose in Purpose::ALL {
        let run = [0x40 + purpose.code(); 8];
        assert!(!bytes.windows(8).any(|window| window == run), "{purpose}");
    }
    assert!(!bytes.windows(8).any(|window| window == [1; 8]));
}

#[test]
fn every_changed_byte_is_refused() {
    let good = written(&mut filled());
    for position in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[position] ^= flip;
            assert!(Keyring::open(&bad, &kek(1)).is_err(), "byte {position} ^ {flip:#x}");
        }
    }
    assert!(Keyring::open(&good, &kek(1)).is_ok());
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let good = written(&mut filled());
    for length in 0..good.len() {
        assert!(Keyring::open(&good[..length], &kek(1)).is_err(), "{length} bytes");
    }
    for more in [1, MAC_BYTES, ENTRY_BYTES] {
        let mut bad = good.clone();
        bad.resize(good.len() + more, 0);
        assert!(Keyring::open(&bad, &kek(1)).is_err(), "{more} bytes more");
    }
}

#[test]
fn removed_repeated_and_reordered_entries_are_refused() {
    let good = written(&mut filled());
    let at = |number: usize| HEADER_BYTES + number * ENTRY_BYTES;
    let mut removed = good.clone();
    removed.drain(at(2)..at(3));
    removed[75] -= 1;
    assert!(Keyring::open(&removed, &kek(1)).is_err());
    let mut repeated = good.clone();
    repeated.copy_within(at(1)..at(2), at(2));
    assert!(Keyring::open(&repeated, &kek(1)).is_err());
    let mut reordered = good.clone();
    reordered.copy_within(at(1)..at(2), at(0));
    reordered[at(1)..at(2)].copy_from_slice(&good[at(0)..at(1)]);
    assert!(Keyring::open(&reordered, &kek(1)).is_err());
}

#[test]
fn wrapped_keys_are_bound_to_their_entry_even_under_a_right_tag() {
    let good = written(&mut filled());
    let mut resigned = good.clone();
    resign(&mut resigned);
    assert_eq!(resigned, good, "the test computes the tag as the format says");
    // Purpose, creation time, log id and generation of an entry changed with the tag made right.
    for position in [36 + 7, HEADER_BYTES + 16, HEADER_BYTES + 24] {
        let mut bad = good.clone();
        bad[position] ^= 0x03;
        resign(&mut bad);
        let error = Keyring::open(&bad, &kek(1)).unwrap_err();
        assert!(error.to_string().contains("wrapped key"), "{position}: {error}");
    }
    let mut repeated = good.clone();
    repeated.copy_within(HEADER_BYTES..HEADER_BYTES + ENTRY_BYTES, HEADER_BYTES + ENTRY_BYTES);
    resign(&mut repeated);
    let error = Keyring::open(&repeated, &kek(1)).unwrap_err();
    assert!(error.to_string().contains("same key id"), "{error}");
    let mut unknown = good.clone();
    unknown[HEADER_BYTES + 16] = 99;
    resign(&mut unknown);
    let error = Keyring::open(&unknown, &kek(1)).unwrap_err();
    assert!(error.to_string().contains("purpose"), "{error}");
    let mut count = good;
    count[75] += 1;
    resign(&mut count);
    let error = Keyring::open(&count, &kek(1)).unwrap_err();
    assert!(error.to_string().contains("number of entries"), "{error}");
}

#[test]
fn wrong_kek_is_named_and_not_called_damage() {
    let bytes = written(&mut filled());
    let error = Keyring::open(&bytes, &kek(2)).unwrap_err();
    assert!(matches!(error, KeyringError::WrongKek { .. }), "{error}");
    let message = error.to_string();
    let named = format!("wrapped by KEK {} (from: file), given {}", kek(1).id(), kek(2).id());
    assert!(message.contains("does not open the keyring") && message.contains(&named), "{message}");
}

#[test]
fn kek_id_that_was_forged_does_not_open_anything() {
    let mut bytes = written(&mut filled());
    bytes[12..20].copy_from_slice(kek(2).id().as_bytes());
    let error = Keyring::open(&bytes, &kek(2)).unwrap_err();
    assert!(matches!(error, KeyringError::Damaged { .. }), "{error}");
}

#[test]
fn future_version_is_refused_as_such() {
    let mut bytes = written(&mut filled());
    bytes[8..10].copy_from_slice(&2_u16.to_be_bytes());
    bytes[10..].fill(0xff);
    let error = Keyring::open(&bytes, &kek(1)).unwrap_err();
    assert!(matches!(error, KeyringError::UnsupportedVersion { version: 2 }), "{error}");
    let error = Keyring::open(&bytes[..10], &kek(1)).unwrap_err();
    assert!(matches!(error, KeyringError::UnsupportedVersion { version: 2 }), "{error}");
    assert!(matches!(Keyring::open(b"", &kek(1)), Err(KeyringError::NotAKeyring)));
    assert!(matches!(Keyring::open(b"PAR1....", &kek(1)), Err(KeyringError::NotAKeyring)));
}

#[test]
fn each_generation_is_higher_and_wrapped_anew() {
    let mut keyring = filled();
    let first = written(&mut keyring);
    let second = written(&mut keyring);
    assert_eq!(Keyring::open(&first, &kek(1)).unwrap().generation(), 1);
    assert_eq!(Keyring::open(&second, &kek(1)).unwrap().generation(), 2);
    let nonce = HEADER_BYTES + 25..HEADER_BYTES + ENTRY_BYTES;
    assert_ne!(first[nonce.clone()], second[nonce]);
    let mut reopened = Keyring::open(&second, &kek(1)).unwrap();
    assert_eq!(Keyring::header(&written(&mut reopened)).unwrap().generation, 3);
}

#[test]
fn destroyed_key_is_gone_from_memory_and_from_the_next_bytes() {
    let mut keyring = filled();
    let victim = keyring.list().nth(3).unwrap();
    assert_eq!(keyring.destroy(victim.id).unwrap(), victim);
    assert_eq!(keyring.get(victim.id), None);
    assert!(matches!(keyring.destroy(victim.id), Err(KeyringError::UnknownKey { .. })));
    let bytes = written(&mut keyring);
    assert!(!bytes.windows(16).any(|window| window == victim.id.as_bytes()));
    let opened = Keyring::open(&bytes, &kek(1)).unwrap();
    assert_eq!(opened.get(victim.id), None);
    let left: Vec<Purpose> = opened.list().map(|info| info.purpose).collect();
    let expected: Vec<Purpose> =
        Purpose::ALL.into_iter().filter(|purpose| *purpose != victim.purpose).collect();
    assert_eq!(left, expected, "the others stay, in their order");
}

#[test]
fn rewrapping_refuses_the_old_kek_and_keeps_the_keys() {
    let mut keyring = filled();
    let before = written(&mut keyring);
    let entropy = SystemEntropy::new();
    let refused = keyring.to_bytes(&kek(2), &entropy);
    assert!(matches!(refused, Err(KeyringError::NotRewrapped { .. })));
    keyring.rewrap(&kek(2));
    assert!(matches!(keyring.to_bytes(&kek(1), &entropy), Err(KeyringError::NotRewrapped { .. })));
    let after = keyring.to_bytes(&kek(2), &entropy).unwrap();
    assert!(matches!(Keyring::open(&after, &kek(1)), Err(KeyringError::WrongKek { .. })));
    let opened = Keyring::open(&after, &kek(2)).unwrap();
    let old = Keyring::open(&before, &kek(1)).unwrap();
    assert!(opened.list().eq(old.list()));
    for info in old.list() {
        assert_eq!(opened.get(info.id), old.get(info.id));
    }
}

#[test]
fn newest_is_by_time_then_by_addition() {
    let entropy = SystemEntropy::new();
    let mut keyring = Keyring::create(LOG, &kek(1));
    assert!(keyring.newest(Purpose::Journal).is_none());
    let late = keyring.generate(Purpose::Journal, 200, &entropy).unwrap();
    keyring.generate(Purpose::Journal, 100, &entropy).unwrap();
    keyring.generate(Purpose::Segment, 300, &entropy).unwrap();
    assert_eq!(keyring.newest(Purpose::Journal).unwrap().0.id, late);
    let later = keyring.generate(Purpose::Journal, 200, &entropy).unwrap();
    assert_eq!(keyring.newest(Purpose::Journal).unwrap().0.id, later);
    assert_eq!(keyring.by_purpose(Purpose::Journal).count(), 3);
}

#[test]
fn repeating_entropy_is_refused_not_stored() {
    struct Stuck;
    impl Entropy for Stuck {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(7);
            Ok(())
        }
    }
    let mut keyring = Keyring::create(LOG, &kek(1));
    keyring.generate(Purpose::Journal, 1, &Stuck).unwrap();
    assert!(keyring.generate(Purpose::Journal, 2, &Stuck).is_err());
    assert_eq!(keyring.list().len(), 1);
}

#[test]
fn passphrase_reopens_from_the_header_alone() {
    let entropy = SystemEntropy::new();
    let salt = crate::random(&entropy).unwrap();
    let load = |text: &str, kdf| {
        let passphrase = SecretString::new(text.to_owned());
        crate::KekSource::Passphrase { passphrase, kdf }.load().unwrap()
    };
    let kdf = PassphraseKdf::new(salt, 8 * 1024, 1, 1).unwrap();
    let first = load("correct horse battery staple", kdf);
    let mut keyring = Keyring::create(LOG, &first);
    let id = keyring.generate(Purpose::Segment, 1, &entropy).unwrap();
    let bytes = keyring.to_bytes(&first, &entropy).unwrap();
    let KekOrigin::Passphrase(found) = Keyring::header(&bytes).unwrap().origin else {
        panic!("the header names a passphrase");
    };
    assert_eq!(found, kdf);
    let opened = Keyring::open(&bytes, &load("correct horse battery staple", found)).unwrap();
    assert_eq!(opened.get(id), keyring.get(id));
    let wrong = Keyring::open(&bytes, &load("correct horse battery stable", found));
    assert!(matches!(wrong, Err(KeyringError::WrongKek { .. })));
    // Anyone can edit the header: absurd costs are refused before a byte of memory is taken.
    let mut absurd = bytes.clone();
    absurd[60..64].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(Keyring::header(&absurd), Err(KeyringError::Passphrase(_))));
    for position in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[position] ^= 0x01;
        assert!(Keyring::open(&bad, &first).is_err(), "byte {position}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", filled());
    assert!(shown.contains("SecretKey(..)"), "{shown}");
    for purpose in Purpose::ALL {
        let byte = 0x40 + purpose.code();
        assert!(!shown.contains(&format!("{byte}, {byte}")), "{shown}");
        assert!(!shown.contains(&hex::encode([byte; 4])), "{shown}");
    }
}

proptest! {
    #[test]
    fn opening_arbitrary_bytes_never_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        prop_assert!(Keyring::open(&bytes, &kek(1)).is_err());
        let mut framed = written(&mut Keyring::create(LOG, &kek(1)));
        framed.truncate(36);
        framed.extend_from_slice(&bytes);
        prop_assert!(Keyring::open(&framed, &kek(1)).is_err());
        if framed.len() >= HEADER_BYTES + MAC_BYTES {
            resign(&mut framed);
            let _ = Keyring::open(&framed, &kek(1));
        }
    }

    #[test]
    fn any_keyring_round_trips(
        keys in proptest::collection::vec((0..7_usize, any::<u64>(), any::<[u8; 32]>()), 0..20),
        log_id: [u8; 16],
    ) {
        let entropy = SystemEntropy::new();
        let mut keyring = Keyring::create(log_id, &kek(1));
        for (purpose, created_ms, secret) in keys {
            let (purpose, secret) = (Purpose::ALL[purpose], SecretKey::new(secret));
            keyring.add(purpose, secret, created_ms, &entropy).unwrap();
        }
        let bytes = keyring.to_bytes(&kek(1), &entropy).unwrap();
        let opened = Keyring::open(&bytes, &kek(1)).unwrap();
        prop_assert_eq!(opened.log_id(), log_id);
        prop_assert!(opened.list().eq(keyring.list()));
        for info in keyring.list() {
            prop_assert_eq!(opened.get(info.id), keyring.get(info.id));
        }
    }
}
