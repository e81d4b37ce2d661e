//! What an issuer says of itself: where its keys are, and where people sign in (OpenID Connect
//! Discovery 1.0, section 3).

use super::cache::{ATTEMPT_EVERY_MS, FRESH_MS, KEPT_MS};
use super::fetch::{Fetch, FetchError};
use serde::Deserialize;
use std::sync::{Arc, Mutex, PoisonError};

/// The document, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Discovery {
    issuer: String,
    pub(super) jwks_uri: String,
    /// Where a browser is sent to sign in.
    #[serde(default)]
    pub(super) authorization_endpoint: Option<String>,
    /// Where a code becomes a token.
    #[serde(default)]
    pub(super) token_endpoint: Option<String>,
}

impl Discovery {
    /// The document of the issuer with this URL.
    pub(super) fn fetch(issuer: &str, fetch: &dyn Fetch) -> Result<Self, FetchError> {
        let base = issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let read: Self =
            serde_json::from_slice(&fetch.get(&url)?).map_err(|error| FetchError::BadDocument {
                what: format!("no discovery document: line {}", error.line()),
            })?;
        // Otherwise one issuer could answer with the keys of another (section 4.3).
        if read.issuer != issuer {
            let found: String = read.issuer.chars().take(200).collect();
            let what = format!("discovery is for {found:?}, not for {issuer:?}");
            return Err(FetchError::BadDocument { what });
        }
        Ok(read)
    }
}

/// The document, kept as long as keys are: strangers make a server ask for it.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    found: Option<Arc<Discovery>>,
    fetched_ms: i64,
    attempted_ms: Option<i64>,
}

impl Kept {
    /// The document, fetched when that is due. Blocks while somebody fetches it.
    pub(super) fn document(
        &self,
        issuer: &str,
        fetch: &dyn Fetch,
        now_ms: i64,
    ) -> Result<Arc<Discovery>, FetchError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |then_ms: i64| now_ms.saturating_sub(then_ms);
        // Negative: the clock was set back. Then it counts as old.
        let age_ms = since(held.fetched_ms);
        let kept = held.found.clone().filter(|_| age_ms < KEPT_MS);
        let was_tried =
            held.attempted_ms.is_some_and(|then| (0..ATTEMPT_EVERY_MS).contains(&since(then)));
        match kept {
            Some(found) if was_tried || (0..FRESH_MS).contains(&age_ms) => return Ok(found),
            None if was_tried => {
                let what = "that failed a moment ago".to_owned();
                return Err(FetchError::Failed { url: issuer.to_owned(), what });
            }
            _ => {}
        }
        held.attempted_ms = Some(now_ms);
        match Discovery::fetch(issuer, fetch) {
            Ok(found) => {
                let found = Arc::new(found);
                held.found = Some(Arc::clone(&found));
                held.fetched_ms = now_ms;
                Ok(found)
            }
            Err(error) => kept.ok_or(error),
        }
    }
}
