//! What is kept of a token, and the keyed hash that recognises it.

use std::fmt;

use keys::{HmacKey, SecretKey, hmac_sha256};
use serde::{Deserialize, Serialize};

use super::TokenError;
use crate::access::{Caller, Grant, Logs, Method, Refused, Role};

/// Who vouches for a token's holder: this server.
pub const TOKEN_ISSUER: &str = "tachograph";

/// A token's name in bytes: it is shown in lists and stands in every record of its acts.
pub const NAME_BYTES_MAX: usize = 64;

/// Roles of one token.
const ROLES_MAX: usize = 16;

/// A token's public id: eight random bytes, shown as hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId([u8; 8]);

impl TokenId {
    /// The id of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Reads 16 lower-case hexadecimal digits, as [`fmt::Display`] writes them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        lower.then_some(Self(bytes))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TokenId({self})")
    }
}

impl TryFrom<String> for TokenId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| "a token's id is 16 lower-case hex digits".to_owned())
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.to_string()
    }
}

/// A token as it is wished for.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What people call it: letters, digits and `. _ @ -`. Need not be unique.
    pub name: String,
    /// What its holder may do.
    pub roles: Vec<Role>,
    /// Where.
    pub logs: Logs,
    /// When it ends, in Unix milliseconds.
    pub expires_ms: Option<i64>,
}

impl NewToken {
    pub(super) fn check(&self, now_ms: i64) -> Result<(), TokenError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX || !self.name.bytes().all(plain)
        {
            let name = self.name.chars().take(NAME_BYTES_MAX).collect();
            return Err(TokenError::BadName { name });
        }
        if self.roles.is_empty() || self.roles.len() > ROLES_MAX {
            return Err(TokenError::BadRoles { count: self.roles.len() });
        }
        match self.expires_ms {
            Some(expires_ms) if expires_ms <= now_ms => {
                Err(TokenError::ExpiryPassed { expires_ms, now_ms })
            }
            _ => Ok(()),
        }
    }
}

/// What is kept of a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// The public part.
    pub id: TokenId,
    /// What people call it.
    pub name: String,
    /// What its holder may do.
    pub roles: Vec<Role>,
    /// Where.
    pub logs: Logs,
    /// When it was made, in Unix milliseconds.
    pub created_ms: i64,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_ms: Option<i64>,
    /// HMAC-SHA-256 of the text, under a key of this server.
    #[serde(with = "hexadecimal")]
    pub(super) hash: [u8; 32],
}

impl TokenRecord {
    /// The holder as a caller, if the token counts at `now_ms`.
    pub(super) fn caller(&self, now_ms: i64) -> Result<Caller, Refused> {
        if self.revoked_ms.is_some() {
            return Err(Refused::Revoked);
        }
        if self.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms) {
            return Err(Refused::Expired);
        }
        let grant = |role: &Role| Grant { role: role.clone(), logs: self.logs.clone() };
        Ok(Caller {
            issuer: TOKEN_ISSUER.to_owned(),
            subject: self.subject(),
            method: Method::Token,
            grants: self.roles.iter().map(grant).collect(),
        })
    }

    /// Who the holder is: the name for people, the id because names may be given twice.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{}#{}", self.name, self.id)
    }
}

impl fmt::Debug for TokenRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the hash: it is no secret, but nobody who reads a log line needs it.
        write!(formatter, "TokenRecord({})", self.subject())
    }
}

/// The two keys that come from the server's secret.
pub struct Keys {
    hash: HmacKey,
    pub(super) seal: HmacKey,
}

impl Keys {
    pub(super) fn derive(secret: &SecretKey) -> Self {
        let key = |label: &str| HmacKey::new(&hmac_sha256(secret.expose(), &[label.as_bytes()]));
        Self { hash: key("tachograph token hash v1"), seal: key("tachograph token file v1") }
    }

    pub(super) fn hash(&self, text: &str) -> [u8; 32] {
        self.hash.sign(&[text.as_bytes()])
    }

    /// Compared in constant time.
    pub(super) fn is_hash_of(&self, text: &str, hash: &[u8; 32]) -> bool {
        self.hash.verify(&[text.as_bytes()], hash)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys(..)")
    }
}

/// 32 bytes as hexadecimal digits.
mod hexadecimal {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(from)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(D::Error::custom)?;
        Ok(bytes)
    }
}
