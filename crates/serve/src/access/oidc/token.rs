//! A token taken apart: three parts of base64url, a header, claims, a signature.
//!
//! Everything here is unproven until [`Issuer::verify`](super::Issuer) has checked the signature.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::jwks::Algorithm;
use super::{TOKEN_BYTES_MAX, strict};
use crate::access::Refused;

/// Bytes of a key id. Those of issuers are hashes or UUIDs.
pub(super) const KEY_ID_BYTES_MAX: usize = 256;

/// Bytes of a type.
const TYPE_BYTES_MAX: usize = 64;

/// Header parameters that bring a key, or say where one is (RFC 7515, 4.1.2 to 4.1.6).
const KEYS_IN_HEADER: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];

/// A token taken apart.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) header: Header,
    pub(super) claims: Claims,
    /// What was signed: the first two parts and the dot between them.
    pub(super) signed: &'a [u8],
    /// In base64url.
    pub(super) signature: &'a str,
}

/// What a header may say here.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    pub(super) kind: Option<String>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Refused> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refused::TooLong);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else { return Err(Refused::NotThreeParts) };
        // Strict: no padding, no other alphabet, no bits left over. One token has one spelling.
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::BadBase64);
        let (header_bytes, claims_bytes) = (decode(header)?, decode(claims)?);
        decode(signature)?;
        let read = Header::read(&strict::object(&header_bytes, Refused::BadHeader)?)?;
        let claims_read = strict::object(&claims_bytes, Refused::BadClaims)?;
        let signed = &text.as_bytes()[..header.len() + 1 + claims.len()];
        Ok(Self { header: read, claims: Claims::new(claims_read), signed, signature })
    }
}

impl Header {
    fn read(header: &Map<String, Value>) -> Result<Self, Refused> {
        if header.contains_key("crit") {
            return Err(Refused::CriticalHeader);
        }
        if KEYS_IN_HEADER.iter().any(|name| header.contains_key(*name)) {
            return Err(Refused::KeyInHeader);
        }
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or(Refused::BadHeader)?;
        let algorithm = Algorithm::of_token(algorithm)?;
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) if is_key_id(id) => Some(id.clone()),
            Some(_) => return Err(Refused::BadKeyId),
        };
        let kind = match header.get("typ") {
            None => None,
            Some(Value::String(kind)) if kind.len() <= TYPE_BYTES_MAX => Some(kind.clone()),
            Some(_) => return Err(Refused::WrongType),
        };
        Ok(Self { algorithm, key_id, kind })
    }
}

/// Whether this can be a key id: it is compared with those that the issuer publishes and used for
/// nothing else, no path and no query.
fn is_key_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= KEY_ID_BYTES_MAX
        && id.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
