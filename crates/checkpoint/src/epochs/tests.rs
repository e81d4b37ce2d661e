//! Chains of keys: what follows from each other, and what does not.

use super::*;
use crate::signer::SigningKey;
use crate::verifier::Algorithm;

const ORIGIN: &str = "log.example/main";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[seed; 32]).unwrap()
}

fn public(seed: u8) -> VerifierKey {
    key(seed).verifier_key().clone()
}

/// The key of seed `old` hands over to that of seed `new` in this record.
fn succession(epoch: u64, at: u64, old: u8, new: u8) -> (u64, Succession) {
    (at, Succession::sign(ORIGIN, epoch, at, &[&key(old)], &[&key(new)]).unwrap())
}

fn follow(successions: Vec<(u64, Succession)>) -> Result<Epochs, EpochError> {
    let mut epochs = Epochs::new(ORIGIN, vec![public(1)]);
    epochs.follow(successions)?;
    Ok(epochs)
}

#[test]
fn each_size_has_its_keys() {
    let epochs = follow(vec![succession(2, 20, 2, 3), succession(1, 10, 1, 2)]).unwrap();
    let due = |size| -> Vec<u64> {
        epochs.due(size).iter().map(|key| epochs.number_of(key).unwrap()).collect()
    };
    assert_eq!((due(0), due(10), due(11), due(12)), (vec![0], vec![0], vec![0, 1], vec![1]));
    assert_eq!((due(20), due(21), due(22)), (vec![1], vec![1, 2], vec![2]));
    assert_eq!(due(u64::MAX), [2]);
    assert_eq!((epochs.in_force(11).number, epochs.last().number), (1, 2));
    assert_eq!(epochs.number_of(&public(9)), None);
    let notes = [succession(1, 10, 1, 2).1.to_string()];
    let first = [public(1).to_string()];
    let read = Epochs::read(ORIGIN, &first, [(10, notes[0].as_str())]).unwrap();
    assert_eq!(read.iter().count(), 2);
    let altered = notes[0].replace("epoch 1", "epoch 2");
    let error = Epochs::read(ORIGIN, &first, [(10, altered.as_str())]);
    assert!(matches!(error, Err(EpochError::Succession { at: 10, .. })));
}

#[test]
fn what_does_not_follow_is_told_apart() {
    let first = || succession(1, 10, 1, 2);
    let cases = [
        (vec![succession(2, 20, 2, 3)], "gap"),
        (vec![first(), succession(3, 30, 3, 4)], "gap"),
        (vec![first(), succession(1, 12, 1, 5)], "two successors"),
        (vec![first(), first()], "two successors"),
        (vec![succession(1, 20, 1, 2), succession(2, 10, 2, 3)], "swapped"),
        (vec![succession(1, 10, 7, 2)], "not entitled"),
        (vec![first(), succession(2, 20, 1, 3)], "not entitled"),
        (vec![first(), succession(2, 20, 2, 1)], "brings back"),
        (vec![(11, first().1)], "moved or copied"),
    ];
    for (chain, word) in cases {
        let error = follow(chain).unwrap_err().to_string();
        assert!(error.contains(word), "{word}: {error}");
    }
    let mut other = Epochs::new("log.example/other", vec![public(1)]);
    let error = other.follow(vec![first()]).unwrap_err();
    assert!(matches!(error, EpochError::Origin { .. }));
}

#[test]
fn what_is_good_before_a_fault_counts() {
    let mut epochs = Epochs::new(ORIGIN, vec![public(1)]);
    epochs.follow(vec![succession(1, 10, 1, 2), succession(3, 30, 3, 4)]).unwrap_err();
    assert_eq!(epochs.last().number, 1);
}
