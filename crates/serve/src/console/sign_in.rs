//! `/sign-in`: signing in to the console with an issuer of OpenID Connect (`access/oidc`).
//!
//! Nothing is kept here while a browser is away at the issuer. What has to be remembered stands in
//! a cookie, and what ties the issuer's answer to it is a keyed hash of that cookie: a browser that
//! did not begin a sign-in here has no cookie for it, and one that changes its cookie does not know
//! the hash. The key is random, and gone when the server stops.
//!
//! Whoever comes back is a person, so every answer leads to the console's page, which says what
//! happened.

use super::session::set_cookie;
use crate::access::Refused;
use crate::access::oidc::Oidc;
use crate::access::oidc::sign_in::{RETURN_PATH, SignInError, SignedIn, Ties};
use crate::app::App;
use crate::append::respond;
use crate::gate::{Peer, note_refusal};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::sessions::{LASTS_MS, cookie_named};
use aws_lc_rs::hmac;
use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{Entropy, SecretString, SystemEntropy};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::OnceLock;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

/// The cookie of a sign-in that is under way.
const COOKIE: &str = "tacho_sign_in";
/// How long a person may take at the issuer.
const TAKES_MS: i64 = 10 * 60 * 1000;
/// Bytes of the address that a person wanted to see.
const GOAL_BYTES_MAX: usize = 1024;
/// Sign-ins that wait for an issuer at the same time: strangers can begin them.
const WAITING_MAX: usize = 4;
/// Names behind the address of the way back: the issuer's are of RFC 6749 and RFC 9207, and
/// OpenID Connect Session Management.
const CODE: &str = "code";
const STATE: &str = "state";
const ERROR: &str = "error";
const ISSUER: &str = "iss";

/// What sign-ins share.
pub(crate) struct SignIns {
    key: OnceLock<hmac::Key>,
    waiting: Semaphore,
}

impl Default for SignIns {
    fn default() -> Self {
        Self { key: OnceLock::new(), waiting: Semaphore::new(WAITING_MAX) }
    }
}

impl SignIns {
    fn key(&self) -> Result<&hmac::Key, Problem> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let secret = random()?;
        Ok(self.key.get_or_init(|| hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    /// What ties an issuer's answers to the browser with this cookie.
    fn ties(&self, cookie: &str) -> Result<Ties, Problem> {
        let key = self.key()?;
        let tie = |what: &str| {
            let tag = hmac::sign(key, format!("{what}\0{cookie}").as_bytes());
            URL_SAFE_NO_PAD.encode(tag.as_ref())
        };
        let verifier = SecretString::new(tie("verifier"));
        Ok(Ties { state: tie("state"), nonce: tie("nonce"), verifier })
    }
}

fn random() -> Result<[u8; 32], Problem> {
    let entropy: &dyn Entropy = &SystemEntropy::new();
    keys::random::<32>(entropy).map_err(|_| Problem::internal())
}

/// What has to be remembered while a browser is away.
#[derive(Debug, PartialEq)]
struct Begun {
    issuer: usize,
    ends_ms: i64,
    /// Where on this server the person wanted to be.
    goal: String,
}

impl Begun {
    /// As the cookie says it, with something that nobody can guess.
    fn cookie(&self, random: &[u8]) -> String {
        let Self { issuer, ends_ms, goal } = self;
        let (random, goal) = (URL_SAFE_NO_PAD.encode(random), URL_SAFE_NO_PAD.encode(goal));
        format!("{issuer}.{ends_ms}.{random}.{goal}")
    }

    fn parse(cookie: &str) -> Option<Self> {
        let mut parts = cookie.split('.');
        let (issuer, ends_ms) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let (_, goal) = (parts.next()?, URL_SAFE_NO_PAD.decode(parts.next()?).ok()?);
        let goal = String::from_utf8(goal).ok().filter(|goal| is_here(goal))?;
        parts.next().is_none().then_some(Self { issuer, ends_ms, goal })
    }
}

/// Whether an address is one of this server and of no other.
fn is_here(goal: &str) -> bool {
    goal.len() <= GOAL_BYTES_MAX
        && goal.starts_with('/')
        && !goal.starts_with("//")
        && goal.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// An issuer with which people sign in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SignInIssuer {
    /// What it is called.
    name: String,
    /// Where a browser is sent for it.
    address: String,
}

/// All of them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SignInIssuers {
    /// In the order of the configuration.
    issuers: Vec<SignInIssuer>,
}

/// `GET /sign-in`.
pub(crate) async fn issuers(State(app): State<App>) -> Response<Body> {
    let all = app.keeper().oidc.iter().flat_map(Oidc::sign_ins);
    let issuers = all
        .map(|(number, name)| SignInIssuer { name, address: format!("/sign-in/{number}") })
        .collect();
    respond(StatusCode::OK, &SignInIssuers { issuers })
}

/// `GET /sign-in/{issuer}`: sends a browser there.
pub(crate) async fn begin(
    State(app): State<App>,
    Path(issuer): Path<String>,
    peer: Option<Extension<Peer>>,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::parse(query.as_deref(), &["to"])?;
    let missing = || Problem::not_found("people do not sign in with such an issuer here");
    let number: usize = issuer.parse().map_err(|_| missing())?;
    let name = app.keeper().oidc.as_ref().and_then(|oidc| oidc.sign_in_issuer(number));
    let name = name.ok_or_else(missing)?.to_owned();
    let now_ms = app.logs().now_ms_signed();
    let goal = parameters.get("to").filter(|goal| is_here(goal)).unwrap_or("/").to_owned();
    let begun = Begun { issuer: number, ends_ms: now_ms + TAKES_MS, goal };
    let cookie = begun.cookie(&random()?);
    let ties = app.sign_ins().ties(&cookie)?;
    let Ok(_waits) = app.sign_ins().waiting.try_acquire() else { return Ok(back("busy")) };
    let work = {
        let app = app.clone();
        move || match &app.keeper().oidc {
            Some(oidc) => oidc.sign_in_address(number, &ties, now_ms),
            None => Err(SignInError::NoSuchIssuer),
        }
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(address)) => {
            let mut response = away(&address);
            let is_secure = peer.is_some_and(|Extension(peer)| peer.is_secure);
            response.headers_mut().extend(remember(&cookie, TAKES_MS / 1000, is_secure));
            Ok(response)
        }
        Ok(Err(error)) => Ok(back(note(&app, &name, &error, peer.as_deref()))),
        Err(_) => Err(Problem::internal()),
    }
}

/// `GET /sign-in/return`: the issuer's answer, which a browser brings.
pub(crate) async fn finish(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let is_secure = peer.as_ref().is_some_and(|Extension(peer)| peer.is_secure);
    let mut response = match outcome(&app, &headers, query.as_deref(), peer.as_deref()).await? {
        Ok((signed_in, goal)) => {
            let now_ms = app.logs().now_ms_signed();
            let SignedIn { token, ends_ms, .. } = signed_in;
            let sessions = app.sessions();
            let name = sessions
                .begin(token, now_ms, ends_ms, &SystemEntropy::new())
                .map_err(|_| Problem::internal())?;
            let lasts_s = (ends_ms - now_ms).clamp(0, LASTS_MS) / 1000;
            let mut response = away(&goal);
            response.headers_mut().extend(set_cookie(&name, lasts_s, is_secure));
            response
        }
        Err(why) => back(why),
    };
    // Once only.
    if let Some((name, value)) = remember("", 0, is_secure) {
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

/// Who has signed in, and where they wanted to be; or a word for why nobody has.
async fn outcome(
    app: &App,
    headers: &HeaderMap,
    query: Option<&str>,
    peer: Option<&Peer>,
) -> Result<Result<(SignedIn, String), &'static str>, Problem> {
    let now_ms = app.logs().now_ms_signed();
    let said = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        pairs.find(|(it, _)| it == name).map(|(_, value)| value.into_owned())
    };
    let Some(cookie) = cookie_named(headers, COOKIE) else { return Ok(Err("unknown")) };
    let begun = Begun::parse(cookie).filter(|begun| now_ms < begun.ends_ms);
    let ties = app.sign_ins().ties(cookie)?;
    let state = said(STATE).unwrap_or_default();
    let is_answer = bool::from(ties.state.as_bytes().ct_eq(state.as_bytes()));
    let Some(Begun { issuer: number, goal, .. }) = begun.filter(|_| is_answer) else {
        return Ok(Err("unknown"));
    };
    let name = app.keeper().oidc.as_ref().and_then(|oidc| oidc.sign_in_issuer(number));
    let Some(name) = name.map(str::to_owned) else { return Ok(Err("unknown")) };
    // Otherwise one issuer could have the code of another exchanged (RFC 9207, section 2.4).
    if said(ISSUER).is_some_and(|issuer| issuer != name) {
        return Ok(Err("unknown"));
    }
    if let Some(error) = said(ERROR) {
        return Ok(Err(if error == "access_denied" { "denied" } else { "failed" }));
    }
    let Ok(_waits) = app.sign_ins().waiting.try_acquire() else { return Ok(Err("busy")) };
    let (code, own) = (said(CODE).unwrap_or_default(), app.clone());
    let work = move || match &own.keeper().oidc {
        Some(oidc) => oidc.sign_in_with(number, &code, &ties, now_ms),
        None => Err(SignInError::NoSuchIssuer),
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(signed_in)) => Ok(Ok((signed_in, goal))),
        Ok(Err(error)) => Ok(Err(note(app, &name, &error, peer))),
        Err(_) => Err(Problem::internal()),
    }
}

/// Counts a sign-in that came to nothing, for its record; a word for the page.
fn note(app: &App, issuer: &str, error: &SignInError, peer: Option<&Peer>) -> &'static str {
    let (refused, about, word) = match error {
        SignInError::NoSuchIssuer => return "unknown",
        SignInError::Unavailable(_) => (Refused::IssuerUnavailable, issuer, "unavailable"),
        SignInError::Refused(refused, about) => (*refused, &**about, "refused"),
    };
    let address = peer.and_then(|peer| peer.address).map(|address| address.ip());
    note_refusal(app, refused, about, address);
    word
}

/// To the console's page, which says what the word means.
fn back(why: &str) -> Response<Body> {
    away(&format!("/?sign_in={why}"))
}

/// 303. What stands behind this address is no concern of the next page, and nobody keeps it.
fn away(address: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let address = HeaderValue::try_from(address).unwrap_or(HeaderValue::from_static("/"));
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, address);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Sets the cookie of a sign-in that is under way. The way back begins at another site, so it is
/// sent along when a person is led here, and for nothing else (`Lax`).
fn remember(value: &str, seconds: i64, is_secure: bool) -> Option<(HeaderName, HeaderValue)> {
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={value}; Path={RETURN_PATH}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::try_from(cookie).ok().map(|cookie| (header::SET_COOKIE, cookie))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cookie_remembers_comes_back_and_nothing_else_is_read() {
        let begun = Begun { issuer: 3, ends_ms: 7, goal: "/traces/a?b=c".to_owned() };
        let cookie = begun.cookie(&[1; 32]);
        assert_eq!(Begun::parse(&cookie), Some(begun));
        assert!(cookie.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
        for bad in ["", "3.7.x", "3.7.x.L2E.y", "-3.7.x.L2E", "3.7.x.?", "3.7.x.Ly9ldmls"] {
            assert_eq!(Begun::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_person_is_led_to_this_server_and_to_no_other() {
        for here in ["/", "/traces/a?b=%2F#c", "/sign-in"] {
            assert!(is_here(here), "{here}");
        }
        let long = format!("/{}", "a".repeat(GOAL_BYTES_MAX));
        for other in
            ["", "a", "//evil.example", "/\\evil.example", "https://x", "/a b", "/a\n", &long]
        {
            assert!(!is_here(other), "{other:?}");
        }
    }

    #[test]
    fn ties_belong_to_one_cookie_and_one_server() {
        let (one, other) = (SignIns::default(), SignIns::default());
        let of = |it: &SignIns, cookie: &str| it.ties(cookie).unwrap_or_else(|_| panic!());
        let ties = of(&one, "0.1.a.Lw");
        assert_eq!(ties.state, of(&one, "0.1.a.Lw").state);
        assert!((43..=128).contains(&ties.verifier.expose().len()));
        assert!(ties.state != ties.nonce && ties.nonce != ties.verifier.expose());
        assert_ne!(ties.state, of(&one, "1.1.a.Lw").state);
        assert_ne!(ties.state, of(&other, "0.1.a.Lw").state);
    }
}
