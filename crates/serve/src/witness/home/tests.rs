//! A witness over its life: restarts, a disk that fails, logs that contradict themselves.

use super::*;
use checkpoint::{Algorithm, Checkpoint, sign_checkpoint, verify_note};
use merkle::{Hash, MemoryTree, consistency_proof, leaf_hash};
use std::sync::atomic::{AtomicBool, Ordering};
use store::{MemoryFolder, WriteFile};

const ORIGIN: &str = "log.example/main";

/// A disk whose writes fail on command.
struct Failing(Arc<MemoryFolder>, AtomicBool);

impl Folder for Failing {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.0.list(path)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.read(path)
    }
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.0.read_at(path, offset, buffer)
    }
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.0.size(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write(path, bytes)
    }
    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        self.0.sync(paths)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        if self.1.load(Ordering::Relaxed) {
            let source = std::io::Error::other("no room");
            return Err(StoreError::Io { action: "replace", path: path.to_owned(), source });
        }
        self.0.replace(path, bytes)
    }
    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.0.remove(path)
    }
    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        self.0.open(path)
    }
    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        self.0.lock(path)
    }
}

fn log(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[seed; 32]).unwrap()
}

fn own() -> Vec<SigningKey> {
    [Algorithm::Ed25519Cosignature, Algorithm::MlDsa44Cosignature]
        .map(|algorithm| SigningKey::from_seed("witness.example", algorithm, &[3; 32]).unwrap())
        .into()
}

fn home(folder: &Arc<dyn Folder>) -> Result<Home, HomeError> {
    let logs = vec![log(7).verifier_key().clone()];
    let clock = Arc::new(seal::SystemClock);
    Home::open(Arc::clone(folder), own(), logs, clock, Box::new(|_| {}))
}

fn tree(branch: &str, size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for index in 0..size {
        let branch = if index < 3 { "both" } else { branch };
        tree.push(leaf_hash(format!("{branch} {index}").as_bytes()));
    }
    tree
}

fn request(branch: &str, old_size: u64, size: u64) -> Vec<u8> {
    let tree = tree(branch, size);
    let head = Checkpoint::new(ORIGIN, size, tree.root()).unwrap();
    let note = sign_checkpoint(&head, &[&log(7)]).unwrap().into_bytes();
    let proof = consistency_proof(&tree, old_size, size).unwrap();
    AddCheckpoint { old_size, proof, note }.to_bytes()
}

fn memory() -> Arc<dyn Folder> {
    Arc::new(MemoryFolder::default())
}

#[test]
fn a_cosignature_by_each_key_holds_and_is_kept_with_the_checkpoint() {
    let folder = memory();
    let home = home(&folder).unwrap();
    let reply = home.add_checkpoint(&request("a", 0, 5));
    assert_eq!((reply.status, reply.content_type), (200, "text/plain; charset=utf-8"));
    let text = String::from_utf8(reply.body).unwrap();
    assert_eq!(text.lines().count(), 2);
    let id = hex::encode(digest(&SHA256, ORIGIN.as_bytes()));
    let kept = home.cosigned(&id).unwrap().unwrap();
    let note = Note::parse(&kept).unwrap();
    let keys: Vec<VerifierKey> = home.verifier_keys().cloned().collect();
    assert_eq!(verify_note(&note, &keys).unwrap().len(), 2);
    assert!(String::from_utf8(kept).unwrap().ends_with(&text));
    assert!(
        home.cosigned("logs").unwrap().is_none() && home.cosigned("../lock").unwrap().is_none()
    );
    assert_eq!(home.watched(), [(ORIGIN, Some(5))]);
}

#[test]
fn what_was_seen_is_known_after_a_restart() {
    let folder = memory();
    assert_eq!(home(&folder).unwrap().add_checkpoint(&request("a", 0, 5)).status, 200);
    let home = home(&folder).unwrap();
    let reply = home.add_checkpoint(&request("a", 0, 9));
    assert_eq!((reply.status, reply.content_type), (409, "text/x.tlog.size"));
    assert_eq!(reply.body, b"5\n");
    assert_eq!(home.add_checkpoint(&request("b", 5, 9)).status, 422);
    assert_eq!(home.add_checkpoint(&request("a", 5, 9)).status, 200);
}

#[test]
fn nothing_is_cosigned_that_is_not_kept() {
    let failing = Arc::new(Failing(Arc::default(), AtomicBool::new(true)));
    let folder: Arc<dyn Folder> = failing.clone();
    let home = home(&folder).unwrap();
    let reply = home.add_checkpoint(&request("a", 0, 5));
    assert_eq!(reply.status, 500);
    assert!(!String::from_utf8(reply.body).unwrap().contains('\u{2014}'));
    failing.1.store(false, Ordering::Relaxed);
    // Nobody has a cosignature of the first, so the other history may be the one that counts.
    assert_eq!(home.add_checkpoint(&request("b", 0, 5)).status, 200);
    assert_eq!(home.add_checkpoint(&request("a", 5, 5)).status, 422);
}

#[test]
fn a_witness_that_forgot_does_not_begin() {
    let folder = memory();
    assert_eq!(home(&folder).unwrap().add_checkpoint(&request("a", 0, 5)).status, 200);
    let path = seen_path(&hex::encode(digest(&SHA256, ORIGIN.as_bytes())));
    let kept = String::from_utf8(folder.read(&path).unwrap().unwrap()).unwrap();
    for altered in [kept.replacen("\n5\n", "\n4\n", 1), String::new(), "x".to_owned()] {
        folder.replace(&path, altered.as_bytes()).unwrap();
        assert!(matches!(home(&folder), Err(HomeError::Forgotten { .. })), "{altered}");
    }
}

#[test]
fn one_folder_is_one_witness() {
    let folder = memory();
    let first = home(&folder).unwrap();
    assert!(matches!(home(&folder), Err(HomeError::InUse)));
    drop(first);
    assert!(home(&folder).is_ok());
    let plain = vec![log(1)];
    let clock = Arc::new(seal::SystemClock);
    let opened = Home::open(folder, plain, Vec::new(), clock, Box::new(|_| {}));
    assert!(matches!(opened, Err(HomeError::NoKey)));
}

#[test]
fn two_histories_of_one_size_are_kept_as_evidence_and_told() {
    let (folder, told) = (memory(), Arc::new(Mutex::new(Vec::new())));
    let alarm = {
        let told = Arc::clone(&told);
        Box::new(move |text: &str| told.lock().unwrap().push(text.to_owned()))
    };
    let logs = vec![log(7).verifier_key().clone()];
    let clock = Arc::new(seal::SystemClock);
    let home = Home::open(Arc::clone(&folder), own(), logs, clock, alarm).unwrap();
    assert_eq!(home.add_checkpoint(&request("a", 0, 5)).status, 200);
    // A wrong proof alone says nothing about the log: anybody can send one.
    assert_eq!(home.add_checkpoint(&request("b", 5, 9)).status, 422);
    assert!(folder.list("evidence").unwrap().is_empty());
    for _ in 0..3 {
        assert_eq!(home.add_checkpoint(&request("b", 5, 5)).status, 422);
    }
    let kept = folder.list("evidence").unwrap();
    assert_eq!((kept.len(), told.lock().unwrap().len()), (2, 1));
    let key = [log(7).verifier_key().clone()];
    let open = |path: &String| {
        let bytes = folder.read(path).unwrap().unwrap();
        open_checkpoint(&bytes, ORIGIN, &key).unwrap().checkpoint
    };
    let (one, other) = (open(&kept[0]), open(&kept[1]));
    assert!(one.size == other.size && one.root != other.root);
    assert_ne!(one.root, Hash::EMPTY_ROOT);
}

#[test]
fn of_many_at_once_one_history_is_cosigned() {
    let folder = memory();
    let home = home(&folder).unwrap();
    let bodies: Vec<Vec<u8>> =
        (4..20).map(|size| request(if size % 2 == 0 { "a" } else { "b" }, 0, size)).collect();
    let cosigned = std::thread::scope(|scope| {
        let threads: Vec<_> =
            bodies.iter().map(|body| scope.spawn(|| home.add_checkpoint(body).status)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect::<Vec<u16>>()
    });
    assert_eq!(cosigned.iter().filter(|status| **status == 200).count(), 1, "{cosigned:?}");
}
