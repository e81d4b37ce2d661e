//! `/api/v1/session`: signing in to the console with a token, who one is, and signing out.

use crate::app::App;
use crate::append::respond;
use crate::gate::{Granted, Peer, bearer};
use crate::problem::Problem;
use crate::sessions::{self, COOKIE, LASTS_MS};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use keys::{SecretString, SystemEntropy};
use schemars::JsonSchema;
use serde::Serialize;

/// Who is signed in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Session {
    /// Who vouches for the caller.
    issuer: String,
    /// Who the caller is there.
    subject: String,
    /// How that was proved: `token`, `oidc` or `mtls`.
    method: &'static str,
    /// The caller's roles, wherever they hold.
    roles: Vec<String>,
    /// When the session ends, in RFC 3339; absent without a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

/// `POST /api/v1/session`: the token that the gate has let in.
pub(crate) async fn begin(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let token = bearer(&headers)?.ok_or_else(|| {
        let detail = "a session stands for a token: send `Authorization: Bearer TOKEN`";
        Problem::malformed("no_token", detail.to_owned())
    })?;
    let (token, now_ms) = (SecretString::new(token.to_owned()), app.logs().now_ms_signed());
    let name = app
        .sessions()
        .begin(token, now_ms, i64::MAX, &SystemEntropy::new())
        .map_err(|_| Problem::internal())?;
    Ok(with_cookie(&name, LASTS_MS / 1000, peer.is_some_and(|Extension(peer)| peer.is_secure)))
}

/// `GET /api/v1/session`.
pub(crate) async fn current(
    State(app): State<App>,
    granted: Granted,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = granted.caller().ok_or_else(Problem::internal)?;
    let now_ms = app.logs().now_ms_signed();
    let session = sessions::cookie(&headers).and_then(|name| app.sessions().find(name, now_ms));
    let ends_at = session.and_then(|(_, ends_ms)| Timestamp::from_millisecond(ends_ms).ok());
    let session = Session {
        issuer: caller.issuer.clone(),
        subject: caller.subject.clone(),
        method: caller.method.as_str(),
        roles: caller.roles().map(ToString::to_string).collect(),
        ends_at: ends_at.map(|at| at.to_string()),
    };
    Ok(respond(StatusCode::OK, &session))
}

/// `DELETE /api/v1/session`.
pub(crate) async fn end(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response<Body> {
    if let Some(name) = sessions::cookie(&headers) {
        app.sessions().end(name);
    }
    with_cookie("", 0, peer.is_some_and(|Extension(peer)| peer.is_secure))
}

/// 204 that sets the cookie.
fn with_cookie(value: &str, seconds: i64, is_secure: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().extend(set_cookie(value, seconds, is_secure));
    response
}

/// Sets the cookie: never seen by scripts, never sent along by another site.
pub(super) fn set_cookie(
    value: &str,
    seconds: i64,
    is_secure: bool,
) -> Option<(HeaderName, HeaderValue)> {
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(cookie).ok().map(|cookie| (header::SET_COOKIE, cookie))
}
