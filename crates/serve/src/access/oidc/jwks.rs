//! The keys that an issuer publishes (RFC 7517), and which of them a token means.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;

use crate::access::Refused;

use super::fetch::FetchError;
use super::token::KEY_ID_BYTES_MAX;

/// Keys of one issuer. Large ones publish ten.
const KEYS_MAX: usize = 100;

/// Bytes of the modulus of the shortest and the longest RSA key.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Algorithms that a token may be signed with. None of them has a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

/// What a key can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Algorithm {
    const ALL: [(Self, &'static str); 9] = [
        (Self::RS256, "RS256"),
        (Self::RS384, "RS384"),
        (Self::RS512, "RS512"),
        (Self::PS256, "PS256"),
        (Self::PS384, "PS384"),
        (Self::PS512, "PS512"),
        (Self::ES256, "ES256"),
        (Self::ES384, "ES384"),
        (Self::EdDSA, "EdDSA"),
    ];

    /// The algorithm that a token names, or why that is none.
    pub(super) fn of_token(name: &str) -> Result<Self, Refused> {
        if name.eq_ignore_ascii_case("none") {
            return Err(Refused::AlgorithmNone);
        }
        if matches!(name, "HS256" | "HS384" | "HS512") {
            return Err(Refused::AlgorithmSymmetric);
        }
        Self::named(name).ok_or(Refused::AlgorithmUnknown)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(algorithm, _)| algorithm)
    }

    fn family(self) -> Family {
        match self {
            Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512 => {
                Family::Rsa
            }
            Self::ES256 => Family::P256,
            Self::ES384 => Family::P384,
            Self::EdDSA => Family::Ed25519,
        }
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256 => Self::RS256,
            Algorithm::RS384 => Self::RS384,
            Algorithm::RS512 => Self::RS512,
            Algorithm::PS256 => Self::PS256,
            Algorithm::PS384 => Self::PS384,
            Algorithm::PS512 => Self::PS512,
            Algorithm::ES256 => Self::ES256,
            Algorithm::ES384 => Self::ES384,
            Algorithm::EdDSA => Self::EdDSA,
        }
    }
}

/// An issuer's keys.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<PublishedKey>,
}

#[derive(Debug)]
struct PublishedKey {
    id: Option<String>,
    /// What kind of key it is; none for kinds that no algorithm of ours uses.
    family: Option<Family>,
    /// The only algorithm that it is for, if it says so; `Err` for one that is none of ours.
    only: Option<Result<Algorithm, ()>>,
    /// The key, or why it cannot be used.
    key: Result<DecodingKey, Refused>,
}

/// A key as published. What is not named here does not matter.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The document.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a key set. Keys of unknown kinds are passed over: an issuer may publish others.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FetchError> {
        let bad = |what: String| FetchError::BadDocument { what };
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| bad(format!("no key set: line {}", error.line())))?;
        if document.keys.len() > KEYS_MAX {
            let count = document.keys.len();
            return Err(bad(format!("{count} keys, more than the {KEYS_MAX} that are read")));
        }
        let published =
            document.keys.into_iter().filter_map(|key| Published::deserialize(key).ok());
        Ok(Self { keys: published.map(PublishedKey::from).collect() })
    }

    /// Whether a key with this id is there. A token without one asks for no key in particular.
    pub(super) fn knows(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.keys.iter().any(|key| key.id.as_deref() == Some(id)))
    }

    /// The one key that a token with this key id and algorithm means.
    pub(super) fn pick(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&DecodingKey, Refused> {
        let Some(id) = id else { return self.only(algorithm) };
        let named: Vec<&PublishedKey> =
            self.keys.iter().filter(|key| key.id.as_deref() == Some(id)).collect();
        // One id may name keys of several kinds, but not two of one kind.
        let mut fitting = named.iter().filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => key.key.as_ref().map_err(|reason| *reason),
            (Some(_), Some(_)) => Err(Refused::AmbiguousKey),
            (None, _) if named.is_empty() => Err(Refused::UnknownKey),
            (None, _) => Err(Refused::WrongKeyAlgorithm),
        }
    }

    /// For tokens without a key id: the only usable key that fits.
    fn only(&self, algorithm: Algorithm) -> Result<&DecodingKey, Refused> {
        let fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        let mut usable = fitting.filter_map(|key| key.key.as_ref().ok());
        match (usable.next(), usable.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Refused::AmbiguousKey),
            (None, _) => Err(Refused::UnknownKey),
        }
    }
}

impl PublishedKey {
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.family == Some(algorithm.family())
            && self.only.is_none_or(|only| only == Ok(algorithm))
    }
}

impl From<Published> for PublishedKey {
    fn from(published: Published) -> Self {
        let family = match (published.kty.as_str(), published.crv.as_deref()) {
            ("RSA", _) => Some(Family::Rsa),
            ("EC", Some("P-256")) => Some(Family::P256),
            ("EC", Some("P-384")) => Some(Family::P384),
            ("OKP", Some("Ed25519")) => Some(Family::Ed25519),
            _ => None,
        };
        let only = published.alg.as_deref().map(|name| Algorithm::named(name).ok_or(()));
        let signs = published.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && published.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"));
        let key = match family {
            Some(_) if !signs => Err(Refused::KeyNotForSigning),
            Some(family) => published.key(family).ok_or(Refused::WeakKey),
            None => Err(Refused::WrongKeyAlgorithm),
        };
        let id = published.kid.filter(|id| id.len() <= KEY_ID_BYTES_MAX);
        Self { id, family, only, key }
    }
}

impl Published {
    /// The key, if its parts have the lengths that they must have. AWS-LC checks that a point lies
    /// on its curve when it verifies.
    fn key(&self, family: Family) -> Option<DecodingKey> {
        let bytes = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
        let coordinates = |length: usize| {
            let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
            let fine = x.len() == length && y.len() == length;
            fine.then(|| DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat()))
        };
        match family {
            Family::Rsa => {
                let (n, e) = (bytes(&self.n)?, bytes(&self.e)?);
                // Some issuers put a zero before the modulus.
                let n = n.strip_prefix(&[0]).unwrap_or(&n);
                let fine = RSA_BYTES.contains(&n.len()) && n[0] & 0x80 != 0 && !e.is_empty();
                (fine && e.len() <= 8).then(|| DecodingKey::from_rsa_raw_components(n, &e))
            }
            Family::P256 => coordinates(32),
            Family::P384 => coordinates(48),
            Family::Ed25519 => {
                let x = bytes(&self.x)?;
                (x.len() == 32).then(|| DecodingKey::from_ed_der(&x))
            }
        }
    }
}
