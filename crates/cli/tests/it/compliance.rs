//! `tacho report compliance-check`: shipped packs, a pack of one's own, and what it refuses.

use crate::program::Home;
use crate::read::recorded;
use crate::served::Served;
use serde_json::Value;

fn json(home: &Home, arguments: &[&str]) -> Value {
    let all = [&["report", "compliance-check"], arguments, &["--format", "json"]].concat();
    serde_json::from_str(&home.fine(&all)).unwrap()
}

fn verdicts(value: &Value) -> Vec<(String, String)> {
    let control = |it: &Value| {
        let text = |name: &str| it[name].as_str().unwrap().to_owned();
        (text("predicate"), text("verdict"))
    };
    value["controls"].as_array().unwrap().iter().map(control).collect()
}

#[test]
fn every_shipped_pack_answers_in_every_format_and_claims_nothing() {
    let home = recorded();
    for pack in [
        "governance",
        "eu-ai-act",
        "dora",
        "hipaa",
        "soc2",
        "pci-dss-4",
        "sec-17a-4",
        "gdpr",
        "iso-42001",
        "nist",
        "finos-mi-21",
    ] {
        let value = json(&home, &["--pack", pack]);
        assert_eq!(value["pack"], pack);
        assert_eq!(value["checkpoint"]["root"].as_str().unwrap().len(), 64);
        for format in ["text", "md", "html", "csv"] {
            let asked = ["report", "compliance-check", "--pack", pack, "--format", format];
            let text = home.fine(&asked);
            assert!(!text.contains("compliant"), "{pack} {format}");
            assert!(format == "csv" || text.contains("evidence toward"), "{pack} {format}");
        }
    }
}

#[test]
fn the_log_is_verified_when_that_is_asked_and_damage_fails_the_control() {
    let home = recorded();
    let integrity = |value: &Value| {
        let all = verdicts(value);
        all.into_iter().find(|(predicate, _)| predicate == "C-INT-1").unwrap().1
    };
    assert_eq!(integrity(&json(&home, &["--pack", "hipaa"])), "not_assessable");
    assert_eq!(integrity(&json(&home, &["--pack", "hipaa", "--verify"])), "pass");
    let tile = home.log().join("tile/entries");
    let file = home.files("tachograph-data").into_keys().find(|path| path.starts_with(&tile));
    let file = file.unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(integrity(&json(&home, &["--pack", "hipaa", "--verify"])), "fail");
}

#[test]
fn a_pack_of_ones_own_is_asked_and_an_unknown_key_is_refused() {
    let home = recorded();
    let pack = "name = \"mine\"\nversion = \"1\"\ntitle = \"Ours\"\n[[controls]]\nid = \"a\"\n\
                clause = \"7\"\npredicate = \"tool_approval_rate\"\n[controls.parameters]\n\
                tools = [\"process_refund\"]\n";
    home.write("mine.toml", pack);
    let value = json(&home, &["--pack", "mine.toml"]);
    assert_eq!(verdicts(&value), [("tool_approval_rate".to_owned(), "fail".to_owned())]);
    assert!(!value["controls"][0]["events"].as_array().unwrap().is_empty());
    home.write("bad.toml", pack.replace("tools", "tool"));
    let ran = home.run(&["report", "compliance-check", "--pack", "bad.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("unknown field `tool`"), "{}", ran.err);
    let ran = home.run(&["report", "compliance-check", "--pack", "nobody"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("eu-ai-act"), "{}", ran.err);
}

#[test]
fn of_a_server_its_own_log_is_verified_and_packs_of_ones_own_are_asked() {
    let served_home = recorded();
    let served = Served::start(&served_home);
    // Here lies another log of the same name, and it is damaged.
    let home = recorded();
    let tile = home.log().join("tile/entries");
    let file = home.files("tachograph-data").into_keys().find(|path| path.starts_with(&tile));
    let file = file.unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let token = served_home.fine(&["token", "create", "asks", "--role", "admin", "--logs", "main"]);
    home.write("token", token.trim());
    let over_http = ["--url", served.url.as_str(), "--token-file", "token"];
    let words = [&["--pack", "hipaa", "--verify"][..], &over_http].concat();
    let value = json(&home, &words);
    let controls = value["controls"].as_array().unwrap().iter();
    let it = controls.clone().find(|it| it["predicate"] == "C-INT-1").unwrap();
    let found = it["found"].as_str().unwrap();
    assert!(it["verdict"] != "fail" && !found.contains("record and signature"), "{it}");
    let here = json(&home, &["--pack", "hipaa", "--verify"]);
    assert!(here.to_string().contains("`tacho verify` found"), "{here}");
    let pack = "name = \"mine\"\nversion = \"1\"\ntitle = \"Ours\"\n[[controls]]\nid = \"a\"\n\
                clause = \"7\"\npredicate = \"C-INT-4\"\n";
    home.write("mine.toml", pack);
    let value = json(&home, &[&["--pack", "mine.toml"][..], &over_http].concat());
    assert_eq!((&value["pack"], value["controls"].as_array().unwrap().len()), (&"mine".into(), 1));
}
