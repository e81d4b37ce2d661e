//! The keys with which agents sign: registered and revoked by those who may, and held to.

use super::*;
use checkpoint::AgentSigner;
use event::{AgentKey, Event};
use serde_json::json;

const KEYS: &str = "/api/v1/logs/main/agent-keys";
const EVENTS: &str = "/api/v1/logs/main/events";

fn key(seed: u8) -> AgentKey {
    AgentKey::from_bytes(AgentSigner::from_seed(&[seed; 32]).public())
}

fn plain(id: &str, agent: &str) -> Value {
    json!({
        "event_id": id, "event_type": "agent.tool_call", "agent_name": agent, "params": { "n": 1 },
    })
}

/// An event that a key signed, as it is sent.
fn signed(id: &str, agent: &str, seed: u8) -> Value {
    let mut sent = plain(id, agent);
    let text = sent.to_string();
    let mut event = Event::from_json(text.as_bytes()).unwrap();
    event.sign(key(seed), &|statement| AgentSigner::from_seed(&[seed; 32]).sign(statement));
    sent["signature"] = event.signature.unwrap().into_owned().into();
    sent
}

fn wish(agents: &[&str], required: bool) -> Value {
    json!({ "key": key(1).to_string(), "agents": agents, "required": required, "reason": "rollout" })
}

async fn act(rig: &Rig, token: &str, path: &str, body: &Value) -> (StatusCode, Value) {
    let answer = rig.post(token, path, body.to_string()).await;
    (answer.status, answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_holds_events_to_the_keys_that_were_registered_there() {
    let rig = Rig::new();
    let (admin, operator) = (rig.admin(), rig.token(Role::OPERATOR, LogNames::only(["main"])));
    let early = json!([signed("e-0", "planner", 1)]);
    assert_eq!(act(&rig, &admin, EVENTS, &early).await.1["accepted"], 1);
    let (status, registered) = act(&rig, &operator, KEYS, &wish(&["planner"], true)).await;
    assert_eq!(status, StatusCode::CREATED, "{registered}");
    assert_eq!((&registered["id"], registered.get("revoked")), (&key(1).id().into(), None));

    let mut forged = signed("e-2", "planner", 1);
    forged["tool"] = "rm".into();
    let mut nameless = signed("e-3", "planner", 1);
    nameless.as_object_mut().unwrap().remove("event_id");
    let batch = json!([
        signed("e-1", "planner", 1),
        forged,
        nameless,
        signed("e-4", "worker", 1),
        plain("e-5", "planner"),
        plain("e-6", "worker"),
    ]);
    let (status, answer) = act(&rig, &admin, EVENTS, &batch).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::MULTI_STATUS, &2.into()), "{answer}");
    let codes: Vec<Option<&str>> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["error"]["code"].as_str())
        .collect();
    let bad = Some("bad_signature");
    assert_eq!(codes, [None, bad, bad, bad, Some("unsigned"), None], "{answer}");

    let revoke = format!("{KEYS}/{}/revoke", key(1).id());
    let (status, revoked) = act(&rig, &operator, &revoke, &json!({ "reason": "lost" })).await;
    assert_eq!((status, revoked["revoked"].is_u64()), (StatusCode::OK, true), "{revoked}");
    let late = act(&rig, &admin, EVENTS, &json!([signed("e-7", "planner", 1)])).await.1;
    assert_eq!(late["results"][0]["error"]["code"], "bad_signature", "{late}");
    let reader = rig.token(Role::READER, LogNames::only(["main"]));
    let listed = rig.get(&reader, KEYS).await.json();
    assert_eq!(listed["agent_keys"], json!([revoked]));
    let types = rig.types("main").await;
    for kind in ["log.agent_key_registered", "log.agent_key_revoked"] {
        assert_eq!(types.iter().filter(|it| *it == kind).count(), 1, "{kind}");
    }
    let logs = Arc::clone(rig.app.logs());
    let folder = logs.get("main").unwrap().folder().folder.clone();
    tokio::task::spawn_blocking(move || logs.close()).await.unwrap();
    let report = reading::verify::verify(&folder, Some(&kek()), &Default::default(), &mut |_| {});
    assert_eq!(report.verdict(), prove::Verdict::Ok, "{:?}", report.findings());
    assert_eq!((report.signatures.valid, report.signatures.unknown), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_and_what_is_not_registered_is_refused() {
    let rig = Rig::new();
    let operator = rig.token(Role::OPERATOR, LogNames::only(["main"]));
    let named = |key: &str, agents: Value| json!({ "key": key, "agents": agents });
    let (good, zero) = (key(1).to_string(), AgentKey::from_bytes([0; 32]).to_string());
    let revoke = format!("{KEYS}/{}/revoke", key(1).id());
    for (path, body, code) in [
        (KEYS, named("ed25519:x", json!(["a"])), "bad_parameter"),
        (KEYS, named(&zero, json!(["a"])), "bad_agent_key"),
        (KEYS, named(&good, json!([])), "bad_agent_key"),
        (KEYS, named(&good, json!("a")), "not_json"),
        (KEYS, json!({ "key": good, "agents": ["a"], "reason": " " }), "bad_reason"),
        (&*revoke, json!({}), "unknown_key"),
    ] {
        assert_eq!(act(&rig, &operator, path, &body).await.1["code"], code, "{body}");
    }
    assert_eq!(rig.get(&rig.admin(), KEYS).await.json()["agent_keys"], json!([]));
}
