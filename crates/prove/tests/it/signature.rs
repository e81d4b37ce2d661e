//! Agents' signatures, as a program wrote them that shares no code with this one.

use crate::sample::Sample;
use checkpoint::{AgentSigner, verify_agent};
use event::{AgentKey, AgentKeyMark, AgentKeys, Event, Signature, Standing};
use prove::{FindingKind, SignatureCounts, Verdict};
use serde_json::Value;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/vectors/signature.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

#[test]
fn the_vectors_of_another_program_stand_as_it_says() {
    let vectors = vectors();
    let key = AgentKey::parse(text(&vectors, "key")).unwrap();
    assert_eq!(key.id(), text(&vectors, "key_id"));
    let mut keys = AgentKeys::default();
    let agents = vec!["planner".to_owned()];
    keys.note(1, AgentKeyMark::Registered { key, agents, required: false, authority: 0 });
    for record in vectors["records"].as_array().unwrap() {
        let meta = text(record, "meta").as_bytes();
        let content = record["content"].as_str().map(str::as_bytes);
        let holds = |key: &AgentKey, statement: &[u8], made: &[u8; 64]| {
            verify_agent(key.as_bytes(), statement, made)
        };
        let standing = match keys.judge(2, meta, content, &holds) {
            Standing::Valid(_) => "valid",
            Standing::ContentRedacted(_) => "content redacted",
            Standing::Redacted(_) => "redacted",
            Standing::False(_) => "false",
            _ => "another",
        };
        assert_eq!(standing, text(record, "standing"), "{record}");
    }
}

#[test]
fn we_sign_what_another_program_signed() {
    let vectors = vectors();
    let seed: [u8; 32] = hex::decode(text(&vectors, "seed")).unwrap().try_into().unwrap();
    let signer = AgentSigner::from_seed(&seed);
    let first = &vectors["records"][0];
    let (meta, content) = (text(first, "meta"), text(first, "content"));
    let mut event = Event::from_stored(meta.as_bytes(), content.as_bytes()).unwrap();
    let (theirs, statement) = (event.signature.take(), text(&vectors, "statement"));
    (event.principal, event.assurance, event.on_behalf_of) = (None, None, None);
    event.sign(AgentKey::from_bytes(signer.public()), &|signed| {
        assert_eq!(hex::encode(signed), statement);
        signer.sign(signed)
    });
    assert_eq!(event.signature, theirs);
    let signature = Signature::parse(theirs.as_deref().unwrap()).unwrap();
    assert_eq!(hex::encode(signature.content), text(&vectors, "content_digest"));
}

/// Metadata and content of an event that this key signed, and then `changed`.
fn signed(seed: u8, agent: &str, changed: &dyn Fn(&mut Event<'_>)) -> (String, String) {
    let signer = AgentSigner::from_seed(&[seed; 32]);
    let json = format!(
        r#"{{"event_id":"e","event_type":"agent.x","agent_name":"{agent}","params":{{"n":1}}}}"#
    );
    let mut event = Event::from_json(json.as_bytes()).unwrap();
    event.sign(AgentKey::from_bytes(signer.public()), &|signed| signer.sign(signed));
    changed(&mut event);
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    (String::from_utf8(meta).unwrap(), String::from_utf8(content).unwrap())
}

fn announced(mark: &AgentKeyMark) -> (String, String) {
    let meta = format!(
        r#"{{"schema":"tachograph.event/1","event_id":"l","event_type":"{}"}}"#,
        mark.event_type()
    );
    (meta, format!(r#"{{"params":{}}}"#, mark.to_params()))
}

#[test]
fn a_whole_log_counts_signatures_and_names_what_should_have_been_refused() {
    let key = AgentKey::from_bytes(AgentSigner::from_seed(&[1; 32]).public());
    let agents = vec!["planner".to_owned()];
    let registered = AgentKeyMark::Registered { key, agents, required: true, authority: 4 };
    let note =
        event::Redaction { path: "params".into(), rule: "email".into(), action: "mask".into() };
    let redacted = |event: &mut Event<'_>| {
        event.content.set(event::Part::Params, event::Json::string("[redacted:email]"));
        event.redactions.push(note.clone());
    };
    let none = |_: &mut Event<'_>| {};
    let good = std::collections::BTreeMap::from([
        (3, signed(1, "planner", &none)),
        (5, announced(&registered)),
        (6, signed(1, "planner", &none)),
        (7, signed(1, "planner", &redacted)),
        (8, signed(2, "worker", &none)),
        (25, signed(1, "planner", &none)),
    ]);
    let report = Sample::with_own(20, 10, &good).verify();
    assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
    let counts = SignatureCounts { valid: 2, redacted: 1, unknown: 2, bad: 0 };
    assert_eq!(report.signatures, counts);
    assert!(Sample::with_own(20, 10, &good).verify_public().signatures.is_empty());
    let revoked = AgentKeyMark::Revoked { key, authority: 8 };
    let bad = [
        (12, signed(1, "planner", &|it| it.tool = Some("rm".into())), "does not hold"),
        (12, signed(1, "planner", &|it| it.content = event::Content::default()), "does not hold"),
        (12, signed(1, "worker", &none), "in another's name"),
        (12, signed(2, "planner", &none), "no key of this agent signed it"),
        (12, signed(1, "planner", &|it| it.signature = None), "no key of this agent signed it"),
        (27, signed(1, "planner", &|it| it.tool = Some("rm".into())), "does not hold"),
    ];
    for (index, record, words) in bad {
        let mut all = good.clone();
        all.insert(index, record);
        let report = Sample::with_own(20, 10, &all).verify();
        let [finding] = report.findings() else { panic!("{}", report.to_json()) };
        assert_eq!((finding.kind, finding.index), (FindingKind::Signature, Some(index as u64)));
        assert!(finding.detail.contains(words), "{}", finding.detail);
        assert_eq!(report.signatures.bad, 1);
    }
    let mut all = good.clone();
    all.extend([(9, announced(&revoked)), (12, signed(1, "planner", &none))]);
    let report = Sample::with_own(20, 10, &all).verify();
    assert!(report.findings()[0].detail.contains("revoked"), "{}", report.to_json());
}
