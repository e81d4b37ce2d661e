//! Who is calling, and whether they may: in front of every route, and recorded.
//!
//! Deny by default. A route that does not say what it needs does not compile (`routes.rs`). What a
//! credential is worth is next door (`access`).

use crate::access::oidc::{self, Oidc};
use crate::access::policy::{Action, Policy};
use crate::access::refusals::{RefusalCounter, RefusedAct};
use crate::access::tokens::{TokenStore, text::public_part};
use crate::access::{Caller, Refused};
use crate::app::App;
use crate::handshake::Shown;
use crate::intake::Origin;
use crate::open_log::{OpenLog, server};
use crate::otlp;
use crate::outstanding::Turn;
use crate::problem::Problem;
use crate::rates::Counted;
use crate::sessions;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::middleware::Next;
use event::Assurance;
use hyper::body::Body as _;
use keys::SecretString;
use seal::Act;
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Longest credential that is looked at, in bytes.
const CREDENTIAL_BYTES_MAX: usize = 16 << 10;

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: health, and what describes the server itself.
    Nothing,
    /// Any credential that is good.
    AnyCaller,
    /// The right to do this on the server.
    Server(Action),
    /// The right to do this in the log that the address names.
    Log(Action),
    /// The same, unless anybody may read this log's tree.
    PublicLog(Action),
}

impl Need {
    /// Whether something is done, of which the answer tells.
    fn is_to_act(self) -> bool {
        use Action::{AppendEvents, CreateLog, Erase, ManageHolds, ManageKeys, ManageRetention};
        match self {
            Self::Nothing | Self::AnyCaller => false,
            Self::Server(action) | Self::Log(action) | Self::PublicLog(action) => {
                matches!(
                    action,
                    AppendEvents | CreateLog | Erase | ManageHolds | ManageKeys | ManageRetention
                )
            }
        }
    }
}

/// Checks credentials and decides.
pub struct Keeper {
    /// API tokens, if there is a list of them.
    pub tokens: Option<TokenStore>,
    /// Issuers of other tokens, if any are configured.
    pub oidc: Option<Oidc>,
    /// Who may do what.
    pub policy: Policy,
    /// Refused credentials, gathered until they are recorded.
    pub refusals: Mutex<RefusalCounter>,
    /// The log that is meant where a request names none; it also has the records of what concerns
    /// no log, or none that is there.
    pub default_log: String,
}

/// From which address a connection comes, and which certificate it has shown.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The other end.
    pub address: Option<SocketAddr>,
    /// Its certificate, which the handshake has verified.
    pub certificate: Option<Shown>,
    /// Whether nobody on the way can read along.
    pub is_secure: bool,
}

/// A request that may go on.
#[derive(Clone)]
pub struct Granted {
    caller: Option<Arc<Caller>>,
    log: Option<Arc<OpenLog>>,
    on_behalf_of: Option<String>,
}

impl Granted {
    /// Who is calling; nobody where nobody needs to say so.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_deref()
    }

    /// Who is calling, as records have it.
    #[must_use]
    pub fn principal(&self) -> event::Principal<'static> {
        self.caller().map_or_else(server, Caller::principal)
    }

    /// The log that the address names.
    ///
    /// # Errors
    /// 404 when it names none.
    pub fn log(&self) -> Result<&Arc<OpenLog>, Problem> {
        self.log.as_ref().ok_or_else(no_such_log)
    }

    /// Counts events that the caller sends.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn take_events(&self, app: &App, count: usize) -> Result<(), Problem> {
        match self.caller() {
            Some(caller) => app.take(caller, self.log.as_ref(), Counted::Events, count),
            None => Ok(()),
        }
    }

    /// What events of this request are marked with.
    #[must_use]
    pub fn origin(&self, assurance: Assurance) -> Origin {
        let (principal, on_behalf_of) = (Some(self.principal()), self.on_behalf_of.clone());
        Origin { assurance, principal, on_behalf_of }
    }
}

impl<S: Sync> FromRequestParts<S> for Granted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Only the gate puts one there, so a handler without a gate answers nothing.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

/// The gate in front of a route.
pub(crate) async fn gate(
    State((app, need)): State<(App, Need)>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    let grpc = otlp::is_grpc(&head.headers);
    let turn = head.extensions.remove::<Arc<Turn>>().filter(|_| need != Need::Nothing);
    let admitted = match admit(&app, need, &mut head, turn.as_deref()).await {
        Ok(granted) => turn.as_ref().map_or(Ok(()), |turn| turn.check_room()).map(|()| granted),
        refused => refused,
    };
    let granted = match admitted {
        Ok(granted) => granted,
        Err(problem) => return otlp::told(problem, grpc),
    };
    head.extensions.insert(granted);
    let response = next.run(Request::from_parts(head, body)).await;
    // Before it is packed: that is what lies in memory until the last of it is packed.
    let bytes = response.body().size_hint().lower();
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    match turn.map_or(Ok(()), |turn| turn.hold(bytes, need.is_to_act())) {
        Ok(()) => response,
        Err(problem) => otlp::told(problem, grpc),
    }
}

async fn admit(
    app: &App,
    need: Need,
    request: &mut Parts,
    turn: Option<&Turn>,
) -> Result<Granted, Problem> {
    let name = log_name(app, need, request).await;
    let log = name.as_deref().and_then(|name| app.logs().get(name));
    let on_behalf_of = None;
    let action = match need {
        Need::Nothing => return Ok(Granted { caller: None, log, on_behalf_of }),
        Need::PublicLog(_) if name.as_deref().is_some_and(|name| app.is_public(name)) => {
            return Ok(Granted { caller: None, log, on_behalf_of });
        }
        Need::AnyCaller => None,
        Need::Server(action) | Need::Log(action) | Need::PublicLog(action) => Some(action),
    };
    let caller = authenticate(app, request).await?;
    if let Some(turn) = turn {
        turn.know();
    }
    let about = matches!(need, Need::Log(_) | Need::PublicLog(_)).then_some(name.as_deref());
    let about = about.map(Option::unwrap_or_default);
    // Before anything is decided, and recorded: refusals cost a record each.
    app.take(&caller, log.as_ref(), Counted::Requests, 1)?;
    if let Some(action) = action {
        let decision = app.keeper().policy.decide(&caller, action, about);
        let now_ms = app.logs().now_ms_signed();
        if let Some(act) = RefusedAct::of(&caller, action, about, &decision, now_ms) {
            return Err(deny(app, request, &caller, act, log.as_ref()).await);
        }
    }
    // Only now: who may not know of a log is not told whether there is one.
    if about.is_some() && log.is_none() {
        return Err(no_such_log());
    }
    let on_behalf_of = end_user(app, request).await?;
    Ok(Granted { caller: Some(Arc::new(caller)), log, on_behalf_of })
}

/// The log that a request is about: named by its address, or where an address has none (OTLP), by a
/// header; else the log that is meant when nothing is said.
async fn log_name(app: &App, need: Need, request: &mut Parts) -> Option<String> {
    let parameters = RawPathParams::from_request_parts(request, &()).await.ok()?;
    if let Some((_, name)) = parameters.iter().find(|(name, _)| *name == "log") {
        return Some(name.to_owned());
    }
    if !matches!(need, Need::Log(_)) {
        return None;
    }
    let header = request.headers.get("tachograph-log").and_then(|name| name.to_str().ok());
    Some(header.unwrap_or(&app.keeper().default_log).to_owned())
}

/// Who is calling: by a token, or the session that stands for one, or else by the connection's
/// certificate.
async fn authenticate(app: &App, request: &Parts) -> Result<Caller, Problem> {
    let peer = request.extensions.get::<Peer>();
    if let Some(token) = bearer(&request.headers)? {
        return holder(app, peer, token).await;
    }
    let shown = peer.and_then(|peer| peer.certificate.as_ref());
    match session(app, &request.headers) {
        Ok(Some(token)) => return holder(app, peer, token.expose()).await,
        Err(problem) if shown.is_none() => return Err(problem),
        _ => {}
    }
    let shown = shown.ok_or_else(no_credentials)?;
    // Browsers show certificates whoever makes them ask.
    if sessions::is_of_another_site(&request.headers) {
        let detail = "a certificate does not count for what another site asks for";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "no_credentials", detail));
    }
    let outcome = shown.caller(app.logs().now_ms_signed());
    outcome.map_err(|refused| refuse(app, refused, &shown.claimed(), peer))
}

/// Whose token it is; a refusal is counted for its record.
///
/// # Errors
/// 401, or 503 when it is not the token that is wrong.
async fn holder(app: &App, peer: Option<&Peer>, token: &str) -> Result<Caller, Problem> {
    check(app, token).await.map_err(|refused| {
        // What may be told of it: never the credential itself.
        let public = match token.starts_with("tacho_") {
            true => public_part(token),
            false => oidc::claimed(token),
        };
        refuse(app, refused, &public, peer)
    })
}

fn refuse(app: &App, refused: Refused, public: &str, peer: Option<&Peer>) -> Problem {
    let address = peer.and_then(|peer| peer.address).map(|address| address.ip());
    note_refusal(app, refused, public, address);
    refusal(refused, refused.explanation().to_owned())
}

/// The credential behind the session of a request, if it has one.
fn session(app: &App, headers: &HeaderMap) -> Result<Option<Arc<SecretString>>, Problem> {
    let Some(name) = sessions::cookie(headers) else { return Ok(None) };
    if !sessions::is_of_this_site(headers) {
        let detail = "a session counts only for what the console itself asks for \
                      (Sec-Fetch-Site: same-origin, or X-Tacho-Console: 1)";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "no_credentials", detail));
    }
    match app.sessions().find(name, app.logs().now_ms_signed()) {
        Some((credential, _)) => Ok(Some(credential)),
        None => {
            let detail = "the session has ended; sign in again";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "no_credentials", detail))
        }
    }
}

fn no_credentials() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "no_credentials",
        "this needs a credential: send `Authorization: Bearer TOKEN`; `tacho token create` makes one",
    )
}

/// 401, or 503 when it is not the credential that is wrong.
fn refusal(refused: Refused, detail: String) -> Problem {
    match refused.is_ours() {
        true => Problem::busy(refused.code(), detail),
        false => Problem::new(StatusCode::UNAUTHORIZED, refused.code(), detail),
    }
}

async fn check(app: &App, presented: &str) -> Result<Caller, Refused> {
    let (keeper, now_ms) = (app.keeper(), app.logs().now_ms_signed());
    if let Some(tokens) = &keeper.tokens
        && presented.starts_with("tacho_")
    {
        return tokens.check(presented, now_ms);
    }
    if keeper.oidc.is_none() {
        return Err(Refused::Malformed);
    }
    // It may have to fetch keys, which waits.
    let (app, presented) = (app.clone(), presented.to_owned());
    let check = move || match &app.keeper().oidc {
        Some(oidc) => oidc.verify(&presented, now_ms),
        None => Err(Refused::Malformed),
    };
    tokio::task::spawn_blocking(check).await.unwrap_or(Err(Refused::KeysUnavailable))
}

/// The end user for whom the caller acts, when it sends their token along.
async fn end_user(app: &App, request: &Parts) -> Result<Option<String>, Problem> {
    let Some(token) = request.headers.get("tachograph-on-behalf-of") else { return Ok(None) };
    let token = token.to_str().unwrap_or_default().to_owned();
    let now_ms = app.logs().now_ms_signed();
    let work = {
        let app = app.clone();
        move || match &app.keeper().oidc {
            Some(oidc) => oidc.verify_on_behalf_of(&token, now_ms),
            None => Err(Refused::UnknownIssuer),
        }
    };
    let outcome = tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refused::KeysUnavailable));
    let user = outcome.map_err(|refused| {
        refusal(refused, format!("Tachograph-On-Behalf-Of: {}", refused.explanation()))
    })?;
    Ok(Some(format!("{} {}", user.issuer, user.subject)))
}

/// The token that came along, if one did.
///
/// # Errors
/// 401 for what is no token.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return match headers.contains_key(header::AUTHORIZATION) {
            true => Err(bad_credential("there is more than one Authorization header; send one")),
            false => Ok(None),
        };
    };
    let text = value.to_str().ok().filter(|text| text.len() <= CREDENTIAL_BYTES_MAX);
    let split = text.and_then(|text| text.split_once(' '));
    match split {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(bad_credential("credentials are sent as `Authorization: Bearer TOKEN`")),
    }
}

fn bad_credential(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "malformed", detail)
}

/// Counts a refused credential for its record; `public`: what may be told of it.
pub(crate) fn note_refusal(app: &App, refused: Refused, public: &str, peer: Option<IpAddr>) {
    let now_ms = app.logs().now_ms_signed();
    let peer = peer.map(|address| address.to_string()).unwrap_or_default();
    let mut refusals = app.keeper().refusals.lock().unwrap_or_else(PoisonError::into_inner);
    refusals.count(refused, public, &peer, now_ms);
}

/// Records that a caller asked for what it may not have, and says so.
async fn deny(
    app: &App,
    request: &Parts,
    caller: &Caller,
    act: RefusedAct,
    log: Option<&Arc<OpenLog>>,
) -> Problem {
    let details = json!({
        "route": format!("{} {}", request.method, request.uri.path()),
        "action": act.action.as_str(), "log": act.log, "reason": act.ground,
        "policies": act.policies,
    });
    let record_in = log.cloned().or_else(|| app.logs().get(&app.keeper().default_log));
    if let Some(log) = record_in
        && let Err(problem) = log.record(Act::Denied(details), &caller.principal()).await
    {
        return problem;
    }
    let detail = format!("your credential does not allow {}; ask who runs this server", act.action);
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

fn no_such_log() -> Problem {
    Problem::not_found(
        "there is no log of this name; GET /api/v1/logs lists those that you may see",
    )
}
