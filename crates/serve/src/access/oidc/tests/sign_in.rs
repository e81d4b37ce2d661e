//! People who sign in: what the issuer is asked, and which of its answers count.

use super::issuer::{Network, network};
use super::*;
use crate::access::oidc::sign_in::{SignInError, SignedIn, Ties};
use aws_lc_rs::digest::{SHA256, digest};
use keys::SecretString;

const AUTHORIZE: &str = "https://issuer.example/realm/authorize";
const TOKEN: &str = "https://issuer.example/realm/token";

fn signing() -> IssuerConfig {
    let sign_in = SignInConfig {
        redirect: "https://log.example/sign-in/return".into(),
        name: Some("Example".into()),
        scopes: vec!["openid".into(), "groups".into()],
        secret_file: None,
        secret: None,
    };
    IssuerConfig { sign_in: Some(sign_in), ..config() }
}

fn ties() -> Ties {
    let verifier = SecretString::new("v".repeat(43));
    Ties { state: "the-state".into(), nonce: "the-nonce".into(), verifier }
}

/// An issuer that answers codes with this token.
fn answering(config: IssuerConfig, claims: &Value) -> (Oidc, Arc<Network>) {
    let network = network();
    network.put_discovery(&json!({
        "issuer": ISSUER, "jwks_uri": issuer::JWKS_URI,
        "authorization_endpoint": AUTHORIZE, "token_endpoint": TOKEN,
    }));
    let text = token(Signer::Es256, &header(Signer::Es256), claims);
    network.put(TOKEN, &json!({ "access_token": "a", "token_type": "Bearer", "id_token": text }));
    let fetch = Arc::clone(&network);
    (Oidc::new(vec![super::config_of_another(), config], fetch).unwrap(), network)
}

fn own() -> Value {
    with(&with(&claims(), "nonce", json!("the-nonce")), "groups", json!("auditors"))
}

fn signed_in(claims: &Value) -> Result<SignedIn, SignInError> {
    answering(signing(), claims).0.sign_in_with(1, "the-code", &ties(), NOW_MS)
}

fn pairs(address: &str) -> HashMap<String, String> {
    let (_, query) = address.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[test]
fn a_browser_is_sent_with_a_proof_key_and_its_code_becomes_a_caller() {
    let (oidc, network) = answering(signing(), &own());
    let listed: Vec<_> = oidc.sign_ins().collect();
    assert_eq!(listed, [(1, "Example".to_owned())], "the other issuer's people do not sign in");
    let address = oidc.sign_in_address(1, &ties(), NOW_MS).unwrap();
    assert!(address.starts_with(&format!("{AUTHORIZE}?")), "{address}");
    let asked = pairs(&address);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, &[b'v'; 43]).as_ref());
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", AUDIENCE),
        ("redirect_uri", "https://log.example/sign-in/return"),
        ("scope", "openid groups"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    assert!(!address.contains(&"v".repeat(43)), "the proof key itself goes nowhere yet");

    let signed_in = oidc.sign_in_with(1, "the-code", &ties(), NOW_MS).unwrap();
    assert_eq!((&*signed_in.caller.issuer, &*signed_in.caller.subject), (ISSUER, "subject-1"));
    assert_eq!(signed_in.caller.grants[0].role, Role::AUDITOR);
    let ends_s = claims()["exp"].as_i64().unwrap();
    assert_eq!(signed_in.ends_ms, ends_s * 1000);
    // What proves it is a credential like any other from now on.
    assert_eq!(oidc.verify(signed_in.token.expose(), NOW_MS).unwrap(), signed_in.caller);
    let posted = network.posted();
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "the-code"),
        ("redirect_uri", "https://log.example/sign-in/return"),
        ("code_verifier", &"v".repeat(43)),
        ("client_id", AUDIENCE),
    ] {
        assert_eq!(posted.fields[name], value, "{name}");
    }
    assert_eq!(posted.authorization, None);
}

#[test]
fn a_client_with_a_secret_says_it_in_a_header_and_nowhere_else() {
    let mut config = signing();
    let sign_in = config.sign_in.as_mut().unwrap();
    sign_in.secret_file = Some("secret".into());
    sign_in.secret = Some(Arc::new(SecretString::new("a:b c".into())));
    let (oidc, network) = answering(config, &own());
    oidc.sign_in_with(1, "the-code", &ties(), NOW_MS).unwrap();
    let posted = network.posted();
    let wanted = base64::engine::general_purpose::STANDARD.encode("tachograph:a%3Ab+c");
    assert_eq!(posted.authorization, Some(format!("Basic {wanted}")));
    assert!(!posted.fields.contains_key("client_id"));
    assert!(!format!("{oidc:?}").contains("a:b"));
}

#[test]
fn a_token_of_another_sign_in_client_or_issuer_is_refused() {
    let refused = |claims: &Value| match signed_in(claims) {
        Err(SignInError::Refused(refused, _)) => refused,
        _ => panic!("{claims}"),
    };
    let several = json!([AUDIENCE, "other"]);
    for (name, value, reason) in [
        ("nonce", json!("another"), Refused::WrongNonce),
        ("nonce", Value::Null, Refused::WrongNonce),
        ("azp", json!("other"), Refused::WrongAudience),
        ("azp", json!(1), Refused::WrongAudience),
        ("aud", json!("other"), Refused::WrongAudience),
        ("aud", several.clone(), Refused::WrongAudience),
        ("exp", json!(NOW_S - 60), Refused::Expired),
        ("iss", json!("https://another.example"), Refused::UnknownIssuer),
        ("iss", json!("https://nobody.example"), Refused::UnknownIssuer),
    ] {
        assert_eq!(refused(&with(&own(), name, value.clone())), reason, "{name} = {value}");
    }
    let for_two = with(&with(&own(), "aud", several), "azp", json!(AUDIENCE));
    assert!(signed_in(&for_two).is_ok());
    let (oidc, network) = answering(signing(), &own());
    let stranger = token(Signer::Stranger, &header(Signer::Es256), &own());
    network.put(TOKEN, &json!({ "id_token": stranger }));
    let refusal = oidc.sign_in_with(1, "the-code", &ties(), NOW_MS);
    assert!(matches!(refusal, Err(SignInError::Refused(Refused::BadSignature, _))));
}

#[test]
fn an_issuer_that_does_not_answer_as_it_must_lets_nobody_in() {
    let unavailable = |outcome: Result<SignedIn, SignInError>| match outcome {
        Err(SignInError::Unavailable(error)) => error.to_string(),
        _ => panic!("somebody got in"),
    };
    let (oidc, network) = answering(signing(), &own());
    for answer in [json!({ "error": "invalid_grant" }), json!([]), json!({ "id_token": 1 })] {
        network.put(TOKEN, &answer);
        let said = unavailable(oidc.sign_in_with(1, "the-code", &ties(), NOW_MS));
        assert!(said.contains("no token about the person"), "{said}");
    }
    let long = "c".repeat(5000);
    for code in ["", &long] {
        assert!(unavailable(oidc.sign_in_with(1, code, &ties(), NOW_MS)).contains("code"));
    }
    for number in [0, 2] {
        let outcome = oidc.sign_in_with(number, "the-code", &ties(), NOW_MS);
        assert!(matches!(outcome, Err(SignInError::NoSuchIssuer)), "{number}");
    }
    // What the issuer says of itself is kept for a while, and strangers cannot make a server ask.
    network.cut();
    network.asked();
    let later = NOW_MS + 11 * 60_000;
    assert!(oidc.sign_in_address(1, &ties(), later).is_ok());
    assert!(oidc.sign_in_address(1, &ties(), later + 1).is_ok());
    assert_eq!(network.asked().len(), 1);
    assert!(oidc.sign_in_address(1, &ties(), NOW_MS + 61 * 60_000).is_err());
    for (name, value) in [
        ("authorization_endpoint", json!("http://issuer.example/authorize")),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("authorization_endpoint", Value::Null),
    ] {
        let (oidc, network) = answering(signing(), &own());
        network.put_discovery(&with(
            &json!({ "issuer": ISSUER, "jwks_uri": issuer::JWKS_URI, "token_endpoint": TOKEN }),
            name,
            value.clone(),
        ));
        assert!(oidc.sign_in_address(1, &ties(), NOW_MS).is_err(), "{value}");
    }
}

#[test]
fn an_endpoint_with_a_query_keeps_it() {
    let (oidc, network) = answering(signing(), &own());
    network.put_discovery(&json!({
        "issuer": ISSUER, "jwks_uri": issuer::JWKS_URI, "token_endpoint": TOKEN,
        "authorization_endpoint": format!("{AUTHORIZE}?p=policy"),
    }));
    let asked = pairs(&oidc.sign_in_address(1, &ties(), NOW_MS).unwrap());
    assert_eq!((&*asked["p"], &*asked["state"]), ("policy", "the-state"));
}

#[test]
fn a_configuration_by_which_nobody_could_sign_in_is_refused() {
    let refused = |change: fn(&mut IssuerConfig)| {
        let mut config = signing();
        change(&mut config);
        Oidc::new(vec![config], network()).unwrap_err().to_string()
    };
    let sign_in = |config: &mut IssuerConfig| config.sign_in.take().unwrap();
    let changed = |redirect: &str| {
        let mut config = signing();
        config.sign_in = Some(SignInConfig { redirect: redirect.into(), ..sign_in(&mut config) });
        Oidc::new(vec![config], network()).unwrap_err().to_string()
    };
    assert!(changed("http://log.example/sign-in/return").contains("https"));
    assert!(changed("https://log.example/").contains("/sign-in/return"));
    assert!(refused(|it| it.log_in = false).contains("log_in"));
    assert!(refused(|it| it.sign_in.as_mut().unwrap().scopes.clear()).contains("openid"));
    let joined = |it: &mut IssuerConfig| {
        it.sign_in.as_mut().unwrap().scopes = vec!["openid email".into()];
    };
    assert!(refused(joined).contains("openid"));
    assert!(refused(|it| it.sign_in.as_mut().unwrap().name = Some("a\nb".into())).contains("name"));
}
