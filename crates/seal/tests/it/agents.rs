//! Keys of agents: registered in the log, and what it takes in from then on.

use super::*;
use crate::act::me;
use crate::dying::dying_after;
use checkpoint::AgentSigner;
use event::{AgentKey, AgentKeyMark, Code};
use seal::{AgentKeyError, Log, NewAgentKey, SealError};

fn signer(seed: u8) -> (AgentKey, AgentSigner) {
    let signer = AgentSigner::from_seed(&[seed; 32]);
    (AgentKey::from_bytes(signer.public()), signer)
}

fn signed(id: &str, agent: &str, seed: u8) -> Event<'static> {
    let mut event = Event::new("agent.tool_call");
    event.event_id = Some(id.to_owned().into());
    event.agent_name = Some(agent.to_owned().into());
    let (key, signer) = signer(seed);
    event.sign(key, &|statement| signer.sign(statement));
    event
}

fn register(writer: &mut Writer, seed: u8, agents: &[&str], required: bool) -> u64 {
    let agents = agents.iter().map(|it| (*it).to_owned()).collect();
    let new = NewAgentKey { key: signer(seed).0, agents, required };
    writer.register_agent_key(new, Some("rollout"), &me()).unwrap().from
}

fn code(log: &Log, event: &Event<'_>) -> Option<Code> {
    log.encoder(0).admit(event).err().map(|error| error.code)
}

#[test]
fn a_registration_is_shown_and_outlives_the_writer() {
    let (memory, folder) = fresh();
    let mut writer = open(&folder);
    let record = register(&mut writer, 1, &["planner"], true);
    let id = signer(1).0.id();
    assert!(matches!(
        writer.revoke_agent_key("nobody", None, &me()),
        Err(AgentKeyError::Unknown(_))
    ));
    let revoked = writer.revoke_agent_key(&id, None, &me()).unwrap();
    writer.close().unwrap();
    let shown = memory.snapshot()[&segment::ledger_path(record)].clone();
    let shown = event::Disclosed::parse(&shown).unwrap();
    let mark = AgentKeyMark::from_stored(shown.meta.as_bytes(), shown.content.as_bytes());
    let (key, agents) = (signer(1).0, vec!["planner".to_owned()]);
    let authority = record - 1;
    let expected = AgentKeyMark::Registered { key, agents, required: true, authority };
    assert_eq!(mark, Ok(Some(expected)));
    assert!(!shown.meta.contains("principal"), "{}", shown.meta);
    let mut writer = open(&folder);
    let known = writer.agent_keys().find(&key, u64::MAX).unwrap().clone();
    assert_eq!((known.from, known.until), (record, revoked.until));
    // What was revoked does not come back, and only names that can be shown are taken.
    let new = |key: AgentKey, agents: &[&str]| NewAgentKey {
        key,
        agents: agents.iter().map(|it| (*it).to_owned()).collect(),
        required: false,
    };
    let size = writer.size();
    for (new, word) in [
        (new(key, &["planner"]), "revoked"),
        (new(AgentKey::from_bytes([0; 32]), &["planner"]), "no public key"),
        (new(signer(2).0, &[]), "1 to 64 agents"),
        (new(signer(2).0, &["a\nb"]), "control characters"),
        (new(signer(2).0, &["alice@example.com"]), "redaction"),
    ] {
        let error = writer.register_agent_key(new, None, &me()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(writer.size(), size);
}

#[test]
fn what_does_not_hold_is_refused_from_the_registration_on() {
    let (_, folder) = fresh();
    let log = Log::start(open(&folder));
    let mut forged = signed("e-1", "planner", 1);
    forged.action = Some("rm -rf".into());
    assert_eq!(code(&log, &forged), None);
    log.with_writer(|writer| register(writer, 1, &["planner"], true)).unwrap();
    assert_eq!(code(&log, &signed("e-1", "planner", 1)), None);
    assert_eq!(code(&log, &forged), Some(Code::BadSignature));
    assert_eq!(code(&log, &signed("e-1", "worker", 1)), Some(Code::BadSignature));
    assert_eq!(code(&log, &signed("e-1", "planner", 2)), Some(Code::Unsigned));
    assert_eq!(code(&log, &signed("e-1", "worker", 2)), None);
    let id = signer(1).0.id();
    log.with_writer(move |writer| writer.revoke_agent_key(&id, None, &me()).map(|_| ()))
        .unwrap()
        .unwrap();
    assert_eq!(code(&log, &signed("e-1", "planner", 1)), Some(Code::BadSignature));
    log.close().unwrap();
}

#[test]
fn a_batch_that_was_held_to_other_keys_is_sent_again() {
    let (_, folder) = fresh();
    let log = Log::start(open(&folder));
    let encoded = |id: &str| {
        let mut encoder = log.encoder(0);
        let mut event = Event::new("agent.tool_call");
        event.event_id = Some(id.to_owned().into());
        event.agent_name = Some("planner".into());
        let admitted = encoder.admit(&event).is_ok();
        encoder.push(log.redactor().redact_in_place(&mut event)).unwrap();
        (admitted, encoder.finish())
    };
    let (admitted, early) = encoded("e-1");
    let mut both = encoded("e-2").1;
    log.with_writer(|writer| register(writer, 1, &["planner"], true)).unwrap();
    let (again, late) = encoded("e-3");
    assert!(admitted && !again);
    both.extend(late.clone());
    for batch in [early, both] {
        assert!(matches!(log.append(batch), Err(SealError::AgentKeysChanged)));
    }
    // The log goes on, and what was held to the keys in force is sealed.
    assert_eq!(log.append(late).unwrap().outcomes.len(), 1);
    log.close().unwrap();
}

#[test]
fn a_machine_that_dies_meanwhile_leaves_a_key_registered_or_not_and_never_half() {
    let (mut is_done, mut was_owed, mut calls) = (false, false, 0);
    while !is_done {
        let (memory, folder) = fresh();
        let opened = seal::open(&dying_after(&memory, calls), kek(), options());
        let agents = vec!["planner".to_owned()];
        let new = NewAgentKey { key: signer(1).0, agents, required: true };
        is_done = opened.is_ok_and(|mut it| it.register_agent_key(new, None, &me()).is_ok());
        let log = Log::start(open(&folder));
        let mut unsigned = signed("e-1", "planner", 1);
        unsigned.signature = None;
        let demands = code(&log, &unsigned) == Some(Code::Unsigned);
        let shown = memory.snapshot().into_iter().any(|(path, bytes)| {
            path.starts_with(segment::LEDGER_FOLDER)
                && event::Disclosed::parse(&bytes)
                    .is_ok_and(|it| it.meta.contains("log.agent_key_registered"))
        });
        assert_eq!(demands, shown, "{calls}");
        assert!(demands || !is_done, "{calls}");
        was_owed |= demands && !is_done;
        log.close().unwrap();
        calls += 1;
        assert!(calls < 1_000, "it is never done");
    }
    assert!(was_owed && calls > 5, "{calls}");
}
