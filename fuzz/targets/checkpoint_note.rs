//! Signed notes and checkpoints: what is read is written back the same; what opens with the log's
//! key says exactly what the log signed.

#![no_main]

use checkpoint::{
    CheckpointText, Note, NoteSignature, VerifierKey, open_checkpoint, open_checkpoint_exact,
};
use fuzz::sample_log::{ORIGIN, SampleLog, key};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// The checkpoints that were ever signed, and the key.
static SIGNED: LazyLock<(Vec<String>, VerifierKey)> = LazyLock::new(|| {
    let log = SampleLog::new(5);
    ((0..=5).map(|size| log.checkpoint(size)).collect(), key())
});

fuzz_target!(|data: &[u8]| {
    let (signed, key) = &*SIGNED;
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(parsed) = CheckpointText::parse(text) {
            assert_eq!(parsed.to_string(), text);
        }
        if let Ok(line) = NoteSignature::parse(text) {
            assert_eq!(line.to_string(), text);
        }
    }
    let keys = std::slice::from_ref(key);
    let opened = open_checkpoint(data, ORIGIN, keys);
    let exact = open_checkpoint_exact(data, ORIGIN, keys);
    let Ok(note) = Note::parse(data) else {
        assert!(opened.is_err() && exact.is_err());
        return;
    };
    assert_eq!(note.to_string().as_bytes(), data);
    if opened.is_ok() {
        assert!(signed.iter().any(|one| one.starts_with(note.text())), "nobody signed this");
    }
    if exact.is_ok() {
        assert!(signed.iter().any(|one| one.as_bytes() == data), "nobody wrote this");
    }
});
