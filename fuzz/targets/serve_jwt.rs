//! Tokens of OpenID Connect issuers. Whatever text is presented lets nobody in, and its record is
//! short. The same bytes as header and claims, up to the first line end and behind it, and signed
//! by a key of the issuer: who is let in then has this issuer, this audience and time left.

#![no_main]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use serve::access::oidc::{Fetch, FetchError, IssuerConfig, Oidc, claimed};
use std::sync::{Arc, LazyLock};

const ISSUER: &str = "https://issuer.example";
const NOW_S: i64 = 1_900_000_000;

static KEY: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap());

struct Keys;

impl Fetch for Keys {
    fn get(&self, _: &str) -> Result<Vec<u8>, FetchError> {
        let x = URL_SAFE_NO_PAD.encode(KEY.public_key().as_ref());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": x });
        Ok(json!({ "keys": [key] }).to_string().into_bytes())
    }
}

static OIDC: LazyLock<Oidc> = LazyLock::new(|| {
    let config: IssuerConfig = serde_json::from_value(json!({
        "issuer": ISSUER, "audience": "tachograph", "jwks_uri": format!("{ISSUER}/keys"),
        "rules": [{ "claim": "/groups", "value": "a", "roles": ["reader"], "logs": "all" }],
    }))
    .unwrap();
    Oidc::new(vec![config], Arc::new(Keys)).unwrap()
});

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(OIDC.verify(text, NOW_S * 1000).is_err());
        assert!(claimed(text).len() <= 128);
    }
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, claims) = (&data[..split], data.get(split + 1..).unwrap_or_default());
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(KEY.sign(signed.as_bytes()).as_ref());
    let Ok(caller) = OIDC.verify(&format!("{signed}.{signature}"), NOW_S * 1000) else { return };
    let claims: Value = serde_json::from_slice(claims).unwrap();
    assert_eq!((&claims["iss"], &*caller.issuer), (&Value::from(ISSUER), ISSUER));
    assert_eq!(claims["sub"], caller.subject);
    let audience = &claims["aud"];
    let is_ours = |it: &Value| it == "tachograph";
    assert!(is_ours(audience) || audience.as_array().unwrap().iter().any(is_ours));
    assert!(claims["exp"].as_f64().unwrap() > (NOW_S - 3600) as f64);
});
