//! An issuer's keys, fetched when they are due and kept for a while when they cannot be.
//!
//! Strangers choose the key ids in tokens, so an unknown id must not fetch whenever it likes: at
//! most once in [`ATTEMPT_EVERY_MS`], whatever comes.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::discovery::Discovery;
use super::fetch::{self, Fetch, FetchError};
use super::jwks::KeySet;
use crate::access::Refused;

/// How long keys count as fresh. A key that an issuer takes back is used for this long at most,
/// if the issuer can be reached.
pub(super) const FRESH_MS: i64 = 10 * 60_000;

/// How long keys are used when they cannot be fetched again: as long as an outage may last before
/// nobody gets in.
pub(super) const KEPT_MS: i64 = 60 * 60_000;

/// The least time between two attempts.
pub(super) const ATTEMPT_EVERY_MS: i64 = 30_000;

pub(super) struct KeyCache {
    issuer: String,
    jwks_uri: Option<String>,
    fetch: Arc<dyn Fetch>,
    held: RwLock<Held>,
    /// Held by whoever fetches.
    fetching: Mutex<()>,
}

#[derive(Default)]
struct Held {
    keys: Option<Arc<KeySet>>,
    fetched_ms: i64,
    attempted_ms: Option<i64>,
}

impl KeyCache {
    pub(super) fn new(issuer: String, jwks_uri: Option<String>, fetch: Arc<dyn Fetch>) -> Self {
        let (held, fetching) = (RwLock::default(), Mutex::new(()));
        Self { issuer, jwks_uri, fetch, held, fetching }
    }

    /// Keys among which one with this id is, if that can be had.
    pub(super) fn holding(&self, id: Option<&str>, now_ms: i64) -> Result<Arc<KeySet>, Refused> {
        let (keys, fresh) = self.current(now_ms);
        if let Some(keys) = &keys
            && fresh
            && keys.knows(id)
        {
            return Ok(Arc::clone(keys));
        }
        self.attempt(now_ms, keys.is_none());
        self.current(now_ms).0.ok_or(Refused::KeysUnavailable)
    }

    /// Fetches if that is due. Returns why it failed.
    pub(super) fn refresh(&self, now_ms: i64) -> Option<FetchError> {
        match self.current(now_ms) {
            (Some(_), true) => None,
            _ => self.attempt(now_ms, true),
        }
    }

    /// The keys that may be used, and whether they are fresh.
    fn current(&self, now_ms: i64) -> (Option<Arc<KeySet>>, bool) {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let age_ms = now_ms.saturating_sub(held.fetched_ms);
        // Negative: the clock was set back. Then the keys count as old, and are fetched again.
        let keys = held.keys.clone().filter(|_| age_ms < KEPT_MS);
        (keys, (0..FRESH_MS).contains(&age_ms))
    }

    /// Fetches, unless that was tried just now. Whoever has keys to go on with does not wait for
    /// another's attempt.
    fn attempt(&self, now_ms: i64, wait: bool) -> Option<FetchError> {
        let _fetching = match self.fetching.try_lock() {
            Ok(guard) => guard,
            Err(std::sync::TryLockError::WouldBlock) if !wait => return None,
            Err(_) => self.fetching.lock().unwrap_or_else(PoisonError::into_inner),
        };
        {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            let since = |then_ms: i64| now_ms.saturating_sub(then_ms);
            if held
                .attempted_ms
                .is_some_and(|then_ms| (0..ATTEMPT_EVERY_MS).contains(&since(then_ms)))
            {
                return None;
            }
            held.attempted_ms = Some(now_ms);
        }
        match self.get() {
            Ok(keys) => {
                let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
                held.keys = Some(Arc::new(keys));
                held.fetched_ms = now_ms;
                None
            }
            Err(error) => Some(error),
        }
    }

    fn get(&self) -> Result<KeySet, FetchError> {
        let jwks_uri = match &self.jwks_uri {
            Some(jwks_uri) => jwks_uri.clone(),
            None => Discovery::fetch(&self.issuer, &*self.fetch)?.jwks_uri,
        };
        fetch::allowed(&jwks_uri)?;
        KeySet::parse(&self.fetch.get(&jwks_uri)?)
    }
}

impl std::fmt::Debug for KeyCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeyCache({})", self.issuer)
    }
}
