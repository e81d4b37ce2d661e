//! Proofs: they survive their text, and no altered byte of one holds.

use merkle::{MemoryTree, inclusion_proof, leaf_hash};
use proptest::prelude::*;

use super::*;
use crate::head::Checkpoint;
use crate::open::sign_checkpoint;
use crate::signer::SigningKey;
use crate::verifier::Algorithm;

const ORIGIN: &str = "log.example/main";

/// A proof for entry 5 of 11, its leaf hash and the log's key.
fn example() -> (TlogProof, Hash, VerifierKey) {
    let leaves = (0..11_u8).map(|byte| leaf_hash(&[byte]));
    let tree: MemoryTree = leaves.collect();
    let key = SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[7; 32]).unwrap();
    let head = Checkpoint::new(ORIGIN, 11, tree.root()).unwrap();
    let checkpoint = sign_checkpoint(&head, &[&key]).unwrap();
    let hashes = inclusion_proof(&tree, 5, 11).unwrap();
    let proof = TlogProof { extra: None, index: 5, hashes, checkpoint };
    (proof, leaf_hash(&[5]), key.verifier_key().clone())
}

#[test]
fn a_proof_holds_for_its_entry_only() {
    let (proof, leaf, key) = example();
    let keys = [key];
    let verified = proof.open(&leaf, ORIGIN, &keys).unwrap();
    assert_eq!(verified.checkpoint.size, 11);
    let refused = proof.open(&leaf_hash(&[6]), ORIGIN, &keys);
    assert!(matches!(refused, Err(ProofOpenError::Inclusion(_))));
    let refused = proof.open(&leaf, "log.example/other", &keys);
    assert!(matches!(refused, Err(ProofOpenError::Checkpoint(OpenError::Origin { .. }))));
    assert!(proof.open(&leaf, ORIGIN, &[]).is_err());
}

#[test]
fn the_text_is_that_of_the_specification() {
    let (mut proof, _, _) = example();
    proof.extra = Some(b"extra".to_vec());
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 5\n"));
    assert!(text.ends_with(&format!("\n\n{}", proof.checkpoint)));
    assert_eq!(text.parse(), Ok(proof.clone()));
    proof.extra = Some(Vec::new());
    assert_eq!(proof.to_string().parse(), Ok(proof));
}

#[test]
fn a_proof_without_hashes_is_read() {
    let key = SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[7; 32]).unwrap();
    let leaf = leaf_hash(b"only");
    let head = Checkpoint::new(ORIGIN, 1, leaf).unwrap();
    let checkpoint = sign_checkpoint(&head, &[&key]).unwrap();
    let proof = TlogProof { extra: None, index: 0, hashes: Vec::new(), checkpoint };
    let read: TlogProof = proof.to_string().parse().unwrap();
    assert_eq!(read, proof);
    read.open(&leaf, ORIGIN, &[key.verifier_key().clone()]).unwrap();
}

#[test]
fn every_flipped_bit_is_refused() {
    let (proof, leaf, key) = example();
    let (text, keys) = (proof.to_string(), [key]);
    for place in 0..text.len() {
        for bit in 0..8 {
            let mut altered = text.clone().into_bytes();
            altered[place] ^= 1 << bit;
            let Ok(altered) = String::from_utf8(altered) else { continue };
            let Ok(read) = altered.parse::<TlogProof>() else { continue };
            assert!(read.open(&leaf, ORIGIN, &keys).is_err(), "byte {place} bit {bit}");
        }
    }
}

#[test]
fn every_deviation_is_refused() {
    let (proof, _, _) = example();
    let text = proof.to_string();
    let hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for altered in [
        String::new(),
        text.replacen("@v1", "@v2", 1),
        text.replacen("index 5", "index 05", 1),
        text.replacen("index 5", "index  5", 1),
        text.replacen("index 5", "index -5", 1),
        text.replacen("index 5\n", "", 1),
        text.replacen("index 5", "index 5\nextra AA==", 1),
        text.replacen("index 5", "extra AB==\nindex 5", 1),
        text.replacen("index 5", "extra AA==\nextra AA==\nindex 5", 1),
        text.replacen("index 5", "index 5\n", 1),
        text.replacen("index 5", &format!("index 5\n{}", &hash[1..]), 1),
        text.replacen("index 5", &format!("index 5{}", format!("\n{hash}").repeat(65)), 1),
        text.replace('\n', "\r\n"),
        format!("\n{text}"),
        format!("{text}\n"),
    ] {
        assert!(altered.parse::<TlogProof>().is_err(), "{altered}");
    }
    for length in 0..text.len() {
        if let Some(cut) = text.get(..length) {
            assert!(cut.parse::<TlogProof>().is_err(), "length {length}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text: String) {
        let _ = text.parse::<TlogProof>();
        let _ = format!("{HEADER}\n{text}").parse::<TlogProof>();
        let _ = format!("{HEADER}\nindex 1\n{text}\n\na\n1\n{text}\n").parse::<TlogProof>();
    }
}
