//! A token as text: `tacho_<16 hex digits>_<43 characters of base64url>`.
//!
//! The prefix lets scanners of repositories find tokens that were committed by mistake.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{Entropy, EntropyError, SecretKey, SecretString, random};

use super::record::TokenId;

/// What every token begins with.
const PREFIX: &str = "tacho_";

/// Characters of the secret part: 32 bytes in base64url.
const SECRET_CHARS: usize = 43;

/// A presented text that has the form of a token.
pub(super) struct Presented<'a> {
    pub(super) id: TokenId,
    pub(super) text: &'a str,
}

impl<'a> Presented<'a> {
    /// Takes one spelling and no other: what differs in a letter is another text.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let id = TokenId::parse(id)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (secret.len() == SECRET_CHARS && secret.bytes().all(plain)).then_some(Self { id, text })
    }
}

/// The public part of a presented token, for the record of a refusal: never anything of the secret,
/// and nothing at all of a text in no known form.
#[must_use]
pub fn public_part(presented: &str) -> String {
    match Presented::parse(presented) {
        Some(presented) => format!("{PREFIX}{}", presented.id),
        None => "(malformed)".to_owned(),
    }
}

/// A fresh token.
pub(super) fn generate(entropy: &dyn Entropy) -> Result<(TokenId, SecretString), EntropyError> {
    let id = TokenId::new(random(entropy)?);
    let secret = SecretKey::generate(entropy)?;
    // Room for all of it at once: a string that grows leaves copies of the secret behind.
    let mut text = String::with_capacity(PREFIX.len() + 17 + SECRET_CHARS);
    text.push_str(PREFIX);
    text.push_str(&id.to_string());
    text.push('_');
    URL_SAFE_NO_PAD.encode_string(secret.expose(), &mut text);
    Ok((id, SecretString::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::SystemEntropy;
    use proptest::prelude::*;

    #[test]
    fn generated_token_has_the_form_and_shows_its_id() {
        let (id, text) = generate(&SystemEntropy::new()).unwrap();
        let presented = Presented::parse(text.expose()).unwrap();
        assert_eq!(presented.id, id);
        assert_eq!(text.expose().len(), 6 + 16 + 1 + 43);
        assert_eq!(public_part(text.expose()), format!("tacho_{id}"));
    }

    #[test]
    fn other_spellings_are_not_tokens() {
        let (_, text) = generate(&SystemEntropy::new()).unwrap();
        let text = text.expose();
        let id = &text[6..22];
        let others = [
            String::new(),
            text[..text.len() - 1].to_owned(),
            format!("{text}A"),
            format!("{text}="),
            format!(" {text}"),
            format!("{text}\n"),
            text.replace("tacho_", "TACHO_"),
            text.replace(id, "0123456789ABCDEF"),
            text.replace(id, "0123456789abcde"),
            text.replace(id, "0123456789abcdég"),
            "tacho__".to_owned(),
        ];
        for other in others {
            assert!(Presented::parse(&other).is_none(), "{other:?}");
            assert_eq!(public_part(&other), "(malformed)");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}", tail in "[0-9a-f_]{0,20}[A-Za-z_-]{0,44}") {
            let _ = public_part(&text);
            let _ = public_part(&format!("tacho_{tail}"));
        }
    }
}
