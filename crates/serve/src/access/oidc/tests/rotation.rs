//! Keys that change, issuers that cannot be reached, and strangers who would have us fetch.

use super::super::cache::{ATTEMPT_EVERY_MS, FRESH_MS, KEPT_MS};
use super::issuer::{JWKS_URI, Network, ed_key, es_key, published, rs_key};
use super::*;

fn keys(list: &[Value]) -> Value {
    json!({"keys": list})
}

fn with_id(signer: Signer, id: &str) -> String {
    // Valid for the whole of these stories.
    let claims = with(&claims(), "exp", json!(NOW_S + 100_000));
    token(signer, &with(&header(signer), "kid", json!(id)), &claims)
}

fn over(network: &Arc<Network>) -> Oidc {
    Oidc::new(vec![config()], Arc::clone(network) as Arc<dyn Fetch>).unwrap()
}

#[test]
fn keys_are_discovered_once_and_kept() {
    let network = Network::with_keys(&keys(&[es_key("es")]));
    let oidc = over(&network);
    assert_eq!(oidc.refresh(NOW_MS), []);
    for later_ms in [0, 1, FRESH_MS - 1] {
        assert!(oidc.verify(&with_id(Signer::Es256, "es"), NOW_MS + later_ms).is_ok());
    }
    let asked = network.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[1], JWKS_URI);
    assert!(oidc.verify(&with_id(Signer::Es256, "es"), NOW_MS + FRESH_MS).is_ok());
    assert_eq!(network.asked().len(), 2);
}

#[test]
fn configured_address_needs_no_discovery() {
    let network = Network::with_keys(&keys(&[es_key("es")]));
    let config = IssuerConfig { jwks_uri: Some(JWKS_URI.into()), ..config() };
    let oidc = Oidc::new(vec![config], Arc::clone(&network) as Arc<dyn Fetch>).unwrap();
    assert!(oidc.verify(&with_id(Signer::Es256, "es"), NOW_MS).is_ok());
    assert_eq!(network.asked(), [JWKS_URI]);
}

#[test]
fn made_up_key_ids_cause_no_flood() {
    let network = Network::with_keys(&keys(&[es_key("es")]));
    let oidc = over(&network);
    oidc.refresh(NOW_MS);
    network.asked();
    for number in 0..1000 {
        let text = with_id(Signer::Es256, &format!("made-up-{number}"));
        assert_eq!(oidc.verify(&text, NOW_MS + number * 60), Err(Refused::UnknownKey));
    }
    // A minute, and so twice two documents at most.
    assert!((1..=4).contains(&network.asked().len()));
}

#[test]
fn new_key_is_found_and_a_key_taken_back_counts_no_longer() {
    let network = Network::with_keys(&keys(&[es_key("old")]));
    let oidc = over(&network);
    let (old, new) = (with_id(Signer::Es256, "old"), with_id(Signer::EdDsa, "new"));
    assert!(oidc.verify(&old, NOW_MS).is_ok());
    network.put(JWKS_URI, &keys(&[ed_key("new")]));
    assert_eq!(oidc.verify(&new, NOW_MS + ATTEMPT_EVERY_MS - 1), Err(Refused::UnknownKey));
    assert!(oidc.verify(&old, NOW_MS + ATTEMPT_EVERY_MS - 1).is_ok());
    assert!(oidc.verify(&new, NOW_MS + ATTEMPT_EVERY_MS).is_ok());
    assert_eq!(oidc.verify(&old, NOW_MS + ATTEMPT_EVERY_MS), Err(Refused::UnknownKey));
}

#[test]
fn outage_is_bridged_for_an_hour_and_no_longer() {
    let network = Network::with_keys(&keys(&[es_key("es")]));
    let oidc = over(&network);
    let text = with_id(Signer::Es256, "es");
    assert!(oidc.verify(&text, NOW_MS).is_ok());
    network.cut();
    network.asked();
    for later_ms in (FRESH_MS..KEPT_MS).step_by(1000) {
        assert!(oidc.verify(&text, NOW_MS + later_ms).is_ok(), "{later_ms}");
    }
    let attempts = network.asked().len() as i64;
    assert!(attempts <= (KEPT_MS - FRESH_MS) / ATTEMPT_EVERY_MS + 1, "{attempts}");
    assert_eq!(oidc.verify(&text, NOW_MS + KEPT_MS), Err(Refused::KeysUnavailable));
    assert!(Refused::KeysUnavailable.is_ours());
    network.put_discovery(&json!({"issuer": ISSUER, "jwks_uri": JWKS_URI}));
    network.put(JWKS_URI, &keys(&[es_key("es")]));
    assert!(oidc.verify(&text, NOW_MS + KEPT_MS + ATTEMPT_EVERY_MS).is_ok());
}

#[test]
fn issuer_that_was_never_reached_lets_nobody_in() {
    let network = Network::with_keys(&published());
    network.cut();
    let oidc = over(&network);
    let failed = oidc.refresh(NOW_MS);
    assert_eq!(failed[0].0, ISSUER);
    assert_eq!(oidc.verify(&with_id(Signer::Es256, "es"), NOW_MS), Err(Refused::KeysUnavailable));
}

#[test]
fn clock_set_back_fetches_again_and_locks_nobody_out() {
    let network = Network::with_keys(&keys(&[es_key("es")]));
    let oidc = over(&network);
    let text = with_id(Signer::Es256, "es");
    let claims_now = NOW_MS - 5000;
    assert!(oidc.verify(&text, NOW_MS).is_ok());
    network.asked();
    assert!(oidc.verify(&text, claims_now).is_ok());
    assert_eq!(network.asked().len(), 2);
}

#[test]
fn discovery_cannot_lead_to_another_issuers_keys_or_inside() {
    for (document, why) in [
        (json!({"issuer": "https://evil.test", "jwks_uri": JWKS_URI}), "another issuer"),
        (json!({"issuer": format!("{ISSUER}/"), "jwks_uri": JWKS_URI}), "a slash"),
        (json!({"issuer": ISSUER, "jwks_uri": "http://169.254.169.254/keys"}), "plain http"),
        (json!({"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"}), "a file"),
        (json!({"issuer": ISSUER}), "nothing"),
        (json!([]), "a list"),
    ] {
        let network = Network::with_keys(&keys(&[es_key("es")]));
        network.put_discovery(&document);
        let oidc = over(&network);
        assert_eq!(oidc.refresh(NOW_MS).len(), 1, "{why}");
        let refused = oidc.verify(&with_id(Signer::Es256, "es"), NOW_MS);
        assert_eq!(refused, Err(Refused::KeysUnavailable), "{why}");
        assert_eq!(network.asked().len(), 1, "{why}: only discovery was asked");
    }
}

#[test]
fn documents_that_are_no_key_sets_are_refused() {
    let many: Vec<Value> = (0..101).map(|number| es_key(&number.to_string())).collect();
    for document in [json!({}), json!({"keys": {}}), json!("keys"), keys(&many)] {
        let network = Network::with_keys(&document);
        assert_eq!(over(&network).refresh(NOW_MS).len(), 1, "{:.40}", document.to_string());
    }
}

#[test]
fn key_id_may_be_shared_by_kinds_but_not_within_one() {
    let network = Network::with_keys(&keys(&[es_key("k"), ed_key("k")]));
    let oidc = over(&network);
    assert!(oidc.verify(&with_id(Signer::Es256, "k"), NOW_MS).is_ok());
    assert!(oidc.verify(&with_id(Signer::EdDsa, "k"), NOW_MS).is_ok());
    let network = Network::with_keys(&keys(&[rs_key("k"), rs_key("k")]));
    let refused = over(&network).verify(&with_id(Signer::Rs256, "k"), NOW_MS);
    assert_eq!(refused, Err(Refused::AmbiguousKey));
}

#[test]
fn token_without_key_id_needs_an_issuer_with_one_key() {
    let of = |list: &[Value]| {
        let oidc = over(&Network::with_keys(&keys(list)));
        let text = token(Signer::Es256, &json!({"alg": "ES256"}), &claims());
        oidc.verify(&text, NOW_MS).map(|_| ())
    };
    assert_eq!(of(&[es_key("a"), ed_key("b")]), Ok(()));
    assert_eq!(of(&[with(&es_key("a"), "kid", Value::Null)]), Ok(()));
    assert_eq!(of(&[es_key("a"), es_key("b")]), Err(Refused::AmbiguousKey));
    assert_eq!(of(&[ed_key("b")]), Err(Refused::UnknownKey));
}
