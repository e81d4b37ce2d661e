//! The server as its callers see it: a real log on disk behind the real router.

#![allow(clippy::unwrap_used)]

mod accounts;
mod agent_keys;
mod append;
mod certificates;
mod console;
mod dashboard;
mod described;
mod hostile;
mod issued;
mod life_cycle;
mod matrix;
mod otlp;
mod overload;
mod papers;
mod put_back;
mod questions;
mod rates;
mod reports;
mod sign_in;
#[cfg(feature = "sql")]
mod sql;
mod stamped;
mod telemetry;
mod trouble;
mod untaken;
mod withheld;
mod witnessed;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use keys::{Kek, KekOrigin, SecretKey, SystemEntropy};
use reading::{DataFolder, LogFolder, new_log};
use seal::{NewLog, Options};
use serde_json::Value;
use serve::access::policy::Policy;
use serve::access::refusals::RefusalCounter;
use serve::access::tokens::{NewToken, TokenStore};
use serve::access::{Logs as LogNames, Role};
use serve::gate::Keeper;
use serve::{App, Limits, Logs, Settings, routes};
use std::sync::{Arc, Mutex};
use store::Reservation;
use tower::ServiceExt as _;

/// How a server is to be.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) disk_reserve: u64,
    pub(crate) clock: Option<Arc<Hands>>,
    pub(crate) retention: Option<retain::Policy>,
    /// Policies beside the built-in ones, and roles that they speak of.
    pub(crate) policies: &'static str,
    pub(crate) roles: Vec<Role>,
    /// For clients.
    pub(crate) limits: Limits,
    pub(crate) rates: serve::Rates,
    pub(crate) oidc: Option<serve::access::oidc::Oidc>,
    pub(crate) telemetry: Option<serve::telemetry::Telemetry>,
}

/// A clock that the tests set: so many milliseconds ahead of the system's.
#[derive(Default)]
pub(crate) struct Hands(pub(crate) std::sync::atomic::AtomicU64);

impl seal::Clock for Hands {
    fn now_ms(&self) -> u64 {
        seal::SystemClock.now_ms() + self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// A server with the logs `main` and `other`, which nobody connects to.
pub(crate) struct Rig {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) folder: tempfile::TempDir,
}

fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::File))
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(0)
    }

    /// With so much of the disk to be left free.
    pub(crate) fn with(disk_reserve: u64) -> Self {
        Self::made(Wishes { disk_reserve, ..Wishes::default() })
    }

    /// With these limits for clients.
    pub(crate) fn within(limits: Limits) -> Self {
        Self::made(Wishes { limits, ..Wishes::default() })
    }

    pub(crate) fn made(wishes: Wishes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::new(folder.path().join("data"));
        for name in ["main", "other"] {
            let new = NewLog { name: name.to_owned(), origin: None, post_quantum: false };
            new_log::create(&data, &new, &kek()).unwrap().unwrap();
        }
        let mut options =
            Options { reservation: Reservation::Off, publish_ms: 20, ..Options::system() };
        if let Some(clock) = &wishes.clock {
            options.clock = Arc::clone(clock) as _;
        }
        let Wishes { disk_reserve, retention, limits, .. } = wishes;
        let settings = Settings { options, disk_reserve, retention, memory: None };
        let kek_of = Arc::new(|_: &LogFolder| Ok(kek()));
        let logs = Logs::open(data, kek_of, Arc::new(|| Ok(kek())), settings).unwrap();
        let tokens = folder.path().join("tokens.json");
        let secret = folder.path().join("secret");
        let keeper = Keeper {
            tokens: Some(TokenStore::open(&tokens, &secret, &SystemEntropy::new()).unwrap()),
            oidc: wishes.oidc,
            policy: Policy::load(wishes.policies, &wishes.roles).unwrap(),
            refusals: Mutex::new(RefusalCounter::new()),
            default_log: "main".to_owned(),
        };
        let app = App::new(Arc::new(logs), keeper, ["other".to_owned()].into()).within(limits);
        let app = app.limited(wishes.rates);
        let app = match wishes.telemetry {
            Some(telemetry) => app.with_telemetry(telemetry),
            None => app,
        };
        Self { router: routes::router(app.clone()), app, folder }
    }

    /// A token with one role.
    pub(crate) fn token(&self, role: Role, logs: LogNames) -> String {
        let wish =
            NewToken { name: "somebody".to_owned(), roles: vec![role], logs, expires_ms: None };
        let now = self.app.logs().now_ms_signed();
        let tokens = self.app.keeper().tokens.as_ref().unwrap();
        tokens.create(wish, now, &SystemEntropy::new()).unwrap().1.expose().to_owned()
    }

    pub(crate) fn admin(&self) -> String {
        self.token(Role::ADMIN, LogNames::All)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = Answer::of(self.router.clone().oneshot(request).await.unwrap()).await;
        described::check(&method, &path, &answer);
        answer
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(request("GET", path, token).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(request("POST", path, token).body(body.into()).unwrap()).await
    }

    /// What stands in a log, oldest first, as its own records say.
    pub(crate) async fn types(&self, log: &str) -> Vec<String> {
        let admin = self.admin();
        let open = self.app.logs().get(log).unwrap();
        open.published(u64::MAX).await.unwrap();
        let answer =
            self.get(&admin, &format!("/api/v1/logs/{log}/events?order=oldest&limit=1000")).await;
        let events = answer.json()["events"].as_array().unwrap().clone();
        events.iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
    }
}

/// A request with a token.
pub(crate) fn request(method: &str, path: &str, token: &str) -> axum::http::request::Builder {
    let builder = Request::builder().method(method).uri(path);
    match token {
        "" => builder,
        token => builder.header(header::AUTHORIZATION, format!("Bearer {token}")),
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let mut headers = head.headers;
        headers.extend(collected.trailers().cloned().unwrap_or_default());
        Self { status: head.status, headers, bytes: collected.to_bytes().to_vec() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, String::from_utf8_lossy(&self.bytes)))
    }
}
