//! A log is redacted by the policy in its folder.

use crate::{fresh, kek, open, options};
use seal::{REDACTION_POLICY_PATH, SealError};
use store::Folder as _;

#[test]
fn a_log_without_a_policy_has_the_default_one() {
    let (_, folder) = fresh();
    let writer = open(&folder);
    assert_eq!(writer.redactor().policy_id(), redact::Policy::default().id());
}

#[test]
fn the_policy_in_the_folder_is_the_one_in_force() {
    let (memory, folder) = fresh();
    memory.replace(REDACTION_POLICY_PATH, b"preset = 'strict'\nversion = '7'").unwrap();
    let writer = open(&folder);
    assert!(writer.redactor().policy_id().starts_with("strict/7#"));
    let text = br#"{"event_type":"x","params":"from 203.0.113.7"}"#;
    let event = writer.redactor().redact(event::Event::from_json(text).unwrap()).into_inner();
    let params = event.content.get(event::Part::Params).unwrap();
    assert_eq!(params.as_str(), r#""from [redacted:ip_address]""#);
}

#[test]
fn a_policy_that_cannot_be_used_opens_no_log_and_changes_nothing() {
    let (memory, folder) = fresh();
    for wrong in [&b"preset = 'strickt'"[..], b"off = ['emial']", b"\xff"] {
        memory.replace(REDACTION_POLICY_PATH, wrong).unwrap();
        let before = memory.list("").unwrap();
        let error = seal::open(&folder, kek(), options()).err().unwrap();
        assert!(matches!(&error, SealError::Policy { .. }), "{error}");
        assert!(error.to_string().contains("redaction.toml"), "{error}");
        assert_eq!(memory.list("").unwrap(), before);
    }
    memory.remove(REDACTION_POLICY_PATH).unwrap();
    open(&folder);
}
