//! The token that a server knows the caller by. It is shown to nobody but the server.
//!
//! Not here: where it is looked for.

use keys::SecretString;
use std::fmt;

/// A token, and where it came from.
pub struct Token {
    secret: SecretString,
    place: String,
}

/// What was given is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what {0} holds is no token: a token is one line of ASCII without spaces")]
pub struct TokenError(String);

impl Token {
    /// A token that can stand in a header; `place` says where it came from.
    ///
    /// # Errors
    /// [`TokenError`], without what was given.
    pub fn new(text: String, place: &str) -> Result<Self, TokenError> {
        let whole = SecretString::new(text);
        let secret = SecretString::new(whole.expose().trim().to_owned());
        let is_one = !secret.expose().is_empty()
            && secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
        match is_one {
            true => Ok(Self { secret, place: place.to_owned() }),
            false => Err(TokenError(place.to_owned())),
        }
    }

    /// Where it came from, for errors.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.secret.expose())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token(from {})", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_never_shown() {
        let token = Token::new(" abc.DEF-1\n".to_owned(), "TACHO_TOKEN").unwrap();
        assert_eq!(token.header(), "Bearer abc.DEF-1");
        assert_eq!(format!("{token:?}"), "Token(from TACHO_TOKEN)");
        for bad in ["", " ", "two words", "a\nb", "ü"] {
            let error = Token::new(bad.to_owned(), "x").unwrap_err().to_string();
            assert!(error.starts_with("what x holds is no token"), "{error}");
        }
    }
}
