//! Statements that keys take over: what reads, and that no altered one does.

use super::*;
use crate::verifier::Algorithm;

const ORIGIN: &str = "log.example/main";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[seed; 32]).unwrap()
}

fn post_quantum(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::MlDsa44Cosignature, &[seed; 32]).unwrap()
}

fn signed(old: &[&SigningKey], new: &[&SigningKey]) -> String {
    Succession::sign(ORIGIN, 1, 41, old, new).unwrap().to_string()
}

#[test]
fn a_statement_reads_back() {
    let note = signed(&[&key(1)], &[&key(2)]);
    let read = Succession::parse(&note).unwrap();
    assert_eq!((read.origin(), read.epoch(), read.record()), (ORIGIN, 1, 41));
    assert_eq!(read.old(), [key(1).verifier_key().clone()]);
    assert_eq!(read.new_keys(), [key(2).verifier_key().clone()]);
    assert_eq!(read.to_string(), note);
    assert_eq!(read, Succession::sign(ORIGIN, 1, 41, &[&key(1)], &[&key(2)]).unwrap());
    let both = signed(&[&key(1), &post_quantum(1)], &[&key(2), &post_quantum(2)]);
    assert_eq!(Succession::parse(&both).unwrap().old().len(), 2);
}

#[test]
fn every_altered_byte_is_refused() {
    let note = signed(&[&key(1)], &[&key(2)]);
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(Succession::parse(&text).is_err(), "bit {bit} of byte {at}");
            }
        }
        if note.is_char_boundary(at) {
            assert!(Succession::parse(&note[..at]).is_err(), "cut at {at}");
        }
    }
    assert!(Succession::parse(&format!("{note}\n")).is_err());
    assert!(matches!(
        Succession::parse(&"a".repeat(SUCCESSION_BYTES_MAX + 1)),
        Err(SuccessionError::TooLong(_))
    ));
}

/// The statement with signature lines by others.
fn signed_by(note: &str, signers: &[&SigningKey]) -> String {
    let text = Note::parse(note).unwrap().text().to_owned();
    let mut forged = Note::new(&*text).unwrap();
    for key in signers {
        forged.add(key.sign_statement(&text, HEADER).unwrap()).unwrap();
    }
    forged.to_string()
}

#[test]
fn both_sides_must_have_signed() {
    let (old, new, other) = (key(1), key(2), key(3));
    let note = signed(&[&old], &[&new]);
    for signers in [&[&old][..], &[&new], &[&new, &old], &[&old, &new, &other], &[&old, &other]] {
        let forged = signed_by(&note, signers);
        assert_eq!(Succession::parse(&forged), Err(SuccessionError::Signers));
    }
    // A line that claims to be by a key, and is not.
    let lines: Vec<&str> = note.lines().collect();
    let (by_old, by_new) = (lines[lines.len() - 2], lines[lines.len() - 1]);
    let elsewhere = Succession::sign(ORIGIN, 1, 42, &[&old], &[&new]).unwrap().to_string();
    let elsewhere: Vec<&str> = elsewhere.lines().collect();
    let (old_42, new_42) = (elsewhere[elsewhere.len() - 2], elsewhere[elsewhere.len() - 1]);
    let id = |key: &SigningKey| key.verifier_key().key_id();
    let forged = note.replace(by_old, old_42);
    assert_eq!(Succession::parse(&forged), Err(SuccessionError::Old(id(&old))));
    let forged = note.replace(by_new, new_42);
    assert_eq!(Succession::parse(&forged), Err(SuccessionError::New(id(&new))));
}

#[test]
fn a_post_quantum_key_cannot_be_dropped_and_must_sign_too() {
    let dropped = signed(&[&key(1), &post_quantum(1)], &[&key(2)]);
    assert_eq!(Succession::parse(&dropped), Err(SuccessionError::Algorithms));
    let both = signed(&[&key(1), &post_quantum(1)], &[&key(2), &post_quantum(2)]);
    let mut forged = Note::new(Note::parse(&both).unwrap().text()).unwrap();
    for (place, line) in Note::parse(&both).unwrap().signatures().iter().enumerate() {
        let mut signature = line.signature().to_vec();
        signature[100 % line.signature().len()] ^= u8::from(place == 1);
        let line = crate::NoteSignature::new(line.name(), line.key_id(), signature).unwrap();
        forged.add(line).unwrap();
    }
    let id = post_quantum(1).verifier_key().key_id();
    assert_eq!(Succession::parse(&forged.to_string()), Err(SuccessionError::Old(id)));
}

#[test]
fn keys_of_another_log_are_refused_and_no_statement_is_a_checkpoint() {
    let stranger = SigningKey::from_seed("log.example/b", Algorithm::Ed25519, &[9; 32]).unwrap();
    let note = signed(&[&stranger], &[&key(2)]);
    assert!(matches!(Succession::parse(&note), Err(SuccessionError::Name { .. })));
    let note = signed(&[&key(1)], &[&key(2)]);
    let text = Note::parse(&note).unwrap().text().to_owned();
    assert!(crate::CheckpointText::parse(&text).is_err());
    let post_quantum = post_quantum(1);
    let line = post_quantum.sign_statement(&text, HEADER).unwrap();
    assert_eq!(post_quantum.verifier_key().verify(&text, line.signature()), None);
    assert!(!post_quantum.verifier_key().verify_statement(&text, "", line.signature()));
}
