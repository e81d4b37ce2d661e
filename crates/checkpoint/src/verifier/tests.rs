//! Key texts: one spelling each, and nothing altered passes for a key.

use proptest::prelude::*;

use super::*;
use crate::signer::SigningKey;

const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

fn all() -> [Algorithm; 3] {
    [Algorithm::Ed25519, Algorithm::Ed25519Cosignature, Algorithm::MlDsa44Cosignature]
}

fn key(algorithm: Algorithm) -> VerifierKey {
    let key = SigningKey::from_seed("log.example/main", algorithm, &[7; 32]).unwrap();
    key.verifier_key().clone()
}

#[test]
fn the_example_of_the_specification_is_read() {
    let key: VerifierKey = EXAMPLE.parse().unwrap();
    assert_eq!(key.name(), "example.com/foo");
    assert_eq!(key.key_id(), [0x53, 0x0d, 0x90, 0x3a]);
    assert_eq!(key.algorithm(), Algorithm::Ed25519);
    assert_eq!(key.to_string(), EXAMPLE);
}

#[test]
fn every_algorithm_survives_its_text() {
    for algorithm in all() {
        let key = key(algorithm);
        let read: VerifierKey = key.to_string().parse().unwrap();
        assert_eq!(read, key);
        assert_eq!(read.algorithm(), algorithm);
        assert_eq!(read.fingerprint(), key.fingerprint());
    }
    assert_eq!(key(Algorithm::Ed25519).public_bytes().len(), 32);
    assert_eq!(key(Algorithm::MlDsa44Cosignature).public_bytes().len(), 1312);
}

#[test]
fn key_ids_are_the_hash_of_name_type_and_key() {
    for (algorithm, kind) in all().into_iter().zip([0x01, 0x04, 0x06]) {
        let key = key(algorithm);
        let mut hashed = b"log.example/main\n".to_vec();
        hashed.push(kind);
        hashed.extend(key.public_bytes());
        assert_eq!(key.key_id(), Sha256::digest(hashed)[..4]);
    }
    // Made by another implementation from the same seed.
    let vkey = "log.example/main+affc8f72+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
    assert_eq!(key(Algorithm::Ed25519).to_string(), vkey);
}

#[test]
fn every_flipped_byte_is_refused() {
    for algorithm in all() {
        let text = key(algorithm).to_string();
        for place in 0..text.len() {
            for mask in [0x01, 0x20, 0x04] {
                let mut altered = text.clone().into_bytes();
                altered[place] ^= mask;
                let altered = String::from_utf8(altered).unwrap();
                assert!(altered.parse::<VerifierKey>().is_err(), "{altered}");
            }
        }
    }
}

#[test]
fn what_is_no_key_is_refused() {
    for text in [
        "",
        "+",
        "++",
        "name",
        "name+530d903a",
        "name+530d903a+",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+30d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
    ] {
        assert!(text.parse::<VerifierKey>().is_err(), "{text:?}");
    }
    let unknown = "name+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse();
    let unknown: Result<VerifierKey, KeyError> = unknown;
    assert!(matches!(unknown, Err(KeyError::Type { kind: 2, .. })));
}

#[test]
fn weak_and_misshapen_public_keys_are_refused() {
    // The neutral element, which verifies a signature over any message.
    let mut weak = [0; 32];
    weak[0] = 1;
    for public in [weak.as_slice(), &[2; 31], &[], &[0xff; 32]] {
        for algorithm in [Algorithm::Ed25519, Algorithm::Ed25519Cosignature] {
            assert!(VerifierKey::new("n", algorithm, public).is_err(), "{public:?}");
        }
    }
    assert!(VerifierKey::new("n", Algorithm::MlDsa44Cosignature, &[0; 1311]).is_err());
}

#[test]
fn names_follow_the_specification() {
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\u{2028}b", "a\nb", "a\u{7f}", &"a".repeat(256)] {
        assert!(!is_key_name(name), "{name:?}");
    }
    for name in ["a", "log.example/main", "é", "oid/1.2.3", &"a".repeat(255)] {
        assert!(is_key_name(name), "{name:?}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text: String, bytes: Vec<u8>) {
        let _ = text.parse::<VerifierKey>();
        let _ = format!("n+00000000+{}", encode_base64(bytes)).parse::<VerifierKey>();
    }
}
