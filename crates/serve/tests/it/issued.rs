//! Tokens of an OpenID Connect issuer against a server: the right ones let in, and bad ones are
//! refused with their reasons in the answer and in the log. All hundred of them are tried where
//! they are checked (`access/oidc/tests`); these go the whole way.

use super::*;
use crate::hostile::LONG;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::SecretString;
use serde_json::json;
use serve::access::oidc::{Fetch, FetchError, Oidc, claimed};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) const ISSUER: &str = "https://issuer.example/realm";
const EVENTS: &str = "/api/v1/logs/main/events";

/// An issuer, and a network that knows nobody else.
pub(crate) struct Issuer {
    key: EcdsaKeyPair,
    now_s: u64,
}

/// What is got, and what codes become.
struct Documents(Value, Value, Codes);

/// Tokens by code: each is good for one exchange.
pub(crate) type Codes = Arc<Mutex<BTreeMap<String, String>>>;

impl Fetch for Documents {
    fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let document = if url.ends_with("/openid-configuration") { &self.0 } else { &self.1 };
        Ok(document.to_string().into_bytes())
    }

    fn post(
        &self,
        url: &str,
        form: &[(&str, &str)],
        _: Option<&SecretString>,
    ) -> Result<Vec<u8>, FetchError> {
        let code = form.iter().find(|(name, _)| *name == "code").map(|(_, code)| *code);
        let token = code.and_then(|code| self.2.lock().unwrap().remove(code));
        let failed = || FetchError::Failed { url: url.to_owned(), what: "status 400".to_owned() };
        token.map(|token| json!({ "id_token": token }).to_string().into_bytes()).ok_or_else(failed)
    }
}

impl Issuer {
    pub(crate) fn new() -> Self {
        use seal::Clock as _;
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { key, now_s: seal::SystemClock.now_ms() / 1000 }
    }

    fn oidc(&self) -> Oidc {
        self.oidc_with("", Codes::default())
    }

    /// The same with something more in its section, and codes that become tokens.
    pub(crate) fn oidc_with(&self, more: &str, codes: Codes) -> Oidc {
        let point = self.key.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = json!({
            "kty": "EC", "crv": "P-256", "kid": "es", "use": "sig", "alg": "ES256",
            "x": part(&point[1..33]), "y": part(&point[33..]),
        });
        let discovery = json!({
            "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys"),
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
        });
        let config = format!(
            "issuer = {ISSUER:?}\naudience = \"tachograph\"\n\
             rules = [{{ claim = \"groups\", value = \"agents\", roles = [\"reader\"], logs = \"all\" }}]\n{more}"
        );
        let documents = Documents(discovery, json!({ "keys": [key] }), codes);
        Oidc::new(vec![toml::from_str(&config).unwrap()], Arc::new(documents)).unwrap()
    }

    /// A token whose header and claims are changed.
    pub(crate) fn token(&self, subject: &str, header: Value, claims: Value) -> String {
        let mut head = json!({ "alg": "ES256", "kid": "es", "typ": "JWT" });
        let mut body = json!({
            "iss": ISSUER, "sub": subject, "aud": "tachograph", "groups": ["agents"],
            "iat": self.now_s, "exp": self.now_s + 3600,
        });
        for (whole, changes) in [(&mut head, header), (&mut body, claims)] {
            for (name, value) in changes.as_object().unwrap() {
                match value {
                    Value::Null => drop(whole.as_object_mut().unwrap().remove(name)),
                    value => whole[name] = value.clone(),
                }
            }
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&body));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// Bad tokens, and why each is refused.
    fn bad(&self) -> Vec<(String, &'static str)> {
        let none = || json!({});
        let head = |subject, header, reason| (self.token(subject, header, none()), reason);
        let claim = |subject, claims, reason| (self.token(subject, none(), claims), reason);
        let stranger = Self { key: Self::new().key, now_s: self.now_s };
        let good = self.token("bare", none(), none());
        let (signed, _) = good.rsplit_once('.').unwrap();
        vec![
            head("no-algorithm", json!({ "alg": "none" }), "algorithm_none"),
            head("shared", json!({ "alg": "HS256" }), "algorithm_symmetric"),
            head("unknown-algorithm", json!({ "alg": "ES256K" }), "algorithm_unknown"),
            head("other-algorithm", json!({ "alg": "PS256" }), "algorithm_not_allowed"),
            head("own-key", json!({ "jku": "https://evil.example/keys" }), "key_in_header"),
            head("critical", json!({ "crit": ["exp"] }), "critical_header"),
            head("type", json!({ "typ": "logout+jwt" }), "wrong_type"),
            head("unknown-key", json!({ "kid": "other" }), "unknown_key"),
            claim("issuer", json!({ "iss": "https://evil.example" }), "unknown_issuer"),
            claim("no-issuer", json!({ "iss": null }), "missing_issuer"),
            claim("audience", json!({ "aud": "elsewhere" }), "wrong_audience"),
            claim("no-audience", json!({ "aud": null }), "missing_audience"),
            claim("old", json!({ "exp": self.now_s - 60 }), "expired"),
            claim("for-ever", json!({ "exp": null }), "missing_expiry"),
            claim("time", json!({ "exp": "tomorrow" }), "bad_time"),
            claim("to-come", json!({ "nbf": self.now_s + 600 }), "not_yet_valid"),
            claim("future", json!({ "iat": self.now_s + 600 }), "issued_in_future"),
            claim("bound", json!({ "cnf": { "jkt": "x" } }), "bound_token"),
            claim("", none(), "bad_subject"),
            claim("no-subject", json!({ "sub": null }), "missing_subject"),
            (stranger.token("stranger", none(), none()), "bad_signature"),
            (format!("{signed}."), "bad_signature"),
            (signed.to_owned(), "not_three_parts"),
        ]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn right_tokens_let_in_and_bad_ones_are_refused_each_with_its_reason_in_the_log() {
    let (issuer, clock) = (Issuer::new(), Arc::new(Hands::default()));
    let (oidc, own_clock) = (Some(issuer.oidc()), Some(Arc::clone(&clock)));
    let rig = Rig::made(Wishes { oidc, clock: own_clock, ..Wishes::default() });
    let good = issuer.token("agent", json!({}), json!({}));
    assert_eq!(rig.get(&good, EVENTS).await.status, StatusCode::OK);
    let mut wanted = BTreeSet::new();
    let bad = issuer.bad();
    for (token, reason) in &bad {
        let answer = rig.get(token, EVENTS).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{reason}");
        assert_eq!(answer.json()["code"], *reason);
        wanted.insert((claimed(token), (*reason).to_owned()));
    }
    // Whoever serves records them.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    tokio::spawn(serve::serve(rig.app.clone(), listener, None, std::future::pending()));
    let admin = rig.admin();
    let told = async {
        loop {
            clock.0.fetch_add(11_000, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(300)).await;
            let path = format!("{EVENTS}?type=log.login_refused&limit=1000");
            let rows = rig.get(&admin, &path).await.json()["events"].as_array().unwrap().clone();
            let rows: Vec<Value> = rows.iter().map(|it| it["content"]["params"].clone()).collect();
            let count: u64 = rows.iter().map(|row| row["count"].as_u64().unwrap()).sum();
            if count >= bad.len() as u64 {
                let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
                let pair = |row: &Value| (text(row, "presented"), text(row, "reason"));
                return rows.iter().map(pair).collect::<BTreeSet<_>>();
            }
        }
    };
    let told = tokio::time::timeout(LONG, told).await.expect("the log does not tell of them");
    assert_eq!(told, wanted);
}
