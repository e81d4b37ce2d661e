//! What exactly is signed, and that it can be cut out of a record again. Not here: whose key it
//! was.

use super::*;
use crate::event::{Assurance, Part, Principal, Redaction};
use crate::json::Json;
use proptest::prelude::*;

const KEY: AgentKey = AgentKey::from_bytes([7; 32]);

/// A signature of which every byte depends on what is signed, and that no library made.
fn digest(statement: &[u8]) -> [u8; 64] {
    let half = sha256(&[], statement);
    let mut both = [0; 64];
    both[..32].copy_from_slice(&half);
    both[32..].copy_from_slice(&sha256(&[b"more"], statement));
    both
}

fn event() -> Event<'static> {
    let json = br#"{"event_type":"agent.tool_call","event_id":"e-1","agent_name":"planner",
        "timestamp":1767225600.25,"cost":{"amount":0.00120},"tags":["a"],"mood":"calm \u00e9",
        "redactions":[{"path":"params.k","rule":"aws_key","action":"mask"}],
        "params":{ "row": [7, 8.0] }}"#;
    Event::from_json(json).unwrap()
}

fn stored(event: &Event<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    (meta, content)
}

fn holds(event: &Event<'_>) -> bool {
    let (meta, content) = stored(event);
    let signature = Signature::parse(event.signature.as_deref().unwrap_or_default()).unwrap();
    signature.is_of_content(&content)
        && signature.statements(&meta).any(|it| digest(&it) == signature.bytes)
}

#[test]
fn the_statement_is_the_stored_metadata_without_what_the_receiver_sets() {
    let mut event = event();
    event.sign(KEY, &|statement| {
        let (meta, content) = stored(&self::event());
        let digest = sha256(&[b"tachograph/signed-content/v1\0"], &content);
        let expected = [b"tachograph/event-signature/v1\0", &digest[..], &meta].concat();
        assert_eq!(statement, expected);
        super::tests::digest(statement)
    });
    assert!(holds(&event));
    // What the receiver sets, and what it redacts and notes in the metadata, takes nothing away.
    event.assurance = Some(Assurance::Acknowledged);
    event.principal = Some(Principal { subject: Some("x".into()), ..Principal::default() });
    event.on_behalf_of = Some("alice".into());
    let note = Redaction { path: "*".into(), rule: "policy".into(), action: "p".into() };
    event.redactions.push(note);
    assert!(holds(&event));
}

#[test]
fn a_claimed_delegate_and_every_other_field_is_signed() {
    let mut signed = event();
    signed.on_behalf_of = Some("alice".into());
    signed.sign(KEY, &digest);
    assert!(holds(&signed));
    let changes: [fn(&mut Event<'static>); 8] = [
        |it| it.on_behalf_of = Some("mallory".into()),
        |it| it.on_behalf_of = None,
        |it| it.event_id = Some("e-2".into()),
        |it| it.agent_name = Some("other".into()),
        |it| it.tags.clear(),
        |it| it.redactions.clear(),
        |it| it.content.set(Part::Params, Json::string("b")),
        |it| it.content = crate::Content::default(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = signed.clone();
        change(&mut changed);
        assert!(!holds(&changed), "{number}");
    }
}

#[test]
fn a_signature_has_one_spelling() {
    let mut event = event();
    event.sign(KEY, &digest);
    let text = event.signature.unwrap().into_owned();
    assert_eq!(Signature::parse(&text).unwrap().to_string(), text);
    assert_eq!(AgentKey::parse(&KEY.to_string()), Some(KEY));
    let padded = text.replace(":1:", ":01:");
    let signed = text.replace(":1:", ":+1:");
    for other in [&padded, &signed, &format!("{text}:"), &format!("{text} "), "ed25519:", "sig", ""]
    {
        assert_eq!(Signature::parse(other), None, "{other}");
    }
    for (at, _) in text.char_indices() {
        assert_eq!(Signature::parse(&text[..at]), None);
    }
}

#[test]
fn metadata_that_is_not_written_as_it_should_be_states_nothing() {
    let mut event = event();
    event.sign(KEY, &digest);
    let (meta, _) = stored(&event);
    let signature = Signature::parse(event.signature.as_deref().unwrap()).unwrap();
    let meta = String::from_utf8(meta).unwrap();
    let count = |meta: &str| signature.statements(meta.as_bytes()).count();
    assert_eq!(count(&meta), 1);
    let spaced = meta.replacen(',', ", ", 1);
    for other in ["", "{}", "[]", "{", &meta[1..], &spaced, &format!("{meta} ")] {
        assert_eq!(count(other), 0, "{other}");
    }
    let more = Signature { redactions: 2, ..signature };
    assert_eq!(more.statements(meta.as_bytes()).count(), 0);
}

proptest! {
    #[test]
    fn arbitrary_metadata_and_texts_never_panic(meta in ".*", text in ".*", n in 0usize..3) {
        let _ = Signature::parse(&text);
        let bytes = [0; 64];
        let signature = Signature { key: KEY, redactions: n, content: [0; 32], bytes };
        signature.statements(meta.as_bytes()).for_each(drop);
    }

    /// What an agent signs reads back from what it sends, whatever is in the event: sent as JSON,
    /// read by the receiver and stored, it still holds.
    #[test]
    fn what_was_signed_holds_after_the_way_to_the_log(
        agent in "[^\u{0}]{0,12}", tool in ".{0,12}", key in ".{1,8}", value in ".{0,20}",
        number in any::<f64>().prop_filter("finite", |it| it.is_finite()),
    ) {
        let mut event = event();
        event.agent_name = Some(agent.into());
        event.tool = Some(tool.into());
        event.duration_ms = Some(number);
        event.remove_empty_texts();
        let json = serde_json::json!({ key: [value, number] });
        event.content.set(Part::Result, Json::from_value(&json));
        event.sign(KEY, &digest);
        let (meta, content) = stored(&event);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (meta, content) = (text(meta), text(content));
        let sent = format!("{},{}", meta.strip_suffix('}').unwrap(), &content[1..]);
        let received = Event::from_json(sent.as_bytes()).unwrap();
        prop_assert!(holds(&received));
    }
}
