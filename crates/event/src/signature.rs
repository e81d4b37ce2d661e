//! An agent's own signature of an event: its text, and exactly which bytes are signed.
//!
//! Signed are the stored bytes of the event as it leaves the agent's process, without what its
//! receiver sets. They can be cut out of the record again, so whoever has it can check the
//! signature. Not here: the arithmetic (`checkpoint`), and whose key it is (`agent_keys.rs`).

use crate::event::Event;
use crate::members;
use crate::twin::sha256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::value::RawValue;
use std::fmt;

/// What a signature of an agent begins with; any other text is somebody else's, and not looked at.
const ALGORITHM: &str = "ed25519:";
const STATEMENT_LABEL: &[u8] = b"tachograph/event-signature/v1\0";
const CONTENT_LABEL: &[u8] = b"tachograph/signed-content/v1\0";
const KEY_LABEL: &[u8] = b"tachograph/agent-key/v1\0";
/// Bytes of a key's id.
const KEY_ID_BYTES: usize = 8;

/// Members of the metadata that the receiver sets, and that are never signed.
const RECEIVERS: [&str; 3] = ["principal", "assurance", "signature"];
/// The one that the receiver sets when the credential proves it.
const DELEGATE: &str = "on_behalf_of";

/// The attribute of the content that keeps a signature from telling what erased content was: random
/// text, put there before signing, that goes with the content.
pub const SIGNATURE_SALT: &str = "tachograph.signature_salt";

/// The public key of an agent (Ed25519).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentKey([u8; 32]);

impl AgentKey {
    /// The key with these 32 bytes, which need not be a point of the curve.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key that a text names; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        decode(text.strip_prefix(ALGORITHM)?).map(Self)
    }

    /// Its name for people: 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(sha256(&[KEY_LABEL], &self.0).get(..KEY_ID_BYTES).unwrap_or_default())
    }
}

impl fmt::Display for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}{}", BASE64.encode(self.0))
    }
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKey({self})")
    }
}

/// A signature of an agent, as it stands in the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Whose it says it is.
    pub key: AgentKey,
    /// How many of the event's redactions were there when it was signed; later ones are the
    /// receiver's.
    pub redactions: usize,
    /// The digest of the content that was signed.
    pub content: [u8; 32],
    /// The signature's own bytes.
    pub bytes: [u8; 64],
}

impl Signature {
    /// Reads the text of a signature; `None` for a text of any other form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(ALGORITHM)?.split(':');
        let mut next = || parts.next();
        let key = AgentKey(decode(next()?)?);
        let redactions = next()?.parse().ok()?;
        let signature =
            Self { key, redactions, content: decode(next()?)?, bytes: decode(next()?)? };
        // One spelling of each: no sign, no leading zero, nothing behind it.
        (signature.to_string() == text).then_some(signature)
    }

    /// What may have been signed of a record with this metadata. Whether the receiver set
    /// `on_behalf_of` cannot be told: then without it as well. None when the metadata was not
    /// written as the format says, or has fewer redactions than the signature covers.
    pub fn statements(&self, meta: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        let cut = |also: &str| {
            let signed = signed_meta(std::str::from_utf8(meta).ok()?, self.redactions, also)?;
            Some(statement(&self.content, &signed))
        };
        let whole = cut("");
        let less = cut(DELEGATE).filter(|less| whole.as_ref() != Some(less));
        whole.into_iter().chain(less)
    }

    /// Whether this is the content that was signed; no bytes for none.
    #[must_use]
    pub fn is_of_content(&self, content: &[u8]) -> bool {
        content_digest(content) == self.content
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (content, bytes) = (BASE64.encode(self.content), BASE64.encode(self.bytes));
        write!(f, "{}:{}:{content}:{bytes}", self.key, self.redactions)
    }
}

impl Event<'_> {
    /// Signs the event as it is, which must be redacted and have its id: from here on only its
    /// receiver may change anything. `sign` is what the key does with a message.
    pub fn sign(&mut self, key: AgentKey, sign: &dyn Fn(&[u8]) -> [u8; 64]) {
        self.signature = None;
        let (mut meta, mut content) = (Vec::new(), Vec::new());
        self.write_meta(&mut meta);
        self.write_content(&mut content);
        let (redactions, content) = (self.redactions.len(), content_digest(&content));
        // What was just written has the form that is cut; it would be signed as it is otherwise.
        let signed = std::str::from_utf8(&meta).ok().and_then(|it| signed_meta(it, redactions, ""));
        let bytes = sign(&statement(&content, signed.as_deref().unwrap_or_default().as_bytes()));
        let signature = Signature { key, redactions, content, bytes };
        self.signature = Some(signature.to_string().into());
    }
}

fn statement(content: &[u8; 32], meta: impl AsRef<[u8]>) -> Vec<u8> {
    [STATEMENT_LABEL, content, meta.as_ref()].concat()
}

/// `SHA-256("tachograph/signed-content/v1" || 0x00 || content)`, or zeros for no content.
fn content_digest(content: &[u8]) -> [u8; 32] {
    if content.is_empty() {
        return crate::record::NO_CONTENT;
    }
    sha256(&[CONTENT_LABEL], content)
}

/// Stored metadata without what the receiver sets: its members, the member `also`, and redactions
/// from the `redactions`-th on.
fn signed_meta(meta: &str, redactions: usize, also: &str) -> Option<String> {
    let mut signed = String::with_capacity(meta.len());
    // What the text would have if there were no white space in it.
    let mut length = 1;
    let (mut found, mut is_cut) = (0, true);
    members::walk(meta, 1, |key, value| {
        length += key.len() + value.text.len() + r#""":,"#.len();
        let mut kept = std::borrow::Cow::Borrowed(value.text);
        let mut is_left = key != also && !RECEIVERS.contains(&key);
        if key == "redactions" {
            let all: Vec<&RawValue> = serde_json::from_str(value.text).ok()?;
            found = all.len();
            let first: Vec<&str> = all.iter().take(redactions).map(|it| it.get()).collect();
            kept = format!("[{}]", first.join(",")).into();
            is_left = !first.is_empty();
        }
        if is_left {
            signed.push(if is_cut { '{' } else { ',' });
            is_cut = false;
            signed.push('"');
            signed.push_str(key);
            signed.push_str("\":");
            signed.push_str(&kept);
        }
        Some(())
    })?;
    signed.push('}');
    (length == meta.len() && found >= redactions && !is_cut).then_some(signed)
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
