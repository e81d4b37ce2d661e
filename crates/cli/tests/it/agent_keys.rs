//! Keys with which agents sign: registered, held to, and checked again.

use crate::program::{Home, json_lines};
use crate::served::Served;
use checkpoint::AgentSigner;
use event::{AgentKey, Event};

/// A line of an event that the key in a file signs.
fn signed(home: &Home, file: &str, json: &str) -> String {
    let seed = keys::AgentSeed::load(&home.path(file)).unwrap();
    let signer = AgentSigner::from_seed(seed.expose());
    let mut event = Event::from_json(json.as_bytes()).unwrap();
    event.sign(AgentKey::from_bytes(signer.public()), &|statement| signer.sign(statement));
    let mut value: serde_json::Value = serde_json::from_str(json).unwrap();
    value["signature"] = event.signature.unwrap().into_owned().into();
    format!("{value}\n")
}

fn call(id: &str, agent: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","event_type":"agent.tool_call","agent_name":"{agent}","tool":"x","params":{{"n":1}}}}"#
    )
}

/// A log in which the key `planner.key` is registered, as the registration told it.
fn registered(home: &Home) -> serde_json::Value {
    home.fine(&["init"]);
    let public = home.fine(&["agent-key", "generate", "planner.key"]).trim().to_owned();
    assert_eq!(home.fine(&["agent-key", "show", "planner.key"]).trim(), public);
    assert_eq!(home.run(&["agent-key", "generate", "planner.key"]).code, 1);
    // Before the registration nobody knows whose key it is.
    let early = signed(home, "planner.key", &call("e-0", "planner"));
    assert_eq!(home.feed(&["append"], early.as_bytes()).code, 0);
    let register = ["agent-key", "register", &public, "--agent", "planner", "--required"];
    let told = home.fine(&[&register[..], &["--reason", "test", "--format", "json"]].concat());
    let told = json_lines(&told).remove(0);
    assert_eq!(told["agents"], serde_json::json!(["planner"]));
    told
}

#[test]
fn a_registered_key_is_held_to_at_intake_and_in_a_verdict() {
    let home = Home::new();
    let registered = registered(&home);
    let good = signed(&home, "planner.key", &call("e-1", "planner"));
    let forged = good.replace(r#""n":1"#, r#""n":2"#).replace("e-1", "e-2");
    let other = signed(&home, "planner.key", &call("e-3", "worker"));
    let unsigned = call("e-4", "planner") + "\n";
    let worker = call("e-5", "worker") + "\n";
    let ran = home.feed(&["append"], [good, forged, other, unsigned, worker].concat().as_bytes());
    let answers = json_lines(&ran.out);
    let told: Vec<(Option<&str>, Option<&str>)> = answers
        .iter()
        .map(|it| (it["error"]["code"].as_str(), it["error"]["field"].as_str()))
        .collect();
    let bad = |code, field| (Some(code), Some(field));
    let expected = [
        (None, None),
        bad("bad_signature", "signature"),
        bad("bad_signature", "agent_name"),
        bad("unsigned", "signature"),
        (None, None),
    ];
    assert_eq!(told, expected, "{}", ran.out);
    let report = json_lines(&home.fine(&["verify", "--format", "json"])).remove(0);
    let counted = serde_json::json!({"valid": 1, "redacted": 0, "unknown": 1, "bad": 0});
    assert_eq!(report["signatures"], counted);
    assert!(home.fine(&["verify"]).contains("1 valid, 1 by keys that are not registered"));
    let told = home.run(&["prove", "e-1"]).err;
    let id = registered["id"].as_str().unwrap();
    assert!(told.contains(&format!("signature: valid by the key {id} of planner")), "{told}");
}

#[test]
fn a_revoked_key_signs_nothing_and_the_log_says_who_registered_it() {
    let home = Home::new();
    let registered = registered(&home);
    let listed = json_lines(&home.fine(&["agent-key", "list", "--format", "ndjson"]));
    assert_eq!(listed[0], registered);
    let id = registered["id"].as_str().unwrap();
    home.fine(&["agent-key", "revoke", id, "--reason", "lost"]);
    assert_eq!(home.run(&["agent-key", "revoke", id]).code, 3);
    let late = signed(&home, "planner.key", &call("e-6", "planner"));
    let ran = home.feed(&["append"], late.as_bytes());
    assert!(ran.out.contains("bad_signature") && ran.out.contains("revoked"), "{}", ran.out);
    assert!(home.fine(&["agent-key", "list"]).contains("revoked"));
    home.fine(&["verify"]);
    let told = home.fine(&["events", "--type", "log.agent_key", "--format", "ndjson"]);
    let told = json_lines(&told);
    let acts: Vec<_> = told.iter().map(|it| it["content"]["params"]["act"].clone()).collect();
    assert_eq!(acts, ["revoke", "register"]);
    assert!(told[0]["principal"]["subject"].as_str().unwrap().starts_with("uid:"));
}

#[test]
fn keys_are_registered_at_the_server_that_holds_the_folder() {
    let home = Home::new();
    home.fine(&["init"]);
    let public = home.fine(&["agent-key", "generate", "planner.key"]).trim().to_owned();
    let served = Served::start(&home);
    let register = ["agent-key", "register", &public, "--agent", "planner", "--format", "json"];
    let registered = json_lines(&home.fine(&register)).remove(0);
    let list = ["agent-key", "list", "--format", "ndjson"];
    assert_eq!(json_lines(&home.fine(&list)).first(), Some(&registered));
    let forged = signed(&home, "planner.key", &call("e-1", "planner")).replace("tool_call", "x");
    let ran = home.feed(&["append"], forged.as_bytes());
    assert!(ran.out.contains("bad_signature"), "{} {}", ran.out, ran.err);
    assert!(home.run(&["agent-key", "revoke", "0011223344556677"]).code == 3);
    home.fine(&["agent-key", "revoke", &public]);
    served.stop();
    // What the server was told stands in the folder.
    let listed = json_lines(&home.fine(&list));
    assert!(listed[0]["revoked"].is_u64() && listed[0]["id"] == registered["id"], "{listed:?}");
    home.fine(&["verify"]);
}
