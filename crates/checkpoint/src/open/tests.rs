//! Whole checkpoints: what opens, and that no altered one does.

use merkle::Hash;
use proptest::prelude::*;

use super::*;

const ORIGIN: &str = "log.example/main";
const TIME_S: u64 = 1_700_000_000;

/// Made by an independent implementation: the log with seed 07.., an Ed25519 witness with seed
/// 01.. and an ML-DSA-44 witness with seed 02...
const COSIGNED: &str = include_str!("../../testdata/cosigned.checkpoint");
const COSIGNED_KEYS: &str = include_str!("../../testdata/cosigned.vkeys");

fn signer(name: &str, algorithm: Algorithm, seed: u8) -> SigningKey {
    SigningKey::from_seed(name, algorithm, &[seed; 32]).unwrap()
}

fn log() -> SigningKey {
    signer(ORIGIN, Algorithm::Ed25519, 7)
}

fn log_post_quantum() -> SigningKey {
    signer(ORIGIN, Algorithm::MlDsa44Cosignature, 7)
}

fn head() -> Checkpoint {
    Checkpoint::new(ORIGIN, 70_000, Hash([9; 32])).unwrap()
}

fn public(keys: &[&SigningKey]) -> Vec<VerifierKey> {
    keys.iter().map(|key| key.verifier_key().clone()).collect()
}

fn cosigned_keys() -> Vec<VerifierKey> {
    COSIGNED_KEYS.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn the_example_of_the_signed_note_specification_verifies() {
    let note = Note::parse(
        "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq\
         6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    );
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let verified = verify_note(&note.unwrap(), &[key.parse().unwrap()]).unwrap();
    assert_eq!(verified[0].name, "example.com/foo");
    assert_eq!(verified[0].timestamp_s, None);
}

#[test]
fn a_checkpoint_signed_and_cosigned_elsewhere_opens() {
    let verified = open_checkpoint_exact(COSIGNED, ORIGIN, &cosigned_keys()).unwrap();
    assert_eq!(verified.checkpoint.size, 70_000);
    assert!(verified.is_signed_by_origin());
    assert_eq!(verified.note().to_string(), COSIGNED);
    let made: Vec<_> = verified
        .signatures
        .iter()
        .map(|made| (made.name.as_str(), made.algorithm, made.timestamp_s))
        .collect();
    let expected = [
        (ORIGIN, Algorithm::Ed25519, None),
        ("w1.example", Algorithm::Ed25519Cosignature, Some(1_700_000_000)),
        ("w2.example", Algorithm::MlDsa44Cosignature, Some(1_700_000_001)),
    ];
    assert_eq!(made, expected);
}

#[test]
fn keys_and_ed25519_lines_are_those_of_the_other_implementation() {
    let witnesses = [
        signer("w1.example", Algorithm::Ed25519Cosignature, 1),
        signer("w2.example", Algorithm::MlDsa44Cosignature, 2),
    ];
    assert_eq!(public(&[&log(), &witnesses[0], &witnesses[1]]), cosigned_keys());
    let theirs = open_checkpoint(COSIGNED, ORIGIN, &cosigned_keys()).unwrap();
    let lines: Vec<&str> = COSIGNED.lines().skip(4).collect();
    let ours = log().sign(theirs.note().text(), 0).unwrap();
    assert_eq!(ours.to_string(), lines[0]);
    let ours = cosign(&theirs, &witnesses[0], 1_700_000_000).unwrap();
    assert_eq!(ours.to_string(), lines[1]);
}

#[test]
fn what_any_set_of_keys_signs_opens_with_exactly_those_keys() {
    let (ed, pq) = (log(), log_post_quantum());
    let timed = signer("w.example", Algorithm::Ed25519Cosignature, 3);
    for keys in [vec![&ed], vec![&pq], vec![&timed], vec![&ed, &pq], vec![&pq, &timed, &ed]] {
        let note = sign_checkpoint_at(&head(), &keys, TIME_S).unwrap();
        let verified = open_checkpoint_exact(&note, ORIGIN, &public(&keys)).unwrap();
        assert_eq!(verified.checkpoint, head());
        assert_eq!(verified.note().to_string(), note);
        for (made, key) in verified.signatures.iter().zip(keys) {
            assert_eq!((made.name.as_str(), made.algorithm), (key.name(), key.algorithm()));
            let stated = key.algorithm().is_cosignature().then_some(TIME_S);
            assert_eq!(made.timestamp_s, stated);
        }
    }
    let note = sign_checkpoint(&head(), &[&pq]).unwrap();
    let verified = open_checkpoint_exact(note, ORIGIN, &public(&[&pq])).unwrap();
    assert_eq!(verified.signatures[0].timestamp_s, Some(0));
}

#[test]
fn every_flipped_bit_of_an_ed25519_checkpoint_is_refused() {
    let key = log();
    let (note, keys) = (sign_checkpoint(&head(), &[&key]).unwrap(), public(&[&key]));
    for place in 0..note.len() {
        for bit in 0..8 {
            let mut altered = note.clone().into_bytes();
            altered[place] ^= 1 << bit;
            let opened = open_checkpoint_exact(&altered, ORIGIN, &keys);
            assert!(opened.is_err(), "byte {place} bit {bit}");
            assert!(open_checkpoint(&altered, ORIGIN, &keys).is_err());
        }
    }
}

#[test]
fn every_flipped_byte_of_a_cosigned_checkpoint_is_refused() {
    let keys = cosigned_keys();
    for place in 0..COSIGNED.len() {
        let mut altered = COSIGNED.as_bytes().to_vec();
        // Upper to lower case, and most other characters to another of the base64 alphabet.
        altered[place] ^= if place % 2 == 0 { 0x20 } else { 0x01 };
        assert!(open_checkpoint_exact(&altered, ORIGIN, &keys).is_err(), "byte {place}");
    }
}

#[test]
fn a_checkpoint_with_bytes_cut_or_added_is_refused() {
    let key = log();
    let (note, keys) = (sign_checkpoint(&head(), &[&key]).unwrap(), public(&[&key]));
    for length in 0..note.len() {
        assert!(open_checkpoint(&note.as_bytes()[..length], ORIGIN, &keys).is_err());
    }
    for addition in ["\n", " ", "x\n", "\u{2014} x AAAA\n"] {
        assert!(open_checkpoint(format!("{note}{addition}"), ORIGIN, &keys).is_err());
        assert!(open_checkpoint(format!("{addition}{note}"), ORIGIN, &keys).is_err());
    }
}

#[test]
fn lines_by_unknown_keys_are_ignored_but_not_on_ones_own_log() {
    let (known, stranger) = (log(), signer("stranger.example", Algorithm::Ed25519, 8));
    let note = sign_checkpoint(&head(), &[&stranger, &known]).unwrap();
    let keys = public(&[&known]);
    assert_eq!(open_checkpoint(&note, ORIGIN, &keys).unwrap().signatures.len(), 1);
    let refused = open_checkpoint_exact(&note, ORIGIN, &keys);
    assert!(
        matches!(refused, Err(OpenError::UnknownSigner { name, .. }) if name == "stranger.example")
    );
    let refused = open_checkpoint(&note, ORIGIN, &[]);
    assert_eq!(refused, Err(OpenError::NoKnownSignature { lines: 2 }));
    // Same name, other key: not known either.
    let other = signer(ORIGIN, Algorithm::Ed25519, 9);
    let refused = open_checkpoint(&note, ORIGIN, &public(&[&other]));
    assert_eq!(refused, Err(OpenError::NoKnownSignature { lines: 2 }));
}

#[test]
fn one_false_line_by_a_known_key_spoils_the_note() {
    let (one, two) = (log(), signer("two.example", Algorithm::Ed25519, 8));
    let mut note = Note::parse(sign_checkpoint(&head(), &[&one]).unwrap()).unwrap();
    let elsewhere = two.sign("another text\n", 0).unwrap();
    note.add(elsewhere).unwrap();
    let keys = public(&[&one, &two]);
    let refused = open_checkpoint(note.to_string(), ORIGIN, &keys);
    assert!(matches!(refused, Err(OpenError::BadSignature { name, .. }) if name == "two.example"));
    assert!(open_checkpoint(note.to_string(), ORIGIN, &keys[..1]).is_ok());
}

#[test]
fn ones_own_keys_sign_once_each() {
    let (ed, pq) = (log(), log_post_quantum());
    let keys = public(&[&ed, &pq]);
    let note = sign_checkpoint(&head(), &[&ed]).unwrap();
    let refused = open_checkpoint_exact(&note, ORIGIN, &keys);
    assert!(matches!(refused, Err(OpenError::SignerCount { times: 0, .. })));
    assert!(open_checkpoint(&note, ORIGIN, &keys).is_ok());
    let note = sign_checkpoint(&head(), &[&ed, &pq, &ed]).unwrap();
    let refused = open_checkpoint_exact(&note, ORIGIN, &keys);
    assert!(matches!(refused, Err(OpenError::SignerCount { times: 2, .. })));
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let key = log();
    let note = sign_checkpoint(&head(), &[&key]).unwrap();
    let refused = open_checkpoint(note, "log.example/other", &public(&[&key]));
    assert!(matches!(refused, Err(OpenError::Origin { got, .. }) if got == ORIGIN));
}

#[test]
fn extension_lines_are_shown_only_if_a_signature_covers_them() {
    let (ed, pq) = (log(), log_post_quantum());
    let text = format!("{}extension\n", head());
    let refused = sign_note(&text, &[&pq], 0);
    assert!(matches!(refused, Err(SignError::Statement { .. })));
    // A cosigner elsewhere may sign the three lines all the same.
    let mut note = sign_note(&text, &[&ed], 0).unwrap();
    note.add(pq.sign(&head().to_string(), 0).unwrap()).unwrap();
    let verified = open_checkpoint(note.to_string(), ORIGIN, &public(&[&ed, &pq])).unwrap();
    assert_eq!(verified.extensions, ["extension"]);
    let verified = open_checkpoint(note.to_string(), ORIGIN, &public(&[&pq])).unwrap();
    assert!(verified.extensions.is_empty());
    for keys in [public(&[&ed, &pq]), public(&[&pq])] {
        assert!(open_checkpoint_exact(note.to_string(), ORIGIN, &keys).is_err());
    }
}

#[test]
fn a_cosignature_covers_its_time() {
    for algorithm in [Algorithm::Ed25519Cosignature, Algorithm::MlDsa44Cosignature] {
        let key = signer("w.example", algorithm, 3);
        let text = head().to_string();
        let line = key.sign(&text, TIME_S).unwrap();
        let mut later = line.signature().to_vec();
        later[7] ^= 1;
        for (signature, holds) in [(line.signature().to_vec(), true), (later, false)] {
            let mut note = Note::new(&text).unwrap();
            note.add(NoteSignature::new("w.example", line.key_id(), signature).unwrap()).unwrap();
            assert_eq!(verify_note(&note, &public(&[&key])).is_ok(), holds);
        }
        assert_eq!(key.sign(&text, u64::MAX), Err(SignError::Timestamp(u64::MAX)));
        assert!(matches!(key.sign("no checkpoint\n", 1), Err(SignError::Statement { .. })));
    }
}

#[test]
fn an_ml_dsa_cosignature_covers_the_cosigners_name() {
    let (key, renamed) = (
        signer("w.example", Algorithm::MlDsa44Cosignature, 3),
        signer("v.example", Algorithm::MlDsa44Cosignature, 3),
    );
    let line = key.sign(&head().to_string(), 0).unwrap();
    let id = renamed.verifier_key().key_id();
    let mut note = Note::new(head().to_string()).unwrap();
    note.add(NoteSignature::new("v.example", id, line.signature().to_vec()).unwrap()).unwrap();
    assert!(verify_note(&note, &public(&[&renamed])).is_err());
}

#[test]
fn a_plain_key_does_not_cosign() {
    let key = log();
    let note = sign_checkpoint(&head(), &[&key]).unwrap();
    let verified = open_checkpoint(note, ORIGIN, &public(&[&key])).unwrap();
    assert!(matches!(cosign(&verified, &key, 1), Err(SignError::Statement { .. })));
}

#[test]
fn what_is_no_checkpoint_is_not_signed() {
    let key = log();
    let wrong = Checkpoint { origin: "two\nlines".into(), ..head() };
    assert!(matches!(sign_checkpoint(&wrong, &[&key]), Err(SignError::Checkpoint(_))));
    assert_eq!(sign_checkpoint(&head(), &[]), Err(SignError::NoKey));
    assert!(sign_note("no newline", &[&key], 0).is_err());
}

#[test]
fn two_keys_with_one_name_and_id_are_ambiguous() {
    // Two seeds whose public keys have the same 32-bit id under this name.
    let twin = |number: u32| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        SigningKey::from_seed("log.example/twins", Algorithm::Ed25519, &seed).unwrap()
    };
    let (one, two) = (twin(15_694), twin(29_889));
    assert_eq!(one.verifier_key().key_id(), two.verifier_key().key_id());
    assert_ne!(one.verifier_key(), two.verifier_key());
    let note = sign_checkpoint(&head(), &[&one]).unwrap();
    let refused = open_checkpoint(&note, ORIGIN, &public(&[&one, &two]));
    assert!(matches!(refused, Err(OpenError::AmbiguousKeys { .. })));
    assert!(open_checkpoint(&note, ORIGIN, &public(&[&one, &one])).is_ok());
}

#[test]
fn a_signing_key_does_not_show_its_secret() {
    for key in [log(), log_post_quantum()] {
        let shown = format!("{key:?}");
        assert!(shown.contains(ORIGIN) && shown.contains("redacted"), "{shown}");
        for secret in ["7, 7", "0707", "\\x07"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_open_or_panic(bytes: Vec<u8>, text: String) {
        let keys = public(&[&log()]);
        prop_assert!(open_checkpoint(bytes, ORIGIN, &keys).is_err());
        let doubled = format!("{text}\n\n{text}\n");
        prop_assert!(open_checkpoint(doubled, ORIGIN, &keys).is_err());
    }

    #[test]
    fn arbitrary_signatures_never_verify_or_panic(
        signature in prop::collection::vec(any::<u8>(), 1..100), long: bool, filler: u8,
    ) {
        let mut signature = signature;
        if long {
            signature.resize(8 + 2420, filler);
        }
        for key in cosigned_keys() {
            let mut note = Note::new(head().to_string()).unwrap();
            note.add(NoteSignature::new(key.name(), key.key_id(), signature.clone()).unwrap())
                .unwrap();
            prop_assert!(verify_note(&note, &[key]).is_err());
        }
    }
}
