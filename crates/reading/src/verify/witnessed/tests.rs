//! Witnesses that agree with a log, are too few, or saw another one.

use super::*;
use checkpoint::{Algorithm, SigningKey, cosign, sign_checkpoint};
use merkle::{Hash, TileCoordinate, leaf_hash};
use prove::Verdict;
use std::collections::BTreeMap;

const ORIGIN: &str = "log.example/main";

fn log() -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[7; 32]).unwrap()
}

fn witness(seed: u8) -> SigningKey {
    let name = format!("w{seed}.example");
    SigningKey::from_seed(name, Algorithm::Ed25519Cosignature, &[seed; 32]).unwrap()
}

/// Two of three.
fn policy() -> Policy {
    let mut text = String::new();
    for seed in 1..=3 {
        text += &format!("witness w{seed} {}\n", witness(seed).verifier_key());
    }
    Policy::parse(&format!("{text}group enough 2 w1 w2 w3\nquorum enough\n")).unwrap()
}

fn leaf(branch: u8, index: u64) -> Hash {
    leaf_hash(&[if index < 3 { 0 } else { branch }, index as u8])
}

/// The tiles of a log and its root.
fn tree(branch: u8, size: u64) -> (BTreeMap<String, Vec<u8>>, Hash) {
    let mut tree = merkle::MemoryTree::new();
    (0..size).for_each(|index| tree.push(leaf(branch, index)));
    let mut tiles = BTreeMap::new();
    let bytes = (0..size).flat_map(|index| leaf(branch, index).0).collect();
    if size > 0 {
        let tile = TileCoordinate::new(0, 0, size as u16).unwrap();
        tiles.insert(tile.path(), bytes);
    }
    (tiles, tree.root())
}

fn cosigned(branch: u8, size: u64, witnesses: &[u8]) -> String {
    let head = Checkpoint::new(ORIGIN, size, tree(branch, size).1).unwrap();
    let note = sign_checkpoint(&head, &[&log()]).unwrap();
    let opened = open_checkpoint(&note, ORIGIN, &[log().verifier_key().clone()]).unwrap();
    let mut note = opened.note().clone();
    for seed in witnesses {
        note.add(cosign(&opened, &witness(*seed), 1_700_000_000).unwrap()).unwrap();
    }
    note.to_string()
}

/// The report of a log of branch 0 with 9 entries that was found in order.
fn checked(note: Option<&str>) -> Report {
    let (tiles, root) = tree(0, 9);
    let mut report = Report::new(ORIGIN);
    report.size = 9;
    report.root = root.to_string();
    report.level = Level::Signed;
    let read = |path: &str| tiles.get(path).cloned();
    check_witnesses(&policy(), note.map(str::as_bytes), &read, &mut report);
    report
}

fn kinds(report: &Report) -> Vec<FindingKind> {
    report.findings().iter().map(|finding| finding.kind).collect()
}

#[test]
fn enough_witnesses_raise_the_level_and_are_told_by_name() {
    let report = checked(Some(&cosigned(0, 5, &[1, 3])));
    assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Witnessed));
    let note = report.notes.join("\n");
    assert!(note.starts_with("2 of 3 witnesses"), "{note}");
    assert!(note.contains("saw 5 of 9") && note.contains("the 4 newest"), "{note}");
    assert!(note.contains("w1 at 2023-11-14T22:13:20") && !note.contains("w2"), "{note}");
    let whole = checked(Some(&cosigned(0, 9, &[1, 2, 3])));
    assert!(!whole.notes.join("\n").contains("newest"));
}

#[test]
fn too_few_witnesses_or_none_are_a_finding() {
    for note in [None, Some(cosigned(0, 5, &[2])), Some(cosigned(0, 5, &[])), Some("x".to_owned())]
    {
        let report = checked(note.as_deref());
        assert_eq!(kinds(&report), [FindingKind::Signature], "{note:?}");
        assert_eq!((report.verdict(), report.level), (Verdict::Tampered, Level::Signed));
    }
    // Of one that claims to be by a witness, and is not.
    let false_one = cosigned(0, 5, &[1, 2]).replacen("\n5\n", "\n6\n", 1);
    assert_eq!(kinds(&checked(Some(&false_one))), [FindingKind::Signature]);
}

#[test]
fn what_witnesses_saw_and_the_log_does_not_continue_is_found() {
    let longer = checked(Some(&cosigned(0, 12, &[1, 2])));
    assert_eq!(kinds(&longer), [FindingKind::Truncated]);
    assert_eq!((longer.findings()[0].index, longer.findings()[0].count), (Some(9), 3));
    for size in [5, 9] {
        let other = checked(Some(&cosigned(1, size, &[1, 2])));
        assert_eq!(kinds(&other), [FindingKind::Forked], "{size}");
        assert_eq!(other.level, Level::Signed);
    }
    // Where both are the same still, nothing can be said against it.
    assert_eq!(checked(Some(&cosigned(1, 3, &[1, 2]))).verdict(), Verdict::Ok);
}

#[test]
fn witnesses_do_not_say_whose_log_it_is() {
    let (tiles, root) = tree(0, 9);
    let mut report = Report::new(ORIGIN);
    (report.size, report.root) = (9, root.to_string());
    let read = |path: &str| tiles.get(path).cloned();
    let note = cosigned(0, 9, &[1, 2]);
    check_witnesses(&policy(), Some(note.as_bytes()), &read, &mut report);
    assert_eq!(report.level, Level::Local);
    let mut other = Report::new("other.example");
    check_witnesses(&policy(), Some(note.as_bytes()), &read, &mut other);
    assert_eq!(kinds(&other), [FindingKind::Signature]);
}
