//! JSON, walked.

use super::*;
use crate::policy::{Policy, RuleSetting};

fn redactor(action: Action) -> Redactor {
    let setting =
        |rule: &Rule| RuleSetting { rule: rule.as_str().into(), action, ..RuleSetting::default() };
    let rules = Rule::ALL.iter().map(setting).collect();
    Redactor::new(&Policy { rules, ..Policy::default() }, [7; 32]).unwrap()
}

fn walk(action: Action, text: &str) -> (String, Vec<String>) {
    let (redactor, mut notes) = (redactor(action), Notes::default());
    let out = Walk::new(&redactor, &redactor.policy.plain(), &mut notes, "params".into())
        .run(text, None)
        .unwrap();
    let mut redactions = Vec::new();
    notes.append_to(&mut redactions, "test");
    redactions.pop();
    let notes = redactions.iter().map(|r| format!("{} {} {}", r.path, r.rule, r.action)).collect();
    (out.unwrap_or_else(|| text.to_owned()), notes)
}

const MASK: &str = "[redacted:sensitive_member]";

#[test]
fn secret_members_lose_their_value_whatever_it_looks_like() {
    for key in [
        "password",
        "passwd",
        "secret",
        "api_key",
        "apiKey",
        "API-KEY",
        "access_token",
        "refresh_token",
        "authorization",
        "Cookie",
        "set-cookie",
        "x-api-key",
        "private_key",
        "client_secret",
        "dbPassword",
        "OPENAI_API_KEY",
        "credentials",
    ] {
        let (out, notes) =
            walk(Action::Mask, &format!(r#"{{"a":1.50,"{key}":"plain words","b":[]}}"#));
        assert_eq!(out, format!(r#"{{"a":1.50,"{key}":"{MASK}","b":[]}}"#));
        assert_eq!(notes, [format!("params.{key} sensitive_member mask")]);
    }
}

#[test]
fn everything_under_a_secret_name_goes_but_what_describes_it() {
    let text = r#"{"authorization":["one",{"a":"two","n":123}],"password":{"type":"string","default":"x"},"secret":null}"#;
    let (out, _) = walk(Action::Mask, text);
    assert_eq!(
        out,
        format!(
            r#"{{"authorization":["{MASK}",{{"a":"{MASK}","n":"{MASK}"}}],"password":{{"type":"string","default":"{MASK}"}},"secret":null}}"#
        )
    );
}

#[test]
fn pairs_of_name_and_value_are_understood() {
    for text in [
        r#"[{"name":"OPENAI_API_KEY","value":"plain"}]"#,
        r#"[{"key":"password","value":{"stringValue":"plain"}}]"#,
        r#"{"headers":[{"name":"Authorization","value":"plain"}]}"#,
        r#"{"Name":"db_password","Type":"SecureString","Value":"plain"}"#,
        r#"{"variable":"DB_PASSWORD","scope":"plan","value":"plain"}"#,
        r#"{"ParameterKey":"DbPassword","ParameterValue":"plain"}"#,
        r#"{"name":"GH_TOKEN","value":"plain1a2b3c4"}"#,
        r#"{"name":"GH_TOKEN","key":"db_password","value":"plain"}"#,
        r#"{"key":"db_password","name":"GH_TOKEN","value":"plain"}"#,
        r#"{"key":"gh.token","value":{"stringValue":"plain1a2b3c4"}}"#,
    ] {
        assert!(!redactor(Action::Mask).families(text).is_empty(), "{text}");
        let (out, _) = walk(Action::Mask, text);
        assert!(!out.contains("plain") && out.contains(MASK), "{out}");
    }
    for text in [
        r#"[{"name":"color","value":"plain"},{"key":"token","value":"plain"}]"#,
        r#"[{"name":"db_password"},{"value":"plain"}]"#,
        r#"{"key":"token","value":{"stringValue":"plain"}}"#,
        r#"{"name":"GH_TOKEN","value":["plain1a2b3c4"]}"#,
        r#"{"value":"plain1a2b3c4","key":"token"}"#,
    ] {
        assert_eq!(walk(Action::Mask, text).0, text);
    }
}

#[test]
fn dropping_removes_the_member_and_its_comma() {
    let (out, notes) =
        walk(Action::Drop, r#"{"password":"x","a":{"secret":[1,{"b":"}"}]},"token":null,"z":1}"#);
    assert_eq!(out, r#"{"a":{},"token":null,"z":1}"#);
    assert_eq!(
        notes,
        ["params.password sensitive_member drop", "params.a.secret sensitive_member drop"]
    );
    assert_eq!(walk(Action::Drop, r#"{"a":1,"password":"x"}"#).0, r#"{"a":1}"#);
    assert_eq!(walk(Action::Drop, r#"{"a@b.co":1,"c":2}"#).0, r#"{"c":2}"#);
}

#[test]
fn paths_lead_to_the_value() {
    let (_, notes) =
        walk(Action::Mask, r#"{"messages":[{"content":"x"},{"content":"mail a@b.co"}]}"#);
    assert_eq!(notes, ["params.messages.1.content email mask"]);
}

#[test]
fn escapes_hide_nothing() {
    for text in [
        r#""\u0073k-ant-api03-0123456789abc""#,
        r#"{"x":"key\u003dsk-secret-canary1"}"#,
        r#"{"p\u0061ssword":"canary"}"#,
        r#"["http:\/\/u:canary@h"]"#,
        r#"{"x":"{\"p\\u0061ssword\":\"canary\"}"}"#,
    ] {
        assert!(!redactor(Action::Mask).families(text).is_empty(), "{text}");
        let (out, _) = walk(Action::Mask, text);
        assert!(
            out.contains("[redacted:") && !out.contains("canary") && !out.contains("0123456789abc"),
            "{out}"
        );
    }
}

#[test]
fn json_inside_strings_is_walked_and_keeps_its_form() {
    let inner = r#"{ "password" : "x y", "n": 1.50, "deep": "[{\"secret\":\"z\"}]" }"#;
    let text = serde_json::json!({ "arguments": inner }).to_string();
    let (out, notes) = walk(Action::Mask, &text);
    let expected = inner.replace("x y", MASK).replace("\\\"z\\\"", &format!("\\\"{MASK}\\\""));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["arguments"], expected);
    assert_eq!(
        notes,
        [
            "params.arguments.password sensitive_member mask",
            "params.arguments.deep.0.secret sensitive_member mask"
        ]
    );
}

#[test]
fn card_numbers_as_numbers_go_and_other_numbers_keep_their_digits() {
    let (out, _) =
        walk(Action::Mask, r#"{"card":4111111111111111,"t":1767225600123456789,"x":1.50e+2}"#);
    assert_eq!(out, r#"{"card":"[redacted:card_number]","t":1767225600123456789,"x":1.50e+2}"#);
}

#[test]
fn keys_that_hold_a_secret_stay_different() {
    let (out, notes) = walk(Action::Mask, r#"{"a@b.co":1,"a@b.cd":2}"#);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 2);
    assert!(
        !out.contains('@') && notes.iter().all(|note| note.ends_with(" email hash")),
        "{out} {notes:?}"
    );
}

#[test]
fn a_name_that_is_json_loses_what_its_structure_gives_away() {
    let pair = |secret: &str| format!(r#"{{"name":"db_password","value":"{secret}"}}"#);
    let key = |secret: &str| serde_json::Value::from(pair(secret)).to_string();
    let text = format!(r#"{{{}:1,{}:2,"{{\"a\":1}}":3}}"#, key("Supplier1179"), key("Harbour22"));
    let (out, notes) = walk(Action::Mask, &text);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 3, "{out}");
    assert!(!out.contains("Supplier1179") && !out.contains("Harbour22"), "{out}");
    assert!(out.contains(r#""{\"a\":1}":3"#), "{out}");
    assert!(notes.iter().all(|note| note.ends_with(" sensitive_member hash")), "{notes:?}");
    assert_eq!(walk(Action::Mask, &out).0, out);
}

#[test]
fn what_is_not_json_is_reported() {
    let (redactor, mut notes) = (redactor(Action::Mask), Notes::default());
    for text in ["", "{", "[1", "\"", "{\"a\"}", "{\"a\":}", "1 2", "]", "{1:2}", &"[".repeat(1000)]
    {
        let ruling = redactor.policy.plain();
        let out = Walk::new(&redactor, &ruling, &mut notes, String::new()).run(text, None);
        assert_eq!(out, Err(NotJson), "{text}");
    }
}

#[test]
fn a_name_is_judged_as_it_is_written() {
    let text = r#"{"name":"Bearer abcdef123456","value":"plain"}"#;
    let (once, _) = walk(Action::Drop, text);
    assert_eq!(once, walk(Action::Drop, &once).0);
}
