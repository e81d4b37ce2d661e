//! The issuer: three keys, the documents that it publishes, and a network that only knows those.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};

use super::*;
use keys::SecretString;

pub(super) const ISSUER: &str = "https://issuer.example/realm";
pub(super) const AUDIENCE: &str = "tachograph";
pub(super) const JWKS_URI: &str = "https://issuer.example/realm/keys";
const DISCOVERY: &str = "https://issuer.example/realm/.well-known/openid-configuration";

/// What signs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Signer {
    Es256,
    EdDsa,
    Rs256,
    /// ES256 with a key that nobody published.
    Stranger,
    /// HMAC with the published Ed25519 key as its secret.
    Hs256,
    /// Nothing at all.
    None,
}

static ES256: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
static STRANGER: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
static EDDSA: LazyLock<Ed25519KeyPair> = LazyLock::new(|| Ed25519KeyPair::generate().unwrap());
static RS256: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sign(signer: Signer, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match signer {
        Signer::Es256 => ES256.sign(&random, message).unwrap().as_ref().to_vec(),
        Signer::Stranger => STRANGER.sign(&random, message).unwrap().as_ref().to_vec(),
        Signer::EdDsa => EDDSA.sign(message).as_ref().to_vec(),
        Signer::Rs256 => {
            let mut signature = vec![0; RS256.public_modulus_len()];
            RS256.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
            signature
        }
        Signer::Hs256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, EDDSA.public_key().as_ref());
            hmac::sign(&key, message).as_ref().to_vec()
        }
        Signer::None => Vec::new(),
    }
}

/// A token from the text of its parts, whatever they are.
pub(super) fn raw(signer: Signer, header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = encode(&sign(signer, signed.as_bytes()));
    format!("{signed}.{signature}")
}

pub(super) fn token(signer: Signer, header: &Value, claims: &Value) -> String {
    raw(signer, header.to_string().as_bytes(), claims.to_string().as_bytes())
}

/// The header that fits a signer.
pub(super) fn header(signer: Signer) -> Value {
    match signer {
        Signer::Es256 | Signer::Stranger => json!({"alg": "ES256", "kid": "es"}),
        Signer::EdDsa => json!({"alg": "EdDSA", "kid": "ed"}),
        Signer::Rs256 => json!({"alg": "RS256", "kid": "rs", "typ": "JWT"}),
        Signer::Hs256 => json!({"alg": "HS256", "kid": "ed"}),
        Signer::None => json!({"alg": "none"}),
    }
}

pub(super) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "subject-1", "aud": AUDIENCE,
        "exp": NOW_S + 300, "nbf": NOW_S - 10, "iat": NOW_S - 10,
    })
}

/// With one member set; `null` takes it away.
pub(super) fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.as_object().unwrap().clone();
    match value {
        Value::Null => object.remove(name),
        value => object.insert(name.to_owned(), value),
    };
    Value::Object(object)
}

pub(super) fn es_key(id: &str) -> Value {
    let point = ES256.public_key().as_ref();
    json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig",
        "x": encode(&point[1..33]), "y": encode(&point[33..])})
}

pub(super) fn ed_key(id: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": encode(EDDSA.public_key().as_ref())})
}

pub(super) fn rs_key(id: &str) -> Value {
    // RSAPublicKey in DER: nine bytes before a modulus of 2048 bits.
    let der = RS256.public_key().as_ref();
    json!({"kty": "RSA", "kid": id, "alg": "RS256", "use": "sig", "n": encode(&der[9..265]), "e": "AQAB"})
}

/// What the issuer publishes, and some keys that must not be used.
pub(super) fn published() -> Value {
    let point_off_curve = with(&es_key("off"), "x", json!(encode(&[7; 32])));
    json!({"keys": [
        es_key("es"), ed_key("ed"), rs_key("rs"), rs_key("rs"),
        with(&es_key("enc"), "use", json!("enc")),
        with(&with(&es_key("ops"), "use", Value::Null), "key_ops", json!(["sign"])),
        with(&rs_key("rs512"), "alg", json!("RS512")),
        with(&rs_key("short"), "n", json!(encode(&[0xff; 128]))),
        with(&ed_key("short-ed"), "x", json!("AAAA")),
        point_off_curve,
        {"kty": "oct", "kid": "shared", "k": encode(b"a shared secret")},
        {"kty": "FUTURE", "kid": "future"},
        {"kid": "no kind"},
        "no object",
    ]})
}

/// A network that knows some documents and counts what it was asked for.
#[derive(Default)]
pub(super) struct Network {
    documents: Mutex<HashMap<String, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
    posted: Mutex<Vec<Posted>>,
}

/// A form that was sent.
pub(super) struct Posted {
    pub(super) fields: HashMap<String, String>,
    pub(super) authorization: Option<String>,
}

impl Network {
    /// The issuer's own documents, with these keys.
    pub(super) fn with_keys(keys: &Value) -> Arc<Self> {
        let network = Arc::new(Self::default());
        network.put(DISCOVERY, &json!({"issuer": ISSUER, "jwks_uri": JWKS_URI}));
        network.put(JWKS_URI, keys);
        network
    }

    pub(super) fn put(&self, url: &str, document: &Value) {
        self.documents.lock().unwrap().insert(url.to_owned(), document.to_string().into_bytes());
    }

    pub(super) fn put_discovery(&self, document: &Value) {
        self.put(DISCOVERY, document);
    }

    pub(super) fn posted(&self) -> Posted {
        self.posted.lock().unwrap().pop().unwrap()
    }

    pub(super) fn cut(&self) {
        self.documents.lock().unwrap().clear();
    }

    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Fetch for Network {
    fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        self.asked.lock().unwrap().push(url.to_owned());
        let documents = self.documents.lock().unwrap();
        let failed = || FetchError::Failed { url: url.to_owned(), what: "cut off".into() };
        documents.get(url).cloned().ok_or_else(failed)
    }

    fn post(
        &self,
        url: &str,
        form: &[(&str, &str)],
        authorization: Option<&SecretString>,
    ) -> Result<Vec<u8>, FetchError> {
        let fields = form.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let authorization = authorization.map(|text| text.expose().to_owned());
        self.posted.lock().unwrap().push(Posted { fields, authorization });
        self.get(url)
    }
}

pub(super) fn fetching() -> Arc<dyn Fetch> {
    network()
}

pub(super) fn network() -> Arc<Network> {
    let mut keys = published();
    // The second key named `rs` is for the test of ambiguous ids.
    keys["keys"].as_array_mut().unwrap().remove(3);
    Network::with_keys(&keys)
}
