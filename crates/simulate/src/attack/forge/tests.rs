//! A forged log must be as good as a real one: else what finds it proves nothing.

use super::*;
use crate::kill::options;
use seal::{Batch, NewLog};
use store::Reservation;

/// A log of some records, made by the real writer.
fn real() -> Files {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    let options = options(Reservation::Off);
    seal::create(&folder, &new, &kek(), [1; 16], &options).unwrap();
    let mut writer = seal::open(&folder, Arc::new(kek()), options).unwrap();
    let lines: Vec<String> = (0..300)
        .map(|n| {
            format!(
                r#"{{"event_id":"e-{n}","event_type":"agent.decision","session_id":"s-{}","params":{{"n":{n}}}}}"#,
                n % 3
            )
        })
        .collect();
    let events = lines
        .iter()
        .map(|line| writer.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    let entropy = SystemEntropy::new();
    let batch = Batch::encode(events, writer.fingerprints(), &entropy, 0).unwrap();
    writer.commit(vec![batch]).unwrap();
    writer.close().unwrap();
    memory.snapshot()
}

/// The tree of a log that an independent reader finds nothing wrong with.
fn root(files: &Files) -> Hash {
    let folder = MemoryFolder::from_files(files.clone());
    reading::read(&folder, &kek()).unwrap().tree.root()
}

#[test]
fn an_unchanged_history_gives_the_same_tree_to_the_byte() {
    let real = real();
    let forged = rebuild(&real, &history(&real).unwrap()).unwrap();
    assert_eq!(root(&forged), root(&real));
    let public = |files: &Files| -> Files {
        let mut files = files.clone();
        files.retain(|path, _| path.starts_with("tile/") || path == CHECKPOINT_PATH);
        files
    };
    assert_eq!(public(&forged), public(&real));
}

#[test]
fn a_changed_history_reads_as_well_and_has_another_root() {
    let real = real();
    let history = history(&real).unwrap();
    let at = history.iter().position(|it| it.meta.contains("\"e-150\"")).unwrap();
    let mut edited = history.clone();
    edited[at].replace("\"n\":150", "\"n\":151").unwrap();
    let mut shorter = history.clone();
    shorter.remove(at);
    let mut moved = history;
    moved[at].replace("s-0", "s-1").unwrap();
    for records in [edited, shorter, moved] {
        let forged = rebuild(&real, &records).unwrap();
        assert_ne!(root(&forged), root(&real));
        assert_eq!(super::history(&forged).unwrap(), records);
    }
}

#[test]
fn a_text_that_is_not_there_cannot_be_replaced() {
    let real = real();
    let mut first = history(&real).unwrap().remove(0);
    assert!(first.replace("no such thing", "x").is_err());
}
