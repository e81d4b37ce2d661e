//! API tokens: made, listed, revoked, and checked on every request.
//!
//! A token reads `tacho_<id>_<secret>`. The id is public; of the whole text only a keyed hash is
//! kept ([`record`]), in one file that carries a code over its content ([`mod@file`]), so
//! that neither reading nor editing that file gives anybody a token.
//!
//! Not a guard against a file that was replaced by an older one of the same server: that brings
//! revoked tokens back. Tokens should expire.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use keys::{Entropy, SecretString};

use super::{Caller, Refused};

mod error;
pub mod file;
pub mod record;
pub mod text;

pub use error::TokenError;
pub use record::{NewToken, TokenId, TokenRecord};

use file::{Content, Stamp};
use text::Presented;

/// How long a change of the file by another process may go unnoticed.
const LOOK_EVERY_MS: i64 = 1000;

/// Tokens in one file, revoked ones as well: with [`file::FILE_BYTES_MAX`] it bounds what a reload
/// costs.
pub const TOKENS_MAX: usize = 10_000;

/// The tokens of one server.
#[derive(Debug)]
pub struct TokenStore {
    path: PathBuf,
    keys: record::Keys,
    state: RwLock<State>,
    /// Held by whoever looks at the file, so that it is one thread a second and not all of them.
    looking: Mutex<()>,
}

/// What was last read.
#[derive(Debug, Default)]
struct State {
    tokens: HashMap<TokenId, TokenRecord>,
    stamp: Option<Stamp>,
    looked_ms: i64,
    /// Why the file cannot be used. Then nobody gets in by token: a file that was tampered with may
    /// lack exactly the revocation that matters.
    fault: Option<String>,
}

impl TokenStore {
    /// Opens the tokens at `path` with the server secret at `secret`. Both may be absent: then the
    /// secret is made, and there are no tokens yet.
    ///
    /// # Errors
    ///
    /// [`TokenError`] when either file cannot be used; a secret is never made for tokens that
    /// exist.
    pub fn open(path: &Path, secret: &Path, entropy: &dyn Entropy) -> Result<Self, TokenError> {
        let _lock = file::lock(path)?;
        let keys = record::Keys::derive(&file::secret(secret, path, entropy)?);
        let state = State::from(file::read(path, &keys)?);
        Ok(Self { path: path.to_owned(), keys, state: RwLock::new(state), looking: Mutex::new(()) })
    }

    /// Makes a token and writes it down. The text is returned this once and kept nowhere.
    ///
    /// # Errors
    ///
    /// [`TokenError`] when the wish is invalid or the file cannot be changed; no token exists then.
    pub fn create(
        &self,
        wish: NewToken,
        now_ms: i64,
        entropy: &dyn Entropy,
    ) -> Result<(TokenRecord, SecretString), TokenError> {
        wish.check(now_ms)?;
        self.edit(|tokens| {
            if tokens.len() >= TOKENS_MAX {
                return Err(TokenError::TooMany);
            }
            let (id, text) = text::generate(entropy)?;
            let record = TokenRecord {
                id,
                hash: self.keys.hash(text.expose()),
                name: wish.name,
                roles: wish.roles,
                logs: wish.logs,
                created_ms: now_ms,
                expires_ms: wish.expires_ms,
                revoked_ms: None,
            };
            tokens.push(record.clone());
            Ok((record, text))
        })
    }

    /// Revokes a token, for good. Revoking it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`TokenError`] when there is no such token or the file cannot be changed.
    pub fn revoke(&self, id: TokenId, now_ms: i64) -> Result<TokenRecord, TokenError> {
        self.edit(|tokens| {
            let token = tokens.iter_mut().find(|token| token.id == id);
            let token = token.ok_or(TokenError::NoSuchToken { id })?;
            token.revoked_ms.get_or_insert(now_ms);
            Ok(token.clone())
        })
    }

    /// All tokens, the revoked and the expired as well, oldest first.
    ///
    /// # Errors
    ///
    /// [`TokenError`] when the file cannot be used.
    pub fn list(&self) -> Result<Vec<TokenRecord>, TokenError> {
        let mut tokens = file::read(&self.path, &self.keys)?.tokens;
        tokens.sort_by_key(|token| (token.created_ms, token.id));
        Ok(tokens)
    }

    /// Who presents `presented`, if it is a token that counts at `now_ms`.
    ///
    /// Looks at the file at most once a second, so a revocation by another process takes that long.
    ///
    /// # Errors
    ///
    /// [`Refused`], by reason. `expired` and `revoked` are only told to whoever has the secret.
    pub fn check(&self, presented: &str, now_ms: i64) -> Result<Caller, Refused> {
        let presented = Presented::parse(presented).ok_or(Refused::Malformed)?;
        self.look(now_ms);
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if state.fault.is_some() {
            return Err(Refused::TokensUnusable);
        }
        let token = state.tokens.get(&presented.id);
        // An unknown id costs a hash as well, so that the time does not tell it from a wrong
        // secret.
        let expected = token.map_or([0; 32], |token| token.hash);
        let genuine = self.keys.is_hash_of(presented.text, &expected);
        match token {
            Some(token) if genuine => token.caller(now_ms),
            _ => Err(Refused::UnknownToken),
        }
    }

    /// Why nobody gets in by token, if so: for the server's own report of its health.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).fault.clone()
    }

    /// Reads the file again when it has changed, at most once in [`LOOK_EVERY_MS`].
    fn look(&self, now_ms: i64) {
        let due = |state: &State| {
            let since = now_ms.saturating_sub(state.looked_ms);
            // A clock that was set back must not stop the looking.
            !(0..LOOK_EVERY_MS).contains(&since)
        };
        if !due(&self.state.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let Ok(_looking) = self.looking.try_lock() else { return };
        let stamp = file::stamp(&self.path);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.looked_ms = now_ms;
        match stamp {
            Ok(stamp) if stamp == state.stamp && state.fault.is_none() => return,
            Ok(_) => {}
            Err(error) => {
                state.fault = Some(error.to_string());
                return;
            }
        }
        drop(state);
        let read = file::read(&self.path, &self.keys);
        self.install(read, now_ms);
    }

    fn install(&self, read: Result<Content, TokenError>, now_ms: i64) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(content) => *state = State { looked_ms: now_ms, ..State::from(content) },
            Err(error) => state.fault = Some(error.to_string()),
        }
    }

    /// Changes the file under its lock, from what it holds now and not from what was read once.
    fn edit<T>(
        &self,
        change: impl FnOnce(&mut Vec<TokenRecord>) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let _looking = self.looking_lock();
        let _lock = file::lock(&self.path)?;
        let mut content = file::read(&self.path, &self.keys)?;
        let answer = change(&mut content.tokens)?;
        content.stamp = file::write(&self.path, &self.keys, &content.tokens)?;
        let looked_ms = self.state.read().unwrap_or_else(PoisonError::into_inner).looked_ms;
        self.install(Ok(content), looked_ms);
        Ok(answer)
    }

    fn looking_lock(&self) -> MutexGuard<'_, ()> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Content> for State {
    fn from(content: Content) -> Self {
        let tokens = content.tokens.into_iter().map(|token| (token.id, token)).collect();
        Self { tokens, stamp: content.stamp, looked_ms: i64::MIN, fault: None }
    }
}

#[cfg(test)]
mod tests;
