//! Tokens of an issuer that is made here: good ones, and every way of being bad.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::access::Grant;

mod bad;
mod issuer;
mod rotation;
mod sign_in;

use issuer::{AUDIENCE, ISSUER, Signer, claims, fetching, header, token, with};

/// What time it is in these tests.
const NOW_S: i64 = 1_900_000_000;
const NOW_MS: i64 = NOW_S * 1000;

fn config() -> IssuerConfig {
    toml::from_str(&format!(
        r#"
        issuer = "{ISSUER}"
        audience = "{AUDIENCE}"
        on_behalf_of_audiences = ["{AUDIENCE}", "agents"]
        [[rules]]
        claim = "groups"
        value = "auditors"
        roles = ["auditor"]
        logs = "all"
        [[rules]]
        claim = "/realm_access/roles"
        value = "agent"
        roles = ["producer", "reader"]
        logs = ["main"]
        [[rules]]
        claim = "https://issuer.example/team"
        value = "red"
        roles = ["reader"]
        logs = ["red"]
        "#
    ))
    .unwrap()
}

/// An issuer whose people do not sign in here.
fn config_of_another() -> IssuerConfig {
    IssuerConfig { issuer: "https://another.example".into(), rules: Vec::new(), ..config() }
}

fn oidc() -> Oidc {
    Oidc::new(vec![config()], fetching()).unwrap()
}

#[test]
fn token_of_every_usual_algorithm_lets_in() {
    let oidc = oidc();
    for signer in [Signer::Es256, Signer::EdDsa, Signer::Rs256] {
        let caller = oidc.verify(&token(signer, &header(signer), &claims()), NOW_MS).unwrap();
        assert_eq!(caller.issuer, ISSUER);
        assert_eq!((caller.subject.as_str(), caller.method), ("subject-1", Method::Oidc));
        assert_eq!(caller.grants, []);
    }
}

#[test]
fn headers_and_claims_have_the_freedom_that_the_standards_give() {
    let oidc = oidc();
    let head = header(Signer::Es256);
    for kind in ["JWT", "jwt", "at+jwt", "application/at+JWT"] {
        let text = token(Signer::Es256, &with(&head, "typ", json!(kind)), &claims());
        assert!(oidc.verify(&text, NOW_MS).is_ok(), "{kind}");
    }
    for (name, value) in [
        ("aud", json!(["other", AUDIENCE])),
        ("exp", json!(NOW_S as f64 + 10.5)),
        ("exp", json!(NOW_S - 29)),
        ("nbf", json!(NOW_S + 30)),
        ("iat", json!(NOW_S + 30)),
        ("sub", json!("s".repeat(255))),
        ("crit", json!("a claim, not a header")),
    ] {
        let text = token(Signer::Es256, &head, &with(&claims(), name, value.clone()));
        assert!(oidc.verify(&text, NOW_MS).is_ok(), "{name} = {value}");
    }
}

#[test]
fn claims_become_roles_by_the_rules() {
    let oidc = oidc();
    let grants = |name: &str, value: Value| {
        let text = token(Signer::EdDsa, &header(Signer::EdDsa), &with(&claims(), name, value));
        oidc.verify(&text, NOW_MS).unwrap().grants
    };
    let auditor = [Grant { role: Role::AUDITOR, logs: Logs::All }];
    assert_eq!(grants("groups", json!(["x", "auditors"])), auditor);
    assert_eq!(grants("groups", json!("auditors")), auditor);
    for other in [json!("auditors "), json!(["Auditors"]), json!({"auditors": true}), json!(1)] {
        assert_eq!(grants("groups", other), []);
    }
    let agent = grants("realm_access", json!({"roles": ["agent"]}));
    assert_eq!(agent.len(), 2);
    assert!(agent.iter().all(|grant| grant.logs == Logs::only(["main"])));
    assert_eq!(grants("https://issuer.example/team", json!("red")).len(), 1);
}

#[test]
fn end_user_is_named_only_where_the_issuer_may_vouch() {
    let text = token(Signer::EdDsa, &header(Signer::EdDsa), &claims());
    let user = oidc().verify_on_behalf_of(&text, NOW_MS).unwrap();
    assert_eq!(user, EndUser { issuer: ISSUER.into(), subject: "subject-1".into() });
    let not = Oidc::new(
        vec![IssuerConfig { on_behalf_of_audiences: Vec::new(), ..config() }],
        fetching(),
    )
    .unwrap();
    assert_eq!(not.verify_on_behalf_of(&text, NOW_MS), Err(Refused::NotForOthers));
    let only = Oidc::new(vec![IssuerConfig { log_in: false, ..config() }], fetching()).unwrap();
    assert!(only.verify_on_behalf_of(&text, NOW_MS).is_ok());
    assert_eq!(only.verify(&text, NOW_MS), Err(Refused::UnknownIssuer));
}

#[test]
fn token_of_another_application_names_its_user_and_lets_nobody_in() {
    let claims = with(&claims(), "aud", json!("agents"));
    let text = token(Signer::EdDsa, &header(Signer::EdDsa), &claims);
    assert!(oidc().verify_on_behalf_of(&text, NOW_MS).is_ok());
    assert_eq!(oidc().verify(&text, NOW_MS), Err(Refused::WrongAudience));
    let apart = IssuerConfig { on_behalf_of_audiences: vec!["agents".into()], ..config() };
    let apart = Oidc::new(vec![apart], fetching()).unwrap();
    let own = token(Signer::EdDsa, &header(Signer::EdDsa), &super::tests::claims());
    assert!(apart.verify(&own, NOW_MS).is_ok());
    assert_eq!(apart.verify_on_behalf_of(&own, NOW_MS), Err(Refused::WrongAudience));
}

#[test]
fn what_is_recorded_of_a_refused_token_holds_no_signature() {
    let text = token(Signer::EdDsa, &header(Signer::EdDsa), &claims());
    let shown = claimed(&text);
    assert_eq!(shown, format!("{ISSUER} subject-1"));
    let long = with(&claims(), "sub", json!("ä".repeat(4000)));
    assert!(claimed(&token(Signer::EdDsa, &header(Signer::EdDsa), &long)).len() < 128);
    assert_eq!(claimed("secret"), "(malformed)");
    let oidc = oidc();
    let debug = format!("{oidc:?} {:?}", oidc.verify(&text, NOW_MS));
    assert!(!debug.contains(text.rsplit('.').next().unwrap()));
}

#[test]
fn configuration_that_lets_in_nobody_or_anybody_is_refused() {
    let refused =
        |config: IssuerConfig| Oidc::new(vec![config], fetching()).unwrap_err().to_string();
    let no_audience = IssuerConfig { audience: String::new(), ..config() };
    assert!(refused(no_audience).contains("audience"));
    let http = IssuerConfig { issuer: "http://issuer.example".into(), ..config() };
    assert!(refused(http).contains("https"));
    let keys = IssuerConfig { jwks_uri: Some("http://10.0.0.1/keys".into()), ..config() };
    assert!(refused(keys).contains("https"));
    assert!(refused(IssuerConfig { algorithms: Vec::new(), ..config() }).contains("algorithm"));
    assert!(refused(IssuerConfig { leeway_s: 301, ..config() }).contains("leeway"));
    let twice = Oidc::new(vec![config(), config()], fetching());
    assert!(matches!(twice, Err(OidcError::Twice { .. })));
    for line in ["algorithms = [\"HS256\"]", "algorithms = [\"none\"]", "audiense = \"a\""] {
        let text = format!("issuer = \"{ISSUER}\"\naudience = \"a\"\n{line}");
        assert!(toml::from_str::<IssuerConfig>(&text).is_err(), "{line}");
    }
    let text = format!("issuer = \"{ISSUER}\"\naudience = \"a\"");
    let plain: IssuerConfig = toml::from_str(&text).unwrap();
    assert_eq!(plain.leeway_s, 30);
    assert_eq!(plain.algorithms, [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]);
    assert!(plain.on_behalf_of_audiences.is_empty() && plain.log_in && plain.rules.is_empty());
}
