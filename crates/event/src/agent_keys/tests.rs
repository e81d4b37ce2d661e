//! Which keys count when, and what becomes of an event that one of them signed or should have.

use super::*;
use crate::event::{Part, Redaction};
use crate::json::Json;
use crate::signature::SIGNATURE_SALT;

const KEY: AgentKey = AgentKey::from_bytes([1; 32]);
const OTHER: AgentKey = AgentKey::from_bytes([2; 32]);

/// Stands for the arithmetic: the key, then the sum of the bytes.
fn by(key: AgentKey) -> impl Fn(&[u8]) -> [u8; 64] {
    move |message: &[u8]| {
        let sum: u64 = message.iter().enumerate().map(|(at, it)| at as u64 * u64::from(*it)).sum();
        let mut made = [0; 64];
        made[..32].copy_from_slice(key.as_bytes());
        made[32..40].copy_from_slice(&sum.to_be_bytes());
        made
    }
}

fn holds(key: &AgentKey, message: &[u8], signature: &[u8; 64]) -> bool {
    by(*key)(message) == *signature
}

fn event(agent: &str) -> Event<'static> {
    let mut event = Event::new("agent.tool_call");
    event.event_id = Some("e-1".into());
    event.agent_name = Some(agent.to_owned().into());
    event.content.set(Part::Params, Json::string("x"));
    event.content.set_attribute(SIGNATURE_SALT, Json::string("abcd"));
    event
}

fn signed(agent: &str, key: AgentKey) -> Event<'static> {
    let mut event = event(agent);
    event.sign(key, &by(key));
    event
}

fn register(agents: &[&str], required: bool) -> AgentKeyMark {
    let agents = agents.iter().map(|it| (*it).to_owned()).collect();
    AgentKeyMark::Registered { key: KEY, agents, required, authority: 9 }
}

fn keys(marks: &[(u64, AgentKeyMark)]) -> AgentKeys {
    let mut keys = AgentKeys::default();
    marks.iter().for_each(|(index, mark)| keys.note(*index, mark.clone()));
    keys
}

fn judged<'k>(keys: &'k AgentKeys, at: u64, event: &Event<'_>) -> Standing<'k> {
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    keys.judge(at, &meta, Some(&content), &holds)
}

fn code(keys: &AgentKeys, event: &Event<'_>) -> Option<(Code, String)> {
    keys.admit(event, &holds).err().map(|error| (error.code, error.field))
}

#[test]
fn a_mark_reads_back_from_the_record_that_announces_it() {
    for mark in [register(&["a", "*"], true), AgentKeyMark::Revoked { key: KEY, authority: 3 }] {
        let kind = mark.event_type();
        let meta = format!("{{\"schema\":\"tachograph.event/1\",\"event_type\":\"{kind}\"}}");
        let content = format!("{{\"params\":{}}}", mark.to_params());
        let read = |content: &str| AgentKeyMark::from_stored(meta.as_bytes(), content.as_bytes());
        assert_eq!(read(&content), Ok(Some(mark)));
        for (from, to) in [("signer", "singer"), ("ed25519", "ed448"), ("authority", "author")] {
            assert!(read(&content.replace(from, to)).is_err(), "{from}");
        }
        let other = meta.replace(kind, "log.heartbeat");
        assert_eq!(AgentKeyMark::from_stored(other.as_bytes(), content.as_bytes()), Ok(None));
    }
    let meta = r#"{"schema":"tachograph.event/1","event_type":"log.agent_key_registered"}"#;
    let content = format!("{{\"params\":{{\"signer\":\"{KEY}\",\"authority\":1}}}}");
    assert!(AgentKeyMark::from_stored(meta.as_bytes(), content.as_bytes()).is_err());
}

#[test]
fn a_signature_counts_from_its_registration_to_its_revocation() {
    let keys = keys(&[
        (10, register(&["planner"], false)),
        (20, AgentKeyMark::Revoked { key: KEY, authority: 19 }),
    ]);
    let event = signed("planner", KEY);
    assert_eq!(judged(&keys, 10, &event), Standing::Unknown);
    assert!(matches!(judged(&keys, 11, &event), Standing::Valid(it) if it.from == 10));
    assert!(matches!(judged(&keys, 21, &event), Standing::Revoked(_)));
    assert_eq!(code(&keys, &event), Some((Code::BadSignature, "signature".to_owned())));
    // A registration behind the revocation lends it nothing, in whatever order they are read.
    let (again, revoked) = (register(&["planner"], false), keys.clone());
    let marks = [
        (10, register(&["planner"], false)),
        (20, AgentKeyMark::Revoked { key: KEY, authority: 19 }),
        (30, again),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
        let read = self::keys(&order.map(|it: usize| marks[it].clone()));
        assert!(matches!(judged(&read, 31, &event), Standing::Revoked(_)), "{order:?}");
        assert!(matches!(judged(&read, 15, &event), Standing::Valid(_)), "{order:?}");
        assert_eq!(read.find(&KEY, 25), revoked.find(&KEY, 25), "{order:?}");
    }
    assert_eq!(judged(&keys, 11, &signed("planner", OTHER)), Standing::Unknown);
    assert_eq!(judged(&keys, 11, &self::event("planner")), Standing::Unsigned);
}

#[test]
fn what_was_changed_after_signing_is_refused_and_found() {
    let keys = keys(&[(1, register(&["planner"], false))]);
    let event = signed("planner", KEY);
    assert_eq!(code(&keys, &event), None);
    let bad = Some((Code::BadSignature, "signature".to_owned()));
    let mut meta = event.clone();
    meta.tool = Some("rm".into());
    let mut content = event.clone();
    content.content.set(Part::Params, Json::string("y"));
    for changed in [meta, content] {
        assert!(matches!(judged(&keys, 2, &changed), Standing::False(_)));
        assert_eq!(code(&keys, &changed), bad);
    }
    let mut nameless = self::event("planner");
    nameless.event_id = None;
    nameless.sign(KEY, &by(KEY));
    assert_eq!(code(&keys, &nameless), Some((Code::BadSignature, "event_id".to_owned())));
    let wrong = signed("worker", KEY);
    assert!(matches!(judged(&keys, 2, &wrong), Standing::OtherAgent(_)));
    assert_eq!(code(&keys, &wrong), Some((Code::BadSignature, "agent_name".to_owned())));
}

#[test]
fn what_the_receiver_redacted_is_told_from_what_was_forged() {
    let keys = keys(&[(1, register(&["planner"], false))]);
    let note = Redaction { path: "params".into(), rule: "email".into(), action: "mask".into() };
    let mut content = signed("planner", KEY);
    content.content.set(Part::Params, Json::string("[redacted:email]"));
    content.redactions.push(note.clone());
    assert!(matches!(judged(&keys, 2, &content), Standing::ContentRedacted(_)));
    let mut meta = signed("planner", KEY);
    meta.agent_name = Some("[redacted:email]".into());
    meta.redactions.push(note);
    assert!(matches!(judged(&keys, 2, &meta), Standing::Redacted(_)));
    // Neither is what an agent sends.
    assert!(code(&keys, &content).is_some() && code(&keys, &meta).is_some());
}

#[test]
fn erased_content_leaves_the_signature_of_the_metadata_to_be_checked() {
    let keys = keys(&[(1, register(&["planner"], false))]);
    let mut meta = Vec::new();
    signed("planner", KEY).write_meta(&mut meta);
    assert!(matches!(keys.judge(2, &meta, None, &holds), Standing::Valid(_)));
    assert!(matches!(keys.judge(2, &meta, Some(b""), &holds), Standing::False(_)));
}

#[test]
fn the_newest_registration_for_an_agent_says_whether_it_must_sign() {
    let unsigned = Some((Code::Unsigned, "signature".to_owned()));
    let mut keys = keys(&[(1, register(&["planner"], true))]);
    assert_eq!(code(&keys, &event("planner")), unsigned);
    assert_eq!(code(&keys, &signed("planner", OTHER)), unsigned);
    assert_eq!(code(&keys, &event("worker")), None);
    assert_eq!(code(&keys, &Event::new("agent.x")), None);
    // A revocation is no permission.
    keys.note(5, AgentKeyMark::Revoked { key: KEY, authority: 4 });
    assert_eq!(code(&keys, &event("planner")), unsigned);
    assert!(keys.requires(Some("planner"), 3) && !keys.requires(Some("planner"), 1));
    keys.note(7, register(&["*"], true));
    assert_eq!(code(&keys, &event("worker")), unsigned);
    assert_eq!(code(&keys, &Event::new("agent.x")), None);
    keys.note(9, register(&["planner"], false));
    assert_eq!(code(&keys, &event("planner")), None);
    assert_eq!(code(&keys, &event("worker")), unsigned);
    assert_eq!(keys.changes(), 4);
}
