//! Signing keys that take over from others, and a rotation that dies anywhere.

use super::*;
use crate::act::me;
use crate::dying::dying_after;
use checkpoint::{Algorithm, CheckpointText, Epochs, Note, SigningKey, open_checkpoint_exact};
use keys::{Keyring, Purpose};
use std::collections::BTreeSet;

type Files = std::collections::BTreeMap<String, Vec<u8>>;

fn note(files: &Files) -> String {
    String::from_utf8(files["checkpoint"].clone()).unwrap()
}

fn size(files: &Files) -> u64 {
    let note = Note::parse(&files["checkpoint"]).unwrap();
    CheckpointText::parse(note.text()).unwrap().checkpoint.size
}

/// The signing keys of a keyring, as verifier keys.
fn signing(files: &Files, origin: &str) -> Vec<String> {
    signers(files, origin).iter().map(|key| key.verifier_key().to_string()).collect()
}

fn signers(files: &Files, origin: &str) -> Vec<SigningKey> {
    let keyring = Keyring::open(&files["keyring"], &kek()).unwrap();
    let of = |purpose, algorithm| -> Vec<SigningKey> {
        let keys = keyring.by_purpose(purpose);
        keys.map(|(_, seed)| SigningKey::from_seed(origin, algorithm, seed.expose()).unwrap())
            .collect()
    };
    let mut keys = of(Purpose::LogSigning, Algorithm::Ed25519);
    keys.extend(of(Purpose::LogSigningMlDsa, Algorithm::MlDsa44Cosignature));
    keys
}

fn newest(epochs: &Epochs) -> Vec<String> {
    epochs.last().keys.iter().map(ToString::to_string).collect()
}

#[test]
fn after_a_rotation_the_new_key_alone_signs_and_the_old_one_is_gone() {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    append(&mut writer, 0..5);
    let identity = memory.snapshot()["log.json"].clone();
    let first = newest(writer.epochs());
    let rotated = writer.rotate_keys(Some("yearly"), &me()).unwrap();
    assert_eq!((rotated.epoch, rotated.record), (1, rotated.authority + 1));
    append(&mut writer, 5..9);
    writer.close().unwrap();
    let files = memory.snapshot();
    let writer = open(&folder);
    let (origin, epochs) = (writer.identity().origin.clone(), writer.epochs());
    assert_eq!(newest(epochs), rotated.keys);
    assert!(!rotated.keys.contains(&first[0]));
    assert_eq!(files["log.json"], identity);
    assert_eq!(signing(&files, &origin), rotated.keys);
    assert!(files.contains_key(&segment::ledger_path(rotated.record)));
    open_checkpoint_exact(note(&files), &origin, &epochs.last().keys).unwrap();
    assert_eq!(writer.identity().keys, first);
}

#[test]
fn keys_take_over_again_and_again_and_with_segments_in_between() {
    let (memory, folder) = fresh();
    for round in 0..3 {
        let mut writer = open(&folder);
        append(&mut writer, round * 10..round * 10 + 7);
        writer.end_journal_file();
        let rotated = writer.rotate_keys(None, &me()).unwrap();
        assert_eq!(rotated.epoch, round + 1);
        append(&mut writer, round * 10 + 7..round * 10 + 9);
        writer.roll().unwrap();
        writer.close().unwrap();
    }
    let writer = open(&folder);
    assert_eq!(writer.epochs().iter().count(), 4);
    let files = memory.snapshot();
    assert_eq!(signing(&files, &writer.identity().origin), newest(writer.epochs()));
    let (first, seal) = (writer.epochs().iter().nth(1).unwrap().record.unwrap(), size(&files));
    assert!(first < seal && files.keys().any(|path| path.starts_with("segments/")));
}

#[test]
fn a_post_quantum_log_rotates_both_keys() {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let new = NewLog { post_quantum: true, ..new_log() };
    seal::create(&folder, &new, &kek(), [1; 16], &options()).unwrap();
    let mut writer = open(&folder);
    let rotated = writer.rotate_keys(None, &me()).unwrap();
    writer.close().unwrap();
    let writer = open(&folder);
    assert_eq!((rotated.keys.len(), newest(writer.epochs())), (2, rotated.keys));
    let note = Note::parse(&memory.snapshot()["checkpoint"]).unwrap();
    assert_eq!(note.signatures().len(), 2);
}

/// A rotation that dies after so many calls: whether it got to its end, and what it left.
fn rotation_dying_after(calls: usize) -> (bool, MemoryFolder) {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    append(&mut writer, 0..20);
    writer.close().unwrap();
    let dying = dying_after(&memory, calls);
    let outcome = seal::open(&dying, kek(), options()).and_then(|mut writer| {
        let batch = batch(&writer, 20..21);
        writer.commit(vec![batch])?;
        // Another file is due, and must not come between the succession and its checkpoint.
        writer.end_journal_file();
        writer.rotate_keys(None, &me())?;
        writer.close()
    });
    (outcome.is_ok(), MemoryFolder::from_files(memory.snapshot()))
}

#[test]
fn a_rotation_that_dies_anywhere_is_finished_or_undone() {
    let (mut outcomes, mut lines, mut calls) = (BTreeSet::new(), BTreeSet::new(), 0);
    loop {
        let (ended, memory) = rotation_dying_after(calls);
        let left = memory.snapshot();
        lines.insert(Note::parse(&left["checkpoint"]).unwrap().signatures().len());
        let folder: Arc<dyn Folder> = Arc::new(memory.clone());
        let mut writer = open(&folder);
        let (origin, epochs) = (writer.identity().origin.clone(), writer.epochs().clone());
        // What the next start leaves is one or the other, before anything is written.
        let files = memory.snapshot();
        assert_eq!(signing(&files, &origin), newest(&epochs), "after {calls} calls");
        let size_now = size(&files);
        open_checkpoint_exact(note(&files), &origin, &epochs.due(size_now)).unwrap();
        outcomes.insert(epochs.last().number);
        if let Some(record) = epochs.last().record {
            assert!(files.contains_key(&segment::ledger_path(record)), "after {calls} calls");
        }
        assert_eq!(indexes(&append(&mut writer, 0..20)).len(), 20);
        append(&mut writer, 20..22);
        writer.close().unwrap();
        let last = memory.snapshot();
        open_checkpoint_exact(note(&last), &origin, &epochs.last().keys).unwrap();
        if ended {
            assert_eq!(epochs.last().number, 1);
            break;
        }
        calls += 1;
    }
    assert_eq!(outcomes, BTreeSet::from([0, 1]));
    assert_eq!(lines, BTreeSet::from([1, 2]), "one checkpoint is signed by both");
}

#[test]
fn a_log_that_a_stolen_old_key_signed_on_is_not_opened() {
    let (memory, folder) = fresh();
    let writer = open(&folder);
    let origin = writer.identity().origin.clone();
    writer.close().unwrap();
    let stolen = signers(&memory.snapshot(), &origin).remove(0);
    let mut writer = open(&folder);
    writer.rotate_keys(None, &me()).unwrap();
    writer.close().unwrap();
    let mut files = memory.snapshot();
    let head = Note::parse(&files["checkpoint"]).unwrap();
    let head = CheckpointText::parse(head.text()).unwrap().checkpoint;
    let forged = checkpoint::sign_checkpoint(&head, &[&stolen]).unwrap();
    files.insert("checkpoint".into(), forged.into_bytes());
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
    let error = seal::open(&folder, kek(), options()).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("checkpoint: "), "{error}");
}

#[test]
fn a_checkpoint_of_both_keys_without_a_succession_is_not_opened() {
    let (memory, folder) = fresh();
    let writer = open(&folder);
    let origin = writer.identity().origin.clone();
    writer.close().unwrap();
    let mut files = memory.snapshot();
    let mut keyring = Keyring::open(&files["keyring"], &kek()).unwrap();
    let entropy = keys::SystemEntropy::new();
    keyring.generate(Purpose::LogSigning, 1, &entropy).unwrap();
    files.insert("keyring".into(), keyring.to_bytes(&kek(), &entropy).unwrap());
    let head = Note::parse(&files["checkpoint"]).unwrap();
    let head = CheckpointText::parse(head.text()).unwrap().checkpoint;
    let both = signers(&files, &origin);
    let forged = checkpoint::sign_checkpoint(&head, &both.iter().collect::<Vec<_>>()).unwrap();
    files.insert("checkpoint".into(), forged.into_bytes());
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
    let error = seal::open(&folder, kek(), options()).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("checkpoint: "), "{error}");
}
