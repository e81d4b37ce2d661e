//! Keys: where secrets live, how they are wrapped, and what is encrypted with them.
//!
//! A log has one *key-encryption key* ([`Kek`]), kept outside its data folder and fetched through
//! a [`KekSource`]. The KEK wraps everything in the log's [`Keyring`]: signing seeds, the stream
//! and redaction secrets, and one data key per journal file and per segment. A [`DataKey`] is what
//! those files are sealed with. Destroying a key is [`Keyring::destroy`]: once the keyring without
//! it is durable, every copy of what it encrypted is unreadable.
//!
//! What this crate is not: it does no file input or output for keyrings (`store` does: bytes in,
//! bytes out), it does not sign (`checkpoint` does), and it does not read the environment (`cli`
//! does). It does read and create KEK files and run KEK commands, because the rules for touching
//! those safely belong beside the key itself.
//!
//! All randomness comes through [`Entropy`], so that a simulated run is reproducible. Every secret
//! sits in one heap allocation that is zeroised when dropped, and never appears in `Debug`.

mod cipher;
mod entropy;
mod hmac;
mod kek;
mod key_id;
mod keyring;
mod purpose;
mod secret;

pub use cipher::{CipherError, DataKey, NONCE_BYTES, TAG_BYTES};
pub use entropy::{Entropy, EntropyError, SystemEntropy, random};
pub use hmac::{HmacKey, hmac_sha256};
pub use kek::{
    AgentSeed, AgentSeedError, Kek, KekError, KekId, KekOrigin, KekSource, PassphraseKdf,
};
pub use key_id::{KeyId, ParseKeyIdError};
pub use keyring::{KeyInfo, Keyring, KeyringError, KeyringHeader, MAX_KEYS};
pub use purpose::{Purpose, UnknownPurpose};
pub use secret::{Secret, SecretKey, SecretString};
