//! A log is opened only when it continues what it signed before, as far as somebody remembers it.

use crate::{append, fresh, kek, open, options};
use checkpoint::{Checkpoint, CheckpointText, Note};
use seal::{SealError, Writer, open_continuing};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Folder, MemoryFolder};

type Files = BTreeMap<String, Vec<u8>>;

fn head(note: &str) -> Checkpoint {
    CheckpointText::parse(Note::parse(note).unwrap().text()).unwrap().checkpoint
}

fn opened(files: &Files, kept: &Checkpoint) -> Result<Writer, SealError> {
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files.clone()));
    open_continuing(&folder, kek(), options(), Some(kept))
}

/// A log with every head that it signed, its files as they were after 300 events, and at the end,
/// as a process left them that was killed.
fn grown() -> (Vec<Checkpoint>, Files, Files) {
    let (memory, folder) = fresh();
    let mut heads = Vec::new();
    let mut writer = open(&folder);
    for from in (0..300).step_by(60) {
        heads.push(head(&append(&mut writer, from..from + 60).checkpoint));
    }
    writer.close().unwrap();
    let early = memory.snapshot();
    let mut writer = open(&folder);
    for from in (300..900).step_by(200) {
        heads.push(head(&append(&mut writer, from..from + 200).checkpoint));
    }
    drop(writer);
    (heads, early, memory.snapshot())
}

#[test]
fn a_log_continues_every_head_that_it_signed_whatever_a_crash_left_unpublished() {
    let (heads, _, files) = grown();
    let published = head(std::str::from_utf8(&files["checkpoint"]).unwrap());
    assert!(heads.iter().any(|kept| kept.size > published.size), "everything was published");
    for kept in &heads {
        opened(&files, kept).unwrap();
    }
}

#[test]
fn a_folder_that_was_put_back_is_not_opened_and_not_changed() {
    let (heads, early, _) = grown();
    let size = head(std::str::from_utf8(&early["checkpoint"]).unwrap()).size;
    for kept in heads.iter().filter(|kept| kept.size > size) {
        let memory = MemoryFolder::from_files(early.clone());
        let folder: Arc<dyn Folder> = Arc::new(memory.clone());
        let refused = open_continuing(&folder, kek(), options(), Some(kept));
        let Err(error @ SealError::RolledBack { .. }) = refused else {
            panic!("{:?}", refused.map(|writer| writer.size()))
        };
        let text = error.to_string();
        assert!(error.is_put_back() && text.contains(&format!("has {size} entries")), "{text}");
        assert!(text.contains(&kept.size.to_string()) && text.contains("tacho recover"), "{text}");
        assert_eq!(memory.snapshot(), early);
    }
}

#[test]
fn a_folder_that_went_on_from_an_older_state_is_not_the_one_that_signed() {
    let (heads, early, _) = grown();
    let memory = MemoryFolder::from_files(early);
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let mut writer = open(&folder);
    append(&mut writer, 2_000..3_000);
    let other = head(&writer.checkpoint());
    writer.close().unwrap();
    let files = memory.snapshot();
    for kept in heads.iter().skip(5) {
        let refused = opened(&files, kept);
        let is_it =
            matches!(&refused, Err(SealError::Forked { kept: size, .. }) if *size == kept.size);
        assert!(is_it, "{:?}", refused.map(|writer| writer.size()));
    }
    // Of the same size, too.
    let same = Checkpoint { root: heads[0].root, ..other.clone() };
    assert!(matches!(opened(&files, &same), Err(SealError::Forked { .. })));
    opened(&files, &other).unwrap();
    // What both have in common is no reason to refuse.
    for kept in &heads[..5] {
        opened(&files, kept).unwrap();
    }
}

#[test]
fn a_damaged_tile_is_no_other_history() {
    let (heads, _, files) = grown();
    let memory = MemoryFolder::from_files(files);
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    open(&folder).close().unwrap();
    let mut files = memory.snapshot();
    let tile = files.get_mut("tile/0/001").unwrap();
    tile[40] ^= 1;
    for kept in &heads {
        opened(&files, kept).unwrap();
    }
    files.remove("tile/0/001");
    for kept in &heads {
        opened(&files, kept).unwrap();
    }
}
