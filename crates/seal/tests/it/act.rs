//! What is recorded of acts from outside, and a change of the key-encryption key that dies
//! anywhere.

use super::*;
use crate::dying::dying_after;
use event::Principal;
use keys::Keyring;
use seal::Act;

fn other_kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([8; 32]), KekOrigin::File))
}

pub(crate) fn me() -> Principal<'static> {
    Principal { issuer: Some("os".into()), subject: Some("uid:1".into()), method: None }
}

/// A rewrap that dies after so many calls: whether it got to its end, and what it left.
fn rewrap_dying_after(calls: usize) -> (bool, MemoryFolder) {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    append(&mut writer, 0..20);
    writer.close().unwrap();
    let dying = dying_after(&memory, calls);
    let outcome = seal::open(&dying, kek(), options()).and_then(|mut writer| {
        writer.rewrap(other_kek(), &me())?;
        writer.close()
    });
    (outcome.is_ok(), MemoryFolder::from_files(memory.snapshot()))
}

#[test]
fn a_rewrap_that_dies_anywhere_leaves_a_log_that_exactly_one_key_opens() {
    let (mut by_old, mut by_new, mut calls) = (0, 0, 0);
    loop {
        let (ended, memory) = rewrap_dying_after(calls);
        let keyring = memory.snapshot()["keyring"].clone();
        let opens = [kek(), other_kek()].map(|kek| Keyring::open(&keyring, &kek).is_ok());
        assert_ne!(opens[0], opens[1], "{calls}");
        let right = if opens[0] { kek() } else { other_kek() };
        if opens[0] {
            by_old += 1
        } else {
            by_new += 1
        }
        let folder: Arc<dyn Folder> = Arc::new(memory);
        let mut writer = seal::open(&folder, right, options()).unwrap();
        assert_eq!(indexes(&append(&mut writer, 0..20)).len(), 20);
        writer.close().unwrap();
        if ended {
            assert!(opens[1]);
            break;
        }
        calls += 1;
    }
    assert!(by_old > 2 && by_new > 2, "{by_old} {by_new}");
}

#[test]
fn the_old_key_is_refused_after_a_rewrap_and_the_new_one_writes_on() {
    let (_, folder) = fresh();
    let mut writer = open(&folder);
    writer.rewrap(other_kek(), &me()).unwrap();
    append(&mut writer, 0..3);
    // A new journal file stores the keyring again, by the new key.
    writer.end_journal_file();
    append(&mut writer, 3..6);
    writer.close().unwrap();
    assert!(seal::open(&folder, kek(), options()).is_err());
    let writer = seal::open(&folder, other_kek(), options()).unwrap();
    assert!(writer.size() > 9);
}

#[test]
fn an_act_is_published_when_it_was_recorded() {
    let (_, folder) = fresh();
    let mut writer = open(&folder);
    let before = writer.size();
    let size = writer.record(Act::Export(serde_json::json!({ "format": "csv" })), &me()).unwrap();
    assert_eq!((size, writer.published()), (before + 2, before + 2), "start and export");
    let size = writer.record(Act::Export(serde_json::json!({ "format": "csv" })), &me()).unwrap();
    assert_eq!((size, writer.published()), (before + 3, before + 3));
}

/// The pseudonym that a writer leaves of one name.
fn pseudonym(writer: &Writer) -> String {
    let mut event = event::Event::new("x");
    event.task_id = Some("write to ada@example.org".into());
    writer.redactor().redact(event).get().task_id.as_deref().unwrap().to_owned()
}

fn redaction_secrets(memory: &MemoryFolder) -> Vec<keys::KeyId> {
    let keyring = Keyring::open(&memory.snapshot()["keyring"], &kek()).unwrap();
    keyring.by_purpose(keys::Purpose::RedactionSecret).map(|(info, _)| info.id).collect()
}

#[test]
fn another_redaction_secret_gives_other_pseudonyms_at_once_and_from_then_on() {
    let (memory, folder) = fresh();
    let first = redaction_secrets(&memory);
    let mut writer = open(&folder);
    let old = pseudonym(&writer);
    assert!(old.starts_with("[hash:email:"), "{old}");
    assert_eq!(writer.rotate_redaction(false, Some("yearly"), &me()).unwrap(), first);
    let new = pseudonym(&writer);
    assert_ne!(new, old);
    append(&mut writer, 0..5);
    writer.close().unwrap();
    let both = redaction_secrets(&memory);
    assert_eq!((both.len(), both[0]), (2, first[0]));
    let mut writer = open(&folder);
    assert_eq!(pseudonym(&writer), new);
    assert_eq!(writer.rotate_redaction(true, None, &me()).unwrap(), both);
    let last = pseudonym(&writer);
    writer.close().unwrap();
    let left = redaction_secrets(&memory);
    assert!(left.len() == 1 && !both.contains(&left[0]) && ![old, new].contains(&last));
    assert_eq!(pseudonym(&open(&folder)), last);
}

#[test]
fn a_redaction_secret_that_dies_anywhere_leaves_the_old_ones_or_the_new_one() {
    let (mut by_old, mut by_new, mut calls) = (0, 0, 0);
    loop {
        let (memory, folder) = fresh();
        let mut writer = open(&folder);
        append(&mut writer, 0..20);
        writer.close().unwrap();
        let before = redaction_secrets(&memory);
        let dying = dying_after(&memory, calls);
        let outcome = seal::open(&dying, kek(), options()).and_then(|mut writer| {
            writer.rotate_redaction(true, None, &me())?;
            writer.close()
        });
        let memory = MemoryFolder::from_files(memory.snapshot());
        let after = redaction_secrets(&memory);
        assert_eq!(after.len(), 1, "{calls}");
        if after == before {
            by_old += 1
        } else {
            by_new += 1
        }
        let folder: Arc<dyn Folder> = Arc::new(memory);
        let mut writer = open(&folder);
        assert_eq!(indexes(&append(&mut writer, 0..20)).len(), 20);
        writer.close().unwrap();
        if outcome.is_ok() {
            assert_ne!(after, before);
            break;
        }
        calls += 1;
    }
    assert!(by_old > 2 && by_new > 2, "{by_old} {by_new}");
}
