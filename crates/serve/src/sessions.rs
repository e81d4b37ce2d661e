//! Sessions of the console: a cookie that stands for a credential, so that no script in a page ever
//! holds one.
//!
//! In memory only, and gone when the server stops. What a session may do is decided anew for every
//! request from the credential behind it, so a token that is revoked or has expired ends with it.
//!
//! Not here: signing in and out (`console/session.rs`), and what a credential is worth (`access`).

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{Entropy, EntropyError, SecretString};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The cookie's name.
pub(crate) const COOKIE: &str = "tacho_session";
/// What a request of the console carries: no form and no link of another site can send it.
pub(crate) const CONSOLE_HEADER: &str = "x-tacho-console";
/// How long a session lasts.
pub(crate) const LASTS_MS: i64 = 12 * 60 * 60 * 1000;
/// Sessions at the same time; the one that would end first makes room.
const SESSIONS_MAX: usize = 1_024;

/// All of them.
#[derive(Default)]
pub(crate) struct Sessions {
    /// By a hash of what the cookie says: looking one up tells nothing of it by its time.
    by_key: Mutex<HashMap<[u8; 32], Session>>,
}

struct Session {
    credential: Arc<SecretString>,
    ends_ms: i64,
}

impl Sessions {
    /// Begins a session for a credential that was found good and lasts until `ends_ms` at most;
    /// returns what the cookie says.
    ///
    /// # Errors
    /// When there is no randomness; there is no session then.
    pub(crate) fn begin(
        &self,
        credential: SecretString,
        now_ms: i64,
        ends_ms: i64,
        entropy: &dyn Entropy,
    ) -> Result<String, EntropyError> {
        let name = URL_SAFE_NO_PAD.encode(keys::random::<32>(entropy)?);
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.ends_ms > now_ms);
        if sessions.len() >= SESSIONS_MAX
            && let Some(first) =
                sessions.iter().min_by_key(|(_, it)| it.ends_ms).map(|(key, _)| *key)
        {
            sessions.remove(&first);
        }
        let ends_ms = ends_ms.min(now_ms.saturating_add(LASTS_MS));
        let session = Session { credential: Arc::new(credential), ends_ms };
        sessions.insert(key(&name), session);
        Ok(name)
    }

    /// The credential behind a session, and when the session ends.
    pub(crate) fn find(&self, name: &str, now_ms: i64) -> Option<(Arc<SecretString>, i64)> {
        let sessions = self.lock();
        let session = sessions.get(&key(name)).filter(|session| session.ends_ms > now_ms)?;
        Some((Arc::clone(&session.credential), session.ends_ms))
    }

    /// Ends a session.
    pub(crate) fn end(&self, name: &str) {
        self.lock().remove(&key(name));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(name: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, name.as_bytes()).as_ref());
    key
}

/// What the session's cookie of a request says.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// What a cookie of a request says.
pub(crate) fn cookie_named<'h>(headers: &'h HeaderMap, cookie: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim() == cookie).map(|(_, value)| value.trim())
}

/// Whether a request comes from a page of this very server. Browsers send cookies along with what
/// other sites ask for, too; neither header can be set by them (Fetch Metadata, and a header that
/// is not on CORS' safe list).
pub(crate) fn is_of_this_site(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| {
        headers.get(name).is_some_and(|it| it.as_bytes() == value.as_bytes())
    };
    is(CONSOLE_HEADER, "1") || is("sec-fetch-site", "same-origin")
}

/// Whether a browser says that a page of another site made it ask.
pub(crate) fn is_of_another_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    site.is_some_and(|site| !matches!(site, b"same-origin" | b"none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::SystemEntropy;

    fn secret(text: &str) -> SecretString {
        SecretString::new(text.to_owned())
    }

    #[test]
    fn a_session_stands_for_its_credential_until_it_ends() {
        let (sessions, entropy) = (Sessions::default(), SystemEntropy::new());
        let one = sessions.begin(secret("one"), 0, i64::MAX, &entropy).unwrap();
        let two = sessions.begin(secret("two"), 5, i64::MAX, &entropy).unwrap();
        assert_ne!(one, two);
        let find = |name: &str, now_ms| {
            sessions.find(name, now_ms).map(|(secret, ends)| (secret.expose().to_owned(), ends))
        };
        assert_eq!(find(&one, 1), Some(("one".to_owned(), LASTS_MS)));
        assert_eq!(find(&one, LASTS_MS), None);
        assert_eq!(find(&two, LASTS_MS).unwrap().0, "two");
        assert_eq!(find("", 1), None);
        let short = sessions.begin(secret("short"), 0, 7, &entropy).unwrap();
        assert_eq!(find(&short, 6), Some(("short".to_owned(), 7)), "no longer than it is good");
        assert_eq!(find(&short, 7), None);
        sessions.end(&two);
        assert_eq!(find(&two, 1), None);
    }

    #[test]
    fn there_are_only_so_many_sessions_and_the_oldest_makes_room() {
        let (sessions, entropy) = (Sessions::default(), SystemEntropy::new());
        let begin = |at: usize| sessions.begin(secret("x"), at as i64, i64::MAX, &entropy).unwrap();
        let names: Vec<String> = (0..=SESSIONS_MAX).map(begin).collect();
        assert_eq!(sessions.lock().len(), SESSIONS_MAX);
        assert!(sessions.find(&names[0], 1).is_none() && sessions.find(&names[1], 1).is_some());
        // Those that have ended make room first.
        begin(usize::try_from(LASTS_MS).unwrap() + 10);
        assert_eq!(sessions.lock().len(), SESSIONS_MAX - 10 + 1);
    }

    #[test]
    fn the_cookie_is_found_among_others_and_nothing_else_is() {
        let of = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            cookie(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["a=b; tacho_session=x; c"]).as_deref(), Some("x"));
        assert_eq!(of(&["a=b", "tacho_session=y"]).as_deref(), Some("y"));
        for none in [&[][..], &["tacho_session"], &["xtacho_session=x"], &["tacho_session2=x"]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }

    #[test]
    fn only_requests_of_this_site_count() {
        let of = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert!(!is_of_this_site(&headers) || !is_of_another_site(&headers));
            is_of_this_site(&headers)
        };
        assert!(of(CONSOLE_HEADER, "1") && of("sec-fetch-site", "same-origin"));
        for site in ["same-site", "cross-site", "none", ""] {
            assert!(!of("sec-fetch-site", site), "{site}");
        }
        assert!(!of(CONSOLE_HEADER, "") && !is_of_this_site(&HeaderMap::new()));
    }
}
