//! The name of a key in a keyring: random, public, and not derived from the key.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::{Entropy, EntropyError, random};

/// 16 random bytes that name one key; written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

/// The text is not a key id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{text}` is not a key id: expected 32 lower-case hexadecimal digits; copy it from the key list"
)]
pub struct ParseKeyIdError {
    /// What was given, cut to 64 characters.
    text: String,
}

impl KeyId {
    /// A fresh id.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source fails.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        random(entropy).map(Self)
    }

    /// The id with these bytes, as found in a journal header or a manifest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 16 bytes by value.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    /// Upper-case digits are refused, so that an id has one spelling only.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ParseKeyIdError { text: text.chars().take(64).collect() };
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(refuse());
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| refuse())?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips(bytes: [u8; 16]) {
            let id = KeyId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<KeyId>(), Ok(id));
            prop_assert_eq!(id.to_bytes(), bytes);
        }

        #[test]
        fn parsing_never_panics(text in ".{0,80}") {
            if let Ok(id) = text.parse::<KeyId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let good = "00112233445566778899aabbccddeeff";
        assert!(good.parse::<KeyId>().is_ok());
        let upper = good.to_uppercase();
        for bad in
            ["", &good[1..], &upper, "00112233445566778899aabbccddeefg", &format!("{good}00")]
        {
            assert!(bad.parse::<KeyId>().is_err(), "{bad}");
        }
    }
}
